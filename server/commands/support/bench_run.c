#include "server/commands/support/bench_run.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/random.h"
#include "model/model_family.h"
#include "server/commands/support/solo.h"
#include "server/engine_choice.h"

enum { PREFILL_RUNS = 3 };

static const uint64_t PREFILL_NS_MAX = 8000000000ULL; /* of all repetitions together */

/* One measurement: batch sequences with pages and tokens of their own. */
struct bench {
    const struct model *model;
    const struct bench_settings *settings;
    uint32_t batch, context_tokens, sequence_pages;
    struct engine_choice *engine;
    struct engine interface;
    uint32_t *tokens;                  /* [batch][context_tokens] */
    struct page_id *pages;             /* [batch][sequence_pages] */
    struct engine_sequence *sequences; /* [batch] */
    struct engine_token *drawn;        /* [batch] */
    uint64_t *step_ns;                 /* [out_tokens] */
    struct engine_sampling sampling;
};

struct model_config bench_run_config_1b(void)
{
    struct model_config config = family_llama.defaults;
    config.vocabulary_count = 128256;
    config.hidden_dim = 2048;
    config.ffn_dim = 8192;
    config.layer_count = 16;
    config.head_count = 32;
    config.kv_head_count = 8;
    config.head_dim = 64;
    config.context_tokens_max = 131072;
    config.rms_norm_eps = 1e-5F;
    config.ties_embeddings = true;
    config.rope = (struct rope_config){ROPE_LLAMA3, 500000.0, 32.0, 1.0, 4.0, 8192};
    return config;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void fill(struct bench *bench)
{
    struct random_source random = {1};
    for (size_t i = 0; i < (size_t)bench->batch * bench->context_tokens; i++) {
        bench->tokens[i] = random_below(&random, bench->model->config.vocabulary_count);
    }
    for (uint32_t i = 0; i < bench->batch * bench->sequence_pages; i++) {
        bench->pages[i].value = i;
    }
}

static enum status open_bench(struct bench *bench, struct failure *failure)
{
    const uint32_t batch = bench->batch;
    const struct engine_choice_config config = {
        .device = bench->settings->device,
        .page_tokens = SOLO_PAGE_TOKENS,
        .page_count = batch * bench->sequence_pages,
        .context_tokens_max = bench->context_tokens,
        .step_sequences_max = batch,
    };
    bench->tokens = calloc((size_t)batch * bench->context_tokens, sizeof *bench->tokens);
    bench->pages = calloc((size_t)batch * bench->sequence_pages, sizeof *bench->pages);
    bench->sequences = calloc(batch, sizeof *bench->sequences);
    bench->drawn = calloc(batch, sizeof *bench->drawn);
    bench->step_ns = calloc(bench->settings->out_tokens, sizeof *bench->step_ns);
    if (!bench->tokens || !bench->pages || !bench->sequences || !bench->drawn || !bench->step_ns) {
        return fail(failure, STATUS_IO, "no memory for a batch of %u", batch);
    }
    fill(bench);
    const enum status status = engine_choice_create(bench->model, &config, &bench->engine, failure);
    if (status == STATUS_OK) {
        bench->interface = engine_choice_interface(bench->engine);
    }
    return status;
}

static void close_bench(struct bench *bench)
{
    engine_choice_destroy(bench->engine);
    free(bench->step_ns);
    free(bench->drawn);
    free(bench->sequences);
    free(bench->pages);
    free(bench->tokens);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* The rows position .. position + row_count - 1 of sequence index. */
static void plan_rows(struct bench *bench, uint32_t index, uint32_t position, uint32_t row_count)
{
    const uint32_t prompt_tokens = bench->settings->prompt_tokens;
    const uint32_t end = position + row_count;
    bench->sequences[index] = (struct engine_sequence){
        .tokens = bench->tokens + (size_t)index * bench->context_tokens,
        .token_count = end > prompt_tokens ? end : prompt_tokens,
        .prompt_count = prompt_tokens,
        .position_first = position,
        .row_count = row_count,
        .pages = bench->pages + (size_t)index * bench->sequence_pages,
        .page_count = bench->sequence_pages,
        .sampling = &bench->sampling,
        .samples = end >= prompt_tokens,
    };
}

static enum status run_step(struct bench *bench, const struct engine_plan *plan,
                            struct failure *failure)
{
    void *self = bench->interface.self;
    ASSERT(bench->interface.launch && bench->interface.settle);
    if (bench->interface.launch(self, plan) != STATUS_OK
        || bench->interface.settle(self, bench->drawn) != STATUS_OK) {
        return fail(failure, STATUS_DEVICE, "the engine failed");
    }
    return STATUS_OK;
}

static enum status prefill(struct bench *bench, uint32_t index, struct failure *failure)
{
    const uint32_t chunk = bench->interface.shape.step_tokens_max;
    const uint32_t prompt_tokens = bench->settings->prompt_tokens;
    enum status status = STATUS_OK;
    for (uint32_t at = 0; status == STATUS_OK && at < prompt_tokens; at += chunk) {
        const uint32_t left = prompt_tokens - at;
        const uint32_t rows = left < chunk ? left : chunk;
        plan_rows(bench, index, at, rows);
        const struct engine_plan plan = {
            .sequences = &bench->sequences[index], .sequence_count = 1, .row_count = rows};
        status = run_step(bench, &plan, failure);
    }
    return status;
}

static int compare_ns(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static double median_seconds(uint64_t *ns, size_t count)
{
    qsort(ns, count, sizeof *ns, compare_ns);
    const size_t middle = count / 2;
    return (double)ns[middle] * 1e-9;
}

/* Sequences that time leaves out start with zeros in their pages: a decode step costs the same. */
static enum status time_prefill(struct bench *bench, double *seconds, struct failure *failure)
{
    uint64_t run_ns[PREFILL_RUNS];
    uint64_t spent_ns = 0;
    size_t count = 0;
    while (count < PREFILL_RUNS && spent_ns < PREFILL_NS_MAX) {
        const uint64_t start_ns = clock_monotonic_ns();
        const enum status status = prefill(bench, (uint32_t)count % bench->batch, failure);
        if (status != STATUS_OK) {
            return status;
        }
        run_ns[count] = clock_monotonic_ns() - start_ns;
        spent_ns += run_ns[count++];
    }
    *seconds = median_seconds(run_ns, count);
    return STATUS_OK;
}

static enum status time_decode(struct bench *bench, double *seconds, struct failure *failure)
{
    const struct bench_settings *settings = bench->settings;
    for (uint32_t step = 0; step < settings->out_tokens; step++) {
        for (uint32_t i = 0; i < bench->batch; i++) {
            plan_rows(bench, i, settings->prompt_tokens + step, 1);
        }
        const struct engine_plan plan = {.sequences = bench->sequences,
                                         .sequence_count = bench->batch,
                                         .row_count = bench->batch};
        const uint64_t start_ns = clock_monotonic_ns();
        const enum status status = run_step(bench, &plan, failure);
        if (status != STATUS_OK) {
            return status;
        }
        bench->step_ns[step] = clock_monotonic_ns() - start_ns;
    }
    *seconds = median_seconds(bench->step_ns, settings->out_tokens);
    return STATUS_OK;
}

/* ---- what the work must cost ----------------------------------------------------------------- */

static double layer_parameters(const struct model_config *config)
{
    const double hidden = config->hidden_dim;
    const double attention = 2.0 * model_config_q_dim(config) + 2.0 * model_config_kv_dim(config);
    return hidden * (attention + 3.0 * config->ffn_dim);
}

/* Multiply-adds count as two; the head runs for the last row only. */
static double prefill_operations(const struct model_config *config, double tokens)
{
    const double keys = tokens * (tokens + 1) / 2;
    const double head = 2.0 * config->vocabulary_count * config->hidden_dim;
    return config->layer_count
               * (2.0 * layer_parameters(config) * tokens + 4.0 * model_config_q_dim(config) * keys)
           + head;
}

/* Every weight once, an embedding of its own only by rows, and each sequence's KV. */
static double decode_bytes(const struct bench *bench)
{
    const struct model_config *config = &bench->model->config;
    const struct weights *weights = bench->model->weights;
    const double embedding = (double)config->vocabulary_count * config->hidden_dim
                             * (double)dtype_bytes(weights->globals.embedding.dtype);
    const double context = bench->settings->prompt_tokens + bench->settings->out_tokens / 2.0;
    const double kv = (double)engine_choice_token_bytes(bench->engine);
    return (double)weights->bytes - (config->ties_embeddings ? 0 : embedding)
           + bench->batch * context * kv;
}

enum status bench_run(const struct model *model, const struct bench_settings *settings,
                      uint32_t batch, struct bench_row *out, struct failure *failure)
{
    const uint32_t context_tokens = settings->prompt_tokens + settings->out_tokens;
    struct bench bench = {
        .model = model,
        .settings = settings,
        .batch = batch,
        .context_tokens = context_tokens,
        .sequence_pages = (context_tokens + SOLO_PAGE_TOKENS - 1) / SOLO_PAGE_TOKENS,
        .sampling = solo_greedy(),
    };
    double prefill_seconds = 0;
    double decode_seconds = 0;
    enum status status = open_bench(&bench, failure);
    if (status == STATUS_OK) {
        plan_rows(&bench, 0, 0, 1); /* the first step brings weights into memory */
        const struct engine_plan warm_up = {
            .sequences = bench.sequences, .sequence_count = 1, .row_count = 1};
        status = run_step(&bench, &warm_up, failure);
    }
    if (status == STATUS_OK) {
        status = time_prefill(&bench, &prefill_seconds, failure);
    }
    if (status == STATUS_OK) {
        status = time_decode(&bench, &decode_seconds, failure);
    }
    if (status == STATUS_OK) {
        *out = (struct bench_row){
            .batch = batch,
            .device = engine_choice_device(bench.engine),
            .prefill_tokens_per_second = settings->prompt_tokens / prefill_seconds,
            .prefill_operations_per_second =
                prefill_operations(&model->config, settings->prompt_tokens) / prefill_seconds,
            .decode_tokens_per_second = batch / decode_seconds,
            .decode_bytes_per_second = decode_bytes(&bench) / decode_seconds,
            .copy_bytes_per_second = engine_choice_copy_speed(bench.engine),
        };
    }
    close_bench(&bench);
    return status;
}
