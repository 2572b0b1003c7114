// Method: the host build must find bugs. Each kernel here is good with FAULT 0; every other value
// leaves out or breaks one thing. A fault counts as found when a launch fails or the result differs
// on at least one device (order of threads); the good kernel must pass on all. The same for
// mistakes with gpu.h. Not for a real GPU, where a fault may pass by luck or hang.
#include "tests/check.h"

#ifdef __CUDACC__

static void skipped(void)
{
    printf("skipped: faults are for the host build\n");
}
CHECK_MAIN(skipped)

#else

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/gpu/device.cuh"
#include "tests/kernels/gpu/support_device.h"

namespace
{

enum fault {
    GOOD,
    NO_DEPENDENCY_WAIT,
    NO_BARRIER,
    NO_SECOND_BARRIER,
    NO_COPY_WAIT,
    WAIT_TOO_FEW,
    DIVERGENT_SHUFFLE,
    LANE_LEFT,
    SKIPPED_BARRIER,
    OVERRUN_SHARED,
    NO_FULL_WAIT,
    NO_EMPTY_WAIT,
    EARLY_EMPTY,
    NO_BARRIER_INIT,
    TOO_FEW_BYTES,
    NO_WGMMA_WAIT,
    NO_WGMMA_FENCE,
    WRONG_SWIZZLE,
    WRONG_STRIDE,
    FAULT_COUNT
};

const char *const names[FAULT_COUNT] = {"good",
                                        "no dependency_wait",
                                        "no barrier",
                                        "no second barrier",
                                        "no cp_async_wait",
                                        "cp_async_wait too few",
                                        "divergent shuffle",
                                        "a lane left",
                                        "a warp skips __syncthreads",
                                        "shared memory overrun",
                                        "no barrier_wait for full",
                                        "no barrier_wait for empty",
                                        "empty before wgmma_wait",
                                        "no barrier_init",
                                        "too few bytes expected",
                                        "no wgmma_wait",
                                        "no wgmma_fence",
                                        "wrong swizzle",
                                        "wrong stride"};

// ---- cp.async, __syncthreads and shuffles: sums of 16-byte groups ----

enum : uint32_t { THREADS = 128, STEPS = 6, ALL = 0xffffffffU };

struct ring_args {
    const uint4 *in; // [step][thread]
    uint32_t *out;   // [step][warp]
};

template <int FAULT>
__device__ void store_sum(uint32_t *out, uint32_t value)
{
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        if (FAULT == DIVERGENT_SHUFFLE && threadIdx.x == 37) {
            value += __shfl_xor_sync(ALL, value, lanes); // the same by eye, another instruction
        } else {
            value += __shfl_xor_sync(ALL, value, lanes);
        }
        if (FAULT == LANE_LEFT && threadIdx.x == 70) {
            return;
        }
    }
    if (threadIdx.x % 32 == 0) {
        out[threadIdx.x / 32] = value;
    }
}

template <int FAULT>
__global__ void ring_kernel(const ring_args args)
{
    GPU_SHARED(uint4, shared); // [2][THREADS]
    if (FAULT != NO_DEPENDENCY_WAIT || threadIdx.x != 5) {
        dependency_wait();
    }
    const uint32_t own = threadIdx.x;
    cp_async_16(&shared[own], args.in + own, true);
    cp_async_commit();
    for (uint32_t step = 0; step < STEPS; step++) {
        if (step + 1 < STEPS) {
            const uint32_t at = (step + 1) % 2 * THREADS + own;
            cp_async_16(&shared[at], args.in + (step + 1) * THREADS + own, true);
        }
        cp_async_commit();
        if (FAULT == OVERRUN_SHARED && own == 0) {
            shared[2 * THREADS].x = step;
        }
        if (FAULT == WAIT_TOO_FEW) {
            cp_async_wait<2>();
        } else if (FAULT != NO_COPY_WAIT) {
            cp_async_wait<1>();
        }
        if (FAULT != NO_BARRIER && (FAULT != SKIPPED_BARRIER || step != 3 || own >= 32)) {
            __syncthreads();
        }
        const uint4 four = shared[step % 2 * THREADS + (own + 33) % THREADS];
        store_sum<FAULT>(args.out + step * THREADS / 32, four.x + four.y + four.z + four.w);
        if (FAULT != NO_SECOND_BARRIER) {
            __syncthreads();
        }
    }
}

