/* gpu_engine.c - a step: pack the plan into one of two pinned blocks, upload it, scrub, run the
 * layers (as a graph, if all rows decode), download the results. The device block, the workspace
 * and the sampled ids are one each, for steps follow each other in one stream. */
#include "model/gpu/gpu_engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/gpu/gpu_engine_memory.h"

static const uint32_t buckets[] = {1,   2,   4,   8,   16,  24,  32,  48,  64,  96,  128,
                                   192, 256, 320, 384, 448, 512, 640, 768, 896, 1024};
enum {
    BUCKET_COUNT = sizeof buckets / sizeof buckets[0],
    SLOTS = 2, /* plans in flight */
    SPANS = 4, /* steps whose times are still wanted */
};

/* What the host may not touch between launch and settle. */
struct slot {
    unsigned char *block;              /* pinned */
    struct sample_gpu_result *results; /* pinned, [step_sequences_max] */
    uint32_t *sampled;                 /* [sequence] -> its result */
    uint32_t sequence_count;
    struct gpu_step step;
    bool is_after_rest;
};

struct gpu_engine {
    struct gpu_engine_memory memory;
    struct slot slots[SLOTS];
    struct {
        struct gpu_event *start, *end;
    } spans[SPANS];
    uint64_t launch_count, settle_count;
    struct {
        uint32_t row_count;
        struct gpu_graph *graph;
    } graphs[BUCKET_COUNT + 1];
    size_t graph_count;
    double busy_ms, idle_ms;
    enum model_engine_logits kept_which;
    void *kept;         /* pinned, [row][vocabulary] once settled */
    float *every_logit; /* on the device, for KEPT_EVERY */
};

/* ---- graphs ---------------------------------------------------------------------------------- */

/* A step without rows: it loads the kernels, which a capture must not do. */
static enum status run_empty(struct gpu_engine *engine, const struct gpu_step_layout *layout,
                             bool has_prefill)
{
    struct gpu *gpu = engine->memory.gpu;
    memset(engine->slots[0].block, 0, layout->tail);
    enum status status =
        gpu_upload_async(gpu, engine->memory.forward.block, engine->slots[0].block, layout->tail);
    if (status == STATUS_OK) {
        status = gpu_forward_run(&engine->memory.forward, layout, has_prefill);
    }
    return status == STATUS_OK ? gpu_wait(gpu) : status;
}

static enum status capture(struct gpu_engine *engine, uint32_t row_count)
{
    struct gpu *gpu = engine->memory.gpu;
    const struct gpu_step_layout layout = gpu_step_choose_layout(row_count, row_count);
    struct gpu_graph *graph = NULL;
    enum status status = run_empty(engine, &layout, false);
    if (status == STATUS_OK && engine->memory.forward.library) {
        status = gpu_forward_tune(&engine->memory.forward, row_count);
    }
    if (status == STATUS_OK) {
        status = gpu_capture_begin(gpu);
    }
    if (status == STATUS_OK) {
        status = gpu_forward_run(&engine->memory.forward, &layout, false);
    }
    if (status == STATUS_OK) {
        status = gpu_capture_end(gpu, &graph);
    }
    if (status == STATUS_OK) {
        engine->graphs[engine->graph_count].row_count = row_count;
        engine->graphs[engine->graph_count++].graph = graph;
    }
    return status;
}

static enum status capture_all(struct gpu_engine *engine, struct failure *failure)
{
    const struct engine_shape *shape = &engine->memory.shape;
    const uint32_t row_count_max = shape->step_sequences_max < shape->step_tokens_max
                                       ? shape->step_sequences_max
                                       : shape->step_tokens_max;
    const struct gpu_step_layout longest =
        gpu_step_choose_layout(shape->step_tokens_max, row_count_max);
    const uint64_t start_ns = clock_monotonic_ns();
    uint32_t row_count = 0;
    enum status status = run_empty(engine, &longest, true);
    for (size_t i = 0; status == STATUS_OK && row_count < row_count_max; i++) {
        row_count = i < BUCKET_COUNT && buckets[i] < row_count_max ? buckets[i] : row_count_max;
        status = capture(engine, row_count);
        log_event(LOG_LEVEL_DEBUG, "gpu", "graph", "rows=%u of=%u", row_count, row_count_max);
    }
    if (status != STATUS_OK) {
        return fail(failure, status, "a step cannot be captured: %s",
                    gpu_failure_text(engine->memory.gpu));
    }
    log_event(LOG_LEVEL_INFO, "gpu", "graphs.captured", "count=%zu rows_max=%u capture_ms=%llu",
              engine->graph_count, row_count_max,
              (unsigned long long)((clock_monotonic_ns() - start_ns) / 1000000));
    return STATUS_OK;
}

