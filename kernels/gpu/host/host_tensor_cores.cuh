// host_tensor_cores.cuh - ldmatrix, mma and wgmma. A warp meets for each ldmatrix and mma; wgmma is
// only noted, and a warp meets to do it at wgmma_wait().
#pragma once

namespace gpu_host
{

void load_matrix(uint32_t *out, const void *row, uint32_t count, bool is_transposed, site site);
void mma(float *d, const uint32_t *a, const uint32_t *b, bool is_bf16, site site);

struct wgmma_operands {
    float *d;
    const uint32_t *a; // registers, or NULL: a_descriptor
    uint64_t a_descriptor, b_descriptor;
    uint32_t n;
    bool is_bf16, adds, is_b_transposed;
};
void wgmma_issue(const wgmma_operands &operands, site site);
void wgmma_fenced();
void wgmma_committed();
void wgmma_waited(uint32_t groups, site site);

template <class T>
constexpr bool is_bf16()
{
    static_assert(std::is_same<T, struct bf16>::value || std::is_same<T, struct f16>::value, "T");
    return std::is_same<T, struct bf16>::value;
}

} // namespace gpu_host

inline void ldmatrix_x4(uint32_t out[4], const void *row, GPU_HOST_SITE)
{
    gpu_host::load_matrix(out, row, 4, false, GPU_HOST_AT);
}

inline void ldmatrix_x4_trans(uint32_t out[4], const void *row, GPU_HOST_SITE)
{
    gpu_host::load_matrix(out, row, 4, true, GPU_HOST_AT);
}

inline void ldmatrix_x2(uint32_t out[2], const void *row, GPU_HOST_SITE)
{
    gpu_host::load_matrix(out, row, 2, false, GPU_HOST_AT);
}

inline void ldmatrix_x2_trans(uint32_t out[2], const void *row, GPU_HOST_SITE)
{
    gpu_host::load_matrix(out, row, 2, true, GPU_HOST_AT);
}

template <class T>
inline void mma_16x8x16(float d[4], const uint32_t a[4], const uint32_t b[2], GPU_HOST_SITE)
{
    gpu_host::mma(d, a, b, gpu_host::is_bf16<T>(), GPU_HOST_AT);
}

inline void wgmma_fence()
{
    gpu_host::wgmma_fenced();
}

inline void wgmma_commit()
{
    gpu_host::wgmma_committed();
}

template <int N>
inline void wgmma_wait(GPU_HOST_SITE)
{
    gpu_host::wgmma_waited(N, GPU_HOST_AT);
}

inline uint64_t wgmma_descriptor(const void *shared, uint32_t leading_bytes, uint32_t stride_bytes,
                                 uint32_t swizzle_bytes)
{
    const uint64_t mode = swizzle_bytes == 128  ? 1
                          : swizzle_bytes == 64 ? 2
                          : swizzle_bytes == 32 ? 3
                                                : 0;
    const uint64_t address = reinterpret_cast<uintptr_t>(shared);
    return (address >> 4 & 0x3fff) | (uint64_t)(leading_bytes >> 4 & 0x3fff) << 16
           | (uint64_t)(stride_bytes >> 4 & 0x3fff) << 32 | mode << 62;
}

template <class T, int N>
inline void wgmma_rs(float d[N / 2], const uint32_t a[4], uint64_t b, bool adds, GPU_HOST_SITE)
{
    static_assert(N % 8 == 0 && N >= 8 && N <= 256, "wgmma's N");
    gpu_host::wgmma_issue({d, a, 0, b, N, gpu_host::is_bf16<T>(), adds, false}, GPU_HOST_AT);
}

template <class T, int N>
inline void wgmma_rs_transposed(float d[N / 2], const uint32_t a[4], uint64_t b, bool adds,
                                GPU_HOST_SITE)
{
    static_assert(N % 8 == 0 && N >= 8 && N <= 256, "wgmma's N");
    gpu_host::wgmma_issue({d, a, 0, b, N, gpu_host::is_bf16<T>(), adds, true}, GPU_HOST_AT);
}

template <class T, int N>
inline void wgmma_ss(float d[N / 2], uint64_t a, uint64_t b, bool adds, GPU_HOST_SITE)
{
    static_assert(N % 8 == 0 && N >= 8 && N <= 256, "wgmma's N");
    gpu_host::wgmma_issue({d, nullptr, a, b, N, gpu_host::is_bf16<T>(), adds, false}, GPU_HOST_AT);
}
