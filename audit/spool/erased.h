/* erased.h - the file `erased` of the audit directory: which segments retention took bodies from or
 * removed, so that copies elsewhere can follow, also when they were away meanwhile. Marks grow: who
 * remembers the greatest mark that he followed knows what is left. Written durably by retention
 * alone, before it changes a segment and, with a greater mark, after; any process reads it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

struct erased_segment {
    uint64_t segment;  /* first sequence in the file's name */
    uint64_t mark;     /* milliseconds since 1970, or one more than the last mark */
    uint64_t sequence; /* up to here there is an audit.retention that tells of it */
};

struct erased {
    uint64_t removed_to;             /* last sequence of the removed segments; 0: none */
    uint64_t removed_sequence;       /* as below, for them */
    struct erased_segment *segments; /* that are still there; ascending marks */
    size_t count;
};

/* STATUS_NOT_FOUND: there is none. STATUS_INVALID: it is damaged; the next note makes it anew with
 * all segments. Then *out is {0}. */
MUST_CHECK enum status erased_read(const char *directory, struct erased *out,
                                   struct failure *failure);
void erased_free(struct erased *erased); /* one of {0} is fine */

/* sequence: of the last durable record. */
MUST_CHECK enum status erased_note(const char *directory, uint64_t segment, uint64_t sequence,
                                   struct failure *failure);
MUST_CHECK enum status erased_note_removed(const char *directory, uint64_t to, uint64_t sequence,
                                           struct failure *failure);
