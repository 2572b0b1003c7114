#include "auth/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "auth/auth_private.h"
#include "auth/key_text.h"
#include "base/assert.h"
#include "base/clock.h"

_Static_assert(AUTH_PEPPER_BYTES == crypto_auth_hmacsha256_KEYBYTES, "the pepper is the MAC's key");
_Static_assert(STORE_HMAC_BYTES == crypto_auth_hmacsha256_BYTES, "a whole MAC is stored");

enum status auth_private_path(const char *directory, const char *name, char out[AUTH_PATH_BYTES],
                              struct failure *failure)
{
    const int length = snprintf(out, AUTH_PATH_BYTES, "%s/%s", directory, name);
    return length > 0 && length < AUTH_PATH_BYTES
               ? STATUS_OK
               : fail(failure, STATUS_INVALID, "%.80s...: the path is too long", directory);
}

/* ---- open and close -------------------------------------------------------------------------- */

/* With its parents, as the XDG default may lack all of them. */
static enum status make_directory(const char *path, struct failure *failure)
{
    char part[AUTH_PATH_BYTES];
    const size_t length = strlen(path);
    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] == '/' || path[i] == '\0') {
            part[i] = '\0';
            if (mkdir(part, 0700) != 0 && errno != EEXIST) {
                return fail(failure, STATUS_IO, "state directory %s: cannot be made: %s", path,
                            strerror(errno));
            }
            part[i] = path[i];
        }
    }
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return fail(failure, STATUS_IO, "state directory %s: is not a directory", path);
    }
    return STATUS_OK;
}

static enum status read_pepper(struct auth *auth, const char *path, struct failure *failure)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT
                   ? STATUS_NOT_FOUND
                   : fail(failure, STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    }
    unsigned char bytes[AUTH_PEPPER_BYTES + 1];
    const ssize_t length = read(fd, bytes, sizeof bytes);
    close(fd);
    if (length != AUTH_PEPPER_BYTES) {
        return fail(failure, STATUS_INVALID,
                    "%s: must be %d bytes; restore it, or remove it and make all keys anew", path,
                    AUTH_PEPPER_BYTES);
    }
    memcpy(auth->pepper, bytes, sizeof auth->pepper);
    sodium_memzero(bytes, sizeof bytes);
    return STATUS_OK;
}