// True: it ran and the result is right.
template <int FAULT>
bool ring_is_right(struct gpu *gpu)
{
    uint32_t in[STEPS * THREADS * 4], want[STEPS * THREADS / 32] = {};
    for (uint32_t i = 0; i < STEPS * THREADS * 4; i++) {
        in[i] = i * 2654435761U >> 7;
        const uint32_t thread = (i / 4 + THREADS - 33) % THREADS;
        want[i / 4 / THREADS * (THREADS / 32) + thread / 32] += in[i];
    }
    void *out = support_device_take(gpu, NULL, sizeof want);
    const ring_args args = {static_cast<uint4 *>(support_device_take(gpu, in, sizeof in)),
                            static_cast<uint32_t *>(out)};
    uint32_t got[STEPS * THREADS / 32];
    return gpu_launch(ring_kernel<FAULT>, names[FAULT], {1, 1, 1, THREADS, 2 * THREADS * 16},
                      gpu_stream_of(gpu), args)
               == STATUS_OK
           && gpu_download_async(gpu, got, out, sizeof got) == STATUS_OK
           && gpu_wait(gpu) == STATUS_OK && memcmp(got, want, sizeof want) == 0;
}

// ---- bulk copies, mbarriers and wgmma: a product of 64 x 64, k in chunks of 64 ----

enum : uint32_t { CHUNK = 64, CHUNKS = 5, STAGES = 2, STAGE_BYTES = 64 * CHUNK * 2 };

struct product_args {
    struct gpu_tensor_map b; // [64][CHUNKS * CHUNK]
    const uint16_t *a;       // the same shape
    float *out;              // [64][64]
};

template <int FAULT>
__device__ void fill(const product_args &args, unsigned char *stages, struct barrier *full)
{
    struct barrier *empty = full + STAGES;
    for (uint32_t chunk = 0; chunk < CHUNKS; chunk++) {
        const uint32_t stage = chunk % STAGES;
        if (FAULT != NO_EMPTY_WAIT) {
            barrier_wait(empty + stage, chunk / STAGES % 2 ^ 1);
        }
        barrier_arrive_expect(full + stage, STAGE_BYTES - (FAULT == TOO_FEW_BYTES ? 64 : 0));
        tensor_copy_2d(stages + stage * STAGE_BYTES, &args.b, chunk * CHUNK, 0, full + stage);
    }
}

template <int FAULT>
__device__ void multiply(const product_args &args, unsigned char *stages, struct barrier *full)
{
    struct barrier *empty = full + STAGES;
    const uint32_t lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;
    float d[32];
    for (uint32_t chunk = 0; chunk < CHUNKS; chunk++) {
        const uint32_t stage = chunk % STAGES;
        if (FAULT != NO_FULL_WAIT) {
            barrier_wait(full + stage, chunk / STAGES % 2);
        }
        if (FAULT != NO_WGMMA_FENCE) {
            wgmma_fence();
        }
        for (uint32_t k = 0; k < CHUNK; k += 16) {
            uint32_t a[4];
            for (uint32_t i = 0; i < 4; i++) {
                const uint32_t column = chunk * CHUNK + k + lane % 4 * 2 + i / 2 * 8;
                memcpy(&a[i], args.a + (row + i % 2 * 8) * CHUNKS * CHUNK + column, 4);
            }
            const uint64_t b = wgmma_descriptor(stages + stage * STAGE_BYTES + k * 2, 16,
                                                FAULT == WRONG_STRIDE ? 512 : 1024,
                                                FAULT == WRONG_SWIZZLE ? 64 : 128);
            wgmma_rs<bf16, 64>(d, a, b, chunk + k > 0);
        }
        wgmma_commit();
        if (FAULT == EARLY_EMPTY) {
            barrier_arrive(empty + stage);
        }
        if (FAULT != NO_WGMMA_WAIT || chunk + 1 < CHUNKS) {
            wgmma_wait<0>();
        }
        if (FAULT != EARLY_EMPTY) {
            barrier_arrive(empty + stage);
        }
    }
    for (uint32_t i = 0; i < 32; i++) {
        args.out[(row + i / 2 % 2 * 8) * 64 + i / 4 * 8 + lane % 4 * 2 + i % 2] = d[i];
    }
}

