/* vocabulary.h - the texts of all tokens: id to text and text to id. Filled at load, then
 * read-only. Ids may have holes. Owner: the struct tokenizer that it is part of. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

enum { VOCABULARY_NONE = INT32_MAX }; /* no id */

struct vocabulary_entry {
    const char *text; /* followed by a NUL; NULL where the id is a hole */
    uint32_t length;
    bool is_special;
};

struct vocabulary {
    struct vocabulary_entry *entries; /* [count], by id */
    char *texts;                      /* what the entries point into */
    uint32_t *slots;                  /* [slot_mask + 1] hash table of id + 1; 0 is empty */
    size_t texts_used, texts_bytes;
    uint32_t count, slot_mask;
};

/* Room for ids 0 .. count - 1 whose texts have texts_bytes bytes in all, a NUL each included.
 * STATUS_IO: no memory. */
MUST_CHECK enum status vocabulary_create(uint32_t count, size_t texts_bytes,
                                         struct vocabulary *out);
void vocabulary_destroy(struct vocabulary *vocabulary);

/* STATUS_INVALID: the id or the text is already there. Asserts that there is room. */
MUST_CHECK enum status vocabulary_add(struct vocabulary *vocabulary, uint32_t id, const char *text,
                                      size_t length);

/* The id of a text, VOCABULARY_NONE if there is none. */
uint32_t vocabulary_find(const struct vocabulary *vocabulary, const char *text, size_t length);
