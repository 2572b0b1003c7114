/* support_describe.h - lexemes of a text in one line, for tables: "WC:john S: ND:5". */
#pragma once
#include "policy/text/lexeme.h"

enum { DESCRIPTION_BYTES = 1 << 20 };

/* Per lexeme: its class (W N X M S B G), its case (- l C U M), `!` disguised, `+` cut, `?` invalid,
 * then `:` and the folded text unless it is a space or a break; lexemes are joined by one space.
 * sizes[i] bytes are fed at a time, in a circle; NULL: all at once. Checks after every feed that
 * the lexemes cover the text without a gap and that raw bytes are what was fed. */
void support_describe(const char *text, size_t length, const size_t *sizes, size_t size_count,
                      char out[DESCRIPTION_BYTES]);
