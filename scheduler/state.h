/* state.h - what a scheduler knows, and the verbs its own files share. Private to this folder. */
#pragma once
#include "scheduler/list.h"
#include "scheduler/page_pool.h"
#include "scheduler/request_phase.h"
#include "scheduler/scheduler.h"

/* One request from submit to its end. Unused records are zero but for their memory. */
struct sequence {
    struct list_link id_link;     /* in the bucket of its id, while the caller may name it */
    struct list_link tenant_link; /* in queued or running of its tenant; in unused; in retired */
    struct request_id id;
    struct tenant_id tenant;
    uint64_t arrival; /* its seniority, for life: smaller is older; preemption does not change it */
    enum request_phase phase;
    uint32_t prompt_count, output_max;
    uint32_t token_count;    /* known: prompt and output so far */
    uint32_t computed_count; /* of these, with KV in pages */
    uint32_t page_count;
    uint32_t *tokens;      /* [context_tokens_max]; zeroed when the request ends */
    struct page_id *pages; /* [pages_for(context_tokens_max)] */
    uint32_t stop_count;
    uint32_t stop_ids[LIMIT_STOP_TOKENS];
    struct engine_sampling sampling;
};

/* Its two lists are in order of arrival, and all that run are older than all that are queued. */
struct tenant {
    struct list_link queued, running;
    struct list_link waiting_link; /* in waiting while queued is not empty */
    uint32_t queued_count, running_count;
    uint64_t preemptions, prompt_tokens, output_tokens; /* since create */
};

struct scheduler {
    struct scheduler_config config;
    struct page_pool *pool;
    struct sequence *sequences; /* [sequences_max] */
    struct list_link unused;
    struct list_link retired;  /* cancelled in flight: their memory is the plan's until settle */
    struct list_link *buckets; /* of ids; a power of two of them */
    uint32_t bucket_bits;
    struct tenant *tenants;    /* [tenant_count + 1]; 0 is nobody */
    struct list_link waiting;  /* tenants with queued sequences; the front is next to be served */
    struct sequence **running; /* [running_max], in order of arrival */
    uint32_t running_count, queued_count;
    uint64_t arrivals, steps;

    bool is_in_flight;
    struct sequence **members;     /* [running_max]: the sequences of the plan */
    struct engine_sequence *batch; /* [running_max]: their rows */
    uint32_t batch_count, batch_rows;

    bool *page_marks; /* [page_count]; only for scheduler_check() */
};

static inline uint32_t state_pages_for(const struct scheduler *scheduler, uint32_t token_count)
{
    const uint32_t page_tokens = scheduler->config.shape.page_tokens;
    return (token_count + page_tokens - 1) / page_tokens;
}

static inline struct tenant *state_tenant(const struct scheduler *scheduler, struct tenant_id id)
{
    return &scheduler->tenants[id.value];
}

/* sequences.c: where a sequence is listed, and what it holds. */
struct sequence *sequences_find(const struct scheduler *scheduler, struct request_id id);
struct sequence *sequences_add(struct scheduler *scheduler, const struct scheduler_request *request,
                               const uint32_t *prompt);                   /* fresh to QUEUED */
void sequences_move(struct sequence *sequence, enum request_event event); /* asserts it is legal */
void sequences_start(struct scheduler *scheduler, struct sequence *sequence); /* to PREFILL */

/* Out of PREFILL or DECODE: back to the queue without pages, or out of every list by an event that
 * ends it (from QUEUED too). sequences_sweep() must follow before the next step is filled. */
void sequences_preempt(struct scheduler *scheduler, struct sequence *sequence);
void sequences_end(struct scheduler *scheduler, struct sequence *sequence,
                   enum request_event event);
void sequences_sweep(struct scheduler *scheduler); /* drops from running what runs no more */

/* After sequences_end(): pages go back, text is zeroed, the record is unused. */
void sequences_erase(struct scheduler *scheduler, struct sequence *sequence);

/* admit.c: who may come in. */
bool admit_could_ever_run(const struct scheduler *scheduler,
                          const struct scheduler_request *request);
void admit_waiting(struct scheduler *scheduler);

/* step.c: fills batch, members and the pool's scrub list. */
void step_fill(struct scheduler *scheduler);

/* settle.c: scheduler_settle() but for the flag of flight. */
uint32_t settle_results(struct scheduler *scheduler, enum status step_status,
                        const struct engine_token *tokens, struct scheduler_event *out);

/* invariants.c */
void invariants_check(const struct scheduler *scheduler);
