/* word_table.h - a table of folded words, each the beginning of a row that says what it means to
 * its grammar. Asked many times for each lexeme, nearly always in vain: so each table has an index
 * by word_hash, which the lexeme knows already, and "no" costs one look. The index is filled at the
 * first question, from the rows alone; any thread. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word_entry {
    const char *text;
    uint16_t value; /* not 0: a number, or bits */
};

struct word_table_state {
    atomic_bool is_ready; /* the slots are filled */
};

struct word_table {
    const void *rows; /* each begins with its word, a const char * */
    uint32_t row_bytes, count;
    uint32_t slot_count; /* a power of two, at least twice `count` */
    uint32_t *slots;     /* 16 bits of the hash, then the row's number from 1 on; 0: empty */
    struct word_table_state *state;
};

enum { WORD_TABLE_ROWS_MAX = 2048 };

/* clang-format off */
#define WORD_TABLE_SLOTS(count) \
    ((count) <= 8 ? 32U : (count) <= 32 ? 128U : (count) <= 128 ? 512U \
     : (count) <= 512 ? 2048U : 8192U)
#define WORD_TABLE_ROWS(array) (sizeof(array) / sizeof((array)[0]))
/* At file scope: of an array of const char *, or of structs that begin with one. */
#define WORD_TABLE(array) { \
    .rows = (array), \
    .row_bytes = sizeof((array)[0]), \
    .count = WORD_TABLE_ROWS(array), \
    .slot_count = WORD_TABLE_SLOTS(WORD_TABLE_ROWS(array)), \
    .slots = (uint32_t[WORD_TABLE_SLOTS(WORD_TABLE_ROWS(array))]){0}, \
    .state = &(struct word_table_state){false}}
/* A table of words alone: WORD_LIST(pin_words, "pin", "pins"); */
#define WORD_LIST(name, ...) \
    static const char *const name##_texts[] = {__VA_ARGS__}; \
    static const struct word_table name = WORD_TABLE(name##_texts)
/* clang-format on */

void word_table_fill(const struct word_table *table);

/* The word of a row, from 0 on. */
static inline const char *word_table_text(const struct word_table *table, uint32_t row)
{
    const void *at = (const char *)table->rows + (size_t)row * table->row_bytes;
    return *(const char *const *)at;
}

/* The number of the first row of the word, from 1 on; 0: there is none. hash: word_hash of text. */
static inline uint32_t word_table_row(const struct word_table *table, uint32_t hash,
                                      const char *text, size_t length)
{
    if (!atomic_load_explicit(&table->state->is_ready, memory_order_acquire)) {
        word_table_fill(table);
    }
    const uint32_t mask = table->slot_count - 1;
    for (uint32_t i = hash & mask; table->slots[i] != 0; i = (i + 1) & mask) {
        if ((table->slots[i] ^ hash) >> 16 == 0) {
            const char *word = word_table_text(table, (table->slots[i] & 0xffff) - 1);
            size_t same = 0;
            while (same < length && word[same] == text[same]) {
                same++;
            }
            if (same == length && word[same] == '\0') {
                return table->slots[i] & 0xffff;
            }
        }
    }
    return 0;
}

/* Of a table of struct word_entry, the word's value; 0: not in the table. */
static inline uint32_t word_table_value(const struct word_table *table, uint32_t hash,
                                        const char *text, size_t length)
{
    const uint32_t row = word_table_row(table, hash, text, length);
    const struct word_entry *entries = table->rows;
    return row == 0 ? 0 : entries[row - 1].value;
}
uint32_t word_table_find(const struct word_table *table, const char *text, size_t length);

/* True if the text is one slip of the fingers away from a word with one of the bits: a letter left
 * out, put in, another one, or two in the wrong order. Looks at the whole table. */
bool word_table_find_slip(const struct word_table *table, uint16_t bits, const char *text,
                          size_t length);
bool word_table_is_sorted(const struct word_table *table); /* for tests */
