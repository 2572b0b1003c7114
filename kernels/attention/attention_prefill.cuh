// attention_prefill.cuh - what the two kernels for prompts share: 128 threads walk through the keys
// of half an item, which is 64 pairs or fewer, each warp 16 of them in its registers. At a split's
// end its outputs join those of the splits before, which wait in shared memory, each thread's own:
// what attention_decode.cu does over the workspace, hence the same bits.
#pragma once
#include "kernels/attention/attention_tile.cuh"

enum { PAIRS = ATTENTION_PLAN_PREFILL_PAIRS };
static_assert((int)PAIRS == WARPS * 16, "a warp has 16 pairs");

// The index-th item and kv head: both halves of the item.
GPU_DEVICE struct unit prefill_unit(const struct attention_gpu_args &args, uint32_t index)
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

// One half (0, 1) of the rows; the second may have none.
GPU_DEVICE struct unit half_of(struct unit unit, uint32_t half)
{
    const uint32_t rows = PAIRS / unit.heads, first = half * rows;
    const uint32_t left = unit.item.row_count > first ? unit.item.row_count - first : 0;
    unit.item.row_first += first;
    unit.item.position_first += first;
    unit.item.row_count = left < rows ? left : rows;
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
GPU_DEVICE void clear_split(struct walk<STEPS> &walk)
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
GPU_DEVICE void start_walk(const struct attention_gpu_args &args, const struct unit &unit,
                           struct walk<STEPS> &walk)
{
    const uint32_t pair_first = threadIdx.x % THREADS / 32 * 16;
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
GPU_DEVICE void join_totals(struct walk<STEPS> &walk, const struct score_rule &rule,
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
                out = merge(totals[i * 2 + half][threadIdx.x % THREADS], out, weights);
            }
        }
    }
}

template <int STEPS>
GPU_DEVICE void end_split(struct walk<STEPS> &walk, const struct score_rule &rule,
                          float (*totals)[THREADS])
{
    join_totals(walk, rule, totals);
#pragma unroll
    for (int half = 0; half < 2; half++) {
#pragma unroll
        for (int i = 0; i < STEPS * 4; i++) {
            totals[i * 2 + half][threadIdx.x % THREADS] =
                walk.outs[i / 4][i / 2 % 2][half * 2 + i % 2];
        }
    }
    walk.has_totals = true;
    clear_split(walk);
}

// The warp's pairs and the 64 keys of a tile: scores become weights; maxima and sums move on. Sums
// and outputs before are to be shrunk by shrinks.
template <int STEPS>
GPU_DEVICE void weigh(float scores[8][4], const struct score_rule &rule, uint32_t token,
                      struct walk<STEPS> &walk, float shrinks[2])
{
    float highest[2];
    mask_scores<8>(scores, walk.pairs, rule, token, highest);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        shrinks[half] =
            raise_maximum(walk.pairs.maximum[half], highest_of_row(highest[half]), rule);
        const float base = weight_base(walk.pairs.maximum[half], rule);
#pragma unroll
        for (int i = 0; i < 16; i++) {
            float &score = scores[i / 2][half * 2 + i % 2];
            score = weight_of(score, base, rule);
        }
    }
}

// Weights to A fragments of the product with the values; sums before are shrunk.
template <int STEPS, class T>
GPU_DEVICE void pack_weights(const float scores[8][4], const float shrinks[2],
                             struct walk<STEPS> &walk, uint32_t weights[4][4])
{
#pragma unroll
    for (int i = 0; i < 16; i++) {
        const int half = i % 2 * 2;
        weights[i / 4][i % 4] = pack2<T>(scores[i / 2][half], scores[i / 2][half + 1]);
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
        walk.sums[j] *= shrinks[j / 2];
    }
}

template <int STEPS, class T>
GPU_DEVICE void sum_weights(struct walk<STEPS> &walk, const uint32_t weights[4][4])
{
#pragma unroll
    for (int i = 0; i < TILE / 16; i++) {
        add_weights<T>(walk.sums, weights[i]);
    }
}

template <int STEPS>
GPU_DEVICE void shrink_outs(struct walk<STEPS> &walk, const float shrinks[2])
{
#pragma unroll
    for (int i = 0; i < STEPS * 8; i++) {
        walk.outs[i / 8][i / 4 % 2][i % 4] *= shrinks[i / 2 % 2];
    }
}

template <class T, class KV, int STEPS>
GPU_DEVICE void store_outs(const struct attention_gpu_args &args, const struct unit &unit,
                           const struct walk<STEPS> &walk)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint32_t thread = threadIdx.x % THREADS;
        const uint32_t pair = thread / 32 * 16 + thread % 32 / 4 + half * 8;
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
