/* invocation.c - macros and the callers of call blocks. */
#include "model/template/render.h"

struct value invocation_define(struct render *render, const struct node_macro *definition)
{
    struct macro *macro = work_take(&render->work, 1, sizeof *macro);
    *macro = (struct macro){definition, render->scope};
    return (struct value){.kind = VALUE_MACRO, .macro = macro};
}

/* ---- arguments ------------------------------------------------------------------------------ */

/* The keyword of that name, which is then used up; ABSENT when there is none. */
static struct value take_keyword(struct keyword *keywords, size_t *count, const struct text *name)
{
    for (size_t i = 0; i < *count; i++) {
        const struct text *other = keywords[i].name;
        if (other->length == name->length && text_starts_with(other, 0, name)) {
            const struct value value = keywords[i].value;
            for (size_t j = i + 1; j < *count; j++) {
                keywords[j - 1] = keywords[j];
            }
            (*count)--;
            return value;
        }
    }
    return (struct value){0};
}

static struct value default_of(struct render *render, const struct node_macro *definition,
                               uint32_t index)
{
    if (definition->defaults[index]) {
        return expression_evaluate(render, definition->defaults[index]);
    }
    return value_undefined_name(&render->work, definition->parameters[index].text);
}

static bool has_parameter(const struct node_macro *definition, uint32_t name)
{
    for (uint32_t i = 0; i < definition->parameter_count; i++) {
        if (definition->parameters[i].id == name) {
            return true;
        }
    }
    return false;
}

/* What is left of the arguments, for `varargs` and `kwargs`; without these it is an error. */
static void bind_rest(struct render *render, const struct node_macro *definition,
                      const struct call *call, const struct keyword *keywords, size_t count)
{
    struct work *work = &render->work;
    const char *name = text_for_error(work, definition->name.text);
    const size_t taken = definition->parameter_count;
    if (definition->uses_kwargs) {
        const struct value rest = value_dict(work, VALUE_DICT, count);
        for (size_t i = 0; i < count; i++) {
            value_dict_set(work, rest.dict, value_text(keywords[i].name), keywords[i].value);
        }
        scope_set(work, render->scope, NAME_KWARGS, rest);
    } else if (count > 0) {
        work_fail(work, STATUS_INVALID, "macro '%s' takes no keyword argument '%s'", name,
                  text_for_error(work, keywords[0].name));
    }
    if (definition->uses_varargs) {
        const size_t more = call->count > taken ? call->count - taken : 0;
        const struct value *items = more > 0 ? call->arguments + taken : NULL;
        scope_set(work, render->scope, NAME_VARARGS, value_list(work, VALUE_TUPLE, items, more));
    } else if (call->count > taken) {
        work_fail(work, STATUS_INVALID, "macro '%s' takes not more than %zu argument(s)", name,
                  taken);
    }
}

/* In the macro's own scope, so that a default may name an earlier parameter. */
static void bind(struct render *render, const struct node_macro *definition,
                 const struct call *call)
{
    struct work *work = &render->work;
    size_t count = call->keyword_count;
    struct keyword *keywords = work_take(work, count, sizeof *keywords);
    for (size_t i = 0; i < count; i++) {
        keywords[i] = call->keywords[i];
    }
    for (uint32_t i = 0; i < definition->parameter_count; i++) {
        struct value value = i < call->count
                                 ? call->arguments[i]
                                 : take_keyword(keywords, &count, definition->parameters[i].text);
        if (value.kind == VALUE_ABSENT) {
            value = default_of(render, definition, i);
        }
        scope_set(work, render->scope, definition->parameters[i].id, value);
    }
    if (definition->uses_caller && !has_parameter(definition, NAME_CALLER)) {
        const struct text *name = render->tree->names->texts[NAME_CALLER];
        struct value caller = take_keyword(keywords, &count, name);
        if (caller.kind == VALUE_ABSENT) {
            caller = value_undefined_hint(work, "No caller defined");
        }
        scope_set(work, render->scope, NAME_CALLER, caller);
    }
    bind_rest(render, definition, call, keywords, count);
}

struct value invocation_call(struct render *render, const struct macro *macro,
                             const struct call *call)
{
    struct work *work = &render->work;
    struct scope *around = render->scope;
    const uint32_t line = work->line;
    if (render->call_depth == render->call_depth_max) {
        work_fail(work, STATUS_TOO_LARGE, "macros call one another too deeply");
    }
    render->call_depth++;
    render->scope = scope_create(work, macro->scope);
    bind(render, macro->definition, call);
    const struct text *text = statement_capture(render, &macro->definition->body, render->scope);
    render->scope = around;
    render->call_depth--;
    work->line = line;
    return value_text(text);
}
