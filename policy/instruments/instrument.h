/* instrument.h - questionnaires as deterministic conversations (PHQ-9, GAD-7, ...): items asked
 * word for word from data (policy/data/instruments/), answers read by grammar, integers added. The
 * model has no part in it. Stateless: the conversation so far is read again each time, and the same
 * messages give the same next turn. Instruments are read-only once made; any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/failure.h"

enum { INSTRUMENT_ITEMS_MAX = 24, INSTRUMENT_NAME_BYTES = 16, INSTRUMENT_ASKED_AGAIN_MAX = 2 };

struct instrument;

/* Shipped, by name: "phq-9", "gad-7", "phq-2", "gad-2". STATUS_NOT_FOUND. */
MUST_CHECK enum status instrument_create(const char *name, struct instrument **out,
                                         struct failure *failure);
MUST_CHECK enum status instrument_parse(const char *yaml, size_t length, const char *name,
                                        struct instrument **out, struct failure *failure);
void instrument_destroy(struct instrument *instrument);
const char *instrument_shipped_name(size_t index); /* NULL after the last */

/* What one answer says: an option's number (0 .. 3), or that it must be asked again. Reads a digit,
 * a number word, the option's words, or a clear paraphrase ("most days"); never guesses. */
enum answer_verdict { ANSWER_READ, ANSWER_UNSURE, ANSWER_DECLINED };
enum answer_verdict instrument_read(const struct instrument *instrument, const char *text,
                                    size_t length, uint32_t *option);

struct instrument_state { /* start from {0} */
    uint32_t item;        /* the next one, from 0; == item_count: done */
    uint32_t asked_again; /* times the present item was asked again */
    bool is_declined;     /* ended without a score */
    bool is_critical; /* an item that leads to the crisis path was answered above 0, or nearly so
                         ("hardly ever"), which is asked again */
    uint8_t answers[INSTRUMENT_ITEMS_MAX];
    uint32_t answer_count;
};

/* One answer of the person. Then instrument_next says what to tell. */
void instrument_answer(const struct instrument *instrument, struct instrument_state *state,
                       const char *text, size_t length);

/* Appends the next turn: introduction and first item, an item, an item asked again, or the closing
 * words. */
MUST_CHECK enum status instrument_next(const struct instrument *instrument,
                                       const struct instrument_state *state, struct buffer *out);

struct instrument_result {
    bool is_complete;
    uint32_t score, score_max; /* score: of the answers so far */
    const char *band;          /* "moderate"; lives as the instrument; NULL: not complete */
    bool is_critical;
};
struct instrument_result instrument_score(const struct instrument *instrument,
                                          const struct instrument_state *state);

/* {"instrument":"phq-9","version":1,"complete":true,"score":14,"max":27,"band":"moderate",
 * "items":[..],"critical":false}; score and band are null when it is not complete */
MUST_CHECK enum status instrument_json(const struct instrument *instrument,
                                       const struct instrument_state *state, struct buffer *out);
