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

#include "base/limits.h"
#include "kernels/gpu/gpu_batch.h"
#include "kernels/workers.h"

#ifdef __cplusplus
extern "C" {
#endif

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

/* GPU: sample_plan.h, sample_device.cuh, sample_scan.cu, sample_pick.cu.
 * The ids of sample_reference but where the last bits of a double sum decide; log-probabilities
 * within 1e-5. A row's results are the same bits whatever the other rows are. Three launches; the
 * logits are read once, and twice by rows that need the sum over all tokens (no top-k, and top-p or
 * nothing that cuts). No float atomics, no sort of the vocabulary. Rows from
 * counts->logit_row_count on are left alone. */

enum { SAMPLE_GPU_SAMPLED_BIT = 31 }; /* of a token: it is sampled[token & 0x7fffffff] */

struct sample_gpu_row { /* uploaded; fields mean what they mean in sample_row */
    uint64_t seed;
    uint32_t position;
    float temperature, top_p, min_p;
    uint32_t top_k;
    float presence_penalty, frequency_penalty, repetition_penalty;
    uint32_t token_first, token_count; /* in tokens: prompt, then output; 0 without penalties */
    uint32_t prompt_count;
    uint32_t bias_first, bias_count; /* in bias */
    uint32_t top_logprobs_count;
    uint32_t wants_logprob; /* 0: logprob is 0, and a greedy row costs a maximum only */
    uint32_t reserved;      /* 0 */
};

struct sample_gpu_result { /* downloaded */
    uint32_t id;
    float logprob;
    uint32_t top_ids[LIMIT_TOP_LOGPROBS]; /* from top_logprobs_count on: 0 and -INFINITY */
    float top_logprobs[LIMIT_TOP_LOGPROBS];
};

struct sample_gpu_args { /* device addresses */
    const float *logits; /* [row_count][stride], 16-byte aligned; not changed */
    size_t stride;       /* multiple of 4, at least vocabulary_count; what lies between is unused */
    struct gpu_batch batch;            /* counts->logit_row_count rows are real */
    const struct sample_gpu_row *rows; /* [row_count] */
    const uint32_t *tokens;         /* packed; ids that are not of the vocabulary are passed over */
    const struct sample_bias *bias; /* packed, in the order of the request */
    uint32_t *sampled; /* [row_count] out: ids; in: the step's before, where tokens ask for them */
    struct sample_gpu_result *results; /* [row_count] */
    void *workspace;                   /* 256-byte aligned, sample_gpu_workspace_bytes() */
    uint32_t row_count;                /* of the launch: a bucket; 0 is a no-op */
    uint32_t vocabulary_count;
};

/* About a seventh more than the logits; needs no clearing. */
size_t sample_gpu_workspace_bytes(uint32_t row_count, uint32_t vocabulary_count);

/* STATUS_INVALID: vocabulary 0 or above LIMIT_VOCABULARY, a stride or an address out of line. */
struct gpu_stream;
MUST_CHECK enum status sample_gpu_launch(const struct sample_gpu_args *args,
                                         struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
