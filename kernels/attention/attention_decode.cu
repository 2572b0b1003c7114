// attention_decode.cu - a few rows over their keys, one split of 512 a block where they are many.
// Memory bound: 2 * head_dim * sizeof(KV) bytes a key and kv head, so the target is the copy
// bandwidth of the device.
//
// A block's four warps share the 16 pairs: each scores 16 keys of a tile, then each multiplies all
// 64 weights with a quarter of the dimensions; maxima and weights meet in shared memory. Keys and
// values have a ring of stages each, so that between 3 and 5 half tiles are always under way. The
// next unit's first tiles are asked for before this one's results are written.
#include "kernels/attention/attention_kernels.h"
#include "kernels/attention/attention_tile.cuh"

// ---- device -------------------------------------------------------------------------------------

enum : uint32_t { PAIRS = ATTENTION_PLAN_DECODE_PAIRS, MERGE_AT_ONCE = 8 };

template <class T, class KV, int DIM>
struct decode {
    static constexpr int TILE_BYTES = tile_rows<KV, DIM>::BYTES;
    static constexpr int STAGES = TILE_BYTES <= 12 * 1024 ? 4 : TILE_BYTES <= 16 * 1024 ? 3 : 2;
    static constexpr int STEPS = DIM / 16;                     // k16 steps of a score
    static constexpr int BLOCKS = (STEPS + WARPS - 1) / WARPS; // of 16 dimensions, a warp's
    using weight_rows = tile_rows<T, TILE>;

    unsigned char keys[STAGES * TILE_BYTES], values[STAGES * TILE_BYTES];
    unsigned char queries[PAIRS * DIM * sizeof(T)], weights[PAIRS * TILE * sizeof(T)];
    float maxima[WARPS][PAIRS];
    uint32_t is_last;
};

struct workspace {
    uint32_t *counters; // [slot, unit of the slot]
    float2 *maxima;     // [slot, query head]: maximum and sum
    float *outs;        // [slot, query head, dimension], not normalised
};

static GPU_DEVICE struct workspace workspace_of(const struct attention_gpu_args &args)
{
    const size_t slots = (size_t)ATTENTION_GPU_SLOTS * args.shape.head_count;
    auto *counters = static_cast<uint32_t *>(args.workspace);
    auto *maxima = reinterpret_cast<float2 *>(counters + slots);
    return {counters, maxima, reinterpret_cast<float *>(maxima + slots)};
}

static GPU_DEVICE uint32_t chunks_of(const struct attention_gpu_args &args)
{
    return (group_of(args) + PAIRS - 1) / PAIRS;
}

static GPU_DEVICE struct unit unit_at(const struct attention_gpu_args &args, uint32_t index)
{
    const uint32_t group = group_of(args), chunks = chunks_of(args);
    const uint32_t units = args.shape.kv_head_count * chunks;
    const uint32_t chunk = index % units % chunks;
    struct unit unit;
    unit.item = load_item(args, index / units);
    unit.kv_head = index % units / chunks;
    unit.head_first = unit.kv_head * group + chunk * PAIRS;
    const uint32_t left = group - chunk * PAIRS;
    unit.heads = left < PAIRS ? left : (uint32_t)PAIRS;
    unit.pairs = unit.item.row_count * unit.heads;
    return unit;
}

// What a lane holds of its two pairs while it walks through the keys: a split's sums and outputs,
// and those of the splits before.
template <int BLOCKS>
struct walk {
    struct pair_state pairs;
    sixteen outs[BLOCKS], totals[BLOCKS];
    float sums[4], total_maximum[2], total_sum[2];
};

template <int BLOCKS>
static GPU_DEVICE void clear_split(struct walk<BLOCKS> &walk)
{
#pragma unroll
    for (int j = 0; j < 4; j++) {
        walk.sums[j] = 0;
#pragma unroll
        for (int i = 0; i < BLOCKS * 2; i++) {
            walk.outs[i / 2][i % 2][j] = 0;
        }
    }
    walk.pairs.maximum[0] = walk.pairs.maximum[1] = -INFINITY;
}

// The split joins those before and becomes empty; so the first one takes the place of nothing.
template <int BLOCKS>
static GPU_DEVICE void end_split(struct walk<BLOCKS> &walk, const struct score_rule &rule)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const struct merge_weights weights =
            merge_maxima(walk.total_maximum[half], walk.pairs.maximum[half], rule);
        walk.total_sum[half] = merge(walk.total_sum[half], walk.sums[half * 2], weights);
