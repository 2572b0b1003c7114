#include "model/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/random.h"
#include "model/files/weight_files.h"
#include "model/model_family.h"

enum { NAME_BYTES = 128, GROUP_COUNT = 3 };

/* What a walk over all tensors of a model carries. */
struct walk {
    const struct model_config *config;
    struct weights *weights;
    struct failure *failure;
    size_t vector_floats;  /* taken so far */
    uint64_t matrix_bytes; /* placed so far */
    size_t used_count;
    enum dtype group_dtypes[GROUP_COUNT]; /* of the current layer; DTYPE_COUNT: none yet */
    struct random_source random;
};

/* The tensors of one layer, or the global ones. */
struct row_list {
    const struct family_tensor *rows;
    size_t count;
    uint32_t layer;
    char *base; /* their struct weights_layer or weights_globals */
};

/* What is done with one tensor of the model. */
typedef enum status walk_use(struct walk *walk, const struct family_tensor *row, const char *name,
                             struct weights_tensor *out);

/* ---- the walk over the family's tensors ------------------------------------------------------
 */

/* pattern with '#' replaced by the layer's number. */
static void write_name(const char *pattern, uint32_t layer, char out[NAME_BYTES])
{
    const char *mark = strchr(pattern, '#');
    if (mark) {
        snprintf(out, NAME_BYTES, "%.*s%u%s", (int)(mark - pattern), pattern, layer, mark + 1);
    } else {
        snprintf(out, NAME_BYTES, "%s", pattern);
    }
}

static enum status walk_rows(struct walk *walk, const struct row_list *list, walk_use *use)
{
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        walk->group_dtypes[i] = DTYPE_COUNT;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!model_family_has(walk->config, list->rows[i].condition)) {
            continue;
        }
        char name[NAME_BYTES];
        write_name(list->rows[i].name, list->layer, name);
        void *place = list->base + list->rows[i].offset;
        const enum status status = use(walk, &list->rows[i], name, place);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status walk_all(struct walk *walk, walk_use *use)
{
    const struct model_family *family = walk->config->family;
    const struct row_list globals = {family->global_tensors, family->global_tensor_count, 0,
                                     (char *)&walk->weights->globals};
    enum status status = walk_rows(walk, &globals, use);
    for (uint32_t i = 0; status == STATUS_OK && i < walk->config->layer_count; i++) {
        const struct row_list layer = {family->layer_tensors, family->layer_tensor_count, i,
                                       (char *)&walk->weights->layers[i]};
        status = walk_rows(walk, &layer, use);
    }
    return status;
}

static size_t element_count(const struct walk *walk, const struct family_tensor *row)
{
    return (size_t)model_family_dim(walk->config, row->rows)
           * model_family_dim(walk->config, row->columns);
}

/* Adds up what all tensors need, before any memory is taken. */
static enum status use_for_size(struct walk *walk, const struct family_tensor *row,
                                const char *name, struct weights_tensor *out)
{
    (void)name;
    (void)out;
    if (row->columns == FAMILY_DIM_NONE) {
        walk->vector_floats += element_count(walk, row);
    } else {
        walk->matrix_bytes += element_count(walk, row) * dtype_bytes(DTYPE_BF16);
    }
    return STATUS_OK;
}

/* ---- from files ------------------------------------------------------------------------------
 */

