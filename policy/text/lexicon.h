/* lexicon.h - how often a word is a first name, a surname, an ordinary English word or a place: one
 * table of logarithms, derived from public statistics (policy/lists/README.md), carried in the
 * binary. Folded words are keys. Read-only once made; any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

enum { LEXICON_CLASSES = 15, LEXICON_TEXT_MAX = 64 }; /* longest key, in bytes */

/* Each 0 (not known as such) or 1 .. 15: 1.25 bits of its share a step; 15 the most frequent. Of a
 * place, one step is twice as many people. */
struct lexicon_entry {
    uint8_t first, last; /* as first name, as surname */
    uint8_t word;        /* in running English text, without its uses as a name */
    uint8_t place;       /* a town, city or county */
    uint8_t flags;       /* of enum lexicon_flag */
};

/* From policy/lists/terms.txt. */
enum lexicon_flag {
    LEXICON_DRUG = 1 << 0,   /* and other clinical terms that look like names */
    LEXICON_EPONYM = 1 << 1, /* Beck, Parkinson: a name that mostly stands for a scale or disease */
    LEXICON_TERM = 1 << 2,   /* nations, languages, states, brands, organisations: never a person */
    LEXICON_PHRASE_START = 1 << 3, /* a longer entry begins with it: lexicon_phrase */
    LEXICON_STATE = 1 << 4,        /* of the United States, or its abbreviation */
    LEXICON_ACRONYM = 1 << 5,      /* a term where it is written in capitals */
    LEXICON_KEY = 1 << 6,          /* an entry of its own, not only the start of others */
    LEXICON_FOREIGN = 1 << 7       /* a frequent little word of another language */
};

struct lexicon;

/* The one in the binary. STATUS_IO: no memory. */
MUST_CHECK enum status lexicon_create(struct lexicon **out);
void lexicon_destroy(struct lexicon *lexicon); /* NULL is fine */

struct lexicon_source {
    const char *lists, *terms; /* texts in the form of policy/lists/ */
    size_t lists_bytes, terms_bytes;
};
/* STATUS_INVALID: failure names the file and the line. */
MUST_CHECK enum status lexicon_parse(const struct lexicon_source *source, struct lexicon **out,
                                     struct failure *failure);

/* An entry's number, or that of a word that only begins longer ones; 0: none. Then
 * lexicon_entry(lexicon, number), good while the lexicon lives; of 0 an entry of zeros. */
uint32_t lexicon_find(const struct lexicon *lexicon, const char *folded, size_t length);
uint32_t lexicon_find_hash(const struct lexicon *lexicon, uint64_t hash); /* word_hash */
const struct lexicon_entry *lexicon_entry(const struct lexicon *lexicon, uint32_t number);

/* An entry of several words ("virginia beach", "new mexico"), joined by one space. BEGINS: no
 * entry, or *number is one, and longer ones begin with it. *number: as of lexicon_find. */
enum lexicon_match { LEXICON_NOT, LEXICON_BEGINS, LEXICON_IS };
enum lexicon_match lexicon_phrase(const struct lexicon *lexicon, const char *folded, size_t length,
                                  uint32_t *number);

/* Log-odds of being a name against an ordinary word for a word that no list has, from its letters
 * (character n-grams), in eighths of a bit; > 0: more like a name. Also for words on lists. */
int lexicon_name_odds(const struct lexicon *lexicon, const char *folded, size_t length);