/* The smallest graph that holds so many rows; NULL: none. */
static struct gpu_graph *find_graph(const struct gpu_engine *engine, uint32_t row_count,
                                    uint32_t *bucket)
{
    for (size_t i = 0; i < engine->graph_count; i++) {
        if (engine->graphs[i].row_count >= row_count) {
            *bucket = engine->graphs[i].row_count;
            return engine->graphs[i].graph;
        }
    }
    return NULL;
}

/* ---- launch ---------------------------------------------------------------------------------- */

static bool all_decode(const struct engine_plan *plan)
{
    return plan->row_count > 0 && plan->row_count == plan->sequence_count;
}

/* Packs the plan in the layout of a graph where there is one; *graph is then set. */
static void pack(struct gpu_engine *engine, const struct engine_plan *plan, struct slot *slot,
                 struct gpu_graph **graph)
{
    const struct slot *before = &engine->slots[(engine->launch_count + SLOTS - 1) % SLOTS];
    const struct gpu_step_source source = {
        .plan = plan,
        .shape = &engine->memory.shape,
        .attention = &engine->memory.forward.attention,
        .sampled_before = before->sampled,
        .sampled_before_count = engine->launch_count > 0 ? before->sequence_count : 0,
    };
    uint32_t row_count = plan->row_count;
    uint32_t sequence_count = plan->sequence_count;
    *graph = all_decode(plan) ? find_graph(engine, plan->row_count, &row_count) : NULL;
    if (*graph) {
        sequence_count = row_count;
    }
    const struct gpu_step_layout layout = gpu_step_choose_layout(row_count, sequence_count);
    gpu_step_pack(&layout, &source, slot->block, slot->sampled, &slot->step);
    slot->sequence_count = plan->sequence_count;
    slot->is_after_rest = plan->is_after_rest;
    if (slot->step.has_prefill) {
        *graph = NULL; /* the layout serves as well without one */
    }
}

static enum status queue(struct gpu_engine *engine, const struct engine_plan *plan,
                         struct slot *slot, struct gpu_graph *graph)
{
    const struct gpu_forward *forward = &engine->memory.forward;
    struct gpu *gpu = engine->memory.gpu;
    const struct gpu_step *step = &slot->step;
    enum status status = gpu_upload_async(gpu, forward->block, slot->block, step->bytes);
    if (status == STATUS_OK && plan->scrub_count > 0) {
        status = gpu_forward_scrub(forward, step->scrub_first, plan->scrub_count);
    }
    if (status == STATUS_OK && plan->row_count > 0) {
        status = graph ? gpu_graph_launch(gpu, graph)
                       : gpu_forward_run(forward, &step->layout, step->has_prefill);
    }
    if (status == STATUS_OK && step->counts.logit_row_count > 0) {
        status = gpu_download_async(gpu, slot->results, forward->results,
                                    step->counts.logit_row_count * sizeof *slot->results);
    }
    return status;
}

static enum status lost(const struct gpu_engine *engine, enum status status)
{
    log_event(LOG_LEVEL_ERROR, "gpu", "failed", "status=%s text=\"%s\"", status_name(status),
              gpu_failure_text(engine->memory.gpu));
    return STATUS_DEVICE;
}

static enum status launch(void *self, const struct engine_plan *plan)
{
    struct gpu_engine *engine = self;
    struct slot *slot = &engine->slots[engine->launch_count % SLOTS];
    struct gpu *gpu = engine->memory.gpu;
    struct gpu_graph *graph = NULL;
    const uint64_t in_flight_max = engine->kept_which == MODEL_ENGINE_LOGITS_NONE ? SLOTS : 1;
    ASSERT(engine->launch_count - engine->settle_count < in_flight_max);
    ASSERT(plan->sequence_count <= engine->memory.shape.step_sequences_max);
    ASSERT(plan->row_count <= engine->memory.shape.step_tokens_max);
    pack(engine, plan, slot, &graph);
    const size_t span = engine->launch_count % SPANS;
    enum status status = gpu_event_record(gpu, engine->spans[span].start);
    if (status == STATUS_OK) {
        status = queue(engine, plan, slot, graph);
    }
    if (status == STATUS_OK) {
        status = gpu_event_record(gpu, engine->spans[span].end);
    }
    engine->launch_count++;
    return status == STATUS_OK ? status : lost(engine, status);
}

