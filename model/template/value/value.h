/* value.h - what a template computes with: Python's values, as far as templates meet them. Values
 * are small, passed by value, immutable but for namespaces, iterators and loops, and live in the
 * arena of the rendering. */
#pragma once
#include "model/template/value/text.h"

enum value_kind {
    VALUE_ABSENT, /* an optional argument that was not given; never inside a template */
    VALUE_UNDEFINED,
    VALUE_NONE,
    VALUE_BOOLEAN,
    VALUE_INTEGER,
    VALUE_FLOAT,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_TUPLE,
    VALUE_RANGE,
    VALUE_KEYS, /* dict views, as .keys() .values() .items() give them */
    VALUE_VALUES,
    VALUE_ITEMS,
    VALUE_ITERATOR, /* what map, select, reverse ... give: can be walked through once */
    VALUE_DICT,
    VALUE_NAMESPACE,
    VALUE_FUNCTION, /* a builtin: global function or method of a value */
    VALUE_MACRO,
    VALUE_LOOP,
    VALUE_KIND_COUNT
};

struct value {
    enum value_kind kind;
    bool is_user; /* a number, list or dict out of a user's JSON: its print is a user's, too */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const struct text *text;
        struct list *list; /* LIST to ITERATOR */
        struct dict *dict; /* DICT and NAMESPACE */
        const struct undefined *undefined;
        const struct function *function;
        const struct macro *macro;
        struct loop *loop;
    };
};

struct list {
    const struct value *items;
    size_t count;
    size_t position;           /* ITERATOR: the next item */
    int64_t start, stop, step; /* RANGE: as it was written */
};

struct entry {
    struct value key, value;
};

struct dict {
    struct entry *entries; /* in order of insertion */
    size_t count, capacity;
};

/* Why there is no value: `name` alone, `name` of an owner, element `name` of an owner, or a text.
 */
struct undefined {
    const struct text *name;
    enum value_kind owner; /* ABSENT: none */
    bool is_element;
    const char *hint; /* NULL: made from the rest */
};

static inline struct value value_none(void)
{
    return (struct value){.kind = VALUE_NONE};
}
static inline struct value value_boolean(bool boolean)
{
    return (struct value){.kind = VALUE_BOOLEAN, .boolean = boolean};
}
static inline struct value value_integer(int64_t integer)
{
    return (struct value){.kind = VALUE_INTEGER, .integer = integer};
}
static inline struct value value_count(size_t count)
{
    return (struct value){.kind = VALUE_INTEGER, .integer = (int64_t)count};
}
static inline struct value value_float(double real)
{
    return (struct value){.kind = VALUE_FLOAT, .real = real};
}
static inline struct value value_text(const struct text *text)
{
    return (struct value){.kind = VALUE_STRING, .text = text};
}

struct value value_undefined_hint(struct work *work, const char *hint);
struct value value_undefined_name(struct work *work, const struct text *name);
struct value value_undefined_of(struct work *work, struct value owner, struct value key);
_Noreturn void value_fail_undefined(struct work *work, struct value undefined);

/* items are borrowed: they live in the arena, too. */
struct value value_list(struct work *work, enum value_kind kind, const struct value *items,
                        size_t count);
struct value value_pair(struct work *work, struct value first, struct value second); /* a tuple */

struct value value_dict(struct work *work, enum value_kind kind, size_t capacity);
void value_dict_set(struct work *work, struct dict *dict, struct value key, struct value value);
const struct value *value_dict_find(struct work *work, const struct dict *dict, struct value key);

bool value_is_listed(struct value value); /* LIST to ITERATOR: value.list holds its items */
bool value_is_number(struct value value); /* a boolean is one */
double value_real(struct value value);    /* of a number */
bool value_truth(struct value value);
const char *value_type(struct value value); /* Python's name of the type */
bool value_has_user(struct work *work, struct value value);

/* The items that Python's iter() would give; an iterator is used up. Fails for what has none. */
struct list value_iterate(struct work *work, struct value value);
bool value_is_iterable(struct value value);
/* len(); false where Python raises TypeError. */
bool value_length(struct work *work, struct value value, size_t *out);

/* ---- value_compare.c ------------------------------------------------------------------------ */

bool value_compare_equal(struct work *work, struct value a, struct value b);
/* < 0, 0, > 0; fails where Python does. what is the operator, for the error. */
int value_compare_order(struct work *work, struct value a, struct value b, const char *what);
bool value_compare_contains(struct work *work, struct value container, struct value item);
