/* sample_reference.c - the definition of sample: sort all tokens, cut, draw. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/exponential.h"
#include "kernels/sample/philox.h"
#include "kernels/sample/sample.h"

struct candidate {
    float logit, weight; /* weight: e^((logit - highest) / temperature) */
    uint32_t id;
};

static int by_logit_then_id(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->logit != b->logit) {
        return a->logit > b->logit ? -1 : 1;
    }
    return a->id < b->id ? -1 : a->id > b->id;
}

static int by_id(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* Sorts, and gives every candidate its weight relative to the first. */
static void weigh(const float *logits, uint32_t count, float inverse_temperature,
                  struct candidate *all)
{
    for (uint32_t t = 0; t < count; t++) {
        all[t] = (struct candidate){isfinite(logits[t]) ? logits[t] : -INFINITY, 0.0F, t};
    }
    qsort(all, count, sizeof *all, by_logit_then_id);
    for (uint32_t i = 0; i < count && all[i].logit > -INFINITY; i++) {
        all[i].weight = exponential((all[i].logit - all[0].logit) * inverse_temperature);
    }
}

static double sum_of_weights(const struct candidate *all, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += (double)all[i].weight;
    }
    return sum;
}

static void adjust(struct sample_row *row, uint32_t count)
{
    for (uint32_t i = 0; i < row->bias_count; i++) {
        row->logits[row->bias[i].id] += row->bias[i].value;
    }
    for (uint32_t t = 0; t < count; t++) {
        uint32_t anywhere = 0, in_output = 0;
        for (uint32_t i = 0; i < row->token_count; i++) {
            anywhere += row->tokens[i] == t;
            in_output += row->tokens[i] == t && i >= row->prompt_count;
        }
        if (anywhere > 0) {
            const float r = row->repetition_penalty;
            row->logits[t] = row->logits[t] > 0 ? row->logits[t] / r : row->logits[t] * r;
            row->logits[t] -= row->frequency_penalty * (float)in_output;
            row->logits[t] -= in_output > 0 ? row->presence_penalty : 0.0F;
        }
    }
}

/* How many of the sorted candidates may be drawn, at least one. */
static uint32_t cut(const struct sample_row *row, const struct candidate *all, uint32_t count)
{
    uint32_t kept = row->top_k > 0 && row->top_k < count ? row->top_k : count;
    if (row->top_p < 1.0F) {
        const double target = (double)row->top_p * sum_of_weights(all, kept);
        double sum = (double)all[0].weight;
        uint32_t i = 1;
        while (i < kept && sum < target) {
            sum += (double)all[i++].weight;
        }
        kept = i;
    }
    while (kept > 1 && all[kept - 1].weight < row->min_p) {
        kept--;
    }
    return kept;
}

static uint32_t draw(const struct sample_row *row, uint32_t count, struct candidate *all)
{
    const bool is_greedy = !(row->temperature >= SAMPLE_TEMPERATURE_MIN);
    weigh(row->logits, count, is_greedy ? 1.0F : 1.0F / row->temperature, all);
    const uint32_t first = all[0].id; /* 0 if no logit is finite */
    if (is_greedy || all[0].logit == -INFINITY) {
        return first;
    }
    const uint32_t kept = cut(row, all, count);
    qsort(all, kept, sizeof *all, by_id); /* the draw falls on a line laid out by id */
    const double target = philox_unit(row->seed, row->position) * sum_of_weights(all, kept);
    double sum = 0;
    for (uint32_t i = 0; i < kept; i++) {
        sum += (double)all[i].weight;
        if (sum > target) {
            return all[i].id;
        }
    }
    return first;
}

static float log_probability(float logit, float maximum, double log_sum)
{
    return isfinite(logit) ? (float)((double)logit - (double)maximum - log_sum) : -INFINITY;
}

static void sample_row(struct sample_row *row, uint32_t count, void *scratch)
{
    struct candidate *all = scratch;
    weigh(row->logits, count, 1.0F, all);
    const float maximum = all[0].logit;
    const double log_sum = log(sum_of_weights(all, count));
    for (uint32_t i = 0; i < row->top_logprobs_count; i++) {
        row->top_ids[i] = i < count ? all[i].id : 0;
        row->top_logprobs[i] =
            i < count ? log_probability(all[i].logit, maximum, log_sum) : -INFINITY;
    }
    float *raw = (float *)(all + count);
    memcpy(raw, row->logits, count * sizeof *raw);
    adjust(row, count);
    row->id = draw(row, count, all);
    row->logprob = log_probability(raw[row->id], maximum, log_sum);
}

void sample_reference(const struct sample_args *args)
{
    const size_t row_bytes = sample_scratch_bytes(args->vocabulary_count);
    for (uint32_t r = 0; r < args->row_count; r++) {
        sample_row(&args->rows[r], args->vocabulary_count,
                   (unsigned char *)args->scratch + r * row_bytes);
    }
}
