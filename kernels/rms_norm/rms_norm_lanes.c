#include <math.h>

#include "kernels/fold.h"
#include "kernels/lanes/lane_kernels.h"
#include "kernels/lanes/lanes.h"

static float mean_of_squares(const float *x, uint32_t dim)
{
    struct lanes sum = lanes_broadcast(0.0F);
    uint32_t d = 0;
    for (; d + LANES <= dim; d += LANES) {
        const struct lanes values = lanes_load(x + d);
        sum = lanes_fma(values, values, sum);
    }
    if (d < dim) {
        const struct lanes values = lanes_load_some(x + d, dim - d);
        sum = lanes_first(lanes_fma(values, values, sum), sum, dim - d);
    }
    float lanes[LANES];
    lanes_store(lanes, sum);
    return fold(lanes) / (float)dim;
}

void LANES_NAME(rms_norm_row)(const struct rms_norm_args *args, uint32_t row)
{
    const float *x = args->x + (size_t)row * args->dim;
    float *out = args->out + (size_t)row * args->dim;
    const struct lanes scale =
        lanes_broadcast(1.0F / sqrtf(mean_of_squares(x, args->dim) + args->eps));
    uint32_t d = 0;
    for (; d + LANES <= args->dim; d += LANES) {
        const struct lanes scaled = lanes_multiply(lanes_load(x + d), scale);
        lanes_store(out + d, lanes_multiply(lanes_load(args->weight + d), scaled));
    }
    if (d < args->dim) {
        const uint32_t left = args->dim - d;
        const struct lanes scaled = lanes_multiply(lanes_load_some(x + d, left), scale);
        lanes_store_some(out + d, left,
                         lanes_multiply(lanes_load_some(args->weight + d, left), scaled));
    }
}
