/* glance.c - see glance.h. */
#include "policy/identify/words/glance.h"

#include <string.h>

enum { QUOTES_MAX = 3, DIGITS_OF_VALUE = 9 };

static char plain_mark(const char *text, size_t length)
{
    if (length == 1) {
        return text[0];
    }
    if (length == 3 && memcmp(text, "\xE2\x80", 2) == 0) {
        const unsigned char last = (unsigned char)text[2];
        if (last >= 0x90 && last <= 0x95) {
            return '-'; /* U+2010 .. U+2015 */
        }
        return last == 0x98 || last == 0x99 ? '\'' : '\0';
    }
    return length == 3 && memcmp(text, "\xE2\x88\x92", 3) == 0 ? '-' : '\0'; /* minus */
}

static char mark_of(const struct window_view *view, uint32_t index, const char *marks)
{
    return glance_mark_of(&view->lexemes[index], lexeme_text(view, index), marks);
}

char glance_mark_of(const struct lexeme *lexeme, const char *text, const char *marks)
{
    if (lexeme->class != LEXEME_MARK) {
        return '\0';
    }
    const char mark = plain_mark(text, lexeme->folded_bytes);
    return mark != '\0' && strchr(marks, mark) ? mark : '\0';
}

bool glance_digits(struct cursor *cursor, uint32_t index, struct glance_digits *out)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    *out = (struct glance_digits){0};
    if (!lexeme || lexeme->class != LEXEME_NUMBER || lexeme->is_cut) {
        return false;
    }
    const char *text = lexeme_text(&cursor->reading->view, index);
    out->count = lexeme->folded_bytes;
    for (uint32_t i = 0; i < out->count && i < DIGITS_OF_VALUE; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false; /* digits that have no folded form */
        }
        out->value = out->value * 10 + (uint32_t)(text[i] - '0');
    }
    if (out->count > DIGITS_OF_VALUE) {
        out->value = UINT32_MAX;
    }
    return true;
}

bool glance_is_capital(struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    return lexeme && lexeme->class == LEXEME_WORD
           && (lexeme->letter_case == CASE_CAPITAL || lexeme->letter_case == CASE_UPPER
               || lexeme->letter_case == CASE_MIXED);
}

uint32_t glance_gap(struct cursor *cursor, uint32_t index)
{
    index = glance_spaces(cursor, index);
    if (!cursor_is_class(cursor, index, LEXEME_BREAK)) {
        return index;
    }
    index = glance_spaces(cursor, index + 1);
    /* a quoted mail, a list */
    for (uint32_t i = 0; i < QUOTES_MAX && glance_mark(cursor, index, ">|*?") != '\0'; i++) {
        index = glance_spaces(cursor, index + 1);
    }
    return index;
}

static uint32_t left_of(const struct cursor *cursor, uint32_t index, bool crosses_lines)
{
    const struct lexeme *lexemes = cursor->reading->view.lexemes;
    const uint32_t at = cursor->reading->view.at;
    const uint32_t bound = at > CURSOR_LEFT ? at - CURSOR_LEFT : 0;
    while (index > bound) {
        index--;
        if (lexemes[index].class == LEXEME_BREAK && !crosses_lines) {
            return GLANCE_NOTHING;
        }
        if (lexemes[index].class != LEXEME_SPACE && lexemes[index].class != LEXEME_BREAK) {
            return index;
        }
    }
    return GLANCE_NOTHING;
}

uint32_t glance_left(const struct cursor *cursor, uint32_t index)
{
    return left_of(cursor, index, true);
}

uint32_t glance_left_on_line(const struct cursor *cursor, uint32_t index)
{
    return left_of(cursor, index, false);
}

uint32_t glance_left_word(const struct cursor *cursor, uint32_t index,
                          const struct word_table *table)
{
    const uint32_t left = glance_left(cursor, index);
    return left == GLANCE_NOTHING ? 0 : glance_word_at(&cursor->reading->view, left, table);
}

uint32_t glance_left_tell(const struct cursor *cursor, uint32_t index,
                          const struct glance_tell *tell)
{
    const struct window_view *view = &cursor->reading->view;
    for (uint32_t i = 0; i < tell->looks; i++) {
        index = glance_left(cursor, index);
        if (index == GLANCE_NOTHING) {
            break;
        }
        const uint32_t found = glance_word_at(view, index, tell->table);
        if (found & tell->bits) {
            return index;
        }
        const bool is_mark = tell->marks ? glance_left_mark(cursor, index, tell->marks) != '\0'
                                         : view->lexemes[index].class == LEXEME_MARK;
        if (!(found & tell->links) && !is_mark) {
            break;
        }
    }
    return GLANCE_NOTHING;
}

static bool is_solid(const struct lexeme *lexeme)
{
    return lexeme->class == LEXEME_NUMBER || lexeme->class == LEXEME_MIXED;
}

bool glance_is_tail(const struct cursor *cursor, uint32_t index, const char *marks)
{
    const struct window_view *view = &cursor->reading->view;
    if (index > 0 && view->lexemes[index - 1].is_cut) {
        return true;
    }
    return index > 1 && mark_of(view, index - 1, marks) != '\0'
           && is_solid(&view->lexemes[index - 2]);
}

char glance_left_mark(const struct cursor *cursor, uint32_t index, const char *marks)
{
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
    if (lexeme->class != LEXEME_MARK || lexeme->folded_bytes != 1) {
        return '\0';
    }
    const char mark = *lexeme_text(&cursor->reading->view, index);
    return mark != '\0' && strchr(marks, mark) ? mark : '\0';
}

bool glance_goes_on(struct cursor *cursor, uint32_t index, const char *marks)
{
    const struct lexeme *touching = cursor_lexeme(cursor, index);
    if (!touching) {
        return false;
    }
    if (is_solid(touching)) {
        return true;
    }
    if (glance_mark(cursor, index, marks) == '\0') {
        return false;
    }
    const struct lexeme *next = cursor_lexeme(cursor, index + 1);
    return next && is_solid(next);
}

struct finding glance_finding(const struct cursor *cursor, uint32_t end, enum policy_kind kind)
{
    if (cursor->is_starved) {
        return (struct finding){.verdict = FINDING_MORE, .kind = kind};
    }
    if (end == 0) {
        return (struct finding){.verdict = FINDING_NO, .kind = kind};
    }
    return FINDING_IS(kind, end - cursor->reading->view.at);
}
