/* vault.c - a fixed pool of sessions, found by a keyed hash of tenant and conversation. Idle ones
 * stand in a list by their last use; one in use stands in none, so that it cannot give way. One
 * lock: it is taken once a finding, never once a token. */
#include "policy/filter/vault.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "policy/filter/vault/foreign.h"
#include "policy/filter/vault/values.h"

enum {
    SESSION_KEY_BYTES = 16,
    FEATURES_A_SESSION = 64, /* places of the foreign table; more where others need fewer */
    FOREIGN_PLACES_MAX = 1 << 20,
    OWN_SEARCH_MAX = 64 /* idle sessions looked at for one of the tenant's own */
};

static const uint64_t second_ns = 1000000000;

struct vault_session {
    struct vault *vault;
    struct tenant_id tenant;
    unsigned char key[SESSION_KEY_BYTES];
    uint32_t users;        /* requests that have it open; 0: idle, or free */
    bool is_taken;         /* not free */
    bool is_found;         /* by its key: named and not forgotten */
    uint64_t used_ns;      /* when the last user closed it */
    uint32_t next;         /* in its bucket, or of the free ones: index + 1 */
    uint32_t older, newer; /* of the idle ones: index + 1 */
    struct values values;
};

struct vault {
    pthread_mutex_t *lock; /* apart, so that looking at a const vault can take it */
    struct vault_config config;
    struct foreign_key key;
    unsigned char session_key[crypto_generichash_KEYBYTES];
    struct foreign *foreign;
    struct canaries *canaries;
    uint32_t free, oldest, newest; /* index + 1 */
    uint32_t bucket_mask;
    uint32_t *buckets;              /* index + 1 */
    struct vault_session *sessions; /* [config.sessions_max] */
};

static struct vault_session *session_at(const struct vault *vault, uint32_t place)
{
    return place == 0 ? NULL : &vault->sessions[place - 1];
}

static uint32_t place_of(const struct vault_session *session)
{
    return (uint32_t)(session - session->vault->sessions) + 1;
}

/* ---- create, destroy ------------------------------------------------------------------------- */

static bool take_memory(struct vault *vault)
{
    const uint32_t count = vault->config.sessions_max;
    const uint64_t places = (uint64_t)count * FEATURES_A_SESSION;
    uint32_t buckets = 1;
    while (buckets < count && buckets < 1U << 30) {
        buckets *= 2;
    }
    vault->bucket_mask = buckets - 1;
    vault->lock = calloc(1, sizeof *vault->lock);
    if (!vault->lock || pthread_mutex_init(vault->lock, NULL) != 0) {
        free(vault->lock);
        vault->lock = NULL;
        return false;
    }
    vault->buckets = calloc(buckets, sizeof *vault->buckets);
    vault->sessions = calloc(count, sizeof *vault->sessions);
    return vault->buckets && vault->sessions
           && foreign_create(places < FOREIGN_PLACES_MAX ? (uint32_t)places : FOREIGN_PLACES_MAX,
                             &vault->foreign)
                  == STATUS_OK;
}

enum status vault_create(const struct vault_config *config, struct vault **out)
{
    ASSERT(config->sessions_max > 0);
    struct vault *const vault = sodium_init() < 0 ? NULL : calloc(1, sizeof *vault);
    if (!vault) {
        return STATUS_IO;
    }
    vault->config = *config;
    randombytes_buf(&vault->key, sizeof vault->key);
    randombytes_buf(vault->session_key, sizeof vault->session_key);
    if (!take_memory(vault)) {
        vault_destroy(vault);
        return STATUS_IO;
    }
    for (uint32_t i = config->sessions_max; i > 0; i--) {
        vault->sessions[i - 1] = (struct vault_session){.vault = vault, .next = vault->free};
        vault->free = i;
    }
    *out = vault;
    return STATUS_OK;
}

