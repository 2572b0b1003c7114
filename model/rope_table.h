/* rope_table.h - cos and sin for every position, with the scaling of the config in them:
 * [position][head_dim / 2][2], as kernels/rope_kv wants. Frequencies and angles are rounded to fp32
 * where transformers rounds them, so that long contexts agree with the model's training code. */
#pragma once
#include <stddef.h>

#include "model/model_config.h"

/* Floats that a table needs. */
static inline size_t rope_table_floats(const struct model_config *config, uint32_t position_count)
{
    return (size_t)position_count * config->head_dim;
}

void rope_table_fill(const struct model_config *config, uint32_t position_count, float *out);
