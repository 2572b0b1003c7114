#include "model/model_family.h"

#include <string.h>

#include "base/assert.h"

static const struct model_family *const families[] = {&family_llama};

const struct model_family *model_family_at(size_t index)
{
    return index < sizeof families / sizeof families[0] ? families[index] : NULL;
}

const struct model_family *model_family_find(const char *architecture)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (strcmp(families[i]->architecture, architecture) == 0) {
            return families[i];
        }
    }
    return NULL;
}

uint32_t model_family_dim(const struct model_config *config, enum family_dim dim)
{
    switch (dim) {
    case FAMILY_DIM_NONE:
        return 1;
    case FAMILY_DIM_HIDDEN:
        return config->hidden_dim;
    case FAMILY_DIM_FFN:
        return config->ffn_dim;
    case FAMILY_DIM_Q:
        return model_config_q_dim(config);
    case FAMILY_DIM_KV:
        return model_config_kv_dim(config);
    case FAMILY_DIM_VOCABULARY:
        break;
    }
    ASSERT(dim == FAMILY_DIM_VOCABULARY);
    return config->vocabulary_count;
}

bool model_family_has(const struct model_config *config, enum family_condition condition)
{
    switch (condition) {
    case FAMILY_ALWAYS:
        return true;
    case FAMILY_IF_ATTENTION_BIAS:
        return config->has_attention_bias;
    case FAMILY_IF_MLP_BIAS:
        return config->has_mlp_bias;
    case FAMILY_UNLESS_TIED:
        break;
    }
    ASSERT(condition == FAMILY_UNLESS_TIED);
    return !config->ties_embeddings;
}
