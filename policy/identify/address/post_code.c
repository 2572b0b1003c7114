/* post_code.c - see post_code.h. */
#include "policy/identify/address/post_code.h"

#include <string.h>

#include "policy/identify/words/glance.h"

/* Two letters that stand behind a number for something else: "B12 5mg", "1200 AM". */
static bool is_unit(const char *letters)
{
    static const char units[][3] = {"ad", "am", "bc", "ce", "cm", "dr", "ft", "hr", "kg",
                                    "lb", "mg", "ml", "mm", "mr", "ms", "nd", "no", "oz",
                                    "pm", "rd", "st", "th", "uk", "us", "wk", "yr"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (memcmp(units[i], letters, 2) == 0) {
            return true;
        }
    }
    return false;
}

/* The lexeme's letters and digits are as in the shape: A a letter, 9 a digit. */
static bool has_shape(struct cursor *cursor, uint32_t index, const char *shape)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    const size_t length = strlen(shape);
    if (!lexeme || lexeme->folded_bytes != length) {
        return false;
    }
    const char *text = lexeme_text(&cursor->reading->view, index);
    for (size_t i = 0; i < length; i++) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        const bool is_letter = text[i] >= 'a' && text[i] <= 'z';
        if (shape[i] == '9' ? !is_digit : !is_letter) {
            return false;
        }
    }
    return true;
}

static bool has_any_shape(struct cursor *cursor, uint32_t index, const char *const *shapes,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_shape(cursor, index, shapes[i])) {
            return true;
        }
    }
    return false;
}

/* SW1A 1AA; the last letters are never a unit ("B12 5mg"). */
static uint32_t british(struct cursor *cursor, uint32_t at)
{
    static const char *const outward[] = {"A9", "A99", "AA9", "AA99", "A9A", "AA9A"};
    if (!has_any_shape(cursor, at, outward, sizeof outward / sizeof outward[0])) {
        return 0;
    }
    const uint32_t next = glance_spaces(cursor, at + 1);
    if (next == at + 1 || !has_shape(cursor, next, "9AA")) {
        return 0;
    }
    const char *letters = lexeme_text(&cursor->reading->view, next) + 1;
    return is_unit(letters) || strchr("cikmov", letters[0]) || strchr("cikmov", letters[1])
               ? 0
               : next + 1;
}

/* K1A 0B1, K1A0B1, K1A-0B1. */
static uint32_t canadian(struct cursor *cursor, uint32_t at)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, at);
    if (strchr("dfioquwz", *lexeme_text(&cursor->reading->view, at))) {
        return 0;
    }
    if (has_shape(cursor, at, "A9A9A9")) {
        return lexeme->letter_case == CASE_UPPER ? at + 1 : 0;
    }
    if (!has_shape(cursor, at, "A9A")) {
        return 0;
    }
    const uint32_t next =
        glance_mark(cursor, at + 1, "-") != '\0' ? at + 2 : glance_spaces(cursor, at + 1);
    return next != at + 1 && has_shape(cursor, next, "9A9") ? next + 1 : 0;
}

/* 1012 AB, behind a comma or at the start of a line. */
static uint32_t dutch(struct cursor *cursor, uint32_t at)
{
    struct glance_digits digits;
    if (!glance_digits(cursor, at, &digits) || digits.count != 4 || digits.value < 1000) {
        return 0;
    }
    const uint32_t left = glance_left_on_line(cursor, at);
    if (left != GLANCE_NOTHING && !lexeme_is(&cursor->reading->view, left, ",")) {
        return 0;
    }
    const uint32_t next = glance_spaces(cursor, at + 1);
    const struct lexeme *letters = next == at + 1 ? NULL : cursor_lexeme(cursor, next);
    const bool is_code = letters && letters->class == LEXEME_WORD && letters->folded_bytes == 2
                         && letters->letter_case == CASE_UPPER
                         && !is_unit(lexeme_text(&cursor->reading->view, next));
    return is_code ? next + 1 : 0;
}

/* 00-950 Warszawa, 3610-114 Tiago: two groups, in front of a capital word or behind one. */
static uint32_t with_hyphen(struct cursor *cursor, uint32_t at)
{
    struct glance_digits front;
    struct glance_digits back;
    if (!glance_digits(cursor, at, &front) || (front.count != 2 && front.count != 4)
        || glance_mark(cursor, at + 1, "-") == '\0' || !glance_digits(cursor, at + 2, &back)
        || back.count != 3 || glance_goes_on(cursor, at + 3, "-./:,")) {
        return 0;
    }
    const uint32_t left = glance_left_on_line(cursor, at);
    if (front.count == 4 && left != GLANCE_NOTHING && glance_is_capital(cursor, left)) {
        return at + 3;
    }
    const bool opens = left == GLANCE_NOTHING || cursor_is(cursor, left, ",");
    const uint32_t next = glance_spaces(cursor, at + 3);
    return opens && next != at + 3 && glance_is_capital(cursor, next) ? at + 3 : 0;
}

uint32_t post_code_match(struct cursor *cursor, uint32_t at)
{
    if (cursor_is_class(cursor, at, LEXEME_NUMBER)) {
        const uint32_t hyphen = with_hyphen(cursor, at);
        return hyphen != 0 ? hyphen : dutch(cursor, at);
    }
    if (!cursor_is_class(cursor, at, LEXEME_MIXED)) {
        return 0;
    }
    const uint32_t end = british(cursor, at);
    return end != 0 ? end : canadian(cursor, at);
}
