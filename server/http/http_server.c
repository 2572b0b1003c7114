#include "server/http/http_server.h"

#include <stdlib.h>

#include "server/http/connection.h"
#include "server/http/keeper.h"
#include "server/http/listener.h"
#include "server/http/registry.h"

enum status http_server_start(const struct http_server_config *config, struct http_server **out,
                              struct failure *failure)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) {
        return fail(failure, STATUS_IO, "no memory");
    }
    uint32_t capacity = 0;
    server->config = *config;
    for (int i = 0; i < HTTP_LISTENER_COUNT; i++) {
        server->listeners[i] = (struct listener){
            .server = server,
            .which = (enum http_listener)i,
            .fd = -1,
            .connections_max =
                i == HTTP_LISTENER_API ? config->connections_max : HTTP_ADMIN_CONNECTIONS_MAX};
        capacity += server->listeners[i].connections_max + HTTP_ACCEPTS_MAX;
    }
    enum status status = registry_init(&server->registry, capacity);
    if (status == STATUS_OK && !connection_can_guard()) {
        status = fail(failure, STATUS_UNSUPPORTED,
                      "the dynamic linker does not let the request guard see what clients send: "
                      "link ward against shared libmicrohttpd and GnuTLS");
    }
    if (status == STATUS_OK
        && gnutls_session_ticket_key_generate(&server->ticket_key) != GNUTLS_E_SUCCESS) {
        status = fail(failure, STATUS_IO, "no TLS ticket key");
    }
    for (int i = 0; i < HTTP_LISTENER_COUNT && status == STATUS_OK; i++) {
        status = listener_start(server, (enum http_listener)i, failure);
    }
    if (status == STATUS_OK) {
        status = keeper_start(server, failure);
    }
    if (status != STATUS_OK) {
        http_server_stop(server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

uint16_t http_server_port(const struct http_server *server, enum http_listener listener)
{
    return server->listeners[listener].port;
}

void http_server_drain(struct http_server *server)
{
    atomic_store(&server->is_draining, true);
    keeper_poke(server->keeper);
}

uint32_t http_server_live_exchanges(struct http_server *server)
{
    return registry_live_exchanges(&server->registry);
}

/* The keeper first: it resumes what waits, as MHD must not be stopped over a waiting connection. */
void http_server_stop(struct http_server *server)
{
    if (!server) {
        return;
    }
    keeper_stop(server->keeper);
    for (int i = 0; i < HTTP_LISTENER_COUNT; i++) {
        listener_stop(&server->listeners[i]);
    }
    keeper_destroy(server->keeper);
    registry_destroy(&server->registry);
    if (server->ticket_key.data) {
        gnutls_memset(server->ticket_key.data, 0, server->ticket_key.size);
        gnutls_free(server->ticket_key.data);
    }
    free(server);
}

void http_wake(struct http_server *server, struct http_handle handle)
{
    registry_wake(&server->registry, handle);
}
