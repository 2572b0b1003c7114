/* bench_attention.c - paged attention of an 8B shape (32 query heads, 8 kv heads, head_dim 128),
 * one layer. Decoding: floor is the KV read once at copy bandwidth. Prompts: the operations of the
 * causal half at the bf16 peak. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/gpu/bench.h"
#include "bench/gpu/ceilings.h"
#include "bench/gpu/timing.h"
#include "kernels/attention/attention.h"

enum { HEADS = 32, KV_HEADS = 8, HEAD_DIM = 128, PAGE_TOKENS = 16, TURNS = 8, POOLS_MAX = 16 };
enum { TOKEN_ELEMENTS = KV_HEADS * HEAD_DIM, ROW_ELEMENTS = HEADS * HEAD_DIM };
static const size_t ROTATED_BYTES = (size_t)1 << 30;

struct problem {
    uint32_t sequence_count, context, row_count; /* rows of each sequence: 1, or all of them */
    enum dtype kv_dtype;
};

/* One allocation on the device for all that is uploaded, and its image on the host. */
struct upload {
    struct gpu_counts *counts;
    struct gpu_row *rows;
    struct gpu_sequence *sequences;
    uint32_t *pages;
    struct attention_gpu_item *items;
};

struct work {
    struct attention_gpu_args args;
    unsigned char *pool; /* k and v of each turn, one behind the other */
    size_t pool_bytes;   /* of k, or of v */
    uint32_t pool_count;
};

static enum status queue(void *state, struct gpu_stream *stream, uint32_t turn)
{
    struct work *work = state;
    unsigned char *k = work->pool + 2 * (turn % work->pool_count) * work->pool_bytes;
    work->args.k_pages = k;
    work->args.v_pages = k + work->pool_bytes;
    return attention_gpu_launch(&work->args, stream);
}

/* ---- the batch ------------------------------------------------------------------------------- */

static uint32_t pages_each(const struct problem *problem)
{
    return (problem->context + PAGE_TOKENS - 1) / PAGE_TOKENS;
}

/* Where each array begins; returns the bytes of all. */
static size_t lay_out(const struct problem *problem, uint32_t items_max, size_t starts[5])
{
    const size_t sizes[5] = {
        sizeof(struct gpu_counts),
        (size_t)problem->sequence_count * problem->row_count * sizeof(struct gpu_row),
        problem->sequence_count * sizeof(struct gpu_sequence),
        (size_t)problem->sequence_count * pages_each(problem) * sizeof(uint32_t),
        items_max * sizeof(struct attention_gpu_item),
    };
    size_t used = 0;
    for (int i = 0; i < 5; i++) {
        starts[i] = used;
        used += (sizes[i] + 255) / 256 * 256;
    }
    return used;
}

static struct upload place(unsigned char *memory, const size_t starts[5])
{
    return (struct upload){(void *)(memory + starts[0]), (void *)(memory + starts[1]),
                           (void *)(memory + starts[2]), (void *)(memory + starts[3]),
                           (void *)(memory + starts[4])};
}

/* A sequence's pages are scattered: page p of sequence s is p * sequences + s. */
static void fill_batch(const struct problem *problem, const struct attention_gpu_shape *shape,
                       struct upload *out)
{
    const uint32_t pages = pages_each(problem), rows = problem->row_count;
    *out->counts = (struct gpu_counts){.row_count = problem->sequence_count * rows,
                                       .sequence_count = problem->sequence_count};
    for (uint32_t s = 0; s < problem->sequence_count; s++) {
        const uint32_t first = problem->context - rows;
        out->sequences[s] = (struct gpu_sequence){s * rows, rows, first, s * pages};
        for (uint32_t i = 0; i < rows; i++) {
            out->rows[s * rows + i] = (struct gpu_row){s, first + i};
        }
        for (uint32_t p = 0; p < pages; p++) {
            out->pages[s * pages + p] = p * problem->sequence_count + s;
        }
    }
    attention_gpu_plan_items(shape, 0, out->sequences, problem->sequence_count, out->items,
                             out->counts);
}

