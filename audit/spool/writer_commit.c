/* The writer's thread: drafts become frames, frames a group, a group is written, synced, told. What
 * cannot be written stays in memory byte for byte, and is written again at its place until it is
 * there: other bytes never take that place, so no reader sees two versions of a record. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/spool/file.h"
#include "audit/spool/writer_private.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"

enum { NS_PER_MS = 1000000, STEP_MS = 1000 };

int64_t writer_now_unix_ms(const struct writer *writer)
{
    return writer->config.now_unix_ms ? writer->config.now_unix_ms() : clock_unix_ms();
}

/* ---- a group --------------------------------------------------------------------------------- */

static void append(struct writer *writer, const struct record_draft *draft, int64_t time_unix_ms)
{
    writer->frames_bytes +=
        chain_append(writer->chain, draft, time_unix_ms, writer->frames + writer->frames_bytes);
    writer->since_checkpoint++;
}

static void append_checkpoint(struct writer *writer, int64_t time_unix_ms)
{
    writer->checkpoint_at = writer->frames_bytes;
    writer->checkpoint_frame_bytes = checkpoint_append(
        writer->chain, writer->keys->secret, time_unix_ms, writer->frames + writer->frames_bytes);
    writer->frames_bytes += writer->checkpoint_frame_bytes;
    writer->since_checkpoint = 0;
}

static void append_outage(struct writer *writer, const struct writer_outage *outage)
{
    struct record_draft draft;
    record_draft_begin(&draft, RECORD_EVENT_AUDIT_OUTAGE, (struct tenant_id){0}, NULL);
    record_draft_uint(&draft, RECORD_FIELD_count, outage->refused);
    record_draft_text(&draft, RECORD_FIELD_reason, outage->reason);
    record_draft_uint(&draft, RECORD_FIELD_sequence_from, outage->sequence_from);
    append(writer, &draft, outage->began_unix_ms);
}

/* Time for a checkpoint, whatever was recorded since the last one, and for a new epoch. A log's
 * first group has one: no record of it was ever kept unsigned. */
static bool is_interval_over(const struct writer *writer)
{
    const uint64_t interval_ns = (uint64_t)writer->config.checkpoint_ms * NS_PER_MS;
    return writer->interval_ns == 0 || clock_monotonic_ns() - writer->interval_ns >= interval_ns;
}

/* One record a step: the chain's time stands still until the clock has caught up, and only what
 * the clock falls back further meanwhile is another step. */
static void note_clock(struct writer *writer, int64_t now_unix_ms)
{
    const int64_t behind_ms = writer->chain->time_unix_ms - now_unix_ms;
    const int64_t known_ms = writer->clock_behind_ms;
    if (behind_ms > known_ms + STEP_MS) {
        struct record_draft draft;
        record_draft_begin(&draft, RECORD_EVENT_CLOCK_STEPPED, (struct tenant_id){0}, NULL);
        record_draft_int(&draft, RECORD_FIELD_stepped_ms, behind_ms - known_ms);
        append(writer, &draft, now_unix_ms);
        writer->clock_behind_ms = behind_ms;
    } else if (behind_ms < known_ms) {
        writer->clock_behind_ms = behind_ms > 0 ? behind_ms : 0;
    }
}

/* What the writer itself has to say, before the drafts: its time is when the outage began, since
 * the records that were kept in memory meanwhile come behind it. */
static void append_notes(struct writer *writer, bool is_time)
{
    const int64_t now_unix_ms = writer_now_unix_ms(writer);
    if (writer->has_outage_to_tell) {
        pthread_mutex_lock(&writer->lock);
        const struct writer_outage outage = writer->outage;
        pthread_mutex_unlock(&writer->lock);
        append_outage(writer, &outage);
        writer->has_outage_to_tell = false;
    }
    const uint64_t overflowed = atomic_load(&writer->overflowed);
    if (is_time && overflowed > writer->overflow_told) {
        const struct writer_outage outage = {
            .sequence_from = writer->chain->sequence + 1,
            .refused = overflowed - writer->overflow_told,
            .began_unix_ms = writer->chain->time_unix_ms,
            .reason = "queue_full",
        };
        append_outage(writer, &outage);
        writer->overflow_told = overflowed;
    }
    note_clock(writer, now_unix_ms);
}

