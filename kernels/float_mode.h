/* float_mode.h - numbers too small for a normal float count as zero while a kernel runs (x86: FTZ
 * and DAZ): they would make a matmul four times slower. workers_run() sets it around every op and
 * puts the caller's mode back; a reference called by hand takes the caller's mode. */
#pragma once
#include <stdint.h>

#ifdef __SSE2__
#include <xmmintrin.h>

enum { FLOAT_MODE_FLUSH = 0x8040 }; /* MXCSR: flush results to zero, take denormals as zero */

static inline uint32_t float_mode_enter(void)
{
    const uint32_t saved = _mm_getcsr();
    _mm_setcsr(saved | FLOAT_MODE_FLUSH);
    return saved;
}

static inline void float_mode_leave(uint32_t saved)
{
    _mm_setcsr(saved);
}
#else
static inline uint32_t float_mode_enter(void)
{
    return 0;
}

static inline void float_mode_leave(uint32_t saved)
{
    (void)saved;
}
#endif
