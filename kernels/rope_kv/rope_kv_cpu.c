/* rope_kv_cpu.c - the reference over runs of rows. A few operations an element, all of them exact
 * in plain C, so there is nothing to gain from lanes; but for QK-norm, which is rms_norm's lanes.
 */
#include "base/assert.h"
#include "kernels/lanes/lane_kernels.h"
#include "kernels/rope_kv/rope_kv.h"

enum { PART_ROWS = 8 };

static uint32_t row_end(const struct attention_sequence *sequence)
{
    return sequence->row_first + sequence->row_count;
}

/* QK-norm of rows first .. end - 1, each head a row of rms_norm. */
static void normalise(const struct rope_kv_args *args, uint32_t first, uint32_t end)
{
    const struct rms_norm_args q = {.x = args->q,
                                    .weight = args->q_norm,
                                    .out = args->q,
                                    .dim = args->head_dim,
                                    .eps = args->norm_eps};
    const struct rms_norm_args k = {.x = args->k,
                                    .weight = args->k_norm,
                                    .out = args->k,
                                    .dim = args->head_dim,
                                    .eps = args->norm_eps};
    const struct lane_kernels *kernels = lane_kernels();
    for (uint32_t h = first * args->head_count; h < end * args->head_count; h++) {
        kernels->rms_norm_row(&q, h);
    }
    for (uint32_t g = first * args->kv_head_count; g < end * args->kv_head_count; g++) {
        kernels->rms_norm_row(&k, g);
    }
}

/* The part's rows may belong to several sequences. */
static void run_part(const void *argument, uint32_t part)
{
    const struct rope_kv_args *args = argument;
    const uint32_t first = part * PART_ROWS, end = first + PART_ROWS;
    for (uint32_t s = 0; s < args->sequence_count; s++) {
        const struct attention_sequence *sequence = &args->sequences[s];
        const uint32_t from = sequence->row_first > first ? sequence->row_first : first;
        const uint32_t to = row_end(sequence) < end ? row_end(sequence) : end;
        if (from < to) {
            const struct attention_sequence rows = {
                .pages = sequence->pages,
                .row_first = from,
                .row_count = to - from,
                .position_first = sequence->position_first + (from - sequence->row_first)};
            struct rope_kv_args some = *args;
            some.sequences = &rows;
            some.sequence_count = 1;
            if (args->q_norm) {
                normalise(args, from, to);
                some.q_norm = some.k_norm = NULL; /* done */
            }
            rope_kv_reference(&some);
        }
    }
}

void rope_kv_cpu(const struct rope_kv_args *args, struct workers *workers)
{
    ASSERT(args->head_dim % 2 == 0 && args->page_tokens > 0);
    ASSERT(!args->q_norm == !args->k_norm);
    uint32_t end = 0;
    for (uint32_t s = 0; s < args->sequence_count; s++) {
        end = row_end(&args->sequences[s]) > end ? row_end(&args->sequences[s]) : end;
    }
    workers_run(workers, run_part, args, (end + PART_ROWS - 1) / PART_ROWS);
}
