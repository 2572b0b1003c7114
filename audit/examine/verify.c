/* One pass over the frames of a spool; what does not fit is named by verify_name.c. */
#include "audit/examine/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "audit/examine/verify_name.h"
#include "audit/examine/verify_walk.h"
#include "audit/spool/segment.h"

static const uint64_t PROGRESS_BYTES = UINT64_C(4) << 20;

struct spool_walk {
    struct verify_walk walk;
    const char *directory;
    struct spool_reader *reader;
    struct spool_place place;
    bool has_segment;
    uint64_t segment_begin; /* the last record before the current segment */
    uint64_t unproved;      /* a record behind chain.state's, of an epoch before its; 0: none */
    uint64_t bytes_total, bytes_told;
};

/* ---- naming ---------------------------------------------------------------------------------- */

static struct verify_scene scene_of(const struct spool_walk *spool)
{
    const struct verify_walk *walk = &spool->walk;
    return (struct verify_scene){
        .directory = spool->directory,
        .place = spool->place,
        .sequence = walk->chain->sequence,
        .segment_begin = spool->segment_begin,
        .head = walk->chain->head,
        .ends_signed = walk->signed_last == walk->chain->sequence,
        .was_told = walk->has_state && walk->state.sequence > walk->chain->sequence,
        .has_state = walk->has_state,
    };
}

/* ---- frames ---------------------------------------------------------------------------------- */

static enum verify_break take_segment(struct spool_walk *spool, const struct frame *frame)
{
    struct verify_walk *walk = &spool->walk;
    const bool is_first = !spool->has_segment;
    const uint64_t begin = walk->chain->sequence;
    if (frame->kind != FRAME_SNAPSHOT) {
        return verify_walk_break(walk->result, VERIFY_DELETION, frame->sequence,
                                 "the snapshot before record %" PRIu64 " is missing",
                                 frame->sequence);
    }
    const enum verify_break kind = verify_walk_snapshot(walk, frame, is_first);
    if (kind != VERIFY_INTACT) {
        return kind;
    }
    if (frame->sequence + 1 != spool->place.segment) {
        return verify_walk_break(walk->result, VERIFY_REPLAY, frame->sequence + 1,
                                 "the segment that begins with record %" PRIu64
                                 " has the name of another",
                                 frame->sequence + 1);
    }
    spool->has_segment = true;
    spool->segment_begin = is_first ? walk->chain->sequence : begin;
    return VERIFY_INTACT;
}

static enum verify_break take_frame(struct spool_walk *spool, const struct frame *frame)
{
    struct verify_walk *walk = &spool->walk;
    walk->result->bytes += FRAME_HEADER_BYTES + frame->body_bytes;
    if (spool->place.offset == 0) {
        return take_segment(spool, frame);
    }
    if (frame->kind == FRAME_SNAPSHOT) {
        return verify_walk_break(walk->result, VERIFY_INSERTION, frame->sequence,
                                 "a snapshot lies within a segment, after record %" PRIu64,
                                 walk->chain->sequence);
    }
    if (walk->has_state && frame->sequence > walk->state.sequence
        && frame->epoch < walk->state.epoch && spool->unproved == 0) {
        spool->unproved = frame->sequence;
    }
    return verify_walk_take(walk, frame);
}

static void tell_progress(struct spool_walk *spool, bool is_end)
{
    const struct verify_options *options = spool->walk.options;
    const uint64_t bytes = spool->walk.result->bytes;
    if (options->progress && (is_end || bytes - spool->bytes_told >= PROGRESS_BYTES)) {
        spool->bytes_told = bytes;
        options->progress(options->progress_context, bytes,
                          bytes > spool->bytes_total ? bytes : spool->bytes_total);
    }
}

