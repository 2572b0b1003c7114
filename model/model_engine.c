#include "model/model_engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "kernels/pages/pages.h"
#include "model/forward.h"
#include "model/rope_table.h"
#include "model/weights_expand.h"

enum { PAGE_TOKENS_MAX = 4096, ARENA_SLACK_BYTES = 64 * 16 };

struct model_engine {
    const struct model *model;
    struct engine_shape shape;
    struct forward forward;
    struct workers *workers;
    struct arena *arena;
    struct weights *expanded; /* NULL where the kernels read the model's own */
    void *kv;                 /* a mapping of kv_bytes */
    size_t kv_bytes;
    struct engine_plan plan; /* in flight */
    bool is_launched;
    /* of one step, from the arena */
    uint32_t *ids, *logit_rows;           /* [step_tokens_max] */
    struct attention_sequence *sequences; /* [step_sequences_max] */
    struct sample_row *samples;           /* [step_sequences_max] */
    struct sample_bias *biases;           /* [step_sequences_max][LIMIT_LOGIT_BIAS] */
    float *logits;                        /* [step_sequences_max][vocabulary] */
    void *scratch;
    enum model_engine_logits kept_which;
    float *kept; /* a mapping of kept_bytes, NULL until asked for */
    size_t kept_bytes;
};

_Static_assert(sizeof(struct page_id) == sizeof(uint32_t), "page lists are read as uint32_t");

/* ---- sizes ----------------------------------------------------------------------------------- */

/* Floats of one page in one layer's k or v pool. */
static size_t page_floats(const struct model_config *config, uint32_t page_tokens)
{
    return (size_t)model_config_kv_dim(config) * page_tokens;
}

uint64_t model_engine_page_bytes(const struct model_config *config, uint32_t page_tokens)
{
    return 2 * sizeof(float) * (uint64_t)config->layer_count * page_floats(config, page_tokens);
}

enum status model_engine_check_limits(const struct model_config *model,
                                      const struct engine_shape *asked, struct failure *failure)
{
    const struct {
        const char *setting;
        uint32_t value, min, max;
    } limits[] = {
        {"engine.page_tokens", asked->page_tokens, ATTENTION_TILE_TOKENS, PAGE_TOKENS_MAX},
        {"engine.step_tokens_max", asked->step_tokens_max, 1, LIMIT_STEP_TOKENS},
        {"engine.running_max", asked->step_sequences_max, 1, LIMIT_SEQUENCES},
        {"engine.context_tokens_max", asked->context_tokens_max, 0, model->context_tokens_max},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value < limits[i].min || limits[i].value > limits[i].max) {
            return fail(failure, STATUS_INVALID, "%s is %u, must be from %u to %u",
                        limits[i].setting, limits[i].value, limits[i].min, limits[i].max);
        }
    }
    if (asked->page_tokens % ATTENTION_TILE_TOKENS != 0) {
        return fail(failure, STATUS_INVALID, "engine.page_tokens is %u, must be a multiple of %d",
                    asked->page_tokens, ATTENTION_TILE_TOKENS);
    }
    return STATUS_OK;
}

