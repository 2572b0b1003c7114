/* symbol_reader.h - lexemes as the symbols that phrases of resources are made of: words, runs of
 * letters, single digits. What may stand between two of them is skipped: spaces, one line end,
 * marks of emphasis and quotation, "and", "the". A cursor on a view; no memory. */
#pragma once
#include "policy/text/lexeme.h"

struct symbol_reader {
    const struct window_view *view;
    uint32_t index;  /* the lexeme that is read next */
    uint32_t offset; /* in its folded text */
    bool has_begun;
};

enum symbol_step {
    SYMBOL_READ,
    SYMBOL_MORE, /* the view ends, the text may go on */
    SYMBOL_END   /* nothing follows that could belong to a phrase */
};

struct symbol {
    const char *text; /* folded; not NUL-terminated */
    size_t length;
    uint32_t lexeme;   /* its index */
    bool ends_lexeme;  /* and not in the middle of a run */
    bool has_gap;      /* something was skipped in front of it, */
    bool is_gap_plain; /* which may stand inside a number: spaces, "-", ".", brackets */
};

enum symbol_step symbol_reader_next(struct symbol_reader *reader, bool has_ended,
                                    struct symbol *out);

/* A hyphen or dash of any kind. */
bool symbol_reader_is_dash(const struct window_view *view, uint32_t index);
