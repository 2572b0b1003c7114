// device_nvcc_wgmma.cuh - wgmma for nvcc, sm_90a only. Included by device_nvcc.cuh only.
//
// One instruction has up to 128 accumulators as operands, so that the lists are built by macros:
// WGMMA_D_<n> is the text "%0, ... %<n-1>", WGMMA_R_<n> the operands d[0] ... d[n-1] themselves.
// After them come A (four registers or a descriptor), B's descriptor and whether D is added to.
// Descriptors: PTX ISA, "Asynchronous warpgroup level matrix shared memory layout".
#pragma once

GPU_DEVICE void wgmma_fence()
{
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

GPU_DEVICE void wgmma_commit()
{
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int N>
GPU_DEVICE void wgmma_wait()
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

GPU_DEVICE uint64_t wgmma_descriptor(const void *shared, uint32_t leading_bytes,
                                     uint32_t stride_bytes, uint32_t swizzle_bytes)
{
    const uint64_t mode = swizzle_bytes == 128  ? 1
                          : swizzle_bytes == 64 ? 2
                          : swizzle_bytes == 32 ? 3
                                                : 0;
    return (uint64_t)(shared_address(shared) >> 4 & 0x3fffU)
           | (uint64_t)(leading_bytes >> 4 & 0x3fffU) << 16
           | (uint64_t)(stride_bytes >> 4 & 0x3fffU) << 32 | mode << 62;
}

template <class T, int N>
GPU_DEVICE void wgmma_rs(float d[N / 2], const uint32_t a[4], uint64_t b, bool adds);
template <class T, int N>
GPU_DEVICE void wgmma_rs_transposed(float d[N / 2], const uint32_t a[4], uint64_t b, bool adds);
template <class T, int N>
GPU_DEVICE void wgmma_ss(float d[N / 2], uint64_t a, uint64_t b, bool adds);

// clang-format off
#define WGMMA_FIVE(t, a, b, c, d, e) \
    ", %" #t #a ", %" #t #b ", %" #t #c ", %" #t #d ", %" #t #e
#define WGMMA_TEN(t) WGMMA_FIVE(t, 0, 1, 2, 3, 4) WGMMA_FIVE(t, 5, 6, 7, 8, 9)
#define WGMMA_D_4 "%0, %1, %2, %3"
#define WGMMA_D_8 WGMMA_D_4 ", %4, %5, %6, %7"
#define WGMMA_D_10 WGMMA_D_8 ", %8, %9"
#define WGMMA_D_16 WGMMA_D_10 ", %10, %11, %12, %13, %14, %15"
#define WGMMA_D_30 WGMMA_D_10 WGMMA_TEN(1) WGMMA_TEN(2)
#define WGMMA_D_32 WGMMA_D_30 ", %30, %31"
#define WGMMA_D_40 WGMMA_D_30 WGMMA_TEN(3)
#define WGMMA_D_48 WGMMA_D_40 ", %40, %41, %42, %43, %44, %45, %46, %47"
#define WGMMA_D_60 WGMMA_D_40 WGMMA_TEN(4) WGMMA_TEN(5)
#define WGMMA_D_64 WGMMA_D_60 ", %60, %61, %62, %63"
#define WGMMA_D_90 WGMMA_D_60 WGMMA_TEN(6) WGMMA_TEN(7) WGMMA_TEN(8)
#define WGMMA_D_96 WGMMA_D_90 ", %90, %91, %92, %93, %94, %95"
#define WGMMA_D_120 WGMMA_D_90 WGMMA_TEN(9) WGMMA_TEN(10) WGMMA_TEN(11)
#define WGMMA_D_128 WGMMA_D_120 ", %120, %121, %122, %123, %124, %125, %126, %127"

#define WGMMA_R4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define WGMMA_R16(i) WGMMA_R4(i), WGMMA_R4(i + 4), WGMMA_R4(i + 8), WGMMA_R4(i + 12)
#define WGMMA_R_4 WGMMA_R4(0)
#define WGMMA_R_8 WGMMA_R4(0), WGMMA_R4(4)
#define WGMMA_R_16 WGMMA_R16(0)
#define WGMMA_R_32 WGMMA_R_16, WGMMA_R16(16)
#define WGMMA_R_48 WGMMA_R_32, WGMMA_R16(32)
#define WGMMA_R_64 WGMMA_R_48, WGMMA_R16(48)
#define WGMMA_R_96 WGMMA_R_64, WGMMA_R16(64), WGMMA_R16(80)
#define WGMMA_R_128 WGMMA_R_96, WGMMA_R16(96), WGMMA_R16(112)

// scale-a and scale-b are 1; i0 ... i5 are the operand numbers after D.
#define WGMMA_RS(NAME, TRANSPOSED, T, PTX, N, D, i0, i1, i2, i3, i4, i5)                       \
    template <>                                                                               \
    GPU_DEVICE void NAME<struct T, N>(float d[N / 2], const uint32_t a[4], uint64_t b, bool adds) \
    {                                                                                         \
        asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #i5 ", 0;\n"                        \
                     "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." PTX "." PTX            \
                     " {" WGMMA_D_##D                                                         \
                     "}, {%" #i0 ", %" #i1 ", %" #i2 ", %" #i3 "}, %" #i4 ", p, 1, 1, "       \
                     #TRANSPOSED ";\n}\n"                                                     \
                     : WGMMA_R_##D                                                            \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"((int)adds));   \
    }
#define WGMMA_SS(T, PTX, N, D, i0, i1, i2)                                                    \
    template <>                                                                               \
    GPU_DEVICE void wgmma_ss<struct T, N>(float d[N / 2], uint64_t a, uint64_t b, bool adds)  \
    {                                                                                         \
        asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #i2 ", 0;\n"                        \
                     "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." PTX "." PTX            \
                     " {" WGMMA_D_##D                                                         \
                     "}, %" #i0 ", %" #i1 ", p, 1, 1, 0, 0;\n}\n"                             \
                     : WGMMA_R_##D                                                            \
                     : "l"(a), "l"(b), "r"((int)adds));                                       \
    }
#define WGMMA_TYPE(T, PTX, N, D, i0, i1, i2, i3, i4, i5)                  \
    WGMMA_RS(wgmma_rs, 0, T, PTX, N, D, i0, i1, i2, i3, i4, i5)            \
    WGMMA_RS(wgmma_rs_transposed, 1, T, PTX, N, D, i0, i1, i2, i3, i4, i5) \
    WGMMA_SS(T, PTX, N, D, i0, i1, i2)
#define WGMMA_SHAPE(N, D, i0, i1, i2, i3, i4, i5)                \
    WGMMA_TYPE(bf16, "bf16", N, D, i0, i1, i2, i3, i4, i5)       \
    WGMMA_TYPE(f16, "f16", N, D, i0, i1, i2, i3, i4, i5)

WGMMA_SHAPE(8, 4, 4, 5, 6, 7, 8, 9)
WGMMA_SHAPE(16, 8, 8, 9, 10, 11, 12, 13)
WGMMA_SHAPE(32, 16, 16, 17, 18, 19, 20, 21)
WGMMA_SHAPE(64, 32, 32, 33, 34, 35, 36, 37)
WGMMA_SHAPE(96, 48, 48, 49, 50, 51, 52, 53)
WGMMA_SHAPE(128, 64, 64, 65, 66, 67, 68, 69)
WGMMA_SHAPE(192, 96, 96, 97, 98, 99, 100, 101)
WGMMA_SHAPE(256, 128, 128, 129, 130, 131, 132, 133)
// clang-format on
