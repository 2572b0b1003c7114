/* attention_plan.c - cuts a step's attention into items. Decoded rows whose keys are several splits
 * become one item for each split, so that one long sequence fills the device; the last of them to
 * finish merges. That costs slots of the workspace: when there are too few, the sequences with the
 * fewest splits walk through theirs alone, and by then there are many of them. */
#include "kernels/attention/attention_plan.h"

#include <stddef.h>

#include "base/assert.h"

struct plan {
    const struct attention_gpu_shape *shape;
    const struct gpu_sequence *sequences;
    uint32_t sequence_count, window, few_rows;
    uint32_t alone_max; /* splits that rows walk through alone */
    uint32_t slot_count;
    struct attention_gpu_item *items;
    uint32_t item_count;
};

enum status attention_gpu_check(const struct attention_gpu_shape *shape)
{
    const bool has_heads = shape->kv_head_count > 0 && shape->head_count > 0
                           && shape->head_count % shape->kv_head_count == 0
                           && attention_plan_group(shape) <= ATTENTION_GROUP_MAX;
    const bool has_dim = shape->head_dim > 0 && shape->head_dim % 8 == 0
                         && shape->head_dim <= ATTENTION_GPU_HEAD_DIM_MAX;
    const bool has_dtypes = (shape->dtype == DTYPE_BF16 || shape->dtype == DTYPE_F16)
                            && (shape->kv_dtype == shape->dtype || shape->kv_dtype == DTYPE_E4M3);
    const bool has_pages = shape->page_tokens > 0 && shape->page_tokens % 16 == 0;
    return has_heads && has_dim && has_dtypes && has_pages ? STATUS_OK : STATUS_UNSUPPORTED;
}

uint32_t attention_gpu_items_max(const struct attention_gpu_shape *shape, uint32_t row_count_max,
                                 uint32_t sequence_count_max)
{
    return row_count_max / attention_plan_decode_rows(shape) + sequence_count_max
           + ATTENTION_GPU_SLOTS;
}

struct attention_plan_workspace
attention_plan_place_workspace(const struct attention_gpu_shape *shape)
{
    const size_t slots = (size_t)ATTENTION_GPU_SLOTS * shape->head_count;
    struct attention_plan_workspace at;
    at.maxima_at = slots * sizeof(uint32_t); /* counters: one a slot and unit would do */
    at.outs_at = at.maxima_at + slots * 2 * sizeof(float);
    at.bytes = at.outs_at + slots * shape->head_dim * sizeof(float);
    return at;
}

