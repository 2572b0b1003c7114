/* redis_link.h - one authenticated connection to a Redis that keeps what it is given. Every call
 * has a deadline. One thread. The process must ignore SIGPIPE, for hiredis 0.14 does not. */
#pragma once
#include <hiredis/hiredis.h>
#include <stdint.h>

#include "audit/redis/redis_url.h"

struct redis_terms {
    const char *url, *user;              /* user NULL or "": that of the URL */
    const char *password_file, *ca_file; /* NULL or "": none; TLS where hiredis has it */
    bool require_aof, only_warns;        /* only_warns: an unsafe Redis is told of and used */
    uint32_t timeout_ms;                 /* for each send and reply; 0: 5000 */
};

/* Connects, authenticates (HELLO or AUTH), names the connection, selects the database, checks what
 * it would lose. STATUS_UNAVAILABLE: cannot be reached now, or loads, or is a replica: try again.
 * STATUS_UNAUTHENTICATED: user or password. STATUS_FORBIDDEN: it may lose data, or its user may not
 * what is needed: failure names the setting of Redis and of Ward. STATUS_INVALID: url or files. */
MUST_CHECK enum status redis_link_open(const struct redis_terms *terms, redisContext **out,
                                       struct failure *failure);
/* The same without the check, for those who only read; also from a replica. */
MUST_CHECK enum status redis_link_connect(const struct redis_terms *terms, redisContext **out,
                                          struct failure *failure);
void redis_link_close(redisContext *link); /* NULL is fine */

/* The check again, on a connection that is open: settings of Redis change while it runs. */
MUST_CHECK enum status redis_link_check(redisContext *link, const struct redis_terms *terms,
                                        struct failure *failure);

/* One of its settings, "" where there is none of that name. STATUS_FORBIDDEN: it is not told. */
enum { REDIS_SETTING_BYTES = 64 };
MUST_CHECK enum status redis_link_setting(redisContext *link, const char *name,
                                          char out[REDIS_SETTING_BYTES], struct failure *failure);

/* Takes the prefix for this chain. STATUS_FORBIDDEN: it is another chain's. */
MUST_CHECK enum status redis_link_claim(redisContext *link, const char *prefix,
                                        const uint8_t chain_id[32], struct failure *failure);
