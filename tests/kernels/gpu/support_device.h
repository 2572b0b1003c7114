/* support_device.h - what the tests of GPU kernels share: a run on every device (the host build has
 * one for each order of threads), arrays there and back, and data rounded to a kernel's format.
 * A failed call of the device ends the test with its text. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "kernels/dtype.h"
#include "kernels/gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SUPPORT_DEVICE_POISON = 0xA5 }; /* of outputs, before a kernel runs */

/* Opens each device, runs the test, gives back what it took. No device: the process exits 77. */
void support_device_on_each(void (*test)(struct gpu *gpu));

/* Device memory with these bytes, or poisoned where host is NULL. Given back after the test or by
 * support_device_release(). */
void *support_device_take(struct gpu *gpu, const void *host, size_t bytes);
void support_device_release(struct gpu *gpu); /* all of it */
void support_device_forget(struct gpu *gpu);  /* the same on a device that has failed */

/* Waits for what is queued, then reads into new host memory (free()). */
void *support_device_read(struct gpu *gpu, const void *device, size_t bytes);

void support_device_must(struct gpu *gpu, enum status status, const char *what);

/* Uniform in [-scale, scale), already rounded to dtype, so that both sides see the same numbers. */
float *support_device_floats(struct random_source *random, size_t count, float scale,
                             enum dtype dtype);

/* An array of dtype with those values (free()), rounded. */
void *support_device_narrow(const float *values, size_t count, enum dtype dtype);

/* Largest error of rounding x to dtype once: half a unit in the last place. */
float support_device_half_ulp(float x, enum dtype dtype);

bool support_device_is_poison(const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif
