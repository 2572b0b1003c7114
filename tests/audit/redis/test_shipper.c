/* Method: a writer, a shipper and a real redis-server; each test does one thing to that Redis, then
 * compares all that it holds with all of the spool, entry by entry. */
#include "audit/redis/shipper.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "audit/redis/redis_reader.h"
#include "audit/redis/redis_reply.h"
#include "audit/spool/erased.h"
#include "audit/spool/retention.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "tests/audit/redis/check_shipping.h"

/* ---- nothing goes wrong ---------------------------------------------------------------------- */

static void what_is_durable_is_shipped(void)
{
    shipping_make(&shipping);
    shipping_append(&shipping, 3000);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 2000);
    check_same("first");
    shipping_remove(&shipping);
}

static void starting_again_sends_nothing_twice(void)
{
    shipping_make(&shipping);
    shipping_append(&shipping, 700);
    for (int i = 0; i < 3; i++) {
        check_start(STATUS_OK, "");
        shipping_append(&shipping, 100);
        shipping_wait_all(&shipping);
        shipping_stop(&shipping);
    }
    shipping_forget(&shipping);
    check_start(STATUS_OK, "");
    shipping_wait_all(&shipping);
    CHECK(shipping_facts(&shipping).resent == 0, "what is there is compared, not sent");
    shipping_append(&shipping, 100);
    check_same("after shipped was lost");
    CHECK(shipping_count(&shipping, RECORD_EVENT_AUDIT_REDIS_LOST) == 0, "nothing was lost");
    shipping_remove(&shipping);
}

static void the_copy_is_read_back(void)
{
    struct redis_reader *reader = NULL;
    struct frame frame;
    struct record record;
    uint64_t sequence = 0, views = 0, count = 0;
    shipping_make(&shipping);
    CHECK(redis_reader_open(&shipping.config.redis, "ward:audit", &reader, &shipping.failure)
              == STATUS_NOT_FOUND,
          "nothing is there yet");
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 1000);
    shipping_wait_all(&shipping);
    const enum status status =
        redis_reader_open(&shipping.config.redis, "ward:audit", &reader, &shipping.failure);
    CHECK(status == STATUS_OK, "%s", shipping.failure.text);
    while (status == STATUS_OK && redis_reader_next(reader, &frame, &sequence, NULL) == STATUS_OK) {
        const uint8_t *body = NULL;
        size_t length = 0;
        count++;
        CHECK(frame.sequence == sequence && sequence == count, "record %llu",
              (unsigned long long)count);
        if (frame.tenant.value > 0
            && record_parse(frame.body, frame.body_bytes, &record) == STATUS_OK
            && redis_reader_view(reader, record.tenant_name, frame.tenant, record.number, &body,
                                 &length, &shipping.failure)
                   == STATUS_OK) {
            views += length == frame.body_bytes && memcmp(body, frame.body, length) == 0;
        }
    }
    CHECK(count > 1000 && views == 750, "%llu records, %llu views", (unsigned long long)count,
          (unsigned long long)views);
    const uint8_t *body = NULL;
    size_t length = 0;
    CHECK(status == STATUS_OK && strlen(redis_reader_owner(reader)) == 64, "the owner");
    CHECK(redis_reader_view(reader, "clinic-1", (struct tenant_id){1}, 9999, &body, &length, NULL)
              == STATUS_NOT_FOUND,
          "no such view");
    redis_reader_close(reader);
    shipping_remove(&shipping);
}

static bool begins_with(const char *key, const char *id)
{
    redisReply *reply = support_redis_ask(&shipping.redis, "XRANGE %s - + COUNT 1", key);
    const redisReply *first = NULL;
    const redisReply *fields = NULL;
    const bool begins =
        reply && redis_reply_entry(reply, 0, &first, &fields) && redis_reply_is_text(first, id);
    freeReplyObject(reply);
    return begins;
}

/* Tenant 1 has a record in each four; which is the first that is left depends on the checkpoints
 * between them, so the view is followed to its own first record. */
static void trimming_forgets_the_oldest(void)
{
    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 2000);
    shipping_wait_all(&shipping);
    const uint64_t view = shipping_length(&shipping, "ward:audit:clinic-1");
    CHECK(erased_note_removed(shipping.directory, 1200, 1, &shipping.failure) == STATUS_OK,
          "noted");
    shipper_erase(shipping.shipper);
    for (int i = 0; i < 30000 && !begins_with("ward:audit:@chain", "1201-1"); i++) {
    }
    CHECK(begins_with("ward:audit:@chain", "1201-1"), "1200 records are gone");
    const uint64_t left = shipping_length(&shipping, "ward:audit:clinic-1");
    CHECK(left >= view - 300 && left <= view - 298, "%llu of %llu", (unsigned long long)left,
          (unsigned long long)view);
    shipping_append(&shipping, 10);
    shipping_wait_all(&shipping);
    CHECK(shipping_facts(&shipping).mismatches == 0, "no alarm");
    shipping_remove(&shipping);
}

