/* rms_norm.h - out[r][d] = weight[d] * (x[r][d] / sqrt(mean over d of x[r][d]^2 + eps))
 *
 * Numerics sums in fp32 over 16 lanes, lane d mod 16, folded as in matmul.h: same bits on all
 * paths. Threads  splits rows over the workers; never allocates. */
#pragma once
#include <stdint.h>

#include "kernels/workers.h"

struct rms_norm_args {
    const float *x;      /* [row_count, dim] */
    const float *weight; /* [dim], expanded to fp32 at load */
    float *out;          /* [row_count, dim]; may equal x */
    uint32_t row_count;  /* 0 is a no-op */
    uint32_t dim;
    float eps; /* > 0 */
};

void rms_norm_reference(const struct rms_norm_args *args);
void rms_norm_cpu(const struct rms_norm_args *args, struct workers *workers);
