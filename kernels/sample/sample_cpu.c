/* sample_cpu.c - sample without sorting the vocabulary. A cut (top-k, top-p) keeps a prefix of the
 * tokens in falling order of logit. First a bound on the weight gathers the few tokens that can be
 * in it; then three passes over 11, 11 and 10 bits of their logits as integers, each adding up what
 * lies in every bin, find where the prefix ends. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "kernels/lanes/lane_kernels.h"
#include "kernels/sample/philox.h"
#include "kernels/sample/sample.h"

enum { BINS = 1 << 11, SUM_BLOCK = 1024, SUM_BLOCKS_MAX = LIMIT_VOCABULARY / SUM_BLOCK };

/* A row's scratch. */
struct sampling {
    const struct lane_kernels *kernels;
    uint32_t count;
    float *raw;      /* [count] logits as they came */
    float *weights;  /* [count] relative to the highest logit */
    uint32_t *marks; /* [count] times in the output << 1 | anywhere */
    uint32_t *ids;   /* [id_count] tokens that may still be drawn, rising */
    uint32_t id_count;
};

size_t sample_scratch_bytes(uint32_t vocabulary_count)
{
    return ((size_t)vocabulary_count * 16 + 63) / 64 * 64; /* four arrays of 4-byte elements */
}

/* ---- what the client asked to change ------------------------------------------------------- */

static bool has_penalty(const struct sample_row *row)
{
    return row->presence_penalty != 0.0F || row->frequency_penalty != 0.0F
           || row->repetition_penalty != 1.0F;
}

static void penalise(struct sample_row *row, struct sampling *sampling)
{
    uint32_t *marks = sampling->marks;
    for (uint32_t i = 0; i < row->token_count; i++) {
        ASSERT(row->tokens[i] < sampling->count);
        marks[row->tokens[i]] = 0;
    }
    for (uint32_t i = 0; i < row->token_count; i++) {
        uint32_t *mark = &marks[row->tokens[i]];
        *mark = (*mark | 1) + (i >= row->prompt_count ? 2 : 0);
    }
    for (uint32_t i = 0; i < row->token_count; i++) {
        float *logit = &row->logits[row->tokens[i]];
        const uint32_t mark = marks[row->tokens[i]], in_output = mark >> 1;
        if (mark == 0) {
            continue; /* done with its first occurrence */
        }
        const float r = row->repetition_penalty;
        *logit = *logit > 0 ? *logit / r : *logit * r;
        *logit -= row->frequency_penalty * (float)in_output;
        *logit -= in_output > 0 ? row->presence_penalty : 0.0F;
        marks[row->tokens[i]] = 0;
    }
}

static void adjust(struct sample_row *row, struct sampling *sampling)
{
    for (uint32_t i = 0; i < row->bias_count; i++) {
        ASSERT(row->bias[i].id < sampling->count);
        row->logits[row->bias[i].id] += row->bias[i].value;
    }
    if (has_penalty(row)) {
        penalise(row, sampling);
    }
}

/* ---- sums ---------------------------------------------------------------------------------- */

/* Adds up all weights block by block; blocks: [SUM_BLOCKS_MAX]. */
static double add_up(const struct sampling *sampling, double *blocks)
{
    double total = 0;
    for (uint32_t first = 0; first < sampling->count; first += SUM_BLOCK) {
        const uint32_t left = sampling->count - first;
        double sums[8] = {0};
        for (uint32_t t = 0; t < (left < SUM_BLOCK ? left : SUM_BLOCK); t++) {
            sums[t % 8] += (double)sampling->weights[first + t];
        }
        blocks[first / SUM_BLOCK] = ((sums[0] + sums[1]) + (sums[2] + sums[3]))
                                    + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
        total += blocks[first / SUM_BLOCK];
    }
    return total;
}

static double add_up_kept(const struct sampling *sampling)
{
    double sum = 0;
    for (uint32_t i = 0; i < sampling->id_count; i++) {
        sum += (double)sampling->weights[sampling->ids[i]];
    }
    return sum;
}

/* ---- cuts ---------------------------------------------------------------------------------- */

/* A weight that at least top_k tokens reach, or the smallest there is. */
static float bound_of_top_k(const struct sampling *sampling, uint32_t top_k)
{
    static const float bounds[] = {1.0F, 0.1F, 1e-3F, 1e-7F, 1e-15F};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        uint32_t reached = 0;
        for (uint32_t t = 0; t < sampling->count; t++) {
            reached += sampling->weights[t] >= bounds[i];
        }
        if (reached >= top_k) {
            return bounds[i];
        }
    }
    return FLT_MIN;
}

