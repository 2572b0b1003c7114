/* lexicon.h - how often a word is a first name, a surname, an ordinary English word or a place: one
 * table of logarithms, derived from public statistics (policy/lists/README.md), carried in the
 * binary. Folded words are keys. Read-only once made; any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

/* Each 0 (not known as such) or 1 .. 15: log2 of its share, in steps; 15 the most frequent. */
struct lexicon_entry {
    uint8_t first, last; /* as first name, as surname */
    uint8_t word;        /* in running English text */
    uint8_t place;       /* a town, city or county; only of one-word names */
    uint8_t flags;       /* of enum lexicon_flag */
};

/* From policy/lists/terms.txt. */
enum lexicon_flag {
    LEXICON_DRUG = 1 << 0,   /* and other clinical terms that look like names */
    LEXICON_EPONYM = 1 << 1, /* Beck, Parkinson: a name that mostly stands for a scale or disease */
    LEXICON_TERM = 1 << 2,   /* nations, languages, states, brands, organisations: never a person */
    LEXICON_PLACE_START = 1 << 3 /* a longer place name begins with it: lexicon_place */
};

struct lexicon;

/* The one in the binary. STATUS_IO: no memory. */
MUST_CHECK enum status lexicon_create(struct lexicon **out);
void lexicon_destroy(struct lexicon *lexicon);

/* An entry's number, 0: none. Then lexicon_entry(lexicon, number), good while the lexicon lives. */
uint32_t lexicon_find(const struct lexicon *lexicon, const char *folded, size_t length);
const struct lexicon_entry *lexicon_entry(const struct lexicon *lexicon, uint32_t number);

/* A place name of several words ("virginia beach"), words joined by one space. */
enum lexicon_match { LEXICON_NOT, LEXICON_BEGINS, LEXICON_IS };
enum lexicon_match lexicon_place(const struct lexicon *lexicon, const char *folded, size_t length);

/* Log-odds of being a name against an ordinary word for a word that no list has, from its letters
 * (character n-grams), in eighths of a bit; > 0: more like a name. Also for words on lists. */
int lexicon_name_odds(const struct lexicon *lexicon, const char *folded, size_t length);
