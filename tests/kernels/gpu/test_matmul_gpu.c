/* Method: against matmul_reference() on the same rounded numbers, for shapes that take every way
 * through the plan (segments side by side, in blocks of their own, in sequence; odd ends of rows,
 * out features and k), every format, kind of scale and epilogue. What must not be read is NaN:
 * columns of x behind in_count, rows behind the last, memory of tiles before the shuffle. Then
 * independence, bit for bit: rows alone, in groups of every size, elsewhere in a batch. Tolerance:
 * a fp32 sum of n products in another order differs by at most n 2^-24 of the sum of their sizes;
 * tensor cores add 16 at a time and cut instead of rounding. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/matmul/matmul_mma_plan.h"
#include "kernels/swiglu/swiglu.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

enum { PARTS_MAX = 3, SCALES_MAX = 4096 };
enum scales { NO_SCALES, ONE, BY_CHANNEL, BY_BLOCK };

struct problem {
    uint32_t parts[PARTS_MAX]; /* out features; of a pair: of gate, of up */
    uint32_t in_count, row_count;
    enum dtype x_dtype, weight_dtype, source_dtype;
    enum scales scales;
    enum matmul_epilogue epilogue;
    bool has_bias;
};

/* A problem's numbers: weights as multiplied (exact in fp32), scaled already where by block. */
struct numbers {
    uint32_t out_count, columns, x_stride, out_stride;
    float *x, *weights, *scale_of_out, *bias, *old; /* old: out before, fp32 */
    void *device_x;
    struct matmul_gpu_args args;
};

#define BF16 DTYPE_BF16, DTYPE_BF16
#define F16  DTYPE_F16, DTYPE_F16
#define FP8  DTYPE_BF16, DTYPE_E4M3, DTYPE_E4M3

static const struct problem problems[] = {
    /* shapes: one row to 130; 172 and other odd ends; up to 8 segments */
    {{1}, 8, 1, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE, false},
    {{172}, 172, 2, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE_F32, true},
    {{40}, 172, 0, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE, false},
    {{40, 16, 24}, 1100, 7, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE, true},
    {{172, 44, 43}, 1023, 8, BF16, DTYPE_F32, NO_SCALES, MATMUL_STORE, true},
    {{130}, 2048, 1, BF16, DTYPE_BF16, NO_SCALES, MATMUL_ADD_F32, false},
    {{33}, 2100, 9, BF16, DTYPE_BF16, NO_SCALES, MATMUL_ADD_F32, true},
    {{136}, 1030, 16, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE_F32, false},
    {{130}, 1100, 17, BF16, DTYPE_BF16, NO_SCALES, MATMUL_ADD_F32, false},
    {{40}, 2048, 63, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE_F32, false},
    {{72}, 520, 64, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE, false},
    {{34}, 1100, 96, BF16, DTYPE_BF16, NO_SCALES, MATMUL_ADD_F32, true},
    {{40}, 2048, 97, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE_F32, true},
    {{130}, 140, 130, BF16, DTYPE_BF16, NO_SCALES, MATMUL_ADD_F32, false},
    {{2048}, 64, 3, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE, false},
    {{600}, 512, 5, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE, false},
    /* f16 */
    {{72}, 1100, 5, F16, DTYPE_F16, NO_SCALES, MATMUL_STORE, true},
    {{72}, 520, 40, F16, DTYPE_F32, NO_SCALES, MATMUL_STORE, false},
    {{72}, 300, 100, F16, DTYPE_F16, NO_SCALES, MATMUL_STORE, false},
    /* gate and up */
    {{172, 172}, 64, 2, BF16, DTYPE_BF16, NO_SCALES, MATMUL_SWIGLU, false},
    {{44, 44}, 1100, 9, F16, DTYPE_F16, NO_SCALES, MATMUL_GEGLU, true},
    {{68, 68}, 600, 33, BF16, DTYPE_F32, NO_SCALES, MATMUL_SWIGLU, true},
    {{20, 20}, 600, 98, BF16, DTYPE_BF16, NO_SCALES, MATMUL_GEGLU, false},
    /* fp8 */
    {{40, 16, 24}, 1100, 1, FP8, ONE, MATMUL_STORE, true},
    {{172}, 2048, 16, FP8, BY_CHANNEL, MATMUL_ADD_F32, true},
    {{172, 172}, 172, 30, FP8, BY_CHANNEL, MATMUL_SWIGLU, false},
    {{50}, 600, 96, FP8, BY_CHANNEL, MATMUL_STORE_F32, false},
    {{50}, 600, 97, FP8, ONE, MATMUL_STORE, false},
    {{136, 16, 24}, 1100, 1, FP8, BY_BLOCK, MATMUL_STORE, true},
    {{140}, 2100, 10, FP8, BY_BLOCK, MATMUL_STORE_F32, false},
    {{140, 140}, 700, 20, FP8, BY_BLOCK, MATMUL_SWIGLU, false},
    {{50}, 600, 60, FP8, BY_BLOCK, MATMUL_ADD_F32, false},
    {{50}, 1100, 96, FP8, BY_BLOCK, MATMUL_ADD_F32, true},
};

