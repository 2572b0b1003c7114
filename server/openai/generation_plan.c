#include "server/openai/generation_plan.h"

#include <sodium.h>
#include <string.h>

enum { JSON_BYTES_A_LOGPROB = 256 };

/* Tokens that one sequence may hold: the context, and the pages that its tenant may. The last token
 * of an answer needs no page. */
static uint64_t sequence_tokens_max(const struct service *service)
{
    const struct engine_shape *shape = &service->config.engine.shape;
    const uint32_t page_count = service->config.tenant_pages_max < shape->page_count
                                    ? service->config.tenant_pages_max
                                    : shape->page_count;
    const uint64_t paged = (uint64_t)page_count * shape->page_tokens + 1;
    return paged < shape->context_tokens_max ? paged : shape->context_tokens_max;
}

/* How long the answers to one prompt may be. preset: where the request names no maximum; 0: all
 * that is left. */
static enum status plan_prompt(const struct openai_request *request, uint64_t room, uint32_t preset,
                               uint32_t token_count, uint32_t *output_max,
                               struct openai_fault *fault)
{
    const char *param = request->messages ? "messages" : "prompt";
    if (token_count == 0) {
        return openai_fault_set(fault, param, "invalid_value", "%s must not be empty", param);
    }
    if (token_count >= room) {
        return openai_fault_set(fault, param, "context_length_exceeded",
                                "the prompt has %u tokens, and prompt and answer together may "
                                "have %llu",
                                token_count, (unsigned long long)room);
    }
    const uint32_t left = (uint32_t)(room - token_count);
    if (request->max_tokens > left) {
        return openai_fault_set(fault, request->max_tokens_name, "context_length_exceeded",
                                "the prompt has %u tokens and %s is %u, and together they may be "
                                "%llu",
                                token_count, request->max_tokens_name, request->max_tokens,
                                (unsigned long long)room);
    }
    const uint32_t wanted = request->max_tokens > 0 ? request->max_tokens : preset;
    *output_max = wanted > 0 && wanted < left ? wanted : left;
    return STATUS_OK;
}

static enum status plan_prompts(const struct service *service, const struct openai_format *format,
                                const struct openai_request *request,
                                const struct openai_prompts *prompts, struct generation_plan *out,
                                struct openai_fault *fault)
{
    const uint64_t room = sequence_tokens_max(service);
    const uint32_t preset = format->max_tokens_default > 0 ? format->max_tokens_default
                                                           : service->config.output_tokens_default;
    uint64_t tokens_max = 0;
    for (uint32_t i = 0; i < request->prompt_count; i++) {
        uint32_t output_max = 0;
        const enum status status =
            plan_prompt(request, room, preset, prompts->counts[i], &output_max, fault);
        if (status != STATUS_OK) {
            return status;
        }
        out->engine.prompts[i].token_count = prompts->counts[i];
        out->engine.prompts[i].output_max = output_max;
        out->prompt_tokens += prompts->counts[i];
        tokens_max += prompts->counts[i] + (uint64_t)output_max * request->n;
        if (output_max > out->shape.output_max) {
            out->shape.output_max = output_max;
        }
    }
    out->tokens_max = tokens_max < UINT32_MAX ? (uint32_t)tokens_max : UINT32_MAX;
    return STATUS_OK;
}

/* Memory that the longest answer would take: its tokens, and the document where it is one. */
static enum status check_memory(const struct service *service, const struct openai_request *request,
                                const struct token_log_shape *shape, struct openai_fault *fault)
{
    const uint64_t most = service->config.request_bytes_max;
    const uint64_t token_count = (uint64_t)shape->sequence_count * shape->output_max;
    uint64_t bytes = token_log_bytes(shape);
    if (request->logprobs) {
        bytes += token_count * sizeof(struct openai_mark);
        if (!request->stream) {
            bytes += token_count * (1 + shape->top_count) * JSON_BYTES_A_LOGPROB;
        }
    }
    return bytes <= most
               ? STATUS_OK
               : openai_fault_set(fault, request->max_tokens_name, "invalid_value",
                                  "the answer could take %llu MiB and may take %llu: lower %s, n "
                                  "or the number of log-probabilities",
                                  (unsigned long long)(bytes >> 20),
                                  (unsigned long long)(most >> 20), request->max_tokens_name);
}

enum status generation_plan_make(const struct service *service, const struct openai_format *format,
                                 const struct openai_request *request,
                                 const struct openai_prompts *prompts, struct generation_plan *out,
                                 struct openai_fault *fault)
{
    const struct model_config *model = &service->config.model->config;
    *out = (struct generation_plan){
        .engine = {.prompt_count = request->prompt_count,
                   .sample_count = request->n,
                   .stop_count = model->eos_count,
                   .sampling = request->sampling},
        .shape = {.sequence_count = request->prompt_count * request->n,
                  .top_count = request->sampling.top_logprobs_count},
    };
    memcpy(out->engine.stop_ids, model->eos_ids, sizeof out->engine.stop_ids);
    if (!request->has_seed) {
        randombytes_buf(&out->engine.sampling.seed, sizeof out->engine.sampling.seed);
    }
    const enum status status = plan_prompts(service, format, request, prompts, out, fault);
    return status == STATUS_OK ? check_memory(service, request, &out->shape, fault) : status;
}
