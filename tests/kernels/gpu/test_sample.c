/* Method: thousands of random rows (parameters x shapes of logits x vocabularies, rows of all kinds
 * in one launch) against sample_reference, id for id; how each id was found is read from the
 * workspace, so that every path is known to have run; a row alone and among others bit for bit; the
 * draw against its distribution. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/random.h"
#include "kernels/exponential.h"
#include "kernels/gpu/gpu.h"
#include "kernels/sample/philox.h"
#include "kernels/sample/sample.h"
#include "kernels/sample/sample_plan.h"
#include "tests/check.h"

enum { ROWS_MAX = 64, TOKENS = 1200, TOKENS_FEW = 48, BIASES = 6, POISON = 0xEE };

/* ---- rows ------------------------------------------------------------------------------------ */

enum shape {
    SPREAD,
    PEAKED,
    MODEL, /* a few tokens above a wide bell */
    EQUAL,
    FEW_VALUES,
    MASKED,
    NOT_FINITE,
    NONE_FINITE,
    ONE_FINITE,
    HUGE_VALUES,
    SHAPE_COUNT
};

static float unit(struct random_source *random)
{
    return (float)random_unit(random);
}

static float make_logit(enum shape shape, struct random_source *random)
{
    const float u = unit(random);
    const uint32_t pick = random_below(random, 8);
    switch (shape) {
    case SPREAD:
        return u * 10.0F - 5.0F;
    case PEAKED:
        return pick == 0 ? u * 30.0F : -60.0F * u;
    case MODEL:
        return 3.0F * (u + unit(random) + unit(random) - 1.5F)
               + (random_below(random, 64) == 0 ? 12.0F * unit(random) : 0.0F);
    case EQUAL:
        return 0.25F;
    case FEW_VALUES:
        return pick == 0 ? -0.0F : (float)(pick / 2) - 1.0F;
    case MASKED:
        return random_below(random, 50) == 0 ? u * 4.0F : -INFINITY;
    case NOT_FINITE:
        return pick == 0 ? NAN : pick == 1 ? -INFINITY : pick == 2 ? INFINITY : u;
    case NONE_FINITE:
        return pick < 4 ? NAN : -INFINITY;
    case ONE_FINITE: /* make_row adds it */
        return pick == 0 ? NAN : -INFINITY;
    case HUGE_VALUES:
        return pick == 0 ? FLT_MAX * (u - 0.5F) : 1e30F * (u - 0.5F);
    case SHAPE_COUNT:
        break;
    }
    return 0.0F;
}

/* A request's row: what is uploaded, and its lists. */
struct request {
    struct sample_gpu_row row;
    uint32_t tokens[TOKENS];
    struct sample_bias bias[BIASES];
};

static float pick_float(struct random_source *random, const float *from, uint32_t count)
{
    return from[random_below(random, count)];
}
#define PICK(random, ...)                              \
    pick_float((random), (const float[]){__VA_ARGS__}, \
               (uint32_t)(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)))

static struct request plain_request(void)
{
    struct request request;
    memset(&request, 0, sizeof request);
    request.row = (struct sample_gpu_row){
        .temperature = 1.0F, .top_p = 1.0F, .repetition_penalty = 1.0F, .wants_logprob = 1};
    return request;
}

