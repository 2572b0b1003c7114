/* exponential.h - e^x in single precision, the same bits on every path (kernels/lanes repeats
 * these steps on vectors). Within 2 ulp; below EXPONENTIAL_MIN 0, from 88.73 up infinity, NaN stays
 * NaN. x = n ln 2 + r, |r| <= ln 2 / 2; e^r by its series up to r^7 / 7!, whose rest is 0.05 ulp.
 */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#define EXPONENTIAL_MIN      -86.5F
#define EXPONENTIAL_MAX      89.0F /* keeps 2^n / 2 a finite number */
#define EXPONENTIAL_LOG2_E   0x1.715476p+0F
#define EXPONENTIAL_LN2_HIGH 0x1.62e43p-1F
#define EXPONENTIAL_LN2_LOW  -0x1.05c61p-29F /* ln 2 = high + low */
#define EXPONENTIAL_ROUNDER  0x1.8p+23F      /* adding it leaves an integer in the low bits */
enum { EXPONENTIAL_TERMS = 8, EXPONENTIAL_HALF_BITS = 126 << 23 /* 2^-1 as a float's bits */ };

static const float exponential_series[EXPONENTIAL_TERMS] = {
    1.0F / 5040, 1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 1.0F / 2, 1.0F, 1.0F};

static inline float exponential(float x)
{
    const float low = EXPONENTIAL_MIN > x ? EXPONENTIAL_MIN : x; /* a NaN passes both */
    const float clamped = EXPONENTIAL_MAX < low ? EXPONENTIAL_MAX : low;
    const float shifted = fmaf(clamped, EXPONENTIAL_LOG2_E, EXPONENTIAL_ROUNDER);
    const float n = shifted - EXPONENTIAL_ROUNDER;
    float r = fmaf(-n, EXPONENTIAL_LN2_HIGH, clamped);
    r = fmaf(-n, EXPONENTIAL_LN2_LOW, r);
    float power = exponential_series[0];
    for (int i = 1; i < EXPONENTIAL_TERMS; i++) {
        power = fmaf(power, r, exponential_series[i]);
    }
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + EXPONENTIAL_HALF_BITS;
    float half_scale; /* 2^(n - 1): 2^n would not fit for the largest x */
    memcpy(&half_scale, &bits, sizeof half_scale);
    const float result = power * half_scale * 2.0F;
    return x < EXPONENTIAL_MIN ? 0.0F : result;
}
