/* format_braces.c - Python's "{}".format(...), as the sandbox allows it. A field within the spec of
 * another ("{:{}}") is not supported. */
#include <string.h>

#include "model/template/library/format.h"
#include "model/template/render.h"
#include "model/template/value/value_print.h"

struct braces {
    struct render *render;
    struct work *work;
    const struct text *text;
    const struct call *call;
    size_t next; /* of the fields without a number */
    bool counts, is_numbered;
    struct writer *writer;
};

static _Noreturn void fail_format(struct braces *braces, const char *why)
{
    work_fail(braces->work, STATUS_INVALID, "format: %s", why);
}

/* ---- the field ------------------------------------------------------------------------------ */

static bool is_number(const struct text *text)
{
    if (text->length == 0 || text->length > 9) {
        return false;
    }
    for (size_t i = 0; i < text->length; i++) {
        if (text->bytes[i] < '0' || text->bytes[i] > '9') {
            return false;
        }
    }
    return true;
}

static size_t number_of(const struct text *text)
{
    size_t number = 0;
    for (size_t i = 0; i < text->length; i++) {
        number = number * 10 + (size_t)(text->bytes[i] - '0');
    }
    return number;
}

static struct value argument(struct braces *braces, const struct text *name)
{
    const bool counts = name->length == 0;
    if (counts || is_number(name)) {
        braces->counts |= counts;
        braces->is_numbered |= !counts;
        if (braces->counts && braces->is_numbered) {
            fail_format(braces, "fields with and without a number cannot be mixed");
        }
        const size_t index = counts ? braces->next++ : number_of(name);
        if (index >= braces->call->count) {
            fail_format(braces, "a field has no argument");
        }
        return braces->call->arguments[index];
    }
    for (size_t i = 0; i < braces->call->keyword_count; i++) {
        const struct keyword *keyword = &braces->call->keywords[i];
        if (text_equal(braces->work, keyword->name, name)) {
            return keyword->value;
        }
    }
    fail_format(braces, "a field names no argument");
}

/* name.attribute[key].attribute ... */
static struct value field(struct braces *braces, const struct text *path)
{
    struct work *work = braces->work;
    size_t end = 0;
    while (end < path->length && path->bytes[end] != '.' && path->bytes[end] != '[') {
        end++;
    }
    struct value value = argument(braces, text_slice(work, path, 0, end));
    while (end < path->length) {
        work_step(work);
        const bool is_item = path->bytes[end] == '[';
        const size_t from = end + 1;
        end = from;
        while (end < path->length
               && (is_item ? path->bytes[end] != ']'
                           : path->bytes[end] != '.' && path->bytes[end] != '[')) {
            end++;
        }
        const struct text *name = text_slice(work, path, from, end);
        if (name->length == 0 || (is_item && end == path->length)) {
            fail_format(braces, "a field is cut off");
        }
        if (!is_item) {
            value = lookup_attribute(braces->render, value, value_text(name));
        } else {
            const struct value key =
                is_number(name) ? value_count(number_of(name)) : value_text(name);
            value = lookup_item(braces->render, value, key);
            end++;
        }
    }
    return value;
}

/* ---- the spec ------------------------------------------------------------------------------- */

static char take_one_of(const struct text *spec, size_t *at, const char *bytes)
{
    if (*at < spec->length && spec->bytes[*at] && strchr(bytes, spec->bytes[*at])) {
        return spec->bytes[(*at)++];
    }
    return '\0';
}

static int take_size(struct braces *braces, const struct text *spec, size_t *at)
{
    int size = 0;
    while (*at < spec->length && spec->bytes[*at] >= '0' && spec->bytes[*at] <= '9') {
        size = size * 10 + (spec->bytes[(*at)++] - '0');
        if (size > FORMAT_SIZE_MAX) {
            fail_format(braces, "a width or precision is too large");
        }
    }
    return size;
}

