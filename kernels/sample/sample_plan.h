/* sample_plan.h - how a launch of sample is cut, and where what its kernels tell each other lies.
 * Pure; a function of the vocabulary alone, so that a row's sums do not depend on other rows. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    SAMPLE_SCAN_THREADS = 128,
    SAMPLE_GROUP = 16, /* tokens that a thread of the scan holds: four times four in a row */
    SAMPLE_CHUNK = SAMPLE_SCAN_THREADS * SAMPLE_GROUP, /* tokens that a block of the scan holds */
    SAMPLE_WEIGH_CHUNKS = 4,                           /* that a block of the second pass holds */
    SAMPLE_CANDIDATES_MAX = 4096,
    SAMPLE_DIGITS = 16, /* of a key, looked at in one pass of the pick */
};

/* How a row's id was found: for tests and measurements. */
enum sample_path {
    SAMPLE_PATH_HIGHEST = 1,    /* greedy, or nothing is finite */
    SAMPLE_PATH_WALK = 2,       /* nothing cuts: by the sums of the chunks */
    SAMPLE_PATH_CANDIDATES = 3, /* the few tokens that can be drawn were sorted */
    SAMPLE_PATH_WHOLE = 4,      /* they are too many: passes over the vocabulary */
    SAMPLE_PATH_TOP_WHOLE = 16, /* added: so for the reported alternatives */
};

struct sample_gpu_chunk {
    double weight_sum; /* relative to the row's highest; rows that need the total */
    float raw_highest; /* of the logits as they came, as is raw_sum, relative to it */
    float raw_sum;
    float highest; /* after bias and penalties; -INFINITY: none is finite */
    uint32_t highest_id;
};

struct sample_gpu_plan {
    uint32_t chunk_count, group_count; /* of a row */
    uint32_t pick_threads, candidates_max;
    /* a row's workspace: uint32_t path; then at these offsets */
    size_t chunks_offset, groups_offset, raw_groups_offset, adjusted_offset, row_bytes;
};

static inline size_t sample_align(size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

static inline struct sample_gpu_plan sample_choose_plan(uint32_t vocabulary_count)
{
    struct sample_gpu_plan plan;
    plan.chunk_count = (vocabulary_count + SAMPLE_CHUNK - 1) / SAMPLE_CHUNK;
    plan.group_count = plan.chunk_count * SAMPLE_SCAN_THREADS;
    plan.pick_threads = vocabulary_count <= 4096 ? 64 : vocabulary_count <= 16384 ? 256 : 512;
    plan.candidates_max = 64;
    while (plan.candidates_max < SAMPLE_CANDIDATES_MAX
           && plan.candidates_max < vocabulary_count / 8) {
        plan.candidates_max *= 2;
    }
    const size_t groups_bytes = sample_align((size_t)plan.group_count * sizeof(float));
    plan.chunks_offset = 256;
    plan.groups_offset = plan.chunks_offset
                         + sample_align((size_t)plan.chunk_count * sizeof(struct sample_gpu_chunk));
    plan.raw_groups_offset = plan.groups_offset + groups_bytes;
    plan.adjusted_offset = plan.raw_groups_offset + groups_bytes;
    plan.row_bytes = plan.adjusted_offset + (size_t)plan.chunk_count * SAMPLE_CHUNK * sizeof(float);
    return plan;
}
