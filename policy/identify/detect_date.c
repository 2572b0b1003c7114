/* detect_date.c - DATE: anything more exact than a year; AGE90: age.h. The grammar reads a date
 * from its first lexeme. Two numbers alone ("7/4") are a date only where the words in front say so,
 * because "7/10" is a score. A month that is another word too ("may", "march") needs more. */
#include <string.h>

#include "policy/identify/date/age.h"
#include "policy/identify/date/calendar.h"
#include "policy/identify/date/date_words.h"
#include "policy/identify/detector.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"
#include "policy/identify/words/plain_words.h"

enum { EVENT_WORDS = 4 };

static uint32_t left_is(const struct cursor *cursor, uint32_t index, uint32_t bits)
{
    return glance_left_word(cursor, index, &date_words) & bits;
}

/* ---- what stands in front ------------------------------------------------------------------ */

/* One of the words is among the last few words of the line or the label above it. */
static bool told_before(const struct cursor *cursor, uint32_t at, uint32_t bits)
{
    uint32_t left = at;
    for (uint32_t i = 0; i < EVENT_WORDS; i++) {
        const uint32_t found = left_is(cursor, left, bits | DATE_LINK);
        if (found & bits) {
            return true;
        }
        left = glance_left(cursor, left);
        if (left == GLANCE_NOTHING) {
            return false;
        }
        const struct lexeme *lexeme = &cursor->reading->view.lexemes[left];
        if (!(found & DATE_LINK) && lexeme->class != LEXEME_MARK) {
            return false;
        }
    }
    return false;
}

static bool weekday_before(const struct cursor *cursor, uint32_t at)
{
    uint32_t left = at;
    for (uint32_t i = 0; i < 3; i++) { /* a comma and a full stop may stand between */
        if (glance_left_word(cursor, left, &calendar_words) & CALENDAR_WEEKDAY) {
            return true;
        }
        left = glance_left(cursor, left);
        if (left == GLANCE_NOTHING || cursor->reading->view.lexemes[left].class != LEXEME_MARK) {
            return false;
        }
    }
    return false;
}

/* In front of "7/4": only what never stands in front of a score or a fraction. */
static bool date_is_told(const struct cursor *cursor, uint32_t at)
{
    const uint32_t strong = left_is(cursor, at, DATE_DANGLING);
    return strong != 0 || told_before(cursor, at, DATE_EVENT | DATE_BIRTH)
           || weekday_before(cursor, at);
}

/* ---- parts --------------------------------------------------------------------------------- */

/* 1 .. 31, as a number or an ordinal. */
static uint32_t day_at(struct cursor *cursor, uint32_t index, bool *is_ordinal)
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
static uint32_t year_at(struct cursor *cursor, uint32_t index)
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
static uint32_t year_tail(struct cursor *cursor, uint32_t index)
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
    const uint32_t end = next == index ? 0 : year_at(cursor, next);
    return end == 0 ? index : end;
}

static uint32_t month_at(struct cursor *cursor, uint32_t index)
{
    const uint32_t found = glance_word(cursor, index, &calendar_words);
    return found & CALENDAR_MONTH ? found : 0;
}

/* After "5": "-7" or "/7", a range of days. */
static uint32_t day_range(struct cursor *cursor, uint32_t index)
{
    bool is_ordinal = false;
    if (glance_mark(cursor, index, "-/") == '\0') {
        return index;
    }
    const uint32_t end = day_at(cursor, index + 1, &is_ordinal);
    return end == 0 || glance_mark(cursor, end, "-/") != '\0' ? index : end;
}

/* ---- numbers alone ------------------------------------------------------------------------- */

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
    return glance_mark(cursor, index, mark) != '\0' ? day_at(cursor, index + 1, &is_ordinal) : 0;
}

/* Two numbers without a third: a date only where it is said. */
static uint32_t month_and_day(struct cursor *cursor, uint32_t at, uint32_t end, const char *mark,
                              bool has_context)
{
    const char *marks = mark[0] == '/' ? "./" : "./-";
    if (glance_goes_on(cursor, end, marks) || glance_mark(cursor, end, "%") != '\0') {
        return 0;
    }
    const bool is_born = told_before(cursor, at, DATE_BIRTH);
    if (mark[0] != '/') {
        return is_born ? end : 0;
    }
    const bool is_told = has_context || is_born || date_is_told(cursor, at);
    return is_told && !plain_words_unit_follows(cursor, end) ? end : 0;
}

