/* matmul_mma_plan.h - grid, shared memory and workspace of matmul_mma.cu: pure, tested on the CPU.
 *
 * A block is 4 warps of 32 features each. Of few rows it takes several segments of fewer features
 * (warps side by side in k), so that few sums or none pass through memory. Of many rows it takes
 * all segments of its 128 features one after the other. Between them (splits), blocks put the sums
 * of their segments into the workspace, and the last one of the same features adds them up. */
#pragma once
#include "kernels/matmul/matmul_plan.h"

#ifdef __cplusplus
#define MATMUL_CONSTANT static constexpr /* for the kernel's template arguments */
#else
#define MATMUL_CONSTANT static inline
#endif

enum {
    MATMUL_MMA_WARPS = 4,
    MATMUL_MMA_WARP_OUTS = 32,
    MATMUL_MMA_SHARED = 113 * 1024, /* bytes a block, of which a multiprocessor holds two */
    MATMUL_MMA_ROWS_MAX = 96,       /* of a block; more rows than that never split K */
};

struct matmul_mma_plan {
    uint32_t row_tiles; /* of 8 rows, a block's: 1, 2, 4, 8 or 12; the kernel is compiled for it */
    uint32_t segment_count; /* of K */
    uint32_t side_by_side;  /* segments that a block's warps take at once: 1, 2 or 4 */
    uint32_t in_sequence;   /* segments that a warp takes one after the other: 1 or segment_count */
    uint32_t block_outs;    /* MATMUL_BLOCK_OUTS / side_by_side */
    uint32_t row_groups, out_blocks; /* grid x, y */
    uint32_t splits;                 /* grid z; more than 1 meet in the workspace */
    uint32_t stages;                 /* of the ring; the kernel is compiled for it */
    size_t shared_bytes;
};

/* As many as MATMUL_MMA_SHARED holds. */
MATMUL_CONSTANT uint32_t matmul_mma_stages(uint32_t row_tiles, size_t bytes)
{
    return bytes == 2 ? (row_tiles == 1 ? 5 : 4) : row_tiles == 1 ? 8 : row_tiles <= 8 ? 6 : 5;
}

MATMUL_PURE size_t matmul_mma_stage_bytes(uint32_t row_tiles, uint32_t side_by_side, size_t bytes)
{
    return (size_t)MATMUL_BLOCK_OUTS * MATMUL_CHUNK * bytes
           + (size_t)row_tiles * 8 * MATMUL_CHUNK * 2 * side_by_side;
}

/* Sums of segments in sequence: fp32 [row of the group][MATMUL_BLOCK_OUTS], behind the ring. */
MATMUL_PURE size_t matmul_mma_sum_bytes(uint32_t row_tiles)
{
    return (size_t)row_tiles * 8 * MATMUL_BLOCK_OUTS * 4;
}

static inline uint32_t matmul_mma_side_by_side(uint32_t row_tiles, uint32_t segment_count,
                                               bool is_small)
{
    const uint32_t most = row_tiles <= 2 && !is_small ? 4 : row_tiles <= 4 ? 2 : 1;
    return segment_count < most ? segment_count : most;
}

/* Which widths are compiled: all for bf16 and fp8, fewer for what is rarer. */
static inline bool matmul_mma_has_row_tiles(const struct matmul_gpu_weight *weight, uint32_t tiles)
{
    if (weight->dtype == DTYPE_F16) {
        return tiles == 2 || tiles == 8;
    }
    return weight->scale_block ? tiles == 2 || tiles == 4 || tiles == 8
                               : tiles <= 2 || tiles == 4 || tiles == 8 || tiles == 12;
}

/* Rows in few groups, and groups no larger than needed. */
static inline uint32_t matmul_mma_row_tiles(const struct matmul_gpu_weight *weight,
                                            uint32_t row_count, uint32_t row_tiles_max)
{
    const uint32_t groups = (row_count + row_tiles_max * 8 - 1) / (row_tiles_max * 8);
    uint32_t tiles = ((row_count + groups - 1) / groups + 7) / 8;
    while (!matmul_mma_has_row_tiles(weight, tiles)) {
        tiles++;
    }
    return tiles;
}

/* shared_bytes_max: what a block may have on the device. row_count > 0. */
static inline struct matmul_mma_plan matmul_choose_mma_plan(const struct matmul_gpu_weight *weight,
                                                            uint32_t row_count,
                                                            size_t shared_bytes_max)
{
    const size_t bytes = dtype_bytes(weight->dtype);
    const uint32_t segments = matmul_segment_count(weight);
    const bool is_small = shared_bytes_max < (size_t)MATMUL_MMA_SHARED; /* 99 KiB, sm_86 say */
    const uint32_t row_tiles_max = !is_small && matmul_mma_has_row_tiles(weight, 12) ? 12 : 8;
    struct matmul_mma_plan plan;
    plan.segment_count = segments;
    plan.in_sequence = 1;
    if (row_count <= row_tiles_max * 8) {
        plan.row_tiles = matmul_mma_row_tiles(weight, row_count, row_tiles_max);
        plan.side_by_side = matmul_mma_side_by_side(plan.row_tiles, segments, is_small);
        plan.splits = segments / plan.side_by_side;
    } else {
        const uint32_t small_max = matmul_mma_has_row_tiles(weight, 4) ? 4 : 2;
        plan.row_tiles = matmul_mma_row_tiles(weight, row_count, is_small ? small_max : 8);
        plan.side_by_side = 1;
        plan.splits = 1;
        plan.in_sequence = segments;
    }
    plan.block_outs = MATMUL_BLOCK_OUTS / plan.side_by_side;
    plan.row_groups = (row_count + plan.row_tiles * 8 - 1) / (plan.row_tiles * 8);
    plan.out_blocks = (matmul_tile_rows(weight) + plan.block_outs - 1) / plan.block_outs;
    plan.stages = matmul_mma_stages(plan.row_tiles, bytes);
    plan.shared_bytes =
        plan.stages * matmul_mma_stage_bytes(plan.row_tiles, plan.side_by_side, bytes)
        + (plan.in_sequence > 1 ? matmul_mma_sum_bytes(plan.row_tiles) : 0);
    return plan;
}

/* ---- the workspace: a counter for each block of features, then sums ---- */

enum { MATMUL_COUNTERS = 256 };

/* [block of features][segment][row of the group][feature of the block]; side by side or not, there
 * are at most MATMUL_BLOCKS_AIM pieces of MATMUL_BLOCK_OUTS x MATMUL_MMA_ROWS_MAX. */
MATMUL_PURE size_t matmul_mma_workspace_bytes(void)
{
    return MATMUL_COUNTERS * sizeof(uint32_t)
           + (size_t)MATMUL_BLOCKS_AIM * MATMUL_BLOCK_OUTS * MATMUL_MMA_ROWS_MAX * sizeof(float);
}
