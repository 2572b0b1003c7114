/* spool_reader.h - frames of all segments in the order of the files, for verify, export, the
 * shipper and recovery; also while a writer appends. It checks checksums and nothing else. Owner:
 * the caller; one thread. Memory: a window of the file. */
#pragma once
#include "audit/chain/frame.h"
#include "audit/spool/directory.h"

struct spool_reader;

struct spool_place {  /* where a frame lies, for people */
    uint64_t segment; /* first sequence in the file's name */
    uint64_t offset;
};

/* Begins with the snapshot of the segment that holds from_sequence (0 or too early: of the first).
 * STATUS_NOT_FOUND: there is no segment. */
MUST_CHECK enum status spool_reader_open(const char *directory, uint64_t from_sequence,
                                         struct spool_reader **out, struct failure *failure);
void spool_reader_close(struct spool_reader *reader); /* NULL is fine */

/* The next frame, snapshots included; views live until the next call. *place is always set.
 * STATUS_NOT_FOUND: the end, for now: call again later; *place is where it would be.
 * STATUS_INVALID: the bytes there are no frame, be it torn or changed; the reader stays there. A
 * file that ends within a frame is the end if no later segment follows, else STATUS_INVALID.
 * STATUS_IO, STATUS_FORBIDDEN. A segment that retention takes away meanwhile is read to its end if
 * it was begun, else passed over. */
MUST_CHECK enum status spool_reader_next(struct spool_reader *reader, struct frame *out,
                                         struct spool_place *place, struct failure *failure);

/* After the end: bytes behind the last whole frame. */
uint64_t spool_reader_tail_bytes(const struct spool_reader *reader);

/* Skips what is left of this segment: the next frame is the next segment's snapshot.
 * STATUS_NOT_FOUND: this is the last one; the reader stays. */
MUST_CHECK enum status spool_reader_skip_segment(struct spool_reader *reader,
                                                 struct failure *failure);
