/* buffer.h - a growing byte string with a limit, for I/O threads, loaders and tools (never the
 * engine thread). Owner: the caller; start from {0} with limit_bytes set. After a failed append
 * the content is unchanged. The bytes are always followed by a NUL that length does not count. */
#pragma once
#include <stddef.h>

#include "base/status.h"

struct buffer {
    char *bytes; /* NULL until the first append */
    size_t length, capacity_bytes;
    size_t limit_bytes; /* most bytes it may ever hold */
};

/* STATUS_TOO_LARGE: the limit would be passed. STATUS_IO: no memory. */
MUST_CHECK enum status buffer_append(struct buffer *buffer, const char *bytes, size_t length);
MUST_CHECK enum status buffer_append_text(struct buffer *buffer, const char *text);
MUST_CHECK enum status buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void buffer_clear(struct buffer *buffer);   /* length 0; memory kept and zeroed */
void buffer_destroy(struct buffer *buffer); /* zeroes, frees, back to {0} with the same limit */

/* Reads a whole file. STATUS_NOT_FOUND, STATUS_IO, STATUS_TOO_LARGE. */
MUST_CHECK enum status buffer_read_file(struct buffer *buffer, const char *path);
