/* Method: a ragged batch (a chunk that starts inside a page, a fresh prompt, a decoded token at a
 * page's end) over every shape and pair of dtypes, with and without QK-norm, against the reference
 * in fp32 on the same numbers: within one rounding and the fp32 error. v is exact. E4M3 pages
 * saturate: the scale is chosen so that some values are too large. What no row owns stays as it
 * was. Rows one at a time give the bits of all at once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/rope_kv/rope_kv.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

enum { SEQUENCES = 3, PAGES = 12, POSITIONS = 80, REAL = 31, ROWS = 34 };
static const float ERROR = 4e-6F; /* of sums of two products of at most about 4 */

static const struct shape {
    uint32_t head_dim, head_count, kv_head_count, page_tokens;
} shapes[] = {{8, 4, 2, 16},   {20, 3, 1, 16},  {64, 8, 2, 16}, {80, 3, 3, 16},
              {128, 9, 1, 32}, {256, 2, 1, 16}, {512, 1, 1, 16}};

static const uint32_t pages[SEQUENCES * 4] = {3, 0, 7, 1, 9, 2, 5, 4, 11, 6, 8, 10};
static const struct gpu_sequence sequences[SEQUENCES] = {
    {12, 18, 14, 0}, {0, 12, 0, 4}, {30, 1, 47, 8}};

struct problem {
    struct shape shape;
    enum dtype dtype, kv_dtype;
    float k_scale, v_scale;
    uint32_t stride, heads; /* of a row of qkv */
    size_t pool_size;
    bool has_norms;
    struct gpu_row rows[ROWS];
    float *qkv, *cos_sin, *norms;
    float *q, *k_pages, *v_pages; /* what the reference made */
    struct rope_kv_gpu_args args;
};

static float *floats(size_t count)
{
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        values[i] = NAN; /* not written by the reference */
    }
    return values;
}

static void make(struct problem *problem)
{
    const struct shape *shape = &problem->shape;
    struct random_source random = {shape->head_dim};
    problem->heads = shape->head_count + 2 * shape->kv_head_count;
    problem->stride = (problem->heads * shape->head_dim + 7) / 8 * 8 + 8;
    problem->pool_size =
        (size_t)PAGES * shape->kv_head_count * shape->page_tokens * shape->head_dim;
    problem->qkv =
        support_device_floats(&random, (size_t)ROWS * problem->stride, 2.0F, problem->dtype);
    problem->norms = support_device_floats(&random, 2 * (size_t)shape->head_dim, 2.0F, DTYPE_F32);
    problem->cos_sin = malloc((size_t)POSITIONS * shape->head_dim * sizeof(float));
    for (uint32_t i = 0; i < POSITIONS * shape->head_dim / 2; i++) {
        const float angle = (float)random_below(&random, 1000) / 100.0F;
        problem->cos_sin[2 * i] = cosf(angle);
        problem->cos_sin[2 * i + 1] = sinf(angle);
    }
    for (uint32_t r = 0; r < ROWS; r++) {
        problem->rows[r] = (struct gpu_row){UINT32_MAX, UINT32_MAX}; /* beyond the count: garbage */
    }
    for (uint32_t s = 0; s < SEQUENCES; s++) {
        for (uint32_t i = 0; i < sequences[s].row_count; i++) {
            problem->rows[sequences[s].row_first + i] =
                (struct gpu_row){s, sequences[s].position_first + i};
        }
    }
}

/* q, k and v of the rows as the reference wants them, and its pages. */
static void run_reference(struct problem *problem)
{
    const struct shape *shape = &problem->shape;
    const size_t q_dim = (size_t)shape->head_count * shape->head_dim;
    const size_t kv_dim = (size_t)shape->kv_head_count * shape->head_dim;
    problem->q = floats(REAL * q_dim);
    float *k = floats(REAL * kv_dim), *v = floats(REAL * kv_dim);
    for (size_t r = 0; r < REAL; r++) {
        const float *row = problem->qkv + r * problem->stride;
        memcpy(problem->q + r * q_dim, row, q_dim * sizeof *row);
        memcpy(k + r * kv_dim, row + q_dim, kv_dim * sizeof *row);
        memcpy(v + r * kv_dim, row + q_dim + kv_dim, kv_dim * sizeof *row);
    }
    problem->k_pages = floats(problem->pool_size);
    problem->v_pages = floats(problem->pool_size);
    struct attention_sequence of_host[SEQUENCES];
    for (uint32_t s = 0; s < SEQUENCES; s++) {
        of_host[s] =
            (struct attention_sequence){pages + sequences[s].page_first, sequences[s].row_first,
                                        sequences[s].row_count, sequences[s].position_first};
    }
    const struct rope_kv_args reference = {
        .q = problem->q,
        .k = k,
        .v = v,
        .k_pages = problem->k_pages,
        .v_pages = problem->v_pages,
        .cos_sin = problem->cos_sin,
        .sequences = of_host,
        .sequence_count = SEQUENCES,
        .head_count = shape->head_count,
        .kv_head_count = shape->kv_head_count,
        .head_dim = shape->head_dim,
        .page_tokens = shape->page_tokens,
        .q_norm = problem->has_norms ? problem->norms : NULL,
        .k_norm = problem->has_norms ? problem->norms + shape->head_dim : NULL,
        .norm_eps = 1e-6F};
    rope_kv_reference(&reference);
    free(k);
    free(v);
}

