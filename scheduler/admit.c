/* admit.c - who may come in. Tenants take turns, one sequence a turn; within a tenant, arrival
 * order.
 *
 * A sequence comes in with the pages of all its known tokens, so that only decoding asks for more
 * later. One page for each running sequence must stay free, in the pool and under the tenant's
 * ceiling: each of those takes at most one in page_tokens steps, so that who comes in is not forced
 * out again at once. Where nothing runs nothing is held back, and whatever was accepted fits.
 *
 * Who lacks only pages of its own tenant is passed over and keeps its turn. Who lacks pages of the
 * pool is not: if others might pass, a stream of small requests would starve a large one. */
#include "scheduler/state.h"

bool admit_could_ever_run(const struct scheduler *scheduler,
                          const struct scheduler_request *request)
{
    const struct scheduler_config *config = &scheduler->config;
    const uint64_t token_count = (uint64_t)request->prompt_count + request->output_max;
    if (token_count > config->shape.context_tokens_max) {
        return false;
    }
    /* The last token of the output is reported but never computed on. */
    const uint32_t page_count = state_pages_for(scheduler, (uint32_t)token_count - 1);
    return page_count <= config->shape.page_count && page_count <= config->tenant_pages_max;
}

static bool tenant_has_room(const struct scheduler *scheduler, const struct sequence *sequence)
{
    const uint32_t held_count = page_pool_held_count(scheduler->pool, sequence->tenant);
    const uint32_t running_count = state_tenant(scheduler, sequence->tenant)->running_count;
    const uint64_t page_count = state_pages_for(scheduler, sequence->token_count);
    return held_count + page_count + running_count <= scheduler->config.tenant_pages_max;
}

static bool pool_has_room(const struct scheduler *scheduler, const struct sequence *sequence)
{
    const uint64_t page_count = state_pages_for(scheduler, sequence->token_count);
    return page_count + scheduler->running_count <= page_pool_free_count(scheduler->pool);
}

static void admit(struct scheduler *scheduler, struct sequence *sequence)
{
    const uint32_t page_count = state_pages_for(scheduler, sequence->token_count);
    sequences_start(scheduler, sequence);
    while (sequence->page_count < page_count) {
        const enum status status = page_pool_take(scheduler->pool, sequence->tenant,
                                                  &sequence->pages[sequence->page_count]);
        ASSERT(status == STATUS_OK); /* both have room */
        sequence->page_count++;
    }
}

void admit_waiting(struct scheduler *scheduler)
{
    struct list_link passed_over;
    list_init(&passed_over);
    while (scheduler->running_count < scheduler->config.running_max
           && !list_is_empty(&scheduler->waiting)) {
        struct tenant *tenant = LIST_RECORD(scheduler->waiting.next, struct tenant, waiting_link);
        struct sequence *oldest = LIST_RECORD(tenant->queued.next, struct sequence, tenant_link);
        if (!tenant_has_room(scheduler, oldest)) {
            list_remove(&tenant->waiting_link);
            list_push_back(&passed_over, &tenant->waiting_link);
            continue;
        }
        if (!pool_has_room(scheduler, oldest)) {
            break;
        }
        list_remove(&tenant->waiting_link);
        list_push_back(&scheduler->waiting, &tenant->waiting_link); /* its turn is over */
        admit(scheduler, oldest);
    }
    list_splice_front(&scheduler->waiting, &passed_over);
}
