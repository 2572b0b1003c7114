#include "server/server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/audit_log.h"
#include "server/certificate.h"
#include "server/engine_choice.h"
#include "server/hand_off/hand_off_log.h"
#include "server/policy_log.h"
#include "server/service.h"

enum {
    READY_POLL_US = 2000,
    TICK_MS = 500,
    STEP_TOKENS_MIN = 16,
    CONTEXT_TOKENS_DEFAULT_MAX = 32768,
    ANSWER_BYTES_MAX = 64 << 20, /* memory for the tokens of one request's answer */
    MICROHTTPD_SAFE_VERSION = 0x01000700,
};

struct server {
    const struct config *config;
    struct auth *auth;
    struct waker waker; /* of the audit log, which outlives http */
    struct audit *audit;
    struct policy *policy;
    struct hand_off *hand_off;
    struct model *model;
    struct engine_choice *engine;
    struct service *service;
    struct http_server *http;
    struct buffer certificate, private_key;
    bool is_recorded; /* server.started was */
    bool is_started;  /* service_start succeeded */
};

/* ---- process -------------------------------------------------------------------------------- */

static void waited_signals(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGINT);
}

void server_prepare_process(void)
{
    sigset_t signals;
    waited_signals(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error like any other */
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) /* its leak check traces the process, which this forbids */
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

const char *server_library_warning(void)
{
    const char *version = MHD_get_version();
    unsigned part[3] = {0};
    const char *at = version;
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        part[i] = (unsigned)strtoul(at, &end, 10);
        at = *end == '.' ? end + 1 : end;
    }
    const unsigned packed = part[0] << 24 | part[1] << 16 | part[2] << 8;
    return packed >= MICROHTTPD_SAFE_VERSION
               ? NULL
               : "libmicrohttpd is older than 1.0.7 and has known holes; Ward refuses the requests "
                 "that reach them, but prefer a newer one";
}

static enum status apply_log_level(const struct config *config, struct failure *failure)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    size_t level = 0;
    const enum status status =
        config_choose("log.level", config->log_level, names, 4, &level, failure);
    if (status == STATUS_OK) {
        log_set_level((enum log_level)level);
    }
    return status;
}

/* ---- parts ---------------------------------------------------------------------------------- */

/* What the settings say of the step, before a model is loaded for nothing. */
static enum status check_step(const struct config *config, struct failure *failure)
{
    const int64_t step_tokens = config->engine_step_tokens_max;
    if (step_tokens > 0 && step_tokens < STEP_TOKENS_MIN) {
        return fail(failure, STATUS_INVALID, "engine.step_tokens_max: is %lld, the least is %d",
                    (long long)step_tokens, STEP_TOKENS_MIN);
    }
    if (step_tokens > 0 && config->engine_running_max > step_tokens) {
        return fail(failure, STATUS_INVALID,
                    "engine.running_max: is %lld, at most engine.step_tokens_max (%lld) is allowed",
                    (long long)config->engine_running_max, (long long)step_tokens);
    }
    return STATUS_OK;
}

static enum status create_engine(struct server *server, struct failure *failure)
{
    const struct config *config = server->config;
    const uint32_t model_context = server->model->config.context_tokens_max;
    uint32_t context = (uint32_t)config->engine_context_tokens_max;
    if (context == 0) {
        context =
            model_context < CONTEXT_TOKENS_DEFAULT_MAX ? model_context : CONTEXT_TOKENS_DEFAULT_MAX;
    }
    const struct engine_choice_config choice = {
        .device = config->engine_device,
        .page_tokens = (uint32_t)config->engine_page_tokens,
        .context_tokens_max = context,
        .step_tokens_max = (uint32_t)config->engine_step_tokens_max,
        .step_sequences_max = (uint32_t)config->engine_running_max,
        .worker_count = (uint32_t)config->engine_threads,
        .kv_bytes = (uint64_t)config->engine_kv_mib << 20,
        .gpu_index = (uint32_t)config->gpu_index,
        .memory_fraction = config->gpu_memory_fraction,
        .kv_dtype = config->gpu_kv_dtype,
        .matmul = config->kernels_matmul,
    };
    return engine_choice_create(server->model, &choice, &server->engine, failure);
}

