// sample_scan.cu - the two passes over all logits, a block for each 2,048 (then 8,192: most rows
// have nothing to do there) tokens of a row, and the launcher. Memory bound: the scan reads 4 bytes
// a token and writes 4 for every 16 where tokens may have to be gathered (rows with bias or
// penalties also write what they make of the logits); the second pass reads 4 bytes a token of the
// rows that need the sum of all weights.
//
// Bias and penalties cost no pass of their own: a block looks through the row's list for the tokens
// that are in its chunk and counts them in shared memory.
#include "kernels/sample/sample_device.cuh"

// ---- device ------------------------------------------------------------------------------------

struct scan_shared {
    uint32_t words[SAMPLE_CHUNK]; // logits, then counts
    float values[4];
    float sums[4];
    struct best bests[4];
    double weights[SAMPLE_WEIGH_CHUNKS * 4]; // of a warp
};
static_assert(SAMPLE_SCAN_THREADS == 4 * 32, "four warps");

enum { TOKENS_AT_ONCE = 8, NO_TOKEN = 0x7fffffff };

// The token that value i of this thread belongs to, counted from the chunk's first.
SAMPLE_DEVICE uint32_t offset_of(uint32_t i)
{
    return i / 4 * (SAMPLE_SCAN_THREADS * 4) + threadIdx.x % SAMPLE_SCAN_THREADS * 4 + i % 4;
}

SAMPLE_DEVICE void load_chunk(const float *logits, uint32_t first, uint32_t count, float *x)
{
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i += 4) {
        const uint32_t id = first + offset_of(i);
        uint4 four = make_uint4(0, 0, 0, 0);
        if (id < count) {
            four = load_streaming_16(logits + id);
        }
        const uint32_t words[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
        for (uint32_t j = 0; j < 4; j++) {
            x[i + j] = id + j < count ? finite_or_never(float_of(words[j])) : -INFINITY;
        }
    }
}

SAMPLE_DEVICE float highest_of(const float *x)
{
    float highest = -INFINITY;
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i++) {
        highest = fmaxf(highest, x[i]);
    }
    return highest;
}

// Highest and sum of exponentials of the logits as they came.
SAMPLE_DEVICE void scan_raw(const float *x, struct scan_shared *shared,
                            struct sample_gpu_chunk *chunk)
{
    const uint32_t warp = threadIdx.x / 32;
    const float own = highest_of_warp(highest_of(x));
    shared->values[warp] = own;
    __syncthreads();
    const float highest = fmaxf(fmaxf(shared->values[0], shared->values[1]),
                                fmaxf(shared->values[2], shared->values[3]));
    float sum = 0.0F;
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i++) {
        sum += highest > -INFINITY ? exp_fast(x[i] - highest) : 0.0F;
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        sum += __shfl_xor_sync(SAMPLE_WARP, sum, lanes);
    }
    shared->sums[warp] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        chunk->raw_highest = highest;
        chunk->raw_sum = (shared->sums[0] + shared->sums[1]) + (shared->sums[2] + shared->sums[3]);
    }
}

// Entries of one id are added in their order by the thread that has the first of them.
SAMPLE_DEVICE void add_bias(const struct sample_bias *bias, uint32_t bias_count, uint32_t first,
                            struct scan_shared *shared, float *x)
{
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i++) {
        shared->words[offset_of(i)] = bits_of(x[i]);
    }
    __syncthreads();
    for (uint32_t b = threadIdx.x; b < bias_count; b += SAMPLE_SCAN_THREADS) {
        const uint32_t id = bias[b].id;
        if (id - first >= SAMPLE_CHUNK) {
            continue;
        }
        uint32_t j = 0;
        while (bias[j].id != id) {
            j++;
        }
        if (j < b) {
            continue;
        }
        float logit = float_of(shared->words[id - first]);
        for (; j < bias_count; j++) {
            logit += bias[j].id == id ? bias[j].value : 0.0F;
        }
        shared->words[id - first] = bits_of(logit);
    }
    __syncthreads();
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i++) {
        x[i] = finite_or_never(float_of(shared->words[offset_of(i)]));
    }
    __syncthreads();
}