template <int FAULT>
__global__ void product_kernel(const __grid_constant__ product_args args)
{
    GPU_SHARED(unsigned char, shared);
    struct barrier *full = reinterpret_cast<struct barrier *>(shared + STAGES * STAGE_BYTES);
    if (threadIdx.x == 0 && FAULT != NO_BARRIER_INIT) {
        for (uint32_t i = 0; i < STAGES; i++) {
            barrier_init(full + i, 1);
            barrier_init(full + STAGES + i, 128);
        }
        barrier_init_fence();
    }
    __syncthreads();
    dependency_wait();
    if (threadIdx.x >= 128) {
        registers_lower<40>();
        if (threadIdx.x == 128) {
            fill<FAULT>(args, shared, full);
        }
    } else {
        registers_raise<240>();
        multiply<FAULT>(args, shared, full);
    }
}

template <int FAULT>
bool product_is_right(struct gpu *gpu)
{
    enum { ROW = CHUNKS * CHUNK, COUNT = 64 * ROW };
    struct random_source random = {5};
    float *a = support_device_floats(&random, COUNT, 1.0F, DTYPE_BF16);
    float *b = support_device_floats(&random, COUNT, 1.0F, DTYPE_BF16);
    void *narrow_a = support_device_narrow(a, COUNT, DTYPE_BF16);
    void *narrow_b = support_device_narrow(b, COUNT, DTYPE_BF16);
    void *device_b = support_device_take(gpu, narrow_b, COUNT * 2);
    void *out = support_device_take(gpu, NULL, 64 * 64 * 4);
    product_args args = {};
    args.a = static_cast<uint16_t *>(support_device_take(gpu, narrow_a, COUNT * 2));
    args.out = static_cast<float *>(out);
    float got[64 * 64];
    bool is_right =
        gpu_tensor_map_2d(&args.b, device_b, 64, ROW, ROW * 2, 64, CHUNK, 2, 128) == STATUS_OK
        && gpu_launch(product_kernel<FAULT>, names[FAULT],
                      {1, 1, 1, 256, STAGES * STAGE_BYTES + 2 * STAGES * 8}, gpu_stream_of(gpu),
                      args)
               == STATUS_OK
        && gpu_download_async(gpu, got, out, sizeof got) == STATUS_OK && gpu_wait(gpu) == STATUS_OK;
    for (uint32_t i = 0; i < 64 * 64 && is_right; i++) {
        double want = 0.0;
        for (uint32_t k = 0; k < ROW; k++) {
            want += (double)a[i / 64 * ROW + k] * (double)b[i % 64 * ROW + k];
        }
        const double error = (double)got[i] - want;
        is_right = error < 1e-3 && error > -1e-3; // false for NaN
    }
    free(a);
    free(b);
    free(narrow_a);
    free(narrow_b);
    return is_right;
}

// ---- on every device ----

uint32_t right_count;
char failures[3][1100];

// Opens each device by hand: a fault leaves it failed, which support_device_on_each would not
// stand.
void run_each(bool (*is_right)(struct gpu *))
{
    right_count = 0;
    for (uint32_t i = 0; i < 3; i++) {
        struct gpu *gpu;
        struct failure failure;
        if (gpu_open(i, &gpu, &failure) != STATUS_OK) {
            CHECK(false, "%s", failure.text);
            return;
        }
        right_count += is_right(gpu);
        snprintf(failures[i], sizeof failures[i], "%s", gpu_failure_text(gpu));
        support_device_forget(gpu);
        gpu_close(gpu);
    }
}

struct row {
    int fault;
    bool (*is_right)(struct gpu *);
    const char *text; // what the failure must say, or NULL: the result is enough
};

