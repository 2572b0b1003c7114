/* phrase_book.h - phrases as sequences of symbols, sorted, so that a text is looked up symbol by
 * symbol and it is known at each whether a longer phrase may still come. A symbol is a folded word,
 * a run of letters, or one digit; "nine" and "9" are the same symbol. Read-only once sealed; any
 * thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { PHRASE_SYMBOLS_MAX = 24, PHRASES_MAX = 4096, PHRASE_WORDS_MAX = 2048 };

enum phrase_flag {
    PHRASE_NUMBER = 1 << 0, /* a telephone number or short code: is none inside a longer number */
    PHRASE_ENDS_IN_NUMBER = 1 << 1, /* "home to 741741" */
    PHRASE_SITE = 1 << 2            /* a web address, which may go on with a path */
};

struct phrase {
    uint16_t symbols[PHRASE_SYMBOLS_MAX];
    uint8_t count;
    uint8_t flags; /* of enum phrase_flag */
    uint8_t line;  /* whose it is: the adder's number */
};

struct phrase_book;

MUST_CHECK enum status phrase_book_create(struct phrase_book **out);
void phrase_book_destroy(struct phrase_book *book); /* NULL is fine */

/* A symbol's number, 0: no phrase has it. Digits are 1 .. 10. */
uint16_t phrase_book_find(const struct phrase_book *book, const char *text, size_t length);
static inline bool phrase_book_is_digit(uint16_t symbol)
{
    return symbol >= 1 && symbol <= 10;
}
/* Likewise, and adds it. 0: there are too many, or it is too long, or there is no memory. */
uint16_t phrase_book_intern(struct phrase_book *book, const char *text, size_t length);
const char *phrase_book_text(const struct phrase_book *book, uint16_t symbol);

/* STATUS_FULL: PHRASES_MAX. STATUS_IO: no memory. */
MUST_CHECK enum status phrase_book_add(struct phrase_book *book, const struct phrase *phrase);
void phrase_book_seal(struct phrase_book *book); /* sorts; again after further phrases */

/* The phrases that begin with the symbols so far. */
struct phrase_range {
    uint32_t low, high;
    uint32_t depth;
};
struct phrase_range phrase_book_all(const struct phrase_book *book);
struct phrase_range phrase_book_narrow(const struct phrase_book *book, struct phrase_range range,
                                       uint16_t symbol);
/* The phrase that ends here, NULL: none; and whether a longer one may come. */
const struct phrase *phrase_book_ended(const struct phrase_book *book, struct phrase_range range);
bool phrase_book_goes_on(const struct phrase_book *book, struct phrase_range range);
