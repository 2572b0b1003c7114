/* attention.h - causal attention of a ragged batch over paged KV, grouped queries:
 *   out[r][h] = sum over t <= position(r) of softmax_t(score) * v[t][g],  g = h / group
 *   score     = q[r][h] . k[t][g] * scale, then softcap * tanh(score / softcap) where softcap > 0
 * and only the last `window` tokens, the row's own among them, where window > 0.
 *
 * Layout   q and out [row_count, head_count * head_dim]; a layer's k and v pools are
 *          [page][kv_head][page_tokens][head_dim] fp32. A sequence's pages hold tokens 0, 1, 2, ...
 * Numerics online softmax over tiles of ATTENTION_TILE_TOKENS keys in rising order, so that a row's
 *          bits depend on its own tokens only: not on batch mates, chunking or page numbers.
 * Threads  splits (sequence, kv head, block of rows) over the workers; never allocates. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/dtype.h"
#include "kernels/gpu/gpu_batch.h"
#include "kernels/workers.h"

#ifdef __cplusplus
extern "C" {
#endif

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
    uint32_t window; /* 0: all tokens */
    float scale;     /* usually 1 / sqrt(head_dim) */
    float softcap;   /* 0: none */
};

void attention_reference(const struct attention_args *args);
void attention_cpu(const struct attention_args *args, struct workers *workers);

/* ---- on a GPU --------------------------------------------------------------------------------
 *
 * The host cuts a step's batch into items once (attention_gpu_plan_items), uploads them, and every
 * layer's launch walks through the list: a few rows over one split of their keys (decoding), or a
 * block of rows over all of them (a prompt).
 *
 * Numerics q, k, v and the weights of the values are T, all sums fp32. Keys go in tiles of 64 and
 *          splits of 512, both at absolute positions; a split's tiles are one chain, and splits are
 *          merged in rising order, whoever walks through them. So a row's bits depend on its own
 *          tokens only: not on batch mates, chunking, page numbers, or which kernel ran. */

enum {
    ATTENTION_GPU_TILE_TOKENS = 64,
    ATTENTION_GPU_SPLIT_TOKENS = 512,
    ATTENTION_GPU_HEAD_DIM_MAX = 256, /* and a multiple of 8 */
    ATTENTION_GPU_SLOTS = 4096,       /* where the splits of rows wait for each other */
};

struct gpu_stream;

/* Work for one block and one kv head. The engine only uploads them. */
struct attention_gpu_item {
    uint32_t row_first, row_count, position_first; /* rows of one sequence */
    uint32_t page_first;                           /* of the sequence, in batch.pages */
    uint32_t split_first;                          /* the first split that is walked through */
    uint32_t part_index, part_count; /* 1: the rest of the splits too. More: one split each */
    uint32_t slot_first;             /* of part 0: where parts wait for the last one */
};

struct attention_gpu_shape {
    uint32_t head_count, kv_head_count, head_dim;
    uint32_t page_tokens;     /* a multiple of 16 */
    uint32_t multiprocessors; /* gpu_info: fixes the grid, so that a graph serves all contexts */
    enum dtype dtype;         /* T: BF16 or F16 */
    enum dtype kv_dtype;      /* T, or E4M3 */
    bool has_wgmma;           /* sm_90, whose mma and wgmma agree (matmul_probe.h) */
};

struct attention_gpu_args {
    struct attention_gpu_shape shape;
    const void *q;                 /* T [row, q_stride]: heads are head_dim apart */
    const void *k_pages, *v_pages; /* this layer's pools, 16-byte aligned; fewer than 2^32 rows */
    void *out;                     /* T [row, out_stride]; may not overlap q */
    size_t q_stride, out_stride;   /* elements, multiples of 8 */
    struct gpu_batch batch;
    const struct attention_gpu_item *items; /* counts->attention_item_count, decoding ones first */
    void *workspace;      /* attention_gpu_workspace_bytes(); zeroed once after it was taken */
    bool has_prefill;     /* false: no item is of a prompt, half of the launches are left out */
    uint32_t window;      /* 0: all tokens */
    float scale, softcap; /* > 0; 0: none */
    float k_scale,
        v_scale; /* what stored keys and values are multiplied with; 1 if kv_dtype is T */
};

/* STATUS_UNSUPPORTED: no kernel for that shape. Not looked at: where a block has 99 KiB of shared
 * memory (sm_86, sm_89, sm_120), launches fail for a head_dim above 64 in 16 bits, above 128 in
 * E4M3; the device's failure says so. */
MUST_CHECK enum status attention_gpu_check(const struct attention_gpu_shape *shape);

/* Most items a step can have, and the bytes of device memory that all layers share. */
uint32_t attention_gpu_items_max(const struct attention_gpu_shape *shape, uint32_t row_count_max,
                                 uint32_t sequence_count_max);
size_t attention_gpu_workspace_bytes(const struct attention_gpu_shape *shape);

/* Host only. Fills items (room for attention_gpu_items_max) and attention_item_count and
 * attention_decode_count of counts. `window` is that of the layers if all have the same one, else
 * 0: the list serves layers with a smaller window too. */
void attention_gpu_plan_items(const struct attention_gpu_shape *shape, uint32_t window,
                              const struct gpu_sequence *sequences, uint32_t sequence_count,
                              struct attention_gpu_item *items, struct gpu_counts *counts);

/* STATUS_UNSUPPORTED as above. STATUS_DEVICE: not launched. */
MUST_CHECK enum status attention_gpu_launch(const struct attention_gpu_args *args,
                                            struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
