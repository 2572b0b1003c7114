// matmul_wgmma.cu - the matmul for many rows on sm_90a. Two warpgroups of 64 features each
// multiply, weights being operand A in registers (the tiles' order is theirs: 16 bytes a lane, free
// of bank conflicts, e4m3 widened on the way) and rows operand B in shared memory; a thread of the
// third keeps a ring of stages of 64 k full, by plain bulk copies of weights and one tensor copy of
// rows.
//
// Bound: 2 * rows * out * in / 4,096 FLOP a cycle. For each m64 n256 k16 (128 cycles) shared memory
// moves 8 KiB of rows, 2 KiB of weights and 6 KiB of copies: 128 bytes a cycle, its limit, which is
// also what the clock leaves under full power; with segments (a second set of sums, so n192) 139.
// A warpgroup always has multiplications of 2 k16 under way while it loads the next operands.
// Blocks stay (one a multiprocessor), so that copies for the next tile run while one is stored.
#include "kernels/matmul/matmul_wgmma_plan.h"

#include "kernels/matmul/matmul_kernels.cuh"

enum { CONSUMERS = 256, WARPS = 8, TILES = MATMUL_BLOCK_OUTS / MATMUL_TILE };

struct wgmma_args {
    struct gpu_tensor_map rows;
    struct matmul_gpu_args plain;
    struct matmul_wgmma_plan plan;
    uint32_t segment_count;
};

#if GPU_HAS_WGMMA

// ---- device: the tiles, the ring ---------------------------------------------------------------

struct tile {
    uint32_t out, row; // in tiles
};

GPU_DEVICE uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

// Groups of MATMUL_WGMMA_ROW_GROUP tiles of rows; in a group rows change fastest.
GPU_DEVICE struct tile tile_of(const struct matmul_wgmma_plan &plan, uint32_t index)
{
    const uint32_t group = index / (MATMUL_WGMMA_ROW_GROUP * plan.out_tiles);
    const uint32_t first = group * MATMUL_WGMMA_ROW_GROUP;
    const uint32_t rows = smaller(plan.row_tiles - first, MATMUL_WGMMA_ROW_GROUP);
    const uint32_t rest = index - first * plan.out_tiles;
    return {rest / rows, first + rest % rows};
}

struct ring {
    unsigned char *stages;
    struct barrier *full, *empty; // [stage count]
    uint32_t stage_bytes, weight_bytes, stage_count;
    uint32_t stage, parity;
};

GPU_DEVICE void ring_advance(struct ring &ring)
{
    if (++ring.stage == ring.stage_count) {
        ring.stage = 0;
        ring.parity ^= 1;
    }
}

// ---- device: the copies ------------------------------------------------------------------------

template <class W>
GPU_DEVICE void copy_weights(const struct wgmma_args &args, const struct ring &ring, uint32_t out,
                             uint32_t chunk)
{
    const uint32_t bytes = MATMUL_TILE * MATMUL_CHUNK * sizeof(W);
    const uint32_t all = matmul_padded_rows(&args.plain.weight) / MATMUL_TILE;
    const uint32_t tiles = smaller(all - out * TILES, TILES); // the last may have half
    const uint32_t chunks = matmul_chunks(&args.plain.weight);
    struct barrier *full = ring.full + ring.stage;
    barrier_arrive_expect(full, tiles * bytes + ring.stage_bytes - ring.weight_bytes);
    for (uint32_t i = 0; i < tiles; i++) {
        const size_t at = ((size_t)(out * TILES + i) * chunks + chunk) * bytes;
        bulk_copy(ring.stages + ring.stage * ring.stage_bytes + i * bytes,
                  static_cast<const unsigned char *>(args.plain.weight.tiles) + at, bytes, full);
    }
}

GPU_DEVICE void copy_rows(const struct wgmma_args &args, const struct ring &ring, uint32_t row,
                          uint32_t chunk)
{
    tensor_copy_2d(ring.stages + ring.stage * ring.stage_bytes + ring.weight_bytes, &args.rows,
                   chunk * MATMUL_CHUNK, row * args.plan.tokens, ring.full + ring.stage);
}

