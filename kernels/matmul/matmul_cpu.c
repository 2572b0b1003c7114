/* matmul_cpu.c - splits the output features of all weights into parts for the workers. A part is a
 * run of neighbouring blocks: long runs keep the memory streaming, short ones keep the workers
 * even. */
#include "base/assert.h"
#include "kernels/lanes/lane_kernels.h"

enum {
    PART_BYTES = 1 << 20, /* about, of weights, while they come from memory */
    STREAMING_ROWS_MAX = 8,
};

struct job {
    const struct matmul_args *args;
    const struct lane_kernels *kernels;
    uint32_t block_count, part_count;
};

static uint32_t blocks_of(const struct matmul_part *part)
{
    return part->out_count / MATMUL_BLOCK + (part->out_count % MATMUL_BLOCK != 0);
}

/* block counts through all weights of the job. */
static void run_block(const struct job *job, uint32_t block)
{
    const struct matmul_part *part = job->args->parts;
    while (block >= blocks_of(part)) {
        block -= blocks_of(part);
        part++;
    }
    job->kernels->matmul_block(job->args, part, block * MATMUL_BLOCK);
}

static void run_part(const void *argument, uint32_t part)
{
    const struct job *job = argument;
    const uint64_t blocks = job->block_count;
    const uint32_t end = (uint32_t)(blocks * (part + 1) / job->part_count);
    for (uint32_t block = (uint32_t)(blocks * part / job->part_count); block < end; block++) {
        run_block(job, block);
    }
}

/* A multiple of the number of workers, so that equally fast ones end together. */
static uint32_t choose_part_count(const struct matmul_args *args, uint32_t blocks, uint32_t workers)
{
    const size_t block_bytes = (size_t)MATMUL_BLOCK * args->in_count * dtype_bytes(args->dtype);
    if (args->row_count > STREAMING_ROWS_MAX) {
        return blocks;
    }
    const size_t parts = blocks * block_bytes / PART_BYTES / workers * workers;
    const size_t least = blocks * block_bytes < PART_BYTES ? 1 : workers;
    return (uint32_t)(parts < least ? least : parts < blocks ? parts : blocks);
}

void matmul_cpu(const struct matmul_args *args, struct workers *workers)
{
    ASSERT(args->part_count <= MATMUL_PARTS_MAX && args->x_stride >= args->in_count);
    ASSERT(args->in_count > 0 && dtype_is_plain(args->dtype));
    struct job job = {.args = args, .kernels = lane_kernels()};
    for (uint32_t p = 0; p < args->part_count; p++) {
        ASSERT(args->parts[p].out_stride >= args->parts[p].out_count);
        job.block_count += blocks_of(&args->parts[p]);
    }
    if (args->row_count > 0) {
        job.part_count = choose_part_count(args, job.block_count, workers_count(workers));
        workers_run(workers, run_part, &job, job.part_count);
    }
}
