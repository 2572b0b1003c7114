/* street_abroad.c - see street_abroad.h. */
#include "policy/identify/address/street_abroad.h"

#include "policy/identify/address/street.h"
#include "policy/identify/address/street_unit.h"
#include "policy/identify/address/street_words.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/plain_words.h"

enum { HOUSE_DIGITS_MAX = 4, NAME_WORDS_MAX = 5, LOWER_WORDS_MAX = 3, CAPITAL_WORDS_MAX = 3 };

/* " 25", ", 12b", " 12-14" behind a name: the index after it; 0: none, or it counts something. */
static uint32_t house_behind(struct cursor *cursor, uint32_t index)
{
    uint32_t next = index;
    if (glance_mark(cursor, next, ",") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    if (cursor_is(cursor, next, "n") || cursor_is(cursor, next, "no")
        || cursor_is(cursor, next, "nr")) {
        next = glance_spaces(cursor, next + (glance_mark(cursor, next + 1, ".") != '\0' ? 2 : 1));
    }
    const struct lexeme *lexeme = next == index ? NULL : cursor_lexeme(cursor, next);
    if (!lexeme || lexeme->folded_bytes > HOUSE_DIGITS_MAX
        || (lexeme->class != LEXEME_NUMBER && lexeme->class != LEXEME_MIXED)) {
        return 0;
    }
    const char first = *lexeme_text(&cursor->reading->view, next);
    if (first < '0' || first > '9' || glance_goes_on(cursor, next + 1, ".:,")
        || plain_words_unit_follows(cursor, next + 1)) {
        return 0;
    }
    const bool is_range =
        glance_mark(cursor, next + 1, "-/") != '\0' && cursor_is_alnum(cursor, next + 2);
    return is_range ? next + 3 : next + 1;
}

/* The full stop that some languages write behind a house number belongs to it if more follows. */
static uint32_t with_unit(struct cursor *cursor, uint32_t end)
{
    const uint32_t stop = glance_mark(cursor, end, ".") != '\0' ? end + 1 : end;
    const uint32_t unit = street_unit(cursor, stop);
    return unit == stop ? end : unit;
}

/* The words of a name behind "rue": the index after them, 0: none. */
static uint32_t name_behind(struct cursor *cursor, uint32_t index, bool may_be_lower)
{
    uint32_t end = 0;
    uint32_t lower = 0;
    for (uint32_t i = 0; i < NAME_WORDS_MAX; i++) {
        const struct lexeme *lexeme = cursor_lexeme(cursor, index);
        if (!lexeme || lexeme->class != LEXEME_WORD) {
            break;
        }
        const uint32_t found = glance_word(cursor, index, &street_words);
        if (end != 0 && (found & STREET_UNIT)) {
            break;
        }
        if (lexeme->letter_case != CASE_LOWER) {
            end = index + 1;
        } else if (!(found & STREET_CONNECTOR)) {
            if (!may_be_lower || ++lower > LOWER_WORDS_MAX
                || glance_word(cursor, index, &plain_words_grammatical)
                || glance_word(cursor, index, &plain_words_unit)) {
                break;
            }
            end = index + 1;
        }
        uint32_t next = index + 1;
        if (glance_mark(cursor, next, "-'") != '\0') {
            next++;
        } else if (!cursor_is_class(cursor, next, LEXEME_SPACE)) {
            break;
        }
        index = glance_spaces(cursor, next);
    }
    return end;
}

/* "rue de Virton 38", "Calle Mayor 12", "ul. Grochowa 80". */
uint32_t street_abroad_prefixed(struct cursor *cursor, uint32_t index, bool has_house)
{
    if (cursor_is(cursor, index, "c") && glance_mark(cursor, index + 1, "/") != '\0') {
        const uint32_t calle = name_behind(cursor, glance_spaces(cursor, index + 2), false);
        const uint32_t last = calle == 0 ? 0 : house_behind(cursor, calle); /* "C/ Mayor 5" */
        return last == 0 ? 0 : with_unit(cursor, last);
    }
    if (!(glance_word(cursor, index, &street_words) & STREET_PREFIX)) {
        return 0;
    }
    const bool is_lower = !glance_is_capital(cursor, index);
    /* "via email 5": an English word, unless it opens an address */
    if (is_lower && !has_house && cursor_is(cursor, index, "via")) {
        return 0;
    }
    uint32_t next = index + 1;
    if (glance_mark(cursor, next, ".") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    const uint32_t name = next == index + 1 ? 0 : name_behind(cursor, next, is_lower || has_house);
    if (name == 0) {
        return 0;
    }
    const uint32_t end = house_behind(cursor, name);
    if (end != 0) {
        return with_unit(cursor, end);
    }
    const bool is_told = has_house || street_is_told(cursor, index);
    return is_told && (!is_lower || has_house) ? with_unit(cursor, name) : 0;
}

/* "Koskikatu 25". */
static uint32_t compound(struct cursor *cursor, uint32_t index, bool has_house)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    bool is_sure = false;
    if (!lexeme || lexeme->class != LEXEME_WORD
        || !street_words_is_compound(lexeme_text(&cursor->reading->view, index),
                                     lexeme->folded_bytes, &is_sure)) {
        return 0;
    }
    if (!is_sure && lexeme->letter_case == CASE_LOWER && !has_house
        && !street_is_told(cursor, index)) {
        return 0;
    }
    if (glance_mark(cursor, index + 1, ",") != '\0') { /* "Barlaan, 47": somebody's name */
        return 0;
    }
    const bool is_short = glance_mark(cursor, index + 1, ".") != '\0'; /* "Hauptstr. 5" */
    const uint32_t end = house_behind(cursor, is_short ? index + 2 : index + 1);
    return end == 0 ? 0 : with_unit(cursor, end);
}

/* "Lange Straße 4", "Kossuth Lajos utca 5", "Erzsébet tér 19.". */
static uint32_t separate(struct cursor *cursor, uint32_t index)
{
    if (glance_word(cursor, index, &plain_words_grammatical)
        || glance_word(cursor, index, &plain_words_following)) {
        return 0; /* a sentence's first word holds nothing back */
    }
    for (uint32_t i = 0; i < CAPITAL_WORDS_MAX; i++) {
        if (!glance_is_capital(cursor, index)
            || !cursor_is_class(cursor, index + 1, LEXEME_SPACE)) {
            return 0;
        }
        index = glance_spaces(cursor, index + 1);
        if (glance_word(cursor, index, &street_words) & STREET_SEPARATE) {
            const uint32_t stop =
                glance_mark(cursor, index + 1, ".") != '\0' ? index + 2 : index + 1;
            const uint32_t end = house_behind(cursor, stop);
            return end == 0 ? 0 : with_unit(cursor, end);
        }
    }
    return 0;
}

/* "Allika 46": capital words and a number, where a house number is in front or a place is told, and
 * a unit or that word shows that it is an address. */
static uint32_t bare(struct cursor *cursor, uint32_t index)
{
    uint32_t end = index;
    const bool is_told = street_is_told(cursor, index);
    for (uint32_t i = 0; i < CAPITAL_WORDS_MAX && glance_is_capital(cursor, end); i++) {
        const bool has_comma = glance_mark(cursor, end + 1, ",") != '\0';
        const uint32_t house = has_comma ? 0 : house_behind(cursor, end + 1);
        if (house != 0) {
            const uint32_t whole = with_unit(cursor, house);
            return is_told || whole != house ? whole : 0;
        }
        const bool is_joined = glance_mark(cursor, end + 1, "-") != '\0';
        end = is_joined ? end + 2 : glance_spaces(cursor, end + 1);
    }
    return 0;
}

uint32_t street_abroad(struct cursor *cursor, uint32_t index, bool has_house)
{
    uint32_t end = street_abroad_prefixed(cursor, index, has_house);
    if (end == 0) {
        end = compound(cursor, index, has_house);
    }
    if (end == 0) {
        end = separate(cursor, index);
    }
    if (end != 0) {
        return end;
    }
    const bool may_be_bare = has_house
                             || ((glance_left_word(cursor, index, &street_words) & STREET_ON)
                                 && street_is_told(cursor, index));
    return may_be_bare ? bare(cursor, index) : 0;
}
