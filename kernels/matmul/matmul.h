/* matmul.h - out[r][n] = (adds_to_out ? out[r][n] : 0) + sum over k of x[r][k] * weight[n][k] +
 * bias[n] for up to MATMUL_PARTS_MAX weights that share x (q,k,v; gate,up).
 *
 * Layout   row-major; weight as Hugging Face stores it, [out, in]; rows of x and out have strides.
 * Numerics every output element is summed in one order that k alone fixes: 16 partial sums, lane
 *          k mod 16, each a chain of fused multiply-adds in rising k; lanes folded 8+8, 4+4, 2+2,
 *          1+1; then bias, then out. All CPU paths give the same bits, whatever row_count is.
 * Threads  splits output features over the workers; returns when done. Never allocates. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/dtype.h"
#include "kernels/workers.h"

enum { MATMUL_PARTS_MAX = 3 };

struct matmul_part {
    const void *weight; /* [out_count, in_count], of args.dtype; 2-byte aligned is enough */
    const float *bias;  /* [out_count] or NULL */
    float *out;         /* [row_count, out_stride] */
    uint32_t out_count, out_stride;
};

struct matmul_args {
    const float *x; /* [row_count, x_stride] */
    struct matmul_part parts[MATMUL_PARTS_MAX];
    uint32_t part_count;
    uint32_t row_count; /* 0 is a no-op */
    uint32_t in_count, x_stride;
    enum dtype dtype; /* plain */
    bool adds_to_out; /* the residual stream: out += ... */
};

void matmul_reference(const struct matmul_args *args);
void matmul_cpu(const struct matmul_args *args, struct workers *workers);
