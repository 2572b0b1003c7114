#include "tests/model/gpu/support_engines.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "model/model_family.h"

_Noreturn static void stop(const char *what, const char *text)
{
    fprintf(stderr, "support: %s: %s\n", what, text);
    exit(1);
}

struct model *support_random_model(void)
{
    struct failure failure = {""};
    struct model *model = calloc(1, sizeof *model);
    if (!model) {
        stop("model", "no memory");
    }
    model->config = family_llama.defaults;
    model->config.vocabulary_count = 300;
    model->config.hidden_dim = 72;
    model->config.ffn_dim = 100;
    model->config.layer_count = 2;
    model->config.head_count = 4;
    model->config.kv_head_count = 2;
    model->config.head_dim = 16;
    model->config.context_tokens_max = 512;
    if (weights_make_random(&model->config, 7, &model->weights, &failure) != STATUS_OK) {
        stop("weights", failure.text);
    }
    return model;
}

void support_random_close(struct model *model)
{
    weights_close(model->weights);
    free(model);
}

/* ---- the CPU engine with rounded activations ------------------------------------------------- */

static enum dtype rounding;

static void round_all(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = rounding == DTYPE_F16 ? dtype_f16_to_float(dtype_f16_from_float(values[i]))
                                          : dtype_bf16_to_float(dtype_bf16_from_float(values[i]));
    }
}

static void rounded_rms_norm(const struct rms_norm_args *args, struct workers *workers)
{
    backend_reference.rms_norm(args, workers);
    round_all(args->out, (size_t)args->row_count * args->dim);
}

/* q,k,v are stored; gate and up are not, they go into their activation as they are. */
static void rounded_matmul(const struct matmul_args *args, struct workers *workers)
{
    backend_reference.matmul(args, workers);
    for (uint32_t i = 0; args->part_count == 3 && i < 3; i++) {
        round_all(args->parts[i].out, (size_t)args->row_count * args->parts[i].out_stride);
    }
}

/* What stands in a page already is rounded, so all of it may be rounded again. */
static void rounded_rope_kv(const struct rope_kv_args *args, struct workers *workers)
{
    backend_reference.rope_kv(args, workers);
    const size_t page_floats = (size_t)args->kv_head_count * args->page_tokens * args->head_dim;
    const size_t q_dim = (size_t)args->head_count * args->head_dim;
    for (uint32_t i = 0; i < args->sequence_count; i++) {
        const struct attention_sequence *sequence = &args->sequences[i];
        const uint32_t end = sequence->position_first + sequence->row_count;
        round_all(args->q + sequence->row_first * q_dim, sequence->row_count * q_dim);
        for (uint32_t page = 0; page * args->page_tokens < end; page++) {
            round_all(args->k_pages + sequence->pages[page] * page_floats, page_floats);
        }
    }
}

static void rounded_attention(const struct attention_args *args, struct workers *workers)
{
    backend_reference.attention(args, workers);
    const size_t q_dim = (size_t)args->head_count * args->head_dim;
    for (uint32_t i = 0; i < args->sequence_count; i++) {
        round_all(args->out + args->sequences[i].row_first * q_dim,
                  args->sequences[i].row_count * q_dim);
    }
}

static void rounded_swiglu(const struct swiglu_args *args, struct workers *workers)
{
    backend_reference.swiglu(args, workers);
    round_all(args->out, (size_t)args->row_count * args->dim);
}

const struct backend *support_rounding_backend(enum dtype dtype)
{
    static struct backend backend;
    rounding = dtype;
    backend = backend_reference;
    backend.rms_norm = rounded_rms_norm;
    backend.matmul = rounded_matmul;
    backend.rope_kv = rounded_rope_kv;
    backend.attention = rounded_attention;
    backend.swiglu = rounded_swiglu;
    return &backend;
}

/* ---- engines --------------------------------------------------------------------------------- */

