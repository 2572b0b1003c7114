/* Method: the kernel for many rows against sums in double on the same numbers, and bit for bit
 * against the kernel for few rows and against itself with the last row alone. Between them the
 * problems run every compiled width (multiprocessors, a number of the plan, steers it). Columns of
 * x beyond in_count are NaN, row 0 is NaN too, and what out has between rows must stay poison. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/matmul/matmul_probe.h"
#include "kernels/matmul/matmul_wgmma_plan.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

/* Of the sum of |x w|: an fp32 chain of k16 steps over the longest k of the table, and segments. */
static const double SUM_ERROR = 3e-6;
enum { ROW_STEP = 29, GAP = 8 }; /* rows compared with the double sums; columns between rows */

struct problem {
    enum dtype weight;
    uint32_t out_count, in_count, row_count, multiprocessors;
    enum matmul_epilogue epilogue;
    uint32_t scale_block;
    bool has_bias;
};

static const struct problem problems[] = {
    /* one sum: K below 512 */
    {DTYPE_BF16, 64, 64, 1, 4, MATMUL_STORE, 0, false},
    {DTYPE_BF16, 172, 172, 63, 4, MATMUL_STORE, 0, true},
    {DTYPE_BF16, 130, 100, 128, 4, MATMUL_STORE_F32, 0, true},
    {DTYPE_BF16, 256, 320, 300, 1, MATMUL_ADD_F32, 0, false},
    {DTYPE_BF16, 320, 72, 500, 2, MATMUL_SWIGLU, 0, false},
    {DTYPE_BF16, 44, 65, 257, 1, MATMUL_GEGLU, 0, true},
    {DTYPE_BF16, 200, 40, 2100, 100, MATMUL_STORE, 0, false}, /* two groups of tiles of rows */
    {DTYPE_F16, 136, 136, 129, 4, MATMUL_STORE, 0, true},
    {DTYPE_E4M3, 136, 200, 65, 4, MATMUL_STORE, 0, true},
    {DTYPE_E4M3, 192, 72, 256, 1, MATMUL_SWIGLU, 0, true},
    /* segments */
    {DTYPE_BF16, 64, 520, 64, 4, MATMUL_STORE, 0, true},
    {DTYPE_BF16, 128, 640, 65, 1, MATMUL_STORE_F32, 0, false},
    {DTYPE_BF16, 72, 1030, 129, 1, MATMUL_ADD_F32, 0, true},
    {DTYPE_BF16, 34, 2056, 300, 4, MATMUL_SWIGLU, 0, false},
    {DTYPE_F16, 65, 513, 127, 4, MATMUL_ADD_F32, 0, false},
    {DTYPE_E4M3, 64, 776, 33, 4, MATMUL_STORE_F32, 0, false},
    {DTYPE_E4M3, 128, 512, 128, 1, MATMUL_STORE, 0, true},
    {DTYPE_E4M3, 80, 576, 190, 1, MATMUL_ADD_F32, 0, false},
    /* a scale for each 128 x 128 */
    {DTYPE_E4M3, 200, 300, 130, 4, MATMUL_STORE, 128, true},
    {DTYPE_E4M3, 160, 710, 64, 4, MATMUL_SWIGLU, 128, false},
};

struct data { /* of one problem; weight holds scaled values */
    uint32_t columns, x_stride, out_stride;
    size_t out_bytes;
    float *weight, *x, *bias, *old;
};

static bool is_f32(const struct problem *p)
{
    return p->epilogue == MATMUL_STORE_F32 || p->epilogue == MATMUL_ADD_F32;
}

static bool is_paired(const struct problem *p)
{
    return p->epilogue == MATMUL_SWIGLU || p->epilogue == MATMUL_GEGLU;
}

static enum dtype type_of(const struct problem *p)
{
    return p->weight == DTYPE_F16 ? DTYPE_F16 : DTYPE_BF16;
}

/* ---- making a problem ---- */

static uint32_t blocks_of(uint32_t count)
{
    return (count + MATMUL_RUN - 1) / MATMUL_RUN;
}