/* Every token of a prefix that weighs top_p of the total weighs at least this: even if all lighter
 * ones weighed just as much, they would come to half of what the cut leaves out. */
static float bound_of_top_p(const struct sampling *sampling, float top_p, double total)
{
    const double bound = 0.5 * (1.0 - (double)top_p) * total / sampling->count;
    return bound < 1.0 ? (float)bound : 1.0F;
}

static void gather(struct sampling *sampling, float bound)
{
    const float least = bound > FLT_MIN ? bound : FLT_MIN;
    uint32_t kept = 0;
    for (uint32_t t = 0; t < sampling->count; t++) {
        sampling->ids[kept] = t;
        kept += sampling->weights[t] >= least;
    }
    sampling->id_count = kept;
}

/* Rises with the logit, which is finite. */
static uint32_t key_of(float logit)
{
    const float without_sign_of_zero = logit + 0.0F;
    uint32_t bits;
    memcpy(&bits, &without_sign_of_zero, sizeof bits);
    return bits & 0x80000000 ? ~bits : bits | 0x80000000;
}

/* Keeps the shortest prefix, highest logit first and lowest id first among equals, whose weights
 * (or whose number of tokens) reach the target. */
static void keep_prefix(struct sampling *sampling, const float *logits, bool counts, double target)
{
    static const struct {
        uint32_t shift, bits;
    } passes[] = {{21, 11}, {10, 11}, {0, 10}};
    uint32_t key = 0, kept = 0;
    double sum = 0; /* of all that lies above the bins looked at */
    for (size_t pass = 0; pass < sizeof passes / sizeof passes[0]; pass++) {
        const uint32_t shift = passes[pass].shift, bits = passes[pass].bits;
        double bins[BINS] = {0};
        for (uint32_t i = 0; i < sampling->id_count; i++) {
            const uint64_t token_key = key_of(logits[sampling->ids[i]]);
            if (token_key >> (shift + bits) == (uint64_t)key >> (shift + bits)) {
                bins[token_key >> shift & ((1U << bits) - 1)] +=
                    counts ? 1.0 : (double)sampling->weights[sampling->ids[i]];
            }
        }
        uint32_t bin = (1U << bits) - 1;
        while (bin > 0 && sum + bins[bin] < target) {
            sum += bins[bin--];
        }
        key |= bin << shift;
    }
    for (uint32_t i = 0; i < sampling->id_count; i++) {
        const uint32_t id = sampling->ids[i], token_key = key_of(logits[id]);
        if (token_key > key || (token_key == key && sum < target)) {
            sum += token_key > key ? 0.0 : counts ? 1.0 : (double)sampling->weights[id];
            sampling->ids[kept++] = id;
        }
    }
    sampling->id_count = kept;
}

static void cut(const struct sample_row *row, struct sampling *sampling)
{
    double total;
    if (row->top_k > 0 && row->top_k < sampling->count) {
        gather(sampling, bound_of_top_k(sampling, row->top_k));
        if (row->top_k < sampling->id_count) {
            keep_prefix(sampling, row->logits, true, row->top_k);
        }
        total = add_up_kept(sampling);
    } else {
        double blocks[SUM_BLOCKS_MAX];
        total = add_up(sampling, blocks);
        gather(sampling, row->top_p < 1.0F ? bound_of_top_p(sampling, row->top_p, total) : 0.0F);
    }
    if (row->top_p < 1.0F) {
        const double target = (double)row->top_p * total;
        const double least = (double)FLT_MIN; /* one token is always kept */
        keep_prefix(sampling, row->logits, false, target > least ? target : least);
    }
    uint32_t kept = 0;
    const float least = row->min_p < 1.0F ? row->min_p : 1.0F; /* of the highest, which is 1 */
    for (uint32_t i = 0; i < sampling->id_count; i++) {
        sampling->ids[kept] = sampling->ids[i];
        kept += sampling->weights[sampling->ids[i]] >= least;
    }
    sampling->id_count = kept;
}

/* ---- the draw ------------------------------------------------------------------------------ */

static uint32_t find_first(const float *logits, float value)
{
    uint32_t t = 0;
    while (logits[t] != value) {
        t++;
    }
    return t;
}

