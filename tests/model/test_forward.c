/* Method: models made and run by Hugging Face transformers in float32 (tests/fixtures/models). For
 * each prompt the logits must agree within 1e-4 of the vector's largest magnitude, max |a - b| /
 * max |b|, and 200 greedy ids must be equal: with the plain references and with the fast paths. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>

#include "tests/check.h"
#include "tests/model/support_model.h"

enum { TOKENS_MAX = 512, STEP_TOKENS = 64 };

static const double TOLERANCE = 1e-4;

static double worst; /* difference seen anywhere, printed at the end */

static double difference(const float *got, const json_t *wanted)
{
    double largest = 0;
    double highest = 0;
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const double value = json_number_value(json_array_get(wanted, i));
        const double distance = fabs((double)got[i] - value);
        largest = distance <= largest ? largest : distance; /* keeps a NaN */
        highest = fabs(value) > highest ? fabs(value) : highest;
    }
    worst = largest / highest <= worst ? worst : largest / highest;
    return largest / highest;
}

static uint32_t read_ids(const json_t *ids, uint32_t *out)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        out[i] = (uint32_t)json_integer_value(json_array_get(ids, i));
    }
    return (uint32_t)json_array_size(ids);
}

static uint32_t highest(const float *logits, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        best = logits[i] > logits[best] ? i : best;
    }
    return (uint32_t)best;
}

static void check_logits(struct model_engine *engine, const json_t *prompt, const char *name)
{
    uint32_t tokens[TOKENS_MAX];
    const uint32_t count = read_ids(json_object_get(prompt, "ids"), tokens);
    const size_t vocabulary = model_engine_interface(engine).shape.vocabulary_count;
    const json_t *last = json_object_get(prompt, "logits_last");
    const json_t *every = json_object_get(prompt, "logits_all");
    CHECK(json_array_size(last) == vocabulary, "%s: vocabulary", name);
    CHECK(model_engine_keep_logits(engine, MODEL_ENGINE_LOGITS_EVERY) == STATUS_OK, "memory");
    support_generate(engine, tokens, count, 1, NULL);
    const float *logits = model_engine_logits(engine);
    CHECK(difference(logits + vocabulary * (count - 1), last) < TOLERANCE, "%s: %u ids", name,
          count);
    CHECK(tokens[count] == highest(logits + vocabulary * (count - 1), vocabulary),
          "%s: the token is not drawn from the last row's logits", name);
    for (size_t i = 0; i < json_array_size(every); i++) {
        CHECK(difference(logits + vocabulary * i, json_array_get(every, i)) < TOLERANCE,
              "%s: row %zu", name, i);
    }
    CHECK(model_engine_keep_logits(engine, MODEL_ENGINE_LOGITS_NONE) == STATUS_OK, "none");
}

static void check_greedy(struct model_engine *engine, const json_t *prompt, const char *name)
{
    uint32_t tokens[TOKENS_MAX];
    uint32_t wanted[TOKENS_MAX];
    const uint32_t count = read_ids(json_object_get(prompt, "ids"), tokens);
    const uint32_t wanted_count = read_ids(json_object_get(prompt, "greedy_ids"), wanted);
    support_generate(engine, tokens, count, wanted_count, NULL);
    for (uint32_t i = 0; i < wanted_count; i++) {
        CHECK(tokens[count + i] == wanted[i], "%s: prompt of %u: greedy id %u is %u, not %u", name,
              count, i, tokens[count + i], wanted[i]);
    }
}

static void check_model(const char *name, const struct backend *backend)
{
    struct model *model = support_open(support_fixture(name));
    struct model_engine *engine = support_engine(model, backend, STEP_TOKENS, 4);
    json_t *expected = support_json(support_fixture(name), "expected.json");
    const json_t *prompts = json_object_get(expected, "prompts");
    CHECK(json_array_size(prompts) > 0, "%s: prompts", name);
    for (size_t i = 0; i < json_array_size(prompts); i++) {
        check_logits(engine, json_array_get(prompts, i), name);
        check_greedy(engine, json_array_get(prompts, i), name);
    }
    json_decref(expected);
    model_engine_destroy(engine);
    support_close(model);
}

static void every_fixture_agrees_with_transformers(void)
{
    static const struct backend *const backends[] = {&backend_reference, &backend_cpu};
    DIR *folder = opendir(support_fixture("."));
    CHECK(folder, "tests/fixtures/models");
    int count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        for (size_t i = 0; entry->d_name[0] != '.' && i < 2; i++, count++) {
            check_model(entry->d_name, backends[i]);
        }
    }
    closedir(folder);
    CHECK(count >= 2, "no fixture was found");
    printf("%d model runs, largest relative difference of logits %.2g\n", count, worst);
}

CHECK_MAIN(every_fixture_agrees_with_transformers)
