// attention_prefill_wgmma.cu - prompts on sm_90a, head_dim 128, keys and values of T. Two
// warpgroups of 64 pairs each, the halves of an item, share the keys; one warp of a third keeps
// rings of tiles of keys and values full by tensor copies: a pool is a matrix of rows, 16 tokens of
// a page a box.
//
// Bound: a tile takes a warpgroup 512 cycles of the tensor cores (scores and values, 64 x 64 x 128
// each, at 4,096 FLOP a cycle), some 32 for the sums and about 300 of exp2 and fma (4,096 weights
// at 16 a cycle). The warpgroups take turns in issuing (named barriers), so that one's weights are
// computed while the other multiplies; besides, a tile's scores are issued together with the values
// of the tile before. Queries and weights are operand A in registers: shared memory moves 64 bytes
// a cycle for B and 32 of copies, of 128. 160 KiB of it, hence one block a multiprocessor.
//
// The same k16 steps in the same order as in attention_prefill.cu. Keys beyond the unit's are
// masked whatever they are; values beyond would turn 0 * NaN into NaN and are cleared.
#include "kernels/attention/attention_kernels.h"
#include "kernels/attention/attention_prefill.cuh"

enum {
    DIM = 128,
    STEPS = DIM / 16,
    STAGES = 3,
    GROUPS = 2,
    GROUP_WARPS = THREADS / 32,
    COLUMNS = 64,                    // of T in the 128 bytes that are swizzled
    HALF_BYTES = TILE * COLUMNS * 2, // 64 keys, one half of their dimensions
    TILE_BYTES = HALF_BYTES * 2,
    GRANULE_BYTES = GRANULE * COLUMNS * 2,
    BLOCK_THREADS = THREADS * (GROUPS + 1),
    TURN = 1, // named barriers: TURN + group
};

struct wgmma_args {
    struct gpu_tensor_map keys, values;
    struct attention_gpu_args plain;
};

struct wgmma_shared {
    unsigned char keys[STAGES][TILE_BYTES], values[STAGES][TILE_BYTES];
    float totals[GROUPS][STEPS * 8][THREADS];
    struct barrier keys_full[STAGES], keys_empty[STAGES], values_full[STAGES], values_empty[STAGES];
    struct barrier border; // values that have to be cleared in part have come
};

#if GPU_HAS_WGMMA

// ---- device: units, stages ----------------------------------------------------------------------

// Items are sorted by length: every other wave goes backward, so that blocks get equal shares.
GPU_DEVICE uint32_t index_of(uint32_t wave)
{
    return wave * gridDim.x + (wave % 2 == 0 ? blockIdx.x : gridDim.x - 1 - blockIdx.x);
}

GPU_DEVICE uint32_t count_units(const struct attention_gpu_args &args)
{
    const struct gpu_counts *counts = args.batch.counts;
    return (counts->attention_item_count - counts->attention_decode_count)
           * args.shape.kv_head_count;
}

struct place { // in a ring
    uint32_t stage, parity;
};

GPU_DEVICE void advance(struct place &place)
{
    if (++place.stage == STAGES) {
        place.stage = 0;
        place.parity ^= 1;
    }
}

// ---- device: the copies -------------------------------------------------------------------------

// Lanes 0 to 7 copy a granule's half each, those of tokens that exist.
GPU_DEVICE void copy_tile(unsigned char *to, const struct gpu_tensor_map *pool, uint32_t row,
                          bool has_granule, struct barrier *full)
{
    const uint32_t lane = threadIdx.x % 32, half = lane % 2, granule = lane / 2;
    const bool copies = lane < 8 && has_granule;
    const uint32_t count = (uint32_t)__popc(__ballot_sync(0xffffffffU, copies));
    if (lane == 0) {
        barrier_arrive_expect(full, count * GRANULE_BYTES);
    }
    __syncwarp();
    if (copies) {
        tensor_copy_2d(to + half * HALF_BYTES + granule * GRANULE_BYTES, pool, half * COLUMNS, row,
                       full);
    }
}

