/* bench_engine.c - the whole engine behind the scheduler, on random weights of an 8B shape
 * (Llama-3.1-8B): decoding at 1k of context, time to first token, a mixed load, idle share, start.
 * Floors: the weights but for the embedding and the KV of the batch, read once a step at copy
 * bandwidth; for a prompt its operations at the bf16 peak. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/random.h"
#include "bench/gpu/bench.h"
#include "model/gpu/gpu_engine.h"
#include "model/model.h"
#include "model/model_family.h"
#include "scheduler/scheduler.h"

enum { STEPS_MAX = 4096, SEQUENCES_MAX = 256, CONTEXT_MAX = 8192, TINY_CONTEXT_MAX = 128 };
enum { DECODE_CONTEXT = 1024, DECODE_TOKENS = 48, PROMPT = 2048, MIXED_REQUESTS = 256 };

struct load {
    struct bench *bench;
    const struct model *model;
    struct engine engine;
    struct arena *arena;
    struct scheduler *scheduler;
    struct scheduler_event *events;
    struct engine_token *tokens;
    uint32_t *prompt;
    struct random_source random;
    uint64_t id;
    double step_seconds[STEPS_MAX]; /* of the steps that were asked about */
    uint32_t step_count;
    struct engine_times times; /* of these steps */
    uint64_t output_tokens;
};

/* ---- driving --------------------------------------------------------------------------------- */

static enum status submit(struct load *load, uint32_t prompt_count, uint32_t output_max)
{
    const uint32_t vocabulary = load->engine.shape.vocabulary_count;
    for (uint32_t i = 0; i < prompt_count; i++) {
        load->prompt[i] = random_below(&load->random, vocabulary);
    }
    const struct scheduler_request request = {
        .id = {++load->id},
        .tenant = {1},
        .prompt_count = prompt_count,
        .output_max = output_max,
        .sampling = {.temperature = 0.8F,
                     .top_p = 0.95F,
                     .top_k = 50,
                     .repetition_penalty = 1.0F,
                     .seed = load->id},
    };
    return scheduler_submit(load->scheduler, &request, load->prompt);
}

static struct engine_times times_of(const struct load *load)
{
    struct engine_times times = {0, 0};
    if (load->engine.times) {
        load->engine.times(load->engine.self, &times);
    }
    return times;
}

/* One step. A step of row_count rows, one each, is kept in step_seconds; 0: none is. */
static enum status step(struct load *load, const struct engine_plan *plan, uint32_t row_count)
{
    const struct engine_times before = times_of(load);
    const uint64_t start_ns = clock_monotonic_ns();
    enum status status = load->engine.launch(load->engine.self, plan);
    status = status ? status : load->engine.settle(load->engine.self, load->tokens);
    const bool is_kept = plan->row_count == row_count && plan->sequence_count == row_count;
    const uint32_t count = scheduler_settle(load->scheduler, status, load->tokens, load->events);
    for (uint32_t i = 0; i < count; i++) {
        load->output_tokens += load->events[i].kind == SCHEDULER_EVENT_TOKEN;
    }
    if (is_kept && load->step_count < STEPS_MAX) {
        const struct engine_times after = times_of(load);
        load->step_seconds[load->step_count++] = (double)(clock_monotonic_ns() - start_ns) / 1e9;
        load->times.busy_ns += after.busy_ns - before.busy_ns;
        load->times.idle_ns += after.idle_ns - before.idle_ns;
    }
    return status;
}

