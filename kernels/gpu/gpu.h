/* gpu.h - one GPU as the engine sees it: memory, one ordered stream of copies and kernels, graphs.
 * Two implementations: gpu_cuda.cu (the CUDA runtime) and host/ (every kernel interpreted on the
 * CPU, for tests). The caller of gpu_open owns the device; one thread at a time uses it.
 *
 * Everything whose name ends in _async, and every kernel launch, only queues: host memory given to
 * it must stay as it is until gpu_wait(). A failed device stays failed: every later call answers
 * STATUS_DEVICE, and only close and open mend it. Call gpu_close with nothing else left. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gpu;        /* an open device */
struct gpu_stream; /* what launches take: gpu_stream_of() */
struct gpu_graph;  /* a captured run of launches and copies */
struct gpu_event;  /* a point in the stream's time */

struct gpu_info {
    char name[128];
    char driver[32], runtime[32]; /* versions, "13.0"; the host build says "host" */
    uint32_t multiprocessors, compute_major, compute_minor;
    uint64_t total_bytes, free_bytes, l2_bytes, shared_bytes_max; /* shared: of one block */
};

/* Devices that answer; 0 with the reason in failure (no driver, none there, built without CUDA). */
uint32_t gpu_count(struct failure *failure);

/* STATUS_NOT_FOUND: no such device or no driver. STATUS_UNSUPPORTED: older than sm_80. The host
 * build has three devices: 0 runs the threads of a block forward, 1 backward, 2 shuffled. */
MUST_CHECK enum status gpu_open(uint32_t index, struct gpu **out, struct failure *failure);
void gpu_close(struct gpu *gpu); /* NULL is fine */

void gpu_get_info(const struct gpu *gpu, struct gpu_info *out);
struct gpu_stream *gpu_stream_of(struct gpu *gpu);

/* ---- memory: one allocation per pool, at start ---- */

/* Device memory, 256-byte aligned, not cleared (the host build fills it with 0xFF: NaN).
 * STATUS_FULL: failure says how many bytes are missing. */
MUST_CHECK enum status gpu_memory_take(struct gpu *gpu, size_t bytes, void **out,
                                       struct failure *failure);
void gpu_memory_give_back(struct gpu *gpu, void *memory); /* NULL is fine */

/* Pinned host memory for uploads and downloads. */
MUST_CHECK enum status gpu_pinned_take(struct gpu *gpu, size_t bytes, void **out,
                                       struct failure *failure);
void gpu_pinned_give_back(struct gpu *gpu, void *memory);

MUST_CHECK enum status gpu_upload_async(struct gpu *gpu, void *device, const void *host,
                                        size_t bytes);
MUST_CHECK enum status gpu_download_async(struct gpu *gpu, void *host, const void *device,
                                          size_t bytes);
MUST_CHECK enum status gpu_copy_async(struct gpu *gpu, void *to, const void *from, size_t bytes);
MUST_CHECK enum status gpu_fill_async(struct gpu *gpu, void *device, unsigned char byte,
                                      size_t bytes);

/* ---- time ---- */

/* Until all that was queued is done. STATUS_DEVICE: something of it failed (gpu_failure_text). */
MUST_CHECK enum status gpu_wait(struct gpu *gpu);

MUST_CHECK enum status gpu_event_create(struct gpu *gpu, struct gpu_event **out);
void gpu_event_destroy(struct gpu_event *event);
MUST_CHECK enum status gpu_event_record(struct gpu *gpu, struct gpu_event *event);
/* The host waits until all that was queued before the record is done. */
MUST_CHECK enum status gpu_event_wait(struct gpu *gpu, struct gpu_event *event);
MUST_CHECK enum status gpu_event_milliseconds(struct gpu_event *from, struct gpu_event *to,
                                              float *out);

/* Name and reason of the first failure; "" while there was none. Lives as long as the device. */
const char *gpu_failure_text(const struct gpu *gpu);

/* ---- graphs: capture what is queued between begin and end, run it again as one launch ---- */

MUST_CHECK enum status gpu_capture_begin(struct gpu *gpu);
MUST_CHECK enum status gpu_capture_end(struct gpu *gpu, struct gpu_graph **out);
MUST_CHECK enum status gpu_graph_launch(struct gpu *gpu, struct gpu_graph *graph);
void gpu_graph_destroy(struct gpu_graph *graph); /* NULL is fine */

#ifdef __cplusplus
}
#endif