static struct request random_request(struct random_source *random, uint32_t vocabulary)
{
    struct request request = plain_request();
    struct sample_gpu_row *row = &request.row;
    row->seed = random_next(random);
    row->position = random_below(random, 100000);
    row->temperature = PICK(random, 0.0F, 1.0F, 1.0F, 0.7F, 1.3F, 2.0F, 100.0F, 1e-5F, 1e-6F, 0.1F);
    if (random_below(random, 2) == 0) {
        row->top_p = PICK(random, 0.9F, 0.5F, 0.95F, 0.0F, 1e-6F, 0.999F, 0.99999994F, 0.3F);
    }
    if (random_below(random, 3) == 0) {
        row->min_p = PICK(random, 0.1F, 0.01F, 0.5F, 1.0F, 1e-6F, 1e-12F);
    }
    if (random_below(random, 2) == 0) {
        row->top_k =
            (uint32_t)PICK(random, 1, 2, 7, 20, 50, 100, 700, 4000000) + random_below(random, 2);
    }
    row->top_logprobs_count = random_below(random, 3) == 0 ? random_below(random, 21) : 0;
    for (uint32_t i = 0; i < TOKENS; i++) { /* some often, some at borders */
        const uint32_t spread = vocabulary < 12 || i % 3 == 0 ? vocabulary : 12;
        request.tokens[i] = random_below(random, spread);
    }
    for (uint32_t i = 0; i < BIASES; i++) {
        request.bias[i] = (struct sample_bias){random_below(random, vocabulary),
                                               PICK(random, 100, -100, 3, -3.5F, 0.1F)};
    }
    request.bias[BIASES - 1].id = request.bias[0].id; /* an id may come twice */
    row->bias_count = random_below(random, 4) == 0 ? random_below(random, BIASES + 1) : 0;
    if (random_below(random, 3) == 0) {
        const bool is_long = vocabulary < 3000 && random_below(random, 4) == 0;
        row->token_count = random_below(random, (is_long ? TOKENS : TOKENS_FEW) + 1);
        row->prompt_count = random_below(random, row->token_count + 1);
        row->presence_penalty = PICK(random, 0, 1.5F, -2, 0.3F);
        row->frequency_penalty = PICK(random, 0, 0.7F, -2, 0.1F);
        row->repetition_penalty = PICK(random, 1, 1.3F, 0.7F, 1.1F);
    }
    return request;
}

/* ---- a launch -------------------------------------------------------------------------------- */

/* Rows that one launch samples, on the host. */
struct launch {
    uint32_t vocabulary, row_count, real_count;
    size_t stride;
    float *logits; /* [row_count][stride] */
    struct request requests[ROWS_MAX];
    uint32_t sampled[ROWS_MAX]; /* before and after */
    struct sample_gpu_result results[ROWS_MAX];
    uint32_t paths[ROWS_MAX];
};

static void make_launch(struct launch *launch, uint32_t vocabulary, uint32_t row_count)
{
    launch->vocabulary = vocabulary;
    launch->row_count = launch->real_count = row_count;
    launch->stride = ((size_t)vocabulary + 3) / 4 * 4 + 4 * (vocabulary % 3);
    launch->logits = malloc(row_count * launch->stride * sizeof *launch->logits);
    memset(launch->sampled, 0, sizeof launch->sampled);
    for (uint32_t r = 0; r < row_count; r++) {
        launch->requests[r] = plain_request();
    }
}

static float *logits_of(const struct launch *launch, uint32_t r)
{
    return launch->logits + r * launch->stride;
}

static void make_logits(struct launch *launch, uint32_t r, enum shape shape,
                        struct random_source *random)
{
    float *logits = logits_of(launch, r);
    for (uint32_t t = 0; t < launch->stride; t++) {
        static const float beyond[] = {NAN, INFINITY, FLT_MAX};
        logits[t] = t < launch->vocabulary ? make_logit(shape, random) : beyond[t % 3];
    }
    if (shape == ONE_FINITE) {
        logits[random_below(random, launch->vocabulary)] = -3.0F;
    }
}

/* The packed lists of a launch. */
struct packed {
    struct sample_gpu_row rows[ROWS_MAX];
    uint32_t tokens[ROWS_MAX * TOKENS];
    struct sample_bias bias[ROWS_MAX * BIASES];
    struct gpu_counts counts;
    uint32_t sampled[ROWS_MAX];
};