/* Until nothing is left to do. */
static enum status drive(struct load *load, uint32_t kept_rows)
{
    struct engine_plan plan;
    enum status status = STATUS_OK;
    load->step_count = 0;
    load->output_tokens = 0;
    load->times = (struct engine_times){0, 0};
    while (status == STATUS_OK && scheduler_plan(load->scheduler, &plan)) {
        status = step(load, &plan, kept_rows);
    }
    return status;
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_step(struct load *load)
{
    if (load->step_count == 0) {
        return 0;
    }
    qsort(load->step_seconds, load->step_count, sizeof(double), by_value);
    return load->step_seconds[load->step_count / 2];
}

/* ---- floors ---------------------------------------------------------------------------------- */

static double matrix_elements(const struct model_config *config)
{
    const double hidden = config->hidden_dim;
    const double layer = hidden
                         * (2.0 * model_config_q_dim(config) + 2.0 * model_config_kv_dim(config)
                            + 3.0 * config->ffn_dim);
    return layer * config->layer_count + hidden * config->vocabulary_count;
}

static double decode_floor(const struct load *load, uint32_t sequences, uint32_t context)
{
    const struct model_config *config = &load->model->config;
    const double kv = 4.0 * model_config_kv_dim(config) * config->layer_count * context * sequences;
    return (2.0 * matrix_elements(config) + kv) / load->bench->copy_bytes_s;
}

static double prompt_floor(const struct load *load, uint32_t tokens)
{
    const struct model_config *config = &load->model->config;
    const double head = (double)config->hidden_dim * config->vocabulary_count;
    const double attention =
        4.0 * model_config_q_dim(config) * config->layer_count * tokens * (tokens + 1.0) / 2;
    return (2.0 * (matrix_elements(config) - head) * tokens + attention)
           / load->bench->bf16_operations_s;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static enum status decode(struct load *load, uint32_t sequences, const char *suffix,
                          double *tokens_s)
{
    const bool is_tiny = load->bench->is_tiny;
    const uint32_t context = is_tiny ? 24 : DECODE_CONTEXT;
    const uint32_t tokens = is_tiny ? 4 : DECODE_TOKENS;
    char key[TABLE_KEY_BYTES];
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < sequences && status == STATUS_OK; i++) {
        status = submit(load, context, tokens + sequences); /* the first are not done too early */
    }
    status = status ? status : drive(load, sequences);
    const double seconds = median_step(load);
    *tokens_s = seconds > 0 ? sequences / seconds : 0;
    if (status == STATUS_OK) {
        snprintf(key, sizeof key, "engine decode %u%s", sequences, suffix);
        table_add(&load->bench->table, key, TABLE_TOKENS_S, *tokens_s,
                  sequences / decode_floor(load, sequences, context + tokens / 2));
        const double both = (double)(load->times.busy_ns + load->times.idle_ns);
        if (both > 0) {
            snprintf(key, sizeof key, "engine idle %u%s", sequences, suffix);
            table_add(&load->bench->table, key, TABLE_PERCENT,
                      100.0 * (double)load->times.idle_ns / both, 0);
        }
    }
    return status;
}

static enum status first_token(struct load *load)
{
    const uint32_t prompt = load->bench->is_tiny ? 40 : PROMPT;
    double seconds[5] = {0};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < 5 && status == STATUS_OK; i++) {
        status = submit(load, prompt, 1);
        const uint64_t start_ns = clock_monotonic_ns();
        status = status ? status : drive(load, 0);
        seconds[i] = (double)(clock_monotonic_ns() - start_ns) / 1e9;
    }
    if (status == STATUS_OK) {
        char key[TABLE_KEY_BYTES];
        qsort(seconds, 5, sizeof(double), by_value);
        snprintf(key, sizeof key, "engine first token %u", prompt);
        table_add(&load->bench->table, key, TABLE_MS, 1e3 * seconds[2],
                  1e3 * prompt_floor(load, prompt));
    }
    return status;
}

/* Requests of many lengths at once: prompts of 1/16 to all of 2k, answers of 32 to 256 tokens. */
static enum status mixed(struct load *load)
{
    const bool is_tiny = load->bench->is_tiny;
    const uint32_t prompt_max = is_tiny ? 64 : PROMPT, requests = is_tiny ? 4 : MIXED_REQUESTS;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < requests && status == STATUS_OK; i++) {
        const uint32_t most = prompt_max >> random_below(&load->random, 4);
        const uint32_t prompt = most / 2 + random_below(&load->random, most / 2);
        status = submit(load, prompt, is_tiny ? 3 : 32 + random_below(&load->random, 225));
    }
    const uint64_t start_ns = clock_monotonic_ns();
    status = status ? status : drive(load, 0);
    const double seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
    if (status == STATUS_OK) {
        table_add(&load->bench->table, "engine mixed load", TABLE_TOKENS_S,
                  (double)load->output_tokens / seconds, 0);
    }
    return status;
}

static enum status run(struct load *load, bool is_library, double *decoded_64)
{
    static const uint32_t counts[] = {1, 16, 64, 256};
    static const uint32_t tiny_counts[] = {1, 2, 3, 4};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < 4 && status == STATUS_OK; i++) {
        double tokens_s = 0;
        if (!is_library || i == 2) {
            status = decode(load, (load->bench->is_tiny ? tiny_counts : counts)[i],
                            is_library ? " fastest" : "", &tokens_s);
        }
        *decoded_64 = i == 2 ? tokens_s : *decoded_64;
    }
    if (!is_library) {
        status = status ? status : first_token(load);
        status = status ? status : mixed(load);
    }
    return status;
}

