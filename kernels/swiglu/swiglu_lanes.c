#include "kernels/lanes/lane_kernels.h"
#include "kernels/lanes/lanes.h"
#include "kernels/lanes/lanes_exponential.h"

static struct lanes multiply(struct lanes gate, struct lanes up)
{
    const struct lanes zero = lanes_broadcast(0.0F), one = lanes_broadcast(1.0F);
    const struct lanes power = lanes_exponential(lanes_subtract(zero, gate));
    return lanes_multiply(lanes_divide(gate, lanes_add(one, power)), up);
}

void LANES_NAME(swiglu_elements)(const struct swiglu_args *args, size_t first, size_t count)
{
    const float *gate = args->gate + first, *up = args->up + first;
    float *out = args->out + first;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes_store(out + i, multiply(lanes_load(gate + i), lanes_load(up + i)));
    }
    if (i < count) {
        const uint32_t left = (uint32_t)(count - i);
        lanes_store_some(out + i, left,
                         multiply(lanes_load_some(gate + i, left), lanes_load_some(up + i, left)));
    }
}
