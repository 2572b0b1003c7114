#include "scheduler/request_phase.h"

#include "base/assert.h"

static const enum request_phase next[PHASE_COUNT][EVENT_COUNT] = {
    [PHASE_NONE] = {[EVENT_SUBMIT] = PHASE_QUEUED},
    [PHASE_QUEUED] = {[EVENT_ADMIT] = PHASE_PREFILL, [EVENT_CANCEL] = PHASE_CANCELLED},
    [PHASE_PREFILL] = {[EVENT_PREFILLED] = PHASE_DECODE,
                       [EVENT_PREEMPT] = PHASE_QUEUED,
                       [EVENT_CANCEL] = PHASE_CANCELLED,
                       [EVENT_FAULT] = PHASE_FAILED},
    [PHASE_DECODE] = {[EVENT_STOP] = PHASE_DONE,
                      [EVENT_PREEMPT] = PHASE_QUEUED,
                      [EVENT_CANCEL] = PHASE_CANCELLED,
                      [EVENT_FAULT] = PHASE_FAILED},
};

bool request_phase_step(enum request_phase *phase, enum request_event event)
{
    ASSERT((unsigned)*phase < PHASE_COUNT);
    ASSERT((unsigned)event < EVENT_COUNT);
    const enum request_phase to = next[*phase][event];
    if (to != PHASE_NONE) {
        *phase = to;
    }
    return to != PHASE_NONE;
}