GPU_DEVICE void clear_outside(unsigned char *values, const struct key_range &keys, uint32_t token)
{
    for (uint32_t i = threadIdx.x % 32; i < TILE * 16; i += 32) {
        const uint32_t row = i / 16, chunk = i % 16;
        if (token + row < keys.first || token + row >= keys.end) {
            *reinterpret_cast<uint4 *>(values + chunk / 8 * HALF_BYTES + row * 128
                                       + chunk % 8 * 16) = make_uint4(0, 0, 0, 0);
        }
    }
    fence_async_shared();
    __syncwarp();
}

GPU_DEVICE void produce_tile(const struct wgmma_args &args, struct wgmma_shared *shared,
                             const struct unit &unit, const struct key_range &keys, uint32_t token,
                             const struct place &place, uint32_t &border_parity)
{
    const struct attention_gpu_shape &shape = args.plain.shape;
    const uint32_t stage = place.stage, at = token + threadIdx.x % 32 / 2 % 4 * GRANULE;
    const bool has_granule = at < keys.end && at + GRANULE > keys.first;
    uint32_t row = 0;
    if (has_granule) {
        const uint32_t page =
            args.plain.batch.pages[(size_t)unit.item.page_first + at / shape.page_tokens];
        row = (page * shape.kv_head_count + unit.kv_head) * shape.page_tokens
              + at % shape.page_tokens;
    }
    barrier_wait(&shared->keys_empty[stage], place.parity);
    copy_tile(shared->keys[stage], &args.keys, row, has_granule, &shared->keys_full[stage]);
    barrier_wait(&shared->values_empty[stage], place.parity);
    if (token >= keys.first && token + TILE <= keys.end) {
        copy_tile(shared->values[stage], &args.values, row, has_granule,
                  &shared->values_full[stage]);
    } else {
        copy_tile(shared->values[stage], &args.values, row, has_granule, &shared->border);
        barrier_wait(&shared->border, border_parity);
        border_parity ^= 1;
        clear_outside(shared->values[stage], keys, token);
        if (threadIdx.x % 32 == 0) {
            barrier_arrive(&shared->values_full[stage]);
        }
    }
}

GPU_DEVICE void produce(const struct wgmma_args &args, struct wgmma_shared *shared)
{
    const uint32_t unit_count = count_units(args.plain);
    struct place place = {0, 1}; // a new barrier passes for the phase before its first
    uint32_t border_parity = 0;
    for (uint32_t wave = 0; wave * gridDim.x < unit_count; wave++) {
        if (index_of(wave) < unit_count) {
            const struct unit unit = prefill_unit(args.plain, index_of(wave));
            const struct key_range keys = keys_of(args.plain, unit);
            for (uint32_t token = keys.first - keys.first % TILE; token < keys.end; token += TILE) {
                produce_tile(args, shared, unit, keys, token, place, border_parity);
                advance(place);
            }
        }
    }
    dependency_release();
}

// ---- device: the products -----------------------------------------------------------------------

// A fragments of the warp's 16 pairs, from global memory: once a unit.
template <class T>
GPU_DEVICE void load_fragments(const struct attention_gpu_args &args, const struct unit &unit,
                               uint32_t queries[STEPS][4])
{
    const uint32_t lane = threadIdx.x % 32;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint32_t pair = threadIdx.x % THREADS / 32 * 16 + lane / 4 + half * 8;
        const T *head = static_cast<const T *>(args.q) + lane % 4 * 2;
        if (pair < unit.pairs) {
            head += pair_row(unit, pair) * args.q_stride + (size_t)pair_head(unit, pair) * DIM;
        }
#pragma unroll
        for (int i = 0; i < STEPS * 2; i++) {
            queries[i / 2][i % 2 * 2 + half] =
                pair < unit.pairs ? *reinterpret_cast<const uint32_t *>(head + i * 8) : 0;
        }
    }
}

