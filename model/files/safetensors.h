/* safetensors.h - reads the header of a safetensors file that lies in memory: 8 bytes little-endian
 * length, a JSON object of tensors, then their data without gap or overlap. Nothing is copied: data
 * pointers go into the caller's bytes, which must outlive the object. Immutable after parse. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

struct safetensors;

enum {
    SAFETENSORS_HEADER_BYTES_MAX = 100 * 1000 * 1000,
    SAFETENSORS_DIMS_MAX = 8,
};

enum safetensors_dtype {
    SAFETENSORS_F32,
    SAFETENSORS_BF16,
    SAFETENSORS_F16,
    SAFETENSORS_E4M3,
    SAFETENSORS_OTHER, /* a type of the format that no weight of ours may have */
};

struct safetensors_tensor {
    const char *name; /* lives as long as the object */
    enum safetensors_dtype dtype;
    uint32_t dim_count;
    uint64_t dims[SAFETENSORS_DIMS_MAX];
    const void *data; /* aligned to the type */
    uint64_t bytes;
};

/* STATUS_INVALID: the text names the tensor and what is wrong with it. STATUS_TOO_LARGE: header
 * over the maximum. STATUS_IO: no memory. */
MUST_CHECK enum status safetensors_parse(const void *bytes, size_t length, struct safetensors **out,
                                         struct failure *failure);
void safetensors_destroy(struct safetensors *safetensors); /* NULL is fine */

size_t safetensors_count(const struct safetensors *safetensors);
size_t safetensors_header_bytes(const struct safetensors *safetensors); /* with the length */

/* In the order of names. */
const struct safetensors_tensor *safetensors_at(const struct safetensors *safetensors,
                                                size_t index);
const struct safetensors_tensor *safetensors_find(const struct safetensors *safetensors,
                                                  const char *name); /* NULL: no such tensor */
