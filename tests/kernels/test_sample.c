/* Method: Philox against the published known answers; the selection (three passes over bits)
 * against the reference (a sort) over a table of parameters x shapes of logits x seeds; the draw
 * against its distribution over seeds; and logits that are not finite. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "kernels/backend.h"
#include "kernels/sample/philox.h"
#include "tests/check.h"
#include "tests/kernels/support_kernels.h"

static struct workers *workers;

/* From kat_vectors of the authors' Random123 library. */
static void philox_gives_the_published_answers(void)
{
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct philox_block counter;
        memcpy(counter.words, cases[i].counter, sizeof counter.words);
        const struct philox_block got = philox(counter, cases[i].key);
        CHECK(memcmp(got.words, cases[i].want, sizeof got.words) == 0, "vector %zu", i);
    }
}

/* ---- selection ------------------------------------------------------------------------------- */

enum { TOP = 5, TOKENS = 40, BIASES = 3 };

static const struct {
    float temperature, top_p, min_p;
    uint32_t top_k;
    float presence, frequency, repetition;
    uint32_t bias_count, top_count;
} settings[] = {
    {0.0F, 1.0F, 0.0F, 0, 0, 0, 1, 0, 0},         {1.0F, 1.0F, 0.0F, 0, 0, 0, 1, 0, TOP},
    {1.0F, 0.9F, 0.0F, 0, 0, 0, 1, 0, 1},         {0.7F, 0.5F, 0.0F, 20, 0, 0, 1, 0, 0},
    {1.3F, 1.0F, 0.1F, 0, 0, 0, 1, 0, 0},         {2.0F, 0.95F, 0.05F, 50, 0, 0, 1, 0, TOP},
    {1.0F, 0.0F, 0.0F, 0, 0, 0, 1, 0, 0},         {1.0F, 1.0F, 0.0F, 1, 0, 0, 1, 0, 0},
    {1.0F, 0.99999994F, 0.0F, 0, 0, 0, 1, 0, 0},  {1.0F, 1.0F, 1.0F, 0, 0, 0, 1, 0, 0},
    {1e-5F, 1.0F, 0.0F, 0, 0, 0, 1, 0, 0},        {1e-30F, 1.0F, 0.0F, 0, 0, 0, 1, 0, 0},
    {100.0F, 0.3F, 0.0F, 4000000, 0, 0, 1, 0, 0}, {1.0F, 0.8F, 0.0F, 0, 1.5F, 0.5F, 1, 0, 2},
    {0.0F, 1.0F, 0.0F, 0, 2, 2, 1.3F, 0, TOP},    {1.0F, 1.0F, 0.0F, 7, 0, 0, 0.7F, BIASES, 0},
    {0.0F, 1.0F, 0.0F, 0, -2, -2, 1, BIASES, 0},  {1.0F, 0.9F, 0.01F, 9, 1, 1, 1.2F, BIASES, TOP},
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

enum shape { SPREAD, PEAKED, EQUAL, FEW_VALUES, NOT_FINITE, NONE_FINITE, SHAPE_COUNT };

static float make_logit(enum shape shape, struct random_source *random)
{
    const float unit = (float)random_unit(random);
    const uint32_t pick = random_below(random, 8);
    switch (shape) {
    case SPREAD:
        return unit * 10.0F - 5.0F;
    case PEAKED:
        return pick == 0 ? unit * 30.0F : -60.0F * unit;
    case EQUAL:
        return 0.25F;
    case FEW_VALUES:
        return pick == 0 ? -0.0F : (float)(pick / 2) - 1.0F;
    case NOT_FINITE:
        return pick == 0 ? NAN : pick == 1 ? -INFINITY : pick == 2 ? INFINITY : unit;
    case NONE_FINITE:
        return pick < 4 ? NAN : -INFINITY;
    case SHAPE_COUNT:
        break;
    }
    return 0.0F;
}

/* One row's inputs and results. */
struct row {
    struct sample_row row;
    struct sample_bias bias[BIASES];
    uint32_t tokens[TOKENS], top_ids[TOP];
    float top_logprobs[TOP];
};

static void make_row(struct row *row, float *logits, uint32_t count, size_t setting,
                     enum shape shape, uint64_t seed)
{
    struct random_source random = {seed * 7919 + setting};
    for (uint32_t t = 0; t < count; t++) {
        logits[t] = make_logit(shape, &random);
    }
    for (uint32_t i = 0; i < TOKENS; i++) {
        row->tokens[i] = random_below(&random, count < 12 ? count : 12);
    }
    for (uint32_t i = 0; i < BIASES; i++) {
        row->bias[i] = (struct sample_bias){random_below(&random, count), i == 0 ? 100.0F : -3.0F};
    }
    row->row = (struct sample_row){
        .logits = logits,
        .tokens = row->tokens,
        .token_count = TOKENS,
        .prompt_count = TOKENS / 2,
        .bias = row->bias,
        .bias_count = settings[setting].bias_count,
        .temperature = settings[setting].temperature,
        .top_p = settings[setting].top_p,
        .min_p = settings[setting].min_p,
        .top_k = settings[setting].top_k,
        .presence_penalty = settings[setting].presence,
        .frequency_penalty = settings[setting].frequency,
        .repetition_penalty = settings[setting].repetition,
        .seed = seed,
        .position = (uint32_t)seed * 3,
        .top_logprobs_count = settings[setting].top_count,
        .top_ids = row->top_ids,
        .top_logprobs = row->top_logprobs,
    };
}

static bool is_near(float a, float b)
{
    return a == b || fabsf(a - b) <= 2e-6F * (1.0F + fabsf(a));
}

static void compare_rows(const char *level, const struct row *want, const struct row *got,
                         size_t setting, int shape, uint32_t count)
{
    CHECK(want->row.id == got->row.id, "%s setting %zu shape %d of %u seed %llu: id %u, not %u",
          level, setting, shape, count, (unsigned long long)want->row.seed, got->row.id,
          want->row.id);
    CHECK(is_near(want->row.logprob, got->row.logprob), "%s setting %zu shape %d: %g, not %g",
          level, setting, shape, (double)got->row.logprob, (double)want->row.logprob);
    for (uint32_t i = 0; i < want->row.top_logprobs_count; i++) {
        CHECK(want->top_ids[i] == got->top_ids[i], "%s setting %zu shape %d: top %u is %u, not %u",
              level, setting, shape, i, got->top_ids[i], want->top_ids[i]);
        CHECK(is_near(want->top_logprobs[i], got->top_logprobs[i]), "%s setting %zu top %u", level,
              setting, i);
    }
}

static void compare_with_reference(const char *level)
{
    static const uint32_t counts[] = {1, 2, 17, 260, 3000};
    enum { SEEDS = 4, COUNT_MAX = 3000 };
    float *logits = support_memory(COUNT_MAX * sizeof *logits);
    void *scratch = aligned_alloc(64, sample_scratch_bytes(COUNT_MAX));
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        for (size_t i = 0; i < SETTING_COUNT * SHAPE_COUNT * SEEDS; i++) {
            const size_t setting = i % SETTING_COUNT, seed = i / SETTING_COUNT / SHAPE_COUNT;
            const enum shape shape = (enum shape)(i / SETTING_COUNT % SHAPE_COUNT);
            struct row want, got;
            struct sample_args args = {&want.row, 1, counts[c], scratch};
            make_row(&want, logits, counts[c], setting, shape, seed);
            backend_reference.sample(&args, NULL);
            args.rows = &got.row;
            make_row(&got, logits, counts[c], setting, shape, seed);
            backend_cpu.sample(&args, workers);
            compare_rows(level, &want, &got, setting, (int)shape, counts[c]);
        }
    }
    free(scratch);
    free(logits);
}

