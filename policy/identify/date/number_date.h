/* number_date.h - dates of numbers alone: "2/16/1961", "1961-02-16T10:00:00Z", "02161961", and
 * "7/4" where the words in front say that it is a date. Match functions as in words/glance.h. */
#pragma once
#include "policy/identify/cursor.h"

/* has_context: it is known that a date follows. */
uint32_t number_date_match(struct cursor *cursor, uint32_t at, bool has_context);
uint32_t number_date_spaced(struct cursor *cursor, uint32_t at); /* 02 16 1961 */
