/* Method: against the reference in fp32 on the same numbers, within one rounding to T and the fp32
 * error of another order of summation; with and without the residual and the gather; columns and
 * rows that nothing may read hold NaN; a row alone has the bits that it has among others. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/rms_norm/rms_norm.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

enum { ROWS = 6, REAL = 4, LOGIT_ROWS = 2 };
static const float SUM_ERROR = 4e-6F; /* relative: 16,384 terms in fp32 by a tree, and rsqrt */

static const uint32_t dims[] = {1, 8, 30, 100, 172, 1000, 4096, 16384};
static const uint32_t logit_rows[] = {1, 3, UINT32_MAX, UINT32_MAX};

struct problem {
    uint32_t dim, stride, out_rows, real; /* rows of out that the launch is for, and real ones */
    enum dtype dtype;
    bool gathers, adds;
    float *x, *delta, *weight; /* x [ROWS, dim]; delta [ROWS, stride] */
    struct rms_norm_gpu_args args;
};

/* Row 2 is not a number and row 4 on must not be read: both only ever spoil themselves. */
static void make(struct gpu *gpu, struct problem *problem)
{
    struct random_source random = {problem->dim};
    const uint32_t dim = problem->dim, stride = (dim + 7) / 8 * 8 + 8;
    problem->stride = stride;
    problem->out_rows = problem->gathers ? 4 : ROWS;
    problem->real = problem->gathers ? LOGIT_ROWS : REAL;
    problem->x = support_device_floats(&random, (size_t)ROWS * dim, 3.0F, DTYPE_F32);
    problem->delta = support_device_floats(&random, (size_t)ROWS * stride, 3.0F, problem->dtype);
    problem->weight = support_device_floats(&random, dim, 1.0F, DTYPE_F32);
    for (size_t i = 0; i < (size_t)ROWS * stride; i++) {
        if (i % stride >= dim || i / stride >= REAL) {
            problem->delta[i] = NAN;
        }
    }
    for (size_t i = 0; i < (size_t)ROWS * dim; i++) {
        if (i / dim == 2 || i / dim >= REAL) {
            problem->x[i] = NAN;
        }
    }
    void *delta = support_device_narrow(problem->delta, (size_t)ROWS * stride, problem->dtype);
    const struct gpu_counts counts = {.row_count = REAL, .logit_row_count = LOGIT_ROWS};
    problem->args = (struct rms_norm_gpu_args){
        .x = support_device_take(gpu, problem->x, (size_t)ROWS * dim * sizeof(float)),
        .weight = support_device_take(gpu, problem->weight, dim * sizeof(float)),
        .delta = problem->adds ? support_device_take(gpu, delta, (size_t)ROWS * stride * 2) : NULL,
        .out = support_device_take(gpu, NULL, (size_t)ROWS * stride * 2),
        .counts = support_device_take(gpu, &counts, sizeof counts),
        .rows = problem->gathers ? support_device_take(gpu, logit_rows, sizeof logit_rows) : NULL,
        .row_count = problem->out_rows,
        .dim = dim,
        .delta_stride = stride,
        .out_stride = stride,
        .eps = 1e-5F,
        .dtype = problem->dtype};
    free(delta);
}

static void free_problem(struct gpu *gpu, struct problem *problem)
{
    support_device_release(gpu);
    free(problem->x);
    free(problem->delta);
    free(problem->weight);
}

/* out's row r against the reference over the stream's row, which the caller has added delta to. */
static void check_row(const struct problem *problem, const float *stream, const uint16_t *out,
                      uint32_t r)
{
    float *want = malloc(problem->dim * sizeof *want);
    const struct rms_norm_args reference = {.x = stream,
                                            .weight = problem->weight,
                                            .out = want,
                                            .row_count = 1,
                                            .dim = problem->dim,
                                            .eps = problem->args.eps};
    rms_norm_reference(&reference);
    for (uint32_t d = 0; d < problem->dim; d++) {
        const float got = dtype_load(out, problem->dtype, (size_t)r * problem->stride + d);
        const float allowed =
            support_device_half_ulp(want[d], problem->dtype) + SUM_ERROR * fabsf(want[d]);
        CHECK(isnan(want[d]) ? isnan(got) : fabsf(got - want[d]) <= allowed,
              "dim %u dtype %d: row %u column %u is %g, not %g", problem->dim, (int)problem->dtype,
              r, d, (double)got, (double)want[d]);
    }
    CHECK(support_device_is_poison(out + (size_t)r * problem->stride + problem->dim,
                                   (problem->stride - problem->dim) * 2),
          "dim %u: beyond row %u", problem->dim, r);
    free(want);
}

