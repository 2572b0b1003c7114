// Method: small kernels, each built on one group of the functions of device.cuh, against a plain
// computation: lanes, barriers, atomics, numbers, copies (matrices: test_tensor_cores.cu). The same
// on a GPU and on the host build. What the host build must refuse is in test_host.cu.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/gpu/device.cuh"
#include "tests/check.h"
#include "tests/kernels/gpu/support_launch.cuh"

namespace
{

enum : uint32_t { ALL = 0xffffffffU };

// ---- lanes ----

struct lanes_args {
    uint32_t *out; // [lane][LANE_RESULTS]
};
enum { LANE_RESULTS = 14 };

__global__ void lanes_kernel(const lanes_args args)
{
    dependency_wait();
    const uint32_t lane = threadIdx.x, value = lane * lane + 5;
    uint32_t *out = args.out + lane * LANE_RESULTS;
    out[0] = __shfl_sync(ALL, value, 7);
    out[1] = __shfl_sync(ALL, value, (int)lane + 1, 8);
    out[2] = __shfl_xor_sync(ALL, value, 5);
    out[3] = __shfl_xor_sync(ALL, value, 8, 8);
    out[4] = __shfl_up_sync(ALL, value, 3U);
    out[5] = __shfl_down_sync(ALL, value, 2U, 16);
    out[6] = __ballot_sync(ALL, lane % 3 == 0);
    out[7] = (uint32_t)__any_sync(ALL, lane == 9) + 2 * (uint32_t)__any_sync(ALL, lane == 99);
    out[8] = (uint32_t)__all_sync(ALL, lane < 32) + 2 * (uint32_t)__all_sync(ALL, lane < 31);
    out[9] = __float_as_uint(__shfl_xor_sync(ALL, (float)lane + 0.5F, 1));
    out[10] = lane < 8 ? __ballot_sync(0xffU, lane % 2) : __ballot_sync(~0xffU, lane == 31);
    out[11] =
        (uint32_t)__popc(value) << 16 | (uint32_t)__ffs(value & ~1U) << 8 | (uint32_t)__clz(lane);
    out[12] = (uint32_t)(__shfl_down_sync(ALL, (unsigned long long)lane << 33, 1U) >> 32);
    __syncwarp();
    out[13] = 0;
}

uint32_t lanes_want(uint32_t lane, int which)
{
    const auto value = [](uint32_t of) { return of * of + 5; };
    const float half = (float)(lane ^ 1) + 0.5F;
    uint32_t bits, masked = value(lane) & ~1U, ffs = 0;
    memcpy(&bits, &half, sizeof bits);
    while (masked && !(masked >> ffs++ & 1)) {
    }
    const uint32_t wants[LANE_RESULTS] = {value(7),
                                          value(lane / 8 * 8 + (lane + 1) % 8),
                                          value(lane ^ 5),
                                          (lane ^ 8) > (lane | 7) ? value(lane) : value(lane ^ 8),
                                          value(lane < 3 ? lane : lane - 3),
                                          value(lane % 16 >= 14 ? lane : lane + 2),
                                          0x49249249,
                                          1,
                                          1,
                                          bits,
                                          lane < 8 ? 0xaaU : 0x80000000U,
                                          (uint32_t)__builtin_popcount(value(lane)) << 16 | ffs << 8
                                              | (lane ? (uint32_t)__builtin_clz(lane) : 32U),
                                          2 * (lane == 31 ? 31 : lane + 1),
                                          0};
    return wants[which];
}

void lanes(struct gpu *gpu)
{
    void *out = support_device_take(gpu, NULL, 32 * LANE_RESULTS * 4);
    run(gpu, lanes_kernel, "lanes", {1, 1, 1, 32, 0}, lanes_args{static_cast<uint32_t *>(out)});
    uint32_t *got = read<uint32_t>(gpu, out, 32 * LANE_RESULTS);
    for (uint32_t lane = 0; lane < 32; lane++) {
        for (int i = 0; i < LANE_RESULTS; i++) {
            const uint32_t value = got[lane * LANE_RESULTS + (uint32_t)i];
            CHECK(value == lanes_want(lane, i), "result %d of lane %u: %08x, not %08x", i, lane,
                  value, lanes_want(lane, i));
        }
    }
    free(got);
}

// ---- blocks: barriers, atomics, the last block ----

struct blocks_args {
    uint32_t *counter, *partial, *out;
    uint32_t count;
};

// Two warps fill what two others sum, by named barriers; the last block adds the blocks' sums.
__global__ void blocks_kernel(const blocks_args args)
{
    GPU_SHARED(uint32_t, shared);
    dependency_wait();
    uint32_t *is_last = shared + 64;
    for (uint32_t round = 0; round < 3; round++) {
        if (threadIdx.x < 64) {
            named_barrier_sync(1, 128); // free
            shared[threadIdx.x] = blockIdx.x + threadIdx.x * round;
            named_barrier_arrive(2, 128); // full
        } else {
            named_barrier_arrive(1, 128);
            named_barrier_sync(2, 128);
            if (threadIdx.x == 64) {
                uint32_t sum = round == 0 ? 0 : args.partial[blockIdx.x];
                for (uint32_t i = 0; i < 64; i++) {
                    sum += shared[i];
                }
                args.partial[blockIdx.x] = sum;
            }
        }
    }
    if (threadIdx.x == 64) {
        __threadfence();
        *is_last = atomicAdd(args.counter, 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (*is_last && threadIdx.x == 0) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < gridDim.x; i++) {
            sum += args.partial[i];
            atomicMax(&args.out[1], args.partial[i]);
            atomicMin(&args.out[2], args.partial[i]);
        }
        args.out[0] = sum;
        args.out[3] = atomicExch(args.counter, 0);
        args.out[4] = atomicCAS(&args.out[5], 7, 8) + atomicCAS(&args.out[5], 0, 9);
    }
}

void blocks(struct gpu *gpu)
{
    enum { BLOCKS = 5 };
    const uint32_t zero = 0, start[6] = {0, 0, ~0U, 0, 0, 7};
    void *counter = support_device_take(gpu, &zero, 4);
    void *partial = support_device_take(gpu, NULL, BLOCKS * 4);
    void *out = support_device_take(gpu, start, sizeof start);
    run(gpu, blocks_kernel, "blocks", {BLOCKS, 1, 1, 128, 65 * 4},
        blocks_args{static_cast<uint32_t *>(counter), static_cast<uint32_t *>(partial),
                    static_cast<uint32_t *>(out), BLOCKS});
    uint32_t *got = read<uint32_t>(gpu, out, 6);
    const uint32_t first = 63 * 64 / 2 * 3, each = 64 * 3; // block i: first + i * each
    const uint32_t want[6] = {BLOCKS * first + each * 10, first + each * 4, first, BLOCKS, 15, 8};
    for (int i = 0; i < 6; i++) {
        CHECK(got[i] == want[i], "result %d: %u, not %u", i, got[i], want[i]);
    }
    free(got);
}

// ---- numbers ----

struct numbers_args {
    const float *x;
    uint32_t *out; // [NUMBER_RESULTS][count]
    uint32_t count;
};
enum { NUMBER_RESULTS = 13, NUMBER_COUNT = 4096 };

__global__ void numbers_kernel(const numbers_args args)
{
    dependency_wait();
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x, n = args.count;
    const float x = args.x[i];
    float low, high;
    args.out[i] = from_float<bf16>(x).bits;
    args.out[n + i] = from_float<f16>(x).bits;
    args.out[2 * n + i] = from_float<e4m3>(x).bits;
    args.out[3 * n + i] = __float_as_uint(to_float(bf16{(uint16_t)(i * 16)}));
    args.out[4 * n + i] = __float_as_uint(to_float(f16{(uint16_t)(i * 16)}));
    args.out[5 * n + i] = __float_as_uint(to_float(e4m3{(uint8_t)i}));
    args.out[6 * n + i] = pack2<bf16>(x, -x);
    args.out[7 * n + i] = pack2<f16>(-x, x);
    unpack2<bf16>(i * 0x9e3779b1U, low, high);
    args.out[8 * n + i] = __float_as_uint(low);
    args.out[9 * n + i] = __float_as_uint(high);
    uint32_t halves[2], brains[2];
    const uint32_t four = i % 256 * 0x01010101U ^ 0x80337f00U;
    e4m3x4_to<f16>(four & 0xfefefefeU, halves);
    e4m3x4_to<bf16>(four & 0xfefefefeU, brains);
    args.out[10 * n + i] = halves[0] ^ halves[1] << 1;
    args.out[11 * n + i] = brains[0] ^ brains[1] << 1;
    args.out[12 * n + i] = __float_as_uint(__uint_as_float(i));
}

uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

uint32_t e4m3_pairs(uint32_t four, bool is_half)
{
    uint16_t values[4];
    for (int i = 0; i < 4; i++) {
        const float x = dtype_e4m3_to_float((uint8_t)(four >> 8 * i));
        values[i] = is_half ? dtype_f16_from_float(x) : dtype_bf16_from_float(x);
    }
    const uint32_t low = values[0] | (uint32_t)values[1] << 16;
    return low ^ (values[2] | (uint32_t)values[3] << 16) << 1;
}

uint32_t number_want(uint32_t which, uint32_t i, float x)
{
    const uint32_t four = (i % 256 * 0x01010101U ^ 0x80337f00U) & 0xfefefefeU;
    const uint32_t hash = i * 0x9e3779b1U;
    const uint32_t brain = dtype_bf16_from_float(x), half = dtype_f16_from_float(x);
    const uint32_t wants[NUMBER_RESULTS] = {brain,
                                            half,
                                            dtype_e4m3_from_float(x),
                                            i << 20,
                                            bits_of(dtype_f16_to_float((uint16_t)(i * 16))),
                                            bits_of(dtype_e4m3_to_float((uint8_t)i)),
                                            brain | (brain ^ 0x8000U) << 16,
                                            (half ^ 0x8000U) | half << 16,
                                            hash << 16,
                                            hash & 0xffff0000U,
                                            e4m3_pairs(four, true),
                                            e4m3_pairs(four, false),
                                            i};
    return wants[which];
}

bool is_nan_bits(uint32_t bits)
{
    return (bits & 0x7fffffffU) > 0x7f800000U;
}

void numbers(struct gpu *gpu)
{
    struct random_source random = {11};
    float x[NUMBER_COUNT];
    for (uint32_t i = 0; i < NUMBER_COUNT; i++) {
        x[i] = ldexpf((float)random_unit(&random) - 0.5F, (int)(i % 48) - 30);
    }
    void *in = support_device_take(gpu, x, sizeof x);
    void *out = support_device_take(gpu, NULL, NUMBER_RESULTS * NUMBER_COUNT * 4);
    run(gpu, numbers_kernel, "numbers", {NUMBER_COUNT / 128, 1, 1, 128, 0},
        numbers_args{static_cast<float *>(in), static_cast<uint32_t *>(out), NUMBER_COUNT});
    uint32_t *got = read<uint32_t>(gpu, out, NUMBER_RESULTS * NUMBER_COUNT);
    for (uint32_t which = 0; which < NUMBER_RESULTS; which++) {
        for (uint32_t i = 0; i < NUMBER_COUNT; i++) {
            const uint32_t value = got[which * NUMBER_COUNT + i],
                           want = number_want(which, i, x[i]);
            const bool are_nan =
                is_nan_bits(value) && is_nan_bits(want) && which >= 3 && which <= 5;
            CHECK(value == want || are_nan, "result %u of %u (%g): %08x, not %08x", which, i,
                  (double)x[i], value, want);
        }
    }
    free(got);
}

struct functions_args {
    const float *x;
    float *out; // [FUNCTIONS][count]
    uint32_t count;
};
enum { FUNCTIONS = 8 };

__global__ void functions_kernel(const functions_args args)
{
    dependency_wait();
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x, n = args.count;
    const float x = args.x[i], positive = fabsf(x) + 0.01F;
    args.out[i] = exp2_fast(x);
    args.out[n + i] = exp_fast(x);
    args.out[2 * n + i] = log2_fast(positive);
    args.out[3 * n + i] = rcp_fast(positive);
    args.out[4 * n + i] = rsqrtf(positive);
    args.out[5 * n + i] = tanhf(x);
    args.out[6 * n + i] = fmaf(x, x, sqrtf(positive));
    args.out[7 * n + i] = fmaxf(expf(x), fminf(logf(positive), exp2f(x)));
}

void functions(struct gpu *gpu)
{
    enum { COUNT = 1024 };
    struct random_source random = {12};
    float *x = support_device_floats(&random, COUNT, 20.0F, DTYPE_F32);
    void *in = support_device_take(gpu, x, COUNT * 4);
    void *out = support_device_take(gpu, NULL, FUNCTIONS * COUNT * 4);
    run(gpu, functions_kernel, "functions", {COUNT / 256, 1, 1, 256, 0},
        functions_args{static_cast<float *>(in), static_cast<float *>(out), COUNT});
    float *got = read<float>(gpu, out, FUNCTIONS * COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        const double v = x[i], positive = (double)(fabsf(x[i]) + 0.01F);
        const double wants[FUNCTIONS] = {exp2(v),
                                         exp(v),
                                         log2(positive),
                                         1 / positive,
                                         1 / sqrt(positive),
                                         tanh(v),
                                         v * v + sqrt(positive),
                                         fmax(exp(v), fmin(log(positive), exp2(v)))};
        for (uint32_t f = 0; f < FUNCTIONS; f++) {
            const double error = fabs((double)got[f * COUNT + i] - wants[f]);
            CHECK(error <= 4e-6 * (fabs(wants[f]) + (f == 2 ? 1 : 0)),
                  "function %u of %g: %g, not %g", f, v, (double)got[f * COUNT + i], wants[f]);
        }
    }
    free(got);
    free(x);
}

// ---- cp.async ----

struct stages_args {
    const uint4 *in;
    uint4 *out;
    uint32_t steps, valid; // 16 bytes a thread a step; those from valid on read as zero
};
enum { STAGES = 3 };

// Each thread keeps STAGES - 1 groups under way and hands what came to its neighbour.
__global__ void stages_kernel(const stages_args args)
{
    GPU_SHARED(uint4, shared);
    dependency_wait();
    const uint32_t threads = blockDim.x, own = threadIdx.x;
    for (uint32_t step = 0; step < args.steps + STAGES - 1; step++) {
        if (step < args.steps) {
            const uint32_t at = step * threads + own;
            cp_async_16(&shared[step % STAGES * threads + own], args.in + at, at < args.valid);
        }
        cp_async_commit();
        if (step < STAGES - 1) {
            continue;
        }
        cp_async_wait<STAGES - 1>();
        __syncthreads();
        const uint32_t done = step - (STAGES - 1);
        args.out[done * threads + own] = shared[done % STAGES * threads + (own + 1) % threads];
        __syncthreads();
    }
}

void stages(struct gpu *gpu)
{
    enum { THREADS = 64, STEPS = 7, COUNT = THREADS * STEPS, VALID = COUNT - 70 };
    uint32_t in[COUNT * 4];
    for (uint32_t i = 0; i < COUNT * 4; i++) {
        in[i] = i * 2654435761U;
    }
    void *device = support_device_take(gpu, in, VALID * 16); // no more is to be read
    void *out = support_device_take(gpu, NULL, sizeof in);
    run(gpu, stages_kernel, "stages", {1, 1, 1, THREADS, STAGES * THREADS * 16},
        stages_args{static_cast<uint4 *>(device), static_cast<uint4 *>(out), STEPS, VALID});
    uint32_t *got = read<uint32_t>(gpu, out, COUNT * 4);
    for (uint32_t i = 0; i < COUNT * 4; i++) {
        const uint32_t thread = i / 4 % THREADS, from = i / 4 - thread + (thread + 1) % THREADS;
        const uint32_t want = from < VALID ? in[from * 4 + i % 4] : 0;
        CHECK(got[i] == want, "word %u: %08x, not %08x", i, got[i], want);
    }
    free(got);
}

// ---- bulk and tensor copies ----

struct bulk_args {
    struct gpu_tensor_map map;
    const unsigned char *plain;
    unsigned char *out; // [step][TILE_BYTES + PLAIN_BYTES]
    uint32_t steps, column, row, row_step;
};
enum { TILE_ROWS = 16, PLAIN_BYTES = 96, TILE_BYTES_MAX = TILE_ROWS * 128, RING = 2 };

// One thread fills a ring of two stages, a warp of its own reads them.
__global__ void bulk_kernel(const __grid_constant__ bulk_args args)
{
#if GPU_HAS_BULK_COPY
    GPU_SHARED(unsigned char, shared);
    enum { STAGE = 3072 }; // tiles start at multiples of 1,024, where swizzles repeat
    struct barrier *full = reinterpret_cast<struct barrier *>(shared + RING * STAGE);
    struct barrier *empty = full + RING;
    if (threadIdx.x == 0) {
        for (uint32_t i = 0; i < RING; i++) {
            barrier_init(full + i, 1);
            barrier_init(empty + i, 32);
        }
        barrier_init_fence();
    }
    __syncthreads();
    dependency_wait();
    for (uint32_t step = 0; step < args.steps; step++) {
        const uint32_t at = step % RING, parity = step / RING % 2;
        unsigned char *stage = shared + at * STAGE;
        if (threadIdx.x == 0) {
            barrier_wait(empty + at, parity ^ 1);
            barrier_arrive_expect(full + at, args.row_step + PLAIN_BYTES);
            tensor_copy_2d(stage, &args.map, args.column, args.row + step * TILE_ROWS, full + at);
            bulk_copy(stage + TILE_BYTES_MAX, args.plain + step * PLAIN_BYTES, PLAIN_BYTES,
                      full + at);
        } else if (threadIdx.x >= 32) {
            const uint32_t lane = threadIdx.x - 32;
            unsigned char *out = args.out + step * STAGE;
            barrier_wait(full + at, parity);
            for (uint32_t i = lane; i < TILE_BYTES_MAX + PLAIN_BYTES; i += 32) {
                out[i] = i < args.row_step || i >= TILE_BYTES_MAX ? stage[i] : 0;
            }
            barrier_arrive(empty + at);
        }
    }
#endif
}

uint8_t tensor_byte(const uint8_t *data, int64_t row, int64_t byte, uint32_t rows, uint32_t bytes,
                    uint32_t pitch)
{
    return row < 0 || row >= rows || byte < 0 || byte >= bytes ? 0 : data[row * pitch + byte];
}

void bulk_case(struct gpu *gpu, uint32_t swizzle, uint32_t box_bytes, int32_t column)
{
    enum { ROWS = 40, PITCH = 272, BYTES = 258, STAGE = 3072, STEPS = 4 };
    uint8_t data[ROWS * PITCH], plain[STEPS * PLAIN_BYTES];
    for (uint32_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 37 + i / 256 + 1);
    }
    for (uint32_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 11 + 3);
    }
    void *device = support_device_take(gpu, data, sizeof data);
    void *rest = support_device_take(gpu, plain, sizeof plain);
    void *out = support_device_take(gpu, NULL, STEPS * STAGE);
    bulk_args args = {};
    CHECK(gpu_tensor_map_2d(&args.map, device, ROWS, BYTES / 2, PITCH, TILE_ROWS, box_bytes / 2, 2,
                            swizzle)
              == STATUS_OK,
          "swizzle %u: map", swizzle);
    args.plain = static_cast<unsigned char *>(rest);
    args.out = static_cast<unsigned char *>(out);
    args.steps = STEPS;
    args.column = (uint32_t)column;
    args.row = (uint32_t)-3;
    args.row_step = box_bytes * TILE_ROWS;
    run(gpu, bulk_kernel, "bulk", {1, 1, 1, 64, RING * STAGE + 4 * sizeof(struct barrier)}, args);
    uint8_t *got = read<uint8_t>(gpu, out, STEPS * STAGE);
    const uint32_t mask = swizzle ? swizzle / 16 - 1 : 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        for (uint32_t i = 0; i < args.row_step; i++) {
            const int64_t row = (int64_t)step * TILE_ROWS + i / box_bytes - 3;
            const uint8_t want =
                tensor_byte(data, row, column * 2 + (int64_t)(i % box_bytes), ROWS, BYTES, PITCH);
            const uint32_t at = i ^ (i >> 7 & mask) << 4;
            CHECK(got[step * STAGE + at] == want, "swizzle %u, step %u, byte %u: %u, not %u",
                  swizzle, step, i, got[step * STAGE + at], want);
        }
        CHECK(memcmp(got + step * STAGE + TILE_BYTES_MAX, plain + step * PLAIN_BYTES, PLAIN_BYTES)
                  == 0,
              "step %u: the plain copy", step);
    }
    free(got);
}

void bulk(struct gpu *gpu)
{
    if (is_hopper(gpu)) {
        bulk_case(gpu, 0, 48, 0);
        bulk_case(gpu, 32, 32, 120);
        bulk_case(gpu, 64, 64, -5);
        bulk_case(gpu, 128, 128, 96);
        bulk_case(gpu, 128, 128, 64);
    }
}

void on_each_device(void)
{
    static void (*const tests[])(struct gpu *) = {lanes, blocks, numbers, functions, stages, bulk};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        support_device_on_each(tests[i]);
    }
}

} // namespace

CHECK_MAIN(on_each_device)
