/* Frames of epochs before chain.state's can be followed, but not their MACs: those keys are gone.
 * From its epoch on every MAC is checked, so what lies behind what was told must be ours. */
#include "audit/spool/recovery.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/spool/file.h"
#include "audit/spool/spool_reader.h"

/* chain.state is synced at each new epoch, about once a second: more than this is no log of ours,
 * and would be as many hashes. */
enum { EPOCH_LEAD_MAX = 1 << 16 };

struct run {
    const char *directory;
    const struct chain_state *state;
    struct chain *chain;
    struct failure *failure;
    uint64_t segment;         /* the last one */
    struct spool_place place; /* of the frame at hand, and at last where the tail begins */
};

static enum status damaged(const struct run *run, const char *what)
{
    return fail(run->failure, STATUS_INVALID,
                "%.100s: damaged in segment %020" PRIu64 " at byte %" PRIu64
                ": %s: nothing was changed; run `ward audit verify`",
                run->directory, run->segment, run->place.offset, what);
}

static enum status truncated(const struct run *run)
{
    return fail(run->failure, STATUS_INVALID,
                "%.80s: truncation: segment %020" PRIu64 " ends at byte %" PRIu64
                " with record %" PRIu64 ", but record %" PRIu64
                " was kept: nothing was changed; run `ward audit verify`",
                run->directory, run->segment, run->place.offset, run->chain->sequence,
                run->state->sequence);
}

static void set_key(const struct run *run)
{
    run->chain->epoch = run->state->epoch;
    chain_set_key(run->chain, run->state->key);
}

static bool epoch_is_possible(const struct run *run, uint64_t epoch)
{
    return epoch < run->state->epoch || epoch - run->state->epoch <= EPOCH_LEAD_MAX;
}

/* chain.state tells a new epoch before its first record: behind what it tells there is none of an
 * epoch before, whose MACs nobody here can check. */
static bool is_unproved(const struct run *run, const struct frame *frame)
{
    return frame->sequence > run->state->sequence && frame->epoch < run->state->epoch;
}

/* What chain.state tells of its record holds for the chain that was read. */
static bool head_fits(const struct run *run)
{
    return run->chain->sequence != run->state->sequence
           || digest_same(run->chain->head, run->state->head);
}

static enum status begin(const struct run *run, const struct frame *frame)
{
    if (frame->kind != FRAME_SNAPSHOT || frame->sequence != run->segment - 1
        || !epoch_is_possible(run, frame->epoch)) {
        return damaged(run, "it does not begin with the snapshot that its name tells");
    }
    set_key(run);
    if (chain_read_snapshot(run->chain, frame) != STATUS_OK) {
        return damaged(run, "its snapshot of the chain is malformed");
    }
    return head_fits(run) ? STATUS_OK : damaged(run, "its snapshot is not what chain.state tells");
}

static enum status follow(const struct run *run, const struct frame *frame)
{
    static const char *const texts[] = {
        [CHAIN_INTACT] = "",
        [CHAIN_BAD_SEQUENCE] = "a record out of sequence",
        [CHAIN_BAD_PREVIOUS] = "a record that does not carry the hash of the one before",
        [CHAIN_BAD_EPOCH] = "a record of an impossible epoch",
        [CHAIN_BAD_RECORD] = "a record that is malformed or does not fit those before",
        [CHAIN_BAD_MAC] = "a record that was not made with this log's key",
    };
    if (!epoch_is_possible(run, frame->epoch) || is_unproved(run, frame)) {
        return damaged(run, texts[CHAIN_BAD_EPOCH]);
    }
    if (!run->chain->has_key && frame->epoch >= run->state->epoch) {
        set_key(run);
    }
    const enum chain_break found = chain_follow(run->chain, frame, NULL);
    if (found != CHAIN_INTACT) {
        return damaged(run, texts[found]);
    }
    return head_fits(run) ? STATUS_OK : damaged(run, "the record is not what chain.state tells");
}

/* The next frame; *is_end: whole frames end at run->place. */
static enum status step(struct run *run, struct spool_reader *reader, bool *has_begun, bool *is_end)
{
    struct frame frame;
    enum status status = spool_reader_next(reader, &frame, &run->place, run->failure);
    if (status == STATUS_OK) {
        status = *has_begun ? follow(run, &frame) : begin(run, &frame);
        *has_begun = true;
        return status;
    }
    *is_end = status == STATUS_NOT_FOUND || status == STATUS_INVALID;
    if (*is_end && !*has_begun) {
        return damaged(run, "its snapshot of the chain is not whole");
    }
    if (status == STATUS_INVALID && run->chain->sequence < run->state->sequence) {
        return damaged(run, "bytes that are no frame, where a record was kept");
    }
    return *is_end ? STATUS_OK : status;
}

