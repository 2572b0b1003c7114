// device.cuh - everything a kernel may use beyond plain C++. A .cu file includes this and its op's
// header, nothing of CUDA itself: nvcc compiles it with device_nvcc.cuh, g++ with
// host/device_host.cuh (threads of a block are fibers). What is not listed here does not exist.
//
//   from CUDA   __global__ __device__ __forceinline__ __launch_bounds__ __restrict__
//               __grid_constant__, threadIdx blockIdx blockDim gridDim, uint2 uint4 float2
//               float4 make_*
//               __syncthreads __syncwarp __shfl_sync __shfl_xor_sync __shfl_up_sync
//               __shfl_down_sync __ballot_sync __any_sync __all_sync __popc __ffs __clz
//               __threadfence
//               atomicAdd atomicMax atomicMin atomicExch atomicCAS (uint32_t), fmaf fmaxf fminf
//               rsqrtf sqrtf expf exp2f logf log2f tanhf
//   banned      static __shared__ (starts at zero on the host and hides bugs: GPU_SHARED),
//               __activemask, implicit warp synchrony, volatile, waiting for another block,
//               poll loops other than barrier_wait
//
// Kernels take one struct by value and are started by gpu_launch(), the only <<<>>>.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/gpu/gpu.h"

struct bf16 {
    uint16_t bits;
};
struct f16 {
    uint16_t bits;
};
struct e4m3 {
    uint8_t bits; /* no infinity; 0x7f and 0xff are NaN; largest 448 */
};

struct gpu_launch_shape {
    uint32_t grid_x, grid_y, grid_z, block_threads;
    size_t shared_bytes;
};

/* 128 bytes made by gpu_tensor_map_2d(); a kernel takes it inside its __grid_constant__ args. */
struct alignas(64) gpu_tensor_map {
    unsigned char bytes[128];
};

struct barrier {
    uint64_t word; /* an mbarrier, in shared memory */
};

#ifdef __CUDACC__
#include "kernels/gpu/device_nvcc.cuh"
#else
#include "kernels/gpu/host/device_host.cuh"
#endif

// ---- launching (host code of a .cu file) --------------------------------------------------------
//   template <class Args> enum status
//   gpu_launch(void (*kernel)(Args), const char *name, gpu_launch_shape, gpu_stream *, const Args&)
//     Queues; the arguments are copied. grid 0 is a no-op. STATUS_DEVICE: not launched, logged once
//     with the name. Launches may overlap the tail of the kernel before (programmatic dependent
//     launch): see dependency_wait().
//   enum status gpu_tensor_map_2d(gpu_tensor_map *out, const void *base, uint64_t rows,
//     uint64_t columns, uint64_t row_bytes, uint32_t box_rows, uint32_t box_columns,
//     uint32_t element_bytes, uint32_t swizzle_bytes /* 0, 32, 64, 128 */)
//     Columns are contiguous; row_bytes a multiple of 16; outside the tensor reads as zero.
//
// ---- blocks -------------------------------------------------------------------------------------
//   GPU_SHARED(type, name)       type *name = the block's dynamic shared memory, 1,024-byte aligned
//   named_barrier_sync(id, threads), named_barrier_arrive(id, threads)     id 1 .. 15
//   dependency_wait()            EVERY thread of EVERY kernel calls it before it touches memory
//                                that a kernel wrote this step (weights may be read before) and
//                                before it exits
//   dependency_release()         the next kernel may start its prologue
//   registers_raise<N>(), registers_lower<N>()
//
// ---- numbers ------------------------------------------------------------------------------------
//   to_float(bf16 | f16 | e4m3) -> float, exact;   from_float<T>(float) -> T, nearest even (e4m3
//   saturates at 448);   pack2<T>(low, high) -> uint32_t;   unpack2<T>(uint32_t, float &, float &)
//   e4m3x4_to<T>(uint32_t four, uint32_t out[2]): exact, T = bf16 or f16
//   exp2_fast(x), exp_fast(x), log2_fast(x), rcp_fast(x): the special-function unit, 2 ulp or so
//
// ---- copies into shared memory ------------------------------------------------------------------
//   cp_async_16(void *shared, const void *global, bool is_valid)  zeros if not valid
//   cp_async_commit(), cp_async_wait<N>()   N groups of this thread may still be under way
//   load_streaming_16(const void *) -> uint4     read once: past L1
//   prefetch_l2(const void *)
//   barrier_init(barrier *, arrivals), barrier_init_fence()
//   barrier_arrive(b), barrier_arrive_expect(b, bytes), barrier_wait(b, parity)
//   bulk_copy(void *shared, const void *global, bytes, barrier *)   contiguous, 16-byte multiples
//   tensor_copy_2d(void *shared, const gpu_tensor_map *, column, row, barrier *)
//   fence_async_shared()         own writes to shared memory, before wgmma or a bulk copy reads it
//
// ---- tensor cores (layouts: PTX ISA) ------------------------------------------------------------
//   ldmatrix_x4(uint32_t out[4], const void *row), ldmatrix_x4_trans, ldmatrix_x2, _x2_trans
//   mma_16x8x16<T>(float d[4], const uint32_t a[4], const uint32_t b[2])   d += a b, T bf16, f16
//   wgmma_fence(), wgmma_commit(), wgmma_wait<N>()
//   wgmma_descriptor(const void *shared, leading_bytes, stride_bytes, swizzle_bytes) -> uint64_t
//   wgmma_rs<T, N>(float d[N / 2], const uint32_t a[4], uint64_t b, bool adds)   m64 nN k16, A in
//     registers, B K-major in shared memory
//   wgmma_rs_transposed<T, N>(...)       the same, B MN-major
//   wgmma_ss<T, N>(float d[N / 2], uint64_t a, uint64_t b, bool adds)
//   wgmma needs sm_90a: its callers are inside #if GPU_HAS_WGMMA, and look at compute_major
//   mma and wgmma: the host sums a k16 block exactly, adds it to d and rounds once, for both alike
