#include "model/model_config.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "kernels/attention/attention.h"
#include "model/json_field.h"
#include "model/model_family.h"
#include "model/quantization.h"

static const double FACTOR_MAX = 1e6, THETA_MAX = 1e15, EPSILON_MIN = 1e-12;

/* Fields that change the result and are not built: refused unless absent or null. */
static const char *const unsupported_fields[] = {"sliding_window"};

/* ---- family ---------------------------------------------------------------------------------- */

static enum status read_family(const struct json_source *source, const struct model_family **out)
{
    const json_t *names = json_object_get(source->object, "architectures");
    const char *name = json_string_value(json_array_get(names, 0));
    if (!name) {
        return fail(source->failure, STATUS_INVALID,
                    "%s: architectures must be a list that names the model's architecture",
                    source->name);
    }
    *out = model_family_find(name);
    if (*out) {
        return STATUS_OK;
    }
    char known[128] = "";
    for (size_t i = 0; model_family_at(i); i++) {
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                 model_family_at(i)->architecture);
    }
    return fail(source->failure, STATUS_UNSUPPORTED,
                "%s: architectures: %.80s is not supported; supported: %s", source->name, name,
                known);
}

static enum status refuse_unsupported(const struct json_source *source)
{
    for (size_t i = 0; i < sizeof unsupported_fields / sizeof unsupported_fields[0]; i++) {
        if (json_field_is_set(source, unsupported_fields[i])) {
            return fail(source->failure, STATUS_UNSUPPORTED, "%s: %s is not supported",
                        source->name, unsupported_fields[i]);
        }
    }
    const char *activation = "silu";
    const enum status status = json_field_text(source, "hidden_act", &activation);
    if (status == STATUS_OK && strcmp(activation, "silu") != 0) {
        return fail(source->failure, STATUS_UNSUPPORTED,
                    "%s: hidden_act %.40s is not supported; supported: silu", source->name,
                    activation);
    }
    return status;
}

/* ---- shape ----------------------------------------------------------------------------------- */

static enum status read_dims(const struct json_source *source, struct model_config *config)
{
    const struct {
        const char *field;
        uint32_t max;
        uint32_t *out;
    } dims[] = {
        {"vocab_size", LIMIT_VOCABULARY, &config->vocabulary_count},
        {"hidden_size", MODEL_CONFIG_DIM_MAX, &config->hidden_dim},
        {"intermediate_size", MODEL_CONFIG_DIM_MAX, &config->ffn_dim},
        {"num_hidden_layers", MODEL_CONFIG_LAYERS_MAX, &config->layer_count},
        {"num_attention_heads", MODEL_CONFIG_DIM_MAX, &config->head_count},
        {"max_position_embeddings", INT32_MAX, &config->context_tokens_max},
    };
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        const enum status status =
            json_field_uint(source, dims[i].field, 1, dims[i].max, dims[i].out);
        if (status != STATUS_OK) {
            return status;
        }
        if (*dims[i].out == 0) { /* absent, and the family knows no default */
            return fail(source->failure, STATUS_INVALID, "%s: %s is missing", source->name,
                        dims[i].field);
        }
    }
    if (config->context_tokens_max > LIMIT_CONTEXT_TOKENS) {
        config->context_tokens_max = LIMIT_CONTEXT_TOKENS;
    }
    return STATUS_OK;
}

static enum status read_heads(const struct json_source *source, struct model_config *config)
{
    config->kv_head_count = config->head_count;
    enum status status = json_field_uint(source, "num_key_value_heads", 1, config->head_count,
                                         &config->kv_head_count);
    if (status != STATUS_OK) {
        return status;
    }
    if (config->head_count % config->kv_head_count != 0
        || config->head_count / config->kv_head_count > ATTENTION_GROUP_MAX) {
        return fail(source->failure, STATUS_INVALID,
                    "%s: num_attention_heads %u must be 1 to %d times num_key_value_heads %u",
                    source->name, config->head_count, ATTENTION_GROUP_MAX, config->kv_head_count);
    }
    if (!json_field_is_set(source, "head_dim")) {
        if (config->hidden_dim % config->head_count != 0) {
            return fail(source->failure, STATUS_INVALID,
                        "%s: hidden_size %u is not a multiple of num_attention_heads %u",
                        source->name, config->hidden_dim, config->head_count);
        }
        config->head_dim = config->hidden_dim / config->head_count;
    }
    status = json_field_uint(source, "head_dim", 2, ATTENTION_HEAD_DIM_MAX, &config->head_dim);
    if (status != STATUS_OK) {
        return status;
    }
    if (config->head_dim < 2 || config->head_dim > ATTENTION_HEAD_DIM_MAX || config->head_dim % 2) {
        return fail(source->failure, STATUS_INVALID,
                    "%s: head_dim %u must be even and from 2 to %d", source->name, config->head_dim,
                    ATTENTION_HEAD_DIM_MAX);
    }
    if ((uint64_t)config->head_count * config->head_dim > MODEL_CONFIG_DIM_MAX) {
        return fail(source->failure, STATUS_INVALID,
                    "%s: num_attention_heads %u * head_dim %u is more than %d", source->name,
                    config->head_count, config->head_dim, MODEL_CONFIG_DIM_MAX);
    }
    return STATUS_OK;
}

