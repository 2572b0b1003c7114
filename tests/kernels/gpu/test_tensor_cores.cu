// Method: ldmatrix, mma and wgmma, all layouts and swizzles, against a plain product. The same on a
// GPU and on the host build.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/gpu/device.cuh"
#include "tests/check.h"
#include "tests/kernels/gpu/support_launch.cuh"

namespace
{

// ---- ldmatrix and mma ----

struct matrix_args {
    const uint16_t *in; // [32][8]
    uint32_t *out;      // [lane][12]
};

__global__ void matrix_kernel(const matrix_args args)
{
    GPU_SHARED(uint16_t, shared);
    dependency_wait();
    const uint32_t lane = threadIdx.x;
    for (uint32_t i = 0; i < 8; i++) {
        shared[lane * 8 + i] = args.in[lane * 8 + i];
    }
    __syncwarp();
    uint32_t *out = args.out + lane * 12;
    ldmatrix_x4(out, shared + lane * 8);
    ldmatrix_x4_trans(out + 4, shared + lane * 8);
    ldmatrix_x2(out + 8, shared + lane * 8);
    ldmatrix_x2_trans(out + 10, shared + lane * 8);
}

void matrices(struct gpu *gpu)
{
    uint16_t in[32 * 8];
    for (uint32_t i = 0; i < 32 * 8; i++) {
        in[i] = (uint16_t)(i * 251 + 7);
    }
    void *device = support_device_take(gpu, in, sizeof in);
    void *out = support_device_take(gpu, NULL, 32 * 12 * 4);
    run(gpu, matrix_kernel, "matrices", {1, 1, 1, 32, sizeof in},
        matrix_args{static_cast<uint16_t *>(device), static_cast<uint32_t *>(out)});
    uint32_t *got = read<uint32_t>(gpu, out, 32 * 12);
    for (uint32_t lane = 0; lane < 32; lane++) {
        for (uint32_t i = 0; i < 12; i++) {
            const uint32_t matrix = i < 8 ? i % 4 : i % 2;
            const bool is_transposed = i / 4 == 1 || i >= 10;
            const uint32_t row = lane / 4, column = lane % 4 * 2;
            const uint16_t *of = in + matrix * 64;
            const uint32_t low = is_transposed ? of[column * 8 + row] : of[row * 8 + column];
            const uint32_t high =
                is_transposed ? of[(column + 1) * 8 + row] : of[row * 8 + column + 1];
            CHECK(got[lane * 12 + i] == (low | high << 16), "lane %u, register %u: %08x", lane, i,
                  got[lane * 12 + i]);
        }
    }
    free(got);
}

struct mma_args {
    const uint16_t *a, *b; // [16][16] by rows, [8 columns][16]
    float *d;              // [16][8], added to
};

template <class T>
__global__ void mma_kernel(const mma_args args)
{
    dependency_wait();
    const uint32_t row = threadIdx.x / 4, column = threadIdx.x % 4 * 2;
    const auto pair = [](const uint16_t *at) { return at[0] | (uint32_t)at[1] << 16; };
    const uint32_t a[4] = {pair(args.a + row * 16 + column), pair(args.a + (row + 8) * 16 + column),
                           pair(args.a + row * 16 + column + 8),
                           pair(args.a + (row + 8) * 16 + column + 8)};
    const uint32_t b[2] = {pair(args.b + row * 16 + column), pair(args.b + row * 16 + column + 8)};
    float d[4];
    for (uint32_t i = 0; i < 4; i++) {
        d[i] = args.d[(row + i / 2 * 8) * 8 + column + i % 2];
    }
    mma_16x8x16<T>(d, a, b);
    for (uint32_t i = 0; i < 4; i++) {
        args.d[(row + i / 2 * 8) * 8 + column + i % 2] = d[i];
    }
}

template <class T>
void mma_case(struct gpu *gpu, enum dtype dtype)
{
    struct random_source random = {21};
    float *a = support_device_floats(&random, 256, 2.0F, dtype);
    float *b = support_device_floats(&random, 128, 2.0F, dtype);
    float *d = support_device_floats(&random, 128, 2.0F, DTYPE_F32);
    void *narrow_a = support_device_narrow(a, 256, dtype);
    void *narrow_b = support_device_narrow(b, 128, dtype);
    void *out = support_device_take(gpu, d, 128 * 4);
    const mma_args args = {static_cast<uint16_t *>(support_device_take(gpu, narrow_a, 512)),
                           static_cast<uint16_t *>(support_device_take(gpu, narrow_b, 256)),
                           static_cast<float *>(out)};
    run(gpu, mma_kernel<T>, "mma", {1, 1, 1, 32, 0}, args);
    float *got = read<float>(gpu, out, 128);
    for (uint32_t i = 0; i < 128; i++) {
        double want = (double)d[i];
        for (uint32_t k = 0; k < 16; k++) {
            want += (double)a[i / 8 * 16 + k] * (double)b[i % 8 * 16 + k];
        }
        CHECK(fabs((double)got[i] - want) < 2e-5, "element %u: %g, not %g", i, (double)got[i],
              want);
    }
    free(got);
    free(narrow_a);
    free(narrow_b);
    free(a);
    free(b);
    free(d);
}

void mma(struct gpu *gpu)
{
    mma_case<bf16>(gpu, DTYPE_BF16);
    mma_case<f16>(gpu, DTYPE_F16);
}

// ---- wgmma ----

struct wgmma_args {
    const uint16_t *a, *b;    // [64][16], [n][16]
    float *d;                 // [64][n]
    uint32_t swizzle, k_skip; // bytes; k_skip: the operands start that far into the swizzled rows
};
enum { KIND_REGISTERS, KIND_SHARED, KIND_TRANSPOSED, WGMMA_A_BYTES = 8192, WGMMA_B_BYTES = 32768 };

#if GPU_HAS_WGMMA
// Where element (mn, k) of an operand stands: the canonical layouts, K-major and MN-major.
__device__ inline uint32_t operand_offset(uint32_t mn, uint32_t k, uint32_t swizzle,
                                          bool is_mn_major)
{
    if (swizzle == 0) {
        return mn / 8 * 256 + k / 8 * 128
               + (is_mn_major ? k % 8 * 16 + mn % 8 * 2 : mn % 8 * 16 + k % 8 * 2);
    }
    const uint32_t columns = swizzle / 2;
    const uint32_t at = is_mn_major ? mn / columns * 16 * swizzle + k * swizzle + mn % columns * 2
                                    : mn * swizzle + k * 2;
    return at ^ (at >> 7 & (swizzle / 16 - 1)) << 4;
}

__device__ inline uint64_t operand_descriptor(const unsigned char *at, uint32_t swizzle,
                                              bool is_mn_major)
{
    const uint32_t leading = swizzle == 0 ? 128 : is_mn_major ? 16 * swizzle : 16;
    return wgmma_descriptor(at, leading, swizzle == 0 ? 256 : 8 * swizzle, swizzle);
}
#endif

// d = a b + a b: the first of two groups does not add to d.
template <class T, int N, int KIND>
__global__ void wgmma_kernel(const wgmma_args args)
{
#if GPU_HAS_WGMMA
    GPU_SHARED(unsigned char, shared);
    dependency_wait();
    unsigned char *shared_b = shared + WGMMA_A_BYTES;
    const uint32_t skip = args.k_skip / 2;
    for (uint32_t i = threadIdx.x; i < 64 * 16; i += blockDim.x) {
        memcpy(shared + operand_offset(i / 16, i % 16 + skip, args.swizzle, false), args.a + i, 2);
    }
    for (uint32_t i = threadIdx.x; i < N * 16; i += blockDim.x) {
        const uint32_t k = i % 16 + (KIND == KIND_TRANSPOSED ? 0 : skip);
        memcpy(shared_b + operand_offset(i / 16, k, args.swizzle, KIND == KIND_TRANSPOSED),
               args.b + i, 2);
    }
    fence_async_shared();
    __syncthreads();
    const uint32_t lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;
    uint32_t a[4];
    for (uint32_t i = 0; i < 4; i++) {
        memcpy(&a[i], args.a + (row + i % 2 * 8) * 16 + lane % 4 * 2 + i / 2 * 8, 4);
    }
    const uint64_t of_a = operand_descriptor(shared + args.k_skip, args.swizzle, false);
    const uint64_t of_b = KIND == KIND_TRANSPOSED
                              ? operand_descriptor(shared_b, args.swizzle, true)
                              : operand_descriptor(shared_b + args.k_skip, args.swizzle, false);
    float d[N / 2];
#pragma unroll
    for (uint32_t i = 0; i < N / 2; i++) {
        d[i] = 1000.0F;
    }
    for (uint32_t group = 0; group < 2; group++) {
        wgmma_fence();
        if constexpr (KIND == KIND_REGISTERS) {
            wgmma_rs<T, N>(d, a, of_b, group > 0);
        } else if constexpr (KIND == KIND_SHARED) {
            wgmma_ss<T, N>(d, of_a, of_b, group > 0);
        } else {
            wgmma_rs_transposed<T, N>(d, a, of_b, group > 0);
        }
        wgmma_commit();
    }
    wgmma_wait<0>();
#pragma unroll
    for (uint32_t i = 0; i < N / 2; i++) {
        args.d[(row + i / 2 % 2 * 8) * N + i / 4 * 8 + lane % 4 * 2 + i % 2] = d[i];
    }
    (void)of_a;
#endif
}

template <class T, int N, int KIND>
void wgmma_case(struct gpu *gpu, enum dtype dtype, uint32_t swizzle, uint32_t k_skip)
{
    struct random_source random = {31};
    float *a = support_device_floats(&random, 64 * 16, 2.0F, dtype);
    float *b = support_device_floats(&random, N * 16, 2.0F, dtype);
    void *narrow_a = support_device_narrow(a, 64 * 16, dtype);
    void *narrow_b = support_device_narrow(b, N * 16, dtype);
    void *out = support_device_take(gpu, NULL, 64 * N * 4);
    const wgmma_args args = {static_cast<uint16_t *>(support_device_take(gpu, narrow_a, 2048)),
                             static_cast<uint16_t *>(support_device_take(gpu, narrow_b, N * 32)),
                             static_cast<float *>(out), swizzle, k_skip};
    run(gpu, wgmma_kernel<T, N, KIND>, "wgmma", {1, 1, 1, 128, WGMMA_A_BYTES + WGMMA_B_BYTES},
        args);
    float *got = read<float>(gpu, out, 64 * N);
    for (uint32_t i = 0; i < 64 * N; i++) {
        double want = 0.0;
        for (uint32_t k = 0; k < 16; k++) {
            want += 2 * (double)a[i / N * 16 + k] * (double)b[i % N * 16 + k];
        }
        CHECK(fabs((double)got[i] - want) < 1e-4,
              "n%d kind %d swizzle %u skip %u, element %u: %g, not %g", N, KIND, swizzle, k_skip, i,
              (double)got[i], want);
    }
    free(got);
    free(narrow_a);
    free(narrow_b);
    free(a);
    free(b);
}

void wgmma(struct gpu *gpu)
{
    if (!is_hopper(gpu)) {
        return;
    }
    static const uint32_t swizzles[] = {0, 32, 64, 128};
    for (uint32_t swizzle : swizzles) {
        wgmma_case<bf16, 64, KIND_REGISTERS>(gpu, DTYPE_BF16, swizzle, 0);
        wgmma_case<f16, 64, KIND_SHARED>(gpu, DTYPE_F16, swizzle, 0);
        wgmma_case<bf16, 128, KIND_TRANSPOSED>(gpu, DTYPE_BF16, swizzle, 0);
    }
    wgmma_case<bf16, 8, KIND_REGISTERS>(gpu, DTYPE_BF16, 128, 96);
    wgmma_case<bf16, 256, KIND_REGISTERS>(gpu, DTYPE_BF16, 64, 32);
    wgmma_case<f16, 64, KIND_SHARED>(gpu, DTYPE_F16, 128, 64);
}

void on_each_device(void)
{
    static void (*const tests[])(struct gpu *) = {matrices, mma, wgmma};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        support_device_on_each(tests[i]);
    }
}

} // namespace

CHECK_MAIN(on_each_device)
