/* embedding_reference.c - the definition of embedding. */
#include <stddef.h>

#include "kernels/embedding/embedding.h"

void embedding_reference(const struct embedding_args *args)
{
    for (uint32_t r = 0; r < args->row_count; r++) {
        for (uint32_t d = 0; d < args->dim; d++) {
            const size_t index = (size_t)args->ids[r] * args->dim + d;
            args->out[(size_t)r * args->dim + d] = dtype_load(args->table, args->dtype, index);
        }
    }
}
