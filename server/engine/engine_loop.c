/* engine_loop.c - the face of the engine: the rings, the tickets and the delivery thread. */
#include "server/engine/engine_loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "server/engine/engine_thread.h"
#include "server/engine/engine_tickets.h"

enum { IDLE_MS = 1000, RETRY_CANCELS_MS = 10, RINGS_SPARE_BYTES = 1 << 20 };

struct engine_loop {
    struct ring *inbound, *outbound;
    struct tickets *tickets;
    struct engine_thread *engine_thread;
    size_t message_bytes_max;
    pthread_t delivery_thread;
    bool has_delivery;
    _Atomic bool is_stopping;
    void (*wake)(void *context, uint64_t handle);
    void *wake_context;

    /* delivery thread only */
    _Alignas(uint64_t) unsigned char delivered[OUTBOUND_BATCH_BYTES];
    uint64_t handles[OUTBOUND_BATCH_BYTES / sizeof(struct outbound_event)];
    uint64_t round;
};

/* ---- delivery thread ------------------------------------------------------------------------- */

void engine_loop_fail_all(struct engine_loop *loop, enum status status)
{
    for (uint32_t i = 0; i < tickets_count(loop->tickets); i++) {
        uint64_t handle = 0;
        if (tickets_fail(loop->tickets, i, status, &handle)) {
            loop->wake(loop->wake_context, handle);
        }
    }
}

static void deliver(struct engine_loop *loop, size_t length)
{
    const uint64_t now_ns = clock_monotonic_ns();
    size_t handle_count = 0;
    loop->round++;
    for (size_t at = 0; at < length;) {
        const struct outbound_event *event = (const void *)(loop->delivered + at);
        const struct token_record *tops = (const void *)(event + 1);
        uint64_t handle = 0;
        if (event->kind == OUTBOUND_LOST) {
            engine_loop_fail_all(loop, STATUS_DEVICE);
            engine_thread_note_loss_told(loop->engine_thread);
        } else if (tickets_deliver(loop->tickets, event, tops, loop->round, now_ns, &handle)) {
            loop->handles[handle_count++] = handle;
        }
        at += sizeof *event + event->top_count * sizeof *tops;
    }
    memset(loop->delivered, 0, length);
    for (size_t i = 0; i < handle_count; i++) {
        loop->wake(loop->wake_context, loop->handles[i]);
    }
}

static void *delivery_main(void *context)
{
    struct engine_loop *loop = context;
    while (!atomic_load(&loop->is_stopping)) {
        const size_t length = ring_pop(loop->outbound, loop->delivered, OUTBOUND_BATCH_BYTES);
        if (length > 0) {
            deliver(loop, length);
        }
        tickets_retry_cancels(loop->tickets);
        if (length == 0) {
            ring_wait(loop->outbound,
                      tickets_has_cancels(loop->tickets) ? RETRY_CANCELS_MS : IDLE_MS);
        }
    }
    return NULL;
}

/* ---- create and stop ------------------------------------------------------------------------- */

/* A ring of the configured size, or by default of twice what it must hold at once. */
static enum status create_ring(const char *name, uint32_t configured_bytes, size_t least_bytes,
                               struct ring **out, struct failure *failure)
{
    const size_t bytes = configured_bytes ? configured_bytes : 2 * least_bytes + RINGS_SPARE_BYTES;
    if (bytes < least_bytes) {
        return fail(failure, STATUS_INVALID, "%s is %zu: the least is %zu", name, bytes,
                    least_bytes);
    }
    if (ring_create(bytes, out) != STATUS_OK) {
        return fail(failure, STATUS_IO, "no memory for %s (%zu)", name, bytes);
    }
    return STATUS_OK;
}

static enum status create_parts(struct engine_loop *loop, const struct engine_loop_config *config,
                                struct failure *failure)
{
    loop->message_bytes_max = engine_thread_message_bytes_max(&config->scheduler);
    enum status status =
        create_ring("inbound_bytes", config->inbound_bytes,
                    loop->message_bytes_max + RING_MESSAGE_HEADER_BYTES, &loop->inbound, failure);
    if (status == STATUS_OK) {
        status = create_ring("outbound_bytes", config->outbound_bytes,
                             engine_thread_round_bytes_max(&config->scheduler), &loop->outbound,
                             failure);
    }
    if (status == STATUS_OK
        && tickets_create(config->requests_max, loop->inbound, &loop->tickets) != STATUS_OK) {
        status = fail(failure, STATUS_IO, "no memory for %u requests", config->requests_max);
    }
    if (status == STATUS_OK) {
        status = engine_thread_create(config, loop->inbound, loop->outbound, &loop->engine_thread,
                                      failure);
    }
    return status;
}

