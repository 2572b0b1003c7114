#include "tests/server/support_spool.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "audit/spool/spool_reader.h"
#include "base/clock.h"

enum { PATIENCE_MS = 20000, POLL_US = 500 };

pthread_mutex_t spool_gate = PTHREAD_MUTEX_INITIALIZER;
_Atomic bool spool_fails;

/* The dynamic linker and the static one find this before libc's. */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    pthread_mutex_lock(&spool_gate);
    const bool fails = atomic_load(&spool_fails);
    pthread_mutex_unlock(&spool_gate);
    if (fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

bool spool_open(struct spool *spool, bool keeps_in_memory, uint64_t queue_bytes)
{
    struct failure failure = {""};
    *spool = (struct spool){.directory = "/tmp/ward-spool-XXXXXX"};
    waker_init(&spool->waker);
    if (!mkdtemp(spool->directory)) {
        return false;
    }
    const struct audit_config config = {.directory = spool->directory,
                                        .keeps_in_memory = keeps_in_memory,
                                        .queue_bytes = queue_bytes,
                                        .segment_bytes = 64 << 20,
                                        .retention_days = 2192,
                                        .wake = waker_wake,
                                        .wake_context = &spool->waker};
    const enum status status = audit_open(&config, &spool->audit, &failure);
    if (status != STATUS_OK) {
        fprintf(stderr, "spool: %s\n", failure.text);
    }
    return status == STATUS_OK;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

void spool_close(struct spool *spool)
{
    audit_close(spool->audit);
    waker_destroy(&spool->waker);
    nftw(spool->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* True: what is on the disk now goes up to that record. */
static bool read_until(const struct spool *spool, const char *subject, json_t *records)
{
    struct failure failure = {""};
    struct spool_reader *reader = NULL;
    struct spool_place place;
    struct frame frame;
    bool is_found = false;
    json_array_clear(records);
    if (spool_reader_open(spool->directory, 0, &reader, &failure) != STATUS_OK) {
        return false;
    }
    while (!is_found && spool_reader_next(reader, &frame, &place, &failure) == STATUS_OK) {
        struct record record;
        struct buffer text = {.limit_bytes = 1 << 20};
        if (frame.kind == FRAME_RECORD
            && record_parse(frame.body, frame.body_bytes, &record) == STATUS_OK
            && record_write_json(&record, &text) == STATUS_OK) {
            json_t *json = json_loadb(text.bytes, text.length, 0, NULL);
            is_found = strcmp(spool_text(json, "subject"), subject) == 0;
            json_array_append_new(records, json);
        }
        buffer_destroy(&text);
    }
    spool_reader_close(reader);
    return is_found;
}

json_t *spool_records(struct spool *spool)
{
    struct record_draft draft;
    struct audit_position position;
    char subject[32];
    json_t *records = json_array();
    const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL;
    snprintf(subject, sizeof subject, "reading %u", ++spool->readings);
    record_draft_begin(&draft, RECORD_EVENT_AUDIT_READ, (struct tenant_id){0}, NULL);
    record_draft_text(&draft, RECORD_FIELD_actor, "os:test");
    record_draft_text(&draft, RECORD_FIELD_subject, subject);
    while (audit_append(spool->audit, &draft, 0, &position) != STATUS_OK
           && clock_monotonic_ns() < end_ns) {
        usleep(POLL_US);
    }
    while (!read_until(spool, subject, records) && clock_monotonic_ns() < end_ns) {
        usleep(POLL_US);
    }
    return records;
}

const char *spool_text(const json_t *record, const char *field)
{
    const char *text = json_string_value(json_object_get(record, field));
    return text ? text : "";
}

int64_t spool_number(const json_t *record, const char *field)
{
    const json_t *value = json_object_get(record, field);
    return value ? json_integer_value(value) : -1;
}

static bool is_match(const json_t *record, const char *event, const char *request_id)
{
    return (!event || strcmp(spool_text(record, "event"), event) == 0)
           && (!request_id || strcmp(spool_text(record, "request_id"), request_id) == 0);
}

size_t spool_count(const json_t *records, const char *event, const char *request_id)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(records); i++) {
        count += is_match(json_array_get(records, i), event, request_id) ? 1 : 0;
    }
    return count;
}

const json_t *spool_find(const json_t *records, const char *event, const char *request_id)
{
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        if (is_match(record, event, request_id)) {
            return record;
        }
    }
    return NULL;
}
