/* openai_reply.h - what every handler of this folder answers with besides its own format: errors,
 * rate-limit headers, JSON bodies. On the exchange's I/O thread. */
#pragma once
#include "server/json/json_text.h"
#include "server/openai/openai.h"

/* Why a request got no answer: an HTTP error, and how it is counted. */
struct openai_refusal {
    struct http_error error;
    enum metrics_outcome outcome;
};

struct openai_refusal openai_refusal_of_fault(const struct openai_fault *fault);
/* Of a status of the engine loop or of admission. */
struct openai_refusal openai_refusal_of_status(const struct service *service, enum status status);
/* auth_admit said STATUS_QUOTA to a request of so many tokens. */
struct openai_refusal openai_refusal_of_budget(const struct auth_budget *budget, const char *what,
                                               uint32_t tokens);

/* While records cannot be kept. */
struct openai_refusal openai_refusal_of_audit(void);

/* Keyed digest of the body as received. */
struct digest openai_reply_body_digest(const struct http_exchange *exchange,
                                       const struct service *service);

/* x-ratelimit-limit-requests and its five siblings, those that there is a limit for. */
void openai_reply_budget(struct http_exchange *exchange, const struct auth_budget *budget);

/* A whole answer of a short request, counted, recorded, and sent once that is durable; json is
 * destroyed. prompt_tokens: 0 where there is no prompt. */
void openai_reply_json(struct http_exchange *exchange, struct service *service,
                       enum metrics_route route, struct json_text *json, uint32_t prompt_tokens);
/* At once; counted and recorded. */
void openai_reply_refusal(struct http_exchange *exchange, struct service *service,
                          enum metrics_route route, const struct openai_refusal *refusal);
