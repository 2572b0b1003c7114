/* Method: rows of a person's texts with what the model may see, under each action; then limits of
 * the vault, what a person types that looks like a placeholder, and random bytes for the
 * invariants. */
#include "policy/filter/inbound.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/utf8.h"
#include "tests/check.h"
#include "tests/policy/filter/support_filter.h"

static struct support_filter filter;

static char *change(struct inbound *inbound, const char *text, size_t length)
{
    struct buffer out = {.limit_bytes = 1 << 24};
    const bool is_good = inbound_text(inbound, text, length, &out) == STATUS_OK
                         && buffer_append(&out, "", 1) == STATUS_OK;
    CHECK(is_good, "changed");
    return out.bytes;
}

/* A session of its own for each row, so that numbers begin at 1. */
static void check(const struct rules *rules, const char *text, const char *want, bool want_blocked)
{
    struct vault_session *session = NULL;
    struct inbound *inbound = NULL;
    CHECK(vault_open(filter.vault, support_tenant, "", 0, 1, &session) == STATUS_OK
              && inbound_create(rules, filter.lexicon, session, &inbound) == STATUS_OK,
          "create");
    char *const got = change(inbound, text, strlen(text));
    CHECK(got && strcmp(got, want) == 0, "\"%s\" became \"%s\", not \"%s\"", text, got ? got : "",
          want);
    CHECK(inbound_is_blocked(inbound) == want_blocked, "%s: blocked", text);
    free(got);
    inbound_destroy(inbound);
    vault_close(session, 1);
}

static const struct {
    enum policy_action action;
    const char *text, *want;
} rows[] = {
    {POLICY_ALLOW, "Write to jo@example.org.", "Write to jo@example.org."},
    {POLICY_TAG, "Write to jo@example.org.", "Write to jo@example.org."},
    {POLICY_REDACT, "Write to jo@example.org.", "Write to [EMAIL]."},
    {POLICY_BLOCK, "Write to jo@example.org.", "Write to [EMAIL]."},
    {POLICY_PSEUDONYMISE, "jo@example.org, al@example.org, Jo@Example.org",
     "[EMAIL_1], [EMAIL_2], [EMAIL_1]"},
    {POLICY_PSEUDONYMISE, "I called 988 and 741741.", "I called 988 and 741741."},
    {POLICY_REDACT, "", ""},
    {POLICY_REDACT,
     "a\xff"
     "b \xe2\x82",
     "a\xef\xbf\xbd"
     "b \xef\xbf\xbd\xef\xbf\xbd"},
    /* a person types what looks like a placeholder */
    {POLICY_PSEUDONYMISE, "[EMAIL_1] jo@example.org [EMAIL_1] [EMAIL_2] \\[EMAIL\\_1\\]",
     "[EMAIL 1] [EMAIL_1] [EMAIL_1] [EMAIL 2] [EMAIL_1]"},
};

static void rows_become_what_the_model_sees(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rules rules;
        support_rules(&rules, rows[i].action, POLICY_REDACT);
        rules.terms.resources = filter.resources;
        check(&rules, rows[i].text, rows[i].want,
              rows[i].action == POLICY_BLOCK && strchr(rows[i].text, '@'));
    }
}

static void parts_are_kept(void)
{
    struct rules rules;
    support_rules(&rules, POLICY_REDACT, POLICY_REDACT);
    rules.inbound[POLICY_CITY] = POLICY_ALLOW;
    check(&rules, "Born on March 12, 1961.", "Born on [DATE].", false);
    check(&rules, "Lives at 42 Oak Street, Beverly Hills, CA 90210.",
          "Lives at [STREET], Beverly Hills, CA [ZIP].", false);
    rules.keeps_year = rules.keeps_zip3 = true;
    check(&rules, "Born on March 12, 1961.", "Born on [DATE 1961].", false);
    check(&rules, "Seen on 03/12/2024.", "Seen on [DATE 2024].", false);
    check(&rules, "Born on March 12, 1921.", "Born on [DATE].",
          false); /* it tells an age over 89 */
    check(&rules, "Lives at 42 Oak Street, Beverly Hills, CA 90210.",
          "Lives at [STREET], Beverly Hills, CA [ZIP 902].", false);
    check(&rules, "Lives at 42 Oak Street, Somewhere, VT 05901.",
          "Lives at [STREET], Somewhere, VT [ZIP 000].", false); /* few people live there */
}

