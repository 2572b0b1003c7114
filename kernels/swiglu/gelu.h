/* gelu.h - the two forms of GELU (Hendrycks and Gimpel 2016) in single precision, the same bits on
 * every CPU path (swiglu_lanes.c repeats these steps on vectors). For a GPU: swiglu.cuh.
 *   tanh  x / (1 + e^-2u) with -2u = x (LINEAR + CUBIC x^2)
 *   erf   x (1 - tail), for x < 0 x tail; tail = e^(-a^2) t P(t), a = |x| / sqrt 2, t = 1 / (1 +
 * 3/8 a). t P(t) is e^(a^2) erfc(a) / 2 within 1.2e-8 of it for a < 9.5, fitted by us. Relative
 * error below 5e-7 for x > -1, 2e-5 where the result is as small as 1e-38. */
#pragma once
#include <math.h>

#include "kernels/exponential.h"

#define GELU_TANH_LINEAR -1.5957691216F  /* -2 sqrt(2 / pi) */
#define GELU_TANH_CUBIC  -0.07135481628F /* 0.044715 of it */
#define GELU_SQRT_HALF   0.7071067812F
#define GELU_ERF_STEP    0.375F
/* clang-format off */
#define GELU_ERF_SERIES /* P, highest power first */ \
    {0x1.fabf5p-6F, -0x1.27d052p-3F, 0x1.be0cfep-3F, -0x1.dd561cp-4F, 0x1.1ae4e4p-3F, \
     0x1.ed3852p-5F, 0x1.a50f58p-4F, 0x1.af54p-4F, 0x1.b163acp-4F}
/* clang-format on */
enum { GELU_ERF_TERMS = 9 };

static inline float gelu_tanh(float x)
{
    const float exponent = x * fmaf(x * x, GELU_TANH_CUBIC, GELU_TANH_LINEAR);
    return x / (1.0F + exponential(exponent));
}

static inline float gelu_erf(float x)
{
    static const float series[GELU_ERF_TERMS] = GELU_ERF_SERIES;
    const float a = fabsf(x) * GELU_SQRT_HALF;
    const float t = 1.0F / fmaf(a, GELU_ERF_STEP, 1.0F);
    float power = series[0];
    for (int i = 1; i < GELU_ERF_TERMS; i++) {
        power = fmaf(power, t, series[i]);
    }
    const float tail = power * t * exponential(-a * a);
    return x * (x < 0 ? tail : 1.0F - tail);
}
