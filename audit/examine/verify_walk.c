/* One rule decides what is trusted: hashes and checksums anybody can compute, so they only say that
 * frames belong together; that it is the right log is said by a signature, a MAC, chain.state or a
 * copied checkpoint. */
#include "audit/examine/verify_walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

/* More epochs than this between two records are no log of ours: one begins about once a second
 * and each has a checkpoint. It bounds what bringing a key forward may cost. */
enum { EPOCHS_SKIPPED_MAX = 1 << 20 };

/* Checkpoints are 1,000 records apart, and a few that the writer itself has to say. */
enum { UNSIGNED_MAX = 2000 };

static const char *const names[VERIFY_BREAK_COUNT] = {
    [VERIFY_INTACT] = "intact",         [VERIFY_BIT_FLIP] = "bit_flip",
    [VERIFY_TRUNCATION] = "truncation", [VERIFY_DELETION] = "deletion",
    [VERIFY_INSERTION] = "insertion",   [VERIFY_SWAP] = "swap",
    [VERIFY_REPLAY] = "replay",         [VERIFY_REWRITE] = "rewrite",
    [VERIFY_TRIMMED] = "trimmed",       [VERIFY_DIFFERENCE] = "difference",
    [VERIFY_MALFORMED] = "malformed",
};

const char *verify_break_name(enum verify_break kind)
{
    return (unsigned)kind < VERIFY_BREAK_COUNT ? names[kind] : "unknown";
}

enum verify_break verify_walk_break(struct verify_result *result, enum verify_break kind,
                                    uint64_t sequence, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->text, sizeof result->text, format, arguments);
    va_end(arguments);
    result->kind = kind;
    result->sequence = sequence;
    return kind;
}

/* ---- opening --------------------------------------------------------------------------------- */

static enum status read_officer_key(struct verify_walk *walk, const char *directory,
                                    struct failure *failure)
{
    uint8_t key[DIGEST_BYTES];
    if (walk->options->officer_key) {
        memcpy(key, walk->options->officer_key, sizeof key);
    } else if (directory && directory_has_officer_key(directory)) {
        char path[DIRECTORY_PATH_BYTES];
        enum status status = directory_path(directory, NULL, "officer.key", path, failure);
        if (status == STATUS_OK) {
            status = directory_read_key_file(path, key, failure);
        }
        if (status != STATUS_OK) {
            return status;
        }
    } else {
        return STATUS_OK;
    }
    chain_set_key(walk->chain, key);
    sodium_memzero(key, sizeof key);
    return STATUS_OK;
}

static enum status read_state(struct verify_walk *walk, const char *directory,
                              struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    enum status status = directory_path(directory, NULL, "chain.state", path, failure);
    if (status != STATUS_OK) {
        return status;
    }
    status = chain_state_read(path, &walk->state, failure);
    walk->has_state = status == STATUS_OK;
    return status == STATUS_NOT_FOUND || status == STATUS_INVALID ? STATUS_OK : status;
}