// Brings the chunk's share of the tile's residual stream to the L2, so that adding to it at the end
// does not wait for memory.
GPU_DEVICE void prefetch_old(const struct wgmma_args &args, struct tile tile, uint32_t chunk,
                             uint32_t chunks)
{
    const uint32_t a_row = MATMUL_BLOCK_OUTS / 32; // lines of 128 bytes
    const uint32_t lines = args.plan.tokens * a_row;
    for (uint32_t i = chunk * lines / chunks; i < (chunk + 1) * lines / chunks; i++) {
        const uint32_t row = tile.row * args.plan.tokens + i / a_row;
        const uint32_t column = tile.out * MATMUL_BLOCK_OUTS + i % a_row * 32;
        if (row < args.plain.row_count && column < args.plain.weight.out_count) {
            prefetch_l2(static_cast<const float *>(args.plain.out)
                        + (size_t)row * args.plain.out_stride + column);
        }
    }
}

// Weights are never written, so the first stages' are on their way before the kernel before ends.
template <class W>
GPU_DEVICE void produce(const struct wgmma_args &args, struct ring ring)
{
    const uint32_t chunks = matmul_chunks(&args.plain.weight);
    const uint32_t early = smaller(chunks, ring.stage_count);
    struct ring ahead = ring;
    for (uint32_t chunk = 0; chunk < early; chunk++) {
        copy_weights<W>(args, ahead, tile_of(args.plan, blockIdx.x).out, chunk);
        ring_advance(ahead);
    }
    dependency_wait();
    ring.parity = 1; // a new barrier passes for the phase before its first
    const uint32_t tiles = args.plan.out_tiles * args.plan.row_tiles;
    for (uint32_t index = blockIdx.x; index < tiles; index += gridDim.x) {
        const struct tile tile = tile_of(args.plan, index);
        for (uint32_t chunk = 0; chunk < chunks; chunk++) {
            if (index != blockIdx.x || chunk >= early) {
                barrier_wait(ring.empty + ring.stage, ring.parity);
                copy_weights<W>(args, ring, tile.out, chunk);
            }
            copy_rows(args, ring, tile.row, chunk);
            if (args.plain.epilogue == MATMUL_ADD_F32) {
                prefetch_old(args, tile, chunk, chunks);
            }
            ring_advance(ring);
        }
    }
    dependency_release();
}

// ---- device: the sums --------------------------------------------------------------------------

// Operand A of 2 k16 steps: half (0, 1) of a chunk, from this warp's 16 features of the stage.
template <class W, class T>
GPU_DEVICE void load_half(uint32_t a[8], const unsigned char *weights, uint32_t half)
{
    const uint4 *lanes = reinterpret_cast<const uint4 *>(weights) + threadIdx.x % 32;
    if constexpr (sizeof(W) == 2) {
        for (uint32_t i = 0; i < 2; i++) {
            const uint4 four = lanes[(half * 2 + i) * 32];
            a[i * 4] = four.x;
            a[i * 4 + 1] = four.y;
            a[i * 4 + 2] = four.z;
            a[i * 4 + 3] = four.w;
        }
    } else {
        const uint4 four = lanes[half * 32];
        e4m3x4_to<T>(four.x, a);
        e4m3x4_to<T>(four.y, a + 2);
        e4m3x4_to<T>(four.z, a + 4);
        e4m3x4_to<T>(four.w, a + 6);
    }
}

template <class T, int TOKENS>
GPU_DEVICE void multiply_half(float d[TOKENS / 2], const uint32_t a[8], const unsigned char *rows,
                              uint32_t half)
{
    wgmma_fence();
    for (uint32_t i = 0; i < 2; i++) { // a step is 32 bytes further in each row of 128
        const uint64_t b = wgmma_descriptor(rows + half * 64 + i * 32, 16, 1024, 128);
        wgmma_rs<T, TOKENS>(d, a + i * 4, b, true);
    }
    wgmma_commit();
}

