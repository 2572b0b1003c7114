/* street.c - see street.h. A house number is any number: what follows decides, so that "3 kids on
 * the way" is none. Words in lower case need more: no word of grammar or counting between, and a
 * longer number, a word like "live" in front or a unit behind. */
#include "policy/identify/address/street.h"

#include <string.h>

#include "policy/identify/address/street_abroad.h"
#include "policy/identify/address/street_unit.h"
#include "policy/identify/address/street_words.h"
#include "policy/identify/date/calendar.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"
#include "policy/identify/words/plain_words.h"

enum {
    HOUSE_DIGITS_MAX = 6,
    NAME_WORDS_MAX = 6,
    LOWER_WORDS_MAX = 4,
    LOWER_WORDS_WEAK = 2, /* in front of "place", without another sign */
    WHERE_WORDS = 6,
    FREQUENT = 10 /* class of the lexicon: "people", "time" */
};

struct naming {      /* what is known while the words of a name are read */
    uint32_t digits; /* of the house number; 0: there is none */
    bool is_told;    /* street_is_told */
    bool is_strict;  /* suffixes that are everyday words do not count */
    uint32_t words, lower;
};

bool street_is_told(const struct cursor *cursor, uint32_t at)
{
    uint32_t left = at;
    for (uint32_t i = 0; i < WHERE_WORDS; i++) {
        const uint32_t found = glance_left_word(cursor, left, &street_words);
        if (found & STREET_WHERE) {
            return true;
        }
        left = glance_left(cursor, left);
        if (left == GLANCE_NOTHING || lexeme_is(&cursor->reading->view, left, ".")
            || lexeme_is(&cursor->reading->view, left, "?")) {
            return false;
        }
    }
    return false;
}

/* ---- the name ------------------------------------------------------------------------------ */

/* 221, 12b, 12-14, 221 1/2; 0: none. */
static uint32_t house_number(struct cursor *cursor, uint32_t at, uint32_t *digits)
{
    struct glance_digits number;
    struct glance_digits part;
    if (cursor_is_class(cursor, at, LEXEME_MIXED)) {
        const struct lexeme *lexeme = cursor_lexeme(cursor, at);
        const char *text = lexeme_text(&cursor->reading->view, at);
        *digits = (uint32_t)lexeme->folded_bytes - 1;
        for (uint32_t i = 0; i < *digits; i++) {
            if (text[i] < '0' || text[i] > '9') {
                return 0;
            }
        }
        return *digits <= HOUSE_DIGITS_MAX ? at + 1 : 0;
    }
    if (!glance_digits(cursor, at, &number) || number.count > HOUSE_DIGITS_MAX) {
        return 0;
    }
    *digits = number.count;
    if (glance_mark(cursor, at + 1, "-") != '\0' && glance_digits(cursor, at + 2, &part)) {
        return at + 3;
    }
    const bool has_fraction = cursor_is_class(cursor, at + 1, LEXEME_SPACE)
                              && glance_digits(cursor, at + 2, &part) && part.count == 1
                              && glance_mark(cursor, at + 3, "/") != '\0'
                              && glance_digits(cursor, at + 4, &part);
    return has_fraction ? at + 5 : at + 1;
}

/* A frequent word that no street is named after. */
static bool is_frequent(const struct cursor *cursor, const struct lexeme *lexeme)
{
    const struct lexicon *lexicon = cursor->reading->terms->lexicon;
    return lexicon && lexeme->word != 0 && lexicon_entry(lexicon, lexeme->word)->word >= FREQUENT;
}

WORD_LIST(openings, "st", "san", "santa", "el", "la", "las", "los");

