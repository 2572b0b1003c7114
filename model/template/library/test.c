/* test.c - the table of tests (`x is y`). */
#include "model/template/library/builtin.h"
#include "model/template/library/format.h"
#include "model/template/render.h"
#include "model/template/value/unicode.h"
#include "model/template/value/value_print.h"

/* ---- what a value is ------------------------------------------------------------------------ */

#define TEST_OF_SELF(name, expression)                                                          \
    static struct value name(struct render *render, struct value self, const struct call *call) \
    {                                                                                           \
        (void)render;                                                                           \
        (void)call;                                                                             \
        return value_boolean(expression);                                                       \
    }

TEST_OF_SELF(is_defined, self.kind != VALUE_UNDEFINED)
TEST_OF_SELF(is_undefined, self.kind == VALUE_UNDEFINED)
TEST_OF_SELF(is_none, self.kind == VALUE_NONE)
TEST_OF_SELF(is_boolean, self.kind == VALUE_BOOLEAN)
TEST_OF_SELF(is_true, self.kind == VALUE_BOOLEAN && self.boolean)
TEST_OF_SELF(is_false, self.kind == VALUE_BOOLEAN && !self.boolean)
TEST_OF_SELF(is_integer, self.kind == VALUE_INTEGER)
TEST_OF_SELF(is_float, self.kind == VALUE_FLOAT)
TEST_OF_SELF(is_number, value_is_number(self))
TEST_OF_SELF(is_string, self.kind == VALUE_STRING)
TEST_OF_SELF(is_mapping, self.kind == VALUE_DICT)
TEST_OF_SELF(is_iterable, value_is_iterable(self))
TEST_OF_SELF(is_escaped, self.kind == VALUE_STRING && self.text->is_safe)
/* Undefined has __getitem__ and __call__, which fail only when they are used */
TEST_OF_SELF(is_sequence, (self.kind >= VALUE_STRING && self.kind <= VALUE_RANGE)
                              || self.kind == VALUE_DICT || self.kind == VALUE_UNDEFINED)
TEST_OF_SELF(is_callable, self.kind >= VALUE_FUNCTION || self.kind == VALUE_UNDEFINED)

/* ---- letters -------------------------------------------------------------------------------- */

static struct value has_only_case(struct render *render, struct value self, bool upper)
{
    const struct text *text = value_print(&render->work, self);
    bool has_case = false;
    size_t bytes = 0;
    work_scan(&render->work, text->length);
    for (size_t at = 0; at < text->length; at += bytes) {
        const uint32_t code_point = text_code_point(text, at, &bytes);
        if (unicode_is_cased(code_point)) {
            const bool fits = upper ? unicode_is_upper(code_point) : unicode_is_lower(code_point);
            if (!fits) {
                return value_boolean(false);
            }
            has_case = true;
        }
    }
    return value_boolean(has_case);
}

static struct value is_lower(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return has_only_case(render, self, false);
}

static struct value is_upper(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return has_only_case(render, self, true);
}

/* ---- comparisons ---------------------------------------------------------------------------- */

static struct value is_equal(struct render *render, struct value self, const struct call *call)
{
    return value_boolean(value_compare_equal(&render->work, self, call->arguments[0]));
}

static struct value is_unequal(struct render *render, struct value self, const struct call *call)
{
    return value_boolean(!value_compare_equal(&render->work, self, call->arguments[0]));
}

static int order(struct render *render, struct value self, const struct call *call,
                 const char *what)
{
    return value_compare_order(&render->work, self, call->arguments[0], what);
}

static struct value is_less(struct render *render, struct value self, const struct call *call)
{
    return value_boolean(order(render, self, call, "<") < 0);
}

static struct value is_less_equal(struct render *render, struct value self, const struct call *call)
{
    return value_boolean(order(render, self, call, "<=") <= 0);
}

static struct value is_greater(struct render *render, struct value self, const struct call *call)
{
    return value_boolean(order(render, self, call, ">") > 0);
}

static struct value is_greater_equal(struct render *render, struct value self,
                                     const struct call *call)
{
    return value_boolean(order(render, self, call, ">=") >= 0);
}

static struct value is_in(struct render *render, struct value self, const struct call *call)
{
    return value_boolean(value_compare_contains(&render->work, call->arguments[0], self));
}

