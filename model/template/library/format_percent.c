/* format_percent.c - Python's "..." % values. */
#include <math.h>
#include <string.h>

#include "model/template/library/format.h"
#include "model/template/value/value_print.h"

struct percent {
    struct work *work;
    const struct text *text;
    size_t at;
    struct value values; /* a tuple: one a conversion; a dict: by name; else the only one */
    size_t used;
    bool by_name;
    struct writer *writer;
};

static _Noreturn void fail_format(struct percent *percent, const char *why)
{
    work_fail(percent->work, STATUS_INVALID, "%s", why);
}

static char peek(const struct percent *percent)
{
    return percent->at < percent->text->length ? percent->text->bytes[percent->at] : '\0';
}

static struct value next_value(struct percent *percent)
{
    const bool is_tuple = percent->values.kind == VALUE_TUPLE;
    const size_t count = is_tuple ? percent->values.list->count : 1;
    if (percent->used >= count) {
        fail_format(percent, "not enough arguments for format string");
    }
    const size_t index = percent->used++;
    return is_tuple ? percent->values.list->items[index] : percent->values;
}

/* The value of %(name)s. */
static struct value named_value(struct percent *percent)
{
    const struct text close = {.bytes = ")", .length = 1};
    const ptrdiff_t end = text_find(percent->work, percent->text, &close, percent->at);
    if (end == TEXT_NOT_FOUND) {
        fail_format(percent, "incomplete format key");
    }
    if (percent->values.kind != VALUE_DICT) {
        fail_format(percent, "format requires a mapping");
    }
    const struct text *name =
        text_slice(percent->work, percent->text, percent->at + 1, (size_t)end);
    const struct value *found =
        value_dict_find(percent->work, percent->values.dict, value_text(name));
    if (!found) {
        fail_format(percent, "the mapping has no such key");
    }
    percent->at = (size_t)end + 1;
    percent->by_name = true;
    return *found;
}

static int size_of(struct percent *percent)
{
    int size = 0;
    if (peek(percent) == '*') {
        const struct value value = next_value(percent);
        percent->at++;
        if (value.kind != VALUE_INTEGER || value.integer < 0 || value.integer > FORMAT_SIZE_MAX) {
            fail_format(percent, "* wants an integer that is not too large");
        }
        return (int)value.integer;
    }
    while (peek(percent) >= '0' && peek(percent) <= '9') {
        size = size * 10 + (peek(percent) - '0');
        percent->at++;
        if (size > FORMAT_SIZE_MAX) {
            fail_format(percent, "a width or precision is too large");
        }
    }
    return size;
}

static struct format_spec spec_of(struct percent *percent)
{
    static const struct text zero = {.bytes = "0", .length = 1, .origin = ORIGIN_MARKUP};
    struct format_spec spec = {.align = '>', .precision = -1};
    for (; peek(percent) && strchr("#0- +", peek(percent)); percent->at++) {
        const char flag = peek(percent);
        spec.is_alternate |= flag == '#';
        spec.sign = flag == '+' || (flag == ' ' && !spec.sign) ? flag : spec.sign;
        spec.align = flag == '-' ? '<' : flag == '0' && spec.align != '<' ? '=' : spec.align;
    }
    spec.fill = spec.align == '=' ? &zero : NULL;
    spec.width = size_of(percent);
    if (peek(percent) == '.') {
        percent->at++;
        spec.precision = size_of(percent);
    }
    while (peek(percent) && strchr("hlL", peek(percent))) {
        percent->at++;
    }
    return spec;
}

static void put_text(struct percent *percent, const struct text *text, struct format_spec *spec)
{
    spec->align = spec->align == '=' ? '>' : spec->align;
    spec->fill = NULL;
    if (percent->text->is_safe) {
        text = text_escape(percent->work, text);
    }
    format_write_text(percent->writer, text, spec);
}