static bool is_gated(const struct problem *problem)
{
    return problem->epilogue == MATMUL_SWIGLU || problem->epilogue == MATMUL_GEGLU;
}

static bool is_f32(const struct problem *problem)
{
    return problem->epilogue == MATMUL_STORE_F32 || problem->epilogue == MATMUL_ADD_F32;
}

/* ---- a problem on the device ----------------------------------------------------------------- */

/* Shuffles one part; its weights in numbers become what the device multiplies with, scales apart.
 */
static void add_part(struct gpu *gpu, const struct problem *problem, struct numbers *numbers,
                     struct random_source *random, uint32_t part, uint32_t first)
{
    const uint32_t out_count = problem->parts[part], in_count = problem->in_count;
    const size_t count = (size_t)out_count * in_count;
    const uint32_t runs = matmul_runs(&numbers->args.weight);
    float *weights = support_device_floats(random, count, 1.0F, problem->source_dtype);
    void *narrow = support_device_narrow(weights, count, problem->source_dtype);
    float *scales = support_device_floats(random, SCALES_MAX, 2.0F, DTYPE_F32);
    for (size_t i = 0; i < count; i++) {
        const uint32_t n = (uint32_t)(i / in_count), k = (uint32_t)(i % in_count);
        float w = weights[i];
        if (problem->source_dtype == DTYPE_F32) {
            void *bits = support_device_narrow(&w, 1, problem->weight_dtype);
            w = dtype_load(bits, problem->weight_dtype, 0);
            free(bits);
        }
        if (problem->scales == BY_BLOCK) {
            w *= scales[n / 128 * runs + k / 128];
        }
        numbers->weights[(size_t)first * in_count + i] = w;
        numbers->scale_of_out[first + n] = problem->scales == ONE          ? scales[0]
                                           : problem->scales == BY_CHANNEL ? scales[n]
                                                                           : 1.0F;
    }
    const uint32_t blocks = (out_count + 127) / 128 * runs;
    const struct matmul_gpu_shuffle_args args = {
        .source = support_device_take(gpu, narrow, count * dtype_bytes(problem->source_dtype)),
        .scales =
            problem->scales ? support_device_take(gpu, scales, SCALES_MAX * sizeof(float)) : NULL,
        .scale_count = problem->scales == ONE          ? 1
                       : problem->scales == BY_CHANNEL ? out_count
                                                       : blocks,
        .out_first = is_gated(problem) ? part : first,
        .out_count = out_count,
        .source_dtype = problem->source_dtype,
        .weight = numbers->args.weight};
    support_device_must(gpu, matmul_gpu_shuffle_launch(&args, gpu_stream_of(gpu)), "shuffle");
    support_device_must(gpu, gpu_wait(gpu), "shuffle");
    free(weights);
    free(narrow);
    free(scales);
}

