// sample_pick.cu - one block a row: from what the scan left to an id. A row with cuts gathers the
// tokens that can survive them: the highest logit of every 16 tokens gives a bound that the last
// token to be kept reaches (if k of these are above it, so are k tokens; if theirs alone weigh
// enough, so do all above it), then only the sixteens that reach it are read. The few gathered are
// sorted, cut, and laid out by id for the draw. Where they do not fit, the cut is found by eight
// passes over the vocabulary, each settling four bits of the last kept token's key.
//
// Latency bound: for 128k tokens 32 KiB of maxima are read five times from L1 or L2; all sums are
// doubles, each thread its own tokens in order, then a tree.
#include "kernels/sample/sample_device.cuh"

// ---- device: a block ---------------------------------------------------------------------------

enum { WARPS_MAX = 16, EVERY = 0xffffffff, GROUP_SHIFT = 12 /* bits that a bound may leave out */ };

struct pick_shared {
    double digits[SAMPLE_DIGITS];
    double warps[WARPS_MAX];
    double base; // weight of all chunks before the one drawn from
    uint32_t tally;
    uint32_t tops[LIMIT_TOP_LOGPROBS];
};
// Behind it: bins of find_cut, [SAMPLE_DIGITS][threads]; in turn with candidates: key << 32 | ~id.
enum { PICK_HEAD_BYTES = 512 };
static_assert(sizeof(struct pick_shared) <= PICK_HEAD_BYTES, "the bins come after it");

struct pick {
    struct pick_shared *shared;
    double *bins;
    uint64_t *candidates;
    uint32_t candidates_max;
    uint32_t count; // of the vocabulary
    struct weigher weigher;
};

// The sum over the threads before this one, and over all.
SAMPLE_DEVICE double add_before(const struct pick &pick, double own, double *total)
{
    double inclusive = own;
    const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (uint32_t lanes = 1; lanes < 32; lanes *= 2) {
        const double other = __shfl_up_sync(SAMPLE_WARP, inclusive, lanes);
        inclusive += lane >= lanes ? other : 0.0;
    }
    __syncthreads();
    if (lane == 31) {
        pick.shared->warps[warp] = inclusive;
    }
    __syncthreads();
    double before = 0, sum = 0;
    for (uint32_t w = 0; w < blockDim.x / 32; w++) {
        before = w == warp ? sum : before;
        sum += pick.shared->warps[w];
    }
    *total = sum;
    return before + (inclusive - own);
}

SAMPLE_DEVICE uint32_t count_over_block(const struct pick &pick, uint32_t own)
{
    __syncthreads();
    if (threadIdx.x == 0) {
        pick.shared->tally = 0;
    }
    __syncthreads();
    if (own > 0) {
        atomicAdd(&pick.shared->tally, own);
    }
    __syncthreads();
    return pick.shared->tally;
}

SAMPLE_DEVICE uint32_t lowest_of_block(const struct pick &pick, uint32_t own)
{
    __syncthreads();
    if (threadIdx.x == 0) {
        pick.shared->tally = EVERY;
    }
    __syncthreads();
    if (own != EVERY) {
        atomicMin(&pick.shared->tally, own);
    }
    __syncthreads();
    return pick.shared->tally;
}

// Four values at index i; what lies at count and after is never.
SAMPLE_DEVICE void load_four(const float *values, uint32_t i, uint32_t count, float *x)
{
    const float4 four = *reinterpret_cast<const float4 *>(values + i);
    x[0] = finite_or_never(four.x);
    x[1] = i + 1 < count ? finite_or_never(four.y) : -INFINITY;
    x[2] = i + 2 < count ? finite_or_never(four.z) : -INFINITY;
    x[3] = i + 3 < count ? finite_or_never(four.w) : -INFINITY;
}

// ---- device: where a prefix ends ---------------------------------------------------------------

enum measure { MEASURE_COUNT, MEASURE_WEIGHT };

