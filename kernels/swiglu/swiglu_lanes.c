#include "kernels/lanes/lane_kernels.h"
#include "kernels/lanes/lanes.h"
#include "kernels/lanes/lanes_exponential.h"
#include "kernels/swiglu/gelu.h"

/* x / (1 + e^exponent) */
INLINED struct lanes divide_by_power(struct lanes x, struct lanes exponent)
{
    return lanes_divide(x, lanes_add(lanes_broadcast(1.0F), lanes_exponential(exponent)));
}

INLINED struct lanes silu(struct lanes x)
{
    return divide_by_power(x, lanes_subtract(lanes_broadcast(0.0F), x));
}

INLINED struct lanes tanh_form(struct lanes x)
{
    const struct lanes slope = lanes_fma(lanes_multiply(x, x), lanes_broadcast(GELU_TANH_CUBIC),
                                         lanes_broadcast(GELU_TANH_LINEAR));
    return divide_by_power(x, lanes_multiply(x, slope));
}

INLINED struct lanes erf_form(struct lanes x)
{
    static const float series[GELU_ERF_TERMS] = GELU_ERF_SERIES;
    const struct lanes zero = lanes_broadcast(0.0F), one = lanes_broadcast(1.0F);
    const struct lanes size = lanes_max(x, lanes_subtract(zero, x));
    const struct lanes a = lanes_multiply(size, lanes_broadcast(GELU_SQRT_HALF));
    const struct lanes t = lanes_divide(one, lanes_fma(a, lanes_broadcast(GELU_ERF_STEP), one));
    struct lanes power = lanes_broadcast(series[0]);
    UNROLLED for (int i = 1; i < GELU_ERF_TERMS; i++)
    {
        power = lanes_fma(power, t, lanes_broadcast(series[i]));
    }
    const struct lanes square = lanes_multiply(lanes_subtract(zero, a), a);
    const struct lanes tail = lanes_multiply(lanes_multiply(power, t), lanes_exponential(square));
    const struct lanes above = lanes_zero_below(x, zero, lanes_subtract(one, tail));
    const struct lanes below = lanes_subtract(tail, lanes_zero_below(x, zero, tail));
    return lanes_multiply(x, lanes_add(above, below)); /* one of the two is zero */
}

#define ELEMENTS(name, activate)                                                     \
    static void name(const struct swiglu_args *args, size_t first, size_t count)     \
    {                                                                                \
        const float *gate = args->gate + first, *up = args->up + first;              \
        float *out = args->out + first;                                              \
        size_t i = 0;                                                                \
        for (; i + LANES <= count; i += LANES) {                                     \
            const struct lanes active = activate(lanes_load(gate + i));              \
            lanes_store(out + i, lanes_multiply(active, lanes_load(up + i)));        \
        }                                                                            \
        if (i < count) {                                                             \
            const uint32_t left = (uint32_t)(count - i);                             \
            const struct lanes active = activate(lanes_load_some(gate + i, left));   \
            lanes_store_some(out + i, left,                                          \
                             lanes_multiply(active, lanes_load_some(up + i, left))); \
        }                                                                            \
    }
ELEMENTS(silu_elements, silu)
ELEMENTS(tanh_elements, tanh_form)
ELEMENTS(erf_elements, erf_form)

void LANES_NAME(swiglu_elements)(const struct swiglu_args *args, size_t first, size_t count)
{
    static void (*const elements[])(const struct swiglu_args *, size_t, size_t) = {
        [SWIGLU_SILU] = silu_elements,
        [SWIGLU_GELU_TANH] = tanh_elements,
        [SWIGLU_GELU_ERF] = erf_elements,
    };
    elements[args->activation](args, first, count);
}
