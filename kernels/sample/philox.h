/* philox.h - Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers, 2011): a block of
 * four random words from a counter and a key, with no state. */
#pragma once
#include <stdint.h>

struct philox_block {
    uint32_t words[4];
};

struct philox_block philox(struct philox_block counter, const uint32_t key[2]);

/* Uniform in [0, 1), 53 bits: the draw of a request's seed at a position. */
double philox_unit(uint64_t seed, uint32_t position);
