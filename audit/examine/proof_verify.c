/* Reads nothing but the bundle and the key. A line is taken only if it has exactly the fields that
 * it must have, so that nothing in a bundle is left unproven. */
#include <inttypes.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "audit/chain/checkpoint.h"
#include "audit/examine/proof.h"
#include "audit/examine/verify_walk.h"

enum { LINE_BYTES_MAX = 1 << 16, SIZE_MAX_BITS = 40 };

enum stage { STAGE_HEAD, STAGE_BEFORE, STAGE_RECORDS, STAGE_END };

struct proof {
    const uint8_t *public_key;
    struct proof_summary *summary;
    struct verify_result *result;
    enum stage stage;
    struct merkle tree;           /* of the tenant, as far as the bundle was read */
    int64_t time_unix_ms;         /* of the last record or checkpoint */
    char name[RECORD_NAME_BYTES]; /* that the head claims */
};

static enum verify_break malformed(struct proof *proof, const char *what)
{
    return verify_walk_break(proof->result, VERIFY_MALFORMED, proof->tree.size,
                             "the bundle is malformed: %s", what);
}

/* ---- parts of lines -------------------------------------------------------------------------- */

/* Lower-case hexadecimal of exactly so many bytes: one spelling each. */
static bool read_hex(const char *text, uint8_t out[DIGEST_BYTES])
{
    char again[2 * DIGEST_BYTES + 1];
    size_t length = 0;
    if (!text || strlen(text) != sizeof again - 1
        || sodium_hex2bin(out, DIGEST_BYTES, text, sizeof again - 1, NULL, &length, NULL) != 0
        || length != DIGEST_BYTES) {
        return false;
    }
    sodium_bin2hex(again, sizeof again, out, DIGEST_BYTES);
    return memcmp(again, text, sizeof again) == 0;
}

static bool read_body(const char *text, uint8_t out[RECORD_BODY_BYTES_MAX], size_t *length)
{
    return text
           && sodium_base642bin(out, RECORD_BODY_BYTES_MAX, text, strlen(text), NULL, length, NULL,
                                sodium_base64_VARIANT_ORIGINAL)
                  == 0;
}

/* False: not an array of at most `most` digests. */
static bool read_digests(const json_t *array, size_t most, struct digest *out, size_t *count)
{
    *count = json_array_size(array);
    if (!json_is_array(array) || *count > most) {
        return false;
    }
    for (size_t i = 0; i < *count; i++) {
        if (!read_hex(json_string_value(json_array_get(array, i)), out[i].bytes)) {
            return false;
        }
    }
    return true;
}

/* ---- the head -------------------------------------------------------------------------------- */

