/* scheduler.c - the face: create, submit, cancel, and the two halves of a step. */
#include "scheduler/scheduler.h"

#include "scheduler/state.h"

/* ---- create --------------------------------------------------------------------------------- */

enum status scheduler_config_check(const struct scheduler_config *config, struct failure *failure)
{
    const struct engine_shape *shape = &config->shape;
    const uint32_t rows_max = shape->step_sequences_max < shape->step_tokens_max
                                  ? shape->step_sequences_max
                                  : shape->step_tokens_max;
    const struct {
        const char *name;
        uint32_t value, max;
    } limits[] = {
        {"page_count", shape->page_count, UINT32_MAX},
        {"page_tokens", shape->page_tokens, LIMIT_CONTEXT_TOKENS},
        {"context_tokens_max", shape->context_tokens_max, LIMIT_CONTEXT_TOKENS},
        {"step_tokens_max", shape->step_tokens_max, LIMIT_STEP_TOKENS},
        {"step_sequences_max", shape->step_sequences_max, LIMIT_SEQUENCES},
        {"vocabulary_count", shape->vocabulary_count, LIMIT_VOCABULARY},
        {"sequences_max", config->sequences_max, LIMIT_SEQUENCES},
        {"running_max", config->running_max, rows_max},
        {"tenant_queued_max", config->tenant_queued_max, UINT32_MAX},
        {"tenant_pages_max", config->tenant_pages_max, UINT32_MAX},
        {"tenant_count", config->tenant_count, LIMIT_TENANTS},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value < 1 || limits[i].value > limits[i].max) {
            return fail(failure, STATUS_INVALID, "%s is %u: allowed are 1 to %u", limits[i].name,
                        limits[i].value, limits[i].max);
        }
    }
    return STATUS_OK;
}

static uint32_t bucket_bits_for(const struct scheduler_config *config)
{
    uint32_t bits = 1;
    while ((1U << bits) < config->sequences_max) {
        bits++;
    }
    return bits;
}

static size_t pages_of_a_sequence(const struct scheduler_config *config)
{
    const struct engine_shape *shape = &config->shape;
    return (shape->context_tokens_max + shape->page_tokens - 1) / shape->page_tokens;
}

size_t scheduler_arena_bytes(const struct scheduler_config *config)
{
    const size_t sequence_count = config->sequences_max;
    const size_t running_count = config->running_max;
    return arena_block_bytes(1, sizeof(struct scheduler))
           + page_pool_arena_bytes(config->shape.page_count, config->tenant_count)
           + arena_block_bytes(sequence_count, sizeof(struct sequence))
           + arena_block_bytes(sequence_count * config->shape.context_tokens_max, sizeof(uint32_t))
           + arena_block_bytes(sequence_count * pages_of_a_sequence(config), sizeof(struct page_id))
           + arena_block_bytes((size_t)1 << bucket_bits_for(config), sizeof(struct list_link))
           + arena_block_bytes((size_t)config->tenant_count + 1, sizeof(struct tenant))
           + 2 * arena_block_bytes(running_count, sizeof(struct sequence *))
           + arena_block_bytes(running_count, sizeof(struct engine_sequence))
           + arena_block_bytes(config->shape.page_count, sizeof(bool));
}

static void create_sequences(struct scheduler *scheduler, struct arena *arena)
{
    const struct scheduler_config *config = &scheduler->config;
    const size_t context_tokens = config->shape.context_tokens_max;
    const size_t page_count = pages_of_a_sequence(config);
    uint32_t *tokens = arena_take(arena, config->sequences_max * context_tokens, sizeof *tokens);
    struct page_id *pages = arena_take(arena, config->sequences_max * page_count, sizeof *pages);
    scheduler->sequences = arena_take(arena, config->sequences_max, sizeof(struct sequence));
    for (uint32_t i = 0; i < config->sequences_max; i++) {
        scheduler->sequences[i].tokens = tokens + i * context_tokens;
        scheduler->sequences[i].pages = pages + i * page_count;
        list_push_back(&scheduler->unused, &scheduler->sequences[i].tenant_link);
    }
}

struct scheduler *scheduler_create(struct arena *arena, const struct scheduler_config *config)
{
    ASSERT(scheduler_config_check(config, NULL) == STATUS_OK);
    const uint32_t bucket_bits = bucket_bits_for(config);
    const size_t running_max = config->running_max;
    const size_t tenants_count = (size_t)config->tenant_count + 1;
    struct scheduler *scheduler = arena_take(arena, 1, sizeof *scheduler);
    *scheduler = (struct scheduler){
        .config = *config,
        .pool = page_pool_create(arena, config->shape.page_count, config->tenant_pages_max,
                                 config->tenant_count),
        .buckets = arena_take(arena, (size_t)1 << bucket_bits, sizeof(struct list_link)),
        .bucket_bits = bucket_bits,
        .tenants = arena_take(arena, tenants_count, sizeof(struct tenant)),
        .running = arena_take(arena, running_max, sizeof(struct sequence *)),
        .members = arena_take(arena, running_max, sizeof(struct sequence *)),
        .batch = arena_take(arena, running_max, sizeof(struct engine_sequence)),
        .page_marks = arena_take(arena, config->shape.page_count, sizeof(bool)),
    };
    list_init(&scheduler->unused);
    list_init(&scheduler->retired);
    list_init(&scheduler->waiting);
    for (size_t i = 0; i < (size_t)1 << bucket_bits; i++) {
        list_init(&scheduler->buckets[i]);
    }
    for (size_t i = 0; i < tenants_count; i++) {
        list_init(&scheduler->tenants[i].queued);
        list_init(&scheduler->tenants[i].running);
    }
    create_sequences(scheduler, arena);
    return scheduler;
}

