// rms_norm.cu - one block a row, which stays in registers between the sum and the product. Memory
// bound: 6 bytes an element, 12 with delta; at decode bound by the latency of two loads and a sum.
#include "kernels/rms_norm/rms_norm.h"

#include "kernels/gpu/device.cuh"
#include "kernels/rms_norm/rms_norm_plan.h"

static_assert(RMS_NORM_THREADS_MAX * RMS_NORM_VECTORS_MAX * RMS_NORM_WIDTH == RMS_NORM_GPU_DIM_MAX,
              "a row fits the registers of a block");

// ---- device -----------------------------------------------------------------------------------

struct four {
    float values[RMS_NORM_WIDTH];
};

// Elements d .. d + 3 of a row of dim; zeros beyond its end.
GPU_DEVICE struct four load_4(const float *row, uint32_t d, uint32_t dim)
{
    struct four out;
    if (dim % RMS_NORM_WIDTH == 0) { // else rows begin anywhere
        const float4 values = *reinterpret_cast<const float4 *>(row + d);
        return {{values.x, values.y, values.z, values.w}};
    }
#pragma unroll
    for (uint32_t i = 0; i < RMS_NORM_WIDTH; i++) {
        out.values[i] = d + i < dim ? row[d + i] : 0.0F;
    }
    return out;
}

GPU_DEVICE void store_4(float *row, uint32_t d, uint32_t dim, const struct four &from)
{
    if (dim % RMS_NORM_WIDTH == 0) {
        *reinterpret_cast<float4 *>(row + d) =
            make_float4(from.values[0], from.values[1], from.values[2], from.values[3]);
        return;
    }
#pragma unroll
    for (uint32_t i = 0; i < RMS_NORM_WIDTH; i++) {
        if (d + i < dim) {
            row[d + i] = from.values[i];
        }
    }
}

// Strides of T are multiples of 8, so a group of 4 may be read whole; what lies beyond is dropped.
template <class T>
GPU_DEVICE void add_4(struct four &to, const T *row, uint32_t d, uint32_t dim)
{
    const uint2 pairs = *reinterpret_cast<const uint2 *>(row + d);
    struct four delta;
    unpack2<T>(pairs.x, delta.values[0], delta.values[1]);
    unpack2<T>(pairs.y, delta.values[2], delta.values[3]);
#pragma unroll
    for (uint32_t i = 0; i < RMS_NORM_WIDTH; i++) {
        to.values[i] += d + i < dim ? delta.values[i] : 0.0F;
    }
}

template <class T>
GPU_DEVICE void store_rounded(T *row, uint32_t d, uint32_t dim, const struct four &from)
{
    if (d + RMS_NORM_WIDTH <= dim) {
        *reinterpret_cast<uint2 *>(row + d) = make_uint2(pack2<T>(from.values[0], from.values[1]),
                                                         pack2<T>(from.values[2], from.values[3]));
        return;
    }
#pragma unroll
    for (uint32_t i = 0; i < RMS_NORM_WIDTH; i++) {
        if (d + i < dim) {
            row[d + i] = from_float<T>(from.values[i]);
        }
    }
}

GPU_DEVICE float warp_sum(float sum)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        sum += __shfl_xor_sync(0xffffffffU, sum, distance);
    }
    return sum;
}

// The same bits in every thread: each warp adds up the warps' sums for itself.
GPU_DEVICE float block_sum(float sum)
{
    GPU_SHARED(float, warp_sums);
    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    sum = warp_sum(sum);
    if (lane == 0) {
        warp_sums[warp] = sum;
    }
    __syncthreads();
    return warp_sum(lane < blockDim.x / 32 ? warp_sums[lane] : 0.0F);
}

template <class T>
__global__ void __launch_bounds__(RMS_NORM_THREADS_MAX)
    rms_norm_kernel(const struct rms_norm_gpu_args args)
{
    dependency_wait();
    dependency_release();
    const uint32_t count =
        args.rows != nullptr ? args.counts->logit_row_count : args.counts->row_count;
    if (blockIdx.x >= count) {
        return;
    }
    const size_t row = args.rows != nullptr ? args.rows[blockIdx.x] : blockIdx.x;
    float *x = args.x + row * args.dim;
    const T *delta = static_cast<const T *>(args.delta) + row * args.delta_stride;
    T *out = static_cast<T *>(args.out) + (size_t)blockIdx.x * args.out_stride;

    struct four kept[RMS_NORM_VECTORS_MAX];
    float sum = 0.0F;
#pragma unroll
    for (uint32_t v = 0; v < RMS_NORM_VECTORS_MAX; v++) {
        const uint32_t d = (v * blockDim.x + threadIdx.x) * RMS_NORM_WIDTH;
        if (d < args.dim) {
            kept[v] = load_4(x, d, args.dim);
            if (args.delta != nullptr) {
                add_4<T>(kept[v], delta, d, args.dim);
                store_4(x, d, args.dim, kept[v]);
            }
#pragma unroll
            for (uint32_t i = 0; i < RMS_NORM_WIDTH; i++) {
                sum = fmaf(kept[v].values[i], kept[v].values[i], sum);
            }
        }
    }
    const float scale = rsqrtf(block_sum(sum) / (float)args.dim + args.eps);
#pragma unroll
    for (uint32_t v = 0; v < RMS_NORM_VECTORS_MAX; v++) {
        const uint32_t d = (v * blockDim.x + threadIdx.x) * RMS_NORM_WIDTH;
        if (d < args.dim) {
            struct four weight = load_4(args.weight, d, args.dim);
#pragma unroll
            for (uint32_t i = 0; i < RMS_NORM_WIDTH; i++) {
                weight.values[i] *= kept[v].values[i] * scale;
            }
            store_rounded<T>(out, d, args.dim, weight);
        }
    }
}

// ---- launcher -----------------------------------------------------------------------------------

extern "C" enum status rms_norm_gpu_launch(const struct rms_norm_gpu_args *args,
                                           struct gpu_stream *stream)
{
    const bool is_f16 = args->dtype == DTYPE_F16;
    if ((!is_f16 && args->dtype != DTYPE_BF16) || args->dim > RMS_NORM_GPU_DIM_MAX) {
        return STATUS_UNSUPPORTED;
    }
    const uint32_t threads = rms_norm_choose_threads(args->dim);
    const struct gpu_launch_shape shape = {args->row_count, 1, 1, threads,
                                           threads / 32 * sizeof(float)};
    return gpu_launch(is_f16 ? rms_norm_kernel<struct f16> : rms_norm_kernel<struct bf16>,
                      "rms_norm", shape, stream, *args);
}
