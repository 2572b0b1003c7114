/* pattern.h - what a tokenizer.json calls a pattern: a literal string or a regular expression.
 * The files are written for Oniguruma (Ruby's dialect); PCRE2 runs them, after the few escapes that
 * mean something else there are rewritten (pattern_dialect.c). Immutable after create. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/failure.h"

struct pattern;
struct pattern_matcher; /* scratch of one thread for any number of patterns */

enum {
    PATTERN_SOURCE_BYTES_MAX = 16384,
    PATTERN_STEPS_MIN = 100000,  /* backtracking that one search may do, */
    PATTERN_STEPS_PER_BYTE = 16, /* and more for each byte of the text */
    PATTERN_HEAP_KIB_MAX = 65536,
};

/* STATUS_INVALID: does not compile. STATUS_UNSUPPORTED: can match nothing at all, or uses a part of
 * the dialect that PCRE2 has not. */
MUST_CHECK enum status pattern_create(const char *source, bool is_regex, struct pattern **out,
                                      struct failure *failure);
/* From {"String": ...} or {"Regex": ...}. */
MUST_CHECK enum status pattern_parse(const json_t *json, struct pattern **out,
                                     struct failure *failure);
void pattern_destroy(struct pattern *pattern); /* NULL is fine */

MUST_CHECK enum status pattern_matcher_create(struct pattern_matcher **out);
void pattern_matcher_destroy(struct pattern_matcher *matcher); /* NULL is fine */

struct pattern_match {
    size_t start, end;
};

/* The first match at or after match->end in text, which must be valid UTF-8; both ends are length
 * where there is none. Start from {0, 0}. STATUS_TOO_LARGE: the search took too many steps on this
 * text; STATUS_INVALID, STATUS_IO: the pattern cannot be run on it. */
MUST_CHECK enum status pattern_find(const struct pattern *pattern, struct pattern_matcher *matcher,
                                    const char *text, size_t length, struct pattern_match *match);

/* Oniguruma's dialect to PCRE2's (with UTF, UCP and MULTILINE); pattern_dialect.c. */
MUST_CHECK enum status pattern_dialect_translate(const char *source, struct buffer *out,
                                                 struct failure *failure);
