/* resource_spelling.h - names, numbers and addresses of a region as phrases, in every way they are
 * written: with and without "National", trunk prefix and country code, in digits and vanity
 * letters. Owner of the window: the caller; one thread. */
#pragma once
#include "policy/crisis/resources/resources_parts.h"

struct window;

struct resource_spelling {
    struct resources *resources;
    struct window *window; /* folds texts as it folds what is searched */
    uint8_t line;          /* whose phrases they are */
};

/* Each: STATUS_INVALID: the text holds nothing that could be found, or too much. STATUS_FULL. */
MUST_CHECK enum status resource_spelling_name(const struct resource_spelling *spelling,
                                              const char *name);
MUST_CHECK enum status resource_spelling_site(const struct resource_spelling *spelling,
                                              const char *site);
MUST_CHECK enum status resource_spelling_call(const struct resource_spelling *spelling,
                                              const char *number);
/* "HOME" to "741741" */
MUST_CHECK enum status resource_spelling_text(const struct resource_spelling *spelling,
                                              const char *keyword, const char *number);

/* Digits of a number as written, letters by a telephone's keys. False: too long, or not a number.
 */
bool resource_spelling_digits(const char *number, char out[RESOURCE_DIGITS_BYTES]);

/* A letter's or digit's key on a telephone; '\0': none. */
char resource_spelling_key(char letter);

/* The symbol of one word ("trevor"), 0: it is not one word. */
uint16_t resource_spelling_word(const struct resource_spelling *spelling, const char *word);
