#include "server/http/route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/http/request_query.h"

static const struct http_error unauthenticated = {
    401,
    "invalid_request_error",
    NULL,
    "invalid_api_key",
    "an API key is needed in the header `Authorization: Bearer KEY`; this one is missing, unknown "
    "or revoked",
    0};
static const struct http_error key_in_url = {
    401,
    "invalid_request_error",
    NULL,
    "invalid_api_key",
    "an API key must never be in the URL, where it ends up in logs: revoke it, and send a new one "
    "in the header `Authorization: Bearer KEY`",
    0};
static const struct http_error forbidden = {
    403,
    "invalid_request_error",
    NULL,
    "insufficient_permissions",
    "this API key has not the scope that the path needs: ask the operator for a key with it",
    0};
static const struct http_error unknown_path = {404,           "invalid_request_error",         NULL,
                                               "unknown_url", "there is nothing at this path", 0};
static const struct http_error wrong_method = {
    405,
    "invalid_request_error",
    NULL,
    "method_not_allowed",
    "this path does not take that method; the header `Allow` names those it takes",
    0};
static const struct http_error encoded_body = {
    415,
    "invalid_request_error",
    NULL,
    "unsupported_encoding",
    "the body must be sent as it is, without Content-Encoding",
    0};
static const struct http_error unknown_parameter = {
    400,
    "invalid_request_error",
    NULL,
    "unknown_parameter",
    "the query holds a parameter that this path does not take; /openapi.json of the API lists "
    "what it takes",
    0};
static const struct http_error draining = {
    503, "server_error", NULL, "draining", "the server is shutting down", 1};

/* The key after "Bearer "; NULL: there is none. */
static const char *bearer(struct http_exchange *exchange)
{
    static const char scheme[] = "Bearer ";
    const char *value = http_exchange_header(exchange, "Authorization");
    if (!value || strncasecmp(value, scheme, sizeof scheme - 1) != 0) {
        return NULL;
    }
    return value + sizeof scheme - 1 + strspn(value + sizeof scheme - 1, " ");
}

static bool authenticate(struct http_exchange *exchange)
{
    const char *key = bearer(exchange);
    size_t length = key ? strlen(key) : 0;
    while (length > 0 && (key[length - 1] == ' ' || key[length - 1] == '\t')) {
        length--; /* white space behind a header's value is not part of it (RFC 9110, 5.5) */
    }
    exchange->has_identity =
        key
        && auth_check(exchange->server->config.auth, key, length, &exchange->identity) == STATUS_OK;
    return exchange->has_identity;
}

static void add_method(struct http_exchange *exchange, const char *method)
{
    const size_t length = strlen(exchange->allow);
    snprintf(exchange->allow + length, sizeof exchange->allow - length, "%s%s",
             length > 0 ? ", " : "", method);
}

/* The route of method and path; also whether the path is there and open, and its methods. */
static const struct http_route *find(struct http_exchange *exchange, const char *method,
                                     const char *path, bool *is_open)
{
    const struct http_server_config *config = &exchange->server->config;
    const struct http_route *found = NULL;
    for (size_t i = 0; i < config->route_count; i++) {
        const struct http_route *route = &config->routes[i];
        if (route->listener != exchange->connection->listener || strcmp(route->path, path) != 0) {
            continue;
        }
        const bool is_get = strcmp(route->method, "GET") == 0;
        *is_open |= route->rule == HTTP_RULE_OPEN;
        add_method(exchange, route->method);
        if (is_get) {
            add_method(exchange, "HEAD");
        }
        if (strcmp(route->method, method) == 0 || (is_get && strcmp(method, "HEAD") == 0)) {
            found = route;
        }
    }
    return found;
}

static struct http_error judge(struct http_exchange *exchange, const char *method, const char *path)
{
    const struct http_error none = {.http_code = 0};
    bool is_open = false;
    const struct http_route *route = find(exchange, method, path, &is_open);
    const bool needs_key = route ? route->rule != HTTP_RULE_OPEN : !is_open;
    if (needs_key && !authenticate(exchange)) {
        return unauthenticated;
    }
    if (route && route->rule == HTTP_RULE_UNSET) {
        return unauthenticated;
    }
    if (!route) {
        return exchange->allow[0] != '\0' ? wrong_method : unknown_path;
    }
    exchange->route = route;
    if (route->rule == HTTP_RULE_KEY
        && (exchange->identity.scopes & route->scopes) != route->scopes) {
        return forbidden;
    }
    const struct buffer *query = &exchange->connection->guard.query;
    if (route->query
        && !request_query_is_known(query->bytes ? query->bytes : "", query->length, route->query)) {
        return unknown_parameter;
    }
    const char *encoding = http_exchange_header(exchange, "Content-Encoding");
    return encoding && strcasecmp(encoding, "identity") != 0 ? encoded_body : none;
}

void route_decide(struct http_exchange *exchange, const char *method, const char *path)
{
    struct guard *guard = &exchange->connection->guard;
    const bool is_draining = atomic_load(&exchange->server->is_draining)
                             && exchange->connection->listener == HTTP_LISTENER_API;
    if ((guard->fault == REQUEST_FAULT_BODY_LARGE || is_draining) && !exchange->has_identity) {
        authenticate(exchange); /* for who is told; the answer is the same */
    }
    if (guard->fault != REQUEST_FAULT_NONE) {
        exchange->refusal = (struct http_error){
            .http_code = request_fault_http_code(guard->fault),
            .type = "invalid_request_error",
            .message = request_fault_text(guard->fault),
        };
    } else if (guard->has_key_in_query) {
        exchange->refusal = key_in_url;
    } else if (is_draining) {
        exchange->refusal = draining;
    } else {
        exchange->refusal = judge(exchange, method, path);
    }
    if (exchange->refusal.http_code != 0 || !exchange->route->query) {
        guard_forget_query(guard);
    }
}
