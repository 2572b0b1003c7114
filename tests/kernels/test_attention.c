/* Method: ragged batches over shuffled pages, on every vector unit, bit for bit against the
 * reference, which a second, naive softmax in double precision checks in turn. Everything that a
 * sequence does not own or has left behind its window is NaN, so one read of it shows. Then the
 * same prompts in chunks of 1, 7, 64 and all at once, alone and among others, must give the same
 * bits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "tests/check.h"
#include "tests/kernels/support_kernels.h"

static const struct shape {
    uint32_t head_dim, head_count, kv_head_count, page_tokens, window;
    float softcap;
} shapes[] = {
    {2, 1, 1, 16, 0, 0},     {8, 4, 2, 16, 0, 0},   {20, 6, 2, 32, 0, 0},    {24, 3, 1, 16, 0, 0},
    {64, 8, 2, 16, 0, 0},    {64, 4, 4, 48, 0, 0},  {80, 4, 1, 16, 0, 0},    {96, 2, 2, 16, 0, 0},
    {128, 4, 1, 32, 0, 0},   {256, 2, 1, 16, 0, 0}, {16, 64, 1, 16, 0, 0},   {512, 1, 1, 16, 0, 0},
    {66, 5, 5, 16, 0, 0},    {64, 8, 2, 16, 1, 0},  {64, 8, 2, 16, 17, 0},   {128, 4, 2, 32, 48, 3},
    {20, 6, 2, 16, 33, 0.5}, {80, 4, 1, 16, 0, 30}, {64, 4, 4, 48, 1000, 0},
};
enum { SHAPE_COUNT = sizeof shapes / sizeof shapes[0], SEQUENCES = 4, TOKENS_MAX = 130 };

/* Tokens before this step and rows in it, per sequence. */
static const uint32_t before[SEQUENCES] = {0, 15, 37, 100}, now[SEQUENCES] = {19, 1, 8, 30};

static struct workers *workers;

struct batch {
    struct attention_args args;
    struct attention_sequence sequences[SEQUENCES];
    uint32_t *pages[SEQUENCES];
    float *q, *k_pages, *v_pages, *out;
    uint32_t row_count;
    size_t out_size;
};

/* Pages of the sequences, dealt out in random order from a pool with some to spare. */
static uint32_t deal_pages(struct batch *batch, const struct shape *shape,
                           struct random_source *random)
{
    const uint32_t each = (TOKENS_MAX + shape->page_tokens - 1) / shape->page_tokens;
    const uint32_t page_count = SEQUENCES * each + 3;
    uint32_t *deck = support_memory(page_count * sizeof *deck);
    for (uint32_t i = 0; i < page_count; i++) {
        const uint32_t j = random_below(random, i + 1);
        deck[i] = deck[j];
        deck[j] = i;
    }
    for (uint32_t s = 0; s < SEQUENCES; s++) {
        batch->pages[s] = support_memory(each * sizeof(uint32_t));
        memcpy(batch->pages[s], deck + s * each, each * sizeof(uint32_t));
    }
    free(deck);
    return page_count;
}

static uint32_t window_first(const struct attention_args *args, uint32_t position)
{
    return args->window > 0 && position >= args->window ? position - args->window + 1 : 0;
}

/* What lies before the tile in which the first row's window begins stays NaN. */
static void fill_tokens(struct batch *batch, uint32_t s, struct random_source *random)
{
    const struct attention_args *args = &batch->args;
    const uint32_t first =
        window_first(args, before[s]) / ATTENTION_TILE_TOKENS * ATTENTION_TILE_TOKENS;
    for (uint32_t t = first; t < before[s] + now[s]; t++) {
        for (uint32_t g = 0; g < args->kv_head_count; g++) {
            const size_t page = batch->pages[s][t / args->page_tokens];
            const size_t row =
                (page * args->kv_head_count + g) * args->page_tokens + t % args->page_tokens;
            support_fill(random, batch->k_pages + row * args->head_dim, args->head_dim);
            support_fill(random, batch->v_pages + row * args->head_dim, args->head_dim);
        }
    }
}

static void make_batch(struct batch *batch, const struct shape *shape, uint64_t seed)
{
    struct random_source random = {seed};
    *batch = (struct batch){.args = {.head_count = shape->head_count,
                                     .kv_head_count = shape->kv_head_count,
                                     .head_dim = shape->head_dim,
                                     .page_tokens = shape->page_tokens,
                                     .sequence_count = SEQUENCES,
                                     .window = shape->window,
                                     .softcap = shape->softcap,
                                     .scale = 4.0F / sqrtf((float)shape->head_dim)}};
    const size_t pool_size = (size_t)deal_pages(batch, shape, &random) * shape->kv_head_count
                             * shape->page_tokens * shape->head_dim;
    batch->k_pages = support_memory(pool_size * sizeof(float));
    batch->v_pages = support_memory(pool_size * sizeof(float));
    for (size_t i = 0; i < pool_size; i++) {
        batch->k_pages[i] = batch->v_pages[i] = NAN;
    }
    for (uint32_t s = 0; s < SEQUENCES; s++) {
        batch->sequences[s] =
            (struct attention_sequence){batch->pages[s], batch->row_count, now[s], before[s]};
        batch->row_count += now[s];
        fill_tokens(batch, s, &random);
    }
    batch->out_size = (size_t)batch->row_count * shape->head_count * shape->head_dim;
    batch->q = support_floats(&random, batch->out_size);
    batch->out = support_memory(batch->out_size * sizeof(float));
    batch->args.q = batch->q;
    batch->args.k_pages = batch->k_pages;
    batch->args.v_pages = batch->v_pages;
    batch->args.sequences = batch->sequences;
    batch->args.out = batch->out;
}

