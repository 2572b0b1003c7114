#include "server/commands/support/administration.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/spool/inbox.h"

void administration_write_actor(char out[ADMINISTRATION_ACTOR_BYTES])
{
    enum { ENTRY_BYTES = 4096 };
    char bytes[ENTRY_BYTES];
    struct passwd entry, *found = NULL;
    const uid_t uid = getuid();
    if (getpwuid_r(uid, &entry, bytes, sizeof bytes, &found) == 0 && found) {
        snprintf(out, ADMINISTRATION_ACTOR_BYTES, "os:%s", found->pw_name);
    } else {
        snprintf(out, ADMINISTRATION_ACTOR_BYTES, "os:uid-%u", (unsigned)uid);
    }
}

/* ---- an act and its record ------------------------------------------------------------------- */

struct act {
    const struct state *state;
    struct record_draft draft;
    struct inbox_intent intent;
};

/* tenant NULL: a record of the server's own. More fields than these two come after. */
static void draft(struct act *act, const struct state *state, enum record_event event,
                  const struct auth_tenant *tenant)
{
    static const struct tenant_id nobody = {0};
    char actor[ADMINISTRATION_ACTOR_BYTES];
    *act = (struct act){.state = state};
    administration_write_actor(actor);
    record_draft_begin(&act->draft, event, tenant ? tenant->id : nobody,
                       tenant ? tenant->name : NULL);
    record_draft_text(&act->draft, RECORD_FIELD_actor, actor);
}

static enum status begin(struct act *act, struct failure *failure)
{
    const enum status status =
        inbox_begin(act->state->audit_directory, &act->draft, &act->intent, failure);
    if (status != STATUS_OK) {
        fail_prefix(failure, "this cannot be recorded");
    }
    return status;
}

/* subject: as for inbox_finish. Returns status. */
static enum status finish(struct act *act, enum status status, const char *subject)
{
    inbox_finish(act->state->audit_directory, &act->intent, status == STATUS_OK, subject);
    return status;
}

/* ---- tenants --------------------------------------------------------------------------------- */

enum { LIMIT_COUNT = 4 };

/* A limit that was set to 0, which lifts it, has a name of its own: counts of 0 are left out. */
static void record_limits(struct record_draft *draft, const struct auth_limits *limits,
                          bool says_lifted)
{
    const struct {
        const char *name, *lifted;
        uint32_t value;
    } rows[LIMIT_COUNT] = {
        {"requests_per_minute", "no_requests_per_minute", limits->requests_per_minute},
        {"tokens_per_minute", "no_tokens_per_minute", limits->tokens_per_minute},
        {"streams_max", "no_streams_max", limits->streams_max},
        {"retention_days", "no_retention_days", limits->retention_days},
    };
    struct record_count counts[LIMIT_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        if (rows[i].value != AUTH_UNCHANGED && (rows[i].value > 0 || says_lifted)) {
            counts[count++] = rows[i].value > 0 ? (struct record_count){rows[i].name, rows[i].value}
                                                : (struct record_count){rows[i].lifted, 1};
        }
    }
    record_draft_counts(draft, RECORD_FIELD_changes, counts, count);
}

enum status administration_add_tenant(const struct state *state, const char *name,
                                      const struct auth_limits *limits, struct failure *failure)
{
    struct act act;
    struct tenant_id id;
    enum status status = auth_tenant_check_new(state->auth, name, failure);
    if (status != STATUS_OK) {
        return status;
    }
    draft(&act, state, RECORD_EVENT_TENANT_ADDED, NULL);
    record_draft_text(&act.draft, RECORD_FIELD_subject, name);
    record_limits(&act.draft, limits, false);
    status = begin(&act, failure);
    return status != STATUS_OK
               ? status
               : finish(&act, auth_tenant_add(state->auth, name, limits, &id, failure), NULL);
}

static enum status draft_on_tenant(struct act *act, const struct state *state,
                                   enum record_event event, const char *name,
                                   struct failure *failure)
{
    struct auth_tenant tenant;
    const enum status status = auth_tenant_find(state->auth, name, &tenant, failure);
    if (status == STATUS_OK) {
        draft(act, state, event, &tenant);
        record_draft_text(&act->draft, RECORD_FIELD_subject, name);
    }
    return status;
}

