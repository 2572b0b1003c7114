/* Method: every shape x dtype x vector unit against the reference, bit for bit, with the memory
 * around out watched; accuracy against double precision; and a row's result must not change with
 * the rows around it, which is what batch mates and prompt chunks are to a matmul. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "tests/check.h"
#include "tests/kernels/support_kernels.h"

static const struct {
    uint32_t rows, out_counts[MATMUL_PARTS_MAX], in_count;
} shapes[] = {
    {0, {5}, 7},          {1, {1}, 1},
    {1, {17}, 20},        {2, {96}, 16},
    {3, {97}, 31},        {4, {33, 5, 5}, 172},
    {5, {40, 8}, 33},     {6, {25}, 48},
    {7, {100, 1}, 7},     {8, {192, 64, 64}, 64},
    {9, {50}, 100},       {16, {35}, 65},
    {1, {10}, 2048},      {1, {5}, 4099},
    {8, {13}, 1024},      {8, {13}, 1025},
    {13, {9}, 2051},      {24, {30}, 3072},
    {12, {400, 100}, 24}, {2, {3000}, 700},
    {33, {7, 3}, 1040},
};
enum { SHAPE_COUNT = sizeof shapes / sizeof shapes[0], ROWS = 32, IN = 1100, OUT = 100 };

static const float guard = 12345.0F;
static struct workers *workers;

/* x and out have strides larger than their rows; out starts with values, for adds_to_out. */
struct problem {
    struct matmul_args args;
    float *x, *bias, *out[MATMUL_PARTS_MAX], *want[MATMUL_PARTS_MAX];
    void *weights[MATMUL_PARTS_MAX];
};

static size_t out_size(const struct problem *problem, uint32_t p)
{
    return (size_t)problem->args.row_count * problem->args.parts[p].out_stride + 16;
}

static void make_problem(struct problem *problem, size_t shape, enum dtype dtype, bool adds)
{
    struct random_source random = {shape * 100 + dtype};
    const uint32_t rows = shapes[shape].rows, in_count = shapes[shape].in_count;
    *problem = (struct problem){.args = {.row_count = rows,
                                         .in_count = in_count,
                                         .x_stride = in_count + 3,
                                         .dtype = dtype,
                                         .adds_to_out = adds}};
    problem->x = support_floats(&random, (size_t)rows * (in_count + 3));
    problem->args.x = problem->x;
    for (uint32_t p = 0; p < MATMUL_PARTS_MAX && shapes[shape].out_counts[p] > 0; p++) {
        const uint32_t out_count = shapes[shape].out_counts[p];
        problem->args.part_count = p + 1;
        problem->weights[p] = support_weights(&random, dtype, (size_t)out_count * in_count);
        problem->args.parts[p] = (struct matmul_part){
            .weight = problem->weights[p], .out_count = out_count, .out_stride = out_count + p};
        const size_t size = out_size(problem, p);
        problem->want[p] = support_memory(size * sizeof(float));
        problem->out[p] = support_memory(size * sizeof(float));
        for (size_t i = 0; i < size; i++) {
            problem->want[p][i] = adds ? (float)(i % 7) : guard;
        }
        memcpy(problem->out[p], problem->want[p], size * sizeof(float));
    }
    problem->bias = support_floats(&random, shapes[shape].out_counts[0]);
    problem->args.parts[0].bias = adds ? NULL : problem->bias;
}

static void free_problem(struct problem *problem)
{
    for (uint32_t p = 0; p < MATMUL_PARTS_MAX; p++) {
        free(problem->weights[p]);
        free(problem->want[p]);
        free(problem->out[p]);
    }
    free(problem->x);
    free(problem->bias);
}

static void run_problem(struct problem *problem, const struct backend *backend, float *const out[])
{
    for (uint32_t p = 0; p < problem->args.part_count; p++) {
        problem->args.parts[p].out = out[p];
    }
    backend->matmul(&problem->args, workers);
}

static void compare_with_reference(const char *level)
{
    for (size_t s = 0; s < SHAPE_COUNT * DTYPE_PLAIN_COUNT * 2; s++) {
        const enum dtype dtype = (enum dtype)(s / 2 % DTYPE_PLAIN_COUNT);
        struct problem problem;
        make_problem(&problem, s / 2 / DTYPE_PLAIN_COUNT, dtype, s % 2 == 1);
        run_problem(&problem, &backend_reference, problem.want);
        run_problem(&problem, &backend_cpu, problem.out);
        for (uint32_t p = 0; p < problem.args.part_count; p++) {
            const size_t size = out_size(&problem, p);
            const size_t at = support_first_difference(problem.want[p], problem.out[p], size);
            CHECK(at == size, "%s shape %zu dtype %d adds %zu part %u: element %zu", level,
                  s / 2 / DTYPE_PLAIN_COUNT, (int)dtype, s % 2, p, at);
        }
        free_problem(&problem);
    }
}

static void fast_paths_equal_the_reference(void)
{
    support_on_every_level(compare_with_reference);
}

