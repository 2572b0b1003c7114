/* doctor.c - `ward doctor`: looks at what a server needs on this machine and says what is wrong,
 * one line a check. A row of the table is a check; it reads, and changes nothing. With --ready it
 * asks the running server instead: the health check of the container image. */
#include <errno.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "audit/spool/directory.h"
#include "base/clock.h"
#include "kernels/cpu_features.h"
#include "model/model.h"
#include "server/audit_terms.h"
#include "server/certificate.h"
#include "server/commands/audit/recent.h"
#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/commands/support/ready_probe.h"
#include "server/config.h"
#include "server/engine_choice.h"
#include "server/policy_log.h"
#include "server/server.h"
#include "server/state_directory.h"

enum verdict { GOOD, WARNING, BAD };
enum {
    TEXT_BYTES = 512,
    CERTIFICATE_WARN_S = 30 * 86400,
    FILES_SPARE = 64,
    READY_DEADLINE_MS = 2000,
    REDIS_DEADLINE_MS = 2000,
    AUDIT_FREE_MIB = 1024
};
static const time_t BUILT_AFTER_S = 1735689600; /* 2025-01-01: a clock before it is wrong */

struct diagnosis {
    enum verdict verdict;
    char text[TEXT_BYTES];
};

static struct diagnosis found(enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct diagnosis found(enum verdict verdict, const char *format, ...)
{
    struct diagnosis finding = {.verdict = verdict};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.text, sizeof finding.text, format, arguments);
    va_end(arguments);
    return finding;
}

/* ---- checks --------------------------------------------------------------------------------- */

static struct diagnosis check_cpu(const struct config *config)
{
    (void)config;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const char *level = cpu_features_name(cpu_features_level());
    const bool is_portable = cpu_features_level() == CPU_LEVEL_PORTABLE;
    return found(is_portable ? WARNING : GOOD, "%ld cores, kernels use %s%s", cores, level,
                 is_portable ? ": many times slower than AVX2 or AVX-512" : "");
}

static struct diagnosis check_gpu(const struct config *config)
{
    const char *device = config->engine_device;
    if (!engine_choice_knows_device(device)) {
        return found(BAD, "engine.device: must be auto, cpu or cuda");
    }
    const bool is_wanted = strcmp(device, "cuda") == 0;
    const bool is_forbidden = strcmp(device, "cpu") == 0;
    char text[TEXT_BYTES / 2];
    const bool has_gpu = engine_choice_describe_gpu((uint32_t)config->gpu_index, text, sizeof text);
    if (has_gpu) {
        return found(GOOD, "%s%s", text, is_forbidden ? "; engine.device is cpu" : "");
    }
    return found(is_wanted ? BAD : GOOD, "%s; %s", text,
                 is_wanted ? "engine.device is cuda: the server will not start"
                           : "computing on the CPU");
}

static struct diagnosis check_memory(const struct config *config)
{
    const long page_bytes = sysconf(_SC_PAGESIZE);
    const uint64_t free_mib = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)page_bytes >> 20;
    const bool fits = free_mib > (uint64_t)config->engine_kv_mib;
    return found(fits ? GOOD : BAD, "%llu MiB free, the KV cache takes %lld MiB%s",
                 (unsigned long long)free_mib, (long long)config->engine_kv_mib,
                 fits ? "" : ": lower engine.kv_mib");
}

static struct diagnosis check_library(const struct config *config)
{
    (void)config;
    const char *warning = server_library_warning();
    return found(warning ? WARNING : GOOD, "GnuTLS %s, libmicrohttpd %s%s%s",
                 gnutls_check_version(NULL), MHD_get_version(), warning ? ": " : "",
                 warning ? warning : "");
}

