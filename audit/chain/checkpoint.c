/* What is signed is the body as it would be without its signature, so a checkpoint is made again
 * from what it says: one spelling, and nothing in it that is not signed. */
#include "audit/chain/checkpoint.h"

#include <sodium.h>
#include <string.h>

static const char SIGNED_PREFIX[] = "ward audit checkpoint v1\n";
static const char LINE_PREFIX[] = "ward-checkpoint 1 ";

enum {
    BASE64 = sodium_base64_VARIANT_ORIGINAL,
    MESSAGE_BYTES_MAX = sizeof SIGNED_PREFIX - 1 + RECORD_BODY_BYTES_MAX,
    TEXT_BYTES_MAX = sodium_base64_ENCODED_LEN(RECORD_BODY_BYTES_MAX, BASE64),
};

_Static_assert(CHECKPOINT_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "as libsodium has it");
_Static_assert(CHECKPOINT_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "as libsodium has it");
_Static_assert(CHECKPOINT_SIGNATURE_BYTES == crypto_sign_BYTES, "as libsodium has it");

static void begin_draft(struct record_draft *draft, const struct checkpoint *checkpoint)
{
    record_draft_begin(draft, RECORD_EVENT_CHAIN_CHECKPOINT, (struct tenant_id){0}, NULL);
    record_draft_bytes(draft, RECORD_FIELD_chain_id, checkpoint->chain_id);
    record_draft_uint(draft, RECORD_FIELD_sequence, checkpoint->sequence);
    record_draft_bytes(draft, RECORD_FIELD_head, checkpoint->head.bytes);
    record_draft_uint(draft, RECORD_FIELD_epoch, checkpoint->epoch);
    record_draft_uint(draft, RECORD_FIELD_tenants_size, checkpoint->tenants_size);
    record_draft_bytes(draft, RECORD_FIELD_tenants_root, checkpoint->tenants_root.bytes);
}

/* draft: without the signature. Returns the message's bytes. */
static size_t write_message(const struct record_draft *draft, uint64_t number, int64_t time_unix_ms,
                            uint8_t out[MESSAGE_BYTES_MAX])
{
    const size_t prefix_bytes = sizeof SIGNED_PREFIX - 1;
    memcpy(out, SIGNED_PREFIX, prefix_bytes);
    return prefix_bytes + record_encode(draft, number, time_unix_ms, out + prefix_bytes);
}

size_t checkpoint_append(struct chain *chain, const uint8_t secret[CHECKPOINT_SECRET_BYTES],
                         int64_t now_unix_ms, uint8_t out[CHAIN_FRAME_BYTES_MAX])
{
    struct checkpoint checkpoint = {
        .time_unix_ms = chain_next_time(chain, now_unix_ms),
        .sequence = chain->sequence + 1,
        .epoch = chain->epoch,
        .head = chain->head,
        .tenants_root = chain_tenants_root(chain),
        .tenants_size = chain->tenants_size,
    };
    struct record_draft draft;
    uint8_t message[MESSAGE_BYTES_MAX];
    uint8_t signature[CHECKPOINT_SIGNATURE_BYTES];
    crypto_sign_ed25519_sk_to_pk(checkpoint.chain_id, secret);
    begin_draft(&draft, &checkpoint);
    const size_t length =
        write_message(&draft, chain->tenants[0].size + 1, checkpoint.time_unix_ms, message);
    crypto_sign_detached(signature, NULL, message, length, secret);
    record_draft_bytes(&draft, RECORD_FIELD_signature, signature);
    return chain_append(chain, &draft, checkpoint.time_unix_ms, out);
}

static const uint8_t *bytes_of(const struct record *record, enum record_field field, size_t bytes)
{
    const struct record_value *value = &record->fields[field];
    return value->kind == RECORD_BYTES && value->length == bytes ? value->bytes : NULL;
}

/* False: a field is missing or out of range. */
static bool read_fields(const struct record *record, struct checkpoint *out)
{
    const uint8_t *chain_id = bytes_of(record, RECORD_FIELD_chain_id, CHECKPOINT_KEY_BYTES);
    const uint8_t *head = bytes_of(record, RECORD_FIELD_head, DIGEST_BYTES);
    const uint8_t *root = bytes_of(record, RECORD_FIELD_tenants_root, DIGEST_BYTES);
    const uint64_t tenants_size = record->fields[RECORD_FIELD_tenants_size].uint;
    if (!chain_id || !head || !root || tenants_size > LIMIT_TENANTS + 1) {
        return false;
    }
    *out = (struct checkpoint){
        .time_unix_ms = record->time_unix_ms,
        .sequence = record->fields[RECORD_FIELD_sequence].uint,
        .epoch = record->fields[RECORD_FIELD_epoch].uint,
        .tenants_size = (uint32_t)tenants_size,
    };
    memcpy(out->chain_id, chain_id, CHECKPOINT_KEY_BYTES);
    memcpy(out->head.bytes, head, DIGEST_BYTES);
    memcpy(out->tenants_root.bytes, root, DIGEST_BYTES);
    return true;
}

