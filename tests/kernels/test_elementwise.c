/* Method: the ops that work element by element or row by row, on every vector unit, bit for bit
 * against their references over odd sizes; then against the C library or double precision; and
 * e^x over all of its range. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "kernels/exponential.h"
#include "kernels/float_mode.h"
#include "tests/check.h"
#include "tests/kernels/support_kernels.h"

static const uint32_t dims[] = {1, 2, 15, 16, 17, 172, 2048, 4099};
static const uint32_t row_counts[] = {0, 1, 5, 33};
enum {
    DIM_COUNT = sizeof dims / sizeof dims[0],
    CASE_COUNT = DIM_COUNT * sizeof row_counts / sizeof row_counts[0],
    VOCABULARY = 50,
};

static struct workers *workers;

/* Largest difference from the true value, in units of the last place. */
static void exponential_is_within_two_ulp(void)
{
    double worst = 0;
    for (float x = -86.4F; x < 88.7F; x += 1e-4F + fabsf(x) * 3e-7F) {
        const double want = exp((double)x), got = (double)exponential(x);
        const double ulp = ldexp(1.0, ilogb(want) - 23);
        worst = fmax(worst, fabs(got - want) / ulp);
    }
    printf("exponential: largest error %.2f ulp\n", worst);
    CHECK(worst < 2.0, "largest error %g ulp", worst);
    static const struct {
        float x, want;
    } edges[] = {{0.0F, 1.0F},        {-0.0F, 1.0F},     {-87.0F, 0.0F},
                 {-INFINITY, 0.0F},   {-FLT_MAX, 0.0F},  {INFINITY, INFINITY},
                 {FLT_MAX, INFINITY}, {89.0F, INFINITY}, {1e-30F, 1.0F}};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        CHECK(exponential(edges[i].x) == edges[i].want, "e^%g is %g", (double)edges[i].x,
              (double)exponential(edges[i].x));
    }
    CHECK(isnan(exponential(NAN)), "e^NaN");
}

static void compare(const char *level, const char *op, size_t i, const float *want,
                    const float *got, size_t size)
{
    const size_t at = support_first_difference(want, got, size);
    CHECK(at == size, "%s %s case %zu: element %zu", level, op, i, at);
}

/* Values that reach every branch of e^x, among ordinary ones. */
static float *make_gates(struct random_source *random, size_t size)
{
    static const float odd[] = {-90.0F, 90.0F, -86.5F, 88.7F, -0.0F, 1e-38F, INFINITY, -INFINITY};
    float *gates = support_floats(random, size);
    for (size_t i = 0; i < size; i++) {
        const uint32_t pick = random_below(random, 64);
        gates[i] = pick < sizeof odd / sizeof odd[0] ? odd[pick] : gates[i] * 100.0F;
    }
    return gates;
}

static double exact_activation(enum swiglu_activation activation, double x)
{
    const double cubic = sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x);
    return activation == SWIGLU_SILU        ? x / (1 + exp(-x))
           : activation == SWIGLU_GELU_TANH ? x / (1 + exp(-2 * cubic))
                                            : x / 2 * erfc(-x / sqrt(2));
}

/* The results of infinities are any NaN on both sides, or equal. */
static void drop_same_nans(float *want, float *got, size_t size)
{
    for (size_t e = 0; e < size; e++) {
        if (isnan(want[e]) && isnan(got[e])) {
            want[e] = got[e] = 0.0F;
        }
    }
}

static void compare_swiglu(const char *level)
{
    for (size_t i = 0; i < 3 * CASE_COUNT; i++) {
        struct random_source random = {i};
        const uint32_t dim = dims[i / 3 % DIM_COUNT], rows = row_counts[i / 3 / DIM_COUNT];
        const size_t size = (size_t)dim * rows;
        float *gate = make_gates(&random, size), *up = support_floats(&random, size);
        float *want = support_memory(size * sizeof *want);
        struct swiglu_args args = {gate, up, want, rows, dim, (enum swiglu_activation)(i % 3)};
        backend_reference.swiglu(&args, NULL);
        const double tolerance = args.activation == SWIGLU_SILU ? 1e-6 : 2e-5;
        for (size_t e = 0; e < size; e++) {
            const double x = (double)gate[e];
            const double exact = exact_activation(args.activation, x) * (double)up[e];
            CHECK(!isfinite(x) || fabs((double)want[e] - exact) <= tolerance * fabs(exact) + 1e-35,
                  "activation %zu of %g is %g, not %g", i % 3, x, (double)want[e], exact);
        }
        args.out = gate; /* in place */
        backend_cpu.swiglu(&args, workers);
        drop_same_nans(want, gate, size);
        compare(level, "swiglu", i, want, gate, size);
        free(gate);
        free(up);
        free(want);
    }
}

