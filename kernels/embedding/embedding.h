/* embedding.h - out[r] = table[ids[r]] as fp32. ids are checked by the caller. */
#pragma once
#include <stdint.h>

#include "kernels/dtype.h"
#include "kernels/workers.h"

struct embedding_args {
    const void *table;   /* [vocabulary, dim] of dtype */
    const uint32_t *ids; /* [row_count] */
    float *out;          /* [row_count, dim] */
    uint32_t row_count, dim;
    enum dtype dtype;
};

void embedding_reference(const struct embedding_args *args);
void embedding_cpu(const struct embedding_args *args, struct workers *workers);
