// host_warp.cuh - what the lanes of a warp do together: they meet by mask and by the line of the
// source that calls, and the last to come does the work for all.
#pragma once

namespace gpu_host
{

// arguments[lane] for the lanes of mask, else NULL.
using lanes_work = void (*)(uint32_t mask, void *const arguments[32]);

// Returns when all lanes of mask have called it from the same place and work has run once. work may
// be NULL. A lane that comes elsewhere with a mask that overlaps, or exits, fails the launch.
void meet(uint32_t mask, const char *what, site site, void *argument, lanes_work work);

template <class T>
struct shuffle {
    T value, out;
    uint32_t from; // lane; 32 or more: nobody, keep the own value
};

template <class T>
void shuffle_work(uint32_t mask, void *const arguments[32])
{
    for (uint32_t lane = 0; lane < 32; lane++) {
        auto *own = static_cast<shuffle<T> *>(arguments[lane]);
        if (!own) {
            continue;
        }
        if (own->from >= 32) {
            own->out = own->value;
        } else if (mask >> own->from & 1) {
            own->out = static_cast<shuffle<T> *>(arguments[own->from])->value;
        } else {
            memset(&own->out, 0xFF, sizeof own->out); // a lane that takes no part: anything
        }
    }
}

template <class T>
T shuffle_meet(uint32_t mask, const char *what, site site, T value, uint32_t from)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "what the instruction moves");
    shuffle<T> own = {value, value, from};
    meet(mask, what, site, &own, shuffle_work<T>);
    return own.out;
}

void ballot_work(uint32_t mask, void *const arguments[32]);

inline uint32_t ballot(uint32_t mask, const char *what, site site, bool vote)
{
    uint32_t own = vote;
    meet(mask, what, site, &own, ballot_work);
    return own;
}

} // namespace gpu_host

template <class T>
inline T __shfl_sync(uint32_t mask, T value, int lane, int width = 32, GPU_HOST_SITE)
{
    const uint32_t base = gpu_host::self->lane & ~((uint32_t)width - 1);
    const uint32_t from = base | ((uint32_t)lane & ((uint32_t)width - 1));
    return gpu_host::shuffle_meet(mask, "__shfl_sync", GPU_HOST_AT, value, from);
}

template <class T>
inline T __shfl_xor_sync(uint32_t mask, T value, int lanes, int width = 32, GPU_HOST_SITE)
{
    const uint32_t lane = gpu_host::self->lane, last = lane | ((uint32_t)width - 1);
    const uint32_t from = lane ^ (uint32_t)lanes;
    return gpu_host::shuffle_meet(mask, "__shfl_xor_sync", GPU_HOST_AT, value,
                                  from <= last ? from : 32U);
}

template <class T>
inline T __shfl_up_sync(uint32_t mask, T value, unsigned delta, int width = 32, GPU_HOST_SITE)
{
    const uint32_t within = gpu_host::self->lane & ((uint32_t)width - 1);
    const uint32_t from = within >= delta ? gpu_host::self->lane - delta : 32U;
    return gpu_host::shuffle_meet(mask, "__shfl_up_sync", GPU_HOST_AT, value, from);
}

template <class T>
inline T __shfl_down_sync(uint32_t mask, T value, unsigned delta, int width = 32, GPU_HOST_SITE)
{
    const uint32_t within = gpu_host::self->lane & ((uint32_t)width - 1);
    const uint32_t from = within + delta < (uint32_t)width ? gpu_host::self->lane + delta : 32U;
    return gpu_host::shuffle_meet(mask, "__shfl_down_sync", GPU_HOST_AT, value, from);
}

inline uint32_t __ballot_sync(uint32_t mask, bool vote, GPU_HOST_SITE)
{
    return gpu_host::ballot(mask, "__ballot_sync", GPU_HOST_AT, vote);
}

inline int __any_sync(uint32_t mask, bool vote, GPU_HOST_SITE)
{
    return gpu_host::ballot(mask, "__any_sync", GPU_HOST_AT, vote) != 0;
}

inline int __all_sync(uint32_t mask, bool vote, GPU_HOST_SITE)
{
    return gpu_host::ballot(mask, "__all_sync", GPU_HOST_AT, vote) == mask;
}

inline void __syncwarp(uint32_t mask = 0xffffffffU, GPU_HOST_SITE)
{
    gpu_host::meet(mask, "__syncwarp", GPU_HOST_AT, nullptr, nullptr);
}

template <int N>
inline void registers_raise(GPU_HOST_SITE)
{
    static_assert(N >= 24 && N <= 256 && N % 8 == 0, "setmaxnreg");
    gpu_host::meet(0xffffffffU, "registers_raise", GPU_HOST_AT, nullptr, nullptr);
}

template <int N>
inline void registers_lower(GPU_HOST_SITE)
{
    static_assert(N >= 24 && N <= 256 && N % 8 == 0, "setmaxnreg");
    gpu_host::meet(0xffffffffU, "registers_lower", GPU_HOST_AT, nullptr, nullptr);
}
