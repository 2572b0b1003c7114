#include "model/template/syntax/lexer_tag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/template/value/unicode.h"
#include "model/template/value/writer.h"

enum { NUMBER_BYTES_MAX = 64 };

static const struct {
    const char *text;
    enum token_kind kind;
} operators[] = {
    /* the longer ones first */
    {"**", TOKEN_POWER},
    {"//", TOKEN_FLOOR_DIVIDE},
    {"==", TOKEN_EQUAL},
    {"!=", TOKEN_UNEQUAL},
    {">=", TOKEN_GREATER_EQUAL},
    {"<=", TOKEN_LESS_EQUAL},
    {"+", TOKEN_PLUS},
    {"-", TOKEN_MINUS},
    {"/", TOKEN_DIVIDE},
    {"*", TOKEN_MULTIPLY},
    {"%", TOKEN_MODULO},
    {"~", TOKEN_TILDE},
    {"[", TOKEN_BRACKET_OPEN},
    {"]", TOKEN_BRACKET_CLOSE},
    {"(", TOKEN_PARENTHESIS_OPEN},
    {")", TOKEN_PARENTHESIS_CLOSE},
    {"{", TOKEN_BRACE_OPEN},
    {"}", TOKEN_BRACE_CLOSE},
    {">", TOKEN_GREATER},
    {"<", TOKEN_LESS},
    {"=", TOKEN_ASSIGN},
    {".", TOKEN_DOT},
    {":", TOKEN_COLON},
    {"|", TOKEN_PIPE},
    {",", TOKEN_COMMA},
    {";", TOKEN_SEMICOLON},
};
enum { OPERATOR_COUNT = sizeof operators / sizeof operators[0] };

static struct token make(const struct lexer *lexer, enum token_kind kind)
{
    return (struct token){.kind = kind, .line = lexer->line};
}

