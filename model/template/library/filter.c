/* filter.c - the table of filters. What Jinja2 has and we have not is named, so that a template
 * that needs it is refused by name. */
#include "model/template/library/filter.h"

static const struct builtin filters[] = {
    BUILTIN("abs", filter_number_abs, 0, NULL),
    BUILTIN("attr", filter_list_attr, 1, "name", NULL),
    BUILTIN("batch", filter_list_batch, 1, "linecount", "fill_with", NULL),
    BUILTIN("capitalize", filter_text_capitalize, 0, NULL),
    BUILTIN("center", filter_text_center, 0, "width", NULL),
    BUILTIN("count", filter_list_length, 0, NULL),
    BUILTIN("d", filter_list_default, 0, "default_value", "boolean", NULL),
    BUILTIN("default", filter_list_default, 0, "default_value", "boolean", NULL),
    BUILTIN("dictsort", filter_sort_dictsort, 0, "case_sensitive", "by", "reverse", NULL),
    BUILTIN("e", filter_text_escape, 0, NULL),
    BUILTIN("escape", filter_text_escape, 0, NULL),
    BUILTIN("first", filter_list_first, 0, NULL),
    BUILTIN("float", filter_number_float, 0, "default", NULL),
    BUILTIN_ANY("format", filter_text_format),
    BUILTIN("indent", filter_text_indent, 0, "width", "first", "blank", NULL),
    BUILTIN("int", filter_number_int, 0, "default", "base", NULL),
    BUILTIN("items", filter_list_items, 0, NULL),
    BUILTIN("join", filter_text_join, 0, "d", "attribute", NULL),
    BUILTIN("last", filter_list_last, 0, NULL),
    BUILTIN("length", filter_list_length, 0, NULL),
    BUILTIN("list", filter_list_list, 0, NULL),
    BUILTIN("lower", filter_text_lower, 0, NULL),
    BUILTIN_ANY("map", filter_select_map),
    BUILTIN("max", filter_sort_max, 0, "case_sensitive", "attribute", NULL),
    BUILTIN("min", filter_sort_min, 0, "case_sensitive", "attribute", NULL),
    BUILTIN_ANY("reject", filter_select_reject),
    BUILTIN_ANY("rejectattr", filter_select_rejectattr),
    BUILTIN("replace", filter_text_replace, 2, "old", "new", "count", NULL),
    BUILTIN("reverse", filter_list_reverse, 0, NULL),
    BUILTIN("round", filter_number_round, 0, "precision", "method", NULL),
    BUILTIN("safe", filter_text_safe, 0, NULL),
    BUILTIN_ANY("select", filter_select_select),
    BUILTIN_ANY("selectattr", filter_select_selectattr),
    BUILTIN("slice", filter_list_slice, 1, "slices", "fill_with", NULL),
    BUILTIN("sort", filter_sort_sort, 0, "reverse", "case_sensitive", "attribute", NULL),
    BUILTIN("string", filter_text_string, 0, NULL),
    BUILTIN("sum", filter_number_sum, 0, "attribute", "start", NULL),
    BUILTIN("title", filter_text_title, 0, NULL),
    BUILTIN("tojson", filter_text_tojson, 0, "ensure_ascii", "indent", "separators", "sort_keys",
            NULL),
    BUILTIN("trim", filter_text_trim, 0, "chars", NULL),
    BUILTIN("truncate", filter_text_truncate, 0, "length", "killwords", "end", "leeway", NULL),
    BUILTIN("unique", filter_sort_unique, 0, "case_sensitive", "attribute", NULL),
    BUILTIN("upper", filter_text_upper, 0, NULL),
    BUILTIN("wordcount", filter_text_wordcount, 0, NULL),
};

const struct builtin *filter_find(const struct text *name)
{
    return builtin_find(filters, sizeof filters / sizeof filters[0], name);
}

bool filter_is_left_out(const struct text *name)
{
    static const char *const names[] = {"filesizeformat", "forceescape", "groupby",   "pprint",
                                        "random",         "striptags",   "urlencode", "urlize",
                                        "wordwrap",       "xmlattr"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_is(name, names[i])) {
            return true;
        }
    }
    return false;
}
