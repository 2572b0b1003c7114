/* Method: ragged batches over shuffled pages against the reference in fp32 on the same numbers.
 * Unused tokens and pages, tokens behind the window, and columns beyond a row's end hold NaN; rows
 * that a step does not have must stay as they are. A weight is within half a unit of T of what it
 * should be, and so is their sum, hence an output within twice that of the largest value, plus its
 * own rounding. Then the same rows alone, in every chunking, decoded and as a prompt, on other
 * pages, with another grid and by the wgmma kernel must have the same bits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/attention/attention_plan.h"
#include "kernels/float_mode.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

enum { SEQUENCES_MAX = 13, PADDING = 8, ITEMS_MAX = 1000, FEW = 8, ALL = 1000000 };

struct history { /* tokens before the step, and rows in it */
    uint32_t before, now;
};

static const struct history borders[] = {{0, 1},    {14, 1}, {15, 1},  {16, 1},  {62, 1},
                                         {63, 1},   {64, 1}, {510, 1}, {511, 1}, {512, 1},
                                         {1299, 1}, {0, 70}, {490, 25}};
static const struct history mixed[] = {{0, 19}, {575, 1}, {63, 1}, {497, 30}};

static const struct history small[] = {{0, 9}, {575, 1}, {61, 4}};
static const struct history halves[] = {{3, 2}, {497, 24}};

#define LIST(array) (array), sizeof(array) / sizeof(array)[0]

static const struct problem {
    enum dtype dtype, kv_dtype;
    uint32_t head_dim, head_count, kv_head_count, page_tokens, window;
    float softcap;
    const struct history *histories;
    size_t sequence_count;
} problems[] = {
    {DTYPE_BF16, DTYPE_BF16, 128, 4, 1, 16, 0, 0, LIST(borders)},
    {DTYPE_F16, DTYPE_E4M3, 64, 2, 2, 32, 0, 0, LIST(borders)},
    {DTYPE_F16, DTYPE_F16, 64, 3, 1, 64, 0, 0, LIST(mixed)},
    {DTYPE_BF16, DTYPE_BF16, 8, 4, 2, 16, 0, 0, LIST(mixed)},
    {DTYPE_BF16, DTYPE_BF16, 80, 5, 1, 48, 100, 0, LIST(mixed)},
    {DTYPE_F16, DTYPE_F16, 96, 8, 1, 32, 0, 3, LIST(small)},
    {DTYPE_BF16, DTYPE_BF16, 256, 2, 1, 16, 33, 2, LIST(mixed)},
    {DTYPE_BF16, DTYPE_BF16, 40, 20, 1, 16, 0, 0, LIST(small)},
    {DTYPE_F16, DTYPE_E4M3, 256, 1, 1, 128, 0, 0, LIST(small)},
    {DTYPE_BF16, DTYPE_E4M3, 128, 16, 1, 16, 5, 0, LIST(small)},
    {DTYPE_BF16, DTYPE_E4M3, 96, 2, 1, 16, 513, 0, LIST(mixed)},
    {DTYPE_F16, DTYPE_E4M3, 24, 4, 2, 32, 0, 0, LIST(small)},
    {DTYPE_F16, DTYPE_F16, 128, 6, 2, 32, 100, 5, LIST(halves)},
};

struct world {
    const struct problem *problem;
    uint32_t page_count, pages_each, row_count;
    uint32_t row_first[SEQUENCES_MAX];
    uint32_t *pages;      /* [sequence, pages_each] */
    float *q, *k, *v;     /* rounded; k and v are what is stored, by pages */
    float *want;          /* [row, q_dim] */
    size_t q_dim, stride; /* of a row of q and out */
    struct attention_gpu_args args;
    void *items, *counts; /* device memory */
    bool walks_alone;     /* items of several parts become one, as when slots run out */
    unsigned char *first; /* the first run's out: what every other must equal */
};

/* One sequence's part of a step. */
struct range {
    uint32_t sequence, first, count;
};

static float *take_floats(size_t count)
{
    float *floats = malloc(count * sizeof *floats);
    for (size_t i = 0; i < count; i++) {
        floats[i] = NAN;
    }
    return floats;
}

static void deal_pages(struct world *world, struct random_source *random)
{
    const uint32_t needed = world->pages_each * (uint32_t)world->problem->sequence_count;
    world->page_count = needed + 3;
    world->pages = malloc(world->page_count * sizeof *world->pages);
    for (uint32_t i = 0; i < world->page_count; i++) {
        const uint32_t j = random_below(random, i + 1);
        world->pages[i] = world->pages[j];
        world->pages[j] = i;
    }
}

