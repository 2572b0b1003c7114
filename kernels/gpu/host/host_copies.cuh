// host_copies.cuh - copies into shared memory. What is under way shows as 0xFF (NaN) at its
// destination until the wait that a kernel must not forget.
#pragma once

namespace gpu_host
{

void copy_async(void *shared, const void *global, bool is_valid, site site);
void copies_commit();
void copies_wait(uint32_t groups);
void check_aligned(const void *at, size_t bytes, const char *what, site site);

void mbarrier_init(struct barrier *barrier, uint32_t arrivals, site site);
void mbarrier_arrive(struct barrier *barrier, uint32_t expected_bytes, site site);
void mbarrier_wait(struct barrier *barrier, uint32_t parity, site site);
void copy_bulk(void *shared, const void *global, uint32_t bytes, struct barrier *barrier,
               site site);
void copy_tensor(void *shared, const struct gpu_tensor_map *map, int32_t column, int32_t row,
                 struct barrier *barrier, site site);

} // namespace gpu_host

inline void cp_async_16(void *shared, const void *global, bool is_valid, GPU_HOST_SITE)
{
    gpu_host::copy_async(shared, global, is_valid, GPU_HOST_AT);
}

inline void cp_async_commit()
{
    gpu_host::copies_commit();
}

template <int N>
inline void cp_async_wait()
{
    gpu_host::copies_wait(N);
}

inline uint4 load_streaming_16(const void *global, GPU_HOST_SITE)
{
    gpu_host::check_aligned(global, 16, "load_streaming_16", GPU_HOST_AT);
    uint4 out;
    memcpy(&out, global, sizeof out);
    return out;
}

inline void prefetch_l2(const void *) {}

inline void barrier_init(struct barrier *barrier, uint32_t arrivals, GPU_HOST_SITE)
{
    gpu_host::mbarrier_init(barrier, arrivals, GPU_HOST_AT);
}

inline void barrier_init_fence() {}

inline void barrier_arrive(struct barrier *barrier, GPU_HOST_SITE)
{
    gpu_host::mbarrier_arrive(barrier, 0, GPU_HOST_AT);
}

inline void barrier_arrive_expect(struct barrier *barrier, uint32_t bytes, GPU_HOST_SITE)
{
    gpu_host::mbarrier_arrive(barrier, bytes, GPU_HOST_AT);
}

inline void barrier_wait(struct barrier *barrier, uint32_t parity, GPU_HOST_SITE)
{
    gpu_host::mbarrier_wait(barrier, parity, GPU_HOST_AT);
}

inline void bulk_copy(void *shared, const void *global, uint32_t bytes, struct barrier *barrier,
                      GPU_HOST_SITE)
{
    gpu_host::copy_bulk(shared, global, bytes, barrier, GPU_HOST_AT);
}

inline void tensor_copy_2d(void *shared, const struct gpu_tensor_map *map, uint32_t column,
                           uint32_t row, struct barrier *barrier, GPU_HOST_SITE)
{
    gpu_host::copy_tensor(shared, map, (int32_t)column, (int32_t)row, barrier, GPU_HOST_AT);
}

inline void fence_async_shared() {}
