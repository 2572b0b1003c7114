/* family_llama.c - LlamaForCausalLM: grouped-query attention, RoPE, SwiGLU, optional biases and
 * tied embeddings. Defaults are those of transformers' LlamaConfig. */
#include "model/model_family.h"
#include "model/weights.h"

#define LAYER(field)  offsetof(struct weights_layer, field)
#define GLOBAL(field) offsetof(struct weights_globals, field)

/* clang-format off */
static const struct family_tensor layer_tensors[] = {
    {"model.layers.#.input_layernorm.weight", LAYER(attention_norm),
     FAMILY_DIM_HIDDEN, FAMILY_DIM_NONE, FAMILY_ALWAYS, FAMILY_GROUP_NONE},
    {"model.layers.#.self_attn.q_proj.weight", LAYER(q),
     FAMILY_DIM_Q, FAMILY_DIM_HIDDEN, FAMILY_ALWAYS, FAMILY_GROUP_QKV},
    {"model.layers.#.self_attn.k_proj.weight", LAYER(k),
     FAMILY_DIM_KV, FAMILY_DIM_HIDDEN, FAMILY_ALWAYS, FAMILY_GROUP_QKV},
    {"model.layers.#.self_attn.v_proj.weight", LAYER(v),
     FAMILY_DIM_KV, FAMILY_DIM_HIDDEN, FAMILY_ALWAYS, FAMILY_GROUP_QKV},
    {"model.layers.#.self_attn.o_proj.weight", LAYER(o),
     FAMILY_DIM_HIDDEN, FAMILY_DIM_Q, FAMILY_ALWAYS, FAMILY_GROUP_NONE},
    {"model.layers.#.self_attn.q_proj.bias", LAYER(q_bias),
     FAMILY_DIM_Q, FAMILY_DIM_NONE, FAMILY_IF_ATTENTION_BIAS, FAMILY_GROUP_NONE},
    {"model.layers.#.self_attn.k_proj.bias", LAYER(k_bias),
     FAMILY_DIM_KV, FAMILY_DIM_NONE, FAMILY_IF_ATTENTION_BIAS, FAMILY_GROUP_NONE},
    {"model.layers.#.self_attn.v_proj.bias", LAYER(v_bias),
     FAMILY_DIM_KV, FAMILY_DIM_NONE, FAMILY_IF_ATTENTION_BIAS, FAMILY_GROUP_NONE},
    {"model.layers.#.self_attn.o_proj.bias", LAYER(o_bias),
     FAMILY_DIM_HIDDEN, FAMILY_DIM_NONE, FAMILY_IF_ATTENTION_BIAS, FAMILY_GROUP_NONE},
    {"model.layers.#.post_attention_layernorm.weight", LAYER(ffn_norm),
     FAMILY_DIM_HIDDEN, FAMILY_DIM_NONE, FAMILY_ALWAYS, FAMILY_GROUP_NONE},
    {"model.layers.#.mlp.gate_proj.weight", LAYER(gate),
     FAMILY_DIM_FFN, FAMILY_DIM_HIDDEN, FAMILY_ALWAYS, FAMILY_GROUP_GATE_UP},
    {"model.layers.#.mlp.up_proj.weight", LAYER(up),
     FAMILY_DIM_FFN, FAMILY_DIM_HIDDEN, FAMILY_ALWAYS, FAMILY_GROUP_GATE_UP},
    {"model.layers.#.mlp.down_proj.weight", LAYER(down),
     FAMILY_DIM_HIDDEN, FAMILY_DIM_FFN, FAMILY_ALWAYS, FAMILY_GROUP_NONE},
    {"model.layers.#.mlp.gate_proj.bias", LAYER(gate_bias),
     FAMILY_DIM_FFN, FAMILY_DIM_NONE, FAMILY_IF_MLP_BIAS, FAMILY_GROUP_NONE},
    {"model.layers.#.mlp.up_proj.bias", LAYER(up_bias),
     FAMILY_DIM_FFN, FAMILY_DIM_NONE, FAMILY_IF_MLP_BIAS, FAMILY_GROUP_NONE},
    {"model.layers.#.mlp.down_proj.bias", LAYER(down_bias),
     FAMILY_DIM_HIDDEN, FAMILY_DIM_NONE, FAMILY_IF_MLP_BIAS, FAMILY_GROUP_NONE},
};

static const struct family_tensor global_tensors[] = {
    {"model.embed_tokens.weight", GLOBAL(embedding),
     FAMILY_DIM_VOCABULARY, FAMILY_DIM_HIDDEN, FAMILY_ALWAYS, FAMILY_GROUP_LOOKUP},
    {"model.norm.weight", GLOBAL(final_norm),
     FAMILY_DIM_HIDDEN, FAMILY_DIM_NONE, FAMILY_ALWAYS, FAMILY_GROUP_NONE},
    {"lm_head.weight", GLOBAL(lm_head),
     FAMILY_DIM_VOCABULARY, FAMILY_DIM_HIDDEN, FAMILY_UNLESS_TIED, FAMILY_GROUP_NONE},
};
/* clang-format on */

const struct model_family family_llama = {
    .architecture = "LlamaForCausalLM",
    .layer_tensors = layer_tensors,
    .global_tensors = global_tensors,
    .layer_tensor_count = sizeof layer_tensors / sizeof layer_tensors[0],
    .global_tensor_count = sizeof global_tensors / sizeof global_tensors[0],
    .defaults = {.family = &family_llama,
                 .context_tokens_max = 2048,
                 .rms_norm_eps = 1e-6F,
                 .rope = {.type = ROPE_DEFAULT, .theta = 10000.0},
                 .eos_ids = {2},
                 .eos_count = 1},
};
