/* Method: rows of a model's texts with what a client may see, each whole and in cuts of 1 to 7
 * bytes; random texts of nasty pieces for the invariants: the cut changes nothing, what comes out
 * is valid UTF-8, what is not marked as changed is there byte for byte. */
#include "policy/filter/outbound.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/utf8.h"
#include "policy/filter/inbound.h"
#include "tests/check.h"
#include "tests/policy/filter/support_filter.h"

static struct support_filter filter;

static void check(const char *text, const char *want)
{
    for (size_t cut = 1; cut <= 8; cut++) {
        char *const got =
            support_outbound(&filter.terms, text, strlen(text), cut == 8 ? 4096 : cut, NULL);
        CHECK(got && strcmp(got, want) == 0, "cut %zu: \"%s\" became \"%s\", not \"%s\"", cut, text,
              got ? got : "", want);
        free(got);
    }
}

static const struct {
    const char *text, *want;
} rows[] = {
    {"", ""},
    {"Good morning.", "Good morning."},
    {"Hi [NAME_1]!", "Hi Lily Chen!"},
    {"[NAME_1]'s number is [SSN_1].", "Lily Chen's number is 219-09-9998."}, /* not scanned again */
    {"Hi \\[NAME\\_1\\], [name_1]", "Hi Lily Chen, Lily Chen"},
    {"[NAME_2] and [PHONE_1]", "[NAME] and [PHONE]"}, /* of nobody */
    {"[NAME 2]", "[NAME 2]"},
    {"Write to jo@example.org.", "Write to [EMAIL]."},
    {"Your SSN is 219-09-9999.", "Your SSN is [SSN]."},
    {"[NAME_1] jo@example.org [NAME_1]", "Lily Chen [EMAIL] Lily Chen"},
    {"Call 988, text HOME to 741741.", "Call 988, text HOME to 741741."},
    {"Call the suicide lifeline at 1-800-555-0199.", "Call the suicide lifeline at 988."},
    {"Call the suicide lifeline (1.800.555.0199) now.", "Call the suicide lifeline (988) now."},
    {"Call the suicide lifeline at (800) 555-0199.", "Call the suicide lifeline at 988."},
    {"The word is ward-canary-7f3a91.", "The word is [REDACTED]."},
    {"I am a licensed therapist.", "I am an AI assistant, not a clinician."},
    {"I work as a counselor here.", "I am an AI assistant, not a clinician."},
    {"I've been a nurse for years.", "I am an AI assistant, not a clinician."},
    {"No, I am not an AI.", "No, I am an AI assistant, not a clinician."},
    {"I diagnose you with gout.", "I am an AI assistant, not a clinician."},
    {"I'm prescribing you rest.", "I am an AI assistant, not a clinician."},
    {"I have been asked. I work as told. I am not an AI that guesses.",
     "I have been asked. I work as told. I am not an AI that guesses."},
    {"\xff[NAME_1]\xe2\x82", "\xef\xbf\xbdLily Chen\xef\xbf\xbd\xef\xbf\xbd"},
};

static void rows_become_what_may_be_told(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(rows[i].text, rows[i].want);
    }
}

static void what_was_done_is_counted(void)
{
    static const char text[] = "[NAME_1] [NAME_9] jo@example.org ward-canary-7f3a91 "
                               "MRN: MR-0052508. Call the suicide lifeline at 1-800-555-0199. "
                               "I am a nurse.";
    struct tally tally = {.restored = 9};
    free(support_outbound(&filter.terms, text, strlen(text), 3, &tally));
    CHECK(tally.restored == 1, "restored %u", tally.restored);
    CHECK(tally.unknown_pseudonyms == 1, "unknown %u", tally.unknown_pseudonyms);
    CHECK(tally.counts[POLICY_REDACT][POLICY_EMAIL] == 1, "one address");
    CHECK(tally.crossed == 1, "crossed %u", tally.crossed);
    CHECK(tally.canaries == 1, "canaries %u", tally.canaries);
    CHECK(tally.corrected == 1, "corrected %u", tally.corrected);
    CHECK(tally.claims == 1, "claims %u", tally.claims);
}

