/* lexer.c - the text between tags, and what whitespace control does to it; tags are in
 * lexer_tag.c. */
#include "model/template/syntax/lexer.h"

#include <string.h>

#include "model/template/syntax/lexer_tag.h"
#include "model/template/value/unicode.h"

void lexer_start(struct lexer *lexer, struct work *work, const char *source, size_t length)
{
    *lexer = (struct lexer){
        .work = work, .source = source, .length = length, .line = 1, .is_line_start = true};
    work->line = 1;
}

void lexer_advance(struct lexer *lexer, size_t to)
{
    for (; lexer->at < to; lexer->at++) {
        lexer->line += lexer->source[lexer->at] == '\n';
    }
    lexer->work->line = lexer->line;
}

bool lexer_sees(const struct lexer *lexer, size_t at, const char *literal)
{
    const size_t length = strlen(literal);
    return length <= lexer->length - at && memcmp(lexer->source + at, literal, length) == 0;
}

/* A view of the source, for the functions that read code points. */
static struct text view(const struct lexer *lexer, size_t to)
{
    return (struct text){.bytes = lexer->source, .length = to, .origin = ORIGIN_MARKUP};
}

size_t lexer_skip_space(const struct lexer *lexer, size_t at)
{
    const struct text source = view(lexer, lexer->length);
    while (at < lexer->length) {
        size_t bytes = 0;
        if (!unicode_is_space(text_code_point(&source, at, &bytes))) {
            break;
        }
        at += bytes;
    }
    return at;
}

static size_t strip_right(const struct lexer *lexer, size_t from, size_t to)
{
    const struct text source = view(lexer, to);
    while (to > from) {
        size_t bytes = 0;
        const size_t before = text_before(&source, to);
        if (!unicode_is_space(text_code_point(&source, before, &bytes))) {
            break;
        }
        to = before;
    }
    return to;
}

/* Where the text from .. to - 1 ends once the tag behind it has had its way. */
static size_t text_end(const struct lexer *lexer, size_t from, size_t to, char sign, bool is_output)
{
    if (sign == '-') {
        return strip_right(lexer, from, to);
    }
    if (sign == '+' || is_output) {
        return to;
    }
    const char *newline = memrchr(lexer->source + from, '\n', to - from);
    const size_t line_start = newline ? (size_t)(newline - lexer->source) + 1 : from;
    const bool is_whole_line = newline || lexer->is_line_start;
    return is_whole_line && strip_right(lexer, line_start, to) == line_start ? line_start : to;
}

static char sign_at(const struct lexer *lexer, size_t at)
{
    const char byte = at < lexer->length ? lexer->source[at] : '\0';
    return byte == '-' || byte == '+' ? byte : '\0';
}

/* Goes behind the end of a tag; close is its last two bytes, at an offset. */
void lexer_leave_tag(struct lexer *lexer, size_t close, char sign, bool trims_newline)
{
    size_t end = close + 2;
    if (sign == '-') {
        end = lexer_skip_space(lexer, end);
    } else if (trims_newline && sign != '+' && end < lexer->length && lexer->source[end] == '\n') {
        end++;
    }
    lexer_advance(lexer, end);
    lexer->is_line_start = lexer->source[end - 1] == '\n';
}

/* Jinja2 lets a comment or a raw block be open when nothing at all follows. */
static bool ends_here(struct lexer *lexer, size_t at)
{
    lexer_advance(lexer, at);
    return at == lexer->length;
}

static void skip_comment(struct lexer *lexer, size_t from)
{
    if (ends_here(lexer, from)) {
        return;
    }
    const char *close = memmem(lexer->source + from, lexer->length - from, "#}", 2);
    if (!close) {
        work_fail(lexer->work, STATUS_INVALID, "the comment has no end");
    }
    const size_t at = (size_t)(close - lexer->source);
    lexer_leave_tag(lexer, at, at > from ? sign_at(lexer, at - 1) : '\0', true);
}

/* The offset of the %} of a tag that says only word, with its sign; 0: the tag says something
 * else. */
