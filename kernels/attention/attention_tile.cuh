// attention_tile.cuh - what the attention kernels share: how a tile of 64 keys comes into shared
// memory, scores, weights, the product with the values, and how splits are merged. A warp has 16
// pairs (a row and a query head) as the rows of m16n8k16; a lane has rows lane / 4 and lane / 4 + 8
// ("halves") of the accumulators. Everything that decides bits is here, once for both kernels, with
// each fma written out, so that no compiler contracts it in one place only.
//
// e4m3 keys and values are converted in registers. A 16-bit lane of ldmatrix then holds two of
// them, so that a lane gets four neighbours: for the keys the dimensions of a k16 step are
// permuted (those of the queries likewise, when they are staged); for the values the even
// dimensions of 16 become one n8 block and the odd ones the other.
#pragma once
#include "kernels/attention/attention_plan.h"
#include "kernels/gpu/device.cuh"

enum {
    TILE = ATTENTION_GPU_TILE_TOKENS,
    SPLIT = ATTENTION_GPU_SPLIT_TOKENS,
    THREADS = 128,
    WARPS = THREADS / 32,
    GRANULE = 16, // tokens that certainly share a page
};

static_assert(SPLIT % TILE == 0 && TILE % GRANULE == 0 && TILE / GRANULE == 4, "");

#define LOG2_E 1.44269504F

// ---- rows of DIM elements in shared memory, in chunks of 16 bytes, free of bank conflicts
// ---------

template <class T, int DIM>
struct tile_rows {
    static constexpr int CHUNKS = DIM * (int)sizeof(T) / 16;
    static constexpr int BYTES = TILE * CHUNKS * 16;
    // Rows begin at a multiple of STEP chunks modulo 8: after 8 / STEP rows the pattern repeats,
    // and the chunks are exchanged within groups of STEP.
    static constexpr int STEP = (CHUNKS & -CHUNKS) < 8 ? (CHUNKS & -CHUNKS) : 8;

    static GPU_DEVICE uint32_t at(uint32_t row, uint32_t chunk)
    {
        return (row * CHUNKS + (chunk ^ (row / (8 / STEP) % STEP))) * 16;
    }
};

// ---- a unit of work: an item and a kv head -----------------------------------------------------

struct unit {
    struct attention_gpu_item item;
    uint32_t kv_head, head_first, heads, pairs; // pair p: row p / heads, head p % heads
};

GPU_DEVICE uint32_t group_of(const struct attention_gpu_args &args)
{
    return args.shape.head_count / args.shape.kv_head_count;
}

// The first key that a row at this position sees.
GPU_DEVICE uint32_t key_first_of(const struct attention_gpu_args &args, uint32_t position)
{
    return args.window > 0 && position >= args.window ? position - args.window + 1 : 0;
}

// Where the keys of a unit begin and end: inside its splits, from the window of its first row on.
// None if it has no rows.
struct key_range {
    uint32_t first, end;
};

GPU_DEVICE struct key_range keys_of(const struct attention_gpu_args &args, const struct unit &unit)
{
    const uint32_t split_at = unit.item.split_first * SPLIT;
    const uint32_t window_at = key_first_of(args, unit.item.position_first);
    const uint32_t end =
        unit.item.row_count > 0 ? unit.item.position_first + unit.item.row_count : 0;
    const uint32_t first = split_at > window_at ? split_at : window_at;
    const bool is_part = unit.item.part_count > 1;
    return {first, is_part && split_at + SPLIT < end ? split_at + SPLIT : end};
}

GPU_DEVICE struct attention_gpu_item load_item(const struct attention_gpu_args &args, uint32_t i)
{
    static_assert(sizeof(struct attention_gpu_item) == 32, "two loads");
    const uint4 *at = reinterpret_cast<const uint4 *>(&args.items[i]);
    const uint4 a = at[0], b = at[1];
    return {a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w};
}

GPU_DEVICE size_t pair_row(const struct unit &unit, uint32_t pair)
{
    return (size_t)unit.item.row_first + pair / unit.heads;
}

GPU_DEVICE uint32_t pair_head(const struct unit &unit, uint32_t pair)
{
    return unit.head_first + pair % unit.heads;
}

