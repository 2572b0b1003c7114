/* street_unit.c - see street_unit.h. */
#include "policy/identify/address/street_unit.h"

#include "policy/identify/address/street_words.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"

enum { UNITS_MAX = 3, NAME_BYTES_MAX = 6 };

/* "4b", "36", "b": what follows "apt". */
static bool is_unit_name(struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    if (!lexeme) {
        return false;
    }
    if (lexeme->class == LEXEME_NUMBER) {
        return lexeme->folded_bytes <= NAME_BYTES_MAX;
    }
    if (lexeme->class == LEXEME_MIXED) {
        return lexeme->folded_bytes <= NAME_BYTES_MAX + 1;
    }
    return lexeme->class == LEXEME_WORD && lexeme->folded_bytes == 1
           && lexeme_text(&cursor->reading->view, index)[0] != 'i';
}

/* "36", "4-b": the index after the name of a unit. */
static uint32_t unit_name(struct cursor *cursor, uint32_t index)
{
    if (!is_unit_name(cursor, index)) {
        return 0;
    }
    const bool has_more =
        glance_mark(cursor, index + 1, "-/") != '\0' && is_unit_name(cursor, index + 2);
    return has_more ? index + 3 : index + 1;
}

/* "apt. #36", "#313", "5th floor", "apt4b" from their first lexeme on; 0: none. */
static uint32_t one_unit(struct cursor *cursor, uint32_t index)
{
    uint32_t value = 0;
    if (cursor_is(cursor, index, "#")) {
        return unit_name(cursor, glance_spaces(cursor, index + 1));
    }
    if (!(glance_word(cursor, index, &street_words) & STREET_UNIT)) {
        const uint32_t end = cursor_is_class(cursor, index, LEXEME_MIXED)
                                 ? number_words_ordinal(cursor, index, &value)
                                 : 0;
        const uint32_t next = end == 0 ? 0 : glance_spaces(cursor, end);
        const bool is_floor =
            next > end && (cursor_is(cursor, next, "floor") || cursor_is(cursor, next, "fl"));
        return is_floor ? next + 1 : 0;
    }
    uint32_t next = index + 1;
    if (glance_mark(cursor, next, ".") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    if (glance_mark(cursor, next, "#") != '\0') {
        next = glance_spaces(cursor, next + 1);
    }
    return next == index + 1 ? 0 : unit_name(cursor, next);
}

uint32_t street_unit(struct cursor *cursor, uint32_t index)
{
    for (uint32_t i = 0; i < UNITS_MAX; i++) {
        uint32_t next = glance_spaces(cursor, index);
        if (glance_mark(cursor, next, ",") != '\0') {
            next++;
        }
        const uint32_t end = one_unit(cursor, glance_gap(cursor, next));
        if (end == 0) {
            break;
        }
        index = end;
    }
    return index;
}
