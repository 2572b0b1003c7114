/* lanes_portable.h - lanes in plain C; see lanes.h. */
#pragma once
#include <math.h>
#include <string.h>

#include "kernels/dtype.h"
#include "kernels/fold.h"
#include "kernels/lanes/lanes_base.h"

struct lanes {
    float lane[LANES];
};

INLINED struct lanes lanes_broadcast(float value)
{
    struct lanes result;
    for (int i = 0; i < LANES; i++) {
        result.lane[i] = value;
    }
    return result;
}

INLINED struct lanes lanes_load_some(const float *at, uint32_t count)
{
    struct lanes result = {{0}};
    memcpy(result.lane, at, count * sizeof *at);
    return result;
}

INLINED struct lanes lanes_load(const float *at)
{
    return lanes_load_some(at, LANES);
}

INLINED struct lanes lanes_load_weight_some(const void *at, enum dtype dtype, uint32_t count)
{
    struct lanes result = {{0}};
    for (uint32_t i = 0; i < count; i++) {
        result.lane[i] = dtype_load(at, dtype, i);
    }
    return result;
}

INLINED struct lanes lanes_load_weight(const void *at, enum dtype dtype)
{
    return lanes_load_weight_some(at, dtype, LANES);
}

INLINED void lanes_store_some(float *at, uint32_t count, struct lanes a)
{
    memcpy(at, a.lane, count * sizeof *at);
}

INLINED void lanes_store(float *at, struct lanes a)
{
    lanes_store_some(at, LANES, a);
}

#define LANES_BINARY(name, expression)                                       \
    INLINED struct lanes lanes_##name(struct lanes left, struct lanes right) \
    {                                                                        \
        for (int i = 0; i < LANES; i++) {                                    \
            const float a = left.lane[i], b = right.lane[i];                 \
            left.lane[i] = (expression);                                     \
        }                                                                    \
        return left;                                                         \
    }
LANES_BINARY(add, a + b)
LANES_BINARY(subtract, a - b)
LANES_BINARY(multiply, a *b)
LANES_BINARY(divide, a / b)
LANES_BINARY(max, a > b ? a : b)
LANES_BINARY(min, a < b ? a : b)
#undef LANES_BINARY

INLINED struct lanes lanes_fma(struct lanes a, struct lanes b, struct lanes sum)
{
    for (int i = 0; i < LANES; i++) {
        sum.lane[i] = fmaf(a.lane[i], b.lane[i], sum.lane[i]);
    }
    return sum;
}

INLINED struct lanes lanes_first(struct lanes a, struct lanes b, uint32_t count)
{
    memcpy(b.lane, a.lane, count * sizeof a.lane[0]);
    return b;
}

INLINED float lanes_highest(struct lanes a)
{
    float highest = a.lane[0];
    for (int i = 1; i < LANES; i++) {
        highest = a.lane[i] > highest ? a.lane[i] : highest;
    }
    return highest;
}

INLINED struct lanes lanes_zero_below(struct lanes x, struct lanes limit, struct lanes a)
{
    struct lanes result;
    for (int i = 0; i < LANES; i++) {
        result.lane[i] = x.lane[i] < limit.lane[i] ? 0.0F : a.lane[i];
    }
    return result;
}

INLINED struct lanes lanes_shift_bits(struct lanes a, int shift, int32_t added)
{
    uint32_t bits[LANES];
    memcpy(bits, a.lane, sizeof bits);
    for (int i = 0; i < LANES; i++) {
        bits[i] = (bits[i] << shift) + (uint32_t)added;
    }
    memcpy(a.lane, bits, sizeof bits);
    return a;
}

INLINED struct lanes lanes_keep(struct lanes a)
{
    return a;
}

INLINED struct lanes lanes_fold_16(const struct lanes vectors[LANES])
{
    struct lanes result;
    for (int i = 0; i < LANES; i++) {
        result.lane[i] = fold(vectors[i].lane);
    }
    return result;
}
