/* A request's body: the first byte chooses the endpoint. What is accepted holds to every limit that
 * the engine relies on; what is refused says why in one line, without a byte of a long string. */
#include <string.h>

#include "base/assert.h"
#include "server/openai/request/openai_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { VOCABULARY_COUNT = 1000, SEQUENCES_MAX = 16 };

static void check_accepted(const struct openai_request *request)
{
    const struct engine_sampling *sampling = &request->sampling;
    ASSERT(sampling->temperature >= 0 && sampling->temperature <= 2);
    ASSERT(sampling->top_p > 0 && sampling->top_p <= 1);
    ASSERT(sampling->min_p >= 0 && sampling->min_p <= 1);
    ASSERT(sampling->repetition_penalty > 0 && sampling->repetition_penalty <= 2);
    ASSERT(sampling->presence_penalty >= -2 && sampling->presence_penalty <= 2);
    ASSERT(sampling->frequency_penalty >= -2 && sampling->frequency_penalty <= 2);
    ASSERT(sampling->top_logprobs_count <= LIMIT_TOP_LOGPROBS);
    ASSERT(sampling->bias_count <= LIMIT_LOGIT_BIAS);
    for (uint32_t i = 0; i < sampling->bias_count; i++) {
        ASSERT(sampling->bias[i].id < VOCABULARY_COUNT);
        ASSERT(sampling->bias[i].value >= -100 && sampling->bias[i].value <= 100);
    }
    ASSERT(request->n >= 1 && request->prompt_count >= 1);
    ASSERT(request->n * request->prompt_count <= SEQUENCES_MAX);
    ASSERT(request->max_tokens <= LIMIT_CONTEXT_TOKENS);
    ASSERT(request->stops.count <= LIMIT_STOP_STRINGS);
    if (request->endpoint == OPENAI_CHAT) {
        ASSERT(json_array_size(request->messages) >= 1);
    }
    for (uint32_t i = 0; request->prompt && i < request->prompt_count; i++) {
        const json_t *prompt = openai_request_prompt(request, i);
        ASSERT(json_is_string(prompt) || json_is_integer(json_array_get(prompt, 0)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const enum openai_endpoint endpoints[] = {OPENAI_CHAT, OPENAI_COMPLETIONS,
                                                     OPENAI_TOKENIZE, OPENAI_DETOKENIZE};
    static const struct openai_terms terms = {
        .model_name = "m", .vocabulary_count = VOCABULARY_COUNT, .sequences_max = SEQUENCES_MAX};
    if (length == 0) {
        return 0;
    }
    struct openai_request request;
    struct openai_fault fault = {0};
    if (openai_request_parse(endpoints[bytes[0] % 4], (const char *)bytes + 1, length - 1, &terms,
                             &request, &fault)
        == STATUS_OK) {
        check_accepted(&request);
    } else {
        ASSERT(fault.http_code == 400 && fault.code);
        ASSERT(fault.failure.text[0] != '\0' && !strchr(fault.failure.text, '\n'));
    }
    openai_request_destroy(&request);
    return 0;
}
