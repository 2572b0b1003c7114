/* Method: a small model with random weights on each device (host: three orders of threads).
 * Against the CPU engine with its activations rounded where the GPU rounds: what is left is the
 * order of sums and values that fall to the other side of a rounding, so logits agree within
 * LOGIT_TOLERANCE of their own size, and the drawn ids are the CPU's or its near-ties. Against
 * itself every comparison is of bits: alone, among others, in chunks, decoded or prefilled, with
 * graphs, with two plans in flight. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/model/gpu/support_engines.h"

enum { VOCABULARY = 300, MATES = 5, OUT_TOKENS = 4 };

/* bf16 has 8 bits: one flipped rounding is 2^-9 of a value, and two layers add up a few. */
static const float LOGIT_TOLERANCE = 0.01F;

static struct model *model;

static void open_model(void)
{
    model = support_random_model();
}

static void close_model(void)
{
    support_random_close(model);
}

/* ---- against the CPU engine ------------------------------------------------------------------ */

static float largest(const float *values, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmaxf(most, fabsf(values[i]));
    }
    return most;
}

/* Rows of logits from both; the id that was drawn greedily is the CPU's highest or nearly. */
static void compare_logits(const float *got, const float *wanted, const uint32_t *ids,
                           uint32_t row_count, float tolerance, float *worst)
{
    for (uint32_t row = 0; row < row_count; row++) {
        const float *want = wanted + (size_t)row * VOCABULARY;
        const float size = largest(want, VOCABULARY);
        float highest = want[0];
        for (uint32_t i = 0; i < VOCABULARY; i++) {
            const float error = fabsf(got[(size_t)row * VOCABULARY + i] - want[i]) / size;
            *worst = error > *worst || isnan(error) ? error : *worst;
            highest = fmaxf(highest, want[i]);
        }
        CHECK(*worst <= tolerance, "row %u: off by %g of the largest", row, (double)*worst);
        if (ids) {
            CHECK(want[ids[row]] >= highest - 2 * tolerance * size, "row %u drew id %u", row,
                  ids[row]);
        }
    }
}

/* Prompts of different lengths start in different steps, so that steps mix prefill and decode. */
static void check_against_cpu(const struct gpu_engine_config *config, const struct model *cpu_model,
                              float tolerance)
{
    static const uint32_t prompts[MATES] = {37, 1, 16, 5, 50};
    struct gpu_engine *gpu = support_gpu_engine(model, config);
    struct model_engine *cpu = support_rounding_engine(cpu_model, DTYPE_BF16);
    const struct engine on_gpu = gpu_engine_interface(gpu);
    const struct engine on_cpu = model_engine_interface(cpu);
    CHECK(gpu_engine_keep_logits(gpu, MODEL_ENGINE_LOGITS_EVERY) == STATUS_OK, "keep");
    CHECK(model_engine_keep_logits(cpu, MODEL_ENGINE_LOGITS_EVERY) == STATUS_OK, "keep");
    struct support_run runs[MATES];
    float worst = 0;
    for (uint32_t i = 0; i < MATES; i++) {
        support_run_begin(&runs[i], 100 + i, prompts[i], 7 * i);
        runs[i].sampling.top_logprobs_count = i;
    }
    for (uint32_t step = 0; step < 6; step++) {
        struct engine_sequence sequences[MATES];
        struct engine_token tokens[MATES], cpu_tokens[MATES];
        uint32_t budget = SUPPORT_STEP_TOKENS;
        uint32_t count = 0;
        while (count < MATES && count <= 1 + step && budget > 0) {
            sequences[count] = support_run_next(&runs[count], budget < 20 ? budget : 20);
            budget -= sequences[count++].row_count;
        }
        const struct engine_plan plan = support_plan(sequences, count);
        support_step_on(&on_gpu, &plan, tokens);
        support_step_on(&on_cpu, &plan, cpu_tokens);
        compare_logits(gpu_engine_logits(gpu), model_engine_logits(cpu), NULL, plan.row_count,
                       tolerance, &worst);
        uint32_t row = 0;
        for (uint32_t i = 0; i < count; i++) {
            row += sequences[i].row_count;
            if (sequences[i].samples) {
                compare_logits(gpu_engine_logits(gpu) + (size_t)(row - 1) * VOCABULARY,
                               model_engine_logits(cpu) + (size_t)(row - 1) * VOCABULARY,
                               &tokens[i].id, 1, tolerance, &worst);
                CHECK(tokens[i].top_count == i, "alternatives");
                CHECK(i == 0 || tokens[i].top_ids[0] == tokens[i].id, "the likeliest first");
            }
            support_run_settle(&runs[i], &sequences[i], &tokens[i]);
        }
    }
    printf("device %u: logits within %.5f of the largest\n", config->gpu_index, (double)worst);
    gpu_engine_destroy(gpu);
    model_engine_destroy(cpu);
}

