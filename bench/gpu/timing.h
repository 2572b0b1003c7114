/* timing.h - seconds of one turn of some queued work: the median of replays of a graph that holds
 * many turns, so that launches cost what they cost in the engine. */
#pragma once
#include "kernels/gpu/gpu.h"

/* Queues the work of one turn; turns differ in the memory they read. */
typedef enum status (*timing_queue)(void *state, struct gpu_stream *stream, uint32_t turn);

struct timing_plan {
    timing_queue queue;
    void *state;
    uint32_t turn_count;   /* in the graph */
    uint32_t replay_count; /* odd */
};

/* Warms up first. STATUS_DEVICE, or what the queue answered; *seconds is then 0. */
MUST_CHECK enum status timing_run(struct gpu *gpu, const struct timing_plan *plan, double *seconds);
