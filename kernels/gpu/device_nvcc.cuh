// device_nvcc.cuh - device.cuh for nvcc: one PTX instruction each, no logic of its own. Included by
// device.cuh only. Instruction names and layouts: PTX ISA 9.0.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define GPU_HAS_WGMMA 1
#else
#define GPU_HAS_WGMMA 0
#endif
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
#define GPU_HAS_BULK_COPY 1
#else
#define GPU_HAS_BULK_COPY 0
#endif

#define GPU_DEVICE __device__ __forceinline__

// ---- launching ----------------------------------------------------------------------------------

enum status gpu_cuda_launch(const void *kernel, const char *name, struct gpu_launch_shape shape,
                            struct gpu_stream *stream, void **arguments);
cudaStream_t gpu_cuda_stream(struct gpu_stream *stream); // for libraries of NVIDIA's

extern "C" enum status gpu_tensor_map_2d(struct gpu_tensor_map *out, const void *base,
                                         uint64_t rows, uint64_t columns, uint64_t row_bytes,
                                         uint32_t box_rows, uint32_t box_columns,
                                         uint32_t element_bytes, uint32_t swizzle_bytes);

template <class Args>
static inline enum status gpu_launch(void (*kernel)(const Args), const char *name,
                                     struct gpu_launch_shape shape, struct gpu_stream *stream,
                                     const Args &args)
{
    Args copy = args;
    void *arguments[] = {&copy};
    return gpu_cuda_launch(reinterpret_cast<const void *>(kernel), name, shape, stream, arguments);
}

// ---- blocks -------------------------------------------------------------------------------------

#define GPU_SHARED(type, name)                                       \
    extern __shared__ __align__(1024) unsigned char gpu_shared_raw[]; \
    type *name = reinterpret_cast<type *>(gpu_shared_raw)

GPU_DEVICE void named_barrier_sync(uint32_t id, uint32_t threads)
{
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

GPU_DEVICE void named_barrier_arrive(uint32_t id, uint32_t threads)
{
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

GPU_DEVICE void dependency_wait()
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

GPU_DEVICE void dependency_release()
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

template <int N> GPU_DEVICE void registers_raise()
{
#if GPU_HAS_WGMMA
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
#endif
}

template <int N> GPU_DEVICE void registers_lower()
{
#if GPU_HAS_WGMMA
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
#endif
}

// ---- numbers ------------------------------------------------------------------------------------

GPU_DEVICE float to_float(struct bf16 x)
{
    return __uint_as_float((uint32_t)x.bits << 16);
}

GPU_DEVICE float to_float(struct f16 x)
{
    return __half2float(__ushort_as_half(x.bits));
}

GPU_DEVICE float to_float(struct e4m3 x)
{
    return __half2float(__half(__nv_cvt_fp8_to_halfraw(x.bits, __NV_E4M3)));
}

template <class T> GPU_DEVICE T from_float(float x);

template <> GPU_DEVICE struct bf16 from_float<struct bf16>(float x)
{
    return {__bfloat16_as_ushort(__float2bfloat16_rn(x))};
}

template <> GPU_DEVICE struct f16 from_float<struct f16>(float x)
{
    return {__half_as_ushort(__float2half_rn(x))};
}

template <> GPU_DEVICE struct e4m3 from_float<struct e4m3>(float x)
{
    return {__nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3)};
}

template <class T> GPU_DEVICE uint32_t pack2(float low, float high)
{
    return (uint32_t)from_float<T>(low).bits | (uint32_t)from_float<T>(high).bits << 16;
}

template <> GPU_DEVICE uint32_t pack2<struct bf16>(float low, float high)
{
    uint32_t out;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
    return out;
}

template <> GPU_DEVICE uint32_t pack2<struct f16>(float low, float high)
{
    uint32_t out;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
    return out;
}

template <class T> GPU_DEVICE void unpack2(uint32_t pair, float &low, float &high)
{
    low = to_float(T{(uint16_t)(pair & 0xffffU)});
    high = to_float(T{(uint16_t)(pair >> 16)});
}

// e4m3 has the layout of f16 and bf16 with fewer bits: move them into place, then scale by the
// difference of the exponents' biases, 2^8 and 2^120 (exact, small numbers too; the two NaN codes
// become 480, so a scale of 448 at most keeps them out of checkpoints).
GPU_DEVICE void e4m3x4_place(uint32_t four, int shift, uint32_t out[2])
{
    const uint32_t pairs[2] = {__byte_perm(four, 0, 0x1404), // bytes 0, 1 as the high halves' own
                               __byte_perm(four, 0, 0x3424)};
    for (int i = 0; i < 2; i++) {
        out[i] = (pairs[i] & 0x80008000U) | (pairs[i] & 0x7f007f00U) >> shift;
    }
}

template <class T> GPU_DEVICE void e4m3x4_to(uint32_t four, uint32_t out[2]);

template <> GPU_DEVICE void e4m3x4_to<struct f16>(uint32_t four, uint32_t out[2])
{
    e4m3x4_place(four, 1, out);
    for (int i = 0; i < 2; i++) {
        __half2 value;
        memcpy(&value, &out[i], sizeof value);
        value = __hmul2(value, __floats2half2_rn(256.0F, 256.0F));
        memcpy(&out[i], &value, sizeof value);
    }
}

template <> GPU_DEVICE void e4m3x4_to<struct bf16>(uint32_t four, uint32_t out[2])
{
    e4m3x4_place(four, 4, out);
    const uint32_t scale_bits = 0x7b807b80U; // 2^120 twice; a conversion would not be folded
    for (int i = 0; i < 2; i++) {
        __nv_bfloat162 value, scale;
        memcpy(&value, &out[i], sizeof value);
        memcpy(&scale, &scale_bits, sizeof scale);
        value = __hmul2(value, scale);
        memcpy(&out[i], &value, sizeof value);
    }
}

GPU_DEVICE float exp2_fast(float x)
{
    float out;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
    return out;
}

GPU_DEVICE float exp_fast(float x)
{
    return exp2_fast(x * 1.44269504F);
}

GPU_DEVICE float log2_fast(float x)
{
    float out;
    asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
    return out;
}

GPU_DEVICE float rcp_fast(float x)
{
    float out;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
    return out;
}

// ---- copies into shared memory ------------------------------------------------------------------

GPU_DEVICE uint32_t shared_address(const void *shared)
{
    return (uint32_t)__cvta_generic_to_shared(shared);
}

GPU_DEVICE void cp_async_16(void *shared, const void *global, bool is_valid)
{
    const uint32_t bytes = is_valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(
                     shared_address(shared)),
                 "l"(global), "r"(bytes)
                 : "memory");
}