// The key at which the values in falling order come to the target, and how much lies above it. Bits
// below last_shift stay 0. Key 0: there is not as much.
static __device__ uint32_t find_cut(const struct pick &pick, const float *values, uint32_t count,
                                    enum measure measure, double target, int last_shift,
                                    double *above)
{
    const uint32_t threads = blockDim.x, lane = threadIdx.x % 32;
    uint32_t key = 0;
    double sum = 0;
    for (int shift = 28; shift >= last_shift; shift -= 4) {
        __syncthreads();
        for (uint32_t d = 0; d < SAMPLE_DIGITS; d++) {
            pick.bins[d * threads + threadIdx.x] = 0;
        }
        for (uint32_t i = threadIdx.x * 4; i < count; i += threads * 4) {
            float x[4];
            load_four(values, i, count, x);
            for (uint32_t j = 0; j < 4; j++) {
                const uint64_t own = key_of(x[j]);
                if (x[j] > -INFINITY && own >> (shift + 4) == (uint64_t)key >> (shift + 4)) {
                    pick.bins[(own >> shift & 15) * threads + threadIdx.x] +=
                        measure == MEASURE_COUNT ? 1.0 : (double)weight_of(pick.weigher, x[j]);
                }
            }
        }
        __syncthreads();
        for (uint32_t d = threadIdx.x / 32; d < SAMPLE_DIGITS; d += threads / 32) {
            double digit = 0;
            for (uint32_t i = lane; i < threads; i += 32) {
                digit += pick.bins[d * threads + i];
            }
            digit = add_over_warp(digit);
            if (lane == 0) {
                pick.shared->digits[d] = digit;
            }
        }
        __syncthreads();
        uint32_t d = SAMPLE_DIGITS - 1;
        while (d > 0 && sum + pick.shared->digits[d] < target) {
            sum += pick.shared->digits[d--];
        }
        key |= d << shift;
    }
    *above = sum;
    return key;
}

// ---- device: candidates ------------------------------------------------------------------------

// All tokens whose key is at least least, in no order; more than candidates_max: only so many are
// there. groups: the highest of every sixteen values.
static __device__ uint32_t gather(const struct pick &pick, const float *values, const float *groups,
                                  uint32_t group_count, uint32_t least)
{
    __syncthreads();
    if (threadIdx.x == 0) {
        pick.shared->tally = 0;
    }
    __syncthreads();
    bool fits = true;
    for (uint32_t g = threadIdx.x; fits && g < group_count; g += blockDim.x) {
        if (!is_finite(groups[g]) || key_of(groups[g]) < least) {
            continue;
        }
        const uint32_t first = g / SAMPLE_SCAN_THREADS * SAMPLE_CHUNK + g % SAMPLE_SCAN_THREADS * 4;
        float x[SAMPLE_GROUP]; // all are read before one is looked at
#pragma unroll
        for (uint32_t i = 0; i < SAMPLE_GROUP; i += 4) {
            const uint32_t id = first + i * SAMPLE_SCAN_THREADS;
            x[i] = x[i + 1] = x[i + 2] = x[i + 3] = -INFINITY;
            if (id < pick.count) {
                load_four(values, id, pick.count, x + i);
            }
        }
#pragma unroll
        for (uint32_t i = 0; i < SAMPLE_GROUP; i++) {
            if (fits && x[i] > -INFINITY && key_of(x[i]) >= least) {
                const uint32_t id = first + i / 4 * 4 * SAMPLE_SCAN_THREADS + i % 4;
                const uint32_t at = atomicAdd(&pick.shared->tally, 1U);
                fits = at < pick.candidates_max;
                if (fits) {
                    pick.candidates[at] = (uint64_t)key_of(x[i]) << 32 | (uint32_t)~id;
                }
            }
        }
    }
    __syncthreads();
    return pick.shared->tally;
}

// Falling, by a bitonic network.
static __device__ void sort(const struct pick &pick, uint32_t count)
{
    uint64_t *all = pick.candidates;
    uint32_t size = 2;
    while (size < count) {
        size *= 2;
    }
    for (uint32_t i = count + threadIdx.x; i < size; i += blockDim.x) {
        all[i] = 0;
    }
    for (uint32_t span = 2; span <= size; span *= 2) {
        for (uint32_t step = span / 2; step > 0; step /= 2) {
            __syncthreads();
            for (uint32_t i = threadIdx.x; i < size / 2; i += blockDim.x) {
                const uint32_t low = 2 * i - (i & (step - 1)), high = low + step;
                const uint64_t a = all[low], b = all[high];
                if ((a < b) == ((low & span) == 0)) {
                    all[low] = b;
                    all[high] = a;
                }
            }
        }
    }
    __syncthreads();
}

// A thread's share of the candidates.
struct share {
    uint32_t first, end;
};

SAMPLE_DEVICE struct share share_of(uint32_t count)
{
    const uint32_t each = (count + blockDim.x - 1) / blockDim.x;
    const uint32_t first = threadIdx.x * each < count ? threadIdx.x * each : count;
    return {first, first + each < count ? first + each : count};
}

