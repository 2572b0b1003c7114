// host_block.cuh - launches and blocks: what a kernel sees of the thread it is, block-wide
// barriers, shared memory. Implemented in block.cc and device.cc.
#pragma once

namespace gpu_host
{

struct site { // where in the source an instruction stands
    const char *file;
    int line;
};
// Last parameters of what a kernel calls: they become the line of the caller.
#define GPU_HOST_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define GPU_HOST_AT   (gpu_host::site{file, line})

struct index3 {
    uint32_t x, y, z;
};

struct place { // the part of a thread that a kernel sees
    index3 index;
    uint32_t lane, warp;
};
extern const place *self; // the thread that runs
extern index3 block_index, block_size, grid_size;
extern unsigned char *shared_memory;

struct call { // a kernel and its arguments, types taken away
    void (*kernel)();
    void (*enter)(void (*kernel)(), const void *arguments);
    const void *arguments;
    size_t bytes;
    const char *name;
};
enum status launch(const call &call, const gpu_launch_shape &shape, gpu_stream *stream);

void barrier_sync(uint32_t id, uint32_t threads, site site);
void barrier_arrive(uint32_t id, uint32_t threads, site site);
void dependency_waited();

} // namespace gpu_host

#define threadIdx (gpu_host::self->index)
#define blockIdx  (static_cast<const gpu_host::index3 &>(gpu_host::block_index))
#define blockDim  (static_cast<const gpu_host::index3 &>(gpu_host::block_size))
#define gridDim   (static_cast<const gpu_host::index3 &>(gpu_host::grid_size))

#define GPU_SHARED(type, name) type *name = reinterpret_cast<type *>(gpu_host::shared_memory)

template <class Args>
static inline enum status gpu_launch(void (*kernel)(Args), const char *name,
                                     struct gpu_launch_shape shape, struct gpu_stream *stream,
                                     const Args &args)
{
    static_assert(std::is_trivially_copyable<Args>::value && sizeof(Args) <= 4096, "by value");
    void (*enter)(void (*)(), const void *) = [](void (*function)(), const void *arguments) {
        reinterpret_cast<void (*)(Args)>(function)(*static_cast<const Args *>(arguments));
    };
    const gpu_host::call call = {reinterpret_cast<void (*)()>(kernel), enter, &args, sizeof args,
                                 name};
    return gpu_host::launch(call, shape, stream);
}

extern "C" enum status gpu_tensor_map_2d(struct gpu_tensor_map *out, const void *base,
                                         uint64_t rows, uint64_t columns, uint64_t row_bytes,
                                         uint32_t box_rows, uint32_t box_columns,
                                         uint32_t element_bytes, uint32_t swizzle_bytes);

inline void __syncthreads(GPU_HOST_SITE)
{
    gpu_host::barrier_sync(0, gpu_host::block_size.x, GPU_HOST_AT);
}

inline void named_barrier_sync(uint32_t id, uint32_t threads, GPU_HOST_SITE)
{
    gpu_host::barrier_sync(id, threads, GPU_HOST_AT);
}

inline void named_barrier_arrive(uint32_t id, uint32_t threads, GPU_HOST_SITE)
{
    gpu_host::barrier_arrive(id, threads, GPU_HOST_AT);
}

inline void dependency_wait()
{
    gpu_host::dependency_waited();
}

inline void dependency_release() {}

inline void __threadfence() {}

// One block at a time, and a thread runs until it waits: plain reads and writes are atomic.
inline uint32_t atomicAdd(uint32_t *at, uint32_t value)
{
    const uint32_t old = *at;
    *at = old + value;
    return old;
}

inline uint32_t atomicMax(uint32_t *at, uint32_t value)
{
    const uint32_t old = *at;
    *at = old > value ? old : value;
    return old;
}

inline uint32_t atomicMin(uint32_t *at, uint32_t value)
{
    const uint32_t old = *at;
    *at = old < value ? old : value;
    return old;
}

inline uint32_t atomicExch(uint32_t *at, uint32_t value)
{
    const uint32_t old = *at;
    *at = value;
    return old;
}

inline uint32_t atomicCAS(uint32_t *at, uint32_t compare, uint32_t value)
{
    const uint32_t old = *at;
    *at = old == compare ? value : old;
    return old;
}
