/* matmul_wgmma_plan.h - tiles, ring and grid of matmul_wgmma.cu: pure, tested on the CPU.
 *
 * A tile is 128 features x `tokens` rows, all of K; a block of threads takes tiles blockIdx.x,
 * blockIdx.x + grid and so on, in an order that keeps few rows and few features in the L2 at a
 * time. Wide tiles read less shared memory for a multiplication, narrow ones leave fewer
 * multiprocessors idle at the end: the plan weighs them. The choice never reaches the results. */
#pragma once
#include "kernels/matmul/matmul_plan.h"

enum {
    MATMUL_WGMMA_THREADS = 384, /* two warpgroups multiply, one copies */
    MATMUL_WGMMA_STAGES_MAX = 8,
    MATMUL_WGMMA_ROW_GROUP = 16, /* tiles of rows that are walked side by side */
    MATMUL_WGMMA_OUT_TOKENS =
        32, /* rows that pass through shared memory at once on their way out */
    MATMUL_WGMMA_OUT_STRIDE = 68, /* floats: 64 features and 4, so that no two lanes share a bank */
    MATMUL_WGMMA_SHARED = 232448, /* of sm_90 */
};

struct matmul_wgmma_plan {
    uint32_t tokens; /* 64, 128, 192 or 256 rows a tile */
    uint32_t sums;   /* sets of accumulators: 1; 2 with segments; 3 with block scales */
    uint32_t stages, out_tiles, row_tiles, grid;
    size_t stage_bytes, shared_bytes;
};

MATMUL_PURE size_t matmul_wgmma_weight_bytes(size_t bytes)
{
    return (size_t)MATMUL_BLOCK_OUTS * MATMUL_CHUNK * bytes;
}

MATMUL_PURE size_t matmul_wgmma_stage_bytes(size_t bytes, uint32_t tokens)
{
    return matmul_wgmma_weight_bytes(bytes) + (size_t)tokens * MATMUL_CHUNK * 2;
}

/* Behind the ring: what goes out, of each warpgroup; then two barriers a stage. */
MATMUL_PURE size_t matmul_wgmma_out_bytes(void)
{
    return (size_t)2 * MATMUL_WGMMA_OUT_TOKENS * MATMUL_WGMMA_OUT_STRIDE * sizeof(float);
}

/* Widths that are compiled, narrow to wide; 0 ends them. More sums leave fewer registers. */
static inline const uint32_t *matmul_wgmma_widths(enum dtype dtype, uint32_t sums)
{
    static const uint32_t widths[3][4] = {{128, 256, 0}, {64, 128, 192, 0}, {128, 0}};
    static const uint32_t f16[2] = {128, 0}; /* rare: one width */
    return dtype == DTYPE_F16 ? f16 : widths[sums - 1];
}

/* Time of a wave of tiles, about: bytes of shared memory that a multiplication of 64 x tokens x 16
 * reads, and its share of what the copies write, against 128 a cycle. */
static inline uint64_t matmul_wgmma_wave_cost(uint32_t tokens, size_t bytes)
{
    const uint32_t cycles = tokens / 2;
    const uint64_t moved =
        64 * 16 * bytes + (uint64_t)tokens * 32 + matmul_wgmma_stage_bytes(bytes, tokens) / 8;
    const uint64_t least = 128 * cycles * 9 / 8; /* power, not memory, bounds the widest ones */
    return moved > least ? moved : least;
}

/* row_count > 0; multiprocessors > 0. */
static inline struct matmul_wgmma_plan
matmul_choose_wgmma_plan(const struct matmul_gpu_weight *weight, uint32_t row_count,
                         uint32_t multiprocessors)
{
    const size_t bytes = dtype_bytes(weight->dtype);
    struct matmul_wgmma_plan plan;
    plan.sums = weight->scale_block ? 3U : matmul_segment_count(weight) > 1 ? 2U : 1U;
    plan.tokens = 0;
    plan.out_tiles = (matmul_padded_rows(weight) + MATMUL_BLOCK_OUTS - 1) / MATMUL_BLOCK_OUTS;
    uint64_t best = UINT64_MAX;
    for (const uint32_t *width = matmul_wgmma_widths(weight->dtype, plan.sums); *width; width++) {
        const uint64_t tiles = (uint64_t)plan.out_tiles * ((row_count + *width - 1) / *width);
        const uint64_t waves = (tiles + multiprocessors - 1) / multiprocessors;
        const uint64_t cost = waves * matmul_wgmma_wave_cost(*width, bytes);
        if (cost <= best) {
            best = cost;
            plan.tokens = *width;
        }
    }
    plan.row_tiles = (row_count + plan.tokens - 1) / plan.tokens;
    const uint32_t tiles = plan.out_tiles * plan.row_tiles;
    plan.grid = tiles < multiprocessors ? tiles : multiprocessors;
    plan.stage_bytes = matmul_wgmma_stage_bytes(bytes, plan.tokens);
    const size_t barriers = (size_t)MATMUL_WGMMA_STAGES_MAX * 2 * 8;
    const size_t room = MATMUL_WGMMA_SHARED - matmul_wgmma_out_bytes() - barriers;
    const uint32_t stages_max = MATMUL_WGMMA_STAGES_MAX;
    plan.stages = (uint32_t)(room / plan.stage_bytes);
    plan.stages = plan.stages < stages_max ? plan.stages : stages_max;
    plan.shared_bytes = plan.stages * plan.stage_bytes + matmul_wgmma_out_bytes() + barriers;
    return plan;
}
