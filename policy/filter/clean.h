/* clean.h - bytes as they arrive to valid UTF-8: a byte that is none of a character is U+FFFD, an
 * incomplete character waits for the rest. A plain value; start from {0}. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { CLEAN_OPEN_BYTES = 4, CLEAN_BAD_BYTES = 3 };

struct clean {
    char open[CLEAN_OPEN_BYTES];
    size_t open_bytes;
};

/* Whole characters in order; is_bad: U+FFFD in place of one byte. Not OK: it stops and returns it.
 */
typedef enum status (*clean_told)(void *context, const char *bytes, size_t length, bool is_bad);

MUST_CHECK enum status clean_feed(struct clean *clean, const char *text, size_t length,
                                  clean_told told, void *context);
MUST_CHECK enum status clean_end(struct clean *clean, clean_told told, void *context);
