/* spelled.h - digits that are said, not written: "zero one eight", "4five6", "0 1 8 8 4 6", "double
 * seven". Counting ("one two three four ..."), lists of small scores and plain numbers ("two
 * hundred") are none. */
#pragma once
#include "policy/identify/cursor.h"

enum { SPELLED_DIGITS_MAX = 48 };

struct spelled {
    char digits[SPELLED_DIGITS_MAX + 1]; /* ends with 0 */
    uint32_t length;
    uint32_t end;   /* index behind the last token */
    uint32_t words; /* tokens that were words, at least in part */
    uint32_t tokens;
    bool is_counting; /* each one more, or one less, than the one before */
    bool is_small;    /* every digit at most 4: answers of a questionnaire */
};

/* False: `index` is no digit, neither said nor written. */
bool spelled_read(struct cursor *cursor, uint32_t index, struct spelled *out);
