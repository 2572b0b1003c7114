/* rope_kv.h - rotates q and k by their positions (rotary embedding, Su et al. 2021, the half-split
 * form of Hugging Face: x[i] pairs with x[i + head_dim / 2]) and writes k and v to their pages.
 *
 * Layout   q [row, head_count * head_dim] in place; k, v [row, kv_head_count * head_dim];
 *          cos_sin [position][head_dim / 2][2], which carries every scaling; pages as attention.h.
 */
#pragma once
#include <stdint.h>

#include "kernels/attention/attention.h"
#include "kernels/workers.h"

struct rope_kv_args {
    float *q, *k;
    const float *v;
    float *k_pages, *v_pages;
    const float *cos_sin;                       /* [position_count, head_dim / 2, 2] */
    const struct attention_sequence *sequences; /* as attention.h; rows say where to write */
    uint32_t sequence_count;
    uint32_t head_count, kv_head_count, head_dim, page_tokens;
};

void rope_kv_reference(const struct rope_kv_args *args);
void rope_kv_cpu(const struct rope_kv_args *args, struct workers *workers);
