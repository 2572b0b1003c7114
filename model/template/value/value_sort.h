/* value_sort.h - a stable merge sort whose comparison may fail; qsort() is neither. */
#pragma once
#include <stdbool.h>

#include "model/template/value/work.h"

/* <= 0: a stays before b. */
typedef int value_sort_order(struct work *work, const void *a, const void *b);

void value_sort(struct work *work, void *items, size_t count, size_t size, value_sort_order *order);