static void compare_rms_norm(const char *level)
{
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct random_source random = {i};
        const uint32_t dim = dims[i % DIM_COUNT], rows = row_counts[i / DIM_COUNT];
        const size_t size = (size_t)dim * rows;
        float *x = support_floats(&random, size), *weight = support_floats(&random, dim);
        float *want = support_memory(size * sizeof *want);
        struct rms_norm_args args = {x, weight, want, rows, dim, 1e-5F};
        backend_reference.rms_norm(&args, NULL);
        for (size_t e = 0; e < size; e++) {
            double sum = 0;
            for (size_t d = 0; e % 97 == 0 && d < dim; d++) {
                sum += (double)x[e / dim * dim + d] * (double)x[e / dim * dim + d];
            }
            const double exact =
                (double)weight[e % dim] * (double)x[e] / sqrt(sum / dim + (double)args.eps);
            CHECK(e % 97 != 0 || fabs((double)want[e] - exact) <= 1e-6 * fabs(exact),
                  "rms_norm of %u: %g, not %g", dim, (double)want[e], exact);
        }
        args.out = x; /* in place */
        backend_cpu.rms_norm(&args, workers);
        compare(level, "rms_norm", i, want, x, size);
        free(x);
        free(weight);
        free(want);
    }
}

static void compare_embedding(const char *level)
{
    for (size_t i = 0; i < CASE_COUNT * DTYPE_PLAIN_COUNT; i++) {
        struct random_source random = {i};
        const enum dtype dtype = (enum dtype)(i % DTYPE_PLAIN_COUNT);
        const uint32_t dim = dims[i / DTYPE_PLAIN_COUNT % DIM_COUNT];
        const uint32_t rows = row_counts[i / DTYPE_PLAIN_COUNT / DIM_COUNT];
        void *table = support_weights(&random, dtype, (size_t)VOCABULARY * dim);
        uint32_t ids[64];
        for (uint32_t r = 0; r < rows; r++) {
            ids[r] = r == 0 ? VOCABULARY - 1 : random_below(&random, VOCABULARY);
        }
        float *want = support_memory(2 * (size_t)rows * dim * sizeof *want);
        struct embedding_args args = {table, ids, want, rows, dim, dtype};
        backend_reference.embedding(&args, NULL);
        args.out = want + (size_t)rows * dim;
        backend_cpu.embedding(&args, workers);
        compare(level, "embedding", i, want, args.out, (size_t)rows * dim);
        free(table);
        free(want);
    }
}

static void compare_all(const char *level)
{
    compare_swiglu(level);
    compare_rms_norm(level);
    compare_embedding(level);
}

static void fast_paths_equal_the_references(void)
{
    support_on_every_level(compare_all);
}

/* Every half and every bfloat16 against the compiler's own meaning of their bits. */
static void halves_become_the_right_floats(void)
{
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        const int exponent = (int)(bits >> 10 & 31);
        const double fraction = (double)(bits & 0x3ff) / 1024;
        const double magnitude = exponent == 0    ? ldexp(fraction, -14)
                                 : exponent == 31 ? (double)INFINITY
                                                  : ldexp(1 + fraction, exponent - 15);
        const float want = (float)(bits & 0x8000 ? -magnitude : magnitude);
        const float got = dtype_f16_to_float((uint16_t)bits);
        CHECK(exponent == 31 && fraction > 0 ? isnan(got) : got == want, "half %04x is %g", bits,
              (double)got);
        const uint32_t shifted = bits << 16;
        float same;
        memcpy(&same, &shifted, sizeof same);
        const float brain = dtype_bf16_to_float((uint16_t)bits);
        CHECK(memcmp(&same, &brain, sizeof same) == 0, "bfloat16 %04x", bits);
    }
}

/* Every e4m3 by its definition, and each format's rounding: what a number becomes is the nearest of
 * all the format's numbers, of two as near the even one. */