#pragma unroll
        for (int i = 0; i < BLOCKS * 4; i++) {
            float &total = walk.totals[i / 4][i / 2 % 2][half * 2 + i % 2];
            total = merge(total, walk.outs[i / 4][i / 2 % 2][half * 2 + i % 2], weights);
        }
    }
    clear_split(walk);
}

// One warp's 16 keys: scores, their weights into shared memory; the maxima of the walk move on.
// Between the scores and the weights all warps are done with the keys: the next may be loaded.
template <class T, class KV, int DIM, int BLOCKS>
static GPU_DEVICE void weigh(decode<T, KV, DIM> *shared, const unsigned char *keys,
                             const struct score_rule &rule, uint32_t token,
                             struct walk<BLOCKS> &walk)
{
    using part = decode<T, KV, DIM>;
    const uint32_t warp = threadIdx.x / 32, row = threadIdx.x % 32 / 4, lane = threadIdx.x % 4;
    float scores[2][4] = {};
    constexpr int step = sizeof(KV) == sizeof(T) ? 1 : 2;
#pragma unroll
    for (int i = 0; i < part::STEPS; i += step) {
        uint32_t queries[step][4];
#pragma unroll
        for (int j = 0; j < step; j++) {
            load_queries<T, DIM>(queries[j], shared->queries, 0, i + j);
        }
        add_scores<T, KV, DIM, 1>(scores, queries, keys, warp * 16, i);
    }
    float highest[2];
    mask_scores<2>(scores, walk.pairs, rule, token + warp * 16, highest);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        highest[half] = highest_of_row(highest[half]);
        if (lane == 0) {
            shared->maxima[warp][row + half * 8] = highest[half];
        }
    }
    __syncthreads();
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint32_t pair = row + half * 8;
        const float shrink =
            raise_maximum(walk.pairs.maximum[half],
                          fmaxf(fmaxf(shared->maxima[0][pair], shared->maxima[1][pair]),
                                fmaxf(shared->maxima[2][pair], shared->maxima[3][pair])),
                          rule);
        const float base = weight_base(walk.pairs.maximum[half], rule);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const uint32_t weights = pack2<T>(weight_of(scores[i][half * 2], base, rule),
                                              weight_of(scores[i][half * 2 + 1], base, rule));
            unsigned char *to = shared->weights + part::weight_rows::at(pair, warp * 2 + i);
            *reinterpret_cast<uint32_t *>(to + lane * 4) = weights;
        }
#pragma unroll
        for (int j = half * 2; j < half * 2 + 2; j++) {
            walk.sums[j] *= shrink;
#pragma unroll
            for (int i = 0; i < BLOCKS * 2; i++) {
                walk.outs[i / 2][i % 2][j] *= shrink;
            }
        }
    }
}

// All weights times the warp's dimensions: blocks of 16, every fourth.
template <class T, class KV, int DIM, int BLOCKS>
static GPU_DEVICE void add_tile(const decode<T, KV, DIM> *shared, const unsigned char *values,
                                struct walk<BLOCKS> &walk)
{
    using part = decode<T, KV, DIM>;
    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    uint32_t weights[TILE / 16][4];
#pragma unroll
    for (int i = 0; i < TILE / 16; i++) {
        ldmatrix_x4(weights[i],
                    shared->weights + part::weight_rows::at(lane % 16, i * 2 + lane / 16));
        add_weights<T>(walk.sums, weights[i]);
    }
#pragma unroll
    for (int i = 0; i < BLOCKS; i++) {
        const uint32_t block = warp + i * WARPS;
        if (part::STEPS % WARPS == 0 || block < part::STEPS) {
            add_values<T, KV, DIM>(walk.outs[i], weights, values, block);
        }
    }
}

// Asks for the first tiles of a unit, and stages its queries. No warp may read the ones before.
template <class T, class KV, int DIM>
static GPU_DEVICE void start_unit(const struct attention_gpu_args &args, const struct unit &unit,
                                  decode<T, KV, DIM> *shared, struct loader<KV, DIM> &loader)
{
    using part = decode<T, KV, DIM>;
    loader.start(args, unit);
#pragma unroll
    for (int i = 0; i < part::STAGES; i++) {
        loader.load_keys(args, shared->keys + i * part::TILE_BYTES);
        if (i < part::STAGES - 1) {
            loader.load_values(args, shared->values + i * part::TILE_BYTES);
        }
    }
    stage_queries<T, KV, DIM, PAIRS>(args, unit, shared->queries);
}

