/* What differs between Oniguruma and PCRE2 10.42. \s is White_Space (PCRE2 adds U+180E). \w has
 * everything alphabetic, marks and connectors, and outside a class Latin-1's fractions and
 * superscripts too; \b follows it. \h is a hexadecimal digit. \uHHHH is \x{HHHH}. \p{Han} is the
 * script alone (PCRE2 adds what other scripts share with it). Set operations inside a class
 * ([a&&b], [a[bc]]) have no counterpart and are refused. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "model/tokenizer/pattern.h"

#define SPACE                                                                          \
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}" \
    "\\x{202f}\\x{205f}\\x{3000}"
#define NOT_SPACE                                                                  \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}"   \
    "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}" \
    "\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"
#define WORD       "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
#define WORD_ALONE WORD "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"
#define HEX        "0-9a-fA-F"
#define HEX_DIGITS "0123456789abcdefABCDEF"

static const struct {
    char escape;
    const char *alone, *in_class; /* NULL: cannot be said in a class of PCRE2 */
} escapes[] = {
    {'s', "[" SPACE "]", SPACE},
    {'S', "[^" SPACE "]", NOT_SPACE},
    {'w', "[" WORD_ALONE "]", WORD},
    {'W', "[^" WORD_ALONE "]", NULL},
    {'b', "(?:(?<=[" WORD_ALONE "])(?![" WORD_ALONE "])|(?<![" WORD_ALONE "])(?=[" WORD_ALONE "]))",
     "\\x{8}"},
    {'B', "(?:(?<=[" WORD_ALONE "])(?=[" WORD_ALONE "])|(?<![" WORD_ALONE "])(?![" WORD_ALONE "]))",
     NULL},
    {'h', "[" HEX "]", HEX},
    {'H', "[^" HEX "]", "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{47}-\\x{60}\\x{67}-\\x{10ffff}"},
};

static const struct {
    const char *name, *members;
} classes[] = {
    {"[:alpha:]", "\\p{Alphabetic}"},
    {"[:alnum:]", "\\p{Alphabetic}\\p{Nd}"},
    {"[:upper:]", "\\p{Uppercase}"},
    {"[:lower:]", "\\p{Lowercase}"},
    {"[:digit:]", "\\p{Nd}"},
    {"[:xdigit:]", HEX},
    {"[:punct:]", "\\p{P}\\p{S}"},
    {"[:space:]", SPACE},
    {"[:word:]", WORD},
};

static enum status put(struct buffer *out, const char *text, size_t length, struct failure *failure)
{
    if (buffer_append(out, text, length) != STATUS_OK) {
        return fail(failure, STATUS_TOO_LARGE, "the pattern is too long");
    }
    return STATUS_OK;
}

/* \p{Script} at source; 0 if it is none, else its length. */
static size_t script_bytes(const char *source)
{
    char pattern[48];
    int error = 0;
    size_t at = 0;
    const size_t name_bytes = strncmp(source + 2, "{", 1) == 0 ? strcspn(source + 3, "}") : 0;
    if ((source[1] != 'p' && source[1] != 'P') || name_bytes < 3 || name_bytes > 32
        || source[3 + name_bytes] != '}') {
        return 0;
    }
    snprintf(pattern, sizeof pattern, "\\p{sc:%.*s}", (int)name_bytes, source + 3);
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error, &at, NULL);
    pcre2_code_free(code);
    return code ? name_bytes + 4 : 0;
}

/* The escape at source[0] == '\\' with its letter; *length is what it took. */
static enum status put_escape(const char *source, bool in_class, size_t *length, struct buffer *out,
                              struct failure *failure)
{
    if (source[1] == 'u' && strspn(source + 2, HEX_DIGITS) >= 4) {
        char code_point[] = "\\x{0000}";
        memcpy(code_point + 3, source + 2, 4);
        *length = 6;
        return put(out, code_point, sizeof code_point - 1, failure);
    }
    *length = script_bytes(source);
    if (*length > 0) {
        const enum status status = put(out, source[1] == 'p' ? "\\p{sc:" : "\\P{sc:", 6, failure);
        return status == STATUS_OK ? put(out, source + 3, *length - 3, failure) : status;
    }
    *length = source[1] ? 2 : 1;
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (escapes[i].escape != source[1]) {
            continue;
        }
        const char *text = in_class ? escapes[i].in_class : escapes[i].alone;
        if (!text) {
            return fail(failure, STATUS_UNSUPPORTED, "\\%c inside [] in a pattern", source[1]);
        }
        return put(out, text, strlen(text), failure);
    }
    return put(out, source, *length, failure);
}

/* The POSIX class at source[0] == '['. */
static enum status put_named_class(const char *source, size_t *length, struct buffer *out,
                                   struct failure *failure)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        *length = strlen(classes[i].name);
        if (strncmp(source, classes[i].name, *length) == 0) {
            return put(out, classes[i].members, strlen(classes[i].members), failure);
        }
    }
    return fail(failure, STATUS_UNSUPPORTED, "the class %.12s in a pattern", source);
}

/* The class at source[0] == '[' up to its ']'. */
static enum status put_class(const char *source, size_t *length, struct buffer *out,
                             struct failure *failure)
{
    size_t i = source[1] == '^' ? 2 : 1;
    i += source[i] == ']'; /* a bracket in the first place stands for itself */
    enum status status = put(out, source, i, failure);
    while (status == STATUS_OK && source[i] && source[i] != ']') {
        size_t taken = 1;
        if (source[i] == '\\') {
            status = put_escape(source + i, true, &taken, out, failure);
        } else if (source[i] == '[' && source[i + 1] == ':') {
            status = put_named_class(source + i, &taken, out, failure);
        } else if (source[i] == '[' || strncmp(source + i, "&&", 2) == 0) {
            status = fail(failure, STATUS_UNSUPPORTED, "set operations inside [] in a pattern");
        } else {
            status = put(out, source + i, 1, failure);
        }
        i += taken;
    }
    *length = i;
    return status;
}

enum status pattern_dialect_translate(const char *source, struct buffer *out,
                                      struct failure *failure)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && *source) {
        size_t taken = 1;
        if (*source == '\\') {
            status = put_escape(source, false, &taken, out, failure);
        } else if (*source == '[') {
            status = put_class(source, &taken, out, failure);
        } else {
            status = put(out, source, 1, failure);
        }
        source += taken;
    }
    return status;
}
