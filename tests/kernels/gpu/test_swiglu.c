/* Method: every activation and dtype over odd and large dims against the reference in fp32, within
 * one rounding to T and the error of the fast exponential; up at a 16-byte boundary, or right
 * behind gate wherever that is; in place; rows beyond the count and columns beyond dim untouched.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/swiglu/swiglu.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

enum { ROWS = 5, REAL = 3 };
static const float FAST_ERROR = 2e-5F; /* relative: e^x at |x| = 40 by a rounded x log2 e */
static const float TINY = 1e-7F;       /* smaller results may become zero */

static const uint32_t dims[] = {1, 8, 100, 172, 1024, 4097};

struct problem {
    uint32_t dim, up_at, in_stride, out_stride;
    enum dtype dtype;
    enum swiglu_activation activation;
    bool in_place, is_aligned;
    float *in; /* [ROWS, in_stride]: gate, then up */
};

/* What lies around the operands is NaN. */
static void make(struct problem *problem)
{
    struct random_source random = {problem->dim};
    const uint32_t dim = problem->dim;
    problem->up_at = problem->is_aligned ? (dim + 7) / 8 * 8 : dim;
    problem->in_stride = (problem->up_at + dim + 7) / 8 * 8 + 8;
    problem->out_stride = problem->in_place ? problem->in_stride : (dim + 7) / 8 * 8 + 8;
    const size_t count = (size_t)ROWS * problem->in_stride;
    problem->in = support_device_floats(&random, count, 40.0F, problem->dtype);
    float *small = support_device_floats(&random, count, 1.0F, problem->dtype);
    for (size_t i = 0; i < count; i++) {
        const size_t row = i / problem->in_stride, column = i % problem->in_stride;
        const bool is_operand = row < REAL && (column < dim || column - problem->up_at < dim);
        problem->in[i] = !is_operand ? NAN : column % 2 == 1 ? small[i] : problem->in[i];
    }
    free(small);
}

static void check_row(const struct problem *problem, const uint16_t *out, uint32_t r)
{
    const float *gate = problem->in + (size_t)r * problem->in_stride;
    float *want = malloc(problem->dim * sizeof *want);
    const struct swiglu_args reference = {
        .gate = gate,
        .up = gate + problem->up_at,
        .out = want,
        .row_count = 1,
        .dim = problem->dim,
        .activation = problem->activation,
    };
    swiglu_reference(&reference);
    for (uint32_t d = 0; d < problem->dim; d++) {
        const float got = dtype_load(out, problem->dtype, (size_t)r * problem->out_stride + d);
        const float allowed =
            support_device_half_ulp(want[d], problem->dtype) + FAST_ERROR * fabsf(want[d]) + TINY;
        CHECK(fabsf(got - want[d]) <= allowed,
              "dim %u activation %d: row %u column %u: %g of %g and %g, not %g", problem->dim,
              (int)problem->activation, r, d, (double)got, (double)gate[d],
              (double)gate[problem->up_at + d], (double)want[d]);
    }
    free(want);
}

/* Bytes of out that are not results: of row r beyond dim, or all of a row that is not real. */
static void check_rest(const struct problem *problem, const uint16_t *before, const uint16_t *out)
{
    const size_t stride = problem->out_stride;
    for (size_t r = 0; r < ROWS; r++) {
        const size_t from = r < REAL ? problem->dim : 0;
        CHECK(memcmp(out + r * stride + from, before + r * stride + from, (stride - from) * 2) == 0,
              "dim %u: beyond row %zu", problem->dim, r);
    }
}

static void run_case(struct gpu *gpu, struct problem *problem)
{
    make(problem);
    const size_t in_bytes = (size_t)ROWS * problem->in_stride * 2;
    const size_t out_bytes = (size_t)ROWS * problem->out_stride * 2;
    void *narrow =
        support_device_narrow(problem->in, (size_t)ROWS * problem->in_stride, problem->dtype);
    unsigned char *in = support_device_take(gpu, narrow, in_bytes);
    const struct gpu_counts counts = {.row_count = REAL};
    const struct swiglu_gpu_args args = {
        .gate = in,
        .up = in + 2 * (size_t)problem->up_at,
        .out = problem->in_place ? in : support_device_take(gpu, NULL, out_bytes),
        .counts = support_device_take(gpu, &counts, sizeof counts),
        .row_count = ROWS,
        .dim = problem->dim,
        .in_stride = problem->in_stride,
        .out_stride = problem->out_stride,
        .activation = problem->activation,
        .dtype = problem->dtype};
    void *before = support_device_read(gpu, args.out, out_bytes);
    support_device_must(gpu, swiglu_gpu_launch(&args, gpu_stream_of(gpu)), "launch");
    uint16_t *out = support_device_read(gpu, args.out, out_bytes);
    for (uint32_t r = 0; r < REAL; r++) {
        check_row(problem, out, r);
    }
    check_rest(problem, before, out);
    support_device_release(gpu);
    free(narrow);
    free(before);
    free(out);
    free(problem->in);
}

static void test(struct gpu *gpu)
{
    for (uint32_t i = 0; i < 24 * sizeof dims / sizeof dims[0]; i++) {
        struct problem problem = {.dim = dims[i / 24],
                                  .dtype = i & 1 ? DTYPE_F16 : DTYPE_BF16,
                                  .in_place = i & 2,
                                  .activation = (enum swiglu_activation)(i / 4 % 3),
                                  .is_aligned = i / 12 % 2};
        run_case(gpu, &problem);
    }
    const struct swiglu_gpu_args none = {.dim = 8, .dtype = DTYPE_BF16};
    CHECK(swiglu_gpu_launch(&none, gpu_stream_of(gpu)) == STATUS_OK, "no rows");
    const struct swiglu_gpu_args float32 = {.row_count = 1, .dim = 8, .dtype = DTYPE_F32};
    CHECK(swiglu_gpu_launch(&float32, gpu_stream_of(gpu)) == STATUS_UNSUPPORTED, "fp32");
}

int main(void)
{
    support_device_on_each(test);
    return check_failures > 0;
}