static enum status read_flags(const struct json_source *source, struct model_config *config)
{
    double epsilon = (double)config->rms_norm_eps;
    const char *dtype = NULL; /* tensors carry their own; only the type is checked */
    enum status status = json_field_number(source, "rms_norm_eps", EPSILON_MIN, 1.0, &epsilon);
    const struct {
        const char *field;
        bool *out;
    } flags[] = {
        {"tie_word_embeddings", &config->ties_embeddings},
        {"attention_bias", &config->has_attention_bias},
        {"mlp_bias", &config->has_mlp_bias},
    };
    for (size_t i = 0; status == STATUS_OK && i < sizeof flags / sizeof flags[0]; i++) {
        status = json_field_bool(source, flags[i].field, flags[i].out);
    }
    if (status == STATUS_OK) {
        status = json_field_text(source, "torch_dtype", &dtype);
    }
    if (status == STATUS_OK) {
        status = json_field_text(source, "dtype", &dtype);
    }
    config->rms_norm_eps = (float)epsilon;
    return status;
}

/* ---- rotary embedding ------------------------------------------------------------------------ */

static enum status require(const struct json_source *source, const char *field)
{
    return json_field_is_set(source, field)
               ? STATUS_OK
               : fail(source->failure, STATUS_INVALID, "%s: %s is missing", source->name, field);
}

static enum status read_factor(const struct json_source *source, const char *field, double min,
                               double *out)
{
    const enum status status = require(source, field);
    return status == STATUS_OK ? json_field_number(source, field, min, FACTOR_MAX, out) : status;
}

static enum status read_llama3(const struct json_source *source, struct rope_config *rope)
{
    enum status status = read_factor(source, "low_freq_factor", 1e-6, &rope->low_freq_factor);
    if (status == STATUS_OK) {
        status = read_factor(source, "high_freq_factor", 1e-6, &rope->high_freq_factor);
    }
    if (status == STATUS_OK && rope->high_freq_factor <= rope->low_freq_factor) {
        status = fail(source->failure, STATUS_INVALID,
                      "%s: high_freq_factor must be larger than low_freq_factor", source->name);
    }
    if (status == STATUS_OK) {
        status = require(source, "original_max_position_embeddings");
    }
    if (status == STATUS_OK) {
        status = json_field_uint(source, "original_max_position_embeddings", 1,
                                 LIMIT_CONTEXT_TOKENS, &rope->original_context_tokens);
    }
    return status;
}

