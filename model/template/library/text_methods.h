/* text_methods.h - Python's str methods on texts, for the tables of filters and methods. */
#pragma once
#include "model/template/value/value.h"

enum text_case { TEXT_UPPER, TEXT_LOWER, TEXT_CAPITALIZE, TEXT_TITLE };

struct text *text_methods_case(struct work *work, const struct text *text, enum text_case how);

/* chars: the code points to take off; NULL: whitespace. */
struct text *text_methods_strip(struct work *work, const struct text *text,
                                const struct text *chars, bool left, bool right);

/* separator NULL: runs of whitespace. limit < 0: all. A list of texts. */
struct value text_methods_split(struct work *work, const struct text *text,
                                const struct text *separator, int64_t limit, bool from_right);
struct value text_methods_lines(struct work *work, const struct text *text, bool keeps_ends);

/* limit < 0: all. */
struct text *text_methods_replace(struct work *work, const struct text *text,
                                  const struct text *old, const struct text *new, int64_t limit);
enum text_side { TEXT_LEFT = 1, TEXT_RIGHT = 2, TEXT_BOTH = TEXT_LEFT | TEXT_RIGHT };

/* Pads on a side with fill (one code point; NULL: a space) to a width in code points. */
struct text *text_methods_pad(struct work *work, const struct text *text, enum text_side side,
                              int64_t width, const struct text *fill);
/* The texts of a list of strings with separator in between; fails for other items. */
struct text *text_methods_join(struct work *work, const struct text *separator,
                               const struct list *items);
