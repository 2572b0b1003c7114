// pages.cu - one block a page of a pool, 16 bytes a thread, four of them under way. Memory bound:
// page_bytes written (and read, where copied) for each page and pool.
#include "kernels/pages/pages.h"

#include "kernels/gpu/device.cuh"

enum { THREADS = 256, UNROLL = 4, ACCESS_BYTES = 16 };

// ---- device -----------------------------------------------------------------------------------

GPU_DEVICE uint4 *page_at(const struct pages_pools &pools, uint32_t page)
{
    char *kv = static_cast<char *>(pools.kv);
    return reinterpret_cast<uint4 *>(kv + blockIdx.y * pools.pool_bytes + page * pools.page_bytes);
}

__global__ void __launch_bounds__(THREADS) pages_scrub_kernel(const struct pages_scrub_args args)
{
    dependency_wait();
    dependency_release();
    uint4 *page = page_at(args.pools, args.pages[blockIdx.x]);
    for (size_t i = threadIdx.x; i < args.pools.page_bytes / ACCESS_BYTES; i += THREADS) {
        page[i] = make_uint4(0, 0, 0, 0);
    }
}

__global__ void __launch_bounds__(THREADS) pages_copy_kernel(const struct pages_copy_args args)
{
    dependency_wait();
    dependency_release();
    const struct pages_pair pair = args.pairs[blockIdx.x];
    const uint4 *from = page_at(args.pools, pair.from);
    uint4 *to = page_at(args.pools, pair.to);
    const size_t count = args.pools.page_bytes / ACCESS_BYTES;
    for (size_t first = threadIdx.x; first < count; first += THREADS * UNROLL) {
        uint4 values[UNROLL]; // all loads before the first store
#pragma unroll
        for (size_t i = 0; i < UNROLL; i++) {
            if (first + i * THREADS < count) {
                values[i] = load_streaming_16(from + first + i * THREADS);
            }
        }
#pragma unroll
        for (size_t i = 0; i < UNROLL; i++) {
            if (first + i * THREADS < count) {
                to[first + i * THREADS] = values[i];
            }
        }
    }
}

// ---- launchers ----------------------------------------------------------------------------------

static bool is_supported(const struct pages_pools &pools)
{
    return pools.pool_bytes % ACCESS_BYTES == 0 && pools.page_bytes % ACCESS_BYTES == 0;
}

static struct gpu_launch_shape choose_shape(const struct pages_pools &pools, uint32_t count)
{
    return {count, pools.pool_count, 1, THREADS, 0};
}

extern "C" enum status pages_scrub_gpu_launch(const struct pages_scrub_args *args,
                                              struct gpu_stream *stream)
{
    return is_supported(args->pools)
               ? gpu_launch(pages_scrub_kernel, "pages_scrub",
                            choose_shape(args->pools, args->page_count), stream, *args)
               : STATUS_UNSUPPORTED;
}

extern "C" enum status pages_copy_gpu_launch(const struct pages_copy_args *args,
                                             struct gpu_stream *stream)
{
    return is_supported(args->pools)
               ? gpu_launch(pages_copy_kernel, "pages_copy",
                            choose_shape(args->pools, args->pair_count), stream, *args)
               : STATUS_UNSUPPORTED;
}
