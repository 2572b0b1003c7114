/* support_model.h - models and engines for tests of model/: opened without a tokenizer, driven one
 * sequence at a time. Everything that goes wrong here ends the test with a line on stderr. */
#pragma once
#include <jansson.h>

#include "model/model_engine.h"

/* Directory of tests/fixtures/models/<name>, or of <WARD_TEST_DATA>/<path>, default ../shared/data;
 * NULL when absent. In a static buffer. */
const char *support_fixture(const char *name);
const char *support_data(const char *path);

json_t *support_json(const char *directory, const char *name); /* the caller's to decref */

struct model *support_open(const char *directory); /* config and weights only */
void support_close(struct model *model);

struct model_engine *support_engine(const struct model *model, const struct backend *backend,
                                    uint32_t step_tokens_max, uint32_t step_sequences_max);

/* One sequence of tokens; pages is its own list in the engine's pool. */
struct support_sequence {
    uint32_t *tokens; /* [token_count], room for more */
    uint32_t token_count, prompt_count, computed_count;
    const struct page_id *pages;
    uint32_t page_count;
    struct engine_sampling sampling;
};

struct engine_sampling support_greedy(void);

/* What the next step of the sequence is, with at most row_count_max rows. */
struct engine_sequence support_next(const struct support_sequence *sequence,
                                    uint32_t row_count_max);

/* Runs the plan of these sequences; tokens[i] is what sequence i drew. */
void support_step(struct model_engine *engine, const struct engine_sequence *sequences,
                  uint32_t count, struct engine_token *tokens);

/* Continues tokens[prompt_count] by out_count tokens, greedily, with prompt chunks of the
 * step_tokens_max, in pages 0, 1, 2, ...; tokens has room. all: every token with logprobs, or NULL.
 */
void support_generate(struct model_engine *engine, uint32_t *tokens, uint32_t prompt_count,
                      uint32_t out_count, struct engine_token *all);
