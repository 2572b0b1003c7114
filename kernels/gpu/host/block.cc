// block.cc - runs a grid, one block at a time, its threads as fibers. A thread runs until it has to
// wait; what it waits for wakes it. When nobody can run and somebody waits, the block is stuck.
#include "kernels/gpu/host/block.cuh"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include "base/random.h"

namespace gpu_host
{

const place *self;
index3 block_index, block_size, grid_size;
unsigned char *shared_memory;

thread threads[THREADS_MAX];
thread *running;

namespace
{

enum : uint32_t { BARRIER_COUNT = 16, MEETINGS_MAX = 32, CANARY = 0xA5, CANARY_BYTES = 1024 };

struct meeting {
    uint32_t mask, arrived;
    const char *what;
    site where;
    lanes_work work;
    void *arguments[32];
};

struct warp_state {
    uint32_t ended; // lanes
    uint32_t meeting_count;
    meeting meetings[MEETINGS_MAX];
};

struct block_barrier {
    uint32_t threads, arrived;
    site where;
};

struct {
    const call *kernel;
    uint32_t thread_count, alive;
    size_t shared_bytes;
    launch_order order;
    struct random_source random;
    bool has_failed;
    char *failure;
    uint32_t ready[THREADS_MAX]; // a ring: who can run
    uint32_t ready_first, ready_count;
    std::vector<uint32_t> late; // who runs when nobody else can
    warp_state warps[THREADS_MAX / 32];
    block_barrier barriers[BARRIER_COUNT];
} block;

// ---- who runs next ----

void make_ready(uint32_t index)
{
    block.ready[(block.ready_first + block.ready_count++) % THREADS_MAX] = index;
}

// Forward: first come, first served. Backward: the last woken runs on, so that a warp gets as far
// ahead of the others as it can. Shuffled: anyone.
uint32_t take_ready()
{
    if (block.order.threads == 2) {
        const uint32_t pick = (uint32_t)random_below(&block.random, block.ready_count);
        const uint32_t at = (block.ready_first + pick) % THREADS_MAX;
        const uint32_t first = block.ready[block.ready_first];
        block.ready[block.ready_first] = block.ready[at];
        block.ready[at] = first;
    }
    block.ready_count--;
    if (block.order.threads == 1) {
        return block.ready[(block.ready_first + block.ready_count) % THREADS_MAX];
    }
    const uint32_t index = block.ready[block.ready_first];
    block.ready_first = (block.ready_first + 1) % THREADS_MAX;
    return index;
}

void become(uint32_t index)
{
    running = &threads[index];
    self = running;
}

// Leaves the running thread, which comes back from here when it is its turn again.
void run_another()
{
    const uint32_t from = running->index.x;
    if (block.ready_count == 0 && !block.late.empty()) {
        make_ready(block.late.back());
        block.late.pop_back();
    }
    if (block.ready_count == 0) {
        fiber_switch_main(from);
        return;
    }
    const uint32_t to = take_ready();
    if (to != from) {
        become(to);
        fiber_switch(from, to);
    }
}

// ---- threads ----

void thread_main()
{
    block.kernel->enter(block.kernel->kernel, block.kernel->arguments);
    thread &own = *running;
    if (!own.has_waited_dependency) {
        fault("ends without dependency_wait()");
    }
    warp_state &warp = block.warps[own.warp];
    for (uint32_t i = 0; i < warp.meeting_count; i++) {
        if (warp.meetings[i].mask >> own.lane & 1) {
            fault("ends, but other lanes wait for it in %s at %s:%d", warp.meetings[i].what,
                  warp.meetings[i].where.file, warp.meetings[i].where.line);
        }
    }
    warp.ended |= 1U << own.lane;
    own.has_ended = true;
    block.alive--;
    run_another();
    abort(); // nobody wakes it
}

void thread_reset(uint32_t index)
{
    thread &thread = threads[index];
    thread.index = {index, 0, 0};
    thread.lane = index % 32;
    thread.warp = index / 32;
    thread.has_ended = thread.has_waited_dependency = false;
    thread.waits_in = nullptr;
    thread.copies.copies.clear();
    thread.copies.group_ends.clear();
    thread.wgmma.calls.clear();
    thread.wgmma.group_ends.clear();
    thread.wgmma.accumulators.clear();
    thread.wgmma.is_fenced = false;
    thread.wgmma.issued = 0;
    fiber_reset(index, thread_main);
}

// ---- shared memory ----

unsigned char *window() // aligned to its size, so that 18 bits of an address say where in it
{
    static unsigned char *aligned;
    if (!aligned) {
        void *memory = mmap(nullptr, 2 * SHARED_WINDOW_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            abort();
        }
        const uintptr_t address = reinterpret_cast<uintptr_t>(memory) + SHARED_WINDOW_BYTES - 1;
        aligned =
            reinterpret_cast<unsigned char *>(address & ~(uintptr_t)(SHARED_WINDOW_BYTES - 1));
    }
    return aligned;
}

void shared_prepare()
{
    shared_memory = window() + SHARED_FIRST;
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(window(), SHARED_WINDOW_BYTES);
    __asan_unpoison_memory_region(shared_memory, block.shared_bytes);
#else
    memset(window(), CANARY, SHARED_FIRST);
    memset(shared_memory + block.shared_bytes, CANARY, CANARY_BYTES);
#endif
    memset(shared_memory, 0xFF, block.shared_bytes);
}

// The address sanitizer sees each access; without it, at least the damage.
bool shared_is_intact()
{
#if !defined(__SANITIZE_ADDRESS__)
    for (uint32_t i = 0; i < CANARY_BYTES; i++) {
        if (shared_memory[block.shared_bytes + i] != CANARY || window()[i] != CANARY) {
            return false;
        }
    }
#endif
    return true;
}

// ---- reports ----

void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report(const char *format, ...)
{
    if (!block.has_failed) {
        block.has_failed = true;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(block.failure, FAILURE_BYTES, format, arguments);
        va_end(arguments);
    }
}

void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void append(char *text, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, FAILURE_BYTES - used, format, arguments);
    va_end(arguments);
}

bool waits_alike(const thread &a, const thread &b)
{
    return a.waits_in == b.waits_in && a.waits_at.file == b.waits_at.file
           && a.waits_at.line == b.waits_at.line;
}

void report_stuck()
{
    char text[FAILURE_BYTES] = "";
    for (uint32_t i = 0; i < block.thread_count; i++) {
        uint32_t first = 0, count = 0;
        while (threads[i].waits_in
               && (!threads[first].waits_in || !waits_alike(threads[first], threads[i]))) {
            first++;
        }
        if (!threads[i].waits_in || first != i) {
            continue; // runs no more, or was counted with an earlier one
        }
        for (uint32_t j = i; j < block.thread_count; j++) {
            count += threads[j].waits_in && waits_alike(threads[i], threads[j]);
        }
        append(text, "; %u threads (the first is %u) in %s at %s:%d", count, i, threads[i].waits_in,
               threads[i].waits_at.file, threads[i].waits_at.line);
    }
    report("%s: block %u,%u,%u is stuck, %u threads have ended%s", block.kernel->name,
           block_index.x, block_index.y, block_index.z, block.thread_count - block.alive, text);
}

// ---- the block ----

void block_reset()
{
    block.alive = block.thread_count;
    block.ready_first = block.ready_count = 0;
    block.late.clear();
    memset(block.barriers, 0, sizeof block.barriers);
    for (uint32_t i = 0; i < block.thread_count / 32; i++) {
        block.warps[i].ended = block.warps[i].meeting_count = 0;
    }
    for (uint32_t i = 0; i < block.thread_count; i++) {
        thread_reset(i);
        make_ready(i);
    }
    copies_reset();
    shared_prepare();
}

void check_warpgroups()
{
    for (uint32_t i = 0; i < block.thread_count; i++) {
        if (threads[i].wgmma.issued != threads[i / 128 * 128].wgmma.issued) {
            report("%s: block %u,%u,%u: thread %u issued %u wgmma, thread %u of its warpgroup %u",
                   block.kernel->name, block_index.x, block_index.y, block_index.z, i,
                   threads[i].wgmma.issued, i / 128 * 128, threads[i / 128 * 128].wgmma.issued);
        }
    }
}

void run_block()
{
    block_reset();
    become(take_ready());
    fiber_switch_from_main(running->index.x);
    running = nullptr;
    self = nullptr;
    if (!block.has_failed && block.alive > 0) {
        report_stuck();
    }
    if (block.has_failed) {
        fiber_abandon_all();
        return;
    }
    check_warpgroups();
    if (!shared_is_intact()) {
        report("%s: block %u,%u,%u wrote outside its shared memory", block.kernel->name,
               block_index.x, block_index.y, block_index.z);
    }
}

void shuffle_blocks(std::vector<uint64_t> &blocks)
{
    for (size_t i = 0; i < blocks.size(); i++) {
        const size_t last = blocks.size() - 1;
        if (block.order.threads == 1 && i < last - i) {
            std::swap(blocks[i], blocks[last - i]);
        } else if (block.order.threads == 2) {
            std::swap(blocks[i], blocks[i + random_below(&block.random, (uint32_t)(last - i + 1))]);
        }
    }
}

} // namespace

