/* word_table.h - a sorted table of folded words, each with what it means to its grammar: a number,
 * or bits. Constant data; any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word_entry {
    const char *text;
    uint16_t value; /* not 0 */
};

struct word_table {
    const struct word_entry *entries; /* sorted by text */
    uint32_t count;
};

/* clang-format off */
#define WORD_TABLE(array) {(array), sizeof(array) / sizeof((array)[0])}
/* clang-format on */

/* The word's value, 0: not in the table. */
uint32_t word_table_find(const struct word_table *table, const char *text, size_t length);
bool word_table_is_sorted(const struct word_table *table); /* for tests */
