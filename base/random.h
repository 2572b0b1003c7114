/* random.h - seeded pseudo-random numbers for tests and simulation (SplitMix64, Steele et al.
 * 2014). Not for secrets: those come from libsodium. Sampling uses kernels/sample (Philox). */
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct random_source {
    uint64_t state;
};

uint64_t random_next(struct random_source *random);

/* Uniform in 0 .. bound - 1; bound must not be 0. Bias below 2^-32 for bounds under 2^32. */
uint32_t random_below(struct random_source *random, uint32_t bound);

/* Uniform in [0, 1). */
double random_unit(struct random_source *random);

#ifdef __cplusplus
}
#endif