enum status verify_walk_open(struct verify_walk *walk, const char *directory,
                             const struct verify_options *options, struct verify_result *result,
                             struct failure *failure)
{
    enum status status = STATUS_OK;
    *walk = (struct verify_walk){.options = options, .result = result};
    *result = (struct verify_result){.kind = VERIFY_INTACT};
    if (options->public_key) {
        memcpy(walk->public_key, options->public_key, sizeof walk->public_key);
    } else {
        status = directory_read_public_key(directory, walk->public_key, failure);
    }
    if (status == STATUS_OK && options->checkpoint) {
        status = checkpoint_check(options->checkpoint, options->checkpoint_bytes, walk->public_key,
                                  &walk->copy, failure);
        walk->has_copy = status == STATUS_OK;
    }
    if (status == STATUS_OK && directory) {
        status = read_state(walk, directory, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    walk->chain = chain_create();
    if (!walk->chain) {
        return fail(failure, STATUS_IO, "no memory to follow the chain, or it cannot be locked");
    }
    return read_officer_key(walk, directory, failure);
}

void verify_walk_close(struct verify_walk *walk)
{
    chain_destroy(walk->chain);
    walk->chain = NULL;
    verify_erased_free(&walk->erased);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static enum verify_break misplaced(struct verify_walk *walk, const struct frame *frame)
{
    const uint64_t expected = walk->chain->sequence + 1;
    if (frame->sequence < expected) {
        return verify_walk_break(walk->result, VERIFY_INSERTION, frame->sequence,
                                 "record %" PRIu64 " lies behind record %" PRIu64
                                 ": a record too many",
                                 frame->sequence, expected - 1);
    }
    return verify_walk_break(walk->result, VERIFY_DELETION, expected,
                             "records %" PRIu64 " to %" PRIu64 " are missing", expected,
                             frame->sequence - 1);
}

static bool signs_chain(const struct verify_walk *walk, const struct checkpoint *checkpoint)
{
    struct chain *chain = walk->chain;
    return walk->is_blind ? checkpoint->sequence == chain->sequence + 1
                                && digest_same(checkpoint->head, chain->head)
                          : checkpoint_fits(checkpoint, chain);
}

/* Before the chain takes the checkpoint's own record in. */
static enum verify_break take_checkpoint(struct verify_walk *walk, const struct frame *frame)
{
    struct checkpoint checkpoint;
    struct failure failure = {""};
    if (checkpoint_check(frame->body, frame->body_bytes, walk->public_key, &checkpoint, &failure)
        != STATUS_OK) {
        return verify_walk_break(walk->result, VERIFY_REWRITE, frame->sequence,
                                 "checkpoint in record %" PRIu64 ": %.200s", frame->sequence,
                                 failure.text);
    }
    if (!signs_chain(walk, &checkpoint)) {
        return verify_walk_break(walk->result, VERIFY_REWRITE, frame->sequence,
                                 "checkpoint in record %" PRIu64
                                 " signs other records than those that lie before it",
                                 frame->sequence);
    }
    walk->result->checkpoints++;
    walk->result->last_signed = frame->sequence;
    walk->signed_last = frame->sequence;
    verify_erased_sign(&walk->erased);
    return VERIFY_INTACT;
}

static enum verify_break compare_copy(struct verify_walk *walk, const struct frame *frame)
{
    const struct verify_options *options = walk->options;
    if (!walk->has_copy || frame->sequence != walk->copy.sequence) {
        return VERIFY_INTACT;
    }
    const bool is_same = frame->kind != FRAME_RECORD
                         || (frame->body_bytes == options->checkpoint_bytes
                             && memcmp(frame->body, options->checkpoint, frame->body_bytes) == 0);
    if (is_same && signs_chain(walk, &walk->copy)) {
        return VERIFY_INTACT;
    }
    return verify_walk_break(walk->result, VERIFY_REWRITE, frame->sequence,
                             "the checkpoint that was copied signs other records than those up to"
                             " %" PRIu64,
                             frame->sequence - 1);
}

static enum verify_break name_chain_break(struct verify_walk *walk, const struct frame *frame,
                                          enum chain_break found)
{
    struct record record;
    const uint64_t sequence = frame->sequence;
    if (found == CHAIN_BAD_MAC) {
        return verify_walk_break(walk->result, VERIFY_REWRITE, sequence,
                                 "record %" PRIu64 ": its MAC is not that of epoch %" PRIu64,
                                 sequence, frame->epoch);
    }
    if (found == CHAIN_BAD_RECORD && frame->kind == FRAME_RECORD
        && record_parse(frame->body, frame->body_bytes, &record) != STATUS_OK) {
        return verify_walk_break(walk->result, VERIFY_MALFORMED, sequence,
                                 "record %" PRIu64 ": its body is no record", sequence);
    }
    return verify_walk_break(walk->result, VERIFY_REWRITE, sequence,
                             "record %" PRIu64 ": its tenant, number, time or epoch does not follow"
                             " the records before it",
                             sequence);
}

void verify_walk_begin_blind(struct verify_walk *walk, const struct frame *first)
{
    struct chain *chain = walk->chain;
    walk->is_blind = true;
    chain_forget_key(chain);
    chain->sequence = first->sequence - 1;
    chain->head = first->previous;
    chain->epoch = first->epoch;
    chain->record_epoch = first->epoch;
}

static enum chain_break follow_blindly(struct chain *chain, const struct frame *frame,
                                       struct record *record)
{
    if (frame->kind == FRAME_RECORD
        && (record_parse(frame->body, frame->body_bytes, record) != STATUS_OK
            || !tenant_same(record->tenant, frame->tenant)
            || record->time_unix_ms < chain->time_unix_ms)) {
        return CHAIN_BAD_RECORD;
    }
    chain->time_unix_ms = frame->kind == FRAME_RECORD ? record->time_unix_ms : chain->time_unix_ms;
    chain->sequence = frame->sequence;
    chain->epoch = frame->epoch;
    chain->record_epoch = frame->epoch;
    chain->head = frame_hash(frame);
    return CHAIN_INTACT;
}

static void account(struct verify_walk *walk, const struct frame *frame,
                    const struct record *record)
{
    struct verify_result *result = walk->result;
    result->records++;
    result->macs_checked += walk->chain->has_key;
    if (frame->kind == FRAME_ERASED) {
        result->erased++;
        verify_erased_take(&walk->erased, frame->sequence);
        if (frame->tenant.value == 0) { /* it may have been a checkpoint */
            walk->signed_last = frame->sequence;
        }
    } else if (record->event == RECORD_EVENT_AUDIT_RETENTION) {
        verify_erased_tell(&walk->erased, record);
    }
}

static bool is_checkpoint(const struct frame *frame)
{
    struct record record;
    return frame->kind == FRAME_RECORD && frame->tenant.value == 0
           && record_parse(frame->body, frame->body_bytes, &record) == STATUS_OK
           && record.event == RECORD_EVENT_CHAIN_CHECKPOINT;
}

static enum verify_break check_links(struct verify_walk *walk, const struct frame *frame)
{
    const struct chain *chain = walk->chain;
    const uint64_t sequence = frame->sequence;
    if (sequence != chain->sequence + 1) {
        return misplaced(walk, frame);
    }
    if (!digest_same(frame->previous, chain->head)) {
        return verify_walk_break(walk->result, VERIFY_REWRITE, sequence > 1 ? sequence - 1 : 1,
                                 "record %" PRIu64 " carries another hash than that of the record"
                                 " before it: one of the two was changed",
                                 sequence);
    }
    if (frame->epoch < chain->epoch || frame->epoch - chain->epoch > EPOCHS_SKIPPED_MAX) {
        return verify_walk_break(walk->result, VERIFY_REWRITE, sequence,
                                 "record %" PRIu64 ": epoch %" PRIu64 " does not follow %" PRIu64,
                                 sequence, frame->epoch, chain->epoch);
    }
    return VERIFY_INTACT;
}

enum verify_break verify_walk_take(struct verify_walk *walk, const struct frame *frame)
{
    struct record record;
    enum verify_break kind = check_links(walk, frame);
    if (kind == VERIFY_INTACT) {
        kind = compare_copy(walk, frame);
    }
    const bool has_checkpoint = kind == VERIFY_INTACT && is_checkpoint(frame);
    if (has_checkpoint) {
        kind = take_checkpoint(walk, frame);
    }
    if (kind != VERIFY_INTACT) {
        return kind;
    }
    record.event = (enum record_event)0; /* of an erased one it stays unknown */
    const enum chain_break found = walk->is_blind ? follow_blindly(walk->chain, frame, &record)
                                                  : chain_follow(walk->chain, frame, &record);
    if (found != CHAIN_INTACT) {
        return name_chain_break(walk, frame, found);
    }
    account(walk, frame, &record);
    if (frame->sequence - walk->signed_last > UNSIGNED_MAX) {
        return verify_walk_break(walk->result, VERIFY_REWRITE, walk->signed_last + 1,
                                 "no checkpoint signs the records from %" PRIu64 " to %" PRIu64,
                                 walk->signed_last + 1, frame->sequence);
    }
    if (walk->has_state && frame->sequence == walk->state.sequence
        && !digest_same(walk->chain->head, walk->state.head)) {
        return verify_walk_break(walk->result, VERIFY_REWRITE, frame->sequence,
                                 "record %" PRIu64 " is not the one that chain.state tells of",
                                 frame->sequence);
    }
    return VERIFY_INTACT;
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static enum verify_break begin_at(struct verify_walk *walk, const struct frame *snapshot)
{
    if (chain_read_snapshot(walk->chain, snapshot) != STATUS_OK) {
        return verify_walk_break(walk->result, VERIFY_MALFORMED, snapshot->sequence,
                                 "the snapshot of the first segment is none");
    }
    walk->result->first_sequence = walk->chain->sequence + 1;
    walk->signed_last = walk->chain->sequence;
    verify_erased_begin(&walk->erased, walk->chain->sequence + 1);
    return VERIFY_INTACT;
}

enum verify_break verify_walk_snapshot(struct verify_walk *walk, const struct frame *snapshot,
                                       bool is_first)
{
    const struct chain *chain = walk->chain;
    const uint64_t sequence = snapshot->sequence;
    if (is_first) {
        return begin_at(walk, snapshot);
    }
    if (sequence < chain->sequence) {
        return verify_walk_break(walk->result, VERIFY_REPLAY, sequence + 1,
                                 "a segment begins with record %" PRIu64 ", which was there before",
                                 sequence + 1);
    }
    if (sequence > chain->sequence) {
        return verify_walk_break(walk->result, VERIFY_DELETION, chain->sequence + 1,
                                 "records %" PRIu64 " to %" PRIu64 " are missing",
                                 chain->sequence + 1, sequence);
    }
    if (!chain_is_at_snapshot(chain, snapshot)) {
        return verify_walk_break(walk->result, VERIFY_REWRITE, sequence,
                                 "the snapshot after record %" PRIu64
                                 " says something else than the records before it",
                                 sequence);
    }
    verify_erased_begin(&walk->erased, sequence + 1);
    return VERIFY_INTACT;
}

/* ---- the end --------------------------------------------------------------------------------- */

enum verify_break verify_walk_end(struct verify_walk *walk)
{
    struct verify_result *result = walk->result;
    const uint64_t sequence = walk->chain->sequence;
    if (walk->has_copy && walk->copy.sequence > sequence) {
        return verify_walk_break(result, VERIFY_TRUNCATION, sequence + 1,
                                 "the log ends with record %" PRIu64
                                 ", but the checkpoint that was copied is record %" PRIu64,
                                 sequence, walk->copy.sequence);
    }
    return verify_erased_end(&walk->erased, result);
}
