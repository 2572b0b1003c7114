#include "tests/server/support_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 1024, PATIENCE_MS = 20000 };

static bool start_parts(struct api *api, const struct api_terms *terms, struct failure *failure)
{
    const struct service_config config = {
        .model = &api->model,
        .audit = api->spool.audit,
        .policy = api->policy,
        .engine = fake_engine_interface(&api->fake),
        .rebuild = {.run = terms->rebuilds ? fake_engine_rebuild : NULL,
                    .context = &api->fake,
                    .attempts_max = 3,
                    .backoff_ms = 10},
        .requests_max = terms->requests_max,
        .sequences_max = 64,
        .running_max = FAKE_SEQUENCES_MAX,
        .tenant_queued_max = terms->tenant_queued_max > 0 ? terms->tenant_queued_max : 64,
        .tenant_pages_max = 256,
        .request_bytes_max = 1 << 20,
        .drain_ms = terms->drain_ms,
    };
    if (service_create(&config, &api->service, failure) != STATUS_OK) {
        return false;
    }
    struct http_server_config http = front_config();
    http.routes = api->service->routes;
    http.route_count = api->service->route_count;
    http.service = api->service;
    http.refused = service_refused;
    if (!front_start(&api->front, &http)) {
        return false;
    }
    waker_attach(&api->spool.waker, api->front.server);
    api->service->config.auth = api->front.auth; /* the front made it; no request has come yet */
    return !service_is_ready(api->service)
           && service_start(api->service, api->front.server, failure) == STATUS_OK
           && service_is_ready(api->service);
}

bool api_start(struct api *api, const struct api_terms *terms)
{
    struct failure failure = {""};
    fake_engine_init(&api->fake);
    fake_engine_say(&api->fake, "Hello, world.", BYTE_MODEL_END);
    const struct policy_config policy = {
        .directory = terms->policy_directory ? terms->policy_directory : "",
        .default_name = terms->policy_default ? terms->policy_default : "observe",
        .vault = {.sessions_max = 64, .values_max = 64, .lifetime_s = 60},
    };
    const bool is_started = policy_open(&policy, &api->policy, &failure) == STATUS_OK
                            && byte_model_create(&api->model)
                            && spool_open(&api->spool, terms->keeps_in_memory, 8 << 20)
                            && start_parts(api, terms, &failure);
    if (!is_started) {
        fprintf(stderr, "api: not started, or ready too early: %s\n", failure.text);
    }
    return is_started;
}

void api_stop(struct api *api)
{
    service_stop(api->service);
    waker_detach(&api->spool.waker);
    front_stop(&api->front);
    service_destroy(api->service);
    spool_close(&api->spool);
    byte_model_destroy(&api->model);
    policy_close(api->policy);
    api->policy = NULL;
}

void api_write_request(const char *line, const char *key, const char *body, char *out,
                       size_t out_bytes)
{
    snprintf(out, out_bytes,
             "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s%s"
             "Content-Length: %zu\r\n\r\n%s",
             line, key ? "Authorization: Bearer " : "", key ? key : "", key ? "\r\n" : "",
             strlen(body), body);
}

int api_ask(const struct api *api, const char *line, const char *body, char *out, size_t out_bytes)
{
    const size_t request_bytes = HEAD_BYTES + strlen(body);
    char *request = malloc(request_bytes);
    struct raw_client client;
    bool is_closed = false;
    out[0] = '\0';
    if (!request) {
        return 0;
    }
    api_write_request(line, api->front.key, body, request, request_bytes);
    if (raw_client_open(&client, &api->front, HTTP_LISTENER_API, NULL)) {
        if (raw_client_send_text(&client, request)) {
            raw_client_receive(&client, out, out_bytes, PATIENCE_MS, &is_closed);
        }
        raw_client_close(&client);
    }
    free(request);
    return is_closed ? raw_client_status(out) : 0;
}
