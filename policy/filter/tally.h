/* tally.h - what a policy did to one request, as numbers: what audit records, metrics and errors
 * say. Never text. A plain value; start from {0}. */
#pragma once
#include <stdint.h>

#include "policy/kind.h"

struct tally {
    uint32_t counts[POLICY_ACTION_COUNT][POLICY_KIND_COUNT];
    uint32_t disguised;          /* findings in text that tried to hide them */
    uint32_t restored;           /* pseudonyms that became their value again */
    uint32_t unknown_pseudonyms; /* placeholders of the model that stand for nothing */
    uint32_t crossed;            /* values of another tenant that were stopped: an alarm */
    uint32_t canaries;           /* planted strings that were stopped: an alarm */
    uint32_t corrected;          /* wrong hotline numbers that were replaced */
    uint32_t claims;             /* "I am a licensed therapist" and the like, stopped */
};

void tally_add(struct tally *tally, const struct tally *more);

/* The kinds that were blocked, "SSN, PHONE"; returns out, which holds at least one byte. */
const char *tally_blocked(const struct tally *tally, char *out, size_t out_bytes);
