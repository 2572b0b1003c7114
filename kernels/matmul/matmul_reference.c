/* matmul_reference.c - the definition of matmul, order of summation included. */
#include <math.h>
#include <stddef.h>

#include "kernels/fold.h"
#include "kernels/matmul/matmul.h"

static float dot(const struct matmul_args *args, const void *weight, uint32_t n, const float *x)
{
    float lanes[FOLD_LANES] = {0};
    for (uint32_t k = 0; k < args->in_count; k++) {
        const float w = dtype_load(weight, args->dtype, (size_t)n * args->in_count + k);
        lanes[k % FOLD_LANES] = fmaf(x[k], w, lanes[k % FOLD_LANES]);
    }
    return fold(lanes);
}

void matmul_reference(const struct matmul_args *args)
{
    for (uint32_t p = 0; p < args->part_count; p++) {
        const struct matmul_part *part = &args->parts[p];
        for (uint32_t r = 0; r < args->row_count; r++) {
            const float *x = args->x + (size_t)r * args->x_stride;
            float *out = part->out + (size_t)r * part->out_stride;
            for (uint32_t n = 0; n < part->out_count; n++) {
                const float sum = dot(args, part->weight, n, x);
                const float biased = part->bias ? sum + part->bias[n] : sum;
                out[n] = args->adds_to_out ? out[n] + biased : biased;
            }
        }
    }
}
