/* embedding.h - out[r] = table[ids[r]] as fp32. ids are checked by the caller. */
#pragma once
#include <stdint.h>

#include "base/status.h"
#include "kernels/dtype.h"
#include "kernels/gpu/gpu_batch.h"
#include "kernels/workers.h"

#ifdef __cplusplus
extern "C" {
#endif

struct embedding_args {
    const void *table;   /* [vocabulary, dim] of dtype, plain */
    const uint32_t *ids; /* [row_count] */
    float *out;          /* [row_count, dim] */
    uint32_t row_count, dim;
    enum dtype dtype;
};

void embedding_reference(const struct embedding_args *args);
void embedding_cpu(const struct embedding_args *args, struct workers *workers);

/* ---- on a GPU: the rows of batch.ids, below counts->row_count; the rest is left alone -------- */

/* An id with this bit is sampled[id without it]: a token of the step before, which the host has not
 * seen yet. */
#define EMBEDDING_SAMPLED 0x80000000U

struct gpu_stream;

struct embedding_gpu_args {
    const void *table; /* [vocabulary, dim] of dtype, 16-byte aligned */
    struct gpu_batch batch;
    const uint32_t *sampled; /* NULL where no id has the bit */
    float *x;                /* [row_count, dim], 16-byte aligned */
    uint32_t row_count;      /* bound of the launch; 0 is a no-op */
    uint32_t dim;
    enum dtype dtype; /* plain */
};

/* Exact. STATUS_UNSUPPORTED: the dtype. STATUS_DEVICE: not launched. */
MUST_CHECK enum status embedding_gpu_launch(const struct embedding_gpu_args *args,
                                            struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
