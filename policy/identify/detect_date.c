/* detect_date.c - DATE: anything more exact than a year; AGE90: age.h. The grammar reads a date
 * from its first lexeme. Two numbers alone ("7/4") are a date only where the words in front say so,
 * because "7/10" is a score. A month that is another word too ("may", "march") needs more. */
#include "policy/identify/date/age.h"
#include "policy/identify/date/calendar.h"
#include "policy/identify/date/date_part.h"
#include "policy/identify/date/date_words.h"
#include "policy/identify/date/number_date.h"
#include "policy/identify/detector.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"
#include "policy/identify/words/plain_words.h"

/* ---- with a month's name ------------------------------------------------------------------- */

static bool is_lower(const struct cursor *cursor, uint32_t index)
{
    return cursor->reading->view.lexemes[index].letter_case == CASE_LOWER;
}

/* "14. May I ask": a number of a list, and a question. */
static bool is_question(struct cursor *cursor, uint32_t month)
{
    const uint32_t next = glance_spaces(cursor, month + 1);
    return cursor_is(cursor, month, "may") && next > month + 1
           && (cursor_is(cursor, next, "i") || cursor_is(cursor, next, "we"));
}

/* "5 may be", "2 march on": the month's name is a verb. */
static bool is_verb(struct cursor *cursor, uint32_t month, uint32_t at)
{
    if (is_question(cursor, month)) {
        return true;
    }
    if (!(date_part_month(cursor, month) & CALENDAR_AMBIGUOUS) || !is_lower(cursor, month)
        || date_words_before(cursor, at, DATE_BEFORE)
        || date_words_tell(cursor, at, DATE_EVENT | DATE_BIRTH)) {
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
    uint32_t next = date_part_day(cursor, at, &is_ordinal);
    if (next == 0) {
        return 0;
    }
    next = date_part_day_range(cursor, next);
    if (glance_mark(cursor, next, "-/.") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    if ((is_ordinal && cursor_is(cursor, next, "of")) || cursor_is(cursor, next, "de")
        || cursor_is(cursor, next, "di")) {
        next = glance_spaces(cursor, next + 1);
        is_ordinal = true;
    }
    if (date_part_month(cursor, next) == 0) {
        return 0;
    }
    const uint32_t end = date_part_year_tail(cursor, next + 1);
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
    const uint32_t day = date_part_day(cursor, next, &is_ordinal);
    if (day == 0 || (next != index && !is_ordinal)) {
        return next == index ? day_in_words(cursor, next) : 0;
    }
    const uint32_t last = date_part_day_range(cursor, day);
    const uint32_t end = date_part_year_tail(cursor, last);
    if (end != last || is_ordinal) {
        return end;
    }
    return is_counted(cursor, last) ? 0 : end;
}

/* "June 1998", "june of 1998", "Jun '98", "Feb-61". */
static uint32_t year_after_month(struct cursor *cursor, uint32_t at, uint32_t index)
{
    const uint32_t end = date_part_year_tail(cursor, at + 1);
    if (end != at + 1) {
        return end;
    }
    return index == at + 1 ? 0 : date_part_year(cursor, index);
}

static uint32_t month_first(struct cursor *cursor, uint32_t at, uint32_t month)
{
    if ((month & CALENDAR_AMBIGUOUS) && is_lower(cursor, at)
        && date_words_before(cursor, at, DATE_SUBJECT)) {
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
    const uint32_t end = date_part_day(cursor, at, &is_ordinal);
    return end != 0 && is_ordinal && plain_words_sentence_follows(cursor, end)
                   && glance_mark(cursor, end, "-") == '\0'
               ? end
               : 0;
}

static uint32_t the_day(struct cursor *cursor, uint32_t at, bool after_weekday)
{
    const bool is_told = after_weekday || date_words_before(cursor, at, DATE_BEFORE)
                         || date_words_tell(cursor, at, DATE_EVENT | DATE_BIRTH)
                         || date_words_weekday(cursor, at);
    if (!is_told) {
        return 0;
    }
    const uint32_t next = glance_spaces(cursor, at + 1);
    const uint32_t end = day_first(cursor, next);
    if (end != 0) {
        return end;
    }
    const bool may_dangle = after_weekday || date_words_before(cursor, at, DATE_DANGLING)
                            || date_words_weekday(cursor, at);
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
        const uint32_t end = number_date_match(cursor, next, is_sure);
        return end != 0 ? end : day_first(cursor, next);
    }
    if (cursor_is(cursor, next, "the")) {
        return the_day(cursor, next, true);
    }
    const uint32_t month = date_part_month(cursor, next);
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
    const uint32_t whole = date_part_year_tail(cursor, end);
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
    return length == end + back || is_ordinal ? date_part_year_tail(cursor, at + 1) : 0;
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
    uint32_t end = number_date_match(cursor, at, false);
    if (end == 0) {
        end = joined(cursor, at);
    }
    if (end == 0) {
        end = day_first(cursor, at);
    }
    return end != 0 ? end : number_date_spaced(cursor, at);
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
