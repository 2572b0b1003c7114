/* retention.h - erasing by age: in closed segments the bodies of records that are older than their
 * tenant's retention are replaced by their leaf hashes, and leading segments of which nothing is
 * left are removed, but never the last two. The chain still verifies. Checkpoints are erased only
 * when nothing else in their segment is left, for what is left is proved by them. What is erased is
 * recorded (audit.retention: where, how many bodies, whether the segment goes) before it is done,
 * so that whoever verifies can tell it from what others erased; those records stay until nothing
 * before them is left. One thread, slow on purpose. */
#pragma once
#include <stdatomic.h>

#include "audit/spool/writer.h"

#define RETENTION_REMOVED "segment_removed" /* reason, of a segment that is removed */

struct retention_terms {
    int64_t now_unix_ms;
    uint32_t days; /* of tenants that have none of their own, and of the server's own records */
    const uint32_t *tenant_days; /* [LIMIT_TENANTS + 1]; 0: days */
    uint64_t shipped;            /* only what Redis has is erased; UINT64_MAX: without Redis */
    const atomic_bool *stop;     /* becomes true: return soon; NULL: never */
};

struct retention_done {
    uint64_t erased, removed_segments;
    uint64_t removed_to; /* last sequence of the removed segments; 0: none */
};

/* The time to erase by. What a wrong clock erases cannot be brought back, so a clock further ahead
 * than RETENTION_AHEAD_DAYS of where the last record at start (last_unix_ms) and the time since
 * then put it is not believed; after the next start it is. */
enum { RETENTION_AHEAD_DAYS = 31 };
int64_t retention_now(int64_t clock_unix_ms, int64_t last_unix_ms, uint64_t since_start_ms);

/* What runs found, so that the next one reads only segments in which something is due. */
struct retention_memory;
struct retention_memory *retention_memory_create(void); /* NULL: no memory */
void retention_memory_destroy(struct retention_memory *memory);

/* memory may be NULL: every segment is read. STATUS_CANCELLED: stopped. STATUS_UNAVAILABLE: the
 * erasure cannot be recorded now. STATUS_INVALID: a segment does not read as it should; it and what
 * follows stay as they are. STATUS_IO. */
MUST_CHECK enum status retention_run(const char *directory, struct writer *writer,
                                     const struct retention_terms *terms,
                                     struct retention_memory *memory, struct retention_done *out,
                                     struct failure *failure);