static void free_batch(struct batch *batch)
{
    for (uint32_t s = 0; s < SEQUENCES; s++) {
        free(batch->pages[s]);
    }
    free(batch->q);
    free(batch->k_pages);
    free(batch->v_pages);
    free(batch->out);
}

static void compare_with_reference(const char *level)
{
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        struct batch batch;
        make_batch(&batch, &shapes[i], i);
        float *want = support_memory(batch.out_size * sizeof *want);
        batch.args.out = want;
        backend_reference.attention(&batch.args, NULL);
        batch.args.out = batch.out;
        backend_cpu.attention(&batch.args, workers);
        const size_t at = support_first_difference(want, batch.out, batch.out_size);
        CHECK(at == batch.out_size, "%s shape %zu: element %zu", level, i, at);
        free(want);
        free_batch(&batch);
    }
}

static void fast_paths_equal_the_reference(void)
{
    support_on_every_level(compare_with_reference);
}

/* Largest difference of one row and head from a softmax in double precision. */
static double error_of(const struct batch *batch, uint32_t s, uint32_t i, uint32_t h)
{
    const struct attention_args *args = &batch->args;
    const uint32_t key_count = before[s] + i + 1;
    const uint32_t g = h / (args->head_count / args->kv_head_count);
    const size_t head = (size_t)(batch->sequences[s].row_first + i) * args->head_count + h;
    double sum = 0, outs[ATTENTION_HEAD_DIM_MAX] = {0}, worst = 0;
    for (uint32_t t = window_first(args, key_count - 1); t < key_count; t++) {
        const size_t page = batch->pages[s][t / args->page_tokens];
        const size_t row =
            (page * args->kv_head_count + g) * args->page_tokens + t % args->page_tokens;
        double score = 0;
        for (uint32_t d = 0; d < args->head_dim; d++) {
            score += (double)batch->q[head * args->head_dim + d]
                     * (double)batch->k_pages[row * args->head_dim + d];
        }
        score *= (double)args->scale;
        if (args->softcap > 0) {
            score = (double)args->softcap * tanh(score / (double)args->softcap);
        }
        const double weight = exp(score);
        sum += weight;
        for (uint32_t d = 0; d < args->head_dim; d++) {
            outs[d] += weight * (double)batch->v_pages[row * args->head_dim + d];
        }
    }
    for (uint32_t d = 0; d < args->head_dim; d++) {
        const double got = (double)batch->out[head * args->head_dim + d];
        worst = fmax(worst, fabs(got - outs[d] / sum));
    }
    return worst;
}

static void results_are_accurate(void)
{
    double worst = 0;
    for (size_t k = 0; k < SHAPE_COUNT; k++) {
        struct batch batch;
        make_batch(&batch, &shapes[k], k);
        backend_cpu.attention(&batch.args, workers);
        for (uint32_t s = 0; s < SEQUENCES; s++) {
            for (uint32_t i = 0; i < now[s]; i++) {
                for (uint32_t h = 0; h < shapes[k].head_count; h++) {
                    const double error = error_of(&batch, s, i, h);
                    worst = error > worst || isnan(error) ? error : worst;
                }
            }
        }
        free_batch(&batch);
    }
    printf("attention: largest error %.2g of values up to 1\n", worst);
    CHECK(worst < 2e-6, "largest error %g", worst);
}

/* Runs sequence s of the batch alone, `chunk` rows at a time. */
static void run_in_chunks(const struct batch *batch, uint32_t s, uint32_t chunk, float *out)
{
    struct attention_args args = batch->args;
    const struct attention_sequence *whole = &batch->sequences[s];
    args.out = out;
    args.sequence_count = 1;
    for (uint32_t first = 0; first < whole->row_count; first += chunk) {
        const uint32_t left = whole->row_count - first;
        const struct attention_sequence part = {whole->pages, whole->row_first + first,
                                                left < chunk ? left : chunk,
                                                whole->position_first + first};
        args.sequences = &part;
        backend_cpu.attention(&args, chunk % 2 == 0 ? workers : NULL);
    }
}

static void compare_chunks(const char *level)
{
    static const uint32_t chunks[] = {1, 7, 64};
    for (size_t k = 0; k < SHAPE_COUNT; k++) {
        struct batch batch;
        make_batch(&batch, &shapes[k], 100 + k);
        backend_cpu.attention(&batch.args, workers);
        float *alone = support_memory(batch.out_size * sizeof *alone);
        for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
            memset(alone, 0, batch.out_size * sizeof *alone);
            for (uint32_t s = 0; s < SEQUENCES; s++) {
                run_in_chunks(&batch, s, chunks[c], alone);
            }
            const size_t at = support_first_difference(batch.out, alone, batch.out_size);
            CHECK(at == batch.out_size, "%s shape %zu chunks of %u: element %zu", level, k,
                  chunks[c], at);
        }
        free(alone);
        free_batch(&batch);
    }
}

static void rows_do_not_depend_on_batch_or_chunks(void)
{
    support_on_every_level(compare_chunks);
}

int main(void)
{
    if (workers_create(0, &workers) != STATUS_OK) {
        return 1;
    }
    fast_paths_equal_the_reference();
    results_are_accurate();
    rows_do_not_depend_on_batch_or_chunks();
    workers_destroy(workers);
    return check_failures > 0;
}
