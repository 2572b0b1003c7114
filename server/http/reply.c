#include "server/http/reply.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "server/http/connection.h"
#include "server/http/exchange.h"

enum { STREAM_BLOCK_BYTES = 16384 };

/* An answer's bytes, zeroed when MHD lets go of them. */
struct body {
    size_t length;
    char bytes[];
};

static void free_body(void *context)
{
    struct body *body = context;
    explicit_bzero(body->bytes, body->length);
    free(body);
}

static struct MHD_Response *response_of(const char *bytes, size_t length)
{
    struct body *body = malloc(sizeof *body + length);
    if (!body) {
        return NULL;
    }
    body->length = length;
    if (length > 0) {
        memcpy(body->bytes, bytes, length);
    }
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        length, body->bytes, free_body, body);
    if (!response) {
        free_body(body);
    }
    return response;
}

/* A plain connection serves one request: MHD would wait for an event of the socket while the next
 * one lies in the guard already. With TLS it reads until there is nothing, but not after it was
 * suspended: then a client that pipelines has to connect again. */
static bool must_close(const struct http_exchange *exchange)
{
    const struct connection *connection = exchange->connection;
    return connection->session == NULL || connection->guard.fault != REQUEST_FAULT_NONE
           || (exchange->has_task && guard_has_more(&connection->guard))
           || (connection->listener == HTTP_LISTENER_API
               && atomic_load(&exchange->server->is_draining));
}

static void add_headers(const struct http_exchange *exchange, struct MHD_Response *response,
                        const char *content_type)
{
    MHD_add_response_header(response, "x-request-id", exchange->request_id);
    MHD_add_response_header(response, "cache-control", "no-store");
    MHD_add_response_header(response, "x-content-type-options", "nosniff");
    if (content_type) {
        MHD_add_response_header(response, "content-type", content_type);
    }
    if (must_close(exchange)) {
        MHD_add_response_header(response, "Connection", "close");
    }
    for (size_t i = 0; i < exchange->header_count; i++) {
        MHD_add_response_header(response, exchange->headers[i].name, exchange->headers[i].value);
    }
}

/* Takes ownership of response; NULL: there was no memory, and the connection ends. */
static void queue(struct http_exchange *exchange, int http_code, const char *content_type,
                  struct MHD_Response *response)
{
    ASSERT(exchange->phase == EXCHANGE_READING || exchange->phase == EXCHANGE_HANDLING);
    struct connection *connection = exchange->connection;
    const bool is_early = connection->guard.phase != GUARD_DONE;
    if (is_early || connection->guard.fault != REQUEST_FAULT_NONE) {
        connection->must_linger = true;
    }
    exchange->phase = EXCHANGE_FAILED;
    exchange->http_code = http_code;
    if (response) {
        add_headers(exchange, response, content_type);
        connection_set_deadline(connection, exchange->server->config.idle_timeout_ms);
        if (MHD_queue_response(connection->mhd, (unsigned)http_code, response) == MHD_YES) {
            exchange->phase = EXCHANGE_REPLIED;
        }
        MHD_destroy_response(response);
    }
}

void http_reply_header(struct http_exchange *exchange, const char *name, const char *value)
{
    ASSERT(exchange->header_count < HTTP_REPLY_HEADERS_MAX);
    const size_t place = exchange->header_count++;
    exchange->headers[place].name = name;
    const int length =
        snprintf(exchange->headers[place].value, HTTP_REPLY_VALUE_BYTES, "%s", value);
    ASSERT(length >= 0 && length < HTTP_REPLY_VALUE_BYTES && !strpbrk(value, "\r\n"));
}

void http_reply(struct http_exchange *exchange, int http_code, const char *content_type,
                const char *bytes, size_t length)
{
    queue(exchange, http_code, content_type, response_of(bytes, length));
    exchange->sent_bytes = length;
}

void http_reply_error(struct http_exchange *exchange, const struct http_error *error)
{
    json_t *root = json_pack("{s:{s:s, s:s, s:s?, s:s?}}", "error", "message", error->message,
                             "type", error->type, "param", error->param, "code", error->code);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (error->http_code == 401) {
        http_reply_header(exchange, "www-authenticate", "Bearer");
    }
    if (error->retry_after_s > 0) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", error->retry_after_s);
        http_reply_header(exchange, "retry-after", seconds);
    }
    /* json_pack refuses what is not UTF-8: then there is a code without a text. */
    http_reply(exchange, error->http_code, text ? "application/json" : NULL, text,
               text ? strlen(text) : 0);
    free(text);
}

static void write_peer(const struct http_exchange *exchange, char out[HTTP_PEER_BYTES])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    const void *bytes = NULL;
    if (address && address->sa_family == AF_INET) {
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    } else if (address && address->sa_family == AF_INET6) {
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    }
    if (!bytes || !inet_ntop(address->sa_family, bytes, out, HTTP_PEER_BYTES)) {
        out[0] = '\0';
    }
}

static void tell(const struct http_exchange *exchange)
{
    const struct http_server_config *config = &exchange->server->config;
    if (config->refused) {
        struct http_refusal refusal = {.identity = http_exchange_identity(exchange),
                                       .key_id = exchange->identity.key_id,
                                       .request_id = exchange->request_id,
                                       .path = exchange->route ? exchange->route->path : NULL,
                                       .error = exchange->refusal};
        write_peer(exchange, refusal.peer);
        config->refused(config->service, &refusal);
    }
}

void reply_refusal(struct http_exchange *exchange)
{
    tell(exchange);
    if (exchange->refusal.http_code == 405) {
        http_reply_header(exchange, "allow",
                          exchange->allow[0] != '\0' ? exchange->allow : "GET, HEAD, POST");
    }
    http_reply_error(exchange, &exchange->refusal);
}

void http_stream_begin(struct http_exchange *exchange, const char *content_type)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, exchange_read_stream, exchange, NULL);
    queue(exchange, 200, content_type, response);
    if (exchange->phase == EXCHANGE_REPLIED) {
        exchange->phase = EXCHANGE_STREAMING;
    }
}
