/* lexer.h - template source to tokens, one at a time, as Jinja2 does with trim_blocks and
 * lstrip_blocks: what whitespace control takes away never becomes a token, and a raw block is text.
 * The source is borrowed, valid UTF-8, its line ends are \n. Threads: one. */
#pragma once
#include "model/template/value/text.h"

enum token_kind {
    TOKEN_END, /* of the template */
    TOKEN_TEXT,
    TOKEN_OUTPUT_BEGIN, /* {{ */
    TOKEN_OUTPUT_END,
    TOKEN_BLOCK_BEGIN, /* {% */
    TOKEN_BLOCK_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_INTEGER,
    TOKEN_FLOAT,
    TOKEN_POWER,
    TOKEN_FLOOR_DIVIDE,
    TOKEN_EQUAL,
    TOKEN_UNEQUAL,
    TOKEN_GREATER_EQUAL,
    TOKEN_LESS_EQUAL,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_DIVIDE,
    TOKEN_MULTIPLY,
    TOKEN_MODULO,
    TOKEN_TILDE,
    TOKEN_BRACKET_OPEN,
    TOKEN_BRACKET_CLOSE,
    TOKEN_PARENTHESIS_OPEN,
    TOKEN_PARENTHESIS_CLOSE,
    TOKEN_BRACE_OPEN,
    TOKEN_BRACE_CLOSE,
    TOKEN_GREATER,
    TOKEN_LESS,
    TOKEN_ASSIGN,
    TOKEN_DOT,
    TOKEN_COLON,
    TOKEN_PIPE,
    TOKEN_COMMA,
    TOKEN_SEMICOLON,
};

struct token {
    enum token_kind kind;
    uint32_t line;
    const struct text *text; /* TEXT, NAME, STRING (unescaped), else NULL */
    int64_t integer;
    double real;
};

enum { LEXER_BRACKETS_MAX = 128 };
enum lexer_mode { LEXER_TEXT, LEXER_OUTPUT, LEXER_BLOCK };

struct lexer {
    struct work *work;
    const char *source;
    size_t length, at;
    uint32_t line;
    enum lexer_mode mode;
    bool is_line_start; /* what came before `at` ended a line, or there was nothing */
    bool has_begin;     /* the next token is the {{ or {% of the mode */
    bool has_raw;       /* the next token is the text raw_from .. raw_to - 1 of a raw block */
    size_t raw_from, raw_to;
    char brackets[LEXER_BRACKETS_MAX]; /* the closing ones that are due */
    size_t bracket_count;
};

void lexer_start(struct lexer *lexer, struct work *work, const char *source, size_t length);
struct token lexer_next(struct lexer *lexer);
const char *lexer_describe(struct work *work, const struct token *token); /* for an error */
