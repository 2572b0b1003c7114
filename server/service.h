/* service.h - what every handler needs, in one object: the model, who may ask, the engine loop,
 * metrics and limits. One a process. Read-only for handlers but for what its parts lock themselves.
 *
 *   start:    service_create, http_server_start (routes and service from here), service_start
 *   SIGTERM:  http_server_drain, service_drain, service_stop, http_server_stop, service_destroy
 * The main thread calls all of these. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "model/model.h"
#include "policy/duties/duties.h"
#include "policy/instruments/instrument.h"
#include "policy/policy.h"
#include "server/engine/engine_loop.h"
#include "server/hand_off/hand_off.h"
#include "server/http/http_server.h"
#include "server/metrics.h"
#include "server/trail.h"

struct service_config {
    const struct model *model; /* this, engine, auth, audit, policy are borrowed and outlive it */
    struct engine engine;
    struct engine_rebuild rebuild; /* what to do when the engine is lost */
    struct auth *auth;
    struct audit *audit;
    struct policy *policy;
    struct hand_off *hand_off; /* NULL: nothing is handed off */
    const char *model_name;    /* what clients call it; NULL: model->name */
    uint32_t requests_max;     /* generating at once; more get 503 */
    uint32_t sequences_max, running_max;
    uint32_t tenant_queued_max, tenant_pages_max;
    uint32_t inbound_bytes, outbound_bytes; /* rings; 0: by the limits above */
    uint32_t output_tokens_default; /* most tokens of a chat answer that names no maximum; 0: all */
    uint64_t request_bytes_max;     /* memory for the tokens of one request's answer */
    uint32_t drain_ms;
};

enum { SERVICE_NAME_BYTES = 128, SERVICE_ROUTES_MAX = 32, SERVICE_INSTRUMENTS_MAX = 16 };

struct service {
    struct service_config config;
    char model_name[SERVICE_NAME_BYTES];
    char fingerprint[16]; /* system_fingerprint: of the model's digest */
    int64_t started_unix_s;
    struct metrics *metrics;
    struct trail *trail;
    struct duties *duties;
    struct instrument *instruments[SERVICE_INSTRUMENTS_MAX];
    const char *instrument_names[SERVICE_INSTRUMENTS_MAX + 1];
    struct engine_loop *engine_loop;
    struct http_server *http; /* set by service_start */
    atomic_bool is_draining;
    char model_path[SERVICE_NAME_BYTES + 16];
    struct http_route routes[SERVICE_ROUTES_MAX];
    size_t route_count;
};

/* STATUS_INVALID: a limit out of range, named. Installs jansson's allocator, which zeroes what it
 * frees, so call it before any other thread uses JSON. */
MUST_CHECK enum status service_create(const struct service_config *config, struct service **out,
                                      struct failure *failure);

/* Starts the threads and returns when the engine is warmed up: /readyz is true from then on. The
 * threads wake requests through http until service_stop. They inherit the signal mask.
 * STATUS_DEVICE: the engine failed in its first step. After a failure: service_destroy. */
MUST_CHECK enum status service_start(struct service *service, struct http_server *http,
                                     struct failure *failure);

/* New requests get 503 "draining". Returns when none is live; after drain_ms the rest are failed
 * with an error event, and it returns a second later at most. True: all ended by themselves. */
bool service_drain(struct service *service);

/* Joins the threads; what is live fails. http is not used afterwards. Then destroy, once http has
 * been stopped too, for its exchanges hold parts of the service. */
void service_stop(struct service *service);
void service_destroy(struct service *service); /* NULL is fine */

bool service_is_ready(const struct service *service);

/* OK, or why no request can be answered now: STATUS_UNAVAILABLE while the engine is rebuilt,
 * STATUS_FULL while draining, STATUS_IO while records cannot be kept, else STATUS_DEVICE. */
enum status service_status(const struct service *service);

/* For http_server_config.refused: recorded, if the tenant is known or nobody authenticated; of a
 * tenant also counted. */
void service_refused(void *context, const struct http_refusal *refusal);

/* ---- routes.c -------------------------------------------------------------------------------- */

/* The one route table, filled in at create: server/routes.c. */
size_t routes_fill(struct http_route *out, size_t max, const char *model_path);

/* True: metrics and audit records know the route of that path by the name of *out. */
bool routes_is_counted(const struct service *service, const char *path, enum metrics_route *out);
