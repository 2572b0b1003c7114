#include <string.h>

#include "base/utf8.h"
#include "model/tokenizer/pre_tokenizer.h"

/* GPT-2's split, which ByteLevel means by use_regex. */
static const char gpt2_split[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static const char *const behavior_names[BEHAVIOR_COUNT] = {
    [BEHAVIOR_REMOVED] = "Removed",
    [BEHAVIOR_ISOLATED] = "Isolated",
    [BEHAVIOR_PREVIOUS] = "MergedWithPrevious",
    [BEHAVIOR_NEXT] = "MergedWithNext",
    [BEHAVIOR_CONTIGUOUS] = "Contiguous",
};

static enum status add(struct pre_tokenizer *out, const struct pre_tokenizer_stage *stage,
                       struct failure *failure)
{
    if (out->stage_count == PRE_TOKENIZER_STAGES_MAX) {
        pattern_destroy(stage->pattern);
        return fail(failure, STATUS_TOO_LARGE, "more than %d stages", PRE_TOKENIZER_STAGES_MAX);
    }
    out->stages[out->stage_count++] = *stage;
    return STATUS_OK;
}

static enum status add_split(struct pre_tokenizer *out, const char *pattern, bool is_regex,
                             enum pre_tokenizer_behavior behavior, struct failure *failure)
{
    struct pre_tokenizer_stage stage = {.kind = PRE_TOKENIZER_SPLIT, .behavior = behavior};
    const enum status status = pattern_create(pattern, is_regex, &stage.pattern, failure);
    return status == STATUS_OK ? add(out, &stage, failure) : status;
}

static enum status parse_split(const struct json_source *source, struct pre_tokenizer *out)
{
    struct pre_tokenizer_stage stage = {.kind = PRE_TOKENIZER_SPLIT, .behavior = BEHAVIOR_COUNT};
    const char *behavior = "";
    enum status status = json_field_text(source, "behavior", &behavior);
    status = status ? status : json_field_bool(source, "invert", &stage.is_inverted);
    for (int i = 0; status == STATUS_OK && i < BEHAVIOR_COUNT; i++) {
        if (strcmp(behavior, behavior_names[i]) == 0) {
            stage.behavior = (enum pre_tokenizer_behavior)i;
        }
    }
    if (status == STATUS_OK && stage.behavior == BEHAVIOR_COUNT) {
        return fail(source->failure, STATUS_INVALID, "Split: behavior \"%.40s\" is not known",
                    behavior);
    }
    if (status == STATUS_OK) {
        status = pattern_parse(json_object_get(source->object, "pattern"), &stage.pattern,
                               source->failure);
    }
    return status == STATUS_OK ? add(out, &stage, source->failure) : status;
}

static enum status parse_byte_level(const struct json_source *source, struct pre_tokenizer *out)
{
    bool adds_prefix_space = true;
    bool uses_regex = true;
    enum status status = json_field_bool(source, "add_prefix_space", &adds_prefix_space);
    status = status ? status : json_field_bool(source, "use_regex", &uses_regex);
    if (status == STATUS_OK && adds_prefix_space) {
        const struct pre_tokenizer_stage prefix = {.kind = PRE_TOKENIZER_PREPEND, .text = " "};
        status = add(out, &prefix, source->failure);
    }
    if (status == STATUS_OK && uses_regex) {
        status = add_split(out, gpt2_split, true, BEHAVIOR_ISOLATED, source->failure);
    }
    const struct pre_tokenizer_stage bytes = {.kind = PRE_TOKENIZER_BYTES};
    return status == STATUS_OK ? add(out, &bytes, source->failure) : status;
}

static enum status parse_metaspace(const struct json_source *source, struct pre_tokenizer *out)
{
    const char *stand_in = "\xe2\x96\x81";
    const char *scheme = NULL;
    bool adds_prefix_space = true; /* older files: the scheme is always or never */
    bool splits = true;
    enum status status = json_field_text(source, "replacement", &stand_in);
    status = status ? status : json_field_text(source, "prepend_scheme", &scheme);
    status = status ? status : json_field_bool(source, "add_prefix_space", &adds_prefix_space);
    status = status ? status : json_field_bool(source, "split", &splits);
    if (status != STATUS_OK) {
        return status;
    }
    scheme = scheme ? scheme : adds_prefix_space ? "always" : "never";
    const size_t length = strlen(stand_in);
    const bool is_first = strcmp(scheme, "first") == 0;
    const bool is_never = strcmp(scheme, "never") == 0;
    if (length == 0 || utf8_sequence_bytes(stand_in, length) != length) {
        return fail(source->failure, STATUS_INVALID, "Metaspace: replacement must be a character");
    }
    if (!is_first && !is_never && strcmp(scheme, "always") != 0) {
        return fail(source->failure, STATUS_INVALID,
                    "Metaspace: prepend_scheme must be always, first or never");
    }
    struct pre_tokenizer_stage stage = {.kind = PRE_TOKENIZER_REPLACE};
    memcpy(stage.text, stand_in, length);
    status = add(out, &stage, source->failure);
    stage.kind = PRE_TOKENIZER_PREPEND;
    stage.is_at_start_only = is_first;
    if (status == STATUS_OK && !is_never) {
        status = add(out, &stage, source->failure);
    }
    if (status == STATUS_OK && splits) {
        status = add_split(out, stand_in, false, BEHAVIOR_NEXT, source->failure);
    }
    return status;
}

static enum status parse_digits(const struct json_source *source, struct pre_tokenizer *out)
{
    bool is_individual = false;
    const enum status status = json_field_bool(source, "individual_digits", &is_individual);
    const enum pre_tokenizer_behavior behavior =
        is_individual ? BEHAVIOR_ISOLATED : BEHAVIOR_CONTIGUOUS;
    return status == STATUS_OK ? add_split(out, "\\p{N}", true, behavior, source->failure) : status;
}

static enum status parse_any(const json_t *json, struct pre_tokenizer *out,
                             struct failure *failure);

static enum status parse_sequence(const struct json_source *source, struct pre_tokenizer *out)
{
    const json_t *list = json_object_get(source->object, "pretokenizers");
    if (!json_is_array(list)) {
        return fail(source->failure, STATUS_INVALID, "pretokenizers must be an array");
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(list); i++) {
        status = parse_any(json_array_get(list, i), out, source->failure);
    }
    return status;
}

static const struct {
    const char *type;
    enum status (*parse)(const struct json_source *source, struct pre_tokenizer *out);
} kinds[] = {
    {"Sequence", parse_sequence},   {"Split", parse_split},   {"ByteLevel", parse_byte_level},
    {"Metaspace", parse_metaspace}, {"Digits", parse_digits},
};

static enum status parse_any(const json_t *json, struct pre_tokenizer *out, struct failure *failure)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    if (!type) {
        return fail(failure, STATUS_INVALID, "type is missing");
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) == 0) {
            const struct json_source source = {json, kinds[i].type, failure};
            return kinds[i].parse(&source, out);
        }
    }
    return fail(failure, STATUS_UNSUPPORTED, "the type \"%.64s\" is not supported", type);
}

enum status pre_tokenizer_parse(const json_t *json, struct pre_tokenizer *out,
                                struct failure *failure)
{
    *out = (struct pre_tokenizer){0};
    if (!json || json_is_null(json)) {
        return STATUS_OK;
    }
    const enum status status = parse_any(json, out, failure);
    if (status != STATUS_OK) {
        fail_prefix(failure, "pre_tokenizer");
        pre_tokenizer_destroy(out);
    }
    return status;
}