static uint32_t key_first(const struct problem *problem, uint32_t position)
{
    return problem->window > 0 && position >= problem->window ? position - problem->window + 1 : 0;
}

/* The same tokens whatever the pages: each sequence has its own source. Pages that the first row's
 * window has left behind stay NaN. */
static void fill_tokens(struct world *world, uint32_t s)
{
    const struct problem *problem = world->problem;
    const struct history *history = &problem->histories[s];
    struct random_source random = {1000 + s};
    const uint32_t page_tokens = problem->page_tokens;
    const uint32_t first = key_first(problem, history->before) / page_tokens * page_tokens;
    for (uint32_t t = 0; t < history->before + history->now; t++) {
        for (uint32_t g = 0; g < problem->kv_head_count; g++) {
            const size_t page = world->pages[s * world->pages_each + t / page_tokens];
            const size_t row = (page * problem->kv_head_count + g) * page_tokens + t % page_tokens;
            for (uint32_t d = 0; d < 2 * problem->head_dim; d++) {
                float *to = d % 2 == 0 ? world->k : world->v;
                const float value = (float)random_below(&random, 20001) * 1e-4F - 1.0F;
                if (t >= first) {
                    to[row * problem->head_dim + d / 2] = value;
                }
            }
        }
    }
}

/* Values of the format, and those in memory of the device. */
static void *upload_rounded(struct gpu *gpu, float *values, size_t count, enum dtype dtype)
{
    void *narrow = support_device_narrow(values, count, dtype);
    for (size_t i = 0; i < count; i++) {
        values[i] = dtype_load(narrow, dtype, i);
    }
    void *device = support_device_take(gpu, narrow, count * dtype_bytes(dtype));
    free(narrow);
    return device;
}

static void make_pools(struct gpu *gpu, struct world *world, uint64_t seed)
{
    const struct problem *problem = world->problem;
    struct random_source random = {seed};
    deal_pages(world, &random);
    const size_t count = (size_t)world->page_count * problem->kv_head_count * problem->page_tokens
                         * problem->head_dim;
    world->k = take_floats(count);
    world->v = take_floats(count);
    for (uint32_t s = 0; s < problem->sequence_count; s++) {
        fill_tokens(world, s);
    }
    world->args.k_pages = upload_rounded(gpu, world->k, count, problem->kv_dtype);
    world->args.v_pages = upload_rounded(gpu, world->v, count, problem->kv_dtype);
    world->args.batch.pages =
        support_device_take(gpu, world->pages, world->page_count * sizeof *world->pages);
    for (size_t i = 0; i < count; i++) {
        world->k[i] *= world->args.k_scale;
        world->v[i] *= world->args.v_scale;
    }
}

static void free_pools(struct world *world)
{
    free(world->pages);
    free(world->k);
    free(world->v);
}

static size_t out_bytes(const struct world *world)
{
    return world->row_count * world->stride * 2;
}

static void make_world(struct gpu *gpu, const struct problem *problem, struct world *world)
{
    *world = (struct world){.problem = problem};
    uint32_t longest = 0;
    for (uint32_t s = 0; s < problem->sequence_count; s++) {
        const struct history *history = &problem->histories[s];
        const uint32_t tokens = history->before + history->now;
        world->row_first[s] = world->row_count;
        world->row_count += history->now;
        longest = tokens > longest ? tokens : longest;
    }
    world->pages_each = (longest + problem->page_tokens - 1) / problem->page_tokens;
    world->q_dim = (size_t)problem->head_count * problem->head_dim;
    world->stride = world->q_dim + PADDING;
    const bool is_e4m3 = problem->kv_dtype == DTYPE_E4M3;
    struct attention_gpu_args *args = &world->args;
    args->shape = (struct attention_gpu_shape){.head_count = problem->head_count,
                                               .kv_head_count = problem->kv_head_count,
                                               .head_dim = problem->head_dim,
                                               .page_tokens = problem->page_tokens,
                                               .multiprocessors = 1,
                                               .dtype = problem->dtype,
                                               .kv_dtype = problem->kv_dtype};
    args->q_stride = args->out_stride = world->stride;
    args->window = problem->window;
    args->softcap = problem->softcap;
    args->scale = 4.0F / sqrtf((float)problem->head_dim);
    args->k_scale = is_e4m3 ? 1.25F : 1.0F;
    args->v_scale = is_e4m3 ? 0.75F : 1.0F;
    struct random_source random = {problem->head_dim};
    const size_t q_count = world->row_count * world->stride;
    world->q = support_device_floats(&random, q_count, 1.0F, problem->dtype);
    for (size_t i = 0; i < q_count; i++) {
        world->q[i] = i % world->stride < world->q_dim ? world->q[i] : NAN;
    }
    args->q = upload_rounded(gpu, world->q, q_count, problem->dtype);
    const size_t bytes = attention_gpu_workspace_bytes(&args->shape);
    args->workspace = support_device_take(gpu, NULL, bytes);
    support_device_must(gpu, gpu_fill_async(gpu, args->workspace, 0, bytes), "fill");
    world->items = support_device_take(gpu, NULL, ITEMS_MAX * sizeof(struct attention_gpu_item));
    world->counts = support_device_take(gpu, NULL, sizeof(struct gpu_counts));
    args->items = world->items;
    args->batch.counts = world->counts;
    args->out = support_device_take(gpu, NULL, out_bytes(world));
    make_pools(gpu, world, problem->head_dim + 1);
}

