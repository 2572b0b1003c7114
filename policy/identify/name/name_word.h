/* name_word.h - what one word says for or against being part of a name: its lists, its letters, its
 * capitals. Points are classes of the lexicon (1.25 bits each): first name or surname against
 * ordinary word. Pure functions over a reading. */
#pragma once
#include "policy/identify/cursor.h"

enum name_case {
    NAME_LOWER,
    NAME_CAPITAL, /* Anna, McNeil */
    NAME_CAPS,    /* ANNA among other capitals */
    NAME_ACRONYM, /* ANNA, ED among words in lower case */
    NAME_NO_CASE
};

struct name_word {
    struct lexicon_entry lists;
    const char *text;
    uint32_t hash;
    uint8_t bytes;
    uint8_t letter_case; /* of enum name_case */
    bool is_contraction; /* you're, can't: never a name */
    int8_t letters;      /* by its letters alone, -4 .. 4 */
};

/* False: the lexeme is no WORD. */
bool name_word_read(const struct reading *reading, uint32_t index, struct name_word *out);

/* As a whole name (first name or surname), and as a first name alone. Flags are not counted. */
int name_word_points(const struct name_word *word);
int name_word_first_points(const struct name_word *word);
int name_word_last_points(const struct name_word *word);

bool name_word_is_listed(const struct name_word *word); /* on any list, as whatever */

/* On a list of names, and not only by chance: rarer as a word. */
bool name_word_is_known_name(const struct name_word *word);

/* A word of medicine by its ending, or one made of parts, that no list has as a name: points to
 * take off. */
int name_word_made_points(const struct name_word *word);

/* A term, drug, acronym or state: points to take off, 0 if it
 * is none. */
int name_word_term_points(const struct name_word *word);

bool name_word_is_any(const struct name_word *word, const struct word_table *words);

/* "he", "my": written with a capital a rare name, or none. */
bool name_word_is_pronoun(const struct name_word *word);

/* A single capital letter, which may stand for a name. */
bool name_word_is_initial(const struct name_word *word);

/* "de", "van", "bin": stands before a surname. */
bool name_word_is_particle(const struct name_word *word);

/* The index behind at most two spaces: more of them part a name, so nothing is held back for them.
 */
uint32_t name_word_skip(struct cursor *cursor, uint32_t index);
