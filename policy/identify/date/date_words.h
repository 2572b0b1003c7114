/* date_words.h - words around a date: what says that one follows, and what says that "may" is a
 * verb. */
#pragma once
#include "policy/identify/cursor.h"
#include "policy/identify/words/word_table.h"

enum {
    DATE_BEFORE = 1,    /* directly in front of a date */
    DATE_EVENT = 2,     /* a few words in front of one */
    DATE_BIRTH = 4,     /* likewise; then digits alone are a date */
    DATE_SUBJECT = 8,   /* "i may", "we march": no month */
    DATE_VERB = 16,     /* "5 may be": likewise */
    DATE_LINK = 32,     /* between the event and the date */
    DATE_DANGLING = 64, /* in front of "the 14th" without a month */
    DATE_KEY = 128,     /* a key in JSON or a call, whose value is a date */
};

extern const struct word_table date_words;

/* Which of the bits the word directly in front has. */
uint32_t date_words_before(const struct cursor *cursor, uint32_t index, uint32_t bits);

/* A word with one of the bits is among the last few, with nothing but links between. */
bool date_words_tell(const struct cursor *cursor, uint32_t at, uint32_t bits);
bool date_words_weekday(const struct cursor *cursor, uint32_t at);

/* In front of "7/4": only what never stands in front of a score or a fraction. */
bool date_words_are_clear(const struct cursor *cursor, uint32_t at);