static void free_world(struct world *world)
{
    free_pools(world);
    free(world->q);
    free(world->want);
    free(world->first);
}

static void find_want(struct world *world)
{
    const struct problem *problem = world->problem;
    const size_t size = world->row_count * world->q_dim;
    float *q = take_floats(size);
    world->want = take_floats(size);
    for (size_t i = 0; i < size; i++) {
        q[i] = world->q[i / world->q_dim * world->stride + i % world->q_dim];
    }
    struct attention_sequence sequences[SEQUENCES_MAX];
    for (uint32_t s = 0; s < problem->sequence_count; s++) {
        sequences[s] = (struct attention_sequence){world->pages + (size_t)s * world->pages_each,
                                                   world->row_first[s], problem->histories[s].now,
                                                   problem->histories[s].before};
    }
    const struct attention_args args = {.q = q,
                                        .k_pages = world->k,
                                        .v_pages = world->v,
                                        .out = world->want,
                                        .sequences = sequences,
                                        .sequence_count = (uint32_t)problem->sequence_count,
                                        .head_count = problem->head_count,
                                        .kv_head_count = problem->kv_head_count,
                                        .head_dim = problem->head_dim,
                                        .page_tokens = problem->page_tokens,
                                        .window = problem->window,
                                        .scale = world->args.scale,
                                        .softcap = problem->softcap};
    attention_reference(&args);
    free(q);
}

static void join_parts(struct attention_gpu_item *items, struct gpu_counts *counts)
{
    uint32_t count = 0, decode_count = 0;
    for (uint32_t i = 0; i < counts->attention_item_count; i++) {
        if (items[i].part_index == 0) {
            items[count] = items[i];
            items[count++].part_count = 1;
            decode_count += i < counts->attention_decode_count;
        }
    }
    counts->attention_item_count = count;
    counts->attention_decode_count = decode_count;
}

/* One step of these ranges into `out`, [row, stride] on the device. */
static void run_step(struct gpu *gpu, struct world *world, const struct range *ranges,
                     uint32_t range_count, uint32_t few_rows)
{
    struct gpu_sequence sequences[SEQUENCES_MAX];
    uint32_t rows = 0;
    for (uint32_t i = 0; i < range_count; i++) {
        const uint32_t s = ranges[i].sequence;
        sequences[i] = (struct gpu_sequence){.row_first = world->row_first[s] + ranges[i].first,
                                             .row_count = ranges[i].count,
                                             .position_first = world->problem->histories[s].before
                                                               + ranges[i].first,
                                             .page_first = s * world->pages_each};
        rows += ranges[i].count;
    }
    struct gpu_counts counts = {.row_count = rows, .sequence_count = range_count};
    const uint32_t most = attention_gpu_items_max(&world->args.shape, rows, range_count);
    struct attention_gpu_item *items = malloc(most * sizeof *items);
    attention_plan_items(&world->args.shape, few_rows % 2 == 0 ? world->args.window : 0, few_rows,
                         sequences, range_count, items, &counts);
    if (world->walks_alone) {
        join_parts(items, &counts);
    }
    const uint32_t item_count = counts.attention_item_count;
    CHECK(item_count <= most && item_count <= ITEMS_MAX, "%u items", item_count);
    world->args.has_prefill = item_count > counts.attention_decode_count;
    enum status status = gpu_upload_async(gpu, world->items, items, item_count * sizeof *items);
    support_device_must(gpu, status, "items");
    status = gpu_upload_async(gpu, world->counts, &counts, sizeof counts);
    support_device_must(gpu, status, "counts");
    status = attention_gpu_launch(&world->args, gpu_stream_of(gpu));
    support_device_must(gpu, status, "launch");
    support_device_must(gpu, gpu_wait(gpu), "wait");
    free(items);
}

