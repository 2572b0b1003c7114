/* stop_match.h - finds stop strings in text that arrives in pieces, however it is cut: the text
 * ends before the stop string that is complete first (of several that end at the same byte, the
 * longest). Held back is only what may still become one. A scan belongs to one choice; the set is
 * shared and read-only. O(1) a byte and stop string (Knuth, Morris, Pratt). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct stop_string {
    char text[LIMIT_STOP_STRING_BYTES];
    uint16_t length;
    uint16_t borders[LIMIT_STOP_STRING_BYTES]; /* longest proper border of each beginning */
};

struct stop_set {
    struct stop_string strings[LIMIT_STOP_STRINGS];
    uint32_t count;
};

/* length 1 .. LIMIT_STOP_STRING_BYTES; count < LIMIT_STOP_STRINGS. */
void stop_set_add(struct stop_set *set, const char *text, size_t length);

struct stop_scan { /* start from {0} */
    uint16_t matched[LIMIT_STOP_STRINGS];
};

/* Takes the next bytes. True: a stop string is complete; *consumed is the bytes up to its end and
 * *cut its length: the text ends `cut` bytes before. False: all are consumed. */
bool stop_scan_feed(const struct stop_set *set, struct stop_scan *scan, const char *text,
                    size_t length, size_t *consumed, size_t *cut);

/* How many of the last bytes must be held back for now. */
size_t stop_scan_held(const struct stop_set *set, const struct stop_scan *scan);