static enum verify_break take_head(struct proof *proof, json_t *line)
{
    int version = 0;
    json_int_t tenant = -1;
    const char *chain_id = NULL;
    const char *name = NULL;
    uint8_t key[CHECKPOINT_KEY_BYTES];
    if (json_unpack(line, "{s:i, s:s, s:I, s:s!}", "ward_proof", &version, "chain_id", &chain_id,
                    "tenant_id", &tenant, "tenant", &name)
            != 0
        || version != 1 || tenant < 0 || tenant > LIMIT_TENANTS || !read_hex(chain_id, key)
        || strlen(name) >= sizeof proof->name) {
        return malformed(proof, "its first line is no head of a proof of version 1");
    }
    if (memcmp(key, proof->public_key, sizeof key) != 0) {
        return verify_walk_break(proof->result, VERIFY_REWRITE, 0,
                                 "the bundle is of another chain than the public key");
    }
    memcpy(proof->name, name, strlen(name));
    proof->summary->tenant.value = (uint32_t)tenant;
    proof->stage = STAGE_BEFORE;
    return VERIFY_INTACT;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

/* The tenant's tree, as it is in `proof`, is in the tree of tenants that the checkpoint signs. */
static bool path_proves(const struct proof *proof, const struct checkpoint_outline *checkpoint,
                        const struct digest *path, size_t path_count)
{
    const struct tenant_id tenant = proof->summary->tenant;
    if (tenant.value >= checkpoint->tenants_size) { /* it had no records yet */
        return proof->tree.size == 0 && path_count == 0;
    }
    return merkle_path_proves(chain_tenant_leaf(tenant, &proof->tree), tenant.value,
                              checkpoint->tenants_size, path, path_count, checkpoint->tenants_root);
}

static enum verify_break check_signature(struct proof *proof, const char *text,
                                         struct checkpoint_outline *out)
{
    uint8_t outline[RECORD_BODY_BYTES_MAX];
    size_t length = 0;
    struct failure failure = {""};
    if (!read_body(text, outline, &length) || length != CHECKPOINT_OUTLINE_BYTES) {
        return malformed(proof, "a checkpoint is no outline in base64");
    }
    if (checkpoint_check_outline(outline, proof->public_key, out, &failure) != STATUS_OK) {
        return verify_walk_break(proof->result, VERIFY_REWRITE, proof->tree.size, "%s",
                                 failure.text);
    }
    proof->result->checkpoints++;
    return VERIFY_INTACT;
}

static bool read_peaks(const json_t *peaks, json_int_t size, struct merkle *out)
{
    size_t count = 0;
    if (size < 0 || size >= (json_int_t)1 << SIZE_MAX_BITS) {
        return false;
    }
    out->size = (uint64_t)size;
    return read_digests(peaks, MERKLE_PEAKS_MAX, out->peaks, &count)
           && count == merkle_peak_count(out->size);
}

static enum verify_break take_before(struct proof *proof, const json_t *line)
{
    json_t *const value = json_object_get(line, "before");
    const char *text = NULL;
    json_int_t size = -1;
    json_t *peaks = NULL;
    json_t *path_json = NULL;
    struct digest path[MERKLE_PATH_MAX];
    size_t path_count = 0;
    if (json_object_size(line) != 1 || !value) {
        return malformed(proof, "its second line is no checkpoint before");
    }
    proof->stage = STAGE_RECORDS;
    if (json_is_null(value)) {
        return VERIFY_INTACT;
    }
    if (json_unpack(value, "{s:s, s:I, s:o, s:o!}", "checkpoint", &text, "size", &size, "path",
                    &path_json, "peaks", &peaks)
            != 0
        || !read_peaks(peaks, size, &proof->tree)
        || !read_digests(path_json, MERKLE_PATH_MAX, path, &path_count)) {
        return malformed(proof, "its second line is no checkpoint before");
    }
    struct checkpoint_outline before = {0};
    const enum verify_break kind = check_signature(proof, text, &before);
    if (kind != VERIFY_INTACT) {
        return kind;
    }
    if (!path_proves(proof, &before, path, path_count)) {
        return verify_walk_break(proof->result, VERIFY_REWRITE, proof->tree.size,
                                 "the first checkpoint signs another tree than the bundle has");
    }
    proof->time_unix_ms = before.time_unix_ms;
    proof->summary->from_unix_ms = before.time_unix_ms;
    proof->summary->first_number = proof->tree.size + 1;
    return VERIFY_INTACT;
}

static enum verify_break count_break(struct proof *proof, uint64_t size)
{
    if (size < proof->tree.size) {
        return verify_walk_break(proof->result, VERIFY_INSERTION, size + 1,
                                 "there are records up to %" PRIu64 ", but only %" PRIu64
                                 " were made",
                                 proof->tree.size, size);
    }
    return verify_walk_break(proof->result, VERIFY_DELETION, proof->tree.size + 1,
                             "the records %" PRIu64 " to %" PRIu64 " are missing",
                             proof->tree.size + 1, size);
}

static enum verify_break take_after(struct proof *proof, json_t *value)
{
    const char *text = NULL;
    json_int_t size = -1;
    json_t *path_json = NULL;
    struct digest path[MERKLE_PATH_MAX];
    size_t path_count = 0;
    if (json_unpack(value, "{s:s, s:I, s:o!}", "checkpoint", &text, "size", &size, "path",
                    &path_json)
            != 0
        || size < 0 || !read_digests(path_json, MERKLE_PATH_MAX, path, &path_count)) {
        return malformed(proof, "its last line is no checkpoint after");
    }
    struct checkpoint_outline after = {0};
    const enum verify_break kind = check_signature(proof, text, &after);
    if (kind != VERIFY_INTACT) {
        return kind;
    }
    if ((uint64_t)size != proof->tree.size) {
        return count_break(proof, (uint64_t)size);
    }
    if (!path_proves(proof, &after, path, path_count)) {
        return verify_walk_break(proof->result, VERIFY_REWRITE, proof->tree.size,
                                 "the last checkpoint signs other records than the bundle has");
    }
    if (after.time_unix_ms < proof->time_unix_ms) {
        return verify_walk_break(proof->result, VERIFY_SWAP, proof->tree.size,
                                 "the last checkpoint is older than what comes before it");
    }
    proof->summary->to_unix_ms = after.time_unix_ms;
    proof->summary->last_number = proof->tree.size;
    proof->result->last_signed = proof->tree.size;
    proof->stage = STAGE_END;
    return VERIFY_INTACT;
}

/* ---- records --------------------------------------------------------------------------------- */

static void append_leaf(struct proof *proof, enum frame_kind kind, const uint8_t *body,
                        size_t length)
{
    const struct frame frame = {.kind = kind, .body = body, .body_bytes = length};
    merkle_append(&proof->tree, frame_leaf(&frame));
    proof->result->records++;
}

static enum verify_break take_erased(struct proof *proof, const json_t *value)
{
    struct digest leaf;
    if (!read_hex(json_string_value(value), leaf.bytes)) {
        return malformed(proof, "an erased record is no leaf hash");
    }
    append_leaf(proof, FRAME_ERASED, leaf.bytes, sizeof leaf.bytes);
    proof->summary->erased++;
    proof->result->erased++;
    return VERIFY_INTACT;
}

static enum verify_break take_record(struct proof *proof, const json_t *value)
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    size_t length = 0;
    struct record record;
    const uint64_t due = proof->tree.size + 1;
    if (!read_body(json_string_value(value), body, &length)
        || record_parse(body, length, &record) != STATUS_OK) {
        return malformed(proof, "a line is no record");
    }
    if (!tenant_same(record.tenant, proof->summary->tenant)) {
        return verify_walk_break(proof->result, VERIFY_INSERTION, due,
                                 "record %" PRIu64 " is another tenant's", due);
    }
    if (record.number != due) {
        return record.number > due
                   ? verify_walk_break(proof->result, VERIFY_DELETION, due,
                                       "the records %" PRIu64 " to %" PRIu64 " are missing", due,
                                       record.number - 1)
                   : verify_walk_break(proof->result, VERIFY_INSERTION, record.number,
                                       "record %" PRIu64 " lies behind record %" PRIu64,
                                       record.number, due - 1);
    }
    if (record.time_unix_ms < proof->time_unix_ms) {
        return verify_walk_break(proof->result, VERIFY_REWRITE, due,
                                 "record %" PRIu64 " is older than what comes before it", due);
    }
    proof->time_unix_ms = record.time_unix_ms;
    memcpy(proof->summary->tenant_name, record.tenant_name, sizeof record.tenant_name);
    append_leaf(proof, FRAME_RECORD, body, length);
    return VERIFY_INTACT;
}

