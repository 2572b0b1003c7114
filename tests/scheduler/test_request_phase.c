/* Method: every phase times every event, against the list of the steps that are legal. */
#include "scheduler/request_phase.h"
#include "tests/check.h"

static const struct {
    enum request_phase from;
    enum request_event event;
    enum request_phase to;
} legal[] = {
    {PHASE_NONE, EVENT_SUBMIT, PHASE_QUEUED},      {PHASE_QUEUED, EVENT_ADMIT, PHASE_PREFILL},
    {PHASE_QUEUED, EVENT_CANCEL, PHASE_CANCELLED}, {PHASE_PREFILL, EVENT_PREFILLED, PHASE_DECODE},
    {PHASE_PREFILL, EVENT_PREEMPT, PHASE_QUEUED},  {PHASE_PREFILL, EVENT_CANCEL, PHASE_CANCELLED},
    {PHASE_PREFILL, EVENT_FAULT, PHASE_FAILED},    {PHASE_DECODE, EVENT_STOP, PHASE_DONE},
    {PHASE_DECODE, EVENT_PREEMPT, PHASE_QUEUED},   {PHASE_DECODE, EVENT_CANCEL, PHASE_CANCELLED},
    {PHASE_DECODE, EVENT_FAULT, PHASE_FAILED},
};

static enum request_phase wanted(enum request_phase from, enum request_event event)
{
    for (size_t i = 0; i < sizeof legal / sizeof legal[0]; i++) {
        if (legal[i].from == from && legal[i].event == event) {
            return legal[i].to;
        }
    }
    return PHASE_NONE;
}

static void only_the_listed_steps_are_legal(void)
{
    for (unsigned i = 0; i < (unsigned)PHASE_COUNT * EVENT_COUNT; i++) {
        const enum request_phase from = (enum request_phase)(i / EVENT_COUNT);
        const enum request_event event = (enum request_event)(i % EVENT_COUNT);
        const enum request_phase want = wanted(from, event);
        enum request_phase phase = from;
        const bool moved = request_phase_step(&phase, event);
        CHECK(moved == (want != PHASE_NONE), "phase %u, event %u", i / EVENT_COUNT,
              i % EVENT_COUNT);
        CHECK(phase == (want != PHASE_NONE ? want : from), "phase %u, event %u: to %u",
              i / EVENT_COUNT, i % EVENT_COUNT, (unsigned)phase);
    }
}

CHECK_MAIN(only_the_listed_steps_are_legal)
