#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tokenizer/piece_decoder.h"

/* After the texts of tokens became one, a step that works token by token has nothing to hold on to.
 * Files in use only take a space off the front then. */
struct parse {
    struct piece_decoder *out;
    struct failure *failure;
    bool is_fused;
};

static enum status parse_sign(const struct json_source *source, const char *field,
                              const char *preset, char out[8])
{
    const char *text = preset;
    const enum status status = json_field_text(source, field, &text);
    if (status != STATUS_OK) {
        return status;
    }
    const size_t length = text ? strlen(text) : 0;
    if (length == 0 || utf8_sequence_bytes(text, length) != length) {
        return fail(source->failure, STATUS_INVALID, "%s: %s must be a character", source->name,
                    field);
    }
    memcpy(out, text, length + 1);
    return STATUS_OK;
}

static enum status parse_replace(const struct json_source *source, struct parse *parse,
                                 struct piece_decoder_step *step)
{
    (void)parse;
    const char *text = NULL;
    enum status status = json_field_text(source, "content", &text);
    if (status == STATUS_OK && !text) {
        return fail(source->failure, STATUS_INVALID, "Replace: content is missing");
    }
    if (status == STATUS_OK) {
        status = pattern_parse(json_object_get(source->object, "pattern"), &step->pattern,
                               source->failure);
    }
    if (status == STATUS_OK) {
        step->text = strdup(text);
        status = step->text ? STATUS_OK : fail(source->failure, STATUS_IO, "no memory");
    }
    return status;
}

static enum status parse_metaspace(const struct json_source *source, struct parse *parse,
                                   struct piece_decoder_step *step)
{
    (void)parse;
    const char *scheme = NULL;
    bool adds_prefix_space = true;
    enum status status = parse_sign(source, "replacement", "\xe2\x96\x81", step->sign);
    status = status ? status : json_field_text(source, "prepend_scheme", &scheme);
    status = status ? status : json_field_bool(source, "add_prefix_space", &adds_prefix_space);
    step->keeps_first_sign = scheme ? strcmp(scheme, "never") == 0 : !adds_prefix_space;
    return status;
}

static enum status parse_byte_fallback(const struct json_source *source, struct parse *parse,
                                       struct piece_decoder_step *step)
{
    (void)source;
    (void)step;
    parse->out->has_byte_fallback = true;
    return STATUS_OK;
}

static enum status parse_fusing(const struct json_source *source, struct parse *parse,
                                struct piece_decoder_step *step)
{
    (void)source;
    (void)step;
    parse->is_fused = true;
    return STATUS_OK;
}

static enum status parse_strip(const struct json_source *source, struct parse *parse,
                               struct piece_decoder_step *step)
{
    uint32_t start = 0;
    uint32_t stop = 0;
    enum status status = parse_sign(source, "content", NULL, step->sign);
    status = status ? status : json_field_uint(source, "start", 0, UINT32_MAX, &start);
    status = status ? status : json_field_uint(source, "stop", 0, UINT32_MAX, &stop);
    if (status != STATUS_OK) {
        return status;
    }
    if (!parse->is_fused || start > 1 || stop > 0 || parse->out->strip[0] != '\0') {
        return fail(source->failure, STATUS_UNSUPPORTED,
                    "Strip other than of one character off the front, after Fuse");
    }
    memcpy(parse->out->strip, step->sign, start * sizeof step->sign);
    return STATUS_OK;
}

static const struct {
    const char *type;
    enum piece_decoder_kind kind;
    bool is_of_token; /* must come before the texts are fused */
    enum status (*parse)(const struct json_source *source, struct parse *parse,
                         struct piece_decoder_step *step);
} kinds[] = {
    {"Replace", PIECE_DECODER_REPLACE, true, parse_replace},
    {"Metaspace", PIECE_DECODER_METASPACE, true, parse_metaspace},
    {"ByteFallback", PIECE_DECODER_BYTE_FALLBACK, true, parse_byte_fallback},
    {"ByteLevel", PIECE_DECODER_BYTE_LEVEL, true, parse_fusing},
    {"Fuse", PIECE_DECODER_FUSE, false, parse_fusing},
    {"Strip", PIECE_DECODER_STRIP, false, parse_strip},
};

static enum status parse_any(const json_t *json, struct parse *parse)
{
    struct failure *failure = parse->failure;
    const char *type = json_string_value(json_object_get(json, "type"));
    if (!type) {
        return fail(failure, STATUS_INVALID, "type is missing");
    }
    if (strcmp(type, "Sequence") == 0) {
        const json_t *list = json_object_get(json, "decoders");
        if (!json_is_array(list)) {
            return fail(failure, STATUS_INVALID, "decoders must be an array");
        }
        enum status status = STATUS_OK;
        for (size_t i = 0; status == STATUS_OK && i < json_array_size(list); i++) {
            status = parse_any(json_array_get(list, i), parse);
        }
        return status;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) != 0) {
            continue;
        }
        if (kinds[i].is_of_token && parse->is_fused) {
            return fail(failure, STATUS_UNSUPPORTED, "%s after Fuse or ByteLevel", type);
        }
        if (parse->out->step_count == PIECE_DECODER_STEPS_MAX) {
            return fail(failure, STATUS_TOO_LARGE, "more than %d steps", PIECE_DECODER_STEPS_MAX);
        }
        struct piece_decoder_step *step = &parse->out->steps[parse->out->step_count++];
        step->kind = kinds[i].kind;
        const struct json_source source = {json, kinds[i].type, failure};
        return kinds[i].parse(&source, parse, step);
    }
    return fail(failure, STATUS_UNSUPPORTED, "the type \"%.64s\" is not supported", type);
}

enum status piece_decoder_parse(const json_t *json, const struct piece_source *source,
                                struct piece_decoder *out, struct failure *failure)
{
    *out = (struct piece_decoder){0};
    struct parse parse = {.out = out, .failure = failure};
    enum status status = STATUS_OK;
    out->joins_with_space = !json || json_is_null(json);
    if (!out->joins_with_space) {
        status = parse_any(json, &parse);
    }
    status = status ? status : piece_decoder_fill(out, source, failure);
    if (status != STATUS_OK) {
        fail_prefix(failure, "decoder");
        piece_decoder_destroy(out);
    }
    return status;
}
