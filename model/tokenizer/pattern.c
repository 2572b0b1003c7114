#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/tokenizer/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 50 };

struct pattern {
    char *literal; /* NULL for a regular expression */
    size_t literal_bytes;
    pcre2_code *code;
};

struct pattern_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static enum status compile(const char *source, size_t length, pcre2_code **out,
                           struct failure *failure)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) {
        return fail(failure, STATUS_IO, "no memory for a pattern");
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, NESTING_MAX);
    const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
    int error = 0;
    size_t at = 0;
    *out = pcre2_compile((PCRE2_SPTR)source, length, options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (!*out) {
        char text[128] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
        return fail(failure, STATUS_INVALID, "the pattern does not compile: %s", text);
    }
    uint32_t matches_empty = 0;
    pcre2_pattern_info(*out, PCRE2_INFO_MATCHEMPTY, &matches_empty);
    if (matches_empty) {
        return fail(failure, STATUS_UNSUPPORTED, "a pattern that can match the empty string");
    }
    (void)pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE); /* without it the interpreter runs */
    return STATUS_OK;
}

static enum status compile_regex(const char *source, struct pattern *pattern,
                                 struct failure *failure)
{
    struct buffer translated = {.limit_bytes = (size_t)8 * PATTERN_SOURCE_BYTES_MAX};
    enum status status = pattern_dialect_translate(source, &translated, failure);
    if (status == STATUS_OK) {
        status = compile(translated.bytes, translated.length, &pattern->code, failure);
    }
    buffer_destroy(&translated);
    return status;
}

enum status pattern_create(const char *source, bool is_regex, struct pattern **out,
                           struct failure *failure)
{
    const size_t length = strlen(source);
    if (length == 0 || length > PATTERN_SOURCE_BYTES_MAX) {
        return fail(failure, STATUS_INVALID, "a pattern must have 1 to %d bytes",
                    PATTERN_SOURCE_BYTES_MAX);
    }
    struct pattern *pattern = calloc(1, sizeof *pattern);
    if (!pattern) {
        return fail(failure, STATUS_IO, "no memory for a pattern");
    }
    enum status status = STATUS_OK;
    if (is_regex) {
        status = compile_regex(source, pattern, failure);
    } else {
        pattern->literal = strdup(source);
        pattern->literal_bytes = length;
        status = pattern->literal ? STATUS_OK : fail(failure, STATUS_IO, "no memory for a pattern");
    }
    if (status != STATUS_OK) {
        pattern_destroy(pattern);
        return status;
    }
    *out = pattern;
    return STATUS_OK;
}

enum status pattern_parse(const json_t *json, struct pattern **out, struct failure *failure)
{
    const char *literal = json_string_value(json_object_get(json, "String"));
    const char *regex = json_string_value(json_object_get(json, "Regex"));
    if (!literal && !regex) {
        return fail(failure, STATUS_INVALID,
                    "pattern must be {\"String\": text} or {\"Regex\": text}");
    }
    return pattern_create(regex ? regex : literal, regex != NULL, out, failure);
}

void pattern_destroy(struct pattern *pattern)
{
    if (pattern) {
        free(pattern->literal);
        pcre2_code_free(pattern->code);
        free(pattern);
    }
}

enum status pattern_matcher_create(struct pattern_matcher **out)
{
    struct pattern_matcher *matcher = calloc(1, sizeof *matcher);
    if (!matcher) {
        return STATUS_IO;
    }
    matcher->data = pcre2_match_data_create(1, NULL);
    matcher->context = pcre2_match_context_create(NULL);
    if (!matcher->data || !matcher->context) {
        pattern_matcher_destroy(matcher);
        return STATUS_IO;
    }
    pcre2_set_heap_limit(matcher->context, PATTERN_HEAP_KIB_MAX);
    *out = matcher;
    return STATUS_OK;
}

void pattern_matcher_destroy(struct pattern_matcher *matcher)
{
    if (matcher) {
        pcre2_match_data_free(matcher->data);
        pcre2_match_context_free(matcher->context);
        free(matcher);
    }
}

static struct pattern_match find_literal(const struct pattern *pattern, const char *text,
                                         size_t length, size_t from)
{
    const char *found =
        memmem(text + from, length - from, pattern->literal, pattern->literal_bytes);
    const size_t start = found ? (size_t)(found - text) : length;
    return (struct pattern_match){start, found ? start + pattern->literal_bytes : length};
}

static int find_regex(const struct pattern *pattern, const struct pattern_matcher *matcher,
                      const char *text, size_t length, size_t from)
{
    const size_t more = (length - from) * PATTERN_STEPS_PER_BYTE;
    const size_t most = UINT32_MAX - PATTERN_STEPS_MIN;
    const uint32_t steps_max = PATTERN_STEPS_MIN + (uint32_t)(more < most ? more : most);
    PCRE2_SPTR subject = (PCRE2_SPTR)text;
    pcre2_set_match_limit(matcher->context, steps_max);
    int result = pcre2_match(pattern->code, subject, length, from, PCRE2_NO_UTF_CHECK,
                             matcher->data, matcher->context);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) { /* the interpreter works on the heap */
        result = pcre2_match(pattern->code, subject, length, from,
                             PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, matcher->data, matcher->context);
    }
    return result;
}

enum status pattern_find(const struct pattern *pattern, struct pattern_matcher *matcher,
                         const char *text, size_t length, struct pattern_match *match)
{
    const size_t from = match->end;
    if (pattern->literal) {
        *match = find_literal(pattern, text, length, from);
        return STATUS_OK;
    }
    const int result = find_regex(pattern, matcher, text, length, from);
    *match = (struct pattern_match){length, length};
    if (result == PCRE2_ERROR_NOMATCH) {
        return STATUS_OK;
    }
    if (result < 0) {
        return result == PCRE2_ERROR_NOMEMORY ? STATUS_IO : STATUS_TOO_LARGE;
    }
    const size_t *span = pcre2_get_ovector_pointer(matcher->data);
    *match = (struct pattern_match){span[0], span[1]};
    const bool is_forward = match->start >= from && match->end > match->start;
    return is_forward ? STATUS_OK : STATUS_INVALID; /* \K can empty a match */
}
