/* shipped.h - the files below policy/data/, carried in the binary. Read-only. */
#pragma once
#include <stddef.h>

struct shipped_file {
    const char *path; /* "regions/us.yaml" */
    const unsigned char *bytes;
    const unsigned long *bytes_count; /* symbols of embed.cmake */
};

/* In the order of their paths; `path` NULL after the last. */
extern const struct shipped_file shipped_files[];

/* NULL: there is none. */
const struct shipped_file *shipped_find(const char *path);