/* 1/2 and 7/10 after "by": fractions and scores, not days. */
static bool is_fraction(const struct cursor *cursor, uint32_t at, uint32_t one, uint32_t other)
{
    const uint32_t left = glance_left(cursor, at);
    return left != GLANCE_NOTHING && lexeme_is(&cursor->reading->view, left, "by") && one <= 3
           && other <= 4;
}

static uint32_t numbers(struct cursor *cursor, uint32_t at, bool has_context)
{
    struct glance_digits first;
    struct glance_digits second;
    if (!glance_digits(cursor, at, &first)) {
        return 0;
    }
    if (first.count == 6 || first.count == 8) {
        return calendar_is_solid_date(first.value, first.count)
                       && told_before(cursor, at, DATE_BIRTH)
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
        const bool is_clear =
            first.count + second.count == 4 || told_before(cursor, at, DATE_EVENT | DATE_BIRTH);
        return number_range(cursor, year_of_numbers(cursor, end, mark, is_clear));
    }
    if (is_fraction(cursor, at, first.value, second.value)) {
        return 0;
    }
    return number_range(cursor, month_and_day(cursor, at, next + 1, mark, has_context));
}

/* 02 16 1961, where a date is told. */
static uint32_t spaced_numbers(struct cursor *cursor, uint32_t at)
{
    struct glance_digits part[3];
    if (!told_before(cursor, at, DATE_BIRTH | DATE_EVENT)) {
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

/* ---- with a month's name ------------------------------------------------------------------- */

static bool is_lower(const struct cursor *cursor, uint32_t index)
{
    return cursor->reading->view.lexemes[index].letter_case == CASE_LOWER;
}

/* "5 may be", "2 march on": the month's name is a verb. */
static bool is_verb(struct cursor *cursor, uint32_t month, uint32_t at)
{
    if (!(month_at(cursor, month) & CALENDAR_AMBIGUOUS) || !is_lower(cursor, month)
        || left_is(cursor, at, DATE_BEFORE) || told_before(cursor, at, DATE_EVENT | DATE_BIRTH)) {
        return false;
    }
    const uint32_t next = glance_spaces(cursor, month + 1);
    return glance_word(cursor, next, &date_words) & DATE_VERB
           || !plain_words_sentence_follows(cursor, month + 1);
}

/* "16 Feb 1961", "16th of February", "5-7 June", "16-Feb-61", "16. März". */
static uint32_t day_first(struct cursor *cursor, uint32_t at)
{
    bool is_ordinal = false;
    uint32_t next = day_at(cursor, at, &is_ordinal);
    if (next == 0) {
        return 0;
    }
    next = day_range(cursor, next);
    if (glance_mark(cursor, next, "-/.") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    if ((is_ordinal && cursor_is(cursor, next, "of")) || cursor_is(cursor, next, "de")
        || cursor_is(cursor, next, "di")) {
        next = glance_spaces(cursor, next + 1);
        is_ordinal = true;
    }
    if (month_at(cursor, next) == 0) {
        return 0;
    }
    const uint32_t end = year_tail(cursor, next + 1);
    if (end == next + 1 && !is_ordinal && is_verb(cursor, next, at)) {
        return 0;
    }
    return end;
}

/* Behind the day of "May 5": a time, a share or a thing counted makes it another number. */
static bool is_counted(struct cursor *cursor, uint32_t index)
{
    return glance_goes_on(cursor, index, ":.,") || plain_words_unit_follows(cursor, index);
}

/* "june fifteen": a number in words, and nothing that it counts. */
static uint32_t day_in_words(struct cursor *cursor, uint32_t index)
{
    uint32_t value = 0;
    if (number_words_year(cursor, index, &value) != 0) {
        return 0;
    }
    const uint32_t end = number_words_pair(cursor, index, &value);
    return end != 0 && value <= 31 && plain_words_sentence_follows(cursor, end) ? end : 0;
}

static uint32_t day_after_month(struct cursor *cursor, uint32_t index)
{
    bool is_ordinal = false;
    uint32_t next = index;
    if (cursor_is(cursor, next, "the")) {
        next = glance_spaces(cursor, next + 1);
    }
    const uint32_t day = day_at(cursor, next, &is_ordinal);
    if (day == 0 || (next != index && !is_ordinal)) {
        return next == index ? day_in_words(cursor, next) : 0;
    }
    const uint32_t last = day_range(cursor, day);
    const uint32_t end = year_tail(cursor, last);
    if (end != last || is_ordinal) {
        return end;
    }
    return is_counted(cursor, last) ? 0 : end;
}

/* "June 1998", "june of 1998", "Jun '98", "Feb-61". */
static uint32_t year_after_month(struct cursor *cursor, uint32_t at, uint32_t index)
{
    const uint32_t end = year_tail(cursor, at + 1);
    if (end != at + 1) {
        return end;
    }
    return index == at + 1 ? 0 : year_at(cursor, index);
}

static uint32_t month_first(struct cursor *cursor, uint32_t at, uint32_t month)
{
    if ((month & CALENDAR_AMBIGUOUS) && is_lower(cursor, at) && left_is(cursor, at, DATE_SUBJECT)) {
        return 0;
    }
    uint32_t next = at + 1;
    if ((month & CALENDAR_SHORT) && glance_mark(cursor, next, ".") != '\0') {
        next++;
    }
    if (glance_mark(cursor, next, "-/") != '\0') {
        next++;
    } else {
        next = glance_spaces(cursor, next);
    }
    const uint32_t end = next == at + 1 ? 0 : day_after_month(cursor, next);
    if (end != 0) {
        return end;
    }
    return month & CALENDAR_FOREIGN ? 0 : year_after_month(cursor, at, next);
}

/* ---- "the 14th", weekdays, holidays -------------------------------------------------------- */

/* An ordinal without a month: a day of this month where "on the" is in front and no noun follows.
 */
static uint32_t dangling_day(struct cursor *cursor, uint32_t at)
{
    bool is_ordinal = false;
    const uint32_t end = day_at(cursor, at, &is_ordinal);
    return end != 0 && is_ordinal && plain_words_sentence_follows(cursor, end)
                   && glance_mark(cursor, end, "-") == '\0'
               ? end
               : 0;
}

static uint32_t the_day(struct cursor *cursor, uint32_t at, bool after_weekday)
{
    const bool is_told = after_weekday || left_is(cursor, at, DATE_BEFORE)
                         || told_before(cursor, at, DATE_EVENT | DATE_BIRTH)
                         || weekday_before(cursor, at);
    if (!is_told) {
        return 0;
    }
    const uint32_t next = glance_spaces(cursor, at + 1);
    const uint32_t end = day_first(cursor, next);
    if (end != 0) {
        return end;
    }
    const bool may_dangle =
        after_weekday || left_is(cursor, at, DATE_DANGLING) || weekday_before(cursor, at);
    return may_dangle ? dangling_day(cursor, next) : 0;
}

/* "Tuesday, Nov 7", "Tues 11/7", "Tuesday the 14th". */
static uint32_t weekday_first(struct cursor *cursor, uint32_t at, uint32_t weekday)
{
    uint32_t next = at + 1;
    if ((weekday & CALENDAR_SHORT) && glance_mark(cursor, next, ".") != '\0') {
        next++;
    }
    if (glance_mark(cursor, next, ",") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    const struct lexeme *lexeme = next == at + 1 ? NULL : cursor_lexeme(cursor, next);
    if (!lexeme) {
        return 0;
    }
    if (lexeme->class == LEXEME_NUMBER) {
        const bool is_sure = !(weekday & CALENDAR_SHORT) || !is_lower(cursor, at);
        const uint32_t end = numbers(cursor, next, is_sure);
        return end != 0 ? end : day_first(cursor, next);
    }
    if (cursor_is(cursor, next, "the")) {
        return the_day(cursor, next, true);
    }
    const uint32_t month = month_at(cursor, next);
    return month != 0 ? month_first(cursor, next, month) : day_first(cursor, next);
}

/* "'s": the index after it, or the index itself. */
static uint32_t genitive(struct cursor *cursor, uint32_t index)
{
    return glance_mark(cursor, index, "'") != '\0' && cursor_is(cursor, index + 1, "s") ? index + 2
                                                                                        : index;
}

/* A holiday's year, or the word in front of it, makes it a day of someone's life. */
static uint32_t holiday_end(struct cursor *cursor, uint32_t at, uint32_t end)
{
    const uint32_t whole = year_tail(cursor, end);
    const uint32_t left = glance_left(cursor, at);
    const bool is_told = left != GLANCE_NOTHING && lexeme_is(&cursor->reading->view, left, "on");
    return whole != end || is_told ? whole : 0;
}

static uint32_t holiday_first(struct cursor *cursor, uint32_t at, uint32_t holiday)
{
    const uint32_t next = glance_spaces(cursor, genitive(cursor, at + 1));
    if (cursor_is(cursor, next, "day") || cursor_is(cursor, next, "eve")) {
        return holiday_end(cursor, at, next + 1);
    }
    return holiday & CALENDAR_HOLIDAY ? holiday_end(cursor, at, at + 1) : 0;
}

/* "[new] year's eve 2019": found from "year" on, so that no "new" is held back. */
static uint32_t new_year(struct cursor *cursor, uint32_t at)
{
    const uint32_t left = glance_left(cursor, at);
    if (left == GLANCE_NOTHING || !lexeme_is(&cursor->reading->view, left, "new")) {
        return 0;
    }
    const uint32_t next = glance_spaces(cursor, genitive(cursor, at + 1));
    if (!cursor_is(cursor, next, "day") && !cursor_is(cursor, next, "eve")) {
        return 0;
    }
    return holiday_end(cursor, left, next + 1);
}

/* ---- in one lexeme ------------------------------------------------------------------------- */

/* Digits from one byte on. */
static size_t digits_from(const char *text, size_t length, size_t from)
{
    size_t count = 0;
    while (from + count < length && text[from + count] >= '0' && text[from + count] <= '9') {
        count++;
    }
    return count;
}

/* "03jun2021", "june3rd", "jun2021", "20210603t101500z". */
static uint32_t joined(struct cursor *cursor, uint32_t at)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, at);
    if (!lexeme || lexeme->class != LEXEME_MIXED) {
        return 0;
    }
    const char *text = lexeme_text(&cursor->reading->view, at);
    const size_t length = lexeme->folded_bytes;
    const size_t front = digits_from(text, length, 0);
    if (front == 8 && length > front && text[front] == 't') {
        return at + 1;
    }
    size_t end = front;
    while (end < length && text[end] >= 'a' && text[end] <= 'z') {
        end++;
    }
    const bool is_month =
        word_table_find(&calendar_words, text + front, end - front) & CALENDAR_MONTH;
    const size_t back = digits_from(text, length, end);
    if (!is_month || front > 2 || back == 0 || back > 4) {
        return 0;
    }
    const bool is_ordinal = length == end + back + 2 && back <= 2;
    return length == end + back || is_ordinal ? year_tail(cursor, at + 1) : 0;
}

/* ---- detector ------------------------------------------------------------------------------ */

static uint32_t words_first(struct cursor *cursor, uint32_t at)
{
    const uint32_t found = glance_word(cursor, at, &calendar_words);
    if (found & CALENDAR_MONTH) {
        return month_first(cursor, at, found);
    }
    if (found & CALENDAR_WEEKDAY) {
        return weekday_first(cursor, at, found);
    }
    if (found & (CALENDAR_HOLIDAY | CALENDAR_HOLIDAY_HEAD)) {
        return holiday_first(cursor, at, found);
    }
    if (cursor_is(cursor, at, "the")) {
        return the_day(cursor, at, false);
    }
    if (cursor_is(cursor, at, "year") || cursor_is(cursor, at, "years")) {
        return new_year(cursor, at);
    }
    return glance_word(cursor, at, &number_words) != 0 ? day_first(cursor, at) : 0;
}

static uint32_t date_match(struct cursor *cursor, uint32_t at)
{
    if (glance_is_tail(cursor, at, "./-:$#")
        || (at > 0 && glance_mark(cursor, at - 1, "$#") != '\0')) {
        return 0;
    }
    if (cursor_is_class(cursor, at, LEXEME_WORD)) {
        return words_first(cursor, at);
    }
    uint32_t end = numbers(cursor, at, false);
    if (end == 0) {
        end = joined(cursor, at);
    }
    if (end == 0) {
        end = day_first(cursor, at);
    }
    return end != 0 ? end : spaced_numbers(cursor, at);
}

struct finding detect_date(const struct reading *reading)
{
    struct cursor cursor = {.reading = reading};
    const uint32_t at = reading->view.at;
    const struct lexeme *first = cursor_lexeme(&cursor, at);
    if (first && first->class != LEXEME_WORD && first->class != LEXEME_NUMBER
        && first->class != LEXEME_MIXED) {
        return (struct finding){.verdict = FINDING_NO};
    }
    const uint32_t date = first ? date_match(&cursor, at) : 0;
    if (date != 0 || cursor.is_starved) {
        return glance_finding(&cursor, date, POLICY_DATE);
    }
    const uint32_t age = first ? age_match(&cursor, at) : 0;
    return glance_finding(&cursor, age, POLICY_AGE90);
}
