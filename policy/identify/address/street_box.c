/* street_box.c - see street_box.h. */
#include "policy/identify/address/street_box.h"

#include <string.h>

#include "policy/identify/address/street.h"
#include "policy/identify/address/street_unit.h"
#include "policy/identify/address/street_words.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"
#include "policy/identify/words/plain_words.h"

enum { BOX = 1, POST = 2, RURAL = 4, MILITARY = 8, BASE = 16, REGION = 32, SHIP = 64 };

/* clang-format off */
static const struct word_entry entries[] = {
    {"aa", REGION}, {"ae", REGION}, {"ap", REGION}, {"apartado", POST}, {"apo", BASE}, {"box", BOX},
    {"cmr", MILITARY}, {"dpo", BASE}, {"fpo", BASE}, {"hc", RURAL}, {"p", POST}, {"po", POST},
    {"pob", POST}, {"pobox", POST}, {"post", POST}, {"postbox", POST}, {"postfach", POST},
    {"psc", MILITARY}, {"rfd", RURAL}, {"rr", RURAL}, {"rural", RURAL}, {"unit", MILITARY},
    {"uscgc", SHIP}, {"usns", SHIP}, {"usnv", SHIP}, {"uss", SHIP}, {"usv", SHIP},
};
/* clang-format on */
const struct word_table street_box_words = WORD_TABLE(entries);

enum { SIDE_WORDS_MAX = 4, BOX_DIGITS_MAX = 6 };

/* " 104", " #104", " no. 104". */
static uint32_t number_behind(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    uint32_t next = glance_spaces(cursor, index);
    if (glance_mark(cursor, next, "#:") != '\0') {
        next = glance_spaces(cursor, next + 1);
    }
    if (next == index) {
        return 0;
    }
    if (cursor_is_class(cursor, next, LEXEME_MIXED)) {
        return cursor_lexeme(cursor, next)->folded_bytes <= BOX_DIGITS_MAX ? next + 1 : 0;
    }
    return glance_digits(cursor, next, &digits) && digits.count <= BOX_DIGITS_MAX ? next + 1 : 0;
}

/* "box 104" from "box" on. */
static uint32_t box(struct cursor *cursor, uint32_t index)
{
    return glance_word(cursor, index, &street_box_words) & BOX ? number_behind(cursor, index + 1)
                                                               : 0;
}

/* "." and spaces. */
static uint32_t short_gap(struct cursor *cursor, uint32_t index)
{
    return glance_spaces(cursor, glance_mark(cursor, index, ".") != '\0' ? index + 1 : index);
}

/* "P.O. Box", "PO box", "POB", "post office box", "postbox". */
static uint32_t post_box(struct cursor *cursor, uint32_t at)
{
    uint32_t next = short_gap(cursor, at + 1);
    if (cursor_is(cursor, at, "p")) {
        if (next == at + 1 || !cursor_is(cursor, next, "o")) {
            return 0;
        }
        next = short_gap(cursor, next + 1);
        return box(cursor, next);
    }
    if (cursor_is(cursor, at, "post")) {
        if (next == at + 1 || !cursor_is(cursor, next, "office")) {
            return 0;
        }
        return box(cursor, glance_spaces(cursor, next + 1));
    }
    if (cursor_is(cursor, at, "po")) {
        return next == at + 1 ? 0 : box(cursor, next);
    }
    return number_behind(cursor, at + 1);
}

/* "RR 2 Box 15", "rural route 3". */
static uint32_t rural(struct cursor *cursor, uint32_t at)
{
    uint32_t route = at;
    if (cursor_is(cursor, at, "rural")) {
        route = glance_spaces(cursor, at + 1);
        if (!cursor_is(cursor, route, "route") && !cursor_is(cursor, route, "rt")) {
            return 0;
        }
    }
    const uint32_t end = number_behind(cursor, route + 1);
    if (end == 0) {
        return 0;
    }
    uint32_t next = end;
    if (glance_mark(cursor, next, ",") != '\0') {
        next++;
    }
    const uint32_t last = box(cursor, glance_spaces(cursor, next));
    return last != 0 ? last : (route == at ? 0 : end);
}

