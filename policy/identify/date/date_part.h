/* date_part.h - what dates are made of: days, months, years as they are written or said. Match
 * functions as in words/glance.h. */
#pragma once
#include "policy/identify/cursor.h"

/* 1 .. 31, as a number or an ordinal. */
uint32_t date_part_day(struct cursor *cursor, uint32_t index, bool *is_ordinal);

/* After "5": "-7" or "/7", a range of days; without one the index itself. */
uint32_t date_part_day_range(struct cursor *cursor, uint32_t index);

uint32_t date_part_month(struct cursor *cursor, uint32_t index); /* of calendar_words; 0: none */
uint32_t date_part_year(struct cursor *cursor, uint32_t index);  /* 1961, '61, in words */

/* What follows day and month: ", 1961", " of 1961", "-61"; without one the index itself. */
uint32_t date_part_year_tail(struct cursor *cursor, uint32_t index);
