/* added_tokens.h - finds tokens that are taken out of the text before anything else looks at it:
 * leftmost first, longest first, as Hugging Face does. A special token is found only where every
 * byte is marked, and a match that begins in text of a user never takes the beginning of one away.
 * Immutable once sealed. */
#pragma once
#include "base/failure.h"
#include "model/tokenizer/marked_text.h"

struct added_token {
    char *text; /* what is looked for; owned, never empty */
    uint32_t length, id;
    bool is_special;
    bool is_single_word;            /* not where a word character touches it */
    bool strips_left, strips_right; /* takes the white space beside it along */
};

struct added_tokens {
    struct added_token *tokens; /* [count], sorted by text once sealed */
    uint32_t count, capacity;
    bool begins[256]; /* by byte: some token begins with it */
};

/* Copies text; an empty one is left out. STATUS_IO: no memory. */
MUST_CHECK enum status added_tokens_push(struct added_tokens *set, const struct added_token *token,
                                         const char *text, size_t length);
void added_tokens_seal(struct added_tokens *set); /* after the last push */
void added_tokens_destroy(struct added_tokens *set);

struct added_scan {
    const struct added_tokens *set;
    struct marked_span in;
    size_t at;      /* where the next search begins */
    size_t covered; /* how far pieces have been given */
    const struct added_token *found;
    size_t found_start, found_end;
};

struct added_piece {
    size_t start, end;
    const struct added_token *token; /* NULL: text */
};

/* The next stretch of text or token; false at the end. Start from {.set, .in}. */
bool added_scan_next(struct added_scan *scan, struct added_piece *out);
