/* Method: a writer, a shipper and a real redis-server; each test does one thing to that Redis, then
 * compares all that it holds with all of the spool, entry by entry. */
#include "audit/redis/shipper.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/redis/redis_reader.h"
#include "audit/redis/redis_reply.h"
#include "audit/spool/spool_reader.h"
#include "base/log.h"
#include "tests/audit/support_shipping.h"
#include "tests/check.h"

enum { PATH_BYTES = 160, WRONG_BYTES = 128 };

static struct shipping shipping;

static void check_same(const char *when)
{
    char wrong[WRONG_BYTES] = "";
    const uint64_t mismatches = shipping_facts(&shipping).mismatches;
    const uint64_t count = shipping_compare(&shipping, wrong, sizeof wrong);
    CHECK(count > shipping.appended, "%s: %llu records: %s", when, (unsigned long long)count,
          wrong);
    CHECK(mismatches == 0, "%s: %llu alarms", when, (unsigned long long)mismatches);
}

static void check_start(enum status want, const char *part)
{
    shipping.failure.text[0] = '\0';
    const enum status status = shipping_start(&shipping);
    CHECK(status == want, "%s: %s", status_name(status), shipping.failure.text);
    CHECK(strstr(shipping.failure.text, part), "\"%s\" says nothing of %s", shipping.failure.text,
          part);
}

static bool redis_does(const char *command)
{
    const bool does = support_redis_do(&shipping.redis, command);
    CHECK(does, "%s", command);
    return does;
}

static uint64_t length_of(const char *key)
{
    redisReply *reply = support_redis_ask(&shipping.redis, "XLEN %s", key);
    const uint64_t length =
        reply && reply->type == REDIS_REPLY_INTEGER ? (uint64_t)reply->integer : UINT64_MAX;
    freeReplyObject(reply);
    return length;
}

static void forget_shipped(void)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/shipped", shipping.directory);
    CHECK(unlink(path) == 0, "there is a file shipped");
}

static uint64_t count_events(enum record_event event)
{
    struct spool_reader *reader = NULL;
    struct spool_place place;
    struct frame frame;
    struct record record;
    uint64_t count = 0;
    if (spool_reader_open(shipping.directory, 1, &reader, NULL) != STATUS_OK) {
        return UINT64_MAX;
    }
    while (spool_reader_next(reader, &frame, &place, NULL) == STATUS_OK) {
        count += frame.kind == FRAME_RECORD
                 && record_parse(frame.body, frame.body_bytes, &record) == STATUS_OK
                 && record.event == event;
    }
    spool_reader_close(reader);
    return count;
}

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
    forget_shipped();
    check_start(STATUS_OK, "");
    shipping_wait_all(&shipping);
    CHECK(shipping_facts(&shipping).resent == 0, "what is there is compared, not sent");
    shipping_append(&shipping, 100);
    check_same("after shipped was lost");
    CHECK(count_events(RECORD_EVENT_AUDIT_REDIS_LOST) == 0, "nothing was lost");
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
        CHECK(frame.sequence == sequence && sequence == ++count, "record %llu",
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
    const uint64_t view = length_of("ward:audit:clinic-1");
    shipper_trim_to(shipping.shipper, 1200);
    for (int i = 0; i < 30000 && !begins_with("ward:audit:@chain", "1201-1"); i++) {
    }
    CHECK(begins_with("ward:audit:@chain", "1201-1"), "1200 records are gone");
    const uint64_t left = length_of("ward:audit:clinic-1");
    CHECK(left >= view - 300 && left <= view - 298, "%llu of %llu", (unsigned long long)left,
          (unsigned long long)view);
    shipping_append(&shipping, 10);
    shipping_wait_all(&shipping);
    CHECK(shipping_facts(&shipping).mismatches == 0, "no alarm");
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
    CHECK(count_events(RECORD_EVENT_AUDIT_REDIS_LOST) == 0, "so little may be lost");
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
    CHECK(count_events(RECORD_EVENT_AUDIT_REDIS_LOST) == 1, "and it was recorded");
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

/* ---- a Redis that is not to be used ---------------------------------------------------------- */

static const struct {
    const char *breaks, *says;
    bool warns_suffice;
} unsafe[] = {
    {"CONFIG SET maxmemory-policy allkeys-lru", "maxmemory-policy noeviction", true},
    {"CONFIG SET appendonly no", "appendonly yes", true},
    {"CONFIG SET appendfsync no", "appendfsync everysec", true},
    {"ACL SETUSER default -config", "+config|get", true},
    {"ACL SETUSER default -info", "INFO", false},
    {"ACL SETUSER default -set", "SET", false},
    {"SET ward:audit:@owner 00aa", "audit.redis_prefix", false},
};

static void an_unsafe_redis_is_refused_at_start(void)
{
    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
        shipping_make(&shipping);
        redis_does(unsafe[i].breaks);
        check_start(STATUS_FORBIDDEN, unsafe[i].says);
        shipping.config.redis.only_warns = true;
        check_start(unsafe[i].warns_suffice ? STATUS_OK : STATUS_FORBIDDEN, "");
        shipping_remove(&shipping);
    }
    shipping_make(&shipping);
    redis_does("CONFIG SET appendonly no");
    shipping.config.redis.require_aof = false;
    check_start(STATUS_OK, "");
    check_same("without AOF, as configured");
    shipping_remove(&shipping);
}

