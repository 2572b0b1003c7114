// Method: small kernels, each through one wrapped instruction, against a plain computation.
#include <stdlib.h>

#include "kernels/gpu/device.cuh"
#include "tests/check.h"

struct sum_args {
    const float *x;
    float *out;
    uint32_t count;
};

__global__ void sum_kernel(const sum_args args)
{
    GPU_SHARED(float, partial);
    dependency_wait();
    float sum = 0.0F;
    for (uint32_t i = threadIdx.x; i < args.count; i += blockDim.x) {
        sum += args.x[blockIdx.x * args.count + i];
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(0xffffffffU, sum, step);
    }
    if (threadIdx.x % 32 == 0) {
        partial[threadIdx.x / 32] = sum;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        float total = 0.0F;
        for (uint32_t i = 0; i < blockDim.x / 32; i++) {
            total += partial[i];
        }
        args.out[blockIdx.x] = total;
    }
}

static void sums(void)
{
    enum { BLOCKS = 2000, COUNT = 1000 };
    for (uint32_t index = 0; index < gpu_count(NULL); index++) {
        struct gpu *gpu;
        struct failure failure;
        void *x, *out;
        if (gpu_open(index, &gpu, &failure) != STATUS_OK
            || gpu_memory_take(gpu, BLOCKS * COUNT * 4, &x, &failure) != STATUS_OK
            || gpu_memory_take(gpu, BLOCKS * 4, &out, &failure) != STATUS_OK) {
            CHECK(false, "%s", failure.text);
            return;
        }
        float *host = (float *)malloc(BLOCKS * COUNT * 4), result[BLOCKS];
        for (uint32_t i = 0; i < BLOCKS * COUNT; i++) {
            host[i] = (float)(i % 7);
        }
        const sum_args args = {(const float *)x, (float *)out, COUNT};
        CHECK(gpu_upload_async(gpu, x, host, BLOCKS * COUNT * 4) == STATUS_OK, "upload");
        CHECK(gpu_launch(sum_kernel, "sum", {BLOCKS, 1, 1, 256, 32}, gpu_stream_of(gpu), args)
                  == STATUS_OK,
              "launch");
        CHECK(gpu_download_async(gpu, result, out, sizeof result) == STATUS_OK, "download");
        CHECK(gpu_wait(gpu) == STATUS_OK, "%s", gpu_failure_text(gpu));
        for (uint32_t i = 0; i < BLOCKS; i++) {
            float want = 0.0F;
            for (uint32_t j = 0; j < COUNT; j++) {
                want += host[i * COUNT + j];
            }
            CHECK(result[i] == want, "block %u: %g, not %g", i, (double)result[i], (double)want);
        }
        free(host);
        gpu_memory_give_back(gpu, x);
        gpu_memory_give_back(gpu, out);
        gpu_close(gpu);
    }
}

CHECK_MAIN(sums)