// d = the chain of k16 steps over the next chunks of the ring, from zero. A stage is given back
// when the group of multiplications after its last is under way.
template <class W, class T, int TOKENS>
GPU_DEVICE void chain(float d[TOKENS / 2], struct ring &ring, uint32_t chunks)
{
    const uint32_t warp = threadIdx.x / 32;
    const bool is_first_lane = threadIdx.x % 32 == 0;
    uint32_t a[2][8], before = 0;
    for (int i = 0; i < TOKENS / 2; i++) {
        d[i] = 0.0F;
    }
    for (uint32_t chunk = 0; chunk < chunks; chunk++) {
        const unsigned char *stage = ring.stages + ring.stage * ring.stage_bytes;
        const unsigned char *weights = stage + warp * MATMUL_TILE * MATMUL_CHUNK * sizeof(W);
        barrier_wait(ring.full + ring.stage, ring.parity);
        load_half<W, T>(a[0], weights, 0);
        multiply_half<T, TOKENS>(d, a[0], stage + ring.weight_bytes, 0);
        wgmma_wait<1>();
        if (chunk > 0 && is_first_lane) {
            barrier_arrive(ring.empty + before);
        }
        load_half<W, T>(a[1], weights, 1);
        multiply_half<T, TOKENS>(d, a[1], stage + ring.weight_bytes, 1);
        wgmma_wait<1>();
        before = ring.stage;
        ring_advance(ring);
    }
    wgmma_wait<0>();
    if (is_first_lane) {
        barrier_arrive(ring.empty + before);
    }
}

// A segment whose weights have a scale for each 128 k: row is that of d[0] and d[1] in the tiles.
template <class W, class T, int TOKENS>
GPU_DEVICE void scaled_segment(const struct wgmma_args &args, float d[TOKENS / 2],
                               struct ring &ring, uint32_t row, uint32_t first, uint32_t end)
{
    const struct matmul_gpu_weight &weight = args.plain.weight;
    const bool is_padding = row >= matmul_padded_rows(&weight);
    for (int i = 0; i < TOKENS / 2; i++) {
        d[i] = 0.0F;
    }
    for (uint32_t chunk = first; chunk < end; chunk += MATMUL_RUN_CHUNKS) {
        const uint32_t run = chunk / MATMUL_RUN_CHUNKS;
        const float low = is_padding ? 0.0F : matmul_block_scale(weight, row, run);
        const float high = is_padding ? 0.0F : matmul_block_scale(weight, row + 8, run);
        float b[TOKENS / 2];
        chain<W, T, TOKENS>(b, ring, smaller(end - chunk, MATMUL_RUN_CHUNKS));
        for (int i = 0; i < TOKENS / 2; i++) {
            d[i] = matmul_promote(b[i], i % 4 < 2 ? low : high, d[i]);
        }
    }
}

// All of K for this warpgroup's 64 features: segments one after the other.
template <class W, class T, int TOKENS, int SUMS>
GPU_DEVICE void sum_tile(const struct wgmma_args &args, float sum[TOKENS / 2], struct ring &ring,
                         uint32_t row)
{
    const struct matmul_gpu_weight &weight = args.plain.weight;
    if constexpr (SUMS == 1) {
        chain<W, T, TOKENS>(sum, ring, matmul_chunks(&weight));
    } else {
        for (uint32_t s = 0; s < args.segment_count; s++) {
            const uint32_t first = matmul_segment_first(&weight, args.segment_count, s);
            const uint32_t end = matmul_segment_first(&weight, args.segment_count, s + 1);
            float segment[TOKENS / 2];
            if constexpr (SUMS == 2) {
                chain<W, T, TOKENS>(segment, ring, end - first);
            } else {
                scaled_segment<W, T, TOKENS>(args, segment, ring, row, first, end);
            }
            for (int i = 0; i < TOKENS / 2; i++) {
                sum[i] = s == 0 ? segment[i] : sum[i] + segment[i];
            }
        }
    }
}

