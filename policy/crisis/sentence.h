/* sentence.h - the words of one sentence as sets of positions, one bit a word, so that a pattern is
 * tried at all places at once. Owner: a reader; memory is taken at create. One thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "policy/crisis/word_book.h"

enum {
    SENTENCE_WORDS_MAX = 62, /* a position behind the last word must fit into 64 bits too */
    SENTENCE_KEPT = 20       /* of a longer one, carried over so that no sign is cut in two */
};

/* What a word is, whatever the pattern: given by the grammar's `roles`. */
enum sentence_role {
    ROLE_FIRST,         /* i, me, myself */
    ROLE_MINE,          /* my: of oneself, unless a person follows */
    ROLE_FIRST_SUBJECT, /* i, im, we: who does it */
    ROLE_SECOND,        /* you, yourself */
    ROLE_THIRD,         /* he, himself, wants */
    ROLE_THIRD_OBJECT,  /* him, his: someone else if nobody does it */
    ROLE_THIRD_SUBJECT, /* he, friend, patient */
    ROLE_GAP_STOP,      /* not, never: no gap passes over it */
    ROLE_CLAUSE,        /* but, i, because: a negation does not reach beyond */
    ROLE_PRESENT,       /* want, am: not of the past */
    ROLE_FILLER,        /* just, honestly: may stand between any two words of a pattern */
    ROLE_COUNT
};

struct sentence_word {
    uint64_t start, end; /* bytes of the message */
    uint32_t entry;      /* of the vocabulary; 0: a word the grammar does not know */
};

struct sentence {
    struct sentence_word words[SENTENCE_WORDS_MAX];
    uint32_t count;
    uint64_t roles[ROLE_COUNT];
    uint64_t pauses;      /* bit p: a comma or the like stands before word p */
    uint64_t quoted;      /* bit p: word p stands in quotation marks */
    bool is_question;     /* ends with ? */
    uint64_t *at;         /* [entries]: positions of each entry */
    uint8_t *phrase_seen; /* [phrases]: 0 not tried, 1 nowhere, 2 somewhere */
    uint32_t phrase_count;
    uint64_t *candidates; /* [candidate_sets]: bit p: pattern p may stand here */
    uint32_t candidate_sets;
    const struct word_book *vocabulary;
};

MUST_CHECK enum status sentence_create(struct sentence *sentence,
                                       const struct word_book *vocabulary, uint32_t phrase_count,
                                       uint32_t pattern_count);
void sentence_destroy(struct sentence *sentence);
void sentence_clear(struct sentence *sentence); /* zeroes */

/* There must be room: count < SENTENCE_WORDS_MAX. */
void sentence_push(struct sentence *sentence, const struct sentence_word *word, bool has_pause,
                   bool is_quoted);
void sentence_pop(struct sentence *sentence); /* takes the last word back */
/* Only the last SENTENCE_KEPT words stay. */
void sentence_keep_last(struct sentence *sentence);

/* Positions first .. end - 1. */
static inline uint64_t sentence_span(uint32_t first, uint32_t end)
{
    const uint64_t below_end = end >= 64 ? UINT64_MAX : (UINT64_C(1) << end) - 1;
    return below_end & ~((UINT64_C(1) << first) - 1);
}