// Queries of a unit into shared memory; zeros where there is no pair or dimension.
template <class T, class KV, int DIM, int PAIRS>
GPU_DEVICE void stage_queries(const struct attention_gpu_args &args, const struct unit &unit,
                              unsigned char *shared)
{
    using rows = tile_rows<T, DIM>;
    const uint32_t head_dim = args.shape.head_dim;
    const T *q = static_cast<const T *>(args.q);
    for (uint32_t i = threadIdx.x; i < PAIRS * (DIM / 8); i += THREADS) {
        const uint32_t pair = i / (DIM / 8), chunk = i % (DIM / 8);
        uint4 words = make_uint4(0, 0, 0, 0);
        if (pair < unit.pairs && chunk * 8 < head_dim) {
            const T *head =
                q + pair_row(unit, pair) * args.q_stride + (size_t)pair_head(unit, pair) * head_dim;
            words = *reinterpret_cast<const uint4 *>(head + chunk * 8);
        }
        if (sizeof(KV) == sizeof(T)) {
            *reinterpret_cast<uint4 *>(shared + rows::at(pair, chunk)) = words;
        } else { // dimensions 4c, 4c + 1 become 2c, 2c + 1 of a k16 step; the next two 2c + 8 ...
            const uint32_t word = chunk % 2 * 8;
            uint2 *low = reinterpret_cast<uint2 *>(shared + rows::at(pair, chunk & ~1U) + word);
            uint2 *high = reinterpret_cast<uint2 *>(shared + rows::at(pair, chunk | 1U) + word);
            *low = make_uint2(words.x, words.z);
            *high = make_uint2(words.y, words.w);
        }
    }
}

// ---- loading keys and values -------------------------------------------------------------------

// Walks through the tiles of a unit: load_keys and load_values alternate, keys first. Each is one
// group of copies, an empty one beyond the end. Lanes 0 to 3 of a warp (and so on in fours) look up
// where the four granules of a tile are, one tile ahead.
template <class KV, int DIM>
struct loader {
    using rows = tile_rows<KV, DIM>;
    struct key_range keys;
    uint32_t kv_head, page_first;
    uint32_t token;      // the first of the tile that is loaded next
    uint32_t page;       // of this lane's granule of that tile
    uint32_t granule_at; // its row in the pools, once the keys are under way

    GPU_DEVICE void look_up(const struct attention_gpu_args &args, uint32_t tile_token)
    {
        const uint32_t at = tile_token + threadIdx.x % 4 * GRANULE;
        if (at < keys.end && at + GRANULE > keys.first) {
            page = args.batch.pages[(size_t)page_first + at / args.shape.page_tokens];
        }
    }

    GPU_DEVICE void start(const struct attention_gpu_args &args, const struct unit &unit)
    {
        keys = keys_of(args, unit);
        kv_head = unit.kv_head;
        page_first = unit.item.page_first;
        token = keys.first - keys.first % TILE;
        page = granule_at = 0;
        look_up(args, token);
    }

    // e4m3 with head_dim no multiple of 16: rows are aligned to 8 bytes only.
    static GPU_DEVICE void copy_halves(unsigned char *to, const unsigned char *from, bool has_low,
                                       bool has_high)
    {
        const uint2 zero = make_uint2(0, 0);
        const uint2 low = has_low ? *reinterpret_cast<const uint2 *>(from) : zero;
        const uint2 high = has_high ? *reinterpret_cast<const uint2 *>(from + 8) : zero;
        *reinterpret_cast<uint4 *>(to) = make_uint4(low.x, low.y, high.x, high.y);
    }

    GPU_DEVICE void copy(const struct attention_gpu_args &args, unsigned char *shared,
                         const void *pages)
    {
        const auto *pool = static_cast<const unsigned char *>(pages);
        const uint32_t row_bytes = args.shape.head_dim * (uint32_t)sizeof(KV);
        static_assert(TILE * rows::CHUNKS % THREADS == 0, "every lane shuffles");
#pragma unroll
        for (uint32_t i = 0; i < TILE * rows::CHUNKS / THREADS; i++) {
            const uint32_t at = i * THREADS + threadIdx.x;
            const uint32_t row = at / rows::CHUNKS, chunk = at % rows::CHUNKS;
            const uint32_t pool_row =
                __shfl_sync(0xffffffffU, granule_at, (int)(row / GRANULE)) + row % GRANULE;
            const bool is_key = token + row >= keys.first && token + row < keys.end;
            const unsigned char *from = pool + (size_t)pool_row * row_bytes + chunk * 16;
            unsigned char *to = shared + rows::at(row, chunk);
            if (sizeof(KV) > 1 || row_bytes % 16 == 0) {
                const bool is_valid = is_key && chunk * 16 < row_bytes;
                cp_async_16(to, is_valid ? from : pool, is_valid);
            } else {
                copy_halves(to, from, is_key && chunk * 16 < row_bytes,
                            is_key && chunk * 16 + 8 < row_bytes);
            }
        }
    }

