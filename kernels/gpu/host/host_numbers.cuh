// host_numbers.cuh - number formats and mathematics, by the definitions (the fast approximations of
// the device are within a few ulp of these, and tests allow for that).
#pragma once
#include "kernels/dtype.h"

inline uint32_t gpu_host_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline float gpu_host_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

inline float to_float(struct bf16 x)
{
    return gpu_host_float((uint32_t)x.bits << 16);
}

inline float to_float(struct f16 x)
{
    return dtype_f16_to_float(x.bits);
}

inline float to_float(struct e4m3 x)
{
    return dtype_e4m3_to_float(x.bits);
}

template <class T>
T from_float(float x);

template <>
inline struct bf16 from_float<struct bf16>(float x) {
    return {dtype_bf16_from_float(x)};
}

template <>
inline struct f16 from_float<struct f16>(float x) {
    return {dtype_f16_from_float(x)};
}

template <>
inline struct e4m3 from_float<struct e4m3>(float x) {
    return {dtype_e4m3_from_float(x)};
}

template <class T>
inline uint32_t pack2(float low, float high)
{
    return (uint32_t)from_float<T>(low).bits | (uint32_t)from_float<T>(high).bits << 16;
}

template <class T>
inline void unpack2(uint32_t pair, float &low, float &high)
{
    low = to_float(T{(uint16_t)(pair & 0xffffU)});
    high = to_float(T{(uint16_t)(pair >> 16)});
}

// As on the device, the two codes of NaN become 480.
template <class T>
inline void e4m3x4_to(uint32_t four, uint32_t out[2])
{
    float values[4];
    for (int i = 0; i < 4; i++) {
        const uint8_t code = (uint8_t)(four >> 8 * i);
        values[i] = (code & 0x7f) == 0x7f ? copysignf(480.0F, code & 0x80 ? -1.0F : 1.0F)
                                          : to_float(e4m3{code});
    }
    out[0] = pack2<T>(values[0], values[1]);
    out[1] = pack2<T>(values[2], values[3]);
}

inline float __uint_as_float(uint32_t bits)
{
    return gpu_host_float(bits);
}

inline uint32_t __float_as_uint(float x)
{
    return gpu_host_bits(x);
}

inline int __popc(uint32_t x)
{
    return __builtin_popcount(x);
}

inline int __ffs(uint32_t x)
{
    return __builtin_ffs((int)x);
}

inline int __clz(uint32_t x)
{
    return x ? __builtin_clz(x) : 32;
}

inline float rsqrtf(float x)
{
    return 1.0F / sqrtf(x);
}

// The device's flush numbers too small for a normal float to zero.
inline float gpu_host_flush(float x)
{
    return fabsf(x) < 1.17549435e-38F ? copysignf(0.0F, x) : x;
}

inline float exp2_fast(float x)
{
    return gpu_host_flush(exp2f(gpu_host_flush(x)));
}

inline float exp_fast(float x)
{
    return exp2_fast(x * 1.44269504F);
}

inline float log2_fast(float x)
{
    return log2f(gpu_host_flush(x));
}

inline float rcp_fast(float x)
{
    return gpu_host_flush(1.0F / gpu_host_flush(x));
}
