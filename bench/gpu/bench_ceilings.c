/* bench_ceilings.c - copy bandwidth (bytes read and bytes written) and bf16 tensor throughput. */
#include "bench/gpu/bench.h"
#include "bench/gpu/ceilings.h"
#include "bench/gpu/timing.h"

struct work {
    struct gpu *gpu;
    unsigned char *from, *to;
    size_t bytes;
    uint32_t block_count, step_count;
};

static enum status queue_copy(void *state, struct gpu_stream *stream, uint32_t turn)
{
    struct work *work = state;
    (void)stream;
    return turn % 2 ? gpu_copy_async(work->gpu, work->from, work->to, work->bytes)
                    : gpu_copy_async(work->gpu, work->to, work->from, work->bytes);
}

static enum status queue_peak(void *state, struct gpu_stream *stream, uint32_t turn)
{
    struct work *work = state;
    (void)turn;
    return ceilings_peak_launch((float *)(void *)work->to, work->block_count, work->step_count,
                                stream);
}

static enum status measure(struct bench *bench, struct work *work)
{
    const struct timing_plan copy = {queue_copy, work, 4, 5};
    const struct timing_plan peak = {queue_peak, work, 4, 5};
    double seconds = 0;
    enum status status =
        ceilings_fill_launch(work->from, work->bytes, DTYPE_BF16, 1, gpu_stream_of(bench->gpu));
    status = status ? status : timing_run(bench->gpu, &copy, &seconds);
    if (status != STATUS_OK) {
        return status;
    }
    bench->copy_bytes_s = 2.0 * (double)work->bytes / seconds;
    table_add(&bench->table, "copy bandwidth", TABLE_GB_S, bench->copy_bytes_s / 1e9, 0);
    status = timing_run(bench->gpu, &peak, &seconds);
    if (status == STATUS_OK) {
        bench->bf16_operations_s =
            ceilings_peak_operations(work->block_count, work->step_count) / seconds;
        table_add(&bench->table, "bf16 peak", TABLE_TFLOP_S, bench->bf16_operations_s / 1e12, 0);
    }
    return status;
}

enum status bench_ceilings(struct bench *bench, struct failure *failure)
{
    struct work work = {
        .gpu = bench->gpu,
        .bytes = bench->is_tiny ? (size_t)1 << 20 : (size_t)4 << 30,
        .block_count = bench->is_tiny ? 2 : bench->info.multiprocessors,
        .step_count = bench->is_tiny ? 2 : 4096,
    };
    void *memory[2] = {NULL, NULL};
    enum status status = gpu_memory_take(bench->gpu, work.bytes, &memory[0], failure);
    status = status ? status : gpu_memory_take(bench->gpu, work.bytes, &memory[1], failure);
    if (status == STATUS_OK) {
        work.from = memory[0];
        work.to = memory[1];
        status = measure(bench, &work);
        if (status != STATUS_OK) {
            fail(failure, status, "ceilings: %s", gpu_failure_text(bench->gpu));
        }
    }
    gpu_memory_give_back(bench->gpu, memory[0]);
    gpu_memory_give_back(bench->gpu, memory[1]);
    return status;
}
