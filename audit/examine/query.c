/* Time never goes back in a chain, so where to begin is found by bisecting the segments' snapshots,
 * and the first record that is too late ends the search. */
#include "audit/examine/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain/little_endian.h"
#include "audit/spool/chain_state.h"
#include "audit/spool/segment.h"

struct query_cursor {
    struct query query;
    char directory[DIRECTORY_PATH_BYTES];
    char tenant_name[RECORD_NAME_BYTES];
    struct spool_reader *reader;
    uint64_t sequence; /* of the last frame that was read */
    bool is_past_the_end;
};

/* ---- where to begin -------------------------------------------------------------------------- */

enum { SNAPSHOT_TIME_OFFSET = 8, SNAPSHOT_TIME_END = 16 }; /* as chain.h has it */

/* Chain time at the start of a segment; INT64_MAX when it cannot be told, so that nothing is
 * skipped for it. */
static int64_t time_before(const char *directory, uint64_t segment)
{
    struct failure ignored;
    struct spool_reader *reader = NULL;
    struct frame snapshot;
    struct spool_place place;
    int64_t time = INT64_MAX;
    if (spool_reader_open(directory, segment, &reader, &ignored) == STATUS_OK
        && spool_reader_next(reader, &snapshot, &place, &ignored) == STATUS_OK
        && snapshot.kind == FRAME_SNAPSHOT && snapshot.body_bytes >= SNAPSHOT_TIME_END) {
        time = (int64_t)little_endian_read_u64(snapshot.body + SNAPSHOT_TIME_OFFSET);
    }
    spool_reader_close(reader);
    return time;
}

enum status query_first_segment(const char *directory, int64_t from_unix_ms, uint64_t *out,
                                struct failure *failure)
{
    uint64_t *segments = NULL;
    size_t count = 0;
    const enum status status = segment_list(directory, &segments, &count, failure);
    if (status != STATUS_OK) {
        return status;
    }
    /* The last one that begins before `from`: all earlier ones end before it. */
    size_t first = 0;
    for (size_t end = count; end > first + 1;) {
        const size_t middle = first + (end - first) / 2;
        if (time_before(directory, segments[middle]) < from_unix_ms) {
            first = middle;
        } else {
            end = middle;
        }
    }
    *out = count > 0 ? segments[first] : 0;
    free(segments);
    return STATUS_OK;
}

static enum status begin(struct query_cursor *cursor, const char *directory,
                         const struct query *query, struct failure *failure)
{
    uint64_t first = 0;
    enum status status = directory_path(directory, NULL, NULL, cursor->directory, failure);
    if (status == STATUS_OK) {
        status = query_first_segment(directory, query->from_unix_ms, &first, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    cursor->query = *query;
    if (query->tenant_name) {
        memcpy(cursor->tenant_name, query->tenant_name,
               strnlen(query->tenant_name, sizeof cursor->tenant_name - 1));
    }
    const uint64_t next = query->after_sequence + 1;
    status = spool_reader_open(directory, next > first ? next : first, &cursor->reader, failure);
    /* An empty log has nothing yet, which is no fault. */
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status query_open(const char *directory, const struct query *query, struct query_cursor **out,
                       struct failure *failure)
{
    struct query_cursor *cursor = calloc(1, sizeof *cursor);
    if (!cursor) {
        return fail(failure, STATUS_IO, "no memory for a query");
    }
    const enum status status = begin(cursor, directory, query, failure);
    if (status != STATUS_OK) {
        query_close(cursor);
        return status;
    }
    *out = cursor;
    return STATUS_OK;
}

void query_close(struct query_cursor *cursor)
{
    if (cursor) {
        spool_reader_close(cursor->reader);
        free(cursor);
    }
}

/* ---- which records --------------------------------------------------------------------------- */

static bool can_fit(const struct query *query, const struct frame *frame)
{
    return frame->kind == FRAME_RECORD && frame->sequence > query->after_sequence
           && (!query->has_tenant || tenant_same(frame->tenant, query->tenant));
}

static bool fits(const struct query_cursor *cursor, const struct record *record)
{
    const struct query *query = &cursor->query;
    return record->time_unix_ms >= query->from_unix_ms && record->time_unix_ms < query->to_unix_ms
           && (!query->tenant_name || strcmp(cursor->tenant_name, record->tenant_name) == 0)
           && (!query->has_event || record->event == query->event);
}

/* Bytes that were never told to be kept may be torn: that is the end, not damage. */
static enum status torn_or_damaged(const struct query_cursor *cursor, struct failure *failure)
{
    struct failure ignored;
    struct chain_state state;
    char path[DIRECTORY_PATH_BYTES];
    if (directory_path(cursor->directory, NULL, "chain.state", path, &ignored) == STATUS_OK
        && chain_state_read(path, &state, &ignored) == STATUS_OK
        && cursor->sequence >= state.sequence) {
        return STATUS_NOT_FOUND;
    }
    return fail(failure, STATUS_INVALID,
                "%s: the audit log is damaged after record %" PRIu64 ": run ward audit verify",
                cursor->directory, cursor->sequence);
}

static enum status next_frame(struct query_cursor *cursor, struct frame *frame,
                              struct failure *failure)
{
    struct spool_place place;
    enum status status = STATUS_OK;
    if (!cursor->reader) { /* the log was empty so far */
        status = spool_reader_open(cursor->directory, 0, &cursor->reader, failure);
    }
    if (status == STATUS_OK) {
        status = spool_reader_next(cursor->reader, frame, &place, failure);
    }
    if (status == STATUS_OK) {
        cursor->sequence = frame->sequence;
    }
    return status == STATUS_INVALID ? torn_or_damaged(cursor, failure) : status;
}

enum status query_next(struct query_cursor *cursor, uint64_t bytes_max, struct record *out,
                       uint64_t *sequence, struct failure *failure)
{
    uint64_t bytes = 0;
    while (!cursor->is_past_the_end) {
        struct frame frame = {0};
        if (bytes_max > 0 && bytes >= bytes_max) {
            *sequence = cursor->sequence;
            return STATUS_TIMEOUT;
        }
        const enum status status = next_frame(cursor, &frame, failure);
        if (status != STATUS_OK) {
            return status;
        }
        bytes += FRAME_HEADER_BYTES + frame.body_bytes;
        /* The time of records that do not fit must be read too where the query ends somewhere. */
        const bool may_fit = can_fit(&cursor->query, &frame);
        if (frame.kind != FRAME_RECORD || (!may_fit && cursor->query.to_unix_ms == INT64_MAX)) {
            continue;
        }
        if (record_parse(frame.body, frame.body_bytes, out) != STATUS_OK) {
            return fail(failure, STATUS_INVALID,
                        "%s: record %" PRIu64 " is malformed: run ward audit verify",
                        cursor->directory, frame.sequence);
        }
        cursor->is_past_the_end = out->time_unix_ms >= cursor->query.to_unix_ms;
        if (may_fit && fits(cursor, out)) {
            *sequence = frame.sequence;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}
