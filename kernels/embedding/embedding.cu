// embedding.cu - one block a row, 8 elements a thread at a time. Memory bound: 6 bytes an element.
#include "kernels/embedding/embedding.h"

#include "kernels/gpu/device.cuh"

enum { WIDTH = 8, THREADS_MAX = 256 };

// ---- device -----------------------------------------------------------------------------------

GPU_DEVICE float load_one(const void *table, enum dtype dtype, size_t index)
{
    return dtype == DTYPE_F32    ? static_cast<const float *>(table)[index]
           : dtype == DTYPE_BF16 ? to_float(static_cast<const struct bf16 *>(table)[index])
                                 : to_float(static_cast<const struct f16 *>(table)[index]);
}

template <class T>
GPU_DEVICE void store_8(float *out, uint4 values)
{
    float4 low, high;
    unpack2<T>(values.x, low.x, low.y);
    unpack2<T>(values.y, low.z, low.w);
    unpack2<T>(values.z, high.x, high.y);
    unpack2<T>(values.w, high.z, high.w);
    reinterpret_cast<float4 *>(out)[0] = low;
    reinterpret_cast<float4 *>(out)[1] = high;
}

GPU_DEVICE void copy_8(const void *table, enum dtype dtype, size_t index, float *out)
{
    if (dtype == DTYPE_F32) {
        const uint4 *from =
            reinterpret_cast<const uint4 *>(static_cast<const float *>(table) + index);
        reinterpret_cast<uint4 *>(out)[0] = load_streaming_16(from);
        reinterpret_cast<uint4 *>(out)[1] = load_streaming_16(from + 1);
        return;
    }
    const uint4 values = load_streaming_16(static_cast<const uint16_t *>(table) + index);
    if (dtype == DTYPE_BF16) {
        store_8<struct bf16>(out, values);
    } else {
        store_8<struct f16>(out, values);
    }
}

__global__ void __launch_bounds__(THREADS_MAX)
    embedding_kernel(const struct embedding_gpu_args args)
{
    dependency_wait();
    dependency_release();
    const uint32_t row = blockIdx.x;
    if (row >= args.batch.counts->row_count) {
        return;
    }
    const uint32_t asked = args.batch.ids[row];
    const uint32_t id =
        asked & EMBEDDING_SAMPLED ? args.sampled[asked & ~EMBEDDING_SAMPLED] : asked;
    const size_t from = (size_t)id * args.dim;
    float *x = args.x + (size_t)row * args.dim;
    if (args.dim % WIDTH == 0) {
        for (uint32_t d = threadIdx.x * WIDTH; d < args.dim; d += blockDim.x * WIDTH) {
            copy_8(args.table, args.dtype, from + d, x + d);
        }
        return;
    }
    for (uint32_t d = threadIdx.x; d < args.dim; d += blockDim.x) { // rows begin anywhere
        x[d] = load_one(args.table, args.dtype, from + d);
    }
}

// ---- launcher -----------------------------------------------------------------------------------

extern "C" enum status embedding_gpu_launch(const struct embedding_gpu_args *args,
                                            struct gpu_stream *stream)
{
    if (!dtype_is_plain(args->dtype)) {
        return STATUS_UNSUPPORTED;
    }
    const uint32_t warps = (args->dim + 32 * WIDTH - 1) / (32 * WIDTH);
    const uint32_t threads = warps < THREADS_MAX / 32 ? 32 * warps : (uint32_t)THREADS_MAX;
    const struct gpu_launch_shape shape = {args->row_count, 1, 1, threads, 0};
    return gpu_launch(embedding_kernel, "embedding", shape, stream, *args);
}