static enum status refuse_shape(const struct walk *walk, const struct family_tensor *row,
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

static bool has_shape(const struct walk *walk, const struct family_tensor *row,
                      const struct safetensors_tensor *tensor)
{
    const bool is_vector = row->columns == FAMILY_DIM_NONE;
    return tensor->dim_count == (is_vector ? 1 : 2)
           && tensor->dims[0] == model_family_dim(walk->config, row->rows)
           && (is_vector || tensor->dims[1] == model_family_dim(walk->config, row->columns));
}

static enum status check_dtype(struct walk *walk, const struct family_tensor *row,
                               const struct weight_file *file,
                               const struct safetensors_tensor *tensor, enum dtype *out)
{
    static const enum dtype dtypes[] = {[SAFETENSORS_F32] = DTYPE_F32,
                                        [SAFETENSORS_BF16] = DTYPE_BF16,
                                        [SAFETENSORS_F16] = DTYPE_F16};
    if (tensor->dtype == SAFETENSORS_OTHER) {
        return fail(walk->failure, STATUS_UNSUPPORTED,
                    "%.80s: tensor %s: dtype is not supported; supported: F32, F16, BF16",
                    file->name, tensor->name);
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

/* A vector's place in the fp32 block. */
static float *take_vector(struct walk *walk, size_t count)
{
    float *vector = walk->weights->vectors + walk->vector_floats;
    walk->vector_floats += count;
    return vector;
}

/* Finds and checks a tensor; a vector still points into the file. */
static enum status use_from_file(struct walk *walk, const struct family_tensor *row,
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
    const enum status status = check_dtype(walk, row, file, tensor, &out->dtype);
    if (status != STATUS_OK) {
        return status;
    }
    out->data = tensor->data;
    walk->used_count++;
    walk->weights->bytes += tensor->bytes;
    return use_for_size(walk, row, name, out);
}

static enum status expand_vector(struct walk *walk, const struct family_tensor *row,
                                 const char *name, struct weights_tensor *out)
{
    (void)name;
    if (row->columns == FAMILY_DIM_NONE) {
        const size_t count = element_count(walk, row);
        float *vector = take_vector(walk, count);
        for (size_t i = 0; i < count; i++) {
            vector[i] = dtype_load(out->data, out->dtype, i);
        }
        *out = (struct weights_tensor){vector, DTYPE_F32};
    }
    return STATUS_OK;
}

/* ---- made in memory --------------------------------------------------------------------------
 */

/* Random signs and fractions at magnitudes from 2^-6 to 2^-5, so that activations stay finite. */
static void fill_random(struct random_source *random, void *data, uint64_t bytes)
{
    const uint64_t kept_bits = 0x807f807f807f807fULL;
    const uint64_t exponent_bits = 0x3c803c803c803c80ULL;
    for (uint64_t i = 0; i + sizeof kept_bits <= bytes; i += sizeof kept_bits) {
        const uint64_t values = (random_next(random) & kept_bits) | exponent_bits;
        memcpy((char *)data + i, &values, sizeof values);
    }
}

static enum status use_random(struct walk *walk, const struct family_tensor *row, const char *name,
                              struct weights_tensor *out)
{
    (void)name;
    const size_t count = element_count(walk, row);
    if (row->columns == FAMILY_DIM_NONE) {
        float *vector = take_vector(walk, count);
        for (size_t i = 0; i < count; i++) {
            vector[i] = 1.0F;
        }
        *out = (struct weights_tensor){vector, DTYPE_F32};
        return STATUS_OK;
    }
    char *matrix = (char *)walk->weights->matrices + walk->matrix_bytes;
    const uint64_t bytes = count * dtype_bytes(DTYPE_BF16);
    fill_random(&walk->random, matrix, bytes);
    walk->matrix_bytes += bytes;
    walk->weights->bytes += bytes;
    *out = (struct weights_tensor){matrix, DTYPE_BF16};
    return STATUS_OK;
}

/* ---- open and close --------------------------------------------------------------------------
 */

static enum status create(const struct model_config *config, struct walk *walk,
                          struct failure *failure)
{
    struct weights *weights = calloc(1, sizeof *weights);
    *walk = (struct walk){.config = config, .weights = weights, .failure = failure};
    if (weights) {
        weights->layers = calloc(config->layer_count, sizeof *weights->layers);
    }
    return weights && weights->layers
               ? STATUS_OK
               : fail(failure, STATUS_IO, "no memory for %u layers", config->layer_count);
}

/* Takes the block of vectors that the first walk added up. */
static enum status take_vectors(struct walk *walk)
{
    ASSERT(walk->vector_floats > 0); /* a model has a norm */
    walk->weights->vectors = calloc(walk->vector_floats, sizeof *walk->weights->vectors);
    return walk->weights->vectors
               ? STATUS_OK
               : fail(walk->failure, STATUS_IO, "no memory for norms and biases");
}

/* The second walk: its sizes start again at 0. */
static enum status fill(struct walk *walk, walk_use *use)
{
    walk->vector_floats = 0;
    walk->matrix_bytes = 0;
    const enum status status = walk_all(walk, use);
    if (status == STATUS_OK && walk->config->ties_embeddings) {
        walk->weights->globals.lm_head = walk->weights->globals.embedding;
    }
    return status;
}

/* Tensors that no row of the family names are not an error (old checkpoints carry rotary tables),
 * but a sign that the config may not fit the weights. */
static void log_unused(const struct walk *walk)
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
    struct walk walk;
    enum status status = create(config, &walk, failure);
    if (status == STATUS_OK) {
        status = weight_files_open(directory, &walk.weights->files, failure);
    }
    if (status == STATUS_OK) {
        status = walk_all(&walk, use_from_file);
    }
    if (status == STATUS_OK) {
        status = take_vectors(&walk);
    }
    if (status == STATUS_OK) {
        status = fill(&walk, expand_vector);
    }
    if (status == STATUS_OK) {
        log_unused(&walk);
        *out = walk.weights;
        walk.weights = NULL; /* ownership moved to the caller */
    }
    weights_close(walk.weights);
    return status;
}

static enum status take_matrices(struct walk *walk)
{
    void *bytes =
        mmap(NULL, walk->matrix_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) {
        return fail(walk->failure, STATUS_IO, "no memory for %llu bytes of weights",
                    (unsigned long long)walk->matrix_bytes);
    }
    (void)madvise(bytes, walk->matrix_bytes, MADV_HUGEPAGE); /* only a hint */
    walk->weights->matrices = bytes;
    walk->weights->matrix_bytes = walk->matrix_bytes;
    return STATUS_OK;
}

enum status weights_make_random(const struct model_config *config, uint64_t seed,
                                struct weights **out, struct failure *failure)
{
    struct walk walk;
    enum status status = create(config, &walk, failure);
    if (status == STATUS_OK) {
        walk.random.state = seed;
        status = walk_all(&walk, use_for_size);
    }
    if (status == STATUS_OK) {
        status = take_vectors(&walk);
    }
    if (status == STATUS_OK) {
        status = take_matrices(&walk);
    }
    if (status == STATUS_OK) {
        status = fill(&walk, use_random);
    }
    if (status == STATUS_OK) {
        *out = walk.weights;
        walk.weights = NULL; /* ownership moved to the caller */
    }
    weights_close(walk.weights);
    return status;
}

void weights_close(struct weights *weights)
{
    if (!weights) {
        return;
    }
    weight_files_close(weights->files);
    if (weights->matrices) {
        (void)munmap(weights->matrices, weights->matrix_bytes);
    }
    free(weights->vectors);
    free(weights->layers);
    free(weights);
}
