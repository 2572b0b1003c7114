/* forward.h - one ragged batch of rows through the layers of a model, op by op through a backend's
 * table. All memory is the caller's: weights, tables, KV pools and a workspace sized once. A row's
 * results depend on its own tokens only. One thread at a time; never allocates. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "kernels/backend.h"
#include "model/weights.h"

struct forward {
    const struct model_config *config;
    const struct weights *weights;
    const struct backend *backend;
    struct workers *workers;
    const float *rope;  /* rope_table.h */
    float *kv;          /* [layer][k, v][page][kv_head][page_tokens][head_dim] */
    size_t pool_floats; /* of one layer's k or v */
    uint32_t page_tokens;
    /* workspace, for row_count_max rows */
    uint32_t row_count_max;
    float *x, *normed;         /* [row, hidden]: the residual stream; its normed copy */
    float *q, *k, *v, *attend; /* [row, q_dim or kv_dim] */
    float *gate, *up;          /* [row, ffn] */
};

struct forward_batch {
    const uint32_t *ids; /* [row_count], below vocabulary_count */
    uint32_t row_count;  /* 1 .. row_count_max */
    const struct attention_sequence *sequences;
    uint32_t sequence_count;
    const uint32_t *logit_rows; /* rows whose logits are wanted, rising; perhaps none */
    uint32_t logit_row_count;
    float *logits; /* [logit_row_count, vocabulary] */
};

size_t forward_workspace_floats(const struct model_config *config, uint32_t row_count_max);

/* Cuts the workspace (64-byte aligned) into the fields; config is set before. */
void forward_set_workspace(struct forward *forward, float *workspace, uint32_t row_count_max);

void forward_run(const struct forward *forward, const struct forward_batch *batch);
