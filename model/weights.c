/* weights.c - weights from a model directory's files. */
#include "model/weights.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "model/files/weight_files.h"
#include "model/weights_scales.h"
#include "model/weights_walk.h"

/* ---- from files ------------------------------------------------------------------------------ */

static enum status refuse_shape(const struct weights_walk *walk, const struct family_tensor *row,
                                const struct weight_file *file,
                                const struct safetensors_tensor *tensor)
{
    char got[96] = "[";
    for (uint32_t i = 0; i < tensor->dim_count && strlen(got) + 32 < sizeof got; i++) {
        const size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%llu", i > 0 ? ", " : "",
                 (unsigned long long)tensor->dims[i]);
    }
    char wanted[48];
    const uint32_t rows = model_family_dim(walk->config, row->rows);
    if (row->columns == FAMILY_DIM_NONE) {
        snprintf(wanted, sizeof wanted, "[%u]", rows);
    } else {
        snprintf(wanted, sizeof wanted, "[%u, %u]", rows,
                 model_family_dim(walk->config, row->columns));
    }
    return fail(walk->failure, STATUS_INVALID,
                "%.80s: tensor %s: shape is %s], config.json says %s", file->name, tensor->name,
                got, wanted);
}

static bool has_shape(const struct weights_walk *walk, const struct family_tensor *row,
                      const struct safetensors_tensor *tensor)
{
    const bool is_vector = row->columns == FAMILY_DIM_NONE;
    return tensor->dim_count == (is_vector ? 1 : 2)
           && tensor->dims[0] == model_family_dim(walk->config, row->rows)
           && (is_vector || tensor->dims[1] == model_family_dim(walk->config, row->columns));
}

static enum status check_dtype(struct weights_walk *walk, const struct family_tensor *row,
                               const struct weight_file *file,
                               const struct safetensors_tensor *tensor, enum dtype *out)
{
    static const enum dtype dtypes[] = {[SAFETENSORS_F32] = DTYPE_F32,
                                        [SAFETENSORS_BF16] = DTYPE_BF16,
                                        [SAFETENSORS_F16] = DTYPE_F16,
                                        [SAFETENSORS_E4M3] = DTYPE_E4M3};
    const bool may_be_e4m3 = walk->config->quantization.is_fp8 && row->columns != FAMILY_DIM_NONE
                             && row->group != FAMILY_GROUP_LOOKUP;
    if (tensor->dtype == SAFETENSORS_OTHER || (tensor->dtype == SAFETENSORS_E4M3 && !may_be_e4m3)) {
        return fail(walk->failure, STATUS_UNSUPPORTED,
                    "%.80s: tensor %s: dtype is not supported; supported: F32, F16, BF16%s",
                    file->name, tensor->name, may_be_e4m3 ? ", F8_E4M3" : "");
    }
    *out = dtypes[tensor->dtype];
    enum dtype *group = &walk->group_dtypes[row->group];
    if (row->group != FAMILY_GROUP_NONE && *group != DTYPE_COUNT && *group != *out) {
        return fail(walk->failure, STATUS_UNSUPPORTED,
                    "%.80s: tensor %s: dtype differs from the tensors it is multiplied with",
                    file->name, tensor->name);
    }
    *group = *out;
    return STATUS_OK;
}

/* Finds and checks a tensor; a vector still points into the file. */
static enum status use_from_file(struct weights_walk *walk, const struct family_tensor *row,
                                 const char *name, struct weights_tensor *out)
{
    const struct weight_file *file = NULL;
    const struct safetensors_tensor *tensor = weight_files_find(walk->weights->files, name, &file);
    if (!tensor) {
        return fail(walk->failure, STATUS_INVALID, "%.80s: tensor %s is missing",
                    file ? file->name : WEIGHT_FILES_INDEX, name);
    }
    if (!has_shape(walk, row, tensor)) {
        return refuse_shape(walk, row, file, tensor);
    }
    enum status status = check_dtype(walk, row, file, tensor, &out->dtype);
    if (status == STATUS_OK && out->dtype == DTYPE_E4M3) {
        status = weights_scales_check(walk, row, name, out);
    }
    if (status != STATUS_OK) {
        return status;
    }
    out->data = tensor->data;
    walk->used_count++;
    walk->weights->bytes += tensor->bytes;
    return weights_walk_use_for_size(walk, row, name, out);
}

/* What is kept in fp32: vectors and scales. */
static enum status expand(struct weights_walk *walk, const struct family_tensor *row,
                          const char *name, struct weights_tensor *out)
{
    if (out->dtype == DTYPE_E4M3) {
        return weights_scales_expand(walk, name, out);
    }
    if (row->columns == FAMILY_DIM_NONE) {
        const size_t count = weights_walk_element_count(walk, row);
        float *vector = weights_walk_take_vector(walk, count);
        for (size_t i = 0; i < count; i++) {
            vector[i] = dtype_load(out->data, out->dtype, i);
        }
        *out = (struct weights_tensor){.data = vector, .dtype = DTYPE_F32};
    }
    return STATUS_OK;
}

/* ---- open ------------------------------------------------------------------------------------ */

/* Tensors that no row of the family names are not an error (old checkpoints carry rotary tables),
 * but a sign that the config may not fit the weights. */
static void log_unused(const struct weights_walk *walk)
{
    size_t count = 0;
    for (size_t i = 0; i < weight_files_count(walk->weights->files); i++) {
        count += safetensors_count(weight_files_at(walk->weights->files, i)->tensors);
    }
    if (count > walk->used_count) {
        log_event(LOG_LEVEL_WARN, "model", "weights.unused", "tensors=%zu",
                  count - walk->used_count);
    }
}

enum status weights_open(const char *directory, const struct model_config *config,
                         struct weights **out, struct failure *failure)
{
    struct weights_walk walk;
    enum status status = weights_walk_create(config, &walk, failure);
    if (status == STATUS_OK) {
        walk.weights->close_files = weight_files_close;
        status = weight_files_open(directory, &walk.weights->files, failure);
    }
    if (status == STATUS_OK) {
        status = weights_walk_all(&walk, use_from_file);
    }
    if (status == STATUS_OK) {
        status = weights_walk_take_vectors(&walk);
    }
    if (status == STATUS_OK) {
        status = weights_walk_fill(&walk, expand);
    }
    if (status == STATUS_OK) {
        log_unused(&walk);
        *out = walk.weights;
        walk.weights = NULL; /* ownership moved to the caller */
    }
    weights_close(walk.weights);
    return status;
}