static void logits_are_the_cpu_engines(void)
{
    const uint32_t device_count = gpu_count(NULL);
    for (uint32_t i = 0; i < device_count; i++) {
        const struct gpu_engine_config config = support_gpu_config(model, i);
        check_against_cpu(&config, model, LOGIT_TOLERANCE);
    }
    struct gpu_engine_config config = support_gpu_config(model, 0);
    config.kv_dtype = GPU_ENGINE_KV_FP8; /* e4m3 has 4 bits: up to 2^-4 of each key and value */
    check_against_cpu(&config, model, 0.08F);
}

/* ---- bits ------------------------------------------------------------------------------------ */

struct outcome {
    struct engine_token tokens[OUT_TOKENS];
    float logits[OUT_TOKENS][VOCABULARY];
};

static void begin_all(struct support_run *runs, uint32_t page_shift)
{
    static const uint32_t prompts[MATES] = {33, 1, 17, 9, 30};
    for (uint32_t i = 0; i < MATES; i++) {
        support_run_begin(&runs[i], 200 + i, prompts[i], page_shift + 8 * i);
        runs[i].sampling.temperature = i % 2 ? 0.8F : 0.0F;
        runs[i].sampling.seed = 17 * i;
        runs[i].sampling.frequency_penalty = i >= 2 ? 0.5F : 0.0F;
        runs[i].sampling.top_logprobs_count = 2;
    }
}

static bool is_done(const struct support_run *run)
{
    return run->token_count == run->prompt_count + OUT_TOKENS;
}

/* One step of those of the runs that are not done. False: all were. */
static bool step_all(struct gpu_engine *engine, struct support_run *runs, uint32_t count,
                     uint32_t chunk, struct outcome *outcomes)
{
    const struct engine interface = gpu_engine_interface(engine);
    struct engine_sequence sequences[MATES];
    struct engine_token tokens[MATES];
    uint32_t who[MATES], planned = 0, budget = SUPPORT_STEP_TOKENS;
    for (uint32_t i = 0; i < count && budget > 0; i++) {
        if (!is_done(&runs[i])) {
            sequences[planned] = support_run_next(&runs[i], chunk < budget ? chunk : budget);
            budget -= sequences[planned].row_count;
            who[planned++] = i;
        }
    }
    if (planned == 0) {
        return false;
    }
    memset(tokens, 0, sizeof tokens);
    const struct engine_plan plan = support_plan(sequences, planned);
    support_step_on(&interface, &plan, tokens);
    const float *logits = gpu_engine_logits(engine);
    for (uint32_t i = 0; i < planned; i++) {
        struct support_run *run = &runs[who[i]];
        if (sequences[i].samples) {
            struct outcome *outcome = &outcomes[who[i]];
            const uint32_t at = run->token_count - run->prompt_count;
            outcome->tokens[at] = tokens[i];
            memcpy(outcome->logits[at], logits, sizeof outcome->logits[at]);
            logits += VOCABULARY;
        }
        support_run_settle(run, &sequences[i], &tokens[i]);
    }
    return true;
}

static void compare_bits(const struct outcome *wanted, const struct outcome *got, const char *what)
{
    for (uint32_t i = 0; i < MATES; i++) {
        CHECK(memcmp(&wanted[i], &got[i], sizeof *got) == 0, "%s: sequence %u differs", what, i);
    }
}

static void run_all(struct gpu_engine *engine, struct outcome *out, uint32_t chunk,
                    uint32_t page_shift)
{
    struct support_run runs[MATES];
    begin_all(runs, page_shift);
    while (step_all(engine, runs, MATES, chunk, out)) {
    }
}

