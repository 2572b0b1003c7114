/* vault.h - pseudonyms: which value of a conversation [NAME_1] stands for. In memory only, with a
 * time limit; everything is zeroed when it goes. A session belongs to one tenant and one
 * conversation; nothing of it can be had through another. Any thread; requests of one conversation
 * share its session. Beside it, a table of keyed hashes of all values (SipHash-2-4 with a key of
 * the process), by which a value that was seen in other tenants' sessions alone is known, and
 * canaries. */
#pragma once
#include "base/ids.h"
#include "base/status.h"
#include "policy/filter/vault/canary.h"
#include "policy/kind.h"

struct vault;
struct vault_session;

struct vault_config {
    uint32_t sessions_max; /* conversations kept; the least recently used gives way, the tenant's
                              own first */
    uint32_t values_max;   /* of one session; further values are redacted */
    uint32_t lifetime_s;   /* since its last use */
};

enum { VAULT_VALUE_BYTES = 256 };

/* STATUS_IO: no memory or no random bytes. */
MUST_CHECK enum status vault_create(const struct vault_config *config, struct vault **out);
void vault_destroy(struct vault *vault); /* NULL is fine; no session is used any more */

/* conversation: the client's own name for it, hashed with the tenant at once; length 0: a session
 * of this request alone. Close it in any case. STATUS_FULL: every session is in use. */
MUST_CHECK enum status vault_open(struct vault *vault, struct tenant_id tenant,
                                  const char *conversation, size_t length, uint64_t now_ns,
                                  struct vault_session **out);
void vault_close(struct vault_session *session, uint64_t now_ns); /* NULL is fine */

/* The number of a value, 1, 2, ... for each kind in order of appearance; equal folded values have
 * one. A single name that is a word of one name already known in the session ("Lily" after "Lily
 * Chen") has that one's number, if only one has it. raw is what is restored: of the first
 * appearance. STATUS_FULL, STATUS_TOO_LARGE: to be redacted. */
MUST_CHECK enum status vault_pseudonym(struct vault_session *session, enum policy_kind kind,
                                       const char *folded, size_t folded_bytes, const char *raw,
                                       size_t raw_bytes, uint32_t *number);

/* False: none has this number. The value is good until the session is closed. */
bool vault_restore(const struct vault_session *session, enum policy_kind kind, uint32_t number,
                   const char **raw, size_t *raw_bytes);

/* True: the session itself holds the value (whole, or as a word of a name). */
bool vault_holds(const struct vault_session *session, enum policy_kind kind, const char *folded,
                 size_t folded_bytes);

/* True: other tenants' sessions have it and none of this tenant's. Only of values that are
 * distinctive, pieces of them too (foreign.h): names of two words and more, and codes of 7 and more
 * letters or digits: a first name alone would let one clinic ask whether another has a Lily. */
bool vault_is_foreign(const struct vault *vault, struct tenant_id tenant, enum policy_kind kind,
                      const char *folded, size_t folded_bytes);

/* A string that must never be told to another tenant; of tenant 0, to anybody. STATUS_TOO_LARGE,
 * STATUS_INVALID: it is too long or too short (canary.h). STATUS_FULL: there are CANARIES_MAX. */
MUST_CHECK enum status vault_plant(struct vault *vault, struct tenant_id tenant, const char *text,
                                   size_t length);

/* What is planted now; NULL: nothing. canaries_release it. */
struct canaries *vault_canaries(const struct vault *vault);

/* Drops what is past its time; about once a second. Forgetting a tenant returns how many values; a
 * session that a request still uses takes no other request and goes with its last one. */
void vault_expire(struct vault *vault, uint64_t now_ns);
uint32_t vault_forget(struct vault *vault, struct tenant_id tenant);

struct vault_counts {
    uint32_t sessions, values;
};
struct vault_counts vault_counts(const struct vault *vault, struct tenant_id tenant); /* 0: all */