static void check_all(struct gpu *gpu, const struct problem *problem)
{
    const uint32_t dim = problem->dim;
    const size_t x_bytes = (size_t)ROWS * dim * sizeof(float);
    const size_t out_bytes = (size_t)ROWS * problem->stride * 2;
    float *x = support_device_read(gpu, problem->args.x, x_bytes);
    uint16_t *out = support_device_read(gpu, problem->args.out, out_bytes);
    for (uint32_t i = 0; i < problem->real; i++) {
        const uint32_t row = problem->gathers ? logit_rows[i] : i;
        float *stream = problem->x + (size_t)row * dim;
        for (uint32_t d = 0; problem->adds && d < dim; d++) {
            stream[d] += problem->delta[(size_t)row * problem->stride + d];
        }
        check_row(problem, stream, out, i);
    }
    for (size_t i = 0; i < (size_t)ROWS * dim; i++) { /* x where it was added to, and elsewhere */
        CHECK(isnan(problem->x[i]) ? isnan(x[i]) : memcmp(&x[i], &problem->x[i], sizeof *x) == 0,
              "dim %u: x %zu is %g, not %g", dim, i, (double)x[i], (double)problem->x[i]);
    }
    CHECK(support_device_is_poison(out + (size_t)problem->real * problem->stride,
                                   out_bytes - (size_t)problem->real * problem->stride * 2),
          "dim %u: beyond the real rows", dim);
    free(x);
    free(out);
}

static void matches_the_reference(struct gpu *gpu)
{
    for (uint32_t i = 0; i < 8 * sizeof dims / sizeof dims[0]; i++) {
        struct problem problem = {.dim = dims[i / 8],
                                  .dtype = i & 1 ? DTYPE_F16 : DTYPE_BF16,
                                  .gathers = i & 2,
                                  .adds = i & 4};
        make(gpu, &problem);
        support_device_must(gpu, rms_norm_gpu_launch(&problem.args, gpu_stream_of(gpu)), "launch");
        check_all(gpu, &problem);
        free_problem(gpu, &problem);
    }
}

static void a_row_alone_has_the_same_bits(struct gpu *gpu)
{
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        struct problem problem = {.dim = dims[i], .dtype = DTYPE_BF16};
        make(gpu, &problem);
        struct gpu_stream *stream = gpu_stream_of(gpu);
        const size_t bytes = (size_t)ROWS * problem.stride * 2;
        support_device_must(gpu, rms_norm_gpu_launch(&problem.args, stream), "launch");
        uint16_t *together = support_device_read(gpu, problem.args.out, bytes);
        const struct gpu_counts one = {.logit_row_count = 1};
        static const uint32_t row = 3;
        problem.args.counts = support_device_take(gpu, &one, sizeof one);
        problem.args.rows = support_device_take(gpu, &row, sizeof row);
        problem.args.row_count = 1;
        support_device_must(gpu, rms_norm_gpu_launch(&problem.args, stream), "launch");
        uint16_t *alone = support_device_read(gpu, problem.args.out, bytes);
        CHECK(memcmp(alone, together + row * problem.stride, 2 * (size_t)problem.dim) == 0,
              "dim %u", problem.dim);
        free(together);
        free(alone);
        free_problem(gpu, &problem);
    }
}

static void refuses_what_it_cannot_do(struct gpu *gpu)
{
    const struct rms_norm_gpu_args wide = {
        .row_count = 1, .dim = RMS_NORM_GPU_DIM_MAX + 1, .dtype = DTYPE_BF16};
    const struct rms_norm_gpu_args float32 = {.row_count = 1, .dim = 8, .dtype = DTYPE_F32};
    CHECK(rms_norm_gpu_launch(&wide, gpu_stream_of(gpu)) == STATUS_UNSUPPORTED, "dim");
    CHECK(rms_norm_gpu_launch(&float32, gpu_stream_of(gpu)) == STATUS_UNSUPPORTED, "fp32");
}

int main(void)
{
    support_device_on_each(matches_the_reference);
    support_device_on_each(a_row_alone_has_the_same_bits);
    support_device_on_each(refuses_what_it_cannot_do);
    return check_failures > 0;
}