static void check_bits(const struct gpu_engine_config *config)
{
    struct gpu_engine *engine = support_gpu_engine(model, config);
    struct outcome *alone = calloc(MATES, sizeof *alone);
    struct outcome *together = calloc(MATES, sizeof *together);
    CHECK(alone && together, "memory");
    CHECK(gpu_engine_keep_logits(engine, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "keep");
    struct support_run runs[MATES];
    begin_all(runs, 0);
    for (uint32_t i = 0; i < MATES; i++) {
        while (step_all(engine, &runs[i], 1, SUPPORT_STEP_TOKENS, &alone[i])) {
        }
    }
    run_all(engine, together, 64, 3);
    compare_bits(alone, together, "among others, other pages");
    run_all(engine, together, 7, 5);
    compare_bits(alone, together, "chunks of 7");
    run_all(engine, together, 1, 1); /* every position decoded */
    compare_bits(alone, together, "token by token");
    gpu_engine_destroy(engine);
    struct gpu_engine_config with_graphs = *config;
    with_graphs.uses_graphs = true;
    engine = support_gpu_engine(model, &with_graphs);
    CHECK(gpu_engine_keep_logits(engine, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "keep");
    run_all(engine, together, 64, 2);
    compare_bits(alone, together, "graphs");
    gpu_engine_destroy(engine);
    free(alone);
    free(together);
}

static void bits_do_not_depend_on_batch_mates(void)
{
    struct gpu_engine_config config = support_gpu_config(model, 0);
    check_bits(&config);
}

static void nor_with_fp8_pages(void)
{
    struct gpu_engine_config config = support_gpu_config(model, gpu_count(NULL) - 1);
    config.kv_dtype = GPU_ENGINE_KV_FP8;
    check_bits(&config);
}

/* ---- fp8 weights ----------------------------------------------------------------------------- */

enum { MATRICES_MAX = 14, BLOCK = 128 };

/* A matrix as e4m3 with scales, and what it then is in fp32. */
struct fp8_matrix {
    struct weights_tensor tensor, plain;
    uint8_t *stored;
    float *scales, *values;
};

static uint32_t scale_index(uint32_t row, uint32_t column, uint32_t columns, uint32_t block)
{
    const uint32_t across = (columns + BLOCK - 1) / BLOCK;
    return block ? row / BLOCK * across + column / BLOCK : row;
}

static void make_fp8(const struct weights_tensor *from, uint32_t rows, uint32_t columns,
                     uint32_t block, struct fp8_matrix *out)
{
    const uint32_t last = scale_index(rows - 1, columns - 1, columns, block);
    out->stored = malloc((size_t)rows * columns);
    out->scales = malloc((last + 1) * sizeof *out->scales);
    out->values = malloc((size_t)rows * columns * sizeof *out->values);
    CHECK(out->stored && out->scales && out->values, "memory");
    for (uint32_t i = 0; i <= last; i++) {
        out->scales[i] = 0.0001F * (float)(1 + i % 7);
    }
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t column = 0; column < columns; column++) {
            const size_t at = (size_t)row * columns + column;
            const float scale = out->scales[scale_index(row, column, columns, block)];
            const float value = dtype_load(from->data, from->dtype, at);
            out->stored[at] = dtype_e4m3_from_float(value / scale);
            out->values[at] = dtype_e4m3_to_float(out->stored[at]) * scale;
        }
    }
    out->tensor = (struct weights_tensor){.data = out->stored,
                                          .dtype = DTYPE_E4M3,
                                          .scales = out->scales,
                                          .scale_count = last + 1,
                                          .scale_block = block};
    out->plain = (struct weights_tensor){.data = out->values, .dtype = DTYPE_F32};
}

