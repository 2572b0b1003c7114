/* swiglu_reference.c - the definition of swiglu. */
#include <stddef.h>

#include "kernels/exponential.h"
#include "kernels/swiglu/swiglu.h"

void swiglu_reference(const struct swiglu_args *args)
{
    const size_t count = (size_t)args->row_count * args->dim;
    for (size_t i = 0; i < count; i++) {
        const float gate = args->gate[i];
        args->out[i] = gate / (1.0F + exponential(-gate)) * args->up[i];
    }
}
