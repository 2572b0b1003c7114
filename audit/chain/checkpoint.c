/* What is signed is the outline: what a tenant needs, and a digest of all the rest, which is the
 * body as it would be without its signature. So a checkpoint is made again from what it says: one
 * spelling, and nothing in it that is not signed. */
#include "audit/chain/checkpoint.h"

#include <sodium.h>
#include <string.h>

#include "audit/chain/little_endian.h"

static const char SIGNED_PREFIX[] = "ward audit checkpoint v1\n";
static const char LINE_PREFIX[] = "ward-checkpoint 1 ";

enum {
    BASE64 = sodium_base64_VARIANT_ORIGINAL,
    PREFIX_BYTES = sizeof SIGNED_PREFIX - 1,
    SIGNED_BYTES = CHECKPOINT_OUTLINE_BYTES - CHECKPOINT_SIGNATURE_BYTES,
    TIME_AT = CHECKPOINT_KEY_BYTES, /* where the parts of an outline lie */
    TENANTS_SIZE_AT = TIME_AT + 8,
    TENANTS_ROOT_AT = TENANTS_SIZE_AT + 4,
    BODY_DIGEST_AT = TENANTS_ROOT_AT + DIGEST_BYTES,
    TEXT_BYTES_MAX = sodium_base64_ENCODED_LEN(RECORD_BODY_BYTES_MAX, BASE64),
};

_Static_assert(BODY_DIGEST_AT + DIGEST_BYTES == SIGNED_BYTES, "the signature is the rest");
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

/* draft: without the signature, which is left out of the outline too. */
static void write_outline(const struct checkpoint *checkpoint, const struct record_draft *draft,
                          uint64_t number, uint8_t out[CHECKPOINT_OUTLINE_BYTES])
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    const size_t length = record_encode(draft, number, checkpoint->time_unix_ms, body);
    const struct digest digest = digest_of(body, length);
    memcpy(out, checkpoint->chain_id, CHECKPOINT_KEY_BYTES);
    little_endian_write_u64(out + TIME_AT, (uint64_t)checkpoint->time_unix_ms);
    little_endian_write_u32(out + TENANTS_SIZE_AT, checkpoint->tenants_size);
    memcpy(out + TENANTS_ROOT_AT, checkpoint->tenants_root.bytes, DIGEST_BYTES);
    memcpy(out + BODY_DIGEST_AT, digest.bytes, DIGEST_BYTES);
}

struct message {
    uint8_t bytes[PREFIX_BYTES + SIGNED_BYTES];
};

static struct message message_of(const uint8_t outline[CHECKPOINT_OUTLINE_BYTES])
{
    struct message message;
    memcpy(message.bytes, SIGNED_PREFIX, PREFIX_BYTES);
    memcpy(message.bytes + PREFIX_BYTES, outline, SIGNED_BYTES);
    return message;
}

static enum status check_outline(const uint8_t outline[CHECKPOINT_OUTLINE_BYTES],
                                 const uint8_t chain_id[CHECKPOINT_KEY_BYTES],
                                 struct failure *failure)
{
    const struct message message = message_of(outline);
    if (memcmp(outline, chain_id, CHECKPOINT_KEY_BYTES) != 0) {
        return fail(failure, STATUS_INVALID,
                    "checkpoint: belongs to another chain; give the public key of that one");
    }
    if (crypto_sign_verify_detached(outline + SIGNED_BYTES, message.bytes, sizeof message.bytes,
                                    chain_id)
        != 0) {
        return fail(failure, STATUS_INVALID,
                    "checkpoint: its signature is bad: it was changed, or not made with this key");
    }
    return STATUS_OK;
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
    uint8_t outline[CHECKPOINT_OUTLINE_BYTES], signature[CHECKPOINT_SIGNATURE_BYTES];
    crypto_sign_ed25519_sk_to_pk(checkpoint.chain_id, secret);
    begin_draft(&draft, &checkpoint);
    write_outline(&checkpoint, &draft, chain->tenants[0].size + 1, outline);
    const struct message message = message_of(outline);
    crypto_sign_detached(signature, NULL, message.bytes, sizeof message.bytes, secret);
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

static enum status read_outline(const uint8_t *body, size_t length, struct checkpoint *out,
                                uint8_t outline[CHECKPOINT_OUTLINE_BYTES], struct failure *failure)
{
    struct record record;
    struct record_draft draft;
    const uint8_t *signature = NULL;
    if (record_parse(body, length, &record) == STATUS_OK
        && record.event == RECORD_EVENT_CHAIN_CHECKPOINT && read_fields(&record, out)) {
        signature = bytes_of(&record, RECORD_FIELD_signature, CHECKPOINT_SIGNATURE_BYTES);
    }
    if (!signature) {
        return fail(failure, STATUS_INVALID, "checkpoint: is no chain.checkpoint record");
    }
    begin_draft(&draft, out);
    write_outline(out, &draft, record.number, outline);
    memcpy(outline + SIGNED_BYTES, signature, CHECKPOINT_SIGNATURE_BYTES);
    return is_spelled(&record, &draft, signature)
               ? STATUS_OK
               : fail(failure, STATUS_INVALID,
                      "checkpoint: says more than a checkpoint of version 1");
}

enum status checkpoint_check(const uint8_t *body, size_t length,
                             const uint8_t chain_id[CHECKPOINT_KEY_BYTES], struct checkpoint *out,
                             struct failure *failure)
{
    uint8_t outline[CHECKPOINT_OUTLINE_BYTES];
    const enum status status = read_outline(body, length, out, outline, failure);
    return status == STATUS_OK ? check_outline(outline, chain_id, failure) : status;
}

enum status checkpoint_write_outline(const uint8_t *body, size_t length,
                                     uint8_t out[CHECKPOINT_OUTLINE_BYTES], struct failure *failure)
{
    struct checkpoint checkpoint;
    return read_outline(body, length, &checkpoint, out, failure);
}

enum status checkpoint_check_outline(const uint8_t outline[CHECKPOINT_OUTLINE_BYTES],
                                     const uint8_t chain_id[CHECKPOINT_KEY_BYTES],
                                     struct checkpoint_outline *out, struct failure *failure)
{
    const uint64_t time_unix_ms = little_endian_read_u64(outline + TIME_AT);
    const uint32_t tenants_size = little_endian_read_u32(outline + TENANTS_SIZE_AT);
    if (time_unix_ms > INT64_MAX || tenants_size > LIMIT_TENANTS + 1) {
        return fail(failure, STATUS_INVALID, "checkpoint: is no outline of one");
    }
    out->time_unix_ms = (int64_t)time_unix_ms;
    out->tenants_size = tenants_size;
    memcpy(out->tenants_root.bytes, outline + TENANTS_ROOT_AT, DIGEST_BYTES);
    return check_outline(outline, chain_id, failure);
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