static enum status open_model(struct server *server, struct failure *failure)
{
    const struct config *config = server->config;
    if (config->model_directory[0] == '\0') {
        return fail(failure, STATUS_INVALID,
                    "model.directory: is not set; name a Hugging Face model directory");
    }
    const uint64_t start_ns = clock_monotonic_ns();
    enum status status = model_open(config->model_directory, &server->model, failure);
    if (status != STATUS_OK) {
        return status;
    }
    const struct model *model = server->model;
    if (!model->tokenizer) {
        return fail(failure, STATUS_INVALID, "%s: has no tokenizer.json, which serving needs",
                    config->model_directory);
    }
    status = create_engine(server, failure);
    if (status == STATUS_OK) {
        const struct engine_shape shape = engine_choice_interface(server->engine).shape;
        log_event(LOG_LEVEL_INFO, "server", "model.loaded",
                  "name=\"%s\" digest=%.16s device=%s kv_tokens=%llu context_tokens=%u "
                  "load_ms=%llu",
                  model->name, model->digest, engine_choice_device(server->engine),
                  (unsigned long long)shape.page_count * shape.page_tokens,
                  shape.context_tokens_max,
                  (unsigned long long)((clock_monotonic_ns() - start_ns) / 1000000));
    }
    return status;
}

static enum status start_audit(struct server *server, struct failure *failure)
{
    const enum status status =
        audit_log_start(server->audit, server->config, server->model, failure);
    server->is_recorded = status == STATUS_OK;
    return status;
}

static enum status create_service(struct server *server, struct failure *failure)
{
    const struct config *config = server->config;
    const struct engine engine = engine_choice_interface(server->engine);
    const uint64_t tenant_pages =
        (uint64_t)engine.shape.page_count * (uint64_t)config->engine_tenant_pages_percent / 100;
    const struct service_config service_config = {
        .model = server->model,
        .engine = engine,
        .rebuild = engine_choice_rebuild(server->engine),
        .auth = server->auth,
        .audit = server->audit,
        .policy = server->policy,
        .hand_off = server->hand_off,
        .model_name = config->model_name[0] ? config->model_name : NULL,
        .requests_max = (uint32_t)config->engine_requests_max,
        .sequences_max = (uint32_t)config->engine_requests_max,
        .running_max = (uint32_t)config->engine_running_max,
        .tenant_queued_max = (uint32_t)config->engine_tenant_queued_max,
        .tenant_pages_max = tenant_pages > 0 ? (uint32_t)tenant_pages : 1,
        .output_tokens_default = (uint32_t)config->engine_output_tokens_default,
        .request_bytes_max = ANSWER_BYTES_MAX,
        .drain_ms = (uint32_t)config->server_drain_ms,
    };
    return service_create(&service_config, &server->service, failure);
}

static enum status read_certificate(struct server *server, struct failure *failure)
{
    const struct config *config = server->config;
    if (config->tls_certificate_file[0] == '\0' || config->tls_private_key_file[0] == '\0') {
        return fail(failure, STATUS_INVALID,
                    "tls.certificate_file and tls.private_key_file: both "
                    "must name a PEM file");
    }
    const enum status status =
        certificate_read(config->tls_certificate_file, false, &server->certificate, failure);
    return status != STATUS_OK ? status
                               : certificate_read(config->tls_private_key_file, true,
                                                  &server->private_key, failure);
}

static enum status start_http(struct server *server, struct failure *failure)
{
    const struct config *config = server->config;
    const struct http_server_config http_config = {
        .api_address = config->server_address,
        .admin_address = config->server_admin_address,
        .api_port = (uint16_t)config->server_port,
        .admin_port = (uint16_t)config->server_admin_port,
        .certificate_pem = server->certificate.bytes,
        .private_key_pem = server->private_key.bytes,
        .thread_count = (uint32_t)config->server_threads,
        .connections_max = (uint32_t)config->server_connections_max,
        .connections_per_ip_max = (uint32_t)config->server_connections_per_ip_max,
        .body_bytes_max = (uint32_t)config->server_request_bytes_max,
        .header_bytes_max = (uint32_t)config->server_header_bytes_max,
        .header_deadline_ms = (uint32_t)config->server_header_deadline_ms,
        .body_deadline_ms = (uint32_t)config->server_body_deadline_ms,
        .idle_timeout_ms = (uint32_t)config->server_idle_timeout_ms,
        .auth = server->auth,
        .routes = server->service->routes,
        .route_count = server->service->route_count,
        .service = server->service,
        .refused = service_refused,
    };
    const enum status status = http_server_start(&http_config, &server->http, failure);
    if (status == STATUS_OK) {
        waker_attach(&server->waker, server->http);
    }
    return status;
}