SAMPLE_DEVICE double weight_of_share(const struct pick &pick, struct share share, uint32_t shift)
{
    double sum = 0;
    for (uint32_t i = share.first; i < share.end; i++) {
        const float logit = value_of_key((uint32_t)(pick.candidates[i] >> shift));
        sum += (double)weight_of(pick.weigher, logit);
    }
    return sum;
}

// How many of the sorted candidates may be drawn, at least one.
SAMPLE_DEVICE uint32_t cut_candidates(const struct pick &pick, const struct sample_gpu_row &row,
                                      struct sample_choices choices, double total, uint32_t count)
{
    uint32_t kept = choices.has_top_k && row.top_k < count ? row.top_k : count;
    if (choices.has_top_p) {
        const struct share share = share_of(kept);
        double sum;
        double before = add_before(pick, weight_of_share(pick, share, 32), &sum);
        const double target = (double)row.top_p * (choices.has_top_k ? sum : total);
        uint32_t short_of = 0;
        for (uint32_t i = share.first; i < share.end; i++) {
            const float logit = value_of_key((uint32_t)(pick.candidates[i] >> 32));
            before += (double)weight_of(pick.weigher, logit);
            short_of += before < target;
        }
        const uint32_t end = 1 + count_over_block(pick, short_of);
        kept = end < kept ? end : kept;
    }
    if (choices.has_min_p) {
        const struct share share = share_of(kept);
        uint32_t heavy = 0;
        for (uint32_t i = share.first; i < share.end; i++) {
            const float logit = value_of_key((uint32_t)(pick.candidates[i] >> 32));
            heavy += weight_of(pick.weigher, logit) >= row.min_p;
        }
        const uint32_t end = count_over_block(pick, heavy);
        kept = end > 1 ? end : 1;
    }
    return kept;
}

// Of the first kept candidates, which are laid out by id. EVERY: rounding left none.
SAMPLE_DEVICE uint32_t draw_candidate(const struct pick &pick, uint32_t kept, double unit)
{
    __syncthreads();
    for (uint32_t i = threadIdx.x; i < kept; i += blockDim.x) {
        pick.candidates[i] = pick.candidates[i] << 32 | pick.candidates[i] >> 32;
    }
    sort(pick, kept);
    const struct share share = share_of(kept);
    double total;
    double sum = add_before(pick, weight_of_share(pick, share, 0), &total);
    uint32_t drawn = EVERY;
    for (uint32_t i = share.first; drawn == EVERY && i < share.end; i++) {
        const float logit = value_of_key((uint32_t)pick.candidates[i]);
        sum += (double)weight_of(pick.weigher, logit);
        drawn = sum > unit * total ? ~(uint32_t)(pick.candidates[i] >> 32) : EVERY;
    }
    return lowest_of_block(pick, drawn);
}

// A key that no token which survives the cuts is below.
SAMPLE_DEVICE uint32_t bound_of(const struct pick &pick, const struct sample_gpu_row &row,
                                struct sample_choices choices, double total, const float *groups,
                                uint32_t group_count)
{
    const double least = 1.17549435e-38; // one token is always kept
    double target = (double)row.top_p * total, above;
    target = target > least ? target : least;
    uint32_t bound = 0;
    if (choices.has_top_k) {
        bound = find_cut(pick, groups, group_count, MEASURE_COUNT, row.top_k, GROUP_SHIFT, &above);
    } else if (choices.has_top_p) {
        bound = find_cut(pick, groups, group_count, MEASURE_WEIGHT, target, GROUP_SHIFT, &above);
    }
    if (choices.has_min_p && !choices.has_top_k) { // a little lower than need be
        const float below = (logf(fminf(row.min_p, 1.0F)) - 1e-3F) * row.temperature;
        const float lowest = pick.weigher.highest + below;
        const uint32_t key = is_finite(lowest) ? key_of(lowest) : 0;
        bound = key > bound ? key : bound;
    }
    return bound;
}

// ---- device: the whole vocabulary --------------------------------------------------------------

// What is kept: above the key, and the first take of those at it; of these what weighs enough.
struct cut {
    uint32_t key, take;
    float least_weight;
};

// A thread's tokens, in order of id, of a run of them.
SAMPLE_DEVICE struct share tokens_of(uint32_t first, uint32_t count)
{
    const uint32_t each = (count + blockDim.x * 4 - 1) / (blockDim.x * 4) * 4;
    const uint32_t start = threadIdx.x * each < count ? threadIdx.x * each : count;
    return {first + start, first + (start + each < count ? start + each : count)};
}