/* Uploads one part of the weight, queues its shuffle, and leaves its scaled values in weight. */
static void shuffle(struct gpu *gpu, const struct problem *p, struct random_source *random,
                    struct matmul_gpu_shuffle_args args, float *values)
{
    const size_t count = (size_t)args.out_count * p->in_count;
    float *plain = support_device_floats(random, count, 1.0F, p->weight);
    void *narrow = support_device_narrow(plain, count, p->weight);
    args.source = support_device_take(gpu, narrow, count * dtype_bytes(p->weight));
    const uint32_t across = blocks_of(p->in_count);
    args.scale_count = p->scale_block ? blocks_of(args.out_count) * across : args.out_count;
    float *scales = support_device_floats(random, args.scale_count, 1.0F, DTYPE_F32);
    if (p->weight == DTYPE_E4M3) {
        args.scales = support_device_take(gpu, scales, args.scale_count * sizeof(float));
    }
    for (size_t i = 0; i < count; i++) {
        const size_t n = i / p->in_count, k = i % p->in_count;
        const size_t at = p->scale_block ? n / MATMUL_RUN * across + k / MATMUL_RUN : n;
        values[i] = p->weight == DTYPE_E4M3 ? plain[i] * scales[at] : plain[i];
    }
    support_device_must(gpu, matmul_gpu_shuffle_launch(&args, gpu_stream_of(gpu)), "shuffle");
    support_device_must(gpu, gpu_wait(gpu), "shuffle");
    free(plain);
    free(narrow);
    free(scales);
}

static struct matmul_gpu_weight make_weight(struct gpu *gpu, const struct problem *p,
                                            struct random_source *random, float *values)
{
    struct matmul_gpu_weight weight = {.out_count = p->out_count,
                                       .in_count = p->in_count,
                                       .dtype = p->weight,
                                       .scale_block = p->scale_block,
                                       .is_paired = is_paired(p)};
    weight.tiles = support_device_take(gpu, NULL, matmul_gpu_weight_bytes(&weight));
    const size_t scale_bytes = matmul_gpu_scale_bytes(&weight);
    weight.scales = scale_bytes > 0 ? support_device_take(gpu, NULL, scale_bytes) : NULL;
    const uint32_t parts = weight.is_paired ? 2 : 1;
    for (uint32_t part = 0; part < parts; part++) {
        const struct matmul_gpu_shuffle_args args = {.out_first = part,
                                                     .out_count = p->out_count / parts,
                                                     .source_dtype = p->weight,
                                                     .weight = weight};
        shuffle(gpu, p, random, args, values + (size_t)part * args.out_count * p->in_count);
    }
    return weight;
}

static struct matmul_gpu_args make(struct gpu *gpu, const struct problem *p, struct data *data,
                                   const struct gpu_info *info)
{
    struct random_source random = {p->out_count * 1000 + p->row_count};
    const enum dtype type = type_of(p);
    data->columns = is_paired(p) ? p->out_count / 2 : p->out_count;
    data->x_stride = (p->in_count + 7) / 8 * 8 + GAP;
    data->out_stride = (data->columns + 7) / 8 * 8 + (is_f32(p) && p->out_count % 2 ? 1 : GAP);
    data->out_bytes = (size_t)p->row_count * data->out_stride * (is_f32(p) ? 4 : 2);
    data->weight = malloc((size_t)p->out_count * p->in_count * sizeof(float));
    data->x = support_device_floats(&random, (size_t)p->row_count * data->x_stride, 1.0F, type);
    data->bias = support_device_floats(&random, p->out_count, 1.0F, DTYPE_F32);
    data->old =
        support_device_floats(&random, (size_t)p->row_count * data->out_stride, 1.0F, DTYPE_F32);
    for (size_t i = 0; i < (size_t)p->row_count * data->x_stride; i++) {
        const bool is_row_0 = p->row_count > 1 && i < data->x_stride;
        data->x[i] = is_row_0 || i % data->x_stride >= p->in_count ? NAN : data->x[i];
    }
    struct matmul_gpu_args args = {.weight = make_weight(gpu, p, &random, data->weight),
                                   .gpu = info,
                                   .row_count = p->row_count,
                                   .x_stride = data->x_stride,
                                   .out_stride = data->out_stride,
                                   .dtype = type,
                                   .epilogue = p->epilogue};
    const size_t x_count = (size_t)p->row_count * data->x_stride;
    void *x = support_device_narrow(data->x, x_count, type);
    args.x = support_device_take(gpu, x, x_count * 2);
    free(x);
    if (p->has_bias) {
        args.bias = support_device_take(gpu, data->bias, p->out_count * sizeof(float));
    }
    args.workspace = support_device_take(gpu, NULL, matmul_gpu_workspace_bytes());
    support_device_must(gpu, gpu_fill_async(gpu, args.workspace, 0, matmul_gpu_workspace_bytes()),
                        "workspace");
    return args;
}

