/* audit_terms.h - what the settings say of the Redis that keeps a copy of the audit log. */
#pragma once
#include "audit/redis/redis_link.h"
#include "server/config.h"

/* False also for "none", which keeps `ward demo` from looking for one. */
bool audit_terms_has_redis(const struct config *config);

/* Views into config. STATUS_NOT_FOUND: none is configured. STATUS_INVALID: a word that is none. */
MUST_CHECK enum status audit_terms_redis(const struct config *config, struct redis_terms *out,
                                         struct failure *failure);
