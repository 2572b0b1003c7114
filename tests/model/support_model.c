#include "tests/model/support_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_TOKENS = 16, PATH_BYTES = 1024 };

_Noreturn static void stop(const char *what, const struct failure *failure)
{
    fprintf(stderr, "support: %s: %s\n", what, failure ? failure->text : "");
    exit(1);
}

static const char *existing(const char *base, const char *name)
{
    static char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", base, name);
    return access(path, R_OK) == 0 ? path : NULL;
}

const char *support_fixture(const char *name)
{
    return existing(WARD_SOURCE_DIR "/tests/fixtures/models", name);
}

const char *support_data(const char *path)
{
    const char *base = getenv("WARD_TEST_DATA");
    return existing(base ? base : WARD_SOURCE_DIR "/../shared/data", path);
}

json_t *support_json(const char *directory, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (!root) {
        stop(path, NULL);
    }
    return root;
}

struct model *support_open(const char *directory)
{
    struct failure failure = {""};
    struct model *model = calloc(1, sizeof *model);
    if (!model || model_config_read(directory, &model->config, &failure) != STATUS_OK
        || weights_open(directory, &model->config, &model->weights, &failure) != STATUS_OK) {
        stop(directory, &failure);
    }
    return model;
}

void support_close(struct model *model)
{
    weights_close(model->weights);
    free(model);
}

struct model_engine *support_engine(const struct model *model, const struct backend *backend,
                                    uint32_t step_tokens_max, uint32_t step_sequences_max)
{
    struct failure failure = {""};
    struct model_engine *engine = NULL;
    const struct model_engine_config config = {
        .page_tokens = PAGE_TOKENS,
        .kv_bytes = 256 * model_engine_page_bytes(&model->config, PAGE_TOKENS),
        .context_tokens_max = 512,
        .step_tokens_max = step_tokens_max,
        .step_sequences_max = step_sequences_max,
        .backend = backend,
    };
    if (model_engine_create(model, &config, &engine, &failure) != STATUS_OK) {
        stop("engine", &failure);
    }
    return engine;
}

struct engine_sampling support_greedy(void)
{
    return (struct engine_sampling){.top_p = 1.0F, .repetition_penalty = 1.0F};
}

struct engine_sequence support_next(const struct support_sequence *sequence, uint32_t row_count_max)
{
    const uint32_t left = sequence->token_count - sequence->computed_count;
    const uint32_t rows = left < row_count_max ? left : row_count_max;
    return (struct engine_sequence){
        .tokens = sequence->tokens,
        .token_count = sequence->token_count,
        .prompt_count = sequence->prompt_count,
        .position_first = sequence->computed_count,
        .row_count = rows,
        .pages = sequence->pages,
        .page_count = sequence->page_count,
        .sampling = &sequence->sampling,
        .samples = rows == left,
    };
}

void support_step(struct model_engine *engine, const struct engine_sequence *sequences,
                  uint32_t count, struct engine_token *tokens)
{
    struct engine_plan plan = {.sequences = sequences, .sequence_count = count};
    for (uint32_t i = 0; i < count; i++) {
        plan.row_count += sequences[i].row_count;
    }
    const struct engine interface = model_engine_interface(engine);
    if (interface.launch(interface.self, &plan) != STATUS_OK
        || interface.settle(interface.self, tokens) != STATUS_OK) {
        stop("step", NULL);
    }
}

void support_generate(struct model_engine *engine, uint32_t *tokens, uint32_t prompt_count,
                      uint32_t out_count, struct engine_token *all)
{
    struct page_id pages[32];
    for (uint32_t i = 0; i < 32; i++) {
        pages[i].value = i;
    }
    struct support_sequence sequence = {tokens, prompt_count, prompt_count,    0,
                                        pages,  32,           support_greedy()};
    sequence.sampling.top_logprobs_count = all ? 5 : 0;
    const uint32_t chunk = model_engine_interface(engine).shape.step_tokens_max;
    while (sequence.token_count < prompt_count + out_count) {
        const struct engine_sequence next = support_next(&sequence, chunk);
        struct engine_token token;
        support_step(engine, &next, 1, &token);
        sequence.computed_count += next.row_count;
        if (next.samples) {
            if (all) {
                all[sequence.token_count - prompt_count] = token;
            }
            tokens[sequence.token_count++] = token.id;
        }
    }
}