static void selection_equals_the_reference(void)
{
    support_on_every_level(compare_with_reference);
}

/* ---- single facts ---------------------------------------------------------------------------- */

static uint32_t sample_one(float *logits, uint32_t count, struct sample_row row)
{
    void *scratch = aligned_alloc(64, sample_scratch_bytes(count));
    row.logits = logits;
    row.repetition_penalty = row.repetition_penalty == 0.0F ? 1.0F : row.repetition_penalty;
    backend_cpu.sample(&(struct sample_args){&row, 1, count, scratch}, NULL);
    free(scratch);
    return row.id;
}

static void ties_and_edges_are_settled(void)
{
    float tie[] = {1.0F, 3.0F, 3.0F, 2.0F};
    CHECK(sample_one(tie, 4, (struct sample_row){.top_p = 1}) == 1, "lowest id of a tie");
    float most[] = {FLT_MAX, -FLT_MAX, FLT_MAX};
    CHECK(sample_one(most, 3, (struct sample_row){.temperature = 1, .top_p = 1, .top_k = 1}) == 0,
          "largest finite logits");
    float none[] = {NAN, NAN, INFINITY};
    CHECK(sample_one(none, 3, (struct sample_row){.temperature = 1, .top_p = 1}) == 0, "no finite");
    for (uint32_t seed = 0; seed < 50; seed++) {
        float equal[] = {0, 0, 0, 0};
        const struct sample_row row = {.temperature = 1, .top_p = 0.5F, .seed = seed};
        CHECK(sample_one(equal, 4, row) < 2, "half of four equal tokens are the first two");
        float few[] = {5, 5, 4.9F, 5};
        const struct sample_row two = {.temperature = 1, .top_p = 1, .top_k = 2, .seed = seed};
        CHECK(sample_one(few, 4, two) < 2, "top-k of a tie keeps the lower ids");
    }
}

