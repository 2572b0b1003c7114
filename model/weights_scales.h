/* weights_scales.h - the scales of an E4M3 matrix, which a checkpoint holds beside it under its
 * name with "_scale_inv" or "_scale": found, checked against quantization_config, expanded to fp32.
 * value = stored * scale under both names. Private to weights.c. */
#pragma once
#include "model/weights_walk.h"

/* First pass: sets how many scales there are and counts their memory. */
MUST_CHECK enum status weights_scales_check(struct weights_walk *walk,
                                            const struct family_tensor *row, const char *name,
                                            struct weights_tensor *out);

/* Second pass: takes their memory and fills it. */
MUST_CHECK enum status weights_scales_expand(struct weights_walk *walk, const char *name,
                                             struct weights_tensor *out);
