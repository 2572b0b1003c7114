/* engine_thread.c - one round: hear what came in, run a step, say what came of it. A round starts
 * only when the outbound ring has room for all that it can say, so that no event is lost, and the
 * one thing the engine can wait for is the delivery thread, which only copies. */
#include "server/engine/engine_thread.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"

enum {
    PROMPT_CONTEXTS_MAX = 4, /* contexts' worth of prompt tokens in one request */
    INBOUND_A_ROUND_MAX = 256,
    COUNTS_EVERY_NS = 100 * 1000 * 1000,
    IDLE_MS = 1000,
    BEHIND_NS = 200 * 1000,
    BACKOFF_MS_MAX = 60 * 1000
};

struct engine_thread {
    struct engine engine;
    struct engine_rebuild rebuild;
    struct scheduler_config scheduler_config;
    struct ring *inbound, *outbound;
    struct metrics *metrics;
    size_t message_bytes_max, round_bytes_max;
    pthread_t thread;
    bool has_thread;
    sem_t has_warmed_up; /* or failed to */
    _Atomic bool is_stopping;
    _Atomic int state; /* enum engine_loop_state */
    _Atomic uint32_t losses_told;

    struct arena *scheduler_arena; /* its own, so that a rebuild starts with a fresh one */
    struct scheduler *scheduler;
    struct arena *arena;               /* holds all that follows */
    struct scheduler_request *request; /* the one being submitted */
    struct scheduler_event *events;    /* [scheduler_events_max] */
    struct engine_token *tokens;       /* [step_sequences_max] */
    unsigned char *message;            /* [message_bytes_max]: the one being heard */
    unsigned char *batch;              /* [OUTBOUND_BATCH_BYTES]: said, not pushed yet */
    size_t batch_bytes;

    uint32_t losses, rebuild_attempts; /* attempts: since the last good step */
    uint64_t rebuild_at_ns;            /* the next attempt */
    bool has_rested;                   /* since the last step: nothing was there to run */
    bool is_rebuilt;                   /* ready once all that waited in the ring is answered */
    uint64_t counted_ns;
    bool has_tenant[LIMIT_TENANTS + 1];
    uint32_t tenants[LIMIT_TENANTS], tenant_count; /* seen so far: the ones to publish */
};

/* ---- what it says ------------------------------------------------------------ */

static void flush(struct engine_thread *thread)
{
    if (thread->batch_bytes > 0) {
        const enum status status =
            ring_push(thread->outbound, thread->batch, thread->batch_bytes, NULL, 0);
        ASSERT(status == STATUS_OK); /* has_room() saw to it */
        memset(thread->batch, 0, thread->batch_bytes);
        thread->batch_bytes = 0;
    }
}

static void say(struct engine_thread *thread, struct outbound_event event,
                const struct engine_token *token)
{
    if (thread->batch_bytes + OUTBOUND_EVENT_BYTES_MAX > OUTBOUND_BATCH_BYTES) {
        flush(thread);
    }
    unsigned char *at = thread->batch + thread->batch_bytes;
    memcpy(at, &event, sizeof event);
    at += sizeof event;
    for (uint32_t i = 0; token && i < event.top_count; i++) {
        const struct token_record top = {token->top_ids[i], token->top_logprobs[i]};
        memcpy(at, &top, sizeof top);
        at += sizeof top;
    }
    thread->batch_bytes = (size_t)(at - thread->batch);
}

static bool has_room(struct engine_thread *thread)
{
    return ring_free_bytes(thread->outbound) >= thread->round_bytes_max;
}

static bool is_ready(const struct engine_thread *thread)
{
    return atomic_load(&thread->state) == ENGINE_LOOP_READY;
}

static void say_lost(struct engine_thread *thread, enum status status)
{
    const bool is_serving = is_ready(thread);
    const bool can_rebuild = is_serving && thread->rebuild.run;
    atomic_store(&thread->state, can_rebuild ? ENGINE_LOOP_REBUILDING : ENGINE_LOOP_LOST);
    log_event(LOG_LEVEL_ERROR, "engine", "lost", "status=%s rebuilds=%s", status_name(status),
              can_rebuild ? "true" : "false");
    thread->losses++;
    say(thread, (struct outbound_event){.kind = OUTBOUND_LOST}, NULL);
}

/* ---- what it hears ------------------------------------------------------------ */

