/* crisis.h - signs of a crisis in text, by a grammar that is data (policy/data/crisis/): what it is
 * about, who, when, whether it is denied, quoted or sung, and how grave. Deterministic: the same
 * rules and texts give the same grade. Grades follow the Columbia scale's order (wish, thoughts,
 * method, intent, plan) and Crisis Text Line's imminent risk (desire, plan, means, time). Rules are
 * read-only once made, any thread; a reader belongs to one conversation. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

enum crisis_kind {
    CRISIS_SUICIDE, /* and self-harm */
    CRISIS_VIOLENCE,
    CRISIS_ABUSE,
    CRISIS_PSYCHOSIS,
    CRISIS_EATING,
    CRISIS_SUBSTANCE, /* and overdose */
    CRISIS_MEDICAL,
    CRISIS_KIND_COUNT
};
enum crisis_grade { CRISIS_NONE, CRISIS_LOW, CRISIS_HIGH, CRISIS_IMMINENT, CRISIS_GRADE_COUNT };
enum crisis_subject { CRISIS_SELF, CRISIS_OTHER };
enum crisis_time { CRISIS_NOW, CRISIS_PAST };
enum crisis_polarity { CRISIS_SAID, CRISIS_DENIED, CRISIS_QUOTED }; /* quoted: song, film, news */

const char *crisis_kind_name(enum crisis_kind kind); /* "suicide" */
const char *crisis_grade_name(enum crisis_grade grade);

struct crisis_signal { /* the gravest of its kind */
    enum crisis_kind kind;
    enum crisis_grade grade;
    enum crisis_subject subject;
    enum crisis_time time;
    enum crisis_polarity polarity;
    uint64_t start, end; /* bytes of the text it was read in: the pattern that decided */
    uint32_t rule;       /* its number in the data, for replay */
};

struct crisis_finding {                              /* start from {0} */
    struct crisis_signal signals[CRISIS_KIND_COUNT]; /* of each kind; grade NONE: no sign */
    enum crisis_grade grade;                         /* the gravest of all */
    enum crisis_kind kind;                           /* that one's */
};

struct crisis_rules;

/* The grammar in the binary, or one from YAML text. STATUS_INVALID: failure names line and rule. */
MUST_CHECK enum status crisis_rules_create(struct crisis_rules **out, struct failure *failure);
MUST_CHECK enum status crisis_rules_parse(const char *yaml, size_t length, const char *name,
                                          struct crisis_rules **out, struct failure *failure);
void crisis_rules_destroy(struct crisis_rules *rules);

struct crisis_reader;

/* STATUS_IO: no memory; all of it is taken here. */
MUST_CHECK enum status crisis_reader_create(const struct crisis_rules *rules,
                                            struct crisis_reader **out);
void crisis_reader_destroy(struct crisis_reader *reader); /* zeroes; NULL is fine */

/* Reads on, however the text is cut; decisions fall at the ends of sentences. A conversation adds
 * up: a plan in one message and means in the next are graver than either. Text of the assistant is
 * context (a question that is answered "yes"), its own signs do not count as the person's. */
enum crisis_speaker { CRISIS_PERSON, CRISIS_ASSISTANT };
void crisis_reader_begin(struct crisis_reader *reader, enum crisis_speaker speaker);
void crisis_reader_feed(struct crisis_reader *reader, const char *text, size_t length);
void crisis_reader_end(struct crisis_reader *reader); /* of this message */

/* What was found in the person's messages so far, and in the last message alone (of either). */
const struct crisis_finding *crisis_reader_found(const struct crisis_reader *reader);
const struct crisis_finding *crisis_reader_last(const struct crisis_reader *reader);