void fault(const char *format, ...)
{
    char text[FAILURE_BYTES] = "";
    append(text, "%s: block %u,%u,%u, thread %u: ", block.kernel->name, block_index.x,
           block_index.y, block_index.z, running->index.x);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + strlen(text), FAILURE_BYTES - strlen(text), format, arguments);
    va_end(arguments);
    report("%s", text);
    fiber_switch_main(running->index.x);
    abort(); // never resumed
}

void wait_in(const char *name, site site)
{
    running->waits_in = name;
    running->waits_at = site;
    run_another();
}

void wake(thread &thread)
{
    thread.waits_in = nullptr;
    thread.waits_for = nullptr;
    make_ready(thread.index.x);
}

void let_others_run()
{
    if (block.order.threads != 1) {
        block.late.push_back(running->index.x);
        run_another();
    }
}

bool is_shared(const void *at, size_t bytes)
{
    const uintptr_t first = reinterpret_cast<uintptr_t>(shared_memory);
    const uintptr_t address = reinterpret_cast<uintptr_t>(at);
    return address >= first && address + bytes <= first + block.shared_bytes;
}

// ---- lanes of a warp meet ----

static bool is_same(const meeting &meeting, const char *what, site site)
{
    return meeting.what == what && meeting.where.line == site.line
           && (meeting.where.file == site.file || strcmp(meeting.where.file, site.file) == 0);
}

