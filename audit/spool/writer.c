#include "audit/spool/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/spool/recovery.h"
#include "audit/spool/writer_private.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"

_Static_assert(offsetof(struct writer_queued, draft) == sizeof(int64_t),
               "time and draft lie in the ring as they lie in the struct");

/* ---- appending and asking: any thread -------------------------------------------------------- */

static size_t queued_bytes(const struct record_draft *draft)
{
    return sizeof(int64_t) + offsetof(struct record_draft, bytes) + draft->length;
}

/* Under the lock: is there room for it? Records that OPEN leave half of the queue to the others. */
static enum status admit(struct writer *writer, const struct record_draft *draft)
{
    if (writer->is_stopping) {
        return STATUS_UNAVAILABLE;
    }
    const size_t needed = queued_bytes(draft) + RING_MESSAGE_HEADER_BYTES;
    const size_t free_bytes = ring_free_bytes(writer->ring);
    const bool is_hung = writer_commit_is_hung(writer);
    const bool is_failing = is_hung || atomic_load(&writer->is_failing);
    if (!record_event_opens(draft->event)) {
        const bool fits = free_bytes >= needed;
        atomic_fetch_add(&writer->overflowed, fits ? 0 : 1);
        return fits ? STATUS_OK : STATUS_FULL;
    }
    if (!(is_failing && !writer->config.keeps_in_memory)
        && free_bytes >= needed + (size_t)writer->config.queue_bytes / 2) {
        return STATUS_OK;
    }
    atomic_fetch_add(&writer->refused, 1);
    *(is_hung ? &writer->hung_refused : &writer->outage.refused) += is_failing ? 1 : 0;
    return is_failing ? STATUS_UNAVAILABLE : STATUS_FULL;
}

/* Under the lock, so that positions and times have the order of the ring. */
static enum status push(struct writer *writer, const struct record_draft *draft, uint64_t handle)
{
    const int64_t time_unix_ms = writer_now_unix_ms(writer);
    const enum status status = ring_push(writer->ring, &time_unix_ms, sizeof time_unix_ms, draft,
                                         offsetof(struct record_draft, bytes) + draft->length);
    ASSERT(status == STATUS_OK); /* nobody else pushes, and admit() saw the room */
    writer->pushed++;
    writer->handles[writer->pushed % writer->handle_count] = handle;
    pthread_cond_signal(&writer->work);
    return status;
}

enum status writer_append(struct writer *writer, const struct record_draft *draft, uint64_t handle,
                          struct writer_position *out)
{
    ASSERT(draft->length <= RECORD_DRAFT_BYTES);
    pthread_mutex_lock(&writer->lock);
    enum status status = admit(writer, draft);
    if (status == STATUS_OK) {
        status = push(writer, draft, handle);
        out->value = writer->pushed;
    }
    pthread_mutex_unlock(&writer->lock);
    if (status == STATUS_FULL && !record_event_opens(draft->event)) {
        log_event(LOG_LEVEL_ERROR, "audit", "audit.queue_full", "event=%s tenant_id=%u",
                  record_event_text(draft->event), draft->tenant.value);
    }
    return status;
}

enum writer_keeping writer_keeping(const struct writer *writer, struct writer_position position)
{
    if (position.value <= atomic_load(&writer->told)) {
        return WRITER_KEPT;
    }
    if (position.value <= atomic_load(&writer->lost)) {
        return WRITER_LOST;
    }
    if (!writer_commit_is_hung(writer)) {
        return WRITER_WAITING;
    }
    return writer->config.keeps_in_memory ? WRITER_KEPT : WRITER_LOST;
}

bool writer_is_durable(const struct writer *writer, struct writer_position position)
{
    return position.value <= atomic_load(&writer->durable);
}

enum status writer_wait(struct writer *writer, struct writer_position position, uint32_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&writer->lock);
    int result = 0;
    while (writer_keeping(writer, position) == WRITER_WAITING && result == 0) {
        result = pthread_cond_timedwait(&writer->settled, &writer->lock, &until);
    }
    pthread_mutex_unlock(&writer->lock);
    static const enum status statuses[] = {[WRITER_WAITING] = STATUS_TIMEOUT,
                                           [WRITER_KEPT] = STATUS_OK,
                                           [WRITER_LOST] = STATUS_UNAVAILABLE};
    return statuses[writer_keeping(writer, position)];
}

bool writer_is_available(const struct writer *writer)
{
    if (!atomic_load(&writer->is_failing) && !writer_commit_is_hung(writer)) {
        return true;
    }
    const size_t largest = sizeof(struct writer_queued) + RING_MESSAGE_HEADER_BYTES;
    return writer->config.keeps_in_memory
           && ring_free_bytes(writer->ring) >= largest + writer->config.queue_bytes / 2;
}

