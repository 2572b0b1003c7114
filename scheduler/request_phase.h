/* request_phase.h - the whole life of a request as one table. No other file assigns a phase.
 *
 *   (fresh) --submit--> QUEUED --admit--> PREFILL --prefilled--> DECODE --stop--> DONE
 *                         ^------------------'---preempt------------'
 *   cancel leads from QUEUED, PREFILL and DECODE to CANCELLED; fault, a failed step, from the two
 *   that can be in a step to FAILED. Nothing leads out of DONE, CANCELLED and FAILED. */
#pragma once
#include <stdbool.h>

enum request_phase {
    PHASE_NONE, /* zero: a fresh record, and in the table a step that is refused */
    PHASE_QUEUED,
    PHASE_PREFILL,
    PHASE_DECODE,
    PHASE_DONE,
    PHASE_CANCELLED,
    PHASE_FAILED,
    PHASE_COUNT
};

enum request_event {
    EVENT_SUBMIT,
    EVENT_ADMIT,
    EVENT_PREFILLED,
    EVENT_PREEMPT,
    EVENT_STOP,
    EVENT_CANCEL,
    EVENT_FAULT,
    EVENT_COUNT
};

/* True and *phase moved if the step is legal; false and *phase untouched if it is not. */
bool request_phase_step(enum request_phase *phase, enum request_event event);
