/* lanes_exponential.h - kernels/exponential.h, step for step, on lanes. */
#pragma once
#include "kernels/exponential.h"
#include "kernels/lanes/lanes.h"

INLINED struct lanes lanes_exponential(struct lanes x)
{
    const struct lanes minimum = lanes_broadcast(EXPONENTIAL_MIN);
    const struct lanes rounder = lanes_broadcast(EXPONENTIAL_ROUNDER);
    const struct lanes clamped = lanes_min(lanes_broadcast(EXPONENTIAL_MAX), lanes_max(minimum, x));
    const struct lanes shifted = lanes_fma(clamped, lanes_broadcast(EXPONENTIAL_LOG2_E), rounder);
    const struct lanes minus_n = lanes_subtract(rounder, shifted);
    struct lanes r = lanes_fma(minus_n, lanes_broadcast(EXPONENTIAL_LN2_HIGH), clamped);
    r = lanes_fma(minus_n, lanes_broadcast(EXPONENTIAL_LN2_LOW), r);
    struct lanes power = lanes_broadcast(exponential_series[0]);
    UNROLLED for (int i = 1; i < EXPONENTIAL_TERMS; i++)
    {
        power = lanes_fma(power, r, lanes_broadcast(exponential_series[i]));
    }
    const struct lanes half_scale = lanes_shift_bits(shifted, 23, EXPONENTIAL_HALF_BITS);
    const struct lanes result =
        lanes_multiply(lanes_multiply(power, half_scale), lanes_broadcast(2.0F));
    return lanes_zero_below(x, minimum, result);
}
