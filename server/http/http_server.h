/* http_server.h - HTTPS in front of handlers: libmicrohttpd's epoll pool, TLS by GnuTLS, a route
 * table with one rule a route, request smuggling refused, deadlines for slow senders. Handlers run
 * on I/O threads and never block: they reply at once, or leave a task that is stepped when woken.
 * Two listeners: the API (TLS) and the admin one (plain HTTP, loopback by default). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "auth/auth.h"
#include "base/failure.h"

struct http_server;
struct http_exchange; /* one request and its answer; lives until its task is destroyed */

enum http_listener { HTTP_LISTENER_API, HTTP_LISTENER_ADMIN };

/* The zero rule refuses: a route without an explicit rule answers 401. */
enum http_rule { HTTP_RULE_UNSET, HTTP_RULE_OPEN, HTTP_RULE_KEY };

struct http_route {
    enum http_listener listener;
    const char *method; /* "GET", "POST" */
    const char *path;   /* exact */
    enum http_rule rule;
    uint32_t scopes;          /* of enum auth_scope, all needed; RULE_KEY only */
    const char *const *query; /* parameters that it takes, up to a NULL; NULL: none is looked at */
    void (*handle)(struct http_exchange *exchange, void *service);
};

struct http_error {
    int http_code;
    const char *type; /* "invalid_request_error", "authentication_error", "rate_limit_error", ... */
    const char *param; /* the field, or NULL */
    const char *code;  /* machine word, or NULL */
    const char
        *message; /* for people; names the field and what is allowed; no text of the request */
    uint32_t retry_after_s; /* 0: no Retry-After */
};

enum { HTTP_PEER_BYTES = 46 };

/* A request that no handler saw. */
struct http_refusal {
    const struct auth_identity *identity; /* NULL: not known */
    const char *key_id; /* of the key that was shown, good or not, where it exists; else "" */
    const char *request_id;
    const char *path; /* of its route; NULL: there is none */
    char peer[HTTP_PEER_BYTES];
    struct http_error error;
};

struct http_server_config {
    const char *api_address, *admin_address; /* numeric; ports 0: any free one */
    uint16_t api_port, admin_port;
    const char *certificate_pem, *private_key_pem;    /* contents, not paths */
    uint32_t thread_count;                            /* 0: one per core, at most 8 */
    uint32_t connections_max, connections_per_ip_max; /* 0 for the latter: no limit */
    uint32_t body_bytes_max, header_bytes_max;
    uint32_t header_deadline_ms, body_deadline_ms, idle_timeout_ms;
    struct auth *auth;
    const struct http_route *routes;
    size_t route_count;
    void *service; /* handed to handlers */
    /* I/O thread, before the answer leaves; never blocks. NULL: nobody is told. */
    void (*refused)(void *service, const struct http_refusal *refusal);
};

/* STATUS_IO: a port is taken, a certificate does not load: failure says which setting. */
MUST_CHECK enum status http_server_start(const struct http_server_config *config,
                                         struct http_server **out, struct failure *failure);
uint16_t http_server_port(const struct http_server *server, enum http_listener listener);

/* Stops accepting; what is in flight goes on. Then stop: cuts what is left and joins all threads.
 */
void http_server_drain(struct http_server *server);
uint32_t http_server_live_exchanges(struct http_server *server);
void http_server_stop(struct http_server *server); /* NULL is fine */

/* ---- inside a handler ------------------------------------------------------------------------ */

const char *http_exchange_body(const struct http_exchange *exchange, size_t *length);
const struct auth_identity *http_exchange_identity(const struct http_exchange *exchange);
const char *http_exchange_request_id(const struct http_exchange *exchange); /* x-request-id */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name); /* NULL */

/* A query parameter of a route that names it, percent-decoded. STATUS_NOT_FOUND: is not there.
 * STATUS_INVALID: stands twice, holds what it must not, or does not fit. */
MUST_CHECK enum status http_exchange_query(const struct http_exchange *exchange, const char *name,
                                           char *out, size_t out_bytes);

/* Adds a header to the coming reply. Values are ours or validated: no CR, LF, NUL. */
void http_reply_header(struct http_exchange *exchange, const char *name, const char *value);

/* One whole answer; bytes are copied. Exactly one reply (or stream) an exchange. */
void http_reply(struct http_exchange *exchange, int http_code, const char *content_type,
                const char *bytes, size_t length);

void http_reply_error(struct http_exchange *exchange, const struct http_error *error);

/* ---- answers that come later ----------------------------------------------------------------- */

enum { HTTP_PULL_WAIT = 0, HTTP_PULL_END = -1, HTTP_PULL_CUT = -2 };

struct http_task {
    void *context;
    /* I/O thread: after the handler returned, and again after each wake until it replied or began a
     * stream. It replies, or returns having done nothing, which waits. */
    void (*step)(struct http_exchange *exchange, void *context);
    /* I/O thread, streams only: writes up to max bytes and returns how many, or WAIT (nothing now),
     * END (clean end), CUT (cut the connection without a clean end). Also called once a second. */
    ssize_t (*pull)(void *context, char *out, size_t max);
    /* Any thread, at most once, only before destroy: the client went away (closing its sending half
     * counts), did not read for idle_timeout_ms, its key was revoked, or the server stops. Quick
     * and without locks that step or pull hold for long. A stream whose key was revoked is still
     * pulled for up to half a second, to say so and CUT; a task that has not replied is answered
     * 401. */
    void (*abandon)(void *context);
    /* The exchange is over; nothing else is called afterwards. */
    void (*destroy)(void *context);
};

/* Instead of a reply in the handler. The handle is for http_wake. */
struct http_handle {
    uint64_t value;
};
struct http_handle http_defer(struct http_exchange *exchange, const struct http_task *task);

/* In step: begins a stream (status 200); pull delivers its bytes. */
void http_stream_begin(struct http_exchange *exchange, const char *content_type);

/* Any thread until http_server_stop, also after the exchange has ended (then it does nothing).
 * Never lost: a wake before the task waits makes it step or pull again at once. */
void http_wake(struct http_server *server, struct http_handle handle);
