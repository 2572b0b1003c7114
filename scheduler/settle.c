/* settle.c - takes the results of a step: tokens are kept and reported, what is over ends. A
 * sequence that was cancelled in flight is silent; its pages go back only now, since the plan named
 * them. */
#include "scheduler/state.h"

static bool is_stop(const struct sequence *sequence, uint32_t token)
{
    for (uint32_t i = 0; i < sequence->stop_count; i++) {
        if (sequence->stop_ids[i] == token) {
            return true;
        }
    }
    return false;
}

static void finish(struct scheduler *scheduler, struct sequence *sequence,
                   enum scheduler_finish finish, struct scheduler_event *out)
{
    *out = (struct scheduler_event){.kind = SCHEDULER_EVENT_FINISHED,
                                    .id = sequence->id,
                                    .tenant = sequence->tenant,
                                    .finish = finish};
    sequences_end(scheduler, sequence, finish == FINISH_FAILED ? EVENT_FAULT : EVENT_STOP);
    sequences_erase(scheduler, sequence);
}

/* The rows of one sequence are computed; writes 0 to 2 events and returns how many. */
static uint32_t advance(struct scheduler *scheduler, struct sequence *sequence,
                        const struct engine_sequence *rows, const struct engine_token *token,
                        struct scheduler_event *out)
{
    sequence->computed_count += rows->row_count;
    if (!rows->samples) {
        return 0;
    }
    ASSERT(token->id < scheduler->config.shape.vocabulary_count);
    if (sequence->phase == PHASE_PREFILL) {
        sequences_move(sequence, EVENT_PREFILLED);
    }
    sequence->tokens[sequence->token_count++] = token->id;
    state_tenant(scheduler, sequence->tenant)->output_tokens++;
    out[0] = (struct scheduler_event){.kind = SCHEDULER_EVENT_TOKEN,
                                      .id = sequence->id,
                                      .tenant = sequence->tenant,
                                      .token = token};
    if (is_stop(sequence, token->id)) {
        finish(scheduler, sequence, FINISH_STOP, &out[1]);
        return 2;
    }
    if (sequence->token_count - sequence->prompt_count == sequence->output_max) {
        finish(scheduler, sequence, FINISH_LENGTH, &out[1]);
        return 2;
    }
    return 1;
}

/* What was not in the failed step goes back to the queue, newest first so that the queue stays in
 * order: the engine may have lost every page. */
static void restart_survivors(struct scheduler *scheduler)
{
    sequences_sweep(scheduler);
    for (uint32_t i = scheduler->running_count; i > 0; i--) {
        sequences_preempt(scheduler, scheduler->running[i - 1]);
    }
}

uint32_t settle_results(struct scheduler *scheduler, enum status step_status,
                        const struct engine_token *tokens, struct scheduler_event *out)
{
    uint32_t event_count = 0;
    page_pool_scrub_done(scheduler->pool);
    for (uint32_t i = 0; i < scheduler->batch_count; i++) {
        struct sequence *sequence = scheduler->members[i];
        if (sequence->phase == PHASE_CANCELLED) {
            continue;
        }
        if (step_status == STATUS_OK) {
            event_count +=
                advance(scheduler, sequence, &scheduler->batch[i], &tokens[i], &out[event_count]);
        } else {
            finish(scheduler, sequence, FINISH_FAILED, &out[event_count]);
            event_count++;
        }
    }
    if (step_status != STATUS_OK) {
        restart_survivors(scheduler);
    }
    while (!list_is_empty(&scheduler->retired)) {
        struct list_link *link = scheduler->retired.next;
        list_remove(link);
        sequences_erase(scheduler, LIST_RECORD(link, struct sequence, tenant_link));
    }
    sequences_sweep(scheduler);
    if (step_status != STATUS_OK) {
        page_pool_distrust(scheduler->pool);
    }
    scheduler->steps++;
    return event_count;
}
