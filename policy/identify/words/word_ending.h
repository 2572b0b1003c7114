/* word_ending.h - a table of endings ("strasse", "itis"), in rows that begin with one. A word is
 * compared only with those of its last byte: so each table has a chain for each, made at the first
 * question. Constant to its readers; any thread. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORD_ENDING_BUCKETS = 32, WORD_ENDING_ROWS_MAX = 254 };

struct word_ending_chains {
    atomic_bool is_ready;
    uint8_t first[WORD_ENDING_BUCKETS];     /* by the last byte; a row's number from 1 on */
    uint8_t next[WORD_ENDING_ROWS_MAX + 1]; /* by a row's number; 0: none */
};

struct word_endings {
    const void *rows; /* each begins with its ending, a const char * */
    uint32_t row_bytes, count;
    struct word_ending_chains *chains;
};

/* clang-format off */
/* At file scope: of an array of const char *, or of structs that begin with one. */
#define WORD_ENDINGS(array) { \
    .rows = (array), \
    .row_bytes = sizeof((array)[0]), \
    .count = sizeof(array) / sizeof((array)[0]), \
    .chains = &(struct word_ending_chains){false}}
/* clang-format on */

/* The number of the first row the word ends with, from 1 on, if at least `stem` bytes are in front;
 * 0: there is none. */
uint32_t word_ending_row(const struct word_endings *endings, const char *text, size_t length,
                         size_t stem);
