/* age.h - an age over 89, by what stands around a number: "92 years old", "turned 95", "my mother
 * is 98", "98th birthday", "in her nineties", "born in 1931". A match function as in glance.h. */
#pragma once
#include "policy/identify/cursor.h"
#include "policy/identify/words/word_table.h"

uint32_t age_match(struct cursor *cursor, uint32_t at);

extern const struct word_table age_words; /* for tests */