/* STATUS_NOT_FOUND: the end was reached, and all before it fits. */
static enum status take_next(struct spool_walk *spool, struct failure *failure)
{
    struct verify_result *result = spool->walk.result;
    struct frame frame;
    enum status status = spool_reader_next(spool->reader, &frame, &spool->place, failure);
    result->place = spool->place;
    if (status == STATUS_INVALID) {
        const struct verify_scene scene = scene_of(spool);
        status = verify_name_bytes(&scene, result, failure);
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (take_frame(spool, &frame) != VERIFY_INTACT) {
        const struct verify_scene scene = scene_of(spool);
        return verify_name_frame(&scene, &frame, result, failure);
    }
    tell_progress(spool, false);
    return STATUS_OK;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Only what chain.state said before the first frame was read can be demanded of a live log. */
static enum status check_told(struct spool_walk *spool, struct failure *failure)
{
    const struct verify_walk *walk = &spool->walk;
    struct verify_result *result = walk->result;
    if (spool->reader && result->torn_bytes == 0 && spool_reader_tail_bytes(spool->reader) > 0) {
        const struct verify_scene scene = scene_of(spool);
        const enum status status = verify_name_bytes(&scene, result, failure);
        if (status != STATUS_OK || result->kind != VERIFY_INTACT) {
            return status;
        }
    }
    if (walk->has_state && walk->state.sequence > walk->chain->sequence) {
        verify_walk_break(result, VERIFY_TRUNCATION, walk->chain->sequence + 1,
                          "the log ends with record %" PRIu64
                          ", but chain.state tells that %" PRIu64 " were kept",
                          walk->chain->sequence, walk->state.sequence);
    }
    return STATUS_OK;
}

static bool has_signing_key(const char *directory)
{
    char path[DIRECTORY_PATH_BYTES];
    struct stat facts;
    return directory_path(directory, NULL, "signing.key", path, NULL) == STATUS_OK
           && stat(path, &facts) == 0;
}

/* When an epoch begins, chain.state says so, synced, before the first record of that epoch; and a
 * writer that starts takes back that the one before stopped in order. */
static enum status check_state_is_current(struct spool_walk *spool, struct failure *failure)
{
    const struct chain *chain = spool->walk.chain;
    struct chain_state state;
    char path[DIRECTORY_PATH_BYTES];
    enum status status = directory_path(spool->directory, NULL, "chain.state", path, failure);
    if (status == STATUS_OK) {
        status = chain_state_read(path, &state, failure);
    }
    if (status == STATUS_NOT_FOUND) { /* a copy for an officer holds no secrets */
        if (has_signing_key(spool->directory)) {
            verify_walk_break(spool->walk.result, VERIFY_DELETION, chain->sequence,
                              "chain.state is missing, which tells where the log ends");
        }
        return STATUS_OK;
    }
    if (status == STATUS_INVALID) {
        verify_walk_break(spool->walk.result, VERIFY_BIT_FLIP, chain->sequence,
                          "chain.state: its checksums are wrong");
        return STATUS_OK;
    }
    if (status == STATUS_OK
        && (state.epoch < chain->record_epoch
            || (state.is_clean && state.sequence < chain->sequence))) {
        verify_walk_break(spool->walk.result, VERIFY_REPLAY, state.sequence,
                          "chain.state is older than the log: it tells of record %" PRIu64
                          " in epoch %" PRIu64 ", the log ends with %" PRIu64 " in %" PRIu64,
                          state.sequence, state.epoch, chain->sequence, chain->record_epoch);
    }
    return status;
}

/* What chain.state tells of the end, and every segment's end, has a checkpoint before it. */
static enum verify_break check_proofs(struct spool_walk *spool)
{
    const struct verify_walk *walk = &spool->walk;
    struct verify_result *result = walk->result;
    if (spool->unproved > 0) {
        return verify_walk_break(result, VERIFY_REWRITE, spool->unproved,
                                 "record %" PRIu64
                                 " lies behind what chain.state tells, but is of an epoch before",
                                 spool->unproved);
    }
    if (result->records > 0 && result->checkpoints == 0
        && (!walk->has_state || walk->state.sequence > 0)) {
        return verify_walk_break(result, VERIFY_REWRITE, result->first_sequence,
                                 "no checkpoint signs any of the records");
    }
    return VERIFY_INTACT;
}

static void say_what_was_not_checked(struct spool_walk *spool)
{
    const struct verify_walk *walk = &spool->walk;
    struct verify_result *result = walk->result;
    const bool has_end = walk->has_state || (walk->has_copy && result->first_sequence > 0);
    const bool has_passed = walk->has_copy && walk->copy.sequence < result->first_sequence;
    verify_walk_break(result, VERIFY_INTACT, 0, "%s%s%s%s%s",
                      walk->chain->has_key ? "" : "MACs were not checked: no officer key",
                      walk->chain->has_key || has_end ? "" : "; ",
                      has_end ? "" : "the end was not checked: no chain.state, no checkpoint",
                      has_passed && !(walk->chain->has_key && has_end) ? "; " : "",
                      has_passed ? "the copied checkpoint was not compared: it is of records that "
                                   "retention removed; give a later one"
                                 : "");
}

static enum status check_end(struct spool_walk *spool, struct failure *failure)
{
    struct verify_result *result = spool->walk.result;
    enum status status = check_told(spool, failure);
    result->is_live |= directory_is_written(spool->directory);
    if (status == STATUS_OK && result->kind == VERIFY_INTACT) {
        (void)!verify_walk_end(&spool->walk);
    }
    if (status == STATUS_OK && result->kind == VERIFY_INTACT && !result->is_live) {
        status = check_state_is_current(spool, failure);
    }
    if (status == STATUS_OK && result->kind == VERIFY_INTACT
        && check_proofs(spool) == VERIFY_INTACT) {
        tell_progress(spool, true);
        say_what_was_not_checked(spool);
    }
    return status;
}

static uint64_t bytes_of_all(const char *directory, struct failure *failure)
{
    uint64_t *segments = NULL;
    size_t count = 0;
    uint64_t bytes = 0;
    if (segment_list(directory, &segments, &count, failure) != STATUS_OK) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        char path[DIRECTORY_PATH_BYTES];
        struct stat facts;
        if (segment_path(directory, segments[i], path, failure) == STATUS_OK
            && stat(path, &facts) == 0) {
            bytes += (uint64_t)facts.st_size;
        }
    }
    free(segments);
    return bytes;
}

enum status verify_spool(const char *directory, const struct verify_options *options,
                         struct verify_result *out, struct failure *failure)
{
    struct spool_walk spool = {.directory = directory};
    const bool is_live = directory_is_written(directory);
    enum status status = verify_walk_open(&spool.walk, directory, options, out, failure);
    out->is_live = is_live;
    const bool is_open = status == STATUS_OK;
    if (is_open) {
        spool.bytes_total = options->progress ? bytes_of_all(directory, failure) : 0;
        status = spool_reader_open(directory, 0, &spool.reader, failure);
    }
    while (status == STATUS_OK && out->kind == VERIFY_INTACT) {
        status = take_next(&spool, failure);
    }
    if (status == STATUS_NOT_FOUND && is_open) { /* the end, or no segment at all */
        status = out->kind == VERIFY_INTACT ? check_end(&spool, failure) : STATUS_OK;
    }
    spool_reader_close(spool.reader);
    verify_walk_close(&spool.walk);
    return status;
}
