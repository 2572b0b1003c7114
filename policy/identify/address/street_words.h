/* street_words.h - words of addresses and what they are in one: USPS Publication 28's suffixes and
 * units, and street words of other countries. */
#pragma once
#include "policy/identify/words/word_table.h"

enum {
    STREET_STRONG = 1,      /* street, ave: hardly anything else */
    STREET_WEAK = 2,        /* way, place: everyday words too */
    STREET_PREFIX = 4,      /* rue, calle: the name follows */
    STREET_DIRECTION = 8,   /* north, nw */
    STREET_UNIT = 16,       /* apt, suite */
    STREET_NUMBERED = 32,   /* highway 61 */
    STREET_SEPARATE = 64,   /* strasse, utca: stands behind the name, the house number follows */
    STREET_CONNECTOR = 128, /* de la, of the: inside a name */
    STREET_WHERE = 256,     /* live, moved, address: one may follow */
    STREET_ON = 512,        /* on, at, from: directly in front */
    STREET_WHOLE = 1024,    /* broadway: a street's whole name */
    STREET_COMMON = 2048    /* old, main: frequent words that are in names of streets */
};

extern const struct word_table street_words;

/* "koskikatu", "friedhofstrasse": the word ends as streets do in one language of Europe. Some
 * endings are those of English words too: is_sure is false for them. */
bool street_words_is_compound(const char *text, size_t length, bool *is_sure);
