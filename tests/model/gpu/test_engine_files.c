/* Method: the committed models (every kind of attention, bias, rope and number format that they
 * have) and the demo model, from their files, on interpreted kernels or a GPU: logits of a prompt
 * and of a few greedy tokens against the CPU engine with its activations rounded where the GPU
 * rounds, as in test_engine.c. Matrices in f32 are rounded for the CPU as the GPU does at load. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/model/gpu/support_engines.h"
#include "tests/model/support_model.h"

enum { PROMPT_TOKENS = 19, OUT_TOKENS = 3, COPIES_MAX = 256 };

/* The largest error seen is half of this, with a hidden_size of 28. */
static const float LOGIT_TOLERANCE = 0.02F;

static void *copies[COPIES_MAX];
static size_t copy_count;

/* Replaces an f32 matrix by one whose numbers are bf16. */
static void round_matrix(struct weights_tensor *tensor, size_t rows, size_t columns)
{
    if (tensor->dtype != DTYPE_F32 || copy_count == COPIES_MAX) {
        return;
    }
    float *rounded = malloc(rows * columns * sizeof *rounded);
    CHECK(rounded, "memory");
    for (size_t i = 0; rounded && i < rows * columns; i++) {
        const float value = dtype_load(tensor->data, DTYPE_F32, i);
        rounded[i] = dtype_bf16_to_float(dtype_bf16_from_float(value));
    }
    copies[copy_count++] = rounded;
    tensor->data = rounded;
}

static void round_matrices(struct model *model)
{
    const struct model_config *config = &model->config;
    const size_t q_dim = model_config_q_dim(config);
    const size_t kv_dim = model_config_kv_dim(config);
    for (uint32_t i = 0; i < config->layer_count; i++) {
        struct weights_layer *layer = &model->weights->layers[i];
        round_matrix(&layer->q, q_dim, config->hidden_dim);
        round_matrix(&layer->k, kv_dim, config->hidden_dim);
        round_matrix(&layer->v, kv_dim, config->hidden_dim);
        round_matrix(&layer->o, config->hidden_dim, q_dim);
        round_matrix(&layer->gate, config->ffn_dim, config->hidden_dim);
        round_matrix(&layer->up, config->ffn_dim, config->hidden_dim);
        round_matrix(&layer->down, config->hidden_dim, config->ffn_dim);
    }
    round_matrix(&model->weights->globals.lm_head, config->vocabulary_count, config->hidden_dim);
}

static void free_copies(void)
{
    while (copy_count > 0) {
        free(copies[--copy_count]);
    }
}

static float largest_error(const float *got, const float *wanted, uint32_t count, float *highest)
{
    float error = 0;
    float size = 0;
    *highest = wanted[0];
    for (uint32_t i = 0; i < count; i++) {
        const float difference = fabsf(got[i] - wanted[i]);
        error = difference > error || isnan(difference) ? difference : error;
        size = fmaxf(size, fabsf(wanted[i]));
        *highest = fmaxf(*highest, wanted[i]);
    }
    return error / size;
}

struct pair {
    struct gpu_engine *gpu;
    struct model_engine *cpu;
    struct engine on_gpu, on_cpu;
    float worst;
};

/* One step on both; the CPU goes on with the GPU's token. */
static void step_both(struct pair *pair, struct support_run *run, const char *name)
{
    const struct engine_sequence rows = support_run_next(run, SUPPORT_STEP_TOKENS);
    const struct engine_plan plan = support_plan(&rows, 1);
    const uint32_t vocabulary = pair->on_cpu.shape.vocabulary_count;
    struct engine_token token, cpu_token;
    support_step_on(&pair->on_gpu, &plan, &token);
    support_step_on(&pair->on_cpu, &plan, &cpu_token);
    const float *wanted = model_engine_logits(pair->cpu);
    float highest = 0;
    const float error = largest_error(gpu_engine_logits(pair->gpu), wanted, vocabulary, &highest);
    pair->worst = error > pair->worst || isnan(error) ? error : pair->worst;
    CHECK(error <= LOGIT_TOLERANCE, "%s: off by %g of the largest", name, (double)error);
    CHECK(token.id == cpu_token.id
              || wanted[token.id] >= highest - 2 * LOGIT_TOLERANCE * fabsf(highest),
          "%s: drew %u, the CPU %u", name, token.id, cpu_token.id);
    support_run_settle(run, &rows, &token);
}

static void check_model(const char *directory, const char *name)
{
    struct model *model = support_open(directory);
    round_matrices(model);
    struct gpu_engine_config config = support_gpu_config(model, 0);
    struct pair pair = {
        .gpu = support_gpu_engine(model, &config),
        .cpu = support_rounding_engine(
            model, model->weights->layers[0].q.dtype == DTYPE_F16 ? DTYPE_F16 : DTYPE_BF16)};
    pair.on_gpu = gpu_engine_interface(pair.gpu);
    pair.on_cpu = model_engine_interface(pair.cpu);
    CHECK(gpu_engine_keep_logits(pair.gpu, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "keep");
    CHECK(model_engine_keep_logits(pair.cpu, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "keep");
    struct support_run run;
    support_run_begin(&run, 31, PROMPT_TOKENS, 5);
    for (uint32_t i = 0; i < PROMPT_TOKENS; i++) {
        run.tokens[i] %= model->config.vocabulary_count;
    }
    for (uint32_t i = 0; i < OUT_TOKENS; i++) {
        step_both(&pair, &run, name);
    }
    printf("%s: logits within %.5f of the largest\n", name, (double)pair.worst);
    gpu_engine_destroy(pair.gpu);
    model_engine_destroy(pair.cpu);
    support_close(model);
    free_copies();
}

static void committed_models_agree(void)
{
    static const char *const names[] = {"bias-linear-sharded-f32", "mha-f32", "mqa-llama3-f16",
                                        "rope-parameters-bf16"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        check_model(support_fixture(names[i]), names[i]);
    }
}

/* head_dim 12 and 20: the server takes the CPU for them, where it may. */
static void what_has_no_kernel_is_named(void)
{
    static const char *const names[] = {"few-fields-f16", "gqa-tied-bf16"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct model *model = support_open(support_fixture(names[i]));
        struct gpu_engine_config config = support_gpu_config(model, 0);
        struct failure failure = {""};
        struct gpu_engine *engine = NULL;
        const enum status status = gpu_engine_create(model, &config, &engine, &failure);
        CHECK(status == STATUS_UNSUPPORTED, "%s: %s", names[i], status_name(status));
        CHECK(strstr(failure.text, "head_dim"), "%s: %s", names[i], failure.text);
        gpu_engine_destroy(engine);
        support_close(model);
    }
}

static void the_demo_model_agrees(void)
{
    check_model(WARD_SOURCE_DIR "/demo/model", "demo");
}

CHECK_MAIN(committed_models_agree, what_has_no_kernel_is_named, the_demo_model_agrees)
