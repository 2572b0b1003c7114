/* demo.c - `ward demo`: a server with nothing configured: its own CA and certificate, two clinics
 * with fresh keys, the bundled model, loopback only. Settings in the environment still win. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/audit_terms.h"
#include "server/certificate.h"
#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/commands/support/administration.h"
#include "server/commands/support/local_redis.h"
#include "server/server.h"

enum { CLINICS = 2, KEYS_LISTED_MAX = 16, OLD_KEY_S = 86400 };
static const char *const clinics[CLINICS] = {"demo-clinic-a", "demo-clinic-b"};

struct demo {
    struct config config;
    struct state state;
    struct certificate_files files;
    struct failure redis; /* why there is no copy in Redis; "": there is one */
    char keys[CLINICS][AUTH_KEY_TEXT_BYTES];
    struct server *server;
};

/* ---- preparing ------------------------------------------------------------------------------ */

/* The bundled model lies beside the program: in the tree it was built in, or installed. */
static enum status find_model(char out[CONFIG_TEXT_BYTES], struct failure *failure)
{
    static const char *const places[] = {"../../demo/model", "../share/ward/demo-model"};
    char program[PATH_MAX] = "";
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash = length > 0 ? strrchr(program, '/') : NULL;
    if (slash) {
        *slash = '\0';
    }
    for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++) {
        char candidate[PATH_MAX + 64], path[PATH_MAX];
        struct stat info;
        snprintf(candidate, sizeof candidate, "%s/%s", program, places[i]);
        if (realpath(candidate, path) && strlen(path) < CONFIG_TEXT_BYTES
            && stat(path, &info) == 0) {
            memcpy(out, path, strlen(path) + 1);
            return STATUS_OK;
        }
    }
    return fail(failure, STATUS_NOT_FOUND,
                "the bundled model is not beside the program; name one with --model DIR");
}

/* Keys are shown once and never kept, so every start gives each clinic's key a new secret. The one
 * before stays good for a day: a demo that already runs keeps working. */
static enum status make_key(struct demo *demo, int clinic, struct failure *failure)
{
    const struct administration_new_key wanted = {
        .tenant_name = clinics[clinic], .environment = "test", .scopes = AUTH_SCOPE_INFER};
    const struct auth_limits no_limits = {0};
    struct auth_tenant tenant;
    struct auth_key keys[KEYS_LISTED_MAX];
    size_t count = 0;
    enum status status = auth_tenant_find(demo->state.auth, wanted.tenant_name, &tenant, failure);
    if (status == STATUS_OK) {
        count = auth_key_list(demo->state.auth, wanted.tenant_name, keys, KEYS_LISTED_MAX);
    } else {
        status = administration_add_tenant(&demo->state, wanted.tenant_name, &no_limits, failure);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (keys[i].revoked_unix_s == 0) {
            return administration_rotate_key(&demo->state, keys[i].id, OLD_KEY_S,
                                             demo->keys[clinic], failure);
        }
    }
    return status != STATUS_OK
               ? status
               : administration_create_key(&demo->state, &wanted, demo->keys[clinic], failure);
}

/* A Redis that is there gets a copy of the records; the demo also works without. */
static void choose_redis(struct demo *demo)
{
    struct config *config = &demo->config;
    if (audit_terms_has_redis(config)) {
        return;
    }
    if (config->audit_redis_url[0] != '\0') {
        fail(&demo->redis, STATUS_NOT_FOUND, "audit.redis_url is none");
        return;
    }
    if (local_redis_look(config, demo->state.audit_directory, &demo->redis) == STATUS_OK) {
        demo->redis.text[0] = '\0';
        memcpy(config->audit_redis_url, LOCAL_REDIS_URL, sizeof LOCAL_REDIS_URL);
        memcpy(config->audit_redis_unsafe, "warn", sizeof "warn");
    }
}

