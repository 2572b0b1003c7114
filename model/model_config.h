/* model_config.h - config.json and generation_config.json of a Hugging Face directory, every field
 * that the forward pass uses checked once: type, range, divisibility, products. Both spellings are
 * read: rope_theta, rope_scaling, torch_dtype, and rope_parameters, dtype of transformers 5. What
 * would change the result and is not built is refused by name. Plain values, no memory. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "base/limits.h"

struct json_t; /* jansson's; this header is included where there is no jansson */
struct model_family;

enum rope_type { ROPE_DEFAULT, ROPE_LINEAR, ROPE_LLAMA3 };

struct rope_config {
    enum rope_type type;
    double theta;
    double factor;                            /* linear, llama3 */
    double low_freq_factor, high_freq_factor; /* llama3 */
    uint32_t original_context_tokens;         /* llama3 */
};

enum { QUANTIZATION_BLOCK = 128 };

struct quantization_config { /* quantization.h */
    bool is_fp8;             /* matrices may be F8_E4M3 with scales */
    uint32_t scale_block;    /* QUANTIZATION_BLOCK; 0: one for a tensor or for each out feature */
};

struct model_config {
    const struct model_family *family;
    uint32_t vocabulary_count, hidden_dim, ffn_dim, layer_count;
    uint32_t head_count, kv_head_count, head_dim;
    uint32_t context_tokens_max; /* max_position_embeddings */
    float rms_norm_eps;
    struct rope_config rope;
    struct quantization_config quantization;
    bool ties_embeddings, has_attention_bias, has_mlp_bias;
    uint32_t eos_ids[LIMIT_STOP_TOKENS], eos_count; /* generation_config.json's where it has any */
};

enum {
    MODEL_CONFIG_BYTES_MAX = 4 << 20,
    MODEL_CONFIG_DIM_MAX = 1 << 20, /* hidden_size, intermediate_size, heads * head_dim */
    MODEL_CONFIG_LAYERS_MAX = 1024,
};

/* From the parsed files; generation may be NULL.
 * STATUS_INVALID: a field is missing, mistyped or out of range. STATUS_UNSUPPORTED: by name. */
MUST_CHECK enum status model_config_parse(const struct json_t *config,
                                          const struct json_t *generation, struct model_config *out,
                                          struct failure *failure);

/* From the directory. STATUS_NOT_FOUND, STATUS_TOO_LARGE, STATUS_IO too. */
MUST_CHECK enum status model_config_read(const char *directory, struct model_config *out,
                                         struct failure *failure);

static inline uint32_t model_config_q_dim(const struct model_config *config)
{
    return config->head_count * config->head_dim;
}

static inline uint32_t model_config_kv_dim(const struct model_config *config)
{
    return config->kv_head_count * config->head_dim;
}
