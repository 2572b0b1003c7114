/* filter_sort.c - filters that compare items. Without case_sensitive strings are compared in lower
 * case. */
#include "model/template/library/filter.h"
#include "model/template/library/text_methods.h"
#include "model/template/render.h"
#include "model/template/value/value_sort.h"

struct keyed {
    struct value key, item;
};

static struct value fold(struct work *work, struct value value, bool is_case_sensitive)
{
    if (value.kind != VALUE_STRING || is_case_sensitive) {
        return value;
    }
    return value_text(text_methods_case(work, value.text, TEXT_LOWER));
}

static int ascending(struct work *work, const void *a, const void *b)
{
    const struct keyed *left = a;
    const struct keyed *right = b;
    return value_compare_order(work, left->key, right->key, "<");
}

static int descending(struct work *work, const void *a, const void *b)
{
    return ascending(work, b, a);
}

static struct keyed *key_all(struct render *render, const struct list *items,
                             struct value attribute, bool is_case_sensitive)
{
    struct work *work = &render->work;
    const struct filter_path path = filter_path_parse(work, attribute);
    struct keyed *keyed = work_take(work, items->count, sizeof *keyed);
    for (size_t i = 0; i < items->count; i++) {
        work_step(work);
        const struct value key = filter_path_follow(render, &path, items->items[i]);
        keyed[i] = (struct keyed){fold(work, key, is_case_sensitive), items->items[i]};
    }
    return keyed;
}

static struct value list_of(struct work *work, const struct keyed *keyed, size_t count)
{
    struct value *items = work_take(work, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = keyed[i].item;
    }
    return value_list(work, VALUE_LIST, items, count);
}

/* ---- sort ----------------------------------------------------------------------------------- */

/* attribute="a,b": the key is a list. */
static struct value sort_key(struct render *render, struct value item,
                             const struct filter_path *paths, size_t count, bool is_case_sensitive)
{
    struct work *work = &render->work;
    struct value *keys = work_take(work, count, sizeof *keys);
    for (size_t i = 0; i < count; i++) {
        work_step(work);
        keys[i] = fold(work, filter_path_follow(render, &paths[i], item), is_case_sensitive);
    }
    return value_list(work, VALUE_LIST, keys, count);
}

struct value filter_sort_sort(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct list items = value_iterate(work, self);
    const bool is_case_sensitive = builtin_flag(call, 1);
    struct value attributes = call->arguments[2];
    size_t path_count = 1;
    if (attributes.kind == VALUE_STRING) {
        attributes = text_methods_split(work, attributes.text, text_literal(work, ","), -1, false);
        path_count = attributes.list->count;
    }
    struct filter_path *paths = work_take(work, path_count, sizeof *paths);
    for (size_t i = 0; i < path_count; i++) {
        paths[i] = filter_path_parse(work, attributes.kind == VALUE_LIST ? attributes.list->items[i]
                                                                         : attributes);
    }
    struct keyed *keyed = work_take(work, items.count, sizeof *keyed);
    for (size_t i = 0; i < items.count; i++) {
        keyed[i].item = items.items[i];
        keyed[i].key = sort_key(render, items.items[i], paths, path_count, is_case_sensitive);
    }
    value_sort(work, keyed, items.count, sizeof *keyed,
               builtin_flag(call, 0) ? descending : ascending);
    return list_of(work, keyed, items.count);
}

struct value filter_sort_dictsort(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *by = builtin_text(work, call, 1);
    if (by && !text_is(by, "key") && !text_is(by, "value")) {
        work_fail(work, STATUS_INVALID, "dictsort: you can only sort by \"key\" or \"value\"");
    }
    if (self.kind != VALUE_DICT) {
        work_fail(work, STATUS_INVALID, "dictsort wants a mapping, not '%s'", value_type(self));
    }
    const size_t count = self.dict->count;
    struct keyed *keyed = work_take(work, count, sizeof *keyed);
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &self.dict->entries[i];
        const struct value key = by && text_is(by, "value") ? entry->value : entry->key;
        keyed[i].key = fold(work, key, builtin_flag(call, 0));
        keyed[i].item = value_pair(work, entry->key, entry->value);
    }
    value_sort(work, keyed, count, sizeof *keyed, builtin_flag(call, 2) ? descending : ascending);
    return list_of(work, keyed, count);
}

/* ---- unique, min, max ----------------------------------------------------------------------- */

struct value filter_sort_unique(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct list items = value_iterate(work, self);
    struct keyed *keyed = key_all(render, &items, call->arguments[1], builtin_flag(call, 0));
    const struct value seen = value_dict(work, VALUE_DICT, items.count);
    struct value *kept = work_take(work, items.count, sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; i < items.count; i++) {
        if (!value_dict_find(work, seen.dict, keyed[i].key)) {
            value_dict_set(work, seen.dict, keyed[i].key, value_none());
            kept[count++] = keyed[i].item;
        }
    }
    return value_list(work, VALUE_ITERATOR, kept, count);
}

static struct value extreme(struct render *render, struct value self, const struct call *call,
                            bool is_max)
{
    struct work *work = &render->work;
    const struct list items = value_iterate(work, self);
    if (items.count == 0) {
        return value_undefined_hint(work, "No aggregated item, sequence was empty.");
    }
    struct keyed *keyed = key_all(render, &items, call->arguments[1], builtin_flag(call, 0));
    size_t best = 0;
    for (size_t i = 1; i < items.count; i++) {
        const int order = value_compare_order(work, keyed[i].key, keyed[best].key, "<");
        best = (is_max ? order > 0 : order < 0) ? i : best;
    }
    return keyed[best].item;
}

struct value filter_sort_min(struct render *render, struct value self, const struct call *call)
{
    return extreme(render, self, call, false);
}

struct value filter_sort_max(struct render *render, struct value self, const struct call *call)
{
    return extreme(render, self, call, true);
}
