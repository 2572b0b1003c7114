/* sequences.c - the records: found by id, listed by tenant, moved between queue and batch. */
#include <string.h>

#include "scheduler/state.h"

static struct list_link *bucket_of(const struct scheduler *scheduler, struct request_id id)
{
    const uint64_t mixed = id.value * 0x9e3779b97f4a7c15U; /* ids often count up */
    return &scheduler->buckets[mixed >> (64 - scheduler->bucket_bits)];
}

struct sequence *sequences_find(const struct scheduler *scheduler, struct request_id id)
{
    const struct list_link *bucket = bucket_of(scheduler, id);
    for (struct list_link *at = bucket->next; at != bucket; at = at->next) {
        struct sequence *sequence = LIST_RECORD(at, struct sequence, id_link);
        if (request_same(sequence->id, id)) {
            return sequence;
        }
    }
    return NULL;
}

void sequences_move(struct sequence *sequence, enum request_event event)
{
    const bool is_legal = request_phase_step(&sequence->phase, event);
    ASSERT(is_legal);
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* Keeps the tenant's turn if it has one, else it comes last. */
static void count_queued(struct scheduler *scheduler, struct tenant *tenant)
{
    if (tenant->queued_count == 0) {
        list_push_back(&scheduler->waiting, &tenant->waiting_link);
    }
    tenant->queued_count++;
    scheduler->queued_count++;
}

static void unlist_queued(struct scheduler *scheduler, struct sequence *sequence)
{
    struct tenant *tenant = state_tenant(scheduler, sequence->tenant);
    list_remove(&sequence->tenant_link);
    tenant->queued_count--;
    scheduler->queued_count--;
    if (tenant->queued_count == 0) {
        list_remove(&tenant->waiting_link);
    }
}

static void unlist_running(struct scheduler *scheduler, struct sequence *sequence)
{
    list_remove(&sequence->tenant_link);
    state_tenant(scheduler, sequence->tenant)->running_count--;
}

/* ---- life ----------------------------------------------------------------------------------- */

struct sequence *sequences_add(struct scheduler *scheduler, const struct scheduler_request *request,
                               const uint32_t *prompt)
{
    struct sequence *sequence = LIST_RECORD(scheduler->unused.next, struct sequence, tenant_link);
    list_remove(&sequence->tenant_link);
    sequence->id = request->id;
    sequence->tenant = request->tenant;
    sequence->arrival = ++scheduler->arrivals;
    sequence->prompt_count = request->prompt_count;
    sequence->output_max = request->output_max;
    sequence->token_count = request->prompt_count;
    sequence->stop_count = request->stop_count;
    sequence->sampling = request->sampling;
    memcpy(sequence->stop_ids, request->stop_ids, sizeof sequence->stop_ids);
    memcpy(sequence->tokens, prompt, request->prompt_count * sizeof *prompt);
    sequences_move(sequence, EVENT_SUBMIT);

    struct tenant *tenant = state_tenant(scheduler, sequence->tenant);
    count_queued(scheduler, tenant);
    list_push_back(&tenant->queued, &sequence->tenant_link);
    list_push_back(bucket_of(scheduler, sequence->id), &sequence->id_link);
    return sequence;
}

void sequences_start(struct scheduler *scheduler, struct sequence *sequence)
{
    unlist_queued(scheduler, sequence);
    sequences_move(sequence, EVENT_ADMIT);
    struct tenant *tenant = state_tenant(scheduler, sequence->tenant);
    list_push_back(&tenant->running, &sequence->tenant_link); /* all that run are older */
    tenant->running_count++;

    uint32_t at = scheduler->running_count;
    ASSERT(at < scheduler->config.running_max);
    while (at > 0 && scheduler->running[at - 1]->arrival > sequence->arrival) {
        scheduler->running[at] = scheduler->running[at - 1];
        at--;
    }
    scheduler->running[at] = sequence;
    scheduler->running_count++;
}

static void give_back_pages(struct scheduler *scheduler, struct sequence *sequence)
{
    for (uint32_t i = 0; i < sequence->page_count; i++) {
        page_pool_give_back(scheduler->pool, sequence->tenant, sequence->pages[i]);
    }
    sequence->page_count = 0;
    sequence->computed_count = 0;
}

void sequences_preempt(struct scheduler *scheduler, struct sequence *sequence)
{
    struct tenant *tenant = state_tenant(scheduler, sequence->tenant);
    unlist_running(scheduler, sequence);
    sequences_move(sequence, EVENT_PREEMPT);
    give_back_pages(scheduler, sequence);
    count_queued(scheduler, tenant);
    list_push_front(&tenant->queued, &sequence->tenant_link); /* all that are queued are newer */
    tenant->preemptions++;
}

void sequences_end(struct scheduler *scheduler, struct sequence *sequence, enum request_event event)
{
    if (sequence->phase == PHASE_QUEUED) {
        unlist_queued(scheduler, sequence);
    } else {
        unlist_running(scheduler, sequence);
    }
    sequences_move(sequence, event);
    list_remove(&sequence->id_link);
}

void sequences_sweep(struct scheduler *scheduler)
{
    uint32_t kept_count = 0;
    for (uint32_t i = 0; i < scheduler->running_count; i++) {
        struct sequence *sequence = scheduler->running[i];
        if (sequence->phase == PHASE_PREFILL || sequence->phase == PHASE_DECODE) {
            scheduler->running[kept_count++] = sequence;
        }
    }
    scheduler->running_count = kept_count;
}

void sequences_erase(struct scheduler *scheduler, struct sequence *sequence)
{
    give_back_pages(scheduler, sequence);
    memset(sequence->tokens, 0, sequence->token_count * sizeof *sequence->tokens);
    *sequence = (struct sequence){.tokens = sequence->tokens, .pages = sequence->pages};
    list_push_front(&scheduler->unused, &sequence->tenant_link);
}
