#include "model/tokenizer/normalizer.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "model/tokenizer/code_point.h"

static const struct {
    const char *type;
    enum normalizer_kind kind;
    enum normal_form form;
} kinds[] = {
    {"NFC", NORMALIZER_FORM, NORMAL_FORM_C},   {"NFD", NORMALIZER_FORM, NORMAL_FORM_D},
    {"NFKC", NORMALIZER_FORM, NORMAL_FORM_KC}, {"NFKD", NORMALIZER_FORM, NORMAL_FORM_KD},
    {"Prepend", NORMALIZER_PREPEND, 0},        {"Replace", NORMALIZER_REPLACE, 0},
    {"Lowercase", NORMALIZER_LOWERCASE, 0},    {"Strip", NORMALIZER_STRIP, 0},
};

/* ---- parsing -------------------------------------------------------------------------------- */

static enum status parse_step(const struct json_source *source, struct normalizer_step *step)
{
    struct failure *failure = source->failure;
    const char *text = NULL;
    const char *field = step->kind == NORMALIZER_PREPEND ? "prepend" : "content";
    enum status status = json_field_text(source, field, &text);
    if (status == STATUS_OK && step->kind == NORMALIZER_STRIP) {
        status = json_field_bool(source, "strip_left", &step->strips_left);
        status = status ? status : json_field_bool(source, "strip_right", &step->strips_right);
    }
    if (status == STATUS_OK && step->kind == NORMALIZER_REPLACE) {
        status = pattern_parse(json_object_get(source->object, "pattern"), &step->pattern, failure);
    }
    if (status != STATUS_OK || step->kind == NORMALIZER_FORM || step->kind == NORMALIZER_LOWERCASE
        || step->kind == NORMALIZER_STRIP) {
        return status;
    }
    if (!text) {
        return fail(failure, STATUS_INVALID, "%s: %s is missing", source->name, field);
    }
    step->text = strdup(text);
    return step->text ? STATUS_OK : fail(failure, STATUS_IO, "no memory for a normalizer");
}

static enum status parse_any(const json_t *json, struct normalizer *out, struct failure *failure)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    if (!type) {
        return fail(failure, STATUS_INVALID, "type is missing");
    }
    if (strcmp(type, "Sequence") == 0) {
        const json_t *list = json_object_get(json, "normalizers");
        enum status status = json_is_array(list)
                                 ? STATUS_OK
                                 : fail(failure, STATUS_INVALID, "normalizers must be an array");
        for (size_t i = 0; status == STATUS_OK && i < json_array_size(list); i++) {
            status = parse_any(json_array_get(list, i), out, failure);
        }
        return status;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) != 0) {
            continue;
        }
        if (out->step_count == NORMALIZER_STEPS_MAX) {
            return fail(failure, STATUS_TOO_LARGE, "more than %d steps", NORMALIZER_STEPS_MAX);
        }
        struct normalizer_step *step = &out->steps[out->step_count++];
        *step = (struct normalizer_step){.kind = kinds[i].kind,
                                         .form = kinds[i].form,
                                         .strips_left = true,
                                         .strips_right = true};
        const struct json_source source = {json, kinds[i].type, failure};
        return parse_step(&source, step);
    }
    return fail(failure, STATUS_UNSUPPORTED, "the type \"%.64s\" is not supported", type);
}

enum status normalizer_parse(const json_t *json, struct normalizer *out, struct failure *failure)
{
    *out = (struct normalizer){0};
    if (!json || json_is_null(json)) {
        return STATUS_OK;
    }
    const enum status status = parse_any(json, out, failure);
    if (status != STATUS_OK) {
        fail_prefix(failure, "normalizer");
        normalizer_destroy(out);
    }
    return status;
}

void normalizer_destroy(struct normalizer *normalizer)
{
    for (uint32_t i = 0; i < normalizer->step_count; i++) {
        pattern_destroy(normalizer->steps[i].pattern);
        free(normalizer->steps[i].text);
    }
    *normalizer = (struct normalizer){0};
}