void vault_destroy(struct vault *vault)
{
    if (!vault) {
        return;
    }
    for (uint32_t i = 0; vault->sessions && i < vault->config.sessions_max; i++) {
        values_clear(&vault->sessions[i].values);
    }
    foreign_destroy(vault->foreign);
    canaries_release(vault->canaries);
    free(vault->buckets);
    free(vault->sessions);
    if (vault->lock) {
        pthread_mutex_destroy(vault->lock);
        free(vault->lock);
    }
    sodium_memzero(vault, sizeof *vault);
    free(vault);
}

/* ---- lists of sessions ----------------------------------------------------------------------- */

static uint32_t *bucket_of(struct vault *vault, const unsigned char *key)
{
    uint32_t hash = 0;
    memcpy(&hash, key, sizeof hash);
    return &vault->buckets[hash & vault->bucket_mask];
}

static void unfind(struct vault_session *session)
{
    uint32_t *link = bucket_of(session->vault, session->key);
    while (session->is_found && *link != place_of(session)) {
        link = &session_at(session->vault, *link)->next;
    }
    if (session->is_found) {
        *link = session->next;
        session->is_found = false;
    }
}

static void leave_idle(struct vault_session *session)
{
    struct vault *const vault = session->vault;
    struct vault_session *const older = session_at(vault, session->older);
    struct vault_session *const newer = session_at(vault, session->newer);
    if (older) {
        older->newer = session->newer;
    } else {
        vault->oldest = session->newer;
    }
    if (newer) {
        newer->older = session->older;
    } else {
        vault->newest = session->older;
    }
    session->older = session->newer = 0;
}

static void join_idle(struct vault_session *session)
{
    struct vault *const vault = session->vault;
    struct vault_session *const newest = session_at(vault, vault->newest);
    session->older = vault->newest;
    *(newest ? &newest->newer : &vault->oldest) = place_of(session);
    vault->newest = place_of(session);
}

/* A session in no list: its values go, its place is free. */
static void drop(struct vault_session *session)
{
    struct vault *const vault = session->vault;
    unfind(session);
    for (uint32_t i = 0; i < session->values.feature_count; i++) {
        foreign_remove(vault->foreign, session->tenant, session->values.features[i]);
    }
    values_clear(&session->values);
    *session = (struct vault_session){.vault = vault, .next = vault->free};
    vault->free = place_of(session);
}

static bool is_past(const struct vault_session *session, uint64_t now_ns)
{
    return now_ns > session->used_ns
           && now_ns - session->used_ns > session->vault->config.lifetime_s * second_ns;
}

static void drop_past(struct vault *vault, uint64_t now_ns)
{
    for (struct vault_session *session = session_at(vault, vault->oldest);
         session && is_past(session, now_ns); session = session_at(vault, vault->oldest)) {
        leave_idle(session);
        drop(session);
    }
}

/* The oldest idle session, the tenant's own first, so that a tenant of many conversations pushes
 * out its own before others'. */
static struct vault_session *giving_way(const struct vault *vault, struct tenant_id tenant)
{
    struct vault_session *const oldest = session_at(vault, vault->oldest);
    struct vault_session *session = oldest;
    for (uint32_t i = 0; session && i < OWN_SEARCH_MAX; i++) {
        if (tenant_same(session->tenant, tenant)) {
            return session;
        }
        session = session_at(vault, session->newer);
    }
    return oldest;
}

/* ---- open, close ----------------------------------------------------------------------------- */

static void make_key(const struct vault *vault, struct tenant_id tenant, const char *conversation,
                     size_t length, unsigned char out[SESSION_KEY_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, vault->session_key, sizeof vault->session_key,
                            SESSION_KEY_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)&tenant.value, sizeof tenant.value);
    crypto_generichash_update(&state, (const unsigned char *)conversation, length);
    crypto_generichash_final(&state, out, SESSION_KEY_BYTES);
    sodium_memzero(&state, sizeof state);
}

