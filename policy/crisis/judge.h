/* judge.h - what the signs in a sentence mean: whose they are, when, whether they are denied or
 * quoted, and what they add up to over a conversation. */
#pragma once
#include "policy/crisis/crisis_rules.h"

enum { JUDGE_OTHER_LASTS = 3 }; /* sentences in which "took pills" is still about the friend */

struct judge { /* of one conversation; start from {0} with rules set */
    const struct crisis_rules *rules;
    enum crisis_speaker speaker;
    struct crisis_finding found, last;
    uint32_t factors[2][CRISIS_KIND_COUNT]; /* of each subject, over the conversation */
    uint32_t here[2][CRISIS_KIND_COUNT];    /* in this sentence */
    uint32_t before[2][CRISIS_KIND_COUNT];  /* in the one before it */
    uint32_t lasting[CRISIS_CUES_MAX];      /* sentences for which a cue still holds */
    uint32_t other_lasts;
    uint32_t sentence_count; /* of this message */
    bool was_asked;          /* the assistant's last message asked this: */
    struct crisis_signal asked;
    uint32_t asked_factors;
};

void judge_begin(struct judge *judge, enum crisis_speaker speaker); /* a message */
void judge_sentence(struct judge *judge, struct sentence *sentence);
void judge_end(struct judge *judge);
