// block.cuh - the block that runs, for the implementation files of this folder.
#pragma once
#include <vector>

#include "kernels/gpu/device.cuh"
#include "kernels/gpu/host/fiber.cuh"

namespace gpu_host
{

enum : uint32_t {
    THREADS_MAX = FIBER_COUNT_MAX,
    SHARED_BYTES_MAX = 227 * 1024,
    SHARED_WINDOW_BYTES = 256 * 1024, // what wgmma descriptors can address
    SHARED_FIRST = 1024,              // the system's, below the kernel's
    FAILURE_BYTES = 1024
};

// ---- copies.cc ----

struct copy_16 { // one cp.async
    void *to;
    const void *from;
    bool is_valid;
};

struct thread_copies { // of one thread: group_ends[i] copies belong to the groups up to i
    std::vector<copy_16> copies;
    std::vector<size_t> group_ends;
};

void copies_reset(); // before a block: nothing under way

// ---- tensor_cores.cc ----

struct wgmma_call {
    float *d;
    uint32_t a[4];
    uint64_t a_descriptor, b_descriptor;
    uint32_t n;
    bool is_bf16, adds, has_a_registers, is_b_transposed;
    site where;
    uint32_t accumulator; // index into thread_wgmma.accumulators
};

struct accumulator { // the values of d while wgmma works on it: d itself holds NaN meanwhile
    float *d;
    uint32_t n, pending;
    std::vector<float> values;
};

struct thread_wgmma {
    std::vector<wgmma_call> calls;
    std::vector<size_t> group_ends;
    std::vector<accumulator> accumulators;
    bool is_fenced;
    uint32_t issued;
};

// ---- block.cc ----

struct thread : place {
    bool has_ended, has_waited_dependency;
    const char *waits_in; // name of the instruction, NULL while it can run
    site waits_at;
    const void *waits_for; // a barrier's address, for reports and mbarriers
    uint32_t parity;
    uint32_t waits_id; // of a block barrier
    thread_copies copies;
    thread_wgmma wgmma;
};

extern thread threads[THREADS_MAX];
extern thread *running; // == self

// Ends the launch: nothing of this block runs again. The text gets the kernel, block and thread.
[[noreturn]] void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

void wait_in(const char *name, site site); // until somebody wakes this thread
void wake(thread &thread);

// What is asynchronous takes as long as it may: everybody else gets as far as they can first (on
// device 1 it takes no time).
void let_others_run();

bool is_shared(const void *at, size_t bytes); // inside the kernel's shared memory

struct launch_order {
    uint32_t threads; // 0 forward, 1 backward, 2 shuffled
    uint64_t seed;
};

// Runs a whole grid. False: failure says what went wrong.
bool run_grid(const call &call, const gpu_launch_shape &shape, launch_order order,
              char failure[FAILURE_BYTES]);

} // namespace gpu_host