static struct diagnosis check_limits(const struct config *config)
{
    struct rlimit files = {0, 0};
    getrlimit(RLIMIT_NOFILE, &files);
    const bool fits = files.rlim_cur >= (rlim_t)config->server_connections_max + FILES_SPARE;
    return found(fits ? GOOD : BAD, "%llu open files allowed, server.connections_max is %lld%s",
                 (unsigned long long)files.rlim_cur, (long long)config->server_connections_max,
                 fits ? "" : ": raise `ulimit -n` or lower the setting");
}

static struct diagnosis check_clock(const struct config *config)
{
    (void)config;
    struct timex state = {0};
    if (time(NULL) < BUILT_AFTER_S) {
        return found(BAD, "the clock is wrong; certificates cannot be checked with it");
    }
    return adjtimex(&state) == TIME_ERROR
               ? found(WARNING, "the clock is not synchronised: run an NTP client")
               : found(GOOD, "the clock is synchronised");
}

static struct diagnosis check_state(const struct config *config)
{
    char state[STATE_DIRECTORY_BYTES];
    struct failure failure = {""};
    struct auth *auth = NULL;
    enum status status = state_directory_find(config->state_dir, state, &failure);
    if (status == STATUS_OK) {
        status = auth_open(state, &auth, &failure);
    }
    if (status != STATUS_OK) {
        return found(BAD, "%s", failure.text);
    }
    const size_t tenants = auth_tenant_list(auth, NULL, 0);
    auth_close(auth);
    return found(tenants > 0 ? GOOD : WARNING, "%s: %zu tenant(s)%s", state, tenants,
                 tenants > 0 ? "" : "; add one with `ward tenant add NAME`");
}

/* ---- the audit log --------------------------------------------------------------------------- */

static bool find_audit(const struct config *config, char out[STATE_DIRECTORY_BYTES],
                       struct diagnosis *trouble)
{
    char state[STATE_DIRECTORY_BYTES];
    struct failure failure = {""};
    if (state_directory_find(config->state_dir, state, &failure) != STATUS_OK
        || state_directory_audit(state, out, &failure) != STATUS_OK) {
        *trouble = found(BAD, "%s", failure.text);
        return false;
    }
    return true;
}

static struct diagnosis check_audit(const struct config *config)
{
    char directory[STATE_DIRECTORY_BYTES];
    struct diagnosis trouble;
    struct statvfs disk;
    struct stat own, root;
    if (!find_audit(config, directory, &trouble)) {
        return trouble;
    }
    if (stat(directory, &own) != 0 && errno == ENOENT) {
        return found(GOOD, "%.400s: is made at the first start", directory);
    }
    if (access(directory, R_OK | W_OK | X_OK) != 0 || statvfs(directory, &disk) != 0
        || stat("/", &root) != 0) {
        return found(BAD, "%.400s: cannot be written: %s; requests are refused without records",
                     directory, strerror(errno));
    }
    const uint64_t free_mib = (uint64_t)disk.f_bavail * disk.f_frsize >> 20;
    const bool fits = free_mib >= AUDIT_FREE_MIB;
    return found(fits           ? GOOD
                 : free_mib > 0 ? WARNING
                                : BAD,
                 "%.400s: %llu MiB free%s%s", directory, (unsigned long long)free_mib,
                 own.st_dev == root.st_dev ? ", shared with / and all that fills it" : "",
                 fits ? "" : ": a full disk stops the server; make room");
}

/* Records never go back in time: with a clock that did, all would get the last one's time. */
static struct diagnosis check_log_clock(const struct config *config)
{
    char directory[STATE_DIRECTORY_BYTES];
    struct diagnosis trouble;
    struct failure failure = {""};
    struct query query = {.to_unix_ms = INT64_MAX};
    struct query_cursor *cursor = NULL;
    struct record record;
    uint64_t sequence = 0;
    int64_t last_unix_ms = 0;
    if (!find_audit(config, directory, &trouble)) {
        return trouble;
    }
    enum status status = recent_find(directory, &query, 1, &failure);
    if (status == STATUS_OK) {
        status = query_open(directory, &query, &cursor, &failure);
    }
    while (status == STATUS_OK) {
        status = query_next(cursor, 0, &record, &sequence, &failure);
        last_unix_ms = status == STATUS_OK ? record.time_unix_ms : last_unix_ms;
    }
    query_close(cursor);
    if (status != STATUS_NOT_FOUND) {
        return found(BAD, "%s", failure.text);
    }
    const int64_t behind_s = (last_unix_ms - clock_unix_ms()) / 1000;
    return behind_s > 0 ? found(WARNING, "the clock is %lld s behind the last record: it went back",
                                (long long)behind_s)
                        : found(GOOD, "the clock is not behind the last record");
}