static struct packed *pack(const struct launch *launch)
{
    struct packed *packed = calloc(1, sizeof *packed);
    for (uint32_t r = 0; r < launch->row_count; r++) {
        packed->rows[r] = launch->requests[r].row;
        packed->rows[r].token_first = r * TOKENS;
        packed->rows[r].bias_first = r * BIASES;
        memcpy(packed->tokens + r * TOKENS, launch->requests[r].tokens,
               sizeof launch->requests[r].tokens);
        memcpy(packed->bias + r * BIASES, launch->requests[r].bias,
               sizeof launch->requests[r].bias);
    }
    packed->counts.logit_row_count = launch->real_count;
    memcpy(packed->sampled, launch->sampled, sizeof packed->sampled);
    return packed;
}

/* Device memory for the largest launch. */
struct device {
    struct gpu *gpu;
    uint32_t index;
    float *logits;
    struct packed *packed;
    uint32_t *sampled;
    struct sample_gpu_result *results;
    unsigned char *workspace;
};

static void *take(struct gpu *gpu, size_t bytes)
{
    struct failure failure;
    void *memory = NULL;
    CHECK(gpu_memory_take(gpu, bytes, &memory, &failure) == STATUS_OK, "%s", failure.text);
    return memory;
}

static void upload(const struct device *device, void *to, const void *from, size_t bytes)
{
    CHECK(gpu_upload_async(device->gpu, to, from, bytes) == STATUS_OK, "upload");
}

static void download(const struct device *device, void *to, const void *from, size_t bytes)
{
    CHECK(gpu_download_async(device->gpu, to, from, bytes) == STATUS_OK, "download");
}

static void run(struct device *device, struct launch *launch)
{
    const size_t logits_bytes = launch->row_count * launch->stride * sizeof(float);
    const size_t workspace_bytes =
        sample_gpu_workspace_bytes(launch->row_count, launch->vocabulary);
    struct packed *packed = pack(launch);
    device->logits = take(device->gpu, logits_bytes);
    device->workspace = take(device->gpu, workspace_bytes);
    upload(device, device->logits, launch->logits, logits_bytes);
    upload(device, device->packed, packed, sizeof *packed);
    upload(device, device->sampled, packed->sampled, sizeof packed->sampled);
    CHECK(gpu_fill_async(device->gpu, device->results, POISON, sizeof launch->results) == STATUS_OK
              && gpu_fill_async(device->gpu, device->workspace, POISON, workspace_bytes)
                     == STATUS_OK,
          "fill");
    const struct sample_gpu_args args = {
        .logits = device->logits,
        .stride = launch->stride,
        .batch = {.counts = &device->packed->counts},
        .rows = device->packed->rows,
        .tokens = device->packed->tokens,
        .bias = device->packed->bias,
        .sampled = device->sampled,
        .results = device->results,
        .workspace = device->workspace,
        .row_count = launch->row_count,
        .vocabulary_count = launch->vocabulary,
    };
    CHECK(sample_gpu_launch(&args, gpu_stream_of(device->gpu)) == STATUS_OK, "launch");
    download(device, launch->sampled, device->sampled, sizeof launch->sampled);
    download(device, launch->results, device->results, sizeof launch->results);
    const struct sample_gpu_plan plan = sample_choose_plan(launch->vocabulary);
    for (uint32_t r = 0; r < launch->row_count; r++) {
        download(device, &launch->paths[r], device->workspace + r * plan.row_bytes,
                 sizeof launch->paths[r]);
    }
    CHECK(gpu_wait(device->gpu) == STATUS_OK, "%s", gpu_failure_text(device->gpu));
    gpu_memory_give_back(device->gpu, device->logits);
    gpu_memory_give_back(device->gpu, device->workspace);
    free(packed);
}

