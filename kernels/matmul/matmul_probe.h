/* matmul_probe.h - do the mma and the wgmma kernel give the same bits on this device? The promise
 * that results do not depend on batch mates needs it, and no manual of the hardware says so; hence
 * it is asked once, at start. The one place that decides which kernels an engine may mix; attention
 * goes by the answer too (attention_gpu_shape.has_wgmma). */
#pragma once
#include "base/failure.h"
#include "kernels/gpu/gpu.h"
#include "kernels/matmul/matmul.h"

#ifdef __cplusplus
extern "C" {
#endif

/* matmul_gpu_args.kernel for every launch of an engine: MATMUL_AUTO where both kernels agree (or
 * there is only one), else MATMUL_MMA. Takes a few MB of device memory meanwhile; waits. */
MUST_CHECK enum status matmul_gpu_choose(struct gpu *gpu, enum matmul_kernel *out,
                                         struct failure *failure);

#ifdef __cplusplus
}
#endif
