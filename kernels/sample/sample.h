/* sample.h - logits of one row to a token id: bias and penalties, then log-probabilities, then
 * temperature, top-k, top-p, min-p, and a draw. Order and meaning as in vLLM and the OpenAI API:
 *   logit[t] += bias[t]
 *   repetition: logit > 0 ? logit / r : logit * r for every token of prompt or output
 *   logit[t] -= frequency * count(t in output) + presence * (t in output)
 *   reported log-probabilities are log softmax of the raw logits, before any of this
 *   temperature 0: the highest logit, lowest id on a tie
 *   top-k, then top-p of what is left, then min-p; on a tie the lower id is kept
 *   a logit that is not finite is never chosen; if none is finite the id is 0
 *
 * Numerics fp32 with a double sum of exponentials; Philox4x32-10 (Salmon et al. 2011) keyed by
 * seed, counter = position, so the draw depends on (seed, position) alone. Threads  one row a part
 * over the workers; scratch is the caller's; never allocates. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "kernels/workers.h"

#define SAMPLE_TEMPERATURE_MIN 1e-5F

struct sample_bias {
    uint32_t id;
    float value;
};

struct sample_row {
    float *logits;          /* [vocabulary]; changed in place */
    const uint32_t *tokens; /* [token_count]: prompt, then output */
    uint32_t token_count, prompt_count;
    const struct sample_bias *bias; /* [bias_count], ids below vocabulary */
    uint32_t bias_count;
    float temperature, top_p, min_p; /* below SAMPLE_TEMPERATURE_MIN = greedy; 1 = off; 0 = off */
    uint32_t top_k;                  /* 0 = off */
    float presence_penalty, frequency_penalty, repetition_penalty; /* 0, 0, 1 = off */
    uint64_t seed;
    uint32_t position;           /* of the token being drawn */
    uint32_t top_logprobs_count; /* alternatives to report, 0 .. LIMIT_TOP_LOGPROBS */
    /* results */
    uint32_t id;
    float logprob;     /* of id; NAN is never written: logits that are not finite give -INFINITY */
    uint32_t *top_ids; /* [top_logprobs_count], highest first */
    float *top_logprobs; /* [top_logprobs_count] */
};

struct sample_args {
    struct sample_row *rows;
    uint32_t row_count, vocabulary_count;
    void *scratch; /* sample_scratch_bytes(vocabulary_count) for each row, 64-byte aligned */
};

size_t sample_scratch_bytes(uint32_t vocabulary_count);
void sample_reference(const struct sample_args *args);
void sample_cpu(const struct sample_args *args, struct workers *workers);
