/* attention_plan.h - how a step's attention is cut into items. Pure; for attention_plan.c, the
 * launchers and tests.
 *
 * A pair is a row and a query head of the kv head's group: what is a row of a matrix to the tensor
 * cores. Groups of more than 16 heads are decoded in chunks of 16, each a unit of its own. */
#pragma once
#include "kernels/attention/attention.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ATTENTION_PLAN_DECODE_PAIRS = 16,
    ATTENTION_PLAN_PREFILL_PAIRS = 64, /* of half an item: what four warps have */
    /* Sequences with no more pairs in a step are decoded: all splits of the keys at once, at the
     * price of reading them for every 16 pairs. */
    ATTENTION_PLAN_FEW_PAIRS = 128,
    ATTENTION_PLAN_BLOCKS_MAX = 4,            /* a multiprocessor, by shared memory or fewer */
    ATTENTION_PLAN_SHARED_BYTES = 227 * 1024, /* of a multiprocessor */
    ATTENTION_PLAN_RESERVED_BYTES = 1024,     /* of them, for each block */
};

static inline uint32_t attention_plan_group(const struct attention_gpu_shape *shape)
{
    return shape->head_count / shape->kv_head_count;
}

/* Query heads of one decoding unit, at most; the last chunk of a group may have fewer. */
static inline uint32_t attention_plan_chunk_heads(const struct attention_gpu_shape *shape)
{
    const uint32_t group = attention_plan_group(shape);
    return group < ATTENTION_PLAN_DECODE_PAIRS ? group : (uint32_t)ATTENTION_PLAN_DECODE_PAIRS;
}

static inline uint32_t attention_plan_chunks(const struct attention_gpu_shape *shape)
{
    return (attention_plan_group(shape) + ATTENTION_PLAN_DECODE_PAIRS - 1)
           / ATTENTION_PLAN_DECODE_PAIRS;
}

/* Rows of an item. */
static inline uint32_t attention_plan_decode_rows(const struct attention_gpu_shape *shape)
{
    return ATTENTION_PLAN_DECODE_PAIRS / attention_plan_chunk_heads(shape);
}

static inline uint32_t attention_plan_prefill_rows(const struct attention_gpu_shape *shape)
{
    return ATTENTION_PLAN_PREFILL_PAIRS / attention_plan_group(shape) * 2;
}

/* The least head dimension that kernels are instantiated for; 0: none. */
static inline uint32_t attention_plan_dim(uint32_t head_dim)
{
    return head_dim <= 64    ? 64
           : head_dim <= 96  ? 96
           : head_dim <= 128 ? 128
           : head_dim <= 256 ? 256
                             : 0;
}

/* The grid of a kernel whose blocks walk through the items. */
static inline uint32_t attention_plan_blocks(uint32_t multiprocessors, size_t shared_bytes)
{
    const size_t fit = ATTENTION_PLAN_SHARED_BYTES / (shared_bytes + ATTENTION_PLAN_RESERVED_BYTES);
    const size_t most = ATTENTION_PLAN_BLOCKS_MAX;
    const size_t blocks = fit < 1 ? 1 : fit > most ? most : fit;
    return multiprocessors * (uint32_t)blocks;
}

/* The workspace: counters first, then (maximum, sum) and the output of each slot and query head. */
struct attention_plan_workspace {
    size_t maxima_at, outs_at, bytes;
};
struct attention_plan_workspace
attention_plan_place_workspace(const struct attention_gpu_shape *shape);

/* attention_gpu_plan_items() with another border between decoding and prefill: sequences of at most
 * few_rows rows are decoded. */
void attention_plan_items(const struct attention_gpu_shape *shape, uint32_t window,
                          uint32_t few_rows, const struct gpu_sequence *sequences,
                          uint32_t sequence_count, struct attention_gpu_item *items,
                          struct gpu_counts *counts);

#ifdef __cplusplus
}
#endif
