/* support_http.h - a running front with a certificate, a tenant and keys of its own, and a client
 * that speaks raw bytes over TLS or plain TCP to it. Only for tests. */
#pragma once
#include <gnutls/gnutls.h>

#include "server/certificate.h"
#include "server/http/http_server.h"

struct front {
    struct http_server *server;
    struct auth *auth;
    char directory[64];
    char key[AUTH_KEY_TEXT_BYTES]; /* scope infer */
    struct certificate_files files;
    struct buffer certificate, private_key;
};

/* Small limits and short deadlines; a test changes what it needs before front_start. */
struct http_server_config front_config(void);
bool front_start(struct front *front, const struct http_server_config *config);
void front_stop(struct front *front); /* also removes its files */

struct raw_client {
    int fd;
    gnutls_session_t session; /* NULL: plain */
    gnutls_certificate_credentials_t credentials;
};

/* resume: data of an earlier session, or NULL. False: no connection or no handshake. */
bool raw_client_open(struct raw_client *client, const struct front *front,
                     enum http_listener listener, const gnutls_datum_t *resume);
/* TCP alone, also to the TLS port. */
bool raw_client_connect(struct raw_client *client, const struct front *front,
                        enum http_listener listener);
void raw_client_close(struct raw_client *client); /* at once, without a farewell */

bool raw_client_send(struct raw_client *client, const char *bytes, size_t length);
bool raw_client_send_text(struct raw_client *client, const char *text);

/* Reads until the server closes, wait_ms pass without a byte, or out is full; NUL-terminated.
 * *is_closed: the server closed. Returns the bytes. */
size_t raw_client_receive(struct raw_client *client, char *out, size_t out_bytes, int wait_ms,
                          bool *is_closed);

/* Reads until what came holds text, the server closes, or 10 s pass. True: it holds it. */
bool raw_client_receive_text(struct raw_client *client, const char *text, char *out,
                             size_t out_bytes);

/* Opens, sends, receives to the end, closes. */
size_t raw_client_ask(const struct front *front, enum http_listener listener, const char *bytes,
                      size_t length, char *out, size_t out_bytes, bool *is_closed);

/* "GET /path HTTP/1.1" with Host, the key (NULL: none) and rest, which ends the head (NULL: at
 * once). */
enum { RAW_REQUEST_BYTES = 4096 };
void raw_client_write(char out[RAW_REQUEST_BYTES], const char *line, const char *key,
                      const char *rest);

/* Writes such a request, with Connection: close where rest is NULL, on a connection of its own. The
 * answer's status; 0: none. */
int raw_client_request(const struct front *front, enum http_listener listener, const char *line,
                       const char *key, const char *rest, char *out, size_t out_bytes);

/* The three digits after HTTP/1.1, or 0. */
int raw_client_status(const char *answer);
