/* Method: each act on a fresh state directory, then the one record that it left in the inbox is
 * parsed; then the same acts where no record can be written: nothing may change. */
#include "server/commands/support/administration.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/check.h"

static struct state state;
static struct failure failure;
static char key[AUTH_KEY_TEXT_BYTES], key_id[AUTH_KEY_ID_BYTES];

static void begin(void)
{
    static char directory[64];
    memcpy(directory, "/tmp/ward-state-XXXXXX", 23);
    CHECK(mkdtemp(directory), "mkdtemp");
    state_given = directory;
    CHECK(state_open(&state, &failure) == STATUS_OK, "%s", failure.text);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

static void end(void)
{
    state_close(&state);
    nftw(state_given, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- the acts -------------------------------------------------------------------------------- */

static enum status add(void)
{
    const struct auth_limits limits = {.requests_per_minute = 5, .retention_days = 30};
    return administration_add_tenant(&state, "clinic", &limits, &failure);
}

static enum status set(void)
{
    const struct auth_limits limits = {0, AUTH_UNCHANGED, 7, AUTH_UNCHANGED};
    return administration_set_limits(&state, "clinic", &limits, &failure);
}

static enum status disable(void)
{
    return administration_set_disabled(&state, "clinic", true, &failure);
}

static enum status enable(void)
{
    return administration_set_disabled(&state, "clinic", false, &failure);
}

static enum status create_key(void)
{
    const struct administration_new_key wanted = {"clinic", "live",
                                                  AUTH_SCOPE_INFER | AUTH_SCOPE_AUDIT_READ};
    const enum status status = administration_create_key(&state, &wanted, key, &failure);
    if (status == STATUS_OK) {
        memcpy(key_id, key + strlen("ward_live_"), sizeof key_id - 1);
    }
    return status;
}

static enum status rotate_key(void)
{
    return administration_rotate_key(&state, key_id, 60, key, &failure);
}

static enum status revoke_key(void)
{
    return administration_revoke_key(&state, key_id, &failure);
}

static enum status remove_tenant(void)
{
    return administration_remove_tenant(&state, "clinic", &failure);
}

static const struct {
    enum status (*run)(void);
    enum record_event event;
    uint32_t tenant;
    const char *subject; /* NULL: the key's id */
    const char *changes, *scopes;
} acts[] = {
    {add, RECORD_EVENT_TENANT_ADDED, 0, "clinic", "retention_days=30 requests_per_minute=5 ", ""},
    {set, RECORD_EVENT_TENANT_CHANGED, 1, "clinic", "streams_max=7 no_requests_per_minute=1 ", ""},
    {disable, RECORD_EVENT_TENANT_DISABLED, 1, "clinic", "", ""},
    {enable, RECORD_EVENT_TENANT_ENABLED, 1, "clinic", "", ""},
    {create_key, RECORD_EVENT_KEY_CREATED, 1, NULL, "", "infer,audit:read"},
    {rotate_key, RECORD_EVENT_KEY_ROTATED, 1, NULL, "overlap_s=60 ", ""},
    {revoke_key, RECORD_EVENT_KEY_REVOKED, 1, NULL, "", ""},
    {remove_tenant, RECORD_EVENT_TENANT_REMOVED, 1, "clinic", "", ""},
};
enum { ACT_COUNT = sizeof acts / sizeof acts[0] };

/* ---- the inbox ------------------------------------------------------------------------------- */

/* Reads the one record that lies there, removes it. */
static bool take_record(struct buffer *body, struct record *out)
{
    char inbox[STATE_DIRECTORY_BYTES + 16], path[2 * STATE_DIRECTORY_BYTES];
    int count = 0;
    snprintf(inbox, sizeof inbox, "%s/inbox", state.audit_directory);
    DIR *directory = opendir(inbox);
    CHECK(directory, "no %s", inbox);
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", inbox, entry->d_name);
            buffer_clear(body);
            CHECK(buffer_read_file(body, path) == STATUS_OK, "%s", path);
            unlink(path);
            count++;
        }
    }
    closedir(directory);
    CHECK(count == 1, "%d files in the inbox", count);
    return record_parse((const uint8_t *)body->bytes, body->length, out) == STATUS_OK;
}

static void check_act(size_t i)
{
    struct buffer body = {.limit_bytes = RECORD_BODY_BYTES_MAX};
    struct record record;
    char text[128], changes[256] = "", actor[ADMINISTRATION_ACTOR_BYTES], name[32];
    const enum status status = acts[i].run();
    CHECK(status == STATUS_OK, "act %zu: %s", i, failure.text);
    CHECK(take_record(&body, &record), "act %zu: no record", i);
    CHECK(record.event == acts[i].event && record.tenant.value == acts[i].tenant, "act %zu", i);
    administration_write_actor(actor);
    CHECK(strcmp(record_text(&record, RECORD_FIELD_actor, text, sizeof text), actor) == 0, "%s",
          text);
    CHECK(strncmp(actor, "os:", 3) == 0 && actor[3] != '\0', "actor %s", actor);
    const char *subject = acts[i].subject ? acts[i].subject : key_id;
    CHECK(strcmp(record_text(&record, RECORD_FIELD_subject, text, sizeof text), subject) == 0,
          "act %zu: subject %s", i, text);
    CHECK(strcmp(record_text(&record, RECORD_FIELD_outcome, text, sizeof text), "done") == 0, "%s",
          text);
    CHECK(strcmp(record_text(&record, RECORD_FIELD_scopes, text, sizeof text), acts[i].scopes) == 0,
          "act %zu: scopes %s", i, text);
    uint64_t count = 0;
    for (size_t at = 0;
         record_count_at(&record.fields[RECORD_FIELD_changes], at, name, sizeof name, &count);
         at++) {
        const size_t length = strlen(changes);
        snprintf(changes + length, sizeof changes - length, "%s=%lu ", name, count);
    }
    CHECK(strcmp(changes, acts[i].changes) == 0, "act %zu: changes %s", i, changes);
    CHECK(!memmem(body.bytes, body.length, key + 28, 16), "the key's secret is in the record");
    buffer_destroy(&body);
}

static void every_act_leaves_its_record(void)
{
    begin();
    memset(key, 'x', sizeof key - 1);
    for (size_t i = 0; i < ACT_COUNT; i++) {
        check_act(i);
    }
    end();
}

static void what_cannot_be_recorded_is_not_done(void)
{
    struct buffer before = {.limit_bytes = 1 << 20}, after = {.limit_bytes = 1 << 20};
    char path[STATE_DIRECTORY_BYTES + 16], inbox[STATE_DIRECTORY_BYTES + 16];
    begin();
    CHECK(add() == STATUS_OK && create_key() == STATUS_OK, "%s", failure.text);
    snprintf(path, sizeof path, "%s/tenants.json", state.directory);
    CHECK(buffer_read_file(&before, path) == STATUS_OK, "%s", path);
    snprintf(inbox, sizeof inbox, "%s/inbox", state.audit_directory);
    nftw(inbox, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    FILE *file = fopen(inbox, "we"); /* a file where the folder must be: not even root writes */
    CHECK(file && fclose(file) == 0, "%s", inbox);
    for (size_t i = 1; i < ACT_COUNT; i++) {
        failure.text[0] = '\0';
        CHECK(acts[i].run() != STATUS_OK, "act %zu was done", i);
        CHECK(strstr(failure.text, "recorded") && strstr(failure.text, "inbox"), "%s",
              failure.text);
    }
    const struct auth_limits limits = {0};
    CHECK(administration_add_tenant(&state, "other", &limits, &failure) != STATUS_OK, "added");
    CHECK(buffer_read_file(&after, path) == STATUS_OK, "%s", path);
    CHECK(before.length == after.length && memcmp(before.bytes, after.bytes, after.length) == 0,
          "tenants.json changed");
    buffer_destroy(&before);
    buffer_destroy(&after);
    end();
}

static void what_is_unknown_is_refused_before_it_is_recorded(void)
{
    char inbox[STATE_DIRECTORY_BYTES + 16];
    begin();
    snprintf(key_id, sizeof key_id, "0123456789abcdef");
    for (size_t i = 1; i < ACT_COUNT; i++) {
        CHECK(acts[i].run() == STATUS_NOT_FOUND, "act %zu", i);
    }
    const struct auth_limits limits = {0};
    CHECK(administration_add_tenant(&state, "No name", &limits, &failure) == STATUS_INVALID,
          "name");
    snprintf(inbox, sizeof inbox, "%s/inbox", state.audit_directory);
    CHECK(access(inbox, F_OK) != 0, "something was recorded");
    end();
}

CHECK_MAIN(every_act_leaves_its_record, what_cannot_be_recorded_is_not_done,
           what_is_unknown_is_refused_before_it_is_recorded)
