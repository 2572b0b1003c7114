/* filter_text.c - filters that give strings. */
#include <string.h>

#include "model/template/library/filter.h"
#include "model/template/library/format.h"
#include "model/template/library/text_methods.h"
#include "model/template/render.h"
#include "model/template/value/unicode.h"
#include "model/template/value/value_json.h"
#include "model/template/value/value_print.h"

/* str(), which forgets that a text is safe, as soft_str() does not. */
static const struct text *hard_string(struct work *work, struct value value)
{
    const struct text *text = value_print(work, value);
    if (!text->is_safe) {
        return text;
    }
    struct text *copy = text_slice(work, text, 0, text->length);
    copy->is_safe = false;
    return copy;
}

static struct value change_case(struct render *render, struct value self, enum text_case how)
{
    const struct text *text = value_print(&render->work, self);
    return value_text(text_methods_case(&render->work, text, how));
}

struct value filter_text_upper(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return change_case(render, self, TEXT_UPPER);
}

struct value filter_text_lower(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return change_case(render, self, TEXT_LOWER);
}

struct value filter_text_capitalize(struct render *render, struct value self,
                                    const struct call *call)
{
    (void)call;
    return change_case(render, self, TEXT_CAPITALIZE);
}

static bool begins_word(uint32_t code_point)
{
    return unicode_is_space(code_point)
           || (code_point < 0x80 && code_point > 0 && strchr("-({[<", (int)code_point) != NULL);
}

/* Unlike str.title(), only these begin a word, and its first letter becomes upper case. */
struct value filter_text_title(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *text = value_print(work, self);
    struct writer *writer = writer_create(work);
    size_t bytes = 0;
    (void)call;
    for (size_t at = 0; at < text->length;) {
        const uint32_t first = text_code_point(text, at, &bytes);
        const struct text *letter = text_slice(work, text, at, at + bytes);
        work_step(work);
        writer_text(writer, text_methods_case(work, letter, TEXT_UPPER));
        at += bytes;
        if (begins_word(first)) {
            continue;
        }
        size_t end = at;
        while (end < text->length && !begins_word(text_code_point(text, end, &bytes))) {
            end += bytes;
        }
        writer_text(writer, text_methods_case(work, text_slice(work, text, at, end), TEXT_LOWER));
        at = end;
    }
    struct text *result = writer_done(writer);
    return value_text(result);
}

struct value filter_text_trim(struct render *render, struct value self, const struct call *call)
{
    const struct text *text = value_print(&render->work, self);
    const struct text *chars = builtin_text(&render->work, call, 0);
    return value_text(text_methods_strip(&render->work, text, chars, true, true));
}

struct value filter_text_replace(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *old = hard_string(work, call->arguments[0]);
    const struct text *new = hard_string(work, call->arguments[1]);
    const int64_t limit = builtin_integer(work, call, 2, -1);
    return value_text(text_methods_replace(work, hard_string(work, self), old, new, limit));
}

/* ---- layout --------------------------------------------------------------------------------- */

static const struct text *indention(struct work *work, const struct call *call)
{
    if (call->arguments[0].kind == VALUE_STRING) {
        return call->arguments[0].text;
    }
    const int64_t width = builtin_integer(work, call, 0, 4);
    struct writer *writer = writer_create(work);
    writer_repeat(writer, " ", 1, ORIGIN_MARKUP, width > 0 ? (size_t)width : 0);
    return writer_done(writer);
}

struct value filter_text_indent(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    if (self.kind != VALUE_STRING) {
        work_fail(work, STATUS_INVALID, "indent wants a string, not '%s'", value_type(self));
    }
    const struct text *indent = indention(work, call);
    const struct text *newline = text_literal(work, "\n");
    const bool all = builtin_flag(call, 2);
    const struct value lines =
        text_methods_lines(work, text_concat(work, self.text, newline), false);
    struct writer *writer = writer_create(work);
    for (size_t i = 0; i < lines.list->count; i++) {
        const struct text *line = lines.list->items[i].text;
        const bool is_indented = i == 0 ? builtin_flag(call, 1) : all || line->length > 0;
        work_step(work);
        writer_text(writer, i > 0 ? newline : text_literal(work, ""));
        writer_text(writer, is_indented ? indent : text_literal(work, ""));
        writer_text(writer, line);
    }
    struct text *result = writer_done(writer);
    result->is_safe = self.text->is_safe;
    return value_text(result);
}

struct value filter_text_center(struct render *render, struct value self, const struct call *call)
{
    const struct text *text = value_print(&render->work, self);
    const int64_t width = builtin_integer(&render->work, call, 0, 80);
    return value_text(text_methods_pad(&render->work, text, TEXT_BOTH, width, NULL));
}

