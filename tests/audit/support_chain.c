#include "tests/audit/support_chain.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "tests/audit/support_digest.h"

void support_chain_first_key(uint8_t out[DIGEST_BYTES])
{
    support_digest_pattern(out, DIGEST_BYTES, 1, 0);
}

struct chain *support_chain_create(void)
{
    uint8_t key[DIGEST_BYTES];
    struct chain *chain = chain_create();
    ASSERT(chain);
    support_chain_first_key(key);
    chain_set_key(chain, key);
    return chain;
}

void support_chain_draft(struct random_source *random, struct record_draft *out)
{
    static const enum record_event events[] = {
        RECORD_EVENT_REQUEST_ACCEPTED,
        RECORD_EVENT_REQUEST_COMPLETED,
        RECORD_EVENT_KEY_CREATED,
    };
    const struct tenant_id tenant = {random_below(random, SUPPORT_CHAIN_TENANTS)};
    char name[RECORD_NAME_BYTES] = "";
    char request[32];
    if (tenant.value > 0) {
        snprintf(name, sizeof name, "clinic-%u", tenant.value);
    }
    snprintf(request, sizeof request, "req-%08x", random_below(random, UINT32_MAX));
    record_draft_begin(out, events[random_below(random, 3)], tenant, name);
    record_draft_text(out, RECORD_FIELD_request_id, request);
    record_draft_uint(out, RECORD_FIELD_http_code, 200 + random_below(random, 4));
    record_draft_uint(out, RECORD_FIELD_prompt_tokens,
                      random_next(random) >> random_below(random, 64));
    record_draft_int(out, RECORD_FIELD_seed, (int64_t)random_next(random));
    const struct digest digest = digest_of(request, sizeof request);
    record_draft_bytes(out, RECORD_FIELD_prompt_digest, digest.bytes);
}

void support_chain_grow(struct chain *chain, struct random_source *random,
                        struct support_frames *out, size_t count)
{
    ASSERT(count <= SUPPORT_CHAIN_FRAMES_MAX);
    for (; out->count < count; out->count++) {
        struct record_draft draft;
        size_t read = 0;
        support_chain_draft(random, &draft);
        for (uint32_t i = random_below(random, 8); i > 5; i--) {
            chain_next_epoch(chain);
        }
        /* up to 100 ms back or 900 ms on */
        const int64_t now = chain->time_unix_ms + (int64_t)random_below(random, 1000) - 100;
        uint8_t *bytes = out->bytes[out->count];
        const size_t written = chain_append(chain, &draft, now, bytes);
        const enum status status = frame_parse(bytes, written, &out->frames[out->count], &read);
        ASSERT(status == STATUS_OK && read == written);
    }
}

struct frame support_chain_erase(const struct frame *frame, struct digest *leaf)
{
    struct frame erased = *frame;
    *leaf = frame_leaf(frame);
    erased.kind = FRAME_ERASED;
    erased.body = leaf->bytes;
    erased.body_bytes = DIGEST_BYTES;
    return erased;
}

bool support_chain_same(const struct chain *a, const struct chain *b)
{
    for (uint32_t i = 0; i <= LIMIT_TENANTS; i++) {
        const size_t bytes = merkle_peak_count(a->tenants[i].size) * sizeof a->tenants[i].peaks[0];
        if (a->tenants[i].size != b->tenants[i].size
            || memcmp(a->tenants[i].peaks, b->tenants[i].peaks, bytes) != 0) {
            return false;
        }
    }
    return a->sequence == b->sequence && a->record_epoch == b->record_epoch
           && digest_same(a->head, b->head) && a->time_unix_ms == b->time_unix_ms
           && a->time_is_earlier == b->time_is_earlier && a->tenants_size == b->tenants_size;
}