/* How many pages kv_bytes holds and how long a sequence may become in them. */
static enum status choose_shape(const struct model *model, const struct model_engine_config *config,
                                struct engine_shape *out, struct failure *failure)
{
    const uint64_t page_bytes = model_engine_page_bytes(&model->config, config->page_tokens);
    const uint64_t page_count = config->kv_bytes / page_bytes;
    const uint64_t machine_bytes =
        (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    if (config->kv_bytes > machine_bytes) {
        return fail(failure, STATUS_IO,
                    "KV pages: %llu bytes are %llu more than this machine has: lower engine.kv_mib",
                    (unsigned long long)config->kv_bytes,
                    (unsigned long long)(config->kv_bytes - machine_bytes));
    }
    const uint64_t held_tokens = page_count * config->page_tokens;
    const bool is_chosen = config->context_tokens_max > 0;
    uint64_t context = is_chosen ? config->context_tokens_max : model->config.context_tokens_max;
    if (!is_chosen && page_count > 0 && context > held_tokens) {
        context = held_tokens;
    }
    const uint64_t wanted_pages = (context + config->page_tokens - 1) / config->page_tokens;
    if (page_count < wanted_pages) {
        return fail(failure, STATUS_IO,
                    "KV pages: %llu bytes are too few for one context of %llu tokens, %llu are "
                    "missing: raise engine.kv_mib or lower engine.context_tokens_max",
                    (unsigned long long)config->kv_bytes, (unsigned long long)context,
                    (unsigned long long)(wanted_pages * page_bytes - config->kv_bytes));
    }
    *out = (struct engine_shape){
        .page_count = page_count < UINT32_MAX ? (uint32_t)page_count : UINT32_MAX,
        .page_tokens = config->page_tokens,
        .context_tokens_max = (uint32_t)context,
        .step_tokens_max = config->step_tokens_max,
        .step_sequences_max = config->step_sequences_max,
        .vocabulary_count = model->config.vocabulary_count,
    };
    return STATUS_OK;
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Zero pages that cost nothing until touched; NULL: no memory. */
static void *map_bytes(size_t bytes)
{
    void *mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) {
        return NULL;
    }
    (void)madvise(mapping, bytes, MADV_HUGEPAGE); /* only a hint */
    return mapping;
}

static size_t arena_bytes(const struct model_engine *engine)
{
    const struct engine_shape *shape = &engine->shape;
    const struct model_config *config = &engine->model->config;
    const size_t sequence_bytes = sizeof(struct attention_sequence) + sizeof(struct sample_row)
                                  + LIMIT_LOGIT_BIAS * sizeof(struct sample_bias)
                                  + shape->vocabulary_count * sizeof(float)
                                  + sample_scratch_bytes(shape->vocabulary_count);
    const size_t floats = forward_workspace_floats(config, shape->step_tokens_max)
                          + rope_table_floats(config, shape->context_tokens_max);
    return floats * sizeof(float) + sizeof(uint32_t) * 2 * shape->step_tokens_max
           + shape->step_sequences_max * sequence_bytes + ARENA_SLACK_BYTES;
}

static enum status take_memory(struct model_engine *engine, struct failure *failure)
{
    const struct engine_shape *shape = &engine->shape;
    struct forward *forward = &engine->forward;
    const size_t rows = shape->step_tokens_max;
    const size_t sequences = shape->step_sequences_max;
    const size_t vocabulary = shape->vocabulary_count;
    if (arena_create(arena_bytes(engine), &engine->arena) != STATUS_OK) {
        return fail(failure, STATUS_IO,
                    "no memory for the %zu bytes of a step: lower engine.step_tokens_max or "
                    "engine.running_max",
                    arena_bytes(engine));
    }
    struct arena *arena = engine->arena;
    engine->ids = arena_take(arena, rows, sizeof *engine->ids);
    engine->logit_rows = arena_take(arena, rows, sizeof *engine->logit_rows);
    engine->sequences = arena_take(arena, sequences, sizeof *engine->sequences);
    engine->samples = arena_take(arena, sequences, sizeof *engine->samples);
    engine->biases = arena_take(arena, sequences, LIMIT_LOGIT_BIAS * sizeof *engine->biases);
    engine->logits = arena_take(arena, sequences, vocabulary * sizeof *engine->logits);
    engine->scratch = arena_take(arena, sequences, sample_scratch_bytes(shape->vocabulary_count));
    float *rope = arena_take(arena, rope_table_floats(forward->config, shape->context_tokens_max),
                             sizeof *rope);
    rope_table_fill(forward->config, shape->context_tokens_max, rope);
    forward->rope = rope;
    const size_t floats = forward_workspace_floats(forward->config, shape->step_tokens_max);
    forward_set_workspace(forward, arena_take(arena, floats, sizeof(float)),
                          shape->step_tokens_max);
    arena_seal(arena);
    engine->kv_bytes =
        (size_t)(shape->page_count * model_engine_page_bytes(forward->config, shape->page_tokens));
    engine->kv = map_bytes(engine->kv_bytes);
    if (!engine->kv) {
        return fail(failure, STATUS_IO, "no memory for %zu bytes of KV pages: lower engine.kv_mib",
                    engine->kv_bytes);
    }
    forward->kv = engine->kv;
    forward->pool_floats = shape->page_count * page_floats(forward->config, shape->page_tokens);
    return STATUS_OK;
}

enum status model_engine_create(const struct model *model, const struct model_engine_config *config,
                                struct model_engine **out, struct failure *failure)
{
    struct engine_shape shape;
    const struct engine_shape asked = {
        .page_tokens = config->page_tokens,
        .context_tokens_max = config->context_tokens_max,
        .step_tokens_max = config->step_tokens_max,
        .step_sequences_max = config->step_sequences_max,
    };
    enum status status = model_engine_check_limits(&model->config, &asked, failure);
    if (status == STATUS_OK) {
        status = choose_shape(model, config, &shape, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct model_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        return fail(failure, STATUS_IO, "no memory");
    }
    engine->model = model;
    engine->shape = shape;
    engine->forward = (struct forward){.config = &model->config,
                                       .weights = model->weights,
                                       .backend = config->backend,
                                       .page_tokens = shape.page_tokens};
    status = weights_expand(&model->config, model->weights, &engine->expanded, failure);
    if (engine->expanded) {
        engine->forward.weights = engine->expanded;
    }
    if (status == STATUS_OK) {
        status = take_memory(engine, failure);
    }
    if (status == STATUS_OK
        && workers_create(config->worker_count, &engine->workers) != STATUS_OK) {
        status = fail(failure, STATUS_IO, "cannot start %u worker threads: lower engine.threads",
                      config->worker_count);
    }
    if (status == STATUS_OK) {
        engine->forward.workers = engine->workers;
        *out = engine;
        engine = NULL; /* ownership moved to the caller */
    }
    model_engine_destroy(engine);
    return status;
}

static void unmap(void *mapping, size_t bytes)
{
    if (mapping) {
        (void)munmap(mapping, bytes);
    }
}

void model_engine_destroy(struct model_engine *engine)
{
    if (engine) {
        workers_destroy(engine->workers);
        arena_destroy(engine->arena);
        weights_close(engine->expanded);
        unmap(engine->kv, engine->kv_bytes);
        unmap(engine->kept, engine->kept_bytes);
        free(engine);
    }
}

/* ---- logits for tools ------------------------------------------------------------------------ */

enum status model_engine_keep_logits(struct model_engine *engine, enum model_engine_logits which)
{
    ASSERT(!engine->is_launched);
    const struct engine_shape *shape = &engine->shape;
    const size_t rows_of[] = {[MODEL_ENGINE_LOGITS_NONE] = 0,
                              [MODEL_ENGINE_LOGITS_SAMPLED] = shape->step_sequences_max,
                              [MODEL_ENGINE_LOGITS_EVERY] = shape->step_tokens_max};
    unmap(engine->kept, engine->kept_bytes);
    engine->kept = NULL;
    engine->kept_which = which;
    engine->kept_bytes = rows_of[which] * shape->vocabulary_count * sizeof *engine->kept;
    if (engine->kept_bytes > 0) {
        engine->kept = map_bytes(engine->kept_bytes);
    }
    return engine->kept_bytes == 0 || engine->kept ? STATUS_OK : STATUS_IO;
}

const float *model_engine_logits(const struct model_engine *engine)
{
    return engine->kept;
}

/* ---- a step ---------------------------------------------------------------------------------- */

static void scrub(const struct model_engine *engine)
{
    const struct forward *forward = &engine->forward;
    const struct engine_plan *plan = &engine->plan;
    for (uint32_t i = 0; i < plan->scrub_count; i++) {
        ASSERT(plan->scrub_pages[i].value < engine->shape.page_count);
    }
    if (plan->scrub_count > 0) {
        const size_t page_bytes =
            page_floats(forward->config, forward->page_tokens) * sizeof *forward->kv;
        const struct pages_scrub_args args = {
            .pools = {.kv = forward->kv,
                      .pool_bytes = forward->pool_floats * sizeof *forward->kv,
                      .page_bytes = page_bytes,
                      .pool_count = 2 * forward->config->layer_count},
            .pages = &plan->scrub_pages[0].value,
            .page_count = plan->scrub_count,
        };
        pages_scrub_reference(&args);
    }
}

static void check_sequence(const struct engine_shape *shape, const struct engine_sequence *sequence)
{
    const uint64_t end = (uint64_t)sequence->position_first + sequence->row_count;
    ASSERT(sequence->row_count >= 1 && !sequence->takes_sampled);
    ASSERT(end <= sequence->token_count && end <= shape->context_tokens_max);
    ASSERT((uint64_t)sequence->page_count * shape->page_tokens >= end);
    ASSERT(!sequence->samples || end == sequence->token_count);
    for (uint32_t i = 0; i < sequence->page_count; i++) {
        ASSERT(sequence->pages[i].value < shape->page_count);
    }
}

/* Lays the plan's rows one after another: ids, sequences, and the rows whose logits are wanted. */
static struct forward_batch lay_out(struct model_engine *engine)
{
    const struct engine_plan *plan = &engine->plan;
    const bool keeps_every = engine->kept_which == MODEL_ENGINE_LOGITS_EVERY;
    struct forward_batch batch = {.ids = engine->ids,
                                  .sequences = engine->sequences,
                                  .sequence_count = plan->sequence_count,
                                  .logit_rows = engine->logit_rows,
                                  .logits = keeps_every ? engine->kept : engine->logits};
    for (uint32_t i = 0; i < plan->sequence_count; i++) {
        const struct engine_sequence *sequence = &plan->sequences[i];
        check_sequence(&engine->shape, sequence);
        engine->sequences[i] =
            (struct attention_sequence){&sequence->pages[0].value, batch.row_count,
                                        sequence->row_count, sequence->position_first};
        for (uint32_t row = 0; row < sequence->row_count; row++) {
            const uint32_t id = sequence->tokens[sequence->position_first + row];
            ASSERT(id < engine->shape.vocabulary_count && batch.row_count < plan->row_count);
            if (keeps_every || (sequence->samples && row + 1 == sequence->row_count)) {
                engine->logit_rows[batch.logit_row_count++] = batch.row_count;
            }
            engine->ids[batch.row_count++] = id;
        }
    }
    ASSERT(batch.row_count == plan->row_count);
    return batch;
}

/* Sampling changes logits in place, so what is kept and what is sampled from are two copies. */
static void share_logits(struct model_engine *engine, const struct forward_batch *batch)
{
    const size_t vocabulary = engine->shape.vocabulary_count;
    const size_t row_bytes = vocabulary * sizeof *engine->logits;
    if (engine->kept_which == MODEL_ENGINE_LOGITS_SAMPLED) {
        memcpy(engine->kept, engine->logits, batch->logit_row_count * row_bytes);
    }
    if (engine->kept_which != MODEL_ENGINE_LOGITS_EVERY) {
        return;
    }
    size_t sample_index = 0;
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        const struct attention_sequence *rows = &batch->sequences[i];
        if (engine->plan.sequences[i].samples) {
            const size_t last_row = (size_t)rows->row_first + rows->row_count - 1;
            memcpy(engine->logits + vocabulary * sample_index++,
                   engine->kept + vocabulary * last_row, row_bytes);
        }
    }
}

static struct sample_row sample_for(const struct engine_sequence *sequence,
                                    struct sample_bias *biases, struct engine_token *out)
{
    const struct engine_sampling *sampling = sequence->sampling;
    ASSERT(sampling->bias_count <= LIMIT_LOGIT_BIAS);
    ASSERT(sampling->top_logprobs_count <= LIMIT_TOP_LOGPROBS);
    for (uint32_t i = 0; i < sampling->bias_count; i++) {
        biases[i] = (struct sample_bias){sampling->bias[i].id, sampling->bias[i].value};
    }
    return (struct sample_row){
        .tokens = sequence->tokens,
        .token_count = sequence->token_count,
        .prompt_count = sequence->prompt_count,
        .bias = biases,
        .bias_count = sampling->bias_count,
        .temperature = sampling->temperature,
        .top_p = sampling->top_p,
        .min_p = sampling->min_p,
        .top_k = sampling->top_k,
        .presence_penalty = sampling->presence_penalty,
        .frequency_penalty = sampling->frequency_penalty,
        .repetition_penalty = sampling->repetition_penalty,
        .seed = sampling->seed,
        .position = sequence->token_count,
        .top_logprobs_count = sampling->top_logprobs_count,
        .top_ids = out->top_ids,
        .top_logprobs = out->top_logprobs,
    };
}

static void sample(struct model_engine *engine, struct engine_token *out)
{
    const struct engine_plan *plan = &engine->plan;
    const size_t vocabulary = engine->shape.vocabulary_count;
    uint32_t row_count = 0;
    for (uint32_t i = 0; i < plan->sequence_count; i++) {
        if (plan->sequences[i].samples) {
            struct sample_bias *biases = engine->biases + (size_t)row_count * LIMIT_LOGIT_BIAS;
            engine->samples[row_count] = sample_for(&plan->sequences[i], biases, &out[i]);
            engine->samples[row_count].logits = engine->logits + vocabulary * row_count;
            row_count++;
        }
    }
    const struct sample_args args = {engine->samples, row_count, engine->shape.vocabulary_count,
                                     engine->scratch};
    engine->forward.backend->sample(&args, engine->workers);
    row_count = 0;
    for (uint32_t i = 0; i < plan->sequence_count; i++) {
        if (plan->sequences[i].samples) {
            out[i].id = engine->samples[row_count].id;
            out[i].logprob = engine->samples[row_count].logprob;
            out[i].top_count = engine->samples[row_count].top_logprobs_count;
            row_count++;
        }
    }
}

static enum status launch(void *self, const struct engine_plan *plan)
{
    struct model_engine *engine = self;
    ASSERT(!engine->is_launched);
    ASSERT(plan->sequence_count <= engine->shape.step_sequences_max);
    ASSERT(plan->row_count <= engine->shape.step_tokens_max);
    engine->plan = *plan;
    engine->is_launched = true;
    return STATUS_OK;
}

/* A CPU has nothing to run beside the caller, so the work is done here. */
static enum status settle(void *self, struct engine_token *out)
{
    struct model_engine *engine = self;
    ASSERT(engine->is_launched);
    engine->is_launched = false;
    scrub(engine);
    if (engine->plan.row_count > 0) {
        const struct forward_batch batch = lay_out(engine);
        forward_run(&engine->forward, &batch);
        share_logits(engine, &batch);
        sample(engine, out);
    }
    return STATUS_OK;
}

struct engine model_engine_interface(struct model_engine *engine)
{
    return (struct engine){
        .self = engine, .shape = engine->shape, .launch = launch, .settle = settle};
}