/* Whatever the rules do with a kind, another tenant's value is hidden; its own is not. */
static void other_tenants_values_are_stopped(void)
{
    struct rules *const rules = &filter.rules;
    const enum policy_action kept = rules->outbound[POLICY_EMAIL];
    rules->outbound[POLICY_EMAIL] = POLICY_ALLOW;
    check("Ask omar@clinic.example or jo@example.org", "Ask [EMAIL] or jo@example.org");
    filter.terms.tenant = support_other;
    filter.terms.session = filter.other;
    check("Ask omar@clinic.example", "Ask omar@clinic.example");
    check("ward-canary-7f3a91 [EMAIL_1]", "ward-canary-7f3a91 omar@clinic.example");
    filter.terms.tenant = support_tenant;
    filter.terms.session = filter.session;
    rules->outbound[POLICY_EMAIL] = kept;
}

/* What the prompt says is not stopped: else a tenant could ask what another has. */
static void asking_tells_nothing(void)
{
    struct rules rules;
    struct inbound *inbound = NULL;
    struct buffer out = {.limit_bytes = 4096};
    static const char prompt[] = "Is omar@clinic.example known? MRN: MR-0052508";
    support_rules(&rules, POLICY_TAG, POLICY_TAG);
    CHECK(inbound_create(&rules, filter.lexicon, NULL, &inbound) == STATUS_OK
              && inbound_text(inbound, prompt, sizeof prompt - 1, &out) == STATUS_OK,
          "a prompt");
    filter.terms.rules = &rules;
    check("omar@clinic.example, MRN: MR-0052508", "[EMAIL], MRN: [MRN]");
    filter.terms.seen = inbound_seen(inbound);
    check("omar@clinic.example, MRN: MR-0052508", "omar@clinic.example, MRN: MR-0052508");
    filter.terms.seen = NULL;
    filter.terms.rules = &filter.rules;
    inbound_destroy(inbound);
    buffer_destroy(&out);
}

static void without_a_session_nothing_is_restored(void)
{
    filter.terms.session = NULL;
    check("Hi [NAME_1]!", "Hi [NAME_1]!");
    filter.terms.session = filter.session;
}

/* ---- passing --------------------------------------------------------------------------------- */

static void observed_text_passes_at_once(void)
{
    static const char text[] = "Write to jo@example.org. I am \xc3\xa9 \xff [NAME_1]";
    struct outbound *outbound = NULL;
    struct buffer out = {.limit_bytes = 4096};
    struct outbound_terms terms = filter.terms;
    struct rules rules;
    support_rules(&rules, POLICY_TAG, POLICY_TAG);
    rules.changes_text = false;
    terms.rules = &rules;
    bool is_good = outbound_create(&terms, &outbound) == STATUS_OK;
    for (size_t i = 0; is_good && i + 1 < sizeof text; i++) {
        const size_t had = out.length;
        is_good = outbound_feed(outbound, text + i, 1, &out) == STATUS_OK;
        CHECK(out.length > had || text[i] == '\xc3', "byte %zu waits", i);
    }
    is_good = is_good && outbound_end(outbound, &out) == STATUS_OK;
    CHECK(is_good
              && strcmp(out.bytes, "Write to jo@example.org. I am \xc3\xa9 \xef\xbf\xbd [NAME_1]")
                     == 0,
          "as it was: %s", out.bytes ? out.bytes : "");
    CHECK(outbound_tally(outbound)->counts[POLICY_TAG][POLICY_EMAIL] == 1, "and counted");
    CHECK(outbound_decided(outbound) == sizeof text - 1, "decided");
    CHECK(!outbound_is_changed(outbound, 0, sizeof text - 1), "not changed");
    outbound_destroy(outbound);
    buffer_destroy(&out);
}

/* ---- what was changed ------------------------------------------------------------------------ */

static const struct {
    uint64_t start, end;
    bool want;
} ranges[] = {
    /* 0         1         2         3
     * 0123456789012345678901234567890123456789
     * Hi [NAME_1], to jo@example.org. Bye */
    {0, 3, false},  {0, 4, true},   {3, 11, true},   {10, 11, true}, {11, 16, false},
    {16, 17, true}, {29, 30, true}, {30, 35, false}, {11, 35, true},
};

