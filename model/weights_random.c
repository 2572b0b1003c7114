/* weights_random.c - weights of a shape without files, for benchmarks. */
#include <string.h>

#include "model/weights_walk.h"

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

static enum status use_random(struct weights_walk *walk, const struct family_tensor *row,
                              const char *name, struct weights_tensor *out)
{
    (void)name;
    const size_t count = weights_walk_element_count(walk, row);
    if (row->columns == FAMILY_DIM_NONE) {
        float *vector = weights_walk_take_vector(walk, count);
        for (size_t i = 0; i < count; i++) {
            vector[i] = 1.0F;
        }
        *out = (struct weights_tensor){.data = vector, .dtype = DTYPE_F32};
        return STATUS_OK;
    }
    char *matrix = (char *)walk->weights->matrices + walk->matrix_bytes;
    const uint64_t bytes = count * dtype_bytes(DTYPE_BF16);
    fill_random(&walk->random, matrix, bytes);
    walk->matrix_bytes += bytes;
    walk->weights->bytes += bytes;
    *out = (struct weights_tensor){.data = matrix, .dtype = DTYPE_BF16};
    return STATUS_OK;
}

enum status weights_make_random(const struct model_config *config, uint64_t seed,
                                struct weights **out, struct failure *failure)
{
    struct weights_walk walk;
    enum status status = weights_walk_create(config, &walk, failure);
    if (status == STATUS_OK) {
        walk.random.state = seed;
        status = weights_walk_all(&walk, weights_walk_use_for_size);
    }
    if (status == STATUS_OK) {
        status = weights_walk_take_vectors(&walk);
    }
    if (status == STATUS_OK) {
        status = weights_walk_take_matrices(&walk);
    }
    if (status == STATUS_OK) {
        status = weights_walk_fill(&walk, use_random);
    }
    if (status == STATUS_OK) {
        *out = walk.weights;
        walk.weights = NULL; /* ownership moved to the caller */
    }
    weights_close(walk.weights);
    return status;
}
