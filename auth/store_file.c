/* store_file.c - tenants.json to and from memory. The file may have been edited by hand, so that
 * every field is checked; what is wrong is told with its place. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/key_text.h"
#include "auth/store.h"
#include "base/buffer.h"
#include "base/limits.h"

enum { FORMAT_VERSION = 1, FILE_BYTES_MAX = 32 << 20, PATH_BYTES = 4096 };

/* ---- reading --------------------------------------------------------------------------------- */

static bool get_count(const json_t *object, const char *field, uint32_t *out)
{
    const json_t *value = json_object_get(object, field);
    const json_int_t number = json_integer_value(value);
    *out = (uint32_t)number;
    return json_is_integer(value) && number >= 0 && number <= UINT32_MAX;
}

/* A field that came later: files without it load. */
static bool get_count_or_zero(const json_t *object, const char *field, uint32_t *out)
{
    *out = 0;
    return !json_object_get(object, field) || get_count(object, field, out);
}

static bool get_time(const json_t *object, const char *field, int64_t *out)
{
    const json_t *value = json_object_get(object, field);
    *out = json_integer_value(value);
    return json_is_integer(value) && *out >= 0;
}

static bool get_text(const json_t *object, const char *field, char *out, size_t out_bytes)
{
    const json_t *value = json_object_get(object, field);
    const size_t length = json_string_length(value);
    if (!json_is_string(value) || length >= out_bytes) {
        return false;
    }
    memcpy(out, json_string_value(value), length);
    memset(out + length, 0, out_bytes - length);
    return strlen(out) == length;
}

static bool read_tenant(const json_t *object, struct store_tenant *out)
{
    const json_t *disabled = json_object_get(object, "disabled");
    const json_t *limits = json_object_get(object, "limits");
    out->is_disabled = json_is_true(disabled);
    return get_count(object, "id", &out->id.value) && out->id.value > 0
           && out->id.value <= LIMIT_TENANTS
           && get_text(object, "name", out->name, sizeof out->name) && store_is_name(out->name)
           && json_is_boolean(disabled)
           && get_count(limits, "requests_per_minute", &out->limits.requests_per_minute)
           && get_count(limits, "tokens_per_minute", &out->limits.tokens_per_minute)
           && get_count(limits, "streams_max", &out->limits.streams_max)
           && get_count_or_zero(object, "retention_days", &out->limits.retention_days);
}

static bool read_secret(const json_t *object, struct store_secret *out)
{
    char digits[2 * STORE_HMAC_BYTES + 1];
    size_t length = 0;
    return get_text(object, "hmac", digits, sizeof digits)
           && sodium_hex2bin(out->hmac, sizeof out->hmac, digits, strlen(digits), NULL, &length,
                             NULL)
                  == 0
           && length == sizeof out->hmac && get_time(object, "expires", &out->expires_unix_s);
}

static bool read_scopes(const json_t *names, uint32_t *out)
{
    size_t i;
    const json_t *name;
    *out = 0;
    json_array_foreach(names, i, name)
    {
        uint32_t scope = 0;
        const char *text = json_string_value(name);
        if (!text || strchr(text, ',') || !auth_scopes_read(text, &scope)) {
            return false;
        }
        *out |= scope;
    }
    return json_is_array(names);
}

static bool read_key(const json_t *object, struct store_key *out)
{
    const json_t *secrets = json_object_get(object, "secrets");
    const size_t count = json_array_size(secrets);
    if (count < 1 || count > STORE_SECRETS_MAX) {
        return false;
    }
    out->secret_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        if (!read_secret(json_array_get(secrets, i), &out->secrets[i])) {
            return false;
        }
    }
    return get_text(object, "id", out->id, sizeof out->id) && strlen(out->id) == sizeof out->id - 1
           && get_text(object, "environment", out->environment, sizeof out->environment)
           && key_text_is_environment(out->environment)
           && get_count(object, "tenant", &out->tenant.value)
           && read_scopes(json_object_get(object, "scopes"), &out->scopes)
           && get_time(object, "created", &out->created_unix_s)
           && get_time(object, "revoked", &out->revoked_unix_s);
}

static enum status read_tenants(const json_t *array, struct store *store, struct failure *failure)
{
    if (!json_is_array(array) || json_array_size(array) > LIMIT_TENANTS) {
        return fail(failure, STATUS_INVALID, "tenants: must be an array of at most %d",
                    LIMIT_TENANTS);
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct store_tenant tenant = {.name = ""};
        if (!read_tenant(json_array_get(array, i), &tenant)) {
            return fail(failure, STATUS_INVALID, "tenants[%zu]: a field is missing or wrong", i);
        }
        const bool is_rising = i == 0 || store->tenants[i - 1].id.value < tenant.id.value;
        if (!is_rising || tenant.id.value >= store->next_tenant_id
            || store_find_tenant_named(store, tenant.name)) {
            return fail(failure, STATUS_INVALID,
                        "tenants[%zu]: ids must rise and stay below next_tenant_id, and a name "
                        "is there once",
                        i);
        }
        store->tenants[store->tenant_count++] = tenant;
    }
    return STATUS_OK;
}

static enum status read_keys(const json_t *array, struct store *store, struct failure *failure)
{
    if (!json_is_array(array) || json_array_size(array) > STORE_KEYS_MAX) {
        return fail(failure, STATUS_INVALID, "keys: must be an array of at most %d",
                    STORE_KEYS_MAX);
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct store_key key = {.id = ""};
        if (!read_key(json_array_get(array, i), &key)) {
            return fail(failure, STATUS_INVALID, "keys[%zu]: a field is missing or wrong", i);
        }
        if (!store_find_tenant(store, key.tenant) || store_find_key(store, key.id)) {
            return fail(failure, STATUS_INVALID,
                        "keys[%zu]: its tenant is not there, or its id is there twice", i);
        }
        store_insert_key(store, &key);
    }
    return STATUS_OK;
}