// The weight that the cut leaves of a thread's tokens; *equal: of those at its key, how many are
// before. Stops at the token where sum passes the target.
SAMPLE_DEVICE double walk(const struct pick &pick, const float *values, struct share share,
                          struct cut cut, double sum, uint32_t equal, double target, uint32_t *id)
{
    for (uint32_t i = share.first; i < share.end; i += 4) {
        float x[4];
        load_four(values, i, share.end, x);
        for (uint32_t j = 0; j < 4; j++) {
            const uint32_t key = key_of(x[j]);
            if (!(x[j] > -INFINITY) || key < cut.key || (key == cut.key && equal++ >= cut.take)) {
                continue;
            }
            const float weight = weight_of(pick.weigher, x[j]);
            if (weight >= cut.least_weight && weight > 0.0F) {
                sum += (double)weight;
                if (sum > target) {
                    *id = i + j;
                    return sum;
                }
            }
        }
    }
    return sum;
}

SAMPLE_DEVICE uint32_t count_equal_before(const struct pick &pick, const float *values,
                                          struct share share, uint32_t key)
{
    uint32_t own = 0;
    for (uint32_t i = share.first; i < share.end; i += 4) {
        float x[4];
        load_four(values, i, share.end, x);
        for (uint32_t j = 0; j < 4; j++) {
            own += x[j] > -INFINITY && key_of(x[j]) == key;
        }
    }
    double all;
    return (uint32_t)add_before(pick, own, &all);
}

// base: the weight of what lies before the run of tokens. The total of all that is kept is returned
// in *total unless it is known already (> 0).
static __device__ uint32_t draw_of_run(const struct pick &pick, const float *values,
                                       struct share share, struct cut cut, double base, double unit,
                                       double *total)
{
    uint32_t equal = 0, drawn = EVERY;
    if (cut.take != EVERY) {
        equal = count_equal_before(pick, values, share, cut.key);
    }
    double sum;
    const double own = walk(pick, values, share, cut, 0.0, equal, (double)INFINITY, &drawn);
    const double before = add_before(pick, own, &sum);
    *total = *total > 0 ? *total : sum;
    if (unit < 1.0) {
        walk(pick, values, share, cut, base + before, equal, unit * *total, &drawn);
    }
    return lowest_of_block(pick, drawn);
}

// Rows without top-k: total is that of all tokens.
static __device__ struct cut cut_whole(const struct pick &pick, const struct sample_gpu_row &row,
                                       struct sample_choices choices, double total,
                                       const float *values)
{
    struct cut cut = {0, EVERY, 0.0F};
    double above;
    if (choices.has_top_k) {
        cut.key = find_cut(pick, values, pick.count, MEASURE_COUNT, row.top_k, 0, &above);
        cut.take = cut.key > 0 ? row.top_k - (uint32_t)above : EVERY;
    }
    if (choices.has_top_p) {
        if (choices.has_top_k) {
            total = 0;
            draw_of_run(pick, values, tokens_of(0, pick.count), cut, 0.0, 1.0, &total);
        }
        const double least = 1.17549435e-38; // one token is always kept
        const double share = (double)row.top_p * total, target = share > least ? share : least;
        const uint32_t key = find_cut(pick, values, pick.count, MEASURE_WEIGHT, target, 0, &above);
        if (key >= cut.key && key > 0) {
            const double weight = (double)weight_of(pick.weigher, value_of_key(key));
            const double needed = weight > 0 ? (target - above) / weight : 4e9;
            uint32_t take = needed < 4e9 ? (uint32_t)needed : (uint32_t)EVERY - 1;
            take += above + take * weight < target;
            cut.take = key == cut.key && cut.take < take ? cut.take : take;
            cut.key = key;
        }
    }
    cut.least_weight = choices.has_min_p ? fminf(row.min_p, 1.0F) : 0.0F;
    return cut;
}

