#include "model/template/value/value.h"

#include <string.h>

#include "base/assert.h"

static const char *const type_names[VALUE_KIND_COUNT] = {
    [VALUE_ABSENT] = "absent",     [VALUE_UNDEFINED] = "Undefined",
    [VALUE_NONE] = "NoneType",     [VALUE_BOOLEAN] = "bool",
    [VALUE_INTEGER] = "int",       [VALUE_FLOAT] = "float",
    [VALUE_STRING] = "str",        [VALUE_LIST] = "list",
    [VALUE_TUPLE] = "tuple",       [VALUE_RANGE] = "range",
    [VALUE_KEYS] = "dict_keys",    [VALUE_VALUES] = "dict_values",
    [VALUE_ITEMS] = "dict_items",  [VALUE_ITERATOR] = "generator",
    [VALUE_DICT] = "dict",         [VALUE_NAMESPACE] = "Namespace",
    [VALUE_FUNCTION] = "function", [VALUE_MACRO] = "Macro",
    [VALUE_LOOP] = "LoopContext",
};

const char *value_type(struct value value)
{
    return type_names[value.kind];
}

/* ---- undefined ------------------------------------------------------------------------------ */

static struct value make_undefined(struct work *work, struct undefined why)
{
    struct undefined *copy = work_take(work, 1, sizeof *copy);
    *copy = why;
    return (struct value){.kind = VALUE_UNDEFINED, .undefined = copy};
}

struct value value_undefined_hint(struct work *work, const char *hint)
{
    return make_undefined(work, (struct undefined){.hint = hint});
}

struct value value_undefined_name(struct work *work, const struct text *name)
{
    return make_undefined(work, (struct undefined){.name = name});
}

struct value value_undefined_of(struct work *work, struct value owner, struct value key)
{
    struct undefined why = {.owner = owner.kind, .is_element = key.kind != VALUE_STRING};
    if (key.kind == VALUE_STRING) {
        why.name = key.text;
    }
    return make_undefined(work, why);
}

void value_fail_undefined(struct work *work, struct value undefined)
{
    const struct undefined *why = undefined.undefined;
    if (why->hint) {
        work_fail(work, STATUS_INVALID, "%s", why->hint);
    }
    if (why->owner == VALUE_ABSENT) {
        work_fail(work, STATUS_INVALID, "'%s' is undefined", text_for_error(work, why->name));
    }
    if (why->is_element) {
        work_fail(work, STATUS_INVALID, "%s object has no such element", type_names[why->owner]);
    }
    work_fail(work, STATUS_INVALID, "'%s object' has no attribute '%s'", type_names[why->owner],
              text_for_error(work, why->name));
}

/* ---- lists and dicts ------------------------------------------------------------------------ */

/* What an empty list points to: C forbids even adding 0 to NULL. */
static const struct value nothing[1];

struct value value_list(struct work *work, enum value_kind kind, const struct value *items,
                        size_t count)
{
    struct list *list = work_take(work, 1, sizeof *list);
    *list = (struct list){.items = items ? items : nothing, .count = count};
    return (struct value){.kind = kind, .list = list};
}

struct value value_pair(struct work *work, struct value first, struct value second)
{
    struct value *items = work_take(work, 2, sizeof *items);
    items[0] = first;
    items[1] = second;
    return value_list(work, VALUE_TUPLE, items, 2);
}

struct value value_dict(struct work *work, enum value_kind kind, size_t capacity)
{
    struct dict *dict = work_take(work, 1, sizeof *dict);
    *dict = (struct dict){.capacity = capacity};
    dict->entries = work_take(work, capacity, sizeof *dict->entries);
    return (struct value){.kind = kind, .dict = dict};
}

static bool can_be_key(struct work *work, struct value key)
{
    work_enter(work);
    bool can = key.kind != VALUE_LIST && key.kind != VALUE_DICT;
    if (key.kind == VALUE_TUPLE) {
        for (size_t i = 0; i < key.list->count && can; i++) {
            work_step(work);
            can = can_be_key(work, key.list->items[i]);
        }
    }
    work_leave(work);
    return can;
}