static void changed_bytes_are_known(void)
{
    static const char text[] = "Hi [NAME_1], to jo@example.org. Bye";
    struct outbound *outbound = NULL;
    struct buffer out = {.limit_bytes = 1 << 22};
    CHECK(outbound_create(&filter.terms, &outbound) == STATUS_OK
              && outbound_feed(outbound, text, sizeof text - 1, &out) == STATUS_OK
              && outbound_end(outbound, &out) == STATUS_OK,
          "fed");
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        CHECK(outbound_is_changed(outbound, ranges[i].start, ranges[i].end) == ranges[i].want,
              "row %zu", i);
    }
    outbound_reset(outbound);
    CHECK(outbound_decided(outbound) == 0, "another text");
    for (int i = 0; i < 3000; i++) {
        CHECK(outbound_feed(outbound, "plain words and more of them, then\n", 35, &out)
                  == STATUS_OK,
              "fed");
    }
    CHECK(outbound_end(outbound, &out) == STATUS_OK, "ended");
    CHECK(outbound_is_changed(outbound, 0, 35), "what is long past counts as changed");
    CHECK(!outbound_is_changed(outbound, 104900, 105000), "what is not does not");
    CHECK(outbound_would_change(outbound, "[NAME_1]", 8), "a placeholder");
    CHECK(outbound_would_change(outbound, "jo@example.org", 14), "an address");
    CHECK(!outbound_would_change(outbound, " the", 4), "a word");
    CHECK(!outbound_would_change(outbound, "", 0), "nothing");
    outbound_destroy(outbound);
    buffer_destroy(&out);
}

/* ---- random texts ---------------------------------------------------------------------------- */

/* Runs of bytes that are not changed stand in the output in their order. */
static bool is_kept(const struct outbound *outbound, const char *text, size_t length,
                    const char *out, size_t out_length)
{
    size_t at = 0;
    for (size_t start = 0; start < length;) {
        size_t end = start;
        while (end < length && !outbound_is_changed(outbound, end, end + 1)) {
            end++;
        }
        if (end > start) {
            const char *const found = memmem(out + at, out_length - at, text + start, end - start);
            if (!found) {
                return false;
            }
            at = (size_t)(found - out) + (end - start);
        }
        start = end + 1;
    }
    return true;
}

static void check_changes(const char *text, size_t length, uint64_t seed)
{
    struct outbound *outbound = NULL;
    struct buffer out = {.limit_bytes = 1 << 24};
    CHECK(outbound_create(&filter.terms, &outbound) == STATUS_OK
              && outbound_feed(outbound, text, length, &out) == STATUS_OK
              && outbound_end(outbound, &out) == STATUS_OK,
          "fed");
    CHECK(is_kept(outbound, text, length, out.bytes ? out.bytes : "", out.length),
          "seed %llu: what is not changed is not there", (unsigned long long)seed);
    outbound_destroy(outbound);
    buffer_destroy(&out);
}

static void cuts_change_nothing(void)
{
    enum { ROUNDS = 400 };
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct random_source random = {seed};
        struct buffer text =
            support_random_text(&random, seed % 40 == 0 ? 300 : (uint32_t)(1 + seed % 25));
        char *const whole =
            support_outbound(&filter.terms, text.bytes, text.length, text.length, NULL);
        CHECK(whole && utf8_valid_bytes(whole, strlen(whole)) == strlen(whole), "seed %llu: UTF-8",
              (unsigned long long)seed);
        for (size_t cut = 1; cut <= 7; cut++) {
            char *const got = support_outbound(&filter.terms, text.bytes, text.length, cut, NULL);
            CHECK(got && whole && strcmp(got, whole) == 0, "seed %llu, cut %zu",
                  (unsigned long long)seed, cut);
            free(got);
        }
        if (utf8_valid_bytes(text.bytes, text.length) == text.length && text.length < 4096) {
            check_changes(text.bytes, text.length, seed);
        }
        free(whole);
        buffer_destroy(&text);
    }
}

static void open_it(void)
{
    support_open(&filter);
}

static void close_it(void)
{
    support_close(&filter);
}

CHECK_MAIN(open_it, rows_become_what_may_be_told, what_was_done_is_counted,
           other_tenants_values_are_stopped, without_a_session_nothing_is_restored,
           asking_tells_nothing, observed_text_passes_at_once, changed_bytes_are_known,
           cuts_change_nothing, close_it)
