/* lanes_avx2.h - lanes in two AVX2 registers; see lanes.h. */
#pragma once
#ifdef __AVX2__
#include <immintrin.h>
#include <string.h>

#include "kernels/dtype.h"
#include "kernels/lanes/lanes_base.h"

struct lanes {
    __m256 low, high;
};

INLINED struct lanes lanes_broadcast(float value)
{
    return (struct lanes){_mm256_set1_ps(value), _mm256_set1_ps(value)};
}

INLINED struct lanes lanes_load(const float *at)
{
    return (struct lanes){_mm256_loadu_ps(at), _mm256_loadu_ps(at + 8)};
}

INLINED __m256 lanes_widen(__m128i bits, enum dtype dtype)
{
    return dtype == DTYPE_F16
               ? _mm256_cvtph_ps(bits)
               : _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

INLINED struct lanes lanes_load_weight(const void *at, enum dtype dtype)
{
    if (dtype == DTYPE_F32) {
        return lanes_load(at);
    }
    const __m128i *halves = at;
    return (struct lanes){lanes_widen(_mm_loadu_si128(halves), dtype),
                          lanes_widen(_mm_loadu_si128(halves + 1), dtype)};
}

INLINED struct lanes lanes_load_weight_some(const void *at, enum dtype dtype, uint32_t count)
{
    float values[LANES] = {0};
    memcpy(values, at, count * dtype_bytes(dtype));
    return lanes_load_weight(values, dtype);
}

INLINED struct lanes lanes_load_some(const float *at, uint32_t count)
{
    return lanes_load_weight_some(at, DTYPE_F32, count);
}

INLINED void lanes_store(float *at, struct lanes a)
{
    _mm256_storeu_ps(at, a.low);
    _mm256_storeu_ps(at + 8, a.high);
}

INLINED void lanes_store_some(float *at, uint32_t count, struct lanes a)
{
    float values[LANES];
    lanes_store(values, a);
    memcpy(at, values, count * sizeof *values);
}

#define LANES_BINARY(name, instruction)                                                \
    INLINED struct lanes lanes_##name(struct lanes a, struct lanes b)                  \
    {                                                                                  \
        return (struct lanes){instruction(a.low, b.low), instruction(a.high, b.high)}; \
    }
LANES_BINARY(add, _mm256_add_ps)
LANES_BINARY(subtract, _mm256_sub_ps)
LANES_BINARY(multiply, _mm256_mul_ps)
LANES_BINARY(divide, _mm256_div_ps)
LANES_BINARY(max, _mm256_max_ps)
LANES_BINARY(min, _mm256_min_ps)
#undef LANES_BINARY

INLINED struct lanes lanes_fma(struct lanes a, struct lanes b, struct lanes sum)
{
    return (struct lanes){_mm256_fmadd_ps(a.low, b.low, sum.low),
                          _mm256_fmadd_ps(a.high, b.high, sum.high)};
}

INLINED struct lanes lanes_first(struct lanes a, struct lanes b, uint32_t count)
{
    float values[LANES];
    lanes_store(values, b);
    lanes_store_some(values, count, a);
    return lanes_load(values);
}

INLINED float lanes_highest(struct lanes a)
{
    float values[LANES];
    lanes_store(values, a);
    for (int i = 1; i < LANES; i++) {
        values[0] = values[i] > values[0] ? values[i] : values[0];
    }
    return values[0];
}

INLINED struct lanes lanes_zero_below(struct lanes x, struct lanes limit, struct lanes a)
{
    return (struct lanes){_mm256_and_ps(_mm256_cmp_ps(x.low, limit.low, _CMP_NLT_UQ), a.low),
                          _mm256_and_ps(_mm256_cmp_ps(x.high, limit.high, _CMP_NLT_UQ), a.high)};
}

INLINED struct lanes lanes_shift_bits(struct lanes a, int shift, int32_t added)
{
    const __m256i more = _mm256_set1_epi32(added);
    const __m256i low = _mm256_slli_epi32(_mm256_castps_si256(a.low), shift);
    const __m256i high = _mm256_slli_epi32(_mm256_castps_si256(a.high), shift);
    return (struct lanes){_mm256_castsi256_ps(_mm256_add_epi32(low, more)),
                          _mm256_castsi256_ps(_mm256_add_epi32(high, more))};
}

INLINED struct lanes lanes_keep(struct lanes a)
{
    __asm__("" : "+x"(a.low), "+x"(a.high));
    return a;
}

/* Folds two registers one step and packs them into one. */
#define LANES_HALVE(a, b, shuffle, low, high) \
    _mm256_add_ps(shuffle((a), (b), (low)), shuffle((a), (b), (high)))

INLINED __m256 lanes_fold_8(const struct lanes *vectors)
{
    __m256 fours[4]; /* [i]: vectors i and i + 4, each folded to 4 lanes */
    UNROLLED for (int i = 0; i < 4; i++)
    {
        fours[i] = LANES_HALVE(_mm256_add_ps(vectors[i].low, vectors[i].high),
                               _mm256_add_ps(vectors[i + 4].low, vectors[i + 4].high),
                               _mm256_permute2f128_ps, 0x20, 0x31);
    }
    const __m256 a = LANES_HALVE(fours[0], fours[1], _mm256_shuffle_ps, 0x44, 0xee);
    const __m256 b = LANES_HALVE(fours[2], fours[3], _mm256_shuffle_ps, 0x44, 0xee);
    return LANES_HALVE(a, b, _mm256_shuffle_ps, 0x88, 0xdd);
}
#undef LANES_HALVE

INLINED struct lanes lanes_fold_16(const struct lanes vectors[LANES])
{
    return (struct lanes){lanes_fold_8(vectors), lanes_fold_8(vectors + 8)};
}
#endif
