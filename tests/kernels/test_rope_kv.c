/* Method: the rotation of every pair in double precision, every written page element
 * against the row it came from, everything else untouched; QK-norm against rms_norm, then the same;
 * the parallel path over ragged sequences against the reference, bit for bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "tests/check.h"
#include "tests/kernels/support_kernels.h"

enum { SEQUENCES = 3, PAGES = 12, POSITIONS = 64, ROWS = 31, ROWS_MAX = 40 };

static const struct {
    uint32_t head_dim, head_count, kv_head_count, page_tokens;
} shapes[] = {{2, 1, 1, 16}, {8, 4, 2, 16}, {20, 3, 1, 32}, {64, 8, 2, 16}, {128, 2, 2, 16}};

static const float untouched = 77.0F;
static struct workers *workers;

/* Buffers of one run. */
struct run {
    struct rope_kv_args args;
    float *q, *k, *v, *k_pages, *v_pages, *cos_sin, *norms;
    size_t q_size, k_size, pool_size;
};

static void make_run(struct run *run, size_t shape, const struct attention_sequence *sequences)
{
    struct random_source random = {shape};
    const uint32_t head_dim = shapes[shape].head_dim, page_tokens = shapes[shape].page_tokens;
    *run = (struct run){.q_size = (size_t)ROWS_MAX * shapes[shape].head_count * head_dim,
                        .k_size = (size_t)ROWS_MAX * shapes[shape].kv_head_count * head_dim,
                        .pool_size =
                            (size_t)PAGES * shapes[shape].kv_head_count * page_tokens * head_dim};
    run->q = support_floats(&random, run->q_size);
    run->k = support_floats(&random, run->k_size);
    run->v = support_floats(&random, run->k_size);
    run->cos_sin = support_memory((size_t)POSITIONS * head_dim * sizeof(float));
    for (uint32_t i = 0; i < POSITIONS * head_dim / 2; i++) {
        const double angle =
            i / (head_dim / 2) * pow(10000, -2.0 * (i % (head_dim / 2)) / head_dim);
        run->cos_sin[2 * i] = (float)cos(angle);
        run->cos_sin[2 * i + 1] = (float)sin(angle);
    }
    run->norms = support_floats(&random, 2 * (size_t)head_dim);
    run->k_pages = support_memory(run->pool_size * sizeof(float));
    run->v_pages = support_memory(run->pool_size * sizeof(float));
    for (size_t i = 0; i < run->pool_size; i++) {
        run->k_pages[i] = run->v_pages[i] = untouched;
    }
    run->args = (struct rope_kv_args){run->q,
                                      run->k,
                                      run->v,
                                      run->k_pages,
                                      run->v_pages,
                                      run->cos_sin,
                                      sequences,
                                      SEQUENCES,
                                      shapes[shape].head_count,
                                      shapes[shape].kv_head_count,
                                      head_dim,
                                      page_tokens,
                                      NULL,
                                      NULL,
                                      1e-5F};
}

static void free_run(struct run *run)
{
    free(run->q);
    free(run->k);
    free(run->v);
    free(run->k_pages);
    free(run->v_pages);
    free(run->cos_sin);
    free(run->norms);
}

/* Row of the batch that owns a slot of a page; ROWS_MAX if none. */
static uint32_t owner_of(const struct attention_sequence *sequences, uint32_t page, uint32_t slot,
                         uint32_t page_tokens)
{
    for (uint32_t s = 0; s < SEQUENCES; s++) {
        for (uint32_t i = 0; i < sequences[s].row_count; i++) {
            const uint32_t position = sequences[s].position_first + i;
            if (sequences[s].pages[position / page_tokens] == page
                && position % page_tokens == slot) {
                return sequences[s].row_first + i;
            }
        }
    }
    return ROWS_MAX;
}

static void check_pages(const struct run *run, const struct attention_sequence *sequences)
{
    const struct rope_kv_args *args = &run->args;
    for (size_t i = 0; i < run->pool_size; i++) {
        const size_t d = i % args->head_dim, row_of_pool = i / args->head_dim;
        const uint32_t slot = (uint32_t)(row_of_pool % args->page_tokens);
        const size_t g = row_of_pool / args->page_tokens % args->kv_head_count;
        const uint32_t page = (uint32_t)(row_of_pool / args->page_tokens / args->kv_head_count);
        const uint32_t row = owner_of(sequences, page, slot, args->page_tokens);
        const size_t from = (row * args->kv_head_count + g) * args->head_dim + d;
        CHECK(run->k_pages[i] == (row == ROWS_MAX ? untouched : run->k[from]),
              "k of page %u slot %u", page, slot);
        CHECK(run->v_pages[i] == (row == ROWS_MAX ? untouched : run->v[from]),
              "v of page %u slot %u", page, slot);
    }
}