// Groups of copies are keys 0, values 0, keys 1 ...: at the first wait those after this tile's keys
// may be under way, at the second those after its values.
template <class T, class KV, int DIM, int BLOCKS>
static GPU_DEVICE void walk_keys(const struct attention_gpu_args &args,
                                 const struct key_range &keys, const struct score_rule &rule,
                                 decode<T, KV, DIM> *shared, struct loader<KV, DIM> &loader,
                                 struct walk<BLOCKS> &walk)
{
    using part = decode<T, KV, DIM>;
    uint32_t stage = 0;
    for (uint32_t token = keys.first - keys.first % TILE; token < keys.end; token += TILE) {
        const uint32_t before = (stage + part::STAGES - 1) % part::STAGES;
        cp_async_wait<2 * part::STAGES - 2>();
        __syncthreads();
        loader.load_values(args, shared->values + before * part::TILE_BYTES);
        weigh(shared, shared->keys + stage * part::TILE_BYTES, rule, token, walk);
        loader.load_keys(args, shared->keys + stage * part::TILE_BYTES);
        cp_async_wait<2 * part::STAGES - 1>();
        __syncthreads();
        add_tile(shared, shared->values + stage * part::TILE_BYTES, walk);
        if ((token + TILE) % SPLIT == 0 && token + TILE < keys.end) {
            end_split(walk, rule);
        }
        stage = (stage + 1) % part::STAGES;
    }
}

template <class T, class KV, int DIM, int BLOCKS>
static GPU_DEVICE void store_outs(const struct attention_gpu_args &args, const struct unit &unit,
                                  struct walk<BLOCKS> &walk)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint32_t pair = threadIdx.x % 32 / 4 + half * 8;
        if (pair < unit.pairs) {
            const float inverse = args.v_scale / walk.total_sum[half];
#pragma unroll
            for (int i = 0; i < BLOCKS * 2; i++) {
                float pairs[2];
                const uint32_t block = threadIdx.x / 32 + i / 2 * WARPS;
                const uint32_t dim =
                    take_pair<T, KV>(walk.totals[i / 2], block, half, i % 2, pairs);
                const float outs[2] = {normalise(pairs[0], inverse), normalise(pairs[1], inverse)};
                store_pair<T>(args, unit, pair, dim, outs);
            }
        }
    }
}

// The slot of a pair's part, times query heads: index of maxima, and of outs in heads.
static GPU_DEVICE size_t slot_of(const struct attention_gpu_args &args, const struct unit &unit,
                                 uint32_t pair, uint32_t part)
{
    const size_t row = (size_t)part * unit.item.row_count + pair / unit.heads;
    return (unit.item.slot_first + row) * args.shape.head_count + pair_head(unit, pair);
}

template <class T, class KV, int DIM, int BLOCKS>
static GPU_DEVICE void store_part(const struct attention_gpu_args &args, const struct unit &unit,
                                  const struct walk<BLOCKS> &walk)
{
    const struct workspace space = workspace_of(args);
    const uint32_t head_dim = args.shape.head_dim;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint32_t pair = threadIdx.x % 32 / 4 + half * 8;
        if (pair < unit.pairs) {
            const size_t slot = slot_of(args, unit, pair, unit.item.part_index);
            if (threadIdx.x / 32 == 0 && threadIdx.x % 4 == 0) {
                space.maxima[slot] = make_float2(walk.pairs.maximum[half], walk.sums[half * 2]);
            }
#pragma unroll
            for (int i = 0; i < BLOCKS * 2; i++) {
                float pairs[2];
                const uint32_t block = threadIdx.x / 32 + i / 2 * WARPS;
                const uint32_t dim = take_pair<T, KV>(walk.outs[i / 2], block, half, i % 2, pairs);
                if (dim < head_dim) {
                    *reinterpret_cast<float2 *>(space.outs + slot * head_dim + dim) =
                        make_float2(pairs[0], pairs[1]);
                }
            }
        }
    }
}

