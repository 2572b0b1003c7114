/* crisis_rules.h - the data files as one read-only value: rules, what takes a sign back or moves it
 * in time (cues), what is graver together, and answers to an assistant's question. For the files of
 * this folder; others see crisis.h. */
#pragma once
#include "policy/crisis/crisis.h"
#include "policy/crisis/grammar.h"

enum { CRISIS_RULES_MAX = 1024, CRISIS_CUES_MAX = 128, CRISIS_TOGETHER_MAX = 64 };

/* What a sign tells of a crisis; several together are graver than one (Crisis Text Line: desire,
 * plan, means, time). TIME counts for its sentence and the next alone: "tonight" may be said of
 * dinner. */
enum crisis_factor {
    FACTOR_WISH,
    FACTOR_DESIRE,
    FACTOR_PLAN,
    FACTOR_MEANS,
    FACTOR_TIME,
    FACTOR_GOODBYE,
    FACTOR_COUNT
};

enum crisis_effect {
    EFFECT_DENIED,
    EFFECT_QUOTED,    /* song, film, news; not if the sign speaks in the first person */
    EFFECT_NOT_MEANT, /* as quoted, whoever speaks: "in my novel", "if someone" */
    EFFECT_SAID,      /* these words deny nothing: "not sure", "no one" */
    EFFECT_WAS,       /* past, whatever the tense: "used to" */
    EFFECT_PAST,      /* past, unless the sign speaks in the present tense */
    EFFECT_NOW,       /* takes both back */
    EFFECT_OTHER,     /* reported speech: its "I" is someone else */
    EFFECT_SOFT,      /* lol: at most low, unless it is imminent */
    EFFECT_IDIOM,     /* the words mean something else: no sign */
    EFFECT_COUNT
};

enum crisis_place { PLACE_BEFORE, PLACE_AFTER, PLACE_OVER, PLACE_SENTENCE, PLACE_COUNT };

struct crisis_rule {
    uint32_t id;
    enum crisis_kind kind;
    enum crisis_grade grade;
    bool has_subject;
    enum crisis_subject subject; /* whoever the words name */
    bool is_past;
    bool is_question; /* of the assistant alone: "do you have a plan" */
    uint32_t factors; /* bits of enum crisis_factor */
    uint32_t ignored; /* bits of enum crisis_effect that do not apply */
    struct grammar_patterns patterns;
};

struct crisis_cue {
    enum crisis_effect effect;
    enum crisis_place place;
    uint32_t within; /* words between it and the sign, at most */
    bool crosses;    /* commas and clauses do not stop it */
    uint32_t lasts;  /* sentences after its own that it holds for */
    uint32_t kinds;  /* bits of enum crisis_kind it applies to */
    struct grammar_patterns patterns;
};

struct crisis_together {
    uint32_t id;
    enum crisis_kind kind;
    enum crisis_grade grade;
    uint32_t factors; /* all of these */
};

enum crisis_answer { ANSWER_YES, ANSWER_MAYBE, ANSWER_NO, ANSWER_COUNT };
enum { CRISIS_LANGUAGES_MAX = 8 };

struct crisis_rules {
    struct grammar *grammar;
    struct crisis_rule rules[CRISIS_RULES_MAX];
    struct crisis_cue cues[CRISIS_CUES_MAX];
    struct crisis_together together[CRISIS_TOGETHER_MAX];
    struct grammar_patterns answers[CRISIS_LANGUAGES_MAX][ANSWER_COUNT];
    enum crisis_grade past_grades[CRISIS_KIND_COUNT]; /* at most, of what is past */
    uint32_t rule_count, cue_count, together_count, language_count;
};
