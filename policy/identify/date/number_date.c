/* number_date.c - see number_date.h. */
#include "policy/identify/date/number_date.h"

#include "policy/identify/date/calendar.h"
#include "policy/identify/date/date_part.h"
#include "policy/identify/date/date_words.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/plain_words.h"

/* "16t10", "00z": digits, with letters of a timestamp. */
static bool is_stamp_part(struct cursor *cursor, uint32_t index, size_t letter)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    if (!lexeme || lexeme->class != LEXEME_MIXED || lexeme->folded_bytes <= letter) {
        return false;
    }
    const char mark = lexeme_text(&cursor->reading->view, index)[letter];
    return mark == 't' || mark == 'z';
}

/* ":00", ":00.000Z": what follows the hour. */
static uint32_t clock_tail(struct cursor *cursor, uint32_t index)
{
    for (uint32_t i = 0; i < 4 && glance_mark(cursor, index, ":.+-") != '\0'; i++) {
        const struct lexeme *part = cursor_lexeme(cursor, index + 1);
        if (!part || (part->class != LEXEME_NUMBER && part->class != LEXEME_MIXED)) {
            break;
        }
        index += 2;
    }
    return index;
}

/* A time behind an ISO date: " 10:00:00". */
static uint32_t stamp_tail(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    const bool is_clock = cursor_is_class(cursor, index, LEXEME_SPACE)
                          && glance_digits(cursor, index + 1, &digits) && digits.count == 2
                          && digits.value < 24 && glance_mark(cursor, index + 2, ":") != '\0';
    return is_clock ? clock_tail(cursor, index + 2) : index;
}

/* 1961-02-16, also 1961-02-16T10:00:00Z, from the mark behind the month on. */
static uint32_t iso_day(struct cursor *cursor, uint32_t index, const char *mark, uint32_t month)
{
    struct glance_digits day;
    if (glance_mark(cursor, index, mark) == '\0') {
        const bool is_month = mark[0] != '.' && !glance_goes_on(cursor, index, "./-");
        return is_month && month >= 1 && month <= 12 ? index : 0;
    }
    if (is_stamp_part(cursor, index + 1, 2)) {
        return clock_tail(cursor, index + 2);
    }
    if (!glance_digits(cursor, index + 1, &day) || day.count > 2
        || !calendar_is_day_of(day.value, month)) {
        return 0;
    }
    return glance_goes_on(cursor, index + 2, "./-") ? 0 : stamp_tail(cursor, index + 2);
}

/* The year of 2/16/1961 or 2-16-61, from the mark behind day and month on. A short year counts
 * where its shape or the words in front say so: 1.2.10 is a version. */
static uint32_t year_of_numbers(struct cursor *cursor, uint32_t index, const char *mark,
                                bool is_clear)
{
    struct glance_digits year;
    const uint32_t at = mark[0] == '/' ? glance_spaces(cursor, index + 1) : index + 1;
    if (is_stamp_part(cursor, at, 4)) { /* 11/21/2026T10:00 */
        return clock_tail(cursor, at + 1);
    }
    if (!glance_digits(cursor, at, &year)) {
        return 0;
    }
    const bool is_short =
        year.count == 2 && (is_clear || mark[0] == '/' || (mark[0] == '-' && year.value > 31));
    const bool is_year = calendar_is_year(&year) || is_short;
    return is_year && !glance_goes_on(cursor, at + 1, mark[0] == '/' ? "./" : "./-") ? at + 1 : 0;
}

/* "-2/20", "-3/1/2023" behind a date of numbers: the index after it, or the index itself. */
static uint32_t number_range(struct cursor *cursor, uint32_t index)
{
    struct glance_digits part;
    uint32_t next = index;
    if (index == 0 || glance_mark(cursor, index, "-") == '\0') {
        return index;
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (!glance_digits(cursor, next + 1, &part)) {
            return index;
        }
        next += 2;
        if (i > 0 && glance_mark(cursor, next, "/") == '\0') {
            return next;
        }
    }
    return next;
}

/* "-03" behind a year and a month's name. */
static uint32_t day_of_named_month(struct cursor *cursor, uint32_t index, const char *mark)
{
    bool is_ordinal = false;
    return glance_mark(cursor, index, mark) != '\0' ? date_part_day(cursor, index + 1, &is_ordinal)
                                                    : 0;
}

