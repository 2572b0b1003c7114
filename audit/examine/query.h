/* query.h - records of a spool by tenant, time and event, in order, a page at a time; for the CLI,
 * the admin API and exports. Reads segments that can hold such records and skips the others. */
#pragma once
#include "audit/record/record.h"
#include "audit/spool/spool_reader.h"

struct query {
    bool has_tenant; /* else all */
    struct tenant_id tenant;
    const char *tenant_name;          /* NULL: any; compared besides or instead of the id */
    int64_t from_unix_ms, to_unix_ms; /* from <= time < to; 0 and INT64_MAX: no limit */
    bool has_event;
    enum record_event event;
    uint64_t after_sequence; /* paging: records behind this one */
};

/* The first sequence of the segment where records from that time on may begin; 0: no segments. */
MUST_CHECK enum status query_first_segment(const char *directory, int64_t from_unix_ms,
                                           uint64_t *out, struct failure *failure);

struct query_cursor;

MUST_CHECK enum status query_open(const char *directory, const struct query *query,
                                  struct query_cursor **out, struct failure *failure);
void query_close(struct query_cursor *cursor); /* NULL is fine */

/* The next record that fits; views live until the next call. Erased records are passed over.
 * STATUS_NOT_FOUND: none for now (the end; call again to follow a live spool). STATUS_TIMEOUT: none
 * within bytes_max that were looked at in this call (0: no bound): *sequence is how far it came, go
 * on from there. STATUS_INVALID: the spool is damaged: run verify. */
MUST_CHECK enum status query_next(struct query_cursor *cursor, uint64_t bytes_max,
                                  struct record *out, uint64_t *sequence, struct failure *failure);
