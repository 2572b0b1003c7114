#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/admin/admin.h"
#include "server/admin/audit_page.h"
#include "server/service.h"

enum { LIMIT_DEFAULT = 100, VALUE_BYTES = 80, SUBJECT_BYTES = 96, CHECKPOINT_LINE_BYTES = 1 << 14 };

const char *const admin_audit_query[] = {"tenant", "event", "from", "to", "after", "limit", NULL};

/* ---- errors ---------------------------------------------------------------------------------- */

#define WRONG(param, text)                                      \
    {                                                           \
        400, "invalid_request_error", (param), "invalid_value", \
            param ": must stand once and be " text, 0           \
    }
static const struct http_error wrong_tenant =
    WRONG("tenant", "the name of a tenant, or id:N with the tenant_id of its records");
static const struct http_error wrong_event =
    WRONG("event", "the name of an event, as request.completed");
static const struct http_error wrong_from = WRONG("from", "a time in UTC, as 2026-11-20T10:00:00Z");
static const struct http_error wrong_to =
    WRONG("to", "a time in UTC, as 2026-11-20T10:00:00Z, and later than `from`");
static const struct http_error wrong_after =
    WRONG("after", "`next` of the page before, or the number of the last record that is known");
static const struct http_error wrong_limit = WRONG("limit", "a whole number from 1 to 1000");
static const struct http_error not_yours = {
    403,
    "invalid_request_error",
    "tenant",
    "insufficient_permissions",
    "tenant: this API key sees the records of its own tenant; others need the scope admin too",
    0};
static const struct http_error damaged = {
    500,
    "server_error",
    NULL,
    "audit_unreadable",
    "the audit log cannot be read here: the operator should run `ward audit verify`",
    0};
static const struct http_error no_checkpoint = {
    404, "invalid_request_error", NULL, "no_checkpoint", "there is no checkpoint yet", 1};

static void refuse(struct http_exchange *exchange, struct service *service,
                   const struct http_error *error)
{
    trail_refused(service->trail, http_exchange_identity(exchange),
                  http_exchange_request_id(exchange), "/admin/v1/audit",
                  metrics_outcome_name(error->http_code < 500 ? METRICS_INVALID : METRICS_FAILED),
                  error);
    http_reply_error(exchange, error);
}

/* ---- what is asked for ----------------------------------------------------------------------- */

struct asked {
    struct audit_page_request page;
    char tenant_name[AUTH_NAME_BYTES]; /* "": all, or known by its id alone */
    const char *event;                 /* NULL: any */
    bool has_from, has_to;
};

