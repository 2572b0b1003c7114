/* matmul_wgmma.h - between matmul_gpu_launch() and the kernel for many rows: the engine and the
 * tests call matmul_gpu_launch(). */
#pragma once
#include "kernels/gpu/gpu.h"
#include "kernels/matmul/matmul.h"

#ifdef __cplusplus
extern "C" {
#endif

/* matmul_gpu_launch() has checked the arguments and row_count > 0. STATUS_UNSUPPORTED: not sm_90,
 * or less shared memory than the kernel's. STATUS_DEVICE: not launched. Reads whole rows of x:
 * their number is args->row_count; needs no workspace. */
MUST_CHECK enum status matmul_wgmma_launch(const struct matmul_gpu_args *args,
                                           struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
