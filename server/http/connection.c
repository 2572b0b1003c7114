/* connection.c - see README.md, "How the guard sees the bytes". The replaced functions pass calls
 * that are not about a connection of ours on to the real ones. */
#include "server/http/connection.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/keeper.h"
#include "server/http/registry.h"

#define EXPORTED __attribute__((visibility("default"), used))

enum { FDS_MAX = 1 << 18 };

/* The connection on a descriptor; written before MHD reads from it and after the last read. */
static _Atomic(struct connection *) by_fd[FDS_MAX];

static int (*real_handshake)(gnutls_session_t session);
static ssize_t (*real_record_recv)(gnutls_session_t session, void *bytes, size_t max);
static ssize_t (*real_recv)(int fd, void *bytes, size_t max, int flags);
static pthread_once_t real_once = PTHREAD_ONCE_INIT;

static void find_real(void)
{
    void *const handshake = dlsym(RTLD_NEXT, "gnutls_handshake");
    void *const record_recv = dlsym(RTLD_NEXT, "gnutls_record_recv");
    void *const plain_recv = dlsym(RTLD_NEXT, "recv");
    memcpy(&real_handshake, &handshake, sizeof handshake);
    memcpy(&real_record_recv, &record_recv, sizeof record_recv);
    memcpy(&real_recv, &plain_recv, sizeof plain_recv);
}

/* ---- between the socket and MHD -------------------------------------------------------------- */

void connection_set_deadline(struct connection *connection, uint32_t after_ms)
{
    const uint64_t deadline_ns =
        after_ms > 0 ? clock_monotonic_ns() + (uint64_t)after_ms * 1000000 : 0;
    atomic_store(&connection->deadline_ns, deadline_ns);
}

/* A head's time runs from its first byte, a body's from the end of the head; more bytes win none.
 */
static void follow_guard(struct connection *connection, enum guard_phase before)
{
    if (before == GUARD_HEAD && connection->guard.phase != GUARD_HEAD) {
        connection_set_deadline(connection, connection->server->config.body_deadline_ms);
    } else if (!connection->is_head_timed) {
        connection->is_head_timed = true;
        connection_set_deadline(connection, connection->server->config.header_deadline_ms);
    }
}

/* One read from the client into the guard. <= 0: as read_real says, or 0 without memory. */
static ssize_t fill_guard(struct connection *connection,
                          ssize_t (*read_real)(struct connection *, char *, size_t))
{
    char bytes[GUARD_PUSH_BYTES_MAX];
    const ssize_t length = read_real(connection, bytes, sizeof bytes);
    if (length <= 0) {
        return length;
    }
    const enum status status = guard_push(&connection->guard, bytes, (size_t)length);
    explicit_bzero(bytes, (size_t)length);
    return status == STATUS_OK && !connection->guard.is_broken ? length : 0;
}

/* What MHD gets for max bytes: as much as is there, as it takes a short read for the last one; when
 * there is nothing, what read_real says; `again` while a whole request is not answered yet. */
static ssize_t read_guarded(struct connection *connection, char *out, size_t max, ssize_t again,
                            ssize_t (*read_real)(struct connection *, char *, size_t))
{
    struct guard *guard = &connection->guard;
    size_t pulled = 0;
    for (;;) {
        const enum guard_phase before = guard->phase;
        pulled += guard_pull(guard, out + pulled, max - pulled);
        if (guard->phase != before) {
            follow_guard(connection, before);
        }
        if (pulled == max || guard->phase == GUARD_DONE) {
            return pulled > 0 ? (ssize_t)pulled : again;
        }
        const ssize_t length = fill_guard(connection, read_real);
        if (length <= 0) {
            return pulled > 0 ? (ssize_t)pulled : length;
        }
        follow_guard(connection, guard->phase);
    }
}

/* 0 when it is done, else what MHD is told. */
static ssize_t shake_hands(struct connection *connection)
{
    int result;
    do {
        result = real_handshake(connection->session);
    } while (result < 0 && result != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(result));
    connection->has_shaken_hands = result == GNUTLS_E_SUCCESS;
    if (result < 0 && result != GNUTLS_E_AGAIN) {
        gnutls_alert_send_appropriate(connection->session, result);
    }
    return result;
}