static const struct {
    const char *url, *prefix, *password_file;
} wrong_settings[] = {
    {"http://redis", "ward:audit", NULL},
    {NULL, "ward audit", NULL},
    {NULL, "", NULL},
    {NULL, "ward:audit", "/nonexistent/password"},
    {NULL, "ward:audit", "/dev/null"},
#ifndef WARD_REDIS_TLS
    {"rediss://127.0.0.1:1", "ward:audit", NULL},
#endif
};

static void wrong_settings_are_refused_at_start(void)
{
    shipping_make(&shipping);
    const struct shipper_config right = shipping.config;
    for (size_t i = 0; i < sizeof wrong_settings / sizeof wrong_settings[0]; i++) {
        shipping.config = right;
        shipping.config.prefix = wrong_settings[i].prefix;
        shipping.config.redis.password_file = wrong_settings[i].password_file;
        if (wrong_settings[i].url) {
            shipping.config.redis.url = wrong_settings[i].url;
        }
        check_start(STATUS_INVALID, "audit.redis_");
    }
    shipping_remove(&shipping);
}

static void it_becomes_unsafe_while_it_is_away(void)
{
    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 100);
    shipping_wait_all(&shipping);
    redis_does("CONFIG SET maxmemory-policy allkeys-lru");
    redis_does("CLIENT KILL TYPE normal");
    shipping_append(&shipping, 100);
    shipping_wait_state(&shipping, SHIPPER_REFUSED);
    redis_does("CONFIG SET maxmemory-policy noeviction");
    check_same("after it was mended");
    shipping_remove(&shipping);
}

static void write_password(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
}

static void a_wrong_password_is_mended(void)
{
    char path[PATH_BYTES];
    shipping_make(&shipping);
    snprintf(path, sizeof path, "%s/password", shipping.redis.directory);
    write_password(path, "not-the-one\n");
    redis_does("CONFIG SET requirepass right-one");
    shipping.redis.password = "right-one";
    shipping.config.redis.password_file = path;
    check_start(STATUS_OK, ""); /* somebody may still be changing it */
    shipping_append(&shipping, 100);
    shipping_wait_state(&shipping, SHIPPER_REFUSED);
    CHECK(!strstr(shipping_facts(&shipping).trouble, "not-the-one"), "the password is not told");
    write_password(path, "right-one\r\n");
    shipping_wait_all(&shipping);
    shipping_append(&shipping, 100);
    check_same("with the right password");
    shipping_remove(&shipping);
}

/* ---- tampering ------------------------------------------------------------------------------- */

