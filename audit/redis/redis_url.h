/* redis_url.h - where Redis is: redis://[user@]host[:port][/database], rediss:// for TLS, or
 * unix:///path[?db=N]. Passwords are never in it: they come from a file. Pure function. */
#pragma once
#include <stdbool.h>

#include "base/failure.h"

enum { REDIS_URL_TEXT_BYTES = 256 };

struct redis_url {
    bool is_unix, has_tls;
    char host[REDIS_URL_TEXT_BYTES]; /* or the path of the socket */
    int port;                        /* 6379 */
    int database;                    /* 0 */
    char user[64];                   /* "": the default user */
};

MUST_CHECK enum status redis_url_parse(const char *text, struct redis_url *out,
                                       struct failure *failure);
