// attention_prefill.cu - blocks of 64 pairs of a prompt over all their keys. Bound by the tensor
// cores: 4 * head_dim operations a pair and key; each key that a block loads serves 64 pairs.
//
// Each of the four warps has 16 pairs of its own, so that scores and weights stay in its registers.
// At a split's end its outputs join those of the splits before, which wait in shared memory, each
// thread's own: what attention_decode.cu does over the workspace, hence the same bits. A warp skips
// tiles of which its rows see nothing; masked ones would change nothing either.
#include "kernels/attention/attention_kernels.h"
#include "kernels/attention/attention_tile.cuh"

// ---- device -------------------------------------------------------------------------------------

enum { PAIRS = ATTENTION_PLAN_PREFILL_PAIRS };
static_assert((int)PAIRS == WARPS * 16, "a warp has 16 pairs");

template <class T, class KV, int DIM>
struct prefill {
    static constexpr int TILE_BYTES = tile_rows<KV, DIM>::BYTES;
    static constexpr int STAGES = TILE_BYTES <= 16 * 1024 ? 2 : 1;
    static constexpr int STEPS = DIM / 16; // k16 steps of a score, blocks of 16 outputs
    static constexpr int KEPT = DIM <= 128 ? STEPS : 2; // steps whose queries stay in registers

    unsigned char keys[STAGES * TILE_BYTES], values[STAGES * TILE_BYTES];
    unsigned char queries[PAIRS * DIM * sizeof(T)];
    float totals[STEPS * 8][THREADS];
};

static GPU_DEVICE struct unit unit_at(const struct attention_gpu_args &args, uint32_t index)
{
    struct unit unit;
    unit.item = load_item(args, args.batch.counts->attention_decode_count
                                    + index / args.shape.kv_head_count);
    unit.kv_head = index % args.shape.kv_head_count;
    unit.heads = group_of(args);
    unit.head_first = unit.kv_head * unit.heads;
    unit.pairs = unit.item.row_count * unit.heads;
    return unit;
}

// What a lane holds of its two pairs while it walks through the keys: a split's sums and outputs,
// and the maxima and sums of those before.
template <int STEPS>
struct walk {
    struct pair_state pairs;
    sixteen outs[STEPS];
    float sums[4], total_maximum[2], total_sum[2];
    bool has_totals;
    uint32_t key_first, key_end; // what some row of the warp sees
};

template <int STEPS>
static GPU_DEVICE void clear_split(struct walk<STEPS> &walk)
{
#pragma unroll
    for (int j = 0; j < 4; j++) {
        walk.sums[j] = 0;
#pragma unroll
        for (int i = 0; i < STEPS * 2; i++) {
            walk.outs[i / 2][i % 2][j] = 0;
        }
    }
    walk.pairs.maximum[0] = walk.pairs.maximum[1] = -INFINITY;
}

template <int STEPS>
static GPU_DEVICE void start_walk(const struct attention_gpu_args &args, const struct unit &unit,
                                  struct walk<STEPS> &walk)
{
    const uint32_t pair_first = threadIdx.x / 32 * 16;
    start_pairs(args, unit, pair_first, walk.pairs);
    clear_split(walk);
    walk.total_maximum[0] = walk.total_maximum[1] = -INFINITY;
    walk.total_sum[0] = walk.total_sum[1] = 0;
    walk.has_totals = false;
    const uint32_t left = unit.pairs > pair_first ? unit.pairs - pair_first : 0;
    const uint32_t last = pair_first + (left < 16 ? left : 16) - 1;
    walk.key_first = key_first_of(args, unit.item.position_first + pair_first / unit.heads);
    walk.key_end = left > 0 ? unit.item.position_first + last / unit.heads + 1 : 0;
}

// The splits before and this one, in the place of this one.
template <int STEPS>
static GPU_DEVICE void join_totals(struct walk<STEPS> &walk, const struct score_rule &rule,
                                   float (*totals)[THREADS])
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const struct merge_weights weights =
            merge_maxima(walk.total_maximum[half], walk.pairs.maximum[half], rule);
        walk.total_sum[half] = merge(walk.total_sum[half], walk.sums[half * 2], weights);
        if (walk.has_totals) {
#pragma unroll
            for (int i = 0; i < STEPS * 4; i++) {
                float &out = walk.outs[i / 4][i / 2 % 2][half * 2 + i % 2];
                out = merge(totals[i * 2 + half][threadIdx.x], out, weights);
            }
        }
    }
}

