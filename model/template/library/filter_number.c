/* filter_number.c - filters that give numbers. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/template/library/filter.h"
#include "model/template/library/text_methods.h"
#include "model/template/render.h"

enum { NUMBER_BYTES_MAX = 400, ROUND_DIGITS_MAX = 300 };

/* ---- numbers in strings --------------------------------------------------------------------- */

/* The text without the space around it and the underscores between its digits, as int() and float()
 * read it; false when it cannot be a number. */
static bool copy_number(struct work *work, const struct text *text, char out[NUMBER_BYTES_MAX])
{
    const struct text *stripped = text_methods_strip(work, text, NULL, true, true);
    size_t length = 0;
    if (stripped->length == 0 || stripped->length >= NUMBER_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < stripped->length; i++) {
        const char byte = stripped->bytes[i];
        if (byte == '_') {
            const bool is_between = i > 0 && i + 1 < stripped->length
                                    && strchr("0123456789abcdefABCDEF", stripped->bytes[i - 1])
                                    && strchr("0123456789abcdefABCDEF", stripped->bytes[i + 1]);
            if (!is_between) {
                return false;
            }
        } else if (byte <= ' ' || byte >= 0x7f) {
            return false;
        } else {
            out[length++] = byte;
        }
    }
    out[length] = '\0';
    return true;
}

static bool parse_integer(struct work *work, const struct text *text, int64_t base, int64_t *out)
{
    char number[NUMBER_BYTES_MAX];
    char *end = NULL;
    if (!copy_number(work, text, number)) {
        return false;
    }
    const char *digits = number + (number[0] == '-' || number[0] == '+');
    static const struct {
        char letter;
        int64_t base;
    } prefixes[] = {{'b', 2}, {'o', 8}, {'x', 16}};
    for (size_t i = 0; i < 3 && digits[0] == '0'; i++) {
        if ((digits[1] | 0x20) == prefixes[i].letter && (base == 0 || base == prefixes[i].base)
            && digits[2] != '\0') {
            digits += 2;
            base = prefixes[i].base;
        }
    }
    if (*digits == '\0' || *digits == '-' || *digits == '+') {
        return false;
    }
    errno = 0;
    const long long value = strtoll(digits, &end, base == 0 ? 10 : (int)base);
    if (*end != '\0' || (base == 16 && digits[0] == '0' && (digits[1] | 0x20) == 'x')) {
        return false;
    }
    if (errno == ERANGE) {
        work_fail(work, STATUS_INVALID, "integer does not fit into 64 bits");
    }
    *out = number[0] == '-' ? -value : value;
    return true;
}

static bool parse_float(struct work *work, const struct text *text, double *out)
{
    char number[NUMBER_BYTES_MAX];
    char *end = NULL;
    if (!copy_number(work, text, number) || strpbrk(number, "xXpP(")) {
        return false; /* strtod reads more than float() does */
    }
    *out = strtod(number, &end);
    return *end == '\0';
}

/* ---- int and float -------------------------------------------------------------------------- */

static int64_t truncate_float(struct work *work, double real)
{
    if (!(fabs(real) < 9223372036854775808.0)) {
        work_fail(work, STATUS_INVALID, "cannot convert this float to an integer");
    }
    return (int64_t)real;
}

static struct value int_of_text(struct work *work, const struct text *text, int64_t base,
                                struct value preset)
{
    int64_t integer = 0;
    double real = 0;
    if (parse_integer(work, text, base, &integer)) {
        return value_integer(integer);
    }
    if (!parse_float(work, text, &real) || !isfinite(real)) {
        return preset;
    }
    return value_integer(truncate_float(work, real));
}

struct value filter_number_int(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct value given = call->arguments[0];
    const struct value preset = given.kind == VALUE_ABSENT ? value_integer(0) : given;
    const int64_t base = builtin_integer(work, call, 1, 10);
    if (base != 0 && (base < 2 || base > 36)) {
        return preset;
    }
    switch ((int)self.kind) {
    case VALUE_STRING:
        return int_of_text(work, self.text, base, preset);
    case VALUE_FLOAT:
        return isnan(self.real) ? preset : value_integer(truncate_float(work, self.real));
    case VALUE_INTEGER:
        return self;
    case VALUE_BOOLEAN:
        return value_integer(self.boolean);
    case VALUE_UNDEFINED:
        value_fail_undefined(work, self);
    default:
        return preset;
    }
}

