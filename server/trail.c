#include "server/trail.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"

enum { ROW_COUNT = LIMIT_TENANTS + 1, OUTCOME_BYTES = 32 };
static const uint64_t window_ns = 1000000000;

const struct http_error trail_unavailable = {
    503,
    "server_error",
    NULL,
    "audit_unavailable",
    "the audit log cannot be written, and without a record nothing is answered: try again",
    5};

/* A refusal or a failed login; or what several share: "" and 0 where they differ. */
struct happening {
    enum record_event event;
    struct tenant_id tenant;
    char tenant_name[AUTH_NAME_BYTES];
    char request_id[64];
    char key_id[AUTH_KEY_ID_BYTES];
    char route[64];
    char outcome[OUTCOME_BYTES];
    char code[64];
    char peer[HTTP_PEER_BYTES];
    int http_code;
};

/* What of one tenant happens in a second; row 0 is nobody's. */
struct row {
    uint64_t begin_ns;
    uint32_t told;  /* that have records of their own */
    uint64_t count; /* that are only counted: shared says of what kind */
    struct happening shared;
};

struct trail {
    struct trail_config config;
    pthread_mutex_t lock;
    struct row rows[ROW_COUNT];
};

enum status trail_create(const struct trail_config *config, struct trail **out)
{
    struct trail *trail = calloc(1, sizeof *trail);
    if (!trail) {
        return STATUS_IO;
    }
    trail->config = *config;
    if (!trail->config.now_ns) {
        trail->config.now_ns = clock_monotonic_ns;
    }
    pthread_mutex_init(&trail->lock, NULL);
    *out = trail;
    return STATUS_OK;
}

struct audit *trail_audit(struct trail *trail)
{
    return trail->config.audit;
}

void trail_draft(const struct trail *trail, enum record_event event,
                 const struct auth_identity *identity, const char *request_id, const char *route,
                 struct record_draft *out)
{
    record_draft_begin(out, event, identity->tenant, identity->tenant_name);
    record_draft_text(out, RECORD_FIELD_request_id, request_id);
    record_draft_text(out, RECORD_FIELD_key_id, identity->key_id);
    record_draft_text(out, RECORD_FIELD_route, route);
    record_draft_text(out, RECORD_FIELD_model, trail->config.model_name);
    record_draft_text(out, RECORD_FIELD_model_digest, trail->config.model_digest);
}

/* ---- floods ---------------------------------------------------------------------------------- */

static void append(struct trail *trail, const struct happening *happening, uint64_t count)
{
    struct record_draft draft;
    struct audit_position position;
    record_draft_begin(&draft, happening->event, happening->tenant, happening->tenant_name);
    record_draft_text(&draft, RECORD_FIELD_request_id, happening->request_id);
    record_draft_text(&draft, RECORD_FIELD_key_id, happening->key_id);
    record_draft_text(&draft, RECORD_FIELD_route, happening->route);
    record_draft_text(&draft, RECORD_FIELD_outcome, happening->outcome);
    if (happening->http_code != 0) {
        record_draft_uint(&draft, RECORD_FIELD_http_code, (uint64_t)happening->http_code);
    }
    record_draft_text(&draft, RECORD_FIELD_code, happening->code);
    record_draft_text(&draft, RECORD_FIELD_peer, happening->peer);
    if (count > 1) {
        record_draft_uint(&draft, RECORD_FIELD_count, count);
    }
    const enum status status = audit_append(trail->config.audit, &draft, 0, &position);
    (void)status; /* what finds no room is counted and logged by the writer */
}

static void keep_if_same(char *shared, const char *other)
{
    if (strcmp(shared, other) != 0) {
        shared[0] = '\0';
    }
}

static void count(struct row *row, const struct happening *happening)
{
    struct happening *shared = &row->shared;
    if (row->count++ == 0) {
        *shared = *happening;
    }
    keep_if_same(shared->request_id, happening->request_id);
    keep_if_same(shared->key_id, happening->key_id);
    keep_if_same(shared->route, happening->route);
    keep_if_same(shared->outcome, happening->outcome);
    keep_if_same(shared->code, happening->code);
    keep_if_same(shared->peer, happening->peer);
    if (shared->http_code != happening->http_code) {
        shared->http_code = 0;
    }
}

static void tell_counted(struct trail *trail, struct row *row)
{
    if (row->count > 0) {
        append(trail, &row->shared, row->count);
        row->count = 0;
    }
}

static void note(struct trail *trail, const struct happening *happening)
{
    ASSERT(happening->tenant.value < ROW_COUNT);
    struct row *row = &trail->rows[happening->tenant.value];
    const bool is_available = audit_is_available(trail->config.audit);
    pthread_mutex_lock(&trail->lock);
    const uint64_t now_ns = trail->config.now_ns();
    if (is_available && now_ns - row->begin_ns >= window_ns) {
        tell_counted(trail, row);
        row->begin_ns = now_ns;
        row->told = 0;
    }
    if (is_available && row->told < TRAIL_EACH_PER_SECOND) {
        row->told++;
        append(trail, happening, 1);
    } else {
        count(row, happening);
    }
    pthread_mutex_unlock(&trail->lock);
}

static void copy(char *out, size_t out_bytes, const char *text)
{
    const size_t length = text ? strnlen(text, out_bytes - 1) : 0;
    memcpy(out, text ? text : "", length);
    out[length] = '\0';
}