static enum status prepare(struct demo *demo, struct failure *failure)
{
    state_given = demo->config.state_dir;
    enum status status = state_open(&demo->state, failure);
    if (status == STATUS_OK && demo->config.tls_certificate_file[0] == '\0') {
        char directory[STATE_DIRECTORY_BYTES + 16];
        snprintf(directory, sizeof directory, "%s/demo-tls", demo->state.directory);
        status = certificate_ensure(directory, &demo->files, failure);
        snprintf(demo->config.tls_certificate_file, CONFIG_TEXT_BYTES, "%.1000s",
                 demo->files.certificate);
        snprintf(demo->config.tls_private_key_file, CONFIG_TEXT_BYTES, "%.1000s",
                 demo->files.private_key);
    }
    if (status == STATUS_OK) {
        choose_redis(demo);
    }
    if (status == STATUS_OK && demo->config.model_directory[0] == '\0') {
        status = find_model(demo->config.model_directory, failure);
        if (demo->config.model_name[0] == '\0') {
            memcpy(demo->config.model_name, "ward-demo", sizeof "ward-demo");
        }
    }
    return status;
}

/* ---- telling -------------------------------------------------------------------------------- */

static void tell_people(const struct demo *demo)
{
    const unsigned port = server_port(demo->server);
    printf("Ward is ready.\n\n"
           "  base URL  https://127.0.0.1:%u/v1\n"
           "  model     %s\n"
           "  CA file   %s\n",
           port, server_model_name(demo->server), demo->files.ca);
    for (int i = 0; i < CLINICS; i++) {
        printf("  key       %s  (%s)\n", demo->keys[i], clinics[i]);
    }
    const bool has_redis = audit_terms_has_redis(&demo->config);
    printf("  records   %s\n            %s%s\n", demo->state.audit_directory,
           has_redis ? "with a copy in " : "without a copy in Redis: ",
           has_redis ? demo->config.audit_redis_url : demo->redis.text);
    printf(
        "  rules     %s%s\n", demo->config.policy_default,
        strcmp(demo->config.policy_default, "observe") == 0
            ? ": identifiers are counted, not removed; `ward demo --policy standard` removes them"
            : "");
    printf("  metrics   http://127.0.0.1:%u/metrics\n\n"
           "Ask it something:\n\n"
           "  curl -N --cacert '%s' https://127.0.0.1:%u/v1/chat/completions \\\n"
           "    -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \\\n"
           "    -d "
           "'{\"model\":\"%s\",\"stream\":true,\"temperature\":0,\"messages\":[{\"role\":\"user\","
           "\"content\":\"How can I sleep better?\"}]}'\n\n"
           "An OpenAI client: SSL_CERT_FILE='%s' OPENAI_BASE_URL=https://127.0.0.1:%u/v1 \\\n"
           "  OPENAI_API_KEY=%s python app.py\n\n"
           "The bundled model only shows the server; it is not for care. Ctrl-C stops it.\n",
           server_admin_port(demo->server), demo->files.ca, port, demo->keys[0],
           server_model_name(demo->server), demo->files.ca, port, demo->keys[0]);
    fflush(stdout);
}

static void tell_programs(const struct demo *demo)
{
    char base_url[64], admin_url[64];
    snprintf(base_url, sizeof base_url, "https://127.0.0.1:%u/v1", server_port(demo->server));
    snprintf(admin_url, sizeof admin_url, "http://127.0.0.1:%u", server_admin_port(demo->server));
    json_t *keys = json_object();
    for (int i = 0; i < CLINICS; i++) {
        json_object_set_new(keys, clinics[i], json_string(demo->keys[i]));
    }
    const bool has_redis = audit_terms_has_redis(&demo->config);
    json_t *told =
        json_pack("{s:s, s:s, s:o, s:n, s:s, s:s, s:s, s:s?}", "base_url", base_url, "ca_file",
                  demo->files.ca, "keys", keys, "console_url", "admin_url", admin_url, "model",
                  server_model_name(demo->server), "audit_directory", demo->state.audit_directory,
                  "redis_url", has_redis ? demo->config.audit_redis_url : NULL);
    json_dumpf(told, stdout, JSON_COMPACT);
    printf("\n");
    fflush(stdout);
    json_decref(told);
}

