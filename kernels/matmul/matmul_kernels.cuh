// matmul_kernels.cuh - what the mma and the wgmma kernel share, so that an element has the same
// bits whichever computed it: from the sum of its segments to what is stored. The order of
// operations is written with explicit fmaf, because two compilers (or contexts) contract
// differently.
#pragma once
#include "kernels/gpu/device.cuh"
#include "kernels/matmul/matmul_plan.h"

// ---- launchers of the kernels, for matmul_gpu.cu -----------------------------------------------

enum status matmul_mma_launch(const struct matmul_gpu_args *args, struct gpu_stream *stream);
enum status matmul_wgmma_launch(const struct matmul_gpu_args *args, struct gpu_stream *stream);

// ---- device ------------------------------------------------------------------------------------

// Adds what a run of 128 k gave to its segment; segments begin at zero.
GPU_DEVICE float matmul_promote(float run, float scale, float segment)
{
    return fmaf(run, scale, segment);
}

// The scale of tile rows row (a multiple of 8) to row + 7 in a run, where scales are by block.
GPU_DEVICE float matmul_block_scale(const struct matmul_gpu_weight &weight, uint32_t row,
                                    uint32_t run)
{
    return weight.scales[(size_t)(row / 8) * matmul_runs(&weight) + run];
}

// From the sum of all segments of a tile row to the linear layer's result. feature: of the bias.
GPU_DEVICE float matmul_finish(const struct matmul_gpu_args &args, float sum, uint32_t row,
                               uint32_t feature)
{
    const float bias = args.bias ? args.bias[feature] : 0.0F;
    if (args.weight.scales && !args.weight.scale_block) {
        return fmaf(sum, args.weight.scales[row], bias);
    }
    return sum + bias;
}

// A gated unit: activation(gate) * up.
GPU_DEVICE float matmul_gate(enum matmul_epilogue epilogue, float gate, float up)
{
    float e = -gate;
    if (epilogue == MATMUL_GEGLU) { // x / 2 (1 + tanh u) = x / (1 + e^-2u)
        const float cube = gate * gate * gate;
        e = -2.0F * 0.797884561F * fmaf(0.044715F, cube, gate);
    }
    return gate / (1.0F + expf(e)) * up;
}

// 4 neighbouring columns, the first count of which exist; column is a multiple of 4, strides of T
// are multiples of 8.
template <class T>
GPU_DEVICE void matmul_store4(T *out, const float v[4], uint32_t count)
{
    if (count >= 4) {
        *reinterpret_cast<uint2 *>(out) = make_uint2(pack2<T>(v[0], v[1]), pack2<T>(v[2], v[3]));
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        out[i] = from_float<T>(v[i]);
    }
}

GPU_DEVICE void matmul_store4_f32(float *out, const float v[4], uint32_t count, bool adds,
                                  bool is_aligned)
{
    if (count >= 4 && is_aligned) {
        auto *four = reinterpret_cast<float4 *>(out);
        const float4 old = adds ? *four : make_float4(0.0F, 0.0F, 0.0F, 0.0F);
        *four = adds ? make_float4(old.x + v[0], old.y + v[1], old.z + v[2], old.w + v[3])
                     : make_float4(v[0], v[1], v[2], v[3]);
        return;
    }
    for (uint32_t i = 0; i < count && i < 4; i++) {
        out[i] = adds ? out[i] + v[i] : v[i];
    }
}

// Columns column .. column + 3 of one row of out, by the epilogue of a weight that is not paired.
template <class T>
GPU_DEVICE void matmul_store_plain(const struct matmul_gpu_args &args, uint32_t row,
                                   uint32_t column, const float sums[4])
{
    if (column >= args.weight.out_count) {
        return;
    }
    const uint32_t left = args.weight.out_count - column;
    const uint32_t count = left < 4 ? left : 4;
    const size_t at = (size_t)row * args.out_stride + column;
    float v[4];
    for (uint32_t i = 0; i < 4; i++) {
        v[i] = i < count ? matmul_finish(args, sums[i], column + i, column + i) : 0.0F;
    }
    if (args.epilogue == MATMUL_STORE) {
        matmul_store4(static_cast<T *>(args.out) + at, v, count);
    } else {
        matmul_store4_f32(static_cast<float *>(args.out) + at, v, count,
                          args.epilogue == MATMUL_ADD_F32, args.out_stride % 4 == 0);
    }
}

// Tile rows tile_row .. + 3 are gates, the rows 8 behind them ups, of 4 neighbouring columns.
template <class T>
GPU_DEVICE void matmul_store_paired(const struct matmul_gpu_args &args, uint32_t row,
                                    uint32_t tile_row, const float gates[4], const float ups[4])
{
    const uint32_t columns = args.weight.out_count / 2;
    const uint32_t column = tile_row / 16 * 8 + tile_row % 8;
    if (column >= columns) {
        return;
    }
    const uint32_t count = columns - column < 4 ? columns - column : 4;
    float v[4];
    for (uint32_t i = 0; i < 4; i++) {
        v[i] = 0.0F;
        if (i < count) {
            const float gate = matmul_finish(args, gates[i], tile_row + i, column + i);
            const float up = matmul_finish(args, ups[i], tile_row + 8 + i, columns + column + i);
            v[i] = matmul_gate(args.epilogue, gate, up);
        }
    }
    matmul_store4(static_cast<T *>(args.out) + (size_t)row * args.out_stride + column, v, count);
}
