/* format.c - values laid out by a spec, for format_percent.c and format_braces.c. */
#include "model/template/library/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/template/value/value_print.h"

enum { NUMBER_BYTES = 512 }; /* 1e308 with FORMAT_PRECISION_MAX digits behind the point */

/* ---- padding -------------------------------------------------------------------------------- */

static void pad(struct writer *writer, const struct format_spec *spec, size_t count)
{
    const char *bytes = spec->fill ? spec->fill->bytes : " ";
    const size_t length = spec->fill ? spec->fill->length : 1;
    writer_repeat(writer, bytes, length, ORIGIN_MARKUP, count);
}

static size_t padding(struct work *work, const struct text *text, const struct format_spec *spec)
{
    const size_t count = text_code_points(work, text);
    return spec->width > 0 && (size_t)spec->width > count ? (size_t)spec->width - count : 0;
}

void format_write_text(struct writer *writer, const struct text *text,
                       const struct format_spec *spec)
{
    const struct text *shown = text;
    if (spec->precision >= 0) {
        const size_t end = text_offset(writer->work, text, 0, (size_t)spec->precision);
        shown = text_slice(writer->work, text, 0, end);
    }
    const size_t count = padding(writer->work, shown, spec);
    const size_t left = spec->align == '>' ? count : spec->align == '^' ? count / 2 : 0;
    pad(writer, spec, left);
    writer_text(writer, shown);
    pad(writer, spec, count - left);
}

/* ---- digits --------------------------------------------------------------------------------- */

static void write_binary(uint64_t value, char out[NUMBER_BYTES])
{
    size_t bits = 1;
    while (bits < 64 && value >> bits) {
        bits++;
    }
    for (size_t i = 0; i < bits; i++) {
        out[i] = value >> (bits - 1 - i) & 1 ? '1' : '0';
    }
    out[bits] = '\0';
}

static void integer_digits(int64_t value, const struct format_spec *spec, char out[NUMBER_BYTES])
{
    const uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const int least = spec->precision > 0 ? spec->precision : 1;
    if (spec->type == 'x') {
        snprintf(out, NUMBER_BYTES, "%.*" PRIx64, least, size);
    } else if (spec->type == 'X') {
        snprintf(out, NUMBER_BYTES, "%.*" PRIX64, least, size);
    } else if (spec->type == 'o') {
        snprintf(out, NUMBER_BYTES, "%.*" PRIo64, least, size);
    } else if (spec->type == 'b') {
        write_binary(size, out);
    } else {
        snprintf(out, NUMBER_BYTES, "%.*" PRIu64, least, size);
    }
}

static void float_digits(double value, const struct format_spec *spec, char out[NUMBER_BYTES])
{
    const int precision = spec->precision >= 0 ? spec->precision : 6;
    const double size = fabs(value);
    if (spec->type == 0 && spec->precision < 0) {
        char shortest[VALUE_PRINT_FLOAT_BYTES];
        value_print_float(size, shortest);
        snprintf(out, NUMBER_BYTES, "%s", shortest);
    } else if (spec->type == 'e') {
        snprintf(out, NUMBER_BYTES, "%.*e", precision, size);
    } else if (spec->type == 'E') {
        snprintf(out, NUMBER_BYTES, "%.*E", precision, size);
    } else if (spec->type == 'f' || spec->type == 'F') {
        snprintf(out, NUMBER_BYTES, "%.*f", precision, size);
    } else if (spec->type == '%') {
        snprintf(out, NUMBER_BYTES, "%.*f%%", precision, size * 100.0);
    } else if (spec->type == 'G') {
        snprintf(out, NUMBER_BYTES, "%.*G", precision > 0 ? precision : 1, size);
    } else {
        snprintf(out, NUMBER_BYTES, "%.*g", precision > 0 ? precision : 1, size);
    }
}

static const char *prefix_of(const struct format_spec *spec)
{
    if (!spec->is_alternate) {
        return "";
    }
    switch (spec->type) {
    case 'x':
        return "0x";
    case 'X':
        return "0X";
    case 'o':
        return "0o";
    case 'b':
        return "0b";
    default:
        return "";
    }
}

/* Puts the separator between the thousands of the digits before the point. */
static void write_grouped(struct writer *writer, const char *digits, char group)
{
    const size_t whole = strspn(digits, "0123456789");
    for (size_t i = 0; i < whole && group; i++) {
        if (i > 0 && (whole - i) % 3 == 0) {
            writer_bytes(writer, &group, 1, ORIGIN_MARKUP);
        }
        writer_bytes(writer, digits + i, 1, ORIGIN_MARKUP);
    }
    writer_literal(writer, group ? digits + whole : digits, ORIGIN_MARKUP);
}

void format_write_number(struct writer *writer, struct value number, const struct format_spec *spec)
{
    struct work *work = writer->work;
    char digits[NUMBER_BYTES];
    if (spec->precision > FORMAT_PRECISION_MAX) {
        work_fail(work, STATUS_INVALID, "a format has a precision over %d",
                  (int)FORMAT_PRECISION_MAX);
    }
    const bool is_float =
        number.kind == VALUE_FLOAT || (spec->type && strchr("eEfFgG%", spec->type));
    bool is_negative = false;
    if (is_float) {
        is_negative = signbit(value_real(number)) != 0;
        float_digits(value_real(number), spec, digits);
    } else {
        const int64_t integer = number.kind == VALUE_BOOLEAN ? number.boolean : number.integer;
        is_negative = integer < 0;
        integer_digits(integer, spec, digits);
    }
    const char plus[2] = {spec->sign, '\0'};
    struct writer *sign = writer_create(work);
    writer_literal(sign, is_negative ? "-" : plus, ORIGIN_MARKUP);
    writer_literal(sign, prefix_of(spec), ORIGIN_MARKUP);
    const size_t sign_length = sign->length;
    struct writer *body = writer_create(work);
    write_grouped(body, digits, spec->group);
    struct text *shown = text_concat(work, writer_done(sign), writer_done(body));
    if (number.is_user) {
        shown = text_make(work, shown->bytes, shown->length, ORIGIN_USER);
    }
    struct format_spec layout = *spec;
    layout.precision = -1;
    layout.align = spec->align ? spec->align : '>';
    if (layout.align != '=') {
        format_write_text(writer, shown, &layout);
        return;
    }
    const size_t count = padding(work, shown, spec);
    writer_slice(writer, shown, 0, sign_length);
    pad(writer, spec, count);
    writer_slice(writer, shown, sign_length, shown->length);
}
