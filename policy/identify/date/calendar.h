/* calendar.h - words and numbers of dates: which month a word names, whether it is also another
 * word, which numbers can be a day, a month, a year. Pure. */
#pragma once
#include "policy/identify/words/glance.h"

enum {
    CALENDAR_MONTH = 15,         /* 1 .. 12 */
    CALENDAR_AMBIGUOUS = 1 << 4, /* may, march, mar: words too */
    CALENDAR_FOREIGN = 1 << 5,   /* counts beside a day only */
    CALENDAR_SHORT = 1 << 6,     /* an abbreviation: a full stop may follow */
    CALENDAR_WEEKDAY = 1 << 7,
    CALENDAR_HOLIDAY = 1 << 8,     /* christmas */
    CALENDAR_HOLIDAY_HEAD = 1 << 9 /* valentine: if " day" follows */
};

/* Safe Harbor counts from "now"; there is no clock here, so that decisions replay. To be raised
 * with the years; a year too low hides less, one too high hides more. */
enum { CALENDAR_REFERENCE_YEAR = 2026, CALENDAR_AGE_MAX = 89 };

extern const struct word_table calendar_words;

bool calendar_is_year(const struct glance_digits *digits);    /* 1900 .. 2099 */
bool calendar_is_day_of(uint32_t day, uint32_t month);        /* 31, 12 */
bool calendar_is_day_and_month(uint32_t one, uint32_t other); /* in either order */
bool calendar_is_solid_date(uint32_t value, uint32_t count);  /* 02161961, 19610216, 021661 */
