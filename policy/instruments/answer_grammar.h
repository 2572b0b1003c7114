/* answer_grammar.h - the phrases by which answers are read, from data
 * (policy/data/instruments/answers/). Texts are borrowed from the YAML tree. Read-only once made.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/yaml/yaml_tree.h"

enum {
    ANSWER_OPTIONS_MAX = 8,
    ANSWER_PHRASES_MAX = 1024,
    ANSWER_PATTERN_WORDS_MAX = 10,
    ANSWER_OPTIONAL_MAX = 4, /* words of a pattern that may be missing */
    ANSWER_NUMBERS_MAX = 32,
    ANSWER_DAYS = 14 /* that an instrument asks about */
};

enum answer_role {
    ROLE_UNKNOWN,
    ROLE_OPTION,
    ROLE_WEAK,       /* the first option, not plainly */
    ROLE_DAYS,       /* a number in front of it counts days */
    ROLE_WEEKLY,     /* ... days of each week */
    ROLE_NEGATION,   /* denies the options that follow */
    ROLE_TURN,       /* ends a negation */
    ROLE_CORRECTION, /* takes back what was said before */
    ROLE_UNCLEAR,
    ROLE_FILLER,
    ROLE_DECLINE, /* anywhere in an answer */
    ROLE_DECLINE_ALONE
};

/* Words with one space between; "a/b" one of them; a last '?' : it may be missing. */
struct answer_phrase {
    const char *pattern;
    enum answer_role role;
    uint32_t option; /* of ROLE_OPTION */
};

struct answer_grammar {
    struct answer_phrase phrases[ANSWER_PHRASES_MAX];
    uint32_t phrase_count;
    const char *numbers[ANSWER_NUMBERS_MAX]; /* "zero", "one", ... */
    uint32_t number_count, option_count;
    int32_t option_of_days[ANSWER_DAYS + 1]; /* -1: none */
};

/* STATUS_INVALID: failure names file, line and what is allowed. STATUS_IO: no memory. */
MUST_CHECK enum status answer_grammar_create(const struct yaml_tree *tree,
                                             const struct yaml_node *map, uint32_t option_count,
                                             struct answer_grammar **out, struct failure *failure);
void answer_grammar_destroy(struct answer_grammar *grammar); /* NULL is fine */
