/* policy_log.h - the rules of this server: opened from its settings, reread while it runs, and
 * every change recorded. Main thread. */
#pragma once
#include "policy/policy.h"
#include "server/config.h"
#include "server/trail.h"

MUST_CHECK enum status policy_log_open(const struct config *config, struct policy **out,
                                       struct failure *failure);

/* About twice a second: rereads what changed, records policy.changed, drops old pseudonyms. A file
 * that is wrong is logged when it becomes so; what was in force stays. */
void policy_log_tick(struct policy *policy, struct trail *trail);
