/* weights_walk.h - one visit of every tensor that a model's family names, for a first pass that
 * adds up sizes and a second that fills. Private to weights*.c; nothing here
 * needs the files, so that a machine without their libraries can make weights in memory. */
#pragma once
#include "base/random.h"
#include "model/model_family.h"
#include "model/weights.h"

enum { WEIGHTS_WALK_GROUPS = 4 };

struct weights_walk { /* what it carries */
    const struct model_config *config;
    struct weights *weights;
    struct failure *failure;
    size_t vector_floats;  /* taken so far */
    uint64_t matrix_bytes; /* placed so far */
    size_t used_count;
    enum dtype group_dtypes[WEIGHTS_WALK_GROUPS]; /* of the layer; DTYPE_COUNT: none yet */
    struct random_source random;
};

/* What is done with one tensor. */
typedef enum status weights_walk_use(struct weights_walk *walk, const struct family_tensor *row,
                                     const char *name, struct weights_tensor *out);

/* Starts with weights that have layers and nothing else; weights_close() them in the end. */
MUST_CHECK enum status weights_walk_create(const struct model_config *config,
                                           struct weights_walk *walk, struct failure *failure);
MUST_CHECK enum status weights_walk_all(struct weights_walk *walk, weights_walk_use *use);

/* Adds up what all tensors need, before any memory is taken. */
weights_walk_use weights_walk_use_for_size;

/* Takes the block of vectors that the first pass added up; then each vector's place in it. */
MUST_CHECK enum status weights_walk_take_vectors(struct weights_walk *walk);
float *weights_walk_take_vector(struct weights_walk *walk, size_t count);

/* Memory for the matrices that the first pass added up. */
MUST_CHECK enum status weights_walk_take_matrices(struct weights_walk *walk);

/* The second pass: its sizes start again at 0. */
MUST_CHECK enum status weights_walk_fill(struct weights_walk *walk, weights_walk_use *use);

size_t weights_walk_element_count(const struct weights_walk *walk, const struct family_tensor *row);
