/* step.c - fills one step: running decodes first, one row each, oldest first; then newcomers are
 * let in, unless memory was short; then prompts get what is left of the budget, oldest first, in
 * chunks.
 *
 * Why it cannot deadlock: seniority is the order of arrival and never changes. Only decoding asks
 * for pages here, and it gets them from a newer sequence or gives up its own. So the oldest that
 * runs is never forced out, is in every step, and ends; and whoever runs has only finitely many
 * older ones. */
#include "scheduler/state.h"

enum { SCRUB_PAGES_A_STEP = 64 }; /* idle dirty pages zeroed in a step, beyond those it takes */

/* True: the pages for token_count are there. False: the sequence was itself the one to go. */
static bool grow(struct scheduler *scheduler, struct sequence *sequence, uint32_t token_count)
{
    const uint32_t page_count = state_pages_for(scheduler, token_count);
    while (sequence->page_count < page_count) {
        const enum status status = page_pool_take(scheduler->pool, sequence->tenant,
                                                  &sequence->pages[sequence->page_count]);
        if (status == STATUS_OK) {
            sequence->page_count++;
            continue;
        }
        const struct tenant *tenant = state_tenant(scheduler, sequence->tenant);
        struct sequence *newest =
            status == STATUS_QUOTA
                ? LIST_RECORD(tenant->running.previous, struct sequence, tenant_link)
                : scheduler->running[scheduler->running_count - 1];
        sequences_preempt(scheduler, newest);
        sequences_sweep(scheduler);
        if (newest == sequence) {
            return false;
        }
    }
    return true;
}

static void put_into_batch(struct scheduler *scheduler, struct sequence *sequence,
                           uint32_t row_count)
{
    const uint32_t end = sequence->computed_count + row_count;
    scheduler->members[scheduler->batch_count] = sequence;
    scheduler->batch[scheduler->batch_count] = (struct engine_sequence){
        .tokens = sequence->tokens,
        .token_count = sequence->token_count,
        .prompt_count = sequence->prompt_count,
        .position_first = sequence->computed_count,
        .row_count = row_count,
        .pages = sequence->pages,
        .page_count = state_pages_for(scheduler, end),
        .sampling = &sequence->sampling,
        .samples = end == sequence->token_count,
    };
    scheduler->batch_count++;
    scheduler->batch_rows += row_count;
}

/* True if memory was enough for all of them. */
static bool fill_decodes(struct scheduler *scheduler)
{
    const uint32_t running_count = scheduler->running_count;
    for (uint32_t i = 0; i < scheduler->running_count;) {
        struct sequence *sequence = scheduler->running[i];
        if (sequence->phase == PHASE_DECODE) {
            if (!grow(scheduler, sequence, sequence->token_count)) {
                continue; /* the next one has moved to i */
            }
            put_into_batch(scheduler, sequence, 1);
        }
        i++;
    }
    return scheduler->running_count == running_count;
}

static void fill_prefills(struct scheduler *scheduler)
{
    for (uint32_t i = 0; i < scheduler->running_count; i++) {
        struct sequence *sequence = scheduler->running[i];
        const uint32_t budget = scheduler->config.shape.step_tokens_max - scheduler->batch_rows;
        if (budget == 0) {
            return;
        }
        if (sequence->phase == PHASE_PREFILL) {
            const uint32_t left = sequence->token_count - sequence->computed_count;
            put_into_batch(scheduler, sequence, left < budget ? left : budget);
        }
    }
}

void step_fill(struct scheduler *scheduler)
{
    scheduler->batch_count = 0;
    scheduler->batch_rows = 0;
    if (fill_decodes(scheduler)) {
        admit_waiting(scheduler);
    }
    fill_prefills(scheduler);
    page_pool_scrub(scheduler->pool, SCRUB_PAGES_A_STEP);
}