size_t attention_gpu_workspace_bytes(const struct attention_gpu_shape *shape)
{
    return attention_plan_place_workspace(shape).bytes;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The splits that rows first .. first + count - 1 of a sequence see: [out[0], out[1]). */
static void find_splits(const struct plan *plan, const struct gpu_sequence *sequence,
                        uint32_t first, uint32_t count, uint32_t out[2])
{
    const uint32_t position = sequence->position_first + first;
    const uint32_t key_first =
        plan->window > 0 && position >= plan->window ? position - plan->window + 1 : 0;
    out[0] = key_first / ATTENTION_GPU_SPLIT_TOKENS;
    out[1] = (position + count - 1) / ATTENTION_GPU_SPLIT_TOKENS + 1;
}

static void add_item(struct plan *plan, const struct gpu_sequence *sequence, uint32_t first,
                     uint32_t count, uint32_t split_first)
{
    plan->items[plan->item_count++] =
        (struct attention_gpu_item){.row_first = sequence->row_first + first,
                                    .row_count = count,
                                    .position_first = sequence->position_first + first,
                                    .page_first = sequence->page_first,
                                    .split_first = split_first,
                                    .part_count = 1};
}

static void add_parts(struct plan *plan, const struct gpu_sequence *sequence, uint32_t first,
                      uint32_t count, const uint32_t splits[2])
{
    for (uint32_t split = splits[0]; split < splits[1]; split++) {
        add_item(plan, sequence, first, count, split);
        struct attention_gpu_item *item = &plan->items[plan->item_count - 1];
        item->part_index = split - splits[0];
        item->part_count = splits[1] - splits[0];
        item->slot_first = plan->slot_count;
    }
    plan->slot_count += (splits[1] - splits[0]) * count;
}

/* Slots that a sequence's rows need with plan->alone_max; its items too, where items are wanted:
 * those of rows that walk alone, or those of the others. */
static uint32_t decode_sequence(struct plan *plan, const struct gpu_sequence *sequence,
                                bool wants_alone)
{
    const uint32_t step = attention_plan_decode_rows(plan->shape);
    uint32_t slots = 0;
    for (uint32_t first = 0; first < sequence->row_count; first += step) {
        const uint32_t count = smaller(step, sequence->row_count - first);
        uint32_t splits[2];
        find_splits(plan, sequence, first, count, splits);
        const bool is_alone = splits[1] - splits[0] <= plan->alone_max;
        slots += is_alone ? 0 : (splits[1] - splits[0]) * count;
        if (plan->items && is_alone == wants_alone) {
            if (is_alone) {
                add_item(plan, sequence, first, count, splits[0]);
            } else {
                add_parts(plan, sequence, first, count, splits);
            }
        }
    }
    return slots;
}

static uint32_t decode_all(struct plan *plan, bool wants_alone)
{
    uint32_t slots = 0;
    for (uint32_t s = 0; s < plan->sequence_count; s++) {
        if (plan->sequences[s].row_count <= plan->few_rows) {
            slots += decode_sequence(plan, &plan->sequences[s], wants_alone);
        }
    }
    return slots;
}

/* The last rows first: they see the most keys. */
static void prefill_sequence(struct plan *plan, const struct gpu_sequence *sequence)
{
    const uint32_t step = attention_plan_prefill_rows(plan->shape);
    for (uint32_t i = (sequence->row_count + step - 1) / step; i > 0; i--) {
        const uint32_t first = (i - 1) * step;
        const uint32_t count = smaller(step, sequence->row_count - first);
        uint32_t splits[2];
        find_splits(plan, sequence, first, count, splits);
        add_item(plan, sequence, first, count, splits[0]);
    }
}

void attention_plan_items(const struct attention_gpu_shape *shape, uint32_t window,
                          uint32_t few_rows, const struct gpu_sequence *sequences,
                          uint32_t sequence_count, struct attention_gpu_item *items,
                          struct gpu_counts *counts)
{
    struct plan plan = {.shape = shape,
                        .sequences = sequences,
                        .sequence_count = sequence_count,
                        .window = window,
                        .few_rows = few_rows,
                        .alone_max = 1};
    while (decode_all(&plan, false) > ATTENTION_GPU_SLOTS) {
        plan.alone_max *= 2;
    }
    plan.items = items;
    decode_all(&plan, true); /* may be long, hence before the others, which are one split each */
    decode_all(&plan, false);
    ASSERT(plan.slot_count <= ATTENTION_GPU_SLOTS);
    counts->attention_decode_count = plan.item_count;
    for (uint32_t s = 0; s < sequence_count; s++) {
        if (sequences[s].row_count > few_rows) {
            prefill_sequence(&plan, &sequences[s]);
        }
    }
    counts->attention_item_count = plan.item_count;
}

void attention_gpu_plan_items(const struct attention_gpu_shape *shape, uint32_t window,
                              const struct gpu_sequence *sequences, uint32_t sequence_count,
                              struct attention_gpu_item *items, struct gpu_counts *counts)
{
    const uint32_t few_rows = ATTENTION_PLAN_FEW_PAIRS / attention_plan_group(shape);
    attention_plan_items(shape, window, few_rows, sequences, sequence_count, items, counts);
}
