/* Method: seeded. A sequence's logits, drawn ids and log-probabilities must have the same bytes
 * alone, among 31 others, with its prompt cut into chunks of 1, 7, 64 or 512, in pages of any
 * order, with one worker or two, and after its pages served others. Then the limits of create. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tests/check.h"
#include "tests/model/support_model.h"

enum {
    SEEDS = 4,
    MATES = 32,
    PROMPT_TOKENS_MAX = 100,
    OUT_TOKENS = 8,
    TOKENS_MAX = PROMPT_TOKENS_MAX + OUT_TOKENS,
    SEQUENCE_PAGES = 7, /* of 16 tokens */
    POOL_PAGES = 256,
    VOCABULARY_MAX = 300,
};

/* All that one sequence may see of its run. */
struct outcome {
    uint32_t ids[OUT_TOKENS];
    float logprobs[OUT_TOKENS];
    float logits[OUT_TOKENS][VOCABULARY_MAX];
};

struct scene {
    struct random_source random;
    uint32_t tokens[MATES][TOKENS_MAX];
    struct page_id pages[MATES][SEQUENCE_PAGES];
    struct support_sequence sequences[MATES];
};

static void shuffle_pages(struct scene *scene)
{
    struct page_id all[POOL_PAGES];
    for (uint32_t i = 0; i < POOL_PAGES; i++) {
        const uint32_t j = random_below(&scene->random, i + 1);
        all[i] = all[j];
        all[j].value = i;
    }
    memcpy(scene->pages, all, sizeof scene->pages);
}

/* The same seed gives the same sequences, whatever the pages. Half of them draw at random. */
static void set_scene(struct scene *scene, uint64_t seed, uint64_t page_seed, uint32_t vocabulary)
{
    *scene = (struct scene){.random = {page_seed}};
    shuffle_pages(scene);
    scene->random.state = seed;
    for (uint32_t i = 0; i < MATES; i++) {
        const uint32_t count = 1 + random_below(&scene->random, PROMPT_TOKENS_MAX);
        for (uint32_t t = 0; t < count; t++) {
            scene->tokens[i][t] = random_below(&scene->random, vocabulary);
        }
        scene->sequences[i] = (struct support_sequence){
            scene->tokens[i], count, count, 0, scene->pages[i], SEQUENCE_PAGES, support_greedy()};
        scene->sequences[i].sampling.temperature = (float)random_below(&scene->random, 2);
        scene->sequences[i].sampling.seed = random_next(&scene->random);
        scene->sequences[i].sampling.frequency_penalty = 0.5F;
    }
}

static bool is_done(const struct support_sequence *sequence)
{
    return sequence->token_count == sequence->prompt_count + OUT_TOKENS;
}

/* One step of all sequences first .. last, each with at most chunk rows, within the token budget;
 * sequences start at different steps. */
static bool run_step(struct model_engine *engine, struct scene *scene, struct outcome *outcomes,
                     uint32_t count, uint32_t chunk)
{
    const struct engine_shape shape = model_engine_interface(engine).shape;
    struct engine_sequence plan[MATES];
    uint32_t who[MATES];
    struct engine_token tokens[MATES];
    uint32_t planned = 0;
    uint32_t budget = shape.step_tokens_max;
    for (uint32_t i = 0; i < count && budget > 0; i++) {
        if (!is_done(&scene->sequences[i])) {
            plan[planned] = support_next(&scene->sequences[i], chunk < budget ? chunk : budget);
            budget -= plan[planned].row_count;
            who[planned++] = i;
        }
    }
    if (planned == 0) {
        return false;
    }
    support_step(engine, plan, planned, tokens);
    const float *logits = model_engine_logits(engine);
    for (uint32_t i = 0; i < planned; i++) {
        struct support_sequence *sequence = &scene->sequences[who[i]];
        sequence->computed_count += plan[i].row_count;
        if (plan[i].samples) {
            const uint32_t at = sequence->token_count - sequence->prompt_count;
            struct outcome *outcome = &outcomes[who[i]];
            outcome->ids[at] = tokens[i].id;
            outcome->logprobs[at] = tokens[i].logprob;
            memcpy(outcome->logits[at], logits, shape.vocabulary_count * sizeof *logits);
            logits += shape.vocabulary_count;
            sequence->tokens[sequence->token_count++] = tokens[i].id;
        }
    }
    return true;
}

static void run_scene(struct model_engine *engine, struct scene *scene, struct outcome *outcomes,
                      uint32_t count, uint32_t chunk)
{
    while (run_step(engine, scene, outcomes, count, chunk)) {
    }
}

static void compare(const struct outcome *wanted, const struct outcome *got, uint32_t count,
                    const char *what)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(memcmp(&wanted[i], &got[i], sizeof *got) == 0, "sequence %u: %s", i, what);
    }
}

static void check_seed(struct model_engine *engine, uint64_t seed)
{
    const uint32_t vocabulary = model_engine_interface(engine).shape.vocabulary_count;
    struct scene *scene = malloc(sizeof *scene);
    struct outcome *alone = calloc(MATES, sizeof *alone);
    struct outcome *together = calloc(MATES, sizeof *together);
    CHECK(scene && alone && together, "memory");
    set_scene(scene, seed, seed, vocabulary);
    for (uint32_t i = 0; i < MATES; i++) {
        struct scene *one = malloc(sizeof *one);
        CHECK(one, "memory");
        *one = *scene; /* sequences still point to scene's tokens and pages, each its own */
        one->sequences[0] = scene->sequences[i];
        run_scene(engine, one, &alone[i], 1, 512);
        free(one);
    }
    static const uint32_t chunks[] = {512, 64, 7, 1};
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        char what[64];
        snprintf(what, sizeof what, "seed %llu, chunks of %u", (unsigned long long)seed, chunks[i]);
        set_scene(scene, seed, seed + 1 + i, vocabulary);
        run_scene(engine, scene, together, MATES, chunks[i]);
        compare(alone, together, MATES, what);
    }
    free(scene);
    free(alone);
    free(together);
}

