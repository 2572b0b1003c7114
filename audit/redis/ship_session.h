/* ship_session.h - what the shipper's thread does: open a connection and find out where Redis is,
 * then window after window. What it knows of Redis outlives connections; every failure closes the
 * connection, and the next one finds out again. One thread. */
#pragma once
#include <stdatomic.h>

#include "audit/redis/ship_erase.h"
#include "audit/redis/ship_window.h"
#include "audit/redis/shipped.h"
#include "audit/redis/shipper.h"
#include "audit/spool/spool_reader.h"

struct ship_session {
    const struct shipper_config *config;
    const atomic_bool *is_stopping; /* becomes true: a long comparison is left */
    struct ship_window *window;
    struct shipped file;
    uint64_t acknowledged; /* last sequence that Redis said it has */
    uint64_t resent;       /* acknowledged once, and lost by Redis */
    uint32_t limit;        /* records in a window: halved by a failure, doubled by a success */
    bool differs;          /* the last failure: Redis holds something else than the spool */

    redisContext *link; /* NULL: not connected */
    struct spool_reader *reader;
    uint64_t position; /* last sequence of the stream */
    bool has_read;     /* some frame of this reader */
    struct ship_erase erase;
};

/* STATUS_INVALID: the prefix. STATUS_IO. */
MUST_CHECK enum status ship_session_create(struct ship_session *session,
                                           const struct shipper_config *config,
                                           const atomic_bool *is_stopping, struct failure *failure);
void ship_session_destroy(struct ship_session *session);

/* Connects, claims the prefix, compares and goes to where Redis is. */
MUST_CHECK enum status ship_session_open(struct ship_session *session, struct failure *failure);
void ship_session_close(struct ship_session *session); /* the connection */

/* One window of what is durable. STATUS_NOT_FOUND: nothing to ship, although durable says so. */
MUST_CHECK enum status ship_session_ship(struct ship_session *session, uint64_t durable,
                                         struct failure *failure);

/* One step of making Redis forget what retention took; ship_erase.h. */
MUST_CHECK enum status ship_session_erase(struct ship_session *session, enum ship_erased *out,
                                          struct failure *failure);