static bool read_number(const char *text, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

/* A key of the operator's names any tenant. */
static bool find_tenant(struct auth *auth, const char *text, struct asked *out)
{
    struct auth_tenant tenant;
    uint64_t id = 0;
    if (strncmp(text, "id:", 3) == 0) {
        const bool is_id = read_number(text + 3, &id) && id > 0 && id <= LIMIT_TENANTS;
        out->page.query.tenant.value = is_id ? (uint32_t)id : 0;
        return is_id;
    }
    if (auth_tenant_find(auth, text, &tenant, NULL) != STATUS_OK) {
        return false;
    }
    out->page.query.tenant = tenant.id;
    memcpy(out->tenant_name, tenant.name, sizeof out->tenant_name);
    return true;
}

static const struct http_error *read_tenant(const struct http_exchange *exchange,
                                            const struct service *service, struct asked *out)
{
    char text[VALUE_BYTES];
    const struct auth_identity *identity = http_exchange_identity(exchange);
    const enum status status = http_exchange_query(exchange, "tenant", text, sizeof text);
    if (status == STATUS_INVALID) {
        return &wrong_tenant;
    }
    out->page.is_own = (identity->scopes & AUTH_SCOPE_ADMIN) == 0;
    out->page.query.has_tenant = out->page.is_own || status == STATUS_OK;
    if (out->page.is_own) {
        out->page.query.tenant = identity->tenant;
        memcpy(out->tenant_name, identity->tenant_name, sizeof out->tenant_name);
        return status == STATUS_OK && strcmp(text, identity->tenant_name) != 0 ? &not_yours : NULL;
    }
    return status == STATUS_OK && !find_tenant(service->config.auth, text, out) ? &wrong_tenant
                                                                                : NULL;
}

static const struct http_error *read_event(const struct http_exchange *exchange, struct asked *out)
{
    char text[VALUE_BYTES];
    struct query *query = &out->page.query;
    const enum status status = http_exchange_query(exchange, "event", text, sizeof text);
    if (status == STATUS_NOT_FOUND) {
        return NULL;
    }
    query->has_event = true;
    if (status != STATUS_OK || !record_event_of_text(text, &query->event)) {
        return &wrong_event;
    }
    out->event = record_event_text(query->event);
    return NULL;
}

/* True: the parameter is absent, or a time. */
static bool read_time(const struct http_exchange *exchange, const char *name, int64_t *out,
                      bool *is_there)
{
    char text[VALUE_BYTES];
    const enum status status = http_exchange_query(exchange, name, text, sizeof text);
    *is_there = status == STATUS_OK;
    return status == STATUS_NOT_FOUND
           || (status == STATUS_OK && record_read_time(text, out) == STATUS_OK);
}

static bool read_count(const struct http_exchange *exchange, const char *name, uint64_t *out)
{
    char text[VALUE_BYTES];
    const enum status status = http_exchange_query(exchange, name, text, sizeof text);
    return status == STATUS_NOT_FOUND || (status == STATUS_OK && read_number(text, out));
}

/* "N", or "N-MS" as a page said it. Where nothing says when the pages end they end now, but with
 * all that is durable: the chain's time may be ahead of a clock that went back. */
static bool read_after(const struct http_exchange *exchange, const struct service *service,
                       struct asked *out)
{
    char text[VALUE_BYTES] = "0";
    uint64_t end_ms = 0;
    const enum status status = http_exchange_query(exchange, "after", text, sizeof text);
    char *end = strchr(text, '-');
    if (end) {
        *end = '\0';
    }
    if ((status != STATUS_OK && status != STATUS_NOT_FOUND) || !read_number(text, &out->page.after)
        || out->page.after > INT64_MAX
        || (end && (!read_number(end + 1, &end_ms) || end_ms > INT64_MAX))) {
        return false;
    }
    if (!out->has_to) {
        struct audit_facts facts;
        audit_read_facts(service->config.audit, &facts);
        const int64_t now_ms = clock_unix_ms();
        const int64_t last_ms = now_ms > facts.time_unix_ms ? now_ms : facts.time_unix_ms;
        out->page.query.to_unix_ms = end ? (int64_t)end_ms : last_ms + 1;
    }
    return true;
}

/* NULL: all is well. */
static const struct http_error *read_asked(const struct http_exchange *exchange,
                                           const struct service *service, struct asked *out)
{
    uint64_t limit = LIMIT_DEFAULT;
    struct query *query = &out->page.query;
    *out = (struct asked){.page = {.query = {.to_unix_ms = INT64_MAX}}};
    const struct http_error *error = read_tenant(exchange, service, out);
    error = error ? error : read_event(exchange, out);
    if (error) {
        return error;
    }
    if (!read_time(exchange, "from", &query->from_unix_ms, &out->has_from)) {
        return &wrong_from;
    }
    if (!read_time(exchange, "to", &query->to_unix_ms, &out->has_to)
        || query->to_unix_ms <= query->from_unix_ms) {
        return &wrong_to;
    }
    if (!read_after(exchange, service, out)) {
        return &wrong_after;
    }
    if (!read_count(exchange, "limit", &limit) || limit < 1 || limit > AUDIT_PAGE_LIMIT_MAX) {
        return &wrong_limit;
    }
    out->page.limit = (uint32_t)limit;
    return NULL;
}

/* ---- the record of it ------------------------------------------------------------------------ */

static void write_subject(const struct asked *asked, char *out, size_t out_bytes)
{
    char from[RECORD_TIME_BYTES] = "..", to[RECORD_TIME_BYTES] = "..";
    if (asked->has_from) {
        record_write_time(asked->page.query.from_unix_ms, from);
    }
    if (asked->has_to) {
        record_write_time(asked->page.query.to_unix_ms, to);
    }
    snprintf(out, out_bytes, "%s/%s after %" PRIu64 "%s%s", from, to, asked->page.after,
             asked->event ? " " : "", asked->event ? asked->event : "");
}

/* Of the tenant whose records were read; count may follow. */
static void draft_read(const struct http_exchange *exchange, struct tenant_id tenant,
                       const char *tenant_name, const char *subject, struct record_draft *draft)
{
    char actor[AUTH_KEY_ID_BYTES + 8];
    const struct auth_identity *identity = http_exchange_identity(exchange);
    snprintf(actor, sizeof actor, "key:%s", identity->key_id);
    record_draft_begin(draft, RECORD_EVENT_AUDIT_READ, tenant, tenant_name);
    record_draft_text(draft, RECORD_FIELD_request_id, http_exchange_request_id(exchange));
    record_draft_text(draft, RECORD_FIELD_key_id, identity->key_id);
    record_draft_text(draft, RECORD_FIELD_route, "/admin/v1/audit");
    record_draft_uint(draft, RECORD_FIELD_http_code, 200);
    record_draft_text(draft, RECORD_FIELD_actor, actor);
    record_draft_text(draft, RECORD_FIELD_subject, subject);
}

/* ---- handlers -------------------------------------------------------------------------------- */

void admin_audit_handle(struct http_exchange *exchange, void *context)
{
    struct service *service = context;
    struct asked asked;
    struct failure failure = {""};
    uint32_t count = 0;
    const struct http_error *error = read_asked(exchange, service, &asked);
    if (error) {
        refuse(exchange, service, error);
        return;
    }
    struct buffer page = {.limit_bytes = AUDIT_PAGE_BYTES_MAX};
    const enum status status = audit_page_write(audit_directory(service->config.audit), &asked.page,
                                                &page, &count, &failure);
    if (status == STATUS_OK) {
        struct record_draft draft;
        char subject[SUBJECT_BYTES];
        write_subject(&asked, subject, sizeof subject);
        draft_read(exchange, asked.page.query.tenant, asked.tenant_name, subject, &draft);
        record_draft_uint(&draft, RECORD_FIELD_count, count);
        trail_reply(service->trail, exchange, &draft, 200, "application/json", page.bytes,
                    page.length);
    } else {
        log_event(LOG_LEVEL_ERROR, "admin", "audit.unreadable", "request=%s text=\"%s\"",
                  http_exchange_request_id(exchange), failure.text);
        refuse(exchange, service, &damaged);
    }
    buffer_destroy(&page);
}

void admin_audit_handle_checkpoint(struct http_exchange *exchange, void *context)
{
    struct service *service = context;
    struct buffer line = {.limit_bytes = CHECKPOINT_LINE_BYTES};
    enum status status = audit_checkpoint_line(service->config.audit, &line);
    if (status == STATUS_OK) {
        status = buffer_append_text(&line, "\n");
    }
    if (status == STATUS_OK) {
        const struct auth_identity *identity = http_exchange_identity(exchange);
        struct record_draft draft;
        draft_read(exchange, identity->tenant, identity->tenant_name, "checkpoint", &draft);
        trail_reply(service->trail, exchange, &draft, 200, "text/plain; charset=utf-8", line.bytes,
                    line.length);
    } else {
        refuse(exchange, service, status == STATUS_NOT_FOUND ? &no_checkpoint : &damaged);
    }
    buffer_destroy(&line);
}
