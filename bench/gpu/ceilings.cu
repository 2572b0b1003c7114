// ceilings.cu - what the device does at best, and random inputs: a copy of more memory than any
// cache holds, and wgmma from shared memory on random numbers with nothing else to wait for.
#include "bench/gpu/ceilings.h"

#include "kernels/gpu/device.cuh"

enum { FILL_BLOCK = 256, PEAK_THREADS = 256, PEAK_K = 4, PEAK_COLUMNS = 256 };

// ---- device -----------------------------------------------------------------------------------

// Marsaglia's xorshift on a mixed index: any bits will do, as long as none are zeros.
GPU_DEVICE uint32_t random_bits(size_t index, uint32_t seed)
{
    uint32_t x = (uint32_t)index * 2654435761U ^ (uint32_t)(index >> 32) ^ seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x * 1597334677U;
}

// Numbers of about -1 to 1 in the format: a sign, an exponent of one of four steps, any mantissa.
GPU_DEVICE uint32_t random_word(uint32_t bits, enum dtype dtype)
{
    switch (dtype) {
    case DTYPE_BF16:
        return (bits & 0x81ff81ffU) | 0x3e003e00U;
    case DTYPE_F16:
        return (bits & 0x8fff8fffU) | 0x30003000U;
    case DTYPE_E4M3:
        return (bits & 0x9f9f9f9fU) | 0x20202020U;
    default:
        return (bits & 0x81ffffffU) | 0x3e000000U;
    }
}

struct fill_args {
    uint32_t *words;
    size_t word_count;
    enum dtype dtype;
    uint32_t seed;
};

__global__ void __launch_bounds__(FILL_BLOCK) fill_kernel(const fill_args args)
{
    dependency_wait();
    const size_t step = (size_t)gridDim.x * FILL_BLOCK;
    for (size_t i = (size_t)blockIdx.x * FILL_BLOCK + threadIdx.x; i < args.word_count; i += step) {
        args.words[i] = random_word(random_bits(i, args.seed), args.dtype);
    }
}

struct peak_args {
    float *out; // a word of every thread, so that nothing is left out
    uint32_t step_count;
};

// Two warpgroups of m64 n256, A and B in shared memory, PEAK_K k16 steps in flight at a time.
__global__ void __launch_bounds__(PEAK_THREADS, 1) peak_kernel(const peak_args args)
{
    dependency_wait();
#if GPU_HAS_WGMMA
    GPU_SHARED(uint32_t, shared);
    enum { A_WORDS = 64 * 16 / 2, B_WORDS = PEAK_COLUMNS * 16 / 2 };
    for (uint32_t i = threadIdx.x; i < PEAK_K * (2 * A_WORDS + B_WORDS); i += PEAK_THREADS) {
        shared[i] = random_word(random_bits(i, blockIdx.x), DTYPE_BF16);
    }
    fence_async_shared();
    __syncthreads();
    const uint32_t *b = shared,
                   *a = shared + PEAK_K * B_WORDS + threadIdx.x / 128 * PEAK_K * A_WORDS;
    float sums[PEAK_COLUMNS / 2];
    for (uint32_t i = 0; i < PEAK_COLUMNS / 2; i++) {
        sums[i] = 0.0f;
    }
    for (uint32_t step = 0; step < args.step_count; step++) {
        wgmma_fence();
#pragma unroll
        for (uint32_t k = 0; k < PEAK_K; k++) {
            wgmma_ss<bf16, PEAK_COLUMNS>(sums, wgmma_descriptor(a + k * A_WORDS, 128, 256, 0),
                                         wgmma_descriptor(b + k * B_WORDS, 128, 256, 0), true);
        }
        wgmma_commit();
        wgmma_wait<0>();
    }
    float sum = 0.0f;
    for (uint32_t i = 0; i < PEAK_COLUMNS / 2; i++) {
        sum += sums[i];
    }
    args.out[blockIdx.x * PEAK_THREADS + threadIdx.x] = sum;
#endif
}

// ---- launchers ----------------------------------------------------------------------------------

enum status ceilings_fill_launch(void *memory, size_t bytes, enum dtype dtype, uint32_t seed,
                                 struct gpu_stream *stream)
{
    const fill_args args = {static_cast<uint32_t *>(memory), bytes / 4, dtype, seed};
    const size_t blocks = (args.word_count + FILL_BLOCK - 1) / FILL_BLOCK;
    const gpu_launch_shape shape = {(uint32_t)(blocks < 4096 ? blocks : 4096), 1, 1, FILL_BLOCK, 0};
    return gpu_launch(fill_kernel, "fill", shape, stream, args);
}

double ceilings_peak_operations(uint32_t block_count, uint32_t step_count)
{
    return 2.0 * 128 * PEAK_COLUMNS * 16 * PEAK_K * step_count * block_count;
}

size_t ceilings_peak_bytes(uint32_t block_count)
{
    return (size_t)block_count * PEAK_THREADS * sizeof(float);
}

enum status ceilings_peak_launch(float *out, uint32_t block_count, uint32_t step_count,
                                 struct gpu_stream *stream)
{
    const size_t shared_bytes = (size_t)PEAK_K * (2 * 64 + PEAK_COLUMNS) * 16 * 2;
    const peak_args args = {out, step_count};
    const gpu_launch_shape shape = {block_count, 1, 1, PEAK_THREADS, shared_bytes};
    return gpu_launch(peak_kernel, "peak", shape, stream, args);
}
