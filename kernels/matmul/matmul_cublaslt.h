/* matmul_cublaslt.h - the library instead of our own matmul (`kernels.matmul: fastest`):
 * out[r][n] = (adds_to_out ? out[r][n] : 0) + sum over k of x[r][k] * weight[n][k] + bias[n], in
 * the order that cuBLASLt likes best for that row count. So results depend on batch mates.
 *
 * Layout   weight as the checkpoint has it, [out, in] of T (bf16 or f16; e4m3 is refused), 16-byte
 *          aligned; x T; out T, or fp32. Strides of T are multiples of 8 elements, of fp32 of 4.
 *          An interleaved gate and up have no epilogue here: use swiglu_gpu_launch() after it.
 * Numerics sums in fp32; T is rounded once without a bias, twice with one.
 * Start    create; then tune once for each shape and each bucket of rows, weights on the device
 *          (a shape that was not tuned runs with the heuristic's first answer). Run only queues, is
 *          safe in a graph, and neither allocates nor searches for a tuned shape.
 * Library  libcublasLt.so.13 is opened by create, so that a machine without it starts. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "kernels/dtype.h"
#include "kernels/gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MATMUL_CUBLASLT_SHAPES_MAX = 512 }; /* tuned (rows, out, in, kind of out) together */

struct matmul_cublaslt; /* one device's handle, workspace (32 MiB) and chosen algorithms */

struct matmul_cublaslt_args {
    const void *x;      /* [row_count, x_stride] T */
    const void *weight; /* [out_count, in_count] T */
    const float *bias;  /* [out_count] or NULL; out is T */
    void *out;          /* [row_count, out_stride] T, or fp32 where out_is_f32 */
    uint32_t row_count; /* 0 is a no-op */
    uint32_t out_count, in_count, x_stride, out_stride;
    enum dtype dtype; /* T */
    bool out_is_f32;
    bool adds_to_out; /* the residual stream; out_is_f32 */
};

/* STATUS_UNSUPPORTED: built without cuBLASLt, or the library is not there: failure says what to
 * install or which setting to change. */
MUST_CHECK enum status matmul_cublaslt_create(struct gpu *gpu, struct matmul_cublaslt **out,
                                              struct failure *failure);
void matmul_cublaslt_destroy(struct matmul_cublaslt *library); /* NULL is fine */

/* Times the candidates on the arguments' own memory (out is overwritten) and remembers the best.
 * Waits for the device. STATUS_FULL: MATMUL_CUBLASLT_SHAPES_MAX. */
MUST_CHECK enum status matmul_cublaslt_tune(struct matmul_cublaslt *library,
                                            const struct matmul_cublaslt_args *args);

/* STATUS_INVALID: the limits above. STATUS_DEVICE: not launched, logged. */
MUST_CHECK enum status matmul_cublaslt_run(struct matmul_cublaslt *library,
                                           const struct matmul_cublaslt_args *args);

#ifdef __cplusplus
}
#endif
