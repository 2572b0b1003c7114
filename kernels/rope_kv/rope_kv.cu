// rope_kv.cu - one warp a head of a row; a lane holds pairs (x[i], x[i + head_dim / 2]), two
// neighbours at a time, so that norm and rotation stay inside the warp. Memory bound: 4 bytes an
// element (3 where pages are e4m3); at decode bound by the latency of row, sequence, page, store.
#include "kernels/rope_kv/rope_kv.h"

#include "kernels/gpu/device.cuh"

enum { WARPS = 8, STEPS_MAX = 4, STEP_PAIRS = 64 };
static_assert(STEPS_MAX * STEP_PAIRS * 2 == ATTENTION_HEAD_DIM_MAX, "a head fits a warp");

// ---- device -----------------------------------------------------------------------------------

// Pairs i, i + 1 of each step, i = 2 lane + 64 step: low is x[i], high is x[i + half].
struct head {
    float low[STEPS_MAX][2], high[STEPS_MAX][2];
};

#define FOR_STEPS(step, i, half)                                                     \
    _Pragma("unroll") for (uint32_t step = 0; step < STEPS_MAX;                      \
                           step++) if (const uint32_t i =                            \
                                           step * STEP_PAIRS + threadIdx.x % 32 * 2; \
                                       i < (half))

template <class T>
GPU_DEVICE struct head load_head(const T *from, uint32_t half)
{
    struct head head;
    FOR_STEPS(step, i, half)
    {
        unpack2<T>(*reinterpret_cast<const uint32_t *>(from + i), head.low[step][0],
                   head.low[step][1]);
        unpack2<T>(*reinterpret_cast<const uint32_t *>(from + half + i), head.high[step][0],
                   head.high[step][1]);
    }
    return head;
}

template <class Stored>
GPU_DEVICE void store_2(Stored *to, float low, float high)
{
    *reinterpret_cast<uint32_t *>(to) = pack2<Stored>(low, high);
}

template <>
GPU_DEVICE void store_2<struct e4m3>(struct e4m3 *to, float low, float high)
{
    *reinterpret_cast<uint16_t *>(to) =
        (uint16_t)(from_float<struct e4m3>(low).bits | from_float<struct e4m3>(high).bits << 8);
}

template <class Stored>
GPU_DEVICE void store_head(Stored *to, const struct head &head, uint32_t half, float factor)
{
    FOR_STEPS(step, i, half)
    {
        store_2<Stored>(to + i, head.low[step][0] * factor, head.low[step][1] * factor);
        store_2<Stored>(to + half + i, head.high[step][0] * factor, head.high[step][1] * factor);
    }
}

GPU_DEVICE void normalise(struct head &head, const float *weight, float eps, uint32_t half)
{
    float sum = 0.0F;
    FOR_STEPS(step, i, half)
    {
        for (int n = 0; n < 2; n++) {
            sum = fmaf(head.low[step][n], head.low[step][n], sum);
            sum = fmaf(head.high[step][n], head.high[step][n], sum);
        }
    }
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        sum += __shfl_xor_sync(0xffffffffU, sum, distance);
    }
    const float scale = rsqrtf(sum / (float)(2 * half) + eps);
    FOR_STEPS(step, i, half)
    {
        for (int n = 0; n < 2; n++) {
            head.low[step][n] *= weight[i + n] * scale;
            head.high[step][n] *= weight[half + i + n] * scale;
        }
    }
}

GPU_DEVICE void rotate(struct head &head, const float *cos_sin, uint32_t half)
{
    FOR_STEPS(step, i, half)
    {
        const float4 angles = *reinterpret_cast<const float4 *>(cos_sin + 2 * i);
        const float cosines[2] = {angles.x, angles.z}, sines[2] = {angles.y, angles.w};
        for (int n = 0; n < 2; n++) {
            const float low = head.low[step][n], high = head.high[step][n];
            head.low[step][n] = low * cosines[n] - high * sines[n];
            head.high[step][n] = high * cosines[n] + low * sines[n];
        }
    }
}

// Where kv head g of the row belongs in a pool, in elements.
GPU_DEVICE size_t place_of(const struct rope_kv_gpu_args &args, struct gpu_row row, uint32_t g)
{
    const uint32_t page_first = args.batch.sequences[row.sequence].page_first;
    const uint32_t page = args.batch.pages[page_first + row.position / args.page_tokens];
    const size_t token = ((size_t)page * args.kv_head_count + g) * args.page_tokens
                         + row.position % args.page_tokens;
    return token * args.head_dim;
}

template <class T, class Stored>
__global__ void __launch_bounds__(WARPS * 32) rope_kv_kernel(const struct rope_kv_gpu_args args)
{
    dependency_wait();
    dependency_release();
    const uint32_t q_count = args.head_count, kv_count = args.kv_head_count;
    const uint32_t h = blockIdx.y * WARPS + threadIdx.x / 32, half = args.head_dim / 2;
    if (blockIdx.x >= args.batch.counts->row_count || h >= q_count + 2 * kv_count) {
        return;
    }
    T *at = static_cast<T *>(args.qkv) + (size_t)blockIdx.x * args.qkv_stride
            + (size_t)h * args.head_dim;
    const struct gpu_row row = args.batch.rows[blockIdx.x];
    struct head head = load_head<T>(at, half);
    if (h >= q_count + kv_count) {
        Stored *v_pages = static_cast<Stored *>(args.v_pages);
        store_head<Stored>(v_pages + place_of(args, row, h - q_count - kv_count), head, half,
                           1.0F / args.v_scale);
        return;
    }
    const float *weight = h < q_count ? args.q_norm : args.k_norm;
    if (weight != nullptr) {
        normalise(head, weight, args.norm_eps, half);
    }
    rotate(head, args.cos_sin + (size_t)row.position * args.head_dim, half);
    if (h < q_count) {
        store_head<T>(at, head, half, 1.0F);
        return;
    }
    Stored *k_pages = static_cast<Stored *>(args.k_pages);
    store_head<Stored>(k_pages + place_of(args, row, h - q_count), head, half, 1.0F / args.k_scale);
}

// ---- launcher -----------------------------------------------------------------------------------

typedef void rope_kv_function(const struct rope_kv_gpu_args);

static rope_kv_function *choose_kernel(enum dtype dtype, enum dtype kv_dtype)
{
    const bool is_e4m3 = kv_dtype == DTYPE_E4M3;
    if (!is_e4m3 && kv_dtype != dtype) {
        return nullptr;
    }
    switch (dtype) {
    case DTYPE_BF16:
        return is_e4m3 ? rope_kv_kernel<struct bf16, struct e4m3>
                       : rope_kv_kernel<struct bf16, struct bf16>;
    case DTYPE_F16:
        return is_e4m3 ? rope_kv_kernel<struct f16, struct e4m3>
                       : rope_kv_kernel<struct f16, struct f16>;
    default:
        return nullptr;
    }
}

extern "C" enum status rope_kv_gpu_launch(const struct rope_kv_gpu_args *args,
                                          struct gpu_stream *stream)
{
    rope_kv_function *kernel = choose_kernel(args->dtype, args->kv_dtype);
    if (kernel == nullptr || args->head_dim % 4 != 0 || args->head_dim > ATTENTION_HEAD_DIM_MAX) {
        return STATUS_UNSUPPORTED;
    }
    const uint32_t heads = args->head_count + 2 * args->kv_head_count;
    const struct gpu_launch_shape shape = {args->row_count, (heads + WARPS - 1) / WARPS, 1,
                                           WARPS * 32, 0};
    return gpu_launch(kernel, "rope_kv", shape, stream, *args);
}
