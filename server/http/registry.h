/* registry.h - every open connection, the exchange on it, and who may touch it: handles that
 * outlive their exchange safely, and the one place where exchanges are suspended and resumed. */
#pragma once
#include "server/http/http_private.h"

MUST_CHECK enum status registry_init(struct registry *registry, uint32_t capacity);
void registry_destroy(struct registry *registry);

/* Its deadline is that of the first head, TLS handshake included. NULL: full. */
struct connection *registry_open_connection(struct registry *registry,
                                            const struct listener *listener,
                                            struct MHD_Connection *mhd, int fd);
void registry_close_connection(struct registry *registry, struct connection *connection);
uint32_t registry_open_count(struct registry *registry, enum http_listener which);
uint32_t registry_live_exchanges(struct registry *registry);

/* I/O thread: from begin to end other threads can reach the exchange. end waits for those that do;
 * after it the exchange is the caller's alone. */
void registry_begin_exchange(struct registry *registry, struct http_exchange *exchange);
void registry_end_exchange(struct registry *registry, struct http_exchange *exchange);
struct http_handle registry_handle(const struct registry *registry,
                                   const struct http_exchange *exchange);

/* I/O thread: the exchange has a task from now on. */
void registry_set_task(struct registry *registry, struct http_exchange *exchange,
                       const struct http_task *task);

/* I/O thread, inside a callback of MHD: waits for a wake. False: there was one, go on now. */
bool registry_wait(struct registry *registry, struct http_exchange *exchange);

enum registry_verdict { REGISTRY_GO_ON, REGISTRY_REVOKED, REGISTRY_GONE };
enum registry_verdict registry_ask(struct registry *registry, const struct http_exchange *exchange);

/* True once: the caller tells the task that it was abandoned. */
bool registry_take_abandon(struct registry *registry, struct http_exchange *exchange);

/* Any thread. A handle whose exchange has ended does nothing. */
void registry_wake(struct registry *registry, struct http_handle handle);

/* The client is gone or its key is revoked (now_ns: when): tells the task once, then wakes it. */
void registry_leave(struct registry *registry, struct http_handle handle);
void registry_revoke(struct registry *registry, struct http_handle handle, uint64_t now_ns);

/* ---- for the keeper -------------------------------------------------------------------------- */

struct registry_finding {
    struct http_handle handle;
    enum { REGISTRY_LEAVE, REGISTRY_REVOKE, REGISTRY_WAKE } what;
};

struct registry_scan {
    uint64_t now_ns;
    bool checks_keys; /* ask auth whether each key is live */
    bool cuts_idle;   /* draining: close API connections without an exchange */
    bool cuts_all;    /* stopping */
};

/* Cuts connections whose deadline passed and lists what is to be done with exchanges, at most
 * registry->capacity findings. */
size_t registry_find(struct registry *registry, const struct registry_scan *scan,
                     struct registry_finding *out);