static enum status read_root(const json_t *root, struct store *store, struct failure *failure)
{
    uint32_t version = 0;
    if (!get_count(root, "version", &version) || version != FORMAT_VERSION) {
        return fail(failure, STATUS_INVALID, "version: must be %d", FORMAT_VERSION);
    }
    if (!get_count(root, "next_tenant_id", &store->next_tenant_id) || store->next_tenant_id == 0) {
        return fail(failure, STATUS_INVALID, "next_tenant_id: must be a number above 0");
    }
    const enum status status = read_tenants(json_object_get(root, "tenants"), store, failure);
    return status == STATUS_OK ? read_keys(json_object_get(root, "keys"), store, failure) : status;
}

enum status store_load(const char *path, struct store **out, struct failure *failure)
{
    struct buffer text = {.limit_bytes = FILE_BYTES_MAX};
    struct store *store = store_create();
    json_t *root = NULL;
    enum status status = buffer_read_file(&text, path);
    if (!store) {
        status = fail(failure, STATUS_IO, "no memory");
    } else if (status == STATUS_OK) {
        json_error_t error;
        root =
            json_loadb(text.bytes ? text.bytes : "", text.length, JSON_REJECT_DUPLICATES, &error);
        status = root ? read_root(root, store, failure)
                      : fail(failure, STATUS_INVALID, "line %d: %s", error.line, error.text);
    } else if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
    } else {
        status = fail(failure, status, "cannot be read");
    }
    if (status == STATUS_OK) {
        *out = store;
        store = NULL; /* ownership moved to the caller */
    } else {
        fail_prefix(failure, path);
    }
    json_decref(root);
    store_destroy(store);
    buffer_destroy(&text);
    return status;
}

/* ---- writing --------------------------------------------------------------------------------- */

static json_t *write_tenant(const struct store_tenant *tenant)
{
    return json_pack("{s:I, s:s, s:b, s:{s:I, s:I, s:I}, s:I}", "id", (json_int_t)tenant->id.value,
                     "name", tenant->name, "disabled", tenant->is_disabled, "limits",
                     "requests_per_minute", (json_int_t)tenant->limits.requests_per_minute,
                     "tokens_per_minute", (json_int_t)tenant->limits.tokens_per_minute,
                     "streams_max", (json_int_t)tenant->limits.streams_max, "retention_days",
                     (json_int_t)tenant->limits.retention_days);
}

static json_t *write_key(const struct store_key *key)
{
    json_t *scopes = json_array();
    for (uint32_t left = key->scopes; left != 0; left &= left - 1) {
        char name[AUTH_SCOPES_BYTES];
        json_array_append_new(scopes, json_string(auth_scopes_write(left & -left, name)));
    }
    json_t *secrets = json_array();
    for (uint32_t i = 0; i < key->secret_count; i++) {
        char digits[2 * STORE_HMAC_BYTES + 1];
        sodium_bin2hex(digits, sizeof digits, key->secrets[i].hmac, STORE_HMAC_BYTES);
        json_array_append_new(secrets, json_pack("{s:s, s:I}", "hmac", digits, "expires",
                                                 (json_int_t)key->secrets[i].expires_unix_s));
    }
    return json_pack("{s:s, s:s, s:I, s:o, s:I, s:I, s:o}", "id", key->id, "environment",
                     key->environment, "tenant", (json_int_t)key->tenant.value, "scopes", scopes,
                     "created", (json_int_t)key->created_unix_s, "revoked",
                     (json_int_t)key->revoked_unix_s, "secrets", secrets);
}

static char *write_text(const struct store *store)
{
    json_t *tenants = json_array();
    for (size_t i = 0; i < store->tenant_count; i++) {
        json_array_append_new(tenants, write_tenant(&store->tenants[i]));
    }
    json_t *keys = json_array();
    for (size_t i = 0; i < store->key_count; i++) {
        json_array_append_new(keys, write_key(&store->keys[i]));
    }
    json_t *root = json_pack("{s:i, s:I, s:o, s:o}", "version", FORMAT_VERSION, "next_tenant_id",
                             (json_int_t)store->next_tenant_id, "tenants", tenants, "keys", keys);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    return text;
}

static bool write_whole_file(int fd, const char *text, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(fd, text, length);
        if (written < 0) {
            return false;
        }
        text += written;
        length -= (size_t)written;
    }
    return fsync(fd) == 0;
}

static bool sync_directory(const char *directory)
{
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_synced;
}

enum status store_save(const struct store *store, const char *directory, const char *name,
                       struct failure *failure)
{
    char path[PATH_BYTES], new_path[PATH_BYTES];
    const int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    const int new_length = snprintf(new_path, sizeof new_path, "%s/%s.new", directory, name);
    if (length < 0 || new_length < 0 || new_length >= PATH_BYTES) {
        return fail(failure, STATUS_INVALID, "%s: the path is too long", directory);
    }
    char *text = write_text(store);
    const int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool is_written = text && fd >= 0 && write_whole_file(fd, text, strlen(text));
    if (fd >= 0) {
        close(fd);
    }
    free(text);
    if (!is_written || rename(new_path, path) != 0 || !sync_directory(directory)) {
        return fail(failure, STATUS_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    return STATUS_OK;
}
