// swiglu.cuh - the activations of swiglu.h in device code, for swiglu.cu and for epilogues of
// matmul. fp32; the exponential and the reciprocal are the special-function unit's, 2 ulp or so
// each.
#pragma once
#include "kernels/gpu/device.cuh"
#include "kernels/swiglu/gelu.h"
#include "kernels/swiglu/swiglu.h"

GPU_DEVICE float swiglu_silu(float x)
{
    return x * rcp_fast(1.0F + exp_fast(-x)); // e^-x infinite: x * 0
}

GPU_DEVICE float swiglu_gelu_tanh(float x)
{
    const float exponent = x * fmaf(x * x, GELU_TANH_CUBIC, GELU_TANH_LINEAR);
    return x * rcp_fast(1.0F + exp_fast(exponent));
}

GPU_DEVICE float swiglu_gelu_erf(float x)
{
    const float series[GELU_ERF_TERMS] = GELU_ERF_SERIES;
    const float a = fmaxf(x, -x) * GELU_SQRT_HALF;
    const float t = rcp_fast(fmaf(a, GELU_ERF_STEP, 1.0F));
    float power = series[0];
#pragma unroll
    for (int i = 1; i < GELU_ERF_TERMS; i++) {
        power = fmaf(power, t, series[i]);
    }
    const float tail = power * t * exp_fast(-a * a);
    return x * (x < 0 ? tail : 1.0F - tail);
}

GPU_DEVICE float swiglu_activate(enum swiglu_activation activation, float x)
{
    return activation == SWIGLU_SILU        ? swiglu_silu(x)
           : activation == SWIGLU_GELU_TANH ? swiglu_gelu_tanh(x)
                                            : swiglu_gelu_erf(x);
}
