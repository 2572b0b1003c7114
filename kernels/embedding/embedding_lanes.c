#include "kernels/lanes/lane_kernels.h"
#include "kernels/lanes/lanes.h"

void LANES_NAME(embedding_row)(const struct embedding_args *args, uint32_t row)
{
    const size_t bytes = dtype_bytes(args->dtype);
    const unsigned char *from =
        (const unsigned char *)args->table + args->ids[row] * (args->dim * bytes);
    float *out = args->out + (size_t)row * args->dim;
    uint32_t d = 0;
    for (; d + LANES <= args->dim; d += LANES) {
        lanes_store(out + d, lanes_load_weight(from + d * bytes, args->dtype));
    }
    if (d < args->dim) {
        const uint32_t left = args->dim - d;
        lanes_store_some(out + d, left,
                         lanes_load_weight_some(from + d * bytes, args->dtype, left));
    }
}
