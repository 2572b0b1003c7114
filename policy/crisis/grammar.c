#include "policy/crisis/grammar.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "policy/crisis/grammar_nodes.h"

enum status grammar_create(struct grammar **out)
{
    struct grammar *grammar = calloc(1, sizeof *grammar);
    enum status status = grammar ? word_book_create(&grammar->vocabulary) : STATUS_IO;
    if (status == STATUS_OK) {
        grammar->node_count = 1;
        grammar->anchor_count = 1;
        status = word_book_add_class(grammar->vocabulary, &grammar->number_entry);
    }
    if (status == STATUS_OK) {
        status = word_book_add_class(grammar->vocabulary, &grammar->year_entry);
    }
    if (status == STATUS_OK) {
        status = word_book_add_class(grammar->vocabulary, &grammar->many_entry);
    }
    if (status == STATUS_OK) { /* many is a number too */
        status = word_book_join(grammar->vocabulary, grammar->many_entry, grammar->number_entry);
    }
    if (status == STATUS_OK) {
        grammar_forget_names(grammar);
    } else {
        grammar_destroy(grammar);
        grammar = NULL;
    }
    *out = grammar;
    return status;
}

void grammar_destroy(struct grammar *grammar)
{
    if (grammar) {
        word_book_destroy(grammar->vocabulary);
        free(grammar);
    }
}

struct word_book *grammar_vocabulary(struct grammar *grammar)
{
    return grammar->vocabulary;
}

enum status grammar_finish(struct grammar *grammar)
{
    const enum status status =
        word_book_join_numbers(grammar->vocabulary, grammar->number_entry, grammar->many_entry);
    return status == STATUS_OK ? word_book_finish(grammar->vocabulary) : status;
}

uint32_t grammar_phrase_count(const struct grammar *grammar)
{
    return grammar->phrase_count;
}

uint32_t grammar_pattern_count(const struct grammar *grammar)
{
    return grammar->pattern_count;
}

uint32_t grammar_number(const struct grammar *grammar)
{
    return grammar->number_entry;
}

uint32_t grammar_many(const struct grammar *grammar)
{
    return grammar->many_entry;
}

uint32_t grammar_year(const struct grammar *grammar)
{
    return grammar->year_entry;
}

/* ---- matching -------------------------------------------------------------------------------- */

static uint64_t match_sequence(const struct grammar *grammar, struct sentence *sentence,
                               uint32_t first, uint64_t from);

static uint64_t match_alternatives(const struct grammar *grammar, struct sentence *sentence,
                                   uint32_t alternative, uint64_t from)
{
    uint64_t reached = 0;
    for (; alternative != 0; alternative = grammar->nodes[alternative].next) {
        reached |= match_sequence(grammar, sentence, grammar->nodes[alternative].value, from);
    }
    return reached;
}

/* Most phrases stand nowhere in a sentence, which is tried once and then known. */
static uint64_t match_phrase(const struct grammar *grammar, struct sentence *sentence,
                             uint32_t phrase, uint64_t from)
{
    const uint32_t body = grammar->phrases[phrase];
    if (sentence->phrase_seen[phrase] == 0) {
        const uint64_t all = sentence_span(0, sentence->count + 1);
        const bool is_there = match_alternatives(grammar, sentence, body, all) != 0;
        sentence->phrase_seen[phrase] = is_there ? 2 : 1;
    }
    return sentence->phrase_seen[phrase] == 1 ? 0
                                              : match_alternatives(grammar, sentence, body, from);
}

static uint64_t match_gap(const struct sentence *sentence, uint32_t words, uint64_t from)
{
    const uint64_t passable = sentence_span(0, sentence->count) & ~sentence->roles[ROLE_GAP_STOP];
    for (uint32_t i = 0; i < words; i++) {
        from |= (from & passable) << 1;
    }
    return from;
}

/* "i just honestly want to": what a pattern does not name may be passed over. */
static uint64_t pass_fillers(const struct sentence *sentence, uint64_t from)
{
    uint64_t passed = from & sentence->roles[ROLE_FILLER];
    while (passed != 0) {
        passed <<= 1;
        from |= passed;
        passed &= sentence->roles[ROLE_FILLER];
    }
    return from;
}

static uint64_t match_node(const struct grammar *grammar, struct sentence *sentence,
                           const struct node *node, uint64_t from)
{
    switch (node->type) {
    case NODE_ENTRY:
        return pass_fillers(sentence, (from & sentence->at[node->value]) << 1);
    case NODE_GAP:
        return match_gap(sentence, node->value, from);
    case NODE_GROUP:
        return match_alternatives(grammar, sentence, node->value, from);
    case NODE_OPTIONAL:
        return from | match_alternatives(grammar, sentence, node->value, from);
    case NODE_PHRASE:
        return match_phrase(grammar, sentence, node->value, from);
    case NODE_FIRST:
        return from & 1;
    case NODE_LAST:
        return from & (UINT64_C(1) << sentence->count);
    case NODE_ALTERNATIVE:
        break;
    }
    const bool is_node = false; /* every node of a pattern was named */
    ASSERT(is_node);
    return 0;
}

static uint64_t match_sequence(const struct grammar *grammar, struct sentence *sentence,
                               uint32_t first, uint64_t from)
{
    for (; first != 0 && from != 0; first = grammar->nodes[first].next) {
        from = match_node(grammar, sentence, &grammar->nodes[first], from);
    }
    return from;
}

uint64_t grammar_match(const struct grammar *grammar, struct sentence *sentence, uint32_t pattern,
                       uint64_t from)
{
    return match_sequence(grammar, sentence, grammar->patterns[pattern].first, from);
}