/* ---- requests ------------------------------------------------------------------------------- */

static bool has_known_tokens(const struct scheduler *scheduler,
                             const struct scheduler_request *request, const uint32_t *prompt)
{
    const uint32_t vocabulary_count = scheduler->config.shape.vocabulary_count;
    uint32_t largest = 0;
    for (uint32_t i = 0; i < request->prompt_count; i++) {
        largest = prompt[i] > largest ? prompt[i] : largest;
    }
    for (uint32_t i = 0; i < request->stop_count; i++) {
        largest = request->stop_ids[i] > largest ? request->stop_ids[i] : largest;
    }
    for (uint32_t i = 0; i < request->sampling.bias_count; i++) {
        const uint32_t id = request->sampling.bias[i].id;
        largest = id > largest ? id : largest;
    }
    return largest < vocabulary_count;
}

enum status scheduler_submit(struct scheduler *scheduler, const struct scheduler_request *request,
                             const uint32_t *prompt)
{
    const struct scheduler_config *config = &scheduler->config;
    if (request->tenant.value < 1 || request->tenant.value > config->tenant_count
        || request->prompt_count < 1 || request->output_max < 1
        || request->stop_count > LIMIT_STOP_TOKENS
        || request->sampling.bias_count > LIMIT_LOGIT_BIAS
        || request->sampling.top_logprobs_count > LIMIT_TOP_LOGPROBS) {
        return STATUS_INVALID;
    }
    if (!admit_could_ever_run(scheduler, request)) {
        return STATUS_TOO_LARGE;
    }
    if (!has_known_tokens(scheduler, request, prompt)) {
        return STATUS_INVALID;
    }
    struct tenant *tenant = state_tenant(scheduler, request->tenant);
    if (tenant->queued_count >= config->tenant_queued_max) {
        return STATUS_QUOTA;
    }
    if (list_is_empty(&scheduler->unused)) {
        return STATUS_FULL;
    }
    ASSERT(!sequences_find(scheduler, request->id));
    sequences_add(scheduler, request, prompt);
    tenant->prompt_tokens += request->prompt_count;
    return STATUS_OK;
}

enum status scheduler_cancel(struct scheduler *scheduler, struct request_id id)
{
    struct sequence *sequence = sequences_find(scheduler, id);
    if (!sequence) {
        return STATUS_NOT_FOUND;
    }
    const bool may_be_in_plan = scheduler->is_in_flight && sequence->phase != PHASE_QUEUED;
    sequences_end(scheduler, sequence, EVENT_CANCEL);
    sequences_sweep(scheduler);
    if (may_be_in_plan) {
        list_push_back(&scheduler->retired, &sequence->tenant_link);
    } else {
        sequences_erase(scheduler, sequence);
    }
    return STATUS_OK;
}

/* ---- step ----------------------------------------------------------------------------------- */

bool scheduler_plan(struct scheduler *scheduler, struct engine_plan *out)
{
    ASSERT(!scheduler->is_in_flight);
    step_fill(scheduler);
    *out = (struct engine_plan){.sequences = scheduler->batch,
                                .sequence_count = scheduler->batch_count,
                                .row_count = scheduler->batch_rows};
    out->scrub_pages = page_pool_scrub_list(scheduler->pool, &out->scrub_count);
    scheduler->is_in_flight = out->sequence_count > 0 || out->scrub_count > 0;
    return scheduler->is_in_flight;
}

uint32_t scheduler_settle(struct scheduler *scheduler, enum status step_status,
                          const struct engine_token *tokens, struct scheduler_event *out)
{
    ASSERT(scheduler->is_in_flight);
    const uint32_t event_count = settle_results(scheduler, step_status, tokens, out);
    scheduler->is_in_flight = false;
    return event_count;
}

uint32_t scheduler_events_max(const struct scheduler *scheduler)
{
    return 2 * scheduler->config.running_max; /* each sequence: its token and its end */
}

/* ---- counts --------------------------------------------------------------------------------- */

struct scheduler_counts scheduler_tenant_counts(const struct scheduler *scheduler,
                                                struct tenant_id tenant)
{
    ASSERT(tenant.value >= 1 && tenant.value <= scheduler->config.tenant_count);
    const struct tenant *state = state_tenant(scheduler, tenant);
    return (struct scheduler_counts){
        .queued = state->queued_count,
        .running = state->running_count,
        .pages_used = page_pool_held_count(scheduler->pool, tenant),
        .pages_total = scheduler->config.tenant_pages_max,
        .preemptions = state->preemptions,
        .steps = scheduler->steps,
        .prompt_tokens = state->prompt_tokens,
        .output_tokens = state->output_tokens,
    };
}

struct scheduler_counts scheduler_counts(const struct scheduler *scheduler)
{
    const uint32_t page_count = scheduler->config.shape.page_count;
    struct scheduler_counts counts = {
        .queued = scheduler->queued_count,
        .running = scheduler->running_count,
        .pages_used = page_count - page_pool_free_count(scheduler->pool),
        .pages_total = page_count,
        .steps = scheduler->steps,
    };
    for (uint32_t i = 1; i <= scheduler->config.tenant_count; i++) {
        counts.preemptions += scheduler->tenants[i].preemptions;
        counts.prompt_tokens += scheduler->tenants[i].prompt_tokens;
        counts.output_tokens += scheduler->tenants[i].output_tokens;
    }
    return counts;
}

void scheduler_check(const struct scheduler *scheduler)
{
    invariants_check(scheduler);
}