static void make_weight(struct gpu *gpu, const struct problem *problem, struct numbers *numbers,
                        struct random_source *random)
{
    struct matmul_gpu_weight *weight = &numbers->args.weight;
    *weight = (struct matmul_gpu_weight){.out_count = numbers->out_count,
                                         .in_count = problem->in_count,
                                         .dtype = problem->weight_dtype,
                                         .scale_block = problem->scales == BY_BLOCK ? 128 : 0,
                                         .is_paired = is_gated(problem)};
    weight->tiles = support_device_take(gpu, NULL, matmul_gpu_weight_bytes(weight));
    support_device_must(
        gpu, gpu_fill_async(gpu, weight->tiles, 0xFF, matmul_gpu_weight_bytes(weight)), "fill");
    if (problem->scales) {
        weight->scales = support_device_take(gpu, NULL, matmul_gpu_scale_bytes(weight));
    }
    numbers->weights = malloc((size_t)numbers->out_count * problem->in_count * sizeof(float));
    numbers->scale_of_out = malloc(numbers->out_count * sizeof(float));
    for (uint32_t part = 0, first = 0; part < PARTS_MAX && problem->parts[part]; part++) {
        add_part(gpu, problem, numbers, random, part, first);
        first += problem->parts[part];
    }
}

/* x with NaN wherever nothing may look: in two rows more, and behind in_count. */
static void make_x(struct gpu *gpu, const struct problem *problem, struct numbers *numbers,
                   struct random_source *random)
{
    const size_t count = (size_t)(problem->row_count + 2) * numbers->x_stride;
    numbers->x = support_device_floats(random, count, 1.0F, problem->x_dtype);
    for (size_t i = 0; i < count; i++) {
        if (i % numbers->x_stride >= problem->in_count
            || i / numbers->x_stride >= problem->row_count) {
            numbers->x[i] = NAN;
        }
    }
    void *narrow = support_device_narrow(numbers->x, count, problem->x_dtype);
    numbers->args.x = support_device_take(gpu, narrow, count * dtype_bytes(problem->x_dtype));
    free(narrow);
}

static void make(struct gpu *gpu, const struct problem *problem, struct numbers *numbers)
{
    static struct gpu_info info;
    struct random_source random = {problem->in_count + problem->row_count};
    memset(numbers, 0, sizeof *numbers);
    for (uint32_t part = 0; part < PARTS_MAX; part++) {
        numbers->out_count += problem->parts[part];
    }
    numbers->columns = is_gated(problem) ? numbers->out_count / 2 : numbers->out_count;
    numbers->x_stride = (problem->in_count + 7) / 8 * 8 + 8;
    numbers->out_stride =
        is_f32(problem) ? numbers->columns + 3 : (numbers->columns + 7) / 8 * 8 + 8;
    make_weight(gpu, problem, numbers, &random);
    make_x(gpu, problem, numbers, &random);
    numbers->bias = support_device_floats(&random, numbers->out_count, 4.0F, DTYPE_F32);
    struct matmul_gpu_args *args = &numbers->args;
    args->bias = problem->has_bias
                     ? support_device_take(gpu, numbers->bias, numbers->out_count * sizeof(float))
                     : NULL;
    args->workspace = support_device_take(gpu, NULL, matmul_gpu_workspace_bytes());
    support_device_must(gpu, gpu_fill_async(gpu, args->workspace, 0, MATMUL_COUNTERS * 4), "fill");
    gpu_get_info(gpu, &info);
    args->gpu = &info;
    args->row_count = problem->row_count;
    args->x_stride = numbers->x_stride;
    args->out_stride = numbers->out_stride;
    args->dtype = problem->x_dtype;
    args->epilogue = problem->epilogue;
}

static void free_numbers(struct gpu *gpu, struct numbers *numbers)
{
    support_device_release(gpu);
    free(numbers->x);
    free(numbers->weights);
    free(numbers->scale_of_out);
    free(numbers->bias);
    free(numbers->old);
}

/* ---- against the reference ------------------------------------------------------------------- */

/* [row, out_count] of the linear layer, and the sizes that errors are measured by. */
static void multiply(const struct problem *problem, const struct numbers *numbers, const float *x,
                     const float *weights, bool has_bias, float *out)
{
    struct matmul_args args = {.x = x,
                               .part_count = 1,
                               .row_count = problem->row_count,
                               .in_count = problem->in_count,
                               .x_stride = numbers->x_stride,
                               .dtype = DTYPE_F32};
    args.parts[0] = (struct matmul_part){.weight = weights,
                                         .out = out,
                                         .out_count = numbers->out_count,
                                         .out_stride = numbers->out_count};
    matmul_reference(&args);
    for (size_t i = 0; i < (size_t)problem->row_count * numbers->out_count; i++) {
        const size_t n = i % numbers->out_count;
        out[i] = out[i] * numbers->scale_of_out[n] + (has_bias ? numbers->bias[n] : 0.0F);
    }
}

