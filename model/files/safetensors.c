#include "model/files/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "model/json_field.h"

enum { LENGTH_BYTES = 8 };

struct safetensors {
    json_t *header; /* holds the names */
    struct safetensors_tensor *tensors;
    size_t count, header_bytes;
};

static const struct {
    const char *name;
    enum safetensors_dtype dtype;
    uint32_t bytes;
} dtypes[] = {
    {"F32", SAFETENSORS_F32, 4},       {"BF16", SAFETENSORS_BF16, 2},
    {"F16", SAFETENSORS_F16, 2},       {"F64", SAFETENSORS_OTHER, 8},
    {"I64", SAFETENSORS_OTHER, 8},     {"U64", SAFETENSORS_OTHER, 8},
    {"I32", SAFETENSORS_OTHER, 4},     {"U32", SAFETENSORS_OTHER, 4},
    {"I16", SAFETENSORS_OTHER, 2},     {"U16", SAFETENSORS_OTHER, 2},
    {"I8", SAFETENSORS_OTHER, 1},      {"U8", SAFETENSORS_OTHER, 1},
    {"BOOL", SAFETENSORS_OTHER, 1},    {"F8_E4M3", SAFETENSORS_E4M3, 1},
    {"F8_E5M2", SAFETENSORS_OTHER, 1}, {"F8_E8M0", SAFETENSORS_OTHER, 1},
};

/* What a tensor is checked against: the data section. */
struct section {
    const unsigned char *data;
    uint64_t bytes;
    struct failure *failure;
};

/* ---- one tensor ------------------------------------------------------------------------------ */

static enum status refuse(const struct section *section, const char *name, const char *problem)
{
    return fail(section->failure, STATUS_INVALID, "tensor %.100s: %s", name, problem);
}

/* True and *out set if value is an integer that is not negative. */
static bool read_count(const json_t *value, uint64_t *out)
{
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* Reads the shape; *bytes becomes the product of dims and element_bytes. */
static enum status read_shape(const struct section *section, const json_t *shape,
                              struct safetensors_tensor *tensor, uint64_t *bytes)
{
    if (!json_is_array(shape)) {
        return refuse(section, tensor->name, "shape is missing or not a list");
    }
    if (json_array_size(shape) > SAFETENSORS_DIMS_MAX) {
        return refuse(section, tensor->name, "shape has more than 8 dimensions");
    }
    tensor->dim_count = (uint32_t)json_array_size(shape);
    for (uint32_t i = 0; i < tensor->dim_count; i++) {
        if (!read_count(json_array_get(shape, i), &tensor->dims[i])) {
            return refuse(section, tensor->name, "shape must hold whole numbers from 0");
        }
        if (__builtin_mul_overflow(*bytes, tensor->dims[i], bytes)) {
            return refuse(section, tensor->name, "shape overflows 64 bits");
        }
    }
    return STATUS_OK;
}

static enum status read_dtype(const struct section *section, const json_t *entry,
                              struct safetensors_tensor *tensor, uint32_t *element_bytes)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));
    if (!name) {
        return refuse(section, tensor->name, "dtype is missing or not a string");
    }
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            tensor->dtype = dtypes[i].dtype;
            *element_bytes = dtypes[i].bytes;
            return STATUS_OK;
        }
    }
    return fail(section->failure, STATUS_INVALID, "tensor %.100s: dtype %.40s is unknown",
                tensor->name, name);
}

static enum status read_tensor(const struct section *section, const json_t *entry,
                               struct safetensors_tensor *tensor)
{
    uint32_t element_bytes = 0;
    if (!json_is_object(entry)) {
        return refuse(section, tensor->name, "must be an object");
    }
    enum status status = read_dtype(section, entry, tensor, &element_bytes);
    uint64_t bytes = element_bytes;
    if (status == STATUS_OK) {
        status = read_shape(section, json_object_get(entry, "shape"), tensor, &bytes);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const json_t *offsets = json_object_get(entry, "data_offsets");
    uint64_t begin = 0;
    uint64_t end = 0;
    if (!json_is_array(offsets) || json_array_size(offsets) != 2
        || !read_count(json_array_get(offsets, 0), &begin)
        || !read_count(json_array_get(offsets, 1), &end)) {
        return refuse(section, tensor->name, "data_offsets must be two whole numbers from 0");
    }
    if (begin > end) {
        return refuse(section, tensor->name, "data_offsets end before they begin");
    }
    if (end > section->bytes) {
        return refuse(section, tensor->name, "data_offsets reach past the end of the file");
    }
    if (end - begin != bytes) {
        return refuse(section, tensor->name, "data_offsets do not match shape and dtype");
    }
    ASSERT(element_bytes > 0);
    if ((uintptr_t)(section->data + begin) % element_bytes != 0) {
        return refuse(section, tensor->name, "data_offsets are not aligned to the dtype");
    }
    tensor->data = section->data + begin;
    tensor->bytes = bytes;
    return STATUS_OK;
}

/* ---- all tensors ----------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const struct safetensors_tensor *left = a;
    const struct safetensors_tensor *right = b;
    return strcmp(left->name, right->name);
}

static int compare_places(const void *a, const void *b)
{
    const struct safetensors_tensor *left = a;
    const struct safetensors_tensor *right = b;
    const uintptr_t left_begin = (uintptr_t)left->data;
    const uintptr_t right_begin = (uintptr_t)right->data;
    if (left_begin != right_begin) {
        return left_begin < right_begin ? -1 : 1;
    }
    return (left->bytes > right->bytes) - (left->bytes < right->bytes);
}

/* The tensors, in the order of their data, must fill the section without gap or overlap. */
static enum status check_places(const struct section *section,
                                const struct safetensors_tensor *tensors, size_t count)
{
    const unsigned char *end = section->data;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *begin = tensors[i].data;
        if (begin < end) {
            return refuse(section, tensors[i].name, "data overlaps another tensor");
        }
        if (begin > end) {
            return refuse(section, tensors[i].name, "a hole lies before its data");
        }
        end = begin + tensors[i].bytes;
    }
    if (end != section->data + section->bytes) {
        return fail(section->failure, STATUS_INVALID, "bytes after the last tensor belong to none");
    }
    return STATUS_OK;
}

