/* name_run.h - how far a name that begins at `at` goes, and what stands behind it: further names,
 * initials, particles, hyphens, "Last, First", suffixes; then verbs of persons, credentials, nouns
 * that make an eponym of it. Looks to the right through a cursor: too far makes the answer MORE. */
#pragma once
#include "policy/identify/cursor.h"
#include "policy/identify/name/name_word.h"

enum { NAME_RUN_WORDS = 6, NAME_RUN_CERTAIN = 2, NAME_RUN_FIRST = 5 };

struct name_run {
    uint32_t end;     /* the lexeme behind the run */
    uint32_t words;   /* of the run, initials and particles included */
    uint32_t letters; /* words that are one letter */
    int next;         /* points of the words that followed the first: a surname, an initial */
};

/* bonus: points in favour of every further word; NAME_RUN_CERTAIN where the first is a name
 * whatever follows, so that the next may be an unknown one. */
struct name_run name_run_read(struct cursor *cursor, const struct name_word *first, int bonus);

struct name_right {
    int points;
    int matter;       /* below 0: "cream", "mg"; of words that are no listed name */
    bool is_eponym;   /* "... Inventory", "... disease" */
    bool is_cited;    /* ", 1979)" */
    bool is_glued;    /* @, a domain */
    bool is_verb_use; /* "may i", "will you" */
    bool is_label;    /* a colon */
    bool is_key;      /* a quote and a colon: lastName */
};
struct name_right name_right_read(struct cursor *cursor, uint32_t end);

bool name_right_is_sorted(void); /* for a test */
