/* openai_answer.h - the bytes of an answer: all choices of a request, as one JSON document or as a
 * stream of server-sent events, from what stands in the token log so far. On the request's I/O
 * thread. Owner: the request, which fills the first part, opens, and closes in any case. */
#pragma once
#include "server/http/http_server.h"
#include "server/openai/openai_format.h"

enum { OPENAI_ID_BYTES = 64, OPENAI_EVENTS_BYTES = 16384 };

struct openai_answer {
    const struct openai_format *format;
    const char *model_name, *fingerprint; /* outlive the answer */
    char id[OPENAI_ID_BYTES];
    int64_t created_unix_s;
    bool include_usage;
    uint32_t prompt_tokens; /* of all prompts */
    uint32_t choice_count;
    const char *extension; /* a JSON value, the member "ward" of the answer; NULL: none */
    struct openai_choice_terms terms;
    void (*cut)(void *context, uint32_t sequence); /* a stop string ended it: cancel it */
    void *cut_context;

    /* its own */
    struct openai_choice *choices;
    bool *is_over;     /* [choice_count]: its last event is written */
    struct buffer out; /* events not taken yet; or the document */
    size_t out_taken;
};

enum openai_progress { OPENAI_WAITING, OPENAI_DONE, OPENAI_BROKEN };

/* STATUS_IO: no memory. */
MUST_CHECK enum status openai_answer_open(struct openai_answer *answer);
void openai_answer_close(struct openai_answer *answer); /* zeroes what it held */

uint32_t openai_answer_tokens(const struct openai_answer *answer); /* generated, all choices */

/* Takes all that is in the log. DONE: every choice has ended. BROKEN: one failed. */
enum openai_progress openai_answer_gather(struct openai_answer *answer);

/* The document, into out; then it is all that is left. STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status openai_answer_write_whole(struct openai_answer *answer);

/* The events, into out: first, then again and again what the log has, at most about
 * OPENAI_EVENTS_BYTES a call, then what ends the stream well, or tells that it broke. */
MUST_CHECK enum status openai_answer_write_first(struct openai_answer *answer);
enum openai_progress openai_answer_write_events(struct openai_answer *answer);
MUST_CHECK enum status openai_answer_write_end(struct openai_answer *answer);
MUST_CHECK enum status openai_answer_write_error(struct openai_answer *answer,
                                                 const struct http_error *error);

/* A keyed digest of the text that was written so far: of one choice's, or of the digests of all
 * choices in their order. False: the answer was never opened. */
bool openai_answer_digest(const struct openai_answer *answer, struct digest *out);

/* What the rules did to the texts of all choices so far; {0} before it is opened. */
struct tally openai_answer_tally(const struct openai_answer *answer);

/* The gravest grade of each kind in the model's own texts. */
void openai_answer_crisis(const struct openai_answer *answer,
                          enum crisis_grade out[CRISIS_KIND_COUNT]);

/* How many choices ended so. */
uint32_t openai_answer_finished(const struct openai_answer *answer, enum openai_finish finish);

/* Takes up to max bytes of out; 0: there are none. */
size_t openai_answer_take(struct openai_answer *answer, char *bytes, size_t max);
