/* invariants.c - what must hold between any two calls. Each line is a promise of README.md. */
#include <string.h>

#include "scheduler/state.h"

static bool is_running(const struct sequence *sequence)
{
    return sequence->phase == PHASE_PREFILL || sequence->phase == PHASE_DECODE;
}

/* A page is in the table of one sequence, once, and its tenant holds it. Returns how many. */
static uint32_t check_pages(const struct scheduler *scheduler, const struct sequence *sequence)
{
    for (uint32_t i = 0; i < sequence->page_count; i++) {
        const struct page_id page = sequence->pages[i];
        ASSERT(tenant_same(page_pool_holder(scheduler->pool, page), sequence->tenant));
        ASSERT(!scheduler->page_marks[page.value]);
        scheduler->page_marks[page.value] = true;
    }
    return sequence->page_count;
}

static void check_known(const struct scheduler *scheduler, const struct sequence *sequence)
{
    ASSERT(sequences_find(scheduler, sequence->id) == sequence);
    ASSERT(sequence->token_count >= sequence->prompt_count);
    ASSERT(sequence->token_count < sequence->prompt_count + sequence->output_max);
    ASSERT(sequence->token_count < scheduler->config.shape.context_tokens_max);
}

static void check_running(const struct scheduler *scheduler, const struct sequence *sequence)
{
    check_known(scheduler, sequence);
    ASSERT(is_running(sequence));
    if (sequence->phase == PHASE_DECODE) {
        ASSERT(sequence->computed_count == sequence->token_count - 1);
        ASSERT(sequence->page_count >= state_pages_for(scheduler, sequence->computed_count));
    } else {
        ASSERT(sequence->computed_count < sequence->token_count);
        ASSERT(sequence->page_count == state_pages_for(scheduler, sequence->token_count));
    }
    ASSERT(sequence->page_count <= state_pages_for(scheduler, sequence->token_count));
}

static void check_queued(const struct scheduler *scheduler, const struct sequence *sequence)
{
    check_known(scheduler, sequence);
    ASSERT(sequence->phase == PHASE_QUEUED);
    ASSERT(sequence->page_count == 0 && sequence->computed_count == 0);
}

/* Lists of a tenant: in order of arrival, all that run older than all that are queued. */
static void check_tenant(const struct scheduler *scheduler, struct tenant_id id)
{
    const struct tenant *tenant = state_tenant(scheduler, id);
    const struct list_link *const lists[] = {&tenant->running, &tenant->queued};
    uint32_t counts[] = {0, 0}, page_count = 0;
    uint64_t arrival = 0;
    for (size_t i = 0; i < 2; i++) {
        for (struct list_link *at = lists[i]->next; at != lists[i]; at = at->next) {
            const struct sequence *sequence = LIST_RECORD(at, struct sequence, tenant_link);
            ASSERT(tenant_same(sequence->tenant, id));
            ASSERT(sequence->arrival > arrival);
            arrival = sequence->arrival;
            counts[i]++;
            page_count += check_pages(scheduler, sequence);
            if (i == 0) {
                check_running(scheduler, sequence);
            } else {
                check_queued(scheduler, sequence);
            }
        }
    }
    for (struct list_link *at = scheduler->retired.next; at != &scheduler->retired; at = at->next) {
        const struct sequence *sequence = LIST_RECORD(at, struct sequence, tenant_link);
        if (tenant_same(sequence->tenant, id)) {
            page_count += check_pages(scheduler, sequence);
        }
    }
    ASSERT(counts[0] == tenant->running_count && counts[1] == tenant->queued_count);
    ASSERT((tenant->queued_count > 0) == (tenant->waiting_link.next != NULL));
    ASSERT(page_count == page_pool_held_count(scheduler->pool, id));
}

/* Every record is in one place, and an unused one holds nothing of anybody. */
static void check_records(const struct scheduler *scheduler)
{
    uint32_t unused_count = 0, retired_count = 0;
    for (struct list_link *at = scheduler->unused.next; at != &scheduler->unused; at = at->next) {
        const struct sequence *sequence = LIST_RECORD(at, struct sequence, tenant_link);
        ASSERT(sequence->phase == PHASE_NONE && sequence->page_count == 0);
        for (uint32_t i = 0; i < scheduler->config.shape.context_tokens_max; i++) {
            ASSERT(sequence->tokens[i] == 0);
        }
        unused_count++;
    }
    for (struct list_link *at = scheduler->retired.next; at != &scheduler->retired; at = at->next) {
        ASSERT(LIST_RECORD(at, struct sequence, tenant_link)->phase == PHASE_CANCELLED);
        retired_count++;
    }
    ASSERT(retired_count == 0 || scheduler->is_in_flight);
    ASSERT(unused_count + retired_count + scheduler->running_count + scheduler->queued_count
           == scheduler->config.sequences_max);
}

/* The plan in flight stays as it was, within its limits; the oldest that runs is in it. */
static void check_plan(const struct scheduler *scheduler)
{
    const struct engine_shape *shape = &scheduler->config.shape;
    uint32_t row_count = 0;
    bool has_oldest = scheduler->running_count == 0;
    for (uint32_t i = 0; i < scheduler->batch_count; i++) {
        const struct sequence *sequence = scheduler->members[i];
        const struct engine_sequence *rows = &scheduler->batch[i];
        ASSERT(is_running(sequence) || sequence->phase == PHASE_CANCELLED);
        ASSERT(rows->token_count == sequence->token_count && rows->row_count >= 1);
        ASSERT(rows->position_first == sequence->computed_count);
        ASSERT(rows->page_count <= sequence->page_count);
        row_count += rows->row_count;
        has_oldest = has_oldest || sequence == scheduler->running[0]
                     || sequence->phase == PHASE_CANCELLED; /* which may have been the oldest */
    }
    ASSERT(has_oldest);
    ASSERT(row_count == scheduler->batch_rows && row_count <= shape->step_tokens_max);
    ASSERT(scheduler->batch_count <= shape->step_sequences_max);
}

void invariants_check(const struct scheduler *scheduler)
{
    page_pool_check(scheduler->pool);
    memset(scheduler->page_marks, 0, scheduler->config.shape.page_count * sizeof(bool));
    uint32_t running_count = 0, queued_count = 0;
    for (uint32_t i = 1; i <= scheduler->config.tenant_count; i++) {
        check_tenant(scheduler, (struct tenant_id){i});
        running_count += scheduler->tenants[i].running_count;
        queued_count += scheduler->tenants[i].queued_count;
    }
    ASSERT(running_count == scheduler->running_count && queued_count == scheduler->queued_count);
    ASSERT(running_count <= scheduler->config.running_max);
    for (uint32_t i = 1; i < running_count; i++) {
        ASSERT(scheduler->running[i - 1]->arrival < scheduler->running[i]->arrival);
    }
    check_records(scheduler);
    if (scheduler->is_in_flight) {
        check_plan(scheduler);
    }
}