static enum status read_frames(struct run *run)
{
    struct spool_reader *reader = NULL;
    bool has_begun = false, is_end = false;
    enum status status = spool_reader_open(run->directory, run->segment, &reader, run->failure);
    while (status == STATUS_OK && !is_end) {
        status = step(run, reader, &has_begun, &is_end);
    }
    spool_reader_close(reader);
    if (status == STATUS_OK && run->chain->sequence < run->state->sequence) {
        return truncated(run);
    }
    if (status == STATUS_OK && !run->chain->has_key) { /* the epoch went on without a record */
        set_key(run);
    }
    return status;
}

/* Cuts what lies behind the whole frames. */
static enum status cut(const struct run *run, int fd, const char *path, struct recovery *out)
{
    struct stat info;
    const uint64_t end = run->place.offset;
    if (fstat(fd, &info) != 0) {
        return file_failed(run->failure, path, "looked at");
    }
    const uint64_t torn_bytes = (uint64_t)info.st_size > end ? (uint64_t)info.st_size - end : 0;
    if (torn_bytes > RECOVERY_TORN_BYTES_MAX) {
        return damaged(run, "bytes that are no frame, and more behind them than can be torn");
    }
    if (torn_bytes > 0 && (ftruncate(fd, (off_t)end) != 0 || fsync(fd) != 0)) {
        return file_failed(run->failure, path, "cut behind its last record");
    }
    if (lseek(fd, (off_t)end, SEEK_SET) < 0) {
        return file_failed(run->failure, path, "read");
    }
    out->torn_bytes = torn_bytes;
    out->segment_bytes = end;
    return STATUS_OK;
}

static enum status recover_segment(struct run *run, struct recovery *out)
{
    char path[DIRECTORY_PATH_BYTES];
    enum status status = read_frames(run);
    if (status == STATUS_OK) {
        status = segment_path(run->directory, run->segment, path, run->failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const int fd = file_open(path, O_RDWR);
    if (fd < 0) {
        return file_failed(run->failure, path, "opened");
    }
    status = cut(run, fd, path, out);
    if (status != STATUS_OK) {
        close(fd);
        return status;
    }
    out->fd = fd;
    out->unknown = run->chain->sequence - run->state->sequence;
    out->was_clean = run->state->is_clean && out->unknown == 0 && out->torn_bytes == 0;
    return STATUS_OK;
}

/* A log without segments: the server stopped before its first record. */
static enum status recover_nothing(const struct run *run, struct recovery *out)
{
    if (run->state->sequence != 0) {
        return fail(run->failure, STATUS_INVALID,
                    "%.160s: truncation: there are no segments, but record %" PRIu64
                    " was kept: put them back, or keep the directory as evidence and start a log "
                    "elsewhere",
                    run->directory, run->state->sequence);
    }
    set_key(run);
    out->was_clean = run->state->is_clean;
    return STATUS_OK;
}

enum status recovery_run(const char *directory, const struct chain_state *state,
                         struct chain *chain, struct recovery *out, struct failure *failure)
{
    uint64_t *segments = NULL;
    size_t count = 0;
    struct run run = {.directory = directory, .state = state, .chain = chain, .failure = failure};
    *out = (struct recovery){.fd = -1};
    if (state->epoch >= CHAIN_EPOCH_MAX) {
        return fail(failure, STATUS_INVALID,
                    "%.160s/chain.state: damaged: it tells of an epoch that no log reaches: put "
                    "back a whole one, or keep the directory as evidence and start a log elsewhere",
                    directory);
    }
    enum status status = segment_remove_unfinished(directory, failure);
    if (status == STATUS_OK) {
        status = segment_list(directory, &segments, &count, failure);
    }
    if (status == STATUS_OK && count == 0) {
        status = recover_nothing(&run, out);
    } else if (status == STATUS_OK) {
        run.segment = segments[count - 1];
        status = recover_segment(&run, out);
    }
    free(segments);
    return status;
}