SAMPLE_DEVICE float penalise(const struct sample_gpu_row &row, float logit, uint32_t mark)
{
    if (mark == 0) {
        return logit;
    }
    const uint32_t in_output = mark / 2;
    const float r = row.repetition_penalty;
    float out = logit > 0.0F ? logit / r : product(logit, r);
    out -= product(row.frequency_penalty, (float)in_output);
    out -= in_output > 0 ? row.presence_penalty : 0.0F;
    return finite_or_never(out);
}

// A mark is 2 for each time in the output, and 1 (or more) if in the prompt.
SAMPLE_DEVICE void add_penalties(const struct sample_gpu_args &args,
                                 const struct sample_gpu_row &row, uint32_t first,
                                 struct scan_shared *shared, float *x)
{
    for (uint32_t i = threadIdx.x; i < SAMPLE_CHUNK; i += SAMPLE_SCAN_THREADS) {
        shared->words[i] = 0;
    }
    __syncthreads();
    const uint32_t *tokens = args.tokens + row.token_first;
    const uint32_t stride = SAMPLE_SCAN_THREADS;
    for (uint32_t i = threadIdx.x; i < row.token_count; i += TOKENS_AT_ONCE * stride) {
        uint32_t ids[TOKENS_AT_ONCE];
#pragma unroll
        for (uint32_t j = 0; j < TOKENS_AT_ONCE; j++) {
            ids[j] = NO_TOKEN;
            if (i + j * stride < row.token_count) {
                ids[j] = tokens[i + j * stride];
            }
        }
#pragma unroll
        for (uint32_t j = 0; j < TOKENS_AT_ONCE; j++) {
            if (ids[j] >> SAMPLE_GPU_SAMPLED_BIT != 0) {
                ids[j] = args.sampled[ids[j] & 0x7fffffffU];
            }
            if (ids[j] - first < SAMPLE_CHUNK && i + j * stride >= row.prompt_count) {
                atomicAdd(&shared->words[ids[j] - first], 2U);
            } else if (ids[j] - first < SAMPLE_CHUNK) {
                atomicMax(&shared->words[ids[j] - first], 1U);
            }
        }
    }
    __syncthreads();
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i++) {
        x[i] = penalise(row, x[i], shared->words[offset_of(i)]);
    }
}

SAMPLE_DEVICE void store_chunk(float *out, const float *x)
{
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i += 4) {
        *reinterpret_cast<float4 *>(out + offset_of(i)) =
            make_float4(x[i], x[i + 1], x[i + 2], x[i + 3]);
    }
}

SAMPLE_DEVICE void scan_adjusted(const float *x, uint32_t first, struct scan_shared *shared,
                                 struct sample_gpu_chunk *chunk)
{
    struct best best = {-INFINITY, first};
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i++) {
        if (x[i] > best.value) {
            best.value = x[i];
            best.id = first + offset_of(i);
        }
    }
    best = best_of_warp(best);
    shared->bests[threadIdx.x / 32] = best;
    __syncthreads();
    if (threadIdx.x == 0) {
        best = better(better(shared->bests[0], shared->bests[1]),
                      better(shared->bests[2], shared->bests[3]));
        chunk->highest = best.value;
        chunk->highest_id = best.id;
    }
}

static __global__ void __launch_bounds__(SAMPLE_SCAN_THREADS)
    sample_scan(const struct sample_kernel_args k)
{
    GPU_SHARED(struct scan_shared, shared);
    dependency_wait();
    dependency_release();
    const uint32_t r = blockIdx.y, count = k.args.vocabulary_count;
    if (r >= k.args.batch.counts->logit_row_count) {
        return;
    }
    const uint32_t first = blockIdx.x * SAMPLE_CHUNK;
    float x[SAMPLE_GROUP];
    load_chunk(k.args.logits + r * k.args.stride, first, count, x);
    const struct sample_gpu_row &row = k.args.rows[r];
    const struct sample_choices choices = choices_of(&row, count);
    const struct sample_place place = place_of(k, r);
    const uint32_t group = blockIdx.x * SAMPLE_SCAN_THREADS + threadIdx.x;
    struct sample_gpu_chunk *chunk = &place.chunks[blockIdx.x];

    if (row.wants_logprob != 0 || row.top_logprobs_count > 0) {
        scan_raw(x, shared, chunk);
    }
    if (row.top_logprobs_count > 0) {
        place.raw_groups[group] = highest_of(x);
    }
    if (row.bias_count > 0) {
        add_bias(k.args.bias + row.bias_first, row.bias_count, first, shared, x);
    }
    if (has_penalty(&row)) {
        add_penalties(k.args, row, first, shared, x);
    }
    if (choices.is_adjusted && !choices.is_greedy) {
        store_chunk(place.adjusted + first, x);
    }
    if (!choices.is_greedy) {
        place.groups[group] = highest_of(x);
    }
    scan_adjusted(x, first, shared, chunk);
}

