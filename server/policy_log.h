/* policy_log.h - the rules of this server: opened from its settings, reread while it runs, and
 * every change recorded. Main thread. */
#pragma once
#include "audit/audit.h"
#include "auth/auth.h"
#include "policy/policy.h"
#include "server/config.h"
#include "server/trail.h"

MUST_CHECK enum status policy_log_open(const struct config *config, struct policy **out,
                                       struct failure *failure);

/* About twice a second: rereads what changed, records policy.changed, drops old pseudonyms. A file
 * that is wrong is logged when it becomes so; what was in force stays. */
void policy_log_tick(struct policy *policy, struct trail *trail);

/* Hands over what rules say of a whole tenant: its canaries to the vault (planted ones stay until
 * the process ends), how long its records are kept to the audit log: the longest of the tenant's
 * own setting, the server's days and its rules. When opened, and now and then, as it changes. */
void policy_log_apply(struct policy *policy, struct auth *auth, struct audit *audit,
                      uint32_t server_days);