const row rows[] = {
    {GOOD, ring_is_right<GOOD>, NULL},
    {NO_DEPENDENCY_WAIT, ring_is_right<NO_DEPENDENCY_WAIT>, "thread 5: ends without dependency"},
    {NO_BARRIER, ring_is_right<NO_BARRIER>, NULL},
    {NO_SECOND_BARRIER, ring_is_right<NO_SECOND_BARRIER>, NULL},
    {NO_COPY_WAIT, ring_is_right<NO_COPY_WAIT>, NULL},
    {WAIT_TOO_FEW, ring_is_right<WAIT_TOO_FEW>, NULL},
    {DIVERGENT_SHUFFLE, ring_is_right<DIVERGENT_SHUFFLE>, "__shfl_xor_sync"},
    {LANE_LEFT, ring_is_right<LANE_LEFT>, "__shfl_xor_sync"},
    {SKIPPED_BARRIER, ring_is_right<SKIPPED_BARRIER>, "test_host.cu"},
    {GOOD, product_is_right<GOOD>, NULL},
    {NO_FULL_WAIT, product_is_right<NO_FULL_WAIT>, NULL},
    {NO_EMPTY_WAIT, product_is_right<NO_EMPTY_WAIT>, NULL},
    {EARLY_EMPTY, product_is_right<EARLY_EMPTY>, NULL},
    {NO_BARRIER_INIT, product_is_right<NO_BARRIER_INIT>, "barrier_init"},
    {TOO_FEW_BYTES, product_is_right<TOO_FEW_BYTES>, NULL},
    {NO_WGMMA_WAIT, product_is_right<NO_WGMMA_WAIT>, NULL},
    {NO_WGMMA_FENCE, product_is_right<NO_WGMMA_FENCE>, "wgmma_fence"},
    {WRONG_SWIZZLE, product_is_right<WRONG_SWIZZLE>, NULL},
    {WRONG_STRIDE, product_is_right<WRONG_STRIDE>, NULL},
};

void every_fault_is_found(void)
{
    for (const row &row : rows) {
        run_each(row.is_right);
        if (row.fault == GOOD) {
            CHECK(right_count == 3, "%s: right on %u of 3: %s %s %s", names[row.fault], right_count,
                  failures[0], failures[1], failures[2]);
            continue;
        }
        CHECK(right_count < 3, "not found: %s", names[row.fault]);
        bool is_told = row.text == NULL;
        for (const char *failure : failures) {
            is_told = is_told || strstr(failure, row.text);
        }
        CHECK(is_told, "%s: \"%s\"", names[row.fault], failures[0]);
        printf("%-28s found on %u of 3: %s\n", names[row.fault], 3 - right_count, failures[0]);
    }
}

// ---- shared memory's end ----

// The address sanitizer ends the process at the first byte outside, so that it needs one of its
// own.
void an_overrun_is_found(void)
{
#if defined(__SANITIZE_ADDRESS__)
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        run_each(ring_is_right<OVERRUN_SHARED>);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status != 0, "not found: an overrun");
#else
    run_each(ring_is_right<OVERRUN_SHARED>);
    CHECK(right_count == 0, "an overrun: right on %u of 3", right_count);
#endif
}

// ---- mistakes with gpu.h ----

struct twice_args {
    uint32_t *x;
};

__global__ void twice_kernel(const twice_args args)
{
    dependency_wait();
    args.x[threadIdx.x] *= 2;
}

// Host memory that changes between the queueing and the wait; a result read before the wait.
void host_memory_is_used_late(struct gpu *gpu)
{
    uint32_t in[32] = {7}, got[32] = {1};
    void *x = support_device_take(gpu, NULL, sizeof in);
    support_device_must(gpu, gpu_upload_async(gpu, x, in, sizeof in), "upload");
    support_device_must(gpu,
                        gpu_launch(twice_kernel, "twice", {1, 1, 1, 32, 0}, gpu_stream_of(gpu),
                                   twice_args{static_cast<uint32_t *>(x)}),
                        "launch");
    support_device_must(gpu, gpu_download_async(gpu, got, x, sizeof got), "download");
    in[0] = 8;
    CHECK(got[0] == 0xffffffffU, "a result before the wait: %u", got[0]);
    support_device_must(gpu, gpu_wait(gpu), "wait");
    CHECK(got[0] == 16, "an upload read its source early: %u", got[0]);
}

