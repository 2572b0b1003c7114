/* rms_norm.h - out[r][d] = weight[d] * (x[r][d] / sqrt(mean over d of x[r][d]^2 + eps))
 *
 * Numerics sums in fp32 over 16 lanes, lane d mod 16, folded as in matmul.h: same bits on all CPU
 *          paths. Threads  splits rows over the workers; never allocates. */
#pragma once
#include <stdint.h>

#include "base/status.h"
#include "kernels/dtype.h"
#include "kernels/gpu/gpu_batch.h"
#include "kernels/workers.h"

#ifdef __cplusplus
extern "C" {
#endif

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

/* ---- on a GPU ---------------------------------------------------------------------------------
 * Row i of out is the norm of x's row i, or of row rows[i] where rows is set (batch.logit_rows).
 * counts->row_count (logit_row_count where rows is set) rows are real, the rest is left alone.
 * Numerics fp32; threads in an order that dim alone fixes; rounded to T once. Pointers 16-byte
 * aligned. */

struct gpu_stream;

enum { RMS_NORM_GPU_DIM_MAX = 16384 };

struct rms_norm_gpu_args {
    float *x;            /* [row, dim]; written only where delta is set */
    const float *weight; /* [dim] */
    const void *delta;   /* NULL, or T [row of x, delta_stride]: x += delta first */
    void *out;           /* T [row, out_stride] */
    const struct gpu_counts *counts;
    const uint32_t *rows;              /* NULL, or batch.logit_rows */
    uint32_t row_count;                /* bound of the launch; 0 is a no-op */
    uint32_t dim;                      /* at most RMS_NORM_GPU_DIM_MAX */
    uint32_t delta_stride, out_stride; /* elements, multiples of 8 */
    float eps;
    enum dtype dtype; /* T: BF16 or F16 */
};

/* STATUS_UNSUPPORTED: the dtype or dim. STATUS_DEVICE: not launched. */
MUST_CHECK enum status rms_norm_gpu_launch(const struct rms_norm_gpu_args *args,
                                           struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
