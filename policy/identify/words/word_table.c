/* word_table.c - see word_table.h. */
#include "policy/identify/words/word_table.h"

#include <pthread.h>
#include <string.h>

#include "base/assert.h"
#include "policy/text/word_hash.h"

/* The first of rows with the same word stays the one that is found. */
static void add(const struct word_table *table, uint32_t row)
{
    const char *text = word_table_text(table, row);
    const uint32_t hash = (uint32_t)word_hash(text, strlen(text));
    const uint32_t mask = table->slot_count - 1;
    uint32_t i = hash & mask;
    while (table->slots[i] != 0) {
        if (strcmp(word_table_text(table, (table->slots[i] & 0xffff) - 1), text) == 0) {
            return;
        }
        i = (i + 1) & mask;
    }
    table->slots[i] = (hash & 0xffff0000U) | (row + 1);
}

void word_table_fill(const struct word_table *table)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    ASSERT(table->count <= WORD_TABLE_ROWS_MAX && table->slot_count >= 2 * table->count);
    ASSERT(pthread_mutex_lock(&mutex) == 0);
    if (!atomic_load_explicit(&table->state->is_ready, memory_order_relaxed)) {
        for (uint32_t row = 0; row < table->count; row++) {
            add(table, row);
        }
        atomic_store_explicit(&table->state->is_ready, true, memory_order_release);
    }
    ASSERT(pthread_mutex_unlock(&mutex) == 0);
}

uint32_t word_table_find(const struct word_table *table, const char *text, size_t length)
{
    return word_table_value(table, (uint32_t)word_hash(text, length), text, length);
}

static bool is_one_slip(const char *one, size_t one_length, const char *other, size_t other_length)
{
    size_t front = 0;
    while (front < one_length && front < other_length && one[front] == other[front]) {
        front++;
    }
    size_t back = 0;
    while (back < one_length - front && back < other_length - front
           && one[one_length - 1 - back] == other[other_length - 1 - back]) {
        back++;
    }
    const size_t one_rest = one_length - front - back;
    const size_t other_rest = other_length - front - back;
    if (one_rest <= 1 && other_rest <= 1) {
        return true;
    }
    return one_rest == 2 && other_rest == 2 && one[front] == other[front + 1]
           && one[front + 1] == other[front];
}

bool word_table_find_slip(const struct word_table *table, uint16_t bits, const char *text,
                          size_t length)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct word_entry *const entry = (const struct word_entry *)table->rows + i;
        if ((entry->value & bits) && is_one_slip(entry->text, strlen(entry->text), text, length)) {
            return true;
        }
    }
    return false;
}

bool word_table_is_sorted(const struct word_table *table)
{
    for (uint32_t row = 1; row < table->count; row++) {
        if (strcmp(word_table_text(table, row - 1), word_table_text(table, row)) >= 0) {
            return false;
        }
    }
    return true;
}