/* All rows, each sequence `chunk` at a time, alone or all sequences in each step. */
static unsigned char *run_chunks(struct gpu *gpu, struct world *world, uint32_t chunk,
                                 bool is_alone, uint32_t few_rows)
{
    const enum status status =
        gpu_fill_async(gpu, world->args.out, SUPPORT_DEVICE_POISON, out_bytes(world));
    support_device_must(gpu, status, "fill");
    bool is_done = false;
    for (uint32_t first = 0; !is_done; first += chunk) {
        struct range ranges[SEQUENCES_MAX];
        uint32_t count = 0;
        for (uint32_t s = 0; s < world->problem->sequence_count; s++) {
            const uint32_t now = world->problem->histories[s].now;
            if (first < now) {
                ranges[count++] =
                    (struct range){s, first, now - first < chunk ? now - first : chunk};
            }
        }
        for (uint32_t i = 0; is_alone && i < count; i++) {
            run_step(gpu, world, &ranges[i], 1, few_rows);
        }
        if (!is_alone && count > 0) {
            run_step(gpu, world, ranges, count, few_rows);
        }
        is_done = count == 0;
    }
    return support_device_read(gpu, world->args.out, out_bytes(world));
}

static void compare_with_reference(const struct world *world, size_t at)
{
    const struct problem *problem = world->problem;
    const float unit = support_device_half_ulp(1.0F, problem->dtype) * 2; /* of 1: 2^-8, 2^-11 */
    double worst = 0;
    for (size_t i = 0; i < world->row_count * world->stride; i++) {
        const size_t row = i / world->stride, column = i % world->stride;
        if (column >= world->q_dim) {
            CHECK(support_device_is_poison(world->first + i * 2, 2), "padding of row %zu", row);
            continue;
        }
        const float want = world->want[row * world->q_dim + column];
        const float got = dtype_load(world->first, problem->dtype, i);
        const float bound =
            unit * world->args.v_scale + support_device_half_ulp(want, problem->dtype) + 1e-4F;
        const float error = fabsf(got - want);
        worst = error > (float)worst ? (double)error : worst;
        CHECK(error <= bound, "problem %zu row %zu column %zu: %g, not %g", at, row, column,
              (double)got, (double)want);
    }
    printf("attention: problem %zu, largest error %.2g\n", at, worst);
}

static void expect_same(const struct world *world, unsigned char *out, size_t at, const char *what)
{
    size_t i = 0;
    while (i < out_bytes(world) && out[i] == world->first[i]) {
        i++;
    }
    CHECK(i == out_bytes(world), "problem %zu %s: row %zu column %zu", at, what,
          i / 2 / world->stride, i / 2 % world->stride);
    free(out);
}

static void expect_counters_back(struct gpu *gpu, const struct world *world)
{
    const struct attention_gpu_shape *shape = &world->args.shape;
    const size_t count = attention_plan_place_workspace(shape).maxima_at / sizeof(uint32_t);
    uint32_t *counters = support_device_read(gpu, world->args.workspace, count * sizeof(uint32_t));
    for (size_t i = 0; i < count; i++) {
        CHECK(counters[i] == 0, "counter %zu is %u", i, counters[i]);
    }
    free(counters);
}

/* From here on, where there is such a kernel: the run before was by mma, prompts included. */
static void use_wgmma(struct gpu *gpu, struct world *world)
{
    struct gpu_info info;
    gpu_get_info(gpu, &info);
    const struct problem *problem = world->problem;
    world->args.shape.has_wgmma =
        info.compute_major == 9 && problem->head_dim == 128 && problem->kv_dtype == problem->dtype;
}

/* The other orders of threads, which the host build has as devices, have fewer runs. */
static void check_problem(struct gpu *gpu, size_t at, bool is_first_device)
{
    struct world world;
    make_world(gpu, &problems[at], &world);
    find_want(&world);
    world.first = run_chunks(gpu, &world, ALL, false, FEW);
    compare_with_reference(&world, at);
    use_wgmma(gpu, &world);
    expect_same(&world, run_chunks(gpu, &world, ALL, false, 0), at, "as prompts");
    if (is_first_device) {
        world.walks_alone = true;
        expect_same(&world, run_chunks(gpu, &world, ALL, false, FEW), at, "without parts");
        world.walks_alone = false;
        expect_same(&world, run_chunks(gpu, &world, 17, false, 0), at, "in chunks of 17");
        world.args.shape.multiprocessors = 3;
        expect_same(&world, run_chunks(gpu, &world, 7, true, ALL), at, "decoded alone");
        free_pools(&world);
        make_pools(gpu, &world, 99);
        expect_same(&world, run_chunks(gpu, &world, 29, false, 1), at, "on other pages");
    }
    expect_counters_back(gpu, &world);
    free_world(&world);
}

