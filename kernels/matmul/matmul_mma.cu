// matmul_mma.cu - out-features are rows of the tensor core's operand A, rows of x its columns, so
// that the number of rows never enters a sum. Any row count; built for few, where it is memory
// bound: out_count * in_count * bytes of weights, so the target is the copy bandwidth of the
// device.
//
// A block streams its weights through a ring of cp.async stages. Each lane copies and later reads
// its own 16 bytes (the tiles are stored in operand order), so weights need no barrier, no ldmatrix
// and no registers while under way: (stages - 1) * 16 KiB of them in flight a block, 96 KiB a
// multiprocessor with two blocks. Of x, a stage has 64 k of all rows, shared by the warps, with
// 16-byte pieces at [row][piece ^ row % 8] so that ldmatrix meets each bank once. One __syncthreads
// a stage: it makes x visible and says that the slot to be filled next is free. Two blocks a
// multiprocessor need at most 255 registers a thread and 113 KiB of shared memory a block.
//
// Weights of the first stages are asked for before dependency_wait(), x after it.
#include "base/assert.h"
#include "kernels/matmul/matmul_kernels.cuh"
#include "kernels/matmul/matmul_mma_plan.h"

enum {
    THREADS = MATMUL_MMA_WARPS * 32,
    WARP_TILES = MATMUL_MMA_WARP_OUTS / MATMUL_TILE,
    X_ROW_BYTES = MATMUL_CHUNK * 2,
    X_PIECES = X_ROW_BYTES / 16, // of a row of a stage, 8 values each
    SUM_PAD = 4,                 // floats behind a row of sums, against bank conflicts
};

struct mma_args {
    struct matmul_gpu_args plain;
    uint32_t segment_count, segment_shift, runs, side_by_side, in_sequence, block_outs, splits;
};

// ---- device ------------------------------------------------------------------------------------

template <class T_, class W_, int ROW_TILES_, bool HAS_BLOCKS_>
struct mma_shape {
    using T = T_; // of x
    using W = W_; // of the weights
    static constexpr int ROW_TILES = ROW_TILES_;
    static constexpr bool HAS_BLOCKS = HAS_BLOCKS_; // scales of 128 x 128
    static constexpr int ROWS = ROW_TILES * 8;
    static constexpr int STAGES = matmul_mma_stages(ROW_TILES, sizeof(W));
    static constexpr int LOADS = 2 * sizeof(W);    // 16-byte loads a lane, tile and chunk
    static constexpr int TILE_BYTES = LOADS * 512; // of a chunk
    static constexpr int WEIGHT_BYTES = MATMUL_MMA_WARPS * WARP_TILES * TILE_BYTES; // of a stage
    static constexpr int X_BYTES = ROWS * X_ROW_BYTES; // of a stage and a segment side by side
    static constexpr int SIDES_MAX = ROW_TILES <= 2 ? 4 : ROW_TILES <= 4 ? 2 : 1;
    static constexpr int X_TURNS = (ROWS * X_PIECES * SIDES_MAX + THREADS - 1) / THREADS;
};

// Where a warp stands.
struct mma_place {
    uint32_t warp, lane;
    uint32_t side;          // which of the segments side by side
    uint32_t tile;          // its first, of WARP_TILES
    uint32_t row_first;     // of x, of the block
    uint32_t segment;       // the first of the warp
    uint32_t chunk, chunks; // the first of the warp, how many
    uint32_t iterations;    // the most chunks that a warp of the block has
    uint32_t stage_bytes;
    bool is_active; // has tiles
};

