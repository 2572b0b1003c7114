/* support_kernels.h - what the kernel tests share: seeded data, comparison bit for bit, and a run
 * of a check on every vector unit that this machine has. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "kernels/cpu_features.h"
#include "kernels/dtype.h"

/* Zeroed; ends the test when there is no memory. Freed with free(). */
void *support_memory(size_t bytes);

/* Uniform in [-1, 1). */
void support_fill(struct random_source *random, float *values, size_t count);
float *support_floats(struct random_source *random, size_t count);

/* Weights of a dtype, about [-1, 1); returns their memory. */
void *support_weights(struct random_source *random, enum dtype dtype, size_t count);

/* Index of the first element whose bits differ, or count. */
size_t support_first_difference(const float *a, const float *b, size_t count);

/* Calls check(name) for every level from portable to the machine's best. */
void support_on_every_level(void (*check)(const char *level));
