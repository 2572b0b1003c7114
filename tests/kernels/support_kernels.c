#include "tests/kernels/support_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *support_memory(size_t bytes)
{
    void *memory = calloc(1, bytes > 0 ? bytes : 1);
    if (!memory) {
        fprintf(stderr, "no memory for a test\n");
        exit(1);
    }
    return memory;
}

void support_fill(struct random_source *random, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = (float)(random_unit(random) * 2.0 - 1.0);
    }
}

float *support_floats(struct random_source *random, size_t count)
{
    float *values = support_memory(count * sizeof *values);
    support_fill(random, values, count);
    return values;
}

/* Half precision from random bits with an exponent of 2^-7 to 2^0: every fraction occurs. */
static uint16_t random_half(struct random_source *random, enum dtype dtype)
{
    const uint32_t bits = random_below(random, 0x10000);
    return dtype == DTYPE_BF16 ? (uint16_t)((bits & 0x807f) | (120 + (bits >> 7) % 8) << 7)
                               : (uint16_t)((bits & 0x83ff) | (8 + (bits >> 10) % 8) << 10);
}

void *support_weights(struct random_source *random, enum dtype dtype, size_t count)
{
    if (dtype == DTYPE_F32) {
        return support_floats(random, count);
    }
    uint16_t *halves = support_memory(count * sizeof *halves);
    for (size_t i = 0; i < count; i++) {
        halves[i] = random_half(random, dtype);
    }
    return halves;
}

size_t support_first_difference(const float *a, const float *b, size_t count)
{
    size_t i = 0;
    while (i < count && memcmp(&a[i], &b[i], sizeof *a) == 0) {
        i++;
    }
    return i;
}

void support_on_every_level(void (*check)(const char *level))
{
    cpu_features_limit(CPU_LEVEL_COUNT);
    const enum cpu_level best = cpu_features_level();
    for (enum cpu_level level = CPU_LEVEL_PORTABLE; level <= best; level++) {
        cpu_features_limit(level);
        check(cpu_features_name(level));
    }
}