// ---- device: on the way out --------------------------------------------------------------------
//
// D has features along the lanes' rows, out has them along its columns: MATMUL_WGMMA_OUT_TOKENS
// rows at a time pass through shared memory, [row][64 features and padding]; then 16 threads have 4
// features each of one row.

enum { ROWS_A_THREAD = MATMUL_WGMMA_OUT_TOKENS / 8 };

template <int TOKENS>
GPU_DEVICE void turn(float *turned, const float sum[TOKENS / 2], uint32_t part)
{
    const uint32_t warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
    float *at = turned + lane % 4 * 2 * MATMUL_WGMMA_OUT_STRIDE + warp * 16 + lane / 4;
#pragma unroll
    for (uint32_t p = 0; p < TOKENS / MATMUL_WGMMA_OUT_TOKENS; p++) {
        if (p == part) { // so that sum stays in registers
#pragma unroll
            for (uint32_t i = 0; i < MATMUL_WGMMA_OUT_TOKENS / 2; i++) {
                const uint32_t token = i / 4 * 8 + i % 2, row = i % 4 / 2 * 8;
                at[token * MATMUL_WGMMA_OUT_STRIDE + row] =
                    sum[p * (MATMUL_WGMMA_OUT_TOKENS / 2) + i];
            }
        }
    }
}

struct place {                   // of what a thread stores
    uint32_t row, column, count; // its first row (then every 8th), 4 columns, that many exist
};

// The residual stream is read one part ahead of its use.
GPU_DEVICE void load_old(const struct matmul_gpu_args &args, const struct place &place,
                         uint32_t row, float4 old[ROWS_A_THREAD])
{
    const float *out = static_cast<const float *>(args.out) + place.column;
    for (uint32_t i = 0; i < ROWS_A_THREAD; i++) {
        old[i] = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
        if (row + i * 8 < args.row_count) {
            old[i] =
                *reinterpret_cast<const float4 *>(out + (size_t)(row + i * 8) * args.out_stride);
        }
    }
}

template <class T>
GPU_DEVICE void store_plain(const struct matmul_gpu_args &args, const struct place &place,
                            uint32_t row, const float4 sums[ROWS_A_THREAD],
                            const float4 old[ROWS_A_THREAD], bool is_old_loaded)
{
    float v[ROWS_A_THREAD][4];
    for (uint32_t i = 0; i < ROWS_A_THREAD; i++) {
        const float four[4] = {sums[i].x, sums[i].y, sums[i].z, sums[i].w};
        for (uint32_t j = 0; j < 4; j++) {
            const uint32_t column = place.column + j;
            v[i][j] = j < place.count ? matmul_finish(args, four[j], column, column) : 0.0F;
        }
        if (is_old_loaded) {
            v[i][0] = old[i].x + v[i][0];
            v[i][1] = old[i].y + v[i][1];
            v[i][2] = old[i].z + v[i][2];
            v[i][3] = old[i].w + v[i][3];
        }
    }
    for (uint32_t i = 0; i < ROWS_A_THREAD; i++) {
        const size_t at = (size_t)(row + i * 8) * args.out_stride + place.column;
        if (row + i * 8 >= args.row_count) {
            break;
        }
        if (args.epilogue == MATMUL_STORE) {
            matmul_store4(static_cast<T *>(args.out) + at, v[i], place.count);
        } else {
            matmul_store4_f32(static_cast<float *>(args.out) + at, v[i], place.count,
                              args.epilogue == MATMUL_ADD_F32 && !is_old_loaded,
                              args.out_stride % 4 == 0);
        }
    }
}

// 8 threads have 4 columns each of one row.
template <class T>
GPU_DEVICE void store_paired(const struct matmul_gpu_args &args, const float *turned,
                             uint32_t tile_row, uint32_t row)
{
    const uint32_t thread = threadIdx.x % 128;
    const uint32_t group = thread % 8 / 2 * 16 + thread % 2 * 4;
    for (uint32_t i = thread / 8; i < MATMUL_WGMMA_OUT_TOKENS; i += 16) {
        const float *gates = turned + i * MATMUL_WGMMA_OUT_STRIDE + group;
        if (row + i < args.row_count) {
            matmul_store_paired<T>(args, row + i, tile_row + group, gates, gates + 8);
        }
    }
}