/* Two numbers without a third: a date only where it is said. */
static uint32_t month_and_day(struct cursor *cursor, uint32_t at, uint32_t end, const char *mark,
                              bool has_context)
{
    const char *marks = mark[0] == '/' ? "./" : "./-";
    if (glance_goes_on(cursor, end, marks) || glance_mark(cursor, end, "%") != '\0') {
        return 0;
    }
    const bool is_born = date_words_tell(cursor, at, DATE_BIRTH);
    if (mark[0] != '/') {
        return is_born ? end : 0;
    }
    const bool is_told = has_context || is_born || date_words_are_clear(cursor, at);
    return is_told && !plain_words_unit_follows(cursor, end) ? end : 0;
}

/* 1/2 and 7/10 after "by": fractions and scores, not days. */
static bool is_fraction(const struct cursor *cursor, uint32_t at, uint32_t one, uint32_t other)
{
    const uint32_t left = glance_left(cursor, at);
    return left != GLANCE_NOTHING && lexeme_is(&cursor->reading->view, left, "by") && one <= 3
           && other <= 4;
}

uint32_t number_date_match(struct cursor *cursor, uint32_t at, bool has_context)
{
    struct glance_digits first;
    struct glance_digits second;
    if (!glance_digits(cursor, at, &first)) {
        return 0;
    }
    if (first.count == 6 || first.count == 8) {
        return calendar_is_solid_date(first.value, first.count)
                       && date_words_tell(cursor, at, DATE_BIRTH)
                   ? at + 1
                   : 0;
    }
    const bool is_year = calendar_is_year(&first);
    if ((first.count > 2 && !is_year) || first.value == 0) {
        return 0;
    }
    uint32_t next = at + 1;
    if (glance_mark(cursor, next, "/-.") == '\0') { /* 2 / 16 / 1961 */
        next = is_year ? next : glance_spaces(cursor, next);
        if (next == at + 1 || glance_mark(cursor, next, "/") == '\0') {
            return 0;
        }
    }
    const char mark[2] = {glance_mark(cursor, next, "/-."), '\0'};
    next = mark[0] == '/' ? glance_spaces(cursor, next + 1) : next + 1;
    if (is_year && glance_word(cursor, next, &calendar_words) & CALENDAR_MONTH) {
        return day_of_named_month(cursor, next + 1, mark); /* 2021-Jun-03 */
    }
    if (!glance_digits(cursor, next, &second)) {
        return 0;
    }
    if (is_year) {
        return second.count <= 2 ? iso_day(cursor, next + 1, mark, second.value) : 0;
    }
    if (mark[0] == '/' && calendar_is_year(&second) && first.value <= 12) {
        return glance_goes_on(cursor, next + 1, "/-.") ? 0 : next + 1;
    }
    if (second.count > 2 || !calendar_is_day_and_month(first.value, second.value)) {
        return 0;
    }
    const uint32_t end = mark[0] == '/' ? glance_spaces(cursor, next + 1) : next + 1;
    if (glance_mark(cursor, end, mark) != '\0') {
        const bool is_clear = first.count + second.count == 4
                              || date_words_tell(cursor, at, DATE_EVENT | DATE_BIRTH)
                              || date_words_before(cursor, at, DATE_DANGLING);
        return number_range(cursor, year_of_numbers(cursor, end, mark, is_clear));
    }
    if (is_fraction(cursor, at, first.value, second.value)) {
        return 0;
    }
    return number_range(cursor, month_and_day(cursor, at, next + 1, mark, has_context));
}

/* 02 16 1961, where a date is told. */
uint32_t number_date_spaced(struct cursor *cursor, uint32_t at)
{
    struct glance_digits part[3];
    if (!date_words_tell(cursor, at, DATE_BIRTH | DATE_EVENT)) {
        return 0;
    }
    uint32_t next = at;
    for (uint32_t i = 0; i < 3; i++) {
        if (!glance_digits(cursor, next, &part[i]) || part[i].count > 4) {
            return 0;
        }
        next = i == 2 ? next + 1 : glance_spaces(cursor, next + 1);
    }
    return calendar_is_day_and_month(part[0].value, part[1].value) && calendar_is_year(&part[2])
               ? next
               : 0;
}