/* Whether a checkpoint that says this is spelled like the record's body. */
static bool is_spelled(const struct record *record, struct record_draft *draft,
                       const uint8_t signature[CHECKPOINT_SIGNATURE_BYTES])
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    record_draft_bytes(draft, RECORD_FIELD_signature, signature);
    return record_encode(draft, record->number, record->time_unix_ms, body) == record->body_bytes
           && memcmp(body, record->body, record->body_bytes) == 0;
}

enum status checkpoint_check(const uint8_t *body, size_t length,
                             const uint8_t chain_id[CHECKPOINT_KEY_BYTES], struct checkpoint *out,
                             struct failure *failure)
{
    struct record record;
    struct record_draft draft;
    uint8_t message[MESSAGE_BYTES_MAX];
    const uint8_t *signature = NULL;
    if (record_parse(body, length, &record) == STATUS_OK
        && record.event == RECORD_EVENT_CHAIN_CHECKPOINT && read_fields(&record, out)) {
        signature = bytes_of(&record, RECORD_FIELD_signature, CHECKPOINT_SIGNATURE_BYTES);
    }
    if (!signature) {
        return fail(failure, STATUS_INVALID, "checkpoint: is no chain.checkpoint record");
    }
    begin_draft(&draft, out);
    const size_t message_bytes = write_message(&draft, record.number, record.time_unix_ms, message);
    if (!is_spelled(&record, &draft, signature)) {
        return fail(failure, STATUS_INVALID,
                    "checkpoint: says more than a checkpoint of version 1");
    }
    if (memcmp(out->chain_id, chain_id, CHECKPOINT_KEY_BYTES) != 0) {
        return fail(failure, STATUS_INVALID,
                    "checkpoint: belongs to another chain; give the public key of that one");
    }
    if (crypto_sign_verify_detached(signature, message, message_bytes, chain_id) != 0) {
        return fail(failure, STATUS_INVALID,
                    "checkpoint: its signature is bad: it was changed, or not made with this key");
    }
    return STATUS_OK;
}

bool checkpoint_fits(const struct checkpoint *checkpoint, struct chain *chain)
{
    return checkpoint->sequence == chain->sequence + 1 && checkpoint->epoch >= chain->record_epoch
           && digest_same(checkpoint->head, chain->head)
           && checkpoint->time_unix_ms >= chain->time_unix_ms
           && checkpoint->tenants_size == chain->tenants_size
           && digest_same(checkpoint->tenants_root, chain_tenants_root(chain));
}

enum status checkpoint_write_line(const uint8_t *body, size_t length, struct buffer *out)
{
    char text[TEXT_BYTES_MAX];
    if (length > RECORD_BODY_BYTES_MAX) {
        return STATUS_TOO_LARGE;
    }
    sodium_bin2base64(text, sizeof text, body, length, BASE64);
    return buffer_format(out, "%s%s", LINE_PREFIX, text);
}

/* libsodium 1.0.18 takes some bytes above 127 for digits, so what was read is spelled again. */
enum status checkpoint_read_line(const char *line, size_t length, uint8_t *out, size_t *out_length)
{
    const size_t prefix_bytes = sizeof LINE_PREFIX - 1;
    char again[TEXT_BYTES_MAX];
    if (length <= prefix_bytes || memcmp(line, LINE_PREFIX, prefix_bytes) != 0) {
        return STATUS_INVALID;
    }
    const char *text = line + prefix_bytes;
    const size_t text_bytes = length - prefix_bytes;
    if (sodium_base642bin(out, RECORD_BODY_BYTES_MAX, text, text_bytes, NULL, out_length, NULL,
                          BASE64)
        != 0) {
        return STATUS_INVALID;
    }
    sodium_bin2base64(again, sizeof again, out, *out_length, BASE64);
    return strlen(again) == text_bytes && memcmp(again, text, text_bytes) == 0 ? STATUS_OK
                                                                               : STATUS_INVALID;
}
