/* local_redis.h - can the Redis on this machine hold a copy of this audit log? For `ward demo`,
 * which uses one that is there and needs none. Looks for a moment; writes nothing. */
#pragma once
#include "server/config.h"

#define LOCAL_REDIS_URL "redis://127.0.0.1:6379"

/* STATUS_UNAVAILABLE: none answers. STATUS_FORBIDDEN: it has another server's records. Others as
 * redis_link_open, but one that may lose records counts. failure says it in one line. */
MUST_CHECK enum status local_redis_look(const struct config *config, const char *audit_directory,
                                        struct failure *failure);
