/* phone_words.h - words that say what a number is: of a phone, of a fax, or of something else. */
#pragma once
#include "policy/identify/cursor.h"
#include "policy/identify/words/word_table.h"

enum {
    PHONE_WORDS_PHONE = 1,
    PHONE_WORDS_FAX = 2,
    PHONE_WORDS_OTHER = 4,  /* mrn, account */
    PHONE_WORDS_NUMBER = 8, /* "number": of what another word says */
    PHONE_WORDS_LABEL = 16, /* may stand behind: "781 1704 office" */
    PHONE_WORDS_EXTENSION = 32
};

extern const struct word_table phone_words;

/* What the nearest of these words in front says: PHONE, FAX, OTHER; 0: there is none. */
uint32_t phone_words_before(const struct cursor *cursor, uint32_t at);

/* A phone or fax is spoken of in front, or the label behind says so. */
bool phone_words_around(struct cursor *cursor, uint32_t at, uint32_t end);
bool phone_words_is_fax(struct cursor *cursor, uint32_t at, uint32_t end);
