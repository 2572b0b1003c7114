#include "kernels/cpu_features.h"

#include <stdatomic.h>
#include <stdbool.h>

#ifdef __x86_64__
#include <cpuid.h>

static bool has_f16c(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

/* The builtin also asks whether the system saves the wide registers. */
static enum cpu_level detect(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c()) {
        return CPU_LEVEL_PORTABLE;
    }
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
                   && __builtin_cpu_supports("avx512vl")
               ? CPU_LEVEL_AVX512
               : CPU_LEVEL_AVX2;
}
#else
static enum cpu_level detect(void)
{
    return CPU_LEVEL_PORTABLE;
}
#endif

static _Atomic int level = -1; /* not asked yet */

enum cpu_level cpu_features_level(void)
{
    int known = atomic_load_explicit(&level, memory_order_relaxed);
    if (known < 0) {
        known = (int)detect();
        atomic_store_explicit(&level, known, memory_order_relaxed);
    }
    return (enum cpu_level)known;
}

void cpu_features_limit(enum cpu_level most)
{
    const enum cpu_level best = detect();
    atomic_store_explicit(&level, (int)(most < best ? most : best), memory_order_relaxed);
}

const char *cpu_features_name(enum cpu_level of)
{
    static const char *const names[CPU_LEVEL_COUNT] = {"portable", "avx2", "avx512"};
    return names[of];
}
