#include "server/service.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/json/json_body.h"

enum { DRAIN_POLL_US = 2000, FAREWELL_MS = 1000, CONVERSATIONS_MAX = 65536 };
static const char model_route[] = "/v1/models/";

/* A name stands in a path, in JSON and in a label: plain characters only. */
static enum status take_name(struct service *service, struct failure *failure)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_.:@+";
    const struct service_config *config = &service->config;
    const char *name = config->model_name ? config->model_name : config->model->name;
    const size_t length = strlen(name);
    if (length == 0 || length >= sizeof service->model_name || strspn(name, plain) != length) {
        return fail(failure, STATUS_INVALID,
                    "model.name: must be 1 to %d letters, digits or any of -_.:@+",
                    (int)sizeof service->model_name - 1);
    }
    memcpy(service->model_name, name, length + 1);
    snprintf(service->model_path, sizeof service->model_path, "%s%s", model_route, name);
    snprintf(service->fingerprint, sizeof service->fingerprint, "fp_%.10s", config->model->digest);
    return STATUS_OK;
}

static enum status create_instruments(struct service *service, struct failure *failure)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && instrument_shipped_name(i); i++) {
        ASSERT(i < SERVICE_INSTRUMENTS_MAX);
        service->instrument_names[i] = instrument_shipped_name(i);
        status = instrument_create(service->instrument_names[i], &service->instruments[i], failure);
    }
    return status;
}

static enum status create_parts(struct service *service, struct failure *failure)
{
    const struct service_config *config = &service->config;
    if (metrics_create(&service->metrics) != STATUS_OK) {
        return fail(failure, STATUS_IO, "no memory for metrics");
    }
    const struct trail_config trail_config = {.audit = config->audit,
                                              .model_name = service->model_name,
                                              .model_digest = config->model->digest};
    if (trail_create(&trail_config, &service->trail) != STATUS_OK) {
        return fail(failure, STATUS_IO, "no memory for the trail");
    }
    if (duties_create(CONVERSATIONS_MAX, &service->duties) != STATUS_OK) {
        return fail(failure, STATUS_IO, "no memory for conversations");
    }
    if (create_instruments(service, failure) != STATUS_OK) {
        return STATUS_IO;
    }
    const struct engine_loop_config loop_config = {
        .engine = config->engine,
        .rebuild = config->rebuild,
        .scheduler = {.shape = config->engine.shape,
                      .sequences_max = config->sequences_max,
                      .running_max = config->running_max,
                      .tenant_queued_max = config->tenant_queued_max,
                      .tenant_pages_max = config->tenant_pages_max,
                      .tenant_count = LIMIT_TENANTS},
        .requests_max = config->requests_max,
        .inbound_bytes = config->inbound_bytes,
        .outbound_bytes = config->outbound_bytes,
        .metrics = service->metrics,
    };
    return engine_loop_create(&loop_config, &service->engine_loop, failure);
}

enum status service_create(const struct service_config *config, struct service **out,
                           struct failure *failure)
{
    if (sodium_init() < 0) {
        return fail(failure, STATUS_IO, "libsodium finds no source of randomness");
    }
    json_body_zero_freed_memory();
    struct service *service = calloc(1, sizeof *service);
    if (!service) {
        return fail(failure, STATUS_IO, "no memory");
    }
    service->config = *config;
    service->started_unix_s = clock_unix_ms() / 1000;
    enum status status = take_name(service, failure);
    if (status == STATUS_OK) {
        status = create_parts(service, failure);
    }
    if (status == STATUS_OK) {
        service->route_count =
            routes_fill(service->routes, SERVICE_ROUTES_MAX, service->model_path);
        *out = service;
        service = NULL;
    }
    service_destroy(service);
    return status;
}

static void wake(void *context, uint64_t handle)
{
    const struct service *service = context;
    http_wake(service->http, (struct http_handle){handle});
}

enum status service_start(struct service *service, struct http_server *http,
                          struct failure *failure)
{
    service->http = http;
    return engine_loop_start(service->engine_loop, wake, service, failure);
}

/* False: some are still live after that time. */
static bool wait_for_end(struct service *service, uint64_t wait_ms)
{
    const uint64_t end_ns = clock_monotonic_ns() + wait_ms * 1000000;
    while (engine_loop_live_requests(service->engine_loop) > 0
           || http_server_live_exchanges(service->http) > 0) {
        if (clock_monotonic_ns() >= end_ns) {
            return false;
        }
        usleep(DRAIN_POLL_US);
    }
    return true;
}

bool service_drain(struct service *service)
{
    atomic_store(&service->is_draining, true);
    if (wait_for_end(service, service->config.drain_ms)) {
        return true;
    }
    log_event(LOG_LEVEL_WARN, "server", "drain.late", "live=%u",
              engine_loop_live_requests(service->engine_loop));
    engine_loop_fail_all(service->engine_loop, STATUS_TIMEOUT);
    wait_for_end(service, FAREWELL_MS);
    return false;
}

void service_stop(struct service *service)
{
    atomic_store(&service->is_draining, true);
    engine_loop_stop(service->engine_loop);
}

void service_destroy(struct service *service)
{
    if (service) {
        engine_loop_destroy(service->engine_loop);
        duties_destroy(service->duties);
        for (size_t i = 0; i < SERVICE_INSTRUMENTS_MAX; i++) {
            instrument_destroy(service->instruments[i]);
        }
        trail_destroy(service->trail);
        metrics_destroy(service->metrics);
        free(service);
    }
}

bool service_is_ready(const struct service *service)
{
    return service_status(service) == STATUS_OK;
}

enum status service_status(const struct service *service)
{
    const enum engine_loop_state state = engine_loop_state(service->engine_loop);
    if (atomic_load(&service->is_draining)) {
        return STATUS_FULL;
    }
    if (state != ENGINE_LOOP_READY) {
        return state == ENGINE_LOOP_REBUILDING ? STATUS_UNAVAILABLE : STATUS_DEVICE;
    }
    return audit_is_available(service->config.audit) ? STATUS_OK : STATUS_IO;
}

/* Counted too, where its route is: records and counters say the same. */
static void record_refused(struct service *service, const struct http_refusal *refusal)
{
    const struct auth_identity *identity = refusal->identity;
    const enum metrics_outcome outcome =
        refusal->error.http_code == 503 ? METRICS_BUSY : METRICS_INVALID;
    const char *name = refusal->path;
    enum metrics_route route = METRICS_ROUTE_COUNT;
    if (refusal->path && routes_is_counted(service, refusal->path, &route)) {
        name = metrics_route_name(route);
        metrics_count_request(service->metrics,
                              &(struct metrics_request){.tenant = identity->tenant,
                                                        .tenant_name = identity->tenant_name,
                                                        .route = route,
                                                        .outcome = outcome,
                                                        .http_code = refusal->error.http_code});
    }
    trail_refused(service->trail, identity, refusal->request_id, name,
                  metrics_outcome_name(outcome), &refusal->error);
}

void service_refused(void *context, const struct http_refusal *refusal)
{
    struct service *service = context;
    if (refusal->error.http_code == 401) {
        const struct trail_stranger who = {refusal->request_id, refusal->key_id, refusal->peer};
        trail_auth_failed(service->trail, &who, &refusal->error);
    } else if (refusal->identity) {
        record_refused(service, refusal);
    }
}
