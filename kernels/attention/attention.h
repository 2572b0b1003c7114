/* attention.h - causal attention of a ragged batch over paged KV, grouped queries:
 *   out[r][h] = sum over t <= position(r) of softmax_t(q[r][h] . k[t][g] * scale) * v[t][g], g = h
 * / group
 *
 * Layout   q and out [row_count, head_count * head_dim]; a layer's k and v pools are
 *          [page][kv_head][page_tokens][head_dim] fp32. A sequence's pages hold tokens 0, 1, 2, ...
 * Numerics online softmax over tiles of ATTENTION_TILE_TOKENS keys in rising order, so that a row's
 *          bits depend on its own tokens only: not on batch mates, chunking or page numbers.
 * Threads  splits (sequence, kv head, block of rows) over the workers; never allocates. */
#pragma once
#include <stdint.h>

#include "kernels/workers.h"

enum {
    ATTENTION_TILE_TOKENS = 16, /* page_tokens is a multiple of it */
    ATTENTION_HEAD_DIM_MAX = 512,
    ATTENTION_GROUP_MAX = 64,
};

/* One sequence of the batch. Its rows are contiguous; row i stands at position position_first + i;
 * the KV of all positions up to its last row is already written. */
struct attention_sequence {
    const uint32_t *pages; /* page indexes, enough for position_first + row_count tokens */
    uint32_t row_first, row_count, position_first;
};

struct attention_args {
    const float *q;                 /* [row_count, head_count * head_dim] */
    const float *k_pages, *v_pages; /* this layer's pools */
    float *out;                     /* [row_count, head_count * head_dim]; may not overlap q */
    const struct attention_sequence *sequences;
    uint32_t sequence_count;
    uint32_t head_count, kv_head_count, head_dim, page_tokens;
    float scale; /* usually 1 / sqrt(head_dim) */
};

void attention_reference(const struct attention_args *args);
void attention_cpu(const struct attention_args *args, struct workers *workers);