int64_t writer_found_time(const struct writer *writer)
{
    return writer->found_time_unix_ms;
}

const struct directory_keys *writer_keys(const struct writer *writer)
{
    return writer->keys;
}

size_t writer_last_checkpoint(struct writer *writer, uint8_t out[RECORD_BODY_BYTES_MAX])
{
    pthread_mutex_lock(&writer->lock);
    const size_t bytes = writer->checkpoint_bytes;
    memcpy(out, writer->checkpoint, bytes);
    pthread_mutex_unlock(&writer->lock);
    return bytes;
}

void writer_read_facts(const struct writer *writer, struct writer_facts *out)
{
    *out = (struct writer_facts){
        .sequence = atomic_load(&writer->sequence),
        .time_unix_ms = atomic_load(&writer->time_unix_ms),
        .records = atomic_load(&writer->records),
        .groups = atomic_load(&writer->groups),
        .failures = atomic_load(&writer->failures),
        .refused = atomic_load(&writer->refused),
        .lost = atomic_load(&writer->overflowed),
        .queued_bytes = writer->config.queue_bytes - ring_free_bytes(writer->ring),
        .segment = atomic_load(&writer->segment),
        .sync_us_total = atomic_load(&writer->sync_us),
        .is_available = writer_is_available(writer),
        .is_failing = atomic_load(&writer->is_failing) || writer_commit_is_hung(writer),
    };
}

/* ---- starting -------------------------------------------------------------------------------- */

static enum status take_memory(struct writer *writer, struct failure *failure)
{
    const uint64_t smallest =
        RING_MESSAGE_HEADER_BYTES + sizeof(int64_t) + offsetof(struct record_draft, bytes);
    const uint64_t queue_bytes = writer->config.queue_bytes;
    if (queue_bytes / 2 < sizeof(struct writer_queued) + RING_MESSAGE_HEADER_BYTES) {
        return fail(failure, STATUS_INVALID,
                    "audit queue of %llu bytes: too small for two records; raise audit.queue_bytes",
                    (unsigned long long)queue_bytes);
    }
    /* All that can wait to be woken: what is in the ring, and the group that was taken from it. */
    writer->handle_count = queue_bytes / smallest + WRITER_GROUP_RECORDS + 1;
    writer->handles = calloc(writer->handle_count, sizeof *writer->handles);
    writer->frames = malloc(WRITER_FRAMES_BYTES);
    writer->chain = chain_create();
    if (!writer->handles || !writer->frames || !writer->chain
        || ring_create(queue_bytes, &writer->ring) != STATUS_OK) {
        return fail(failure, STATUS_IO, "audit: no memory for a queue of %llu bytes",
                    (unsigned long long)queue_bytes);
    }
    return STATUS_OK;
}

/* The first sequence of the segment that recovery left open. */
static enum status last_segment(const char *directory, uint64_t *out, struct failure *failure)
{
    uint64_t *firsts = NULL;
    size_t count = 0;
    const enum status status = segment_list(directory, &firsts, &count, failure);
    *out = status == STATUS_OK && count > 0 ? firsts[count - 1] : 0;
    free(firsts);
    return status;
}

/* What recovery found, its name too, was perhaps never synced, and becomes what the writer vouches
 * for. */
static enum status settle_segment(struct writer *writer, const struct recovery *recovery,
                                  struct failure *failure)
{
    int fd = recovery->fd;
    uint64_t bytes = recovery->segment_bytes, first = writer->chain->sequence + 1;
    enum status status = STATUS_OK;
    if (fd < 0) {
        status = segment_create(writer->directory, writer->chain, &fd, &bytes, failure);
    } else {
        status = last_segment(writer->directory, &first, failure);
        if (status == STATUS_OK) {
            status = segment_sync_directory(writer->directory, failure);
        }
        if (status == STATUS_OK && fdatasync(fd) != 0) {
            status = fail(failure, STATUS_IO, "audit: the last segment in %s cannot be synced: %s",
                          writer->directory, strerror(errno));
        }
    }
    writer_commit_set_segment(writer, fd, bytes, first);
    return status;
}