/* "\nAPO AA 61487" behind a military address; 0: none. */
static uint32_t base_behind(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    uint32_t next = index;
    if (glance_mark(cursor, next, ",") != '\0') {
        next++;
    }
    next = glance_gap(cursor, next);
    if (!(glance_word(cursor, next, &street_box_words) & BASE)) {
        return 0;
    }
    next++;
    if (glance_mark(cursor, next, ",") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    if (!(glance_word(cursor, next, &street_box_words) & REGION)) {
        return 0;
    }
    const uint32_t zip = glance_spaces(cursor, next + 1);
    if (!glance_digits(cursor, zip, &digits) || digits.count != 5) {
        return next + 1;
    }
    const bool has_four = glance_mark(cursor, zip + 1, "-") != '\0'
                          && glance_digits(cursor, zip + 2, &digits) && digits.count == 4;
    return has_four ? zip + 3 : zip + 1;
}

/* "PSC 3294, Box 9168 APO AA 61487", "Unit 4719 Box 7394". */
static uint32_t military(struct cursor *cursor, uint32_t at)
{
    const uint32_t unit = number_behind(cursor, at + 1);
    if (unit == 0) {
        return 0;
    }
    uint32_t next = unit;
    if (glance_mark(cursor, next, ",") != '\0') {
        next++;
    }
    const uint32_t last = box(cursor, glance_spaces(cursor, next));
    const uint32_t base = base_behind(cursor, last != 0 ? last : unit);
    return base != 0 ? base : last;
}

/* "USS Lorenzen FPO AE 25990". */
static uint32_t ship(struct cursor *cursor, uint32_t at)
{
    uint32_t next = at;
    for (uint32_t i = 0; i < 3; i++) {
        next = glance_spaces(cursor, next + 1);
        if (!cursor_is_class(cursor, next, LEXEME_WORD)) {
            return 0;
        }
        const uint32_t end = base_behind(cursor, next + 1);
        if (end != 0) {
            return end;
        }
    }
    return 0;
}

/* One of two streets at a corner: a house number or an ordinal, names, a number behind. */
static uint32_t side(struct cursor *cursor, uint32_t index, bool is_first)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < SIDE_WORDS_MAX + 1; i++) {
        const struct lexeme *lexeme = cursor_lexeme(cursor, index);
        if (!lexeme
            || (lexeme->class != LEXEME_WORD && lexeme->class != LEXEME_MIXED
                && lexeme->class != LEXEME_NUMBER)
            || cursor_is(cursor, index, "and")) {
            break;
        }
        const bool is_lower = lexeme->letter_case == CASE_LOWER && lexeme->class == LEXEME_WORD;
        const bool is_plain = glance_word(cursor, index, &plain_words_grammatical) != 0;
        const bool is_street =
            glance_word(cursor, index, &street_words) & (STREET_STRONG | STREET_WEAK);
        if (is_plain || (is_lower && i > 0 && !is_first && !is_street)) {
            break;
        }
        end = index + 1;
        const uint32_t stop = glance_mark(cursor, end, ".") != '\0' && is_first ? end + 1 : end;
        if (!cursor_is_class(cursor, stop, LEXEME_SPACE)) {
            break;
        }
        index = glance_spaces(cursor, stop);
    }
    return end;
}

/* "corner of" is in front, or "live near" in front of "12th". */
static bool is_corner_told(struct cursor *cursor, uint32_t at)
{
    uint32_t value = 0;
    const uint32_t of = glance_left(cursor, at);
    const struct window_view *view = &cursor->reading->view;
    if (of == GLANCE_NOTHING) {
        return false;
    }
    const uint32_t where = glance_left(cursor, of);
    if (lexeme_is(view, of, "of") && where != GLANCE_NOTHING) {
        return lexeme_is(view, where, "corner") || lexeme_is(view, where, "intersection");
    }
    return cursor_is_class(cursor, at, LEXEME_MIXED)
           && glance_left_word(cursor, at, &street_words) & STREET_ON && street_is_told(cursor, of)
           && number_words_ordinal(cursor, at, &value) != 0;
}

/* "5th and Main". */
static uint32_t corner(struct cursor *cursor, uint32_t at)
{
    if (!is_corner_told(cursor, at)) {
        return 0;
    }
    const uint32_t first = side(cursor, at, true);
    if (first == 0) {
        return 0;
    }
    const uint32_t and =
        glance_spaces(cursor, glance_mark(cursor, first, ".") != '\0' ? first + 1 : first);
    if (!cursor_is(cursor, and, "and") && !cursor_is(cursor, and, "&")) {
        return 0;
    }
    return side(cursor, glance_spaces(cursor, and+1), false);
}

uint32_t street_box_match(struct cursor *cursor, uint32_t at)
{
    const uint32_t found = glance_word(cursor, at, &street_box_words);
    uint32_t end = 0;
    if (found & POST) {
        end = post_box(cursor, at);
    } else if (found & RURAL) {
        end = rural(cursor, at);
    } else if (found & MILITARY) {
        end = military(cursor, at);
    } else if (found & SHIP) {
        end = ship(cursor, at);
    }
    if (end == 0) {
        return corner(cursor, at);
    }
    return found & POST ? street_unit(cursor, end) : end;
}