static void put_number(struct percent *percent, struct value value, struct format_spec *spec)
{
    if (!value_is_number(value)) {
        work_fail(percent->work, STATUS_INVALID, "%%%c format: a number is required, not %s",
                  spec->type, value_type(value));
    }
    if (strchr("diu", spec->type)) {
        if (value.kind == VALUE_FLOAT) {
            if (!(fabs(value.real) < 9.2e18)) {
                fail_format(percent, "integer does not fit into 64 bits");
            }
            value.integer = (int64_t)value.real;
            value.kind = VALUE_INTEGER;
        }
        spec->type = 'd';
    } else if (strchr("xXo", spec->type) && value.kind == VALUE_FLOAT) {
        fail_format(percent, "format: an integer is required, not float");
    }
    format_write_number(percent->writer, value, spec);
}

static void put_character(struct percent *percent, struct value value, struct format_spec *spec)
{
    struct work *work = percent->work;
    if (value.kind == VALUE_INTEGER && value.integer >= 0 && value.integer <= 0x10ffff) {
        struct writer *writer = writer_create(work);
        writer_code_point(writer, (uint32_t)value.integer,
                          value.is_user ? ORIGIN_USER : ORIGIN_MARKUP);
        put_text(percent, writer_done(writer), spec);
    } else if (value.kind == VALUE_STRING && text_code_points(work, value.text) == 1) {
        put_text(percent, value.text, spec);
    } else {
        fail_format(percent, "%c requires int or char");
    }
}

static void put_repr(struct percent *percent, struct value value, struct format_spec *spec)
{
    struct writer *writer = writer_create(percent->work);
    const bool is_user = value_has_user(percent->work, value);
    value_print_repr(writer, value, is_user ? ORIGIN_USER : ORIGIN_MARKUP);
    put_text(percent, writer_done(writer), spec);
}

/* One conversion; the lexer of it stands behind the %. */
static void convert(struct percent *percent)
{
    struct value value = {0};
    if (peek(percent) == '(') {
        value = named_value(percent);
    }
    struct format_spec spec = spec_of(percent);
    spec.type = peek(percent);
    percent->at++;
    if (spec.type == '%') {
        writer_literal(percent->writer, "%", text_origin(percent->text, percent->at - 1));
        return;
    }
    if (!spec.type || !strchr("srcdiuxXoeEfFgG", spec.type)) {
        fail_format(percent, "unsupported format character");
    }
    if (value.kind == VALUE_ABSENT) {
        value = next_value(percent);
    }
    if (spec.type == 's') {
        put_text(percent, value_print(percent->work, value), &spec);
    } else if (spec.type == 'r') {
        put_repr(percent, value, &spec);
    } else if (spec.type == 'c') {
        put_character(percent, value, &spec);
    } else {
        put_number(percent, value, &spec);
    }
}

const struct text *format_percent(struct work *work, const struct text *text, struct value values)
{
    struct percent percent = {
        .work = work, .text = text, .values = values, .writer = writer_create(work)};
    while (percent.at < text->length) {
        const char *sign = memchr(text->bytes + percent.at, '%', text->length - percent.at);
        const size_t end = sign ? (size_t)(sign - text->bytes) : text->length;
        writer_slice(percent.writer, text, percent.at, end);
        percent.at = end + 1;
        if (sign) {
            work_step(work);
            convert(&percent);
        }
    }
    const size_t count = values.kind == VALUE_TUPLE ? values.list->count : 1;
    const bool is_mapping = values.kind == VALUE_DICT || values.kind == VALUE_LIST
                            || values.kind == VALUE_RANGE || values.kind == VALUE_UNDEFINED;
    if (percent.used < count && !percent.by_name && !is_mapping) { /* as Python sees a mapping */
        fail_format(&percent, "not all arguments converted during string formatting");
    }
    struct text *formatted = writer_done(percent.writer);
    formatted->is_safe = text->is_safe;
    return formatted;
}
