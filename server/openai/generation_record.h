/* generation_record.h - what the audit log says of one generation: that it was accepted, and the
 * one record of how it ended. On the exchange's I/O thread; nothing waits here. */
#pragma once
#include "server/openai/openai_answer.h"
#include "server/openai/openai_reply.h"
#include "server/openai/request/openai_request.h"
#include "server/openai/screen/screen.h"

struct generation_facts {
    const struct auth_identity *identity;
    const char *request_id;
    enum metrics_route route;
    const struct openai_request *request;
    const struct openai_answer *answer;
    const struct screen *screen;
    uint64_t seed;               /* that the first choice is drawn with */
    struct digest prompt;        /* keyed digest of the body */
    bool is_accepted;            /* there is a request.accepted: exactly one end must follow */
    bool is_admitted;            /* by the engine */
    uint64_t first_ns, total_ns; /* from arrival; first 0: no token */
};

/* request.accepted; handle is woken once it is kept or lost. As audit_append. */
MUST_CHECK enum status generation_record_accepted(struct trail *trail,
                                                  const struct generation_facts *facts,
                                                  uint64_t handle, struct audit_position *out);

struct generation_end {
    enum metrics_outcome outcome;
    int http_code;
    const char *code; /* machine word; NULL: completed */
};

/* request.completed, request.cancelled, or request.refused of what was never admitted. */
void generation_record_end(struct trail *trail, const struct generation_facts *facts,
                           const struct generation_end *end);
