#include "server/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/connection.h"
#include "server/http/exchange.h"

enum {
    BACKLOG = 1024,
    THREADS_MAX = 8,
    CONNECTION_BYTES_EXTRA = 65536, /* of MHD: beside a head, what it reads of a body and writes */
};

static const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* ---- socket ---------------------------------------------------------------------------------- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } is;
    socklen_t length;
};

static bool parse_address(const char *text, uint16_t port, struct address *out)
{
    *out = (struct address){.length = sizeof out->is.v4};
    if (inet_pton(AF_INET, text, &out->is.v4.sin_addr) == 1) {
        out->is.v4.sin_family = AF_INET;
        out->is.v4.sin_port = htons(port);
        return true;
    }
    *out = (struct address){.length = sizeof out->is.v6};
    out->is.v6.sin6_family = AF_INET6;
    out->is.v6.sin6_port = htons(port);
    return inet_pton(AF_INET6, text, &out->is.v6.sin6_addr) == 1;
}

static enum status listen_on(struct listener *listener, const char *text, uint16_t port,
                             struct failure *failure)
{
    struct address address;
    const int on = 1;
    if (!parse_address(text, port, &address)) {
        return fail(failure, STATUS_INVALID, "listen address %s: must be a numeric IP address",
                    text);
    }
    listener->fd = socket(address.is.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0) {
        return fail(failure, STATUS_IO, "no socket: %s", strerror(errno));
    }
    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener->fd, &address.is.any, address.length) != 0
        || listen(listener->fd, BACKLOG) != 0
        || getsockname(listener->fd, &address.is.any, &address.length) != 0) {
        return fail(failure, STATUS_IO, "cannot listen on %s port %u: %s", text, port,
                    strerror(errno));
    }
    listener->port = ntohs(address.is.any.sa_family == AF_INET ? address.is.v4.sin_port
                                                               : address.is.v6.sin6_port);
    return STATUS_OK;
}

/* ---- daemon ---------------------------------------------------------------------------------- */

/* For interfaces that forgot const; they only read. */
static void *without_const(const char *text)
{
    const union {
        const char *text;
        void *bytes;
    } same = {text};
    return same.bytes;
}

/* MHD says only that it did not start; this says why. */
static enum status check_certificate(const struct http_server_config *config,
                                     struct failure *failure)
{
    gnutls_certificate_credentials_t credentials;
    if (!config->certificate_pem || !config->private_key_pem
        || gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS) {
        return fail(failure, STATUS_INVALID, "TLS certificate or private key: is missing");
    }
    const gnutls_datum_t certificate = {.data = without_const(config->certificate_pem),
                                        .size = (unsigned)strlen(config->certificate_pem)};
    const gnutls_datum_t key = {.data = without_const(config->private_key_pem),
                                .size = (unsigned)strlen(config->private_key_pem)};
    const int result =
        gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(credentials);
    return result >= 0 ? STATUS_OK
                       : fail(failure, STATUS_INVALID,
                              "TLS certificate and private key: do not load or do not fit: %s",
                              gnutls_strerror(result));
}

static uint32_t count_threads(const struct http_server_config *config)
{
    if (config->thread_count > 0) {
        return config->thread_count;
    }
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (uint32_t)cores;
}

/* Paths are compared as they were sent: an escape that nobody needs must not hide one. */
static size_t keep_escapes(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context, (void)mhd;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct listener *listener,
                                       const struct http_server_config *config)
{
    const bool is_api = listener->which == HTTP_LISTENER_API;
    const uint32_t threads = is_api ? count_threads(config) : 1;
    const size_t connection_bytes = 2 * (size_t)config->header_bytes_max + CONNECTION_BYTES_EXTRA;
    /* The keeper keeps the limit; MHD's own, split over its threads, only lies above it. */
    const uint32_t connections_max = threads * (listener->connections_max + HTTP_ACCEPTS_MAX);
    struct MHD_OptionItem options[16] = {
        {MHD_OPTION_CONNECTION_LIMIT, connections_max, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, is_api ? config->connections_per_ip_max : 0, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)connection_bytes, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_notify, listener},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_completed, listener},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
    };
    size_t count = 7;
    if (threads > 1) {
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, threads, NULL};
    }
    if (is_api) {
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                                   without_const(config->certificate_pem)};
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                                   without_const(config->private_key_pem)};
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, without_const(tls_priorities)};
    }
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME
                           | MHD_USE_NO_LISTEN_SOCKET | (is_api ? MHD_USE_TLS : 0U);
    return MHD_start_daemon(flags, 0, NULL, NULL, exchange_handle, listener, MHD_OPTION_ARRAY,
                            options, MHD_OPTION_END);
}

enum status listener_start(struct http_server *server, enum http_listener which,
                           struct failure *failure)
{
    const struct http_server_config *config = &server->config;
    const bool is_api = which == HTTP_LISTENER_API;
    struct listener *listener = &server->listeners[which];
    enum status status = is_api ? check_certificate(config, failure) : STATUS_OK;
    if (status == STATUS_OK) {
        status = listen_on(listener, is_api ? config->api_address : config->admin_address,
                           is_api ? config->api_port : config->admin_port, failure);
    }
    if (status == STATUS_OK) {
        listener->daemon = start_daemon(listener, config);
        status = listener->daemon ? STATUS_OK
                                  : fail(failure, STATUS_IO,
                                         "libmicrohttpd %s does not start: memory, descriptors or "
                                         "threads are short, or it was built without GnuTLS",
                                         MHD_get_version());
    }
    return status;
}

void listener_stop(struct listener *listener)
{
    if (listener->daemon) {
        MHD_stop_daemon(listener->daemon);
    }
    if (listener->fd >= 0) {
        close(listener->fd);
    }
}
