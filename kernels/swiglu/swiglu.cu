// swiglu.cu - a thread makes 8 neighbours of a row. Memory bound: 6 bytes an element.
#include "kernels/swiglu/swiglu.h"

#include "kernels/gpu/device.cuh"
#include "kernels/swiglu/swiglu.cuh"

enum { WIDTH = 8, THREADS = 128, BLOCK_ELEMENTS = THREADS * WIDTH };

// ---- device -----------------------------------------------------------------------------------

template <class T>
GPU_DEVICE uint32_t multiply_pair(enum swiglu_activation activation, uint32_t gate, uint32_t up)
{
    float gate_low, gate_high, up_low, up_high;
    unpack2<T>(gate, gate_low, gate_high);
    unpack2<T>(up, up_low, up_high);
    return pack2<T>(swiglu_activate(activation, gate_low) * up_low,
                    swiglu_activate(activation, gate_high) * up_high);
}

template <class T>
GPU_DEVICE uint4 multiply_8(enum swiglu_activation activation, uint4 gate, uint4 up)
{
    return make_uint4(
        multiply_pair<T>(activation, gate.x, up.x), multiply_pair<T>(activation, gate.y, up.y),
        multiply_pair<T>(activation, gate.z, up.z), multiply_pair<T>(activation, gate.w, up.w));
}

// The end of a row, or all of it where up does not begin at a 16-byte boundary.
template <class T>
GPU_DEVICE void multiply_some(const struct swiglu_gpu_args &args, const T *gate, const T *up,
                              T *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const float active = swiglu_activate(args.activation, to_float(gate[i]));
        out[i] = from_float<T>(active * to_float(up[i]));
    }
}

template <class T>
__global__ void __launch_bounds__(THREADS) swiglu_kernel(const struct swiglu_gpu_args args)
{
    dependency_wait();
    dependency_release();
    const uint32_t row = blockIdx.x;
    const uint32_t first = blockIdx.y * BLOCK_ELEMENTS + threadIdx.x * WIDTH;
    if (row >= args.counts->row_count || first >= args.dim) {
        return;
    }
    const size_t at = (size_t)row * args.in_stride + first;
    const T *gate = static_cast<const T *>(args.gate) + at;
    const T *up = static_cast<const T *>(args.up) + at;
    T *out = static_cast<T *>(args.out) + (size_t)row * args.out_stride + first;
    const bool is_whole = first + WIDTH <= args.dim;
    if (!is_whole || reinterpret_cast<uintptr_t>(up) % sizeof(uint4) != 0) {
        multiply_some<T>(args, gate, up, out, is_whole ? (uint32_t)WIDTH : args.dim - first);
        return;
    }
    const uint4 result = multiply_8<T>(args.activation, *reinterpret_cast<const uint4 *>(gate),
                                       *reinterpret_cast<const uint4 *>(up));
    *reinterpret_cast<uint4 *>(out) = result;
}

// ---- launcher -----------------------------------------------------------------------------------

extern "C" enum status swiglu_gpu_launch(const struct swiglu_gpu_args *args,
                                         struct gpu_stream *stream)
{
    const bool is_f16 = args->dtype == DTYPE_F16;
    if (!is_f16 && args->dtype != DTYPE_BF16) {
        return STATUS_UNSUPPORTED;
    }
    const uint32_t chunks = (args->dim + BLOCK_ELEMENTS - 1) / BLOCK_ELEMENTS;
    const struct gpu_launch_shape shape = {args->row_count, chunks, 1, THREADS, 0};
    return gpu_launch(is_f16 ? swiglu_kernel<struct f16> : swiglu_kernel<struct bf16>, "swiglu",
                      shape, stream, *args);
}
