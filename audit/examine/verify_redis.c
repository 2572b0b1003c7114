/* The stream of a chain, entry by entry: each is compared with the spool if there is one, follows
 * the chain, and is in its tenant's view. Where an entry is missing, the spool must have it as an
 * erased one, which is followed instead; without a spool nobody can tell, and it is a gap. A copy
 * whose beginning retention took, and which has no spool beside it, has no trees to begin with:
 * then links and signatures are all that is checked. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "audit/examine/verify.h"
#include "audit/examine/verify_walk.h"
#include "audit/redis/redis_reader.h"

enum { SHIPPED_DIGITS = 20 };

struct copy_walk {
    struct verify_walk walk;
    const char *directory;
    struct redis_reader *redis;
    struct spool_reader *spool; /* NULL: nothing to compare with */
    struct frame original;      /* the spool's next record */
    bool has_original, has_begun;
    uint64_t shipped; /* what Redis has acknowledged, as the spool's directory tells */
};

/* ---- the spool ------------------------------------------------------------------------------- */

static uint64_t read_shipped(const char *directory)
{
    struct buffer text = {.limit_bytes = 256};
    struct failure ignored;
    char path[DIRECTORY_PATH_BYTES];
    uint64_t shipped = 0;
    if (directory_path(directory, NULL, "shipped", path, &ignored) == STATUS_OK
        && buffer_read_file(&text, path) == STATUS_OK && text.length >= SHIPPED_DIGITS) {
        shipped = strtoull(text.bytes, NULL, 10);
    }
    buffer_destroy(&text);
    return shipped;
}

/* Brings `original` to that sequence or the first one behind it. */
static enum status advance_spool(struct copy_walk *copy, uint64_t sequence, struct failure *failure)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK
           && (!copy->has_original || copy->original.kind == FRAME_SNAPSHOT
               || copy->original.sequence < sequence)) {
        struct spool_place place;
        status = spool_reader_next(copy->spool, &copy->original, &place, failure);
        copy->has_original = status == STATUS_OK;
    }
    return status;
}

static enum verify_break differs(struct copy_walk *copy, uint64_t sequence, const char *what)
{
    return verify_walk_break(copy->walk.result, VERIFY_DIFFERENCE, sequence,
                             "Redis holds at record %" PRIu64 " %s", sequence, what);
}

/* A body that the spool has erased meanwhile may still be whole in Redis, or the other way. */
static bool is_same(const struct frame *a, const struct frame *b)
{
    return a->sequence == b->sequence && a->epoch == b->epoch && tenant_same(a->tenant, b->tenant)
           && digest_same(a->previous, b->previous) && digest_same(a->mac, b->mac)
           && digest_same(frame_leaf(a), frame_leaf(b));
}

static enum status compare(struct copy_walk *copy, const struct frame *frame,
                           struct failure *failure)
{
    if (!copy->spool) {
        return STATUS_OK;
    }
    const enum status status = advance_spool(copy, frame->sequence, failure);
    if (status == STATUS_NOT_FOUND) {
        (void)differs(copy, frame->sequence, "a record that the spool has not");
        return STATUS_OK;
    }
    if (status == STATUS_OK && copy->original.sequence == frame->sequence
        && !is_same(frame, &copy->original)) {
        (void)differs(copy, frame->sequence, "another record than the spool");
    }
    return status;
}

/* ---- the beginning --------------------------------------------------------------------------- */

/* The chain as the spool begins. STATUS_NOT_FOUND: it begins behind that record. */
static enum status begin_with_spool(struct copy_walk *copy, uint64_t sequence,
                                    struct failure *failure)
{
    struct spool_reader *reader = NULL;
    struct spool_place place;
    struct frame frame;
    enum status status = spool_reader_open(copy->directory, 0, &reader, failure);
    if (status == STATUS_OK) {
        status = spool_reader_next(reader, &frame, &place, failure);
    }
    if (status == STATUS_OK && frame.kind != FRAME_SNAPSHOT) {
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK && frame.sequence >= sequence) {
        status = STATUS_NOT_FOUND;
    }
    if (status == STATUS_OK && verify_walk_snapshot(&copy->walk, &frame, true) != VERIFY_INTACT) {
        status = STATUS_INVALID;
    }
    spool_reader_close(reader);
    return status == STATUS_OK || status == STATUS_NOT_FOUND
               ? status
               : fail(failure, status, "%.200s: the spool is damaged: verify it alone first",
                      copy->directory);
}

