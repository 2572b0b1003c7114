// attention_prefill.cu - blocks of 64 pairs of a prompt, half an item, over all their keys. Bound
// by the tensor cores: 4 * head_dim operations a pair and key; each key that a block loads serves
// 64 pairs. A warp skips tiles of which its rows see nothing; masked ones would change nothing
// either.
#include "kernels/attention/attention_kernels.h"
#include "kernels/attention/attention_prefill.cuh"

// ---- device -------------------------------------------------------------------------------------

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

// The last rows first, as the items are.
static GPU_DEVICE struct unit unit_at(const struct attention_gpu_args &args, uint32_t index)
{
    const uint32_t heads = args.shape.kv_head_count;
    return half_of(prefill_unit(args, index / (2 * heads) * heads + index % heads),
                   1 - index / heads % 2);
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
            float shrinks[2];
            weigh(scores, rule, token, walk, shrinks);
            pack_weights<STEPS, T>(scores, shrinks, walk, weights);
            shrink_outs(walk, shrinks);
        }
        cp_async_wait<2 * part::STAGES - 2>();
        __syncthreads();
        loader.load_keys(args, shared->keys + stage * part::TILE_BYTES);
        if (sees) {
            sum_weights<STEPS, T>(walk, weights);
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

template <class T, class KV, int DIM>
static __global__ void __launch_bounds__(THREADS, DIM <= 128 ? 2 : 1)
    attention_prefill_kernel(const struct attention_gpu_args args)
{
    using part = prefill<T, KV, DIM>;
    GPU_SHARED(part, shared);
    dependency_wait();
    const struct gpu_counts *counts = args.batch.counts;
    const uint32_t unit_count = (counts->attention_item_count - counts->attention_decode_count)
                                * args.shape.kv_head_count * 2;
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

namespace
{

template <class T, class KV, int DIM>
struct prefill_launch {
    static enum status run(const struct attention_gpu_args *args, struct gpu_stream *stream)
    {
        const size_t shared_bytes = sizeof(prefill<T, KV, DIM>);
        const struct gpu_launch_shape shape = {
            attention_plan_blocks(args->shape.multiprocessors, shared_bytes), 1, 1, THREADS,
            shared_bytes};
        return gpu_launch(attention_prefill_kernel<T, KV, DIM>, "attention_prefill", shape, stream,
                          *args);
    }
};

} // namespace

extern "C" enum status attention_prefill_launch(const struct attention_gpu_args *args,
                                                struct gpu_stream *stream)
{
    return attention_launch_shape<prefill_launch>(args, stream);
}
