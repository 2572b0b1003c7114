/* matmul_plan.h - how a matmul is cut on a GPU: pure, tested on the CPU.
 *
 * Tiles    16 out features x 64 k (a chunk): 2,048 bytes of bf16/f16, 1,024 of e4m3, in the order
 *          in which the lanes of a warp take them as operand A of m16n8k16, 16 bytes a lane.
 *          Chunks of a tile follow each other; 4 tiles are operand A of a wgmma m64.
 *            bf16, f16: [tile][k / 16][lane 4g + t]: rows g and g + 8 at k 2t, 2t + 1, then both
 *            at k 2t + 8, 2t + 9. e4m3: [tile][k / 32][lane], that for the first 16 k, then for
 *            the second.
 * Segments K in as many parts as make about 200 blocks of 128 features x 1 segment, at most 8, cut
 *          at multiples of 128 k. A constant of the shape, not of the device or the rows, because
 *          it fixes the order of the sums. */
#pragma once
#include "kernels/matmul/matmul.h"

#ifdef __CUDACC__
#define MATMUL_PURE static __host__ __device__ __forceinline__
#else
#define MATMUL_PURE static inline
#endif

enum {
    MATMUL_TILE = 16,
    MATMUL_CHUNK = 64, /* k; in_count is padded to it */
    MATMUL_PAD = 64,   /* out features are padded to it */
    MATMUL_RUN = 128,  /* k that one block scale covers */
    MATMUL_RUN_CHUNKS = 2,
    MATMUL_SEGMENTS_MAX = 8,
    MATMUL_SEGMENT_RUNS_MIN = 2,
    MATMUL_BLOCK_OUTS = 128,
    MATMUL_BLOCKS_AIM = 200,    /* blocks of features x segments */
    MATMUL_WGMMA_ROWS_MIN = 97, /* from here on the wgmma kernel runs on sm_90 */
};

/* Rows of the tiles in use: pairs of gate and up fill whole tiles. */
MATMUL_PURE uint32_t matmul_tile_rows(const struct matmul_gpu_weight *weight)
{
    const uint32_t pairs = (weight->out_count / 2 + 7) / 8 * 16;
    return weight->is_paired ? pairs : weight->out_count;
}

MATMUL_PURE uint32_t matmul_padded_rows(const struct matmul_gpu_weight *weight)
{
    return (matmul_tile_rows(weight) + MATMUL_PAD - 1) / MATMUL_PAD * MATMUL_PAD;
}

MATMUL_PURE uint32_t matmul_chunks(const struct matmul_gpu_weight *weight)
{
    return (weight->in_count + MATMUL_CHUNK - 1) / MATMUL_CHUNK;
}

MATMUL_PURE uint32_t matmul_runs(const struct matmul_gpu_weight *weight)
{
    return (weight->in_count + MATMUL_RUN - 1) / MATMUL_RUN;
}

/* Where row of the tiles and k (even) are, in bytes; k + 1 follows. 16 k of a lane are together. */
MATMUL_PURE size_t matmul_tile_offset(uint32_t row, uint32_t k, uint32_t chunks, size_t bytes)
{
    const size_t chunk = (size_t)(row / MATMUL_TILE) * chunks + k / MATMUL_CHUNK;
    const uint32_t lane = row % 8 * 4 + k % 8 / 2;
    const uint32_t pair = k % 16 / 8 * 2 + row % 16 / 8; /* of 4 in a lane's operand */
    const uint32_t step = k % MATMUL_CHUNK / 16;
    if (bytes == 2) {
        return ((chunk * 4 + step) * 32 + lane) * 16 + pair * 4;
    }
    return ((chunk * 2 + step / 2) * 32 + lane) * 16 + step % 2 * 8 + pair * 2;
}

/* ---- segments ---- */

/* A power of two; every segment has MATMUL_SEGMENT_RUNS_MIN runs, or it is the only one. */
MATMUL_PURE uint32_t matmul_segment_count(const struct matmul_gpu_weight *weight)
{
    const uint32_t blocks = (matmul_tile_rows(weight) + MATMUL_BLOCK_OUTS - 1) / MATMUL_BLOCK_OUTS;
    uint32_t count = 1;
    while (count < MATMUL_SEGMENTS_MAX && count * 2 * blocks <= MATMUL_BLOCKS_AIM
           && count * 2 * MATMUL_SEGMENT_RUNS_MIN <= matmul_runs(weight)) {
        count *= 2;
    }
    return count;
}

/* Segment s is chunks first(s) .. first(s + 1) - 1; first(count) is the number of chunks. */
MATMUL_PURE uint32_t matmul_segment_first(const struct matmul_gpu_weight *weight, uint32_t count,
                                          uint32_t s)
{
    const uint32_t runs = matmul_runs(weight);
    const uint32_t chunk = s * runs / count * MATMUL_RUN_CHUNKS;
    return s < count ? chunk : matmul_chunks(weight);
}
