/* auth.h - who is asking: tenants, their keys and limits, read from files under the state directory
 * and changed there by `ward tenant` and `ward key`; a running server sees a change within a second
 * (auth_refresh). A key reads ward_<env>_<keyid>_<secret>; only HMAC-SHA256(pepper, whole key) is
 * kept; keys are found by id and compared in constant time. Any thread may call every function. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "base/ids.h"

struct auth;

enum auth_scope {
    AUTH_SCOPE_INFER = 1 << 0,
    AUTH_SCOPE_ADMIN = 1 << 1,
    AUTH_SCOPE_AUDIT_READ = 1 << 2
};
enum { AUTH_NAME_BYTES = 64, AUTH_KEY_ID_BYTES = 17, AUTH_KEY_TEXT_BYTES = 128 };

struct auth_limits {
    uint32_t requests_per_minute, tokens_per_minute, streams_max; /* 0: no limit */
    uint32_t retention_days; /* of its audit records; 0: as the server's */
};
#define AUTH_UNCHANGED UINT32_MAX /* in a limit of auth_tenant_set_limits: stays as it is */

/* Who a request belongs to; a value, safe to keep and to log. */
struct auth_identity {
    struct tenant_id tenant;
    char tenant_name[AUTH_NAME_BYTES];
    char key_id[AUTH_KEY_ID_BYTES];
    uint32_t scopes; /* of enum auth_scope */
};

/* Opens the store under state_directory (made 0700 when missing, files 0600). */
MUST_CHECK enum status auth_open(const char *state_directory, struct auth **out,
                                 struct failure *failure);
void auth_close(struct auth *auth); /* NULL is fine */

/* Rereads the files if they changed; call it a few times a second. A file that cannot be read keeps
 * the last good state and says why. */
MUST_CHECK enum status auth_refresh(struct auth *auth, struct failure *failure);

/* key: the text after "Bearer ". STATUS_UNAUTHENTICATED: malformed, unknown, revoked, expired, or
 * its tenant is disabled; which of them is not told, and takes the same time. Then out holds the
 * key's id alone where such a key exists, for the audit log, else nothing. */
MUST_CHECK enum status auth_check(struct auth *auth, const char *key, size_t length,
                                  struct auth_identity *out);

/* False once the key was revoked or its tenant disabled or removed: running streams end then. */
bool auth_is_live(struct auth *auth, const struct auth_identity *identity);

/* ---- scopes by name -------------------------------------------------------------------------- */

enum { AUTH_SCOPES_BYTES = 32 };
/* "infer,audit:read", in any order. False: empty, or a name that is none. */
bool auth_scopes_read(const char *text, uint32_t *out);
const char *auth_scopes_write(uint32_t scopes, char out[AUTH_SCOPES_BYTES]); /* returns out */

/* ---- limits (token buckets, one minute deep) ------------------------------------------------ */

struct auth_budget { /* what x-ratelimit-* headers say; 0 limit: none set */
    uint32_t requests_limit, requests_remaining, requests_reset_ms;
    uint32_t tokens_limit, tokens_remaining, tokens_reset_ms;
    uint32_t retry_after_ms; /* when refused */
};

/* Takes one request, `tokens` (prompt plus the most it may answer) and one stream from the tenant's
 * budget. STATUS_QUOTA: nothing taken, *out says when to come back; *what is "requests", "tokens"
 * or "streams". Every OK is paired with one auth_release, which gives back the stream and the
 * tokens that were not used. A request that asks for more tokens than a whole minute holds is
 * always refused; compare with tokens_limit to tell that from a bucket that is empty for now. */
MUST_CHECK enum status auth_admit(struct auth *auth, struct tenant_id tenant, uint64_t now_ns,
                                  uint32_t tokens, struct auth_budget *out, const char **what);
void auth_release(struct auth *auth, struct tenant_id tenant, uint32_t tokens_taken,
                  uint32_t tokens_used);

/* ---- administration (the CLI; each writes the files atomically under a lock) ---------------- */

struct auth_tenant {
    struct tenant_id id;
    char name[AUTH_NAME_BYTES];
    bool is_disabled;
    struct auth_limits limits;
    uint32_t key_count;
};
struct auth_key {
    char id[AUTH_KEY_ID_BYTES];
    struct tenant_id tenant;
    char tenant_name[AUTH_NAME_BYTES];
    uint32_t scopes;
    int64_t created_unix_s, revoked_unix_s, expires_unix_s; /* 0: not */
};

/* What would keep a tenant of that name from being added, without adding it. */
MUST_CHECK enum status auth_tenant_check_new(struct auth *auth, const char *name,
                                             struct failure *failure);
MUST_CHECK enum status auth_tenant_add(struct auth *auth, const char *name,
                                       const struct auth_limits *limits, struct tenant_id *out,
                                       struct failure *failure);
MUST_CHECK enum status auth_tenant_set_limits(struct auth *auth, const char *name,
                                              const struct auth_limits *limits,
                                              struct failure *failure);
MUST_CHECK enum status auth_tenant_set_disabled(struct auth *auth, const char *name,
                                                bool is_disabled, struct failure *failure);
MUST_CHECK enum status auth_tenant_remove(struct auth *auth, const char *name,
                                          struct failure *failure);
/* STATUS_NOT_FOUND; *failure names what was looked for, of a key never more than an id. */
MUST_CHECK enum status auth_tenant_find(struct auth *auth, const char *name,
                                        struct auth_tenant *out, struct failure *failure);
MUST_CHECK enum status auth_key_find(struct auth *auth, const char *key_id, struct auth_key *out,
                                     struct failure *failure);
/* Fills in at most max and returns how many; tenants with out NULL: how many there are. */
size_t auth_tenant_list(struct auth *auth, struct auth_tenant *out, size_t max);
size_t auth_key_list(struct auth *auth, const char *tenant_name, struct auth_key *out, size_t max);

/* Writes the key's text once, into out; it cannot be had again. environment: "live" or "test". */
MUST_CHECK enum status auth_key_create(struct auth *auth, const char *tenant_name,
                                       const char *environment, uint32_t scopes,
                                       char out[AUTH_KEY_TEXT_BYTES], struct failure *failure);
/* A new secret for the same key id; the old one stays valid for overlap_s seconds. */
MUST_CHECK enum status auth_key_rotate(struct auth *auth, const char *key_id, uint32_t overlap_s,
                                       char out[AUTH_KEY_TEXT_BYTES], struct failure *failure);
MUST_CHECK enum status auth_key_revoke(struct auth *auth, const char *key_id,
                                       struct failure *failure);
