#include "policy/identify/cursor.h"

#include <string.h>

const struct lexeme *cursor_lexeme(struct cursor *cursor, uint32_t index)
{
    const struct window_view *view = &cursor->reading->view;
    if (index < view->count) {
        return &view->lexemes[index];
    }
    cursor->is_starved = cursor->is_starved || !cursor->reading->has_ended;
    return NULL;
}

/* Most comparisons end with the first character: so no strlen. */
static bool is_same(const char *text, const char *folded, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        if (text[i] != folded[i]) {
            return false;
        }
    }
    return text[length] == 0;
}

static bool is_any(const struct window_view *view, uint32_t index, const char *const *texts,
                   size_t count)
{
    const char *folded = lexeme_text(view, index);
    const uint32_t length = view->lexemes[index].folded_bytes;
    for (size_t i = 0; i < count; i++) {
        if (is_same(texts[i], folded, length)) {
            return true;
        }
    }
    return false;
}

bool cursor_is(struct cursor *cursor, uint32_t index, const char *text)
{
    return cursor_is_any(cursor, index, &text, 1);
}

bool cursor_is_any(struct cursor *cursor, uint32_t index, const char *const *texts, size_t count)
{
    return cursor_lexeme(cursor, index) && is_any(&cursor->reading->view, index, texts, count);
}

bool cursor_left_is_any(const struct cursor *cursor, uint32_t index, const char *const *texts,
                        size_t count)
{
    return is_any(&cursor->reading->view, index, texts, count);
}

static bool is_alnum(const struct lexeme *lexeme)
{
    return lexeme->class == LEXEME_WORD || lexeme->class == LEXEME_NUMBER
           || lexeme->class == LEXEME_MIXED;
}

bool cursor_is_alnum(struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    return lexeme && is_alnum(lexeme);
}

bool cursor_is_class(struct cursor *cursor, uint32_t index, enum lexeme_class class)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    return lexeme && lexeme->class == class;
}

bool cursor_is_blank(struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    return !lexeme || lexeme->class == LEXEME_SPACE || lexeme->class == LEXEME_BREAK;
}

static char mark_of(const struct window_view *view, uint32_t index)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    switch ((enum lexeme_class)lexeme->class) {
    case LEXEME_SPACE:
        return ' ';
    case LEXEME_BREAK:
        return '\n';
    case LEXEME_MARK:
        return (char)(lexeme->folded_bytes == 1 ? *lexeme_text(view, index) : 0);
    case LEXEME_WORD:
    case LEXEME_NUMBER:
    case LEXEME_MIXED:
    case LEXEME_GLYPH:
        break;
    }
    return 0;
}

char cursor_mark(struct cursor *cursor, uint32_t index)
{
    return (char)(cursor_lexeme(cursor, index) ? mark_of(&cursor->reading->view, index) : 0);
}

uint32_t cursor_skip_spaces(struct cursor *cursor, uint32_t index)
{
    while (cursor_is_class(cursor, index, LEXEME_SPACE)) {
        index++;
    }
    return index;
}

bool cursor_left(const struct cursor *cursor, uint32_t index, uint32_t *found)
{
    const uint32_t at = cursor->reading->view.at;
    if (index == 0 || index + CURSOR_LEFT <= at) {
        return false;
    }
    *found = index - 1;
    return true;
}

bool cursor_left_word(const struct cursor *cursor, uint32_t index, uint32_t *found)
{
    while (cursor_left(cursor, index, &index)) {
        if (is_alnum(&cursor->reading->view.lexemes[index])) {
            *found = index;
            return true;
        }
    }
    return false;
}

bool cursor_left_dense(const struct cursor *cursor, uint32_t index, uint32_t *found)
{
    while (cursor_left(cursor, index, &index)) {
        if (cursor->reading->view.lexemes[index].class != LEXEME_SPACE) {
            *found = index;
            return true;
        }
    }
    return false;
}

char cursor_left_mark(const struct cursor *cursor, uint32_t index)
{
    uint32_t left = 0;
    return (char)(cursor_left(cursor, index, &left) ? mark_of(&cursor->reading->view, left) : 0);
}

bool cursor_touches_left(const struct cursor *cursor)
{
    uint32_t left = 0;
    return cursor_left(cursor, cursor->reading->view.at, &left)
           && is_alnum(&cursor->reading->view.lexemes[left]);
}

/* A full stop, question or exclamation mark with a blank behind it, or two line ends. */
static bool ends_sentence(const struct window_view *view, uint32_t index)
{
    const char mark = mark_of(view, index);
    const char next = (char)(index + 1 < view->at ? mark_of(view, index + 1) : 0);
    if (mark == '?' || mark == '!') {
        return true;
    }
    if (mark == '\n') {
        return next == '\n';
    }
    return mark == '.' && (next == ' ' || next == '\n') && index > 0
           && view->lexemes[index - 1].folded_bytes > 5; /* not "no.", "acct." */
}

bool cursor_has_context(const struct cursor *cursor, const char *const *texts, size_t count,
                        uint32_t words)
{
    const struct window_view *view = &cursor->reading->view;
    uint32_t index = view->at;
    while (words > 0 && cursor_left(cursor, index, &index)) {
        if (ends_sentence(view, index)) {
            return false;
        }
        if (!is_alnum(&view->lexemes[index])) {
            continue;
        }
        words--;
        if (is_any(view, index, texts, count)) {
            return true;
        }
    }
    return false;
}

static bool has_room(const struct cursor_code *code, const struct lexeme *lexeme)
{
    return code->group_count < CURSOR_GROUPS
           && code->length + lexeme->folded_bytes <= CURSOR_CODE_BYTES;
}

static void add_group(const struct window_view *view, uint32_t index, char joiner,
                      struct cursor_code *out)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    const char *text = lexeme_text(view, index);
    for (uint32_t i = 0; i < lexeme->folded_bytes; i++) {
        out->digits += text[i] >= '0' && text[i] <= '9';
    }
    memcpy(out->text + out->length, text, lexeme->folded_bytes);
    out->length += lexeme->folded_bytes;
    out->text[out->length] = 0;
    out->letters = out->length - out->digits;
    out->end = index + 1;
    out->groups[out->group_count++] = (struct cursor_group){.end = index + 1,
                                                            .length = lexeme->folded_bytes,
                                                            .class = lexeme->class,
                                                            .letter_case = lexeme->letter_case,
                                                            .joiner = joiner};
}

bool cursor_code(struct cursor *cursor, uint32_t index, const char *joiners,
                 struct cursor_code *out)
{
    const struct window_view *view = &cursor->reading->view;
    out->length = out->digits = out->letters = out->group_count = 0;
    out->end = index;
    out->text[0] = 0;
    out->is_whole = true;
    char joiner = 0;
    while (cursor_is_alnum(cursor, index)) {
        if (joiner == ' ' && view->lexemes[index].class == LEXEME_WORD) {
            break;
        }
        if (!has_room(out, &view->lexemes[index])) {
            out->is_whole = false;
            break;
        }
        add_group(view, index, joiner, out);
        joiner = cursor_mark(cursor, index + 1);
        if (joiner == 0 || !strchr(joiners, joiner)) {
            break;
        }
        index += 2;
    }
    return out->group_count > 0;
}

struct finding cursor_answer(const struct cursor *cursor, struct finding finding)
{
    return cursor->is_starved ? (struct finding){.verdict = FINDING_MORE} : finding;
}
