/* auth_admin.c - the changes that `ward tenant` and `ward key` make. Each one: lock, reread, change
 * the private copy, save, reread. Two commands at once wait for each other; a server sees the new
 * file at its next refresh. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "auth/auth_private.h"
#include "auth/key_text.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"

struct change {
    struct auth *auth;
    int lock_fd;
    struct store *store; /* ours alone until it is saved */
};

static void end(struct change *change)
{
    store_destroy(change->store);
    if (change->lock_fd >= 0) {
        close(change->lock_fd); /* gives the lock back */
    }
    pthread_mutex_unlock(&change->auth->refresh_lock);
}

static enum status begin(struct auth *auth, struct change *change, struct failure *failure)
{
    char path[AUTH_PATH_BYTES];
    pthread_mutex_lock(&auth->refresh_lock);
    *change = (struct change){.auth = auth, .lock_fd = -1};
    enum status status = auth_private_path(auth->directory, "auth.lock", path, failure);
    if (status == STATUS_OK) {
        change->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (change->lock_fd < 0 || flock(change->lock_fd, LOCK_EX) != 0) {
            status = fail(failure, STATUS_IO, "%s: cannot be locked: %s", path, strerror(errno));
        }
    }
    if (status == STATUS_OK) {
        status = store_load(auth->store_path, &change->store, failure);
    }
    if (status != STATUS_OK) {
        end(change);
    }
    return status;
}

/* Saves when status is OK, and ends the change in any case. */
static enum status finish(struct change *change, enum status status, struct failure *failure)
{
    if (status == STATUS_OK) {
        status = store_save(change->store, change->auth->directory, AUTH_STORE_NAME, failure);
    }
    if (status == STATUS_OK) {
        status = auth_private_reload(change->auth, failure);
    }
    end(change);
    return status;
}

static enum status no_tenant(const char *name, struct failure *failure)
{
    return fail(failure, STATUS_NOT_FOUND, "tenant %s: there is none; see `ward tenant list`",
                name);
}

static enum status no_key(const char *key_id, struct failure *failure)
{
    /* What was given may be a whole key: never more than an id of it is shown. */
    return fail(failure, STATUS_NOT_FOUND,
                "key %.16s: there is none; give the id that `ward key list` shows", key_id);
}

/* ---- tenants --------------------------------------------------------------------------------- */

static enum status check_new(const struct store *store, const char *name, struct failure *failure)
{
    if (!store_is_name(name)) {
        return fail(failure, STATUS_INVALID,
                    "tenant name: must be 1 to %d of a-z 0-9 . _ -, the first a letter or digit",
                    AUTH_NAME_BYTES - 1);
    }
    if (store_find_tenant_named(store, name)) {
        return fail(failure, STATUS_INVALID, "tenant %s: is there already", name);
    }
    if (store->tenant_count == LIMIT_TENANTS || store->next_tenant_id > LIMIT_TENANTS) {
        return fail(failure, STATUS_FULL,
                    "tenants: %d were made, which is all that one state directory can hold; enable "
                    "one that is disabled, or begin a new state directory",
                    LIMIT_TENANTS);
    }
    return STATUS_OK;
}

enum status auth_tenant_check_new(struct auth *auth, const char *name, struct failure *failure)
{
    pthread_rwlock_rdlock(&auth->store_lock);
    const enum status status = check_new(auth->store, name, failure);
    pthread_rwlock_unlock(&auth->store_lock);
    return status;
}

static struct tenant_id add_tenant(struct store *store, const char *name,
                                   const struct auth_limits *limits)
{
    struct store_tenant *tenant = &store->tenants[store->tenant_count++];
    *tenant = (struct store_tenant){.id = {store->next_tenant_id++}, .limits = *limits};
    memcpy(tenant->name, name, strlen(name) + 1);
    return tenant->id;
}

enum status auth_tenant_add(struct auth *auth, const char *name, const struct auth_limits *limits,
                            struct tenant_id *out, struct failure *failure)
{
    struct change change;
    enum status status = begin(auth, &change, failure);
    if (status != STATUS_OK) {
        return status;
    }
    status = check_new(change.store, name, failure);
    if (status == STATUS_OK) {
        *out = add_tenant(change.store, name, limits);
    }
    return finish(&change, status, failure);
}