/* ---- create and destroy ---------------------------------------------------------------------- */

static enum status open_scheduler(struct load *load)
{
    const struct engine_shape *shape = &load->engine.shape;
    const struct scheduler_config config = {
        .shape = *shape,
        .sequences_max = SEQUENCES_MAX,
        .running_max = shape->step_sequences_max,
        .tenant_queued_max = SEQUENCES_MAX,
        .tenant_pages_max = shape->page_count,
        .tenant_count = 1,
    };
    const enum status status = arena_create(scheduler_arena_bytes(&config), &load->arena);
    if (status == STATUS_OK) {
        load->scheduler = scheduler_create(load->arena, &config);
        load->events = calloc(scheduler_events_max(load->scheduler), sizeof *load->events);
        load->tokens = calloc(shape->step_sequences_max, sizeof *load->tokens);
        load->prompt = calloc(shape->context_tokens_max, sizeof *load->prompt);
        ASSERT(load->events && load->tokens && load->prompt);
    }
    return status;
}

static void close_load(struct load *load)
{
    arena_destroy(load->arena);
    free(load->events);
    free(load->tokens);
    free(load->prompt);
    free(load);
}

/* Builds an engine, runs its rows, gives it back. */
static enum status run_engine(struct bench *bench, const struct model *model, bool is_library,
                              double *decoded_64, struct failure *failure)
{
    const struct gpu_engine_config config = {
        .page_tokens = 16,
        .memory_fraction = 0.9,
        .kv_bytes = bench->is_tiny ? (uint64_t)1 << 20 : 0,
        .context_tokens_max = bench->is_tiny ? TINY_CONTEXT_MAX : CONTEXT_MAX,
        .step_tokens_max = bench->is_tiny ? 64 : 4096,
        .step_sequences_max = bench->is_tiny ? 4 : SEQUENCES_MAX,
        .uses_library = is_library,
        .uses_graphs = true,
    };
    struct gpu_engine *engine = NULL;
    struct load *load = calloc(1, sizeof *load);
    ASSERT(load);
    const uint64_t start_ns = clock_monotonic_ns();
    enum status status = gpu_engine_create(model, &config, &engine, failure);
    if (status == STATUS_OK) {
        load->bench = bench;
        load->model = model;
        load->engine = gpu_engine_interface(engine);
        load->random = (struct random_source){1};
        table_add(&bench->table, is_library ? "engine start fastest" : "engine start",
                  TABLE_SECONDS, (double)(clock_monotonic_ns() - start_ns) / 1e9, 0);
        status = open_scheduler(load);
        status = status ? status : run(load, is_library, decoded_64);
        if (status != STATUS_OK) {
            fail(failure, status, "engine: %s", gpu_failure_text(gpu_engine_device(engine)));
        }
    }
    close_load(load);
    gpu_engine_destroy(engine);
    return status;
}

enum status bench_engine(struct bench *bench, struct failure *failure)
{
    struct model_config config = family_llama.defaults;
    config.vocabulary_count = bench->is_tiny ? 100 : 128256;
    config.hidden_dim = bench->is_tiny ? 64 : 4096;
    config.ffn_dim = bench->is_tiny ? 172 : 14336;
    config.layer_count = bench->is_tiny ? 2 : 32;
    config.head_count = bench->is_tiny ? 4 : 32;
    config.kv_head_count = bench->is_tiny ? 2 : 8;
    config.head_dim = bench->is_tiny ? 16 : 128;
    config.context_tokens_max = bench->is_tiny ? TINY_CONTEXT_MAX : CONTEXT_MAX;
    config.rope.theta = 500000;
    struct model model = {.config = config, .name = "random-8b"}; /* no tokenizer, no template */
    double invariant = 0, fastest = 0;
    enum status status = weights_make_random(&model.config, 1, &model.weights, failure);
    status = status ? status : run_engine(bench, &model, false, &invariant, failure);
    if (status == STATUS_OK) {
        const enum status with_library = run_engine(bench, &model, true, &fastest, failure);
        if (with_library == STATUS_UNSUPPORTED || with_library == STATUS_NOT_FOUND) {
            fprintf(stderr, "engine with kernels.matmul fastest left out: %s\n", failure->text);
        } else {
            status = with_library;
        }
    }
    if (status == STATUS_OK && fastest > 0) {
        table_add(&bench->table, "engine invariant times fastest 64", TABLE_TOKENS_S,
                  invariant / fastest, 1);
    }
    weights_close(model.weights);
    return status;
}