static struct entry *find_entry(struct work *work, const struct dict *dict, struct value key)
{
    if (!can_be_key(work, key)) {
        work_fail(work, STATUS_INVALID, "unhashable type: '%s'", value_type(key));
    }
    for (size_t i = 0; i < dict->count; i++) {
        struct entry *entry = &dict->entries[i];
        if (i % 16 == 15) { /* a long dict is not a free lookup */
            work_step(work);
        }
        if (key.kind == VALUE_STRING && entry->key.kind == VALUE_STRING) {
            const struct text *text = entry->key.text;
            if (text->length == key.text->length && text_equal(work, text, key.text)) {
                return entry;
            }
        } else if (value_compare_equal(work, entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

void value_dict_set(struct work *work, struct dict *dict, struct value key, struct value value)
{
    struct entry *entry = find_entry(work, dict, key);
    if (entry) {
        entry->value = value;
        return;
    }
    if (dict->count == dict->capacity) {
        const size_t capacity = dict->capacity > 0 ? dict->capacity * 2 : 4;
        struct entry *entries = work_take(work, capacity, sizeof *entries);
        if (dict->count > 0) {
            memcpy(entries, dict->entries, dict->count * sizeof *entries);
        }
        dict->entries = entries;
        dict->capacity = capacity;
    }
    dict->entries[dict->count++] = (struct entry){key, value};
}

const struct value *value_dict_find(struct work *work, const struct dict *dict, struct value key)
{
    const struct entry *entry = find_entry(work, dict, key);
    return entry ? &entry->value : NULL;
}

/* ---- questions ------------------------------------------------------------------------------ */

bool value_is_listed(struct value value)
{
    return value.kind >= VALUE_LIST && value.kind <= VALUE_ITERATOR;
}

bool value_is_number(struct value value)
{
    return value.kind == VALUE_BOOLEAN || value.kind == VALUE_INTEGER || value.kind == VALUE_FLOAT;
}

double value_real(struct value value)
{
    ASSERT(value_is_number(value));
    if (value.kind == VALUE_FLOAT) {
        return value.real;
    }
    return value.kind == VALUE_BOOLEAN ? (double)value.boolean : (double)value.integer;
}

bool value_truth(struct value value)
{
    if (value_is_listed(value)) {
        return value.kind == VALUE_ITERATOR || value.list->count > 0;
    }
    if (value.kind == VALUE_STRING) {
        return value.text->length > 0;
    }
    if (value_is_number(value)) {
        return value_real(value) != 0.0;
    }
    if (value.kind == VALUE_DICT) {
        return value.dict->count > 0;
    }
    return value.kind > VALUE_DICT;
}

bool value_has_user(struct work *work, struct value value)
{
    if (value.is_user) {
        return true;
    }
    if (value.kind == VALUE_STRING) {
        return text_has_user(value.text);
    }
    work_enter(work);
    bool has = false;
    if (value_is_listed(value)) {
        for (size_t i = 0; i < value.list->count && !has; i++) {
            work_step(work);
            has = value_has_user(work, value.list->items[i]);
        }
    } else if (value.kind == VALUE_DICT || value.kind == VALUE_NAMESPACE) {
        for (size_t i = 0; i < value.dict->count && !has; i++) {
            work_step(work);
            has = value_has_user(work, value.dict->entries[i].key)
                  || value_has_user(work, value.dict->entries[i].value);
        }
    }
    work_leave(work);
    return has;
}

/* ---- iteration ------------------------------------------------------------------------------ */

bool value_is_iterable(struct value value)
{
    return value_is_listed(value) || value.kind == VALUE_STRING || value.kind == VALUE_DICT
           || value.kind == VALUE_UNDEFINED;
}

static struct list characters(struct work *work, const struct text *text)
{
    const size_t count = text_code_points(work, text);
    struct value *items = work_take(work, count, sizeof *items);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t next = text_offset(work, text, at, 1);
        struct text *character = text_slice(work, text, at, next);
        character->is_safe = false; /* Python forgets it here */
        items[i] = value_text(character);
        at = next;
    }
    return (struct list){.items = items, .count = count};
}

static struct list keys(struct work *work, const struct dict *dict)
{
    struct value *items = work_take(work, dict->count, sizeof *items);
    for (size_t i = 0; i < dict->count; i++) {
        items[i] = dict->entries[i].key;
    }
    return (struct list){.items = items, .count = dict->count};
}

struct list value_iterate(struct work *work, struct value value)
{
    if (value.kind == VALUE_ITERATOR) {
        const size_t at = value.list->position;
        value.list->position = value.list->count;
        return (struct list){.items = value.list->items + at, .count = value.list->count - at};
    }
    if (value_is_listed(value)) {
        return *value.list;
    }
    if (value.kind == VALUE_STRING) {
        return characters(work, value.text);
    }
    if (value.kind == VALUE_DICT) {
        return keys(work, value.dict);
    }
    if (value.kind != VALUE_UNDEFINED) {
        work_fail(work, STATUS_INVALID, "'%s' object is not iterable", value_type(value));
    }
    return (struct list){.items = nothing};
}

bool value_length(struct work *work, struct value value, size_t *out)
{
    if (value.kind == VALUE_ITERATOR) {
        return false;
    }
    if (value_is_listed(value)) {
        *out = value.list->count;
    } else if (value.kind == VALUE_STRING) {
        *out = text_code_points(work, value.text);
    } else if (value.kind == VALUE_DICT) {
        *out = value.dict->count;
    } else if (value.kind == VALUE_UNDEFINED) {
        *out = 0;
    } else {
        return false;
    }
    return true;
}
