/* method_container.c - methods of lists, tuples, dicts and floats that change nothing. */
#include <math.h>

#include "model/template/library/method.h"
#include "model/template/render.h"

/* Nothing can change it, so that a copy is the same. */
struct value method_container_copy(struct render *render, struct value self,
                                   const struct call *call)
{
    (void)render;
    (void)call;
    return self;
}

struct value method_container_count(struct render *render, struct value self,
                                    const struct call *call)
{
    int64_t count = 0;
    for (size_t i = 0; i < self.list->count; i++) {
        count += value_compare_equal(&render->work, self.list->items[i], call->arguments[0]);
    }
    return value_integer(count);
}

struct value method_container_index(struct render *render, struct value self,
                                    const struct call *call)
{
    struct work *work = &render->work;
    const int64_t count = (int64_t)self.list->count;
    int64_t from = builtin_integer(work, call, 1, 0);
    int64_t to = builtin_integer(work, call, 2, count);
    from += from < 0 ? count : 0;
    to += to < 0 ? count : 0;
    from = from < 0 ? 0 : from;
    for (int64_t i = from; i < to && i < count; i++) {
        if (value_compare_equal(work, self.list->items[i], call->arguments[0])) {
            return value_integer(i);
        }
    }
    work_fail(work, STATUS_INVALID, "the value is not in the list");
}

/* ---- dicts ---------------------------------------------------------------------------------- */

struct value method_container_get(struct render *render, struct value self, const struct call *call)
{
    const struct value *found = value_dict_find(&render->work, self.dict, call->arguments[0]);
    if (found) {
        return *found;
    }
    return call->arguments[1].kind == VALUE_ABSENT ? value_none() : call->arguments[1];
}

static struct value view(struct render *render, struct value self, enum value_kind kind)
{
    struct work *work = &render->work;
    const struct dict *dict = self.dict;
    struct value *items = work_take(work, dict->count, sizeof *items);
    for (size_t i = 0; i < dict->count; i++) {
        const struct entry *entry = &dict->entries[i];
        items[i] = kind == VALUE_KEYS     ? entry->key
                   : kind == VALUE_VALUES ? entry->value
                                          : value_pair(work, entry->key, entry->value);
    }
    struct value made = value_list(work, kind, items, dict->count);
    made.is_user = self.is_user;
    return made;
}

struct value method_container_items(struct render *render, struct value self,
                                    const struct call *call)
{
    (void)call;
    return view(render, self, VALUE_ITEMS);
}

struct value method_container_keys(struct render *render, struct value self,
                                   const struct call *call)
{
    (void)call;
    return view(render, self, VALUE_KEYS);
}

struct value method_container_values(struct render *render, struct value self,
                                     const struct call *call)
{
    (void)call;
    return view(render, self, VALUE_VALUES);
}

struct value method_container_is_integer(struct render *render, struct value self,
                                         const struct call *call)
{
    (void)render;
    (void)call;
    return value_boolean(isfinite(self.real) && floor(self.real) == self.real);
}
