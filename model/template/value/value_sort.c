#include "model/template/value/value_sort.h"

#include <string.h>

struct sort {
    struct work *work;
    size_t size; /* of an item */
    value_sort_order *order;
    char *spare; /* room for all items */
};

/* Merges items[0 .. left - 1] and items[left .. count - 1], both sorted, by way of spare. */
static void merge(const struct sort *sort, char *items, size_t left, size_t count)
{
    const size_t size = sort->size;
    memcpy(sort->spare, items, left * size);
    size_t i = 0;
    size_t j = left;
    for (size_t k = 0; i < left; k++) {
        const bool takes_right =
            j < count && sort->order(sort->work, sort->spare + i * size, items + j * size) > 0;
        const char *from = takes_right ? items + j++ * size : sort->spare + i++ * size;
        memcpy(items + k * size, from, size);
    }
}

void value_sort(struct work *work, void *items, size_t count, size_t size, value_sort_order *order)
{
    char *bytes = items;
    const struct sort sort = {work, size, order, work_take(work, count, size)};
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at + width < count; at += 2 * width) {
            const size_t run = count - at < 2 * width ? count - at : 2 * width;
            merge(&sort, bytes + at * size, width, run);
        }
    }
}