// scores = queries * keys: 64 x 64, a group of its own.
template <class T>
GPU_DEVICE void issue_scores(float scores[8][4], const uint32_t queries[STEPS][4],
                             const unsigned char *keys)
{
    wgmma_fence();
#pragma unroll
    for (int i = 0; i < STEPS; i++) {
        const uint64_t b = wgmma_descriptor(keys + i / 4 * HALF_BYTES + i % 4 * 32, 16, 1024, 128);
        wgmma_rs<T, TILE>(&scores[0][0], queries[i], b, i > 0);
    }
    wgmma_commit();
}

// outs += weights * values: 64 x 128, a group of its own.
template <class T>
GPU_DEVICE void issue_values(sixteen outs[STEPS], const uint32_t weights[4][4],
                             const unsigned char *values)
{
    wgmma_fence();
#pragma unroll
    for (int i = 0; i < TILE / 16; i++) {
        const uint64_t b = wgmma_descriptor(values + i * GRANULE_BYTES, HALF_BYTES, 1024, 128);
        wgmma_rs_transposed<T, DIM>(&outs[0][0][0], weights[i], b, true);
    }
    wgmma_commit();
}

GPU_DEVICE void take_turn(uint32_t group)
{
    named_barrier_sync(TURN + group, GROUPS * THREADS);
}

GPU_DEVICE void give_turn(uint32_t group)
{
    named_barrier_arrive(TURN + (group ^ 1), GROUPS * THREADS);
}

GPU_DEVICE void give_back(struct barrier *empty)
{
    if (threadIdx.x % 32 == 0) {
        barrier_arrive(empty);
    }
}

// One split: tiles from token to end. The values of a tile are multiplied while the scores of the
// next become weights. keys is the place in the rings.
template <class T>
GPU_DEVICE void walk_split(struct wgmma_shared *shared, const struct score_rule &rule,
                           const uint32_t queries[STEPS][4], uint32_t token, uint32_t end,
                           struct place &keys, struct walk<STEPS> &walk)
{
    const uint32_t group = threadIdx.x / THREADS;
    struct place values = keys;
    uint32_t weights[4][4];
    float scores[8][4], shrinks[2];
    barrier_wait(&shared->keys_full[keys.stage], keys.parity);
    take_turn(group);
    issue_scores<T>(scores, queries, shared->keys[keys.stage]);
    give_turn(group);
    wgmma_wait<0>();
    give_back(&shared->keys_empty[keys.stage]);
    weigh(scores, rule, token, walk, shrinks);
    pack_weights<STEPS, T>(scores, shrinks, walk, weights);
    sum_weights<STEPS, T>(walk, weights);
    advance(keys);
    for (token += TILE; token < end; token += TILE) {
        barrier_wait(&shared->keys_full[keys.stage], keys.parity);
        barrier_wait(&shared->values_full[values.stage], values.parity);
        take_turn(group);
        issue_scores<T>(scores, queries, shared->keys[keys.stage]);
        issue_values<T>(walk.outs, weights, shared->values[values.stage]);
        give_turn(group);
        wgmma_wait<1>();
        give_back(&shared->keys_empty[keys.stage]);
        weigh(scores, rule, token, walk, shrinks);
        wgmma_wait<0>();
        give_back(&shared->values_empty[values.stage]);
        shrink_outs(walk, shrinks);
        pack_weights<STEPS, T>(scores, shrinks, walk, weights);
        sum_weights<STEPS, T>(walk, weights);
        advance(keys);
        advance(values);
    }
    barrier_wait(&shared->values_full[values.stage], values.parity);
    issue_values<T>(walk.outs, weights, shared->values[values.stage]);
    wgmma_wait<0>();
    give_back(&shared->values_empty[values.stage]);
}