static void note_tenant(struct engine_thread *thread, struct tenant_id tenant)
{
    if (!thread->has_tenant[tenant.value]) {
        thread->has_tenant[tenant.value] = true;
        thread->tenants[thread->tenant_count++] = tenant.value;
    }
}

static enum status submit_sequence(struct engine_thread *thread,
                                   const struct submit_message *message, uint32_t sequence,
                                   const uint32_t *tokens)
{
    const struct engine_request *from = &message->request;
    struct scheduler_request *request = thread->request;
    request->id.value = message->ticket + sequence;
    request->tenant = from->tenant;
    request->prompt_count = from->prompts[sequence / from->sample_count].token_count;
    request->output_max = from->prompts[sequence / from->sample_count].output_max;
    request->stop_count = from->stop_count;
    memcpy(request->stop_ids, from->stop_ids, sizeof request->stop_ids);
    request->sampling = from->sampling;
    request->sampling.seed += sequence % from->sample_count;
    return scheduler_submit(thread->scheduler, request, tokens);
}

/* All sequences of the request or none. */
static enum status submit(struct engine_thread *thread, const struct submit_message *message,
                          const uint32_t *tokens)
{
    const struct engine_request *request = &message->request;
    const uint32_t sequence_count = request->prompt_count * request->sample_count;
    enum status status = STATUS_OK;
    uint32_t prompt_tokens = 0, done = 0;
    for (; done < sequence_count && status == STATUS_OK; done++) {
        if (done > 0 && done % request->sample_count == 0) {
            prompt_tokens += request->prompts[done / request->sample_count - 1].token_count;
        }
        status = submit_sequence(thread, message, done, tokens + prompt_tokens);
    }
    if (status == STATUS_OK) {
        prompt_tokens += request->prompts[request->prompt_count - 1].token_count;
        note_tenant(thread, request->tenant);
        metrics_count_tokens(thread->metrics, request->tenant, prompt_tokens, 0);
        return STATUS_OK;
    }
    for (uint32_t i = 0; i + 1 < done; i++) {
        const struct request_id id = {message->ticket + i};
        const enum status unused = scheduler_cancel(thread->scheduler, id);
        (void)unused; /* it was accepted a moment ago and has not run */
    }
    return status;
}

static void hear_cancel(struct engine_thread *thread, const struct cancel_message *message)
{
    for (uint32_t i = 0; i < LIMIT_SAMPLES; i++) {
        if (message->sequences.bits[i / 64] >> (i % 64) & 1) {
            const struct request_id id = {message->ticket + i};
            const enum status unused = scheduler_cancel(thread->scheduler, id);
            (void)unused; /* not found: it has just ended, or was never accepted */
        }
    }
}

/* Returns how many messages there were. */
static uint32_t hear(struct engine_thread *thread)
{
    uint32_t count = 0;
    for (; count < INBOUND_A_ROUND_MAX; count++) {
        const size_t length = ring_pop(thread->inbound, thread->message, thread->message_bytes_max);
        if (length == 0) {
            break;
        }
        const struct submit_message *message = (const void *)thread->message;
        if (message->kind == INBOUND_CANCEL) {
            hear_cancel(thread, (const void *)thread->message);
        } else {
            const enum status status =
                is_ready(thread)
                    ? submit(thread, message, (const void *)(thread->message + sizeof *message))
                : atomic_load(&thread->state) == ENGINE_LOOP_REBUILDING ? STATUS_UNAVAILABLE
                                                                        : STATUS_DEVICE;
            say(thread,
                (struct outbound_event){
                    .id = message->ticket, .kind = OUTBOUND_ADMISSION, .value = (uint32_t)status},
                NULL);
        }
        memset(thread->message, 0, length); /* it held a prompt */
    }
    return count;
}

/* ---- a step ------------------------------------------------------------------- */

static void say_event(struct engine_thread *thread, const struct scheduler_event *event)
{
    const bool is_token = event->kind == SCHEDULER_EVENT_TOKEN;
    say(thread,
        (struct outbound_event){
            .id = event->id.value,
            .kind = is_token ? OUTBOUND_TOKEN : OUTBOUND_FINISHED,
            .value = is_token ? event->token->id : (uint32_t)event->finish,
            .logprob = is_token ? event->token->logprob : 0.0F,
            .top_count = is_token ? event->token->top_count : 0,
        },
        event->token);
    if (is_token) {
        metrics_count_tokens(thread->metrics, event->tenant, 0, 1);
    }
}

