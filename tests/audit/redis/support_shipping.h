/* support_shipping.h - a spool with a writer, a Redis, a shipper between them, and the oracle: is
 * what Redis has the spool, record by record, nothing missing and nothing twice? */
#pragma once
#include "audit/redis/shipper.h"
#include "tests/audit/redis/support_redis.h"

enum { SHIPPING_TENANTS = 3, SHIPPING_WRONG_BYTES = 128 };

struct shipping {
    char directory[SUPPORT_REDIS_PATH_BYTES];
    struct support_redis redis;
    struct writer *writer;
    struct shipper *shipper;
    struct shipper_config config; /* may be changed before shipping_start */
    struct failure failure;
    atomic_uint_least64_t appended;
    char wrong[SHIPPING_WRONG_BYTES]; /* what shipping_compare found */
};

/* A folder, a Redis and a writer; no shipper yet. */
void shipping_make(struct shipping *shipping);
void shipping_remove(struct shipping *shipping); /* stops all that runs */

enum status shipping_start(struct shipping *shipping); /* the shipper */
void shipping_stop(struct shipping *shipping);         /* after all is shipped that can be */

/* Appends records of the server and of tenants in turn, and waits until they are durable. */
void shipping_append(struct shipping *shipping, uint32_t count);

/* Waits for what must come; asserts that it comes within a minute. */
void shipping_wait_all(struct shipping *shipping);
void shipping_wait_state(struct shipping *shipping, enum shipper_state state);
void shipping_wait_trouble(struct shipping *shipping, const char *part);
struct shipper_facts shipping_facts(struct shipping *shipping);

uint64_t shipping_length(struct shipping *shipping, const char *stream); /* UINT64_MAX: no answer */
uint64_t shipping_count(struct shipping *shipping, enum record_event event); /* in the spool */
void shipping_forget(struct shipping *shipping); /* the file `shipped` */

/* Stops the writer's making of records and the shipper, and compares all of Redis with all of the
 * spool. Returns how many records there are; 0: something is wrong. */
uint64_t shipping_compare(struct shipping *shipping);