static enum verify_break take_between(struct proof *proof, const json_t *line)
{
    if (json_object_size(line) != 1) {
        return malformed(proof, "a line has not one field");
    }
    if (proof->tree.size + 1 >= (uint64_t)1 << SIZE_MAX_BITS) {
        return malformed(proof, "it has too many records");
    }
    json_t *value = json_object_get(line, "record");
    if (value) {
        return take_record(proof, value);
    }
    value = json_object_get(line, "erased");
    if (value) {
        return take_erased(proof, value);
    }
    value = json_object_get(line, "after");
    return value ? take_after(proof, value) : malformed(proof, "a line is of no known kind");
}

/* ---- lines ----------------------------------------------------------------------------------- */

static enum verify_break take_line(struct proof *proof, const char *text, size_t length)
{
    json_t *line =
        length <= LINE_BYTES_MAX ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    enum verify_break kind;
    if (!json_is_object(line)) {
        json_decref(line);
        return malformed(proof, "a line is no JSON object");
    }
    switch (proof->stage) {
    case STAGE_HEAD:
        kind = take_head(proof, line);
        break;
    case STAGE_BEFORE:
        kind = take_before(proof, line);
        break;
    case STAGE_RECORDS:
        kind = take_between(proof, line);
        break;
    case STAGE_END:
    default:
        kind = malformed(proof, "there are lines behind the last checkpoint");
    }
    json_decref(line);
    return kind;
}

enum status proof_verify(const char *bytes, size_t length,
                         const uint8_t public_key[CHECKPOINT_KEY_BYTES],
                         struct proof_summary *summary, struct verify_result *result,
                         struct failure *failure)
{
    struct proof proof = {.public_key = public_key, .summary = summary, .result = result};
    *summary = (struct proof_summary){.first_number = 1};
    *result = (struct verify_result){.kind = VERIFY_INTACT, .bytes = length};
    if (length == 0) {
        return fail(failure, STATUS_INVALID, "the bundle is empty");
    }
    for (size_t at = 0; at < length && result->kind == VERIFY_INTACT;) {
        const char *end = memchr(bytes + at, '\n', length - at);
        const size_t line_bytes = end ? (size_t)(end - (bytes + at)) : length - at;
        (void)!take_line(&proof, bytes + at, line_bytes);
        at += line_bytes + 1;
    }
    if (result->kind == VERIFY_INTACT && proof.stage != STAGE_END) {
        verify_walk_break(result, VERIFY_TRUNCATION, proof.tree.size,
                          "the bundle ends before its last checkpoint");
    }
    if (result->kind == VERIFY_INTACT && strcmp(proof.name, summary->tenant_name) != 0) {
        verify_walk_break(result, VERIFY_REWRITE, proof.tree.size,
                          "the head names another tenant than the records");
    }
    return STATUS_OK;
}
