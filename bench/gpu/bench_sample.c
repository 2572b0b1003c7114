/* bench_sample.c - sampling from a vocabulary of 128,256 with top-k 50, top-p 0.95, temperature
 * 0.8. Floor: the logits read once at copy bandwidth. */
#include <stdio.h>

#include "bench/gpu/bench.h"
#include "bench/gpu/ceilings.h"
#include "bench/gpu/timing.h"
#include "kernels/sample/sample.h"

enum { VOCABULARY = 128256, TINY_VOCABULARY = 1000, ROWS_MAX = 256, TURNS = 20, COPIES = 4 };

struct memory {
    void *logits, *rows, *sampled, *results, *workspace, *counts, *pinned;
};

struct upload {
    struct gpu_counts counts;
    struct sample_gpu_row rows[ROWS_MAX];
};

struct work {
    struct sample_gpu_args args;
    const float *logits;
    size_t copy_floats;
};

static enum status queue(void *state, struct gpu_stream *stream, uint32_t turn)
{
    struct work *work = state;
    work->args.logits = work->logits + turn % COPIES * work->copy_floats;
    return sample_gpu_launch(&work->args, stream);
}

static enum status upload(struct bench *bench, const struct memory *memory, uint32_t row_count)
{
    struct upload *host = memory->pinned;
    struct sample_gpu_row *rows = host->rows;
    host->counts = (struct gpu_counts){.row_count = row_count, .logit_row_count = row_count};
    for (uint32_t i = 0; i < row_count; i++) {
        rows[i] = (struct sample_gpu_row){.seed = i + 1,
                                          .position = 100 + i,
                                          .temperature = 0.8F,
                                          .top_p = 0.95F,
                                          .top_k = 50,
                                          .repetition_penalty = 1.0F};
    }
    enum status status =
        gpu_upload_async(bench->gpu, memory->counts, &host->counts, sizeof host->counts);
    status = status ? status
                    : gpu_upload_async(bench->gpu, memory->rows, rows, row_count * sizeof *rows);
    return status ? status : gpu_wait(bench->gpu);
}

static enum status measure(struct bench *bench, const struct memory *memory, uint32_t row_count,
                           uint32_t vocabulary)
{
    const size_t stride = (vocabulary + 3) / 4 * 4;
    struct work work = {
        .args = {.stride = stride,
                 .batch = {.counts = memory->counts},
                 .rows = memory->rows,
                 .sampled = memory->sampled,
                 .results = memory->results,
                 .workspace = memory->workspace,
                 .row_count = row_count,
                 .vocabulary_count = vocabulary},
        .logits = memory->logits,
        .copy_floats = row_count * stride,
    };
    const struct timing_plan plan = {queue, &work, bench->is_tiny ? 2 : TURNS, 5};
    char key[TABLE_KEY_BYTES];
    double seconds = 0;
    enum status status = upload(bench, memory, row_count);
    status = status ? status : timing_run(bench->gpu, &plan, &seconds);
    if (status == STATUS_OK) {
        snprintf(key, sizeof key, "sample %u x %u", row_count, vocabulary);
        const double bytes = (double)work.copy_floats * sizeof(float);
        table_add(&bench->table, key, TABLE_US, 1e6 * seconds, 1e6 * bytes / bench->copy_bytes_s);
    }
    return status;
}

static enum status run(struct bench *bench, const struct memory *memory, size_t logit_bytes)
{
    static const uint32_t row_counts[] = {1, 64, 256};
    static const uint32_t tiny_row_counts[] = {1, 3};
    const uint32_t vocabulary = bench->is_tiny ? TINY_VOCABULARY : VOCABULARY;
    enum status status =
        ceilings_fill_launch(memory->logits, logit_bytes, DTYPE_F32, 5, gpu_stream_of(bench->gpu));
    for (uint32_t i = 0; i < (bench->is_tiny ? 2 : 3) && status == STATUS_OK; i++) {
        status =
            measure(bench, memory, (bench->is_tiny ? tiny_row_counts : row_counts)[i], vocabulary);
    }
    return status;
}

enum status bench_sample(struct bench *bench, struct failure *failure)
{
    const uint32_t vocabulary = bench->is_tiny ? TINY_VOCABULARY : VOCABULARY;
    const uint32_t rows = bench->is_tiny ? 4 : ROWS_MAX;
    struct memory memory = {NULL};
    const struct {
        void **out;
        size_t bytes;
    } blocks[] = {
        {&memory.logits, (size_t)COPIES * rows * vocabulary * sizeof(float)},
        {&memory.rows, rows * sizeof(struct sample_gpu_row)},
        {&memory.sampled, rows * sizeof(uint32_t)},
        {&memory.results, rows * sizeof(struct sample_gpu_result)},
        {&memory.workspace, sample_gpu_workspace_bytes(rows, vocabulary)},
        {&memory.counts, sizeof(struct gpu_counts)},
    };
    enum status status =
        gpu_pinned_take(bench->gpu, sizeof(struct upload), &memory.pinned, failure);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0] && status == STATUS_OK; i++) {
        status = gpu_memory_take(bench->gpu, blocks[i].bytes, blocks[i].out, failure);
    }
    if (status == STATUS_OK) {
        status = run(bench, &memory, blocks[0].bytes);
        if (status != STATUS_OK) {
            fail(failure, status, "sample: %s", gpu_failure_text(bench->gpu));
        }
    }
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        gpu_memory_give_back(bench->gpu, *blocks[i].out);
    }
    gpu_pinned_give_back(bench->gpu, memory.pinned);
    return status;
}