struct expectation {
    float *linear, *sizes; /* [row, out_count]; sums of |x w| */
};

static struct expectation expect(const struct problem *problem, const struct numbers *numbers)
{
    const size_t count = (size_t)(problem->row_count + 1) * numbers->out_count;
    const size_t x_count = (size_t)(problem->row_count + 2) * numbers->x_stride;
    const size_t weight_count = (size_t)numbers->out_count * problem->in_count;
    const struct expectation expected = {malloc(count * sizeof(float)),
                                         malloc(count * sizeof(float))};
    float *x = malloc(x_count * sizeof(float)), *weights = malloc(weight_count * sizeof(float));
    for (size_t i = 0; i < x_count; i++) {
        x[i] = fabsf(numbers->x[i]);
    }
    for (size_t i = 0; i < weight_count; i++) {
        weights[i] = fabsf(numbers->weights[i]);
    }
    multiply(problem, numbers, numbers->x, numbers->weights, problem->has_bias, expected.linear);
    multiply(problem, numbers, x, weights, false, expected.sizes);
    free(x);
    free(weights);
    return expected;
}

/* What out[r][c] is to be, and how far from it it may be. */
static float want_of(const struct problem *problem, const struct numbers *numbers,
                     const struct expectation *expected, uint32_t r, uint32_t c, float *tolerance)
{
    const float error = (float)(problem->in_count / 16 + 24) * 1.2e-7F;
    const size_t at = (size_t)r * numbers->out_count + c;
    float want = expected->linear[at];
    *tolerance = fabsf(expected->sizes[at]) * error + fabsf(want) * 2.4e-7F + 1e-30F;
    if (is_gated(problem)) {
        const float gate = want, up = expected->linear[at + numbers->columns];
        const float up_error = fabsf(expected->sizes[at + numbers->columns]) * error;
        const struct swiglu_args args = {
            &gate, &up, &want,
            1,     1,   problem->epilogue == MATMUL_SWIGLU ? SWIGLU_SILU : SWIGLU_GELU_TANH};
        swiglu_reference(&args);
        *tolerance =
            1.2F * fabsf(up) * *tolerance + 1.2F * fabsf(gate) * up_error + 2e-6F * fabsf(want);
    }
    if (problem->epilogue == MATMUL_ADD_F32) {
        want += numbers->old[(size_t)r * numbers->out_stride + c];
        *tolerance += fabsf(want) * 2.4e-7F;
    }
    if (!is_f32(problem)) {
        *tolerance += 1.01F * support_device_half_ulp(want, problem->x_dtype);
    }
    return want;
}

static void check_out(const struct problem *problem, const struct numbers *numbers,
                      const unsigned char *out, const char *kernel)
{
    const enum dtype dtype = is_f32(problem) ? DTYPE_F32 : problem->x_dtype;
    const struct expectation expected = expect(problem, numbers);
    for (size_t i = 0; i < (size_t)(problem->row_count + 1) * numbers->out_stride; i++) {
        const uint32_t r = (uint32_t)(i / numbers->out_stride);
        const uint32_t c = (uint32_t)(i % numbers->out_stride);
        if (r < problem->row_count && c < numbers->columns) {
            float tolerance;
            const float want = want_of(problem, numbers, &expected, r, c, &tolerance);
            const float got = dtype_load(out, dtype, i);
            CHECK(fabsf(got - want) <= tolerance, "problem %td, %s, [%u][%u]: %g, not %g +- %g",
                  problem - problems, kernel, r, c, (double)got, (double)want, (double)tolerance);
        } else if (problem->epilogue != MATMUL_ADD_F32) {
            CHECK(support_device_is_poison(out + i * dtype_bytes(dtype), dtype_bytes(dtype)),
                  "problem %td, %s, [%u][%u] was written", problem - problems, kernel, r, c);
        } else {
            CHECK(dtype_load(out, dtype, i) == numbers->old[i],
                  "problem %td, %s, [%u][%u] was written", problem - problems, kernel, r, c);
        }
    }
    free(expected.linear);
    free(expected.sizes);
}