/* Uploads all of it and points the arguments there. */
static void upload(struct gpu *gpu, struct problem *problem)
{
    const struct shape *shape = &problem->shape;
    const struct gpu_counts counts = {.row_count = REAL, .sequence_count = SEQUENCES};
    const size_t head_floats = shape->head_dim;
    const size_t qkv_count = (size_t)ROWS * problem->stride;
    void *qkv = support_device_narrow(problem->qkv, qkv_count, problem->dtype);
    const float *norms = support_device_take(gpu, problem->norms, 2 * head_floats * sizeof(float));
    const size_t pool_bytes = problem->pool_size * dtype_bytes(problem->kv_dtype);
    problem->args = (struct rope_kv_gpu_args){
        .qkv = support_device_take(gpu, qkv, qkv_count * 2),
        .batch = {.counts = support_device_take(gpu, &counts, sizeof counts),
                  .rows = support_device_take(gpu, problem->rows, sizeof problem->rows),
                  .sequences = support_device_take(gpu, sequences, sizeof sequences),
                  .pages = support_device_take(gpu, pages, sizeof pages)},
        .cos_sin =
            support_device_take(gpu, problem->cos_sin, POSITIONS * head_floats * sizeof(float)),
        .q_norm = problem->has_norms ? norms : NULL,
        .k_norm = problem->has_norms ? norms + head_floats : NULL,
        .k_pages = support_device_take(gpu, NULL, pool_bytes),
        .v_pages = support_device_take(gpu, NULL, pool_bytes),
        .row_count = ROWS,
        .qkv_stride = problem->stride,
        .head_count = shape->head_count,
        .kv_head_count = shape->kv_head_count,
        .head_dim = shape->head_dim,
        .page_tokens = shape->page_tokens,
        .dtype = problem->dtype,
        .kv_dtype = problem->kv_dtype,
        .k_scale = problem->k_scale,
        .v_scale = problem->v_scale,
        .norm_eps = 1e-6F};
    free(qkv);
}

static void check_pool(struct gpu *gpu, const struct problem *problem, bool is_k)
{
    const enum dtype dtype = problem->kv_dtype;
    const float scale = is_k ? problem->k_scale : problem->v_scale;
    const float *wanted = is_k ? problem->k_pages : problem->v_pages;
    const size_t bytes = dtype_bytes(dtype);
    unsigned char *got = support_device_read(
        gpu, is_k ? problem->args.k_pages : problem->args.v_pages, problem->pool_size * bytes);
    for (size_t i = 0; i < problem->pool_size; i++) {
        if (isnan(wanted[i])) {
            CHECK(support_device_is_poison(got + i * bytes, bytes), "page element %zu of no row",
                  i);
            continue;
        }
        float want = wanted[i] / scale;
        if (dtype == DTYPE_E4M3) {
            want = fminf(fmaxf(want, -DTYPE_E4M3_MAX), DTYPE_E4M3_MAX);
        }
        const float error = is_k || dtype == DTYPE_E4M3 ? ERROR / scale : 0.0F;
        const float stored = dtype_load(got, dtype, i);
        CHECK(fabsf(stored - want) <= support_device_half_ulp(want, dtype) + error,
              "head_dim %u kv dtype %d: %s %zu is %g, not %g", problem->shape.head_dim, (int)dtype,
              is_k ? "k" : "v", i, (double)stored, (double)want);
    }
    free(got);
}

