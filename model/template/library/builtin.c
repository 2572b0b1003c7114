#include "model/template/library/builtin.h"

#include "model/template/render.h"

const struct builtin *builtin_find(const struct builtin *table, size_t count,
                                   const struct text *name)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].name[0] == name->bytes[0] && text_is(name, table[i].name)) {
            return &table[i];
        }
    }
    return NULL;
}

struct value builtin_bind(struct work *work, const struct builtin *builtin, struct value self)
{
    struct function *function = work_take(work, 1, sizeof *function);
    *function = (struct function){builtin, self};
    return (struct value){.kind = VALUE_FUNCTION, .function = function};
}

static size_t parameter_count(const struct builtin *builtin)
{
    size_t count = 0;
    while (count < BUILTIN_PARAMETERS_MAX && builtin->parameters[count]) {
        count++;
    }
    return count;
}

static size_t find_parameter(struct work *work, const struct builtin *builtin,
                             const struct text *name)
{
    const size_t count = parameter_count(builtin);
    for (size_t i = 0; i < count; i++) {
        if (text_is(name, builtin->parameters[i])) {
            return i;
        }
    }
    work_fail(work, STATUS_INVALID, "%s() has no argument '%s'", builtin->name,
              text_for_error(work, name));
}

struct value builtin_call(struct render *render, const struct builtin *builtin, struct value self,
                          const struct call *call)
{
    struct work *work = &render->work;
    if (builtin->takes_any) {
        return builtin->handler(render, self, call);
    }
    struct value arguments[BUILTIN_PARAMETERS_MAX] = {{0}};
    const size_t count = parameter_count(builtin);
    if (call->count > count) {
        work_fail(work, STATUS_INVALID, "%s() takes at most %zu arguments, not %zu", builtin->name,
                  count, call->count);
    }
    for (size_t i = 0; i < call->count; i++) {
        arguments[i] = call->arguments[i];
    }
    for (size_t i = 0; i < call->keyword_count; i++) {
        const size_t index = find_parameter(work, builtin, call->keywords[i].name);
        if (arguments[index].kind != VALUE_ABSENT) {
            work_fail(work, STATUS_INVALID, "%s() got two values for '%s'", builtin->name,
                      builtin->parameters[index]);
        }
        arguments[index] = call->keywords[i].value;
    }
    for (size_t i = 0; i < builtin->required; i++) {
        if (arguments[i].kind == VALUE_ABSENT) {
            work_fail(work, STATUS_INVALID, "%s() needs '%s'", builtin->name,
                      builtin->parameters[i]);
        }
    }
    const struct call bound = {.arguments = arguments, .count = count};
    return builtin->handler(render, self, &bound);
}

/* ---- arguments of a handler ----------------------------------------------------------------- */

bool builtin_has(const struct call *call, size_t index)
{
    const enum value_kind kind = call->arguments[index].kind;
    return kind != VALUE_ABSENT && kind != VALUE_NONE;
}

bool builtin_flag(const struct call *call, size_t index)
{
    return value_truth(call->arguments[index]);
}

int64_t builtin_integer(struct work *work, const struct call *call, size_t index, int64_t preset)
{
    const struct value value = call->arguments[index];
    if (!builtin_has(call, index)) {
        return preset;
    }
    if (value.kind == VALUE_UNDEFINED) {
        value_fail_undefined(work, value);
    }
    if (value.kind != VALUE_INTEGER && value.kind != VALUE_BOOLEAN) {
        work_fail(work, STATUS_INVALID, "'%s' object cannot be interpreted as an integer",
                  value_type(value));
    }
    return value.kind == VALUE_BOOLEAN ? value.boolean : value.integer;
}

const struct text *builtin_text(struct work *work, const struct call *call, size_t index)
{
    const struct value value = call->arguments[index];
    if (!builtin_has(call, index)) {
        return NULL;
    }
    if (value.kind == VALUE_UNDEFINED) {
        value_fail_undefined(work, value);
    }
    if (value.kind != VALUE_STRING) {
        work_fail(work, STATUS_INVALID, "a string is wanted, not '%s'", value_type(value));
    }
    return value.text;
}
