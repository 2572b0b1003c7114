/* Method: a store in a fresh folder; every way to be wrong must be refused, and a second `struct
 * auth` on the same folder (the running server) must see each change at its next refresh. */
#include "auth/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "tests/check.h"

static char directory[64];
static struct failure failure;

static struct auth *open_auth(void)
{
    struct auth *auth = NULL;
    const enum status status = auth_open(directory, &auth, &failure);
    CHECK(status == STATUS_OK, "open: %s", failure.text);
    return auth;
}

static void new_directory(void)
{
    memcpy(directory, "/tmp/ward-auth-XXXXXX", 22);
    CHECK(mkdtemp(directory) != NULL, "mkdtemp");
}

static void remove_directory(void)
{
    static const char *const names[] = {"tenants.json", "tenants.json.new", "pepper", "auth.lock"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    CHECK(rmdir(directory) == 0, "nothing else is left in %s", directory);
}

static void add_tenant(struct auth *auth, const char *name)
{
    struct tenant_id id;
    const struct auth_limits limits = {0};
    CHECK(auth_tenant_add(auth, name, &limits, &id, &failure) == STATUS_OK, "%s", failure.text);
}

static void make_key(struct auth *auth, const char *tenant, char out[AUTH_KEY_TEXT_BYTES])
{
    CHECK(auth_key_create(auth, tenant, "live", AUTH_SCOPE_INFER, out, &failure) == STATUS_OK, "%s",
          failure.text);
}

static bool is_accepted(struct auth *auth, const char *key)
{
    struct auth_identity identity;
    return auth_check(auth, key, strlen(key), &identity) == STATUS_OK;
}

static void every_damage_to_a_key_is_refused(void)
{
    new_directory();
    struct auth *auth = open_auth();
    add_tenant(auth, "clinic-a");
    char key[AUTH_KEY_TEXT_BYTES];
    make_key(auth, "clinic-a", key);
    CHECK(is_accepted(auth, key), "the key itself");
    for (size_t i = 0; i < strlen(key); i++) {
        char damaged[AUTH_KEY_TEXT_BYTES];
        memcpy(damaged, key, sizeof damaged);
        damaged[i] = damaged[i] == '0' ? '1' : '0';
        CHECK(!is_accepted(auth, damaged), "byte %zu changed", i);
        damaged[i] = '\0';
        CHECK(!is_accepted(auth, damaged), "cut at %zu", i);
    }
    static const char *const wrong[] = {"",         "ward_",       "ward_live_0_0",
                                        "Bearer x", "ward_live__", "\xff\xfe"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(!is_accepted(auth, wrong[i]), "%s", wrong[i]);
    }
    char longer[2 * AUTH_KEY_TEXT_BYTES];
    snprintf(longer, sizeof longer, "%s0", key);
    CHECK(!is_accepted(auth, longer), "one byte longer");
    memset(longer, 'a', sizeof longer);
    struct auth_identity identity;
    CHECK(auth_check(auth, longer, sizeof longer, &identity) == STATUS_UNAUTHENTICATED, "long");
    auth_close(auth);
    remove_directory();
}

static void identity_says_who(void)
{
    new_directory();
    struct auth *auth = open_auth();
    add_tenant(auth, "clinic-a");
    add_tenant(auth, "clinic-b");
    char a[AUTH_KEY_TEXT_BYTES], b[AUTH_KEY_TEXT_BYTES];
    make_key(auth, "clinic-a", a);
    CHECK(
        auth_key_create(auth, "clinic-b", "test", AUTH_SCOPE_INFER | AUTH_SCOPE_ADMIN, b, &failure)
            == STATUS_OK,
        "%s", failure.text);
    struct auth_identity identity;
    CHECK(auth_check(auth, a, strlen(a), &identity) == STATUS_OK, "a");
    CHECK(strcmp(identity.tenant_name, "clinic-a") == 0 && identity.tenant.value == 1, "tenant a");
    CHECK(identity.scopes == AUTH_SCOPE_INFER, "scopes of a");
    CHECK(auth_check(auth, b, strlen(b), &identity) == STATUS_OK, "b");
    CHECK(strcmp(identity.tenant_name, "clinic-b") == 0 && identity.tenant.value == 2, "tenant b");
    CHECK(identity.scopes == (AUTH_SCOPE_INFER | AUTH_SCOPE_ADMIN), "scopes of b");
    CHECK(strncmp(b, "ward_test_", 10) == 0, "environment is in the key");
    CHECK(strncmp(b + 10, identity.key_id, strlen(identity.key_id)) == 0, "id is in the key");
    auth_close(auth);
    remove_directory();
}

/* For the audit log: which key was tried, and nothing about whose it is. */
static void a_key_that_fails_is_told_by_its_id_alone(void)
{
    static const struct auth_identity stranger = {.scopes = 7, .key_id = "x", .tenant_name = "x"};
    new_directory();
    struct auth *auth = open_auth();
    add_tenant(auth, "clinic");
    char key[AUTH_KEY_TEXT_BYTES];
    make_key(auth, "clinic", key);
    struct auth_identity good, identity = stranger;
    CHECK(auth_check(auth, key, strlen(key), &good) == STATUS_OK, "good");
    char wrong[AUTH_KEY_TEXT_BYTES];
    memcpy(wrong, key, sizeof wrong);
    wrong[strlen(key) - 1] = key[strlen(key) - 1] == '0' ? '1' : '0';
    CHECK(auth_check(auth, wrong, strlen(key), &identity) == STATUS_UNAUTHENTICATED, "secret");
    CHECK(strcmp(identity.key_id, good.key_id) == 0, "its id");
    CHECK(identity.scopes == 0 && identity.tenant.value == 0 && identity.tenant_name[0] == '\0',
          "no more of it");
    wrong[strlen("ward_live_")] = key[strlen("ward_live_")] == '0' ? '1' : '0';
    CHECK(auth_check(auth, wrong, strlen(key), &identity) == STATUS_UNAUTHENTICATED, "unknown");
    CHECK(identity.key_id[0] == '\0', "no id that a client made up");
    CHECK(auth_key_revoke(auth, good.key_id, &failure) == STATUS_OK, "%s", failure.text);
    identity = stranger;
    CHECK(auth_check(auth, key, strlen(key), &identity) == STATUS_UNAUTHENTICATED, "revoked");
    CHECK(strcmp(identity.key_id, good.key_id) == 0 && identity.tenant.value == 0, "its id");
    auth_close(auth);
    remove_directory();
}

static void a_server_sees_changes_at_its_next_refresh(void)
{
    new_directory();
    struct auth *server = open_auth();
    struct auth *tool = open_auth();
    add_tenant(tool, "clinic");
    char key[AUTH_KEY_TEXT_BYTES];
    make_key(tool, "clinic", key);
    CHECK(!is_accepted(server, key), "not seen before the refresh");
    CHECK(auth_refresh(server, &failure) == STATUS_OK, "%s", failure.text);
    struct auth_identity identity;
    CHECK(auth_check(server, key, strlen(key), &identity) == STATUS_OK, "seen after it");
    CHECK(auth_is_live(server, &identity), "live");

    CHECK(auth_tenant_set_disabled(tool, "clinic", true, &failure) == STATUS_OK, "disable");
    CHECK(auth_refresh(server, &failure) == STATUS_OK, "refresh");
    CHECK(!is_accepted(server, key) && !auth_is_live(server, &identity), "disabled");
    CHECK(auth_tenant_set_disabled(tool, "clinic", false, &failure) == STATUS_OK, "enable");
    CHECK(auth_refresh(server, &failure) == STATUS_OK, "refresh");
    CHECK(is_accepted(server, key) && auth_is_live(server, &identity), "enabled again");

    CHECK(auth_key_revoke(tool, identity.key_id, &failure) == STATUS_OK, "revoke");
    CHECK(auth_refresh(server, &failure) == STATUS_OK, "refresh");
    CHECK(!is_accepted(server, key) && !auth_is_live(server, &identity), "revoked");

    make_key(tool, "clinic", key);
    CHECK(auth_refresh(server, &failure) == STATUS_OK, "refresh");
    CHECK(auth_check(server, key, strlen(key), &identity) == STATUS_OK, "another key");
    CHECK(auth_tenant_remove(tool, "clinic", &failure) == STATUS_OK, "remove");
    add_tenant(tool, "clinic");
    CHECK(auth_refresh(server, &failure) == STATUS_OK, "refresh");
    CHECK(!is_accepted(server, key) && !auth_is_live(server, &identity), "removed");
    struct auth_tenant tenant;
    CHECK(auth_tenant_list(server, &tenant, 1) == 1 && tenant.id.value == 2
              && tenant.key_count == 0,
          "a name may come back, an id may not");
    auth_close(server);
    auth_close(tool);
    remove_directory();
}

static void rotation_keeps_two_secrets_for_the_overlap(void)
{
    new_directory();
    struct auth *auth = open_auth();
    add_tenant(auth, "clinic");
    char first[AUTH_KEY_TEXT_BYTES], second[AUTH_KEY_TEXT_BYTES], third[AUTH_KEY_TEXT_BYTES];
    make_key(auth, "clinic", first);
    struct auth_identity identity;
    CHECK(auth_check(auth, first, strlen(first), &identity) == STATUS_OK, "first");
    const char *id = identity.key_id;
    CHECK(auth_key_rotate(auth, id, 60, second, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(is_accepted(auth, first) && is_accepted(auth, second), "both live");
    CHECK(auth_key_rotate(auth, id, 0, third, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(!is_accepted(auth, first) && !is_accepted(auth, second) && is_accepted(auth, third),
          "no overlap: only the newest");
    CHECK(auth_is_live(auth, &identity), "streams of the key go on");
    CHECK(auth_key_revoke(auth, id, &failure) == STATUS_OK, "revoke");
    CHECK(!is_accepted(auth, third), "revoked");
    CHECK(auth_key_rotate(auth, id, 0, third, &failure) == STATUS_INVALID, "not rotated again");
    auth_close(auth);
    remove_directory();
}

static void nothing_on_disk_is_a_secret(void)
{
    new_directory();
    struct auth *auth = open_auth();
    add_tenant(auth, "clinic");
    char key[AUTH_KEY_TEXT_BYTES], path[128];
    make_key(auth, "clinic", key);
    snprintf(path, sizeof path, "%s/tenants.json", directory);
    struct buffer text = {.limit_bytes = 1 << 20};
    CHECK(buffer_read_file(&text, path) == STATUS_OK, "read");
    CHECK(strstr(text.bytes, strrchr(key, '_') + 1) == NULL, "the secret is not in the file");
    struct stat info;
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600, "tenants.json is private");
    snprintf(path, sizeof path, "%s/pepper", directory);
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600, "pepper is private");
    unlink(path);
    struct auth *other = open_auth();
    CHECK(!is_accepted(other, key), "useless without its pepper");
    buffer_destroy(&text);
    auth_close(other);
    auth_close(auth);
    remove_directory();
}

static void names_and_ids_are_checked(void)
{
    static const char *const names[] = {"",
                                        "A",
                                        "-a",
                                        "a b",
                                        "a/b",
                                        "a\n",
                                        "clinic",
                                        "0123456789012345678901234567890123456789"
                                        "012345678901234567890123"};
    new_directory();
    struct auth *auth = open_auth();
    add_tenant(auth, "clinic");
    const struct auth_limits limits = {0};
    struct tenant_id id;
    char key[AUTH_KEY_TEXT_BYTES];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(auth_tenant_add(auth, names[i], &limits, &id, &failure) == STATUS_INVALID, "%s",
              names[i]);
    }
    CHECK(auth_key_create(auth, "nobody", "live", 1, key, &failure) == STATUS_NOT_FOUND, "tenant");
    CHECK(auth_key_create(auth, "clinic", "prod", 1, key, &failure) == STATUS_INVALID, "env");
    CHECK(auth_key_revoke(auth, "0", &failure) == STATUS_NOT_FOUND, "key");
    CHECK(auth_key_rotate(auth, "01234567890123456", 0, key, &failure) == STATUS_NOT_FOUND, "key");
    CHECK(auth_tenant_remove(auth, "nobody", &failure) == STATUS_NOT_FOUND, "tenant");
    CHECK(auth_tenant_set_disabled(auth, "nobody", true, &failure) == STATUS_NOT_FOUND, "tenant");
    auth_close(auth);
    remove_directory();
}

/* Each bad file: the failure names the file, the old state goes on, and a good file heals it. */
static void limits_are_changed_one_by_one(void)
{
    new_directory();
    struct auth *auth = open_auth();
    const struct auth_limits made = {10, 20, 30, 40};
    struct auth_limits change = {AUTH_UNCHANGED, 21, AUTH_UNCHANGED, AUTH_UNCHANGED};
    struct auth_tenant found;
    struct tenant_id id;
    CHECK(auth_tenant_add(auth, "clinic", &made, &id, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(auth_tenant_set_limits(auth, "clinic", &change, &failure) == STATUS_OK, "%s",
          failure.text);
    change = (struct auth_limits){AUTH_UNCHANGED, AUTH_UNCHANGED, 0, 41};
    CHECK(auth_tenant_set_limits(auth, "clinic", &change, &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(auth_tenant_set_limits(auth, "other", &change, &failure) == STATUS_NOT_FOUND, "other");
    auth_close(auth);
    auth = open_auth(); /* from the file */
    CHECK(auth_tenant_find(auth, "clinic", &found, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(found.limits.requests_per_minute == 10 && found.limits.tokens_per_minute == 21
              && found.limits.streams_max == 0 && found.limits.retention_days == 41,
          "%u %u %u %u", found.limits.requests_per_minute, found.limits.tokens_per_minute,
          found.limits.streams_max, found.limits.retention_days);
    auth_close(auth);
    remove_directory();
}

static void tenants_and_keys_are_found(void)
{
    new_directory();
    struct auth *auth = open_auth();
    struct auth_tenant tenant;
    struct auth_key key;
    char text[AUTH_KEY_TEXT_BYTES], id[AUTH_KEY_ID_BYTES] = "";
    add_tenant(auth, "clinic-a");
    add_tenant(auth, "clinic-b");
    make_key(auth, "clinic-b", text);
    memcpy(id, text + strlen("ward_live_"), sizeof id - 1);
    CHECK(auth_tenant_check_new(auth, "clinic-c", &failure) == STATUS_OK, "%s", failure.text);
    CHECK(auth_tenant_check_new(auth, "clinic-b", &failure) == STATUS_INVALID, "is there");
    CHECK(auth_tenant_check_new(auth, "Clinic", &failure) == STATUS_INVALID, "no name");
    CHECK(auth_tenant_find(auth, "clinic-b", &tenant, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(tenant.id.value == 2 && tenant.key_count == 1, "tenant");
    CHECK(auth_tenant_find(auth, "clinic-c", &tenant, &failure) == STATUS_NOT_FOUND, "none");
    CHECK(auth_key_find(auth, id, &key, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(key.tenant.value == 2 && strcmp(key.tenant_name, "clinic-b") == 0, "key's tenant");
    CHECK(auth_key_find(auth, text, &key, &failure) == STATUS_NOT_FOUND, "a whole key");
    CHECK(!strstr(failure.text, text + 28), "the secret is not told: %s", failure.text);
    auth_close(auth);
    remove_directory();
}

static void scopes_have_names(void)
{
    static const struct {
        const char *text;
        uint32_t set; /* 0: refused */
        const char *written;
    } rows[] = {
        {"infer", AUTH_SCOPE_INFER, "infer"},
        {"audit:read,infer", AUTH_SCOPE_INFER | AUTH_SCOPE_AUDIT_READ, "infer,audit:read"},
        {"admin,audit:read,infer", AUTH_SCOPE_INFER | AUTH_SCOPE_ADMIN | AUTH_SCOPE_AUDIT_READ,
         "infer,admin,audit:read"},
        {"admin,admin", AUTH_SCOPE_ADMIN, "admin"},
        {"", 0, ""},
        {"infer,", 0, ""},
        {",infer", 0, ""},
        {"infer admin", 0, ""},
        {"audit", 0, ""},
        {"Infer", 0, ""},
    };
    char text[AUTH_SCOPES_BYTES], key[AUTH_KEY_TEXT_BYTES];
    new_directory();
    struct auth *auth = open_auth();
    add_tenant(auth, "clinic");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t set = 0;
        CHECK(auth_scopes_read(rows[i].text, &set) == (rows[i].set != 0), "%s", rows[i].text);
        if (rows[i].set == 0) {
            continue;
        }
        CHECK(set == rows[i].set, "%s: %u", rows[i].text, set);
        CHECK(strcmp(auth_scopes_write(set, text), rows[i].written) == 0, "%s", text);
        struct auth_identity identity;
        CHECK(auth_key_create(auth, "clinic", "live", set, key, &failure) == STATUS_OK, "%s",
              failure.text);
        struct auth *again = open_auth(); /* reads what was written */
        CHECK(auth_check(again, key, strlen(key), &identity) == STATUS_OK, "%s", rows[i].text);
        CHECK(identity.scopes == set, "%s: %u from the file", rows[i].text, identity.scopes);
        auth_close(again);
    }
    auth_close(auth);
    remove_directory();
}

static void a_file_without_retention_loads(void)
{
    static const char old[] =
        "{\"version\":1,\"next_tenant_id\":2,\"tenants\":[{\"id\":1,\"name\":\"a\",\"disabled\":"
        "false,\"limits\":{\"requests_per_minute\":7,\"tokens_per_minute\":0,\"streams_max\":0}}],"
        "\"keys\":[]}";
    char path[128];
    struct auth_tenant tenant;
    new_directory();
    snprintf(path, sizeof path, "%s/tenants.json", directory);
    FILE *file = fopen(path, "we");
    fputs(old, file);
    fclose(file);
    struct auth *auth = open_auth();
    CHECK(auth_tenant_find(auth, "a", &tenant, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(tenant.limits.requests_per_minute == 7 && tenant.limits.retention_days == 0, "limits");
    auth_close(auth);
    remove_directory();
}

static void a_bad_file_changes_nothing(void)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{\"version\":2}",
        "{\"version\":1,\"next_tenant_id\":2,\"tenants\":{},\"keys\":[]}",
        "{\"version\":1,\"next_tenant_id\":2,\"tenants\":[{}],\"keys\":[]}",
        "{\"version\":1,\"next_tenant_id\":2,\"tenants\":[],\"keys\":[{}]}",
        "{\"version\":1,\"next_tenant_id\":1,\"tenants\":[{\"id\":1,\"name\":\"a\",\"disabled\":"
        "false,\"limits\":{\"requests_per_minute\":0,\"tokens_per_minute\":0,\"streams_max\":0}}],"
        "\"keys\":[]}",
        "{\"version\":1,\"next_tenant_id\":9,\"tenants\":[{\"id\":1,\"name\":\"a\\u0000\","
        "\"disabled\":false,\"limits\":{\"requests_per_minute\":0,\"tokens_per_minute\":0,"
        "\"streams_max\":0}}],\"keys\":[]}",
        "{\"version\":1,\"next_tenant_id\":9,\"tenants\":[{\"id\":1,\"name\":\"a\",\"disabled\":"
        "false,\"limits\":{\"requests_per_minute\":-1,\"tokens_per_minute\":0,\"streams_max\":0}}],"
        "\"keys\":[]}",
    };
    new_directory();
    struct auth *auth = open_auth();
    add_tenant(auth, "clinic");
    char key[AUTH_KEY_TEXT_BYTES], path[128], kept[128];
    make_key(auth, "clinic", key);
    snprintf(path, sizeof path, "%s/tenants.json", directory);
    snprintf(kept, sizeof kept, "%s/tenants.json.new", directory);
    CHECK(rename(path, kept) == 0, "keep the good file");
    CHECK(auth_refresh(auth, &failure) != STATUS_OK, "missing");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FILE *file = fopen(path, "we");
        fputs(bad[i], file);
        fclose(file);
        failure.text[0] = '\0';
        CHECK(auth_refresh(auth, &failure) == STATUS_INVALID, "case %zu", i);
        CHECK(strstr(failure.text, path) != NULL, "case %zu: %s", i, failure.text);
        CHECK(is_accepted(auth, key), "case %zu: the last good state stays", i);
        struct auth *fresh = NULL;
        CHECK(auth_open(directory, &fresh, &failure) == STATUS_INVALID, "case %zu: open", i);
    }
    CHECK(rename(kept, path) == 0, "the good file again");
    CHECK(auth_refresh(auth, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(is_accepted(auth, key), "healed");
    auth_close(auth);
    remove_directory();
}

CHECK_MAIN(every_damage_to_a_key_is_refused, a_key_that_fails_is_told_by_its_id_alone,
           identity_says_who, a_server_sees_changes_at_its_next_refresh,
           rotation_keeps_two_secrets_for_the_overlap, nothing_on_disk_is_a_secret,
           names_and_ids_are_checked, limits_are_changed_one_by_one, tenants_and_keys_are_found,
           scopes_have_names, a_file_without_retention_loads, a_bad_file_changes_nothing)
