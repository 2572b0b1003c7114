/* swiglu_reference.c - the definition of swiglu. */
#include <stddef.h>

#include "kernels/exponential.h"
#include "kernels/swiglu/gelu.h"
#include "kernels/swiglu/swiglu.h"

static float activate(enum swiglu_activation activation, float x)
{
    switch (activation) {
    case SWIGLU_GELU_TANH:
        return gelu_tanh(x);
    case SWIGLU_GELU_ERF:
        return gelu_erf(x);
    case SWIGLU_SILU:
        break;
    }
    return x / (1.0F + exponential(-x));
}

void swiglu_reference(const struct swiglu_args *args)
{
    const size_t count = (size_t)args->row_count * args->dim;
    for (size_t i = 0; i < count; i++) {
        args->out[i] = activate(args->activation, args->gate[i]) * args->up[i];
    }
}