static enum status begin(struct copy_walk *copy, const struct frame *frame, struct failure *failure)
{
    copy->has_begun = true;
    copy->walk.result->first_sequence = frame->sequence;
    copy->walk.signed_last = frame->sequence - 1;
    verify_erased_begin(&copy->walk.erased, frame->sequence);
    if (frame->sequence == 1) {
        return STATUS_OK;
    }
    const enum status status =
        copy->directory ? begin_with_spool(copy, frame->sequence, failure) : STATUS_NOT_FOUND;
    if (status == STATUS_NOT_FOUND) {
        verify_walk_begin_blind(&copy->walk, frame);
        return STATUS_OK;
    }
    return status;
}

/* ---- gaps ------------------------------------------------------------------------------------ */

/* The spool as it is now: what was read of it may be older than what was deleted since. */
static bool is_erased_now(struct copy_walk *copy, uint64_t sequence)
{
    struct spool_reader *reader = NULL;
    struct spool_place place;
    struct frame frame = {.sequence = 0};
    enum status status = copy->directory && copy->walk.result->is_live
                             ? spool_reader_open(copy->directory, sequence, &reader, NULL)
                             : STATUS_NOT_FOUND;
    while (status == STATUS_OK && (frame.kind == FRAME_SNAPSHOT || frame.sequence < sequence)) {
        status = spool_reader_next(reader, &frame, &place, NULL);
    }
    const bool is_erased =
        status == STATUS_OK && (frame.kind == FRAME_ERASED || frame.sequence > sequence);
    spool_reader_close(reader);
    return is_erased;
}

static bool is_erased(struct copy_walk *copy, uint64_t sequence)
{
    return (copy->has_original && copy->original.sequence == sequence
            && copy->original.kind == FRAME_ERASED)
           || is_erased_now(copy, sequence);
}

/* Follows what the spool has at the place of one that Redis has not. */
static enum status take_missing(struct copy_walk *copy, uint64_t missing, struct failure *failure)
{
    const enum status status = advance_spool(copy, missing, failure);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return status;
    }
    if (status == STATUS_OK && copy->original.sequence == missing && is_erased(copy, missing)) {
        (void)!verify_walk_take(&copy->walk, &copy->original);
        return STATUS_OK;
    }
    verify_walk_break(copy->walk.result, VERIFY_TRIMMED, missing,
                      "record %" PRIu64 " is missing, and the spool has not erased it", missing);
    return STATUS_OK;
}

/* What the spool no longer has is being trimmed: the copy begins behind it. */
static bool is_before_spool(struct copy_walk *copy, uint64_t missing)
{
    return advance_spool(copy, missing, NULL) == STATUS_OK && copy->original.sequence > missing;
}

static enum status close_gap(struct copy_walk *copy, const struct frame *frame,
                             struct failure *failure)
{
    const struct verify_result *result = copy->walk.result;
    const struct chain *chain = copy->walk.chain;
    enum status status = STATUS_OK;
    if (copy->spool && chain->sequence + 1 < frame->sequence
        && is_before_spool(copy, chain->sequence + 1)) {
        status = begin(copy, frame, failure);
    }
    while (status == STATUS_OK && result->kind == VERIFY_INTACT && copy->spool
           && chain->sequence + 1 < frame->sequence) {
        status = take_missing(copy, chain->sequence + 1, failure);
    }
    return status;
}

/* ---- entries --------------------------------------------------------------------------------- */

static enum status check_view(struct copy_walk *copy, const struct frame *frame,
                              struct failure *failure)
{
    struct record record;
    const uint8_t *body = NULL;
    size_t length = 0;
    if (frame->kind != FRAME_RECORD || frame->tenant.value == 0
        || record_parse(frame->body, frame->body_bytes, &record) != STATUS_OK
        || record.tenant_name[0] == '@' || record.tenant_name[0] == '\0') {
        return STATUS_OK;
    }
    const enum status status = redis_reader_view(copy->redis, record.tenant_name, record.tenant,
                                                 record.number, &body, &length, failure);
    if (status == STATUS_NOT_FOUND && is_erased(copy, frame->sequence)) {
        return STATUS_OK;
    }
    if (status == STATUS_NOT_FOUND) {
        verify_walk_break(copy->walk.result, VERIFY_TRIMMED, frame->sequence,
                          "record %" PRIu64 " is missing in the view of %s", frame->sequence,
                          record.tenant_name);
        return STATUS_OK;
    }
    const bool holds_other =
        status == STATUS_INVALID
        || (status == STATUS_OK
            && (length != frame->body_bytes || memcmp(body, frame->body, length) != 0));
    if (holds_other) {
        verify_walk_break(copy->walk.result, VERIFY_DIFFERENCE, frame->sequence,
                          "the view of %s holds something else than record %" PRIu64,
                          record.tenant_name, frame->sequence);
        return STATUS_OK;
    }
    return status;
}