/* Takes what waits. True when all of it was taken. */
static bool take_drafts(struct writer *writer)
{
    const size_t room = WRITER_GROUP_BYTES - 2 * (size_t)CHAIN_FRAME_BYTES_MAX;
    for (uint32_t i = 0; i < WRITER_GROUP_RECORDS && writer->frames_bytes <= room; i++) {
        if (ring_pop(writer->ring, &writer->queued, sizeof writer->queued) == 0) {
            return true;
        }
        writer->taken++;
        append(writer, &writer->queued.draft, writer->queued.time_unix_ms);
        if (writer->since_checkpoint >= writer->config.checkpoint_records
            || writer->queued.draft.event == RECORD_EVENT_AUDIT_RETENTION) { /* signed at once */
            append_checkpoint(writer, writer->queued.time_unix_ms);
        }
    }
    return false;
}

/* Segments and epochs end with a checkpoint, so that they can be proved from themselves. While more
 * waits, the chain's time must not run ahead of the times of what waits. */
static void make_group(struct writer *writer, bool is_stopping)
{
    writer->frames_bytes = 0;
    writer->checkpoint_frame_bytes = 0;
    append_notes(writer, is_stopping || is_interval_over(writer));
    const bool has_all = take_drafts(writer);
    const uint64_t bytes = writer->segment_bytes + writer->frames_bytes;
    writer->needs_segment = bytes >= writer->config.segment_bytes;
    writer->needs_epoch = is_interval_over(writer) || (is_stopping && has_all);
    if (writer->needs_epoch) {
        writer->interval_ns = clock_monotonic_ns();
    }
    if (writer->needs_epoch || writer->needs_segment) {
        append_checkpoint(writer,
                          has_all ? writer_now_unix_ms(writer) : writer->chain->time_unix_ms);
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

/* Each handle is woken once, whether its record was told kept or lost. */
static void wake_up_to(struct writer *writer, uint64_t position)
{
    while (writer->woken < position) {
        const uint64_t handle = writer->handles[++writer->woken % writer->handle_count];
        if (handle != 0 && writer->config.wake) {
            writer->config.wake(writer->config.wake_context, handle);
        }
    }
}

static void tell_durable(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    if (writer->checkpoint_frame_bytes > 0) {
        writer->checkpoint_bytes = writer->checkpoint_frame_bytes - FRAME_HEADER_BYTES;
        memcpy(writer->checkpoint, writer->frames + writer->checkpoint_at + FRAME_HEADER_BYTES,
               writer->checkpoint_bytes);
    }
    atomic_fetch_add(&writer->records, writer->chain->sequence - atomic_load(&writer->sequence));
    atomic_fetch_add(&writer->groups, 1);
    atomic_store(&writer->sequence, writer->chain->sequence);
    atomic_store(&writer->time_unix_ms, writer->chain->time_unix_ms);
    atomic_store(&writer->durable, writer->taken);
    if (atomic_load(&writer->told) < writer->taken) {
        atomic_store(&writer->told, writer->taken);
    }
    pthread_cond_broadcast(&writer->settled);
    pthread_mutex_unlock(&writer->lock);
    writer->segment_bytes += writer->frames_bytes;
    wake_up_to(writer, writer->taken);
    if (writer->config.committed) {
        writer->config.committed(writer->config.committed_context);
    }
}

/* While writing fails: all that waits is told kept (spool_memory) or lost (refuse). */
static void tell_waiting(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    const uint64_t pushed = writer->pushed;
    atomic_store(writer->config.keeps_in_memory ? &writer->told : &writer->lost, pushed);
    pthread_cond_broadcast(&writer->settled);
    pthread_mutex_unlock(&writer->lock);
    wake_up_to(writer, pushed);
}

/* ---- failing and going on -------------------------------------------------------------------- */

static const char *reason_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "no_space";
    case EFBIG:
        return "file_limit";
    case EACCES:
    case EPERM:
    case EROFS:
        return "permission";
    case ENOENT:
    case ENOTDIR:
        return "file_missing";
    default:
        return "io_error";
    }
}

