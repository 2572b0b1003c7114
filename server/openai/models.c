/* models.c - GET /v1/models and GET /v1/models/<the one model>. */
#include <string.h>

#include "server/json/json_text.h"
#include "server/openai/openai.h"
#include "server/openai/openai_reply.h"

enum { MODELS_BYTES_MAX = 8192 };

static void write_model(struct json_text *json, const struct service *service)
{
    json_text_raw(json, "{\"id\":");
    json_text_string(json, service->model_name, strlen(service->model_name));
    json_text_raw(json, ",\"object\":\"model\",\"created\":");
    json_text_integer(json, service->started_unix_s);
    json_text_raw(json, ",\"owned_by\":\"ward\",\"max_model_len\":");
    json_text_integer(json, service->config.engine.shape.context_tokens_max);
    json_text_raw(json, "}");
}

static void reply(struct http_exchange *exchange, struct service *service, const char *before,
                  const char *after)
{
    struct buffer out = {.limit_bytes = MODELS_BYTES_MAX};
    struct json_text json = {.out = &out};
    json_text_raw(&json, before);
    write_model(&json, service);
    json_text_raw(&json, after);
    openai_reply_json(exchange, service, METRICS_ROUTE_MODELS, &json, 0);
}

void models_handle_list(struct http_exchange *exchange, void *service)
{
    reply(exchange, service, "{\"object\":\"list\",\"data\":[", "]}");
}

void models_handle_one(struct http_exchange *exchange, void *service)
{
    reply(exchange, service, "", "");
}