    GPU_DEVICE void load_keys(const struct attention_gpu_args &args, unsigned char *shared)
    {
        if (token < keys.end) {
            const uint32_t at = token + threadIdx.x % 4 * GRANULE;
            granule_at = (page * args.shape.kv_head_count + kv_head) * args.shape.page_tokens
                         + at % args.shape.page_tokens;
            look_up(args, token + TILE);
            copy(args, shared, args.k_pages);
        }
        cp_async_commit();
    }

    GPU_DEVICE void load_values(const struct attention_gpu_args &args, unsigned char *shared)
    {
        if (token < keys.end) {
            copy(args, shared, args.v_pages);
        }
        cp_async_commit();
        token += TILE;
    }
};

// ---- scores ------------------------------------------------------------------------------------

// The queries' fragment of one k16 step: 16 pairs from pair_first on.
template <class T, int DIM>
GPU_DEVICE void load_queries(uint32_t out[4], const unsigned char *queries, uint32_t pair_first,
                             uint32_t step)
{
    const uint32_t lane = threadIdx.x % 32;
    ldmatrix_x4(out, queries + tile_rows<T, DIM>::at(pair_first + lane % 16, step * 2 + lane / 16));
}

// scores[2 * i], [2 * i + 1] += queries * keys key_first + 16 i ... of k16 steps `step` to
// `step` + 1, which e4m3 keys come in. Other keys: of `step` alone.
template <class T, class KV, int DIM, int BLOCKS>
GPU_DEVICE void add_scores(float scores[BLOCKS * 2][4], const uint32_t queries[][4],
                           const unsigned char *keys, uint32_t key_first, uint32_t step)
{
    using rows = tile_rows<KV, DIM>;
    const uint32_t lane = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < BLOCKS; i++) {
        uint32_t words[4];
        if (sizeof(KV) == sizeof(T)) { // 8 keys x (8, 8 dimensions), the next 8 keys
            const uint32_t row = key_first + i * 16 + lane % 8 + lane / 16 * 8;
            ldmatrix_x4(words, keys + rows::at(row, step * 2 + lane / 8 % 2));
            mma_16x8x16<T>(scores[i * 2], queries[0], words);
            mma_16x8x16<T>(scores[i * 2 + 1], queries[0], words + 2);
        } else { // 16 keys x 16 dimensions, the next 16 dimensions
            const uint32_t row = key_first + i * 16 + lane % 16;
            ldmatrix_x4(words, keys + rows::at(row, step + lane / 16));
#pragma unroll
            for (int j = 0; j < 4; j++) {
                uint32_t pairs[2];
                e4m3x4_to<T>(words[j], pairs);
                mma_16x8x16<T>(scores[i * 2 + j % 2], queries[j / 2], pairs);
            }
        }
    }
}

// ---- weights -----------------------------------------------------------------------------------

// Weights are 2^(score * factor - maximum * factor), scores being those of score_of().
struct score_rule {
    float factor, tangent; // tangent > 0: scores become tanh(score * tangent) first
};

GPU_DEVICE struct score_rule score_rule_of(const struct attention_gpu_args &args)
{
    const float scale = args.scale * args.k_scale;
    return args.softcap > 0 ? score_rule{args.softcap * LOG2_E, scale / args.softcap}
                            : score_rule{scale * LOG2_E, 0};
}

GPU_DEVICE float score_of(const struct score_rule &rule, float dot)
{
    // tanh(x) = 1 - 2 / (e^2x + 1), within 2e-7
    const float power = exp2_fast(dot * rule.tangent * (2 * LOG2_E));
    return fmaf(-2.0F, rcp_fast(power + 1.0F), 1.0F);
}

// What a state shrinks by when its maximum moves; 1 also while there is none.
GPU_DEVICE float shrink_of(float before, float now, float factor)
{
    return before == now ? 1.0F : exp2_fast((before - now) * factor);
}