/* One that ended so shortly before that it is not told yet goes on. */
static void begin_outage(struct writer *writer, const char *reason, uint64_t since_ms)
{
    const bool is_new = !atomic_load(&writer->is_failing);
    pthread_mutex_lock(&writer->lock);
    if (is_new && !writer->has_outage_to_tell) {
        writer->outage = (struct writer_outage){
            .sequence_from = atomic_load(&writer->sequence) + 1,
            .began_unix_ms = writer_now_unix_ms(writer) - (int64_t)since_ms,
            .reason = reason,
        };
    }
    writer->outage.refused += writer->hung_refused;
    writer->hung_refused = 0;
    atomic_store(&writer->is_failing, true);
    pthread_mutex_unlock(&writer->lock);
    if (is_new) {
        log_event(LOG_LEVEL_ERROR, "audit", "audit.unavailable", "reason=%s directory=\"%s\"",
                  reason, writer->directory);
    }
}

static void end_outage(struct writer *writer)
{
    if (atomic_load(&writer->is_failing)) {
        pthread_mutex_lock(&writer->lock);
        atomic_store(&writer->is_failing, false);
        const uint64_t refused = writer->outage.refused;
        pthread_mutex_unlock(&writer->lock);
        writer->has_outage_to_tell = true;
        log_event(LOG_LEVEL_WARN, "audit", "audit.available", "refused=%llu",
                  (unsigned long long)refused);
    }
}

static struct timespec time_of(uint64_t monotonic_ns)
{
    return (struct timespec){.tv_sec = (time_t)(monotonic_ns / (1000 * (uint64_t)NS_PER_MS)),
                             .tv_nsec = (long)(monotonic_ns % (1000 * (uint64_t)NS_PER_MS))};
}

/* Tells those who come meanwhile. False: the writer stops and has waited long enough. */
static bool wait_to_retry(struct writer *writer)
{
    const uint64_t until_ns = clock_monotonic_ns() + (uint64_t)WRITER_RETRY_MS * NS_PER_MS;
    const struct timespec until = time_of(until_ns);
    bool goes_on = true;
    while (goes_on && clock_monotonic_ns() < until_ns) {
        pthread_mutex_lock(&writer->lock);
        if (writer->pushed == writer->woken) {
            pthread_cond_timedwait(&writer->work, &writer->lock, &until);
        }
        const bool has_new = writer->pushed > writer->woken;
        goes_on = !writer->is_stopping || clock_monotonic_ns() < writer->stop_ns;
        pthread_mutex_unlock(&writer->lock);
        if (has_new) {
            tell_waiting(writer);
        }
    }
    return goes_on;
}

bool writer_commit_is_hung(const struct writer *writer)
{
    /* The time first: what is seen to hang here, run_step() sees too. */
    const uint64_t now_ns = clock_monotonic_ns();
    const uint64_t step_ns = atomic_load(&writer->step_ns);
    return step_ns != 0 && now_ns > step_ns
           && now_ns - step_ns >= (uint64_t)WRITER_HUNG_MS * NS_PER_MS;
}

/* What took too long was an outage to all who asked meanwhile, also when it worked in the end. */
static bool run_step(struct writer *writer, bool (*step)(struct writer *writer))
{
    errno = 0;
    atomic_store(&writer->step_ns, clock_monotonic_ns());
    const bool is_done = step(writer);
    const int error = errno;
    const uint64_t began_ns = atomic_exchange(&writer->step_ns, 0);
    const uint64_t took_ms = (clock_monotonic_ns() - began_ns) / NS_PER_MS;
    if (took_ms >= WRITER_HUNG_MS) {
        begin_outage(writer, "hung", took_ms);
    }
    errno = error;
    return is_done;
}

