#include "server/openai/openai_reply.h"

#include <stdio.h>

enum { BUSY_RETRY_S = 1, DRAINING_RETRY_S = 5, REBUILDING_RETRY_S = 5 };

struct openai_refusal openai_refusal_of_fault(const struct openai_fault *fault)
{
    const bool is_clients = fault->http_code < 500;
    return (struct openai_refusal){
        .error = {.http_code = fault->http_code,
                  .type = is_clients ? "invalid_request_error" : "server_error",
                  .param = fault->param[0] ? fault->param : NULL,
                  .code = fault->code,
                  .message = fault->failure.text,
                  .retry_after_s = is_clients ? 0 : BUSY_RETRY_S},
        .outcome = !is_clients               ? METRICS_BUSY
                   : fault->http_code == 422 ? METRICS_BLOCKED
                                             : METRICS_INVALID,
    };
}

struct openai_refusal openai_refusal_of_audit(void)
{
    return (struct openai_refusal){trail_unavailable, METRICS_BUSY};
}

struct openai_refusal openai_refusal_of_status(const struct service *service, enum status status)
{
    static const struct openai_refusal draining = {
        {503, "server_error", NULL, "draining", "the server is shutting down", DRAINING_RETRY_S},
        METRICS_BUSY};
    static const struct openai_refusal busy = {{503, "server_error", NULL, "server_busy",
                                                "every place for a request is taken: try again",
                                                BUSY_RETRY_S},
                                               METRICS_BUSY};
    static const struct openai_refusal tenant_busy = {
        {429, "rate_limit_error", NULL, "tenant_queue_full",
         "too many requests of this tenant are waiting: try again", BUSY_RETRY_S},
        METRICS_QUOTA};
    static const struct openai_refusal too_large = {
        {400, "invalid_request_error", NULL, "context_length_exceeded",
         "prompt and answer need more memory than this server gives one request: shorten the "
         "prompt or lower max_tokens",
         0},
        METRICS_INVALID};
    static const struct openai_refusal invalid = {{400, "invalid_request_error", NULL,
                                                   "invalid_value",
                                                   "this request cannot run on this model", 0},
                                                  METRICS_INVALID};
    static const struct openai_refusal rebuilding = {
        {503, "server_error", NULL, "rebuilding",
         "the engine failed and is being rebuilt: try again", REBUILDING_RETRY_S},
        METRICS_BUSY};
    static const struct openai_refusal failed = {{500, "server_error", NULL, "engine_failed",
                                                  "the engine failed: this is not your fault", 0},
                                                 METRICS_FAILED};
    if (atomic_load(&service->is_draining)) {
        return draining;
    }
    switch ((int)status) { /* the others mean a fault of ours */
    case STATUS_FULL:
        return busy;
    case STATUS_QUOTA:
        return tenant_busy;
    case STATUS_TOO_LARGE:
        return too_large;
    case STATUS_INVALID:
        return invalid;
    case STATUS_UNAVAILABLE:
        return rebuilding;
    case STATUS_IO:
        return openai_refusal_of_audit();
    default:
        return failed;
    }
}

struct openai_refusal openai_refusal_of_budget(const struct auth_budget *budget, const char *what,
                                               uint32_t tokens)
{
    static const struct openai_refusal never = {
        .error = {.http_code = 400,
                  .type = "invalid_request_error",
                  .param = "max_tokens",
                  .code = "tokens_per_minute_exceeded",
                  .message = "prompt and answer may take more tokens than this tenant has in a "
                             "whole minute (x-ratelimit-limit-tokens): set max_tokens lower"},
        .outcome = METRICS_INVALID,
    };
    const bool is_streams = what[0] == 's';
    const bool is_tokens = what[0] == 't';
    if (is_tokens && tokens > budget->tokens_limit) {
        return never;
    }
    return (struct openai_refusal){
        .error = {.http_code = 429,
                  .type = "rate_limit_error",
                  .code = "rate_limit_exceeded",
                  .message = is_streams  ? "this tenant has as many requests running as it may: "
                                           "wait until one ends"
                             : is_tokens ? "this tenant has used up its tokens per minute"
                                         : "this tenant has used up its requests per minute",
                  .retry_after_s = budget->retry_after_ms / 1000 + 1},
        .outcome = METRICS_QUOTA,
    };
}