/* ---- running -------------------------------------------------------------------------------- */

/* New text counts as marked where the character that it goes in front of is. */
static enum status prepend(const struct normalizer_step *step, struct marked_span in,
                           struct marked_text *out)
{
    if (in.length == 0) {
        return STATUS_OK;
    }
    const enum status status =
        marked_text_put(out, step->text, strlen(step->text), marked_span_is_all(in, 0, 1));
    return status == STATUS_OK ? marked_text_copy(out, in) : status;
}

static enum status replace(const struct normalizer_step *step, struct pattern_matcher *matcher,
                           struct marked_span in, struct marked_text *out)
{
    const size_t text_bytes = strlen(step->text);
    enum status status = STATUS_OK;
    for (struct pattern_match match = {0}; status == STATUS_OK && match.end < in.length;) {
        const size_t at = match.end;
        status = pattern_find(step->pattern, matcher, in.text, in.length, &match);
        if (status == STATUS_OK) {
            status = marked_text_copy(out, marked_span_cut(in, at, match.start));
        }
        if (status == STATUS_OK && match.start < in.length) {
            const bool is_marked = marked_span_is_all(in, match.start, match.end);
            status = marked_text_put(out, step->text, text_bytes, is_marked);
        }
    }
    return status;
}

/* Rust's full mapping: only U+0130 becomes two code points. */
static enum status lowercase(struct marked_span in, struct marked_text *out)
{
    enum status status = STATUS_OK;
    for (size_t at = 0, bytes; status == STATUS_OK && at < in.length; at += bytes) {
        uint32_t code_point = 0;
        bytes = utf8_decode(in.text + at, in.length - at, &code_point);
        char lower[8];
        const bool is_dotted = code_point == 0x130;
        const uint32_t first =
            is_dotted ? 'i' : (uint32_t)utf8proc_tolower((utf8proc_int32_t)code_point);
        size_t length = utf8_encode(first, lower);
        length += is_dotted ? utf8_encode(0x307, lower + length) : 0;
        status = marked_text_put(out, lower, length, marked_span_is_all(in, at, at + bytes));
    }
    return status;
}

static struct marked_span strip(const struct normalizer_step *step, struct marked_span in)
{
    uint32_t code_point = 0;
    while (step->strips_left && in.length > 0) {
        const size_t bytes = utf8_decode(in.text, in.length, &code_point);
        if (!code_point_is_space(code_point)) {
            break;
        }
        in = marked_span_cut(in, bytes, in.length);
    }
    while (step->strips_right && in.length > 0) {
        const size_t bytes = code_point_last(in.text, in.length, &code_point);
        if (!code_point_is_space(code_point)) {
            break;
        }
        in = marked_span_cut(in, 0, in.length - bytes);
    }
    return in;
}

static enum status run_step(const struct normalizer_step *step, struct pattern_matcher *matcher,
                            struct marked_span in, struct marked_text *out)
{
    switch (step->kind) {
    case NORMALIZER_FORM:
        return normal_form_apply(step->form, in, out);
    case NORMALIZER_PREPEND:
        return prepend(step, in, out);
    case NORMALIZER_REPLACE:
        return replace(step, matcher, in, out);
    case NORMALIZER_LOWERCASE:
        return lowercase(in, out);
    case NORMALIZER_STRIP:
        return marked_text_copy(out, strip(step, in));
    }
    return STATUS_INVALID;
}

enum status normalizer_run(const struct normalizer *normalizer, struct pattern_matcher *matcher,
                           struct marked_span in, struct marked_text scratch[2],
                           struct marked_span *out)
{
    *out = in;
    for (uint32_t i = 0; i < normalizer->step_count; i++) {
        struct marked_text *to = &scratch[i % 2];
        marked_text_start(to, in.marks != NULL);
        const enum status status = run_step(&normalizer->steps[i], matcher, *out, to);
        if (status != STATUS_OK) {
            return status;
        }
        *out = marked_text_span(to);
    }
    return STATUS_OK;
}
