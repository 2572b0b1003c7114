/* swiglu.h - out[r][d] = silu(gate[r][d]) * up[r][d], silu(x) = x / (1 + exp(-x)). (Shazeer 2020)
 *
 * Numerics elementwise, so rows are independent; exp within 2 ulp of expf.
 * Threads  splits elements over the workers; never allocates. */
#pragma once
#include <stdint.h>

#include "kernels/workers.h"

struct swiglu_args {
    const float *gate, *up; /* [row_count, dim] */
    float *out;             /* [row_count, dim]; may equal gate or up */
    uint32_t row_count, dim;
};

void swiglu_reference(const struct swiglu_args *args);
void swiglu_cpu(const struct swiglu_args *args, struct workers *workers);