static void set_unless_unchanged(uint32_t *limit, uint32_t value)
{
    *limit = value == AUTH_UNCHANGED ? *limit : value;
}

enum status auth_tenant_set_limits(struct auth *auth, const char *name,
                                   const struct auth_limits *limits, struct failure *failure)
{
    struct change change;
    enum status status = begin(auth, &change, failure);
    if (status != STATUS_OK) {
        return status;
    }
    struct store_tenant *tenant = store_find_tenant_named(change.store, name);
    if (tenant) {
        set_unless_unchanged(&tenant->limits.requests_per_minute, limits->requests_per_minute);
        set_unless_unchanged(&tenant->limits.tokens_per_minute, limits->tokens_per_minute);
        set_unless_unchanged(&tenant->limits.streams_max, limits->streams_max);
        set_unless_unchanged(&tenant->limits.retention_days, limits->retention_days);
    }
    return finish(&change, tenant ? STATUS_OK : no_tenant(name, failure), failure);
}

enum status auth_tenant_set_disabled(struct auth *auth, const char *name, bool is_disabled,
                                     struct failure *failure)
{
    struct change change;
    enum status status = begin(auth, &change, failure);
    if (status != STATUS_OK) {
        return status;
    }
    struct store_tenant *tenant = store_find_tenant_named(change.store, name);
    if (tenant) {
        tenant->is_disabled = is_disabled;
    }
    return finish(&change, tenant ? STATUS_OK : no_tenant(name, failure), failure);
}

enum status auth_tenant_remove(struct auth *auth, const char *name, struct failure *failure)
{
    struct change change;
    enum status status = begin(auth, &change, failure);
    if (status != STATUS_OK) {
        return status;
    }
    const struct store_tenant *tenant = store_find_tenant_named(change.store, name);
    status = tenant ? STATUS_OK : no_tenant(name, failure);
    if (tenant) {
        store_remove_tenant(change.store, tenant->id);
    }
    return finish(&change, status, failure);
}

static void describe_tenant(const struct store *store, const struct store_tenant *tenant,
                            struct auth_tenant *out)
{
    *out = (struct auth_tenant){
        .id = tenant->id, .is_disabled = tenant->is_disabled, .limits = tenant->limits};
    memcpy(out->name, tenant->name, sizeof out->name);
    for (size_t i = 0; i < store->key_count; i++) {
        out->key_count += tenant_same(store->keys[i].tenant, tenant->id);
    }
}

size_t auth_tenant_list(struct auth *auth, struct auth_tenant *out, size_t max)
{
    pthread_rwlock_rdlock(&auth->store_lock);
    const struct store *store = auth->store;
    const size_t count = !out || store->tenant_count < max ? store->tenant_count : max;
    for (size_t i = 0; out && i < count; i++) {
        describe_tenant(store, &store->tenants[i], &out[i]);
    }
    pthread_rwlock_unlock(&auth->store_lock);
    return count;
}