/* Pearson's chi-square of draws over seeds and over positions; 7 tokens leave 6 degrees of
 * freedom, for which 33 is passed once in 100,000 times. */
static void draws_follow_the_distribution(void)
{
    static const float logits[] = {0.0F, 1.0F, -1.0F, 2.0F, 0.5F, -0.5F, 1.5F};
    enum { COUNT = sizeof logits / sizeof logits[0], DRAWS = 20000 };
    for (int over_positions = 0; over_positions < 2; over_positions++) {
        double seen[COUNT] = {0}, total = 0, chi_square = 0;
        for (uint32_t i = 0; i < DRAWS; i++) {
            float copy[COUNT];
            memcpy(copy, logits, sizeof copy);
            struct sample_row row = {.temperature = 0.8F, .top_p = 1, .seed = 99, .position = 7};
            if (over_positions != 0) {
                row.position = i;
            } else {
                row.seed = i;
            }
            seen[sample_one(copy, COUNT, row)]++;
        }
        for (size_t t = 0; t < COUNT; t++) {
            total += exp((double)logits[t] / 0.8);
        }
        for (size_t t = 0; t < COUNT; t++) {
            const double expected = DRAWS * exp((double)logits[t] / 0.8) / total;
            chi_square += (seen[t] - expected) * (seen[t] - expected) / expected;
        }
        printf("sample: chi-square %.1f over %s\n", chi_square,
               over_positions != 0 ? "positions" : "seeds");
        CHECK(chi_square < 33, "chi-square %g", chi_square);
    }
}

/* A vocabulary of LIMIT_VOCABULARY with all cuts on. */
static void the_largest_vocabulary_works(void)
{
    const uint32_t count = LIMIT_VOCABULARY;
    struct random_source random = {5};
    float *logits = support_floats(&random, count);
    logits[count - 1] = 3.0F;
    const struct sample_row row = {.temperature = 1, .top_p = 0.9F, .min_p = 0.9F, .top_k = 100};
    CHECK(sample_one(logits, count, row) == count - 1, "the last token stands out");
    free(logits);
}

int main(void)
{
    if (workers_create(0, &workers) != STATUS_OK) {
        return 1;
    }
    philox_gives_the_published_answers();
    selection_equals_the_reference();
    ties_and_edges_are_settled();
    draws_follow_the_distribution();
    the_largest_vocabulary_works();
    workers_destroy(workers);
    return check_failures > 0;
}