GPU_DEVICE struct mma_place find_place(const struct mma_args &args, uint32_t weight_bytes,
                                       uint32_t x_bytes, uint32_t rows)
{
    const struct matmul_gpu_weight *weight = &args.plain.weight;
    struct mma_place place;
    place.warp = threadIdx.x / 32;
    place.lane = threadIdx.x % 32;
    place.side = place.warp % args.side_by_side;
    const uint32_t out =
        blockIdx.y * args.block_outs + place.warp / args.side_by_side * MATMUL_MMA_WARP_OUTS;
    place.tile = out / MATMUL_TILE;
    place.is_active = out < matmul_padded_rows(weight);
    place.row_first = blockIdx.x * rows;
    place.iterations = 0;
    for (uint32_t side = 0; side < args.side_by_side; side++) {
        const uint32_t segment = blockIdx.z * args.side_by_side + side;
        const uint32_t first = matmul_segment_first(weight, args.segment_count, segment);
        const uint32_t end =
            matmul_segment_first(weight, args.segment_count, segment + args.in_sequence);
        if (side == place.side) {
            place.segment = segment;
            place.chunk = first;
            place.chunks = end - first;
        }
        place.iterations = place.iterations < end - first ? end - first : place.iterations;
    }
    place.stage_bytes = weight_bytes + x_bytes * args.side_by_side;
    return place;
}

// As matmul_segment_first(), its division being by a power of two.
GPU_DEVICE uint32_t first_chunk(const struct mma_args &args, uint32_t segment)
{
    return (segment * args.runs >> args.segment_shift) * MATMUL_RUN_CHUNKS;
}

// The chunk after the segment's last.
GPU_DEVICE uint32_t segment_end(const struct mma_args &args, uint32_t segment)
{
    const bool is_last = segment + 1 == args.segment_count;
    return is_last ? matmul_chunks(&args.plain.weight) : first_chunk(args, segment + 1);
}

// The warp's weights of its chunk i into a slot of the ring; each lane for itself.
template <class S>
GPU_DEVICE void copy_weights(const struct mma_args &args, const struct mma_place &place,
                             unsigned char *slot, uint32_t i)
{
    if (!place.is_active || i >= place.chunks) {
        return;
    }
    const uint32_t chunks = matmul_chunks(&args.plain.weight);
    for (int tile = 0; tile < WARP_TILES; tile++) {
        const size_t chunk = (size_t)(place.tile + tile) * chunks + place.chunk + i;
        const auto *from = static_cast<const unsigned char *>(args.plain.weight.tiles)
                           + chunk * S::TILE_BYTES + place.lane * 16;
        unsigned char *to =
            slot + (place.warp * WARP_TILES + tile) * S::TILE_BYTES + place.lane * 16;
#pragma unroll
        for (int load = 0; load < S::LOADS; load++) {
            cp_async_16(to + load * 512, from + load * 512, true);
        }
    }
}

// ---- x into the ring ---------------------------------------------------------------------------

template <class T>
struct x_piece {
    unsigned char *to;
    const T *from;
    uint32_t count; // values of x, at most 8; zeros follow
};

// Piece index of the stage that holds chunk i of all segments side by side.
template <class S>
GPU_DEVICE x_piece<typename S::T> find_piece(const struct mma_args &args,
                                             const struct mma_place &place, unsigned char *slot,
                                             uint32_t i, uint32_t index)
{
    using T = typename S::T;
    const uint32_t piece = index % X_PIECES, row = index / X_PIECES % S::ROWS;
    const uint32_t side = index / (X_PIECES * S::ROWS);
    const uint32_t segment = blockIdx.z * args.side_by_side + side;
    const uint32_t k = (first_chunk(args, segment) + i) * MATMUL_CHUNK + piece * 8;
    const uint32_t in_count = args.plain.weight.in_count;
    const bool is_inside = place.row_first + row < args.plain.row_count && k < in_count;
    const size_t at = (size_t)(place.row_first + row) * args.plain.x_stride + k;
    x_piece<T> out;
    out.to =
        slot + S::WEIGHT_BYTES + side * S::X_BYTES + row * X_ROW_BYTES + (piece ^ row % 8) * 16;
    out.from = static_cast<const T *>(args.plain.x) + (is_inside ? at : 0);
    out.count = !is_inside ? 0 : in_count - k < 8 ? in_count - k : 8;
    return out;
}

