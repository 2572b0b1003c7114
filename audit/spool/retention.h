/* retention.h - erasing by age: in closed segments the bodies of records that are older than their
 * tenant's retention are replaced by their leaf hashes, and a segment of which nothing is left is
 * removed, but never the last two. The chain still verifies. What was erased is recorded
 * (audit.retention) before it is done. One thread, slow on purpose. */
#pragma once
#include "audit/spool/writer.h"

struct retention_terms {
    int64_t now_unix_ms;
    uint32_t days; /* of tenants that have none of their own, and of the server's own records */
    const uint32_t *tenant_days; /* [LIMIT_TENANTS + 1]; 0: days */
    uint64_t shipped;            /* only what Redis has is erased; UINT64_MAX: without Redis */
};

struct retention_done {
    uint64_t erased, removed_segments;
    uint64_t removed_to; /* last sequence of the removed segments; 0: none */
};

MUST_CHECK enum status retention_run(const char *directory, struct writer *writer,
                                     const struct retention_terms *terms,
                                     struct retention_done *out, struct failure *failure);
