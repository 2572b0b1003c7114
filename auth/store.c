#include "auth/store.h"

#include <stdlib.h>
#include <string.h>

#include "auth/key_text.h"
#include "base/assert.h"
#include "base/limits.h"

struct store *store_create(void)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store) {
        return NULL;
    }
    store->next_tenant_id = 1;
    store->tenants = calloc(LIMIT_TENANTS, sizeof *store->tenants);
    store->keys = calloc(STORE_KEYS_MAX, sizeof *store->keys);
    if (!store->tenants || !store->keys) {
        store_destroy(store);
        return NULL;
    }
    return store;
}

void store_destroy(struct store *store)
{
    if (store) {
        free(store->tenants);
        free(store->keys);
        free(store);
    }
}

static int compare_tenants(const void *a, const void *b)
{
    const struct store_tenant *left = a, *right = b;
    return (left->id.value > right->id.value) - (left->id.value < right->id.value);
}

static int compare_keys(const void *a, const void *b)
{
    const struct store_key *left = a, *right = b;
    return memcmp(left->id, right->id, sizeof left->id);
}

struct store_tenant *store_find_tenant(const struct store *store, struct tenant_id id)
{
    const struct store_tenant wanted = {.id = id};
    return bsearch(&wanted, store->tenants, store->tenant_count, sizeof wanted, compare_tenants);
}

struct store_tenant *store_find_tenant_named(const struct store *store, const char *name)
{
    for (size_t i = 0; i < store->tenant_count; i++) {
        if (strcmp(store->tenants[i].name, name) == 0) {
            return &store->tenants[i];
        }
    }
    return NULL;
}

struct store_key *store_find_key(const struct store *store, const char *id)
{
    const size_t length = strlen(id);
    struct store_key wanted = {.id = ""};
    if (length >= sizeof wanted.id) {
        return NULL;
    }
    memcpy(wanted.id, id, length);
    return bsearch(&wanted, store->keys, store->key_count, sizeof wanted, compare_keys);
}

void store_insert_key(struct store *store, const struct store_key *key)
{
    ASSERT(store->key_count < STORE_KEYS_MAX);
    size_t place = store->key_count++;
    while (place > 0 && compare_keys(&store->keys[place - 1], key) > 0) {
        store->keys[place] = store->keys[place - 1];
        place--;
    }
    store->keys[place] = *key;
}

void store_remove_tenant(struct store *store, struct tenant_id id)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->tenant_count; i++) {
        if (!tenant_same(store->tenants[i].id, id)) {
            store->tenants[kept++] = store->tenants[i];
        }
    }
    store->tenant_count = kept;
    kept = 0;
    for (size_t i = 0; i < store->key_count; i++) {
        if (!tenant_same(store->keys[i].tenant, id)) {
            store->keys[kept++] = store->keys[i];
        }
    }
    store->key_count = kept;
}

bool store_is_name(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    const size_t length = strlen(name);
    return length > 0 && length < AUTH_NAME_BYTES && strchr(first, name[0])
           && strspn(name, rest) == length;
}