template <int STEPS>
static GPU_DEVICE void end_split(struct walk<STEPS> &walk, const struct score_rule &rule,
                                 float (*totals)[THREADS])
{
    join_totals(walk, rule, totals);
#pragma unroll
    for (int half = 0; half < 2; half++) {
#pragma unroll
        for (int i = 0; i < STEPS * 4; i++) {
            totals[i * 2 + half][threadIdx.x] = walk.outs[i / 4][i / 2 % 2][half * 2 + i % 2];
        }
    }
    walk.has_totals = true;
    clear_split(walk);
}

// The warp's pairs and the 64 keys of a tile: scores become weights, A fragments of the product
// with the values; maxima, sums and outputs move on.
template <int STEPS, class T>
static GPU_DEVICE void weigh(float scores[8][4], const struct score_rule &rule, uint32_t token,
                             struct walk<STEPS> &walk, uint32_t weights[4][4])
{
    float highest[2];
    mask_scores<8>(scores, walk.pairs, rule, token, highest);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float shrink =
            raise_maximum(walk.pairs.maximum[half], highest_of_row(highest[half]), rule);
        const float base = weight_base(walk.pairs.maximum[half], rule);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            weights[i / 2][i % 2 * 2 + half] =
                pack2<T>(weight_of(scores[i][half * 2], base, rule),
                         weight_of(scores[i][half * 2 + 1], base, rule));
        }
#pragma unroll
        for (int j = half * 2; j < half * 2 + 2; j++) {
            walk.sums[j] *= shrink;
#pragma unroll
            for (int i = 0; i < STEPS * 2; i++) {
                walk.outs[i / 2][i % 2][j] *= shrink;
            }
        }
    }
}

template <class T, class KV, int DIM>
static GPU_DEVICE void score_tile(const prefill<T, KV, DIM> *shared, const unsigned char *keys,
                                  uint32_t queries[][4], float scores[8][4])
{
    using part = prefill<T, KV, DIM>;
    constexpr int step = sizeof(KV) == sizeof(T) ? 1 : 2;
#pragma unroll(part::KEPT / step) // the addresses of 16 steps would not fit
    for (int i = 0; i < part::STEPS; i += step) {
        if (part::KEPT < part::STEPS) {
#pragma unroll
            for (int j = 0; j < step; j++) {
                load_queries<T, DIM>(queries[j], shared->queries, threadIdx.x / 32 * 16, i + j);
            }
        }
        add_scores<T, KV, DIM, 4>(scores, queries + (part::KEPT < part::STEPS ? 0 : i), keys, 0, i);
    }
}

// Asks for the first tiles of a unit, and stages its queries. No warp may read the ones before.
template <class T, class KV, int DIM>
static GPU_DEVICE void start_unit(const struct attention_gpu_args &args, const struct unit &unit,
                                  prefill<T, KV, DIM> *shared, struct loader<KV, DIM> &loader)
{
    using part = prefill<T, KV, DIM>;
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

// Groups of copies are keys 0, values 0, keys 1 ...: at both waits the later tiles' may be under
// way.
template <class T, class KV, int DIM, int STEPS>
static GPU_DEVICE void walk_keys(const struct attention_gpu_args &args,
                                 const struct key_range &keys, const struct score_rule &rule,
                                 prefill<T, KV, DIM> *shared, struct loader<KV, DIM> &loader,
                                 struct walk<STEPS> &walk)
{
    using part = prefill<T, KV, DIM>;
    __syncthreads(); // queries
    uint32_t queries[part::KEPT][4];
    if (part::KEPT == part::STEPS) {
#pragma unroll
        for (int i = 0; i < part::KEPT; i++) {
            load_queries<T, DIM>(queries[i], shared->queries, threadIdx.x / 32 * 16, i);
        }
    }
    uint32_t stage = 0;
    for (uint32_t token = keys.first - keys.first % TILE; token < keys.end; token += TILE) {
        const uint32_t before = (stage + part::STAGES - 1) % part::STAGES;
        const bool sees = token < walk.key_end && token + TILE > walk.key_first;
        uint32_t weights[TILE / 16][4];
        cp_async_wait<2 * part::STAGES - 2>();
        __syncthreads();
        loader.load_values(args, shared->values + before * part::TILE_BYTES);
        if (sees) {
            float scores[8][4] = {};
            score_tile(shared, shared->keys + stage * part::TILE_BYTES, queries, scores);
            weigh<STEPS, T>(scores, rule, token, walk, weights);
        }
        cp_async_wait<2 * part::STAGES - 2>();
        __syncthreads();
        loader.load_keys(args, shared->keys + stage * part::TILE_BYTES);
        if (sees) {
#pragma unroll
            for (int i = 0; i < TILE / 16; i++) {
                add_weights<T>(walk.sums, weights[i]);
            }
#pragma unroll
            for (int i = 0; i < STEPS; i++) {
                add_values<T, KV, DIM>(walk.outs[i], weights,
                                       shared->values + stage * part::TILE_BYTES, i);
            }
        }
        if ((token + TILE) % SPLIT == 0 && token + TILE < keys.end) {
            end_split(walk, rule, shared->totals);
        }
        stage = (stage + 1) % part::STAGES;
    }
}

template <class T, class KV, int STEPS>
static GPU_DEVICE void store_outs(const struct attention_gpu_args &args, const struct unit &unit,
                                  const struct walk<STEPS> &walk)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint32_t pair = threadIdx.x / 4 + threadIdx.x / 32 * 8 + half * 8;
        if (pair < unit.pairs) {
            const float inverse = args.v_scale / walk.total_sum[half];
#pragma unroll
            for (int i = 0; i < STEPS * 2; i++) {
                float pairs[2];
                const uint32_t dim = take_pair<T, KV>(walk.outs[i / 2], i / 2, half, i % 2, pairs);
                const float outs[2] = {normalise(pairs[0], inverse), normalise(pairs[1], inverse)};
                store_pair<T>(args, unit, pair, dim, outs);
            }
        }
    }
}