static enum status take_entry(struct copy_walk *copy, const struct frame *frame,
                              struct failure *failure)
{
    struct verify_result *result = copy->walk.result;
    enum status status = copy->has_begun ? STATUS_OK : begin(copy, frame, failure);
    if (status == STATUS_OK) {
        status = close_gap(copy, frame, failure);
    }
    if (status == STATUS_OK && result->kind == VERIFY_INTACT) {
        status = compare(copy, frame, failure);
    }
    if (status != STATUS_OK || result->kind != VERIFY_INTACT) {
        return status;
    }
    result->bytes += FRAME_HEADER_BYTES + frame->body_bytes;
    const uint64_t missing = copy->walk.chain->sequence + 1;
    if (verify_walk_take(&copy->walk, frame) == VERIFY_DELETION) {
        verify_walk_break(result, VERIFY_TRIMMED, missing,
                          "records %" PRIu64 " to %" PRIu64
                          " are missing; whether retention took them only the spool can tell",
                          missing, frame->sequence - 1);
    }
    return result->kind == VERIFY_INTACT ? check_view(copy, frame, failure) : STATUS_OK;
}

/* STATUS_NOT_FOUND: the end. */
static enum status take_next(struct copy_walk *copy, struct failure *failure)
{
    struct frame frame;
    uint64_t sequence = 0;
    const enum status status = redis_reader_next(copy->redis, &frame, &sequence, failure);
    if (status == STATUS_INVALID) {
        (void)differs(copy, sequence, "what is no frame, or one whose checksum is wrong");
        return STATUS_OK;
    }
    if (status == STATUS_OK && frame.sequence != sequence) {
        (void)differs(copy, sequence, "another record");
        return STATUS_OK;
    }
    return status == STATUS_OK ? take_entry(copy, &frame, failure) : status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum verify_break check_owner(struct copy_walk *copy)
{
    char hex[2 * CHECKPOINT_KEY_BYTES + 1];
    sodium_bin2hex(hex, sizeof hex, copy->walk.public_key, sizeof copy->walk.public_key);
    if (strcmp(hex, redis_reader_owner(copy->redis)) != 0) {
        return verify_walk_break(copy->walk.result, VERIFY_DIFFERENCE, 0,
                                 "Redis holds another server's log: see audit.redis_prefix");
    }
    return VERIFY_INTACT;
}

static void check_end(struct copy_walk *copy)
{
    struct verify_result *result = copy->walk.result;
    const uint64_t sequence = copy->walk.chain->sequence;
    if (copy->shipped > sequence) {
        verify_walk_break(result, VERIFY_TRIMMED, sequence + 1,
                          "Redis ends with record %" PRIu64 ", but had acknowledged %" PRIu64,
                          sequence, copy->shipped);
    } else if (verify_walk_end(&copy->walk) == VERIFY_DELETION) {
        result->kind = VERIFY_TRIMMED;
    }
    if (result->kind == VERIFY_INTACT) {
        verify_walk_break(result, VERIFY_INTACT, 0, "%s",
                          copy->walk.is_blind ? "trees and MACs were not checked: the beginning is"
                                                " gone, and no spool was given"
                                              : "");
    }
}

enum status verify_redis(const struct redis_terms *terms, const char *prefix, const char *directory,
                         const struct verify_options *options, struct verify_result *out,
                         struct failure *failure)
{
    struct copy_walk copy = {.directory = directory};
    if (!directory && !options->public_key) {
        *out = (struct verify_result){.kind = VERIFY_INTACT};
        return fail(failure, STATUS_INVALID,
                    "to verify Redis alone the public key is needed: --public-key");
    }
    enum status status = verify_walk_open(&copy.walk, directory, options, out, failure);
    if (status == STATUS_OK && directory) {
        out->is_live = directory_is_written(directory);
        copy.shipped = read_shipped(directory);
        status = spool_reader_open(directory, 0, &copy.spool, failure);
    }
    if (status == STATUS_OK) {
        status = redis_reader_open(terms, prefix, &copy.redis, failure);
    }
    const bool is_open = status == STATUS_OK;
    if (is_open) {
        (void)!check_owner(&copy);
    }
    while (status == STATUS_OK && out->kind == VERIFY_INTACT) {
        status = take_next(&copy, failure);
    }
    if (is_open && status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
        if (out->kind == VERIFY_INTACT) {
            check_end(&copy);
        }
    }
    redis_reader_close(copy.redis);
    spool_reader_close(copy.spool);
    verify_walk_close(&copy.walk);
    return status;
}
