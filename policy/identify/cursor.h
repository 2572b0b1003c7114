/* cursor.h - how a detector looks to the right of `at`. A look past what has arrived makes the
 * answer MORE, whatever else was found: so no answer depends on how the text was cut. A detector
 * therefore looks no further than it must. Looks to the left are free, CURSOR_LEFT lexemes at most.
 * No memory of its own; lives for one call of a detector. */
#pragma once
#include "policy/identify/detector.h"
#include "policy/identify/words/word_table.h"

enum {
    CURSOR_LEFT = 48, /* lexemes; below WINDOW_LEFT, so that every reading has them */
    CURSOR_CODE_BYTES = 80,
    CURSOR_GROUPS = 24
};

struct cursor {
    const struct reading *reading;
    bool is_starved; /* it wanted to know what has not arrived */
};

/* NULL: the text ends in front of it, or it has not arrived and the cursor is starved. */
static inline const struct lexeme *cursor_lexeme(struct cursor *cursor, uint32_t index)
{
    const struct window_view *view = &cursor->reading->view;
    if (index < view->count) {
        return &view->lexemes[index];
    }
    cursor->is_starved = cursor->is_starved || !cursor->reading->has_ended;
    return NULL;
}

/* The number of the lexeme's first row in the table, from 1 on; 0: its text is not in it. */
static inline uint32_t cursor_row(const struct window_view *view, uint32_t index,
                                  const struct word_table *words)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    return word_table_row(words, lexeme->hash, lexeme_text(view, index), lexeme->folded_bytes);
}

/* WORD, NUMBER or MIXED. */
static inline bool cursor_is_run(const struct lexeme *lexeme)
{
    return lexeme->class == LEXEME_WORD || lexeme->class == LEXEME_NUMBER
           || lexeme->class == LEXEME_MIXED;
}

/* Questions about one lexeme; false and starved where it has not arrived. */
static inline bool cursor_is(struct cursor *cursor, uint32_t index, const char *text)
{
    return cursor_lexeme(cursor, index) && lexeme_is(&cursor->reading->view, index, text);
}
bool cursor_is_any(struct cursor *cursor, uint32_t index, const struct word_table *words);
static inline bool cursor_is_alnum(struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    return lexeme && cursor_is_run(lexeme);
}
static inline bool cursor_is_class(struct cursor *cursor, uint32_t index, enum lexeme_class class)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    return lexeme && lexeme->class == class;
}
static inline bool cursor_is_blank(struct cursor *cursor, uint32_t index) /* or the end */
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    return !lexeme || lexeme->class == LEXEME_SPACE || lexeme->class == LEXEME_BREAK;
}

/* The character of a MARK, ' ' of a SPACE, '\n' of a BREAK; 0 for all else and at the end. */
static inline char cursor_mark(struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    return (char)(lexeme ? lexeme->mark : 0);
}
uint32_t cursor_skip_spaces(struct cursor *cursor, uint32_t index);

/* Looks to the left never starve; `index` itself is not looked at. False: nothing is there. */
static inline bool cursor_left(const struct cursor *cursor, uint32_t index, uint32_t *found)
{
    if (index == 0 || index + CURSOR_LEFT <= cursor->reading->view.at) {
        return false;
    }
    *found = index - 1;
    return true;
}
bool cursor_left_word(const struct cursor *cursor, uint32_t index, uint32_t *found); /* alnum */
bool cursor_touches_left(const struct cursor *cursor); /* a letter or digit directly before `at` */
char cursor_left_mark(const struct cursor *cursor, uint32_t index); /* directly before; or 0 */
bool cursor_left_is_any(const struct cursor *cursor, uint32_t index,
                        const struct word_table *words); /* of an index found to the left */

/* True if one of the words is among the last `looks` words to the left, in the same sentence. */
bool cursor_has_context(const struct cursor *cursor, const struct word_table *words,
                        uint32_t looks);

/* Letters and digits from one lexeme on, joined by single characters out of a set: "fzt-7462",
 * "451 73 4283". A space joins only in front of a lexeme with a digit. */
struct cursor_group {
    uint32_t end;   /* index after the group's lexeme */
    uint8_t length; /* bytes */
    uint8_t class;
    uint8_t letter_case;
    char joiner; /* in front of it; 0 for the first */
};
struct cursor_code {
    char text[CURSOR_CODE_BYTES + 1]; /* letters and digits alone, folded; ends with 0 */
    uint32_t length, digits, letters;
    uint32_t group_count, end;
    struct cursor_group groups[CURSOR_GROUPS];
    bool is_whole; /* nothing was left out for want of room */
};
/* False: no letter or digit is there. */
bool cursor_code(struct cursor *cursor, uint32_t index, const char *joiners,
                 struct cursor_code *out);

/* The answer, or MORE when starved. */
struct finding cursor_answer(const struct cursor *cursor, struct finding finding);

/* One way in which an identifier may begin at `at`. */
typedef struct finding (*cursor_step)(struct cursor *cursor, uint32_t at);

/* The answer of the first step that says yes or is starved. NULL ends the steps; NULL: none. */
struct finding cursor_first(const struct reading *reading, const cursor_step *steps);