/* A link makes the whole file appear at once: of two first starts one pepper wins. */
static enum status make_pepper(const char *directory, const char *path, struct failure *failure)
{
    char new_path[AUTH_PATH_BYTES];
    const int length = snprintf(new_path, sizeof new_path, "%s/pepper.XXXXXX", directory);
    if (length < 0 || length >= AUTH_PATH_BYTES) {
        return fail(failure, STATUS_INVALID, "%.80s...: the path is too long", directory);
    }
    unsigned char bytes[AUTH_PEPPER_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    const int fd = mkostemp(new_path, O_CLOEXEC); /* mode 0600 */
    const bool is_written =
        fd >= 0 && write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0;
    const bool is_there = is_written && (link(new_path, path) == 0 || errno == EEXIST);
    const enum status status =
        is_there ? STATUS_OK
                 : fail(failure, STATUS_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(new_path);
    }
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

static enum status open_pepper(struct auth *auth, struct failure *failure)
{
    char path[AUTH_PATH_BYTES];
    enum status status = auth_private_path(auth->directory, "pepper", path, failure);
    if (status != STATUS_OK) {
        return status;
    }
    status = read_pepper(auth, path, failure);
    if (status == STATUS_NOT_FOUND) {
        status = make_pepper(auth->directory, path, failure);
        status = status == STATUS_OK ? read_pepper(auth, path, failure) : status;
    }
    return status;
}

enum status auth_open(const char *state_directory, struct auth **out, struct failure *failure)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (!auth || sodium_init() < 0) {
        free(auth);
        return fail(failure, STATUS_IO, "no memory, or no source of random numbers");
    }
    pthread_mutex_init(&auth->refresh_lock, NULL);
    pthread_rwlock_init(&auth->store_lock, NULL);
    auth->limiter = limiter_create();
    const int length = snprintf(auth->directory, sizeof auth->directory, "%s", state_directory);
    enum status status = STATUS_OK;
    if (!auth->limiter || length <= 0 || length >= AUTH_PATH_BYTES) {
        status = fail(failure, STATUS_INVALID, "state directory: the path is empty or too long");
        goto done;
    }
    status = auth_private_path(state_directory, AUTH_STORE_NAME, auth->store_path, failure);
    if (status != STATUS_OK) {
        goto done;
    }
    status = make_directory(state_directory, failure);
    if (status != STATUS_OK) {
        goto done;
    }
    status = open_pepper(auth, failure);
    if (status != STATUS_OK) {
        goto done;
    }
    status = auth_private_reload(auth, failure);
    if (status == STATUS_OK) {
        *out = auth;
        auth = NULL; /* ownership moved to the caller */
    }
done:
    auth_close(auth);
    return status;
}

void auth_close(struct auth *auth)
{
    if (!auth) {
        return;
    }
    limiter_destroy(auth->limiter);
    store_destroy(auth->store);
    pthread_mutex_destroy(&auth->refresh_lock);
    pthread_rwlock_destroy(&auth->store_lock);
    sodium_memzero(auth, sizeof *auth);
    free(auth);
}

/* ---- refresh --------------------------------------------------------------------------------- */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size
           && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The file may be replaced between stat and read: then stat is of the older one and the next
 * refresh reads again. */
enum status auth_private_reload(struct auth *auth, struct failure *failure)
{
    struct stat info = {.st_size = 0};
    if (stat(auth->store_path, &info) != 0 && (errno != ENOENT || auth->store)) {
        return fail(failure, STATUS_IO, "%s: cannot be read: %s", auth->store_path,
                    strerror(errno));
    }
    struct store *store = NULL;
    const enum status status = store_load(auth->store_path, &store, failure);
    if (status != STATUS_OK) {
        return status;
    }
    pthread_rwlock_wrlock(&auth->store_lock);
    struct store *old = auth->store;
    auth->store = store;
    pthread_rwlock_unlock(&auth->store_lock);
    auth->loaded = info;
    store_destroy(old);
    return STATUS_OK;
}

enum status auth_refresh(struct auth *auth, struct failure *failure)
{
    pthread_mutex_lock(&auth->refresh_lock);
    struct stat info = {.st_size = 0};
    const int error = stat(auth->store_path, &info) == 0 ? 0 : errno;
    /* Before the first tenant there is no file. */
    const bool is_still_missing = error == ENOENT && auth->loaded.st_ino == 0;
    enum status status = STATUS_OK;
    if (!is_still_missing && (error != 0 || !is_same_file(&info, &auth->loaded))) {
        status = auth_private_reload(auth, failure);
    }
    pthread_mutex_unlock(&auth->refresh_lock);
    return status;
}

/* ---- check ----------------------------------------------------------------------------------- */

void auth_private_hmac(const struct auth *auth, const char *text, size_t length,
                       unsigned char out[STORE_HMAC_BYTES])
{
    crypto_auth_hmacsha256(out, (const unsigned char *)text, length, auth->pepper);
}

static bool is_usable(const struct store *store, const struct store_key *key)
{
    const struct store_tenant *tenant = store_find_tenant(store, key->tenant);
    return key->revoked_unix_s == 0 && tenant && !tenant->is_disabled;
}

/* Compares with both places, also when one is empty or neither is real. */
static bool has_secret(const struct store_key *key, const unsigned char hmac[STORE_HMAC_BYTES])
{
    const int64_t now_s = clock_unix_ms() / 1000;
    bool is_found = false;
    for (uint32_t i = 0; i < STORE_SECRETS_MAX; i++) {
        const struct store_secret *secret = &key->secrets[i];
        const bool is_equal = sodium_memcmp(secret->hmac, hmac, STORE_HMAC_BYTES) == 0;
        const bool is_valid = i < key->secret_count
                              && (secret->expires_unix_s == 0 || now_s < secret->expires_unix_s);
        is_found |= is_equal && is_valid;
    }
    return is_found;
}

static void identify(const struct store *store, const struct store_key *key,
                     struct auth_identity *out)
{
    const struct store_tenant *tenant = store_find_tenant(store, key->tenant);
    *out = (struct auth_identity){.tenant = key->tenant, .scopes = key->scopes};
    memcpy(out->tenant_name, tenant->name, sizeof out->tenant_name);
    memcpy(out->key_id, key->id, sizeof out->key_id);
}

enum status auth_check(struct auth *auth, const char *key, size_t length, struct auth_identity *out)
{
    static const struct store_key nobody = {.secret_count = 1};
    struct key_text text = {.id = ""};
    const bool is_key = key_text_parse(key, length, &text);
    unsigned char hmac[STORE_HMAC_BYTES];
    auth_private_hmac(auth, key, length < AUTH_KEY_TEXT_BYTES ? length : AUTH_KEY_TEXT_BYTES, hmac);

    pthread_rwlock_rdlock(&auth->store_lock);
    const struct store_key *found = is_key ? store_find_key(auth->store, text.id) : NULL;
    const bool is_proven = has_secret(found ? found : &nobody, hmac);
    const bool is_good = found && is_proven && is_usable(auth->store, found);
    *out = (struct auth_identity){.scopes = 0};
    memcpy(out->key_id, (found ? found : &nobody)->id, sizeof out->key_id);
    if (is_good) {
        identify(auth->store, found, out);
    }
    pthread_rwlock_unlock(&auth->store_lock);
    return is_good ? STATUS_OK : STATUS_UNAUTHENTICATED;
}

bool auth_is_live(struct auth *auth, const struct auth_identity *identity)
{
    pthread_rwlock_rdlock(&auth->store_lock);
    const struct store_key *key = store_find_key(auth->store, identity->key_id);
    const bool is_live =
        key && tenant_same(key->tenant, identity->tenant) && is_usable(auth->store, key);
    pthread_rwlock_unlock(&auth->store_lock);
    return is_live;
}

/* ---- limits ---------------------------------------------------------------------------------- */

enum status auth_admit(struct auth *auth, struct tenant_id tenant, uint64_t now_ns, uint32_t tokens,
                       struct auth_budget *out, const char **what)
{
    struct limiter_request request = {.tenant = tenant, .now_ns = now_ns, .tokens = tokens};
    pthread_rwlock_rdlock(&auth->store_lock);
    const struct store_tenant *found = store_find_tenant(auth->store, tenant);
    if (found) {
        request.limits = found->limits;
    }
    pthread_rwlock_unlock(&auth->store_lock);
    *out = (struct auth_budget){0};
    *what = "requests";
    return found ? limiter_admit(auth->limiter, &request, out, what)
                 : STATUS_QUOTA; /* removed a moment ago */
}

void auth_release(struct auth *auth, struct tenant_id tenant, uint32_t tokens_taken,
                  uint32_t tokens_used)
{
    limiter_release(auth->limiter, tenant, tokens_taken, tokens_used);
}