// Two neighbouring dimensions of a pair, over all parts in rising order, several loads at a time.
template <class T>
static GPU_DEVICE void merge_parts(const struct attention_gpu_args &args, const struct unit &unit,
                                   const struct score_rule &rule, uint32_t pair, uint32_t dim)
{
    const struct workspace space = workspace_of(args);
    const uint32_t part_count = unit.item.part_count;
    float maximum = -INFINITY, sum = 0, outs[2] = {};
    for (uint32_t first = 0; first < part_count; first += MERGE_AT_ONCE) {
        float2 maxima[MERGE_AT_ONCE], parts[MERGE_AT_ONCE];
#pragma unroll
        for (uint32_t i = 0; i < MERGE_AT_ONCE; i++) {
            const uint32_t part = first + i < part_count ? first + i : part_count - 1;
            const size_t slot = slot_of(args, unit, pair, part);
            maxima[i] = space.maxima[slot];
            parts[i] =
                *reinterpret_cast<const float2 *>(space.outs + slot * args.shape.head_dim + dim);
        }
#pragma unroll
        for (uint32_t i = 0; i < MERGE_AT_ONCE; i++) {
            if (first + i < part_count) {
                const struct merge_weights weights = merge_maxima(maximum, maxima[i].x, rule);
                sum = merge(sum, maxima[i].y, weights);
                outs[0] = merge(outs[0], parts[i].x, weights);
                outs[1] = merge(outs[1], parts[i].y, weights);
            }
        }
    }
    const float inverse = args.v_scale / sum;
    const float results[2] = {normalise(outs[0], inverse), normalise(outs[1], inverse)};
    store_pair<T>(args, unit, pair, dim, results);
}

// One of several parts: written to the workspace; the last block to arrive merges them all.
template <class T, class KV, int DIM, int BLOCKS>
static GPU_DEVICE void finish_part(const struct attention_gpu_args &args, const struct unit &unit,
                                   const struct score_rule &rule, uint32_t *is_last,
                                   const struct walk<BLOCKS> &walk)
{
    store_part<T, KV, DIM>(args, unit, walk);
    __threadfence();
    __syncthreads();
    const size_t group = (size_t)unit.item.slot_first * args.shape.head_count;
    uint32_t *counter = workspace_of(args).counters + group + unit.head_first;
    if (threadIdx.x == 0) {
        *is_last = atomicAdd(counter, 1U) == unit.item.part_count - 1;
    }
    __syncthreads();
    if (*is_last) {
        __threadfence();
        const uint32_t pairs_of_dims = args.shape.head_dim / 2;
        for (uint32_t i = threadIdx.x; i < unit.pairs * pairs_of_dims; i += THREADS) {
            merge_parts<T>(args, unit, rule, i / pairs_of_dims, i % pairs_of_dims * 2);
        }
        if (threadIdx.x == 0) {
            *counter = 0;
        }
    }
}

template <class T, class KV, int DIM>
static __global__ void __launch_bounds__(THREADS)
    attention_decode_kernel(const struct attention_gpu_args args)
{
    using part = decode<T, KV, DIM>;
    GPU_SHARED(part, shared);
    dependency_wait();
    const uint32_t unit_count =
        args.batch.counts->attention_decode_count * args.shape.kv_head_count * chunks_of(args);
    const struct score_rule rule = score_rule_of(args);
    if (blockIdx.x >= unit_count) {
        return;
    }
    struct loader<KV, DIM> loader;
    struct unit unit = unit_at(args, blockIdx.x);
    start_unit(args, unit, shared, loader);
    for (uint32_t i = blockIdx.x; i < unit_count; i += gridDim.x) {
        struct walk<part::BLOCKS> walk = {
        };
        walk.total_maximum[0] = walk.total_maximum[1] = -INFINITY;
        start_pairs(args, unit, 0, walk.pairs);
        walk_keys(args, loader.keys, rule, shared, loader, walk);
        __syncthreads();
        const struct unit done = unit;
        if (i + gridDim.x < unit_count) {
            unit = unit_at(args, i + gridDim.x);
            start_unit(args, unit, shared, loader);
        } else {
            dependency_release();
        }
        if (done.item.part_count > 1) {
            finish_part<T, KV, DIM>(args, done, rule, &shared->is_last, walk);
        } else {
            end_split(walk, rule);
            store_outs<T, KV, DIM>(args, done, walk);
        }
    }
    cp_async_wait<0>();
}

// ---- launcher -----------------------------------------------------------------------------------

namespace
{

template <class T, class KV, int DIM>
struct decode_launch {
    static enum status run(const struct attention_gpu_args *args, struct gpu_stream *stream)
    {
        const size_t shared_bytes = sizeof(decode<T, KV, DIM>);
        const struct gpu_launch_shape shape = {
            attention_plan_blocks(args->shape.multiprocessors, shared_bytes), 1, 1, THREADS,
            shared_bytes};
        return gpu_launch(attention_decode_kernel<T, KV, DIM>, "attention_decode", shape, stream,
                          *args);
    }
};

} // namespace

extern "C" enum status attention_decode_launch(const struct attention_gpu_args *args,
                                               struct gpu_stream *stream)
{
    return attention_launch_shape<decode_launch>(args, stream);
}
