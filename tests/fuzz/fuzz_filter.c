/* Method: any bytes in, through the filter in both directions. The first bytes choose actions and
 * how the text is cut; the rest is the text. Streaming must give what the whole text gives, valid
 * UTF-8 must come out, and nothing that was told may be undecided. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "policy/filter/inbound.h"
#include "policy/filter/outbound.h"

enum { HEAD_BYTES = 4, OUT_BYTES_MAX = 1 << 26 };

static struct lexicon *lexicon;
static struct resources *resources;
static struct vault *vault;

static void open_once(void)
{
    const struct vault_config config = {4, 50, 60};
    struct failure failure;
    if (!lexicon) {
        ASSERT(lexicon_create(&lexicon) == STATUS_OK);
        ASSERT(resources_create("us", NULL, &resources, &failure) == STATUS_OK);
        ASSERT(vault_create(&config, &vault) == STATUS_OK);
        ASSERT(vault_plant(vault, (struct tenant_id){2}, "ward-canary", 11) == STATUS_OK);
    }
}

static void choose(struct rules *rules, const uint8_t *head)
{
    *rules = (struct rules){.changes_text = head[0] % 8 != 0,
                            .keeps_year = head[0] & 1,
                            .keeps_zip3 = head[0] & 2,
                            .duties = {.refuses_clinician_claims = head[0] & 4},
                            .terms = {.resources = resources}};
    for (size_t kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        rules->inbound[kind] = (enum policy_action)((head[1] + kind) % POLICY_ACTION_COUNT);
        rules->outbound[kind] = (enum policy_action)((head[2] + kind) % POLICY_ACTION_COUNT);
    }
}

static struct buffer run(const struct outbound_terms *terms, const char *text, size_t length,
                         size_t cut)
{
    struct buffer out = {.limit_bytes = OUT_BYTES_MAX};
    struct outbound *outbound = NULL;
    ASSERT(outbound_create(terms, &outbound) == STATUS_OK);
    for (size_t at = 0; at < length; at += cut) {
        const size_t bytes = length - at < cut ? length - at : cut;
        ASSERT(outbound_feed(outbound, text + at, bytes, &out) == STATUS_OK);
        ASSERT(outbound_decided(outbound) <= at + bytes);
    }
    const bool is_cut = length % 2 == 1;
    ASSERT((is_cut ? outbound_cut : outbound_end)(outbound, &out) == STATUS_OK);
    ASSERT(outbound_decided(outbound) == length);
    outbound_destroy(outbound);
    ASSERT(buffer_append(&out, "", 1) == STATUS_OK);
    ASSERT(utf8_valid_bytes(out.bytes, out.length) == out.length);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES) {
        return 0;
    }
    open_once();
    struct rules rules;
    struct vault_session *session = NULL;
    struct inbound *inbound = NULL;
    struct buffer in = {.limit_bytes = OUT_BYTES_MAX};
    const char *const text = (const char *)data + HEAD_BYTES;
    const size_t length = size - HEAD_BYTES;
    choose(&rules, data);
    ASSERT(vault_open(vault, (struct tenant_id){1}, "", 0, 1, &session) == STATUS_OK);
    ASSERT(inbound_create(&rules, lexicon, session, &inbound) == STATUS_OK);
    ASSERT(inbound_text(inbound, text, length, &in) == STATUS_OK);
    ASSERT(utf8_valid_bytes(in.bytes ? in.bytes : "", in.length) == in.length);

    const struct outbound_terms terms = {.rules = &rules,
                                         .lexicon = lexicon,
                                         .vault = vault,
                                         .session = session,
                                         .tenant = {1},
                                         .memory = inbound_memory(inbound),
                                         .seen = inbound_seen(inbound)};
    struct buffer whole = run(&terms, text, length, length ? length : 1);
    struct buffer cut = run(&terms, text, length, 1 + data[3] % 7U);
    ASSERT(whole.length == cut.length && memcmp(whole.bytes, cut.bytes, cut.length) == 0);
    buffer_destroy(&whole);
    buffer_destroy(&cut);
    buffer_destroy(&in);
    inbound_destroy(inbound);
    vault_close(session, 1);
    return 0;
}