/* ---- life ----------------------------------------------------------------------------------- */

/* The parts in the order in which each needs those before it. The audit log comes before the model,
 * for a second server on the same state directory has to learn so early. */
static enum status start_parts(struct server *server, const char *state_directory,
                               struct failure *failure)
{
    const struct config *config = server->config;
    enum status status = apply_log_level(config, failure);
    if (status == STATUS_OK) {
        status = check_step(config, failure);
    }
    if (status == STATUS_OK) {
        status = read_certificate(server, failure);
    }
    if (status == STATUS_OK) {
        status = policy_log_open(config, &server->policy, failure);
    }
    if (status == STATUS_OK) {
        status = audit_log_open(config, state_directory, &server->waker, &server->audit, failure);
    }
    if (status == STATUS_OK) {
        policy_log_apply(server->policy, server->auth, server->audit,
                         (uint32_t)server->config->audit_retention_days);
        status = open_model(server, failure);
    }
    if (status == STATUS_OK) {
        status = start_audit(server, failure);
    }
    if (status == STATUS_OK) {
        status =
            hand_off_log_start(config, server->policy, server->audit, &server->hand_off, failure);
    }
    if (status == STATUS_OK) {
        status = create_service(server, failure);
    }
    if (status == STATUS_OK) {
        status = start_http(server, failure);
    }
    if (status == STATUS_OK) {
        status = service_start(server->service, server->http, failure);
        server->is_started = status == STATUS_OK;
    }
    return status;
}

enum status server_start(const struct config *config, const char *state_directory,
                         struct auth *auth, struct server **out, struct failure *failure)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        return fail(failure, STATUS_IO, "no memory");
    }
    server->config = config;
    server->auth = auth;
    server->certificate.limit_bytes = CERTIFICATE_PEM_BYTES_MAX;
    server->private_key.limit_bytes = CERTIFICATE_PEM_BYTES_MAX;
    waker_init(&server->waker);
    const enum status status = start_parts(server, state_directory, failure);
    if (status != STATUS_OK) {
        server_stop(server);
        return status;
    }
    enum status readiness = service_status(server->service);
    while (readiness != STATUS_OK && readiness != STATUS_IO) { /* IO: the audit log, for now */
        usleep(READY_POLL_US);
        readiness = service_status(server->service);
    }
    const char *warning = server_library_warning();
    if (warning) {
        log_event(LOG_LEVEL_WARN, "server", "library.old", "version=%s text=\"%s\"",
                  MHD_get_version(), warning);
    }
    const size_t tenants = auth_tenant_list(auth, NULL, 0);
    log_event(tenants > 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "server", "ready",
              "port=%u admin_port=%u tenants=%zu", server_port(server), server_admin_port(server),
              tenants);
    *out = server;
    return STATUS_OK;
}

uint16_t server_port(const struct server *server)
{
    return http_server_port(server->http, HTTP_LISTENER_API);
}

uint16_t server_admin_port(const struct server *server)
{
    return http_server_port(server->http, HTTP_LISTENER_ADMIN);
}

const char *server_model_name(const struct server *server)
{
    return server->service->model_name;
}

void server_wait(struct server *server)
{
    sigset_t signals;
    waited_signals(&signals);
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    int which = -1;
    while (which < 0) {
        which = sigtimedwait(&signals, NULL, &tick);
        trail_tick(server->service->trail);
        policy_log_tick(server->policy, server->service->trail);
        policy_log_apply(server->policy, server->auth, server->audit,
                         (uint32_t)server->config->audit_retention_days);
    }
    log_event(LOG_LEVEL_INFO, "server", "draining", "signal=%d live=%u", which,
              http_server_live_exchanges(server->http));
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* a second signal ends the process at once */
    http_server_drain(server->http);
    const bool all_ended = service_drain(server->service);
    log_event(LOG_LEVEL_INFO, "server", "drained", "all_ended=%s", all_ended ? "true" : "false");
}

void server_stop(struct server *server)
{
    if (!server) {
        return;
    }
    if (server->is_started) {
        service_stop(server->service);
    }
    waker_detach(&server->waker);
    http_server_stop(server->http);
    service_destroy(server->service);
    hand_off_stop(server->hand_off);
    engine_choice_destroy(server->engine);
    model_close(server->model);
    policy_close(server->policy);
    audit_log_close(server->audit, server->is_recorded);
    waker_destroy(&server->waker);
    buffer_destroy(&server->certificate);
    buffer_destroy(&server->private_key);
    free(server);
}
