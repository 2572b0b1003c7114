/* word_book.h - the words a grammar speaks of, and how people write them: exact, stretched
 * ("pleaseee"), with digits for letters ("su1cide"), and with one slip where the data allow it
 * ("suicdie"). An entry is a word, the beginning of one ("suicid*") or a class of them; its number
 * is what patterns refer to. Made at start, read-only after word_book_finish. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { VOCABULARY_WORD_BYTES = 32, VOCABULARY_ENTRIES_MAX = 16384 };

struct word_book;

MUST_CHECK enum status word_book_create(struct word_book **out);
void word_book_destroy(struct word_book *vocabulary); /* NULL is fine */

/* The entry of a word of lower-case letters and digits ("dont"), or of a beginning ("suicid*"),
 * made if it is new. STATUS_INVALID: not such a word. STATUS_FULL, STATUS_IO. */
MUST_CHECK enum status word_book_add(struct word_book *vocabulary, const char *text, size_t length,
                                     uint32_t *out);
/* `text` is read as the entry from now on, and in patterns too; STATUS_INVALID: no word, or one of
 * the book. */
MUST_CHECK enum status word_book_add_spelling(struct word_book *vocabulary, const char *text,
                                              size_t length, uint32_t entry);
MUST_CHECK enum status word_book_add_class(struct word_book *vocabulary, uint32_t *out);
MUST_CHECK enum status word_book_join(struct word_book *vocabulary, uint32_t entry,
                                      uint32_t class_entry);
void word_book_give_roles(struct word_book *vocabulary, uint32_t entry, uint32_t roles);
/* One slip in it is forgiven, and what is written inside it ("sui-cide"). */
void word_book_forgive(struct word_book *vocabulary, uint32_t entry);
/* Words of digits alone ("200") are numbers too: of 10 to 999 many. */
MUST_CHECK enum status word_book_join_numbers(struct word_book *vocabulary, uint32_t number_class,
                                              uint32_t many_class);
MUST_CHECK enum status word_book_finish(struct word_book *vocabulary);

uint32_t word_book_count(const struct word_book *vocabulary); /* entries; 0 is none's number */
/* Folded text to its entry; 0: unknown. `_find` takes it as it is. */
uint32_t word_book_find(const struct word_book *vocabulary, const char *text, size_t length);
uint32_t word_book_read(const struct word_book *vocabulary, const char *text, size_t length);
bool word_book_is_forgiving(const struct word_book *vocabulary, uint32_t entry);
uint32_t word_book_roles(const struct word_book *vocabulary, uint32_t entry);

/* The classes of an entry: for (link = first(entry); link; link = next(link, &class)). */
uint32_t word_book_classes(const struct word_book *vocabulary, uint32_t entry);
uint32_t word_book_next(const struct word_book *vocabulary, uint32_t link, uint32_t *out);