static enum status read_scaling(const struct json_source *source, struct rope_config *rope)
{
    const char *type = json_field_is_set(source, "factor") ? NULL : "default";
    enum status status = json_field_text(source, "type", &type);
    if (status == STATUS_OK) {
        status = json_field_text(source, "rope_type", &type);
    }
    if (status == STATUS_OK) {
        status = json_field_number(source, "rope_theta", 1.0, THETA_MAX, &rope->theta);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (!type) {
        return require(source, "rope_type");
    }
    if (strcmp(type, "default") == 0) {
        rope->type = ROPE_DEFAULT;
        return STATUS_OK;
    }
    const bool is_llama3 = strcmp(type, "llama3") == 0;
    if (!is_llama3 && strcmp(type, "linear") != 0) {
        return fail(source->failure, STATUS_UNSUPPORTED,
                    "%s: rope_type %.40s is not supported; supported: default, linear, llama3",
                    source->name, type);
    }
    rope->type = is_llama3 ? ROPE_LLAMA3 : ROPE_LINEAR;
    status = read_factor(source, "factor", 1.0, &rope->factor);
    return status == STATUS_OK && is_llama3 ? read_llama3(source, rope) : status;
}

static enum status refuse_partial_rotary(const struct json_source *source)
{
    double factor = 1.0;
    const enum status status =
        json_field_number(source, "partial_rotary_factor", 0.0, FACTOR_MAX, &factor);
    if (status == STATUS_OK && (factor < 1.0 || factor > 1.0)) {
        return fail(source->failure, STATUS_UNSUPPORTED,
                    "%s: partial_rotary_factor other than 1 is not supported", source->name);
    }
    return status;
}

static enum status read_rope(const struct json_source *source, struct rope_config *rope)
{
    enum status status = json_field_number(source, "rope_theta", 1.0, THETA_MAX, &rope->theta);
    if (status == STATUS_OK) {
        status = refuse_partial_rotary(source);
    }
    static const char *const spellings[] = {"rope_scaling", "rope_parameters"};
    for (size_t i = 0; status == STATUS_OK && i < sizeof spellings / sizeof spellings[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.30s: %s", source->name, spellings[i]);
        struct json_source inner = {.name = name, .failure = source->failure};
        status = json_field_object(source, spellings[i], &inner.object);
        if (status == STATUS_OK && inner.object) {
            status = read_scaling(&inner, rope);
            status = status == STATUS_OK ? refuse_partial_rotary(&inner) : status;
        }
    }
    return status;
}

/* ---- end of sequence ------------------------------------------------------------------------- */

/* An id, a list of ids, or absent, which leaves the config as it is. */
static enum status read_eos(const struct json_source *source, struct model_config *config)
{
    if (!json_field_is_set(source, "eos_token_id")) {
        return STATUS_OK;
    }
    const json_t *value = json_object_get(source->object, "eos_token_id");
    const bool is_list = json_is_array(value);
    const size_t count = is_list ? json_array_size(value) : 1;
    if (count > LIMIT_STOP_TOKENS) {
        return fail(source->failure, STATUS_TOO_LARGE, "%s: eos_token_id holds more than %d ids",
                    source->name, LIMIT_STOP_TOKENS);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *id = is_list ? json_array_get(value, i) : value;
        const json_int_t number = json_integer_value(id);
        if (!json_is_integer(id) || number < 0 || number >= LIMIT_VOCABULARY) {
            return fail(source->failure, STATUS_INVALID,
                        "%s: eos_token_id must be a token id or a list of them", source->name);
        }
        config->eos_ids[i] = (uint32_t)number;
    }
    config->eos_count = (uint32_t)count;
    return STATUS_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

enum status model_config_parse(const json_t *config, const json_t *generation,
                               struct model_config *out, struct failure *failure)
{
    const struct json_source source = {config, "config.json", failure};
    const struct json_source generation_source = {generation, "generation_config.json", failure};
    const struct model_family *family = NULL;
    enum status status = read_family(&source, &family);
    if (status != STATUS_OK) {
        return status;
    }
    ASSERT(family);
    *out = family->defaults;
    status = refuse_unsupported(&source);
    if (status == STATUS_OK) {
        status = quantization_read(&source, &out->quantization);
    }
    if (status == STATUS_OK) {
        status = read_dims(&source, out);
    }
    if (status == STATUS_OK) {
        status = read_heads(&source, out);
    }
    if (status == STATUS_OK) {
        status = read_flags(&source, out);
    }
    if (status == STATUS_OK) {
        status = read_rope(&source, &out->rope);
    }
    if (status == STATUS_OK) {
        status = read_eos(&source, out);
    }
    if (status == STATUS_OK && generation) {
        status = read_eos(&generation_source, out);
    }
    return status;
}

enum status model_config_read(const char *directory, struct model_config *out,
                              struct failure *failure)
{
    json_t *config = NULL;
    json_t *generation = NULL;
    enum status status =
        json_field_read(directory, "config.json", MODEL_CONFIG_BYTES_MAX, &config, failure);
    if (status == STATUS_OK) {
        status = json_field_read(directory, "generation_config.json", MODEL_CONFIG_BYTES_MAX,
                                 &generation, failure);
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status; /* it is optional */
    }
    if (status == STATUS_OK) {
        status = model_config_parse(config, generation, out, failure);
    }
    json_decref(config);
    json_decref(generation);
    return status;
}