/* ---- command -------------------------------------------------------------------------------- */

static int run(struct demo *demo, bool is_json)
{
    struct failure failure = {""};
    enum status status = prepare(demo, &failure);
    if (status == STATUS_OK) {
        status = server_start(&demo->config, demo->state.directory, demo->state.auth, &demo->server,
                              &failure);
    }
    for (int i = 0; i < CLINICS && status == STATUS_OK; i++) {
        status = make_key(demo, i, &failure);
    }
    if (status == STATUS_OK) {
        (is_json ? tell_programs : tell_people)(demo);
        explicit_bzero(demo->keys, sizeof demo->keys);
        server_wait(demo->server);
    }
    server_stop(demo->server);
    state_close(&demo->state);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

static const char summary[] =
    "Starts a server on loopback with nothing configured: its own certificate, two clinics\n"
    "with fresh keys and the bundled model, which only shows the server. A Redis on\n"
    "127.0.0.1:6379 gets a copy of the audit records, unless WARD_AUDIT_REDIS_URL is none.";

static enum status set_defaults(struct config *config, struct failure *failure)
{
    config_set_defaults(config);
    memcpy(config->server_address, "127.0.0.1", sizeof "127.0.0.1");
    memcpy(config->log_level, "warn", sizeof "warn");
    config->engine_kv_mib = 256;
    return config_read_environment(config, failure);
}

int demo_main(int argc, char **argv)
{
    static struct demo demo;
    struct config *config = &demo.config;
    struct failure failure = {""};
    if (set_defaults(config, &failure) != STATUS_OK) {
        return options_failed(&failure);
    }
    bool is_json = false;
    uint32_t port = (uint32_t)config->server_port;
    uint32_t admin_port = (uint32_t)config->server_admin_port;
    const char *state = NULL, *model = NULL, *device = NULL, *policy = NULL;
    const struct option_row rows[] = {
        {.name = "json",
         .kind = OPTION_FLAG,
         .out = &is_json,
         .help = "say what it made as one line of JSON, for programs"},
        {.name = "port",
         .kind = OPTION_COUNT,
         .out = &port,
         .max = 65535,
         .value = "N",
         .help = "port of the API (8443); 0 takes any free one"},
        {.name = "admin-port",
         .kind = OPTION_COUNT,
         .out = &admin_port,
         .max = 65535,
         .value = "N",
         .help = "port of metrics (9090); 0 takes any free one"},
        {.name = "model",
         .letter = 'm',
         .kind = OPTION_TEXT,
         .out = &model,
         .value = "DIR",
         .help = "another model than the bundled one"},
        {.name = "device",
         .kind = OPTION_DEVICE,
         .out = &device,
         .value = "D",
         .help = OPTIONS_DEVICE_HELP},
        {.name = "policy",
         .kind = OPTION_TEXT,
         .out = &policy,
         .value = "RULES",
         .help = "observe (identifiers are counted), standard, strict or redact (observe)"},
        {.name = "state-dir",
         .kind = OPTION_TEXT,
         .out = &state,
         .value = "DIR",
         .help = "where keys and certificates are kept"},
    };
    const struct options options = {
        .usage = "ward demo [options]",
        .summary = summary,
        .rows = rows,
        .row_count = sizeof rows / sizeof rows[0],
    };
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    config->server_port = port;
    config->server_admin_port = admin_port;
    if ((state && config_set(config, "state.dir", state, &failure) != STATUS_OK)
        || (model && config_set(config, "model.directory", model, &failure) != STATUS_OK)
        || (policy && config_set(config, "policy.default", policy, &failure) != STATUS_OK)
        || (device && config_set(config, "engine.device", device, &failure) != STATUS_OK)) {
        return options_failed(&failure);
    }
    server_prepare_process();
    return run(&demo, is_json);
}