/* Quantised models are two: what the GPU reads, and the same in fp32 for the CPU. */
static void check_fp8_weights(uint32_t block)
{
    struct model *plain = support_random_model();
    struct fp8_matrix matrices[MATRICES_MAX];
    const struct model_config *config = &model->config;
    const uint32_t q = model_config_q_dim(config), kv = model_config_kv_dim(config);
    const uint32_t hidden = config->hidden_dim, ffn = config->ffn_dim;
    struct weights_layer *was = calloc(config->layer_count, sizeof *was);
    size_t count = 0;
    CHECK(was, "memory");
    for (uint32_t i = 0; i < config->layer_count; i++) {
        struct weights_layer *layer = &model->weights->layers[i];
        struct weights_layer *other = &plain->weights->layers[i];
        const struct {
            struct weights_tensor *fp8, *plain;
            uint32_t rows, columns;
        } all[] = {{&layer->q, &other->q, q, hidden},         {&layer->k, &other->k, kv, hidden},
                   {&layer->v, &other->v, kv, hidden},        {&layer->o, &other->o, hidden, q},
                   {&layer->gate, &other->gate, ffn, hidden}, {&layer->up, &other->up, ffn, hidden},
                   {&layer->down, &other->down, hidden, ffn}};
        was[i] = *layer;
        for (size_t m = 0; m < sizeof all / sizeof all[0]; m++) {
            make_fp8(all[m].fp8, all[m].rows, all[m].columns, block, &matrices[count]);
            *all[m].fp8 = matrices[count].tensor;
            *all[m].plain = matrices[count++].plain;
        }
    }
    const struct gpu_engine_config gpu_config = support_gpu_config(model, 0);
    check_against_cpu(&gpu_config, plain, LOGIT_TOLERANCE);
    if (block) {
        check_bits(&gpu_config);
    }
    memcpy(model->weights->layers, was, config->layer_count * sizeof *was);
    while (count > 0) {
        free(matrices[--count].stored);
        free(matrices[count].scales);
        free(matrices[count].values);
    }
    free(was);
    support_random_close(plain);
}

static void fp8_weights_agree_too(void)
{
    check_fp8_weights(0);
    check_fp8_weights(BLOCK);
}

/* ---- two plans in flight --------------------------------------------------------------------- */

/* The prompts in a step of their own, then each step is launched before the one before is settled,
 * with a token at its end that the host does not know. */
static void unseen_tokens_are_the_same(void)
{
    struct gpu_engine_config config = support_gpu_config(model, 0);
    config.uses_graphs = true;
    config.step_tokens_max = 96;
    struct gpu_engine *engine = support_gpu_engine(model, &config);
    const struct engine interface = gpu_engine_interface(engine);
    struct support_run plain[MATES], unseen[MATES];
    struct engine_sequence sequences[2][MATES];
    struct engine_token tokens[MATES];
    begin_all(plain, 0);
    for (uint32_t step = 0; step < OUT_TOKENS; step++) {
        for (uint32_t i = 0; i < MATES; i++) {
            sequences[0][i] = support_run_next(&plain[i], 96);
        }
        const struct engine_plan plan = support_plan(sequences[0], MATES);
        support_step_on(&interface, &plan, tokens);
        for (uint32_t i = 0; i < MATES; i++) {
            support_run_settle(&plain[i], &sequences[0][i], &tokens[i]);
        }
    }
    begin_all(unseen, 0);
    for (uint32_t i = 0; i < MATES; i++) {
        sequences[0][i] = support_run_next(&unseen[i], 96);
    }
    struct engine_plan plan = support_plan(sequences[0], MATES);
    CHECK(interface.launch(interface.self, &plan) == STATUS_OK, "launch");
    for (uint32_t step = 1; step < OUT_TOKENS; step++) {
        struct engine_sequence *now = sequences[step % 2];
        for (uint32_t i = 0; i < MATES; i++) { /* one token that nobody has seen */
            struct support_run *run = &unseen[i];
            run->computed_count = run->token_count;
            run->tokens[run->token_count++] = 0xdeadbeef;
        }
        for (uint32_t i = 0; i < MATES; i++) { /* in turned order every other step */
            const uint32_t who = step % 2 ? MATES - 1 - i : i;
            now[i] = support_run_next(&unseen[who], 1);
            now[i].takes_sampled = true;
            now[i].sampled_sequence = MATES - 1 - i;
        }
        plan = support_plan(now, MATES);
        CHECK(interface.launch(interface.self, &plan) == STATUS_OK, "launch");
        CHECK(interface.settle(interface.self, tokens) == STATUS_OK, "settle");
        for (uint32_t i = 0; i < MATES; i++) {
            const uint32_t who = (step - 1) % 2 ? MATES - 1 - i : i;
            unseen[who].tokens[unseen[who].token_count - 1] = tokens[i].id;
        }
    }
    CHECK(interface.settle(interface.self, tokens) == STATUS_OK, "settle");
    for (uint32_t i = 0; i < MATES; i++) {
        const uint32_t who = (OUT_TOKENS - 1) % 2 ? MATES - 1 - i : i;
        unseen[who].tokens[unseen[who].token_count++] = tokens[i].id;
    }
    for (uint32_t i = 0; i < MATES; i++) {
        CHECK(plain[i].token_count == unseen[i].token_count
                  && memcmp(plain[i].tokens, unseen[i].tokens,
                            plain[i].token_count * sizeof *plain[i].tokens)
                         == 0,
              "sequence %u differs", i);
    }
    struct engine_times times;
    interface.times(interface.self, &times);
    CHECK(times.busy_ns > 0, "no time was measured");
    gpu_engine_destroy(engine);
}