struct value filter_number_float(struct render *render, struct value self, const struct call *call)
{
    double real = 0;
    if (self.kind == VALUE_UNDEFINED) {
        value_fail_undefined(&render->work, self);
    }
    if (value_is_number(self)) {
        return value_float(value_real(self));
    }
    if (self.kind == VALUE_STRING && parse_float(&render->work, self.text, &real)) {
        return value_float(real);
    }
    return call->arguments[0].kind == VALUE_ABSENT ? value_float(0.0) : call->arguments[0];
}

/* ---- abs, round, sum ------------------------------------------------------------------------ */

struct value filter_number_abs(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    if (self.kind == VALUE_FLOAT) {
        return value_float(fabs(self.real));
    }
    const struct value number = arithmetic_plus(&render->work, self);
    return number.integer < 0 ? arithmetic_negate(&render->work, number) : number;
}

/* Correct for the exact value of the float, ties to even: what printf does. */
static double round_float(double real, int64_t digits)
{
    char number[NUMBER_BYTES_MAX * 2];
    if (!isfinite(real) || digits > ROUND_DIGITS_MAX) {
        return real;
    }
    if (digits < 0) {
        const double unit = pow(10.0, (double)-digits);
        return isfinite(unit) ? nearbyint(real / unit) * unit : 0.0;
    }
    snprintf(number, sizeof number, "%.*f", (int)digits, real);
    return strtod(number, NULL);
}

static struct value round_integer(struct work *work, int64_t integer, int64_t digits)
{
    if (digits >= 0) {
        return value_integer(integer);
    }
    if (digits < -18) {
        return value_integer(0);
    }
    int64_t unit = 1;
    for (int64_t i = 0; i < -digits; i++) {
        unit *= 10;
    }
    const struct value ten = value_integer(unit);
    const struct value number = value_integer(integer);
    struct value low = arithmetic_apply(work, ARITHMETIC_FLOOR_DIVIDE, number, ten);
    const int64_t rest = arithmetic_apply(work, ARITHMETIC_MODULO, number, ten).integer;
    const bool is_up = rest > unit / 2 || (rest == unit / 2 && low.integer % 2 != 0);
    low.integer += is_up ? 1 : 0;
    return arithmetic_apply(work, ARITHMETIC_MULTIPLY, low, ten);
}

struct value filter_number_round(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *method = builtin_text(work, call, 1);
    const int64_t digits = builtin_integer(work, call, 0, 0);
    const struct value number = arithmetic_plus(work, self);
    if (!method || text_is(method, "common")) {
        return number.kind == VALUE_FLOAT ? value_float(round_float(number.real, digits))
                                          : round_integer(work, number.integer, digits);
    }
    const bool is_ceil = text_is(method, "ceil");
    if (!is_ceil && !text_is(method, "floor")) {
        work_fail(work, STATUS_INVALID, "round: method must be common, ceil or floor");
    }
    const double unit = pow(10.0, (double)digits);
    const double scaled = value_real(number) * unit;
    return value_float((is_ceil ? ceil(scaled) : floor(scaled)) / unit);
}

struct value filter_number_sum(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct filter_path path = filter_path_parse(work, call->arguments[0]);
    const struct list items = value_iterate(work, self);
    struct value sum =
        call->arguments[1].kind == VALUE_ABSENT ? value_integer(0) : call->arguments[1];
    if (sum.kind == VALUE_STRING) {
        work_fail(work, STATUS_INVALID, "sum() can't sum strings [use ''.join(seq) instead]");
    }
    for (size_t i = 0; i < items.count; i++) {
        work_step(work);
        sum = arithmetic_apply(work, ARITHMETIC_ADD, sum,
                               filter_path_follow(render, &path, items.items[i]));
    }
    return sum;
}