GPU_DEVICE void cp_async_commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int N> GPU_DEVICE void cp_async_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

// Not .nc: that is for what nothing writes while the kernel runs, and a kernel that was started
// early runs beside the one whose results it waits for.
GPU_DEVICE uint4 load_streaming_16(const void *global)
{
    uint4 out;
    asm volatile("ld.global.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out.x), "=r"(out.y), "=r"(out.z), "=r"(out.w)
                 : "l"(global));
    return out;
}

GPU_DEVICE void prefetch_l2(const void *global)
{
    asm volatile("prefetch.global.L2 [%0];" ::"l"(global));
}

#if GPU_HAS_BULK_COPY
GPU_DEVICE void barrier_init(struct barrier *barrier, uint32_t arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
                 "r"(arrivals)
                 : "memory");
}

GPU_DEVICE void barrier_init_fence()
{
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

GPU_DEVICE void barrier_arrive(struct barrier *barrier)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
                 : "memory");
}

GPU_DEVICE void barrier_arrive_expect(struct barrier *barrier, uint32_t bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(
                     shared_address(barrier)),
                 "r"(bytes)
                 : "memory");
}

GPU_DEVICE void barrier_wait(struct barrier *barrier, uint32_t parity)
{
    asm volatile("{\n"
                 ".reg .pred done;\n"
                 "again:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@!done bra again;\n"
                 "}\n" ::"r"(shared_address(barrier)),
                 "r"(parity)
                 : "memory");
}

GPU_DEVICE void bulk_copy(void *shared, const void *global, uint32_t bytes, struct barrier *barrier)
{
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1], %2, [%3];" ::"r"(shared_address(shared)),
                 "l"(global), "r"(bytes), "r"(shared_address(barrier))
                 : "memory");
}

GPU_DEVICE void tensor_copy_2d(void *shared, const struct gpu_tensor_map *map, uint32_t column,
                               uint32_t row, struct barrier *barrier)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%2, %3}], [%4];" ::"r"(shared_address(shared)),
                 "l"(map), "r"(column), "r"(row), "r"(shared_address(barrier))
                 : "memory");
}

GPU_DEVICE void fence_async_shared()
{
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
#endif

// ---- tensor cores -------------------------------------------------------------------------------

GPU_DEVICE void ldmatrix_x4(uint32_t out[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(shared_address(row))
                 : "memory");
}

GPU_DEVICE void ldmatrix_x4_trans(uint32_t out[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(shared_address(row))
                 : "memory");
}

GPU_DEVICE void ldmatrix_x2(uint32_t out[2], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(out[0]), "=r"(out[1])
                 : "r"(shared_address(row))
                 : "memory");
}

GPU_DEVICE void ldmatrix_x2_trans(uint32_t out[2], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(out[0]), "=r"(out[1])
                 : "r"(shared_address(row))
                 : "memory");
}

template <class T>
GPU_DEVICE void mma_16x8x16(float d[4], const uint32_t a[4], const uint32_t b[2]);

template <>
GPU_DEVICE void mma_16x8x16<struct bf16>(float d[4], const uint32_t a[4], const uint32_t b[2])
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

template <>
GPU_DEVICE void mma_16x8x16<struct f16>(float d[4], const uint32_t a[4], const uint32_t b[2])
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#if GPU_HAS_WGMMA
#include "kernels/gpu/device_nvcc_wgmma.cuh"
#endif
