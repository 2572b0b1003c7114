/* decisions.h - what the rules did to one request as names and numbers, for its audit records:
 * "in.redact:NAME" 2, "out.block:SSN" 1, "crisis.high:suicide" 1. A plain value. */
#pragma once
#include "audit/record/record.h"
#include "server/openai/screen/screen.h"

enum { DECISIONS_MAX = 32, DECISION_NAME_BYTES = 32 };

struct decisions { /* the gravest first; what finds no room is the mildest */
    char names[DECISIONS_MAX][DECISION_NAME_BYTES];
    struct record_count counts[DECISIONS_MAX];
    size_t count;
};

/* outbound: of all choices; said: what the model's own texts gave signs of, by kind; NULL: no
 * answer yet. */
void decisions_make(const struct screen *screen, const struct tally *outbound,
                    const enum crisis_grade said[CRISIS_KIND_COUNT], struct decisions *out);
