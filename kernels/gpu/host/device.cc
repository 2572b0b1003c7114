// device.cc - gpu.h for the interpreter. Nothing runs when it is queued: the queue runs, in order,
// when the host waits, so that memory that the host changes or reads too early shows.
#include <map>
#include <memory>
#include <mutex>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "base/log.h"
#include "kernels/gpu/host/block.cuh"

namespace gpu_host
{

namespace
{

enum : uint64_t { DEVICE_COUNT = 3, MEMORY_BYTES = 512 << 20, MEMORY_ALIGN = 256 };

struct launched { // a call with a copy of its arguments
    call kernel;
    gpu_launch_shape shape;
    alignas(64) unsigned char arguments[4096];
};

enum class work { COPY, FILL, LAUNCH, RECORD };

struct operation {
    work kind;
    void *to;
    const void *from;
    size_t bytes;
    unsigned char byte;
    bool is_download;
    std::shared_ptr<const launched> kernel;
    struct gpu_event *event;
};

std::mutex running_lock; // one grid at a time in the process: the block is global

const char *const order_names[DEVICE_COUNT] = {"forward", "backward", "shuffled"};

} // namespace

} // namespace gpu_host

using namespace gpu_host;

struct gpu_stream {
    struct gpu *gpu;
};

struct gpu_graph {
    std::vector<operation> operations;
};

struct gpu_event {
    struct gpu *gpu;
    uint64_t ticket; // of the record; 0: never
    struct timespec time;
};

struct gpu {
    gpu_stream stream;
    uint32_t index;
    uint64_t used_bytes;
    std::map<uintptr_t, size_t> memory;
    std::vector<operation> queue;
    uint64_t queued, done; // operations ever
    uint64_t launch_count;
    bool is_capturing;
    std::vector<operation> captured;
    char failure[FAILURE_BYTES];
};