static const struct {
    const char *breaks[2], *says;
} tampering[] = {
    {{"XDEL ward:audit:@chain 401-1", "PING"}, "401-1 of ward:audit:@chain is missing"},
    {{"XTRIM ward:audit:@chain MAXLEN 100", "PING"}, "1-1 of ward:audit:@chain is missing"},
    {{"XTRIM ward:audit:@chain MAXLEN 0", "PING"}, "1-1 of ward:audit:@chain is missing"},
    {{"DEL ward:audit:@chain", "XADD ward:audit:@chain 400-1 frame x"}, "@chain"},
    {{"XADD ward:audit:@chain 99999-1 frame x", "PING"}, "ahead of the spool"},
    {{"XADD ward:audit:@chain * frame x", "PING"}, "not written by Ward"},
    {{"XDEL ward:audit:clinic-2 2-7", "PING"}, "2-7 of ward:audit:clinic-2 is missing"},
    {{"DEL ward:audit:clinic-3", "XADD ward:audit:clinic-3 3-1 event x record y"},
     "3-1 of ward:audit:clinic-3 differs"},
};

/* All is compared, for the file `shipped` is gone. Nothing is written until all is right again. */
static void tampering_is_an_alarm(void)
{
    for (size_t i = 0; i < sizeof tampering / sizeof tampering[0]; i++) {
        shipping_make(&shipping);
        check_start(STATUS_OK, "");
        shipping_append(&shipping, 600);
        shipping_wait_all(&shipping);
        shipping_stop(&shipping);
        forget_shipped();
        redis_does(tampering[i].breaks[0]);
        redis_does(tampering[i].breaks[1]);
        const uint64_t length = length_of("ward:audit:@chain");
        check_start(STATUS_OK, "");
        shipping_append(&shipping, 100);
        shipping_wait_state(&shipping, SHIPPER_ALARM);
        const struct shipper_facts facts = shipping_facts(&shipping);
        CHECK(strstr(facts.trouble, tampering[i].says), "\"%s\" is not \"%s\"", facts.trouble,
              tampering[i].says);
        CHECK(facts.mismatches == 1, "counted once: %llu", (unsigned long long)facts.mismatches);
        CHECK(length_of("ward:audit:@chain") == length, "nothing is written to it");
        redis_does("FLUSHALL");
        shipping_wait_all(&shipping);
        char wrong[WRONG_BYTES] = "";
        CHECK(shipping_compare(&shipping, wrong, sizeof wrong) > 0, "started anew: %s", wrong);
        shipping_remove(&shipping);
    }
}

/* The stream alone is gone: it is filled again, and views, which refuse the ids, are compared. */
static void a_lost_stream_is_filled_beside_its_views(void)
{
    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 1500);
    shipping_wait_all(&shipping);
    redis_does("DEL ward:audit:@chain");
    shipping_append(&shipping, 100);
    check_same("after DEL of the stream");
    shipping_remove(&shipping);

    shipping_make(&shipping);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 1500);
    shipping_wait_all(&shipping);
    redis_does("XDEL ward:audit:clinic-1 1-3");
    redis_does("DEL ward:audit:@chain");
    shipping_append(&shipping, 100);
    shipping_wait_state(&shipping, SHIPPER_ALARM);
    CHECK(strstr(shipping_facts(&shipping).trouble, "1-3 of ward:audit:clinic-1 is missing"), "%s",
          shipping_facts(&shipping).trouble);
    shipping_remove(&shipping);
}

int main(void)
{
    static void (*const tests[])(void) = {
        what_is_durable_is_shipped,
        starting_again_sends_nothing_twice,
        the_copy_is_read_back,
        trimming_forgets_the_oldest,
        a_killed_redis_loses_nothing,
        an_emptied_redis_is_filled_again,
        connections_are_cut,
        refused_writes_are_sent_later,
        stopping_does_not_wait_for_a_paused_redis,
        an_unsafe_redis_is_refused_at_start,
        wrong_settings_are_refused_at_start,
        it_becomes_unsafe_while_it_is_away,
        a_wrong_password_is_mended,
        tampering_is_an_alarm,
        a_lost_stream_is_filled_beside_its_views,
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