static meeting &meeting_find(warp_state &warp, uint32_t mask, const char *what, site site)
{
    for (uint32_t i = 0; i < warp.meeting_count; i++) {
        meeting &found = warp.meetings[i];
        if (found.mask == mask && is_same(found, what, site)) {
            return found;
        }
        if (found.arrived & mask && found.mask >> running->lane & 1) { // each waits for the other
            fault("in %s(mask %08x) at %s:%d, but lanes %08x of its warp wait in %s(mask %08x) at "
                  "%s:%d",
                  what, mask, site.file, site.line, found.arrived, found.what, found.mask,
                  found.where.file, found.where.line);
        }
    }
    meeting &fresh = warp.meetings[warp.meeting_count++];
    fresh = {mask, 0, what, site, nullptr, {}};
    return fresh;
}

static void meeting_end(warp_state &warp, meeting &ended)
{
    const uint32_t first = running->warp * 32, mask = ended.mask;
    ended = warp.meetings[--warp.meeting_count];
    for (uint32_t lane = 0; lane < 32; lane++) {
        if (mask >> lane & 1) {
            wake(threads[first + lane]);
        }
    }
}

void meet(uint32_t mask, const char *what, site site, void *argument, lanes_work work)
{
    warp_state &warp = block.warps[running->warp];
    if (!(mask >> running->lane & 1) || warp.ended & mask) {
        fault("in %s at %s:%d with mask %08x: not its lane, or lanes that have ended (%08x)", what,
              site.file, site.line, mask, warp.ended);
    }
    meeting &meeting = meeting_find(warp, mask, what, site);
    meeting.arrived |= 1U << running->lane;
    meeting.arguments[running->lane] = argument;
    if (meeting.arrived == mask) {
        if (work) {
            work(mask, meeting.arguments);
        }
        meeting_end(warp, meeting);
        run_another();
    } else {
        wait_in(what, site);
    }
}