static uint32_t open_device(uint32_t index, struct device *device)
{
    struct failure failure;
    *device = (struct device){.index = index};
    if (gpu_open(index, &device->gpu, &failure) != STATUS_OK) {
        CHECK(false, "%s", failure.text);
        return 0;
    }
    device->packed = take(device->gpu, sizeof *device->packed);
    device->sampled = take(device->gpu, ROWS_MAX * sizeof *device->sampled);
    device->results = take(device->gpu, ROWS_MAX * sizeof *device->results);
    return 1;
}

static void close_device(struct device *device)
{
    gpu_memory_give_back(device->gpu, device->packed);
    gpu_memory_give_back(device->gpu, device->sampled);
    gpu_memory_give_back(device->gpu, device->results);
    gpu_close(device->gpu);
}

/* ---- against the reference ------------------------------------------------------------------- */

static bool is_near(float a, float b)
{
    return a == b || fabsf(a - b) <= 1e-5F * (1.0F + fabsf(a));
}

struct wanted {
    struct sample_row row;
    uint32_t top_ids[LIMIT_TOP_LOGPROBS];
    float top_logprobs[LIMIT_TOP_LOGPROBS];
};

/* sampled: what the device held before the launch. */
static void ask_reference(const struct launch *launch, uint32_t r, const uint32_t *sampled,
                          struct wanted *wanted)
{
    const struct request *request = &launch->requests[r];
    const struct sample_gpu_row *row = &request->row;
    const uint32_t count = launch->vocabulary;
    uint32_t tokens[TOKENS];
    for (uint32_t i = 0; i < TOKENS; i++) {
        const uint32_t token = request->tokens[i];
        tokens[i] = token >> SAMPLE_GPU_SAMPLED_BIT != 0 ? sampled[token & 0x7fffffff] : token;
    }
    float *logits = malloc(count * sizeof *logits);
    memcpy(logits, logits_of(launch, r), count * sizeof *logits);
    wanted->row = (struct sample_row){
        .logits = logits,
        .tokens = tokens,
        .token_count = row->token_count,
        .prompt_count = row->prompt_count,
        .bias = request->bias,
        .bias_count = row->bias_count,
        .temperature = row->temperature,
        .top_p = row->top_p,
        .min_p = row->min_p,
        .top_k = row->top_k,
        .presence_penalty = row->presence_penalty,
        .frequency_penalty = row->frequency_penalty,
        .repetition_penalty = row->repetition_penalty,
        .seed = row->seed,
        .position = row->position,
        .top_logprobs_count = row->top_logprobs_count,
        .top_ids = wanted->top_ids,
        .top_logprobs = wanted->top_logprobs,
    };
    void *scratch = aligned_alloc(64, sample_scratch_bytes(count));
    sample_reference(&(struct sample_args){&wanted->row, 1, count, scratch});
    free(scratch);
    free(logits);
}

static void compare_row(const struct device *device, const struct launch *launch, uint32_t r,
                        const struct wanted *wanted, const char *what)
{
    const struct sample_gpu_result *got = &launch->results[r];
    const struct sample_gpu_row *row = &launch->requests[r].row;
    CHECK(got->id == wanted->row.id && launch->sampled[r] == got->id,
          "%s: device %u row %u of %u: id %u (%u), not %u; path %u T %g k %u p %g min %g", what,
          device->index, r, launch->vocabulary, got->id, launch->sampled[r], wanted->row.id,
          launch->paths[r], (double)row->temperature, row->top_k, (double)row->top_p,
          (double)row->min_p);
    const float logprob = row->wants_logprob != 0 ? wanted->row.logprob : 0.0F;
    CHECK(is_near(got->logprob, logprob), "%s: row %u of %u: %g, not %g", what, r,
          launch->vocabulary, (double)got->logprob, (double)logprob);
    for (uint32_t i = 0; i < LIMIT_TOP_LOGPROBS; i++) {
        const bool is_there = i < row->top_logprobs_count;
        const uint32_t id = is_there ? wanted->top_ids[i] : 0;
        const float top = is_there ? wanted->top_logprobs[i] : -INFINITY;
        CHECK(got->top_ids[i] == id, "%s: row %u of %u top %u is %u, not %u", what, r,
              launch->vocabulary, i, got->top_ids[i], id);
        CHECK(is_near(got->top_logprobs[i], top), "%s: row %u of %u top %u: %g, not %g", what, r,
              launch->vocabulary, i, (double)got->top_logprobs[i], (double)top);
    }
}

