/* support_engines.h - the same plans on a GPU engine and on the CPU engine with its activations
 * rounded where the GPU rounds them, so that what is left is the order of sums. Whatever goes wrong
 * here ends the test with a line on stderr. */
#pragma once
#include "model/gpu/gpu_engine.h"

/* Random bf16 weights in memory, two small layers; vocabulary_count is 300. */
struct model *support_random_model(void);
void support_random_close(struct model *model);

/* The plain references, their results rounded to T where the GPU stores T. */
const struct backend *support_rounding_backend(enum dtype dtype);
struct model_engine *support_rounding_engine(const struct model *model, enum dtype dtype);

enum { SUPPORT_PAGE_TOKENS = 16, SUPPORT_PAGES = 64, SUPPORT_STEP_TOKENS = 64 };
struct gpu_engine_config support_gpu_config(const struct model *model, uint32_t gpu_index);
struct gpu_engine *support_gpu_engine(const struct model *model,
                                      const struct gpu_engine_config *config);

/* One sequence of tokens in pages of its own. */
enum {
    SUPPORT_TOKENS_MAX = 128,
    SUPPORT_SEQUENCE_PAGES = SUPPORT_TOKENS_MAX / SUPPORT_PAGE_TOKENS
};
struct support_run {
    uint32_t tokens[SUPPORT_TOKENS_MAX];
    uint32_t token_count, prompt_count, computed_count;
    struct page_id pages[SUPPORT_SEQUENCE_PAGES];
    struct engine_sampling sampling;
};

/* A prompt of random tokens; pages are those from page_first on. */
void support_run_begin(struct support_run *run, uint64_t seed, uint32_t prompt_count,
                       uint32_t page_first);

/* What its next step is, of at most row_count_max rows. */
struct engine_sequence support_run_next(const struct support_run *run, uint32_t row_count_max);
void support_run_settle(struct support_run *run, const struct engine_sequence *rows,
                        const struct engine_token *token);

struct engine_plan support_plan(const struct engine_sequence *sequences, uint32_t count);
void support_step_on(const struct engine *engine, const struct engine_plan *plan,
                     struct engine_token *tokens);
