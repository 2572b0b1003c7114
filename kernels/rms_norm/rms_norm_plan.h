/* rms_norm_plan.h - dim to threads, and by that the order of summation: nothing else may enter. */
#pragma once
#include "kernels/rms_norm/rms_norm.h"

enum {
    RMS_NORM_WIDTH = 4,       /* neighbouring elements of a thread */
    RMS_NORM_VECTORS_MAX = 4, /* such groups of a thread, all in registers */
    RMS_NORM_THREADS_MAX = 1024,
    RMS_NORM_WARPS_MAX = RMS_NORM_THREADS_MAX / 32,
};

/* Two groups a thread while there are threads: enough loads under way, many blocks a processor. */
static inline uint32_t rms_norm_choose_threads(uint32_t dim)
{
    const uint32_t per_warp = 32 * RMS_NORM_WIDTH * 2;
    const uint32_t warps = (dim + per_warp - 1) / per_warp;
    return 32 * (warps < RMS_NORM_WARPS_MAX ? warps : (uint32_t)RMS_NORM_WARPS_MAX);
}
