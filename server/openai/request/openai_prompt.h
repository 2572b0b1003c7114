/* openai_prompt.h - a checked request to token ids: chat messages through the model's template,
 * text through its tokenizer, ids as they are. Text of a user never becomes a special token. Any
 * thread. Owner: the caller, who starts from {0} and destroys it. */
#pragma once
#include "model/model.h"
#include "server/openai/request/openai_request.h"

struct openai_prompts {
    uint32_t *tokens; /* all prompts, one after the other */
    size_t token_count, capacity;
    uint32_t counts[LIMIT_SAMPLES]; /* [request->prompt_count] */
};

/* STATUS_INVALID, with the fault: the template refuses the messages, a prompt is empty. */
MUST_CHECK enum status openai_prompts_make(const struct model *model,
                                           const struct openai_request *request,
                                           struct openai_prompts *out, struct openai_fault *fault);
void openai_prompts_destroy(struct openai_prompts *prompts); /* zeroes them */

/* The text of one prompt, for echo. STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status openai_prompts_echo(const struct model *model,
                                           const struct openai_request *request, uint32_t index,
                                           struct buffer *out);

/* The text of token ids. STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status openai_prompts_decode(const struct model *model, const json_t *ids,
                                             bool skips_specials, struct buffer *out);