static uint32_t devices_seen;

static void check_all(struct gpu *gpu)
{
    for (size_t at = 0; at < sizeof problems / sizeof problems[0]; at++) {
        check_problem(gpu, at, devices_seen == 0);
        support_device_release(gpu);
    }
    devices_seen++;
}

static void kernels_agree(void)
{
    support_device_on_each(check_all);
}

/* ---- plans ---------------------------------------------------------------------------------- */

enum { MANY = 200, STEP_ROWS = 4 };

/* Every row's splits are walked through once, in one item or in parts with slots of their own. */
static void check_plan(const struct attention_gpu_shape *shape, uint32_t context, uint32_t few_rows)
{
    struct gpu_sequence sequences[MANY];
    for (uint32_t s = 0; s < MANY; s++) {
        sequences[s] = (struct gpu_sequence){s * STEP_ROWS, STEP_ROWS, context + 7 * s, s};
    }
    const uint32_t most = attention_gpu_items_max(shape, MANY * STEP_ROWS, MANY);
    struct attention_gpu_item *items = malloc(most * sizeof *items);
    unsigned char *slots = calloc(ATTENTION_GPU_SLOTS, 1);
    uint32_t splits[MANY * STEP_ROWS] = {0};
    struct gpu_counts counts = {0};
    attention_plan_items(shape, 0, few_rows, sequences, MANY, items, &counts);
    CHECK(counts.attention_item_count <= most, "%u items", counts.attention_item_count);
    CHECK(counts.attention_decode_count == (few_rows > 0 ? counts.attention_item_count : 0),
          "%u decoded", counts.attention_decode_count);
    for (uint32_t i = 0; i < counts.attention_item_count; i++) {
        const struct attention_gpu_item *item = &items[i];
        const uint32_t last = item->position_first + item->row_count - 1;
        for (uint32_t row = 0; row < item->row_count; row++) {
            splits[item->row_first + row] +=
                item->part_count > 1 ? 1 : last / ATTENTION_GPU_SPLIT_TOKENS + 1;
            const uint32_t slot = item->slot_first + item->part_index * item->row_count + row;
            CHECK(item->part_count == 1 || (slot < ATTENTION_GPU_SLOTS && slots[slot]++ == 0),
                  "slot %u of item %u", slot, i);
        }
    }
    for (uint32_t row = 0; row < MANY * STEP_ROWS; row++) {
        const uint32_t s = row / STEP_ROWS;
        const uint32_t last = sequences[s].position_first + STEP_ROWS - 1;
        CHECK(splits[row] == last / ATTENTION_GPU_SPLIT_TOKENS + 1, "row %u: %u splits", row,
              splits[row]);
    }
    free(items);
    free(slots);
}

static void plans_cover_all_rows(void)
{
    struct attention_gpu_shape shape = {.head_count = 32, .kv_head_count = 8, .head_dim = 128};
    static const uint32_t contexts[] = {0, 500, 4000, 30000};
    for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++) {
        shape.head_count = 8 * (uint32_t)(i + 4);
        check_plan(&shape, contexts[i], STEP_ROWS);
        check_plan(&shape, contexts[i], 0);
    }
}

static void shapes_are_checked(void)
{
    const struct attention_gpu_shape good = {.head_count = 32,
                                             .kv_head_count = 8,
                                             .head_dim = 128,
                                             .page_tokens = 16,
                                             .dtype = DTYPE_BF16,
                                             .kv_dtype = DTYPE_E4M3};
    CHECK(attention_gpu_check(&good) == STATUS_OK, "a usual shape");
    struct attention_gpu_shape bad[] = {good, good, good, good, good, good};
    bad[0].head_dim = 264;
    bad[1].head_dim = 12;
    bad[2].kv_head_count = 5;
    bad[3].page_tokens = 24;
    bad[4].kv_dtype = DTYPE_F16;
    bad[5].dtype = DTYPE_F32;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(attention_gpu_check(&bad[i]) == STATUS_UNSUPPORTED, "shape %zu", i);
    }
}

CHECK_MAIN(shapes_are_checked, plans_cover_all_rows, kernels_agree)
