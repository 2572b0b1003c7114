/* spelled_digits.h - digits that are spelled out or spaced: "seven nine eight, five eight six ...",
 * "oh double five", "7 9 8 - 5 8 6", 7 to 20 of them. Counting ("one two three ...") and the
 * answers of a questionnaire ("0 1 2 3 2 1 0") are none. A match function as in glance.h. */
#pragma once
#include "policy/identify/cursor.h"

uint32_t spelled_digits_match(struct cursor *cursor, uint32_t at);
