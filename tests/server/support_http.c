#include "tests/server/support_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

struct http_server_config front_config(void)
{
    return (struct http_server_config){
        .api_address = "127.0.0.1",
        .admin_address = "127.0.0.1",
        .thread_count = 2,
        .connections_max = 256,
        .body_bytes_max = 65536,
        .header_bytes_max = 8192,
        .header_deadline_ms = 5000,
        .body_deadline_ms = 5000,
        .idle_timeout_ms = 5000,
    };
}

/* ---- server ---------------------------------------------------------------------------------- */

static bool make_key(struct front *front, struct failure *failure)
{
    struct tenant_id id;
    const struct auth_limits limits = {0};
    return auth_tenant_add(front->auth, "clinic", &limits, &id, failure) == STATUS_OK
           && auth_key_create(front->auth, "clinic", "test", AUTH_SCOPE_INFER, front->key, failure)
                  == STATUS_OK;
}

bool front_start(struct front *front, const struct http_server_config *config)
{
    struct failure failure = {""};
    struct http_server_config own = *config;
    *front = (struct front){.certificate = {.limit_bytes = CERTIFICATE_PEM_BYTES_MAX},
                            .private_key = {.limit_bytes = CERTIFICATE_PEM_BYTES_MAX}};
    memcpy(front->directory, "/tmp/ward-http-XXXXXX", 22);
    if (!mkdtemp(front->directory)
        || auth_open(front->directory, &front->auth, &failure) != STATUS_OK
        || !make_key(front, &failure)
        || certificate_ensure(front->directory, &front->files, &failure) != STATUS_OK
        || buffer_read_file(&front->certificate, front->files.certificate) != STATUS_OK
        || buffer_read_file(&front->private_key, front->files.private_key) != STATUS_OK) {
        fprintf(stderr, "front: %s\n", failure.text);
        return false;
    }
    own.auth = front->auth;
    own.certificate_pem = front->certificate.bytes;
    own.private_key_pem = front->private_key.bytes;
    const enum status status = http_server_start(&own, &front->server, &failure);
    if (status != STATUS_OK) {
        fprintf(stderr, "front: %s\n", failure.text);
    }
    return status == STATUS_OK;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

void front_stop(struct front *front)
{
    http_server_stop(front->server);
    auth_close(front->auth);
    buffer_destroy(&front->certificate);
    buffer_destroy(&front->private_key);
    nftw(front->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- client ---------------------------------------------------------------------------------- */

static bool connect_to(struct raw_client *client, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return client->fd >= 0 && setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0
           && connect(client->fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool shake_hands(struct raw_client *client, const struct front *front,
                        const gnutls_datum_t *resume)
{
    gnutls_certificate_allocate_credentials(&client->credentials);
    gnutls_certificate_set_x509_trust_file(client->credentials, front->files.ca,
                                           GNUTLS_X509_FMT_PEM);
    gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    gnutls_set_default_priority(client->session);
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    gnutls_session_set_verify_cert(client->session, "localhost", 0);
    gnutls_transport_set_int(client->session, client->fd);
    gnutls_handshake_set_timeout(client->session, 20000);
    if (resume) {
        gnutls_session_set_data(client->session, resume->data, resume->size);
    }
    int result;
    do {
        result = gnutls_handshake(client->session);
    } while (result < 0 && !gnutls_error_is_fatal(result));
    return result == GNUTLS_E_SUCCESS;
}

bool raw_client_connect(struct raw_client *client, const struct front *front,
                        enum http_listener listener)
{
    *client = (struct raw_client){.fd = -1};
    return connect_to(client, http_server_port(front->server, listener));
}

bool raw_client_open(struct raw_client *client, const struct front *front,
                     enum http_listener listener, const gnutls_datum_t *resume)
{
    *client = (struct raw_client){.fd = -1};
    const bool is_open = connect_to(client, http_server_port(front->server, listener))
                         && (listener == HTTP_LISTENER_ADMIN || shake_hands(client, front, resume));
    if (!is_open) {
        raw_client_close(client);
    }
    return is_open;
}

void raw_client_close(struct raw_client *client)
{
    if (client->session) {
        gnutls_deinit(client->session);
        gnutls_certificate_free_credentials(client->credentials);
    }
    if (client->fd >= 0) {
        close(client->fd);
    }
    *client = (struct raw_client){.fd = -1};
}

bool raw_client_send(struct raw_client *client, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t sent = client->session ? gnutls_record_send(client->session, bytes, length)
                                             : send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

bool raw_client_send_text(struct raw_client *client, const char *text)
{
    return raw_client_send(client, text, strlen(text));
}

size_t raw_client_receive(struct raw_client *client, char *out, size_t out_bytes, int wait_ms,
                          bool *is_closed)
{
    size_t received = 0;
    *is_closed = false;
    while (received + 1 < out_bytes) {
        struct pollfd wait = {.fd = client->fd, .events = POLLIN};
        const bool has_pending =
            client->session && gnutls_record_check_pending(client->session) > 0;
        if (!has_pending && poll(&wait, 1, wait_ms) == 0) {
            break;
        }
        const size_t room = out_bytes - received - 1;
        const ssize_t length = client->session
                                   ? gnutls_record_recv(client->session, out + received, room)
                                   : recv(client->fd, out + received, room, 0);
        if (length > 0) {
            received += (size_t)length;
        } else if (length != GNUTLS_E_AGAIN && length != GNUTLS_E_INTERRUPTED) {
            *is_closed = true;
            break;
        }
    }
    out[received] = '\0';
    return received;
}

bool raw_client_receive_text(struct raw_client *client, const char *text, char *out,
                             size_t out_bytes)
{
    enum { WAIT_MS = 20, WAITS = 500 };
    size_t received = 0;
    bool is_closed = false;
    out[0] = '\0';
    for (int i = 0; i < WAITS && !is_closed && !strstr(out, text); i++) {
        received +=
            raw_client_receive(client, out + received, out_bytes - received, WAIT_MS, &is_closed);
    }
    return strstr(out, text) != NULL;
}

size_t raw_client_ask(const struct front *front, enum http_listener listener, const char *bytes,
                      size_t length, char *out, size_t out_bytes, bool *is_closed)
{
    struct raw_client client;
    size_t received = 0;
    out[0] = '\0';
    *is_closed = false;
    if (raw_client_open(&client, front, listener, NULL)) {
        raw_client_send(&client, bytes, length);
        received = raw_client_receive(&client, out, out_bytes, 10000, is_closed);
    }
    raw_client_close(&client);
    return received;
}

int raw_client_status(const char *answer)
{
    return strncmp(answer, "HTTP/1.", 7) == 0 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

void raw_client_write(char out[RAW_REQUEST_BYTES], const char *line, const char *key,
                      const char *rest)
{
    snprintf(out, RAW_REQUEST_BYTES, "%s HTTP/1.1\r\nHost: localhost\r\n%s%s%s%s", line,
             key ? "Authorization: Bearer " : "", key ? key : "", key ? "\r\n" : "",
             rest ? rest : "\r\n");
}

int raw_client_request(const struct front *front, enum http_listener listener, const char *line,
                       const char *key, const char *rest, char *out, size_t out_bytes)
{
    char request[RAW_REQUEST_BYTES];
    bool is_closed = false;
    raw_client_write(request, line, key, rest ? rest : "Connection: close\r\n\r\n");
    raw_client_ask(front, listener, request, strlen(request), out, out_bytes, &is_closed);
    return raw_client_status(out);
}