static enum status fail_device(struct gpu *gpu, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum status fail_device(struct gpu *gpu, const char *format, ...)
{
    if (gpu->failure[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(gpu->failure, sizeof gpu->failure, format, arguments);
        va_end(arguments);
        log_event(LOG_LEVEL_ERROR, "gpu", "device.failed", "reason=\"%s\"", gpu->failure);
    }
    return STATUS_DEVICE;
}

static bool has_failed(const struct gpu *gpu)
{
    return gpu->failure[0] != '\0';
}

// ---- the queue ----

static bool is_device(const struct gpu *gpu, const void *at, size_t bytes)
{
    const uintptr_t address = reinterpret_cast<uintptr_t>(at);
    auto after = gpu->memory.upper_bound(address);
    if (after == gpu->memory.begin()) {
        return false;
    }
    --after;
    return address + bytes <= after->first + after->second;
}

static void run_kernel(struct gpu *gpu, const launched &kernel)
{
    const std::lock_guard<std::mutex> lock(running_lock);
    call call = kernel.kernel;
    call.arguments = kernel.arguments;
    char text[FAILURE_BYTES];
#if defined(__x86_64__)
    const unsigned mode = _mm_getcsr();
    _mm_setcsr(0x1f80); // as the device: subnormal numbers count
#endif
    if (!run_grid(call, kernel.shape, {gpu->index, ++gpu->launch_count}, text)) {
        fail_device(gpu, "%s", text);
    }
#if defined(__x86_64__)
    _mm_setcsr(mode);
#endif
}

static void run_operation(struct gpu *gpu, const operation &operation)
{
    switch (operation.kind) {
    case work::COPY:
        memmove(operation.to, operation.from, operation.bytes);
        break;
    case work::FILL:
        memset(operation.to, operation.byte, operation.bytes);
        break;
    case work::LAUNCH:
        run_kernel(gpu, *operation.kernel);
        break;
    case work::RECORD:
        clock_gettime(CLOCK_MONOTONIC, &operation.event->time);
        break;
    }
}

static enum status run_until(struct gpu *gpu, uint64_t ticket)
{
    size_t count = 0;
    while (!has_failed(gpu) && gpu->done < ticket && count < gpu->queue.size()) {
        run_operation(gpu, gpu->queue[count++]);
        gpu->done++;
    }
    gpu->queue.erase(gpu->queue.begin(), gpu->queue.begin() + (ptrdiff_t)count);
    if (has_failed(gpu)) {
        gpu->queue.clear();
        return STATUS_DEVICE;
    }
    return STATUS_OK;
}

static void enqueue(struct gpu *gpu, const operation &operation)
{
    if (operation.is_download) { // not yet there, so that reading it early shows
        memset(operation.to, 0xFF, operation.bytes);
    }
    gpu->queue.push_back(operation);
    gpu->queued++;
}

static enum status add(struct gpu *gpu, const operation &operation)
{
    if (has_failed(gpu)) {
        return STATUS_DEVICE;
    }
    if (gpu->is_capturing) {
        gpu->captured.push_back(operation);
    } else {
        enqueue(gpu, operation);
    }
    return STATUS_OK;
}

static enum status refuse_capture(struct gpu *gpu, const char *what)
{
    if (!gpu->is_capturing) {
        return STATUS_OK;
    }
    gpu->is_capturing = false;
    return fail_device(gpu, "%s: not while a graph is captured", what);
}

// ---- devices ----

uint32_t gpu_count(struct failure *)
{
    return DEVICE_COUNT;
}

enum status gpu_open(uint32_t index, struct gpu **out, struct failure *failure)
{
    if (index >= DEVICE_COUNT) {
        return fail(failure, STATUS_NOT_FOUND, "GPU %u: the host build has 0 to %u", index,
                    (unsigned)DEVICE_COUNT - 1);
    }
    struct gpu *gpu = new struct gpu();
    gpu->stream.gpu = gpu;
    gpu->index = index;
    *out = gpu;
    return STATUS_OK;
}

void gpu_close(struct gpu *gpu)
{
    if (gpu) {
        (void)!run_until(gpu, gpu->queued);
        delete gpu;
    }
}

void gpu_get_info(const struct gpu *gpu, struct gpu_info *out)
{
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "interpreter on the CPU, threads %s",
             order_names[gpu->index]);
    snprintf(out->driver, sizeof out->driver, "host");
    snprintf(out->runtime, sizeof out->runtime, "host");
    out->multiprocessors = 4;
    out->compute_major = 9;
    out->total_bytes = MEMORY_BYTES;
    out->free_bytes = MEMORY_BYTES - gpu->used_bytes;
    out->l2_bytes = 1 << 20;
    out->shared_bytes_max = SHARED_BYTES_MAX;
}

struct gpu_stream *gpu_stream_of(struct gpu *gpu)
{
    return &gpu->stream;
}

const char *gpu_failure_text(const struct gpu *gpu)
{
    return gpu->failure;
}

// ---- memory ----

enum status gpu_memory_take(struct gpu *gpu, size_t bytes, void **out, struct failure *failure)
{
    if (has_failed(gpu) || refuse_capture(gpu, "gpu_memory_take") != STATUS_OK) {
        return fail(failure, STATUS_DEVICE, "%s", gpu->failure);
    }
    const uint64_t free_bytes = MEMORY_BYTES - gpu->used_bytes;
    void *memory;
    if (bytes > free_bytes || posix_memalign(&memory, MEMORY_ALIGN, bytes ? bytes : 1) != 0) {
        return fail(failure, STATUS_FULL,
                    "GPU memory: %zu bytes asked for, %llu free, %llu are missing", bytes,
                    (unsigned long long)free_bytes, (unsigned long long)(bytes - free_bytes));
    }
    memset(memory, 0xFF, bytes);
    gpu->memory[reinterpret_cast<uintptr_t>(memory)] = bytes;
    gpu->used_bytes += bytes;
    *out = memory;
    return STATUS_OK;
}

void gpu_memory_give_back(struct gpu *gpu, void *memory)
{
    if (memory) {
        (void)!run_until(gpu, gpu->queued);
        const auto found = gpu->memory.find(reinterpret_cast<uintptr_t>(memory));
        gpu->used_bytes -= found->second;
        gpu->memory.erase(found);
        free(memory);
    }
}

enum status gpu_pinned_take(struct gpu *gpu, size_t bytes, void **out, struct failure *failure)
{
    if (has_failed(gpu)) {
        return fail(failure, STATUS_DEVICE, "%s", gpu->failure);
    }
    if (posix_memalign(out, MEMORY_ALIGN, bytes ? bytes : 1) != 0) {
        return fail(failure, STATUS_FULL, "pinned memory: %zu bytes asked for", bytes);
    }
    memset(*out, 0xFF, bytes);
    return STATUS_OK;
}

void gpu_pinned_give_back(struct gpu *gpu, void *memory)
{
    if (memory) {
        (void)!run_until(gpu, gpu->queued);
        free(memory);
    }
}

static enum status add_copy(struct gpu *gpu, const char *what, operation copy, bool to_device,
                            bool from_device)
{
    if ((to_device && !is_device(gpu, copy.to, copy.bytes))
        || (from_device && !is_device(gpu, copy.from, copy.bytes))) {
        return fail_device(gpu, "%s: %zu bytes that are not device memory of this device", what,
                           copy.bytes);
    }
    return copy.bytes == 0 ? STATUS_OK : add(gpu, copy);
}

enum status gpu_upload_async(struct gpu *gpu, void *device, const void *host, size_t bytes)
{
    return add_copy(gpu, "gpu_upload_async", {work::COPY, device, host, bytes, 0, false, {}, {}},
                    true, false);
}

enum status gpu_download_async(struct gpu *gpu, void *host, const void *device, size_t bytes)
{
    return add_copy(gpu, "gpu_download_async", {work::COPY, host, device, bytes, 0, true, {}, {}},
                    false, true);
}

enum status gpu_copy_async(struct gpu *gpu, void *to, const void *from, size_t bytes)
{
    return add_copy(gpu, "gpu_copy_async", {work::COPY, to, from, bytes, 0, false, {}, {}}, true,
                    true);
}

enum status gpu_fill_async(struct gpu *gpu, void *device, unsigned char byte, size_t bytes)
{
    return add_copy(gpu, "gpu_fill_async",
                    {work::FILL, device, nullptr, bytes, byte, false, {}, {}}, true, false);
}

// ---- time ----

enum status gpu_wait(struct gpu *gpu)
{
    const enum status status = refuse_capture(gpu, "gpu_wait");
    return status == STATUS_OK ? run_until(gpu, gpu->queued) : status;
}

enum status gpu_event_create(struct gpu *gpu, struct gpu_event **out)
{
    if (has_failed(gpu)) {
        return STATUS_DEVICE;
    }
    *out = new struct gpu_event();
    (*out)->gpu = gpu;
    return STATUS_OK;
}

void gpu_event_destroy(struct gpu_event *event)
{
    if (event) {
        (void)!run_until(event->gpu, event->gpu->queued);
        delete event;
    }
}

enum status gpu_event_record(struct gpu *gpu, struct gpu_event *event)
{
    enum status status = refuse_capture(gpu, "gpu_event_record");
    if (status == STATUS_OK) {
        status = add(gpu, {work::RECORD, nullptr, nullptr, 0, 0, false, {}, event});
        event->ticket = gpu->queued;
    }
    return status;
}

enum status gpu_event_wait(struct gpu *gpu, struct gpu_event *event)
{
    const enum status status = refuse_capture(gpu, "gpu_event_wait");
    return status == STATUS_OK ? run_until(gpu, event->ticket) : status;
}

enum status gpu_event_milliseconds(struct gpu_event *from, struct gpu_event *to, float *out)
{
    const struct gpu *gpu = from->gpu;
    if (has_failed(gpu)) {
        return STATUS_DEVICE;
    }
    if (from->ticket == 0 || to->ticket == 0 || gpu->done < from->ticket
        || gpu->done < to->ticket) {
        return STATUS_INVALID;
    }
    *out = (float)((double)(to->time.tv_sec - from->time.tv_sec) * 1e3
                   + (double)(to->time.tv_nsec - from->time.tv_nsec) * 1e-6);
    return STATUS_OK;
}

// ---- graphs ----

enum status gpu_capture_begin(struct gpu *gpu)
{
    if (has_failed(gpu) || refuse_capture(gpu, "gpu_capture_begin") != STATUS_OK) {
        return STATUS_DEVICE;
    }
    gpu->captured.clear();
    gpu->is_capturing = true;
    return STATUS_OK;
}

enum status gpu_capture_end(struct gpu *gpu, struct gpu_graph **out)
{
    if (has_failed(gpu)) {
        return STATUS_DEVICE;
    }
    if (!gpu->is_capturing) {
        return fail_device(gpu, "gpu_capture_end without a begin");
    }
    gpu->is_capturing = false;
    *out = new struct gpu_graph();
    (*out)->operations.swap(gpu->captured);
    return STATUS_OK;
}

enum status gpu_graph_launch(struct gpu *gpu, struct gpu_graph *graph)
{
    const enum status status = refuse_capture(gpu, "gpu_graph_launch");
    if (status != STATUS_OK || has_failed(gpu)) {
        return STATUS_DEVICE;
    }
    for (const operation &operation : graph->operations) {
        enqueue(gpu, operation);
    }
    return STATUS_OK;
}

void gpu_graph_destroy(struct gpu_graph *graph)
{
    delete graph;
}

// ---- launches ----

enum status gpu_host::launch(const call &call, const gpu_launch_shape &shape, gpu_stream *stream)
{
    struct gpu *gpu = stream->gpu;
    if (has_failed(gpu)) {
        return STATUS_DEVICE;
    }
    if (shape.grid_x == 0 || shape.grid_y == 0 || shape.grid_z == 0) {
        return STATUS_OK;
    }
    if (shape.grid_x > INT32_MAX || shape.grid_y > UINT16_MAX || shape.grid_z > UINT16_MAX
        || shape.block_threads == 0 || shape.block_threads > THREADS_MAX
        || shape.block_threads % 32 != 0 || shape.shared_bytes > SHARED_BYTES_MAX) {
        return fail_device(
            gpu, "%s: cannot launch %u x %u x %u blocks of %u threads with %zu bytes", call.name,
            shape.grid_x, shape.grid_y, shape.grid_z, shape.block_threads, shape.shared_bytes);
    }
    auto copy = std::make_shared<launched>();
    copy->kernel = call;
    copy->shape = shape;
    memcpy(copy->arguments, call.arguments, call.bytes);
    return add(gpu, {work::LAUNCH, nullptr, nullptr, 0, 0, false, copy, nullptr});
}