// The lane's two rows: which keys they see (end > first; none for a pair that does not exist), and
// the running maximum.
struct pair_state {
    uint32_t first[2], end[2];
    float maximum[2];
};

GPU_DEVICE void start_pairs(const struct attention_gpu_args &args, const struct unit &unit,
                            uint32_t pair_first, struct pair_state &state)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint32_t pair = pair_first + threadIdx.x % 32 / 4 + half * 8;
        const uint32_t position = unit.item.position_first + pair / unit.heads;
        state.first[half] = key_first_of(args, position);
        state.end[half] = pair < unit.pairs ? position + 1 : 0;
        state.maximum[half] = -INFINITY;
    }
}

// Dot products to scores, -infinity where the row does not see the key; the highest of the lane's.
template <int BLOCKS>
GPU_DEVICE void mask_scores(float scores[BLOCKS][4], const struct pair_state &state,
                            const struct score_rule &rule, uint32_t token, float highest[2])
{
    if (rule.tangent > 0) {
#pragma unroll
        for (int i = 0; i < BLOCKS * 4; i++) {
            scores[i / 4][i % 4] = score_of(rule, scores[i / 4][i % 4]);
        }
    }
    const uint32_t end = token + BLOCKS * 8;
    if (token < state.first[0] || token < state.first[1] || end > state.end[0]
        || end > state.end[1]) {
#pragma unroll
        for (int i = 0; i < BLOCKS * 4; i++) {
            const int half = i / 2 % 2;
            const uint32_t key = token + i / 4 * 8 + threadIdx.x % 4 * 2 + i % 2;
            const bool sees = key >= state.first[half] && key < state.end[half];
            scores[i / 4][i % 4] = sees ? scores[i / 4][i % 4] : -INFINITY;
        }
    }
    highest[0] = highest[1] = -INFINITY;
#pragma unroll
    for (int i = 0; i < BLOCKS * 4; i++) {
        highest[i / 2 % 2] = fmaxf(highest[i / 2 % 2], scores[i / 4][i % 4]);
    }
}

// The highest of a row's four lanes, in all of them.
GPU_DEVICE float highest_of_row(float highest)
{
    highest = fmaxf(highest, __shfl_xor_sync(0xffffffffU, highest, 1));
    return fmaxf(highest, __shfl_xor_sync(0xffffffffU, highest, 2));
}

// Moves the maximum; returns what is to be shrunk by.
GPU_DEVICE float raise_maximum(float &maximum, float highest, const struct score_rule &rule)
{
    const float before = maximum;
    maximum = fmaxf(before, highest);
    return shrink_of(before, maximum, rule.factor);
}

// Scores of one row to weights: 0 for all while the row has not seen a key.
GPU_DEVICE float weight_of(float score, float base, const struct score_rule &rule)
{
    return exp2_fast(fmaf(score, rule.factor, -base));
}

GPU_DEVICE float weight_base(float maximum, const struct score_rule &rule)
{
    return maximum == -INFINITY ? 0.0F : maximum * rule.factor;
}

// ---- values ------------------------------------------------------------------------------------

// Accumulators of 16 dimensions: two n8 blocks. take_pair() knows which dimensions they are.
typedef float sixteen[2][4];

template <class T>
GPU_DEVICE uint32_t ones()
{
    return pack2<T>(1.0F, 1.0F);
}

// sums += weights, by a column of ones: the order of a row's sum is then that of its values.
template <class T>
GPU_DEVICE void add_weights(float sums[4], const uint32_t weights[4])
{
    const uint32_t column[2] = {ones<T>(), ones<T>()};
    mma_16x8x16<T>(sums, weights, column);
}

