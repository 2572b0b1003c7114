/* cpu_features.h - which vector unit the CPU paths use: the best one that this CPU and system have.
 * Asked once and kept; the paths give the same bits, so the choice only changes the speed. */
#pragma once

enum cpu_level { CPU_LEVEL_PORTABLE, CPU_LEVEL_AVX2, CPU_LEVEL_AVX512, CPU_LEVEL_COUNT };

enum cpu_level cpu_features_level(void);
const char *cpu_features_name(enum cpu_level of);

/* At most this level from now on, for tests and comparisons; while no kernel runs. */
void cpu_features_limit(enum cpu_level most);