/* May the lexeme be a word of a street's name? Counts it. */
static bool take_name_word(struct cursor *cursor, uint32_t index, struct naming *naming)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    uint32_t value = 0;
    if (!lexeme) {
        return false;
    }
    if (lexeme->class == LEXEME_MIXED) {
        naming->words++;
        return number_words_ordinal(cursor, index, &value) != 0;
    }
    if (lexeme->class != LEXEME_WORD) {
        return false;
    }
    const uint32_t found = glance_word(cursor, index, &street_words);
    const bool is_lower = lexeme->letter_case == CASE_LOWER;
    if (glance_word(cursor, index, &plain_words_unit)) {
        return false;
    }
    if ((found & STREET_CONNECTOR) && is_lower) {
        return naming->words > 0 || cursor_is_any(cursor, index, &openings);
    }
    if (glance_word(cursor, index, &plain_words_grammatical) && (is_lower || naming->words == 0)
        && !(found & (STREET_COMMON | STREET_DIRECTION))) {
        return false;
    }
    if (is_lower && !(found & (STREET_COMMON | STREET_DIRECTION | STREET_STRONG | STREET_WEAK))
        && is_frequent(cursor, lexeme)) {
        return false;
    }
    naming->words++;
    naming->lower += is_lower;
    return naming->lower <= LOWER_WORDS_MAX && naming->words <= NAME_WORDS_MAX;
}

/* Does a suffix at index end a street's name? */
static bool is_suffix(struct cursor *cursor, uint32_t index, const struct naming *naming)
{
    const uint32_t found = glance_word(cursor, index, &street_words);
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    if (!(found & (STREET_STRONG | STREET_WEAK)) || naming->words == 0) {
        return false;
    }
    const bool is_strong = (found & STREET_STRONG) != 0;
    if (naming->is_strict && !is_strong) {
        return false;
    }
    if (lexeme->letter_case != CASE_LOWER) {
        return naming->lower == 0; /* "34 saw Dr" */
    }
    if (naming->digits == 0) {
        return naming->is_told;
    }
    if (is_strong) {
        return naming->digits >= 2 || naming->is_told;
    }
    return naming->digits >= 3 || naming->is_told || street_unit(cursor, index + 1) != index + 1;
}

/* Between two words of a name: a space, a hyphen, a full stop and a space; 0: the name ends. */
static uint32_t name_gap(struct cursor *cursor, uint32_t index)
{
    if (glance_mark(cursor, index, "-") != '\0') {
        return index + 1;
    }
    if (glance_mark(cursor, index, "'") != '\0' && cursor_is(cursor, index + 1, "s")) {
        index += 2;
    }
    if (glance_mark(cursor, index, ",") != '\0') { /* "King, Jr. Blvd" */
        const uint32_t junior = glance_spaces(cursor, index + 1);
        return cursor_is(cursor, junior, "jr") || cursor_is(cursor, junior, "sr") ? junior : 0;
    }
    const bool is_short = glance_mark(cursor, index, ".") != '\0' && index > 0
                          && cursor->reading->view.lexemes[index - 1].folded_bytes <= 2;
    const uint32_t next = is_short ? index + 1 : index;
    return cursor_is_class(cursor, next, LEXEME_SPACE) ? glance_spaces(cursor, next) : 0;
}

/* Behind a suffix: its full stop, and a direction ("St. NW"). */
static uint32_t suffix_tail(struct cursor *cursor, uint32_t index)
{
    const bool is_short = cursor->reading->view.lexemes[index - 1].folded_bytes <= 4;
    uint32_t end = index;
    if (is_short && glance_mark(cursor, index, ".") != '\0') {
        end++;
    }
    const uint32_t next = glance_spaces(cursor, end);
    const bool has_direction = next != end
                               && (glance_word(cursor, next, &street_words) & STREET_DIRECTION)
                               && (glance_is_capital(cursor, next)
                                   || cursor->reading->view.lexemes[next].folded_bytes == 2);
    if (has_direction) {
        return next + 1;
    }
    /* the stop is the sentence's unless something of the address follows it */
    return end != index && street_unit(cursor, end) != end ? end : index;
}

