#include "server/commands/support/ready_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { URL_BYTES = 128, CODE_OFFSET = 9, CODE_BYTES = 3 };
static const char request[] =
    "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

struct probe {
    int fd;                   /* not blocking; -1 before open_socket */
    gnutls_session_t session; /* NULL: plain HTTP */
    gnutls_certificate_credentials_t credentials;
    uint64_t end_ns;
    char url[URL_BYTES];
    struct failure *failure;
};

/* Poll until the socket can go on. False: the deadline passed. */
static bool wait_for(const struct probe *probe, short events)
{
    for (;;) {
        const uint64_t now_ns = clock_monotonic_ns();
        const int left_ms =
            now_ns < probe->end_ns ? (int)((probe->end_ns - now_ns + 999999) / 1000000) : 0;
        struct pollfd waited = {.fd = probe->fd, .events = events};
        const int count = poll(&waited, 1, left_ms);
        if (count > 0 || (count < 0 && errno != EINTR)) {
            return true; /* an error shows in the call that follows */
        }
        if (count == 0) {
            return false;
        }
    }
}

static enum status late(const struct probe *probe)
{
    return fail(probe->failure, STATUS_TIMEOUT, "%s did not answer in time", probe->url);
}

static enum status unreachable(const struct probe *probe, const char *why)
{
    return fail(probe->failure, STATUS_UNAVAILABLE, "%s cannot be asked: %s", probe->url, why);
}

/* ---- connection ------------------------------------------------------------------------------ */

/* A listener on every address is asked on loopback. */
static enum status open_socket(struct probe *probe, const char *address, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
    if (!is_v6 && inet_pton(AF_INET, address, &v4.sin_addr) != 1) {
        return unreachable(probe, "the address is not numeric");
    }
    if (v4.sin_addr.s_addr == htonl(INADDR_ANY)) {
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    if (memcmp(&v6.sin6_addr, &in6addr_any, sizeof in6addr_any) == 0) {
        v6.sin6_addr = in6addr_loopback;
    }
    const struct sockaddr *peer = is_v6 ? (const void *)&v6 : (const void *)&v4;
    const socklen_t length = is_v6 ? (socklen_t)sizeof v6 : (socklen_t)sizeof v4;
    probe->fd = socket(peer->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe->fd < 0) {
        return unreachable(probe, strerror(errno));
    }
    if (connect(probe->fd, peer, length) == 0) {
        return STATUS_OK;
    }
    if (errno == EINPROGRESS && !wait_for(probe, POLLOUT)) {
        return late(probe);
    }
    int error = errno;
    socklen_t error_bytes = sizeof error;
    getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
    return error == 0 ? STATUS_OK : unreachable(probe, strerror(error));
}

static enum status start_tls(struct probe *probe)
{
    int result = gnutls_certificate_allocate_credentials(&probe->credentials);
    result = result ? result : gnutls_init(&probe->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    result = result ? result : gnutls_set_default_priority(probe->session);
    result =
        result ? result
               : gnutls_credentials_set(probe->session, GNUTLS_CRD_CERTIFICATE, probe->credentials);
    if (result != 0) {
        return unreachable(probe, gnutls_strerror(result));
    }
    gnutls_transport_set_int(probe->session, probe->fd);
    while ((result = gnutls_handshake(probe->session)) < 0) {
        if (gnutls_error_is_fatal(result)) {
            return unreachable(probe, gnutls_strerror(result));
        }
        if (!wait_for(probe, gnutls_record_get_direction(probe->session) ? POLLOUT : POLLIN)) {
            return late(probe);
        }
    }
    return STATUS_OK;
}

static void close_probe(struct probe *probe)
{
    if (probe->session) {
        gnutls_deinit(probe->session);
    }
    if (probe->credentials) {
        gnutls_certificate_free_credentials(probe->credentials);
    }
    if (probe->fd >= 0) {
        close(probe->fd);
    }
}

/* ---- one exchange ---------------------------------------------------------------------------- */

/* Sends or receives once what the connection takes now. Bytes moved (0: the other side closed),
 * -1: try again after waiting, -2: broken. */
static ssize_t move_bytes(const struct probe *probe, bool is_send, char *bytes, size_t length)
{
    if (probe->session) {
        const ssize_t moved = is_send ? gnutls_record_send(probe->session, bytes, length)
                                      : gnutls_record_recv(probe->session, bytes, length);
        return moved >= 0 ? moved : gnutls_error_is_fatal((int)moved) ? -2 : -1;
    }
    const ssize_t moved =
        is_send ? send(probe->fd, bytes, length, MSG_NOSIGNAL) : recv(probe->fd, bytes, length, 0);
    return moved >= 0 ? moved : errno == EAGAIN || errno == EINTR ? -1 : -2;
}

/* All of the bytes, or the reason why not. */
static enum status move_all(const struct probe *probe, bool is_send, char *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        const ssize_t moved = move_bytes(probe, is_send, bytes + done, length - done);
        if (moved == -1 && !wait_for(probe, is_send ? POLLOUT : POLLIN)) {
            return late(probe);
        }
        if (moved == 0 || moved == -2) {
            return unreachable(probe, "the connection was closed");
        }
        done += moved > 0 ? (size_t)moved : 0;
    }
    return STATUS_OK;
}

static enum status ask(const struct probe *probe)
{
    char text[sizeof request];
    char head[CODE_OFFSET + CODE_BYTES + 1] = ""; /* "HTTP/1.1 200" */
    memcpy(text, request, sizeof request);
    enum status status = move_all(probe, true, text, sizeof request - 1);
    if (status == STATUS_OK) {
        status = move_all(probe, false, head, sizeof head - 1);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (strncmp(head, "HTTP/1.", 7) != 0 || head[CODE_OFFSET - 1] != ' ') {
        return unreachable(probe, "the answer is not HTTP");
    }
    return strcmp(head + CODE_OFFSET, "200") == 0
               ? STATUS_OK
               : fail(probe->failure, STATUS_UNAVAILABLE,
                      "not ready: %s answered %s; its log says why", probe->url,
                      head + CODE_OFFSET);
}

enum status ready_probe(const struct config *config, uint32_t deadline_ms, struct failure *failure)
{
    const bool is_admin = config->server_admin_port != 0;
    const uint16_t port = (uint16_t)(is_admin ? config->server_admin_port : config->server_port);
    const char *address = is_admin ? config->server_admin_address : config->server_address;
    if (port == 0) {
        return fail(failure, STATUS_INVALID,
                    "server.admin_port and server.port: one of them must be a fixed port");
    }
    struct probe probe = {.fd = -1,
                          .end_ns = clock_monotonic_ns() + (uint64_t)deadline_ms * 1000000,
                          .failure = failure};
    snprintf(probe.url, sizeof probe.url,
             strchr(address, ':') ? "%s://[%.64s]:%u" : "%s://%.64s:%u",
             is_admin ? "http" : "https", address, (unsigned)port);
    enum status status = open_socket(&probe, address, port);
    if (status == STATUS_OK && !is_admin) {
        status = start_tls(&probe);
    }
    if (status == STATUS_OK) {
        status = ask(&probe);
    }
    close_probe(&probe);
    return status;
}