static void publish_counts(struct engine_thread *thread, bool is_due)
{
    const uint64_t now_ns = clock_monotonic_ns();
    if (!is_due && now_ns - thread->counted_ns < COUNTS_EVERY_NS) {
        return;
    }
    thread->counted_ns = now_ns;
    struct scheduler_counts counts = scheduler_counts(thread->scheduler);
    metrics_set_counts(thread->metrics, (struct tenant_id){0}, &counts);
    if (thread->engine.times) {
        struct engine_times times;
        thread->engine.times(thread->engine.self, &times);
        metrics_set_times(thread->metrics, &times);
    }
    for (uint32_t i = 0; i < thread->tenant_count; i++) {
        const struct tenant_id tenant = {thread->tenants[i]};
        counts = scheduler_tenant_counts(thread->scheduler, tenant);
        metrics_set_counts(thread->metrics, tenant, &counts);
    }
}

/* False: there was nothing to run. */
static bool step(struct engine_thread *thread)
{
    struct engine_plan plan;
    if (!is_ready(thread) || !scheduler_plan(thread->scheduler, &plan)) {
        return false;
    }
    const struct engine *engine = &thread->engine;
    const uint64_t start_ns = clock_monotonic_ns();
    plan.is_after_rest = thread->has_rested;
    thread->has_rested = false;
    enum status status = engine->launch(engine->self, &plan);
    if (status == STATUS_OK) {
        status = engine->settle(engine->self, thread->tokens);
    }
    metrics_count_step(thread->metrics, clock_monotonic_ns() - start_ns);
    const uint32_t event_count =
        scheduler_settle(thread->scheduler, status, thread->tokens, thread->events);
    bool has_end = false;
    for (uint32_t i = 0; i < event_count; i++) {
        say_event(thread, &thread->events[i]);
        has_end = has_end || thread->events[i].kind == SCHEDULER_EVENT_FINISHED;
    }
    publish_counts(thread, has_end); /* before anybody can read of the end */
    if (status == STATUS_OK) {
        thread->rebuild_attempts = 0;
    } else {
        say_lost(thread, status);
        thread->rebuild_at_ns = clock_monotonic_ns();
    }
    return true;
}

/* One token through the whole model, then its page is zeroed: both paths of a step have run, memory
 * has been touched, and no request pays for it. */
