/* measure_lanes.c - the two loops of measure.h over lanes. */
#include "kernels/lanes/lane_kernels.h"
#include "kernels/lanes/lanes.h"

enum {
    STREAMS = 8,
    AHEAD_FLOATS = 1024,
#if defined(__AVX512BW__)
    CHAINS = 24, /* as many sums as the registers hold */
#else
    CHAINS = 6,
#endif
};

float LANES_NAME(measure_read)(const float *at, size_t count)
{
    struct lanes sums[STREAMS];
    UNROLLED for (int i = 0; i < STREAMS; i++)
    {
        sums[i] = lanes_broadcast(0.0F);
    }
    for (size_t k = 0; k < count; k += (size_t)STREAMS * LANES) {
        UNROLLED for (size_t i = 0; i < STREAMS; i++)
        {
            __builtin_prefetch(at + k + i * LANES + AHEAD_FLOATS);
            sums[i] = lanes_add(sums[i], lanes_load(at + k + i * LANES));
        }
    }
    struct lanes vectors[LANES] = {sums[0], sums[1], sums[2], sums[3],
                                   sums[4], sums[5], sums[6], sums[7]};
    float folded[LANES];
    lanes_store(folded, lanes_fold_16(vectors));
    return folded[0] + folded[7];
}

uint64_t LANES_NAME(measure_fma)(uint64_t rounds, float *out)
{
    struct lanes sums[CHAINS];
    UNROLLED for (int i = 0; i < CHAINS; i++)
    {
        sums[i] = lanes_broadcast((float)i);
    }
    struct lanes factor = lanes_keep(lanes_broadcast(0.999F));
    for (uint64_t round = 0; round < rounds; round++) {
        UNROLLED for (int i = 0; i < CHAINS; i++)
        {
            sums[i] = lanes_fma(sums[i], factor, factor);
        }
    }
    for (int i = 1; i < CHAINS; i++) {
        sums[0] = lanes_add(sums[0], sums[i]); /* none may be left out */
    }
    lanes_store(out, sums[0]);
    return rounds * CHAINS * LANES;
}