/* ---- settle ---------------------------------------------------------------------------------- */

static enum status measure(struct gpu_engine *engine, bool is_after_rest)
{
    const size_t span = engine->settle_count % SPANS;
    const size_t before = (engine->settle_count + SPANS - 1) % SPANS;
    float busy_ms = 0, idle_ms = 0;
    enum status status =
        gpu_event_milliseconds(engine->spans[span].start, engine->spans[span].end, &busy_ms);
    if (status == STATUS_OK && engine->settle_count > 0 && !is_after_rest) {
        status =
            gpu_event_milliseconds(engine->spans[before].end, engine->spans[span].start, &idle_ms);
    }
    engine->busy_ms += (double)busy_ms;
    engine->idle_ms += (double)idle_ms;
    return status;
}

static enum status keep(struct gpu_engine *engine, const struct slot *slot)
{
    const struct gpu_forward *forward = &engine->memory.forward;
    const struct gpu_counts *counts = &slot->step.counts;
    const size_t vocabulary = engine->memory.shape.vocabulary_count;
    const size_t stride = gpu_forward_stride(engine->memory.shape.vocabulary_count);
    const bool keeps_every = engine->kept_which == MODEL_ENGINE_LOGITS_EVERY;
    const size_t row_count = keeps_every ? counts->row_count : counts->logit_row_count;
    const float *from = keeps_every ? engine->every_logit : forward->logits;
    enum status status = STATUS_OK;
    if (keeps_every && row_count > 0) {
        status = gpu_forward_every_logit(forward, counts->row_count, engine->every_logit);
    }
    for (size_t i = 0; status == STATUS_OK && i < row_count; i++) {
        status = gpu_download_async(engine->memory.gpu, (float *)engine->kept + i * vocabulary,
                                    from + i * stride, vocabulary * sizeof(float));
    }
    return status == STATUS_OK ? gpu_wait(engine->memory.gpu) : status;
}

static void copy_tokens(const struct slot *slot, struct engine_token *out)
{
    for (uint32_t i = 0; i < slot->sequence_count; i++) {
        if (slot->sampled[i] != GPU_STEP_NO_SAMPLE) {
            const struct sample_gpu_result *result = &slot->results[slot->sampled[i]];
            const struct sample_gpu_row *rows =
                (const void *)(slot->block + slot->step.layout.samples);
            out[i].id = result->id;
            out[i].logprob = result->logprob;
            out[i].top_count = rows[slot->sampled[i]].top_logprobs_count;
            memcpy(out[i].top_ids, result->top_ids, sizeof out[i].top_ids);
            memcpy(out[i].top_logprobs, result->top_logprobs, sizeof out[i].top_logprobs);
        }
    }
}

static enum status settle(void *self, struct engine_token *out)
{
    struct gpu_engine *engine = self;
    ASSERT(engine->settle_count < engine->launch_count);
    const struct slot *slot = &engine->slots[engine->settle_count % SLOTS];
    const size_t span = engine->settle_count % SPANS;
    enum status status = gpu_event_wait(engine->memory.gpu, engine->spans[span].end);
    if (status == STATUS_OK) {
        status = measure(engine, slot->is_after_rest);
    }
    if (status == STATUS_OK && engine->kept_which != MODEL_ENGINE_LOGITS_NONE) {
        status = keep(engine, slot);
    }
    engine->settle_count++;
    if (status != STATUS_OK) {
        return lost(engine, status);
    }
    copy_tokens(slot, out);
    return STATUS_OK;
}

static void times(void *self, struct engine_times *out)
{
    const struct gpu_engine *engine = self;
    *out = (struct engine_times){.busy_ns = (uint64_t)(engine->busy_ms * 1e6),
                                 .idle_ns = (uint64_t)(engine->idle_ms * 1e6)};
}

struct engine gpu_engine_interface(struct gpu_engine *engine)
{
    return (struct engine){.self = engine,
                           .shape = engine->memory.shape,
                           .in_flight_max = SLOTS,
                           .launch = launch,
                           .settle = settle,
                           .times = times};
}

/* ---- logits for tools ------------------------------------------------------------------------ */

static void forget_logits(struct gpu_engine *engine)
{
    gpu_pinned_give_back(engine->memory.gpu, engine->kept);
    gpu_memory_give_back(engine->memory.gpu, engine->every_logit);
    engine->kept = NULL;
    engine->every_logit = NULL;
    engine->kept_which = MODEL_ENGINE_LOGITS_NONE;
}