enum status auth_tenant_find(struct auth *auth, const char *name, struct auth_tenant *out,
                             struct failure *failure)
{
    pthread_rwlock_rdlock(&auth->store_lock);
    const struct store_tenant *tenant = store_find_tenant_named(auth->store, name);
    if (tenant) {
        describe_tenant(auth->store, tenant, out);
    }
    pthread_rwlock_unlock(&auth->store_lock);
    return tenant ? STATUS_OK : no_tenant(name, failure);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void new_secret(const struct auth *auth, struct store_key *key,
                       char out[AUTH_KEY_TEXT_BYTES])
{
    key_text_new(key->environment, key->id, out);
    key->secrets[0] = (struct store_secret){.expires_unix_s = 0};
    auth_private_hmac(auth, out, strlen(out), key->secrets[0].hmac);
}

enum status auth_key_create(struct auth *auth, const char *tenant_name, const char *environment,
                            uint32_t scopes, char out[AUTH_KEY_TEXT_BYTES], struct failure *failure)
{
    if (!key_text_is_environment(environment)) {
        return fail(failure, STATUS_INVALID, "environment: must be live or test");
    }
    struct change change;
    enum status status = begin(auth, &change, failure);
    if (status != STATUS_OK) {
        return status;
    }
    const struct store_tenant *tenant = store_find_tenant_named(change.store, tenant_name);
    if (!tenant) {
        status = no_tenant(tenant_name, failure);
    } else if (change.store->key_count == STORE_KEYS_MAX) {
        status = fail(failure, STATUS_FULL, "keys: at most %d", STORE_KEYS_MAX);
    } else {
        struct store_key key = {.tenant = tenant->id,
                                .scopes = scopes,
                                .created_unix_s = clock_unix_ms() / 1000,
                                .secret_count = 1};
        memcpy(key.environment, environment, strlen(environment) + 1);
        key_text_new_id(key.id);
        new_secret(auth, &key, out);
        store_insert_key(change.store, &key);
    }
    return finish(&change, status, failure);
}

enum status auth_key_rotate(struct auth *auth, const char *key_id, uint32_t overlap_s,
                            char out[AUTH_KEY_TEXT_BYTES], struct failure *failure)
{
    struct change change;
    enum status status = begin(auth, &change, failure);
    if (status != STATUS_OK) {
        return status;
    }
    struct store_key *key = store_find_key(change.store, key_id);
    if (!key) {
        status = no_key(key_id, failure);
    } else if (key->revoked_unix_s != 0) {
        status = fail(failure, STATUS_INVALID, "key %s: is revoked; make a new one", key_id);
    } else {
        key->secrets[1] = key->secrets[0];
        key->secrets[1].expires_unix_s = clock_unix_ms() / 1000 + overlap_s;
        key->secret_count = 2;
        new_secret(auth, key, out);
    }
    return finish(&change, status, failure);
}

enum status auth_key_revoke(struct auth *auth, const char *key_id, struct failure *failure)
{
    struct change change;
    enum status status = begin(auth, &change, failure);
    if (status != STATUS_OK) {
        return status;
    }
    struct store_key *key = store_find_key(change.store, key_id);
    if (key && key->revoked_unix_s == 0) {
        key->revoked_unix_s = clock_unix_ms() / 1000;
    }
    return finish(&change, key ? STATUS_OK : no_key(key_id, failure), failure);
}

static void describe_key(const struct store *store, const struct store_key *key,
                         struct auth_key *out)
{
    const struct store_tenant *tenant = store_find_tenant(store, key->tenant);
    ASSERT(tenant != NULL);
    *out = (struct auth_key){
        .tenant = key->tenant,
        .scopes = key->scopes,
        .created_unix_s = key->created_unix_s,
        .revoked_unix_s = key->revoked_unix_s,
        .expires_unix_s = key->secret_count == 2 ? key->secrets[1].expires_unix_s : 0,
    };
    memcpy(out->id, key->id, sizeof key->id);
    memcpy(out->tenant_name, tenant->name, sizeof tenant->name);
}

enum status auth_key_find(struct auth *auth, const char *key_id, struct auth_key *out,
                          struct failure *failure)
{
    pthread_rwlock_rdlock(&auth->store_lock);
    const struct store_key *key = store_find_key(auth->store, key_id);
    if (key) {
        describe_key(auth->store, key, out);
    }
    pthread_rwlock_unlock(&auth->store_lock);
    return key ? STATUS_OK : no_key(key_id, failure);
}

size_t auth_key_list(struct auth *auth, const char *tenant_name, struct auth_key *out, size_t max)
{
    pthread_rwlock_rdlock(&auth->store_lock);
    const struct store *store = auth->store;
    size_t count = 0;
    for (size_t i = 0; i < store->key_count && count < max; i++) {
        describe_key(store, &store->keys[i], &out[count]);
        count += !tenant_name || strcmp(out[count].tenant_name, tenant_name) == 0;
    }
    pthread_rwlock_unlock(&auth->store_lock);
    return count;
}