// The sums of the weights of four chunks' tokens, for rows whose cut or draw needs the total.
static __global__ void __launch_bounds__(SAMPLE_WEIGH_CHUNKS *SAMPLE_SCAN_THREADS)
    sample_weigh(const struct sample_kernel_args k)
{
    GPU_SHARED(struct scan_shared, shared);
    dependency_wait();
    dependency_release();
    const uint32_t r = blockIdx.y, count = k.args.vocabulary_count;
    if (r >= k.args.batch.counts->logit_row_count) {
        return;
    }
    const struct sample_gpu_row &row = k.args.rows[r];
    const struct sample_choices choices = choices_of(&row, count);
    if (!choices.needs_total) {
        return;
    }
    const struct sample_place place = place_of(k, r);
    const uint32_t chunk = blockIdx.x * SAMPLE_WEIGH_CHUNKS + threadIdx.x / SAMPLE_SCAN_THREADS;
    float x[SAMPLE_GROUP];
    load_chunk(choices.is_adjusted ? place.adjusted : k.args.logits + r * k.args.stride,
               chunk * SAMPLE_CHUNK, count, x);
    const float highest = best_of_chunks(place.chunks, k.plan.chunk_count).value;
    if (highest == -INFINITY) {
        return;
    }
    const struct weigher weigher = {highest, 1.0F / row.temperature};
    double sum = 0;
#pragma unroll
    for (uint32_t i = 0; i < SAMPLE_GROUP; i++) {
        sum += (double)weight_of(weigher, x[i]);
    }
    const uint32_t warp = threadIdx.x / 32;
    shared->weights[warp] = add_over_warp(sum);
    __syncthreads();
    if (threadIdx.x % SAMPLE_SCAN_THREADS == 0 && chunk < k.plan.chunk_count) {
        place.chunks[chunk].weight_sum = (shared->weights[warp] + shared->weights[warp + 1])
                                         + (shared->weights[warp + 2] + shared->weights[warp + 3]);
    }
}

// ---- launcher ----------------------------------------------------------------------------------

extern "C" size_t sample_gpu_workspace_bytes(uint32_t row_count, uint32_t vocabulary_count)
{
    return row_count * sample_choose_plan(vocabulary_count).row_bytes;
}

static bool is_valid(const struct sample_gpu_args *args)
{
    return args->vocabulary_count > 0 && args->vocabulary_count <= LIMIT_VOCABULARY
           && args->stride % 4 == 0 && args->stride >= args->vocabulary_count
           && args->row_count <= 65535 && (uintptr_t)args->logits % 16 == 0
           && (uintptr_t)args->workspace % 256 == 0;
}

extern "C" enum status sample_gpu_launch(const struct sample_gpu_args *args,
                                         struct gpu_stream *stream)
{
    if (!is_valid(args)) {
        return STATUS_INVALID;
    }
    if (args->row_count == 0) {
        return STATUS_OK;
    }
    const struct sample_kernel_args k = {*args, sample_choose_plan(args->vocabulary_count)};
    struct gpu_launch_shape shape = {k.plan.chunk_count, args->row_count, 1, SAMPLE_SCAN_THREADS,
                                     sizeof(struct scan_shared)};
    enum status status = gpu_launch(sample_scan, "sample_scan", shape, stream, k);
    shape.grid_x = (k.plan.chunk_count + SAMPLE_WEIGH_CHUNKS - 1) / SAMPLE_WEIGH_CHUNKS;
    shape.block_threads = SAMPLE_WEIGH_CHUNKS * SAMPLE_SCAN_THREADS;
    if (status == STATUS_OK) {
        status = gpu_launch(sample_weigh, "sample_weigh", shape, stream, k);
    }
    return status == STATUS_OK ? sample_pick_launch(&k, stream) : status;
}