static struct diagnosis check_officer_key(const struct config *config)
{
    char directory[STATE_DIRECTORY_BYTES];
    struct diagnosis trouble;
    if (!find_audit(config, directory, &trouble)) {
        return trouble;
    }
    if (access(directory, X_OK) != 0 && errno == EACCES) {
        return found(WARNING, "%.400s: is closed to this user: run this as the server's",
                     directory);
    }
    return directory_has_officer_key(directory)
               ? found(WARNING,
                       "%.400s/officer.key is still here: move it to another machine; who "
                       "takes over this one could rewrite the past with it",
                       directory)
               : found(GOOD, "officer.key is not on this machine");
}

/* As the server would, but told why a Redis is unsafe also where the server only warns of it. */
static enum status open_redis(struct redis_terms *terms, bool *is_unsafe, struct failure *failure)
{
    const bool only_warns = terms->only_warns;
    redisContext *link = NULL;
    terms->timeout_ms = REDIS_DEADLINE_MS;
    terms->only_warns = false;
    enum status status = redis_link_open(terms, &link, failure);
    redis_link_close(link);
    *is_unsafe = false;
    if (status == STATUS_FORBIDDEN && only_warns) {
        struct failure other = {""};
        terms->only_warns = true;
        status = redis_link_open(terms, &link, &other);
        redis_link_close(link);
        *is_unsafe = status == STATUS_OK;
    }
    return status;
}

static struct diagnosis check_redis(const struct config *config)
{
    struct redis_terms terms;
    struct failure failure = {""};
    bool is_unsafe = false;
    enum status status = audit_terms_redis(config, &terms, &failure);
    if (status == STATUS_NOT_FOUND) {
        return found(GOOD, "none is configured: records are on this machine alone");
    }
    if (status == STATUS_OK) {
        status = open_redis(&terms, &is_unsafe, &failure);
    }
    if (status == STATUS_OK) {
        return is_unsafe ? found(WARNING, "%s; used, as audit.redis_unsafe says", failure.text)
                         : found(GOOD, "answers, and keeps what it is given");
    }
    const bool can_start = status == STATUS_UNAVAILABLE || status == STATUS_UNAUTHENTICATED;
    return found(can_start ? WARNING : BAD, "%s%s", failure.text,
                 can_start ? "; the server starts, and ships records once it can" : "");
}

static struct diagnosis check_certificate(const struct config *config)
{
    if (config->tls_certificate_file[0] == '\0') {
        return found(BAD,
                     "tls.certificate_file is not set: name a PEM file; `ward demo` makes its own");
    }
    struct failure failure = {""};
    struct buffer text = {.limit_bytes = CERTIFICATE_PEM_BYTES_MAX};
    struct diagnosis finding;
    if (certificate_read(config->tls_private_key_file, true, &text, &failure) != STATUS_OK
        || certificate_read(config->tls_certificate_file, false, &text, &failure) != STATUS_OK) {
        finding = found(BAD, "%s", failure.text);
    } else {
        gnutls_x509_crt_t certificate;
        gnutls_x509_crt_init(&certificate);
        const gnutls_datum_t pem = {(unsigned char *)text.bytes, (unsigned)text.length};
        gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM);
        const long left_s = (long)(gnutls_x509_crt_get_expiration_time(certificate) - time(NULL));
        gnutls_x509_crt_deinit(certificate);
        finding = found(left_s < 0                    ? BAD
                        : left_s < CERTIFICATE_WARN_S ? WARNING
                                                      : GOOD,
                        "%.400s: %s %ld days", config->tls_certificate_file,
                        left_s < 0 ? "expired, by" : "valid for", labs(left_s) / 86400);
    }
    buffer_destroy(&text);
    return finding;
}

