#include "model/weights_scales.h"

#include <math.h>
#include <stdio.h>

#include "model/files/weight_files.h"

enum { NAME_BYTES = 160 };

static const enum dtype dtypes[] = {
    [SAFETENSORS_F32] = DTYPE_F32, [SAFETENSORS_BF16] = DTYPE_BF16, [SAFETENSORS_F16] = DTYPE_F16};

static const struct safetensors_tensor *find(const struct weights_walk *walk, const char *name,
                                             const struct weight_file **file)
{
    static const char *const endings[] = {"_scale_inv", "_scale"};
    const struct safetensors_tensor *tensor = NULL;
    for (size_t i = 0; !tensor && i < sizeof endings / sizeof endings[0]; i++) {
        char scale_name[NAME_BYTES];
        snprintf(scale_name, sizeof scale_name, "%s%s", name, endings[i]);
        tensor = weight_files_find(walk->weights->files, scale_name, file);
    }
    return tensor;
}

/* [blocks of out, blocks of in]; or [out] or [out, 1]; or a single one of any shape. */
static bool has_shape(const struct safetensors_tensor *tensor, uint32_t block, uint64_t out_count,
                      uint64_t in_count)
{
    uint64_t elements = 1;
    for (uint32_t i = 0; i < tensor->dim_count; i++) {
        elements *= tensor->dims[i];
    }
    if (block > 0) {
        return tensor->dim_count == 2 && tensor->dims[0] == (out_count + block - 1) / block
               && tensor->dims[1] == (in_count + block - 1) / block;
    }
    return elements == 1
           || (elements == out_count && tensor->dim_count <= 2 && tensor->dims[0] == out_count);
}

enum status weights_scales_check(struct weights_walk *walk, const struct family_tensor *row,
                                 const char *name, struct weights_tensor *out)
{
    const struct weight_file *file = NULL;
    const struct safetensors_tensor *tensor = find(walk, name, &file);
    if (!tensor) {
        return fail(walk->failure, STATUS_INVALID,
                    "tensor %s is F8_E4M3 and its scales are missing (_scale_inv or _scale)", name);
    }
    const uint32_t block = walk->config->quantization.scale_block;
    const uint64_t rows = model_family_dim(walk->config, row->rows);
    if (tensor->dtype >= sizeof dtypes / sizeof dtypes[0]) {
        return fail(walk->failure, STATUS_UNSUPPORTED,
                    "%.80s: tensor %s: dtype is not supported; supported: F32, F16, BF16",
                    file->name, tensor->name);
    }
    if (!has_shape(tensor, block, rows, model_family_dim(walk->config, row->columns))) {
        return fail(walk->failure, STATUS_INVALID,
                    "%.80s: tensor %s: shape is not that of scales %s", file->name, tensor->name,
                    block > 0 ? "of 128 x 128 blocks" : "of a tensor or of its rows");
    }
    out->scale_block = block;
    out->scale_count = block > 0 ? (uint32_t)(tensor->dims[0] * tensor->dims[1]) : (uint32_t)rows;
    walk->vector_floats += out->scale_count;
    walk->used_count++;
    walk->weights->bytes += tensor->bytes;
    return STATUS_OK;
}

enum status weights_scales_expand(struct weights_walk *walk, const char *name,
                                  struct weights_tensor *out)
{
    const struct weight_file *file = NULL;
    const struct safetensors_tensor *tensor = find(walk, name, &file);
    const enum dtype dtype = dtypes[tensor->dtype];
    const bool is_single = tensor->bytes == dtype_bytes(dtype);
    float *scales = weights_walk_take_vector(walk, out->scale_count);
    for (uint32_t i = 0; i < out->scale_count; i++) {
        scales[i] = dtype_load(tensor->data, dtype, is_single ? 0 : i);
        if (!isfinite(scales[i])) {
            return fail(walk->failure, STATUS_INVALID, "%.80s: tensor %s: scale %u is not finite",
                        file->name, tensor->name, i);
        }
    }
    out->scales = scales;
    return STATUS_OK;
}
