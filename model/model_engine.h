/* model_engine.h - runs a model as an `engine` (scheduler/engine.h) on the CPU: owns the KV pages,
 * the workspace and the worker threads; all of it taken at create. One thread calls the engine. */
#pragma once
#include "kernels/backend.h"
#include "model/model.h"
#include "scheduler/engine.h"

struct model_engine;

struct model_engine_config {
    uint32_t page_tokens;        /* multiple of ATTENTION_TILE_TOKENS */
    uint64_t kv_bytes;           /* memory for pages; at least one context's worth is demanded */
    uint32_t context_tokens_max; /* 0: max_position_embeddings, or what kv_bytes holds if less */
    uint32_t step_tokens_max, step_sequences_max;
    uint32_t worker_count; /* 0: one per core */
    const struct backend *backend;
};

/* Of every engine: page_tokens, context_tokens_max and what a step may hold. STATUS_INVALID names
 * the setting (server/config.def) and its range. */
MUST_CHECK enum status model_engine_check_limits(const struct model_config *model,
                                                 const struct engine_shape *asked,
                                                 struct failure *failure);

/* STATUS_INVALID: a limit out of range, named. STATUS_IO: no memory, with the bytes missing and the
 * setting to change. The model must outlive the engine. */
MUST_CHECK enum status model_engine_create(const struct model *model,
                                           const struct model_engine_config *config,
                                           struct model_engine **out, struct failure *failure);
void model_engine_destroy(struct model_engine *engine); /* NULL is fine */

struct engine model_engine_interface(struct model_engine *engine);

/* Bytes of KV that one page of so many tokens takes in all layers. */
uint64_t model_engine_page_bytes(const struct model_config *config, uint32_t page_tokens);

/* fp32 logits as the forward pass made them, before penalties, for tools and tests: of the rows
 * that sample, or of every row of the plan. Set before launch; STATUS_IO: no memory for them. */
enum model_engine_logits {
    MODEL_ENGINE_LOGITS_NONE,
    MODEL_ENGINE_LOGITS_SAMPLED,
    MODEL_ENGINE_LOGITS_EVERY
};
MUST_CHECK enum status model_engine_keep_logits(struct model_engine *engine,
                                                enum model_engine_logits which);

/* [row][vocabulary] of the last settled plan; NULL while none are kept. Lives until the next
 * settle. */
const float *model_engine_logits(const struct model_engine *engine);
