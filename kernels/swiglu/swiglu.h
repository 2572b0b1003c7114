/* swiglu.h - out[r][d] = activation(gate[r][d]) * up[r][d]: gated linear units (Shazeer 2020).
 *   SILU       x / (1 + e^-x)
 *   GELU_TANH  x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3): x / 2 (1 + tanh u)
 *   GELU_ERF   x / 2 (1 + erf(x / sqrt 2))
 *
 * Numerics elementwise, so rows are independent; exp within 2 ulp of expf; gelu.h for erf.
 * Threads  splits elements over the workers; never allocates. */
#pragma once
#include <stdint.h>

#include "base/status.h"
#include "kernels/dtype.h"
#include "kernels/gpu/gpu_batch.h"
#include "kernels/workers.h"

#ifdef __cplusplus
extern "C" {
#endif

enum swiglu_activation { SWIGLU_SILU, SWIGLU_GELU_TANH, SWIGLU_GELU_ERF };

struct swiglu_args {
    const float *gate, *up; /* [row_count, dim] */
    float *out;             /* [row_count, dim]; may equal gate or up */
    uint32_t row_count, dim;
    enum swiglu_activation activation;
};

void swiglu_reference(const struct swiglu_args *args);
void swiglu_cpu(const struct swiglu_args *args, struct workers *workers);

/* ---- on a GPU: where the matmul did not do it. Rows from counts->row_count on are left alone - */

struct gpu_stream;

struct swiglu_gpu_args {
    const void *gate, *up; /* T [row, in_stride]; up may be gate + dim, the second half of a row */
    void *out;             /* T [row, out_stride]; may equal gate */
    const struct gpu_counts *counts;
    uint32_t row_count;             /* bound of the launch; 0 is a no-op */
    uint32_t dim;                   /* any */
    uint32_t in_stride, out_stride; /* elements, multiples of 8 */
    enum swiglu_activation activation;
    enum dtype dtype; /* T: BF16 or F16 */
};

/* fp32 inside, rounded to T once. STATUS_UNSUPPORTED: the dtype. STATUS_DEVICE: not launched. */
MUST_CHECK enum status swiglu_gpu_launch(const struct swiglu_gpu_args *args,
                                         struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
