/* grammar.h - patterns over words, compiled, and matched on all positions of a sentence at once: a
 * set of places where a pattern may begin goes in, the set of places where it may have ended comes
 * out; each step is a shift and an and, so no pattern can backtrack. The language is told in
 * README.md. Read-only once compiled. Compiling: one thread, STATUS_INVALID with a failure without
 * place. */
#pragma once
#include "base/failure.h"
#include "policy/crisis/sentence.h"

struct grammar;

MUST_CHECK enum status grammar_create(struct grammar **out);
void grammar_destroy(struct grammar *grammar); /* NULL is fine */
struct word_book *grammar_vocabulary(struct grammar *grammar);

/* A class: words alone. A phrase: patterns, one a line. Names are known to what follows, until
 * names are forgotten (the next file). */
MUST_CHECK enum status grammar_add_class(struct grammar *grammar, const char *name,
                                         const char *words, struct failure *failure);
MUST_CHECK enum status grammar_add_phrase(struct grammar *grammar, const char *name,
                                          const char *lines, struct failure *failure);
void grammar_forget_names(struct grammar *grammar);
/* roles: bits of enum sentence_role, for each of the words. */
MUST_CHECK enum status grammar_add_roles(struct grammar *grammar, uint32_t roles, const char *words,
                                         struct failure *failure);
MUST_CHECK enum status grammar_forgive(struct grammar *grammar, const char *words,
                                       struct failure *failure);

/* Other spellings of a word ("abt" of "about"); before the word is used in any other way. */
MUST_CHECK enum status grammar_add_spellings(struct grammar *grammar, const char *word,
                                             const char *spellings, struct failure *failure);

/* Words of everyday speech, which choose no pattern to try; before classes and patterns. */
MUST_CHECK enum status grammar_add_common(struct grammar *grammar, const char *words,
                                          struct failure *failure);

/* Patterns of a text, one a line, lines that begin with # are comments: numbers first .. first +
 * count - 1. */
struct grammar_patterns {
    uint32_t first, count;
};
MUST_CHECK enum status grammar_add_patterns(struct grammar *grammar, const char *lines,
                                            struct grammar_patterns *out, struct failure *failure);
MUST_CHECK enum status grammar_finish(struct grammar *grammar);

uint32_t grammar_phrase_count(const struct grammar *grammar);
uint32_t grammar_pattern_count(const struct grammar *grammar);
/* The built-in classes: any number; one of 10 to 999; a year. */
uint32_t grammar_number(const struct grammar *grammar);
uint32_t grammar_many(const struct grammar *grammar);
uint32_t grammar_year(const struct grammar *grammar);

/* Sets sentence->candidates: no other pattern stands in it. */
void grammar_find_candidates(const struct grammar *grammar, struct sentence *sentence);

/* Where the pattern may end if it begins at one of `from`. */
uint64_t grammar_match(const struct grammar *grammar, struct sentence *sentence, uint32_t pattern,
                       uint64_t from);
