#include "model/quantization.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 96, FIELDS_MAX = 12 };

/* An object in config.json: fields that may be there, and those that must have one of some texts.
 */
struct rule {
    const char *known[FIELDS_MAX];
    struct {
        const char *field, *allowed[4];
    } texts[3];
};

static enum status refuse(const struct json_source *source, const char *field)
{
    return fail(source->failure, STATUS_UNSUPPORTED, "%s: %.40s is not supported", source->name,
                field);
}

static bool is_listed(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count && list[i]; i++) {
        if (strcmp(list[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* A field that says nothing: null, false, {} or []. */
static bool is_empty(const json_t *value)
{
    return json_is_null(value) || json_is_false(value)
           || (json_is_object(value) && json_object_size(value) == 0)
           || (json_is_array(value) && json_array_size(value) == 0);
}

static enum status follow(const struct json_source *source, const struct rule *rule)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)source->object, key, value)
    {
        if (!is_empty(value) && !is_listed(rule->known, FIELDS_MAX, key)) {
            return refuse(source, key);
        }
    }
    for (size_t i = 0; i < 3 && rule->texts[i].field; i++) {
        const char *text = NULL;
        const enum status status = json_field_text(source, rule->texts[i].field, &text);
        if (status != STATUS_OK) {
            return status;
        }
        if (text && !is_listed(rule->texts[i].allowed, 4, text)) {
            return fail(source->failure, STATUS_UNSUPPORTED, "%s: %s %.40s is not supported",
                        source->name, rule->texts[i].field, text);
        }
    }
    return STATUS_OK;
}

/* [128, 128], or absent, which leaves *out. */
static enum status read_block(const struct json_source *source, const char *field, uint32_t *out)
{
    if (!json_field_is_set(source, field)) {
        return STATUS_OK;
    }
    const json_t *sizes = json_object_get(source->object, field);
    for (size_t i = 0; i < 2; i++) {
        if (json_array_size(sizes) != 2
            || json_integer_value(json_array_get(sizes, i)) != QUANTIZATION_BLOCK) {
            return fail(source->failure, STATUS_UNSUPPORTED,
                        "%s: %s is not supported; supported: [%d, %d]", source->name, field,
                        QUANTIZATION_BLOCK, QUANTIZATION_BLOCK);
        }
    }
    *out = QUANTIZATION_BLOCK;
    return STATUS_OK;
}

/* ---- quant_method "fp8" ---------------------------------------------------------------------- */

static enum status read_fp8(const struct json_source *source, struct quantization_config *out)
{
    static const struct rule rule = {{"quant_method", "fmt", "activation_scheme",
                                      "weight_block_size", "modules_to_not_convert",
                                      "ignored_layers", "scale_fmt"},
                                     {{"fmt", {"e4m3", "float8_e4m3fn"}},
                                      {"activation_scheme", {"dynamic", "static"}},
                                      {"scale_fmt", {"float", "ue8m0"}}}};
    const enum status status = follow(source, &rule);
    return status == STATUS_OK ? read_block(source, "weight_block_size", &out->scale_block)
                               : status;
}

/* ---- "compressed-tensors" -------------------------------------------------------------------- */

static enum status read_weights(const struct json_source *source, struct quantization_config *out)
{
    static const struct rule rule = {
        {"num_bits", "type", "strategy", "symmetric", "block_structure", "observer",
         "observer_kwargs", "scale_dtype", "zp_dtype"},
        {{"type", {"float"}}, {"strategy", {"tensor", "channel", "block"}}}};
    uint32_t bits = 8;
    bool is_symmetric = true;
    enum status status = follow(source, &rule);
    if (status == STATUS_OK) {
        status = json_field_uint(source, "num_bits", 8, 8, &bits);
    }
    if (status == STATUS_OK) {
        status = json_field_bool(source, "symmetric", &is_symmetric);
    }
    if (status == STATUS_OK && !is_symmetric) {
        status = refuse(source, "symmetric false");
    }
    return status == STATUS_OK ? read_block(source, "block_structure", &out->scale_block) : status;
}

static enum status read_group(const struct json_source *groups, const char *key,
                              struct quantization_config *out)
{
    static const struct rule rule = {{"weights", "input_activations", "targets", "format"},
                                     {{"format", {"float-quantized"}}}};
    char group_name[NAME_BYTES], weights_name[NAME_BYTES];
    snprintf(group_name, sizeof group_name, "%.50s: %.20s", groups->name, key);
    snprintf(weights_name, sizeof weights_name, "%.75s: weights", group_name);
    struct json_source group = {NULL, group_name, groups->failure};
    struct json_source weights = {NULL, weights_name, groups->failure};
    enum status status = json_field_object(groups, key, &group.object);
    if (status == STATUS_OK && group.object) {
        status = follow(&group, &rule);
    }
    if (status == STATUS_OK && group.object) {
        status = json_field_object(&group, "weights", &weights.object);
    }
    return status == STATUS_OK && weights.object ? read_weights(&weights, out) : status;
}

static enum status read_compressed(const struct json_source *source,
                                   struct quantization_config *out)
{
    static const struct rule rule = {{"quant_method", "format", "config_groups", "ignore",
                                      "quantization_status", "global_compression_ratio", "version"},
                                     {{"format", {"float-quantized"}}}};
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%.60s: config_groups", source->name);
    struct json_source groups = {NULL, name, source->failure};
    enum status status = follow(source, &rule);
    if (status == STATUS_OK && !json_field_is_set(source, "format")) {
        status = refuse(source, "a missing format");
    }
    if (status == STATUS_OK) {
        status = json_field_object(source, "config_groups", &groups.object);
    }
    if (status == STATUS_OK && json_object_size(groups.object) != 1) {
        status = refuse(source, "config_groups other than one group");
    }
    if (status == STATUS_OK) {
        void *first = json_object_iter((json_t *)(uintptr_t)groups.object);
        status = read_group(&groups, json_object_iter_key(first), out);
    }
    return status;
}

/* ---- either ---------------------------------------------------------------------------------- */

enum status quantization_read(const struct json_source *source, struct quantization_config *out)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%.40s: quantization_config", source->name);
    struct json_source inner = {NULL, name, source->failure};
    const char *method = "";
    enum status status = json_field_object(source, "quantization_config", &inner.object);
    if (status != STATUS_OK || !inner.object) {
        return status;
    }
    status = json_field_text(&inner, "quant_method", &method);
    if (status != STATUS_OK) {
        return status;
    }
    out->is_fp8 = true;
    if (strcmp(method, "fp8") == 0) {
        return read_fp8(&inner, out);
    }
    if (strcmp(method, "compressed-tensors") == 0) {
        return read_compressed(&inner, out);
    }
    return fail(source->failure, STATUS_UNSUPPORTED,
                "%s: quant_method %.40s is not supported; supported: fp8, compressed-tensors", name,
                method);
}