static ssize_t read_record(struct connection *connection, char *out, size_t max)
{
    const ssize_t result = connection->has_shaken_hands ? 0 : shake_hands(connection);
    return result < 0 ? result : real_record_recv(connection->session, out, max);
}

static ssize_t read_socket(struct connection *connection, char *out, size_t max)
{
    return real_recv(connection->fd, out, max, 0);
}

static struct connection *find(int fd)
{
    return fd >= 0 && fd < FDS_MAX ? atomic_load(&by_fd[fd]) : NULL;
}

static struct connection *find_session(gnutls_session_t session)
{
    struct connection *connection = find(gnutls_transport_get_int(session));
    return connection && connection->session == session ? connection : NULL;
}

/* MHD calls a handshake that waits for its client again and again without a pause, which is a core
 * for each stalled client; it waits properly only in reads. So the first reads shake hands. */
EXPORTED int gnutls_handshake(gnutls_session_t session)
{
    pthread_once(&real_once, find_real);
    return find_session(session) ? GNUTLS_E_SUCCESS : real_handshake(session);
}

EXPORTED ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t data_size)
{
    pthread_once(&real_once, find_real);
    struct connection *connection = find_session(session);
    if (!connection || data_size == 0) {
        return real_record_recv(session, data, data_size);
    }
    return read_guarded(connection, data, data_size, GNUTLS_E_AGAIN, read_record);
}

/* GnuTLS reads records through recv() too: a connection that has a session is not looked at. */
ssize_t guarded_recv(int fd, void *bytes, size_t max, int flags) __asm__("recv");

EXPORTED ssize_t guarded_recv(int fd, void *bytes, size_t max, int flags)
{
    pthread_once(&real_once, find_real);
    struct connection *connection = find(fd);
    if (!connection || connection->session || max == 0) {
        return real_recv(fd, bytes, max, flags);
    }
    errno = EAGAIN; /* stays when the guard has nothing to give */
    return read_guarded(connection, bytes, max, -1, read_socket);
}

/* The dynamic linker gives `name` to everybody as ours. */
static bool is_first(const char *name)
{
    Dl_info found, own;
    void *const address = dlsym(RTLD_DEFAULT, name);
    return address && dladdr(address, &found) != 0 && dladdr(&by_fd, &own) != 0
           && found.dli_fbase == own.dli_fbase;
}

bool connection_can_guard(void)
{
    pthread_once(&real_once, find_real);
    return real_handshake && real_record_recv && real_recv && is_first("gnutls_handshake")
           && is_first("gnutls_record_recv") && is_first("recv");
}

/* ---- open and close -------------------------------------------------------------------------- */

static void open_connection(struct listener *listener, struct MHD_Connection *mhd,
                            void **socket_context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int fd = info ? info->connect_fd : -1;
    struct connection *connection = NULL;
    if (fd >= 0 && fd < FDS_MAX) {
        connection = registry_open_connection(&listener->server->registry, listener, mhd, fd);
    }
    *socket_context = connection;
    if (!connection) {
        log_event(LOG_LEVEL_WARN, "http", "connection.refused", "reason=full");
        shutdown(fd, SHUT_RDWR); /* MHD closes it when it reads */
        return;
    }
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info) {
        connection->session = info->tls_session;
        gnutls_session_ticket_enable_server(connection->session, &listener->server->ticket_key);
    }
    atomic_store(&by_fd[fd], connection);
}

static void close_connection(struct connection *connection)
{
    const int fd = connection->fd;
    atomic_store(&by_fd[fd], NULL);
    guard_destroy(&connection->guard);
    if (connection->must_linger) {
        keeper_linger(connection->server->keeper, fd);
    }
    registry_close_connection(&connection->server->registry, connection);
}

void connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        open_connection(context, mhd, socket_context);
    } else if (*socket_context) {
        close_connection(*socket_context);
    }
}

struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}