static size_t out_bytes(const struct problem *problem, const struct numbers *numbers)
{
    return (size_t)(problem->row_count + 1) * numbers->out_stride
           * (is_f32(problem) ? 4 : dtype_bytes(problem->x_dtype));
}

/* Runs it into fresh memory; NULL: the device has no such kernel. */
static void *run(struct gpu *gpu, const struct problem *problem, struct numbers *numbers,
                 enum matmul_kernel kernel)
{
    const size_t bytes = out_bytes(problem, numbers);
    const bool adds = problem->epilogue == MATMUL_ADD_F32;
    if (adds && !numbers->old) {
        struct random_source random = {problem->in_count};
        numbers->old = support_device_floats(&random, bytes / sizeof(float), 8.0F, DTYPE_F32);
    }
    struct matmul_gpu_args args = numbers->args;
    args.kernel = kernel;
    args.out = support_device_take(gpu, adds ? numbers->old : NULL, bytes);
    const enum status status = matmul_gpu_launch(&args, gpu_stream_of(gpu));
    if (status == STATUS_UNSUPPORTED && kernel == MATMUL_WGMMA) {
        return NULL;
    }
    support_device_must(gpu, status, "matmul");
    return support_device_read(gpu, args.out, bytes);
}

static void agrees_with_the_reference(struct gpu *gpu)
{
    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        struct numbers numbers;
        make(gpu, &problems[i], &numbers);
        unsigned char *mma = run(gpu, &problems[i], &numbers, MATMUL_MMA);
        check_out(&problems[i], &numbers, mma, "mma");
        unsigned char *again = run(gpu, &problems[i], &numbers, MATMUL_AUTO);
        CHECK(memcmp(mma, again, out_bytes(&problems[i], &numbers)) == 0,
              "problem %zu: other bits the second time", i);
        unsigned char *wgmma = run(gpu, &problems[i], &numbers, MATMUL_WGMMA);
        CHECK(!wgmma || memcmp(mma, wgmma, out_bytes(&problems[i], &numbers)) == 0,
              "problem %zu: other bits by wgmma", i);
        free(mma);
        free(again);
        free(wgmma);
        free_numbers(gpu, &numbers);
    }
}

/* ---- independence ---------------------------------------------------------------------------- */

static const struct problem crowds[] = {
    {{24}, 1100, 256, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE_F32, true},
    {{24}, 2048, 130, F16, DTYPE_F16, NO_SCALES, MATMUL_STORE_F32, false},
    {{24}, 1100, 130, FP8, BY_BLOCK, MATMUL_STORE_F32, false},
};

/* Rows first .. first + count - 1 of the crowd, given alone, must have the bits they have in it. */
static void check_alone(struct gpu *gpu, const struct numbers *crowd, const float *want,
                        uint32_t first, uint32_t count, enum matmul_kernel kernel)
{
    const size_t bytes = (size_t)count * crowd->out_stride * sizeof(float);
    struct matmul_gpu_args args = crowd->args;
    args.kernel = kernel;
    args.x = (const char *)args.x + (size_t)first * crowd->x_stride * 2;
    args.row_count = count;
    args.out = support_device_take(gpu, NULL, bytes);
    const enum status status = matmul_gpu_launch(&args, gpu_stream_of(gpu));
    if (status == STATUS_UNSUPPORTED && kernel == MATMUL_WGMMA) {
        return;
    }
    support_device_must(gpu, status, "matmul");
    float *got = support_device_read(gpu, args.out, bytes);
    for (size_t r = 0; r < count; r++) {
        CHECK(memcmp(got + r * crowd->out_stride, want + (first + r) * crowd->out_stride,
                     crowd->columns * sizeof(float))
                  == 0,
              "in_count %u, kernel %d: row %zu of %u from %u has other bits", args.weight.in_count,
              (int)kernel, r, count, first);
    }
    free(got);
}

