/* marked_text.h - text under normalisation, and for each byte whether an operator's template wrote
 * all of what it came from (see is_markup in tokenizer.h). Where nothing is marked, marks stay
 * empty. Owner: the caller; start from {0}. Memory is zeroed when it is let go. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

enum { MARKED_TEXT_BYTES_MAX = 256 << 20 };

struct marked_text {
    struct buffer text, marks;
    bool has_marks;
};

/* A borrowed stretch of it. */
struct marked_span {
    const char *text;     /* [length] */
    const uint8_t *marks; /* [length], or NULL: nothing is marked */
    size_t length;
};

void marked_text_start(struct marked_text *marked, bool has_marks); /* empty, memory kept */
void marked_text_destroy(struct marked_text *marked);
struct marked_span marked_text_span(const struct marked_text *marked);

/* STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status marked_text_copy(struct marked_text *marked, struct marked_span span);
MUST_CHECK enum status marked_text_put(struct marked_text *marked, const char *text, size_t length,
                                       bool is_marked);

/* The same with every sequence that is not valid UTF-8 as a U+FFFD. */
MUST_CHECK enum status marked_text_clean(struct marked_text *marked, struct marked_span span);

struct marked_span marked_span_cut(struct marked_span span, size_t start, size_t end);
bool marked_span_is_all(struct marked_span span, size_t start, size_t end); /* marked throughout */
