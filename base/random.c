#include "base/random.h"

#include "base/assert.h"

uint64_t random_next(struct random_source *random)
{
    random->state += 0x9e3779b97f4a7c15U;
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

uint32_t random_below(struct random_source *random, uint32_t bound)
{
    ASSERT(bound > 0);
    return (uint32_t)(((random_next(random) >> 32) * bound) >> 32);
}

double random_unit(struct random_source *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}