static struct vault_session *find(struct vault *vault, struct tenant_id tenant,
                                  const unsigned char *key)
{
    struct vault_session *session = session_at(vault, *bucket_of(vault, key));
    while (session
           && (sodium_memcmp(session->key, key, SESSION_KEY_BYTES) != 0
               || !tenant_same(session->tenant, tenant))) {
        session = session_at(vault, session->next);
    }
    return session;
}

static struct vault_session *take_free(struct vault *vault, struct tenant_id tenant)
{
    if (vault->free == 0 && vault->oldest != 0) {
        struct vault_session *const old = giving_way(vault, tenant);
        ASSERT(old);
        leave_idle(old);
        drop(old);
    }
    struct vault_session *const session = session_at(vault, vault->free);
    if (session) {
        vault->free = session->next;
        session->next = 0;
        session->is_taken = true;
        session->tenant = tenant;
    }
    return session;
}

enum status vault_open(struct vault *vault, struct tenant_id tenant, const char *conversation,
                       size_t length, uint64_t now_ns, struct vault_session **out)
{
    unsigned char key[SESSION_KEY_BYTES] = {0};
    if (length > 0) {
        make_key(vault, tenant, conversation, length, key);
    }
    pthread_mutex_lock(vault->lock);
    drop_past(vault, now_ns);
    struct vault_session *session = length > 0 ? find(vault, tenant, key) : NULL;
    if (session && session->users == 0) {
        leave_idle(session);
    }
    if (!session) {
        session = take_free(vault, tenant);
        if (session && length > 0) {
            uint32_t *const bucket = bucket_of(vault, key);
            memcpy(session->key, key, sizeof key);
            session->next = *bucket;
            session->is_found = true;
            *bucket = place_of(session);
        }
    }
    if (session) {
        session->users++;
        *out = session;
    }
    pthread_mutex_unlock(vault->lock);
    return session ? STATUS_OK : STATUS_FULL;
}

void vault_close(struct vault_session *session, uint64_t now_ns)
{
    if (!session) {
        return;
    }
    struct vault *const vault = session->vault;
    pthread_mutex_lock(vault->lock);
    ASSERT(session->users > 0);
    session->used_ns = now_ns > session->used_ns ? now_ns : session->used_ns;
    if (--session->users == 0) {
        if (session->is_found) {
            join_idle(session);
        } else {
            drop(session);
        }
    }
    pthread_mutex_unlock(vault->lock);
}

/* ---- values ---------------------------------------------------------------------------------- */

static enum status add(struct vault_session *session, const struct new_value *value,
                       uint32_t *number)
{
    struct vault *const vault = session->vault;
    struct values *const values = &session->values;
    const enum status status = values->count >= vault->config.values_max
                                   ? STATUS_FULL
                                   : values_add(values, &vault->key, value, number);
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t features[FOREIGN_FEATURES_MAX];
    const uint32_t count =
        foreign_features(&vault->key, value->kind, value->folded, value->folded_bytes, features);
    for (uint32_t i = 0; i < count; i++) {
        if (foreign_add(vault->foreign, session->tenant, features[i])) {
            values->features[values->feature_count++] = features[i];
        }
    }
    return STATUS_OK;
}

enum status vault_pseudonym(struct vault_session *session, enum policy_kind kind,
                            const char *folded, size_t folded_bytes, const char *raw,
                            size_t raw_bytes, uint32_t *number)
{
    if (folded_bytes == 0 || folded_bytes > VAULT_VALUE_BYTES || raw_bytes > VAULT_VALUE_BYTES) {
        return STATUS_TOO_LARGE;
    }
    struct vault *const vault = session->vault;
    const struct new_value value = {kind, folded, raw, folded_bytes, raw_bytes};
    pthread_mutex_lock(vault->lock);
    *number = values_find(&session->values, &vault->key, kind, folded, folded_bytes);
    const enum status status = *number == 0 ? add(session, &value, number) : STATUS_OK;
    pthread_mutex_unlock(vault->lock);
    return status;
}

