/* hotline.h - a number that an answer gives for a crisis line and that is none of the region's.
 * What stands around it decides (policy/crisis/resources.h). Pure. */
#pragma once
#include "policy/filter/spot/spotter.h"

/* spot->text is the right number. */
enum spot_match hotline_match(const struct resources *resources, const struct window_view *view,
                              struct spot *spot, uint32_t *lexeme_count);
