/* lanes_avx512.h - lanes in one AVX-512 register; see lanes.h. */
#pragma once
#ifdef __AVX512BW__
#include <immintrin.h>

#include "kernels/dtype.h"
#include "kernels/lanes/lanes_base.h"

struct lanes {
    __m512 all;
};

INLINED __mmask16 lanes_mask(uint32_t count)
{
    return (__mmask16)((1U << count) - 1);
}

INLINED struct lanes lanes_broadcast(float value)
{
    return (struct lanes){_mm512_set1_ps(value)};
}

INLINED struct lanes lanes_load(const float *at)
{
    return (struct lanes){_mm512_loadu_ps(at)};
}

INLINED struct lanes lanes_load_some(const float *at, uint32_t count)
{
    return (struct lanes){_mm512_maskz_loadu_ps(lanes_mask(count), at)};
}

INLINED struct lanes lanes_widen(__m256i bits, enum dtype dtype)
{
    if (dtype == DTYPE_F16) {
        return (struct lanes){_mm512_cvtph_ps(bits)};
    }
    const __m512i wide = _mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16);
    return (struct lanes){_mm512_castsi512_ps(wide)};
}

INLINED struct lanes lanes_load_weight(const void *at, enum dtype dtype)
{
    return dtype == DTYPE_F32 ? (struct lanes){_mm512_loadu_ps(at)}
                              : lanes_widen(_mm256_loadu_si256(at), dtype);
}

INLINED struct lanes lanes_load_weight_some(const void *at, enum dtype dtype, uint32_t count)
{
    return dtype == DTYPE_F32 ? (struct lanes){_mm512_maskz_loadu_ps(lanes_mask(count), at)}
                              : lanes_widen(_mm256_maskz_loadu_epi16(lanes_mask(count), at), dtype);
}

INLINED void lanes_store(float *at, struct lanes a)
{
    _mm512_storeu_ps(at, a.all);
}

INLINED void lanes_store_some(float *at, uint32_t count, struct lanes a)
{
    _mm512_mask_storeu_ps(at, lanes_mask(count), a.all);
}

#define LANES_BINARY(name, instruction)                               \
    INLINED struct lanes lanes_##name(struct lanes a, struct lanes b) \
    {                                                                 \
        return (struct lanes){instruction(a.all, b.all)};             \
    }
LANES_BINARY(add, _mm512_add_ps)
LANES_BINARY(subtract, _mm512_sub_ps)
LANES_BINARY(multiply, _mm512_mul_ps)
LANES_BINARY(divide, _mm512_div_ps)
LANES_BINARY(max, _mm512_max_ps)
LANES_BINARY(min, _mm512_min_ps)
#undef LANES_BINARY

INLINED struct lanes lanes_fma(struct lanes a, struct lanes b, struct lanes sum)
{
    return (struct lanes){_mm512_fmadd_ps(a.all, b.all, sum.all)};
}

INLINED struct lanes lanes_first(struct lanes a, struct lanes b, uint32_t count)
{
    return (struct lanes){_mm512_mask_mov_ps(b.all, lanes_mask(count), a.all)};
}

INLINED float lanes_highest(struct lanes a)
{
    return _mm512_reduce_max_ps(a.all);
}

INLINED struct lanes lanes_zero_below(struct lanes x, struct lanes limit, struct lanes a)
{
    const __mmask16 keeps = _mm512_cmp_ps_mask(x.all, limit.all, _CMP_NLT_UQ);
    return (struct lanes){_mm512_maskz_mov_ps(keeps, a.all)};
}

INLINED struct lanes lanes_shift_bits(struct lanes a, int shift, int32_t added)
{
    const __m512i shifted = _mm512_slli_epi32(_mm512_castps_si512(a.all), (unsigned)shift);
    return (struct lanes){_mm512_castsi512_ps(_mm512_add_epi32(shifted, _mm512_set1_epi32(added)))};
}

INLINED struct lanes lanes_keep(struct lanes a)
{
    __asm__("" : "+v"(a.all));
    return a;
}

/* Folds two registers one step and packs them into one. */
#define LANES_HALVE(a, b, shuffle, low, high) \
    _mm512_add_ps(shuffle((a), (b), (low)), shuffle((a), (b), (high)))

INLINED struct lanes lanes_fold_16(const struct lanes vectors[LANES])
{
    __m512 fours[4]; /* [i]: vectors i, i + 4, i + 8, i + 12, each folded to 4 lanes */
    UNROLLED for (int i = 0; i < 4; i++)
    {
        const __m512 a =
            LANES_HALVE(vectors[i].all, vectors[i + 4].all, _mm512_shuffle_f32x4, 0x44, 0xee);
        const __m512 b =
            LANES_HALVE(vectors[i + 8].all, vectors[i + 12].all, _mm512_shuffle_f32x4, 0x44, 0xee);
        fours[i] = LANES_HALVE(a, b, _mm512_shuffle_f32x4, 0x88, 0xdd);
    }
    const __m512 a = LANES_HALVE(fours[0], fours[1], _mm512_shuffle_ps, 0x44, 0xee);
    const __m512 b = LANES_HALVE(fours[2], fours[3], _mm512_shuffle_ps, 0x44, 0xee);
    return (struct lanes){LANES_HALVE(a, b, _mm512_shuffle_ps, 0x88, 0xdd)};
}
#undef LANES_HALVE
#endif