// Nothing cuts: first the chunk, then the token in it.
static __device__ uint32_t draw_from_chunks(const struct pick &pick,
                                            const struct sample_gpu_chunk *chunks,
                                            uint32_t chunk_count, const float *values, double unit)
{
    const struct share share = share_of(chunk_count);
    double own = 0, total, base = 0;
    for (uint32_t c = share.first; c < share.end; c++) {
        own += chunks[c].weight_sum;
    }
    double sum = add_before(pick, own, &total);
    uint32_t passing = EVERY;
    for (uint32_t c = share.first; passing == EVERY && c < share.end; c++) {
        base = sum;
        sum += chunks[c].weight_sum;
        passing = sum > unit * total ? c : EVERY;
    }
    const uint32_t chunk = lowest_of_block(pick, passing);
    if (chunk == EVERY) {
        return EVERY;
    }
    if (passing == chunk) {
        pick.shared->base = base;
    }
    __syncthreads();
    base = pick.shared->base;
    const uint32_t first = chunk * SAMPLE_CHUNK;
    const uint32_t left = pick.count - first, most = SAMPLE_CHUNK;
    const struct cut none = {0, EVERY, 0.0F};
    return draw_of_run(pick, values, tokens_of(first, left < most ? left : most), none, base, unit,
                       &total);
}

// ---- device: a row -----------------------------------------------------------------------------

SAMPLE_DEVICE double total_of(const struct pick &pick, const struct sample_gpu_chunk *chunks,
                              uint32_t chunk_count)
{
    const struct share share = share_of(chunk_count);
    double own = 0, total;
    for (uint32_t c = share.first; c < share.end; c++) {
        own += chunks[c].weight_sum;
    }
    add_before(pick, own, &total);
    return total;
}

SAMPLE_DEVICE uint32_t draw(const struct pick &pick, const struct sample_kernel_args &k,
                            const struct sample_gpu_row &row, struct sample_choices choices,
                            const struct sample_place &place, const float *values, uint32_t *path)
{
    const double unit = unit_of(row.seed, row.position);
    if (!choices.has_top_k && !choices.has_top_p && !choices.has_min_p) {
        *path = SAMPLE_PATH_WALK;
        return draw_from_chunks(pick, place.chunks, k.plan.chunk_count, values, unit);
    }
    double total = 0;
    if (choices.needs_total) {
        total = total_of(pick, place.chunks, k.plan.chunk_count);
    }
    const uint32_t bound = bound_of(pick, row, choices, total, place.groups, k.plan.group_count);
    const uint32_t count = gather(pick, values, place.groups, k.plan.group_count, bound);
    if (count <= pick.candidates_max) {
        *path = SAMPLE_PATH_CANDIDATES;
        sort(pick, count);
        return draw_candidate(pick, cut_candidates(pick, row, choices, total, count), unit);
    }
    *path = SAMPLE_PATH_WHOLE;
    const struct cut cut = cut_whole(pick, row, choices, total, values);
    total = 0;
    return draw_of_run(pick, values, tokens_of(0, pick.count), cut, 0.0, unit, &total);
}

// Ids of the highest logits, highest first and lowest id first among equals, to shared->tops.
static __device__ uint32_t find_top(const struct pick &pick, const float *values,
                                    const float *groups, uint32_t group_count, uint32_t wanted)
{
    double above;
    uint32_t bound =
        find_cut(pick, groups, group_count, MEASURE_COUNT, wanted, GROUP_SHIFT, &above);
    uint32_t found = gather(pick, values, groups, group_count, bound), equal = 0;
    const bool fits = found <= pick.candidates_max;
    if (!fits) { // only those above the last one's key are few for sure
        bound = find_cut(pick, values, pick.count, MEASURE_COUNT, wanted, 0, &above);
        found = gather(pick, values, groups, group_count, bound + 1);
        const struct share share = tokens_of(0, pick.count);
        equal = found + count_equal_before(pick, values, share, bound);
        for (uint32_t i = share.first; i < share.end && equal < wanted; i++) {
            if (is_finite(values[i]) && key_of(values[i]) == bound) {
                pick.shared->tops[equal++] = i;
            }
        }
    }
    sort(pick, found);
    for (uint32_t i = threadIdx.x; i < found && i < wanted; i += blockDim.x) {
        pick.shared->tops[i] = ~(uint32_t)pick.candidates[i];
    }
    if (fits && threadIdx.x == 0) { // fewer finite ones than wanted: the others by id
        for (uint32_t i = 0; found < wanted && i < pick.count; i++) {
            if (!is_finite(values[i])) {
                pick.shared->tops[found++] = i;
            }
        }
        for (; found < wanted; found++) {
            pick.shared->tops[found] = EVERY;
        }
    }
    __syncthreads();
    return fits ? 0 : SAMPLE_PATH_TOP_WHOLE;
}