enum status gpu_engine_keep_logits(struct gpu_engine *engine, enum model_engine_logits which)
{
    ASSERT(engine->launch_count == engine->settle_count);
    const struct engine_shape *shape = &engine->memory.shape;
    const size_t rows_of[] = {[MODEL_ENGINE_LOGITS_NONE] = 0,
                              [MODEL_ENGINE_LOGITS_SAMPLED] = shape->step_sequences_max,
                              [MODEL_ENGINE_LOGITS_EVERY] = shape->step_tokens_max};
    const size_t row_bytes = gpu_forward_stride(shape->vocabulary_count) * sizeof(float);
    void *every = NULL;
    forget_logits(engine);
    enum status status = STATUS_OK;
    if (rows_of[which] > 0) {
        status =
            gpu_pinned_take(engine->memory.gpu, rows_of[which] * row_bytes, &engine->kept, NULL);
    }
    if (status == STATUS_OK && which == MODEL_ENGINE_LOGITS_EVERY) {
        status = gpu_memory_take(engine->memory.gpu, rows_of[which] * row_bytes, &every, NULL);
        engine->every_logit = every;
    }
    if (status == STATUS_OK) {
        engine->kept_which = which;
    } else {
        forget_logits(engine);
    }
    return status;
}

const float *gpu_engine_logits(const struct gpu_engine *engine)
{
    return engine->kept;
}

/* ---- create and destroy ---------------------------------------------------------------------- */

static enum status take_slots(struct gpu_engine *engine, struct failure *failure)
{
    struct gpu *gpu = engine->memory.gpu;
    const uint32_t sequences = engine->memory.shape.step_sequences_max;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < SLOTS; i++) {
        struct slot *slot = &engine->slots[i];
        void *block = NULL;
        void *results = NULL;
        status = gpu_pinned_take(gpu, engine->memory.block_bytes, &block, failure);
        slot->block = block;
        if (status == STATUS_OK) {
            status = gpu_pinned_take(gpu, sequences * sizeof *slot->results, &results, failure);
            slot->results = results;
        }
        slot->sampled = calloc(sequences, sizeof *slot->sampled);
        if (status == STATUS_OK && !slot->sampled) {
            status = fail(failure, STATUS_IO, "no memory for %u sequences", sequences);
        }
    }
    for (size_t i = 0; status == STATUS_OK && i < SPANS; i++) {
        status = gpu_event_create(gpu, &engine->spans[i].start);
        if (status == STATUS_OK) {
            status = gpu_event_create(gpu, &engine->spans[i].end);
        }
        if (status != STATUS_OK) {
            status = fail(failure, status, "%s", gpu_failure_text(gpu));
        }
    }
    return status;
}

enum status gpu_engine_create(const struct model *model, const struct gpu_engine_config *config,
                              struct gpu_engine **out, struct failure *failure)
{
    struct gpu_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        return fail(failure, STATUS_IO, "no memory");
    }
    enum status status = gpu_engine_memory_take(&engine->memory, model, config, failure);
    if (status == STATUS_OK) {
        status = take_slots(engine, failure);
    }
    if (status == STATUS_OK && config->uses_graphs) {
        status = capture_all(engine, failure);
    }
    if (status == STATUS_OK) {
        *out = engine;
        engine = NULL; /* ownership moved to the caller */
    }
    gpu_engine_destroy(engine);
    return status;
}

void gpu_engine_destroy(struct gpu_engine *engine)
{
    if (!engine) {
        return;
    }
    struct gpu *gpu = engine->memory.gpu;
    if (gpu) {
        const enum status unused = gpu_wait(gpu); /* what is queued reads what goes away now */
        (void)unused;
        forget_logits(engine);
        for (size_t i = 0; i < engine->graph_count; i++) {
            gpu_graph_destroy(engine->graphs[i].graph);
        }
        for (size_t i = 0; i < SPANS; i++) {
            gpu_event_destroy(engine->spans[i].start);
            gpu_event_destroy(engine->spans[i].end);
        }
        for (size_t i = 0; i < SLOTS; i++) {
            gpu_pinned_give_back(gpu, engine->slots[i].block);
            gpu_pinned_give_back(gpu, engine->slots[i].results);
        }
    }
    for (size_t i = 0; i < SLOTS; i++) {
        free(engine->slots[i].sampled);
    }
    gpu_engine_memory_give_back(&engine->memory);
    free(engine);
}

struct gpu *gpu_engine_device(struct gpu_engine *engine)
{
    return engine->memory.gpu;
}
