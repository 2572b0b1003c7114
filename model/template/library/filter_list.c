/* filter_list.c - filters on sequences that need neither a test nor an order. */
#include "model/template/library/filter.h"
#include "model/template/render.h"

struct value filter_list_length(struct render *render, struct value self, const struct call *call)
{
    size_t length = 0;
    (void)call;
    if (!value_length(&render->work, self, &length)) {
        work_fail(&render->work, STATUS_INVALID, "object of type '%s' has no len()",
                  value_type(self));
    }
    return value_count(length);
}

struct value filter_list_first(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    if (self.kind == VALUE_ITERATOR && self.list->position < self.list->count) {
        return self.list->items[self.list->position++];
    }
    if (self.kind == VALUE_STRING && self.text->length > 0) {
        return lookup_item(render, self, value_integer(0));
    }
    const struct list items = value_iterate(&render->work, self);
    return items.count > 0
               ? items.items[0]
               : value_undefined_hint(&render->work, "No first item, sequence was empty.");
}

struct value filter_list_last(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    if (self.kind == VALUE_ITERATOR) {
        work_fail(&render->work, STATUS_INVALID, "'%s' object is not reversible", value_type(self));
    }
    if (self.kind == VALUE_STRING && self.text->length > 0) {
        return lookup_item(render, self, value_integer(-1));
    }
    const struct list items = value_iterate(&render->work, self);
    return items.count > 0
               ? items.items[items.count - 1]
               : value_undefined_hint(&render->work, "No last item, sequence was empty.");
}

struct value filter_list_list(struct render *render, struct value self, const struct call *call)
{
    const struct list items = value_iterate(&render->work, self);
    (void)call;
    return value_list(&render->work, VALUE_LIST, items.items, items.count);
}

struct value filter_list_items(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    (void)call;
    if (self.kind == VALUE_UNDEFINED) {
        return value_list(work, VALUE_ITERATOR, NULL, 0);
    }
    if (self.kind != VALUE_DICT) {
        work_fail(work, STATUS_INVALID, "Can only get item pairs from a mapping.");
    }
    struct value *pairs = work_take(work, self.dict->count, sizeof *pairs);
    for (size_t i = 0; i < self.dict->count; i++) {
        pairs[i] = value_pair(work, self.dict->entries[i].key, self.dict->entries[i].value);
    }
    return value_list(work, VALUE_ITERATOR, pairs, self.dict->count);
}

struct value filter_list_reverse(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    (void)call;
    if (self.kind == VALUE_STRING) {
        const struct value parts[3] = {{0}, {0}, value_integer(-1)};
        return lookup_slice(render, self, parts);
    }
    const struct list items = value_iterate(work, self);
    struct value *reversed = work_take(work, items.count, sizeof *reversed);
    for (size_t i = 0; i < items.count; i++) {
        reversed[i] = items.items[items.count - 1 - i];
    }
    const bool is_list = self.kind == VALUE_ITERATOR || self.kind == VALUE_UNDEFINED;
    return value_list(work, is_list ? VALUE_LIST : VALUE_ITERATOR, reversed, items.count);
}

struct value filter_list_default(struct render *render, struct value self, const struct call *call)
{
    const bool is_missing =
        self.kind == VALUE_UNDEFINED || (builtin_flag(call, 1) && !value_truth(self));
    if (!is_missing) {
        return self;
    }
    return call->arguments[0].kind == VALUE_ABSENT ? value_text(text_literal(&render->work, ""))
                                                   : call->arguments[0];
}

/* Unlike a.b, does not fall back to an item of that name. */
struct value filter_list_attr(struct render *render, struct value self, const struct call *call)
{
    const struct text *name = builtin_text(&render->work, call, 0);
    if (self.kind == VALUE_UNDEFINED) {
        value_fail_undefined(&render->work, self);
    }
    if (name && (self.kind != VALUE_DICT || method_find(self, name))) {
        return lookup_attribute(render, self, value_text(name));
    }
    return value_undefined_of(&render->work, self, call->arguments[0]);
}

/* ---- batch and slice ------------------------------------------------------------------------ */

/* The items, and fill up to `size` of them. */
static struct value piece(struct work *work, const struct value *items, size_t count, size_t size,
                          struct value fill)
{
    if (count >= size) {
        return value_list(work, VALUE_LIST, items, count);
    }
    struct value *filled = work_take(work, size, sizeof *filled);
    for (size_t i = 0; i < size; i++) {
        filled[i] = i < count ? items[i] : fill;
    }
    return value_list(work, VALUE_LIST, filled, size);
}

struct value filter_list_batch(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct list items = value_iterate(work, self);
    const int64_t wanted = builtin_integer(work, call, 0, 0);
    if (wanted < 1) {
        work_fail(work, STATUS_INVALID, "batch: linecount must be at least 1");
    }
    const size_t size = (size_t)wanted;
    const size_t count = items.count / size + (items.count % size > 0 ? 1 : 0);
    struct value *batches = work_take(work, count, sizeof *batches);
    for (size_t i = 0; i < count; i++) {
        const size_t left = items.count - i * size;
        const size_t taken = left < size ? left : size;
        const size_t filled = builtin_has(call, 1) ? size : taken;
        work_step(work);
        batches[i] = piece(work, items.items + i * size, taken, filled, call->arguments[1]);
    }
    return value_list(work, VALUE_ITERATOR, batches, count);
}

struct value filter_list_slice(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct list items = value_iterate(work, self);
    const int64_t wanted = builtin_integer(work, call, 0, 0);
    if (wanted == 0) {
        work_fail(work, STATUS_INVALID, "division by zero");
    }
    const size_t count = wanted > 0 ? (size_t)wanted : 0;
    struct value *slices = work_take(work, count, sizeof *slices);
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        const bool is_longer = i < items.count % count;
        const size_t taken = items.count / count + (is_longer ? 1 : 0);
        const size_t filled = taken + (builtin_has(call, 1) && !is_longer ? 1 : 0);
        work_step(work);
        slices[i] = piece(work, items.items + from, taken, filled, call->arguments[1]);
        from += taken;
    }
    return value_list(work, VALUE_ITERATOR, slices, count);
}