/* ---- pages, failure, limits ------------------------------------------------------------------ */

/* A scrubbed page holds zeros: attention over it gives what attention over a fresh pool gives. */
static void scrubbed_pages_hold_nothing(void)
{
    const struct gpu_engine_config config = support_gpu_config(model, 0);
    struct gpu_engine *engine = support_gpu_engine(model, &config);
    const struct engine interface = gpu_engine_interface(engine);
    const uint32_t tokens[17] = {5, 6, 7};
    const struct page_id pages[] = {{3}, {4}};
    const struct engine_sampling sampling = {.top_p = 1.0F, .repetition_penalty = 1.0F};
    /* position 16 alone reads the 16 keys of page 3, which nobody has written in this sequence */
    const struct engine_sequence late = {tokens, 17,        17,   16,    1, pages,
                                         2,      &sampling, true, false, 0};
    const struct engine_sequence early = {tokens, 3, 3, 0, 3, pages, 1, &sampling, true, false, 0};
    const struct engine_plan late_plan = support_plan(&late, 1);
    const struct engine_plan early_plan = support_plan(&early, 1);
    const struct engine_plan scrub = {.scrub_pages = pages, .scrub_count = 2};
    struct engine_token token;
    float fresh[VOCABULARY];
    CHECK(gpu_engine_keep_logits(engine, MODEL_ENGINE_LOGITS_SAMPLED) == STATUS_OK, "keep");
    support_step_on(&interface, &late_plan, &token);
    memcpy(fresh, gpu_engine_logits(engine), sizeof fresh);
    support_step_on(&interface, &early_plan, &token);
    support_step_on(&interface, &late_plan, &token);
    CHECK(memcmp(fresh, gpu_engine_logits(engine), sizeof fresh) != 0, "the page was not used");
    support_step_on(&interface, &scrub, &token);
    support_step_on(&interface, &late_plan, &token);
    CHECK(memcmp(fresh, gpu_engine_logits(engine), sizeof fresh) == 0, "scrubbed is not like new");
    gpu_engine_destroy(engine);
}

static void a_failed_device_is_replaced(void)
{
    const struct gpu_engine_config config = support_gpu_config(model, 0);
    const uint32_t tokens[3] = {5, 6, 7};
    const struct page_id page = {1};
    const struct engine_sampling sampling = {.top_p = 1.0F, .repetition_penalty = 1.0F};
    const struct engine_sequence rows = {tokens, 3, 3, 0, 3, &page, 1, &sampling, true, false, 0};
    const struct engine_plan plan = support_plan(&rows, 1);
    struct engine_token before, after;
    struct gpu_engine *engine = support_gpu_engine(model, &config);
    struct engine interface = gpu_engine_interface(engine);
    support_step_on(&interface, &plan, &before);
    uint32_t not_on_the_device = 0;
    CHECK(gpu_fill_async(gpu_engine_device(engine), &not_on_the_device, 1, 4) != STATUS_OK
              || gpu_wait(gpu_engine_device(engine)) != STATUS_OK,
          "the device took an address of the host");
    CHECK(interface.launch(interface.self, &plan) == STATUS_DEVICE
              || interface.settle(interface.self, &after) == STATUS_DEVICE,
          "a failed device went on");
    gpu_engine_destroy(engine);
    engine = support_gpu_engine(model, &config);
    interface = gpu_engine_interface(engine);
    support_step_on(&interface, &plan, &after);
    CHECK(before.id == after.id, "another device, another token");
    gpu_engine_destroy(engine);
}

