#include "model/gpu/gpu_step.h"

#include <string.h>

#include "base/assert.h"
#include "kernels/embedding/embedding.h"

enum {
    ALIGNMENT_BYTES = 256,
    PAGE_LIST_PAD = 8, /* zeros behind a list of pages: page 0 exists */
    TAIL_SLACK_BYTES = 256,
};

_Static_assert(EMBEDDING_SAMPLED == 1U << SAMPLE_GPU_SAMPLED_BIT, "one spelling of unseen ids");
_Static_assert(sizeof(struct gpu_counts) <= ALIGNMENT_BYTES, "counts come first");

/* ---- places ---------------------------------------------------------------------------------- */

static size_t after(size_t offset, size_t count, size_t size)
{
    return (offset + count * size + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
}

struct gpu_step_layout gpu_step_choose_layout(uint32_t row_count, uint32_t sequence_count)
{
    struct gpu_step_layout layout = {.row_count = row_count, .sequence_count = sequence_count};
    layout.sequences = ALIGNMENT_BYTES;
    layout.ids = after(layout.sequences, sequence_count, sizeof(struct gpu_sequence));
    layout.rows = after(layout.ids, row_count, sizeof(uint32_t));
    layout.logit_rows = after(layout.rows, row_count, sizeof(struct gpu_row));
    layout.samples = after(layout.logit_rows, sequence_count, sizeof(uint32_t));
    layout.tail = after(layout.samples, sequence_count, sizeof(struct sample_gpu_row));
    return layout;
}

static size_t context_pages(const struct engine_shape *shape)
{
    return (shape->context_tokens_max + shape->page_tokens - 1) / shape->page_tokens;
}

size_t gpu_step_bytes_max(const struct engine_shape *shape,
                          const struct attention_gpu_shape *attention)
{
    const struct gpu_step_layout layout =
        gpu_step_choose_layout(shape->step_tokens_max, shape->step_sequences_max);
    const size_t items =
        attention_gpu_items_max(attention, shape->step_tokens_max, shape->step_sequences_max);
    const size_t words = context_pages(shape) + PAGE_LIST_PAD + shape->context_tokens_max;
    const size_t sequence_bytes =
        words * sizeof(uint32_t) + LIMIT_LOGIT_BIAS * sizeof(struct sample_bias);
    return layout.tail + items * sizeof(struct attention_gpu_item)
           + shape->page_count * sizeof(uint32_t) + shape->step_sequences_max * sequence_bytes
           + TAIL_SLACK_BYTES;
}

/* ---- packing --------------------------------------------------------------------------------- */

struct packer {
    const struct gpu_step_layout *layout;
    const struct gpu_step_source *source;
    unsigned char *block;
    struct gpu_counts counts;
    size_t tail_bytes; /* used so far */
};

/* Room in the tail; *index is its place in units of size, from the tail's start. */
static void *take(struct packer *packer, size_t count, size_t size, uint32_t *index)
{
    const size_t first = (packer->tail_bytes + size - 1) / size * size;
    packer->tail_bytes = first + count * size;
    *index = (uint32_t)(first / size);
    return packer->block + packer->layout->tail + first;
}

static void check_sequence(const struct gpu_step_source *source,
                           const struct engine_sequence *sequence)
{
    const struct engine_shape *shape = source->shape;
    const uint64_t end = (uint64_t)sequence->position_first + sequence->row_count;
    ASSERT(sequence->row_count >= 1);
    ASSERT(end <= sequence->token_count && end <= shape->context_tokens_max);
    ASSERT((uint64_t)sequence->page_count * shape->page_tokens >= end);
    ASSERT(!sequence->samples || end == sequence->token_count);
    if (sequence->takes_sampled) {
        ASSERT(end == sequence->token_count);
        ASSERT(sequence->sampled_sequence < source->sampled_before_count);
        ASSERT(source->sampled_before[sequence->sampled_sequence] != GPU_STEP_NO_SAMPLE);
    }
}

/* The token at an index, or where the device finds it. */
static uint32_t token_at(const struct packer *packer, const struct engine_sequence *sequence,
                         uint32_t index)
{
    if (sequence->takes_sampled && index + 1 == sequence->token_count) {
        return EMBEDDING_SAMPLED | packer->source->sampled_before[sequence->sampled_sequence];
    }
    ASSERT(sequence->tokens[index] < packer->source->shape->vocabulary_count);
    return sequence->tokens[index];
}

/* The pages that its rows write and read. Returns the list's place. */
static uint32_t pack_pages(struct packer *packer, const struct engine_sequence *sequence)
{
    const struct engine_shape *shape = packer->source->shape;
    const uint32_t end = sequence->position_first + sequence->row_count;
    const uint32_t count = (end + shape->page_tokens - 1) / shape->page_tokens;
    uint32_t first = 0;
    uint32_t *pages = take(packer, count + PAGE_LIST_PAD, sizeof *pages, &first);
    for (uint32_t i = 0; i < count; i++) {
        ASSERT(sequence->pages[i].value < shape->page_count);
        pages[i] = sequence->pages[i].value;
    }
    memset(pages + count, 0, PAGE_LIST_PAD * sizeof *pages);
    return first;
}

static void pack_rows(struct packer *packer, uint32_t sequence_index)
{
    const struct engine_sequence *sequence = &packer->source->plan->sequences[sequence_index];
    const struct gpu_step_layout *layout = packer->layout;
    struct gpu_sequence *sequences = (void *)(packer->block + layout->sequences);
    uint32_t *ids = (void *)(packer->block + layout->ids);
    struct gpu_row *rows = (void *)(packer->block + layout->rows);
    const uint32_t row_first = packer->counts.row_count;
    ASSERT(sequence->row_count <= layout->row_count - row_first);
    sequences[sequence_index] = (struct gpu_sequence){
        row_first, sequence->row_count, sequence->position_first, pack_pages(packer, sequence)};
    for (uint32_t i = 0; i < sequence->row_count; i++) {
        const uint32_t position = sequence->position_first + i;
        ids[row_first + i] = token_at(packer, sequence, position);
        rows[row_first + i] = (struct gpu_row){sequence_index, position};
    }
    packer->counts.row_count += sequence->row_count;
}

static bool has_penalties(const struct engine_sampling *sampling)
{
    const float repetition = sampling->repetition_penalty;
    return sampling->presence_penalty < 0 || sampling->presence_penalty > 0
           || sampling->frequency_penalty < 0 || sampling->frequency_penalty > 0
           || repetition < 1.0F || repetition > 1.0F;
}

static void pack_history(struct packer *packer, const struct engine_sequence *sequence,
                         struct sample_gpu_row *out)
{
    if (!has_penalties(sequence->sampling)) {
        return;
    }
    uint32_t *tokens = take(packer, sequence->token_count, sizeof *tokens, &out->token_first);
    for (uint32_t i = 0; i < sequence->token_count; i++) {
        tokens[i] = token_at(packer, sequence, i);
    }
    out->token_count = sequence->token_count;
    out->prompt_count = sequence->prompt_count;
}

static void pack_sample(struct packer *packer, const struct engine_sequence *sequence,
                        struct sample_gpu_row *out)
{
    const struct engine_sampling *sampling = sequence->sampling;
    ASSERT(sampling->bias_count <= LIMIT_LOGIT_BIAS);
    ASSERT(sampling->top_logprobs_count <= LIMIT_TOP_LOGPROBS);
    *out = (struct sample_gpu_row){
        .seed = sampling->seed,
        .position = sequence->token_count,
        .temperature = sampling->temperature,
        .top_p = sampling->top_p,
        .min_p = sampling->min_p,
        .top_k = sampling->top_k,
        .presence_penalty = sampling->presence_penalty,
        .frequency_penalty = sampling->frequency_penalty,
        .repetition_penalty = sampling->repetition_penalty,
        .bias_count = sampling->bias_count,
        .top_logprobs_count = sampling->top_logprobs_count,
        .wants_logprob = 1,
    };
    struct sample_bias *bias = take(packer, sampling->bias_count, sizeof *bias, &out->bias_first);
    for (uint32_t i = 0; i < sampling->bias_count; i++) {
        bias[i] = (struct sample_bias){sampling->bias[i].id, sampling->bias[i].value};
    }
    pack_history(packer, sequence, out);
}

static size_t pack_scrub(struct packer *packer)
{
    const struct engine_plan *plan = packer->source->plan;
    uint32_t index = 0;
    ASSERT(plan->scrub_count <= packer->source->shape->page_count);
    uint32_t *pages = take(packer, plan->scrub_count, sizeof *pages, &index);
    for (uint32_t i = 0; i < plan->scrub_count; i++) {
        ASSERT(plan->scrub_pages[i].value < packer->source->shape->page_count);
        pages[i] = plan->scrub_pages[i].value;
    }
    return (size_t)((unsigned char *)pages - packer->block);
}

static void pack_sequences(struct packer *packer, uint32_t *sampled)
{
    const struct engine_plan *plan = packer->source->plan;
    uint32_t *logit_rows = (void *)(packer->block + packer->layout->logit_rows);
    struct sample_gpu_row *samples = (void *)(packer->block + packer->layout->samples);
    for (uint32_t i = 0; i < plan->sequence_count; i++) {
        check_sequence(packer->source, &plan->sequences[i]);
        pack_rows(packer, i);
        sampled[i] = GPU_STEP_NO_SAMPLE;
        if (plan->sequences[i].samples) {
            sampled[i] = packer->counts.logit_row_count++;
            logit_rows[sampled[i]] = packer->counts.row_count - 1;
            pack_sample(packer, &plan->sequences[i], &samples[sampled[i]]);
        }
    }
    ASSERT(packer->counts.row_count == plan->row_count);
    packer->counts.sequence_count = plan->sequence_count;
}

void gpu_step_pack(const struct gpu_step_layout *layout, const struct gpu_step_source *source,
                   unsigned char *block, uint32_t *sampled, struct gpu_step *out)
{
    const struct engine_plan *plan = source->plan;
    ASSERT(plan->sequence_count <= layout->sequence_count);
    ASSERT(plan->row_count <= layout->row_count);
    struct packer packer = {.layout = layout, .source = source, .block = block};
    const size_t items_max =
        attention_gpu_items_max(source->attention, plan->row_count, plan->sequence_count);
    /* Items stand at the tail's start, where a graph expects them; their number is known only when
     * the lists behind them have their places. */
    packer.tail_bytes = items_max * sizeof(struct attention_gpu_item);
    const size_t scrub_first = pack_scrub(&packer);
    pack_sequences(&packer, sampled);
    if (plan->sequence_count > 0) {
        attention_gpu_plan_items(source->attention, 0, (void *)(block + layout->sequences),
                                 plan->sequence_count, (void *)(block + layout->tail),
                                 &packer.counts);
        ASSERT(packer.counts.attention_item_count <= items_max);
    }
    memcpy(block, &packer.counts, sizeof packer.counts);
    *out = (struct gpu_step){
        .layout = *layout,
        .counts = packer.counts,
        .bytes = layout->tail + packer.tail_bytes,
        .scrub_first = scrub_first,
        .has_prefill = packer.counts.attention_decode_count < packer.counts.attention_item_count,
    };
}
