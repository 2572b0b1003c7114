/* Method: a real trained model (WARD_TEST_DATA, absent: skipped) against what three other engines
 * agree on: 30 prompts, 96 greedy ids each, log-probabilities of the five best ids at the first 32
 * positions. Ids must be equal; where they part, only a near tie excuses it: both ids among the
 * golden's best five within NEAR_TIE. All three layouts of the files give the same bits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/model/support_model.h"

enum { TOKENS_MAX = 512, OUT_TOKENS = 96, TOP_POSITIONS = 32, TOP_COUNT = 5, STEP_TOKENS = 64 };

static const double NEAR_TIE = 2e-4, LOGPROB_TOLERANCE = 2e-3;

static const json_t *golden_top(const json_t *golden, uint32_t position, size_t rank)
{
    const json_t *top5 = json_object_get(golden, "top5");
    return json_array_get(json_array_get(top5, position), rank);
}

/* True if id is one of the golden's five within NEAR_TIE of its best. */
static bool is_near_tie(const json_t *golden, uint32_t position, uint32_t id)
{
    const double best = json_number_value(json_array_get(golden_top(golden, position, 0), 1));
    for (size_t rank = 0; rank < TOP_COUNT; rank++) {
        const json_t *entry = golden_top(golden, position, rank);
        if (json_integer_value(json_array_get(entry, 0)) == (json_int_t)id) {
            return best - json_number_value(json_array_get(entry, 1)) < NEAR_TIE;
        }
    }
    return false;
}

static double check_logprobs(const json_t *golden, const struct engine_token *all)
{
    double worst = 0;
    for (uint32_t position = 0; position < TOP_POSITIONS; position++) {
        for (size_t rank = 0; rank < TOP_COUNT; rank++) {
            const json_t *entry = golden_top(golden, position, rank);
            const json_int_t id = json_integer_value(json_array_get(entry, 0));
            const double wanted = json_number_value(json_array_get(entry, 1));
            double distance = INFINITY;
            for (uint32_t i = 0; i < all[position].top_count; i++) {
                if ((json_int_t)all[position].top_ids[i] == id) {
                    distance = fabs((double)all[position].top_logprobs[i] - wanted);
                }
            }
            CHECK(distance < LOGPROB_TOLERANCE, "position %u, rank %zu: off by %g", position, rank,
                  distance);
            worst = distance > worst ? distance : worst;
        }
    }
    return worst;
}

/* Returns whether all ids are equal. */
static bool check_prompt(struct model_engine *engine, const json_t *golden, size_t number,
                         double *worst)
{
    uint32_t tokens[TOKENS_MAX];
    struct engine_token all[OUT_TOKENS];
    const json_t *ids = json_object_get(golden, "prompt_ids");
    const uint32_t count = (uint32_t)json_array_size(ids);
    for (uint32_t i = 0; i < count; i++) {
        tokens[i] = (uint32_t)json_integer_value(json_array_get(ids, i));
    }
    support_generate(engine, tokens, count, OUT_TOKENS, all);
    const json_t *wanted = json_object_get(golden, "ids");
    for (uint32_t i = 0; i < OUT_TOKENS; i++) {
        if (json_integer_value(json_array_get(wanted, i)) != (json_int_t)tokens[count + i]) {
            const bool is_excused = i < TOP_POSITIONS && is_near_tie(golden, i, tokens[count + i]);
            CHECK(is_excused, "prompt %zu parts at position %u", number, i);
            return false;
        }
    }
    const double distance = check_logprobs(golden, all);
    *worst = distance > *worst ? distance : *worst;
    return true;
}

static void thirty_prompts_agree(void)
{
    const char *directory = support_data("models/stories260K/f32");
    struct model *model = support_open(directory);
    struct model_engine *engine = support_engine(model, &backend_cpu, STEP_TOKENS, 1);
    json_t *goldens = support_json(support_data("goldens"), "f32.json");
    size_t equal_count = 0;
    double worst = 0;
    for (size_t i = 0; i < json_array_size(goldens); i++) {
        equal_count += check_prompt(engine, json_array_get(goldens, i), i, &worst);
    }
    printf("%zu of %zu prompts equal in all %d ids, log-probabilities within %.2g\n", equal_count,
           json_array_size(goldens), OUT_TOKENS, worst);
    CHECK(json_array_size(goldens) == 30, "goldens");
    json_decref(goldens);
    model_engine_destroy(engine);
    support_close(model);
}

/* Logits after a fixed prompt. */
static void run_layout(const char *path, float *out, size_t count)
{
    uint32_t tokens[8] = {1, 403, 407, 261, 378};
    struct model *model = support_open(support_data(path));
    struct model_engine *engine = support_engine(model, &backend_cpu, STEP_TOKENS, 1);
    CHECK(model->config.vocabulary_count == count, "vocabulary");
    CHECK(model_engine_keep_logits(engine, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "memory");
    support_generate(engine, tokens, 5, 1, NULL);
    memcpy(out, model_engine_logits(engine), count * sizeof *out);
    model_engine_destroy(engine);
    support_close(model);
}

static void layouts_agree(void)
{
    float f32[512];
    float sharded[512];
    float bf16[512];
    run_layout("models/stories260K/f32", f32, 512);
    run_layout("models/stories260K/sharded", sharded, 512);
    run_layout("models/stories260K/bf16", bf16, 512);
    CHECK(memcmp(f32, sharded, sizeof f32) == 0, "sharded differs from one file");
    for (size_t i = 0; i < 512; i++) {
        CHECK(fabsf(bf16[i] - f32[i]) < 0.5F, "logit %zu: bf16 %g, f32 %g", i, (double)bf16[i],
              (double)f32[i]);
    }
}

int main(void)
{
    if (!support_data("goldens/f32.json")) {
        puts("skipped: no real model; set WARD_TEST_DATA to its folder");
        return 77;
    }
    thirty_prompts_agree();
    layouts_agree();
    return check_failures > 0;
}