static char byte_at(const struct lexer *lexer, size_t at)
{
    return at < lexer->length ? lexer->source[at] : '\0';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* ---- the end of the tag --------------------------------------------------------------------- */

/* Only where no bracket is open, so that }} can end two dicts. */
static bool take_end(struct lexer *lexer, struct token *out)
{
    const bool is_output = lexer->mode == LEXER_OUTPUT;
    const char first = byte_at(lexer, lexer->at);
    const bool is_signed = first == '-' || (first == '+' && !is_output);
    const size_t close = lexer->at + (is_signed ? 1 : 0);
    if (lexer->bracket_count > 0 || !lexer_sees(lexer, close, is_output ? "}}" : "%}")) {
        return false;
    }
    *out = make(lexer, is_output ? TOKEN_OUTPUT_END : TOKEN_BLOCK_END);
    lexer_leave_tag(lexer, close, is_signed ? first : '\0', !is_output);
    lexer->mode = LEXER_TEXT;
    return true;
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* Behind a run of digits with single underscores between them; at when there is none. */
static size_t skip_digits(const struct lexer *lexer, size_t at)
{
    while (is_digit(byte_at(lexer, at))) {
        at++;
        if (byte_at(lexer, at) == '_' && is_digit(byte_at(lexer, at + 1))) {
            at++;
        }
    }
    return at;
}

/* Behind the fraction and the exponent of a float; at when there is neither. */
static size_t skip_fraction(const struct lexer *lexer, size_t at)
{
    if (byte_at(lexer, at) == '.' && is_digit(byte_at(lexer, at + 1))) {
        at = skip_digits(lexer, at + 1);
    }
    if ((byte_at(lexer, at) | 0x20) == 'e') {
        const char sign = byte_at(lexer, at + 1);
        const size_t digits = at + 1 + (sign == '+' || sign == '-' ? 1 : 0);
        if (is_digit(byte_at(lexer, digits))) {
            return skip_digits(lexer, digits);
        }
    }
    return at;
}

static void copy_number(const struct lexer *lexer, size_t end, char out[NUMBER_BYTES_MAX])
{
    size_t length = 0;
    for (size_t at = lexer->at; at < end; at++) {
        if (lexer->source[at] == '_') {
            continue;
        }
        if (length + 1 == NUMBER_BYTES_MAX) {
            work_fail(lexer->work, STATUS_INVALID, "the number is too long");
        }
        out[length++] = lexer->source[at];
    }
    out[length] = '\0';
}

static struct token take_integer(struct lexer *lexer, size_t end, size_t prefix_bytes, int base)
{
    char number[NUMBER_BYTES_MAX];
    struct token token = make(lexer, TOKEN_INTEGER);
    copy_number(lexer, end, number);
    errno = 0;
    token.integer = strtoll(number + prefix_bytes, NULL, base);
    if (errno == ERANGE) {
        work_fail(lexer->work, STATUS_INVALID, "integer does not fit into 64 bits");
    }
    lexer_advance(lexer, end);
    return token;
}

static struct token take_float(struct lexer *lexer, size_t end)
{
    char number[NUMBER_BYTES_MAX];
    struct token token = make(lexer, TOKEN_FLOAT);
    copy_number(lexer, end, number);
    token.real = strtod(number, NULL);
    lexer_advance(lexer, end);
    return token;
}

static bool is_digit_of(char byte, int base)
{
    const char *digits = "0123456789abcdef";
    const char lower = byte >= 'A' && byte <= 'F' ? (char)(byte | 0x20) : byte;
    return lower && memchr(digits, lower, (size_t)base);
}

/* Behind 0x1f and its like; at when it is none. */
static size_t skip_prefixed(const struct lexer *lexer, size_t at, int base)
{
    size_t end = at + 2;
    size_t last = at;
    while (is_digit_of(byte_at(lexer, end), base)
           || (byte_at(lexer, end) == '_' && is_digit_of(byte_at(lexer, end + 1), base))) {
        last = ++end;
    }
    return last;
}

static struct token take_number(struct lexer *lexer)
{
    const size_t at = lexer->at;
    const size_t digits = skip_digits(lexer, at);
    const size_t end = skip_fraction(lexer, digits);
    if (end > digits && lexer->source[at - 1] != '.') {
        return take_float(lexer, end);
    }
    static const struct {
        char letter;
        int base;
    } prefixes[] = {{'b', 2}, {'o', 8}, {'x', 16}};
    for (size_t i = 0; i < 3 && byte_at(lexer, at) == '0'; i++) {
        if ((byte_at(lexer, at + 1) | 0x20) == prefixes[i].letter) {
            const size_t behind = skip_prefixed(lexer, at, prefixes[i].base);
            if (behind > at) {
                return take_integer(lexer, behind, 2, prefixes[i].base);
            }
        }
    }
    if (byte_at(lexer, at) != '0') {
        return take_integer(lexer, digits, 0, 10);
    }
    size_t zeros = at; /* only zeros may follow a zero: 007 is three numbers */
    while (zeros < digits && (lexer->source[zeros] == '0' || lexer->source[zeros] == '_')) {
        zeros++;
    }
    return take_integer(lexer, zeros, 0, 10);
}

/* ---- names ---------------------------------------------------------------------------------- */

static size_t skip_name(const struct lexer *lexer, size_t at)
{
    const struct text source = {.bytes = lexer->source, .length = lexer->length};
    while (at < lexer->length) {
        size_t bytes = 0;
        const uint32_t code_point = text_code_point(&source, at, &bytes);
        if (code_point != '_' && !unicode_is_alpha(code_point) && !unicode_is_numeric(code_point)) {
            break;
        }
        at += bytes;
    }
    return at;
}

/* ---- strings -------------------------------------------------------------------------------- */

static uint32_t read_digits(struct lexer *lexer, const char *digits, size_t count, int base,
                            const char *end)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (digits + i >= end || !is_digit_of(digits[i], base)) {
            work_fail(lexer->work, STATUS_INVALID, "the string has an escape that is cut off");
        }
        const char digit[2] = {digits[i], '\0'};
        value = value * (uint32_t)base + (uint32_t)strtoul(digit, NULL, base);
    }
    return value;
}

static size_t octal_digits(const char *at, const char *end)
{
    size_t count = 0;
    while (count < 3 && at + count < end && at[count] >= '0' && at[count] <= '7') {
        count++;
    }
    return count;
}

/* An escape of digits behind the backslash; returns how many bytes it is long, 0 if it is none. */
static size_t unescape_number(struct lexer *lexer, struct writer *writer, const char *at,
                              const char *end)
{
    const size_t digits = *at == 'x' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 0;
    const size_t octal = octal_digits(at, end);
    if (digits == 0 && octal == 0) {
        return 0;
    }
    const uint32_t code_point = digits > 0 ? read_digits(lexer, at + 1, digits, 16, end)
                                           : read_digits(lexer, at, octal, 8, end);
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) {
        work_fail(lexer->work, STATUS_INVALID, "the string has an escape that is no character");
    }
    writer_code_point(writer, code_point, ORIGIN_MARKUP);
    return digits > 0 ? 1 + digits : octal;
}

/* Python's escapes; one that it does not know stays as it is. Returns its bytes. */
static size_t unescape(struct lexer *lexer, struct writer *writer, const char *at, const char *end)
{
    static const char names[] = "\\'\"abfnrtv\n";
    static const char *const values[] = {"\\", "'",  "\"", "\a", "\b", "\f",
                                         "\n", "\r", "\t", "\v", ""};
    const char *name = *at ? strchr(names, *at) : NULL;
    if (name) {
        writer_literal(writer, values[name - names], ORIGIN_MARKUP);
        return 1;
    }
    if (*at == 'N') {
        work_fail(lexer->work, STATUS_UNSUPPORTED, "\\N{...} in a string is not supported");
    }
    const size_t bytes = unescape_number(lexer, writer, at, end);
    if (bytes == 0) {
        writer_literal(writer, "\\", ORIGIN_MARKUP);
    }
    return bytes;
}