static struct happening refused(const struct auth_identity *identity, const char *request_id,
                                const char *route, const char *outcome,
                                const struct http_error *error)
{
    struct happening happening = {.event = RECORD_EVENT_REQUEST_REFUSED,
                                  .tenant = identity->tenant,
                                  .http_code = error->http_code};
    copy(happening.tenant_name, sizeof happening.tenant_name, identity->tenant_name);
    copy(happening.key_id, sizeof happening.key_id, identity->key_id);
    copy(happening.request_id, sizeof happening.request_id, request_id);
    copy(happening.route, sizeof happening.route, route);
    copy(happening.outcome, sizeof happening.outcome, outcome);
    copy(happening.code, sizeof happening.code, error->code);
    return happening;
}

void trail_refused(struct trail *trail, const struct auth_identity *identity,
                   const char *request_id, const char *route, const char *outcome,
                   const struct http_error *error)
{
    const struct happening happening = refused(identity, request_id, route, outcome, error);
    note(trail, &happening);
}

void trail_refused_unavailable(struct trail *trail, const struct auth_identity *identity,
                               const char *request_id, const char *route)
{
    struct record_draft draft;
    struct audit_position position;
    const struct happening happening =
        refused(identity, request_id, route, "busy", &trail_unavailable);
    trail_draft(trail, RECORD_EVENT_REQUEST_ACCEPTED, identity, request_id, route, &draft);
    if (audit_append(trail->config.audit, &draft, 0, &position) == STATUS_OK) {
        append(trail, &happening, 1); /* taken again by now: then it needs its own end */
    } else {
        note(trail, &happening);
    }
}

void trail_auth_failed(struct trail *trail, const struct trail_stranger *who,
                       const struct http_error *error)
{
    struct happening happening = {.event = RECORD_EVENT_AUTH_FAILED, .http_code = error->http_code};
    copy(happening.request_id, sizeof happening.request_id, who->request_id);
    copy(happening.key_id, sizeof happening.key_id, who->key_id);
    copy(happening.code, sizeof happening.code, error->code);
    copy(happening.peer, sizeof happening.peer, who->peer);
    note(trail, &happening);
}

void trail_destroy(struct trail *trail)
{
    if (trail) {
        for (size_t i = 0; i < ROW_COUNT; i++) {
            tell_counted(trail, &trail->rows[i]);
        }
        pthread_mutex_destroy(&trail->lock);
        free(trail);
    }
}

void trail_tick(struct trail *trail)
{
    pthread_mutex_lock(&trail->lock);
    const uint64_t now_ns = trail->config.now_ns();
    for (size_t i = 0; i < ROW_COUNT && audit_is_available(trail->config.audit); i++) {
        if (now_ns - trail->rows[i].begin_ns >= window_ns) {
            tell_counted(trail, &trail->rows[i]);
        }
    }
    pthread_mutex_unlock(&trail->lock);
}

/* ---- answers that wait ----------------------------------------------------------------------- */

enum audit_keeping trail_keeping(const struct trail *trail, struct audit_position position,
                                 uint64_t since_ns)
{
    const enum audit_keeping keeping = audit_keeping(trail->config.audit, position);
    const bool is_late = trail->config.now_ns() - since_ns >= (uint64_t)TRAIL_PATIENCE_MS * 1000000;
    return keeping == AUDIT_WAITING && is_late ? AUDIT_LOST : keeping;
}

struct held_reply {
    struct trail *trail;
    uint64_t since_ns;
    struct audit_position position;
    enum status appended;
    int http_code;
    const char *content_type;
    size_t length;
    char bytes[];
};

/* is_taken: its record is on its way, only too late for the answer. */
static void refuse(struct trail *trail, struct http_exchange *exchange, bool is_taken)
{
    const struct auth_identity *identity = http_exchange_identity(exchange);
    const char *request_id = http_exchange_request_id(exchange);
    if (is_taken) {
        trail_refused(trail, identity, request_id, NULL, "busy", &trail_unavailable);
    } else {
        trail_refused_unavailable(trail, identity, request_id, NULL);
    }
    http_reply_error(exchange, &trail_unavailable);
}

static void step(struct http_exchange *exchange, void *context)
{
    const struct held_reply *held = context;
    const enum audit_keeping keeping =
        held->appended == STATUS_OK ? trail_keeping(held->trail, held->position, held->since_ns)
                                    : AUDIT_LOST;
    if (keeping == AUDIT_KEPT) {
        http_reply(exchange, held->http_code, held->content_type, held->bytes, held->length);
    } else if (keeping == AUDIT_LOST) {
        refuse(held->trail, exchange, held->appended == STATUS_OK);
    }
}

static void abandon(void *context)
{
    (void)context; /* the record is on its way, and nothing else works for this answer */
}

static void destroy(void *context)
{
    struct held_reply *held = context;
    explicit_bzero(held->bytes, held->length);
    free(held);
}

void trail_reply(struct trail *trail, struct http_exchange *exchange,
                 const struct record_draft *draft, int http_code, const char *content_type,
                 const char *bytes, size_t length)
{
    struct held_reply *held =
        audit_is_available(trail->config.audit) ? malloc(sizeof *held + length) : NULL;
    if (!held) {
        refuse(trail, exchange, false);
        return;
    }
    *held = (struct held_reply){.trail = trail,
                                .since_ns = trail->config.now_ns(),
                                .http_code = http_code,
                                .content_type = content_type,
                                .length = length};
    if (length > 0) {
        memcpy(held->bytes, bytes, length);
    }
    const struct http_task task = {
        .context = held, .step = step, .abandon = abandon, .destroy = destroy};
    const struct http_handle handle = http_defer(exchange, &task);
    held->appended = audit_append(trail->config.audit, draft, handle.value, &held->position);
}