/* recovery: what server.recovered is to say. */
static enum status recover(struct writer *writer, struct recovery *recovery,
                           struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    struct chain_state state = {0};
    enum status status = directory_path(writer->directory, NULL, "chain.state", path, failure);
    if (status == STATUS_OK) {
        status = chain_state_read_with_key(path, &state, failure);
    }
    if (status == STATUS_OK) {
        status = recovery_run(writer->directory, &state, writer->chain, recovery, failure);
    }
    explicit_bzero(&state, sizeof state);
    if (status == STATUS_OK) {
        status = settle_segment(writer, recovery, failure);
    }
    if (status == STATUS_OK) {
        status = chain_state_open(path, &writer->state_file, failure);
    }
    if (status == STATUS_OK && writer_commit_state(writer, true, false) != STATUS_OK) {
        status = fail(failure, STATUS_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    atomic_store(&writer->sequence, writer->chain->sequence);
    atomic_store(&writer->time_unix_ms, writer->chain->time_unix_ms);
    writer->found_time_unix_ms = writer->chain->time_unix_ms;
    return status;
}

static enum status append_recovered(struct writer *writer, const struct recovery *recovery)
{
    struct record_draft draft;
    struct writer_position position;
    record_draft_begin(&draft, RECORD_EVENT_SERVER_RECOVERED, (struct tenant_id){0}, NULL);
    record_draft_text(&draft, RECORD_FIELD_ward_version, WARD_VERSION);
    record_draft_uint(&draft, RECORD_FIELD_sequence_to, writer->chain->sequence);
    record_draft_uint(&draft, RECORD_FIELD_torn_bytes, recovery->torn_bytes);
    return writer_append(writer, &draft, 0, &position);
}

static enum status start_thread(struct writer *writer, struct failure *failure)
{
    writer->has_thread = pthread_create(&writer->thread, NULL, writer_commit_run, writer) == 0;
    return writer->has_thread
               ? STATUS_OK
               : fail(failure, STATUS_IO, "audit: no thread can be started: %s", strerror(errno));
}

static struct writer *create(const struct writer_config *config, struct failure *failure)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer || strlen(config->directory) >= sizeof writer->directory) {
        (void)fail(failure, STATUS_IO, "audit: no memory, or %s is too long", config->directory);
        free(writer);
        return NULL;
    }
    writer->config = *config;
    memcpy(writer->directory, config->directory, strlen(config->directory) + 1);
    writer->config.directory = writer->directory;
    writer->lock_fd = writer->fd = writer->state_file.fd = -1;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->work, &attributes);
    pthread_cond_init(&writer->settled, &attributes);
    pthread_condattr_destroy(&attributes);
    return writer;
}

enum status writer_start(const struct writer_config *config, struct writer **out,
                         struct failure *failure)
{
    ASSERT(config->checkpoint_records > 0 && config->checkpoint_ms > 0);
    struct recovery recovery = {.fd = -1};
    bool is_new = false;
    struct writer *writer = create(config, failure);
    if (!writer) {
        return STATUS_IO;
    }
    enum status status =
        directory_open(writer->directory, &writer->keys, &writer->lock_fd, &is_new, failure);
    if (status == STATUS_OK) {
        status = take_memory(writer, failure);
    }
    if (status == STATUS_OK) {
        status = recover(writer, &recovery, failure);
    }
    if (status == STATUS_OK && !recovery.was_clean) {
        status = append_recovered(writer, &recovery);
    }
    if (status == STATUS_OK) {
        status = start_thread(writer, failure);
    }
    if (status != STATUS_OK) {
        writer_stop(writer);
        return status;
    }
    *out = writer;
    return STATUS_OK;
}

/* ---- stopping -------------------------------------------------------------------------------- */

bool writer_drain(struct writer *writer)
{
    if (writer->has_thread) {
        pthread_mutex_lock(&writer->lock);
        writer->is_stopping = true;
        writer->stop_ns = clock_monotonic_ns() + (uint64_t)WRITER_STOP_MS * 1000000;
        pthread_cond_signal(&writer->work);
        pthread_mutex_unlock(&writer->lock);
        pthread_join(writer->thread, NULL);
        writer->has_thread = false;
    }
    return writer->is_all_kept;
}

bool writer_stop(struct writer *writer)
{
    if (!writer) {
        return true;
    }
    const bool is_all_kept = writer_drain(writer);
    if (writer->fd >= 0) {
        close(writer->fd);
    }
    if (writer->state_file.fd >= 0) {
        chain_state_close(&writer->state_file);
    }
    directory_close(writer->keys, writer->lock_fd);
    chain_destroy(writer->chain);
    ring_destroy(writer->ring);
    pthread_cond_destroy(&writer->settled);
    pthread_cond_destroy(&writer->work);
    pthread_mutex_destroy(&writer->lock);
    free(writer->handles);
    free(writer->frames);
    free(writer);
    return is_all_kept;
}
