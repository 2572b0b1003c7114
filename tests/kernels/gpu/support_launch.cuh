// support_launch.cuh - a kernel of a test's own, run to its end, and what it wrote.
#pragma once
#include "kernels/gpu/device.cuh"
#include "tests/kernels/gpu/support_device.h"

template <class Args>
static inline void run(struct gpu *gpu, void (*kernel)(Args), const char *name,
                       gpu_launch_shape shape, const Args &args)
{
    support_device_must(gpu, gpu_launch(kernel, name, shape, gpu_stream_of(gpu), args), name);
    support_device_must(gpu, gpu_wait(gpu), name);
}

template <class T>
static inline T *read(struct gpu *gpu, const void *device, size_t count)
{
    return static_cast<T *>(support_device_read(gpu, device, count * sizeof(T)));
}

static inline bool is_hopper(struct gpu *gpu)
{
    struct gpu_info info;
    gpu_get_info(gpu, &info);
    return info.compute_major == 9;
}
