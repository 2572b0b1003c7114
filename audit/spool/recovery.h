/* recovery.h - from the files to a chain that can go on: removes files that were being made, reads
 * the last segment from its snapshot, brings the MAC key forward to the last frame's epoch, cuts a
 * torn tail. A last segment that lost frames which chain.state says were kept ("truncation"), or
 * that does not fit together, is not cut or continued: that is for people. Thread: the writer's, at
 * open, with the lock. */
#pragma once
#include "audit/spool/chain_state.h"
#include "audit/spool/segment.h"

/* A tail that was torn is of one group of records, which is never that large. */
enum { RECOVERY_TORN_BYTES_MAX = 2 << 20 };

struct recovery {
    int fd; /* of the last segment, at its end; -1: there is none yet */
    uint64_t segment_bytes;
    uint64_t torn_bytes; /* cut */
    bool was_clean;      /* the writer before had stopped in order, or there was none */
    uint64_t unknown;    /* records behind what chain.state told: kept, though nobody was told */
};

/* state: with its key. STATUS_INVALID: the log is damaged: failure names segment, offset and `ward
 * audit verify`. STATUS_IO, STATUS_FORBIDDEN. After STATUS_OK the chain has its key, else out->fd
 * is -1. */
MUST_CHECK enum status recovery_run(const char *directory, const struct chain_state *state,
                                    struct chain *chain, struct recovery *out,
                                    struct failure *failure);
