/* routes.c - the one table of routes, each with its rule, and the handlers that are too small for a
 * file: health, metrics, description. A test calls every row without a key, so a new row without a
 * rule fails it. */
#include <string.h>

#include "base/assert.h"
#include "server/admin/admin.h"
#include "server/openai/openai.h"
#include "server/openai/openapi.h"

static void handle_healthz(struct http_exchange *exchange, void *context)
{
    (void)context;
    static const char text[] = "{\"status\":\"ok\"}";
    http_reply(exchange, 200, "application/json", text, sizeof text - 1);
}

static void handle_readyz(struct http_exchange *exchange, void *context)
{
    const struct service *service = context;
    static const char ready[] = "{\"status\":\"ready\"}";
    static const struct http_error not_ready = {
        503, "server_error", NULL, "not_ready", "the server cannot answer requests now", 1};
    static const struct http_error draining = {
        503, "server_error", NULL, "draining", "the server is shutting down", 5};
    static const struct http_error rebuilding = {
        503, "server_error", NULL, "rebuilding", "the engine failed and is being rebuilt", 5};
    const enum status status = service_status(service);
    if (status == STATUS_OK) {
        http_reply(exchange, 200, "application/json", ready, sizeof ready - 1);
    } else {
        http_reply_error(exchange, status == STATUS_FULL          ? &draining
                                   : status == STATUS_UNAVAILABLE ? &rebuilding
                                   : status == STATUS_IO          ? &trail_unavailable
                                                                  : &not_ready);
    }
}

static void handle_openapi(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_reply(exchange, 200, "application/json", (const char *)openapi_json, openapi_json_bytes);
}

static void handle_metrics(struct http_exchange *exchange, void *context)
{
    struct service *service = context;
    struct audit_facts audit;
    audit_read_facts(service->config.audit, &audit);
    struct hand_off *hand_off = service->config.hand_off;
    const struct hand_off_counts handed_off =
        hand_off ? hand_off_counts(hand_off) : (struct hand_off_counts){0};
    const struct metrics_facts facts = {.model_name = service->model_name,
                                        .model_digest = service->config.model->digest,
                                        .audit = &audit,
                                        .hand_off = hand_off ? &handed_off : NULL,
                                        .is_ready = service_is_ready(service),
                                        .live_requests =
                                            engine_loop_live_requests(service->engine_loop)};
    struct buffer text = {.limit_bytes = METRICS_TEXT_BYTES_MAX};
    if (metrics_write(service->metrics, &facts, &text) == STATUS_OK) {
        http_reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", text.bytes,
                   text.length);
    } else {
        static const struct http_error too_large = {
            500, "server_error", NULL, "no_memory", "the metrics do not fit their buffer", 0};
        http_reply_error(exchange, &too_large);
    }
    buffer_destroy(&text);
}

/* clang-format off */
#define API   HTTP_LISTENER_API
#define ADMIN HTTP_LISTENER_ADMIN
#define INFER HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL
#define OPEN  HTTP_RULE_OPEN, 0, NULL
#define AUDIT HTTP_RULE_KEY, AUTH_SCOPE_AUDIT_READ /* without admin: what is its own */
static const struct http_route table[] = {
    {API,   "POST", "/v1/chat/completions",   INFER, chat_handle},
    {API,   "POST", "/v1/completions",        INFER, completions_handle},
    {API,   "GET",  "/v1/models",             INFER, models_handle_list},
    {API,   "GET",  NULL /* of this model */, INFER, models_handle_one},
    {API,   "POST", "/tokenize",              INFER, tokenize_handle},
    {API,   "POST", "/detokenize",            INFER, tokenize_handle_back},
    {API,   "GET",  "/healthz",               OPEN,  handle_healthz},
    {API,   "GET",  "/readyz",                OPEN,  handle_readyz},
    {API,   "GET",  "/openapi.json",          OPEN,  handle_openapi},
    {ADMIN, "GET",  "/healthz",               OPEN,  handle_healthz},
    {ADMIN, "GET",  "/readyz",                OPEN,  handle_readyz},
    {ADMIN, "GET",  "/metrics",               OPEN,  handle_metrics},
    {ADMIN, "GET",  "/admin/v1/audit",        AUDIT, admin_audit_query, admin_audit_handle},
    {ADMIN, "GET",  "/admin/v1/audit/checkpoint", AUDIT | AUTH_SCOPE_ADMIN, NULL,
     admin_audit_handle_checkpoint},
};
/* clang-format on */

size_t routes_fill(struct http_route *out, size_t max, const char *model_path)
{
    const size_t count = sizeof table / sizeof table[0];
    ASSERT(count <= max);
    memcpy(out, table, sizeof table);
    for (size_t i = 0; i < count; i++) {
        if (!out[i].path) {
            out[i].path = model_path;
        }
    }
    return count;
}

bool routes_is_counted(const struct service *service, const char *path, enum metrics_route *out)
{
    static const struct {
        const char *path;
        enum metrics_route route;
    } names[] = {
        {"/v1/chat/completions", METRICS_ROUTE_CHAT},
        {"/v1/completions", METRICS_ROUTE_COMPLETIONS},
        {"/v1/models", METRICS_ROUTE_MODELS},
        {"/tokenize", METRICS_ROUTE_TOKENIZE},
        {"/detokenize", METRICS_ROUTE_DETOKENIZE},
    };
    if (strcmp(path, service->model_path) == 0) {
        *out = METRICS_ROUTE_MODELS;
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(path, names[i].path) == 0) {
            *out = names[i].route;
            return true;
        }
    }
    return false;
}