static struct diagnosis check_model(const struct config *config)
{
    if (config->model_directory[0] == '\0') {
        return found(BAD, "model.directory is not set: name a model; `ward demo` brings its own");
    }
    struct failure failure = {""};
    struct model *model = NULL;
    if (model_open(config->model_directory, &model, &failure) != STATUS_OK) {
        return found(BAD, "%s", failure.text);
    }
    const struct diagnosis finding =
        found(model->tokenizer && model->chat_template ? GOOD : WARNING,
              "%s opens; tokenizer: %s, chat template: %s", model->name,
              model->tokenizer ? "yes" : "none", model->chat_template ? "yes" : "none");
    model_close(model);
    return finding;
}

static struct diagnosis check_policy(const struct config *config)
{
    struct failure failure = {""};
    struct policy *policy = NULL;
    if (policy_log_open(config, &policy, &failure) != STATUS_OK) {
        return found(BAD, "%s", failure.text);
    }
    struct rules *rules = policy_rules(policy, "");
    const struct diagnosis finding =
        found(rules->changes_text ? GOOD : WARNING, "rules %s, digest %.16s%s", rules->name,
              rules->digest,
              rules->changes_text ? ""
                                  : ": identifiers are counted, not removed; policy.default: "
                                    "standard removes them");
    rules_release(rules);
    policy_close(policy);
    return finding;
}

static const struct {
    const char *name;
    struct diagnosis (*run)(const struct config *config);
} checks[] = {
    {"cpu", check_cpu},
    {"gpu", check_gpu},
    {"memory", check_memory},
    {"library", check_library},
    {"limits", check_limits},
    {"clock", check_clock},
    {"state", check_state},
    {"audit", check_audit},
    {"log clock", check_log_clock},
    {"officer key", check_officer_key},
    {"redis", check_redis},
    {"certificate", check_certificate},
    {"policy", check_policy},
    {"model", check_model},
};

/* ---- command -------------------------------------------------------------------------------- */

static int run(const struct config *config)
{
    static const char *const marks[] = {"ok  ", "warn", "BAD "};
    int bad = 0;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const struct diagnosis finding = checks[i].run(config);
        printf("%s  %-12s %s\n", marks[finding.verdict], checks[i].name, finding.text);
        bad += finding.verdict == BAD;
    }
    return bad > 0;
}

static int ask_server(const struct config *config)
{
    struct failure failure = {""};
    if (ready_probe(config, READY_DEADLINE_MS, &failure) != STATUS_OK) {
        return options_failed(&failure);
    }
    puts("ready");
    return 0;
}

int doctor_main(int argc, char **argv)
{
    const char *path = NULL;
    bool asks_server = false;
    const struct option_row rows[] = {
        {.name = "config",
         .letter = 'c',
         .kind = OPTION_TEXT,
         .out = &path,
         .value = "FILE",
         .help = "the configuration that `ward serve` would read"},
        {.name = "ready",
         .kind = OPTION_FLAG,
         .out = &asks_server,
         .help = "only ask the running server's /readyz (2 s at most); exit 0: it can answer"},
    };
    const struct options options = {
        .usage = "ward doctor [-c FILE] [--ready]",
        .summary = "Checks what a server needs on this machine, one line a check; exit 1 when\n"
                   "something would keep it from serving.",
        .rows = rows,
        .row_count = sizeof rows / sizeof rows[0],
    };
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    struct config config;
    struct failure failure = {""};
    if (config_load(&config, path, &failure) != STATUS_OK) {
        return options_failed(&failure);
    }
    return asks_server ? ask_server(&config) : run(&config);
}
