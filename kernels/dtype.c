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

float dtype_load(const void *data, enum dtype dtype, size_t index)
{
    const unsigned char *at = (const unsigned char *)data + index * dtype_bytes(dtype);
    if (dtype == DTYPE_F32) {
        float value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    uint16_t bits;
    memcpy(&bits, at, sizeof bits);
    return dtype == DTYPE_BF16 ? dtype_bf16_to_float(bits) : dtype_f16_to_float(bits);
}
