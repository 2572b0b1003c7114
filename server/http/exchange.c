#include "server/http/exchange.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/http/connection.h"
#include "server/http/keeper.h"
#include "server/http/registry.h"
#include "server/http/reply.h"
#include "server/http/request_query.h"
#include "server/http/route.h"

static const struct http_error revoked = {
    401, "invalid_request_error", NULL, "invalid_api_key", "this API key was revoked", 0};

/* ---- life ------------------------------------------------------------------------------------ */

static void make_request_id(char out[HTTP_REQUEST_ID_BYTES])
{
    unsigned char bytes[12];
    char digits[2 * sizeof bytes + 1];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(digits, sizeof digits, bytes, sizeof bytes);
    snprintf(out, HTTP_REQUEST_ID_BYTES, "req_%s", digits);
}

/* NULL: not served. The guard passed a head on, or these bytes never went through it. */
static struct http_exchange *begin(struct MHD_Connection *mhd, const char *method, const char *path)
{
    struct connection *connection = connection_of(mhd);
    if (!connection || connection->guard.phase == GUARD_HEAD) {
        log_event(LOG_LEVEL_ERROR, "http", "request.unguarded", "text=\"not served\"");
        return NULL;
    }
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        return NULL;
    }
    exchange->server = connection->server;
    exchange->connection = connection;
    exchange->body.limit_bytes = connection->server->config.body_bytes_max;
    exchange->started_ns = clock_monotonic_ns();
    make_request_id(exchange->request_id);
    route_decide(exchange, method, path);
    registry_begin_exchange(&connection->server->registry, exchange);
    return exchange;
}

static void write_log(const struct http_exchange *exchange, bool is_whole)
{
    const uint64_t ms = (clock_monotonic_ns() - exchange->started_ns) / 1000000;
    log_event(
        LOG_LEVEL_INFO, "http", "request.done",
        "request=%s tenant=%s key=%s method=%s route=%s status=%d bytes=%llu ms=%llu whole=%s",
        exchange->request_id, exchange->has_identity ? exchange->identity.tenant_name : "-",
        exchange->has_identity ? exchange->identity.key_id : "-",
        exchange->route ? exchange->route->method : "-",
        exchange->route ? exchange->route->path : "-", exchange->http_code,
        (unsigned long long)exchange->sent_bytes, (unsigned long long)ms,
        is_whole ? "true" : "false");
}

static void abandon(struct http_exchange *exchange)
{
    if (registry_take_abandon(&exchange->server->registry, exchange)) {
        exchange->task.abandon(exchange->task.context);
    }
}

void exchange_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                        enum MHD_RequestTerminationCode code)
{
    (void)context, (void)mhd;
    struct http_exchange *exchange = *request_context;
    if (!exchange) {
        return;
    }
    *request_context = NULL;
    struct connection *connection = exchange->connection;
    const bool is_whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK && exchange->http_code != 0;
    registry_end_exchange(&exchange->server->registry, exchange);
    if (exchange->has_task) {
        keeper_unwatch(exchange->server->keeper, connection->fd);
        if (!is_whole && exchange->phase != EXCHANGE_ENDED) {
            abandon(exchange);
        }
        exchange->task.destroy(exchange->task.context);
    }
    write_log(exchange, is_whole);
    buffer_destroy(&exchange->body);
    free(exchange);
    guard_next(&connection->guard);
    connection->is_head_timed = false;
    connection_set_deadline(connection, connection->server->config.idle_timeout_ms);
}

/* ---- from head to answer --------------------------------------------------------------------- */

/* Steps the task until it replied or waits. */
static enum MHD_Result drive(struct http_exchange *exchange)
{
    struct registry *registry = &exchange->server->registry;
    while (exchange->phase == EXCHANGE_HANDLING) {
        ASSERT(exchange->has_task); /* a handler replies or defers */
        const enum registry_verdict verdict = registry_ask(registry, exchange);
        if (verdict == REGISTRY_GONE) {
            return MHD_NO;
        }
        if (verdict == REGISTRY_REVOKED) {
            abandon(exchange);
            http_reply_error(exchange, &revoked);
            break;
        }
        exchange->task.step(exchange, exchange->task.context);
        if (exchange->phase == EXCHANGE_HANDLING && registry_wait(registry, exchange)) {
            return MHD_YES;
        }
    }
    return exchange->phase == EXCHANGE_FAILED ? MHD_NO : MHD_YES;
}

