/* rms_norm_reference.c - the definition of rms_norm, order of summation included. */
#include <math.h>
#include <stddef.h>

#include "kernels/fold.h"
#include "kernels/rms_norm/rms_norm.h"

void rms_norm_reference(const struct rms_norm_args *args)
{
    for (uint32_t r = 0; r < args->row_count; r++) {
        const float *x = args->x + (size_t)r * args->dim;
        float *out = args->out + (size_t)r * args->dim;
        float lanes[FOLD_LANES] = {0};
        for (uint32_t d = 0; d < args->dim; d++) {
            lanes[d % FOLD_LANES] = fmaf(x[d], x[d], lanes[d % FOLD_LANES]);
        }
        const float scale = 1.0F / sqrtf(fold(lanes) / (float)args->dim + args->eps);
        for (uint32_t d = 0; d < args->dim; d++) {
            out[d] = args->weight[d] * (x[d] * scale);
        }
    }
}
