// sample_device.cuh - what the kernels of sample share: numbers as sortable keys, the exponential
// and the random numbers of the CPU bit by bit, sums in a fixed order.
#pragma once
#include <math.h>
#include <string.h>

#include "kernels/exponential.h"
#include "kernels/gpu/device.cuh"
#include "kernels/sample/sample.h"
#include "kernels/sample/sample_plan.h"

struct sample_kernel_args {
    struct sample_gpu_args args;
    struct sample_gpu_plan plan;
};

enum status sample_pick_launch(const struct sample_kernel_args *args, struct gpu_stream *stream);

#define SAMPLE_DEVICE static __device__ __forceinline__
#define SAMPLE_WARP   0xffffffffU

// ---- numbers -----------------------------------------------------------------------------------

SAMPLE_DEVICE uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

SAMPLE_DEVICE float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

SAMPLE_DEVICE bool is_finite(float x)
{
    return (bits_of(x) & 0x7f800000U) != 0x7f800000U;
}

SAMPLE_DEVICE float finite_or_never(float x)
{
    return is_finite(x) ? x : -INFINITY;
}

// Rises with x, which is finite; both zeros have one key.
SAMPLE_DEVICE uint32_t key_of(float x)
{
    const uint32_t bits = bits_of(x + 0.0F);
    return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}

SAMPLE_DEVICE float value_of_key(uint32_t key)
{
    return float_of(key & 0x80000000U ? key & 0x7fffffffU : ~key);
}

// A product that the compiler may not fuse with a sum that follows.
SAMPLE_DEVICE float product(float a, float b)
{
    return fmaf(a, b, 0.0F);
}

// The steps of exponential() in kernels/exponential.h, for x up to 0.
SAMPLE_DEVICE float exponential_of(float x)
{
    const float clamped = x < EXPONENTIAL_MIN ? EXPONENTIAL_MIN : x;
    const float shifted = fmaf(clamped, EXPONENTIAL_LOG2_E, EXPONENTIAL_ROUNDER);
    const float n = shifted - EXPONENTIAL_ROUNDER;
    float r = fmaf(-n, EXPONENTIAL_LN2_HIGH, clamped);
    r = fmaf(-n, EXPONENTIAL_LN2_LOW, r);
    float power = fmaf(1.0F / 5040, r, 1.0F / 720);
    power = fmaf(power, r, 1.0F / 120);
    power = fmaf(power, r, 1.0F / 24);
    power = fmaf(power, r, 1.0F / 6);
    power = fmaf(power, r, 1.0F / 2);
    power = fmaf(power, r, 1.0F);
    power = fmaf(power, r, 1.0F);
    const float half_scale = float_of((bits_of(shifted) << 23) + (uint32_t)EXPONENTIAL_HALF_BITS);
    return x < EXPONENTIAL_MIN ? 0.0F : power * half_scale * 2.0F;
}

struct weigher {
    float highest, inverse_temperature;
};

SAMPLE_DEVICE float weight_of(struct weigher weigher, float logit)
{
    return exponential_of((logit - weigher.highest) * weigher.inverse_temperature);
}

// philox_unit() of philox.h.
SAMPLE_DEVICE double unit_of(uint64_t seed, uint32_t position)
{
    uint32_t words[4] = {position, 0, 0, 0};
    uint32_t key_0 = (uint32_t)seed, key_1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t product_0 = (uint64_t)0xD2511F53U * words[0];
        const uint64_t product_1 = (uint64_t)0xCD9E8D57U * words[2];
        words[0] = (uint32_t)(product_1 >> 32) ^ words[1] ^ key_0;
        words[1] = (uint32_t)product_1;
        words[2] = (uint32_t)(product_0 >> 32) ^ words[3] ^ key_1;
        words[3] = (uint32_t)product_0;
        key_0 += 0x9E3779B9U;
        key_1 += 0xBB67AE85U;
    }
    const uint64_t bits = (uint64_t)words[0] << 32 | words[1];
    return (double)(bits >> 11) * 0x1p-53;
}

// ---- a warp ------------------------------------------------------------------------------------

SAMPLE_DEVICE double add_over_warp(double x)
{
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        x += __shfl_xor_sync(SAMPLE_WARP, x, lanes);
    }
    return x;
}

SAMPLE_DEVICE float highest_of_warp(float x)
{
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        x = fmaxf(x, __shfl_xor_sync(SAMPLE_WARP, x, lanes));
    }
    return x;
}

// The highest, the lowest id among equals.
struct best {
    float value;
    uint32_t id;
};

SAMPLE_DEVICE struct best better(struct best a, struct best b)
{
    return b.value > a.value || (b.value == a.value && b.id < a.id) ? b : a;
}

SAMPLE_DEVICE struct best best_of_warp(struct best best)
{
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        const struct best other = {__shfl_xor_sync(SAMPLE_WARP, best.value, lanes),
                                   __shfl_xor_sync(SAMPLE_WARP, best.id, lanes)};
        best = better(best, other);
    }
    return best;
}

// ---- a row -------------------------------------------------------------------------------------

struct sample_choices {
    bool is_greedy, has_top_k, has_top_p, has_min_p;
    bool needs_total; // of the weights of all tokens
    bool is_adjusted; // by bias or penalties
};

SAMPLE_DEVICE bool has_penalty(const struct sample_gpu_row *row)
{
    return row->token_count > 0
           && (row->presence_penalty != 0.0F || row->frequency_penalty != 0.0F
               || row->repetition_penalty != 1.0F);
}

SAMPLE_DEVICE struct sample_choices choices_of(const struct sample_gpu_row *row, uint32_t count)
{
    struct sample_choices choices;
    choices.is_greedy = !(row->temperature >= SAMPLE_TEMPERATURE_MIN);
    choices.has_top_k = row->top_k > 0 && row->top_k < count;
    choices.has_top_p = row->top_p < 1.0F;
    choices.has_min_p = row->min_p > 0.0F;
    choices.needs_total =
        !choices.is_greedy && !choices.has_top_k && (choices.has_top_p || !choices.has_min_p);
    choices.is_adjusted = row->bias_count > 0 || has_penalty(row);
    return choices;
}

// A row's part of the workspace.
struct sample_place {
    uint32_t *path;
    struct sample_gpu_chunk *chunks;
    float *groups, *raw_groups; // highest of each thread of the scan
    float *adjusted;
};

SAMPLE_DEVICE struct sample_place place_of(const struct sample_kernel_args &k, uint32_t r)
{
    unsigned char *base = static_cast<unsigned char *>(k.args.workspace) + r * k.plan.row_bytes;
    struct sample_place place;
    place.path = reinterpret_cast<uint32_t *>(base);
    place.chunks = reinterpret_cast<struct sample_gpu_chunk *>(base + k.plan.chunks_offset);
    place.groups = reinterpret_cast<float *>(base + k.plan.groups_offset);
    place.raw_groups = reinterpret_cast<float *>(base + k.plan.raw_groups_offset);
    place.adjusted = reinterpret_cast<float *>(base + k.plan.adjusted_offset);
    return place;
}

// Every warp finds it alike.
SAMPLE_DEVICE struct best best_of_chunks(const struct sample_gpu_chunk *chunks, uint32_t count)
{
    struct best best = {-INFINITY, 0};
    for (uint32_t c = threadIdx.x % 32; c < count; c += 32) {
        const struct best other = {chunks[c].highest, chunks[c].highest_id};
        best = better(best, other);
    }
    return best_of_warp(best);
}
