/* glance.h - what grammars of dates, phones and addresses ask of a cursor beyond cursor.h: tables
 * of words, numbers, the words on the left. A match function takes the index it begins at and
 * returns the index after it, 0 for no match. Pure. */
#pragma once
#include "policy/identify/cursor.h"
#include "policy/identify/words/word_table.h"

struct glance_digits { /* of a NUMBER */
    uint32_t value;    /* of at most nine digits; of more: UINT32_MAX */
    uint32_t count;
};

#define GLANCE_NOTHING UINT32_MAX /* no lexeme on the left */

/* The mark, if it is one of these (dashes count as '-', curly quotes as '\''); else 0. */
char glance_mark_of(const struct lexeme *lexeme, const char *text, const char *marks);
static inline char glance_mark(struct cursor *cursor, uint32_t index, const char *marks)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    if (!lexeme || lexeme->class != LEXEME_MARK) {
        return '\0';
    }
    return glance_mark_of(lexeme, lexeme_text(&cursor->reading->view, index), marks);
}
bool glance_digits(struct cursor *cursor, uint32_t index, struct glance_digits *out);
/* The value of a WORD or MIXED, 0: not in the table. */
static inline uint32_t glance_word_at(const struct window_view *view, uint32_t index,
                                      const struct word_table *table)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    if (lexeme->class != LEXEME_WORD && lexeme->class != LEXEME_MIXED) {
        return 0;
    }
    return word_table_value(table, lexeme->hash, lexeme_text(view, index), lexeme->folded_bytes);
}
static inline uint32_t glance_word(struct cursor *cursor, uint32_t index,
                                   const struct word_table *table)
{
    return cursor_lexeme(cursor, index) ? glance_word_at(&cursor->reading->view, index, table) : 0;
}
bool glance_is_capital(struct cursor *cursor, uint32_t index); /* Name or NAME */

enum { GLANCE_SPACES_MAX = 8 };
static inline uint32_t glance_spaces(struct cursor *cursor, uint32_t index) /* the index after */
{
    for (uint32_t i = 0; i < GLANCE_SPACES_MAX && cursor_is_class(cursor, index, LEXEME_SPACE);
         i++) {
        index++;
    }
    return index;
}
uint32_t glance_gap(struct cursor *cursor, uint32_t index); /* and one line end, quoted or not */

/* The nearest lexeme on the left that is no space (and no line end). */
uint32_t glance_left(const struct cursor *cursor, uint32_t index);
uint32_t glance_left_on_line(const struct cursor *cursor, uint32_t index);
uint32_t glance_left_word(const struct cursor *cursor, uint32_t index,
                          const struct word_table *table);

struct glance_tell {
    const struct word_table *table;
    uint32_t bits, links; /* of the word that tells, of words that may stand behind it */
    uint32_t looks;       /* lexemes, spaces and line ends not counted */
    const char *marks;    /* that may stand behind it; NULL: any */
};
/* The nearest word on the left with one of the bits, with nothing between but links and marks. */
uint32_t glance_left_tell(const struct cursor *cursor, uint32_t index,
                          const struct glance_tell *tell);

/* The mark at an index that a look to the left found, if it is one of these; else 0. */
char glance_left_mark(const struct cursor *cursor, uint32_t index, const char *marks);

/* The lexeme is the tail of something longer: a digit or letter and one of the marks touch it. */
bool glance_is_tail(const struct cursor *cursor, uint32_t index, const char *marks);
/* Behind index - 1 something goes on without a space: one of the marks and a letter or digit. */
bool glance_goes_on(struct cursor *cursor, uint32_t index, const char *marks);

/* The finding from the first open lexeme up to end; end 0: none. */
struct finding glance_finding(const struct cursor *cursor, uint32_t end, enum policy_kind kind);