static void reply_limit(struct http_exchange *exchange, const char *const names[3],
                        const uint32_t values[3])
{
    char text[32];
    snprintf(text, sizeof text, "%u", values[0]);
    http_reply_header(exchange, names[0], text);
    snprintf(text, sizeof text, "%u", values[1]);
    http_reply_header(exchange, names[1], text);
    const uint32_t reset_ms = values[2];
    if (reset_ms < 1000) {
        snprintf(text, sizeof text, "%ums", reset_ms);
    } else {
        snprintf(text, sizeof text, "%u.%03us", reset_ms / 1000, reset_ms % 1000);
    }
    http_reply_header(exchange, names[2], text);
}

void openai_reply_budget(struct http_exchange *exchange, const struct auth_budget *budget)
{
    static const char *const request_names[] = {"x-ratelimit-limit-requests",
                                                "x-ratelimit-remaining-requests",
                                                "x-ratelimit-reset-requests"};
    static const char *const token_names[] = {
        "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"};
    if (budget->requests_limit > 0) {
        reply_limit(exchange, request_names,
                    (const uint32_t[]){budget->requests_limit, budget->requests_remaining,
                                       budget->requests_reset_ms});
    }
    if (budget->tokens_limit > 0) {
        reply_limit(exchange, token_names,
                    (const uint32_t[]){budget->tokens_limit, budget->tokens_remaining,
                                       budget->tokens_reset_ms});
    }
}

static void count(const struct http_exchange *exchange, struct service *service,
                  enum metrics_route route, enum metrics_outcome outcome, int http_code)
{
    const struct auth_identity *identity = http_exchange_identity(exchange);
    metrics_count_request(service->metrics,
                          &(struct metrics_request){.tenant = identity->tenant,
                                                    .tenant_name = identity->tenant_name,
                                                    .route = route,
                                                    .outcome = outcome,
                                                    .http_code = http_code});
}

struct digest openai_reply_body_digest(const struct http_exchange *exchange,
                                       const struct service *service)
{
    struct digest_stream stream;
    size_t length = 0;
    const char *body = http_exchange_body(exchange, &length);
    audit_digest_begin(service->config.audit, http_exchange_identity(exchange)->tenant, &stream);
    digest_stream_add(&stream, body, length);
    return digest_stream_end(&stream);
}

void openai_reply_refusal(struct http_exchange *exchange, struct service *service,
                          enum metrics_route route, const struct openai_refusal *refusal)
{
    const struct auth_identity *identity = http_exchange_identity(exchange);
    const char *request_id = http_exchange_request_id(exchange);
    const char *name = metrics_route_name(route);
    count(exchange, service, route, refusal->outcome, refusal->error.http_code);
    if (refusal->error.code == trail_unavailable.code) {
        trail_refused_unavailable(service->trail, identity, request_id, name);
    } else {
        trail_refused(service->trail, identity, request_id, name,
                      metrics_outcome_name(refusal->outcome), &refusal->error);
    }
    http_reply_error(exchange, &refusal->error);
}

static void draft_answer(const struct http_exchange *exchange, const struct service *service,
                         enum metrics_route route, uint32_t prompt_tokens,
                         struct record_draft *draft)
{
    size_t length = 0;
    trail_draft(service->trail, RECORD_EVENT_REQUEST_COMPLETED, http_exchange_identity(exchange),
                http_exchange_request_id(exchange), metrics_route_name(route), draft);
    record_draft_text(draft, RECORD_FIELD_outcome, metrics_outcome_name(METRICS_COMPLETED));
    record_draft_uint(draft, RECORD_FIELD_http_code, 200);
    if (prompt_tokens > 0) {
        record_draft_uint(draft, RECORD_FIELD_prompt_tokens, prompt_tokens);
    }
    http_exchange_body(exchange, &length);
    if (length > 0) {
        const struct digest body = openai_reply_body_digest(exchange, service);
        record_draft_bytes(draft, RECORD_FIELD_prompt_digest, body.bytes);
    }
}

void openai_reply_json(struct http_exchange *exchange, struct service *service,
                       enum metrics_route route, struct json_text *json, uint32_t prompt_tokens)
{
    if (json->status != STATUS_OK) {
        const struct openai_refusal refusal = openai_refusal_of_status(service, STATUS_FULL);
        openai_reply_refusal(exchange, service, route, &refusal);
    } else if (!audit_is_available(service->config.audit)) {
        const struct openai_refusal refusal = openai_refusal_of_audit();
        openai_reply_refusal(exchange, service, route, &refusal);
    } else {
        struct record_draft draft;
        draft_answer(exchange, service, route, prompt_tokens, &draft);
        count(exchange, service, route, METRICS_COMPLETED, 200);
        trail_reply(service->trail, exchange, &draft, 200, "application/json", json->out->bytes,
                    json->out->length);
    }
    buffer_destroy(json->out);
}
