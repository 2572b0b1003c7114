#include "model/template/value/value_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/template/value/unicode.h"

enum {
    DOUBLE_DIGITS_MAX = 17,
    POINT_MIN = -4, /* Python writes an exponent below and from these powers of ten */
    POINT_MAX = 16,
};

/* ---- numbers -------------------------------------------------------------------------------- */

/* digits without a point, times 10^(exponent - digits + 1), into 123.45, 0.00012 or 1.2e-07. */
static void place_point(const char *digits, int exponent, char out[VALUE_PRINT_FLOAT_BYTES])
{
    const int count = (int)strlen(digits);
    if (exponent < POINT_MIN || exponent >= POINT_MAX) {
        snprintf(out, VALUE_PRINT_FLOAT_BYTES, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "",
                 digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
    } else if (exponent < 0) {
        snprintf(out, VALUE_PRINT_FLOAT_BYTES, "0.%.*s%s", -exponent - 1, "0000", digits);
    } else if (exponent + 1 >= count) {
        snprintf(out, VALUE_PRINT_FLOAT_BYTES, "%s%.*s.0", digits, exponent + 1 - count,
                 "0000000000000000");
    } else {
        snprintf(out, VALUE_PRINT_FLOAT_BYTES, "%.*s.%s", exponent + 1, digits,
                 digits + exponent + 1);
    }
}

void value_print_float(double real, char out[VALUE_PRINT_FLOAT_BYTES])
{
    if (!isfinite(real)) {
        snprintf(out, VALUE_PRINT_FLOAT_BYTES, "%s",
                 isnan(real) ? "nan"
                 : real < 0  ? "-inf"
                             : "inf");
        return;
    }
    char scientific[VALUE_PRINT_FLOAT_BYTES];
    for (int precision = 0; precision < DOUBLE_DIGITS_MAX; precision++) {
        snprintf(scientific, sizeof scientific, "%.*e", precision, fabs(real));
        if (strtod(scientific, NULL) == fabs(real)) {
            break;
        }
    }
    char digits[DOUBLE_DIGITS_MAX + 1];
    size_t count = 0;
    const char *at = scientific;
    for (; *at != 'e'; at++) {
        if (*at != '.') {
            digits[count++] = *at;
        }
    }
    digits[count] = '\0';
    const size_t sign = signbit(real) ? 1 : 0;
    out[0] = '-';
    char unsigned_text[VALUE_PRINT_FLOAT_BYTES];
    place_point(digits, (int)strtol(at + 1, NULL, 10), unsigned_text);
    memcpy(out + sign, unsigned_text, VALUE_PRINT_FLOAT_BYTES - sign);
    out[VALUE_PRINT_FLOAT_BYTES - 1] = '\0';
}

static void write_number(struct writer *writer, struct value value, uint8_t origin)
{
    char number[VALUE_PRINT_FLOAT_BYTES];
    if (value.kind == VALUE_FLOAT) {
        value_print_float(value.real, number);
    } else if (value.kind == VALUE_INTEGER) {
        snprintf(number, sizeof number, "%" PRId64, value.integer);
    } else {
        snprintf(number, sizeof number, "%s", value.boolean ? "True" : "False");
    }
    writer_literal(writer, number, origin);
}

/* ---- strings -------------------------------------------------------------------------------- */

static void write_escaped(struct writer *writer, uint32_t code_point, uint8_t origin)
{
    static const char names[] = "\t\n\r";
    static const char letters[] = "tnr";
    char escape[12];
    const char *name = code_point > 0 && code_point < 0x20 ? strchr(names, (int)code_point) : NULL;
    if (name) {
        snprintf(escape, sizeof escape, "\\%c", letters[name - names]);
    } else if (code_point < 0x100) {
        snprintf(escape, sizeof escape, "\\x%02" PRIx32, code_point);
    } else if (code_point < 0x10000) {
        snprintf(escape, sizeof escape, "\\u%04" PRIx32, code_point);
    } else {
        snprintf(escape, sizeof escape, "\\U%08" PRIx32, code_point);
    }
    writer_literal(writer, escape, origin);
}

static void write_string(struct writer *writer, const struct text *text, uint8_t origin)
{
    const bool has_single = memchr(text->bytes, '\'', text->length) != NULL;
    const bool has_double = memchr(text->bytes, '"', text->length) != NULL;
    const char quote = has_single && !has_double ? '"' : '\'';
    writer_literal(writer, text->is_safe ? "Markup(" : "", origin);
    writer_bytes(writer, &quote, 1, origin);
    size_t bytes = 1;
    for (size_t at = 0; at < text->length; at += bytes) {
        const uint32_t code_point = text_code_point(text, at, &bytes);
        if (code_point == (unsigned char)quote || code_point == '\\') {
            writer_literal(writer, "\\", origin);
            writer_bytes(writer, text->bytes + at, 1, origin);
        } else if (unicode_is_printable(code_point)) {
            writer_bytes(writer, text->bytes + at, bytes, origin);
        } else {
            write_escaped(writer, code_point, origin);
        }
    }
    writer_bytes(writer, &quote, 1, origin);
    writer_literal(writer, text->is_safe ? ")" : "", origin);
}

/* ---- containers ----------------------------------------------------------------------------- */

static void write_items(struct writer *writer, const struct list *list, const char *open,
                        const char *close, uint8_t origin)
{
    writer_literal(writer, open, origin);
    for (size_t i = 0; i < list->count; i++) {
        writer_literal(writer, i > 0 ? ", " : "", origin);
        value_print_repr(writer, list->items[i], origin);
    }
    writer_literal(writer, close, origin);
}

static void write_dict(struct writer *writer, const struct dict *dict, uint8_t origin)
{
    writer_literal(writer, "{", origin);
    for (size_t i = 0; i < dict->count; i++) {
        writer_literal(writer, i > 0 ? ", " : "", origin);
        value_print_repr(writer, dict->entries[i].key, origin);
        writer_literal(writer, ": ", origin);
        value_print_repr(writer, dict->entries[i].value, origin);
    }
    writer_literal(writer, "}", origin);
}

static void write_range(struct writer *writer, const struct list *list, uint8_t origin)
{
    char range[96];
    int length =
        snprintf(range, sizeof range, "range(%" PRId64 ", %" PRId64, list->start, list->stop);
    if (list->step != 1) {
        length += snprintf(range + length, sizeof range - (size_t)length, ", %" PRId64, list->step);
    }
    snprintf(range + length, sizeof range - (size_t)length, ")");
    writer_literal(writer, range, origin);
}

/* What Python prints for the rest holds addresses, so that no template can mean it. */
static void write_other(struct writer *writer, struct value value, uint8_t origin)
{
    writer_literal(writer, "<", origin);
    writer_literal(writer, value_type(value), origin);
    if (value.kind == VALUE_NAMESPACE) {
        writer_literal(writer, " ", origin);
        write_dict(writer, value.dict, origin);
    }
    writer_literal(writer, ">", origin);
}

static void write_container(struct writer *writer, struct value value, uint8_t origin)
{
    if (value.kind == VALUE_LIST) {
        write_items(writer, value.list, "[", "]", origin);
    } else if (value.kind == VALUE_TUPLE) {
        write_items(writer, value.list, "(", value.list->count == 1 ? ",)" : ")", origin);
    } else if (value.kind == VALUE_RANGE) {
        write_range(writer, value.list, origin);
    } else if (value.kind >= VALUE_KEYS && value.kind <= VALUE_ITEMS) {
        writer_literal(writer, value_type(value), origin);
        write_items(writer, value.list, "([", "])", origin);
    } else if (value.kind == VALUE_DICT) {
        write_dict(writer, value.dict, origin);
    } else {
        write_other(writer, value, origin);
    }
}

void value_print_repr(struct writer *writer, struct value value, uint8_t origin)
{
    work_step(writer->work);
    work_enter(writer->work);
    if (value_is_number(value)) {
        write_number(writer, value, origin);
    } else if (value.kind == VALUE_STRING) {
        write_string(writer, value.text, origin);
    } else if (value.kind <= VALUE_NONE) {
        writer_literal(writer, value.kind == VALUE_NONE ? "None" : value_type(value), origin);
    } else {
        write_container(writer, value, origin);
    }
    work_leave(writer->work);
}

const struct text *value_print(struct work *work, struct value value)
{
    if (value.kind == VALUE_STRING) {
        return value.text;
    }
    if (value.kind == VALUE_UNDEFINED) {
        return text_literal(work, "");
    }
    struct writer *writer = writer_create(work);
    value_print_repr(writer, value, value_has_user(work, value) ? ORIGIN_USER : ORIGIN_MARKUP);
    return writer_done(writer);
}