template <class T, class KV, int DIM>
static __global__ void __launch_bounds__(THREADS, DIM <= 128 ? 2 : 1)
    attention_prefill_kernel(const struct attention_gpu_args args)
{
    using part = prefill<T, KV, DIM>;
    GPU_SHARED(part, shared);
    dependency_wait();
    const struct gpu_counts *counts = args.batch.counts;
    const uint32_t unit_count =
        (counts->attention_item_count - counts->attention_decode_count) * args.shape.kv_head_count;
    const struct score_rule rule = score_rule_of(args);
    if (blockIdx.x >= unit_count) {
        return;
    }
    struct loader<KV, DIM> loader;
    start_unit(args, unit_at(args, blockIdx.x), shared, loader);
    for (uint32_t i = blockIdx.x; i < unit_count; i += gridDim.x) {
        struct walk<part::STEPS> walk;
        start_walk(args, unit_at(args, i), walk);
        walk_keys(args, loader.keys, rule, shared, loader, walk);
        __syncthreads();
        if (i + gridDim.x < unit_count) {
            start_unit(args, unit_at(args, i + gridDim.x), shared, loader);
        } else {
            dependency_release();
        }
        join_totals(walk, rule, shared->totals);
        store_outs<T, KV>(args, unit_at(args, i), walk); // again: registers are scarce
    }
    cp_async_wait<0>();
}

// ---- launcher -----------------------------------------------------------------------------------

template <class T, class KV, int DIM>
static enum status launch(const struct attention_gpu_args *args, struct gpu_stream *stream)
{
    const size_t shared_bytes = sizeof(prefill<T, KV, DIM>);
    const struct gpu_launch_shape shape = {
        attention_plan_blocks(args->shape.multiprocessors, shared_bytes), 1, 1, THREADS,
        shared_bytes};
    return gpu_launch(attention_prefill_kernel<T, KV, DIM>, "attention_prefill", shape, stream,
                      *args);
}

template <class T, class KV>
static enum status launch_dim(const struct attention_gpu_args *args, struct gpu_stream *stream)
{
    switch (attention_plan_dim(args->shape.head_dim)) {
    case 64:
        return launch<T, KV, 64>(args, stream);
    case 96:
        return launch<T, KV, 96>(args, stream);
    case 128:
        return launch<T, KV, 128>(args, stream);
    default:
        return launch<T, KV, 256>(args, stream);
    }
}

extern "C" enum status attention_prefill_launch(const struct attention_gpu_args *args,
                                                struct gpu_stream *stream)
{
    const bool is_e4m3 = args->shape.kv_dtype == DTYPE_E4M3;
    if (args->shape.dtype == DTYPE_BF16) {
        return is_e4m3 ? launch_dim<bf16, e4m3>(args, stream)
                       : launch_dim<bf16, bf16>(args, stream);
    }
    return is_e4m3 ? launch_dim<f16, e4m3>(args, stream) : launch_dim<f16, f16>(args, stream);
}