void ballot_work(uint32_t mask, void *const arguments[32])
{
    uint32_t votes = 0;
    for (uint32_t lane = 0; lane < 32; lane++) {
        if (mask >> lane & 1 && *static_cast<uint32_t *>(arguments[lane])) {
            votes |= 1U << lane;
        }
    }
    for (uint32_t lane = 0; lane < 32; lane++) {
        if (mask >> lane & 1) {
            *static_cast<uint32_t *>(arguments[lane]) = votes;
        }
    }
}

// ---- threads of a block meet ----

static bool barrier_count(uint32_t id, uint32_t count, site site)
{
    if (id >= BARRIER_COUNT || count == 0 || count % 32 != 0 || count > block.thread_count) {
        fault("at %s:%d: no barrier %u of %u threads", site.file, site.line, id, count);
    }
    block_barrier &barrier = block.barriers[id];
    if (barrier.arrived > 0 && barrier.threads != count) {
        fault("at %s:%d: barrier %u for %u threads, but for %u at %s:%d", site.file, site.line, id,
              count, barrier.threads, barrier.where.file, barrier.where.line);
    }
    if (id == 0 && barrier.arrived > 0 && barrier.where.line != site.line) {
        fault("in __syncthreads at %s:%d, others in the one at %s:%d", site.file, site.line,
              barrier.where.file, barrier.where.line);
    }
    barrier.threads = count;
    barrier.where = site;
    barrier.arrived++;
    return barrier.arrived == count;
}

static void barrier_open(uint32_t id)
{
    block.barriers[id] = {};
    for (uint32_t i = 0; i < block.thread_count; i++) {
        if (threads[i].waits_in && threads[i].waits_for == &block.barriers[id]) {
            wake(threads[i]);
        }
    }
}

void barrier_sync(uint32_t id, uint32_t count, site site)
{
    const bool is_last = barrier_count(id, count, site);
    running->waits_for = &block.barriers[id];
    if (is_last) {
        running->waits_in = "barrier";
        barrier_open(id);
        run_another();
    } else {
        wait_in(id == 0 ? "__syncthreads" : "named_barrier_sync", site);
    }
}

void barrier_arrive(uint32_t id, uint32_t count, site site)
{
    if (barrier_count(id, count, site)) {
        barrier_open(id);
    }
}

void dependency_waited()
{
    running->has_waited_dependency = true;
}

// ---- the grid ----

bool run_grid(const call &call, const gpu_launch_shape &shape, launch_order order,
              char failure[FAILURE_BYTES])
{
    block.kernel = &call;
    block.thread_count = shape.block_threads;
    block.shared_bytes = shape.shared_bytes;
    block.order = order;
    block.random = {order.seed};
    block.has_failed = false;
    block.failure = failure;
    grid_size = {shape.grid_x, shape.grid_y, shape.grid_z};
    block_size = {shape.block_threads, 1, 1};
    std::vector<uint64_t> blocks((size_t)shape.grid_x * shape.grid_y * shape.grid_z);
    for (size_t i = 0; i < blocks.size(); i++) {
        blocks[i] = i;
    }
    shuffle_blocks(blocks);
    for (size_t i = 0; i < blocks.size() && !block.has_failed; i++) {
        const uint64_t plane = (uint64_t)shape.grid_x * shape.grid_y;
        block_index = {(uint32_t)(blocks[i] % shape.grid_x),
                       (uint32_t)(blocks[i] % plane / shape.grid_x), (uint32_t)(blocks[i] / plane)};
        run_block();
    }
    return !block.has_failed;
}

} // namespace gpu_host
