/* weights_walk.c - the walk, and what weights from files and weights made in memory share. */
#include "model/weights_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"

enum { NAME_BYTES = 128 };

/* The tensors of one layer, or the global ones. */
struct row_list {
    const struct family_tensor *rows;
    size_t count;
    uint32_t layer;
    char *base; /* their struct weights_layer or weights_globals */
};

/* ---- the walk over the family's tensors ------------------------------------------------------ */

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

static enum status walk_rows(struct weights_walk *walk, const struct row_list *list,
                             weights_walk_use *use)
{
    for (size_t i = 0; i < WEIGHTS_WALK_GROUPS; i++) {
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

enum status weights_walk_all(struct weights_walk *walk, weights_walk_use *use)
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

size_t weights_walk_element_count(const struct weights_walk *walk, const struct family_tensor *row)
{
    return (size_t)model_family_dim(walk->config, row->rows)
           * model_family_dim(walk->config, row->columns);
}

/* Adds up what all tensors need, before any memory is taken. */
enum status weights_walk_use_for_size(struct weights_walk *walk, const struct family_tensor *row,
                                      const char *name, struct weights_tensor *out)
{
    (void)name;
    (void)out;
    if (row->columns == FAMILY_DIM_NONE) {
        walk->vector_floats += weights_walk_element_count(walk, row);
    } else {
        walk->matrix_bytes += weights_walk_element_count(walk, row) * dtype_bytes(DTYPE_BF16);
    }
    return STATUS_OK;
}

/* ---- memory ---------------------------------------------------------------------------------- */

enum status weights_walk_create(const struct model_config *config, struct weights_walk *walk,
                                struct failure *failure)
{
    struct weights *weights = calloc(1, sizeof *weights);
    *walk = (struct weights_walk){.config = config, .weights = weights, .failure = failure};
    if (weights) {
        weights->layers = calloc(config->layer_count, sizeof *weights->layers);
    }
    return weights && weights->layers
               ? STATUS_OK
               : fail(failure, STATUS_IO, "no memory for %u layers", config->layer_count);
}

/* Takes the block of vectors that the first walk added up. */
enum status weights_walk_take_vectors(struct weights_walk *walk)
{
    ASSERT(walk->vector_floats > 0); /* a model has a norm */
    walk->weights->vectors = calloc(walk->vector_floats, sizeof *walk->weights->vectors);
    return walk->weights->vectors
               ? STATUS_OK
               : fail(walk->failure, STATUS_IO, "no memory for norms, biases and scales");
}

/* A vector's place in the fp32 block. */
float *weights_walk_take_vector(struct weights_walk *walk, size_t count)
{
    float *vector = walk->weights->vectors + walk->vector_floats;
    walk->vector_floats += count;
    return vector;
}

enum status weights_walk_take_matrices(struct weights_walk *walk)
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

/* The second walk: its sizes start again at 0. */
enum status weights_walk_fill(struct weights_walk *walk, weights_walk_use *use)
{
    walk->vector_floats = 0;
    walk->matrix_bytes = 0;
    const enum status status = weights_walk_all(walk, use);
    if (status == STATUS_OK && walk->config->ties_embeddings) {
        walk->weights->globals.lm_head = walk->weights->globals.embedding;
    }
    return status;
}

void weights_close(struct weights *weights)
{
    if (!weights) {
        return;
    }
    if (weights->files) {
        weights->close_files(weights->files);
    }
    if (weights->matrices) {
        (void)munmap(weights->matrices, weights->matrix_bytes);
    }
    free(weights->vectors);
    free(weights->layers);
    free(weights);
}
