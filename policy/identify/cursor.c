#include "policy/identify/cursor.h"

#include <string.h>

bool cursor_is_any(struct cursor *cursor, uint32_t index, const struct word_table *words)
{
    return cursor_lexeme(cursor, index) && cursor_row(&cursor->reading->view, index, words) != 0;
}

bool cursor_left_is_any(const struct cursor *cursor, uint32_t index, const struct word_table *words)
{
    return cursor_row(&cursor->reading->view, index, words) != 0;
}

uint32_t cursor_skip_spaces(struct cursor *cursor, uint32_t index)
{
    while (cursor_is_class(cursor, index, LEXEME_SPACE)) {
        index++;
    }
    return index;
}

bool cursor_left_word(const struct cursor *cursor, uint32_t index, uint32_t *found)
{
    while (cursor_left(cursor, index, &index)) {
        if (cursor_is_run(&cursor->reading->view.lexemes[index])) {
            *found = index;
            return true;
        }
    }
    return false;
}

char cursor_left_mark(const struct cursor *cursor, uint32_t index)
{
    uint32_t left = 0;
    return (char)(cursor_left(cursor, index, &left) ? cursor->reading->view.lexemes[left].mark : 0);
}

bool cursor_touches_left(const struct cursor *cursor)
{
    uint32_t left = 0;
    return cursor_left(cursor, cursor->reading->view.at, &left)
           && cursor_is_run(&cursor->reading->view.lexemes[left]);
}

/* A full stop, question or exclamation mark with a blank behind it, or two line ends. */
static bool ends_sentence(const struct window_view *view, uint32_t index)
{
    const char mark = view->lexemes[index].mark;
    const char next = (char)(index + 1 < view->at ? view->lexemes[index + 1].mark : 0);
    if (mark == '?' || mark == '!') {
        return true;
    }
    if (mark == '\n') {
        return next == '\n';
    }
    return mark == '.' && (next == ' ' || next == '\n') && index > 0
           && view->lexemes[index - 1].folded_bytes > 5; /* not "no.", "acct." */
}

bool cursor_has_context(const struct cursor *cursor, const struct word_table *words, uint32_t looks)
{
    const struct window_view *view = &cursor->reading->view;
    uint32_t index = view->at;
    while (looks > 0 && cursor_left(cursor, index, &index)) {
        if (ends_sentence(view, index)) {
            return false;
        }
        if (!cursor_is_run(&view->lexemes[index])) {
            continue;
        }
        looks--;
        if (cursor_row(view, index, words) != 0) {
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

struct finding cursor_first(const struct reading *reading, const cursor_step *steps)
{
    struct cursor cursor = {.reading = reading};
    for (; steps && *steps; steps++) {
        const struct finding finding = (*steps)(&cursor, reading->view.at);
        if (finding.verdict == FINDING_YES || cursor.is_starved) {
            return cursor_answer(&cursor, finding);
        }
    }
    return (struct finding){.verdict = FINDING_NO};
}
