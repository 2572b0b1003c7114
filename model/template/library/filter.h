/* filter.h - the handlers of the filters, by file; filter.c has the table. */
#pragma once
#include "model/template/library/builtin.h"

/* ---- filter_text.c -------------------------------------------------------------------------- */

builtin_handler filter_text_trim, filter_text_upper, filter_text_lower, filter_text_capitalize,
    filter_text_title, filter_text_replace, filter_text_indent, filter_text_escape,
    filter_text_safe, filter_text_string, filter_text_center, filter_text_truncate,
    filter_text_wordcount, filter_text_format, filter_text_tojson, filter_text_join;

/* ---- filter_number.c ------------------------------------------------------------------------ */

builtin_handler filter_number_int, filter_number_float, filter_number_abs, filter_number_round,
    filter_number_sum;

/* ---- filter_list.c -------------------------------------------------------------------------- */

builtin_handler filter_list_length, filter_list_first, filter_list_last, filter_list_list,
    filter_list_items, filter_list_reverse, filter_list_batch, filter_list_slice,
    filter_list_default, filter_list_attr;

/* ---- filter_select.c ------------------------------------------------------------------------ */

builtin_handler filter_select_map, filter_select_select, filter_select_reject,
    filter_select_selectattr, filter_select_rejectattr;

/* ---- filter_sort.c -------------------------------------------------------------------------- */

builtin_handler filter_sort_sort, filter_sort_dictsort, filter_sort_unique, filter_sort_min,
    filter_sort_max;

/* ---- filter_path.c: attribute="a.0.b" ------------------------------------------------------- */

struct filter_path {
    struct value *parts; /* names and indexes */
    size_t count;
};

/* STATUS_INVALID unless it is a string or an integer; absent or None is the empty path. */
struct filter_path filter_path_parse(struct work *work, struct value path);
struct value filter_path_follow(struct render *render, const struct filter_path *path,
                                struct value value);