static void check_qkv(struct gpu *gpu, const struct problem *problem)
{
    const size_t q_dim = (size_t)problem->shape.head_count * problem->shape.head_dim;
    uint16_t *got = support_device_read(gpu, problem->args.qkv, (size_t)ROWS * problem->stride * 2);
    for (size_t i = 0; i < (size_t)ROWS * problem->stride; i++) {
        const size_t row = i / problem->stride, column = i % problem->stride;
        const bool is_q = row < REAL && column < q_dim;
        const float want = is_q ? problem->q[row * q_dim + column] : problem->qkv[i];
        const float allowed = support_device_half_ulp(want, problem->dtype) + ERROR;
        const float is = dtype_load(got, problem->dtype, i);
        CHECK(fabsf(is - want) <= (is_q ? allowed : 0.0F),
              "head_dim %u dtype %d: row %zu column %zu is %g, not %g", problem->shape.head_dim,
              (int)problem->dtype, row, column, (double)is, (double)want);
    }
    free(got);
}

/* The same rows again, each in a launch of its own, must change nothing: q is put back first. */
static void check_one_by_one(struct gpu *gpu, struct problem *problem)
{
    const size_t qkv_bytes = (size_t)ROWS * problem->stride * 2;
    const size_t pool_bytes = problem->pool_size * dtype_bytes(problem->kv_dtype);
    void *together = support_device_read(gpu, problem->args.qkv, qkv_bytes);
    void *k_together = support_device_read(gpu, problem->args.k_pages, pool_bytes);
    upload(gpu, problem);
    struct rope_kv_gpu_args args = problem->args;
    const struct gpu_counts one = {.row_count = 1};
    args.batch.counts = support_device_take(gpu, &one, sizeof one);
    args.row_count = 1;
    for (uint32_t r = 0; r < REAL; r++) {
        args.batch.rows = problem->args.batch.rows + r;
        args.qkv = (char *)problem->args.qkv + (size_t)r * problem->stride * 2;
        support_device_must(gpu, rope_kv_gpu_launch(&args, gpu_stream_of(gpu)), "launch");
    }
    void *alone = support_device_read(gpu, problem->args.qkv, qkv_bytes);
    void *k_alone = support_device_read(gpu, problem->args.k_pages, pool_bytes);
    CHECK(memcmp(together, alone, qkv_bytes) == 0, "head_dim %u: q", problem->shape.head_dim);
    CHECK(memcmp(k_together, k_alone, pool_bytes) == 0, "head_dim %u: k", problem->shape.head_dim);
    free(together);
    free(k_together);
    free(alone);
    free(k_alone);
}

static void run_case(struct gpu *gpu, struct problem *problem)
{
    make(problem);
    run_reference(problem);
    upload(gpu, problem);
    support_device_must(gpu, rope_kv_gpu_launch(&problem->args, gpu_stream_of(gpu)), "launch");
    check_qkv(gpu, problem);
    check_pool(gpu, problem, true);
    check_pool(gpu, problem, false);
    if (problem->has_norms && problem->dtype == DTYPE_BF16) {
        check_one_by_one(gpu, problem);
    }
    support_device_release(gpu);
    free(problem->qkv);
    free(problem->cos_sin);
    free(problem->norms);
    free(problem->q);
    free(problem->k_pages);
    free(problem->v_pages);
}

static void test(struct gpu *gpu)
{
    for (uint32_t i = 0; i < 8 * sizeof shapes / sizeof shapes[0]; i++) {
        const enum dtype dtype = i & 1 ? DTYPE_F16 : DTYPE_BF16;
        const bool is_e4m3 = i & 2;
        struct problem problem = {.shape = shapes[i / 8],
                                  .dtype = dtype,
                                  .kv_dtype = is_e4m3 ? DTYPE_E4M3 : dtype,
                                  .k_scale = is_e4m3 ? 0.0039F : 1.0F, /* 448 of it are 1.75 */
                                  .v_scale = is_e4m3 ? 0.003F : 1.0F,
                                  .has_norms = i & 4};
        run_case(gpu, &problem);
    }
    struct rope_kv_gpu_args args = {.row_count = 0, .head_dim = 8, .page_tokens = 16};
    args.dtype = args.kv_dtype = DTYPE_BF16;
    CHECK(rope_kv_gpu_launch(&args, gpu_stream_of(gpu)) == STATUS_OK, "no rows");
    args.kv_dtype = DTYPE_F16;
    CHECK(rope_kv_gpu_launch(&args, gpu_stream_of(gpu)) == STATUS_UNSUPPORTED, "mixed halves");
    args.kv_dtype = DTYPE_BF16;
    args.head_dim = 6;
    CHECK(rope_kv_gpu_launch(&args, gpu_stream_of(gpu)) == STATUS_UNSUPPORTED, "head_dim 6");
}

int main(void)
{
    support_device_on_each(test);
    return check_failures > 0;
}
