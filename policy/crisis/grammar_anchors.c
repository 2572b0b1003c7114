/* grammar_anchors.c - which words a pattern cannot do without, so that only the few patterns are
 * tried of which such a word stands in the sentence. Of a pattern's nodes the one is taken whose
 * words are the rarest: a word of the grammar's `common` list weighs as many others. */
#include <string.h>

#include "policy/crisis/grammar_nodes.h"

enum { COMMON_WEIGHT = 64, WEIGHT_MAX = 1 << 20 };

static uint32_t weigh_sequence(const struct grammar *grammar, uint32_t first, uint32_t *best);

static uint32_t weigh_alternatives(const struct grammar *grammar, uint32_t alternative)
{
    uint32_t sum = 0, best = 0;
    for (; alternative != 0 && sum < WEIGHT_MAX; alternative = grammar->nodes[alternative].next) {
        sum += weigh_sequence(grammar, grammar->nodes[alternative].value, &best);
    }
    return sum > WEIGHT_MAX ? WEIGHT_MAX : sum;
}

static uint32_t weigh_node(const struct grammar *grammar, const struct node *node)
{
    switch (node->type) {
    case NODE_ENTRY:
        return grammar->is_common[node->value] ? COMMON_WEIGHT : 1;
    case NODE_GROUP:
        return weigh_alternatives(grammar, node->value);
    case NODE_PHRASE:
        return weigh_alternatives(grammar, grammar->phrases[node->value]);
    case NODE_GAP:
    case NODE_OPTIONAL:
    case NODE_ALTERNATIVE:
    case NODE_FIRST:
    case NODE_LAST:
        break;
    }
    return WEIGHT_MAX;
}

/* The lightest node of a sequence; best 0: none is needed. */
static uint32_t weigh_sequence(const struct grammar *grammar, uint32_t first, uint32_t *best)
{
    uint32_t least = WEIGHT_MAX;
    *best = 0;
    for (; first != 0; first = grammar->nodes[first].next) {
        const uint32_t weight = weigh_node(grammar, &grammar->nodes[first]);
        if (weight < least) {
            least = weight;
            *best = first;
        }
    }
    return least;
}

static enum status anchor_sequence(struct grammar *grammar, uint32_t pattern, uint32_t first);

static enum status anchor_alternatives(struct grammar *grammar, uint32_t pattern,
                                       uint32_t alternative)
{
    enum status status = STATUS_OK;
    for (; status == STATUS_OK && alternative != 0;
         alternative = grammar->nodes[alternative].next) {
        status = anchor_sequence(grammar, pattern, grammar->nodes[alternative].value);
    }
    return status;
}

static enum status anchor_sequence(struct grammar *grammar, uint32_t pattern, uint32_t first)
{
    uint32_t best = 0;
    (void)weigh_sequence(grammar, first, &best);
    const struct node *node = &grammar->nodes[best];
    if (best == 0) {
        return STATUS_INVALID;
    }
    if (node->type != NODE_ENTRY) {
        const bool is_phrase = node->type == NODE_PHRASE;
        return anchor_alternatives(grammar, pattern,
                                   is_phrase ? grammar->phrases[node->value] : node->value);
    }
    if (grammar->anchor_count == ANCHORS_MAX) {
        return STATUS_FULL;
    }
    const uint32_t anchor = grammar->anchor_count++;
    grammar->anchors[anchor] = (struct anchor){pattern, grammar->first_anchors[node->value]};
    grammar->first_anchors[node->value] = anchor;
    return STATUS_OK;
}

enum status grammar_anchor(struct grammar *grammar, uint32_t pattern)
{
    return anchor_sequence(grammar, pattern, grammar->patterns[pattern].first);
}

static void add_candidates(const struct grammar *grammar, struct sentence *sentence, uint32_t entry)
{
    for (uint32_t at = grammar->first_anchors[entry]; at != 0; at = grammar->anchors[at].next) {
        const uint32_t pattern = grammar->anchors[at].pattern;
        sentence->candidates[pattern / 64] |= UINT64_C(1) << (pattern % 64);
    }
}

void grammar_find_candidates(const struct grammar *grammar, struct sentence *sentence)
{
    memset(sentence->candidates, 0, sentence->candidate_sets * sizeof *sentence->candidates);
    for (uint32_t i = 0; i < sentence->count; i++) {
        const uint32_t entry = sentence->words[i].entry;
        const uint64_t before = sentence_span(0, i);
        if (entry == 0 || (sentence->at[entry] & before) != 0) {
            continue;
        }
        add_candidates(grammar, sentence, entry);
        for (uint32_t link = word_book_classes(grammar->vocabulary, entry); link != 0;) {
            uint32_t class_entry = 0;
            link = word_book_next(grammar->vocabulary, link, &class_entry);
            if ((sentence->at[class_entry] & before) == 0) {
                add_candidates(grammar, sentence, class_entry);
            }
        }
    }
}
