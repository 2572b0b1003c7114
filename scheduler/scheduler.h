/* scheduler.h - decides which sequences run in the next step and which pages they use. Pure: no
 * clock, socket, thread or GPU; requests and the time come in, plans and events go out, so that one
 * seed replays every bug. One thread. All memory comes from the arena at create: most of it is
 * sequences_max * context_tokens_max * 4 bytes for tokens, of which only what was used is touched
 * (512 sequences of 32,768 tokens: 64 MiB at worst). Tokens are zeroed when their request ends. */
#pragma once
#include "base/arena.h"
#include "base/failure.h"
#include "scheduler/engine.h"

struct scheduler;

struct scheduler_config {
    struct engine_shape shape;
    uint32_t sequences_max;     /* known at once, queued and running; <= LIMIT_SEQUENCES */
    uint32_t running_max;       /* in one step; <= shape.step_sequences_max and step_tokens_max */
    uint32_t tenant_queued_max; /* queued sequences of one tenant */
    uint32_t tenant_pages_max;  /* pages one tenant may hold */
    uint32_t tenant_count;      /* tenant ids are 1 .. tenant_count */
};

/* STATUS_INVALID: a value out of range, named. Create asserts what this refuses. */
MUST_CHECK enum status scheduler_config_check(const struct scheduler_config *config,
                                              struct failure *failure);

/* Bytes of arena that create takes for this config. */
size_t scheduler_arena_bytes(const struct scheduler_config *config);
struct scheduler *scheduler_create(struct arena *arena, const struct scheduler_config *config);

enum scheduler_finish { FINISH_STOP, FINISH_LENGTH, FINISH_CANCELLED, FINISH_FAILED };

struct scheduler_request {
    struct request_id id; /* unique among those known; chosen by the caller */
    struct tenant_id tenant;
    uint32_t prompt_count; /* 1 .. */
    uint32_t output_max;   /* 1 .. ; prompt_count + output_max <= shape.context_tokens_max */
    uint32_t stop_count;   /* ids that end the sequence (the id itself is reported as its token) */
    uint32_t stop_ids[LIMIT_STOP_TOKENS];
    struct engine_sampling sampling;
};

/* Copies the request and its prompt tokens. STATUS_FULL: sequences_max is reached. STATUS_QUOTA:
 * the tenant's queue is full. STATUS_TOO_LARGE: it could never run (context, pages of the pool or
 * of the tenant). STATUS_INVALID: a count of zero or past its limit, a token id past the vocabulary
 * (prompt, stop or bias), an unknown tenant. */
MUST_CHECK enum status scheduler_submit(struct scheduler *scheduler,
                                        const struct scheduler_request *request,
                                        const uint32_t *prompt);

/* Ends a request: out of the batch and its pages free before the next plan. No event follows.
 * STATUS_NOT_FOUND: it has ended already, which is no error of the caller. */
MUST_CHECK enum status scheduler_cancel(struct scheduler *scheduler, struct request_id id);

/* The next step. False: there is nothing to do, and nothing to settle. The plan lives until settle;
 * submit and cancel may be called meanwhile. A plan may have no sequences and only pages to scrub:
 * what ended leaves no bytes behind on an idle server, so keep stepping until this is false. */
bool scheduler_plan(struct scheduler *scheduler, struct engine_plan *out);

enum scheduler_event_kind { SCHEDULER_EVENT_TOKEN, SCHEDULER_EVENT_FINISHED };

struct scheduler_event {
    enum scheduler_event_kind kind;
    struct request_id id;
    struct tenant_id tenant;
    enum scheduler_finish finish;     /* FINISHED only */
    const struct engine_token *token; /* TOKEN only; one of those given to settle */
};

/* Takes the plan's results: step_status OK and one token a sequence, or a failure, which ends every
 * sequence of the plan with FINISH_FAILED (tokens may be NULL); others start over, nothing of
 * theirs is lost or reported twice. Writes at most scheduler_events_max() events and returns how
 * many: a request's tokens in order, FINISHED last. Pages of what ended are free afterwards. */
uint32_t scheduler_settle(struct scheduler *scheduler, enum status step_status,
                          const struct engine_token *tokens, struct scheduler_event *out);
uint32_t scheduler_events_max(const struct scheduler *scheduler);

struct scheduler_counts {
    uint32_t queued, running, pages_used, pages_total; /* pages_total of a tenant: its ceiling */
    uint64_t preemptions, steps;                       /* since create, as the next two */
    uint64_t prompt_tokens, output_tokens;             /* of accepted requests; reported */
};
struct scheduler_counts scheduler_counts(const struct scheduler *scheduler);
struct scheduler_counts scheduler_tenant_counts(const struct scheduler *scheduler,
                                                struct tenant_id tenant);

/* Asserts every invariant. O(everything): for tests and debug builds. */
void scheduler_check(const struct scheduler *scheduler);