/* ---- running and comparing ---- */

/* New host memory: the out of that kernel over the rows from first on, poison elsewhere. */
static unsigned char *run(struct gpu *gpu, const struct problem *p, const struct data *data,
                          struct matmul_gpu_args args, enum matmul_kernel kernel, uint32_t first)
{
    const void *before = p->epilogue == MATMUL_ADD_F32 ? data->old : NULL;
    unsigned char *out = support_device_take(gpu, before, data->out_bytes);
    args.kernel = kernel;
    args.x = (const unsigned char *)args.x + (size_t)first * data->x_stride * 2;
    args.row_count -= first;
    unsigned char *copy = support_device_take(gpu, NULL, data->out_bytes); /* aligned for row 0 */
    const size_t offset = (size_t)first * data->out_stride * (is_f32(p) ? 4 : 2);
    support_device_must(gpu, gpu_copy_async(gpu, copy, out + offset, data->out_bytes - offset),
                        "copy");
    args.out = copy;
    support_device_must(gpu, matmul_gpu_launch(&args, gpu_stream_of(gpu)), "matmul");
    support_device_must(gpu, gpu_copy_async(gpu, out + offset, copy, data->out_bytes - offset),
                        "copy");
    return support_device_read(gpu, out, data->out_bytes);
}

static double sum_of(const struct problem *p, const struct data *data, uint32_t row, uint32_t n,
                     double *error)
{
    double sum = 0, size = 0;
    for (uint32_t k = 0; k < p->in_count; k++) {
        const double product = (double)data->x[(size_t)row * data->x_stride + k]
                               * (double)data->weight[(size_t)n * p->in_count + k];
        sum += product;
        size += fabs(product);
    }
    const double bias = p->has_bias ? (double)data->bias[n] : 0;
    *error = SUM_ERROR * (size + fabs(bias));
    return sum + bias;
}

static double gated(enum matmul_epilogue epilogue, double gate)
{
    const double inner = 0.7978845608028654 * (gate + 0.044715 * gate * gate * gate);
    return epilogue == MATMUL_SWIGLU ? gate / (1 + exp(-gate)) : gate / 2 * (1 + tanh(inner));
}

static void check_element(const struct problem *p, const struct data *data, const void *out,
                          uint32_t row, uint32_t column)
{
    const size_t at = (size_t)row * data->out_stride + column;
    double error, want = sum_of(p, data, row, column, &error);
    if (is_paired(p)) {
        double up_error;
        const double up = sum_of(p, data, row, column + data->columns, &up_error);
        const double gate = gated(p->epilogue, want);
        error = 1.2 * error * fabs(up) + up_error * fabs(gate) + 1e-6 * fabs(gate * up);
        want = gate * up;
    }
    if (p->epilogue == MATMUL_ADD_F32) {
        want += (double)data->old[at];
    }
    const enum dtype type = is_f32(p) ? DTYPE_F32 : type_of(p);
    const double got = (double)dtype_load(out, type, at);
    const double rounding = (double)support_device_half_ulp((float)want, type);
    CHECK(fabs(got - want) <= error + 1.01 * rounding,
          "problem %zu: row %u, column %u: %g, want %g", (size_t)(p - problems), row, column, got,
          want);
}

static void check_between_rows(const struct problem *p, const struct data *data,
                               const unsigned char *out)
{
    const size_t bytes = is_f32(p) ? 4 : 2;
    for (uint32_t row = 0; row < p->row_count && p->epilogue != MATMUL_ADD_F32; row++) {
        const unsigned char *end = out + ((size_t)row * data->out_stride + data->columns) * bytes;
        CHECK(support_device_is_poison(end, (data->out_stride - data->columns) * bytes),
              "problem %zu: row %u: wrote beyond its end", (size_t)(p - problems), row);
    }
}

static bool has_run[DTYPE_COUNT][4][5]; /* weight, sums, tokens / 64 */