void a_graph_runs_again(struct gpu *gpu)
{
    uint32_t in[32], got[32];
    struct gpu_graph *graph = NULL;
    struct gpu_event *event = NULL, *end = NULL;
    void *x = support_device_take(gpu, NULL, sizeof in);
    support_device_must(gpu, gpu_event_create(gpu, &event), "event");
    support_device_must(gpu, gpu_event_create(gpu, &end), "event");
    support_device_must(gpu, gpu_capture_begin(gpu), "begin");
    support_device_must(gpu, gpu_upload_async(gpu, x, in, sizeof in), "upload");
    support_device_must(gpu,
                        gpu_launch(twice_kernel, "twice", {1, 1, 1, 32, 0}, gpu_stream_of(gpu),
                                   twice_args{static_cast<uint32_t *>(x)}),
                        "launch");
    support_device_must(gpu, gpu_download_async(gpu, got, x, sizeof got), "download");
    support_device_must(gpu, gpu_capture_end(gpu, &graph), "end");
    for (uint32_t round = 1; round < 4; round++) {
        for (uint32_t i = 0; i < 32; i++) {
            in[i] = i * round;
        }
        support_device_must(gpu, gpu_event_record(gpu, event), "record");
        support_device_must(gpu, gpu_graph_launch(gpu, graph), "graph");
        support_device_must(gpu, gpu_event_record(gpu, end), "record");
        support_device_must(gpu, gpu_event_wait(gpu, event), "wait for the start");
        CHECK(got[5] == 0xffffffffU, "ran before it had to");
        float milliseconds;
        CHECK(gpu_event_milliseconds(event, end, &milliseconds) == STATUS_INVALID, "not yet");
        support_device_must(gpu, gpu_event_wait(gpu, end), "wait");
        CHECK(got[5] == 10 * round, "round %u: %u", round, got[5]);
        CHECK(gpu_event_milliseconds(event, end, &milliseconds) == STATUS_OK && milliseconds >= 0,
              "time");
    }
    gpu_graph_destroy(graph);
    gpu_event_destroy(event);
    gpu_event_destroy(end);
}

void mistakes_fail_the_device(struct gpu *gpu)
{
    struct failure failure;
    uint32_t in[8] = {};
    void *x;
    CHECK(gpu_memory_take(gpu, (size_t)1 << 40, &x, &failure) == STATUS_FULL
              && strstr(failure.text, "missing"),
          "%s", failure.text);
    support_device_must(gpu, gpu_memory_take(gpu, 24, &x, &failure), "memory");
    CHECK(gpu_upload_async(gpu, x, in, 24) == STATUS_OK, "fits");
    CHECK(gpu_upload_async(gpu, x, in, 25) == STATUS_DEVICE, "one byte too many");
    CHECK(strstr(gpu_failure_text(gpu), "25 bytes"), "%s", gpu_failure_text(gpu));
    CHECK(gpu_wait(gpu) == STATUS_DEVICE, "a failed device stays failed");
    gpu_memory_give_back(gpu, x);
}

void an_open_device_each(void (*test)(struct gpu *))
{
    struct failure failure;
    for (uint32_t i = 0; i < gpu_count(&failure); i++) {
        struct gpu *gpu;
        CHECK(gpu_open(i, &gpu, &failure) == STATUS_OK, "%s", failure.text);
        test(gpu);
        support_device_forget(gpu);
        gpu_close(gpu);
    }
    struct gpu *none;
    CHECK(gpu_open(3, &none, &failure) == STATUS_NOT_FOUND, "no such device");
}

void the_device_is_used_rightly(void)
{
    an_open_device_each(host_memory_is_used_late);
    an_open_device_each(a_graph_runs_again);
    an_open_device_each(mistakes_fail_the_device);
}

} // namespace

CHECK_MAIN(every_fault_is_found, an_overrun_is_found, the_device_is_used_rightly)
#endif
