#include "kernels/lanes/lane_kernels.h"

enum { PART_ELEMENTS = 8192 };

struct job {
    const struct swiglu_args *args;
    const struct lane_kernels *kernels;
    size_t count;
};

static void run_part(const void *argument, uint32_t part)
{
    const struct job *job = argument;
    const size_t first = (size_t)part * PART_ELEMENTS, left = job->count - first;
    job->kernels->swiglu_elements(job->args, first, left < PART_ELEMENTS ? left : PART_ELEMENTS);
}

void swiglu_cpu(const struct swiglu_args *args, struct workers *workers)
{
    const size_t count = (size_t)args->row_count * args->dim;
    const struct job job = {args, lane_kernels(), count};
    workers_run(workers, run_part, &job, (uint32_t)((count + PART_ELEMENTS - 1) / PART_ELEMENTS));
}
