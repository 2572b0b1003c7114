/* tokenize.c - POST /tokenize and /detokenize, as vLLM has them. A request of these counts against
 * the tenant's requests a minute, for tokenising costs time. */
#include "base/clock.h"
#include "server/openai/openai.h"
#include "server/openai/openai_reply.h"
#include "server/openai/request/openai_prompt.h"

static const uint64_t ANSWER_BYTES_MAX = 64 << 20;

/* Parses, and takes one request from the tenant's budget. False: replied. */
static bool prepare(struct http_exchange *exchange, struct service *service,
                    enum metrics_route route, struct openai_request *request)
{
    const struct tenant_id tenant = http_exchange_identity(exchange)->tenant;
    const struct openai_terms terms = {.model_name = service->model_name,
                                       .vocabulary_count =
                                           service->config.engine.shape.vocabulary_count,
                                       .sequences_max = 1};
    size_t length = 0;
    const char *body = http_exchange_body(exchange, &length);
    struct openai_fault fault = {0};
    const enum openai_endpoint endpoint =
        route == METRICS_ROUTE_TOKENIZE ? OPENAI_TOKENIZE : OPENAI_DETOKENIZE;
    if (openai_request_parse(endpoint, body, length, &terms, request, &fault) != STATUS_OK) {
        const struct openai_refusal refusal = openai_refusal_of_fault(&fault);
        openai_reply_refusal(exchange, service, route, &refusal);
        return false;
    }
    struct auth_budget budget = {0};
    const char *what = NULL;
    const enum status status =
        auth_admit(service->config.auth, tenant, clock_monotonic_ns(), 0, &budget, &what);
    if (status != STATUS_OK) {
        const struct openai_refusal refusal = status == STATUS_QUOTA
                                                  ? openai_refusal_of_budget(&budget, what, 0)
                                                  : openai_refusal_of_status(service, status);
        openai_reply_budget(exchange, &budget);
        openai_reply_refusal(exchange, service, route, &refusal);
        return false;
    }
    auth_release(service->config.auth, tenant, 0, 0);
    openai_reply_budget(exchange, &budget);
    return true;
}

static void reply_tokens(struct http_exchange *exchange, struct service *service,
                         const struct openai_prompts *prompts)
{
    struct buffer out = {.limit_bytes = ANSWER_BYTES_MAX};
    struct json_text json = {.out = &out};
    json_text_raw(&json, "{\"count\":");
    json_text_integer(&json, (int64_t)prompts->token_count);
    json_text_raw(&json, ",\"max_model_len\":");
    json_text_integer(&json, service->config.engine.shape.context_tokens_max);
    json_text_raw(&json, ",\"tokens\":[");
    for (size_t i = 0; i < prompts->token_count; i++) {
        json_text_raw(&json, i > 0 ? "," : "");
        json_text_integer(&json, prompts->tokens[i]);
    }
    json_text_raw(&json, "]}");
    openai_reply_json(exchange, service, METRICS_ROUTE_TOKENIZE, &json,
                      (uint32_t)prompts->token_count);
}

void tokenize_handle(struct http_exchange *exchange, void *context)
{
    struct service *service = context;
    struct openai_request request;
    struct openai_prompts prompts = {0};
    struct openai_fault fault = {0};
    if (prepare(exchange, service, METRICS_ROUTE_TOKENIZE, &request)) {
        if (openai_prompts_make(service->config.model, &request, &prompts, &fault) == STATUS_OK) {
            reply_tokens(exchange, service, &prompts);
        } else {
            const struct openai_refusal refusal = openai_refusal_of_fault(&fault);
            openai_reply_refusal(exchange, service, METRICS_ROUTE_TOKENIZE, &refusal);
        }
    }
    openai_prompts_destroy(&prompts);
    openai_request_destroy(&request);
}

void tokenize_handle_back(struct http_exchange *exchange, void *context)
{
    struct service *service = context;
    struct openai_request request;
    if (prepare(exchange, service, METRICS_ROUTE_DETOKENIZE, &request)) {
        struct buffer text = {.limit_bytes = ANSWER_BYTES_MAX};
        struct buffer out = {.limit_bytes = ANSWER_BYTES_MAX};
        struct json_text json = {.out = &out};
        json.status = openai_prompts_decode(service->config.model, request.tokens, false, &text);
        json_text_raw(&json, "{\"prompt\":");
        json_text_string(&json, text.bytes, text.length);
        json_text_raw(&json, "}");
        openai_reply_json(exchange, service, METRICS_ROUTE_DETOKENIZE, &json, 0);
        buffer_destroy(&text);
    }
    openai_request_destroy(&request);
}
