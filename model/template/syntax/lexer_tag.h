/* lexer_tag.h - the tokens inside {{ }} and {% %}: for lexer.c alone. */
#pragma once
#include "model/template/syntax/lexer.h"

struct token lexer_tag_next(struct lexer *lexer);

/* ---- of lexer.c ----------------------------------------------------------------------------- */

void lexer_advance(struct lexer *lexer, size_t to); /* counts lines */
bool lexer_sees(const struct lexer *lexer, size_t at, const char *literal);
size_t lexer_skip_space(const struct lexer *lexer, size_t at);
void lexer_leave_tag(struct lexer *lexer, size_t close, char sign, bool trims_newline);
