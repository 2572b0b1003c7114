#include "kernels/lanes/lane_kernels.h"

#include "kernels/cpu_features.h"

const struct lane_kernels *lane_kernels(void)
{
    static const struct lane_kernels *const tables[CPU_LEVEL_COUNT] = {
        [CPU_LEVEL_PORTABLE] = &lane_kernels_portable,
#ifdef __x86_64__
        [CPU_LEVEL_AVX2] = &lane_kernels_avx2,
        [CPU_LEVEL_AVX512] = &lane_kernels_avx512,
#endif
    };
    return tables[cpu_features_level()];
}