static enum status check_metadata(json_t *metadata, struct failure *failure)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) {
        return fail(failure, STATUS_INVALID, "__metadata__ must be an object");
    }
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value)) {
            return fail(failure, STATUS_INVALID, "__metadata__: %.100s must be a string", key);
        }
    }
    return STATUS_OK;
}

static enum status read_tensors(const struct section *section, struct safetensors *out)
{
    const char *name;
    json_t *entry;
    json_object_foreach(out->header, name, entry)
    {
        const bool is_metadata = strcmp(name, "__metadata__") == 0;
        struct safetensors_tensor *tensor = &out->tensors[out->count];
        *tensor = (struct safetensors_tensor){.name = name};
        const enum status status = is_metadata ? check_metadata(entry, section->failure)
                                               : read_tensor(section, entry, tensor);
        if (status != STATUS_OK) {
            return status;
        }
        out->count += is_metadata ? 0 : 1;
    }
    qsort(out->tensors, out->count, sizeof *out->tensors, compare_places);
    const enum status status = check_places(section, out->tensors, out->count);
    qsort(out->tensors, out->count, sizeof *out->tensors, compare_names);
    return status;
}

static enum status read_header(const char *bytes, size_t length, json_t **out,
                               struct failure *failure)
{
    if (length == 0 || bytes[0] != '{') {
        return fail(failure, STATUS_INVALID, "header does not begin with {");
    }
    if (utf8_valid_bytes(bytes, length) != length) {
        return fail(failure, STATUS_INVALID, "header is not valid UTF-8");
    }
    return json_field_parse(bytes, length, "header", out, failure);
}

/* The 8 bytes in front, checked against the file and the maximum. */
static enum status read_length(const unsigned char *bytes, size_t length, size_t *out,
                               struct failure *failure)
{
    if (length < LENGTH_BYTES) {
        return fail(failure, STATUS_INVALID, "truncated: %zu bytes, shorter than a header", length);
    }
    uint64_t header_bytes = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) {
        header_bytes = header_bytes << 8 | bytes[i];
    }
    if (header_bytes == 0) {
        return fail(failure, STATUS_INVALID, "header length is 0");
    }
    if (header_bytes > SAFETENSORS_HEADER_BYTES_MAX) {
        return fail(failure, STATUS_TOO_LARGE, "header length %llu is over %d bytes",
                    (unsigned long long)header_bytes, SAFETENSORS_HEADER_BYTES_MAX);
    }
    if (header_bytes > length - LENGTH_BYTES) {
        return fail(failure, STATUS_INVALID,
                    "truncated: header length %llu is longer than the file of %zu bytes",
                    (unsigned long long)header_bytes, length);
    }
    *out = (size_t)header_bytes;
    return STATUS_OK;
}

enum status safetensors_parse(const void *bytes, size_t length, struct safetensors **out,
                              struct failure *failure)
{
    const unsigned char *at = bytes;
    size_t header_bytes = 0;
    enum status status = read_length(at, length, &header_bytes, failure);
    if (status != STATUS_OK) {
        return status;
    }
    struct safetensors *safetensors = calloc(1, sizeof *safetensors);
    if (!safetensors) {
        return fail(failure, STATUS_IO, "no memory for the header");
    }
    const struct section section = {at + LENGTH_BYTES + header_bytes,
                                    length - LENGTH_BYTES - header_bytes, failure};
    safetensors->header_bytes = LENGTH_BYTES + header_bytes;
    status =
        read_header((const char *)at + LENGTH_BYTES, header_bytes, &safetensors->header, failure);
    if (status != STATUS_OK) {
        goto done;
    }
    safetensors->tensors =
        calloc(json_object_size(safetensors->header) + 1, sizeof *safetensors->tensors);
    if (!safetensors->tensors) {
        status = fail(failure, STATUS_IO, "no memory for the header");
        goto done;
    }
    status = read_tensors(&section, safetensors);
    if (status == STATUS_OK) {
        *out = safetensors;
        safetensors = NULL; /* ownership moved to the caller */
    }
done:
    safetensors_destroy(safetensors);
    return status;
}

void safetensors_destroy(struct safetensors *safetensors)
{
    if (safetensors) {
        json_decref(safetensors->header);
        free(safetensors->tensors);
        free(safetensors);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

size_t safetensors_count(const struct safetensors *safetensors)
{
    return safetensors->count;
}

size_t safetensors_header_bytes(const struct safetensors *safetensors)
{
    return safetensors->header_bytes;
}

const struct safetensors_tensor *safetensors_at(const struct safetensors *safetensors, size_t index)
{
    return index < safetensors->count ? &safetensors->tensors[index] : NULL;
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *safetensors,
                                                  const char *name)
{
    const struct safetensors_tensor key = {.name = name};
    return bsearch(&key, safetensors->tensors, safetensors->count, sizeof key, compare_names);
}