/* Python's `is`: the same object, not an equal one. */
static struct value is_same(struct render *render, struct value self, const struct call *call)
{
    const struct value other = call->arguments[0];
    if (self.kind != other.kind) {
        return value_boolean(false);
    }
    if (value_is_number(self) || self.kind == VALUE_STRING || self.kind < VALUE_BOOLEAN) {
        return value_boolean(value_compare_equal(&render->work, self, other));
    }
    return value_boolean(self.list == other.list);
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* self % by == rest. A string on the left is a format, and never equals a number. */
static struct value leaves(struct render *render, struct value self, struct value by, double rest)
{
    if (self.kind == VALUE_STRING) {
        (void)format_percent(&render->work, self.text, by);
        return value_boolean(false);
    }
    const struct value modulo = arithmetic_apply(&render->work, ARITHMETIC_MODULO, self, by);
    return value_boolean(value_real(modulo) == rest);
}

static struct value is_odd(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return leaves(render, self, value_integer(2), 1.0);
}

static struct value is_even(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return leaves(render, self, value_integer(2), 0.0);
}

static struct value is_divisible(struct render *render, struct value self, const struct call *call)
{
    return leaves(render, self, call->arguments[0], 0.0);
}

/* ---- names ---------------------------------------------------------------------------------- */

static struct value is_filter(struct render *render, struct value self, const struct call *call)
{
    (void)render;
    (void)call;
    return value_boolean(self.kind == VALUE_STRING && filter_find(self.text));
}

static struct value is_test(struct render *render, struct value self, const struct call *call)
{
    (void)render;
    (void)call;
    return value_boolean(self.kind == VALUE_STRING && test_find(self.text));
}

static const struct builtin tests[] = {
    BUILTIN("!=", is_unequal, 1, "other", NULL),
    BUILTIN("<", is_less, 1, "other", NULL),
    BUILTIN("<=", is_less_equal, 1, "other", NULL),
    BUILTIN("==", is_equal, 1, "other", NULL),
    BUILTIN(">", is_greater, 1, "other", NULL),
    BUILTIN(">=", is_greater_equal, 1, "other", NULL),
    BUILTIN("boolean", is_boolean, 0, NULL),
    BUILTIN("callable", is_callable, 0, NULL),
    BUILTIN("defined", is_defined, 0, NULL),
    BUILTIN("divisibleby", is_divisible, 1, "num", NULL),
    BUILTIN("eq", is_equal, 1, "other", NULL),
    BUILTIN("equalto", is_equal, 1, "other", NULL),
    BUILTIN("escaped", is_escaped, 0, NULL),
    BUILTIN("even", is_even, 0, NULL),
    BUILTIN("false", is_false, 0, NULL),
    BUILTIN("filter", is_filter, 0, NULL),
    BUILTIN("float", is_float, 0, NULL),
    BUILTIN("ge", is_greater_equal, 1, "other", NULL),
    BUILTIN("greaterthan", is_greater, 1, "other", NULL),
    BUILTIN("gt", is_greater, 1, "other", NULL),
    BUILTIN("in", is_in, 1, "seq", NULL),
    BUILTIN("integer", is_integer, 0, NULL),
    BUILTIN("iterable", is_iterable, 0, NULL),
    BUILTIN("le", is_less_equal, 1, "other", NULL),
    BUILTIN("lessthan", is_less, 1, "other", NULL),
    BUILTIN("lower", is_lower, 0, NULL),
    BUILTIN("lt", is_less, 1, "other", NULL),
    BUILTIN("mapping", is_mapping, 0, NULL),
    BUILTIN("ne", is_unequal, 1, "other", NULL),
    BUILTIN("none", is_none, 0, NULL),
    BUILTIN("number", is_number, 0, NULL),
    BUILTIN("odd", is_odd, 0, NULL),
    BUILTIN("sameas", is_same, 1, "other", NULL),
    BUILTIN("sequence", is_sequence, 0, NULL),
    BUILTIN("string", is_string, 0, NULL),
    BUILTIN("test", is_test, 0, NULL),
    BUILTIN("true", is_true, 0, NULL),
    BUILTIN("undefined", is_undefined, 0, NULL),
    BUILTIN("upper", is_upper, 0, NULL),
};

const struct builtin *test_find(const struct text *name)
{
    return builtin_find(tests, sizeof tests / sizeof tests[0], name);
}
