/* word_table.c - see word_table.h. */
#include "policy/identify/words/word_table.h"

#include <string.h>

static int compare(const char *text, const char *key, size_t length)
{
    const int order = strncmp(text, key, length);
    return order != 0 ? order : text[length] != '\0';
}

uint32_t word_table_find(const struct word_table *table, const char *text, size_t length)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = compare(table->entries[middle].text, text, length);
        if (order == 0) {
            return table->entries[middle].value;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 0;
}

bool word_table_is_sorted(const struct word_table *table)
{
    for (uint32_t i = 1; i < table->count; i++) {
        if (strcmp(table->entries[i - 1].text, table->entries[i].text) >= 0) {
            return false;
        }
    }
    return true;
}
