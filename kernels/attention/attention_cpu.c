/* attention_cpu.c - splits (sequence, kv head, block of rows) over the workers: first everything
 * that is one block (decoding), then each longer sequence (a prompt), its last rows first because
 * they see the most keys. */
#include "base/assert.h"
#include "kernels/lanes/lane_kernels.h"

struct job {
    const struct attention_args *args;
    const struct lane_kernels *kernels;
    const struct attention_sequence *sequence; /* the long one */
};

static uint32_t count_blocks(const struct attention_sequence *sequence)
{
    return (sequence->row_count + ATTENTION_BLOCK_ROWS - 1) / ATTENTION_BLOCK_ROWS;
}

static void run_short(const void *argument, uint32_t part)
{
    const struct job *job = argument;
    const struct attention_sequence *sequence =
        &job->args->sequences[part / job->args->kv_head_count];
    if (sequence->row_count <= ATTENTION_BLOCK_ROWS) {
        const struct attention_block block = {sequence, part % job->args->kv_head_count, 0,
                                              sequence->row_count};
        job->kernels->attention_block(job->args, &block);
    }
}

static void run_long(const void *argument, uint32_t part)
{
    const struct job *job = argument;
    const uint32_t first = part / job->args->kv_head_count * ATTENTION_BLOCK_ROWS;
    const uint32_t left = job->sequence->row_count - first;
    const struct attention_block block = {job->sequence, part % job->args->kv_head_count, first,
                                          left < ATTENTION_BLOCK_ROWS ? left
                                                                      : ATTENTION_BLOCK_ROWS};
    job->kernels->attention_block(job->args, &block);
}

void attention_cpu(const struct attention_args *args, struct workers *workers)
{
    ASSERT(args->kv_head_count > 0 && args->head_count % args->kv_head_count == 0);
    ASSERT(args->head_count / args->kv_head_count <= ATTENTION_GROUP_MAX);
    ASSERT(args->head_dim > 0 && args->head_dim <= ATTENTION_HEAD_DIM_MAX);
    ASSERT(args->page_tokens > 0 && args->page_tokens % ATTENTION_TILE_TOKENS == 0);
    struct job job = {args, lane_kernels(), NULL};
    workers_run(workers, run_short, &job, args->sequence_count * args->kv_head_count);
    for (uint32_t s = 0; s < args->sequence_count; s++) {
        job.sequence = &args->sequences[s];
        if (job.sequence->row_count > ATTENTION_BLOCK_ROWS) {
            workers_run(workers, run_long, &job, count_blocks(job.sequence) * args->kv_head_count);
        }
    }
}