// out += weights[i] * values of the 64 keys, dimensions 16 block ...
template <class T, class KV, int DIM>
GPU_DEVICE void add_values(sixteen out, const uint32_t weights[4][4], const unsigned char *values,
                           uint32_t block)
{
    using rows = tile_rows<KV, DIM>;
    const uint32_t lane = threadIdx.x % 32;
    uint32_t words[4];
    if (sizeof(KV) == sizeof(T)) {
#pragma unroll
        for (int i = 0; i < 4; i++) { // (8, 8 keys) x 8 dimensions, the next 8 dimensions
            ldmatrix_x4_trans(words, values + rows::at(i * 16 + lane % 16, block * 2 + lane / 16));
            mma_16x8x16<T>(out[0], weights[i], words);
            mma_16x8x16<T>(out[1], weights[i], words + 2);
        }
    } else {
#pragma unroll
        for (int i = 0; i < 4; i += 2) { // 32 keys x 16 dimensions
            ldmatrix_x4_trans(words, values + rows::at(i * 16 + lane, block));
#pragma unroll
            for (int j = 0; j < 2; j++) {
                uint32_t even[2], odd[2]; // dimensions, of keys 8 k ...
#pragma unroll
                for (int k = 0; k < 2; k++) {
                    uint32_t keys[2]; // (even, odd) of a key and of the next
                    e4m3x4_to<T>(words[j * 2 + k], keys);
                    even[k] = (keys[0] & 0xffffU) | keys[1] << 16;
                    odd[k] = keys[0] >> 16 | (keys[1] & 0xffff0000U);
                }
                mma_16x8x16<T>(out[0], weights[i + j], even);
                mma_16x8x16<T>(out[1], weights[i + j], odd);
            }
        }
    }
}

// The i-th (0, 1) two neighbours of a half among a lane's accumulators; returns the first one's
// dimension.
template <class T, class KV>
GPU_DEVICE uint32_t take_pair(const sixteen from, uint32_t block, int half, int i, float out[2])
{
    const uint32_t lane = threadIdx.x % 4;
    if (sizeof(KV) == sizeof(T)) {
        out[0] = from[i][half * 2];
        out[1] = from[i][half * 2 + 1];
        return block * 16 + i * 8 + lane * 2;
    }
    out[0] = from[0][half * 2 + i];
    out[1] = from[1][half * 2 + i];
    return block * 16 + lane * 4 + i * 2;
}

// ---- splits ------------------------------------------------------------------------------------

// The maximum, sum and outputs of a later split join those of the ones before:
// x = x * before + later's x * later.
struct merge_weights {
    float before, later;
};

GPU_DEVICE struct merge_weights merge_maxima(float &maximum, float later,
                                             const struct score_rule &rule)
{
    const float before = maximum;
    maximum = fmaxf(before, later);
    return {shrink_of(before, maximum, rule.factor), shrink_of(later, maximum, rule.factor)};
}

GPU_DEVICE float merge(float before, float later, const struct merge_weights &weights)
{
    return fmaf(later, weights.later, before * weights.before);
}

// Unnormalised output to output. Adding zero leaves no -0, which tiles of masked keys would undo.
GPU_DEVICE float normalise(float value, float inverse_sum)
{
    return fmaf(value, inverse_sum, 0.0F);
}

template <class T>
GPU_DEVICE void store_pair(const struct attention_gpu_args &args, const struct unit &unit,
                           uint32_t pair, uint32_t dim, const float values[2])
{
    if (dim < args.shape.head_dim) {
        T *out = static_cast<T *>(args.out) + pair_row(unit, pair) * args.out_stride
                 + (size_t)pair_head(unit, pair) * args.shape.head_dim + dim;
        *reinterpret_cast<uint32_t *>(out) = pack2<T>(values[0], values[1]);
    }
}

// ---- launching ----------------------------------------------------------------------------------

// The one table of number formats and head dimensions: Launch<T, KV, DIM>::run for the shape.
template <template <class, class, int> class Launch, class T, class KV>
static enum status attention_launch_dim(const struct attention_gpu_args *args,
                                        struct gpu_stream *stream)
{
    switch (attention_plan_dim(args->shape.head_dim)) {
    case 64:
        return Launch<T, KV, 64>::run(args, stream);
    case 96:
        return Launch<T, KV, 96>::run(args, stream);
    case 128:
        return Launch<T, KV, 128>::run(args, stream);
    default:
        return Launch<T, KV, 256>::run(args, stream);
    }
}

template <template <class, class, int> class Launch>
static enum status attention_launch_shape(const struct attention_gpu_args *args,
                                          struct gpu_stream *stream)
{
    const bool is_e4m3 = args->shape.kv_dtype == DTYPE_E4M3;
    if (args->shape.dtype == DTYPE_BF16) {
        return is_e4m3 ? attention_launch_dim<Launch, bf16, e4m3>(args, stream)
                       : attention_launch_dim<Launch, bf16, bf16>(args, stream);
    }
    return is_e4m3 ? attention_launch_dim<Launch, f16, e4m3>(args, stream)
                   : attention_launch_dim<Launch, f16, f16>(args, stream);
}
