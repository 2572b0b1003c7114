/* gpu_step.h - one plan as one block of memory: packed on the host, uploaded with one copy, read by
 * the kernels of the step. Its first part has a place for each row and sequence of a capacity, so
 * that a captured graph finds its arrays at the same addresses in every step of that capacity; the
 * rest is a tail of lists of any length, all counted from its start.
 *
 *   counts | sequences | ids | rows | logit rows | samples | tail: items, scrub, pages, bias,
 * tokens
 *
 * Pure: host memory only, no device. */
#pragma once
#include <stddef.h>

#include "kernels/attention/attention.h"
#include "kernels/sample/sample.h"
#include "scheduler/engine.h"

struct gpu_step_layout { /* offsets in bytes */
    size_t sequences, ids, rows, logit_rows, samples, tail;
    uint32_t row_count, sequence_count; /* capacities; a sequence samples once at most */
};

struct gpu_step_layout gpu_step_choose_layout(uint32_t row_count, uint32_t sequence_count);

/* The largest block that a plan of that shape can need. */
size_t gpu_step_bytes_max(const struct engine_shape *shape,
                          const struct attention_gpu_shape *attention);

struct gpu_step_source {
    const struct engine_plan *plan;
    const struct engine_shape *shape;
    const struct attention_gpu_shape *attention;
    const uint32_t *sampled_before; /* [sequence of the plan before] -> its sample; see below */
    uint32_t sampled_before_count;
};

#define GPU_STEP_NO_SAMPLE UINT32_MAX

struct gpu_step { /* what was packed */
    struct gpu_step_layout layout;
    struct gpu_counts counts;
    size_t bytes;       /* to upload */
    size_t scrub_first; /* where the list of pages to zero is, in bytes */
    bool has_prefill;
};

/* Asserts that the plan keeps engine.h. sampled: [plan->sequence_count] out: which sample of the
 * step is the sequence's, or GPU_STEP_NO_SAMPLE. */
void gpu_step_pack(const struct gpu_step_layout *layout, const struct gpu_step_source *source,
                   unsigned char *block, uint32_t *sampled, struct gpu_step *out);
