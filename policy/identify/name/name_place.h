/* name_place.h - places of one and of several words that begin at `at`, and what around them says
 * that a place is meant: "in", a state behind a comma, a postal code. States and nations are
 * places too, but no identifiers. */
#pragma once
#include "policy/identify/cursor.h"
#include "policy/identify/name/name_left.h"
#include "policy/identify/name/name_word.h"

struct name_place {
    uint32_t end;    /* the lexeme behind it; 0: no place begins here */
    int points;      /* in the units of name_word.h */
    bool is_term;    /* the longest entry is a state, a nation ... */
    bool has_region; /* ", TX" or a postal code behind it */
};
struct name_place name_place_read(struct cursor *cursor, const struct name_word *first,
                                  const struct name_left *left);

/* The word at `at` is a further one of a term of several words: "Zealand" after "New", "Daniel" in
 * "Jack Daniel's". */
bool name_place_is_inside_term(struct cursor *cursor);
