/* store.h - tenants and keys as they are on disk (tenants.json), in memory as one value. Owner: the
 * caller of load. A store that others may read is never changed: a changed one replaces it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"

enum { STORE_KEYS_MAX = 16384, STORE_SECRETS_MAX = 2, STORE_HMAC_BYTES = 32 };

struct store_secret {
    unsigned char hmac[STORE_HMAC_BYTES]; /* HMAC-SHA256(pepper, text of the key) */
    int64_t expires_unix_s;               /* 0: never */
};

struct store_key {
    char id[AUTH_KEY_ID_BYTES];
    char environment[5];
    struct tenant_id tenant;
    uint32_t scopes; /* of enum auth_scope */
    int64_t created_unix_s, revoked_unix_s;
    uint32_t secret_count;                          /* 1 or 2 */
    struct store_secret secrets[STORE_SECRETS_MAX]; /* the newest first */
};

struct store_tenant {
    struct tenant_id id;
    char name[AUTH_NAME_BYTES];
    bool is_disabled;
    struct auth_limits limits;
};

struct store {
    uint32_t next_tenant_id; /* ids below it were given out once and are not used again */
    size_t tenant_count, key_count;
    struct store_tenant *tenants; /* room for LIMIT_TENANTS */
    struct store_key *keys;       /* room for STORE_KEYS_MAX, sorted by id */
};

/* An empty store; NULL: no memory. */
struct store *store_create(void);
void store_destroy(struct store *store); /* NULL is fine */

/* A missing file is an empty store. STATUS_INVALID: failure names the file and the field. */
MUST_CHECK enum status store_load(const char *path, struct store **out, struct failure *failure);

/* Replaces the file: a crash leaves the old one or the new one. */
MUST_CHECK enum status store_save(const struct store *store, const char *directory,
                                  const char *name, struct failure *failure);

/* NULL: there is none. */
struct store_tenant *store_find_tenant(const struct store *store, struct tenant_id id);
struct store_tenant *store_find_tenant_named(const struct store *store, const char *name);
struct store_key *store_find_key(const struct store *store, const char *id);

/* Puts a key in its place; there must be room. */
void store_insert_key(struct store *store, const struct store_key *key);
void store_remove_tenant(struct store *store, struct tenant_id id); /* and its keys */

bool store_is_name(const char *name);
