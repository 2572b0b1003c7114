/* sample_lanes.c - the two passes over a whole vocabulary. x * 0 is NaN where x is not finite; the
 * order of the operands of lanes_max then drops it. */
#include <math.h>

#include "kernels/lanes/lane_kernels.h"
#include "kernels/lanes/lanes.h"
#include "kernels/lanes/lanes_exponential.h"

static struct lanes nan_unless_finite(struct lanes x, struct lanes value)
{
    return lanes_add(value, lanes_multiply(x, lanes_broadcast(0.0F)));
}

float LANES_NAME(sample_highest)(const float *logits, size_t count)
{
    const struct lanes never = lanes_broadcast(-INFINITY);
    struct lanes highest = never;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const struct lanes x = lanes_load(logits + i);
        highest = lanes_max(nan_unless_finite(x, x), highest);
    }
    if (i < count) {
        const uint32_t left = (uint32_t)(count - i);
        const struct lanes x = lanes_first(lanes_load_some(logits + i, left), never, left);
        highest = lanes_max(nan_unless_finite(x, x), highest);
    }
    return lanes_highest(highest);
}

static struct lanes weigh(struct lanes x, struct lanes highest, struct lanes inverse_temperature)
{
    const struct lanes below = nan_unless_finite(x, lanes_subtract(x, highest));
    const struct lanes weight = lanes_exponential(lanes_multiply(below, inverse_temperature));
    return lanes_max(weight, lanes_broadcast(0.0F));
}

void LANES_NAME(sample_weigh)(const float *logits, size_t count, float highest,
                              float inverse_temperature, float *weights)
{
    const struct lanes most = lanes_broadcast(highest);
    const struct lanes factor = lanes_broadcast(inverse_temperature);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes_store(weights + i, weigh(lanes_load(logits + i), most, factor));
    }
    if (i < count) {
        const uint32_t left = (uint32_t)(count - i);
        lanes_store_some(weights + i, left, weigh(lanes_load_some(logits + i, left), most, factor));
    }
}
