/* A safetensors file from bytes: never a read outside them; what is accepted lies inside, aligned,
 * without overlap, and is found by its name. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "model/files/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(const struct safetensors *file, const uint8_t *bytes, size_t length)
{
    uint64_t total = safetensors_header_bytes(file);
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);
        const uint8_t *data = tensor->data;
        ASSERT(data >= bytes && tensor->bytes <= length);
        ASSERT((size_t)(data - bytes) <= length - tensor->bytes);
        ASSERT(safetensors_find(file, tensor->name) == tensor);
        ASSERT(tensor->dtype != SAFETENSORS_F32 || (uintptr_t)data % sizeof(float) == 0);
        total += tensor->bytes;
    }
    ASSERT(total == length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct failure failure = {""};
    struct safetensors *file = NULL;
    uint8_t *copy = malloc(length ? length : 1); /* aligned, and exact for the sanitizer */
    ASSERT(copy);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    if (safetensors_parse(copy, length, &file, &failure) == STATUS_OK) {
        check(file, copy, length);
    } else {
        ASSERT(failure.text[0] != '\0' && !strchr(failure.text, '\n'));
    }
    safetensors_destroy(file);
    free(copy);
    return 0;
}
