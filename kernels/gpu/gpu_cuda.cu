// gpu_cuda.cu - gpu.h by the CUDA runtime, and the only launch of kernels. libcuda is not linked:
// where there is no driver the program starts, and gpu_count() says why there is no GPU.
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "kernels/gpu/device.cuh"

#include <cuda.h> // types only

namespace
{

enum : uint32_t { KERNELS_MAX = 512, FAILURE_BYTES = 512, SHARED_FREE_BYTES = 48 * 1024 };

struct prepared { // a kernel that may use more shared memory than every kernel may
    const void *kernel;
    size_t shared_bytes;
};

} // namespace

struct gpu_stream {
    struct gpu *gpu;
    cudaStream_t stream;
};

struct gpu_graph {
    cudaGraphExec_t graph;
};

struct gpu_event {
    struct gpu *gpu;
    cudaEvent_t event;
};

struct gpu {
    gpu_stream stream;
    int index;
    bool can_overlap;        // programmatic dependent launch: sm_90 and later
    size_t shared_bytes_max; // of a block
    uint32_t prepared_count;
    prepared kernels[KERNELS_MAX];
    char failure[FAILURE_BYTES];
};

// ---- errors ----

static enum status fail_device(struct gpu *gpu, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum status fail_device(struct gpu *gpu, const char *format, ...)
{
    if (gpu->failure[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(gpu->failure, sizeof gpu->failure, format, arguments);
        va_end(arguments);
        log_event(LOG_LEVEL_ERROR, "gpu", "device.failed", "gpu=%d reason=\"%s\"", gpu->index,
                  gpu->failure);
    }
    return STATUS_DEVICE;
}

static enum status check(struct gpu *gpu, const char *what, cudaError_t error)
{
    return error == cudaSuccess ? STATUS_OK
                                : fail_device(gpu, "%s: %s", what, cudaGetErrorString(error));
}

static bool has_failed(const struct gpu *gpu)
{
    return gpu->failure[0] != '\0';
}

// Ready for a call of the runtime: the thread's current device, and no failure before.
static bool can_call(struct gpu *gpu)
{
    return !has_failed(gpu) && check(gpu, "cudaSetDevice", cudaSetDevice(gpu->index)) == STATUS_OK;
}

// ---- devices ----

uint32_t gpu_count(struct failure *failure)
{
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver) {
        int driver = 0, runtime = 0;
        (void)cudaDriverGetVersion(&driver);
        (void)cudaRuntimeGetVersion(&runtime);
        (void)fail(failure, STATUS_NOT_FOUND,
                   driver == 0
                       ? "no NVIDIA driver is installed (this build needs one for CUDA %d.%d)"
                       : "the NVIDIA driver is older than CUDA %d.%d: update the driver",
                   runtime / 1000, runtime % 1000 / 10);
    } else if (error != cudaSuccess) {
        (void)fail(failure, STATUS_NOT_FOUND, "no NVIDIA GPU answers: %s",
                   cudaGetErrorString(error));
    } else if (count == 0) {
        (void)fail(failure, STATUS_NOT_FOUND, "no NVIDIA GPU in this machine");
    }
    (void)cudaGetLastError(); // not to be taken for the next call's
    return error == cudaSuccess ? (uint32_t)count : 0;
}

static enum status open_stream(struct gpu *gpu, struct failure *failure)
{
    cudaDeviceProp properties;
    cudaError_t error = cudaSetDevice(gpu->index);
    if (error == cudaSuccess) {
        error = cudaGetDeviceProperties(&properties, gpu->index);
    }
    if (error == cudaSuccess && properties.major < 8) {
        return fail(failure, STATUS_UNSUPPORTED,
                    "GPU %d (%s) is of compute capability %d.%d; 8.0 or later is needed",
                    gpu->index, properties.name, properties.major, properties.minor);
    }
    if (error == cudaSuccess) {
        gpu->can_overlap = properties.major >= 9;
        gpu->shared_bytes_max = properties.sharedMemPerBlockOptin;
        error = cudaStreamCreateWithFlags(&gpu->stream.stream, cudaStreamNonBlocking);
    }
    if (error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDevice) {
        (void)cudaGetLastError();
    }
    return error == cudaSuccess ? STATUS_OK
                                : fail(failure, STATUS_DEVICE, "GPU %d does not open: %s",
                                       gpu->index, cudaGetErrorString(error));
}

enum status gpu_open(uint32_t index, struct gpu **out, struct failure *failure)
{
    const uint32_t count = gpu_count(failure);
    if (count == 0) {
        return STATUS_NOT_FOUND;
    }
    if (index >= count) {
        return fail(failure, STATUS_NOT_FOUND, "GPU %u: this machine has %u", index, count);
    }
    struct gpu *gpu = new struct gpu();
    gpu->stream.gpu = gpu;
    gpu->index = (int)index;
    const enum status status = open_stream(gpu, failure);
    if (status != STATUS_OK) {
        delete gpu;
        return status;
    }
    *out = gpu;
    return STATUS_OK;
}

// A failure that sticks to the context (a kernel that read where it may not) needs the context to
// go, so that open starts afresh.
void gpu_close(struct gpu *gpu)
{
    if (!gpu) {
        return;
    }
    // Setting the device may answer with the failure itself; it is this thread's all the same.
    if (cudaSetDevice(gpu->index) == cudaSuccess || has_failed(gpu)) {
        (void)cudaStreamDestroy(gpu->stream.stream);
    }
    if (has_failed(gpu)) {
        (void)cudaDeviceReset();
    }
    (void)cudaGetLastError();
    delete gpu;
}

static void write_version(char *out, size_t bytes, int version)
{
    snprintf(out, bytes, "%d.%d", version / 1000, version % 1000 / 10);
}

void gpu_get_info(const struct gpu *gpu, struct gpu_info *out)
{
    *out = {};
    cudaDeviceProp properties;
    size_t free_bytes = 0, total_bytes = 0;
    int driver = 0, runtime = 0;
    if (cudaSetDevice(gpu->index) != cudaSuccess
        || cudaGetDeviceProperties(&properties, gpu->index) != cudaSuccess
        || cudaMemGetInfo(&free_bytes, &total_bytes) != cudaSuccess
        || cudaDriverGetVersion(&driver) != cudaSuccess
        || cudaRuntimeGetVersion(&runtime) != cudaSuccess) {
        return;
    }
    snprintf(out->name, sizeof out->name, "%.127s", properties.name);
    write_version(out->driver, sizeof out->driver, driver);
    write_version(out->runtime, sizeof out->runtime, runtime);
    out->multiprocessors = (uint32_t)properties.multiProcessorCount;
    out->compute_major = (uint32_t)properties.major;
    out->compute_minor = (uint32_t)properties.minor;
    out->total_bytes = total_bytes;
    out->free_bytes = free_bytes;
    out->l2_bytes = (uint64_t)properties.l2CacheSize;
    out->shared_bytes_max = properties.sharedMemPerBlockOptin;
}

struct gpu_stream *gpu_stream_of(struct gpu *gpu)
{
    return &gpu->stream;
}

cudaStream_t gpu_cuda_stream(struct gpu_stream *stream)
{
    return stream->stream;
}

const char *gpu_failure_text(const struct gpu *gpu)
{
    return gpu->failure;
}

// ---- memory ----

enum status gpu_memory_take(struct gpu *gpu, size_t bytes, void **out, struct failure *failure)
{
    if (!can_call(gpu)) {
        return fail(failure, STATUS_DEVICE, "%s", gpu->failure);
    }
    const cudaError_t error = cudaMalloc(out, bytes ? bytes : 1);
    if (error == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        size_t free_bytes = 0, total_bytes = 0;
        (void)cudaMemGetInfo(&free_bytes, &total_bytes);
        return fail(failure, STATUS_FULL,
                    "GPU memory: %zu bytes asked for, %zu of %zu free, %zu are missing", bytes,
                    free_bytes, total_bytes, bytes > free_bytes ? bytes - free_bytes : 0);
    }
    if (check(gpu, "cudaMalloc", error) != STATUS_OK) {
        return fail(failure, STATUS_DEVICE, "%s", gpu->failure);
    }
    return STATUS_OK;
}

void gpu_memory_give_back(struct gpu *gpu, void *memory)
{
    if (memory && cudaSetDevice(gpu->index) == cudaSuccess) {
        (void)cudaFree(memory); // a failed context has lost it anyway
    }
}

enum status gpu_pinned_take(struct gpu *gpu, size_t bytes, void **out, struct failure *failure)
{
    if (!can_call(gpu)) {
        return fail(failure, STATUS_DEVICE, "%s", gpu->failure);
    }
    const cudaError_t error = cudaHostAlloc(out, bytes ? bytes : 1, cudaHostAllocDefault);
    if (error == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        return fail(failure, STATUS_FULL, "pinned memory: %zu bytes asked for, not to be had",
                    bytes);
    }
    if (check(gpu, "cudaHostAlloc", error) != STATUS_OK) {
        return fail(failure, STATUS_DEVICE, "%s", gpu->failure);
    }
    return STATUS_OK;
}

void gpu_pinned_give_back(struct gpu *gpu, void *memory)
{
    if (memory && cudaSetDevice(gpu->index) == cudaSuccess) {
        (void)cudaFreeHost(memory);
    }
}

static enum status copy(struct gpu *gpu, void *to, const void *from, size_t bytes,
                        cudaMemcpyKind kind)
{
    static const char *const names[] = {"host copy", "upload", "download", "device copy"};
    if (!can_call(gpu)) {
        return STATUS_DEVICE;
    }
    if (bytes == 0) {
        return STATUS_OK;
    }
    return check(gpu, names[kind], cudaMemcpyAsync(to, from, bytes, kind, gpu->stream.stream));
}

enum status gpu_upload_async(struct gpu *gpu, void *device, const void *host, size_t bytes)
{
    return copy(gpu, device, host, bytes, cudaMemcpyHostToDevice);
}

enum status gpu_download_async(struct gpu *gpu, void *host, const void *device, size_t bytes)
{
    return copy(gpu, host, device, bytes, cudaMemcpyDeviceToHost);
}

enum status gpu_copy_async(struct gpu *gpu, void *to, const void *from, size_t bytes)
{
    return copy(gpu, to, from, bytes, cudaMemcpyDeviceToDevice);
}

enum status gpu_fill_async(struct gpu *gpu, void *device, unsigned char byte, size_t bytes)
{
    if (!can_call(gpu)) {
        return STATUS_DEVICE;
    }
    if (bytes == 0) {
        return STATUS_OK;
    }
    return check(gpu, "fill", cudaMemsetAsync(device, byte, bytes, gpu->stream.stream));
}

// ---- time ----

enum status gpu_wait(struct gpu *gpu)
{
    return can_call(gpu) ? check(gpu, "wait", cudaStreamSynchronize(gpu->stream.stream))
                         : STATUS_DEVICE;
}

// Blocking: a host thread that waits for a step sleeps instead of spinning on a core.
enum status gpu_event_create(struct gpu *gpu, struct gpu_event **out)
{
    cudaEvent_t event;
    if (!can_call(gpu)
        || check(gpu, "event create", cudaEventCreateWithFlags(&event, cudaEventBlockingSync))
               != STATUS_OK) {
        return STATUS_DEVICE;
    }
    *out = new struct gpu_event();
    **out = {gpu, event};
    return STATUS_OK;
}

void gpu_event_destroy(struct gpu_event *event)
{
    if (event) {
        (void)cudaEventDestroy(event->event);
        delete event;
    }
}

enum status gpu_event_record(struct gpu *gpu, struct gpu_event *event)
{
    return can_call(gpu)
               ? check(gpu, "event record", cudaEventRecord(event->event, gpu->stream.stream))
               : STATUS_DEVICE;
}

enum status gpu_event_wait(struct gpu *gpu, struct gpu_event *event)
{
    return can_call(gpu) ? check(gpu, "event wait", cudaEventSynchronize(event->event))
                         : STATUS_DEVICE;
}

enum status gpu_event_milliseconds(struct gpu_event *from, struct gpu_event *to, float *out)
{
    struct gpu *gpu = from->gpu;
    if (!can_call(gpu)) {
        return STATUS_DEVICE;
    }
    const cudaError_t error = cudaEventElapsedTime(out, from->event, to->event);
    if (error == cudaErrorNotReady || error == cudaErrorInvalidResourceHandle) {
        (void)cudaGetLastError();
        return STATUS_INVALID;
    }
    return check(gpu, "event time", error);
}

// ---- graphs ----

// Thread-local: what other threads of the process do with the device does not break the capture.
enum status gpu_capture_begin(struct gpu *gpu)
{
    return can_call(gpu)
               ? check(gpu, "capture begin",
                       cudaStreamBeginCapture(gpu->stream.stream, cudaStreamCaptureModeThreadLocal))
               : STATUS_DEVICE;
}

enum status gpu_capture_end(struct gpu *gpu, struct gpu_graph **out)
{
    cudaGraph_t captured = nullptr;
    cudaGraphExec_t graph = nullptr;
    if (!can_call(gpu)
        || check(gpu, "capture end", cudaStreamEndCapture(gpu->stream.stream, &captured))
               != STATUS_OK) {
        return STATUS_DEVICE;
    }
    const cudaError_t error = cudaGraphInstantiate(&graph, captured, 0);
    (void)cudaGraphDestroy(captured);
    if (check(gpu, "graph instantiate", error) != STATUS_OK
        || check(gpu, "graph upload", cudaGraphUpload(graph, gpu->stream.stream)) != STATUS_OK) {
        return STATUS_DEVICE;
    }
    *out = new struct gpu_graph();
    (*out)->graph = graph;
    return STATUS_OK;
}

enum status gpu_graph_launch(struct gpu *gpu, struct gpu_graph *graph)
{
    return can_call(gpu)
               ? check(gpu, "graph launch", cudaGraphLaunch(graph->graph, gpu->stream.stream))
               : STATUS_DEVICE;
}

void gpu_graph_destroy(struct gpu_graph *graph)
{
    if (graph) {
        (void)cudaGraphExecDestroy(graph->graph);
        delete graph;
    }
}

// ---- launches ----

// Beyond 48 KiB a kernel must be told once, on each device.
static enum status prepare_shared(struct gpu *gpu, const void *kernel, const char *name,
                                  size_t bytes)
{
    if (bytes <= SHARED_FREE_BYTES) {
        return STATUS_OK;
    }
    uint32_t i = 0;
    while (i < gpu->prepared_count && gpu->kernels[i].kernel != kernel) {
        i++;
    }
    if (i < gpu->prepared_count && gpu->kernels[i].shared_bytes >= bytes) {
        return STATUS_OK;
    }
    if (bytes > gpu->shared_bytes_max) {
        return fail_device(gpu, "%s: takes %zu bytes of shared memory, a block of this GPU has %zu",
                           name, bytes, gpu->shared_bytes_max);
    }
    const enum status status = check(
        gpu, name,
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes));
    if (status == STATUS_OK && i < KERNELS_MAX) {
        gpu->kernels[i] = {kernel, bytes};
        gpu->prepared_count += i == gpu->prepared_count;
    }
    return status;
}