/* The first token at which the weights so far, in order of id, pass the target. */
static uint32_t walk_all(const struct sampling *sampling, const double *blocks, double target)
{
    double sum = 0;
    uint32_t first = 0, last = 0;
    while (first + SUM_BLOCK < sampling->count && sum + blocks[first / SUM_BLOCK] <= target) {
        sum += blocks[first / SUM_BLOCK];
        first += SUM_BLOCK;
    }
    for (uint32_t t = first; t < sampling->count && sum <= target; t++) {
        sum += (double)sampling->weights[t];
        last = sampling->weights[t] > 0 ? t : last;
    }
    return last;
}

static uint32_t walk_kept(const struct sampling *sampling, double target)
{
    double sum = 0;
    uint32_t i = 0;
    do {
        sum += (double)sampling->weights[sampling->ids[i++]];
    } while (i < sampling->id_count && sum <= target);
    return sampling->ids[i - 1];
}

static uint32_t draw(const struct sample_row *row, struct sampling *sampling)
{
    const uint32_t count = sampling->count;
    const float highest = sampling->kernels->sample_highest(row->logits, count);
    if (highest == -INFINITY) {
        return 0; /* no logit is finite */
    }
    if (!(row->temperature >= SAMPLE_TEMPERATURE_MIN)) {
        return find_first(row->logits, highest);
    }
    sampling->kernels->sample_weigh(row->logits, count, highest, 1.0F / row->temperature,
                                    sampling->weights);
    const double unit = philox_unit(row->seed, row->position);
    if (row->top_k > 0 || row->top_p < 1.0F || row->min_p > 0.0F) {
        cut(row, sampling);
        return walk_kept(sampling, unit * add_up_kept(sampling));
    }
    double blocks[SUM_BLOCKS_MAX];
    return walk_all(sampling, blocks, unit * add_up(sampling, blocks));
}

/* ---- reported log-probabilities -------------------------------------------------------------- */

static float log_probability(float logit, float highest, double log_sum)
{
    return isfinite(logit) ? (float)((double)logit - (double)highest - log_sum) : -INFINITY;
}

/* The highest logits, kept in order by insertion. */
static void find_top(struct sample_row *row, uint32_t count)
{
    const uint32_t most = row->top_logprobs_count;
    uint32_t found = 0;
    for (uint32_t t = 0; most > 0 && t < count; t++) {
        const float logit = isfinite(row->logits[t]) ? row->logits[t] : -INFINITY;
        if (found == most && !(logit > row->top_logprobs[most - 1])) {
            continue;
        }
        found += found < most;
        uint32_t i = found - 1;
        for (; i > 0 && logit > row->top_logprobs[i - 1]; i--) {
            row->top_logprobs[i] = row->top_logprobs[i - 1];
            row->top_ids[i] = row->top_ids[i - 1];
        }
        row->top_logprobs[i] = logit;
        row->top_ids[i] = t;
    }
    for (uint32_t i = found; i < most; i++) {
        row->top_logprobs[i] = -INFINITY;
        row->top_ids[i] = 0;
    }
}

static void sample_row(struct sample_row *row, struct sampling *sampling)
{
    double blocks[SUM_BLOCKS_MAX];
    const uint32_t count = sampling->count;
    const float highest = sampling->kernels->sample_highest(row->logits, count);
    sampling->kernels->sample_weigh(row->logits, count, highest, 1.0F, sampling->weights);
    const double log_sum = log(add_up(sampling, blocks));
    find_top(row, count);
    for (uint32_t i = 0; i < row->top_logprobs_count; i++) {
        row->top_logprobs[i] = log_probability(row->top_logprobs[i], highest, log_sum);
    }
    memcpy(sampling->raw, row->logits, count * sizeof *sampling->raw);
    adjust(row, sampling);
    row->id = draw(row, sampling);
    row->logprob = log_probability(sampling->raw[row->id], highest, log_sum);
}

static void run_row(const void *argument, uint32_t r)
{
    const struct sample_args *args = argument;
    const size_t count = args->vocabulary_count;
    unsigned char *scratch =
        (unsigned char *)args->scratch + r * sample_scratch_bytes(args->vocabulary_count);
    float *floats = (float *)(void *)scratch;
    struct sampling sampling = {
        .kernels = lane_kernels(),
        .count = args->vocabulary_count,
        .raw = floats,
        .weights = floats + count,
        .marks = (uint32_t *)(void *)(floats + 2 * count),
        .ids = (uint32_t *)(void *)(floats + 3 * count),
    };
    sample_row(&args->rows[r], &sampling);
}

void sample_cpu(const struct sample_args *args, struct workers *workers)
{
    ASSERT(args->vocabulary_count > 0 && args->vocabulary_count <= LIMIT_VOCABULARY);
    workers_run(workers, run_row, args, args->row_count);
}
