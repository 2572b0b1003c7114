/* segment.h - `segments/<sequence of the first record, 20 digits>.seg`: a snapshot frame, then
 * frames. Created whole (FILE_NEW_SUFFIX, snapshot, sync, rename, sync of the directory), then only
 * appended to. Thread: the writer for making; anybody for listing and reading. */
#pragma once
#include "audit/chain/chain.h"
#include "audit/spool/directory.h"

/* Makes the segment that comes after the chain's last record; *out_bytes: its length so far. May
 * be called again after it failed. STATUS_INVALID: there is such a segment, with records. */
MUST_CHECK enum status segment_create(const char *directory, const struct chain *chain, int *out_fd,
                                      uint64_t *out_bytes, struct failure *failure);

/* The first sequences of all segments, ascending; *out is the caller's to free (NULL: none). Files
 * that are not segments are left out. STATUS_IO, STATUS_FORBIDDEN. */
MUST_CHECK enum status segment_list(const char *directory, uint64_t **out, size_t *out_count,
                                    struct failure *failure);

MUST_CHECK enum status segment_path(const char *directory, uint64_t first_sequence,
                                    char out[DIRECTORY_PATH_BYTES], struct failure *failure);
MUST_CHECK enum status segment_sync_directory(const char *directory, struct failure *failure);

/* The writer, at open: removes files that were being made (FILE_NEW_SUFFIX) when a process died. */
MUST_CHECK enum status segment_remove_unfinished(const char *directory, struct failure *failure);
