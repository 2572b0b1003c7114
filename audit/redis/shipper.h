/* shipper.h - one thread that carries durable frames from the spool to Redis, pipelined, with
 * backoff (100 ms to 10 s, jittered) and without ever giving up. Rules: README.md here. */
#pragma once
#include "audit/redis/redis_link.h"
#include "audit/spool/writer.h"

struct shipper;

enum shipper_state {
    SHIPPER_CONNECTING, /* cannot be reached, or not yet */
    SHIPPER_REFUSED,    /* reached, but it may lose data, denies us, or has another chain */
    SHIPPER_SHIPPING,
    SHIPPER_ALARM, /* Redis holds something else than the spool: it is not written to any more */
};

struct shipper_config {
    const char *directory, *prefix;
    struct redis_terms redis;
    /* For what is durable, the chain's id, and audit.redis_lost; outlives the shipper: drain it,
     * stop the shipper, stop it. */
    struct writer *writer;
};

/* Checks the Redis once. STATUS_FORBIDDEN, STATUS_INVALID: start no server with it. A Redis that
 * cannot be reached or does not know the password is no reason not to start. */
MUST_CHECK enum status shipper_start(const struct shipper_config *config, struct shipper **out,
                                     struct failure *failure);

/* Ships for at most wait_ms what is durable by now, then joins. NULL is fine. */
void shipper_stop(struct shipper *shipper, uint32_t wait_ms);

void shipper_wake(struct shipper *shipper); /* any thread: something became durable */

struct shipper_facts {
    enum shipper_state state;
    uint64_t acknowledged; /* last sequence */
    uint64_t resent, reconnects, mismatches;
    char trouble[FAILURE_TEXT_BYTES]; /* of the last failure; "": none */
};
void shipper_read_facts(struct shipper *shipper, struct shipper_facts *out);

/* After retention: Redis forgets what the spool has erased or removed (audit/spool/erased.h). It
 * does so, too, after each connect. */
void shipper_erase(struct shipper *shipper);