static uint32_t paths_seen[32];

/* Runs, compares every real row, and looks that the others were left alone. */
static void check_launch(struct device *device, struct launch *launch, const char *what)
{
    uint32_t sampled[ROWS_MAX];
    memcpy(sampled, launch->sampled, sizeof sampled);
    run(device, launch);
    for (uint32_t r = 0; r < launch->real_count; r++) {
        struct wanted wanted;
        ask_reference(launch, r, sampled, &wanted);
        compare_row(device, launch, r, &wanted, what);
        paths_seen[launch->paths[r] % 32]++;
    }
    struct sample_gpu_result untouched;
    memset(&untouched, POISON, sizeof untouched);
    for (uint32_t r = launch->real_count; r < ROWS_MAX; r++) {
        CHECK(memcmp(&launch->results[r], &untouched, sizeof untouched) == 0
                  && launch->sampled[r] == sampled[r],
              "%s: row %u is beyond the %u real ones", what, r, launch->real_count);
    }
}

static void random_rows(struct device *device)
{
    static const struct {
        uint32_t vocabulary, row_count, launches;
    } cases[] = {{1, 16, 2},    {2, 24, 2},    {31, 32, 3},  {32, 32, 3},    {100, 64, 3},
                 {1000, 64, 5}, {2049, 16, 2}, {9000, 8, 1}, {32000, 10, 1}, {128256, 2, 1}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const bool is_first = device->index == 0; /* the others take fewer: fibers are slow */
        const uint32_t launches = is_first                      ? cases[c].launches
                                  : cases[c].vocabulary > 10000 ? 0
                                                                : (cases[c].launches + 1) / 2;
        for (uint32_t l = 0; l < launches; l++) {
            struct random_source random = {1 + device->index * 1000 + c * 100 + l};
            struct launch launch;
            make_launch(&launch, cases[c].vocabulary, cases[c].row_count);
            for (uint32_t r = 0; r < launch.row_count; r++) {
                const enum shape shape = (enum shape)random_below(&random, SHAPE_COUNT);
                launch.requests[r] = random_request(&random, launch.vocabulary);
                make_logits(&launch, r, shape, &random);
            }
            launch.real_count -= random_below(&random, 2) * (launch.row_count / 4);
            check_launch(device, &launch, "random");
            free(launch.logits);
        }
    }
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* One way to find an id, which must be the way that was taken. */
static void paths_are_taken(struct device *device)
{
    static const struct {
        uint32_t vocabulary;
        enum shape shape;
        float temperature, top_p, min_p;
        uint32_t top_k, top_count, path;
    } cases[] = {
        {5000, MODEL, 0.0F, 0.9F, 0.0F, 40, 0, SAMPLE_PATH_HIGHEST},
        {5000, NONE_FINITE, 1.0F, 0.9F, 0.0F, 40, 3, SAMPLE_PATH_HIGHEST},
        {5000, SPREAD, 1.0F, 1.0F, 0.0F, 0, 0, SAMPLE_PATH_WALK},
        {5000, SPREAD, 1.0F, 1.0F, 0.0F, 5000, 0, SAMPLE_PATH_WALK},
        {5000, MODEL, 0.8F, 0.9F, 0.0F, 50, 0, SAMPLE_PATH_CANDIDATES},
        {5000, PEAKED, 1.0F, 0.9F, 0.0F, 0, 0, SAMPLE_PATH_CANDIDATES},
        {5000, PEAKED, 1.0F, 1.0F, 0.1F, 0, 20, SAMPLE_PATH_CANDIDATES},
        {5000, SPREAD, 100.0F, 0.9F, 0.0F, 0, 0, SAMPLE_PATH_WHOLE},
        {5000, SPREAD, 1.0F, 0.9F, 0.0F, 4000, 0, SAMPLE_PATH_WHOLE},
        {5000, SPREAD, 1.0F, 1.0F, 0.0F, 4999, 0, SAMPLE_PATH_WHOLE},
        {5000, SPREAD, 1.0F, 1.0F, 1e-3F, 0, 0, SAMPLE_PATH_WHOLE},
        {5000, FEW_VALUES, 1.0F, 0.7F, 0.2F, 2000, 0, SAMPLE_PATH_WHOLE},
        {5000, EQUAL, 1.0F, 0.5F, 0.0F, 30, 7, SAMPLE_PATH_WHOLE + SAMPLE_PATH_TOP_WHOLE},
        {5000, FEW_VALUES, 0.0F, 1.0F, 0.0F, 0, 20, SAMPLE_PATH_HIGHEST + SAMPLE_PATH_TOP_WHOLE},
        {20000, EQUAL, 1.0F, 0.1F, 1.0F, 0, 1, SAMPLE_PATH_WHOLE + SAMPLE_PATH_TOP_WHOLE},
        {70000, SPREAD, 2.0F, 0.99F, 0.0F, 0, 0, SAMPLE_PATH_WHOLE},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const bool is_small = cases[c].vocabulary < 10000;
        struct launch launch;
        struct random_source random = {c + 77 * device->index};
        make_launch(&launch, cases[c].vocabulary, is_small ? 4 : 1);
        for (uint32_t r = 0; r < launch.row_count; r++) {
            struct sample_gpu_row *row = &launch.requests[r].row;
            row->temperature = cases[c].temperature;
            row->top_p = cases[c].top_p;
            row->min_p = cases[c].min_p;
            row->top_k = cases[c].top_k;
            row->top_logprobs_count = cases[c].top_count;
            row->seed = random_next(&random);
            make_logits(&launch, r, cases[c].shape, &random);
        }
        check_launch(device, &launch, "path");
        for (uint32_t r = 0; r < launch.row_count; r++) {
            CHECK(launch.paths[r] == cases[c].path, "case %zu row %u: path %u, not %u", c, r,
                  launch.paths[r], cases[c].path);
        }
        free(launch.logits);
    }
}

/* ---- single facts ---------------------------------------------------------------------------- */

/* The same rows alone, and last in a launch of others with a larger bucket. */
static void a_row_does_not_see_the_others(struct device *device)
{
    enum { COUNT = 3000, ROWS = 12 };
    struct random_source random = {404};
    struct launch all;
    make_launch(&all, COUNT, ROWS);
    for (uint32_t r = 0; r < ROWS; r++) {
        all.requests[r] = random_request(&random, COUNT);
        make_logits(&all, r, r % 2 == 0 ? MODEL : SPREAD, &random);
    }
    all.real_count = ROWS - 2;
    run(device, &all);
    for (uint32_t r = 0; r < all.real_count; r++) {
        struct launch alone;
        make_launch(&alone, COUNT, 1);
        alone.requests[0] = all.requests[r];
        memcpy(alone.logits, logits_of(&all, r), all.stride * sizeof(float));
        run(device, &alone);
        CHECK(memcmp(&alone.results[0], &all.results[r], sizeof alone.results[0]) == 0,
              "row %u alone", r);
        free(alone.logits);
    }
    free(all.logits);
}

/* The last token of a list may be known to the device alone. */
static void tokens_may_be_on_the_device(struct device *device)
{
    struct random_source random = {8};
    struct launch launch;
    make_launch(&launch, 500, 6);
    for (uint32_t r = 0; r < launch.row_count; r++) {
        struct request *request = &launch.requests[r];
        make_logits(&launch, r, SPREAD, &random);
        request->row.temperature = 0;
        request->row.token_count = 3;
        request->row.prompt_count = 1;
        request->row.frequency_penalty = r % 2 == 0 ? 20.0F : -20.0F;
        request->tokens[0] = 9;
        request->tokens[1] = 11;
        request->tokens[2] = 1U << SAMPLE_GPU_SAMPLED_BIT | (launch.row_count - 1 - r);
        launch.sampled[r] = 100 + r;
    }
    for (uint32_t t = 0; t < 500; t++) { /* the highest but for the penalty */
        logits_of(&launch, 0)[t] = t == 105 ? 30.0F : t == 7 ? 20.0F : 0.0F;
    }
    check_launch(device, &launch, "sampled");
    CHECK(launch.results[0].id == 7, "the token of the step before is penalised");
    CHECK(launch.results[1].id == 104 || launch.results[1].id == 11, "and its twin is favoured");
    free(launch.logits);
}

/* All cuts on, and too many tokens for the reference to sort: the last one stands out. */
static void the_largest_vocabulary_works(struct device *device)
{
    struct random_source random = {5};
    struct launch launch;
    make_launch(&launch, LIMIT_VOCABULARY, 1);
    make_logits(&launch, 0, SPREAD, &random);
    logits_of(&launch, 0)[LIMIT_VOCABULARY - 1] = 7.0F;
    launch.requests[0].row.top_k = 100;
    launch.requests[0].row.top_p = 0.9F;
    launch.requests[0].row.min_p = 0.9F;
    run(device, &launch);
    CHECK(launch.results[0].id == LIMIT_VOCABULARY - 1, "id %u", launch.results[0].id);
    free(launch.logits);
}

/* Nobody asked for a log-probability: nothing else than the highest logit is looked for. */
static void greedy_rows_are_cheap(struct device *device)
{
    struct random_source random = {3};
    struct launch launch;
    make_launch(&launch, 4100, 4);
    for (uint32_t r = 0; r < launch.row_count; r++) {
        make_logits(&launch, r, r == 3 ? EQUAL : MODEL, &random);
        launch.requests[r].row.temperature = 0;
        launch.requests[r].row.wants_logprob = 0;
    }
    check_launch(device, &launch, "greedy");
    CHECK(launch.paths[0] == SAMPLE_PATH_HIGHEST && launch.results[3].id == 0, "greedy");
    free(launch.logits);
}

/* Of two tokens the lighter has the lower id, and a seed that draws it if it is there: min-p at its
 * weight keeps it, and the next float above does not. */
static void weights_have_the_bits_of_the_cpu(struct device *device)
{
    struct random_source random = {21};
    for (uint32_t is_above = 0; is_above < 2; is_above++) {
        struct launch launch;
        make_launch(&launch, 2, ROWS_MAX);
        for (uint32_t r = 0; r < ROWS_MAX; r++) {
            struct sample_gpu_row *row = &launch.requests[r].row;
            float *logits = logits_of(&launch, r);
            logits[0] = -6.0F * unit(&random) - 0.01F;
            logits[1] = 0.0F;
            const float weight = exponential(logits[0]);
            row->min_p = is_above != 0 ? nextafterf(weight, 2.0F) : weight;
            while (philox_unit(row->seed, row->position)
                   > 0.9 * (double)weight / (1.0 + (double)weight)) {
                row->seed++;
            }
        }
        run(device, &launch);
        for (uint32_t r = 0; r < ROWS_MAX; r++) {
            CHECK(launch.results[r].id == is_above, "weight of %a",
                  (double)logits_of(&launch, r)[0]);
        }
        free(launch.logits);
    }
}

/* Pearson's chi-square over seeds; 7 tokens leave 6 degrees of freedom, for which 33 is passed once
 * in 100,000 times. */
static void draws_follow_the_distribution(struct device *device, float top_p)
{
    static const float logits[] = {0.0F, 1.0F, -1.0F, 2.0F, 0.5F, -0.5F, 1.5F};
    enum { COUNT = sizeof logits / sizeof logits[0], LAUNCHES = 8 };
    double seen[COUNT] = {0}, total = 0, chi_square = 0;
    for (uint32_t l = 0; l < LAUNCHES; l++) {
        struct launch launch;
        make_launch(&launch, COUNT, ROWS_MAX);
        for (uint32_t r = 0; r < ROWS_MAX; r++) {
            memcpy(logits_of(&launch, r), logits, sizeof logits);
            launch.requests[r].row.temperature = 0.8F;
            launch.requests[r].row.top_p = top_p;
            launch.requests[r].row.seed = l * ROWS_MAX + r;
        }
        run(device, &launch);
        for (uint32_t r = 0; r < ROWS_MAX; r++) {
            seen[launch.results[r].id % COUNT]++;
        }
        free(launch.logits);
    }
    for (size_t t = 0; t < COUNT; t++) {
        total += exp((double)logits[t] / 0.8);
    }
    for (size_t t = 0; t < COUNT; t++) {
        const double expected = LAUNCHES * ROWS_MAX * exp((double)logits[t] / 0.8) / total;
        chi_square += (seen[t] - expected) * (seen[t] - expected) / expected;
    }
    printf("sample: chi-square %.1f\n", chi_square);
    CHECK(chi_square < 33, "chi-square %g", chi_square);
}

static void wrong_arguments_are_refused(struct device *device)
{
    struct sample_gpu_args args = {.stride = 8, .vocabulary_count = 5};
    struct gpu_stream *stream = gpu_stream_of(device->gpu);
    CHECK(sample_gpu_launch(&args, stream) == STATUS_OK, "no rows are no work");
    args.vocabulary_count = 9;
    CHECK(sample_gpu_launch(&args, stream) == STATUS_INVALID, "stride below vocabulary");
    args = (struct sample_gpu_args){.stride = 10, .vocabulary_count = 9};
    CHECK(sample_gpu_launch(&args, stream) == STATUS_INVALID, "stride not a multiple of 4");
    args = (struct sample_gpu_args){.stride = 8};
    CHECK(sample_gpu_launch(&args, stream) == STATUS_INVALID, "no vocabulary");
    args = (struct sample_gpu_args){.stride = LIMIT_VOCABULARY + 4,
                                    .vocabulary_count = LIMIT_VOCABULARY + 1};
    CHECK(sample_gpu_launch(&args, stream) == STATUS_INVALID, "vocabulary above the limit");
}

int main(void)
{
    struct failure failure;
    const uint32_t count = gpu_count(&failure);
    if (count == 0) {
        printf("no device: %s\n", failure.text);
        return 77;
    }
    for (uint32_t index = 0; index < count; index++) {
        struct device device;
        if (open_device(index, &device) == 0) {
            continue;
        }
        random_rows(&device);
        paths_are_taken(&device);
        a_row_does_not_see_the_others(&device);
        tokens_may_be_on_the_device(&device);
        greedy_rows_are_cheap(&device);
        if (index == 0) {
            draws_follow_the_distribution(&device, 1.0F);
            draws_follow_the_distribution(&device, 0.9999999F);
            weights_have_the_bits_of_the_cpu(&device);
            wrong_arguments_are_refused(&device);
            the_largest_vocabulary_works(&device);
        }
        close_device(&device);
    }
    printf("sample: highest %u, walk %u, candidates %u, whole %u\n",
           paths_seen[SAMPLE_PATH_HIGHEST], paths_seen[SAMPLE_PATH_WALK],
           paths_seen[SAMPLE_PATH_CANDIDATES], paths_seen[SAMPLE_PATH_WHOLE]);
    return check_failures > 0;
}