enum status administration_set_limits(const struct state *state, const char *name,
                                      const struct auth_limits *limits, struct failure *failure)
{
    struct act act;
    enum status status = draft_on_tenant(&act, state, RECORD_EVENT_TENANT_CHANGED, name, failure);
    if (status == STATUS_OK) {
        record_limits(&act.draft, limits, true);
        status = begin(&act, failure);
    }
    return status != STATUS_OK
               ? status
               : finish(&act, auth_tenant_set_limits(state->auth, name, limits, failure), NULL);
}

enum status administration_set_disabled(const struct state *state, const char *name,
                                        bool is_disabled, struct failure *failure)
{
    struct act act;
    const enum record_event event =
        is_disabled ? RECORD_EVENT_TENANT_DISABLED : RECORD_EVENT_TENANT_ENABLED;
    enum status status = draft_on_tenant(&act, state, event, name, failure);
    if (status == STATUS_OK) {
        status = begin(&act, failure);
    }
    return status != STATUS_OK
               ? status
               : finish(&act, auth_tenant_set_disabled(state->auth, name, is_disabled, failure),
                        NULL);
}

enum status administration_remove_tenant(const struct state *state, const char *name,
                                         struct failure *failure)
{
    struct act act;
    enum status status = draft_on_tenant(&act, state, RECORD_EVENT_TENANT_REMOVED, name, failure);
    if (status == STATUS_OK) {
        status = begin(&act, failure);
    }
    return status != STATUS_OK ? status
                               : finish(&act, auth_tenant_remove(state->auth, name, failure), NULL);
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* ward_<env>_<keyid>_<secret> */
static void copy_id(const char *key, const char *environment, char out[AUTH_KEY_ID_BYTES])
{
    snprintf(out, AUTH_KEY_ID_BYTES, "%s", key + strlen("ward_") + strlen(environment) + 1);
}

enum status administration_create_key(const struct state *state,
                                      const struct administration_new_key *wanted,
                                      char out[AUTH_KEY_TEXT_BYTES], struct failure *failure)
{
    struct act act;
    struct auth_tenant tenant;
    char scopes[AUTH_SCOPES_BYTES], id[AUTH_KEY_ID_BYTES];
    enum status status = auth_tenant_find(state->auth, wanted->tenant_name, &tenant, failure);
    if (status != STATUS_OK) {
        return status;
    }
    draft(&act, state, RECORD_EVENT_KEY_CREATED, &tenant);
    record_draft_text(&act.draft, RECORD_FIELD_scopes, auth_scopes_write(wanted->scopes, scopes));
    status = begin(&act, failure);
    if (status != STATUS_OK) {
        return status;
    }
    status = auth_key_create(state->auth, wanted->tenant_name, wanted->environment, wanted->scopes,
                             out, failure);
    if (status != STATUS_OK) {
        return finish(&act, status, NULL);
    }
    copy_id(out, wanted->environment, id);
    return finish(&act, status, id);
}

static enum status draft_on_key(struct act *act, const struct state *state, enum record_event event,
                                const char *key_id, struct failure *failure)
{
    struct auth_key key;
    struct auth_tenant tenant;
    enum status status = auth_key_find(state->auth, key_id, &key, failure);
    if (status == STATUS_OK) {
        status = auth_tenant_find(state->auth, key.tenant_name, &tenant, failure);
    }
    if (status == STATUS_OK) {
        draft(act, state, event, &tenant);
        record_draft_text(&act->draft, RECORD_FIELD_subject, key.id);
    }
    return status;
}

enum status administration_rotate_key(const struct state *state, const char *key_id,
                                      uint32_t overlap_s, char out[AUTH_KEY_TEXT_BYTES],
                                      struct failure *failure)
{
    struct act act;
    enum status status = draft_on_key(&act, state, RECORD_EVENT_KEY_ROTATED, key_id, failure);
    if (status == STATUS_OK) {
        const struct record_count change = {"overlap_s", overlap_s};
        record_draft_counts(&act.draft, RECORD_FIELD_changes, &change, 1);
        status = begin(&act, failure);
    }
    return status != STATUS_OK
               ? status
               : finish(&act, auth_key_rotate(state->auth, key_id, overlap_s, out, failure), NULL);
}

enum status administration_revoke_key(const struct state *state, const char *key_id,
                                      struct failure *failure)
{
    struct act act;
    enum status status = draft_on_key(&act, state, RECORD_EVENT_KEY_REVOKED, key_id, failure);
    if (status == STATUS_OK) {
        status = begin(&act, failure);
    }
    return status != STATUS_OK ? status
                               : finish(&act, auth_key_revoke(state->auth, key_id, failure), NULL);
}