template <class T, int TOKENS>
GPU_DEVICE void store_tile(const struct matmul_gpu_args &args, float *turned,
                           const float sum[TOKENS / 2], uint32_t tile_row, uint32_t first_row)
{
    const uint32_t thread = threadIdx.x % 128, group = threadIdx.x / 128;
    const uint32_t column = tile_row + thread % 16 * 4, out_count = args.weight.out_count;
    const struct place place = {thread / 16, column,
                                column < out_count ? smaller(out_count - column, 4) : 0};
    const bool is_old_loaded =
        args.epilogue == MATMUL_ADD_F32 && place.count == 4 && args.out_stride % 4 == 0;
    float4 old[ROWS_A_THREAD] = {};
    if (is_old_loaded) {
        load_old(args, place, first_row + place.row, old);
    }
#pragma unroll 1
    for (uint32_t part = 0; part < TOKENS / MATMUL_WGMMA_OUT_TOKENS; part++) {
        const uint32_t row = first_row + part * MATMUL_WGMMA_OUT_TOKENS;
        named_barrier_sync(1 + group, 128); // the part before has been read
        turn<TOKENS>(turned, sum, part);
        named_barrier_sync(1 + group, 128);
        if (args.weight.is_paired) {
            store_paired<T>(args, turned, tile_row, row);
        } else {
            float4 sums[ROWS_A_THREAD];
            for (uint32_t i = 0; i < ROWS_A_THREAD; i++) {
                sums[i] = *reinterpret_cast<const float4 *>(
                    turned + (place.row + i * 8) * MATMUL_WGMMA_OUT_STRIDE + thread % 16 * 4);
            }
            store_plain<T>(args, place, row + place.row, sums, old, is_old_loaded);
            if (is_old_loaded) {
                load_old(args, place, row + MATMUL_WGMMA_OUT_TOKENS + place.row, old);
            }
        }
    }
}

template <class W, class T, int TOKENS, int SUMS>
GPU_DEVICE void consume(const struct wgmma_args &args, struct ring ring, float *turned)
{
    dependency_wait(); // out may be the residual stream
    const uint32_t tiles = args.plan.out_tiles * args.plan.row_tiles;
    const uint32_t group = threadIdx.x / 128, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (uint32_t index = blockIdx.x; index < tiles; index += gridDim.x) {
        const struct tile tile = tile_of(args.plan, index);
        const uint32_t first = tile.out * MATMUL_BLOCK_OUTS;
        float sum[TOKENS / 2];
        sum_tile<W, T, TOKENS, SUMS>(args, sum, ring, first + warp * 16 + lane / 4);
        store_tile<T, TOKENS>(args.plain, turned + group * (matmul_wgmma_out_bytes() / 8), sum,
                              first + group * 64, tile.row * TOKENS);
    }
}
#endif

template <class W, class T, int TOKENS, int SUMS>
__global__ void __launch_bounds__(MATMUL_WGMMA_THREADS, 1)
    matmul_wgmma_kernel(const __grid_constant__ struct wgmma_args args)
{
#if GPU_HAS_WGMMA
    GPU_SHARED(unsigned char, shared);
    const uint32_t weight_bytes = matmul_wgmma_weight_bytes(sizeof(W));
    unsigned char *behind = shared + args.plan.stages * args.plan.stage_bytes;
    auto *barriers = reinterpret_cast<struct barrier *>(behind + matmul_wgmma_out_bytes());
    const struct ring ring = {shared,
                              barriers,
                              barriers + MATMUL_WGMMA_STAGES_MAX,
                              (uint32_t)args.plan.stage_bytes,
                              weight_bytes,
                              args.plan.stages,
                              0,
                              0};
    if (threadIdx.x == 0) {
        for (uint32_t i = 0; i < ring.stage_count; i++) {
            barrier_init(ring.full + i, 1);
            barrier_init(ring.empty + i, WARPS);
        }
        barrier_init_fence();
    }
    __syncthreads();
    if (threadIdx.x >= CONSUMERS) {
        registers_lower<40>();
        if (threadIdx.x == CONSUMERS) {
            produce<W>(args, ring);
        } else {
            dependency_wait();
        }
    } else {
        registers_raise<232>();
        consume<W, T, TOKENS, SUMS>(args, ring, reinterpret_cast<float *>(behind));
    }
#endif
}

