/* A config.json and, after a NUL, a generation_config.json from bytes: what is accepted holds to
 * the limits that the forward pass relies on. */
#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "kernels/attention/attention.h"
#include "model/json_field.h"
#include "model/model_family.h"
#include "model/rope_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { POSITIONS = 3 };

static void check(const struct model_config *config)
{
    float table[POSITIONS * ATTENTION_HEAD_DIM_MAX];
    ASSERT(config->family && config->layer_count >= 1 && config->ffn_dim >= 1);
    ASSERT(config->kv_head_count >= 1 && config->head_count % config->kv_head_count == 0);
    ASSERT(config->head_dim >= 2 && config->head_dim % 2 == 0);
    ASSERT(config->head_dim <= ATTENTION_HEAD_DIM_MAX);
    ASSERT(model_config_q_dim(config) <= MODEL_CONFIG_DIM_MAX);
    ASSERT(config->vocabulary_count >= 1 && config->vocabulary_count <= LIMIT_VOCABULARY);
    ASSERT(config->context_tokens_max >= 1 && config->context_tokens_max <= LIMIT_CONTEXT_TOKENS);
    ASSERT(config->eos_count <= LIMIT_STOP_TOKENS && config->rms_norm_eps > 0);
    rope_table_fill(config, POSITIONS, table);
    for (size_t i = 0; i < rope_table_floats(config, POSITIONS); i++) {
        ASSERT(isfinite(table[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct failure failure = {""};
    struct model_config parsed;
    json_t *config = NULL;
    json_t *generation = NULL;
    const char *text = (const char *)bytes;
    const char *end = length > 0 ? memchr(text, '\0', length) : NULL;
    const size_t config_bytes = end ? (size_t)(end - text) : length;
    enum status status = json_field_parse(text, config_bytes, "config.json", &config, &failure);
    if (status == STATUS_OK && end) {
        status = json_field_parse(end + 1, length - config_bytes - 1, "generation_config.json",
                                  &generation, &failure);
    }
    if (status == STATUS_OK) {
        status = model_config_parse(config, generation, &parsed, &failure);
    }
    if (status == STATUS_OK) {
        check(&parsed);
    } else {
        ASSERT(failure.text[0] != '\0' && !strchr(failure.text, '\n'));
    }
    json_decref(config);
    json_decref(generation);
    return 0;
}
