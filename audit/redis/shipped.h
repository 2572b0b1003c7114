/* shipped.h - the file `shipped` of the audit directory: the last sequence that Redis acknowledged.
 * It is only a hint (what Redis has is asked for at each connect), so it is never synced. Owner:
 * the caller; one thread writes. */
#pragma once
#include <stdint.h>

#include "base/failure.h"

struct shipped {
    int fd; /* -1: not open */
};

/* Makes it when missing; *sequence is 0 when there was none, or none that makes sense. */
MUST_CHECK enum status shipped_open(const char *directory, struct shipped *out, uint64_t *sequence,
                                    struct failure *failure);
/* False: the disk refuses; the next start compares more than it needs to. */
bool shipped_write(struct shipped *shipped, uint64_t sequence);
void shipped_close(struct shipped *shipped);
