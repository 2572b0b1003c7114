/* Method: the pure plan over many shapes and row counts: tiles hold every element once, segments
 * cover K and depend on nothing but the weight, the grid covers out, and shared memory, workspace
 * and counters are enough. */
#include <stdlib.h>

#include "kernels/matmul/matmul_mma_plan.h"
#include "tests/check.h"

static const uint32_t sizes[] = {1,    8,    16,   63,    172,   576,   1024,
                                 2048, 4096, 6144, 14336, 28672, 128256};
static const uint32_t row_counts[] = {1, 8, 9, 16, 17, 32, 33, 64, 65, 96, 97, 130, 256, 8192};
enum { SIZES = sizeof sizes / sizeof sizes[0], ROWS = sizeof row_counts / sizeof row_counts[0] };

static struct matmul_gpu_weight weight_of(uint32_t out, uint32_t in, enum dtype dtype, bool paired)
{
    return (struct matmul_gpu_weight){
        .out_count = paired ? out * 2 : out, .in_count = in, .dtype = dtype, .is_paired = paired};
}

static void tiles_hold_every_element_once(void)
{
    enum { OUT = 64, IN = 192 };
    for (size_t bytes = 1; bytes <= 2; bytes++) {
        unsigned char seen[OUT * IN * 2] = {0};
        for (uint32_t row = 0; row < OUT; row++) {
            for (uint32_t k = 0; k < IN; k += 2) {
                const size_t at = matmul_tile_offset(row, k, IN / MATMUL_CHUNK, bytes);
                CHECK(at % (2 * bytes) == 0 && at + 2 * bytes <= OUT * IN * bytes,
                      "[%u][%u] at %zu", row, k, at);
                CHECK(seen[at] == 0, "[%u][%u] where another is", row, k);
                seen[at] = 1;
            }
        }
    }
    /* Operand A of m16n8k16: lane 4g + t, pairs at (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t +
     * 8) */
    CHECK(matmul_tile_offset(5, 6, 1, 2) == (5 * 4 + 3) * 16, "a0");
    CHECK(matmul_tile_offset(13, 6, 1, 2) == (5 * 4 + 3) * 16 + 4, "a1");
    CHECK(matmul_tile_offset(5, 14, 1, 2) == (5 * 4 + 3) * 16 + 8, "a2");
    CHECK(matmul_tile_offset(13, 30, 1, 2) == 512 + (5 * 4 + 3) * 16 + 12, "a3 of the next 16 k");
    CHECK(matmul_tile_offset(13, 30, 1, 1) == (5 * 4 + 3) * 16 + 8 + 6, "e4m3");
}

static void segments_cover_k(void)
{
    for (uint32_t i = 0; i < SIZES * SIZES; i++) {
        const struct matmul_gpu_weight weight =
            weight_of(sizes[i / SIZES], sizes[i % SIZES], DTYPE_BF16, i % 2 == 0);
        const uint32_t count = matmul_segment_count(&weight);
        CHECK(count <= MATMUL_SEGMENTS_MAX && (count & (count - 1)) == 0, "%u segments", count);
        CHECK(matmul_segment_first(&weight, count, 0) == 0, "the first segment");
        CHECK(matmul_segment_first(&weight, count, count) == matmul_chunks(&weight), "the end");
        for (uint32_t s = 0; s < count; s++) {
            const uint32_t first = matmul_segment_first(&weight, count, s);
            CHECK(first % MATMUL_RUN_CHUNKS == 0, "segment %u begins within a run", s);
            CHECK(first < matmul_segment_first(&weight, count, s + 1), "segment %u is empty", s);
        }
    }
}

static void check_plan(const struct matmul_gpu_weight *weight, uint32_t row_count, size_t shared)
{
    const struct matmul_mma_plan plan = matmul_choose_mma_plan(weight, row_count, shared);
    CHECK(plan.segment_count == matmul_segment_count(weight), "segments by rows");
    CHECK(plan.splits * plan.side_by_side * plan.in_sequence == plan.segment_count, "segments");
    CHECK(plan.row_groups * plan.row_tiles * 8 >= row_count, "%u rows", row_count);
    CHECK((plan.row_groups - 1) * plan.row_tiles * 8 < row_count, "an empty group of rows");
    CHECK(plan.out_blocks * plan.block_outs >= matmul_tile_rows(weight), "out features");
    CHECK(plan.out_blocks <= 65535, "the grid");
    CHECK(plan.shared_bytes <= shared, "%zu bytes shared", plan.shared_bytes);
    CHECK(plan.in_sequence > 1 || plan.shared_bytes <= MATMUL_MMA_SHARED,
          "one block a multiprocessor");
    const size_t sums = (size_t)plan.row_tiles * 8 * (plan.block_outs + 4) * 4 * plan.side_by_side;
    CHECK(sums <= plan.stages
                      * matmul_mma_stage_bytes(plan.row_tiles, plan.side_by_side,
                                               dtype_bytes(weight->dtype)),
          "sums over the ring");
    if (plan.splits > 1) {
        const size_t floats =
            (size_t)plan.out_blocks * plan.segment_count * plan.block_outs * MATMUL_MMA_ROWS_MAX;
        CHECK(plan.row_groups == 1 && plan.out_blocks <= MATMUL_COUNTERS, "counters");
        CHECK(MATMUL_COUNTERS * 4 + floats * 4 <= matmul_mma_workspace_bytes(), "workspace");
    }
}

static void plans_fit(void)
{
    for (uint32_t i = 0; i < SIZES * SIZES * ROWS; i++) {
        for (uint32_t kind = 0; kind < 8; kind++) {
            static const enum dtype dtypes[] = {DTYPE_BF16, DTYPE_E4M3, DTYPE_E4M3, DTYPE_F16};
            struct matmul_gpu_weight weight = weight_of(
                sizes[i / ROWS / SIZES], sizes[i / ROWS % SIZES], dtypes[kind / 2], kind % 2 == 1);
            weight.scale_block = kind / 2 == 2 ? MATMUL_RUN : 0;
            check_plan(&weight, row_counts[i % ROWS], 227 * 1024);
            check_plan(&weight, row_counts[i % ROWS], 99 * 1024);
        }
    }
}

CHECK_MAIN(tiles_hold_every_element_once, segments_cover_k, plans_fit)
