#include "bench/gpu/timing.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/clock.h"

enum { REPLAYS_MAX = 15 };

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static enum status capture(struct gpu *gpu, const struct timing_plan *plan, struct gpu_graph **out)
{
    enum status status = plan->queue(plan->state, gpu_stream_of(gpu), 0);
    status = status ? status : gpu_wait(gpu);
    status = status ? status : gpu_capture_begin(gpu);
    for (uint32_t turn = 0; turn < plan->turn_count && status == STATUS_OK; turn++) {
        status = plan->queue(plan->state, gpu_stream_of(gpu), turn);
    }
    return status ? status : gpu_capture_end(gpu, out);
}

/* The device's own clock; the host build has none, so there the host's stands in. */
static enum status replay(struct gpu *gpu, struct gpu_graph *graph, struct gpu_event *events[2],
                          double *seconds)
{
    const uint64_t start_ns = clock_monotonic_ns();
    float milliseconds = 0;
    enum status status = gpu_event_record(gpu, events[0]);
    status = status ? status : gpu_graph_launch(gpu, graph);
    status = status ? status : gpu_event_record(gpu, events[1]);
    status = status ? status : gpu_wait(gpu);
    status = status ? status : gpu_event_milliseconds(events[0], events[1], &milliseconds);
    *seconds = milliseconds > 0 ? (double)milliseconds / 1e3
                                : (double)(clock_monotonic_ns() - start_ns) / 1e9;
    return status;
}

enum status timing_run(struct gpu *gpu, const struct timing_plan *plan, double *seconds)
{
    ASSERT(plan->replay_count <= REPLAYS_MAX && plan->turn_count > 0);
    struct gpu_graph *graph = NULL;
    struct gpu_event *events[2] = {NULL, NULL};
    double all[REPLAYS_MAX] = {0};
    *seconds = 0;
    enum status status = capture(gpu, plan, &graph);
    status = status ? status : gpu_event_create(gpu, &events[0]);
    status = status ? status : gpu_event_create(gpu, &events[1]);
    status = status ? status : replay(gpu, graph, events, &all[0]); /* warms up */
    for (uint32_t i = 0; i < plan->replay_count && status == STATUS_OK; i++) {
        status = replay(gpu, graph, events, &all[i]);
    }
    if (status == STATUS_OK) {
        qsort(all, plan->replay_count, sizeof all[0], by_value);
        *seconds = all[plan->replay_count / 2] / plan->turn_count;
    }
    gpu_event_destroy(events[0]);
    gpu_event_destroy(events[1]);
    gpu_graph_destroy(graph);
    return status;
}
