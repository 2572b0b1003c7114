/* Method: where the library is, tuned and untuned shapes against sums in double; where it is not
 * (the host build, a machine without it), the refusal names the setting to change. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/matmul/matmul_cublaslt.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

static const double SUM_ERROR = 3e-6; /* of the sum of |x w|: fp32 in any order */

static const struct problem {
    uint32_t row_count, out_count, in_count;
    enum dtype dtype;
    bool has_bias, out_is_f32, adds_to_out, is_tuned;
} problems[] = {
    {1, 64, 64, DTYPE_BF16, false, false, false, true},
    {33, 129, 172, DTYPE_BF16, true, false, false, true},
    {7, 200, 512, DTYPE_F16, true, false, false, false},
    {300, 256, 1024, DTYPE_BF16, false, true, true, true},
    {65, 1000, 320, DTYPE_F16, false, true, false, false},
};

static void check_element(const struct problem *p, const float *x, const float *weight,
                          double added, double got)
{
    double sum = 0, size = fabs(added);
    for (uint32_t k = 0; k < p->in_count; k++) {
        sum += (double)x[k] * (double)weight[k];
        size += fabs((double)x[k] * (double)weight[k]);
    }
    const enum dtype type = p->out_is_f32 ? DTYPE_F32 : p->dtype;
    const double once = (double)support_device_half_ulp((float)sum, type);
    const double twice = once + (double)support_device_half_ulp((float)(sum + added), type);
    CHECK(fabs(got - sum - added) <= SUM_ERROR * size + 1.01 * twice, "problem %zu: %g, want %g",
          (size_t)(p - problems), got, sum + added);
}

static void check_problem(struct gpu *gpu, struct matmul_cublaslt *library, const struct problem *p)
{
    struct random_source random = {p->out_count};
    const uint32_t x_stride = (p->in_count + 7) / 8 * 8, out_stride = (p->out_count + 7) / 8 * 8;
    const size_t x_count = (size_t)p->row_count * x_stride;
    const size_t w_count = (size_t)p->out_count * p->in_count;
    const size_t out_count = (size_t)p->row_count * out_stride, bytes = p->out_is_f32 ? 4 : 2;
    float *x = support_device_floats(&random, x_count, 1.0F, p->dtype);
    float *weight = support_device_floats(&random, w_count, 1.0F, p->dtype);
    float *bias = support_device_floats(&random, p->out_count, 1.0F, DTYPE_F32);
    float *old = support_device_floats(&random, out_count, 1.0F, DTYPE_F32);
    void *x_narrow = support_device_narrow(x, x_count, p->dtype);
    void *w_narrow = support_device_narrow(weight, w_count, p->dtype);
    const struct matmul_cublaslt_args args = {
        .x = support_device_take(gpu, x_narrow, x_count * 2),
        .weight = support_device_take(gpu, w_narrow, w_count * 2),
        .bias = p->has_bias ? support_device_take(gpu, bias, p->out_count * sizeof(float)) : NULL,
        .out = support_device_take(gpu, NULL, out_count * bytes),
        .row_count = p->row_count,
        .out_count = p->out_count,
        .in_count = p->in_count,
        .x_stride = x_stride,
        .out_stride = out_stride,
        .dtype = p->dtype,
        .out_is_f32 = p->out_is_f32,
        .adds_to_out = p->adds_to_out};
    if (p->is_tuned) {
        support_device_must(gpu, matmul_cublaslt_tune(library, &args), "tune");
    }
    if (p->adds_to_out) {
        support_device_must(gpu, gpu_upload_async(gpu, args.out, old, out_count * bytes), "upload");
    }
    support_device_must(gpu, matmul_cublaslt_run(library, &args), "run");
    void *out = support_device_read(gpu, args.out, out_count * bytes);
    for (uint32_t row = 0; row < p->row_count; row++) {
        for (uint32_t n = 0; n < p->out_count; n++) {
            const size_t at = (size_t)row * out_stride + n;
            const double added = p->has_bias      ? (double)bias[n]
                                 : p->adds_to_out ? (double)old[at]
                                                  : 0;
            const enum dtype type = p->out_is_f32 ? DTYPE_F32 : p->dtype;
            check_element(p, x + (size_t)row * x_stride, weight + (size_t)n * p->in_count, added,
                          (double)dtype_load(out, type, at));
        }
    }
    void *const host[] = {x, weight, bias, old, x_narrow, w_narrow, out};
    for (size_t i = 0; i < sizeof host / sizeof host[0]; i++) {
        free(host[i]);
    }
    support_device_release(gpu);
}

static void on_device(struct gpu *gpu)
{
    struct matmul_cublaslt *library = NULL;
    struct failure failure = {""};
    const enum status status = matmul_cublaslt_create(gpu, &library, &failure);
    if (status == STATUS_UNSUPPORTED) {
        CHECK(strstr(failure.text, "kernels.matmul") && strstr(failure.text, "invariant"), "%s",
              failure.text);
        CHECK(!library, "a library that is not there");
    } else {
        CHECK(status == STATUS_OK, "create: %s", failure.text);
        for (size_t i = 0; library && i < sizeof problems / sizeof problems[0]; i++) {
            check_problem(gpu, library, &problems[i]);
        }
    }
    matmul_cublaslt_destroy(library);
}

static void the_library_multiplies_or_is_refused(void)
{
    support_device_on_each(on_device);
}

CHECK_MAIN(the_library_multiplies_or_is_refused)