/* Suffixes that follow the first ("Park Avenue", "Mill Creek Dr"). */
static uint32_t more_suffixes(struct cursor *cursor, uint32_t end, struct naming *naming)
{
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t next = name_gap(cursor, end);
        if (next == 0) {
            break;
        }
        const bool is_same =
            cursor_lexeme(cursor, next)
            && (cursor_lexeme(cursor, next)->letter_case == CASE_LOWER)
                   == (cursor->reading->view.lexemes[end - 1].letter_case == CASE_LOWER);
        if (!is_same || !is_suffix(cursor, next, naming)) {
            break;
        }
        end = next + 1;
    }
    return end;
}

/* The words of a name up to its last suffix, with what follows it. */
static uint32_t named(struct cursor *cursor, uint32_t index, struct naming *naming)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < NAME_WORDS_MAX + 3; i++) {
        if (best != 0 && !glance_is_capital(cursor, index)) {
            break;
        }
        if (is_suffix(cursor, index, naming)) {
            best = more_suffixes(cursor, index + 1, naming);
            if (glance_word(cursor, index, &street_words) & STREET_STRONG || best != index + 1) {
                break;
            }
        }
        if (!take_name_word(cursor, index, naming)) {
            break;
        }
        index = name_gap(cursor, index + 1);
        if (index == 0) {
            break;
        }
    }
    return best == 0 ? 0 : street_unit(cursor, suffix_tail(cursor, best));
}

WORD_LIST(fronts, "us", "state", "county", "old", "farm", "n", "s", "e", "w", "north", "south",
          "east", "west");

/* "Highway 61", "County Road 12", "N State Route 9". */
static uint32_t numbered(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    for (uint32_t i = 0; i < 4; i++) {
        const bool is_road = (glance_word(cursor, index, &street_words) & STREET_NUMBERED) != 0;
        const uint32_t next = glance_spaces(cursor, index + 1);
        if (is_road && next > index + 1 && glance_digits(cursor, next, &digits)
            && digits.count <= 4) {
            return street_unit(cursor, next + 1);
        }
        if (!cursor_is_any(cursor, index, &fronts) || next == index + 1) {
            return 0;
        }
        index = next;
    }
    return 0;
}

/* "Broadway" and "Avenue A" behind a house number. */
static uint32_t whole(struct cursor *cursor, uint32_t index)
{
    if (glance_word(cursor, index, &street_words) & STREET_WHOLE) {
        return street_unit(cursor, suffix_tail(cursor, index + 1));
    }
    if (!cursor_is(cursor, index, "avenue")) {
        return 0;
    }
    const uint32_t next = glance_spaces(cursor, index + 1);
    const struct lexeme *letter = next == index + 1 ? NULL : cursor_lexeme(cursor, next);
    return letter && letter->class == LEXEME_WORD && letter->folded_bytes == 1
                   && letter->letter_case == CASE_UPPER
               ? street_unit(cursor, next + 1)
               : 0;
}

/* "in 2019": a year, so that "in 2019 Park Hill fell" is no address. */
static bool is_year_told(struct cursor *cursor, uint32_t at)
{
    struct glance_digits digits;
    const uint32_t left = glance_left(cursor, at);
    if (!glance_digits(cursor, at, &digits) || !calendar_is_year(&digits)
        || left == GLANCE_NOTHING) {
        return false;
    }
    const struct window_view *view = &cursor->reading->view;
    return lexeme_is(view, left, "in") || lexeme_is(view, left, "since")
           || lexeme_is(view, left, "until") || lexeme_is(view, left, "during");
}