/* The pair (x[i], x[i + half]) is a point turned by the angle. */
static void check_rotation(const struct run *after, const struct run *before,
                           const struct attention_sequence *sequences)
{
    const uint32_t half = after->args.head_dim / 2, heads = after->args.head_count;
    for (uint32_t s = 0; s < SEQUENCES; s++) {
        for (uint32_t e = 0; e < sequences[s].row_count * heads * half; e++) {
            const uint32_t i = e % half, row = sequences[s].row_first + e / half / heads;
            const uint32_t position = sequences[s].position_first + e / half / heads;
            const float *cos_sin = after->cos_sin + ((size_t)position * half + i) * 2;
            const size_t at = ((size_t)row * heads + e / half % heads) * 2 * half + i;
            const double cosine = (double)cos_sin[0], sine = (double)cos_sin[1];
            const double low = (double)before->q[at], high = (double)before->q[at + half];
            const double error = fabs(low * cosine - high * sine - (double)after->q[at])
                                 + fabs(low * sine + high * cosine - (double)after->q[at + half]);
            CHECK(error < 4e-7, "q of row %u element %u: off by %g", row, i, error);
        }
    }
}

static void set_norms(struct run *run)
{
    run->args.q_norm = run->norms;
    run->args.k_norm = run->norms + run->args.head_dim;
}

/* QK-norm by rms_norm over all heads of the rows in use, as rope_kv should find them. */
static void normalise_all(struct run *run, const struct attention_sequence *sequences)
{
    for (uint32_t i = 0; i < 2 * SEQUENCES; i++) {
        const struct attention_sequence *sequence = &sequences[i / 2];
        const uint32_t heads = i % 2 == 0 ? run->args.head_count : run->args.kv_head_count;
        float *x = i % 2 == 0 ? run->q : run->k;
        x += (size_t)sequence->row_first * heads * run->args.head_dim;
        const struct rms_norm_args norm = {.x = x,
                                           .weight = run->norms + i % 2 * run->args.head_dim,
                                           .out = x,
                                           .row_count = sequence->row_count * heads,
                                           .dim = run->args.head_dim,
                                           .eps = run->args.norm_eps};
        backend_reference.rms_norm(&norm, NULL);
    }
}

static void run_shape(size_t shape, const struct attention_sequence *sequences, bool has_norms)
{
    struct run before, reference, fast;
    make_run(&before, shape, sequences);
    make_run(&reference, shape, sequences);
    make_run(&fast, shape, sequences);
    if (has_norms) {
        normalise_all(&before, sequences);
        set_norms(&reference);
        set_norms(&fast);
    }
    backend_reference.rope_kv(&reference.args, NULL);
    check_rotation(&reference, &before, sequences);
    check_pages(&reference, sequences);
    backend_cpu.rope_kv(&fast.args, workers);
    CHECK(memcmp(reference.q, fast.q, fast.q_size * sizeof(float)) == 0, "q %zu", shape);
    CHECK(memcmp(reference.k, fast.k, fast.k_size * sizeof(float)) == 0, "k %zu", shape);
    check_pages(&fast, sequences);
    free_run(&before);
    free_run(&reference);
    free_run(&fast);
}

int main(void)
{
    if (workers_create(0, &workers) != STATUS_OK) {
        return 1;
    }
    const uint32_t pages[SEQUENCES][4] = {{3, 0, 7, 1}, {9, 2, 5, 4}, {11, 6, 8, 10}};
    const struct attention_sequence sequences[SEQUENCES] = {
        {pages[0], 12, 18, 14}, {pages[1], 0, 12, 0}, {pages[2], 30, 1, 47}};
    for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++) {
        run_shape(shape, sequences, false);
        run_shape(shape, sequences, true);
    }
    workers_destroy(workers);
    return check_failures > 0;
}