/* Repeats a step until it works. The step leaves errno. False: given up, for the writer stops. */
static bool persist(struct writer *writer, bool (*step)(struct writer *writer))
{
    for (;;) {
        if (run_step(writer, step)) {
            end_outage(writer);
            return true;
        }
        atomic_fetch_add(&writer->failures, 1);
        begin_outage(writer, reason_of(errno), 0);
        tell_waiting(writer);
        if (!wait_to_retry(writer)) {
            return false;
        }
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

enum status writer_commit_state(struct writer *writer, bool is_synced, bool is_clean)
{
    struct chain_state state = {
        .epoch = writer->chain->epoch,
        .sequence = writer->chain->sequence,
        .head = writer->chain->head,
        .is_clean = is_clean,
    };
    memcpy(state.key, writer->chain->key, sizeof state.key);
    const enum status status = is_synced ? chain_state_write_synced(&writer->state_file, &state)
                                         : chain_state_write(&writer->state_file, &state);
    explicit_bzero(&state, sizeof state);
    return status;
}

/* A segment that somebody removed, moved or replaced takes bytes that no reader will find. */
static bool is_in_place(const struct writer *writer)
{
    struct stat held, named;
    struct failure ignored;
    char path[DIRECTORY_PATH_BYTES];
    if (segment_path(writer->directory, writer->segment, path, &ignored) != STATUS_OK
        || fstat(writer->fd, &held) != 0 || stat(path, &named) != 0) {
        return false;
    }
    errno = ENOENT;
    return held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static bool write_group(struct writer *writer)
{
    if (!file_write_at(writer->fd, writer->frames, writer->frames_bytes, writer->segment_bytes)) {
        return false;
    }
    const uint64_t began_ns = clock_monotonic_ns();
    if (fdatasync(writer->fd) != 0 || !is_in_place(writer)) {
        return false;
    }
    atomic_fetch_add(&writer->sync_us, (clock_monotonic_ns() - began_ns) / 1000);
    return writer_commit_state(writer, false, false) == STATUS_OK;
}

void writer_commit_set_segment(struct writer *writer, int fd, uint64_t bytes, uint64_t first)
{
    writer->fd = fd;
    writer->segment_bytes = bytes;
    atomic_store(&writer->segment, first);
}

static bool make_segment(struct writer *writer)
{
    int fd = -1;
    uint64_t bytes = 0;
    struct failure failure;
    if (segment_create(writer->directory, writer->chain, &fd, &bytes, &failure) != STATUS_OK) {
        const int error = errno;
        if (!atomic_load(&writer->is_failing)) { /* once an outage, not at each try */
            log_event(LOG_LEVEL_ERROR, "audit", "audit.segment", "failure=\"%s\"", failure.text);
        }
        errno = error;
        return false;
    }
    close(writer->fd);
    writer_commit_set_segment(writer, fd, bytes, writer->chain->sequence + 1);
    return true;
}

static bool write_epoch(struct writer *writer)
{
    return writer_commit_state(writer, true, false) == STATUS_OK;
}

static bool write_clean_state(struct writer *writer)
{
    return writer_commit_state(writer, true, true) == STATUS_OK;
}

/* When those who waited have been woken. The segment first: its snapshot has the epoch of the last
 * record. */
static bool finish_group(struct writer *writer)
{
    if (writer->needs_segment && !persist(writer, make_segment)) {
        return false;
    }
    if (writer->needs_epoch) {
        chain_next_epoch(writer->chain);
    }
    return !writer->needs_epoch || persist(writer, write_epoch);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Returns when there is something to write. True: the writer stops. */
static bool wait_for_work(struct writer *writer)
{
    const uint64_t interval_ns = (uint64_t)writer->config.checkpoint_ms * NS_PER_MS;
    const struct timespec until = time_of(writer->interval_ns + interval_ns);
    pthread_mutex_lock(&writer->lock);
    int result = 0;
    while (writer->pushed == writer->taken && !writer->is_stopping && !writer->has_outage_to_tell
           && result == 0) {
        result = pthread_cond_timedwait(&writer->work, &writer->lock, &until);
    }
    const bool is_stopping = writer->is_stopping;
    pthread_mutex_unlock(&writer->lock);
    return is_stopping;
}

static bool has_taken_all(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    const bool has_all = writer->pushed == writer->taken;
    pthread_mutex_unlock(&writer->lock);
    return has_all;
}

static bool write_until_stopped(struct writer *writer)
{
    for (;;) {
        const bool is_stopping = wait_for_work(writer);
        make_group(writer, is_stopping);
        if (!persist(writer, write_group)) {
            return false;
        }
        tell_durable(writer);
        if (!finish_group(writer)) {
            return false;
        }
        if (is_stopping && has_taken_all(writer) && !writer->has_outage_to_tell) {
            return persist(writer, write_clean_state);
        }
    }
}

void *writer_commit_run(void *argument)
{
    struct writer *writer = argument;
    writer->is_all_kept = write_until_stopped(writer);
    if (!writer->is_all_kept) {
        log_event(LOG_LEVEL_ERROR, "audit", "audit.lost", "directory=\"%s\" records=%llu",
                  writer->directory,
                  (unsigned long long)(writer->pushed - atomic_load(&writer->durable)));
        tell_waiting(writer);
    }
    return NULL;
}
