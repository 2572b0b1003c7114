/* bench_matmul.c - the matmuls of an 8B shape (Llama-3.1-8B), bf16 and fp8 weights, 1 to 2,048
 * rows. Floor: weights, x and out moved once at copy bandwidth, or the operations at the bf16 peak.
 */
#include <stdio.h>

#include "bench/gpu/bench.h"
#include "bench/gpu/ceilings.h"
#include "bench/gpu/timing.h"
#include "kernels/matmul/matmul.h"

enum { TURNS = 24, COPIES_MAX = 24, ROWS_MAX = 2048, IN_MAX = 14336, OUT_MAX = 128256 };
static const size_t ROTATED_BYTES = (size_t)512 << 20; /* several times the L2 */

static const struct shape {
    const char *name;
    uint32_t in_count, out_count;
    enum matmul_epilogue epilogue;
} shapes[] = {
    {"qkv", 4096, 6144, MATMUL_STORE},           {"o", 4096, 4096, MATMUL_ADD_F32},
    {"gate_up", 4096, 28672, MATMUL_SWIGLU},     {"down", 14336, 4096, MATMUL_ADD_F32},
    {"lm_head", 4096, 128256, MATMUL_STORE_F32},
};
static const struct shape tiny_shapes[] = {{"qkv", 172, 96, MATMUL_STORE}};
static const uint32_t row_counts[] = {1, 8, 16, 64, 256, 2048};
static const uint32_t tiny_row_counts[] = {1, 100};

struct memory {
    void *tiles, *scales, *x, *out, *workspace;
};

struct work {
    struct matmul_gpu_args args;
    unsigned char *tiles;
    size_t copy_bytes;
    uint32_t copy_count;
};

static enum status queue(void *state, struct gpu_stream *stream, uint32_t turn)
{
    struct work *work = state;
    work->args.weight.tiles = work->tiles + turn % work->copy_count * work->copy_bytes;
    return matmul_gpu_launch(&work->args, stream);
}

static size_t out_bytes(const struct shape *shape, uint32_t row_count)
{
    const bool is_float = shape->epilogue == MATMUL_STORE_F32 || shape->epilogue == MATMUL_ADD_F32;
    const size_t elements =
        (size_t)row_count
        * (shape->epilogue == MATMUL_SWIGLU ? shape->out_count / 2 : shape->out_count);
    return elements * (is_float ? 4 : 2) * (shape->epilogue == MATMUL_ADD_F32 ? 2 : 1);
}

static double floor_seconds(const struct bench *bench, const struct shape *shape,
                            const struct work *work, uint32_t row_count)
{
    const double bytes = (double)work->copy_bytes + 2.0 * row_count * shape->in_count
                         + (double)out_bytes(shape, row_count);
    const double operations = 2.0 * row_count * shape->in_count * shape->out_count;
    const double moving = bytes / bench->copy_bytes_s;
    const double computing = operations / bench->bf16_operations_s;
    return moving > computing ? moving : computing;
}

static enum status measure(struct bench *bench, const struct shape *shape, struct work *work,
                           uint32_t row_count)
{
    const struct timing_plan plan = {queue, work, bench->is_tiny ? 2 : TURNS, 5};
    char key[TABLE_KEY_BYTES];
    double seconds = 0;
    work->args.row_count = row_count;
    const enum status status = timing_run(bench->gpu, &plan, &seconds);
    if (status == STATUS_OK) {
        snprintf(key, sizeof key, "matmul %s x %u %s", shape->name, row_count,
                 work->args.weight.dtype == DTYPE_E4M3 ? "fp8" : "bf16");
        table_add(&bench->table, key, TABLE_US, 1e6 * seconds,
                  1e6 * floor_seconds(bench, shape, work, row_count));
    }
    return status;
}

