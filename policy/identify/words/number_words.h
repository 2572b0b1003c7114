/* number_words.h - numbers in English words and ordinals: "double", "oh", "ninety-two", "16th",
 * "twenty first", "nineteen sixty one". Match functions as in glance.h. Pure. */
#pragma once
#include "policy/identify/words/glance.h"

/* zero .. nine, oh, o: 0 .. 9. False: none of them. */
bool number_words_digit(struct cursor *cursor, uint32_t index, uint32_t *out);
uint32_t number_words_repeat(struct cursor *cursor,
                             uint32_t index); /* double 2, triple 3, else 0 */

uint32_t number_words_pair(struct cursor *cursor, uint32_t index, uint32_t *out);     /* 10 .. 99 */
uint32_t number_words_cardinal(struct cursor *cursor, uint32_t index, uint32_t *out); /* .. 199 */
uint32_t number_words_ordinal(struct cursor *cursor, uint32_t index, uint32_t *out);  /* .. 199 */
uint32_t number_words_year(struct cursor *cursor, uint32_t index, uint32_t *out);

extern const struct word_table number_words;