static struct format_spec parse_spec(struct braces *braces, const struct text *text)
{
    static const struct text zero = {.bytes = "0", .length = 1, .origin = ORIGIN_MARKUP};
    struct format_spec spec = {.precision = -1};
    size_t at = 0;
    const size_t first = text_offset(braces->work, text, 0, 1);
    if (first < text->length && strchr("<>=^", text->bytes[first]) && text->bytes[first]) {
        spec.fill = text_slice(braces->work, text, 0, first);
        at = first;
    }
    spec.align = take_one_of(text, &at, "<>=^");
    spec.sign = take_one_of(text, &at, "+- ");
    spec.sign = spec.sign == '-' ? '\0' : spec.sign;
    spec.is_alternate = take_one_of(text, &at, "#") != '\0';
    if (take_one_of(text, &at, "0") && !spec.align) {
        spec.fill = &zero;
        spec.align = '=';
    }
    spec.width = take_size(braces, text, &at);
    spec.group = take_one_of(text, &at, ",_");
    if (take_one_of(text, &at, ".")) {
        spec.precision = take_size(braces, text, &at);
    }
    spec.type = take_one_of(text, &at, "sbdoxXeEfFgGn%");
    if (at != text->length) {
        fail_format(braces, "invalid format specifier");
    }
    return spec;
}

static void put(struct braces *braces, struct value value, const struct text *spec_text)
{
    struct format_spec spec = parse_spec(braces, spec_text);
    const bool is_text =
        spec.type == 's'
        || (spec.type == 0 && value.kind == VALUE_BOOLEAN && spec_text->length == 0);
    spec.type = spec.type == 'n' ? 'd' : spec.type;
    if (value_is_number(value) && !is_text) {
        if (value.kind == VALUE_FLOAT && spec.type && strchr("bdoxX", spec.type)) {
            fail_format(braces, "this specifier wants an integer");
        }
        format_write_number(braces->writer, value, &spec);
        return;
    }
    const bool is_plain = spec_text->length == 0 || value.kind == VALUE_STRING;
    if (!is_plain || spec.align == '=' || (spec.type && spec.type != 's')) {
        fail_format(braces, "this specifier does not fit the value");
    }
    const struct text *text = value_print(braces->work, value);
    if (braces->text->is_safe) {
        text = text_escape(braces->work, text);
    }
    format_write_text(braces->writer, text, &spec);
}

/* ---- the text around ------------------------------------------------------------------------ */

/* One field, from behind its { to its }. */
static void convert(struct braces *braces, const struct text *inside)
{
    struct work *work = braces->work;
    size_t path_end = 0;
    while (path_end < inside->length && !strchr("!:", inside->bytes[path_end])) {
        path_end++;
    }
    struct value value = field(braces, text_slice(work, inside, 0, path_end));
    size_t at = path_end;
    if (at < inside->length && inside->bytes[at] == '!') {
        const char conversion = at + 1 < inside->length ? inside->bytes[at + 1] : '\0';
        at += 2;
        if (conversion == 's') {
            value = value_text(value_print(work, value));
        } else if (conversion == 'r') {
            struct writer *writer = writer_create(work);
            const bool is_user = value_has_user(work, value);
            value_print_repr(writer, value, is_user ? ORIGIN_USER : ORIGIN_MARKUP);
            value = value_text(writer_done(writer));
        } else {
            fail_format(braces, "unknown conversion");
        }
    }
    if (at < inside->length && inside->bytes[at] != ':') {
        fail_format(braces, "expected ':' after the conversion");
    }
    at = at < inside->length ? at + 1 : inside->length;
    put(braces, value, text_slice(work, inside, at, inside->length));
}

const struct text *format_braces(struct render *render, const struct text *text,
                                 const struct call *call)
{
    struct work *work = &render->work;
    struct braces braces = {
        .render = render, .work = work, .text = text, .call = call, .writer = writer_create(work)};
    size_t at = 0;
    while (at < text->length) {
        const char byte = text->bytes[at];
        const bool is_brace = byte == '{' || byte == '}';
        if (is_brace && at + 1 < text->length && text->bytes[at + 1] == byte) {
            writer_slice(braces.writer, text, at, at + 1);
            at += 2;
        } else if (byte == '}') {
            fail_format(&braces, "single '}' encountered in format string");
        } else if (byte == '{') {
            size_t end = at + 1;
            while (end < text->length && text->bytes[end] != '}' && text->bytes[end] != '{') {
                end++;
            }
            if (end == text->length || text->bytes[end] == '{') {
                fail_format(&braces, "a field has no end or holds another");
            }
            work_step(work);
            convert(&braces, text_slice(work, text, at + 1, end));
            at = end + 1;
        } else {
            writer_slice(braces.writer, text, at, at + 1);
            at++;
        }
    }
    struct text *formatted = writer_done(braces.writer);
    formatted->is_safe = text->is_safe;
    return formatted;
}