bool vault_restore(const struct vault_session *session, enum policy_kind kind, uint32_t number,
                   const char **raw, size_t *raw_bytes)
{
    struct vault *const vault = session->vault;
    pthread_mutex_lock(vault->lock);
    const struct value *const value = values_numbered(&session->values, &vault->key, kind, number);
    if (value) { /* texts never move */
        *raw = value->raw;
        *raw_bytes = value->raw_bytes;
    }
    pthread_mutex_unlock(vault->lock);
    return value != NULL;
}

bool vault_holds(const struct vault_session *session, enum policy_kind kind, const char *folded,
                 size_t folded_bytes)
{
    struct vault *const vault = session->vault;
    pthread_mutex_lock(vault->lock);
    const bool holds = values_hold(&session->values, &vault->key, kind, folded, folded_bytes);
    pthread_mutex_unlock(vault->lock);
    return holds;
}

bool vault_is_foreign(const struct vault *vault, struct tenant_id tenant, enum policy_kind kind,
                      const char *folded, size_t folded_bytes)
{
    uint64_t features[FOREIGN_FEATURES_MAX];
    const uint32_t count = foreign_features(&vault->key, kind, folded, folded_bytes, features);
    if (count == 0) {
        return false;
    }
    pthread_mutex_lock(vault->lock);
    const bool is_foreign = foreign_is(vault->foreign, tenant, kind, features, count);
    pthread_mutex_unlock(vault->lock);
    return is_foreign;
}

/* ---- canaries -------------------------------------------------------------------------------- */

enum status vault_plant(struct vault *vault, struct tenant_id tenant, const char *text,
                        size_t length)
{
    struct canaries *canaries = NULL;
    pthread_mutex_lock(vault->lock);
    const enum status status = canaries_plant(vault->canaries, tenant, text, length, &canaries);
    if (status == STATUS_OK) {
        canaries_release(vault->canaries);
        vault->canaries = canaries;
    }
    pthread_mutex_unlock(vault->lock);
    return status;
}

struct canaries *vault_canaries(const struct vault *vault)
{
    pthread_mutex_lock(vault->lock);
    struct canaries *const canaries = canaries_hold(vault->canaries);
    pthread_mutex_unlock(vault->lock);
    return canaries;
}

/* ---- time, erasing, counting ----------------------------------------------------------------- */

void vault_expire(struct vault *vault, uint64_t now_ns)
{
    pthread_mutex_lock(vault->lock);
    drop_past(vault, now_ns);
    pthread_mutex_unlock(vault->lock);
}

uint32_t vault_forget(struct vault *vault, struct tenant_id tenant)
{
    uint32_t count = 0;
    pthread_mutex_lock(vault->lock);
    for (uint32_t i = 0; i < vault->config.sessions_max; i++) {
        struct vault_session *const session = &vault->sessions[i];
        if (!session->is_taken || !tenant_same(session->tenant, tenant)) {
            continue;
        }
        count += session->values.count;
        if (session->users == 0) {
            leave_idle(session);
            drop(session);
        } else {
            unfind(session); /* it goes when its last user closes it */
        }
    }
    pthread_mutex_unlock(vault->lock);
    return count;
}

struct vault_counts vault_counts(const struct vault *vault, struct tenant_id tenant)
{
    struct vault_counts counts = {0};
    pthread_mutex_lock(vault->lock);
    for (uint32_t i = 0; i < vault->config.sessions_max; i++) {
        const struct vault_session *const session = &vault->sessions[i];
        if (session->is_taken && (tenant.value == 0 || tenant_same(session->tenant, tenant))) {
            counts.sessions++;
            counts.values += session->values.count;
        }
    }
    pthread_mutex_unlock(vault->lock);
    return counts;
}
