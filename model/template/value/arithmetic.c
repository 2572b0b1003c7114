#include "model/template/value/arithmetic.h"

#include <math.h>
#include <string.h>

#include "model/template/value/writer.h"

static const char *const symbols[ARITHMETIC_COUNT] = {"+", "-", "*", "/", "//", "%", "**"};

/* ---- integers ------------------------------------------------------------------------------- */

static int64_t integer_of(struct value value)
{
    return value.kind == VALUE_BOOLEAN ? value.boolean : value.integer;
}

static _Noreturn void fail_range(struct work *work)
{
    work_fail(work, STATUS_INVALID, "integer does not fit into 64 bits");
}

static _Noreturn void fail_zero(struct work *work)
{
    work_fail(work, STATUS_INVALID, "division by zero");
}

/* Rounds down, as Python does; C rounds to zero. */
static int64_t floor_divide(struct work *work, int64_t left, int64_t right)
{
    if (right == 0) {
        fail_zero(work);
    }
    if (left == INT64_MIN && right == -1) {
        fail_range(work);
    }
    return left / right - (left % right != 0 && (left < 0) != (right < 0));
}

/* The rest has the sign of the divisor. */
static int64_t floor_modulo(struct work *work, int64_t left, int64_t right)
{
    if (right == 0) {
        fail_zero(work);
    }
    const int64_t rest = right == -1 ? 0 : left % right;
    return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
}

static int64_t power(struct work *work, int64_t base, int64_t exponent)
{
    int64_t result = 1;
    while (exponent > 0) {
        if ((exponent & 1) && __builtin_mul_overflow(result, base, &result)) {
            fail_range(work);
        }
        exponent >>= 1;
        if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) {
            fail_range(work);
        }
    }
    return result;
}

static struct value apply_integers(struct work *work, enum arithmetic operation, int64_t left,
                                   int64_t right)
{
    int64_t result = 0;
    bool overflows = false;
    switch (operation) {
    case ARITHMETIC_ADD:
        overflows = __builtin_add_overflow(left, right, &result);
        break;
    case ARITHMETIC_SUBTRACT:
        overflows = __builtin_sub_overflow(left, right, &result);
        break;
    case ARITHMETIC_MULTIPLY:
        overflows = __builtin_mul_overflow(left, right, &result);
        break;
    case ARITHMETIC_FLOOR_DIVIDE:
        result = floor_divide(work, left, right);
        break;
    case ARITHMETIC_MODULO:
        result = floor_modulo(work, left, right);
        break;
    case ARITHMETIC_POWER:
        result = power(work, left, right);
        break;
    case ARITHMETIC_DIVIDE:
    case ARITHMETIC_COUNT:
        break;
    }
    if (overflows) {
        fail_range(work);
    }
    return value_integer(result);
}

/* ---- floats --------------------------------------------------------------------------------- */

static double float_modulo(double left, double right)
{
    const double rest = fmod(left, right);
    if (rest == 0.0) {
        return copysign(0.0, right);
    }
    return (rest < 0) != (right < 0) ? rest + right : rest;
}

static double float_floor_divide(double left, double right)
{
    const double near =
        (left - float_modulo(left, right)) / right; /* an integer, but for rounding */
    const double below = floor(near);
    return near - below > 0.5 ? below + 1.0 : below;
}

static double float_power(struct work *work, double left, double right)
{
    if (left == 0.0 && right < 0.0) {
        fail_zero(work);
    }
    if (left < 0.0 && isfinite(right) && floor(right) != right) {
        work_fail(work, STATUS_INVALID, "the power is a complex number");
    }
    const double result = pow(left, right);
    if (isinf(result) && isfinite(left) && isfinite(right)) {
        work_fail(work, STATUS_INVALID, "numerical result out of range");
    }
    return result;
}

static struct value apply_floats(struct work *work, enum arithmetic operation, double left,
                                 double right)
{
    const bool divides = operation == ARITHMETIC_DIVIDE || operation == ARITHMETIC_FLOOR_DIVIDE
                         || operation == ARITHMETIC_MODULO;
    if (divides && right == 0.0) {
        fail_zero(work);
    }
    switch (operation) {
    case ARITHMETIC_ADD:
        return value_float(left + right);
    case ARITHMETIC_SUBTRACT:
        return value_float(left - right);
    case ARITHMETIC_MULTIPLY:
        return value_float(left * right);
    case ARITHMETIC_DIVIDE:
        return value_float(left / right);
    case ARITHMETIC_FLOOR_DIVIDE:
        return value_float(float_floor_divide(left, right));
    case ARITHMETIC_MODULO:
        return value_float(float_modulo(left, right));
    case ARITHMETIC_POWER:
    case ARITHMETIC_COUNT:
        break;
    }
    return value_float(float_power(work, left, right));
}

static struct value apply_numbers(struct work *work, enum arithmetic operation, struct value left,
                                  struct value right)
{
    const bool is_integer = left.kind != VALUE_FLOAT && right.kind != VALUE_FLOAT
                            && operation != ARITHMETIC_DIVIDE
                            && !(operation == ARITHMETIC_POWER && integer_of(right) < 0);
    if (is_integer) {
        return apply_integers(work, operation, integer_of(left), integer_of(right));
    }
    return apply_floats(work, operation, value_real(left), value_real(right));
}

