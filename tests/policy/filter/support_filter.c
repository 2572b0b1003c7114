#include "tests/policy/filter/support_filter.h"

#include <string.h>

#include "base/random.h"
#include "tests/check.h"

void support_rules(struct rules *rules, enum policy_action inbound, enum policy_action outbound)
{
    *rules = (struct rules){.changes_text = true};
    for (size_t kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        rules->inbound[kind] = inbound;
        rules->outbound[kind] = outbound;
    }
}

static void add(struct vault_session *session, enum policy_kind kind, const char *folded,
                const char *raw)
{
    uint32_t number = 0;
    CHECK(vault_pseudonym(session, kind, folded, strlen(folded), raw, strlen(raw), &number)
                  == STATUS_OK
              && number == 1,
          "%s", raw);
}

void support_open(struct support_filter *filter)
{
    const struct vault_config config = {8, 100, 100};
    struct failure failure = {""};
    CHECK(lexicon_create(&filter->lexicon) == STATUS_OK, "lexicon");
    CHECK(resources_create("us", NULL, &filter->resources, &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(vault_create(&config, &filter->vault) == STATUS_OK, "vault");
    CHECK(vault_open(filter->vault, support_tenant, "c", 1, 1, &filter->session) == STATUS_OK,
          "session");
    CHECK(vault_open(filter->vault, support_other, "c", 1, 1, &filter->other) == STATUS_OK,
          "session");
    add(filter->session, POLICY_NAME, "lily chen", "Lily Chen");
    add(filter->session, POLICY_SSN, "219099998", "219-09-9998");
    add(filter->other, POLICY_MRN, "mr0052508", "MR-0052508");
    add(filter->other, POLICY_EMAIL, "omar@clinic.example", "omar@clinic.example");
    CHECK(vault_plant(filter->vault, support_other, "ward-canary-7f3a91", 18) == STATUS_OK,
          "plant");
    support_rules(&filter->rules, POLICY_PSEUDONYMISE, POLICY_REDACT);
    filter->rules.terms.resources = filter->resources;
    filter->rules.duties.refuses_clinician_claims = true;
    filter->terms = (struct outbound_terms){.rules = &filter->rules,
                                            .lexicon = filter->lexicon,
                                            .vault = filter->vault,
                                            .session = filter->session,
                                            .tenant = support_tenant};
}

void support_close(struct support_filter *filter)
{
    vault_close(filter->session, 1);
    vault_close(filter->other, 1);
    vault_destroy(filter->vault);
    resources_destroy(filter->resources);
    lexicon_destroy(filter->lexicon);
}

char *support_outbound(const struct outbound_terms *terms, const char *text, size_t length,
                       size_t cut, struct tally *tally)
{
    enum { HELD_MAX = 3 * WINDOW_RAW };
    struct outbound *outbound = NULL;
    struct buffer out = {.limit_bytes = 1 << 24};
    bool is_good = outbound_create(terms, &outbound) == STATUS_OK;
    for (size_t at = 0; is_good && at < length; at += cut) {
        const size_t bytes = length - at < cut ? length - at : cut;
        is_good = outbound_feed(outbound, text + at, bytes, &out) == STATUS_OK;
        CHECK(outbound_decided(outbound) + HELD_MAX > at + bytes, "what is held has a bound");
    }
    is_good = is_good && outbound_end(outbound, &out) == STATUS_OK
              && buffer_append(&out, "", 1) == STATUS_OK;
    CHECK(is_good, "fed");
    CHECK(!is_good || outbound_decided(outbound) == length, "%zu bytes, decided %llu", length,
          (unsigned long long)outbound_decided(outbound));
    if (tally && outbound) {
        *tally = *outbound_tally(outbound);
    }
    outbound_destroy(outbound);
    return out.bytes;
}

static const char *const pieces[] = {"[NAME_1]",
                                     "[",
                                     "NAME",
                                     "_",
                                     "1",
                                     "]",
                                     "[SSN_1]",
                                     "[NAME_7]",
                                     "\\[NAME\\_1\\]",
                                     "219-09-9999",
                                     "219-",
                                     "09-",
                                     "9999",
                                     "lily@example.org",
                                     "lily",
                                     "@",
                                     "example",
                                     ".",
                                     "org",
                                     "Dr. Lily Chen",
                                     "Lily ",
                                     "Chen",
                                     "988",
                                     "Call ",
                                     "1-800-555-0199",
                                     "suicide lifeline ",
                                     "MR-0052508",
                                     "MRN: ",
                                     "I am a ",
                                     "licensed ",
                                     "therapist",
                                     "ward-",
                                     "canary-",
                                     "7f3a91",
                                     " ",
                                     "\n",
                                     "\"",
                                     "'s",
                                     "\xe2\x80\x8b",
                                     "\xf0\x9f\x98\x80",
                                     "\xc3\xa9",
                                     "\xff",
                                     "\xe2\x82",
                                     "\\u0031",
                                     "&#50;",
                                     "\xef\xbc\x92\xef\xbc\x91\xef\xbc\x99",
                                     "192.168.0.1",
                                     "12/03/1961",
                                     "at 42 Oak Lane",
                                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                                     "4111 1111 1111 1111",
                                     "the ",
                                     "of ",
                                     ", ",
                                     "-"};

struct buffer support_random_text(struct random_source *random, uint32_t count)
{
    struct buffer text = {.limit_bytes = 1 << 22};
    bool is_good = true;
    for (uint32_t i = 0; i < count && is_good; i++) {
        const char *const piece = pieces[random_below(random, sizeof pieces / sizeof pieces[0])];
        const uint32_t times = random_below(random, 60) == 0 ? 300 : 1;
        for (uint32_t j = 0; j < times && is_good; j++) {
            is_good = buffer_append_text(&text, piece) == STATUS_OK;
        }
    }
    CHECK(is_good, "a random text");
    return text;
}