static size_t find_close(const struct lexer *lexer, size_t open, const char *word, char *sign)
{
    size_t at = open + 2;
    at += sign_at(lexer, at) ? 1 : 0;
    at = lexer_skip_space(lexer, at);
    if (!lexer_sees(lexer, at, word)) {
        return 0;
    }
    at = lexer_skip_space(lexer, at + strlen(word));
    *sign = sign_at(lexer, at);
    at += *sign ? 1 : 0;
    return lexer_sees(lexer, at, "%}") ? at : 0;
}

/* The lexer is behind {% raw %}: what follows up to {% endraw %} is text. */
static void take_raw(struct lexer *lexer)
{
    const size_t from = lexer->at;
    const char *open = lexer->source + from;
    if (ends_here(lexer, from)) {
        return;
    }
    while ((open = memmem(open, lexer->length - (size_t)(open - lexer->source), "{%", 2))) {
        const size_t at = (size_t)(open - lexer->source);
        char sign = '\0';
        const size_t close = find_close(lexer, at, "endraw", &sign);
        if (close > 0) {
            lexer->has_raw = true;
            lexer->raw_from = from;
            lexer->raw_to = text_end(lexer, from, at, sign_at(lexer, at + 2), false);
            lexer_leave_tag(lexer, close, sign, true);
            return;
        }
        open += 2;
    }
    work_fail(lexer->work, STATUS_INVALID, "the raw block has no end");
}

/* Enters the tag at open: a comment or a raw block is done with at once, others set the mode. */
static void enter_tag(struct lexer *lexer, size_t open)
{
    const char kind = lexer->source[open + 1];
    const size_t inside = open + 2 + (sign_at(lexer, open + 2) ? 1 : 0);
    lexer_advance(lexer, open);
    char raw_sign = '\0';
    const size_t raw_close = kind == '%' ? find_close(lexer, open, "raw", &raw_sign) : 0;
    if (raw_close > 0 && raw_sign != '+') {
        lexer_leave_tag(lexer, raw_close, raw_sign, false);
        take_raw(lexer);
    } else if (kind == '#') {
        skip_comment(lexer, inside);
    } else {
        lexer_advance(lexer, inside);
        lexer->mode = kind == '{' ? LEXER_OUTPUT : LEXER_BLOCK;
        lexer->has_begin = true;
    }
}

static size_t find_tag(const struct lexer *lexer)
{
    size_t at = lexer->at;
    while (at + 1 < lexer->length) {
        const char *brace = memchr(lexer->source + at, '{', lexer->length - at - 1);
        if (!brace) {
            break;
        }
        if (brace[1] == '{' || brace[1] == '%' || brace[1] == '#') {
            return (size_t)(brace - lexer->source);
        }
        at = (size_t)(brace - lexer->source) + 1;
    }
    return lexer->length;
}

static struct token make_text(const struct lexer *lexer, size_t from, size_t to, uint32_t line)
{
    const struct text *text =
        text_make(lexer->work, lexer->source + from, to - from, ORIGIN_MARKUP);
    return (struct token){.kind = TOKEN_TEXT, .line = line, .text = text};
}

/* The next text, perhaps empty; has_begin is set when a tag comes behind it. */
static struct token next_text(struct lexer *lexer)
{
    const uint32_t line = lexer->line;
    if (lexer->has_raw) {
        lexer->has_raw = false;
        return make_text(lexer, lexer->raw_from, lexer->raw_to, line);
    }
    if (lexer->at == lexer->length) {
        return (struct token){.kind = TOKEN_END, .line = line};
    }
    const size_t from = lexer->at;
    const size_t open = find_tag(lexer);
    size_t to = open;
    if (open < lexer->length) {
        to = text_end(lexer, from, open, sign_at(lexer, open + 2), lexer->source[open + 1] == '{');
        enter_tag(lexer, open);
    } else {
        lexer_advance(lexer, open);
    }
    return make_text(lexer, from, to, line);
}

struct token lexer_next(struct lexer *lexer)
{
    for (;;) {
        if (lexer->has_begin) {
            lexer->has_begin = false;
            return (struct token){
                .kind = lexer->mode == LEXER_OUTPUT ? TOKEN_OUTPUT_BEGIN : TOKEN_BLOCK_BEGIN,
                .line = lexer->line,
            };
        }
        if (lexer->mode != LEXER_TEXT) {
            return lexer_tag_next(lexer);
        }
        const struct token token = next_text(lexer);
        if (token.kind == TOKEN_END || token.text->length > 0) {
            return token;
        }
    }
}
