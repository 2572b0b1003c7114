/* date_part.c - see date_part.h. */
#include "policy/identify/date/date_part.h"

#include "policy/identify/date/calendar.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"

/* 1 .. 31, as a number or an ordinal. */
uint32_t date_part_day(struct cursor *cursor, uint32_t index, bool *is_ordinal)
{
    struct glance_digits digits;
    uint32_t value = 0;
    *is_ordinal = false;
    if (glance_digits(cursor, index, &digits)) {
        const bool is_day = digits.count <= 2 && digits.value >= 1 && digits.value <= 31;
        return is_day ? index + 1 : 0;
    }
    const uint32_t end = number_words_ordinal(cursor, index, &value);
    *is_ordinal = end != 0;
    return end != 0 && value >= 1 && value <= 31 ? end : 0;
}

/* "'61": an apostrophe and two digits. */
static uint32_t short_year(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    const bool is_year = glance_mark(cursor, index, "'`") != '\0'
                         && glance_digits(cursor, index + 1, &digits) && digits.count == 2;
    return is_year ? index + 2 : 0;
}

/* A year as such: 1961, '61, nineteen sixty one. */
uint32_t date_part_year(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    uint32_t value = 0;
    if (glance_digits(cursor, index, &digits)) {
        return calendar_is_year(&digits) ? index + 1 : 0;
    }
    const uint32_t end = short_year(cursor, index);
    return end != 0 ? end : number_words_year(cursor, index, &value);
}

/* What follows day and month: ", 1961", " of 1961", "-61", " '61". Without one: index itself. */
uint32_t date_part_year_tail(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    if (glance_mark(cursor, index, "-/") != '\0') {
        const bool is_year = glance_digits(cursor, index + 1, &digits)
                             && (digits.count == 2 || calendar_is_year(&digits));
        return is_year ? index + 2 : index;
    }
    uint32_t next = index;
    if (glance_mark(cursor, next, ".") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    if (glance_mark(cursor, next, ",") != '\0') {
        next = glance_spaces(cursor, next + 1);
    }
    if (cursor_is(cursor, next, "of") || cursor_is(cursor, next, "de")
        || cursor_is(cursor, next, "del")) {
        next = glance_spaces(cursor, next + 1);
    }
    const uint32_t end = next == index ? 0 : date_part_year(cursor, next);
    return end == 0 ? index : end;
}

uint32_t date_part_month(struct cursor *cursor, uint32_t index)
{
    const uint32_t found = glance_word(cursor, index, &calendar_words);
    return found & CALENDAR_MONTH ? found : 0;
}

/* After "5": "-7" or "/7", a range of days. */
uint32_t date_part_day_range(struct cursor *cursor, uint32_t index)
{
    bool is_ordinal = false;
    if (glance_mark(cursor, index, "-/") == '\0') {
        return index;
    }
    const uint32_t end = date_part_day(cursor, index + 1, &is_ordinal);
    return end == 0 || glance_mark(cursor, end, "-/") != '\0' ? index : end;
}