static void check_problem(struct gpu *gpu, const struct problem *p)
{
    struct gpu_info info;
    gpu_get_info(gpu, &info);
    info.multiprocessors = p->multiprocessors;
    struct data data;
    const struct matmul_gpu_args args = make(gpu, p, &data, &info);
    const struct matmul_wgmma_plan plan =
        matmul_choose_wgmma_plan(&args.weight, p->row_count, p->multiprocessors);
    has_run[p->weight][plan.sums][plan.tokens / 64] = true;
    unsigned char *many = run(gpu, p, &data, args, MATMUL_WGMMA, 0);
    unsigned char *few = run(gpu, p, &data, args, MATMUL_MMA, 0);
    unsigned char *alone = run(gpu, p, &data, args, MATMUL_WGMMA, p->row_count - 1);
    const size_t row_bytes = data.out_bytes / p->row_count;
    const size_t last = (p->row_count - 1) * row_bytes, first = p->row_count > 1 ? row_bytes : 0;
    CHECK(memcmp(many + first, few + first, data.out_bytes - first) == 0,
          "problem %zu: not the bits of the kernel for few rows", (size_t)(p - problems));
    CHECK(memcmp(many + last, alone + last, row_bytes) == 0,
          "problem %zu: the last row alone has other bits", (size_t)(p - problems));
    check_between_rows(p, &data, many);
    for (uint32_t row = p->row_count - 1; row >= 1 || p->row_count == 1; row -= ROW_STEP) {
        for (uint32_t column = 0; column < data.columns; column++) {
            check_element(p, &data, many, row, column);
        }
        if (row <= ROW_STEP) {
            break;
        }
    }
    free(many);
    free(few);
    free(alone);
    free(data.weight);
    free(data.x);
    free(data.bias);
    free(data.old);
    support_device_release(gpu);
}

static void every_problem(struct gpu *gpu)
{
    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        check_problem(gpu, &problems[i]);
    }
}

static void both_kernels_and_double_sums_agree(void)
{
    support_device_on_each(every_problem);
}

/* On a device this is the question itself; the interpreter can only say yes. */
static void probe(struct gpu *gpu)
{
    enum matmul_kernel kernel = MATMUL_WGMMA;
    support_device_must(gpu, matmul_gpu_choose(gpu, &kernel, NULL), "matmul_gpu_choose");
    CHECK(kernel == MATMUL_AUTO, "mma and wgmma differ in bits here: engines use mma alone");
}

static void the_probe_finds_them_equal(void)
{
    support_device_on_each(probe);
}

static void every_width_has_run(void)
{
    for (enum dtype dtype = DTYPE_BF16; dtype < DTYPE_COUNT; dtype++) {
        for (uint32_t sums = 1; sums <= (dtype == DTYPE_E4M3 ? 3 : 2); sums++) {
            for (const uint32_t *width = matmul_wgmma_widths(dtype, sums); *width; width++) {
                CHECK(has_run[dtype][sums][*width / 64], "dtype %d, %u sums, %u rows a tile", dtype,
                      sums, *width);
            }
        }
    }
}

static const struct {
    uint32_t out_count, in_count, rows, tokens;
} plans[] = {
    /* the 8B shapes at 2,048 rows on 132 multiprocessors */
    {6144, 4096, 2048, 192},  {4096, 4096, 2048, 128},   {28672, 4096, 2048, 256},
    {4096, 14336, 2048, 128}, {128256, 4096, 2048, 256}, {4096, 4096, 128, 64},
};

static void plans_fill_the_device(void)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        const struct matmul_gpu_weight weight = {
            .out_count = plans[i].out_count, .in_count = plans[i].in_count, .dtype = DTYPE_BF16};
        const struct matmul_wgmma_plan plan = matmul_choose_wgmma_plan(&weight, plans[i].rows, 132);
        CHECK(plan.tokens == plans[i].tokens, "plan %zu: %u rows a tile", i, plan.tokens);
        CHECK(plan.stages >= 4 && plan.shared_bytes <= MATMUL_WGMMA_SHARED,
              "plan %zu: %u stages, %zu bytes", i, plan.stages, plan.shared_bytes);
    }
}

CHECK_MAIN(both_kernels_and_double_sums_agree, the_probe_finds_them_equal, every_width_has_run,
           plans_fill_the_device)
