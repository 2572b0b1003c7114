/* http_private.h - the parts of one running front and one exchange, for the files of this folder.
 *
 * Threads: MHD's I/O threads own a connection and its exchange (everything not said otherwise); the
 * keeper thread accepts, watches clients and deadlines; any thread may wake. They meet under
 * registry.lock, which may be held while MHD is asked to suspend or resume, and never while a
 * handler's or a task's function runs. */
#pragma once
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "server/http/guard.h"
#include "server/http/http_server.h"

#if MHD_VERSION < 0x00097302
#error "libmicrohttpd 0.9.75 or newer is needed"
#endif

enum {
    HTTP_LISTENER_COUNT = 2,
    HTTP_ADMIN_CONNECTIONS_MAX = 64,
    HTTP_ACCEPTS_MAX = 64, /* accepted in one go, and perhaps not yet counted as open */
    HTTP_REPLY_HEADERS_MAX = 16,
    HTTP_REPLY_VALUE_BYTES = 128,
    HTTP_REQUEST_ID_BYTES = 32,
};

/* One open socket. */
struct connection {
    int fd; /* -1: the place is free */
    enum http_listener listener;
    struct MHD_Connection *mhd;
    gnutls_session_t session; /* NULL: plain */
    bool has_shaken_hands;
    struct guard guard;
    struct http_server *server;
    bool is_head_timed;           /* the deadline is that of the head that comes in */
    bool must_linger;             /* the client may still be sending when we close */
    _Atomic uint64_t deadline_ns; /* cut when it passes; 0: none */
    /* under registry.lock */
    struct http_exchange *exchange;
    uint32_t generation; /* of exchanges on this place, for handles */
    uint32_t users;      /* threads that use exchange without the lock */
    uint32_t next_free;
};

enum exchange_phase {
    EXCHANGE_READING,  /* the body comes in */
    EXCHANGE_HANDLING, /* its route's handler runs, or its task waits */
    EXCHANGE_REPLIED,
    EXCHANGE_STREAMING,
    EXCHANGE_ENDED, /* the task said where its stream ends, or cut it */
    EXCHANGE_FAILED /* no memory for the answer */
};

struct http_exchange {
    struct http_server *server;
    struct connection *connection;
    const struct http_route *route; /* NULL: none fits */
    enum exchange_phase phase;
    bool has_identity;
    struct auth_identity identity; /* without has_identity: at most the id of a key that failed */
    char request_id[HTTP_REQUEST_ID_BYTES];
    struct http_error refusal; /* http_code 0: none */
    char allow[64];            /* methods of the path, for 405 and OPTIONS */
    struct buffer body;
    struct {
        const char *name;
        char value[HTTP_REPLY_VALUE_BYTES];
    } headers[HTTP_REPLY_HEADERS_MAX];
    size_t header_count;
    int http_code; /* of the answer; 0: none yet */
    uint64_t sent_bytes, started_ns;
    struct http_task task;
    /* under registry.lock */
    bool has_task, is_suspended, is_woken, is_gone, is_abandoned;
    uint64_t revoked_ns;   /* when its key was; 0: not */
    uint64_t suspended_ns; /* since when it waits */
};

struct registry {
    pthread_mutex_t lock;
    pthread_cond_t unused; /* a connection's users fell to 0 */
    struct connection *connections;
    uint32_t capacity, first_free, live_exchanges;
    uint32_t open_counts[HTTP_LISTENER_COUNT];
    bool is_stopping; /* nobody waits any more */
};

struct listener {
    struct http_server *server;
    enum http_listener which;
    struct MHD_Daemon *daemon;
    int fd; /* -1: does not accept */
    uint16_t port;
    uint32_t connections_max;
};

struct http_server {
    struct http_server_config config; /* strings and certificates: only during start */
    struct registry registry;
    struct listener listeners[HTTP_LISTENER_COUNT];
    struct keeper *keeper;
    gnutls_datum_t ticket_key;
    atomic_bool is_draining;
};
