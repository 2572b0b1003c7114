#include "server/audit_log.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "server/audit_terms.h"
#include "server/state_directory.h"

enum { FIRST_RECORD_MS = 10000, PATH_BYTES = STATE_DIRECTORY_BYTES + 16 };

static enum status choose(const struct config *config, struct audit_config *out,
                          struct failure *failure)
{
    static const char *const on_failure[] = {"refuse", "spool_memory"};
    static const char *const redis_unsafe[] = {"refuse", "warn"};
    size_t failing = 0, unsafe = 0;
    enum status status = config_choose("audit.on_failure", config->audit_on_failure, on_failure, 2,
                                       &failing, failure);
    if (status == STATUS_OK) {
        status = config_choose("audit.redis_unsafe", config->audit_redis_unsafe, redis_unsafe, 2,
                               &unsafe, failure);
    }
    out->keeps_in_memory = failing == 1;
    out->warns_of_unsafe_redis = unsafe == 1;
    return status;
}

enum status audit_log_open(const struct config *config, const char *state_directory,
                           struct waker *waker, struct audit **out, struct failure *failure)
{
    char directory[PATH_BYTES];
    const int length = snprintf(directory, sizeof directory, "%s/audit", state_directory);
    if (length < 0 || (size_t)length >= sizeof directory) {
        return fail(failure, STATUS_INVALID, "state.dir: is too long");
    }
    struct audit_config audit_config = {
        .directory = directory,
        .queue_bytes = (uint64_t)config->audit_memory_mib << 20,
        .segment_bytes = (uint64_t)config->audit_segment_mib << 20,
        .retention_days = (uint32_t)config->audit_retention_days,
        .redis_url = audit_terms_has_redis(config) ? config->audit_redis_url : NULL,
        .redis_user = config->audit_redis_user,
        .redis_password_file = config->audit_redis_password_file,
        .redis_ca_file = config->audit_redis_ca_file,
        .redis_prefix = config->audit_redis_prefix,
        .require_aof = config->audit_require_aof,
        .wake = waker_wake,
        .wake_context = waker,
    };
    const enum status status = choose(config, &audit_config, failure);
    return status == STATUS_OK ? audit_open(&audit_config, out, failure) : status;
}

static enum status digest_config(const struct config *config, struct digest *out)
{
    struct buffer text = {.limit_bytes = CONFIG_FILE_BYTES_MAX};
    const enum status status = config_write(config, &text);
    if (status == STATUS_OK) {
        *out = digest_of(text.bytes, text.length);
    }
    buffer_destroy(&text);
    return status;
}

enum status audit_log_start(struct audit *audit, const struct config *config,
                            const struct model *model, struct failure *failure)
{
    struct digest settings;
    if (digest_config(config, &settings) != STATUS_OK) {
        return fail(failure, STATUS_IO, "no memory for the text of the settings");
    }
    struct record_draft draft;
    struct audit_position position;
    record_draft_begin(&draft, RECORD_EVENT_SERVER_STARTED, (struct tenant_id){0}, NULL);
    record_draft_text(&draft, RECORD_FIELD_model,
                      config->model_name[0] != '\0' ? config->model_name : model->name);
    record_draft_text(&draft, RECORD_FIELD_model_digest, model->digest);
    record_draft_text(&draft, RECORD_FIELD_ward_version, WARD_VERSION);
    record_draft_bytes(&draft, RECORD_FIELD_config_digest, settings.bytes);
    enum status status = audit_append(audit, &draft, 0, &position);
    if (status == STATUS_OK) {
        status = audit_wait(audit, position, FIRST_RECORD_MS);
    }
    return status == STATUS_OK
               ? STATUS_OK
               : fail(failure, status,
                      "audit: the first record could not be written; the log lines before this one "
                      "say why");
}

void audit_log_close(struct audit *audit, bool has_started)
{
    if (!audit) {
        return;
    }
    if (has_started) {
        struct record_draft draft;
        struct audit_position position;
        record_draft_begin(&draft, RECORD_EVENT_SERVER_STOPPED, (struct tenant_id){0}, NULL);
        record_draft_text(&draft, RECORD_FIELD_ward_version, WARD_VERSION);
        const enum status status = audit_append(audit, &draft, 0, &position);
        (void)status; /* what finds no room is counted and logged by the writer */
    }
    if (!audit_close(audit)) {
        log_event(LOG_LEVEL_ERROR, "server", "audit.lost",
                  "text=\"some records could not be written before the end\"");
    }
}
