/* administration.h - changes of tenants and keys, each with its audit record: written and synced
 * before the act, finished after it. What cannot be recorded is not done. A running server takes
 * the records over within a second. What is unknown is refused before anything is written, so that
 * a key that was typed in the wrong place gets into no record. Texts and limits are as in auth.h.
 */
#pragma once
#include "audit/record/record.h"
#include "server/commands/support/state.h"

MUST_CHECK enum status administration_add_tenant(const struct state *state, const char *name,
                                                 const struct auth_limits *limits,
                                                 struct failure *failure);
MUST_CHECK enum status administration_set_limits(const struct state *state, const char *name,
                                                 const struct auth_limits *limits,
                                                 struct failure *failure);
MUST_CHECK enum status administration_set_disabled(const struct state *state, const char *name,
                                                   bool is_disabled, struct failure *failure);
MUST_CHECK enum status administration_remove_tenant(const struct state *state, const char *name,
                                                    struct failure *failure);

struct administration_new_key {
    const char *tenant_name, *environment;
    uint32_t scopes;
};
MUST_CHECK enum status administration_create_key(const struct state *state,
                                                 const struct administration_new_key *wanted,
                                                 char out[AUTH_KEY_TEXT_BYTES],
                                                 struct failure *failure);
MUST_CHECK enum status administration_rotate_key(const struct state *state, const char *key_id,
                                                 uint32_t overlap_s, char out[AUTH_KEY_TEXT_BYTES],
                                                 struct failure *failure);
MUST_CHECK enum status administration_revoke_key(const struct state *state, const char *key_id,
                                                 struct failure *failure);

/* Who runs this command, as records name them: "os:NAME", or "os:uid-N" for a user without one. */
enum { ADMINISTRATION_ACTOR_BYTES = 64 };
void administration_write_actor(char out[ADMINISTRATION_ACTOR_BYTES]);