static void limits_are_named(void)
{
    const uint64_t page_bytes = gpu_engine_page_bytes(model, 16, GPU_ENGINE_KV_AUTO);
    const struct {
        struct gpu_engine_config config;
        enum status want;
        const char *text;
    } cases[] = {
        {{0, 16, 0, 32 * page_bytes, 512, 64, 4, GPU_ENGINE_KV_AUTO, false, false}, STATUS_OK, ""},
        {{0, 16, 0.001, 0, 0, 64, 4, GPU_ENGINE_KV_AUTO, false, false},
         STATUS_FULL,
         "raise gpu.memory_fraction"},
        {{0, 16, 0.5, 0, 0, 64, 4, GPU_ENGINE_KV_AUTO, false, false}, STATUS_OK, ""},
        {{0, 16, 0, 0, 0, 64, 4, GPU_ENGINE_KV_AUTO, false, false},
         STATUS_INVALID,
         "memory_fraction"},
        {{0, 16, 1.5, 0, 0, 64, 4, GPU_ENGINE_KV_AUTO, false, false},
         STATUS_INVALID,
         "memory_fraction"},
        {{0, 16, 0, 32 * page_bytes - 1, 512, 64, 4, GPU_ENGINE_KV_AUTO, false, false},
         STATUS_FULL,
         "1 are missing"},
        {{0, 16, 0, 1ULL << 60, 512, 64, 4, GPU_ENGINE_KV_AUTO, false, false},
         STATUS_FULL,
         "lower gpu.memory_fraction"},
        {{99, 16, 0.5, 0, 0, 64, 4, GPU_ENGINE_KV_AUTO, false, false}, STATUS_NOT_FOUND, "99"},
        {{0, 24, 0.5, 0, 0, 64, 4, GPU_ENGINE_KV_AUTO, false, false},
         STATUS_INVALID,
         "multiple of 16"},
        {{0, 16, 0.5, 0, 513, 64, 4, GPU_ENGINE_KV_AUTO, false, false},
         STATUS_INVALID,
         "context_tokens_max"},
        {{0, 16, 0.5, 0, 0, 0, 4, GPU_ENGINE_KV_AUTO, false, false},
         STATUS_INVALID,
         "step_tokens_max"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct failure failure = {""};
        struct gpu_engine *engine = NULL;
        const enum status got = gpu_engine_create(model, &cases[i].config, &engine, &failure);
        CHECK(got == cases[i].want, "case %zu: %s, %s", i, status_name(got), failure.text);
        CHECK(strstr(failure.text, cases[i].text), "case %zu: %s", i, failure.text);
        CHECK((got == STATUS_OK) == (engine != NULL), "case %zu: out", i);
        gpu_engine_destroy(engine);
    }
}

static uint64_t missing_bytes(double memory_fraction)
{
    const struct gpu_engine_config config = {.page_tokens = 16,
                                             .memory_fraction = memory_fraction,
                                             .context_tokens_max = 512,
                                             .step_tokens_max = 64,
                                             .step_sequences_max = 4};
    struct failure failure = {""};
    struct gpu_engine *engine = NULL;
    const enum status status = gpu_engine_create(model, &config, &engine, &failure);
    const char *at = strstr(failure.text, "tokens, ");
    CHECK(status == STATUS_FULL && at, "%s, %s", status_name(status), failure.text);
    gpu_engine_destroy(engine);
    return at ? strtoull(at + strlen("tokens, "), NULL, 10) : 0;
}

/* Weights and workspace alone are more than either share: what is missing counts them too. */
static void missing_bytes_are_all(void)
{
    CHECK(missing_bytes(2e-6) > missing_bytes(4e-6), "not what must be added");
}

CHECK_MAIN(open_model, logits_are_the_cpu_engines, bits_do_not_depend_on_batch_mates,
           nor_with_fp8_pages, fp8_weights_agree_too, unseen_tokens_are_the_same,
           scrubbed_pages_hold_nothing, a_failed_device_is_replaced, limits_are_named,
           missing_bytes_are_all, close_model)
