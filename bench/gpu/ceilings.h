/* ceilings.h - launches that find a device's ceilings, and fill memory with random numbers. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gpu_stream;

/* Numbers of magnitude 1/8 to 2, any sign; bytes a multiple of 4. */
MUST_CHECK enum status ceilings_fill_launch(void *memory, size_t bytes, enum dtype dtype,
                                            uint32_t seed, struct gpu_stream *stream);

/* bf16 tensor work out of shared memory: operations of a launch, bytes it writes. sm_90 only; on
 * others it does nothing. */
double ceilings_peak_operations(uint32_t block_count, uint32_t step_count);
size_t ceilings_peak_bytes(uint32_t block_count);
MUST_CHECK enum status ceilings_peak_launch(float *out, uint32_t block_count, uint32_t step_count,
                                            struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