enum status engine_loop_create(const struct engine_loop_config *config, struct engine_loop **out,
                               struct failure *failure)
{
    if (config->requests_max < 1 || config->requests_max > ENGINE_LOOP_REQUESTS_MAX) {
        return fail(failure, STATUS_INVALID, "requests_max is %u: allowed are 1 to %d",
                    config->requests_max, (int)ENGINE_LOOP_REQUESTS_MAX);
    }
    enum status status = scheduler_config_check(&config->scheduler, failure);
    if (status != STATUS_OK) {
        return status;
    }
    struct engine_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        return fail(failure, STATUS_IO, "no memory");
    }
    status = create_parts(loop, config, failure);
    if (status == STATUS_OK) {
        *out = loop;
        loop = NULL;
    }
    engine_loop_destroy(loop);
    return status;
}

enum status engine_loop_start(struct engine_loop *loop,
                              void (*wake)(void *context, uint64_t handle), void *wake_context,
                              struct failure *failure)
{
    loop->wake = wake;
    loop->wake_context = wake_context;
    if (pthread_create(&loop->delivery_thread, NULL, delivery_main, loop) != 0) {
        return fail(failure, STATUS_IO, "cannot start the delivery thread");
    }
    loop->has_delivery = true;
    pthread_setname_np(loop->delivery_thread, "ward-delivery");
    return engine_thread_start(loop->engine_thread, failure);
}

void engine_loop_stop(struct engine_loop *loop)
{
    if (loop->has_delivery) {
        engine_thread_stop(loop->engine_thread);
        atomic_store(&loop->is_stopping, true);
        ring_wake(loop->outbound);
        pthread_join(loop->delivery_thread, NULL);
        loop->has_delivery = false;
        engine_loop_fail_all(loop, STATUS_CANCELLED);
    }
}

void engine_loop_destroy(struct engine_loop *loop)
{
    if (loop) {
        engine_loop_stop(loop);
        engine_thread_destroy(loop->engine_thread);
        tickets_destroy(loop->tickets);
        ring_destroy(loop->inbound);
        ring_destroy(loop->outbound);
        free(loop);
    }
}

enum engine_loop_state engine_loop_state(const struct engine_loop *loop)
{
    return engine_thread_state(loop->engine_thread);
}

/* ---- requests -------------------------------------------------------------------------------- */

enum status engine_loop_submit(struct engine_loop *loop, const struct engine_request *request,
                               const uint32_t *tokens, struct token_log *log, uint64_t handle,
                               struct engine_ticket *out)
{
    const uint32_t sequence_count = request->prompt_count * request->sample_count;
    ASSERT(request->prompt_count >= 1 && request->prompt_count <= LIMIT_SAMPLES);
    ASSERT(sequence_count >= 1 && sequence_count <= LIMIT_SAMPLES);
    size_t token_count = 0;
    for (uint32_t i = 0; i < request->prompt_count; i++) {
        token_count += request->prompts[i].token_count;
    }
    struct submit_message message = {.kind = INBOUND_SUBMIT, .request = *request};
    if (sizeof message + token_count * sizeof *tokens > loop->message_bytes_max) {
        return STATUS_TOO_LARGE;
    }
    const enum engine_loop_state state = engine_loop_state(loop);
    if (state == ENGINE_LOOP_LOST || state == ENGINE_LOOP_REBUILDING) {
        return state == ENGINE_LOOP_LOST ? STATUS_DEVICE : STATUS_UNAVAILABLE;
    }
    struct engine_ticket ticket;
    enum status status = tickets_take(loop->tickets, sequence_count, log, handle, &ticket);
    if (status != STATUS_OK) {
        return status;
    }
    message.ticket = ticket.value;
    status =
        ring_push(loop->inbound, &message, sizeof message, tokens, token_count * sizeof *tokens);
    if (status == STATUS_OK) {
        *out = ticket;
    } else {
        tickets_give_back(loop->tickets, ticket);
    }
    return status;
}

void engine_loop_cancel(struct engine_loop *loop, struct engine_ticket ticket, uint32_t sequence)
{
    tickets_cancel(loop->tickets, ticket, sequence);
}

void engine_loop_cancel_all(struct engine_loop *loop, struct engine_ticket ticket)
{
    tickets_cancel_all(loop->tickets, ticket);
}

void engine_loop_release(struct engine_loop *loop, struct engine_ticket ticket)
{
    tickets_release(loop->tickets, ticket);
}

uint32_t engine_loop_live_requests(struct engine_loop *loop)
{
    return tickets_live(loop->tickets);
}
