#include "model/weights_expand.h"

#include <string.h>

#include "base/log.h"
#include "model/weights_walk.h"

enum { CODES = 256 };

static enum status use_for_size(struct weights_walk *walk, const struct family_tensor *row,
                                const char *name, struct weights_tensor *out)
{
    (void)name;
    if (out->dtype == DTYPE_E4M3) {
        walk->matrix_bytes += weights_walk_element_count(walk, row) * dtype_bytes(DTYPE_BF16);
    }
    return STATUS_OK;
}

/* A rectangle of the matrix that shares a scale: what each code becomes is worked out once. */
struct cell {
    size_t row_first, row_end, column_first, column_end;
};

static void expand_cell(const struct weights_tensor *from, size_t in_count, const struct cell *cell,
                        float scale, uint16_t *to)
{
    const uint8_t *codes = from->data;
    uint16_t values[CODES];
    for (uint32_t code = 0; code < CODES; code++) {
        values[code] = dtype_bf16_from_float(dtype_e4m3_to_float((uint8_t)code) * scale);
    }
    for (size_t row = cell->row_first; row < cell->row_end; row++) {
        for (size_t i = row * in_count + cell->column_first; i < row * in_count + cell->column_end;
             i++) {
            to[i] = values[codes[i]];
        }
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void expand_matrix(const struct weights_tensor *from, size_t out_count, size_t in_count,
                          uint16_t *to)
{
    const size_t rows = from->scale_block > 0 ? from->scale_block : 1;
    const size_t columns = from->scale_block > 0 ? from->scale_block : in_count;
    const float *scale = from->scales;
    for (size_t row = 0; row < out_count; row += rows) {
        for (size_t column = 0; column < in_count; column += columns) {
            const struct cell cell = {row, least(row + rows, out_count), column,
                                      least(column + columns, in_count)};
            expand_cell(from, in_count, &cell, *scale++, to);
        }
    }
}

static enum status use_expanded(struct weights_walk *walk, const struct family_tensor *row,
                                const char *name, struct weights_tensor *out)
{
    (void)name;
    if (out->dtype == DTYPE_E4M3) {
        const struct weights_tensor from = *out;
        char *matrix = (char *)walk->weights->matrices + walk->matrix_bytes;
        expand_matrix(&from, model_family_dim(walk->config, row->rows),
                      model_family_dim(walk->config, row->columns), (uint16_t *)(void *)matrix);
        *out = (struct weights_tensor){.data = matrix, .dtype = DTYPE_BF16};
        walk->matrix_bytes += weights_walk_element_count(walk, row) * dtype_bytes(DTYPE_BF16);
    }
    return STATUS_OK;
}

enum status weights_expand(const struct model_config *config, const struct weights *from,
                           struct weights **out, struct failure *failure)
{
    struct weights_walk walk;
    *out = NULL;
    enum status status = weights_walk_create(config, &walk, failure);
    if (status == STATUS_OK) {
        walk.weights->globals = from->globals;
        memcpy(walk.weights->layers, from->layers, config->layer_count * sizeof *from->layers);
        walk.weights->bytes = from->bytes;
        status = weights_walk_all(&walk, use_for_size);
    }
    if (status == STATUS_OK && walk.matrix_bytes > 0) {
        log_event(LOG_LEVEL_INFO, "model", "weights.expanded", "from=e4m3 to=bf16 bytes=%llu",
                  (unsigned long long)walk.matrix_bytes);
        status = weights_walk_take_matrices(&walk);
        if (status == STATUS_OK) {
            status = weights_walk_fill(&walk, use_expanded);
        }
        if (status == STATUS_OK) {
            *out = walk.weights;
            walk.weights = NULL; /* ownership moved to the caller */
        }
    }
    weights_close(walk.weights);
    return status;
}
