/* gpu_forward.h - the launches of one step: a ragged batch through the layers of a model, then
 * logits and a token for the rows that sample. Only queues; what it is given must stay until the
 * device has done it. All memory is the caller's. One thread. */
#pragma once
#include "kernels/matmul/matmul_cublaslt.h"
#include "model/gpu/gpu_step.h"
#include "model/gpu/gpu_weights.h"

struct gpu_forward {
    const struct model_config *config;
    const struct gpu_weights *weights;
    struct matmul_cublaslt *library;  /* NULL: our own matmul */
    enum matmul_kernel matmul_kernel; /* matmul_probe.h */
    struct gpu *gpu;
    struct gpu_info info;
    struct attention_gpu_shape attention;
    const float *rope;    /* rope_table.h, on the device */
    unsigned char *kv;    /* [layer][k, v][page][kv_head][page_tokens][head_dim] of kv_dtype */
    size_t pool_bytes;    /* of one layer's k or v */
    size_t page_bytes;    /* of one page in one pool */
    unsigned char *block; /* the uploaded step */
    /* workspace */
    uint32_t row_count_max, logit_row_count_max;
    float *x;                          /* [row, hidden] */
    void *normed;                      /* T [row, hidden_stride] */
    void *qkv, *attend;                /* T [row, qkv_stride], [row, q_stride] */
    void *gate_up, *ffn;               /* T [row, 2 * ffn] for cuBLASLt only; [row, ffn_stride] */
    float *logits;                     /* [logit row, logits_stride] */
    uint32_t *sampled;                 /* [logit row]: ids, kept for the next step */
    struct sample_gpu_result *results; /* [logit row] */
    void *attention_workspace, *matmul_workspace, *sample_workspace;
};

/* Elements between rows, rounded up so that rows are aligned. */
static inline uint32_t gpu_forward_stride(uint32_t dim)
{
    return (dim + 7) / 8 * 8;
}

/* Cuts the workspace (256-byte aligned, zeroed) into the fields; returns its size. memory NULL:
 * only the size. config, weights, library, info, attention and the maxima are set before. */
size_t gpu_forward_set_workspace(struct gpu_forward *forward, void *memory);

/* Zeroes count pages whose list is at that offset of the block. */
MUST_CHECK enum status gpu_forward_scrub(const struct gpu_forward *forward, size_t list_offset,
                                         uint32_t count);

/* The step whose block has this layout; has_prefill false: only rows that decode. */
MUST_CHECK enum status gpu_forward_run(const struct gpu_forward *forward,
                                       const struct gpu_step_layout *layout, bool has_prefill);

/* For tools and tests, after a step: logits of its first row_count rows, [row, logits_stride]. */
MUST_CHECK enum status gpu_forward_every_logit(const struct gpu_forward *forward,
                                               uint32_t row_count, float *logits);

/* cuBLASLt times its algorithms for so many rows; nothing of a step may be in flight. */
MUST_CHECK enum status gpu_forward_tune(const struct gpu_forward *forward, uint32_t row_count);
