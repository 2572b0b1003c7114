/* text.h - an immutable string of valid UTF-8 that knows who wrote each byte. A special token is
 * only read where markup wrote all of it, so origins must survive every operation on strings; they
 * never change what two strings compare as. Memory: the arena of a struct work, or borrowed bytes
 * that outlive it. Offsets and lengths are bytes unless a name says code points. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/template/value/work.h"

enum { ORIGIN_USER = 0, ORIGIN_MARKUP = 1 };
enum { TEXT_NOT_FOUND = -1 };

struct text {
    const char *bytes;
    size_t length;
    const uint8_t *origins; /* [length], or NULL: every byte is of `origin` */
    uint8_t origin;
    bool is_safe;          /* MarkupSafe's Markup: `|safe` and `|escape` make it */
    struct writer *writer; /* that this is all of so far, see text_concat; or NULL */
};

struct text *text_make(struct work *work, const char *bytes, size_t length, uint8_t origin);
struct text *text_copy(struct work *work, const char *bytes, size_t length, uint8_t origin);
const struct text *text_literal(struct work *work, const char *bytes); /* of our own, markup */

/* The bytes from .. to - 1, shared with the original. */
struct text *text_slice(struct work *work, const struct text *text, size_t from, size_t to);

/* left + right. Appending to the newest string of a chain of + costs only the right side. */
struct text *text_concat(struct work *work, const struct text *left, const struct text *right);

/* & < > ' " as HTML entities, of the origin of what they stand for; a safe text as it is. */
const struct text *text_escape(struct work *work, const struct text *text);

uint8_t text_origin(const struct text *text, size_t at);
bool text_has_user(const struct text *text);

bool text_equal(struct work *work, const struct text *a, const struct text *b);
bool text_is(const struct text *text, const char *literal);
int text_order(struct work *work, const struct text *a, const struct text *b); /* by code points */

/* Where needle begins at or after from, or TEXT_NOT_FOUND. */
ptrdiff_t text_find(struct work *work, const struct text *text, const struct text *needle,
                    size_t from);
/* The last place where needle begins and ends at or before to, or TEXT_NOT_FOUND. */
ptrdiff_t text_find_last(struct work *work, const struct text *text, const struct text *needle,
                         size_t to);
bool text_starts_with(const struct text *text, size_t at, const struct text *needle);

size_t text_code_points(struct work *work, const struct text *text);
/* The offset of a code point, counted from the offset from; length where there are fewer. */
size_t text_offset(struct work *work, const struct text *text, size_t from, size_t code_points);
/* The code point at an offset, and its bytes. */
uint32_t text_code_point(const struct text *text, size_t at, size_t *bytes);
/* The offset of the code point that ends at an offset > 0. */
size_t text_before(const struct text *text, size_t at);

/* For an error message: NUL-terminated, cut, each run of a user's bytes replaced by an ellipsis. */
const char *text_for_error(struct work *work, const struct text *text);
