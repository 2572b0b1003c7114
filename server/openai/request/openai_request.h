/* openai_request.h - the body of a request, parsed and checked field by field. One table says which
 * fields there are; every other field is refused by its name, never ignored. null counts as absent.
 * Pure: no service, no model. Owner: the caller, who starts from {0} and destroys it. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "scheduler/engine.h"
#include "server/openai/request/openai_fault.h"
#include "server/openai/stop_match.h"

enum openai_endpoint {
    OPENAI_CHAT = 1 << 0,
    OPENAI_COMPLETIONS = 1 << 1,
    OPENAI_TOKENIZE = 1 << 2,
    OPENAI_DETOKENIZE = 1 << 3
};

struct openai_terms { /* what this server can do; outlives the call */
    const char *model_name;
    const char *const *instruments; /* names that chat takes in the model's place; NULL after the
                                       last; NULL: none */
    uint32_t vocabulary_count;
    uint32_t sequences_max; /* prompts times n of one request */
};

struct openai_request {
    enum openai_endpoint endpoint;
    json_t *body;
    json_t *messages;            /* chat: for the template (openai_messages.h) */
    json_t *prompt, *tokens;     /* in body; as they came, but checked */
    uint32_t prompt_count;       /* 1 but for completions */
    uint32_t n;                  /* samples of each prompt */
    uint32_t max_tokens;         /* of each answer; 0: not given */
    const char *max_tokens_name; /* as the client called it */
    const char *conversation;    /* metadata.conversation_id; NULL: not given */
    int instrument;              /* of the terms', asked in the model's place; -1: none */
    bool is_minor;               /* metadata.user_is_minor is "true" */
    struct engine_sampling sampling;
    struct stop_set stops;
    bool has_seed, stream, include_usage, echo;
    bool logprobs; /* report them; sampling.top_logprobs_count says how many alternatives */
    bool add_special_tokens, add_generation_prompt; /* tokenize */
};

/* STATUS_INVALID, with the fault. Destroy the request in any case. */
MUST_CHECK enum status openai_request_parse(enum openai_endpoint endpoint, const char *bytes,
                                            size_t length, const struct openai_terms *terms,
                                            struct openai_request *out, struct openai_fault *fault);
void openai_request_destroy(struct openai_request *request); /* zeroes it */

/* One prompt: a string, or an array of token ids. */
const json_t *openai_request_prompt(const struct openai_request *request, uint32_t index);

/* Names of the fields that an endpoint has, in turn; NULL after the last. */
const char *openai_request_field(enum openai_endpoint endpoint, size_t index);
