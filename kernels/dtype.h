/* dtype.h - number formats of weights in memory. Activations and KV of the CPU backend are fp32. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum dtype { DTYPE_F32, DTYPE_BF16, DTYPE_F16, DTYPE_COUNT };

static inline size_t dtype_bytes(enum dtype dtype)
{
    return dtype == DTYPE_F32 ? 4 : 2;
}

float dtype_bf16_to_float(uint16_t bits);
float dtype_f16_to_float(uint16_t bits);

/* Element index of an array of that type, as fp32: exact for all three. */
float dtype_load(const void *data, enum dtype dtype, size_t index);
