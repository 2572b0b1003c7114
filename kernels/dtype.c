#include "kernels/dtype.h"

#include <string.h>

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float dtype_bf16_to_float(uint16_t bits)
{
    return float_of_bits((uint32_t)bits << 16);
}

/* Exact: a subnormal half is a normal float, so the result never depends on the rounding mode. */
float dtype_f16_to_float(uint16_t bits)
{
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    const uint32_t exponent = (bits >> 10) & 0x1f;
    const uint32_t fraction = bits & 0x3ff;
    if (exponent == 0) {
        const float magnitude = (float)fraction * 0x1p-24F;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31) { /* infinity, or a NaN made quiet as the hardware does */
        return float_of_bits(sign | 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0));
    }
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

/* Exact. A subnormal is a multiple of 2^-9. */
float dtype_e4m3_to_float(uint8_t bits)
{
    const uint32_t sign = (uint32_t)(bits & 0x80) << 24;
    const uint32_t magnitude = bits & 0x7f;
    if (magnitude == 0x7f) {
        return float_of_bits(sign | 0x7fc00000);
    }
    if (magnitude < 8) {
        const float value = (float)magnitude * 0x1p-9F;
        return sign ? -value : value;
    }
    return float_of_bits(sign | ((magnitude << 20) + (120U << 23))); /* biases 127 and 7 */
}

/* ---- rounding -------------------------------------------------------------------------------- */

/* bits without the last `shift`, to nearest, ties to even. A carry moves on to the exponent. */
static uint32_t round_off(uint32_t bits, uint32_t shift)
{
    return (bits + ((1U << (shift - 1)) - 1) + (bits >> shift & 1)) >> shift;
}

/* Bits of a finite magnitude (of fp32) in a format with that bias and so many fraction bits, as if
 * its exponent had no end. Integers only, so that no float mode matters. */
static uint32_t narrow(uint32_t magnitude, uint32_t bias, uint32_t fraction_bits)
{
    const uint32_t shift = 23 - fraction_bits, exponent = magnitude >> 23, gap = 127 - bias;
    if (exponent > gap) {
        return round_off(magnitude, shift) - (gap << fraction_bits);
    }
    const uint32_t significand = 0x800000 | (magnitude & 0x7fffff);
    const uint32_t subnormal_shift = shift + gap + 1 - exponent;
    return subnormal_shift > 24 ? 0 : round_off(significand, subnormal_shift);
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

enum { FLOAT_INFINITY_BITS = 0x7f800000 };

uint16_t dtype_bf16_from_float(float value)
{
    const uint32_t bits = bits_of_float(value), magnitude = bits & 0x7fffffff;
    const uint32_t rounded = magnitude > FLOAT_INFINITY_BITS ? 0x7fff : round_off(magnitude, 16);
    return (uint16_t)(rounded == 0x7fff ? rounded : rounded | (bits >> 16 & 0x8000));
}

uint16_t dtype_f16_from_float(float value)
{
    const uint32_t bits = bits_of_float(value), magnitude = bits & 0x7fffffff;
    if (magnitude > FLOAT_INFINITY_BITS) {
        return 0x7fff;
    }
    const uint32_t rounded = magnitude < 0x47800000 ? narrow(magnitude, 15, 10) : 0x7c00; /* 2^16 */
    return (uint16_t)(rounded | (bits >> 16 & 0x8000));
}

uint8_t dtype_e4m3_from_float(float value)
{
    const uint32_t bits = bits_of_float(value), magnitude = bits & 0x7fffffff;
    if (magnitude > FLOAT_INFINITY_BITS) {
        return 0x7f;
    }
    const uint32_t rounded = magnitude < 0x43e00000 ? narrow(magnitude, 7, 3) : 0x7e; /* 448 */
    return (uint8_t)(rounded | (bits >> 24 & 0x80));
}

/* ---- arrays ---------------------------------------------------------------------------------- */

float dtype_load(const void *data, enum dtype dtype, size_t index)
{
    const unsigned char *at = (const unsigned char *)data + index * dtype_bytes(dtype);
    if (dtype == DTYPE_F32) {
        float value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    if (dtype == DTYPE_E4M3) {
        return dtype_e4m3_to_float(*at);
    }
    uint16_t bits;
    memcpy(&bits, at, sizeof bits);
    return dtype == DTYPE_BF16 ? dtype_bf16_to_float(bits) : dtype_f16_to_float(bits);
}