static uint32_t with_house(struct cursor *cursor, uint32_t at)
{
    struct naming naming = {0};
    const uint32_t house = house_number(cursor, at, &naming.digits);
    if (house == 0) {
        return 0;
    }
    uint32_t name = glance_spaces(cursor, house);
    if (name == house) {
        const bool has_comma = glance_mark(cursor, house, ",") != '\0';
        name = has_comma ? glance_spaces(cursor, house + 1) : house;
        return name > house + 1 ? street_abroad_prefixed(cursor, name, true) : 0;
    }
    uint32_t second = 0; /* "Flat 3 12 Oak St" */
    if (cursor_is_class(cursor, name, LEXEME_NUMBER)) {
        second = house_number(cursor, name, &naming.digits);
        name = second == 0 ? name : glance_spaces(cursor, second);
    }
    if (!cursor_is_class(cursor, name, LEXEME_WORD)
        && !cursor_is_class(cursor, name, LEXEME_MIXED)) {
        return 0;
    }
    naming.is_told = street_is_told(cursor, at);
    naming.is_strict = is_year_told(cursor, at);
    uint32_t end = whole(cursor, name);
    if (end == 0) {
        end = numbered(cursor, name);
    }
    if (end == 0) {
        end = street_abroad(cursor, name, true);
    }
    return end != 0 ? end : named(cursor, name, &naming);
}

WORD_LIST(known, "wall", "sesame", "easy", "fleet");

/* Without a house number: "5th Street", "lives on Maple Avenue". */
static uint32_t without_house(struct cursor *cursor, uint32_t at)
{
    struct naming naming = {.is_strict = true};
    uint32_t value = 0;
    const bool is_ordinal =
        cursor_is_class(cursor, at, LEXEME_MIXED) && number_words_ordinal(cursor, at, &value) != 0;
    if (is_ordinal) {
        naming.is_told = true;
        return named(cursor, at, &naming);
    }
    if (!(glance_left_word(cursor, at, &street_words) & STREET_ON)) {
        return 0;
    }
    naming.is_told = street_is_told(cursor, glance_left(cursor, at));
    const bool is_open = glance_is_capital(cursor, at) && !cursor_is_any(cursor, at, &known);
    return naming.is_told || is_open ? named(cursor, at, &naming) : 0;
}

/* "One Microsoft Way". */
static uint32_t with_house_in_words(struct cursor *cursor, uint32_t at)
{
    struct naming naming = {.digits = 1};
    uint32_t value = 0;
    const bool is_house = glance_is_capital(cursor, at) && number_words_digit(cursor, at, &value)
                          && cursor->reading->view.lexemes[at].folded_bytes > 2;
    const uint32_t name = is_house ? glance_spaces(cursor, at + 1) : 0;
    return name > at + 1 && glance_is_capital(cursor, name) ? named(cursor, name, &naming) : 0;
}

/* "Apt. 675, 62314 Mellemvej 32", "Flat 3, 10 Downing Street"; a unit that is a line by itself. */
static uint32_t with_unit_in_front(struct cursor *cursor, uint32_t at)
{
    if (!(glance_word(cursor, at, &street_words) & STREET_UNIT)) {
        return 0;
    }
    const uint32_t unit = street_unit(cursor, at);
    if (unit == at) {
        return 0;
    }
    const bool has_comma = glance_mark(cursor, unit, ",") != '\0';
    const uint32_t next = glance_spaces(cursor, has_comma ? unit + 1 : unit);
    const bool is_house = next != unit && cursor_is_class(cursor, next, LEXEME_NUMBER);
    const uint32_t end = is_house ? with_house(cursor, next) : 0;
    if (end != 0) {
        return end;
    }
    const uint32_t left = glance_left_on_line(cursor, at);
    const bool opens = at > 0 && (left == GLANCE_NOTHING || glance_mark(cursor, left, ">|*?"));
    const struct lexeme *behind = opens ? cursor_lexeme(cursor, unit) : NULL;
    return behind && behind->class == LEXEME_BREAK ? unit : 0;
}

uint32_t street_match(struct cursor *cursor, uint32_t at)
{
    const bool is_word = cursor_is_class(cursor, at, LEXEME_WORD);
    uint32_t end = is_word ? with_unit_in_front(cursor, at) : with_house(cursor, at);
    if (end == 0 && is_word) {
        end = with_house_in_words(cursor, at);
    }
    return end != 0 ? end : without_house(cursor, at);
}
