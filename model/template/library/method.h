/* method.h - the handlers of the methods, by file; method.c has the tables. */
#pragma once
#include "model/template/library/builtin.h"

/* ---- method_string.c ------------------------------------------------------------------------ */

builtin_handler method_string_capitalize, method_string_center, method_string_count,
    method_string_endswith, method_string_find, method_string_format, method_string_index,
    method_string_join, method_string_ljust, method_string_lower, method_string_lstrip,
    method_string_partition, method_string_removeprefix, method_string_removesuffix,
    method_string_replace, method_string_rfind, method_string_rindex, method_string_rjust,
    method_string_rpartition, method_string_rsplit, method_string_rstrip, method_string_split,
    method_string_splitlines, method_string_startswith, method_string_strip, method_string_title,
    method_string_upper, method_string_zfill;

/* ---- method_is.c ---------------------------------------------------------------------------- */

builtin_handler method_is_alnum, method_is_alpha, method_is_ascii, method_is_decimal,
    method_is_digit, method_is_lower, method_is_numeric, method_is_space, method_is_title,
    method_is_upper;

/* ---- method_container.c --------------------------------------------------------------------- */

builtin_handler method_container_copy, method_container_count, method_container_get,
    method_container_index, method_container_is_integer, method_container_items,
    method_container_keys, method_container_values;
