/* model_family.h - the families of models as data: which tensors a checkpoint holds, under which
 * names and shapes, and what a missing config field means. A new family is a row in
 * model_family.c and one family_<name>.c. Constant, so any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "model/model_config.h"

enum family_dim {
    FAMILY_DIM_NONE, /* a vector's second dimension */
    FAMILY_DIM_HIDDEN,
    FAMILY_DIM_FFN,
    FAMILY_DIM_Q,  /* heads * head_dim */
    FAMILY_DIM_KV, /* kv heads * head_dim */
    FAMILY_DIM_VOCABULARY,
};

enum family_condition {
    FAMILY_ALWAYS,
    FAMILY_IF_ATTENTION_BIAS,
    FAMILY_IF_MLP_BIAS,
    FAMILY_UNLESS_TIED,
};

/* Tensors of one group are multiplied in one call, so they must share a dtype. */
enum family_group {
    FAMILY_GROUP_NONE,
    FAMILY_GROUP_QKV,
    FAMILY_GROUP_GATE_UP,
    FAMILY_GROUP_LOOKUP, /* alone, and rows of it are read as they are: never E4M3 */
};

struct family_tensor {
    const char *name; /* '#' stands for the layer's number */
    size_t offset;    /* of its struct weights_tensor in struct weights_layer or weights_globals */
    enum family_dim rows, columns; /* [out, in] as stored; a vector has no columns */
    enum family_condition condition;
    enum family_group group;
};

struct model_family {
    const char *architecture; /* entry of config.json's `architectures` */
    const struct family_tensor *layer_tensors, *global_tensors;
    size_t layer_tensor_count, global_tensor_count;
    struct model_config defaults; /* of fields that config.json may leave out */
};

/* NULL when there is no such family. */
const struct model_family *model_family_find(const char *architecture);

const struct model_family *model_family_at(size_t index); /* NULL after the last row */

uint32_t model_family_dim(const struct model_config *config, enum family_dim dim); /* NONE: 1 */
bool model_family_has(const struct model_config *config, enum family_condition condition);

extern const struct model_family family_llama;
