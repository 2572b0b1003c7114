#include "base/assert.h"
#include "kernels/lanes/lane_kernels.h"

enum { PART_ROWS = 4 };

struct job {
    const struct embedding_args *args;
    const struct lane_kernels *kernels;
};

static void run_part(const void *argument, uint32_t part)
{
    const struct job *job = argument;
    const uint32_t first = part * PART_ROWS, left = job->args->row_count - first;
    for (uint32_t r = first; r < first + (left < PART_ROWS ? left : PART_ROWS); r++) {
        job->kernels->embedding_row(job->args, r);
    }
}

void embedding_cpu(const struct embedding_args *args, struct workers *workers)
{
    ASSERT(dtype_is_plain(args->dtype));
    const struct job job = {args, lane_kernels()};
    workers_run(workers, run_part, &job, (args->row_count + PART_ROWS - 1) / PART_ROWS);
}