static void rows_are_independent(struct gpu *gpu)
{
    static const uint32_t groups[][2] = {{0, 1},   {77, 1},  {129, 1}, {5, 2},   {60, 9},  {3, 16},
                                         {40, 20}, {64, 33}, {0, 63},  {50, 65}, {30, 96}, {9, 98}};
    for (size_t i = 0; i < sizeof crowds / sizeof crowds[0]; i++) {
        struct numbers numbers;
        make(gpu, &crowds[i], &numbers);
        float *all = (float *)run(gpu, &crowds[i], &numbers, MATMUL_MMA);
        for (size_t j = 0; j < sizeof groups / sizeof groups[0]; j++) {
            check_alone(gpu, &numbers, all, groups[j][0], groups[j][1], MATMUL_MMA);
            if (j % 4 == 0) {
                check_alone(gpu, &numbers, all, groups[j][0], groups[j][1], MATMUL_WGMMA);
            }
        }
        free(all);
        free_numbers(gpu, &numbers);
    }
}

/* NaN and infinity in one row of x stay in that row. */
static void a_spoilt_row_spoils_itself(struct gpu *gpu)
{
    static const struct problem problem = {
        {40}, 520, 12, BF16, DTYPE_BF16, NO_SCALES, MATMUL_STORE_F32, false};
    struct numbers numbers;
    make(gpu, &problem, &numbers);
    float *clean = (float *)run(gpu, &problem, &numbers, MATMUL_AUTO);
    const uint16_t bad[] = {0x7FC0, 0x7F80, 0xFF80}; /* NaN, infinities */
    const size_t at = (size_t)5 * numbers.x_stride * 2;
    support_device_must(
        gpu, gpu_upload_async(gpu, (char *)(uintptr_t)numbers.args.x + at, bad, sizeof bad),
        "upload");
    float *spoilt = (float *)run(gpu, &problem, &numbers, MATMUL_AUTO);
    for (uint32_t r = 0; r < problem.row_count; r++) {
        const float *row = spoilt + (size_t)r * numbers.out_stride;
        for (uint32_t c = 0; c < numbers.columns; c++) {
            CHECK(r == 5 ? isnan(row[c]) : row[c] == clean[(size_t)r * numbers.out_stride + c],
                  "[%u][%u]: %g", r, c, (double)row[c]);
        }
    }
    free(clean);
    free(spoilt);
    free_numbers(gpu, &numbers);
}

static void wrong_arguments_are_refused(struct gpu *gpu)
{
    static const struct problem problem = {{40},      72,           2,    BF16, DTYPE_BF16,
                                           NO_SCALES, MATMUL_STORE, false};
    struct numbers numbers;
    make(gpu, &problem, &numbers);
    struct gpu_stream *stream = gpu_stream_of(gpu);
    struct matmul_gpu_args args = numbers.args;
    args.out = support_device_take(gpu, NULL, out_bytes(&problem, &numbers));
    args.x_stride = 76;
    CHECK(matmul_gpu_launch(&args, stream) == STATUS_INVALID, "x_stride");
    args.x_stride = 64;
    CHECK(matmul_gpu_launch(&args, stream) == STATUS_INVALID, "x_stride below in_count");
    args = numbers.args;
    args.out_stride = 32;
    CHECK(matmul_gpu_launch(&args, stream) == STATUS_INVALID, "out_stride below out_count");
    args = numbers.args;
    args.epilogue = MATMUL_SWIGLU;
    CHECK(matmul_gpu_launch(&args, stream) == STATUS_INVALID, "SWIGLU of a plain weight");
    args = numbers.args;
    args.dtype = DTYPE_F16;
    CHECK(matmul_gpu_launch(&args, stream) == STATUS_UNSUPPORTED, "bf16 weights with f16");
    free_numbers(gpu, &numbers);
}

static void reference(void)
{
    support_device_on_each(agrees_with_the_reference);
}

static void independence(void)
{
    support_device_on_each(rows_are_independent);
}

static void spoilt(void)
{
    support_device_on_each(a_spoilt_row_spoils_itself);
}

static void refusals(void)
{
    support_device_on_each(wrong_arguments_are_refused);
}

CHECK_MAIN(reference, independence, spoilt, refusals)