// ---- launcher ----------------------------------------------------------------------------------

// Every kernel there is: matmul_wgmma_widths() has the same list.
static const struct {
    enum dtype weight;
    uint32_t tokens, sums;
    void (*kernel)(const struct wgmma_args);
} kernels[] = {
    {DTYPE_BF16, 128, 1, matmul_wgmma_kernel<struct bf16, struct bf16, 128, 1>},
    {DTYPE_BF16, 256, 1, matmul_wgmma_kernel<struct bf16, struct bf16, 256, 1>},
    {DTYPE_BF16, 64, 2, matmul_wgmma_kernel<struct bf16, struct bf16, 64, 2>},
    {DTYPE_BF16, 128, 2, matmul_wgmma_kernel<struct bf16, struct bf16, 128, 2>},
    {DTYPE_BF16, 192, 2, matmul_wgmma_kernel<struct bf16, struct bf16, 192, 2>},
    {DTYPE_E4M3, 128, 1, matmul_wgmma_kernel<struct e4m3, struct bf16, 128, 1>},
    {DTYPE_E4M3, 256, 1, matmul_wgmma_kernel<struct e4m3, struct bf16, 256, 1>},
    {DTYPE_E4M3, 64, 2, matmul_wgmma_kernel<struct e4m3, struct bf16, 64, 2>},
    {DTYPE_E4M3, 128, 2, matmul_wgmma_kernel<struct e4m3, struct bf16, 128, 2>},
    {DTYPE_E4M3, 192, 2, matmul_wgmma_kernel<struct e4m3, struct bf16, 192, 2>},
    {DTYPE_E4M3, 128, 3, matmul_wgmma_kernel<struct e4m3, struct bf16, 128, 3>},
    {DTYPE_F16, 128, 1, matmul_wgmma_kernel<struct f16, struct f16, 128, 1>},
    {DTYPE_F16, 128, 2, matmul_wgmma_kernel<struct f16, struct f16, 128, 2>},
};

enum status matmul_wgmma_launch(const struct matmul_gpu_args *args, struct gpu_stream *stream)
{
    const struct gpu_info *gpu = args->gpu;
    struct wgmma_args all = {};
    all.plain = *args;
    all.plan = matmul_choose_wgmma_plan(&args->weight, args->row_count, gpu->multiprocessors);
    all.segment_count = matmul_segment_count(&args->weight);
    if (gpu->compute_major != 9 || gpu->shared_bytes_max < all.plan.shared_bytes) {
        return STATUS_UNSUPPORTED;
    }
    const enum status status =
        gpu_tensor_map_2d(&all.rows, args->x, args->row_count, args->weight.in_count,
                          (uint64_t)args->x_stride * 2, all.plan.tokens, MATMUL_CHUNK, 2, 128);
    if (status != STATUS_OK) {
        return status;
    }
    const struct gpu_launch_shape shape = {all.plan.grid, 1, 1, MATMUL_WGMMA_THREADS,
                                           all.plan.shared_bytes};
    for (const auto &row : kernels) {
        if (row.weight == args->weight.dtype && row.tokens == all.plan.tokens
            && row.sums == all.plan.sums) {
            return gpu_launch(row.kernel, "matmul_wgmma", shape, stream, all);
        }
    }
    return STATUS_UNSUPPORTED;
}
