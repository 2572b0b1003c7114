/* screen.h - one request under its tenant's rules: what its texts become before the model sees
 * them, what of the answer may be told, what is told first, and what of all that is recorded. On
 * the request's I/O thread. Owner: the generation, which starts from {0} and closes in any case. */
#pragma once
#include "auth/auth.h"
#include "model/model.h"
#include "policy/duties/duties.h"
#include "policy/instruments/instrument.h"
#include "policy/policy.h"
#include "server/openai/request/openai_request.h"

enum screen_second_read { SCREEN_NOT_ASKED, SCREEN_SAYS_NO, SCREEN_SAYS_YES, SCREEN_UNANSWERED };

struct screen_parts { /* of the service */
    struct duties *duties;
    struct instrument *const *instruments; /* by the number in the request */
    const struct model *model;
};

struct screen {
    struct policy *policy; /* outlives it */
    struct tenant_id tenant;
    struct rules *rules; /* in force when the request came; held */
    struct vault_session *session;
    struct inbound *inbound;
    struct crisis_finding crisis; /* of the whole conversation */
    uint32_t crisis_actions;      /* bits of enum crisis_action */
    bool has_protocol;            /* it stands in told_first */
    enum screen_second_read second_read;
    struct buffer told_first;            /* a protocol, what a law asks for; "": nothing */
    enum duty duty;                      /* the latter */
    const struct instrument *instrument; /* asked in the model's place; NULL: none */
    struct instrument_state state;
    struct buffer result;        /* of the instrument, JSON; "": none */
    bool is_answered;            /* the model is not asked: what is told first is the answer */
    struct outbound_terms terms; /* of every choice's outbound */
};

/* Takes the rules in force. 503 in the fault: no memory, or no place in the vault. */
MUST_CHECK enum status screen_open(struct screen *screen, struct policy *policy,
                                   const struct auth_identity *identity,
                                   const struct openai_request *request,
                                   struct openai_fault *fault);
void screen_close(struct screen *screen); /* zeroes; also after {0} */

/* Reads the conversation for signs of a crisis and for what a law asks to be told, then changes
 * messages, prompts and stop strings as the rules say. STATUS_INVALID: 422, the kinds that are not
 * taken. */
MUST_CHECK enum status screen_request(struct screen *screen, const struct screen_parts *parts,
                                      struct openai_request *request, struct openai_fault *fault);

/* True: the rules want the model's own reading of the conversation, which could change something.
 * Then screen_raise with what it said. */
bool screen_asks_model(const struct screen *screen);
void screen_raise(struct screen *screen, bool is_yes, bool has_failed);

/* What was done on the way in; NULL before screen_open. */
const struct tally *screen_tally(const struct screen *screen);
