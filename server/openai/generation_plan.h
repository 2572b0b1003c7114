/* generation_plan.h - what a checked request with its prompts asks of the engine: how long each
 * answer may be, how much memory it would take, the engine's request. Pure but for a random seed.
 */
#pragma once
#include "server/openai/openai_format.h"
#include "server/openai/request/openai_prompt.h"
#include "server/service.h"

struct generation_plan {
    struct engine_request engine;
    struct token_log_shape shape;
    uint32_t prompt_tokens; /* of all prompts */
    uint32_t tokens_max;    /* prompts and the longest answers: what limits count */
};

/* STATUS_INVALID, with the fault: it does not fit the context, or the memory of one request. */
MUST_CHECK enum status
generation_plan_make(const struct service *service, const struct openai_format *format,
                     const struct openai_request *request, const struct openai_prompts *prompts,
                     struct generation_plan *out, struct openai_fault *fault);
