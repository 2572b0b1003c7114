/* engine.h - what a scheduler asks of an engine: one step = launch a plan, then settle its results.
 * Page numbers are the scheduler's, the bytes behind them the engine's. One thread, the engine
 * thread, calls all of it. Everything a plan points to stays unchanged until its settle returns.
 * Plans run and settle in the order of their launch. The bytes of every page are zero when an
 * engine has been created. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/ids.h"
#include "base/limits.h"
#include "base/status.h"

struct engine_bias {
    uint32_t id;
    float value;
};

/* How a sequence chooses its tokens; flat, so that it travels in a ring. Meanings: OpenAI API. */
struct engine_sampling {
    float temperature;                                             /* 0: greedy */
    float top_p, min_p;                                            /* 1 and 0: off */
    uint32_t top_k;                                                /* 0: off */
    float presence_penalty, frequency_penalty, repetition_penalty; /* 0, 0, 1: off */
    uint64_t seed;
    uint32_t top_logprobs_count; /* 0 .. LIMIT_TOP_LOGPROBS */
    uint32_t bias_count;
    struct engine_bias bias[LIMIT_LOGIT_BIAS];
};

/* One sequence's share of a step: it computes the row_count tokens at position_first and after,
 * whose KV then stands in pages. If samples, a token is drawn after the last of them, which is then
 * the last token known (position_first + row_count == token_count).
 *
 * If takes_sampled, the last of tokens is not there yet: it is the one that the plan launched just
 * before draws for its sequence number sampled_sequence, which samples and has the same tokens but
 * for that one. Only where in_flight_max is 2; tokens[token_count - 1] is then not read. */
struct engine_sequence {
    const uint32_t *tokens; /* [token_count]: prompt, then output so far */
    uint32_t token_count, prompt_count;
    uint32_t position_first, row_count; /* row_count >= 1 */
    const struct page_id *pages;        /* enough for position_first + row_count tokens */
    uint32_t page_count;
    const struct engine_sampling *sampling;
    bool samples;
    bool takes_sampled;
    uint32_t sampled_sequence;
};

struct engine_plan {
    const struct engine_sequence *sequences;
    uint32_t sequence_count;           /* 0: the step only scrubs */
    uint32_t row_count;                /* sum over sequences; at most step_tokens_max */
    const struct page_id *scrub_pages; /* to be zeroed before anything else of this step */
    uint32_t scrub_count;
    bool is_after_rest; /* nothing waited before it: the time until then was nobody's loss */
};

struct engine_token {
    uint32_t id;
    float logprob;
    uint32_t top_count;
    uint32_t top_ids[LIMIT_TOP_LOGPROBS];
    float top_logprobs[LIMIT_TOP_LOGPROBS];
};

struct engine_shape {
    uint32_t page_count, page_tokens;
    uint32_t context_tokens_max; /* of one sequence, prompt and output */
    uint32_t step_tokens_max, step_sequences_max;
    uint32_t vocabulary_count;
};

/* Of a device's life since create: time in steps, and between steps while the next one had been
 * asked for. */
struct engine_times {
    uint64_t busy_ns, idle_ns;
};

struct engine {
    void *self;
    struct engine_shape shape;
    uint32_t in_flight_max; /* plans launched and not settled: 1 or 2; 0 counts as 1 */

    /* Queues the plan. STATUS_DEVICE: nothing of it ran, and the engine is lost. */
    enum status (*launch)(void *self, const struct engine_plan *plan);

    /* Waits for the oldest plan and writes one token for each sequence of it, in the plan's order
     * (only those with samples set are meaningful). STATUS_DEVICE: the engine is lost. */
    enum status (*settle)(void *self, struct engine_token *out);

    /* NULL: not measured. */
    void (*times)(void *self, struct engine_times *out);
};