static void bytes_do_not_depend_on_batch_mates(void)
{
    static const char *const names[] = {"rope-parameters-bf16", "mqa-llama3-f16",
                                        "bias-linear-sharded-f32"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct model *model = support_open(support_fixture(names[i]));
        struct model_engine *engine = support_engine(model, &backend_cpu, 512, MATES);
        CHECK(model_engine_keep_logits(engine, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "keep");
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            check_seed(engine, seed * 1000 + i);
        }
        model_engine_destroy(engine);
        support_close(model);
    }
}

/* A scrubbed page holds zeros: attention over it gives what attention over a fresh pool gives. */
static void scrubbed_pages_hold_nothing(void)
{
    struct model *model = support_open(support_fixture("rope-parameters-bf16"));
    struct model_engine *engine = support_engine(model, &backend_cpu, 512, MATES);
    const struct engine interface = model_engine_interface(engine);
    uint32_t tokens[TOKENS_MAX] = {5, 6, 7};
    const struct page_id pages[] = {{3}};
    const struct engine_sampling sampling = support_greedy();
    /* position 16 alone reads the 16 keys of page 3, which nobody has written in this sequence */
    const struct page_id both[] = {{3}, {4}};
    const struct engine_sequence late = {tokens, 17, 17, 16, 1, both, 2, &sampling, true, false, 0};
    const struct engine_sequence early = {tokens, 3, 3, 0, 3, pages, 1, &sampling, true, false, 0};
    const struct engine_plan scrub = {.scrub_pages = pages, .scrub_count = 1};
    struct engine_token token;
    float fresh[VOCABULARY_MAX];
    const size_t bytes = interface.shape.vocabulary_count * sizeof(float);
    CHECK(model_engine_keep_logits(engine, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "keep");
    support_step(engine, &late, 1, &token);
    memcpy(fresh, model_engine_logits(engine), bytes);
    support_step(engine, &early, 1, &token);
    support_step(engine, &late, 1, &token);
    CHECK(memcmp(fresh, model_engine_logits(engine), bytes) != 0, "the page must have been used");
    CHECK(interface.launch(interface.self, &scrub) == STATUS_OK, "launch");
    CHECK(interface.settle(interface.self, &token) == STATUS_OK, "settle");
    support_step(engine, &late, 1, &token);
    CHECK(memcmp(fresh, model_engine_logits(engine), bytes) == 0, "scrubbed is like new");
    model_engine_destroy(engine);
    support_close(model);
}

static void limits_are_named(void)
{
    struct model *model = support_open(support_fixture("mha-f32")); /* max_position 512 */
    const uint64_t page_bytes = model_engine_page_bytes(&model->config, 16);
    const struct {
        struct model_engine_config config;
        enum status want;
        const char *text;
    } cases[] = {
        {{16, 32 * page_bytes, 512, 64, 4, 1, &backend_cpu}, STATUS_OK, ""},
        {{16, 32 * page_bytes, 0, 64, 4, 1, &backend_cpu}, STATUS_OK, ""},
        {{16, page_bytes, 0, 64, 4, 1, &backend_cpu}, STATUS_OK, ""}, /* context shrinks to 16 */
        {{16, 32 * page_bytes - 1, 512, 64, 4, 1, &backend_cpu}, STATUS_IO, "1 are missing"},
        {{16, 0, 0, 64, 4, 1, &backend_cpu}, STATUS_IO, "raise engine.kv_mib"},
        {{16, 1ULL << 60, 512, 64, 4, 1, &backend_cpu}, STATUS_IO, "lower engine.kv_mib"},
        {{16, 64 * page_bytes, 513, 64, 4, 1, &backend_cpu},
         STATUS_INVALID,
         "engine.context_tokens_max"},
        {{8, 64 * page_bytes, 0, 64, 4, 1, &backend_cpu}, STATUS_INVALID, "engine.page_tokens"},
        {{24, 64 * page_bytes, 0, 64, 4, 1, &backend_cpu}, STATUS_INVALID, "multiple of 16"},
        {{16, 64 * page_bytes, 0, 0, 4, 1, &backend_cpu}, STATUS_INVALID, "engine.step_tokens_max"},
        {{16, 64 * page_bytes, 0, 131073, 4, 1, &backend_cpu}, STATUS_INVALID, "131072"},
        {{16, 64 * page_bytes, 0, 64, 0, 1, &backend_cpu}, STATUS_INVALID, "engine.running_max"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct failure failure = {""};
        struct model_engine *engine = NULL;
        const enum status got = model_engine_create(model, &cases[i].config, &engine, &failure);
        CHECK(got == cases[i].want, "case %zu: %s, %s", i, status_name(got), failure.text);
        CHECK(strstr(failure.text, cases[i].text), "case %zu: %s", i, failure.text);
        CHECK((got == STATUS_OK) == (engine != NULL), "case %zu: out", i);
        model_engine_destroy(engine);
    }
    support_close(model);
}

CHECK_MAIN(bytes_do_not_depend_on_batch_mates, scrubbed_pages_hold_nothing, limits_are_named)
