/* method.c - the tables of methods, by the type of their value. A method without a handler is one
 * that changes its object, which the sandbox does not allow; it still hides an item of its name. */
#include "model/template/library/method.h"

static const struct builtin of_string[] = {
    BUILTIN("capitalize", method_string_capitalize, 0, NULL),
    BUILTIN("center", method_string_center, 1, "width", "fillchar", NULL),
    BUILTIN("count", method_string_count, 1, "sub", "start", "end", NULL),
    BUILTIN("endswith", method_string_endswith, 1, "suffix", "start", "end", NULL),
    BUILTIN("find", method_string_find, 1, "sub", "start", "end", NULL),
    BUILTIN_ANY("format", method_string_format),
    BUILTIN("index", method_string_index, 1, "sub", "start", "end", NULL),
    BUILTIN("isalnum", method_is_alnum, 0, NULL),
    BUILTIN("isalpha", method_is_alpha, 0, NULL),
    BUILTIN("isascii", method_is_ascii, 0, NULL),
    BUILTIN("isdecimal", method_is_decimal, 0, NULL),
    BUILTIN("isdigit", method_is_digit, 0, NULL),
    BUILTIN("islower", method_is_lower, 0, NULL),
    BUILTIN("isnumeric", method_is_numeric, 0, NULL),
    BUILTIN("isspace", method_is_space, 0, NULL),
    BUILTIN("istitle", method_is_title, 0, NULL),
    BUILTIN("isupper", method_is_upper, 0, NULL),
    BUILTIN("join", method_string_join, 1, "iterable", NULL),
    BUILTIN("ljust", method_string_ljust, 1, "width", "fillchar", NULL),
    BUILTIN("lower", method_string_lower, 0, NULL),
    BUILTIN("lstrip", method_string_lstrip, 0, "chars", NULL),
    BUILTIN("partition", method_string_partition, 1, "sep", NULL),
    BUILTIN("removeprefix", method_string_removeprefix, 1, "prefix", NULL),
    BUILTIN("removesuffix", method_string_removesuffix, 1, "suffix", NULL),
    BUILTIN("replace", method_string_replace, 2, "old", "new", "count", NULL),
    BUILTIN("rfind", method_string_rfind, 1, "sub", "start", "end", NULL),
    BUILTIN("rindex", method_string_rindex, 1, "sub", "start", "end", NULL),
    BUILTIN("rjust", method_string_rjust, 1, "width", "fillchar", NULL),
    BUILTIN("rpartition", method_string_rpartition, 1, "sep", NULL),
    BUILTIN("rsplit", method_string_rsplit, 0, "sep", "maxsplit", NULL),
    BUILTIN("rstrip", method_string_rstrip, 0, "chars", NULL),
    BUILTIN("split", method_string_split, 0, "sep", "maxsplit", NULL),
    BUILTIN("splitlines", method_string_splitlines, 0, "keepends", NULL),
    BUILTIN("startswith", method_string_startswith, 1, "prefix", "start", "end", NULL),
    BUILTIN("strip", method_string_strip, 0, "chars", NULL),
    BUILTIN("title", method_string_title, 0, NULL),
    BUILTIN("upper", method_string_upper, 0, NULL),
    BUILTIN("zfill", method_string_zfill, 1, "width", NULL),
};

static const struct builtin of_list[] = {
    BUILTIN("append", NULL, 0, NULL),
    BUILTIN("clear", NULL, 0, NULL),
    BUILTIN("copy", method_container_copy, 0, NULL),
    BUILTIN("count", method_container_count, 1, "value", NULL),
    BUILTIN("extend", NULL, 0, NULL),
    BUILTIN("index", method_container_index, 1, "value", "start", "stop", NULL),
    BUILTIN("insert", NULL, 0, NULL),
    BUILTIN("pop", NULL, 0, NULL),
    BUILTIN("remove", NULL, 0, NULL),
    BUILTIN("reverse", NULL, 0, NULL),
    BUILTIN("sort", NULL, 0, NULL),
};

static const struct builtin of_tuple[] = {
    BUILTIN("count", method_container_count, 1, "value", NULL),
    BUILTIN("index", method_container_index, 1, "value", "start", "stop", NULL),
};

static const struct builtin of_dict[] = {
    BUILTIN("clear", NULL, 0, NULL),
    BUILTIN("copy", method_container_copy, 0, NULL),
    BUILTIN("get", method_container_get, 1, "key", "default", NULL),
    BUILTIN("items", method_container_items, 0, NULL),
    BUILTIN("keys", method_container_keys, 0, NULL),
    BUILTIN("pop", NULL, 0, NULL),
    BUILTIN("popitem", NULL, 0, NULL),
    BUILTIN("setdefault", NULL, 0, NULL),
    BUILTIN("update", NULL, 0, NULL),
    BUILTIN("values", method_container_values, 0, NULL),
};

static const struct builtin of_float[] = {
    BUILTIN("is_integer", method_container_is_integer, 0, NULL),
};

#define TABLE(rows)                          \
    {                                        \
        rows, sizeof(rows) / sizeof(rows)[0] \
    }

const struct builtin *method_find(struct value owner, const struct text *name)
{
    static const struct {
        const struct builtin *rows;
        size_t count;
    } tables[VALUE_KIND_COUNT] = {
        [VALUE_STRING] = TABLE(of_string), [VALUE_LIST] = TABLE(of_list),
        [VALUE_TUPLE] = TABLE(of_tuple),   [VALUE_RANGE] = TABLE(of_tuple),
        [VALUE_DICT] = TABLE(of_dict),     [VALUE_FLOAT] = TABLE(of_float),
    };
    return builtin_find(tables[owner.kind].rows, tables[owner.kind].count, name);
}