struct model_engine *support_rounding_engine(const struct model *model, enum dtype dtype)
{
    struct failure failure = {""};
    struct model_engine *engine = NULL;
    const struct model_engine_config config = {
        .page_tokens = SUPPORT_PAGE_TOKENS,
        .kv_bytes = SUPPORT_PAGES * model_engine_page_bytes(&model->config, SUPPORT_PAGE_TOKENS),
        .context_tokens_max = SUPPORT_TOKENS_MAX,
        .step_tokens_max = SUPPORT_STEP_TOKENS,
        .step_sequences_max = 8,
        .worker_count = 1,
        .backend = support_rounding_backend(dtype),
    };
    if (model_engine_create(model, &config, &engine, &failure) != STATUS_OK) {
        stop("CPU engine", failure.text);
    }
    return engine;
}

struct gpu_engine_config support_gpu_config(const struct model *model, uint32_t gpu_index)
{
    return (struct gpu_engine_config){
        .gpu_index = gpu_index,
        .page_tokens = SUPPORT_PAGE_TOKENS,
        .kv_bytes =
            SUPPORT_PAGES * gpu_engine_page_bytes(model, SUPPORT_PAGE_TOKENS, GPU_ENGINE_KV_AUTO),
        .context_tokens_max = SUPPORT_TOKENS_MAX,
        .step_tokens_max = SUPPORT_STEP_TOKENS,
        .step_sequences_max = 8,
    };
}

struct gpu_engine *support_gpu_engine(const struct model *model,
                                      const struct gpu_engine_config *config)
{
    struct failure failure = {""};
    struct gpu_engine *engine = NULL;
    if (gpu_engine_create(model, config, &engine, &failure) != STATUS_OK) {
        stop("GPU engine", failure.text);
    }
    return engine;
}

/* ---- sequences ------------------------------------------------------------------------------- */

void support_run_begin(struct support_run *run, uint64_t seed, uint32_t prompt_count,
                       uint32_t page_first)
{
    struct random_source random = {seed};
    *run = (struct support_run){.token_count = prompt_count, .prompt_count = prompt_count};
    for (uint32_t i = 0; i < prompt_count; i++) {
        run->tokens[i] = random_below(&random, 300);
    }
    for (uint32_t i = 0; i < SUPPORT_SEQUENCE_PAGES; i++) { /* neither in a row nor rising */
        run->pages[i].value = (page_first + i * 13) % SUPPORT_PAGES;
    }
    run->sampling = (struct engine_sampling){.top_p = 1.0F, .repetition_penalty = 1.0F};
}

struct engine_sequence support_run_next(const struct support_run *run, uint32_t row_count_max)
{
    const uint32_t left = run->token_count - run->computed_count;
    const uint32_t rows = left < row_count_max ? left : row_count_max;
    return (struct engine_sequence){
        .tokens = run->tokens,
        .token_count = run->token_count,
        .prompt_count = run->prompt_count,
        .position_first = run->computed_count,
        .row_count = rows,
        .pages = run->pages,
        .page_count = SUPPORT_SEQUENCE_PAGES,
        .sampling = &run->sampling,
        .samples = rows == left,
    };
}

void support_run_settle(struct support_run *run, const struct engine_sequence *rows,
                        const struct engine_token *token)
{
    run->computed_count += rows->row_count;
    if (rows->samples) {
        run->tokens[run->token_count++] = token->id;
    }
}

struct engine_plan support_plan(const struct engine_sequence *sequences, uint32_t count)
{
    struct engine_plan plan = {.sequences = sequences, .sequence_count = count};
    for (uint32_t i = 0; i < count; i++) {
        plan.row_count += sequences[i].row_count;
    }
    return plan;
}

void support_step_on(const struct engine *engine, const struct engine_plan *plan,
                     struct engine_token *tokens)
{
    if (engine->launch(engine->self, plan) != STATUS_OK
        || engine->settle(engine->self, tokens) != STATUS_OK) {
        stop("step", "the engine is lost");
    }
}