/* All but tenant 2's bodies in closed segments. */
static uint64_t erase_by_age(void)
{
    static uint32_t days[LIMIT_TENANTS + 1] = {[2] = 36500};
    const struct retention_terms terms = {
        .now_unix_ms = clock_unix_ms() + (int64_t)30 * 86400 * 1000,
        .days = 1,
        .tenant_days = days,
        .shipped = shipping_facts(&shipping).acknowledged,
    };
    struct retention_done done = {0};
    const enum status status =
        retention_run(shipping.directory, shipping.writer, &terms, NULL, &done, &shipping.failure);
    CHECK(status == STATUS_OK && done.removed_segments == 0, "%s: %s", status_name(status),
          shipping.failure.text);
    return done.erased;
}

static void erased_bodies_are_no_difference(void)
{
    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    for (int i = 0; i < 8; i++) { /* several segments */
        shipping_append(&shipping, 1000);
    }
    shipping_wait_all(&shipping);
    const uint64_t erased = erase_by_age();
    CHECK(erased > 1000, "%llu bodies are erased", (unsigned long long)erased);
    shipping_stop(&shipping);
    shipping_forget(&shipping); /* so that all is compared */
    check_start(STATUS_OK, "");
    shipping_wait_all(&shipping);
    CHECK(shipping_facts(&shipping).mismatches == 0, "%s", shipping_facts(&shipping).trouble);
    redis_does("FLUSHALL");
    shipping_append(&shipping, 100);
    shipping_wait_all(&shipping);
    check_same("what was erased is sent again as it is");
    shipping_remove(&shipping);
}

/* ---- Redis goes and comes back --------------------------------------------------------------- */

static void a_killed_redis_loses_nothing(void)
{
    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 1000);
    shipping_wait_all(&shipping);
    support_redis_stop(&shipping.redis, SIGKILL);
    shipping_append(&shipping, 500);
    shipping_wait_state(&shipping, SHIPPER_CONNECTING);
    support_redis_lose(&shipping.redis, 30000);
    support_redis_start(&shipping.redis);
    shipping_wait_all(&shipping);
    const struct shipper_facts facts = shipping_facts(&shipping);
    CHECK(facts.resent > 0 && facts.reconnects > 0, "resent %llu",
          (unsigned long long)facts.resent);
    check_same("after kill -9 and a lost tail");
    CHECK(shipping_count(&shipping, RECORD_EVENT_AUDIT_REDIS_LOST) == 0, "so little may be lost");
    shipping_remove(&shipping);
}

static void an_emptied_redis_is_filled_again(void)
{
    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 1000);
    shipping_wait_all(&shipping);
    redis_does("FLUSHALL"); /* on a connection that stays open */
    shipping_append(&shipping, 1000);
    shipping_wait_all(&shipping);
    CHECK(shipping_facts(&shipping).resent >= 1000, "all was sent again");
    check_same("after FLUSHALL");
    CHECK(shipping_count(&shipping, RECORD_EVENT_AUDIT_REDIS_LOST) == 1, "and it was recorded");
    shipping_remove(&shipping);
}

static void connections_are_cut(void)
{
    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    for (int i = 0; i < 10; i++) {
        shipping_append(&shipping, 300);
        redis_does("CLIENT KILL TYPE normal");
    }
    redis_does("CLIENT PAUSE 800");
    shipping_append(&shipping, 300);
    check_same("after CLIENT KILL and CLIENT PAUSE");
    shipping_remove(&shipping);
}

static const struct {
    const char *breaks, *trouble, *mends;
} refusals[] = {
    {"CONFIG SET maxmemory 1", "full", "CONFIG SET maxmemory 0"},
    {"REPLICAOF 127.0.0.1 1", "replica", "REPLICAOF NO ONE"},
};

static void refused_writes_are_sent_later(void)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        shipping_make(&shipping);
        check_start(STATUS_OK, "");
        shipping_append(&shipping, 500);
        shipping_wait_all(&shipping);
        redis_does(refusals[i].breaks);
        shipping_append(&shipping, 500);
        shipping_wait_trouble(&shipping, refusals[i].trouble);
        redis_does(refusals[i].mends);
        shipping_wait_all(&shipping);
        check_same(refusals[i].breaks);
        shipping_remove(&shipping);
    }
}

static void stopping_does_not_wait_for_a_paused_redis(void)
{
    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 100);
    shipping_wait_all(&shipping);
    CHECK(kill(shipping.redis.pid, SIGSTOP) == 0, "paused");
    shipping_append(&shipping, 100);
    shipper_stop(shipping.shipper, 0);
    CHECK(kill(shipping.redis.pid, SIGCONT) == 0, "goes on");
    check_start(STATUS_OK, "");
    check_same("after a stop while it was paused");
    shipping_remove(&shipping);
}

int main(void)
{
    static void (*const tests[])(void) = {
        what_is_durable_is_shipped,
        starting_again_sends_nothing_twice,
        the_copy_is_read_back,
        trimming_forgets_the_oldest,
        erased_bodies_are_no_difference,
        a_killed_redis_loses_nothing,
        an_emptied_redis_is_filled_again,
        connections_are_cut,
        refused_writes_are_sent_later,
        stopping_does_not_wait_for_a_paused_redis,
    };
    support_redis_need();
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERROR);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tests[i]();
    }
    if (check_failures > 0) {
        fprintf(stderr, "%d checks failed\n", check_failures);
    }
    return check_failures > 0;
}