static struct token take_string(struct lexer *lexer)
{
    const char quote = lexer->source[lexer->at];
    const char *at = lexer->source + lexer->at + 1;
    const char *end = at;
    const char *stop = lexer->source + lexer->length;
    while (end < stop && *end != quote) {
        end += *end == '\\' ? 2 : 1;
    }
    if (end >= stop) {
        work_fail(lexer->work, STATUS_INVALID, "the string has no end");
    }
    struct token token = make(lexer, TOKEN_STRING);
    struct writer *writer = writer_create(lexer->work);
    while (at < end) {
        const char *backslash = memchr(at, '\\', (size_t)(end - at));
        const char *plain_end = backslash ? backslash : end;
        writer_bytes(writer, at, (size_t)(plain_end - at), ORIGIN_MARKUP);
        at = plain_end;
        if (backslash) {
            at += 1 + unescape(lexer, writer, at + 1, end);
        }
    }
    struct text *text = writer_done(writer);
    text->writer = NULL; /* a constant is shared by renderings: it must not grow */
    token.text = text;
    lexer_advance(lexer, (size_t)(end - lexer->source) + 1);
    return token;
}

/* ---- operators ------------------------------------------------------------------------------ */

static void balance(struct lexer *lexer, char byte)
{
    static const char opening[] = "([{";
    static const char closing[] = ")]}";
    const char *open = strchr(opening, byte);
    if (open) {
        if (lexer->bracket_count == LEXER_BRACKETS_MAX) {
            work_fail(lexer->work, STATUS_TOO_LARGE, "is nested too deeply");
        }
        lexer->brackets[lexer->bracket_count++] = closing[open - opening];
    } else if (strchr(closing, byte)) {
        if (lexer->bracket_count == 0 || lexer->brackets[lexer->bracket_count - 1] != byte) {
            work_fail(lexer->work, STATUS_INVALID, "unexpected '%c'", byte);
        }
        lexer->bracket_count--;
    }
}

static struct token take_operator(struct lexer *lexer)
{
    for (size_t i = 0; i < OPERATOR_COUNT; i++) {
        if (lexer_sees(lexer, lexer->at, operators[i].text)) {
            const struct token token = make(lexer, operators[i].kind);
            balance(lexer, operators[i].text[0]);
            lexer_advance(lexer, lexer->at + strlen(operators[i].text));
            return token;
        }
    }
    const char byte = lexer->source[lexer->at];
    work_fail(lexer->work, STATUS_INVALID, "unexpected character '%c'", byte);
}

struct token lexer_tag_next(struct lexer *lexer)
{
    struct token token;
    lexer_advance(lexer, lexer_skip_space(lexer, lexer->at));
    if (take_end(lexer, &token)) {
        return token;
    }
    if (lexer->at == lexer->length) {
        work_fail(lexer->work, STATUS_INVALID, "the tag has no end");
    }
    const char byte = lexer->source[lexer->at];
    if (is_digit(byte)) {
        return take_number(lexer);
    }
    if (byte == '\'' || byte == '"') {
        return take_string(lexer);
    }
    const size_t end = skip_name(lexer, lexer->at);
    if (end > lexer->at) {
        token = make(lexer, TOKEN_NAME);
        token.text =
            text_make(lexer->work, lexer->source + lexer->at, end - lexer->at, ORIGIN_MARKUP);
        lexer_advance(lexer, end);
        return token;
    }
    return take_operator(lexer);
}

const char *lexer_describe(struct work *work, const struct token *token)
{
    static const char *const words[] = {
        [TOKEN_END] = "the end of the template",
        [TOKEN_TEXT] = "text",
        [TOKEN_OUTPUT_BEGIN] = "{{",
        [TOKEN_OUTPUT_END] = "}}",
        [TOKEN_BLOCK_BEGIN] = "{%",
        [TOKEN_BLOCK_END] = "%}",
        [TOKEN_STRING] = "a string",
        [TOKEN_INTEGER] = "a number",
        [TOKEN_FLOAT] = "a number",
    };
    if (token->kind == TOKEN_NAME) {
        return text_for_error(work, token->text);
    }
    for (size_t i = 0; i < OPERATOR_COUNT; i++) {
        if (operators[i].kind == token->kind) {
            return operators[i].text;
        }
    }
    return words[token->kind];
}
