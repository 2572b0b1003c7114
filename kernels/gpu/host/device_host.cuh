// device_host.cuh - device.cuh for g++: the keywords of CUDA C++ as macros, its vector types, and
// every function that device.cuh lists, as host/README.md describes. Included by device.cuh only.
#pragma once
#include <math.h>
#include <string.h>
#include <type_traits>

#define GPU_HAS_WGMMA     1
#define GPU_HAS_BULK_COPY 1

#define __global__
#define __host__
#define __device__      __attribute__((unused))
#define __forceinline__ inline
#define __noinline__    __attribute__((noinline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define GPU_DEVICE   __device__ __forceinline__

struct alignas(8) uint2 {
    uint32_t x, y;
};
struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};

static inline uint2 make_uint2(uint32_t x, uint32_t y)
{
    return {x, y};
}

static inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w)
{
    return {x, y, z, w};
}

static inline float2 make_float2(float x, float y)
{
    return {x, y};
}

static inline float4 make_float4(float x, float y, float z, float w)
{
    return {x, y, z, w};
}

#include "kernels/gpu/host/host_block.cuh"
#include "kernels/gpu/host/host_copies.cuh"
#include "kernels/gpu/host/host_numbers.cuh"
#include "kernels/gpu/host/host_tensor_cores.cuh"
#include "kernels/gpu/host/host_warp.cuh"