/* The body is there: answers, or lets the handler do it. */
static enum MHD_Result dispatch(struct http_exchange *exchange)
{
    connection_set_deadline(exchange->connection, 0);
    /* The guard may have found a fault in the body. */
    if (exchange->refusal.http_code == 0
        && exchange->connection->guard.fault != REQUEST_FAULT_NONE) {
        route_decide(exchange, "", "");
    }
    if (exchange->refusal.http_code != 0) {
        reply_refusal(exchange);
    } else {
        exchange->phase = EXCHANGE_HANDLING;
        exchange->route->handle(exchange, exchange->server->config.service);
    }
    return drive(exchange);
}

/* NOLINTNEXTLINE(readability-function-size): MHD's parameters */
enum MHD_Result exchange_handle(void *context, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_bytes, void **request_context)
{
    (void)context, (void)version;
    struct http_exchange *exchange = *request_context;
    if (!exchange) {
        exchange = begin(mhd, method, url);
        *request_context = exchange;
        if (exchange && exchange->refusal.http_code != 0
            && exchange->connection->guard.phase != GUARD_DONE) {
            reply_refusal(exchange); /* without waiting for the body */
            return drive(exchange);
        }
        return exchange ? MHD_YES : MHD_NO;
    }
    if (*upload_bytes > 0) {
        const enum status status = buffer_append(&exchange->body, upload, *upload_bytes);
        *upload_bytes = 0;
        return status == STATUS_OK ? MHD_YES : MHD_NO; /* no memory: the guard keeps the limit */
    }
    return exchange->phase == EXCHANGE_READING ? dispatch(exchange) : drive(exchange);
}

/* ---- streams --------------------------------------------------------------------------------- */

ssize_t exchange_read_stream(void *context, uint64_t position, char *out, size_t max)
{
    (void)position;
    struct http_exchange *exchange = context;
    struct connection *connection = exchange->connection;
    const uint32_t send_ms = exchange->server->config.idle_timeout_ms;
    for (;;) {
        if (registry_ask(&exchange->server->registry, exchange) == REGISTRY_GONE) {
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        const ssize_t length = exchange->task.pull(exchange->task.context, out, max);
        ASSERT(length <= (ssize_t)max);
        if (length > 0) {
            connection_set_deadline(connection, send_ms); /* to be taken before the next pull */
            exchange->sent_bytes += (uint64_t)length;
            return length;
        }
        if (length == HTTP_PULL_END || length == HTTP_PULL_CUT) {
            exchange->phase = EXCHANGE_ENDED;
            connection_set_deadline(connection, send_ms);
            return length == HTTP_PULL_END ? MHD_CONTENT_READER_END_OF_STREAM
                                           : MHD_CONTENT_READER_END_WITH_ERROR;
        }
        connection_set_deadline(connection, 0);
        if (registry_wait(&exchange->server->registry, exchange)) {
            return 0;
        }
    }
}

/* ---- for handlers ---------------------------------------------------------------------------- */

const char *http_exchange_body(const struct http_exchange *exchange, size_t *length)
{
    *length = exchange->body.length;
    return exchange->body.bytes ? exchange->body.bytes : "";
}

const struct auth_identity *http_exchange_identity(const struct http_exchange *exchange)
{
    return exchange->has_identity ? &exchange->identity : NULL;
}

const char *http_exchange_request_id(const struct http_exchange *exchange)
{
    return exchange->request_id;
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection->mhd, MHD_HEADER_KIND, name);
}

enum status http_exchange_query(const struct http_exchange *exchange, const char *name, char *out,
                                size_t out_bytes)
{
    const struct buffer *query = &exchange->connection->guard.query;
    ASSERT(exchange->route->query);
    return request_query_find(query->bytes ? query->bytes : "", query->length, name, out,
                              out_bytes);
}

struct http_handle http_defer(struct http_exchange *exchange, const struct http_task *task)
{
    struct registry *registry = &exchange->server->registry;
    ASSERT(exchange->phase == EXCHANGE_HANDLING && !exchange->has_task);
    registry_set_task(registry, exchange, task);
    const struct http_handle handle = registry_handle(registry, exchange);
    keeper_watch(exchange->server->keeper, exchange->connection->fd, handle);
    return handle;
}