/* ---- strings and lists ---------------------------------------------------------------------- */

static struct value add_texts(struct work *work, const struct text *left, const struct text *right)
{
    if (!left->is_safe && !right->is_safe) {
        return value_text(text_concat(work, left, right));
    }
    struct text *sum = text_concat(work, text_escape(work, left), text_escape(work, right));
    sum->is_safe = true;
    return value_text(sum);
}

static struct value add_lists(struct work *work, struct value left, struct value right)
{
    const size_t count = left.list->count + right.list->count;
    struct value *items = work_take(work, count, sizeof *items);
    for (size_t i = 0; i < left.list->count; i++) {
        items[i] = left.list->items[i];
    }
    for (size_t i = 0; i < right.list->count; i++) {
        items[left.list->count + i] = right.list->items[i];
    }
    return value_list(work, left.kind, items, count);
}

static struct value repeat_text(struct work *work, const struct text *text, size_t count)
{
    struct writer *writer = writer_create(work);
    if (text->origins) {
        for (size_t i = 0; i < count; i++) {
            work_step(work);
            writer_text(writer, text);
        }
    } else {
        writer_repeat(writer, text->bytes, text->length, text->origin, count);
    }
    struct text *repeated = writer_done(writer);
    repeated->is_safe = text->is_safe;
    return value_text(repeated);
}

static struct value repeat_list(struct work *work, struct value value, size_t count)
{
    const struct list *list = value.list;
    if (list->count == 0) {
        count = 0;
    }
    if (count > SIZE_MAX / 16 / (list->count + 1)) {
        work_fail(work, STATUS_TOO_LARGE, "uses more memory than it may");
    }
    struct value *items = work_take(work, list->count * count, sizeof *items);
    for (size_t i = 0; i < list->count * count; i++) {
        items[i] = list->items[i % list->count];
    }
    return value_list(work, value.kind, items, list->count * count);
}

static bool is_integer(struct value value)
{
    return value.kind == VALUE_INTEGER || value.kind == VALUE_BOOLEAN;
}

static bool can_repeat(struct value value)
{
    return value.kind == VALUE_STRING || value.kind == VALUE_LIST || value.kind == VALUE_TUPLE;
}

static struct value repeat(struct work *work, struct value value, struct value times)
{
    const size_t count = integer_of(times) > 0 ? (size_t)integer_of(times) : 0;
    return value.kind == VALUE_STRING ? repeat_text(work, value.text, count)
                                      : repeat_list(work, value, count);
}

/* ---- any ------------------------------------------------------------------------------------ */

static _Noreturn void fail_types(struct work *work, enum arithmetic operation, struct value left,
                                 struct value right)
{
    if (operation == ARITHMETIC_ADD && left.kind == VALUE_STRING) {
        work_fail(work, STATUS_INVALID, "can only concatenate str (not \"%s\") to str",
                  value_type(right));
    }
    work_fail(work, STATUS_INVALID, "unsupported operand types for %s: '%s' and '%s'",
              symbols[operation], value_type(left), value_type(right));
}

struct value arithmetic_apply(struct work *work, enum arithmetic operation, struct value left,
                              struct value right)
{
    if (left.kind == VALUE_UNDEFINED || right.kind == VALUE_UNDEFINED) {
        value_fail_undefined(work, left.kind == VALUE_UNDEFINED ? left : right);
    }
    if (value_is_number(left) && value_is_number(right)) {
        return apply_numbers(work, operation, left, right);
    }
    if (operation == ARITHMETIC_ADD && left.kind == right.kind) {
        if (left.kind == VALUE_STRING) {
            return add_texts(work, left.text, right.text);
        }
        if (left.kind == VALUE_LIST || left.kind == VALUE_TUPLE) {
            return add_lists(work, left, right);
        }
    }
    if (operation == ARITHMETIC_MULTIPLY && can_repeat(left) && is_integer(right)) {
        return repeat(work, left, right);
    }
    if (operation == ARITHMETIC_MULTIPLY && can_repeat(right) && is_integer(left)) {
        return repeat(work, right, left);
    }
    fail_types(work, operation, left, right);
}

static struct value unary_number(struct work *work, struct value value, const char *symbol)
{
    if (value.kind == VALUE_UNDEFINED) {
        value_fail_undefined(work, value);
    }
    if (!value_is_number(value)) {
        work_fail(work, STATUS_INVALID, "bad operand type for unary %s: '%s'", symbol,
                  value_type(value));
    }
    return value.kind == VALUE_FLOAT ? value : value_integer(integer_of(value));
}

struct value arithmetic_negate(struct work *work, struct value value)
{
    const struct value number = unary_number(work, value, "-");
    if (number.kind == VALUE_FLOAT) {
        return value_float(-number.real);
    }
    if (number.integer == INT64_MIN) {
        fail_range(work);
    }
    return value_integer(-number.integer);
}

struct value arithmetic_plus(struct work *work, struct value value)
{
    return unary_number(work, value, "+");
}