// What follows in_count is not zero, and weights of zero would not help against NaN.
template <class T>
GPU_DEVICE uint4 load_ragged(const x_piece<T> &piece)
{
    uint32_t words[4];
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t low = 2 * i < piece.count ? piece.from[2 * i].bits : 0;
        const uint32_t high = 2 * i + 1 < piece.count ? piece.from[2 * i + 1].bits : 0;
        words[i] = low | high << 16;
    }
    return make_uint4(words[0], words[1], words[2], words[3]);
}

template <class S>
GPU_DEVICE void copy_x(const struct mma_args &args, const struct mma_place &place,
                       unsigned char *slot, uint32_t i)
{
    const uint32_t pieces = args.side_by_side * S::ROWS * X_PIECES;
#pragma unroll
    for (int turn = 0; turn < S::X_TURNS; turn++) {
        const uint32_t index = turn * THREADS + threadIdx.x;
        if (index < pieces) {
            const auto piece = find_piece<S>(args, place, slot, i, index);
            if (piece.count % 8 == 0) {
                cp_async_16(piece.to, piece.from, piece.count == 8);
            } else {
                *reinterpret_cast<uint4 *>(piece.to) = load_ragged(piece);
            }
        }
    }
}

// The same for all stages of the prologue, through registers and in one trip to memory: the groups
// of cp.async under way are weights, and waiting for a group of x would be waiting for all of them.
template <class S>
GPU_DEVICE void copy_first_x(const struct mma_args &args, const struct mma_place &place,
                             unsigned char *ring)
{
    constexpr int PIECES = (S::STAGES - 1) * S::X_TURNS; // of a thread
    const uint32_t pieces = args.side_by_side * S::ROWS * X_PIECES;
    uint4 values[PIECES];
#pragma unroll
    for (int i = 0; i < PIECES; i++) {
        const uint32_t stage = i / S::X_TURNS, index = i % S::X_TURNS * THREADS + threadIdx.x;
        values[i] = make_uint4(0, 0, 0, 0);
        if (index < pieces) {
            const auto piece = find_piece<S>(args, place, ring, stage, index);
            if (piece.count == 8) {
                values[i] = *reinterpret_cast<const uint4 *>(piece.from);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < PIECES; i++) {
        const uint32_t stage = i / S::X_TURNS, index = i % S::X_TURNS * THREADS + threadIdx.x;
        if (index < pieces) {
            const auto piece =
                find_piece<S>(args, place, ring + stage * place.stage_bytes, stage, index);
            const bool is_ragged = piece.count % 8 != 0;
            *reinterpret_cast<uint4 *>(piece.to) = is_ragged ? load_ragged(piece) : values[i];
        }
    }
}

// ---- tensor cores ------------------------------------------------------------------------------

template <class S>
struct mma_sums {
    float run[WARP_TILES][S::ROW_TILES][4]; // a chain of k16 steps
    float segment[S::HAS_BLOCKS ? WARP_TILES : 1][S::HAS_BLOCKS ? S::ROW_TILES : 1][4];
};

// Operand A of two k16 steps: those of half a chunk.
template <class S>
GPU_DEVICE void load_weights(const unsigned char *tile, uint32_t lane, int half, uint32_t a[2][4])
{
    if (S::LOADS == 4) {
        for (int step = 0; step < 2; step++) {
            const unsigned char *from = tile + (half * 2 + step) * 512 + lane * 16;
            const uint4 words = *reinterpret_cast<const uint4 *>(from);
            a[step][0] = words.x;
            a[step][1] = words.y;
            a[step][2] = words.z;
            a[step][3] = words.w;
        }
    } else {
        const uint4 words = *reinterpret_cast<const uint4 *>(tile + half * 512 + lane * 16);
        e4m3x4_to<typename S::T>(words.x, a[0]);
        e4m3x4_to<typename S::T>(words.y, a[0] + 2);
        e4m3x4_to<typename S::T>(words.z, a[1]);
        e4m3x4_to<typename S::T>(words.w, a[1] + 2);
    }
}

// A chunk: k rises within each accumulator.
template <class S>
GPU_DEVICE void multiply(const struct mma_place &place, const unsigned char *slot,
                         mma_sums<S> &sums)
{
    const unsigned char *tiles = slot + place.warp * WARP_TILES * S::TILE_BYTES;
    const uint32_t row = place.lane % 8;
    const unsigned char *x = slot + S::WEIGHT_BYTES + place.side * S::X_BYTES + row * X_ROW_BYTES;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        uint32_t a[WARP_TILES][2][4];
#pragma unroll
        for (int tile = 0; tile < WARP_TILES; tile++) {
            load_weights<S>(tiles + tile * S::TILE_BYTES, place.lane, half, a[tile]);
        }
        const uint32_t piece = (half * 4 + place.lane / 8) ^ row;
#pragma unroll
        for (int n = 0; n < S::ROW_TILES; n++) {
            uint32_t b[4]; // of two steps
            ldmatrix_x4(b, x + n * 8 * X_ROW_BYTES + piece * 16);
#pragma unroll
            for (int step = 0; step < 2; step++) {
#pragma unroll
                for (int tile = 0; tile < WARP_TILES; tile++) {
                    mma_16x8x16<typename S::T>(sums.run[tile][n], a[tile][step], b + step * 2);
                }
            }
        }
    }
}

template <class S>
GPU_DEVICE void clear(float (&sums)[WARP_TILES][S::ROW_TILES][4])
{
#pragma unroll
    for (int i = 0; i < WARP_TILES * S::ROW_TILES * 4; i++) {
        sums[i / 4 / S::ROW_TILES][i / 4 % S::ROW_TILES][i % 4] = 0.0F;
    }
}

// With block scales: a run of 128 k is over, its scales go into the segment.
template <class S>
GPU_DEVICE void end_run(const float scales[WARP_TILES][2], mma_sums<S> &sums)
{
#pragma unroll
    for (int i = 0; i < WARP_TILES * S::ROW_TILES * 4; i++) {
        const int tile = i / 4 / S::ROW_TILES, n = i / 4 % S::ROW_TILES;
        float &segment = sums.segment[tile][n][i % 4];
        segment = matmul_promote(sums.run[tile][n][i % 4], scales[tile][i % 4 / 2], segment);
    }
    clear<S>(sums.run);
}

GPU_DEVICE void load_scales(const struct mma_args &args, const struct mma_place &place,
                            uint32_t run, float scales[WARP_TILES][2])
{
    for (uint32_t i = 0; i < WARP_TILES * 2; i++) {
        const uint32_t row = place.tile * MATMUL_TILE + i * 8;
        scales[i / 2][i % 2] = matmul_block_scale(args.plain.weight, row, run);
    }
}

// Segments in sequence: adds the one that is over to the thread's own sums in shared memory. The
// last one's place takes the sum of all, the others' are cleared for the next.
template <class S>
GPU_DEVICE void end_segment(float *kept, bool is_first, bool is_last,
                            float (&sums)[WARP_TILES][S::ROW_TILES][4])
{
#pragma unroll
    for (int i = 0; i < WARP_TILES * S::ROW_TILES * 4; i++) {
        float &sum = sums[i / 4 / S::ROW_TILES][i / 4 % S::ROW_TILES][i % 4];
        float &all = kept[i * THREADS + threadIdx.x];
        all = is_first ? sum : all + sum;
        sum = is_last ? all : 0.0F;
    }
}

template <class S>
GPU_DEVICE auto &result_of(mma_sums<S> &sums)
{
    if constexpr (S::HAS_BLOCKS) {
        return sums.segment;
    } else {
        return sums.run;
    }
}

// All chunks of the warp; afterwards result_of(sums) is the sum of its segment or segments.
template <class S>
GPU_DEVICE void multiply_all(const struct mma_args &args, const struct mma_place &place,
                             unsigned char *ring, mma_sums<S> &sums)
{
    auto *kept = reinterpret_cast<float *>(ring + S::STAGES * place.stage_bytes);
    uint32_t segment = place.segment, now = 0, next = S::STAGES - 1; // slots
    float scales[WARP_TILES][2] = {};
    for (uint32_t i = 0; i < place.iterations; i++) {
        cp_async_wait<S::STAGES - 2>();
        __syncthreads();
        if (i + S::STAGES - 1 < place.iterations) {
            copy_weights<S>(args, place, ring + next * place.stage_bytes, i + S::STAGES - 1);
            copy_x<S>(args, place, ring + next * place.stage_bytes, i + S::STAGES - 1);
        }
        cp_async_commit();
        const uint32_t chunk = place.chunk + i;
        if (place.is_active && i < place.chunks) {
            if (S::HAS_BLOCKS && chunk % MATMUL_RUN_CHUNKS == 0) {
                load_scales(args, place, chunk / MATMUL_RUN_CHUNKS, scales);
            }
            multiply<S>(place, ring + now * place.stage_bytes, sums);
            if (S::HAS_BLOCKS && (chunk % MATMUL_RUN_CHUNKS == 1 || i + 1 == place.chunks)) {
                end_run<S>(scales, sums);
            }
            if (args.in_sequence > 1 && chunk + 1 == segment_end(args, segment)) {
                end_segment<S>(kept, segment == place.segment, i + 1 == place.chunks,
                               result_of<S>(sums));
                segment++;
            }
        }
        now = now + 1 == S::STAGES ? 0 : now + 1;
        next = next + 1 == S::STAGES ? 0 : next + 1;
    }
}

// ---- from sums to out --------------------------------------------------------------------------

// Sums of segments, in shared memory or in the workspace.
struct sum_view {
    float *first;
    size_t segment_stride, row_stride;
    uint32_t segment_count;
};

// fp32 [segment side by side][row][feature of the block], over the ring.
template <class S>
GPU_DEVICE struct sum_view keep_sums(const struct mma_args &args, const struct mma_place &place,
                                     unsigned char *ring,
                                     const float (&sums)[WARP_TILES][S::ROW_TILES][4])
{
    struct sum_view view;
    view.first = reinterpret_cast<float *>(ring);
    view.row_stride = args.block_outs + SUM_PAD;
    view.segment_stride = S::ROWS * view.row_stride;
    view.segment_count = args.side_by_side;
    const uint32_t feature = place.warp / args.side_by_side * MATMUL_MMA_WARP_OUTS + place.lane / 4;
    float *own = view.first + place.side * view.segment_stride
                 + place.lane % 4 * 2 * view.row_stride + feature;
#pragma unroll
    for (int i = 0; i < WARP_TILES * S::ROW_TILES * 4; i++) {
        const int tile = i / 4 / S::ROW_TILES, n = i / 4 % S::ROW_TILES;
        own[(n * 8 + i % 2) * view.row_stride + tile * MATMUL_TILE + i % 4 / 2 * 8] =
            sums[tile][n][i % 4];
    }
    return view;
}

// Unit index of the block: 4 tile rows and the 4 that stand 8 behind them, for one row of x.
struct sum_unit {
    uint32_t row, feature; // within the block
};

GPU_DEVICE struct sum_unit find_unit(const struct mma_args &args, uint32_t index)
{
    const uint32_t units = args.block_outs / 8, unit = index % units;
    return {index / units, unit / 2 * 16 + unit % 2 * 4};
}

GPU_DEVICE void add_segments(const struct sum_view &view, uint32_t row, uint32_t feature,
                             float sums[4])
{
    const float *from = view.first + row * view.row_stride + feature;
    float4 sum = *reinterpret_cast<const float4 *>(from);
#pragma unroll 4
    for (uint32_t s = 1; s < view.segment_count; s++) {
        const auto *four = reinterpret_cast<const float4 *>(from + s * view.segment_stride);
        sum = make_float4(sum.x + four->x, sum.y + four->y, sum.z + four->z, sum.w + four->w);
    }
    sums[0] = sum.x;
    sums[1] = sum.y;
    sums[2] = sum.z;
    sums[3] = sum.w;
}

template <class T>
GPU_DEVICE void store_block(const struct mma_args &args, uint32_t row_first, uint32_t rows,
                            const struct sum_view &view)
{
    const uint32_t tile_rows = matmul_tile_rows(&args.plain.weight);
#pragma unroll 2
    for (uint32_t i = threadIdx.x; i < rows * args.block_outs / 8; i += THREADS) {
        const struct sum_unit unit = find_unit(args, i);
        const uint32_t tile_row = blockIdx.y * args.block_outs + unit.feature;
        if (tile_row >= tile_rows) {
            continue;
        }
        float low[4], high[4];
        add_segments(view, unit.row, unit.feature, low);
        add_segments(view, unit.row, unit.feature + 8, high);
        const uint32_t row = row_first + unit.row;
        if (args.plain.weight.is_paired) {
            matmul_store_paired<T>(args.plain, row, tile_row, low, high);
        } else {
            matmul_store_plain<T>(args.plain, row, tile_row, low);
            matmul_store_plain<T>(args.plain, row, tile_row + 8, high);
        }
    }
}

// Puts the sums of the block's segments where the last of the splits finds all of them. True in
// that last one; its view is of all segments.
GPU_DEVICE bool meet_splits(const struct mma_args &args, uint32_t rows, unsigned char *ring,
                            const struct sum_view &own, struct sum_view *all)
{
    auto *counters = static_cast<uint32_t *>(args.plain.workspace);
    all->row_stride = args.block_outs;
    all->segment_stride = (size_t)MATMUL_MMA_ROWS_MAX * args.block_outs;
    all->segment_count = args.segment_count;
    all->first = reinterpret_cast<float *>(counters + MATMUL_COUNTERS)
                 + blockIdx.y * args.segment_count * all->segment_stride;
    for (uint32_t side = 0; side < args.side_by_side; side++) {
        const uint32_t segment = blockIdx.z * args.side_by_side + side;
        for (uint32_t i = threadIdx.x; i < rows * args.block_outs / 4; i += THREADS) {
            const uint32_t row = i / (args.block_outs / 4), feature = i % (args.block_outs / 4) * 4;
            const float *from =
                own.first + side * own.segment_stride + row * own.row_stride + feature;
            float *to =
                all->first + segment * all->segment_stride + row * all->row_stride + feature;
            *reinterpret_cast<float4 *>(to) = *reinterpret_cast<const float4 *>(from);
        }
    }
    __threadfence();
    __syncthreads(); // all is written, and own is no longer read
    auto *ticket = reinterpret_cast<uint32_t *>(ring);
    if (threadIdx.x == 0) {
        *ticket = atomicAdd(&counters[blockIdx.y], 1U);
    }
    __syncthreads();
    if (*ticket != args.splits - 1) {
        return false;
    }
    __threadfence();
    if (threadIdx.x == 0) {
        counters[blockIdx.y] = 0;
    }
    return true;
}

template <class S>
__global__ void __launch_bounds__(THREADS, 2) matmul_mma_kernel(const struct mma_args args)
{
    GPU_SHARED(unsigned char, ring);
    const struct mma_place place = find_place(args, S::WEIGHT_BYTES, S::X_BYTES, S::ROWS);
    for (uint32_t i = 0; i < S::STAGES - 1; i++) {
        copy_weights<S>(args, place, ring + i * place.stage_bytes, i);
        cp_async_commit();
    }
    dependency_wait();
    copy_first_x<S>(args, place, ring);
    dependency_release();

    mma_sums<S> sums;
    clear<S>(sums.run);
    clear<S>(result_of<S>(sums));
    multiply_all<S>(args, place, ring, sums);

    cp_async_wait<0>();
    __syncthreads(); // nobody reads the ring any more
    const struct sum_view own = keep_sums<S>(args, place, ring, result_of<S>(sums));
    __syncthreads();
    const uint32_t left = args.plain.row_count - place.row_first;
    const uint32_t rows = left < S::ROWS ? left : S::ROWS;
    struct sum_view all = own;
    if (args.splits == 1 || meet_splits(args, rows, ring, own, &all)) {
        store_block<typename S::T>(args, place.row_first, rows, all);
    }
}

// ---- launcher ----------------------------------------------------------------------------------

using mma_kernel = void (*)(const struct mma_args);

#define KERNEL(T, W, row_tiles, has_blocks) \
    matmul_mma_kernel<mma_shape<struct T, struct W, row_tiles, has_blocks>>

// All there are, as matmul_mma_has_row_tiles() says; columns: rows of a block, in tiles of 8.
static const struct {
    enum dtype x, weight;
    uint32_t scale_block;
    mma_kernel by_row_tiles[13];
} table[] = {
    {DTYPE_BF16,
     DTYPE_BF16,
     0,
     {0, KERNEL(bf16, bf16, 1, false), KERNEL(bf16, bf16, 2, false), 0,
      KERNEL(bf16, bf16, 4, false), 0, 0, 0, KERNEL(bf16, bf16, 8, false), 0, 0, 0,
      KERNEL(bf16, bf16, 12, false)}},
    {DTYPE_F16,
     DTYPE_F16,
     0,
     {0, 0, KERNEL(f16, f16, 2, false), 0, 0, 0, 0, 0, KERNEL(f16, f16, 8, false)}},
    {DTYPE_BF16,
     DTYPE_E4M3,
     0,
     {0, KERNEL(bf16, e4m3, 1, false), KERNEL(bf16, e4m3, 2, false), 0,
      KERNEL(bf16, e4m3, 4, false), 0, 0, 0, KERNEL(bf16, e4m3, 8, false), 0, 0, 0,
      KERNEL(bf16, e4m3, 12, false)}},
    {DTYPE_BF16,
     DTYPE_E4M3,
     MATMUL_RUN,
     {0, 0, KERNEL(bf16, e4m3, 2, true), 0, KERNEL(bf16, e4m3, 4, true), 0, 0, 0,
      KERNEL(bf16, e4m3, 8, true)}},
};

static mma_kernel choose_kernel(const struct matmul_gpu_args *args, uint32_t row_tiles)
{
    for (const auto &row : table) {
        if (row.x == args->dtype && row.weight == args->weight.dtype
            && row.scale_block == args->weight.scale_block) {
            return row.by_row_tiles[row_tiles];
        }
    }
    return nullptr;
}

enum status matmul_mma_launch(const struct matmul_gpu_args *args, struct gpu_stream *stream)
{
    const struct matmul_mma_plan plan =
        matmul_choose_mma_plan(&args->weight, args->row_count, args->gpu->shared_bytes_max);
    const mma_kernel kernel = choose_kernel(args, plan.row_tiles);
    if (!kernel) {
        return STATUS_UNSUPPORTED;
    }
    ASSERT(plan.splits == 1 || (plan.row_groups == 1 && plan.out_blocks <= MATMUL_COUNTERS));
    struct mma_args all;
    all.plain = *args;
    all.segment_count = plan.segment_count;
    all.segment_shift = (uint32_t)__builtin_ctz(plan.segment_count);
    all.runs = matmul_runs(&args->weight);
    all.side_by_side = plan.side_by_side;
    all.in_sequence = plan.in_sequence;
    all.block_outs = plan.block_outs;
    all.splits = plan.splits;
    const struct gpu_launch_shape shape = {plan.row_groups, plan.out_blocks, plan.splits, THREADS,
                                           plan.shared_bytes};
    return gpu_launch(kernel, "matmul_mma", shape, stream, all);
}
