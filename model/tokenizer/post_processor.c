#include "model/tokenizer/post_processor.h"

#include <string.h>

struct parse {
    const struct vocabulary *vocabulary;
    struct post_processor *out;
    struct failure *failure;
};

/* Ids of a special token of the template: at the end of what is in front of the text so far, or of
 * what is behind it. */
static enum status push_ids(const struct parse *parse, const json_t *tokens, const char *name,
                            bool is_behind)
{
    struct post_processor *out = parse->out;
    const json_t *ids = json_object_get(json_object_get(tokens, name), "ids");
    if (!json_is_array(ids)) {
        return fail(parse->failure, STATUS_INVALID, "special_tokens has no ids of \"%.64s\"", name);
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *value = json_array_get(ids, i);
        const json_int_t id = json_integer_value(value);
        if (!json_is_integer(value) || id < 0 || id >= (json_int_t)parse->vocabulary->count
            || !parse->vocabulary->entries[id].text) {
            return fail(parse->failure, STATUS_INVALID,
                        "an id of \"%.64s\" is not in the vocabulary", name);
        }
        uint32_t *list = is_behind ? out->suffix : out->prefix;
        uint32_t *count = is_behind ? &out->suffix_count : &out->prefix_count;
        if (*count == POST_PROCESSOR_IDS_MAX) {
            return fail(parse->failure, STATUS_TOO_LARGE, "more than %d ids",
                        POST_PROCESSOR_IDS_MAX);
        }
        list[(*count)++] = (uint32_t)id;
    }
    return STATUS_OK;
}

static enum status parse_template(const json_t *json, const struct parse *parse)
{
    const json_t *single = json_object_get(json, "single");
    const json_t *tokens = json_object_get(json, "special_tokens");
    if (parse->out->prefix_count + parse->out->suffix_count > 0) {
        return fail(parse->failure, STATUS_UNSUPPORTED, "two of TemplateProcessing that add ids");
    }
    bool has_text = false;
    for (size_t i = 0; i < json_array_size(single); i++) {
        const json_t *part = json_array_get(single, i);
        const char *token =
            json_string_value(json_object_get(json_object_get(part, "SpecialToken"), "id"));
        const char *text =
            json_string_value(json_object_get(json_object_get(part, "Sequence"), "id"));
        if (token) {
            const enum status status = push_ids(parse, tokens, token, has_text);
            if (status != STATUS_OK) {
                return status;
            }
        } else if (text && strcmp(text, "A") == 0 && !has_text) {
            has_text = true;
        } else {
            return fail(parse->failure, STATUS_INVALID,
                        "single[%zu] must be a SpecialToken or the Sequence A, once", i);
        }
    }
    return has_text ? STATUS_OK : fail(parse->failure, STATUS_INVALID, "single has no Sequence A");
}

static enum status parse_any(const json_t *json, const struct parse *parse)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    if (!type) {
        return fail(parse->failure, STATUS_INVALID, "type is missing");
    }
    if (strcmp(type, "ByteLevel") == 0) { /* works on offsets, which Ward has not */
        return STATUS_OK;
    }
    if (strcmp(type, "TemplateProcessing") == 0) {
        return parse_template(json, parse);
    }
    const json_t *list = json_object_get(json, "processors");
    if (strcmp(type, "Sequence") != 0 || !json_is_array(list)) {
        return fail(parse->failure, STATUS_UNSUPPORTED, "the type \"%.64s\" is not supported",
                    type);
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(list); i++) {
        status = parse_any(json_array_get(list, i), parse);
    }
    return status;
}

enum status post_processor_parse(const json_t *json, const struct vocabulary *vocabulary,
                                 struct post_processor *out, struct failure *failure)
{
    *out = (struct post_processor){0};
    const struct parse parse = {vocabulary, out, failure};
    if (!json || json_is_null(json)) {
        return STATUS_OK;
    }
    const enum status status = parse_any(json, &parse);
    if (status != STATUS_OK) {
        fail_prefix(failure, "post_processor");
    }
    return status;
}