// Of the logits as they came.
struct raw {
    float highest, log_sum;
};

SAMPLE_DEVICE struct raw raw_of_chunks(const struct sample_gpu_chunk *chunks, uint32_t count)
{
    float highest = -INFINITY;
    for (uint32_t c = threadIdx.x % 32; c < count; c += 32) {
        highest = fmaxf(highest, chunks[c].raw_highest);
    }
    highest = highest_of_warp(highest);
    double sum = 0;
    for (uint32_t c = threadIdx.x % 32; highest > -INFINITY && c < count; c += 32) {
        sum += (double)(chunks[c].raw_sum * exponential_of(chunks[c].raw_highest - highest));
    }
    return {highest, logf((float)add_over_warp(sum))};
}

SAMPLE_DEVICE float log_probability(struct raw raw, float logit)
{
    return is_finite(logit) ? (float)((double)logit - (double)raw.highest - (double)raw.log_sum)
                            : -INFINITY;
}

SAMPLE_DEVICE void report(const struct pick &pick, const struct sample_gpu_row &row,
                          struct sample_gpu_result *result, struct raw raw, const float *logits,
                          uint32_t id)
{
    for (uint32_t i = threadIdx.x; i < LIMIT_TOP_LOGPROBS; i += blockDim.x) {
        const bool is_there = i < row.top_logprobs_count && pick.shared->tops[i] != EVERY;
        const uint32_t top = is_there ? pick.shared->tops[i] : 0;
        result->top_ids[i] = top;
        result->top_logprobs[i] = is_there ? log_probability(raw, logits[top]) : -INFINITY;
    }
    if (threadIdx.x == 0) {
        result->id = id;
        result->logprob = row.wants_logprob != 0 ? log_probability(raw, logits[id]) : 0.0F;
    }
}

static __global__ void __launch_bounds__(WARPS_MAX * 32)
    sample_pick(const struct sample_kernel_args k)
{
    GPU_SHARED(unsigned char, memory);
    dependency_wait();
    dependency_release();
    const uint32_t r = blockIdx.x;
    if (r >= k.args.batch.counts->logit_row_count) {
        return;
    }
    const struct sample_gpu_row &row = k.args.rows[r];
    const struct sample_choices choices = choices_of(&row, k.args.vocabulary_count);
    const struct sample_place place = place_of(k, r);
    const float *logits = k.args.logits + r * k.args.stride;
    const struct best best = best_of_chunks(place.chunks, k.plan.chunk_count);
    const struct pick pick = {reinterpret_cast<struct pick_shared *>(memory),
                              reinterpret_cast<double *>(memory + PICK_HEAD_BYTES),
                              reinterpret_cast<uint64_t *>(memory + PICK_HEAD_BYTES),
                              k.plan.candidates_max,
                              k.args.vocabulary_count,
                              {best.value, 1.0F / row.temperature}};
    uint32_t id = best.id, path = SAMPLE_PATH_HIGHEST, top_path = 0;
    if (row.top_logprobs_count > 0) {
        top_path =
            find_top(pick, logits, place.raw_groups, k.plan.group_count, row.top_logprobs_count);
    }
    if (!choices.is_greedy && best.value > -INFINITY) {
        const float *values = choices.is_adjusted ? place.adjusted : logits;
        const uint32_t drawn = draw(pick, k, row, choices, place, values, &path);
        id = drawn != EVERY ? drawn : best.id;
    }
    struct raw raw = {0.0F, 0.0F};
    if (row.wants_logprob != 0 || row.top_logprobs_count > 0) {
        raw = raw_of_chunks(place.chunks, k.plan.chunk_count);
    }
    report(pick, row, &k.args.results[r], raw, logits, id);
    if (threadIdx.x == 0) {
        k.args.sampled[r] = id;
        *place.path = path + top_path;
    }
}

// ---- launcher ----------------------------------------------------------------------------------

enum status sample_pick_launch(const struct sample_kernel_args *args, struct gpu_stream *stream)
{
    const size_t bins = (size_t)SAMPLE_DIGITS * args->plan.pick_threads * sizeof(double);
    const size_t candidates = args->plan.candidates_max * sizeof(uint64_t);
    const struct gpu_launch_shape shape = {args->args.row_count, 1, 1, args->plan.pick_threads,
                                           PICK_HEAD_BYTES
                                               + (bins > candidates ? bins : candidates)};
    return gpu_launch(sample_pick, "sample_pick", shape, stream, *args);
}
