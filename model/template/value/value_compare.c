/* value_compare.c - Python's ==, < and `in`. */
#include <math.h>

#include "model/template/value/value.h"

static bool numbers_equal(struct value a, struct value b)
{
    if (a.kind != VALUE_FLOAT && b.kind != VALUE_FLOAT) {
        const int64_t left = a.kind == VALUE_BOOLEAN ? a.boolean : a.integer;
        const int64_t right = b.kind == VALUE_BOOLEAN ? b.boolean : b.integer;
        return left == right;
    }
    return value_real(a) == value_real(b);
}

static bool lists_equal(struct work *work, const struct list *a, const struct list *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; i < a->count && equal; i++) {
        equal = value_compare_equal(work, a->items[i], b->items[i]);
    }
    return equal;
}

/* Dicts are equal in any order; mostly the order is the same, so look there first. */
static bool dicts_equal(struct work *work, const struct dict *a, const struct dict *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; i < a->count && equal; i++) {
        const struct entry *entry = &a->entries[i];
        const struct value *other = value_compare_equal(work, entry->key, b->entries[i].key)
                                        ? &b->entries[i].value
                                        : value_dict_find(work, b, entry->key);
        equal = other && value_compare_equal(work, entry->value, *other);
    }
    return equal;
}

static bool same_kind_equal(struct work *work, struct value a, struct value b)
{
    switch (a.kind) {
    case VALUE_ABSENT:
    case VALUE_UNDEFINED:
    case VALUE_NONE:
        return true;
    case VALUE_STRING:
        return text_equal(work, a.text, b.text);
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_RANGE:
    case VALUE_KEYS:
    case VALUE_ITEMS:
        return a.list == b.list || lists_equal(work, a.list, b.list);
    case VALUE_DICT:
        return a.dict == b.dict || dicts_equal(work, a.dict, b.dict);
    case VALUE_VALUES:
    case VALUE_ITERATOR:
        return a.list == b.list;
    case VALUE_NAMESPACE:
        return a.dict == b.dict;
    case VALUE_FUNCTION:
        return a.function == b.function;
    case VALUE_MACRO:
        return a.macro == b.macro;
    case VALUE_LOOP:
        return a.loop == b.loop;
    case VALUE_BOOLEAN:
    case VALUE_INTEGER:
    case VALUE_FLOAT:
    case VALUE_KIND_COUNT:
        break;
    }
    return numbers_equal(a, b);
}

bool value_compare_equal(struct work *work, struct value a, struct value b)
{
    work_step(work);
    work_enter(work);
    bool equal = false;
    if (a.kind == b.kind) {
        equal = same_kind_equal(work, a, b);
    } else if (value_is_number(a) && value_is_number(b)) {
        equal = numbers_equal(a, b);
    }
    work_leave(work);
    return equal;
}

static int lists_order(struct work *work, const struct list *a, const struct list *b,
                       const char *what)
{
    const size_t common = a->count < b->count ? a->count : b->count;
    for (size_t i = 0; i < common; i++) {
        if (!value_compare_equal(work, a->items[i], b->items[i])) {
            return value_compare_order(work, a->items[i], b->items[i], what);
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

static int numbers_order(struct value a, struct value b)
{
    if (a.kind != VALUE_FLOAT && b.kind != VALUE_FLOAT) {
        const int64_t left = a.kind == VALUE_BOOLEAN ? a.boolean : a.integer;
        const int64_t right = b.kind == VALUE_BOOLEAN ? b.boolean : b.integer;
        return (left > right) - (left < right);
    }
    const double left = value_real(a);
    const double right = value_real(b);
    return (left > right) - (left < right);
}

int value_compare_order(struct work *work, struct value a, struct value b, const char *what)
{
    work_step(work);
    if (value_is_number(a) && value_is_number(b)) {
        return numbers_order(a, b);
    }
    if (a.kind == VALUE_STRING && b.kind == VALUE_STRING) {
        return text_order(work, a.text, b.text);
    }
    if (a.kind == b.kind && (a.kind == VALUE_LIST || a.kind == VALUE_TUPLE)) {
        work_enter(work);
        const int order = lists_order(work, a.list, b.list, what);
        work_leave(work);
        return order;
    }
    if (a.kind == VALUE_UNDEFINED || b.kind == VALUE_UNDEFINED) {
        value_fail_undefined(work, a.kind == VALUE_UNDEFINED ? a : b);
    }
    work_fail(work, STATUS_INVALID, "'%s' not supported between instances of '%s' and '%s'", what,
              value_type(a), value_type(b));
}

/* An iterator is used up to the item that was found. */
static bool iterator_contains(struct work *work, struct list *list, struct value item)
{
    while (list->position < list->count) {
        if (value_compare_equal(work, list->items[list->position++], item)) {
            return true;
        }
    }
    return false;
}

bool value_compare_contains(struct work *work, struct value container, struct value item)
{
    if (container.kind == VALUE_STRING) {
        if (item.kind == VALUE_STRING) {
            return text_find(work, container.text, item.text, 0) != TEXT_NOT_FOUND;
        }
        work_fail(work, STATUS_INVALID, "'in <string>' requires string as left operand, not %s",
                  value_type(item));
    }
    if (container.kind == VALUE_DICT) {
        return value_dict_find(work, container.dict, item) != NULL;
    }
    if (container.kind == VALUE_ITERATOR) {
        return iterator_contains(work, container.list, item);
    }
    if (!value_is_iterable(container)) {
        work_fail(work, STATUS_INVALID, "argument of type '%s' is not iterable",
                  value_type(container));
    }
    const struct list items = value_iterate(work, container);
    for (size_t i = 0; i < items.count; i++) {
        if (value_compare_equal(work, items.items[i], item)) {
            return true;
        }
    }
    return false;
}
