#include "policy/text/escape.h"

#include <string.h>

#include "base/utf8.h"

/* What is told of an escape that may begin at the first byte. */
enum outcome { OUTCOME_NONE, OUTCOME_MORE, OUTCOME_READ };

enum { DECIMAL_DIGITS_MAX = 8, HEX_DIGITS_MAX = 7 };

static const struct {
    const char *text;
    uint32_t code_point;
} entities[] = {
    {"&amp;", '&'},  {"&lt;", '<'},    {"&gt;", '>'},
    {"&quot;", '"'}, {"&apos;", '\''}, {"&nbsp;", 0xa0},
};

static int digit_value(char byte, uint32_t base)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    const char lower = (char)(byte | 0x20);
    return base == 16 && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Exactly `digits` hexadecimal digits from `at` on. */
static enum outcome read_hex(const char *text, size_t length, size_t at, size_t digits,
                             uint32_t *value)
{
    *value = 0;
    for (size_t i = at; i < at + digits; i++) {
        if (i >= length) {
            return OUTCOME_MORE;
        }
        const int digit = digit_value(text[i], 16);
        if (digit < 0) {
            return OUTCOME_NONE;
        }
        *value = *value << 4 | (uint32_t)digit;
    }
    return OUTCOME_READ;
}

/* The low half of a pair, \udc00 to \udfff, from byte 6 on. */
static enum outcome read_low_half(const char *text, size_t length, uint32_t *value)
{
    if (length > 6 && text[6] != '\\') {
        return OUTCOME_NONE;
    }
    if (length > 7 && text[7] != 'u') {
        return OUTCOME_NONE;
    }
    if (length < 8) {
        return OUTCOME_MORE;
    }
    const enum outcome outcome = read_hex(text, length, 8, 4, value);
    const bool is_low = *value >= 0xdc00 && *value <= 0xdfff;
    return outcome == OUTCOME_READ && !is_low ? OUTCOME_NONE : outcome;
}

static enum outcome read_unicode_escape(const char *text, size_t length,
                                        struct escape_character *out)
{
    uint32_t value = 0;
    uint32_t low = 0;
    enum outcome outcome = read_hex(text, length, 2, 4, &value);
    if (outcome != OUTCOME_READ) {
        return outcome;
    }
    *out = (struct escape_character){.code_point = value, .bytes = 6, .is_disguised = true};
    if (value < 0xd800 || value > 0xdfff) {
        return OUTCOME_READ;
    }
    out->code_point = 0xfffd; /* half a pair stands for nothing */
    outcome = value < 0xdc00 ? read_low_half(text, length, &low) : OUTCOME_NONE;
    if (outcome == OUTCOME_READ) {
        out->code_point = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
        out->bytes = 12;
    }
    return outcome == OUTCOME_MORE ? OUTCOME_MORE : OUTCOME_READ;
}

/* \r is a line end only in front of \n: alone it is rather a folder's name that begins with r. */
static enum outcome read_carriage_return(const char *text, size_t length,
                                         struct escape_character *out)
{
    if ((length > 2 && text[2] != '\\') || (length > 3 && text[3] != 'n')) {
        return OUTCOME_NONE;
    }
    *out = (struct escape_character){.code_point = '\n', .bytes = 4};
    return length < 4 ? OUTCOME_MORE : OUTCOME_READ;
}

static enum outcome read_backslash(const char *text, size_t length, struct escape_character *out)
{
    if (length < 2) {
        return OUTCOME_MORE;
    }
    switch (text[1]) {
    case 'u':
        return read_unicode_escape(text, length, out);
    case 'r':
        return read_carriage_return(text, length, out);
    case 'n':
        *out = (struct escape_character){.code_point = '\n', .bytes = 2};
        return OUTCOME_READ;
    case 't':
        *out = (struct escape_character){.code_point = '\t', .bytes = 2};
        return OUTCOME_READ;
    case '/':
    case '"':
    case '\\':
        *out = (struct escape_character){.code_point = (uint8_t)text[1], .bytes = 2};
        return OUTCOME_READ;
    default:
        return OUTCOME_NONE;
    }
}

/* &#49; or &#x31; */
static enum outcome read_numeric_entity(const char *text, size_t length,
                                        struct escape_character *out)
{
    const bool is_hex = length > 2 && (text[2] | 0x20) == 'x';
    const uint32_t base = is_hex ? 16 : 10;
    const size_t first = is_hex ? 3 : 2;
    const size_t last = first + (is_hex ? HEX_DIGITS_MAX : DECIMAL_DIGITS_MAX);
    uint32_t value = 0;
    size_t at = first;
    while (at < length && at < last && digit_value(text[at], base) >= 0) {
        value = value * base + (uint32_t)digit_value(text[at], base);
        at++;
    }
    if (at >= length) {
        return OUTCOME_MORE;
    }
    const bool is_character = value > 0 && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    if (text[at] != ';' || at == first || !is_character) {
        return OUTCOME_NONE;
    }
    *out = (struct escape_character){
        .code_point = value, .bytes = (uint8_t)(at + 1), .is_disguised = true};
    return OUTCOME_READ;
}

static enum outcome read_entity(const char *text, size_t length, struct escape_character *out)
{
    if (length > 1 && text[1] == '#') {
        return read_numeric_entity(text, length, out);
    }
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        const size_t bytes = strlen(entities[i].text);
        if (memcmp(text, entities[i].text, length < bytes ? length : bytes) == 0) {
            *out = (struct escape_character){.code_point = entities[i].code_point,
                                             .bytes = (uint8_t)bytes};
            return length < bytes ? OUTCOME_MORE : OUTCOME_READ;
        }
    }
    return OUTCOME_NONE;
}

static enum outcome read_percent(const char *text, size_t length, struct escape_character *out)
{
    uint32_t value = 0;
    const enum outcome outcome = read_hex(text, length, 1, 2, &value);
    if (outcome == OUTCOME_READ && (value < 0x20 || value > 0x7e)) {
        return OUTCOME_NONE;
    }
    *out = (struct escape_character){.code_point = value, .bytes = 3, .is_disguised = true};
    return outcome;
}

static enum outcome read_line_end(const char *text, size_t length, struct escape_character *out)
{
    if (length < 2) {
        return OUTCOME_MORE;
    }
    *out = (struct escape_character){.code_point = '\n', .bytes = text[1] == '\n' ? 2 : 1};
    return OUTCOME_READ;
}

static enum outcome read_escape(const char *text, size_t length, struct escape_character *out)
{
    switch (text[0]) {
    case '\\':
        return read_backslash(text, length, out);
    case '&':
        return read_entity(text, length, out);
    case '%':
        return read_percent(text, length, out);
    case '\r':
        return read_line_end(text, length, out);
    default:
        return OUTCOME_NONE;
    }
}

bool escape_read(const char *text, size_t length, bool has_ended, struct escape_character *out)
{
    const enum outcome outcome = read_escape(text, length, out);
    if (outcome == OUTCOME_READ) {
        return true;
    }
    if (!has_ended && (outcome == OUTCOME_MORE || utf8_is_open(text, length))) {
        return false;
    }
    *out = (struct escape_character){.code_point = 0xfffd, .bytes = 1, .is_invalid = true};
    const size_t bytes = utf8_decode(text, length, &out->code_point);
    if (bytes > 0) {
        out->bytes = (uint8_t)bytes;
        out->is_invalid = false;
    }
    return true;
}
