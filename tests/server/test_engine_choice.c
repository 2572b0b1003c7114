/* Method: the words of the settings, and what a build without CUDA kernels makes of them. The
 * engine that comes out is asked for a token. */
#include "server/engine_choice.h"

#include <string.h>

#include "model/model_family.h"
#include "tests/check.h"

static struct model *model;

static void open_model(void)
{
    struct failure failure = {""};
    struct model_config config = family_llama.defaults;
    config.vocabulary_count = 100;
    config.hidden_dim = 32;
    config.ffn_dim = 64;
    config.layer_count = 1;
    config.head_count = config.kv_head_count = 2;
    config.head_dim = 16;
    CHECK(model_make_random("random", &config, &model, &failure) == STATUS_OK, "%s", failure.text);
}

static void close_model(void)
{
    model_close(model);
}

static struct engine_choice_config config_of(const char *device)
{
    return (struct engine_choice_config){.device = device,
                                         .page_tokens = 16,
                                         .context_tokens_max = 64,
                                         .step_sequences_max = 600,
                                         .page_count = 4,
                                         .memory_fraction = 0.9};
}

static void check_refusal(struct engine_choice_config config, const char *says)
{
    struct failure failure = {""};
    struct engine_choice *choice = NULL;
    CHECK(engine_choice_create(model, &config, &choice, &failure) == STATUS_INVALID, "%s", says);
    CHECK(strstr(failure.text, says), "says %s", failure.text);
    CHECK(!choice, "an engine all the same");
}

/* On a machine that computes on the CPU too: its settings may be for another one. */
static void words_that_are_not_known_are_refused(void)
{
    check_refusal(config_of("gpu"), "engine.device: must be auto, cpu or cuda");
    struct engine_choice_config config = config_of("cpu");
    config.kv_dtype = "int8";
    check_refusal(config, "gpu.kv_dtype: must be auto, bf16 or fp8");
    config = config_of("cpu");
    config.matmul = "fast";
    check_refusal(config, "kernels.matmul: must be invariant or fastest");
}

static void check_answer(const char *device)
{
    struct failure failure = {""};
    struct engine_choice *choice = NULL;
    const struct engine_choice_config config = config_of(device);
    CHECK(engine_choice_create(model, &config, &choice, &failure) == STATUS_OK, "%s", failure.text);
    const struct engine engine = engine_choice_interface(choice);
    CHECK(engine.shape.page_count == 4, "%u pages", engine.shape.page_count);
    CHECK(engine.shape.step_tokens_max >= 600, "a step holds %u", engine.shape.step_tokens_max);
    CHECK(engine_choice_token_bytes(choice) > 0, "a token takes no memory");
    const bool is_cpu = strcmp(engine_choice_device(choice), "cpu") == 0;
    CHECK(is_cpu == (engine_choice_rebuild(choice).run == NULL), "only a GPU is rebuilt");
    const uint32_t token = 5;
    const struct page_id page = {1};
    const struct engine_sampling sampling = {.top_p = 1.0F, .repetition_penalty = 1.0F};
    const struct engine_sequence sequence = {.tokens = &token,
                                             .token_count = 1,
                                             .prompt_count = 1,
                                             .row_count = 1,
                                             .pages = &page,
                                             .page_count = 1,
                                             .sampling = &sampling,
                                             .samples = true};
    const struct engine_plan plan = {.sequences = &sequence, .sequence_count = 1, .row_count = 1};
    struct engine_token drawn = {.id = 1000};
    CHECK(engine_choice_keep_logits(choice, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "logits");
    CHECK(engine.launch(engine.self, &plan) == STATUS_OK, "launch");
    CHECK(engine.settle(engine.self, &drawn) == STATUS_OK, "settle");
    CHECK(drawn.id < 100 && engine_choice_logits(choice), "drew %u", drawn.id);
    engine_choice_destroy(choice);
}

static void cpu_and_auto_answer(void)
{
    check_answer("cpu");
    check_answer("auto");
}

/* Never the CPU in silence: where no GPU can be used, "cuda" is refused with the reason. */
static void cuda_is_a_gpu_or_nothing(void)
{
    char text[256];
    if (engine_choice_describe_gpu(0, text, sizeof text)) {
        check_answer("cuda");
        return;
    }
    struct failure failure = {""};
    struct engine_choice *choice = NULL;
    const struct engine_choice_config config = config_of("cuda");
    CHECK(engine_choice_create(model, &config, &choice, &failure) != STATUS_OK, "started");
    CHECK(strcmp(failure.text, text) == 0, "says %s, not %s", failure.text, text);
}

CHECK_MAIN(open_model, words_that_are_not_known_are_refused, cpu_and_auto_answer,
           cuda_is_a_gpu_or_nothing, close_model)