template <class T>
GPU_DEVICE void consume_unit(const struct attention_gpu_args &args, const struct score_rule &rule,
                             uint32_t index, struct wgmma_shared *shared, struct place &place)
{
    const uint32_t group = threadIdx.x / THREADS;
    const struct unit whole = prefill_unit(args, index);
    const struct key_range keys = keys_of(args, whole);
    uint32_t queries[STEPS][4];
    struct walk<STEPS> walk;
    load_fragments<T>(args, half_of(whole, group), queries);
    start_walk(args, half_of(whole, group), walk);
    uint32_t token = keys.first - keys.first % TILE;
    while (token < keys.end) {
        const uint32_t split_end = (token / SPLIT + 1) * SPLIT;
        const uint32_t end = split_end < keys.end ? split_end : keys.end;
        walk_split<T>(shared, rule, queries, token, end, place, walk);
        token = split_end;
        if (token < keys.end) {
            end_split(walk, rule, shared->totals[group]);
        }
    }
    join_totals(walk, rule, shared->totals[group]);
    store_outs<T, T>(args, half_of(prefill_unit(args, index), group), walk);
}

template <class T>
GPU_DEVICE void consume(const struct attention_gpu_args &args, struct wgmma_shared *shared)
{
    const uint32_t unit_count = count_units(args), group = threadIdx.x / THREADS;
    const struct score_rule rule = score_rule_of(args);
    struct place place = {0, 0};
    if (group == 1) {
        give_turn(group); // the other one's is first
    }
    for (uint32_t wave = 0; wave * gridDim.x < unit_count; wave++) {
        if (index_of(wave) < unit_count) {
            consume_unit<T>(args, rule, index_of(wave), shared, place);
        }
    }
    if (group == 0) {
        take_turn(group); // the last one given
    }
}
#endif

template <class T>
static __global__ void __launch_bounds__(BLOCK_THREADS, 1)
    attention_prefill_wgmma_kernel(const __grid_constant__ struct wgmma_args args)
{
#if GPU_HAS_WGMMA
    GPU_SHARED(struct wgmma_shared, shared);
    if (threadIdx.x == 0) {
        for (uint32_t i = 0; i < STAGES; i++) {
            barrier_init(&shared->keys_full[i], 1);
            barrier_init(&shared->values_full[i], 1);
            barrier_init(&shared->keys_empty[i], GROUPS * GROUP_WARPS);
            barrier_init(&shared->values_empty[i], GROUPS * GROUP_WARPS);
        }
        barrier_init(&shared->border, 1);
        barrier_init_fence();
    }
    __syncthreads();
    dependency_wait();
    if (threadIdx.x >= GROUPS * THREADS) {
        registers_lower<40>();
        if (threadIdx.x < GROUPS * THREADS + 32) {
            produce(args, shared);
        }
    } else {
        registers_raise<232>();
        consume<T>(args.plain, shared);
    }
#endif
}

// ---- launcher -----------------------------------------------------------------------------------

extern "C" bool attention_prefill_has_wgmma(const struct attention_gpu_shape *shape)
{
    return shape->has_wgmma && shape->head_dim == DIM && shape->kv_dtype == shape->dtype;
}

// Nothing of a pool's size is known here: rows beyond are not asked for.
static enum status describe(struct gpu_tensor_map *out, const void *pages)
{
    return gpu_tensor_map_2d(out, pages, INT32_MAX, DIM, DIM * 2, GRANULE, COLUMNS, 2, 128);
}

extern "C" enum status attention_prefill_wgmma_launch(const struct attention_gpu_args *args,
                                                      struct gpu_stream *stream)
{
    struct wgmma_args all = {};
    all.plain = *args;
    enum status status = describe(&all.keys, args->k_pages);
    if (status == STATUS_OK) {
        status = describe(&all.values, args->v_pages);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const struct gpu_launch_shape shape = {args->shape.multiprocessors, 1, 1, BLOCK_THREADS,
                                           sizeof(struct wgmma_shared)};
    return gpu_launch(args->shape.dtype == DTYPE_BF16 ? attention_prefill_wgmma_kernel<struct bf16>
                                                      : attention_prefill_wgmma_kernel<struct f16>,
                      "attention_prefill_wgmma", shape, stream, all);
}
