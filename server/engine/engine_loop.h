/* engine_loop.h - the engine thread and the delivery thread. Requests go in and tokens come out
 * through two bounded rings of flat messages: the engine thread drains the one, plans, launches,
 * settles and fills the other; the delivery thread writes what comes out into the requests'
 * token logs and wakes them. The engine thread allocates nothing while it serves and never waits
 * for a socket. An engine that fails is lost and every request with it; where the configuration
 * says how, another takes its place, and meanwhile new requests are told to come back. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "scheduler/scheduler.h"
#include "server/engine/token_log.h"
#include "server/metrics.h"

struct engine_loop;

struct engine_rebuild {
    /* On the engine thread: gives up the lost engine's device and makes another of the same shape.
     * After a failure it is called again. NULL: a lost engine stays lost. */
    enum status (*run)(void *context, struct engine *out, struct failure *failure);
    void *context;
    uint32_t attempts_max; /* without a good step between them; then it is lost for good */
    uint32_t backoff_ms;   /* before the second attempt; each further one waits twice as long */
};

struct engine_loop_config {
    struct engine engine; /* called by the engine thread only; outlives the loop */
    struct engine_rebuild rebuild;
    struct scheduler_config scheduler;
    uint32_t requests_max;                  /* tickets out at once, 1 .. ENGINE_LOOP_REQUESTS_MAX */
    uint32_t inbound_bytes, outbound_bytes; /* rings; 0: by the scheduler's limits */
    struct metrics *metrics;                /* outlives the loop */
};

enum { ENGINE_LOOP_REQUESTS_MAX = 8192 };

/* STATUS_INVALID names the setting that is out of range, STATUS_IO: no memory. */
MUST_CHECK enum status engine_loop_create(const struct engine_loop_config *config,
                                          struct engine_loop **out, struct failure *failure);

/* Starts both threads and returns when the engine has run its first step. wake is called, on the
 * delivery thread, whenever the log of a request with that handle has changed.
 * STATUS_DEVICE: the engine failed in that step. STATUS_IO: no thread. After either: destroy. */
MUST_CHECK enum status engine_loop_start(struct engine_loop *loop,
                                         void (*wake)(void *context, uint64_t handle),
                                         void *wake_context, struct failure *failure);
void engine_loop_stop(struct engine_loop *loop);    /* joins both threads; also if not started */
void engine_loop_destroy(struct engine_loop *loop); /* stops first; NULL is fine */

enum engine_loop_state {
    ENGINE_LOOP_STARTING,
    ENGINE_LOOP_READY,
    ENGINE_LOOP_REBUILDING,
    ENGINE_LOOP_LOST, /* for good */
};
enum engine_loop_state engine_loop_state(const struct engine_loop *loop);

/* ---- requests: any thread -------------------------------------------------------------------- */

/* Flat: it travels in a ring. Sequence p * sample_count + s is sample s of prompt p, drawn with
 * sampling.seed + s. prompt_count * sample_count <= LIMIT_SAMPLES. */
struct engine_request {
    struct tenant_id tenant;
    uint32_t prompt_count, sample_count;
    struct {
        uint32_t token_count, output_max;
    } prompts[LIMIT_SAMPLES];
    uint32_t stop_count;
    uint32_t stop_ids[LIMIT_STOP_TOKENS];
    struct engine_sampling sampling;
};

struct engine_ticket {
    uint64_t value; /* 0: none */
};

/* tokens: all prompts, one after the other; copied. log is written until release returns; its
 * admission says whether all sequences were accepted, or none and why. Never waits.
 * STATUS_FULL: no ticket or no room in the ring. STATUS_DEVICE: the engine is lost.
 * STATUS_UNAVAILABLE: it is being rebuilt, which an admission may say too.
 * STATUS_TOO_LARGE: more tokens than the ring can ever hold. */
MUST_CHECK enum status engine_loop_submit(struct engine_loop *loop,
                                          const struct engine_request *request,
                                          const uint32_t *tokens, struct token_log *log,
                                          uint64_t handle, struct engine_ticket *out);

/* Ends sequences within one step; nothing more of them is logged, no end either. Never waits: a
 * cancel that finds the ring full is tried again by the delivery thread. */
void engine_loop_cancel(struct engine_loop *loop, struct engine_ticket ticket, uint32_t sequence);
void engine_loop_cancel_all(struct engine_loop *loop, struct engine_ticket ticket);

/* Every ticket is released once: cancels what still runs; the log is the caller's again. */
void engine_loop_release(struct engine_loop *loop, struct engine_ticket ticket);

uint32_t engine_loop_live_requests(struct engine_loop *loop); /* tickets not released yet */

/* Fails every request that has a ticket (its log says so, it is woken) and cancels it. */
void engine_loop_fail_all(struct engine_loop *loop, enum status status);
