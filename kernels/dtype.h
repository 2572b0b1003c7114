/* dtype.h - number formats in memory, and exact conversions from and to fp32. What the CPU backend
 * multiplies with is plain (F32, BF16, F16); activations and KV of that backend are fp32. E4M3 (4
 * exponent and 3 fraction bits; no infinity, 0x7f and 0xff are NaN, largest 448) comes with scales.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dtype { DTYPE_F32, DTYPE_BF16, DTYPE_F16, DTYPE_E4M3, DTYPE_COUNT };

enum { DTYPE_PLAIN_COUNT = 3 }; /* the formats before E4M3 */
#define DTYPE_E4M3_MAX 448.0F

static inline size_t dtype_bytes(enum dtype dtype)
{
    static const unsigned char bytes[] = {4, 2, 2, 1};
    return bytes[dtype];
}

static inline bool dtype_is_plain(enum dtype dtype)
{
    return (unsigned)dtype < DTYPE_PLAIN_COUNT;
}

float dtype_bf16_to_float(uint16_t bits);
float dtype_f16_to_float(uint16_t bits);
float dtype_e4m3_to_float(uint8_t bits);

/* To nearest, ties to even, whatever the float mode; NaN becomes a positive NaN. Above the largest
 * number f16 and bf16 give infinity, e4m3 its largest number, infinity included. */
uint16_t dtype_bf16_from_float(float value);
uint16_t dtype_f16_from_float(float value);
uint8_t dtype_e4m3_from_float(float value);

/* Element index of an array of that type, as fp32: exact for all four. */
float dtype_load(const void *data, enum dtype dtype, size_t index);

#ifdef __cplusplus
}
#endif