/* ---- one row of the table -------------------------------------------------------------------- */

static void report(struct bench *bench, const struct problem *problem, const struct work *work,
                   double seconds)
{
    char key[TABLE_KEY_BYTES];
    if (problem->row_count == 1) {
        snprintf(key, sizeof key, "attention decode %u x %u %s", problem->sequence_count,
                 problem->context, problem->kv_dtype == DTYPE_E4M3 ? "fp8" : "bf16");
        const double bytes = 2.0 * (double)work->pool_bytes;
        table_add(&bench->table, key, TABLE_US, 1e6 * seconds, 1e6 * bytes / bench->copy_bytes_s);
        return;
    }
    const double n = problem->context;
    const double operations = 4.0 * HEAD_DIM * HEADS * n * (n + 1) / 2 * problem->sequence_count;
    snprintf(key, sizeof key, "attention prefill %u", problem->context);
    table_add(&bench->table, key, TABLE_US, 1e6 * seconds,
              1e6 * operations / bench->bf16_operations_s);
    snprintf(key, sizeof key, "attention prefill %u rate", problem->context);
    table_add(&bench->table, key, TABLE_TFLOP_S, operations / seconds / 1e12,
              bench->bf16_operations_s / 1e12);
}

struct memory {
    void *pool, *q, *out, *workspace, *upload, *pinned;
};

static enum status run(struct bench *bench, const struct problem *problem, struct work *work,
                       const struct memory *memory, uint32_t items_max)
{
    size_t starts[5];
    const size_t bytes = lay_out(problem, items_max, starts);
    struct upload host = place(memory->pinned, starts);
    const struct upload device = place(memory->upload, starts);
    fill_batch(problem, &work->args.shape, &host);
    work->args.batch = (struct gpu_batch){.counts = device.counts,
                                          .rows = device.rows,
                                          .sequences = device.sequences,
                                          .pages = device.pages};
    work->args.items = device.items;
    const struct timing_plan plan = {queue, work, bench->is_tiny ? 2 : TURNS, 5};
    const size_t q_bytes = (size_t)problem->sequence_count * problem->row_count * ROW_ELEMENTS * 2;
    struct gpu_stream *stream = gpu_stream_of(bench->gpu);
    double seconds = 0;
    enum status status = gpu_upload_async(bench->gpu, memory->upload, memory->pinned, bytes);
    status = status ? status : ceilings_fill_launch(memory->q, q_bytes, DTYPE_BF16, 6, stream);
    status = status ? status
                    : ceilings_fill_launch(memory->pool, 2 * work->pool_count * work->pool_bytes,
                                           problem->kv_dtype, 7, stream);
    status = status ? status
                    : gpu_fill_async(bench->gpu, memory->workspace, 0,
                                     attention_gpu_workspace_bytes(&work->args.shape));
    status = status ? status : timing_run(bench->gpu, &plan, &seconds);
    if (status == STATUS_OK) {
        report(bench, problem, work, seconds);
    }
    return status;
}

static enum status take(struct bench *bench, const struct problem *problem, const struct work *work,
                        uint32_t items_max, struct memory *memory, struct failure *failure)
{
    size_t unused[5];
    const size_t rows = (size_t)problem->sequence_count * problem->row_count;
    const size_t upload_bytes = lay_out(problem, items_max, unused);
    const struct {
        void **out;
        size_t bytes;
    } blocks[] = {{&memory->pool, 2 * work->pool_count * work->pool_bytes},
                  {&memory->q, rows * ROW_ELEMENTS * 2},
                  {&memory->out, rows * ROW_ELEMENTS * 2},
                  {&memory->workspace, attention_gpu_workspace_bytes(&work->args.shape)},
                  {&memory->upload, upload_bytes}};
    enum status status = gpu_pinned_take(bench->gpu, upload_bytes, &memory->pinned, failure);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0] && status == STATUS_OK; i++) {
        status = gpu_memory_take(bench->gpu, blocks[i].bytes, blocks[i].out, failure);
    }
    return status;
}

