/* filter_select.c - map, select and reject, with or without an attribute. Unlike Jinja2's
 * generators they do all their work at once. */
#include "model/template/library/filter.h"
#include "model/template/render.h"

static struct value finish(struct work *work, const struct value *items, size_t count)
{
    return value_list(work, VALUE_ITERATOR, items, count);
}

/* Jinja2 looks whether the sequence is true first: nothing at all counts as an empty one. */
static struct list items_of(struct work *work, struct value value)
{
    return value_truth(value) ? value_iterate(work, value) : (struct list){0};
}

static const struct text *name_argument(struct work *work, const struct call *call, size_t index)
{
    const struct text *name = builtin_text(work, call, index);
    if (!name) {
        work_fail(work, STATUS_INVALID, "the name of a filter or test is missing");
    }
    return name;
}

/* The call without its first arguments. */
static struct call rest_of(const struct call *call, size_t taken)
{
    struct call rest = *call;
    rest.arguments += taken;
    rest.count -= taken;
    return rest;
}

/* ---- map ------------------------------------------------------------------------------------ */

static struct value map_attribute(struct render *render, const struct list *items,
                                  const struct call *call)
{
    struct work *work = &render->work;
    struct value attribute = {0};
    struct value preset = {0};
    for (size_t i = 0; i < call->keyword_count; i++) {
        const struct keyword *keyword = &call->keywords[i];
        if (text_is(keyword->name, "attribute")) {
            attribute = keyword->value;
        } else if (text_is(keyword->name, "default")) {
            preset = keyword->value;
        } else {
            work_fail(work, STATUS_INVALID, "map: unexpected keyword argument '%s'",
                      text_for_error(work, keyword->name));
        }
    }
    const struct filter_path path = filter_path_parse(work, attribute);
    struct value *mapped = work_take(work, items->count, sizeof *mapped);
    for (size_t i = 0; i < items->count; i++) {
        struct value value = items->items[i];
        for (size_t j = 0; j < path.count; j++) {
            work_step(work);
            value = lookup_item(render, value, path.parts[j]);
            if (value.kind == VALUE_UNDEFINED && preset.kind > VALUE_NONE) {
                value = preset;
            }
        }
        mapped[i] = value;
    }
    return finish(work, mapped, items->count);
}

struct value filter_select_map(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct list items = items_of(work, self);
    if (items.count == 0) {
        return finish(work, NULL, 0);
    }
    if (call->count == 0 && call->keyword_count > 0) {
        return map_attribute(render, &items, call);
    }
    if (call->count == 0) {
        work_fail(work, STATUS_INVALID, "map requires a filter argument");
    }
    const struct text *name = name_argument(work, call, 0);
    const struct builtin *filter = filter_find(name);
    if (!filter) {
        work_fail(work, STATUS_INVALID, "there is no filter named '%s'",
                  text_for_error(work, name));
    }
    const struct call rest = rest_of(call, 1);
    struct value *mapped = work_take(work, items.count, sizeof *mapped);
    work_enter(work);
    for (size_t i = 0; i < items.count; i++) {
        work_step(work);
        mapped[i] = builtin_call(render, filter, items.items[i], &rest);
    }
    work_leave(work);
    return finish(work, mapped, items.count);
}

/* ---- select and reject ---------------------------------------------------------------------- */

static struct value choose(struct render *render, struct value self, const struct call *call,
                           bool by_attribute, bool keeps)
{
    struct work *work = &render->work;
    const struct list items = items_of(work, self);
    const size_t taken = by_attribute ? 1 : 0;
    struct filter_path path = {0};
    if (by_attribute && items.count > 0) {
        if (call->count == 0) {
            work_fail(work, STATUS_INVALID, "the attribute's name is missing");
        }
        path = filter_path_parse(work, call->arguments[0]);
    }
    const struct builtin *test = NULL;
    struct call rest = {0};
    if (call->count > taken && items.count > 0) {
        const struct text *name = name_argument(work, call, taken);
        test = test_find(name);
        if (!test) {
            work_fail(work, STATUS_INVALID, "there is no test named '%s'",
                      text_for_error(work, name));
        }
        rest = rest_of(call, taken + 1);
    }
    struct value *chosen = work_take(work, items.count, sizeof *chosen);
    size_t count = 0;
    for (size_t i = 0; i < items.count; i++) {
        work_step(work);
        struct value value = filter_path_follow(render, &path, items.items[i]);
        if (test) {
            value = builtin_call(render, test, value, &rest);
        }
        if (value_truth(value) == keeps) {
            chosen[count++] = items.items[i];
        }
    }
    return finish(work, chosen, count);
}

struct value filter_select_select(struct render *render, struct value self, const struct call *call)
{
    return choose(render, self, call, false, true);
}

struct value filter_select_reject(struct render *render, struct value self, const struct call *call)
{
    return choose(render, self, call, false, false);
}

struct value filter_select_selectattr(struct render *render, struct value self,
                                      const struct call *call)
{
    return choose(render, self, call, true, true);
}

struct value filter_select_rejectattr(struct render *render, struct value self,
                                      const struct call *call)
{
    return choose(render, self, call, true, false);
}
