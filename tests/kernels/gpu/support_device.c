#include "tests/kernels/gpu/support_device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAKEN_MAX = 64, SKIPPED = 77 };

static void *taken[TAKEN_MAX];
static size_t taken_count;

static void *host_memory(size_t bytes)
{
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (!memory) {
        fprintf(stderr, "no memory for a test\n");
        exit(1);
    }
    return memory;
}

void support_device_must(struct gpu *gpu, enum status status, const char *what)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, status_text(status), gpu_failure_text(gpu));
        exit(1);
    }
}

void support_device_on_each(void (*test)(struct gpu *gpu))
{
    struct failure failure = {""};
    const uint32_t count = gpu_count(&failure);
    if (count == 0) {
        printf("skipped: no GPU: %s\n", failure.text);
        exit(SKIPPED);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct gpu *gpu = NULL;
        if (gpu_open(i, &gpu, &failure) != STATUS_OK) {
            fprintf(stderr, "device %u: %s\n", i, failure.text);
            exit(1);
        }
        test(gpu);
        support_device_release(gpu);
        gpu_close(gpu);
    }
}

void *support_device_take(struct gpu *gpu, const void *host, size_t bytes)
{
    struct failure failure = {""};
    void *device = NULL;
    if (taken_count == TAKEN_MAX
        || gpu_memory_take(gpu, bytes > 0 ? bytes : 1, &device, &failure) != STATUS_OK) {
        fprintf(stderr, "device memory: %s\n", failure.text);
        exit(1);
    }
    taken[taken_count++] = device;
    if (host && bytes > 0) {
        support_device_must(gpu, gpu_upload_async(gpu, device, host, bytes), "upload");
        support_device_must(gpu, gpu_wait(gpu), "upload");
    } else if (bytes > 0) {
        support_device_must(gpu, gpu_fill_async(gpu, device, SUPPORT_DEVICE_POISON, bytes), "fill");
    }
    return device;
}

void support_device_forget(struct gpu *gpu)
{
    while (taken_count > 0) {
        gpu_memory_give_back(gpu, taken[--taken_count]);
    }
}

void support_device_release(struct gpu *gpu)
{
    support_device_must(gpu, gpu_wait(gpu), "wait");
    support_device_forget(gpu);
}

void *support_device_read(struct gpu *gpu, const void *device, size_t bytes)
{
    void *host = host_memory(bytes);
    if (bytes > 0) {
        support_device_must(gpu, gpu_download_async(gpu, host, device, bytes), "download");
    }
    support_device_must(gpu, gpu_wait(gpu), "kernel");
    return host;
}

static float round_to(float value, enum dtype dtype)
{
    switch (dtype) {
    case DTYPE_BF16:
        return dtype_bf16_to_float(dtype_bf16_from_float(value));
    case DTYPE_F16:
        return dtype_f16_to_float(dtype_f16_from_float(value));
    case DTYPE_E4M3:
        return dtype_e4m3_to_float(dtype_e4m3_from_float(value));
    case DTYPE_F32:
    case DTYPE_COUNT:
        break;
    }
    return value;
}

float *support_device_floats(struct random_source *random, size_t count, float scale,
                             enum dtype dtype)
{
    float *values = host_memory(count * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        values[i] = round_to((float)(random_unit(random) * 2.0 - 1.0) * scale, dtype);
    }
    return values;
}

void *support_device_narrow(const float *values, size_t count, enum dtype dtype)
{
    unsigned char *out = host_memory(count * dtype_bytes(dtype));
    for (size_t i = 0; i < count; i++) {
        const uint16_t half = dtype == DTYPE_BF16 ? dtype_bf16_from_float(values[i])
                                                  : dtype_f16_from_float(values[i]);
        const uint8_t byte = dtype_e4m3_from_float(values[i]);
        const void *from = dtype == DTYPE_F32    ? (const void *)&values[i]
                           : dtype == DTYPE_E4M3 ? (const void *)&byte
                                                 : (const void *)&half;
        memcpy(out + i * dtype_bytes(dtype), from, dtype_bytes(dtype));
    }
    return out;
}

float support_device_half_ulp(float x, enum dtype dtype)
{
    static const struct {
        int digits, exponent_min; /* of the smallest normal number */
    } formats[] = {{24, -126}, {8, -126}, {11, -14}, {4, -6}};
    const int exponent = x == 0.0F || !isfinite(x) ? formats[dtype].exponent_min : ilogbf(x);
    const int least = formats[dtype].exponent_min;
    return ldexpf(1.0F, (exponent > least ? exponent : least) - formats[dtype].digits);
}

bool support_device_is_poison(const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    size_t i = 0;
    while (i < count && at[i] == SUPPORT_DEVICE_POISON) {
        i++;
    }
    return i == count;
}