static enum status run_shape(struct bench *bench, const struct shape *shape, enum dtype dtype,
                             const struct memory *memory)
{
    const struct matmul_gpu_weight weight = {
        .scales = dtype == DTYPE_E4M3 ? memory->scales : NULL,
        .out_count = shape->out_count,
        .in_count = shape->in_count,
        .dtype = dtype,
        .is_paired = shape->epilogue == MATMUL_SWIGLU,
    };
    const uint32_t in_stride = (shape->in_count + 7) / 8 * 8;
    struct work work = {
        .args = {.weight = weight,
                 .x = memory->x,
                 .out = memory->out,
                 .workspace = memory->workspace,
                 .gpu = &bench->info,
                 .x_stride = in_stride,
                 .out_stride = weight.is_paired ? shape->out_count / 2 : shape->out_count,
                 .dtype = DTYPE_BF16,
                 .epilogue = shape->epilogue},
        .tiles = memory->tiles,
        .copy_bytes = matmul_gpu_weight_bytes(&weight),
    };
    const size_t fitting = ROTATED_BYTES / work.copy_bytes + 1;
    work.copy_count = bench->is_tiny ? 1 : (uint32_t)(fitting < COPIES_MAX ? fitting : COPIES_MAX);
    enum status status = ceilings_fill_launch(work.tiles, work.copy_count * work.copy_bytes, dtype,
                                              2, gpu_stream_of(bench->gpu));
    const uint32_t count = bench->is_tiny ? sizeof tiny_row_counts / sizeof tiny_row_counts[0]
                                          : sizeof row_counts / sizeof row_counts[0];
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        status = measure(bench, shape, &work, (bench->is_tiny ? tiny_row_counts : row_counts)[i]);
    }
    return status;
}

static enum status run_all(struct bench *bench, const struct memory *memory)
{
    static const enum dtype dtypes[] = {DTYPE_BF16, DTYPE_E4M3};
    const uint32_t count = bench->is_tiny ? 1 : sizeof shapes / sizeof shapes[0];
    enum status status = STATUS_OK;
    for (uint32_t d = 0; d < 2; d++) {
        for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
            status =
                run_shape(bench, bench->is_tiny ? &tiny_shapes[i] : &shapes[i], dtypes[d], memory);
        }
    }
    return status;
}

enum status bench_matmul(struct bench *bench, struct failure *failure)
{
    const size_t scale = bench->is_tiny ? 64 : 1;
    const size_t bytes[] = {
        (ROTATED_BYTES + (size_t)OUT_MAX * 4096 * 2) / scale, /* the largest weight, and a rest */
        (size_t)OUT_MAX * 4 / scale + 4096,
        (size_t)ROWS_MAX * IN_MAX * 2 / scale,
        (size_t)ROWS_MAX * OUT_MAX * 4 / scale,
        matmul_gpu_workspace_bytes(),
    };
    struct memory memory = {NULL};
    void **all[] = {&memory.tiles, &memory.scales, &memory.x, &memory.out, &memory.workspace};
    struct gpu_stream *stream = gpu_stream_of(bench->gpu);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && status == STATUS_OK; i++) {
        status = gpu_memory_take(bench->gpu, bytes[i], all[i], failure);
    }
    if (status == STATUS_OK) {
        status = ceilings_fill_launch(memory.x, bytes[2] / 4 * 4, DTYPE_BF16, 3, stream);
        status = status
                     ? status
                     : ceilings_fill_launch(memory.scales, bytes[1] / 4 * 4, DTYPE_F32, 4, stream);
        status = status ? status : gpu_fill_async(bench->gpu, memory.out, 0, bytes[3]);
        status = status ? status : gpu_fill_async(bench->gpu, memory.workspace, 0, bytes[4]);
        status = status ? status : run_all(bench, &memory);
        if (status != STATUS_OK) {
            fail(failure, status, "matmul: %s", gpu_failure_text(bench->gpu));
        }
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        gpu_memory_give_back(bench->gpu, *all[i]);
    }
    return status;
}