/* What is in no session is redacted, and counted so. */
static void a_full_vault_redacts(void)
{
    const struct vault_config config = {1, 2, 100};
    struct vault *vault = NULL;
    struct vault_session *session = NULL;
    struct inbound *inbound = NULL;
    CHECK(vault_create(&config, &vault) == STATUS_OK
              && vault_open(vault, support_tenant, "", 0, 1, &session) == STATUS_OK
              && inbound_create(&filter.rules, filter.lexicon, session, &inbound) == STATUS_OK,
          "create");
    const char text[] = "a@example.org b@example.org c@example.org b@example.org";
    char *const got = change(inbound, text, sizeof text - 1);
    CHECK(got && strcmp(got, "[EMAIL_1] [EMAIL_2] [EMAIL] [EMAIL_2]") == 0, "%s", got ? got : "");
    const struct tally *const tally = inbound_tally(inbound);
    CHECK(tally->counts[POLICY_PSEUDONYMISE][POLICY_EMAIL] == 3, "pseudonyms");
    CHECK(tally->counts[POLICY_REDACT][POLICY_EMAIL] == 1, "redacted");
    free(got);
    inbound_destroy(inbound);
    vault_close(session, 1);
    vault_destroy(vault);
    CHECK(inbound_create(&filter.rules, filter.lexicon, NULL, &inbound) == STATUS_OK, "no session");
    char *const none = change(inbound, "[EMAIL_1] a@example.org", 23);
    CHECK(none && strcmp(none, "[EMAIL_1] [EMAIL]") == 0, "%s", none ? none : "");
    free(none);
    inbound_destroy(inbound);
}

/* What came in goes out again as it was, for the same conversation. */
static void a_round_trip_restores(void)
{
    static const char text[] = "I am Dr. Lily Chen, write to jo@example.org, SSN 219-09-9999.";
    struct inbound *inbound = NULL;
    CHECK(inbound_create(&filter.rules, filter.lexicon, filter.session, &inbound) == STATUS_OK,
          "create");
    char *const in = change(inbound, text, sizeof text - 1);
    CHECK(in && !strstr(in, "jo@") && !strstr(in, "219"), "hidden: %s", in ? in : "");
    for (size_t cut = 1; in && cut < 8; cut++) {
        struct tally tally;
        char *const out = support_outbound(&filter.terms, in, strlen(in), cut, &tally);
        CHECK(out && strstr(out, "write to jo@example.org, SSN 219-09-9999."), "%s",
              out ? out : "");
        CHECK(tally.unknown_pseudonyms == 0 && tally.restored >= 2, "restored %u", tally.restored);
        free(out);
    }
    free(in);
    inbound_destroy(inbound);
}

static void random_bytes_stay_valid(void)
{
    enum { ROUNDS = 200 };
    struct inbound *inbound = NULL;
    CHECK(inbound_create(&filter.rules, filter.lexicon, filter.session, &inbound) == STATUS_OK,
          "create");
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct random_source random = {seed};
        struct buffer text = support_random_text(&random, (uint32_t)(1 + seed % 40));
        for (size_t i = 0; seed % 2 && i < text.length; i += 1 + random_below(&random, 30)) {
            text.bytes[i] = (char)random_below(&random, 256);
        }
        char *const got = change(inbound, text.bytes, text.length);
        char *const again = change(inbound, text.bytes, text.length);
        CHECK(got && again, "seed %llu", (unsigned long long)seed);
        if (got && !memchr(text.bytes, 0, text.length)) {
            CHECK(utf8_valid_bytes(got, strlen(got)) == strlen(got), "seed %llu: UTF-8",
                  (unsigned long long)seed);
        }
        free(again);
        free(got);
        buffer_destroy(&text);
    }
    inbound_destroy(inbound);
}

static void open_it(void)
{
    support_open(&filter);
}

static void close_it(void)
{
    support_close(&filter);
}

CHECK_MAIN(open_it, rows_become_what_the_model_sees, parts_are_kept, a_full_vault_redacts,
           a_round_trip_restores, random_bytes_stay_valid, close_it)