static void every_e4m3_is_exact_and_comes_back(void)
{
    for (uint32_t bits = 0; bits < 256; bits++) {
        const uint32_t exponent = bits >> 3 & 15, fraction = bits & 7;
        const double magnitude =
            exponent == 0 ? fraction / 512.0 : ldexp(1 + fraction / 8.0, (int)exponent - 7);
        const float got = dtype_e4m3_to_float((uint8_t)bits);
        if ((bits & 0x7f) == 0x7f) {
            CHECK(isnan(got) && dtype_e4m3_from_float(got) == 0x7f, "NaN %02x", bits);
            continue;
        }
        CHECK((double)got == (bits & 0x80 ? -magnitude : magnitude), "e4m3 %02x is %g", bits,
              (double)got);
        CHECK(dtype_e4m3_from_float(got) == bits, "%g comes back as %02x", (double)got,
              dtype_e4m3_from_float(got));
        const uint8_t byte = (uint8_t)bits;
        CHECK(dtype_load(&byte, DTYPE_E4M3, 0) == got, "load of %02x", bits);
    }
    static const float large[] = {448.0F, 449.0F, 463.9F, 464.0F, 480.0F, 511.9F, 512.0F, INFINITY};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        CHECK(dtype_e4m3_from_float(large[i]) == 0x7e && dtype_e4m3_from_float(-large[i]) == 0xfe,
              "%g saturates at 448", (double)large[i]);
    }
}

struct format {
    const char *name;
    uint32_t (*narrow)(float value);
    float (*widen)(uint32_t bits);
    uint32_t largest; /* bits of the largest finite number */
};

static uint32_t narrow_bf16(float value)
{
    return dtype_bf16_from_float(value);
}

static float widen_bf16(uint32_t bits)
{
    return dtype_bf16_to_float((uint16_t)bits);
}

static uint32_t narrow_f16(float value)
{
    return dtype_f16_from_float(value);
}

static float widen_f16(uint32_t bits)
{
    return dtype_f16_to_float((uint16_t)bits);
}

static uint32_t narrow_e4m3(float value)
{
    return dtype_e4m3_from_float(value);
}

static float widen_e4m3(uint32_t bits)
{
    return dtype_e4m3_to_float((uint8_t)bits);
}

/* Between two neighbours: both, their middle, and the floats beside the middle. */
static void check_between(const struct format *format, uint32_t bits)
{
    const float low = format->widen(bits), high = format->widen(bits + 1);
    const float middle = low + (high - low) / 2;
    const uint32_t even = bits + (bits & 1);
    const uint32_t sign = format->narrow(-1.0F) & ~format->narrow(1.0F);
    CHECK(format->narrow(low) == bits && format->narrow(high) == bits + 1, "%s %x", format->name,
          bits);
    CHECK(format->narrow(middle) == even, "%s: middle of %x", format->name, bits);
    CHECK(format->narrow(-middle) == (even | sign), "%s: minus middle of %x", format->name, bits);
    CHECK(format->narrow(nextafterf(middle, low)) == bits, "%s: below %x", format->name, bits);
    CHECK(format->narrow(nextafterf(middle, high)) == bits + 1, "%s: above %x", format->name, bits);
}

static void rounding_is_to_nearest_even(void)
{
    static const struct format formats[] = {{"bf16", narrow_bf16, widen_bf16, 0x7f7f},
                                            {"f16", narrow_f16, widen_f16, 0x7bff},
                                            {"e4m3", narrow_e4m3, widen_e4m3, 0x7e}};
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        for (uint32_t bits = 0; bits < formats[f].largest; bits++) {
            check_between(&formats[f], bits);
        }
    }
    CHECK(dtype_f16_from_float(65519.0F) == 0x7bff && dtype_f16_from_float(65520.0F) == 0x7c00
              && dtype_f16_from_float(-INFINITY) == 0xfc00 && dtype_f16_from_float(NAN) == 0x7fff,
          "f16 beyond its largest number");
    CHECK(dtype_bf16_from_float(FLT_MAX) == 0x7f80 && dtype_bf16_from_float(-INFINITY) == 0xff80
              && dtype_bf16_from_float(-NAN) == 0x7fff,
          "bf16 beyond its largest number");
}

int main(void)
{
    if (workers_create(0, &workers) != STATUS_OK) {
        return 1;
    }
    exponential_is_within_two_ulp();
    halves_become_the_right_floats();
    every_e4m3_is_exact_and_comes_back();
    rounding_is_to_nearest_even();
    fast_paths_equal_the_references();
    workers_destroy(workers);
    return check_failures > 0;
}