enum status gpu_cuda_launch(const void *kernel, const char *name, struct gpu_launch_shape shape,
                            struct gpu_stream *stream, void **arguments)
{
    struct gpu *gpu = stream->gpu;
    if (shape.grid_x == 0 || shape.grid_y == 0 || shape.grid_z == 0) {
        return has_failed(gpu) ? STATUS_DEVICE : STATUS_OK;
    }
    if (!can_call(gpu) || prepare_shared(gpu, kernel, name, shape.shared_bytes) != STATUS_OK) {
        return STATUS_DEVICE;
    }
    cudaLaunchAttribute overlap;
    overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    overlap.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(shape.grid_x, shape.grid_y, shape.grid_z);
    config.blockDim = dim3(shape.block_threads);
    config.dynamicSmemBytes = shape.shared_bytes;
    config.stream = stream->stream;
    config.attrs = &overlap;
    config.numAttrs = gpu->can_overlap ? 1 : 0;
    return check(gpu, name, cudaLaunchKernelExC(&config, kernel, arguments));
}

// ---- tensor maps ----

using encode_tiled = decltype(&cuTensorMapEncodeTiled);

// The driver's function by name, NULL where there is none.
static encode_tiled find_encoder()
{
    static void *found;
    if (!found) {
        cudaDriverEntryPointQueryResult result;
        if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000,
                                             cudaEnableDefault, &result)
                != cudaSuccess
            || result != cudaDriverEntryPointSuccess) {
            (void)cudaGetLastError();
            found = nullptr;
        }
    }
    return reinterpret_cast<encode_tiled>(found);
}