static enum status measure(struct bench *bench, const struct problem *problem,
                           struct failure *failure)
{
    struct work work = {
        .args = {.shape = {.head_count = HEADS,
                           .kv_head_count = KV_HEADS,
                           .head_dim = HEAD_DIM,
                           .page_tokens = PAGE_TOKENS,
                           .multiprocessors = bench->info.multiprocessors,
                           .dtype = DTYPE_BF16,
                           .kv_dtype = problem->kv_dtype,
                           .has_wgmma = bench->info.compute_major == 9},
                 .q_stride = ROW_ELEMENTS,
                 .out_stride = ROW_ELEMENTS,
                 .has_prefill = problem->row_count > 1,
                 .scale = 0.08838835F,
                 .k_scale = 1.0F,
                 .v_scale = 1.0F},
        .pool_bytes = (size_t)problem->sequence_count * pages_each(problem) * PAGE_TOKENS
                      * TOKEN_ELEMENTS * dtype_bytes(problem->kv_dtype),
    };
    const size_t pools = bench->is_tiny ? 1 : ROTATED_BYTES / (2 * work.pool_bytes) + 1;
    work.pool_count = (uint32_t)(pools < POOLS_MAX ? pools : POOLS_MAX);
    const uint32_t items_max = attention_gpu_items_max(
        &work.args.shape, problem->sequence_count * problem->row_count, problem->sequence_count);
    struct memory memory = {NULL};
    enum status status = take(bench, problem, &work, items_max, &memory, failure);
    if (status == STATUS_FULL) {
        fprintf(stderr, "attention %u x %u left out: %s\n", problem->sequence_count,
                problem->context, failure->text);
        status = STATUS_OK;
    } else if (status == STATUS_OK) {
        work.pool = memory.pool;
        work.args.q = memory.q;
        work.args.out = memory.out;
        work.args.workspace = memory.workspace;
        status = run(bench, problem, &work, &memory, items_max);
        if (status != STATUS_OK) {
            fail(failure, status, "attention: %s", gpu_failure_text(bench->gpu));
        }
    }
    void *blocks[] = {memory.pool, memory.q, memory.out, memory.workspace, memory.upload};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        gpu_memory_give_back(bench->gpu, blocks[i]);
    }
    gpu_pinned_give_back(bench->gpu, memory.pinned);
    return status;
}

enum status bench_attention(struct bench *bench, struct failure *failure)
{
    static const uint32_t batches[] = {1, 16, 64, 256}, contexts[] = {512, 2048, 8192, 32768};
    static const uint32_t prompts[] = {2048, 8192, 16384};
    static const enum dtype dtypes[] = {DTYPE_BF16, DTYPE_E4M3};
    const uint32_t shrink = bench->is_tiny ? 128 : 1; /* 4 tokens and more */
    enum status status = STATUS_OK;
    for (uint32_t d = 0; d < 2; d++) {
        for (uint32_t b = 0; b < (bench->is_tiny ? 1 : 4); b++) {
            for (uint32_t c = 0; c < (bench->is_tiny ? 2 : 4) && status == STATUS_OK; c++) {
                const struct problem problem = {batches[b], contexts[c] / shrink, 1, dtypes[d]};
                status = measure(bench, &problem, failure);
            }
        }
    }
    for (uint32_t p = 0; p < (bench->is_tiny ? 1 : 3) && status == STATUS_OK; p++) {
        const struct problem problem = {1, prompts[p] / shrink, prompts[p] / shrink, DTYPE_BF16};
        status = measure(bench, &problem, failure);
    }
    return status;
}
