/* plain_words.h - ordinary words by which a number is known to be no identifier: what it counts,
 * and what a sentence is made of. Match functions as in glance.h. Pure. */
#pragma once
#include "policy/identify/words/glance.h"

extern const struct word_table plain_words_unit; /* mg, years, people: a number counts them */
extern const struct word_table plain_words_grammatical; /* never part of a name or an address */
extern const struct word_table plain_words_following;   /* may stand behind an identifier */

/* " mg", "%", "-year": the number before index counts something. */
bool plain_words_unit_follows(struct cursor *cursor, uint32_t index);

/* The end, a mark, a line end or a word of plain_words_following: no noun that is counted. */
bool plain_words_sentence_follows(struct cursor *cursor, uint32_t index);