static void sums_are_accurate(void)
{
    double worst = 0;
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        struct problem problem;
        make_problem(&problem, s, DTYPE_BF16, false);
        run_problem(&problem, &backend_cpu, problem.out);
        const struct matmul_args *args = &problem.args;
        for (uint32_t i = 0; i < args->row_count * args->parts[0].out_count; i++) {
            const uint32_t r = i / args->parts[0].out_count, n = i % args->parts[0].out_count;
            double sum = (double)problem.bias[n], size = fabs(sum);
            for (uint32_t k = 0; k < args->in_count; k++) {
                const float weight =
                    dtype_load(problem.weights[0], DTYPE_BF16, (size_t)n * args->in_count + k);
                const double product = (double)problem.x[r * args->x_stride + k] * (double)weight;
                sum += product;
                size += fabs(product);
            }
            const float got = problem.out[0][r * args->parts[0].out_stride + n];
            worst = fmax(worst, fabs((double)got - sum) / size);
        }
        free_problem(&problem);
    }
    printf("matmul: largest error %.2g of the sum of magnitudes\n", worst);
    CHECK(worst < 2e-7, "largest error %g", worst);
}

static void compare_groupings(const char *level)
{
    static const uint32_t groups[] = {1, 2, 3, 5, 7, 8, 31};
    struct random_source random = {7};
    float *x = support_floats(&random, ROWS * IN);
    void *weight = support_weights(&random, DTYPE_BF16, OUT * IN);
    float *together = support_memory(ROWS * OUT * sizeof(float));
    float *grouped = support_memory(ROWS * OUT * sizeof(float));
    struct matmul_args args = {.x = x,
                               .parts = {{weight, NULL, together, OUT, OUT}},
                               .part_count = 1,
                               .row_count = ROWS,
                               .in_count = IN,
                               .x_stride = IN,
                               .dtype = DTYPE_BF16};
    backend_cpu.matmul(&args, workers);
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        memset(grouped, 0, ROWS * OUT * sizeof(float));
        for (uint32_t r = 0; r < ROWS; r += groups[g]) {
            args.x = x + (size_t)r * IN;
            args.parts[0].out = grouped + (size_t)r * OUT;
            args.row_count = ROWS - r < groups[g] ? ROWS - r : groups[g];
            backend_cpu.matmul(&args, g % 2 == 0 ? workers : NULL);
        }
        const size_t at = support_first_difference(together, grouped, ROWS * OUT);
        CHECK(at == ROWS * OUT, "%s: rows in groups of %u: element %zu", level, groups[g], at);
    }
    free(x);
    free(weight);
    free(together);
    free(grouped);
}

static void rows_do_not_depend_on_their_neighbours(void)
{
    support_on_every_level(compare_groupings);
}

/* Zeros of both signs, infinities, NaN, and numbers that count as zero here. */
static void compare_odd_numbers(const char *level)
{
    static const float odd[] = {0.0F,    -0.0F,  INFINITY, -INFINITY, NAN, 1e-40F,
                                -1e-39F, 1e-30F, 3e38F,    -1.0F,     1.0F};
    enum { ODD = sizeof odd / sizeof odd[0], K = 19, N = 40 };
    struct random_source random = {11};
    float x[3 * K], weight[N * K], want[3 * N], got[3 * N];
    for (int round = 0; round < 200; round++) {
        const uint32_t kinds = round < 100 ? 2 : ODD; /* first zeros alone */
        for (size_t i = 0; i < 3 * K; i++) {
            x[i] = odd[random_below(&random, round < 50 ? 2 : kinds == 2 ? ODD : kinds)];
            x[i] = round < 100 && !isfinite(x[i]) ? -1e-39F : x[i];
        }
        for (size_t i = 0; i < N * K; i++) {
            weight[i] = odd[random_below(&random, kinds)];
        }
        for (size_t i = 0; round == 0 && i < N * K; i++) { /* every product becomes -0 */
            x[i % (3 * K)] = 1e-30F;
            weight[i] = -1e-30F;
        }
        struct matmul_args args = {.x = x,
                                   .parts = {{weight, NULL, want, N, N}},
                                   .part_count = 1,
                                   .row_count = 3,
                                   .in_count = K,
                                   .x_stride = K,
                                   .dtype = DTYPE_F32};
        backend_reference.matmul(&args, NULL);
        args.parts[0].out = got;
        backend_cpu.matmul(&args, NULL);
        for (size_t i = 0; i < 3 * N; i++) {
            const bool same = isnan(want[i]) ? isnan(got[i])
                                             : support_first_difference(want + i, got + i, 1) == 1;
            CHECK(same, "%s round %d element %zu: %a, not %a", level, round, i, (double)got[i],
                  (double)want[i]);
        }
    }
}

static void odd_numbers_are_treated_alike(void)
{
    support_on_every_level(compare_odd_numbers);
}

int main(void)
{
    if (workers_create(0, &workers) != STATUS_OK) {
        return 1;
    }
    fast_paths_equal_the_reference();
    sums_are_accurate();
    rows_do_not_depend_on_their_neighbours();
    odd_numbers_are_treated_alike();
    workers_destroy(workers);
    return check_failures > 0;
}
