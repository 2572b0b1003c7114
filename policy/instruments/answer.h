/* answer.h - what a person's own words say about how often something happens. Every word must be
 * known to the grammar and all of them must point to one option; nothing is guessed. Any thread. */
#pragma once
#include "policy/instruments/answer_grammar.h"
#include "policy/instruments/instrument.h"

enum { ANSWER_WORDS_MAX = 64 }; /* a longer answer is unsure */

struct answer_reading {
    enum answer_verdict verdict;
    uint32_t option; /* of ANSWER_READ */
    bool is_weak;    /* nearly the first option, not plainly: "hardly ever" */
};
struct answer_reading answer_read(const struct answer_grammar *grammar, const char *text,
                                  size_t length);