static bool find_swizzle(uint32_t bytes, CUtensorMapSwizzle *out)
{
    switch (bytes) {
    case 0:
        *out = CU_TENSOR_MAP_SWIZZLE_NONE;
        return true;
    case 32:
        *out = CU_TENSOR_MAP_SWIZZLE_32B;
        return true;
    case 64:
        *out = CU_TENSOR_MAP_SWIZZLE_64B;
        return true;
    case 128:
        *out = CU_TENSOR_MAP_SWIZZLE_128B;
        return true;
    default:
        return false;
    }
}

// The driver's own limits (box at most 256, sizes not 0) come back as STATUS_INVALID.
extern "C" enum status gpu_tensor_map_2d(struct gpu_tensor_map *out, const void *base,
                                         uint64_t rows, uint64_t columns, uint64_t row_bytes,
                                         uint32_t box_rows, uint32_t box_columns,
                                         uint32_t element_bytes, uint32_t swizzle_bytes)
{
    static const CUtensorMapDataType types[] = {
        CU_TENSOR_MAP_DATA_TYPE_UINT8, CU_TENSOR_MAP_DATA_TYPE_UINT8,
        CU_TENSOR_MAP_DATA_TYPE_UINT16, CU_TENSOR_MAP_DATA_TYPE_UINT8,
        CU_TENSOR_MAP_DATA_TYPE_UINT32};
    CUtensorMapSwizzle swizzle;
    if ((element_bytes != 1 && element_bytes != 2 && element_bytes != 4)
        || !find_swizzle(swizzle_bytes, &swizzle)) {
        return STATUS_INVALID;
    }
    const encode_tiled encode = find_encoder();
    if (!encode) {
        return STATUS_UNSUPPORTED;
    }
    CUtensorMap map;
    static_assert(sizeof map == sizeof *out, "128 bytes");
    const cuuint64_t sizes[] = {columns, rows}, strides[] = {row_bytes};
    const cuuint32_t box[] = {box_columns, box_rows}, steps[] = {1, 1};
    const CUresult result =
        encode(&map, types[element_bytes], 2, const_cast<void *>(base), sizes, strides, box, steps,
               CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
               CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    memcpy(out, &map, sizeof map);
    return result == CUDA_SUCCESS ? STATUS_OK : STATUS_INVALID;
}
