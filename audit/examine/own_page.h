/* own_page.h - where a tenant's records after a given number begin, so that a clinic can page
 * through its own records by their own numbers: global sequences would tell how much others ask.
 * The snapshots that begin segments say how many records of each tenant came before. */
#pragma once
#include "audit/examine/query.h"

struct own_page {
    uint64_t after_sequence; /* the record after that number is behind this one */
    uint64_t end_sequence;   /* and before this one, the next segment's first; 0: last segment */
    uint64_t end_number;     /* the tenant's records before end_sequence */
};

/* The records of tenant with numbers above `number`, not before from_unix_ms. Look no further than
 * end_sequence for one page: so its cost is bounded by a segment, and it gets on in any case. */
MUST_CHECK enum status own_page_find(const char *directory, struct tenant_id tenant,
                                     uint64_t number, int64_t from_unix_ms, struct own_page *out,
                                     struct failure *failure);