struct value filter_text_truncate(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *end = builtin_text(work, call, 2);
    end = end ? end : text_literal(work, "...");
    const int64_t length = builtin_integer(work, call, 0, 255);
    const int64_t leeway = builtin_integer(work, call, 3, 5);
    const int64_t end_count = (int64_t)text_code_points(work, end);
    if (length < end_count || length > INT32_MAX || leeway < 0 || leeway > INT32_MAX) {
        work_fail(work, STATUS_INVALID, "truncate: length or leeway is out of range");
    }
    size_t count = 0;
    if (value_length(work, self, &count) && (int64_t)count <= length + leeway) {
        return self;
    }
    if (self.kind != VALUE_STRING) {
        work_fail(work, STATUS_INVALID, "truncate wants a string, not '%s'", value_type(self));
    }
    const struct text *text = self.text;
    size_t cut = text_offset(work, text, 0, (size_t)(length - end_count));
    if (!builtin_flag(call, 1)) {
        const struct text space = {.bytes = " ", .length = 1};
        const ptrdiff_t word_end = text_find_last(work, text, &space, cut);
        cut = word_end == TEXT_NOT_FOUND ? cut : (size_t)word_end;
    }
    return value_text(text_concat(work, text_slice(work, text, 0, cut), end));
}

struct value filter_text_wordcount(struct render *render, struct value self,
                                   const struct call *call)
{
    const struct text *text = value_print(&render->work, self);
    int64_t count = 0;
    bool is_inside = false;
    size_t bytes = 0;
    (void)call;
    work_scan(&render->work, text->length);
    for (size_t at = 0; at < text->length; at += bytes) {
        const uint32_t code_point = text_code_point(text, at, &bytes);
        const bool is_word =
            code_point == '_' || unicode_is_alpha(code_point) || unicode_is_numeric(code_point);
        count += is_word && !is_inside;
        is_inside = is_word;
    }
    return value_integer(count);
}

/* ---- the rest ------------------------------------------------------------------------------- */

struct value filter_text_escape(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return value_text(text_escape(&render->work, value_print(&render->work, self)));
}

struct value filter_text_safe(struct render *render, struct value self, const struct call *call)
{
    const struct text *text = value_print(&render->work, self);
    struct text *safe = text_slice(&render->work, text, 0, text->length);
    (void)call;
    safe->is_safe = true;
    return value_text(safe);
}

struct value filter_text_string(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return value_text(value_print(&render->work, self));
}

struct value filter_text_join(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *separator = call->arguments[0].kind == VALUE_ABSENT
                                       ? text_literal(work, "")
                                       : hard_string(work, call->arguments[0]);
    const struct filter_path path = filter_path_parse(work, call->arguments[1]);
    const struct list items = value_iterate(work, self);
    struct writer *writer = writer_create(work);
    for (size_t i = 0; i < items.count; i++) {
        work_step(work);
        if (i > 0) {
            writer_text(writer, separator);
        }
        const struct value item = filter_path_follow(render, &path, items.items[i]);
        writer_text(writer, value_print(work, item));
    }
    return value_text(writer_done(writer));
}

struct value filter_text_format(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *text = value_print(work, self);
    if (call->keyword_count == 0) {
        const struct value values = value_list(work, VALUE_TUPLE, call->arguments, call->count);
        return value_text(format_percent(work, text, values));
    }
    if (call->count > 0) {
        work_fail(work, STATUS_INVALID,
                  "format can't handle positional and keyword arguments at the same time");
    }
    const struct value values = value_dict(work, VALUE_DICT, call->keyword_count);
    for (size_t i = 0; i < call->keyword_count; i++) {
        value_dict_set(work, values.dict, value_text(call->keywords[i].name),
                       call->keywords[i].value);
    }
    return value_text(format_percent(work, text, values));
}

/* ---- tojson --------------------------------------------------------------------------------- */

static const struct text *json_indent(struct work *work, const struct call *call)
{
    if (!builtin_has(call, 1)) {
        return NULL;
    }
    if (call->arguments[1].kind == VALUE_STRING) {
        return call->arguments[1].text;
    }
    const int64_t width = builtin_integer(work, call, 1, 0);
    struct writer *writer = writer_create(work);
    writer_repeat(writer, " ", 1, ORIGIN_MARKUP, width > 0 ? (size_t)width : 0);
    return writer_done(writer);
}

struct value filter_text_tojson(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    struct value_json_style style = {
        .is_ascii = builtin_flag(call, 0),
        .sorts_keys = builtin_flag(call, 3),
        .indent = json_indent(work, call),
        .key_separator = text_literal(work, ": "),
    };
    style.item_separator = text_literal(work, style.indent ? "," : ", ");
    if (builtin_has(call, 2)) {
        const struct list pair = value_iterate(work, call->arguments[2]);
        if (pair.count != 2 || pair.items[0].kind != VALUE_STRING
            || pair.items[1].kind != VALUE_STRING) {
            work_fail(work, STATUS_INVALID, "tojson: separators must be two strings");
        }
        style.item_separator = pair.items[0].text;
        style.key_separator = pair.items[1].text;
    }
    return value_text(value_json_write(work, self, &style));
}
