/* file.h - the operating system's files as this folder uses them: interrupted and short calls go
 * on, errors name the path and the reason, what is made is private (0600, 0700) and no link is
 * followed where we write. Any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"

/* Reads until count bytes or the end of the file; -1 and errno when it cannot. */
ssize_t file_read_at(int fd, void *out, size_t count, uint64_t offset);
/* All bytes; false and errno when it cannot: some of them may have been written. */
bool file_write_at(int fd, const void *bytes, size_t count, uint64_t offset);

/* STATUS_IO with "PATH: cannot be ACTION: REASON" from errno; STATUS_NOT_FOUND where errno says so,
 * STATUS_FORBIDDEN where this user may not. */
enum status file_failed(struct failure *failure, const char *path, const char *action);

/* Descriptor, close-on-exec, no link followed; -1 and errno. */
int file_open(const char *path, int flags);

/* The whole file: written to "PATH.new", synced, renamed. The directory is the caller's to sync.
 * errno says why it failed. */
enum { FILE_NEW_SUFFIX_BYTES = 5 };
#define FILE_NEW_SUFFIX ".new"
MUST_CHECK enum status file_replace(const char *path, const void *bytes, size_t count,
                                    struct failure *failure);

MUST_CHECK enum status file_sync_directory(const char *path, struct failure *failure);
/* Makes the directory and those above it where they are missing; synced. */
MUST_CHECK enum status file_make_directory(const char *path, struct failure *failure);
