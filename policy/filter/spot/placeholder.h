/* placeholder.h - [NAME_1] in a text, also in another case or as markdown escapes it (\[NAME\_1\]).
 * Without brackets, with a space or with leading zeros it is text like any other. Pure. */
#pragma once
#include "policy/filter/spot/spotter.h"

enum spot_match placeholder_match(const struct window_view *view, struct spot *spot,
                                  uint32_t *lexeme_count);