static enum status warm_up(struct engine_thread *thread)
{
    const struct engine *engine = &thread->engine;
    const uint32_t token = 0;
    const struct page_id page = {0};
    struct engine_sampling *sampling = &thread->request->sampling;
    *sampling = (struct engine_sampling){.top_p = 1.0F, .repetition_penalty = 1.0F};
    const struct engine_sequence sequence = {.tokens = &token,
                                             .token_count = 1,
                                             .prompt_count = 1,
                                             .row_count = 1,
                                             .pages = &page,
                                             .page_count = 1,
                                             .sampling = sampling,
                                             .samples = true};
    const struct engine_plan plans[] = {
        {.sequences = &sequence, .sequence_count = 1, .row_count = 1},
        {.scrub_pages = &page, .scrub_count = 1},
    };
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        enum status status = engine->launch(engine->self, &plans[i]);
        if (status == STATUS_OK) {
            status = engine->settle(engine->self, thread->tokens);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* ---- a rebuild --------------------------------------------------------------- */

static enum status restart_scheduler(struct engine_thread *thread)
{
    const struct scheduler_config *config = &thread->scheduler_config;
    struct arena *arena = NULL;
    const enum status status = arena_create(scheduler_arena_bytes(config), &arena);
    if (status == STATUS_OK) {
        arena_destroy(thread->scheduler_arena); /* the new one is zeroed: no prompt stays */
        thread->scheduler_arena = arena;
        thread->scheduler = scheduler_create(arena, config);
        arena_seal(arena);
    }
    return status;
}

static enum status rebuild_once(struct engine_thread *thread, struct failure *failure)
{
    struct engine engine = {.self = NULL};
    thread->engine = engine; /* run destroys it, even where it fails: nobody may ask it again */
    enum status status = thread->rebuild.run(thread->rebuild.context, &engine, failure);
    if (status != STATUS_OK) {
        return status;
    }
    if (memcmp(&engine.shape, &thread->scheduler_config.shape, sizeof engine.shape) != 0) {
        return fail(failure, STATUS_DEVICE, "it has another shape than the one it replaces");
    }
    thread->engine = engine;
    status = restart_scheduler(thread);
    if (status != STATUS_OK) {
        return fail(failure, status, "no memory for the scheduler");
    }
    status = warm_up(thread);
    return status == STATUS_OK ? status : fail(failure, status, "it failed in its first step");
}

static void attempt_rebuild(struct engine_thread *thread)
{
    struct failure failure = {""};
    const uint64_t start_ns = clock_monotonic_ns();
    const enum status status = rebuild_once(thread, &failure);
    const uint64_t end_ns = clock_monotonic_ns();
    thread->rebuild_attempts++;
    if (status == STATUS_OK) {
        thread->is_rebuilt = true;
        metrics_count_rebuild(thread->metrics);
        log_event(LOG_LEVEL_WARN, "engine", "rebuilt", "attempt=%u rebuild_ms=%llu",
                  thread->rebuild_attempts, (unsigned long long)((end_ns - start_ns) / 1000000));
        return;
    }
    const bool is_last = thread->rebuild_attempts >= thread->rebuild.attempts_max;
    uint64_t wait_ms = thread->rebuild.backoff_ms;
    for (uint32_t i = 1; i < thread->rebuild_attempts && wait_ms < BACKOFF_MS_MAX; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < BACKOFF_MS_MAX ? wait_ms : BACKOFF_MS_MAX;
    thread->rebuild_at_ns = end_ns + wait_ms * 1000000;
    log_event(LOG_LEVEL_ERROR, "engine", "rebuild.failed", "attempt=%u next_ms=%llu text=\"%s\"",
              thread->rebuild_attempts, is_last ? 0ULL : (unsigned long long)wait_ms, failure.text);
    if (is_last) {
        atomic_store(&thread->state, ENGINE_LOOP_LOST);
    }
}

/* One round without an engine in which nothing was heard. The new one serves only when everyone
 * who came before it has been told. */
static void go_on_rebuilding(struct engine_thread *thread)
{
    const uint64_t now_ns = clock_monotonic_ns();
    if (thread->is_rebuilt) {
        if (atomic_load(&thread->losses_told) == thread->losses) {
            thread->is_rebuilt = false;
            atomic_store(&thread->state, ENGINE_LOOP_READY);
        } else {
            nanosleep(&(struct timespec){.tv_nsec = BEHIND_NS}, NULL);
        }
    } else if (now_ns < thread->rebuild_at_ns) {
        const uint64_t wait_ms = (thread->rebuild_at_ns - now_ns) / 1000000 + 1;
        ring_wait(thread->inbound, wait_ms < IDLE_MS ? (uint32_t)wait_ms : IDLE_MS);
    } else if (thread->rebuild_attempts >= thread->rebuild.attempts_max) {
        log_event(LOG_LEVEL_ERROR, "engine", "given.up", "attempts=%u", thread->rebuild_attempts);
        atomic_store(&thread->state, ENGINE_LOOP_LOST);
    } else {
        attempt_rebuild(thread);
    }
}

static void *engine_main(void *context)
{
    struct engine_thread *thread = context;
    const uint64_t start_ns = clock_monotonic_ns();
    const enum status status = warm_up(thread);
    if (status == STATUS_OK) {
        atomic_store(&thread->state, ENGINE_LOOP_READY);
        log_event(LOG_LEVEL_INFO, "engine", "warm", "warm_up_ms=%llu",
                  (unsigned long long)((clock_monotonic_ns() - start_ns) / 1000000));
    } else {
        say_lost(thread, status);
    }
    sem_post(&thread->has_warmed_up);
    while (!atomic_load(&thread->is_stopping)) {
        if (!has_room(thread)) {
            nanosleep(&(struct timespec){.tv_nsec = BEHIND_NS}, NULL);
            continue;
        }
        const uint32_t heard = hear(thread);
        flush(thread); /* whoever was accepted need not wait for a step to learn it */
        const bool has_run = step(thread);
        const bool is_idle = heard == 0 && !has_run;
        flush(thread);
        if (is_idle && atomic_load(&thread->state) == ENGINE_LOOP_REBUILDING) {
            go_on_rebuilding(thread);
        } else if (is_idle) {
            publish_counts(thread, true);
            thread->has_rested = true;
            ring_wait(thread->inbound, IDLE_MS);
        }
    }
    return NULL;
}

/* ---- create and stop ------------------------------------------------------------------------- */

size_t engine_thread_message_bytes_max(const struct scheduler_config *config)
{
    const size_t tokens_max = (size_t)PROMPT_CONTEXTS_MAX * config->shape.context_tokens_max;
    return sizeof(struct submit_message) + tokens_max * sizeof(uint32_t);
}

/* Each sequence of a step says a token and an end, each message heard is answered, and the engine
 * may be lost. A batch is pushed when it is at least half full, and what was heard is
 * answered before the step. */
size_t engine_thread_round_bytes_max(const struct scheduler_config *config)
{
    const size_t event_count = 2 * (size_t)config->running_max + INBOUND_A_ROUND_MAX + 1;
    const size_t bytes = event_count * OUTBOUND_EVENT_BYTES_MAX;
    return bytes + (2 * bytes / OUTBOUND_BATCH_BYTES + 2) * RING_MESSAGE_HEADER_BYTES;
}

enum status engine_thread_create(const struct engine_loop_config *config, struct ring *inbound,
                                 struct ring *outbound, struct engine_thread **out,
                                 struct failure *failure)
{
    const size_t running_max = config->scheduler.running_max;
    const size_t token_count = config->engine.shape.step_sequences_max;
    const size_t message_bytes = engine_thread_message_bytes_max(&config->scheduler);
    const size_t arena_bytes = arena_block_bytes(1, sizeof(struct scheduler_request))
                               + arena_block_bytes(2 * running_max, sizeof(struct scheduler_event))
                               + arena_block_bytes(token_count, sizeof(struct engine_token))
                               + arena_block_bytes(1, message_bytes)
                               + arena_block_bytes(1, OUTBOUND_BATCH_BYTES);
    struct engine_thread *thread = calloc(1, sizeof *thread);
    if (!thread) {
        return fail(failure, STATUS_IO, "no memory");
    }
    sem_init(&thread->has_warmed_up, 0, 0);
    thread->scheduler_config = config->scheduler;
    if (arena_create(arena_bytes, &thread->arena) != STATUS_OK
        || restart_scheduler(thread) != STATUS_OK) {
        engine_thread_destroy(thread);
        return fail(failure, STATUS_IO, "no memory for %zu MiB of scheduler state",
                    (arena_bytes + scheduler_arena_bytes(&config->scheduler)) >> 20);
    }
    thread->engine = config->engine;
    thread->rebuild = config->rebuild;
    thread->inbound = inbound;
    thread->outbound = outbound;
    thread->metrics = config->metrics;
    thread->message_bytes_max = message_bytes;
    thread->round_bytes_max = engine_thread_round_bytes_max(&config->scheduler);
    ASSERT(scheduler_events_max(thread->scheduler) <= 2 * running_max);
    thread->request = arena_take(thread->arena, 1, sizeof *thread->request);
    thread->events = arena_take(thread->arena, 2 * running_max, sizeof *thread->events);
    thread->tokens = arena_take(thread->arena, token_count, sizeof *thread->tokens);
    thread->message = arena_take(thread->arena, 1, message_bytes);
    thread->batch = arena_take(thread->arena, 1, OUTBOUND_BATCH_BYTES);
    arena_seal(thread->arena);
    *out = thread;
    return STATUS_OK;
}

void engine_thread_destroy(struct engine_thread *thread)
{
    if (thread) {
        engine_thread_stop(thread);
        sem_destroy(&thread->has_warmed_up);
        arena_destroy(thread->arena);
        arena_destroy(thread->scheduler_arena);
        free(thread);
    }
}

enum status engine_thread_start(struct engine_thread *thread, struct failure *failure)
{
    if (pthread_create(&thread->thread, NULL, engine_main, thread) != 0) {
        return fail(failure, STATUS_IO, "cannot start the engine thread");
    }
    thread->has_thread = true;
    pthread_setname_np(thread->thread, "ward-engine");
    while (sem_wait(&thread->has_warmed_up) != 0) { /* a signal interrupted it */
    }
    return is_ready(thread) ? STATUS_OK
                            : fail(failure, STATUS_DEVICE, "the engine failed in its first step");
}

void engine_thread_stop(struct engine_thread *thread)
{
    if (thread->has_thread) {
        atomic_store(&thread->is_stopping, true);
        ring_wake(thread->inbound);
        pthread_join(thread->thread, NULL);
        thread->has_thread = false;
    }
}

enum engine_loop_state engine_thread_state(const struct engine_thread *thread)
{
    return (enum engine_loop_state)atomic_load(&thread->state);
}

void engine_thread_note_loss_told(struct engine_thread *thread)
{
    atomic_fetch_add(&thread->losses_told, 1);
}
