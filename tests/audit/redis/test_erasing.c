/* Method: a tenant with a short retention beside others; after retention every body that the spool
 * has erased is looked for in all bytes that this Redis has, in memory (DUMP, not compressed) and
 * in its append-only file, and must be nowhere; all others are there, the copy verifies, and what
 * was deleted is told from what somebody else took. */
#include "audit/redis/shipper.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/examine/verify.h"
#include "audit/spool/erased.h"
#include "audit/spool/retention.h"
#include "audit/spool/spool_reader.h"
#include "base/assert.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "tests/audit/redis/support_shipping.h"
#include "tests/check.h"

enum {
    BURSTS = 5, /* several segments */
    BURST = 1000,
    SHORT = 1, /* the tenant whose records go */
    ERASED_LEAST = 300,
    RECORDS_MAX = 20000,
    EACH = 23, /* of so many bodies one is looked for */
    TRIES = 30000,
    BYTES_MAX = 64 << 20,
    LOST_BYTES = 40000,
};

static struct shipping shipping;
static struct kept {
    uint32_t tenant;
    size_t length;
    uint8_t body[RECORD_BODY_BYTES_MAX];
} * before; /* [RECORDS_MAX], by sequence */

static void redis_does(const char *command)
{
    CHECK(support_redis_do(&shipping.redis, command), "%s", command);
}

/* Calls visit for each record of the spool, erased or not. */
static void each_record(void (*visit)(const struct frame *frame))
{
    struct spool_reader *reader = NULL;
    struct spool_place place;
    struct frame frame;
    ASSERT(spool_reader_open(shipping.directory, 1, &reader, NULL) == STATUS_OK);
    while (spool_reader_next(reader, &frame, &place, NULL) == STATUS_OK) {
        if (frame.kind != FRAME_SNAPSHOT) {
            ASSERT(frame.sequence < RECORDS_MAX);
            visit(&frame);
        }
    }
    spool_reader_close(reader);
}

static void keep(const struct frame *frame)
{
    struct kept *kept = &before[frame->sequence];
    if (frame->kind == FRAME_RECORD) {
        kept->tenant = frame->tenant.value;
        kept->length = frame->body_bytes;
        memcpy(kept->body, frame->body, frame->body_bytes);
    }
}

static void fill(void)
{
    shipping_make(&shipping);
    redis_does("CONFIG SET rdbcompression no");
    for (int i = 0; i < BURSTS; i++) {
        shipping_append(&shipping, BURST);
    }
    memset(before, 0, RECORDS_MAX * sizeof *before);
    each_record(keep);
}

static void start(void)
{
    const enum status status = shipping_start(&shipping);
    CHECK(status == STATUS_OK, "%s", shipping.failure.text);
    shipping_wait_all(&shipping);
}

static void erase_by_age(uint64_t shipped)
{
    static const uint32_t days[LIMIT_TENANTS + 1] = {[SHORT] = 1};
    const struct retention_terms terms = {
        .now_unix_ms = clock_unix_ms() + (int64_t)30 * 86400 * 1000,
        .days = 2000,
        .tenant_days = days,
        .shipped = shipped,
    };
    struct retention_done done = {0};
    const enum status status =
        retention_run(shipping.directory, shipping.writer, &terms, NULL, &done, &shipping.failure);
    CHECK(status == STATUS_OK && done.removed_segments == 0 && done.erased > ERASED_LEAST, "%s: %s",
          status_name(status), shipping.failure.text);
}

static void wait_followed(void)
{
    struct erased erased;
    ASSERT(erased_read(shipping.directory, &erased, &shipping.failure) == STATUS_OK);
    ASSERT(erased.count > 0);
    const uint64_t mark = erased.segments[erased.count - 1].mark;
    erased_free(&erased);
    uint64_t followed = 0;
    for (int i = 0; i < TRIES && followed != mark; i++) {
        redisReply *reply = support_redis_ask(&shipping.redis, "GET ward:audit:@erased");
        followed = reply && reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
        freeReplyObject(reply);
    }
    CHECK(followed == mark, "followed to %llu of %llu: %s", (unsigned long long)followed,
          (unsigned long long)mark, shipping_facts(&shipping).trouble);
}

/* ---- looking for bodies ---------------------------------------------------------------------- */

static struct buffer memory, files; /* all bytes that Redis has */

static void read_memory(void)
{
    buffer_clear(&memory);
    redisReply *keys = support_redis_ask(&shipping.redis, "KEYS *");
    ASSERT(keys && keys->elements > SHIPPING_TENANTS);
    for (size_t i = 0; i < keys->elements; i++) {
        redisReply *dump = support_redis_ask(&shipping.redis, "DUMP %s", keys->element[i]->str);
        ASSERT(dump && dump->type == REDIS_REPLY_STRING);
        CHECK(buffer_append(&memory, dump->str, dump->len) == STATUS_OK, "DUMP");
        freeReplyObject(dump);
    }
    freeReplyObject(keys);
}

static void read_files(void)
{
    char pattern[SUPPORT_REDIS_PATH_BYTES + 32];
    glob_t found;
    buffer_clear(&files);
    snprintf(pattern, sizeof pattern, "%s/appendonlydir/*", shipping.redis.directory);
    ASSERT(glob(pattern, 0, NULL, &found) == 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buffer file = {.limit_bytes = BYTES_MAX};
        if (buffer_read_file(&file, found.gl_pathv[i]) == STATUS_OK && file.length > 0) {
            CHECK(buffer_append(&files, file.bytes, file.length) == STATUS_OK, "its files");
        }
        buffer_destroy(&file);
    }
    globfree(&found);
}

static bool has(const struct buffer *bytes, const struct kept *kept)
{
    return memmem(bytes->bytes, bytes->length, kept->body, kept->length) != NULL;
}

static uint64_t erased_count, found_in_memory, found_in_files, lacking;

static void look_for(const struct frame *frame)
{
    const struct kept *kept = &before[frame->sequence];
    if (frame->kind == FRAME_ERASED) {
        CHECK(kept->tenant == SHORT, "no other tenant's is erased");
        erased_count++;
    }
    if (kept->length == 0 || frame->sequence % EACH != 0) {
        return;
    }
    if (frame->kind == FRAME_ERASED) {
        found_in_memory += has(&memory, kept);
        found_in_files += has(&files, kept);
    } else {
        lacking += !has(&memory, kept);
    }
}

static void look(void)
{
    erased_count = found_in_memory = found_in_files = lacking = 0;
    read_memory();
    read_files();
    each_record(look_for);
}

static void check_bodies(const char *when)
{
    wait_followed();
    look();
    for (int i = 0; i < 100 && found_in_files > 0; i++) { /* it is being written anew */
        look();
    }
    CHECK(erased_count > ERASED_LEAST, "%s: %llu erased", when, (unsigned long long)erased_count);
    CHECK(found_in_memory == 0, "%s: %llu are in its memory", when,
          (unsigned long long)found_in_memory);
    CHECK(found_in_files == 0, "%s: %llu are in its files", when,
          (unsigned long long)found_in_files);
    CHECK(lacking == 0, "%s: %llu of others are not there", when, (unsigned long long)lacking);
}

static void check_verify(bool has_spool, enum verify_break want, const char *when)
{
    const struct verify_options options = {
        .public_key = has_spool ? NULL : writer_keys(shipping.writer)->public_key};
    struct verify_result result;
    struct failure failure = {""};
    const enum status status =
        verify_redis(&shipping.config.redis, "ward:audit", has_spool ? shipping.directory : NULL,
                     &options, &result, &failure);
    CHECK(status == STATUS_OK, "%s: %s", when, failure.text);
    CHECK(result.kind == want, "%s: %s, not %s: %s", when, verify_break_name(result.kind),
          verify_break_name(want), result.text);
    CHECK(want != VERIFY_INTACT || result.records > BURST, "%s: %llu records", when,
          (unsigned long long)result.records);
}

/* Everything is compared once more. */
static void check_restart(const char *when)
{
    shipping_stop(&shipping);
    shipping_forget(&shipping);
    start();
    shipping_append(&shipping, 100);
    shipping_wait_all(&shipping);
    CHECK(shipping_facts(&shipping).mismatches == 0, "%s: %s", when,
          shipping_facts(&shipping).trouble);
    const uint64_t count = shipping_compare(&shipping);
    CHECK(count > shipping.appended, "%s: %s", when, shipping.wrong);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void what_is_erased_is_nowhere_in_redis(void)
{
    fill();
    start();
    erase_by_age(shipping_facts(&shipping).acknowledged);
    look();
    CHECK(found_in_memory > 10 && found_in_files > 10, "it was there");
    check_verify(true, VERIFY_INTACT, "before Redis has followed");
    shipper_erase(shipping.shipper);
    check_bodies("at once");
    shipping_wait_all(&shipping);
    check_verify(true, VERIFY_INTACT, "with the spool");
    check_verify(false, VERIFY_TRIMMED, "without the spool");
    check_restart("afterwards");
    shipping_remove(&shipping);
}

static void a_redis_that_was_away_follows_later(void)
{
    fill();
    start();
    const uint64_t shipped = shipping_facts(&shipping).acknowledged;
    support_redis_stop(&shipping.redis, SIGTERM);
    erase_by_age(shipped);
    shipper_erase(shipping.shipper);
    shipping_append(&shipping, 100);
    support_redis_start(&shipping.redis);
    redis_does("CONFIG SET rdbcompression no");
    check_bodies("after Redis was away");
    shipping_wait_all(&shipping);
    check_verify(true, VERIFY_INTACT, "after Redis was away");
    check_restart("after Redis was away");
    shipping_remove(&shipping);
}

static void a_shipper_that_was_away_follows_later(void)
{
    fill();
    start();
    const uint64_t shipped = shipping_facts(&shipping).acknowledged;
    shipping_stop(&shipping);
    erase_by_age(shipped);
    start();
    check_bodies("after the shipper was away");
    check_restart("after the shipper was away");
    shipping_remove(&shipping);
}

/* Its file is cut off within what was deleted, and some bodies are back. */
static void a_redis_that_lost_its_last_second_follows_again(void)
{
    fill();
    shipping.config.redis.require_aof = false; /* so that its file is not written anew */
    start();
    erase_by_age(shipping_facts(&shipping).acknowledged);
    shipper_erase(shipping.shipper);
    wait_followed();
    shipping_stop(&shipping);
    support_redis_stop(&shipping.redis, SIGTERM);
    support_redis_lose(&shipping.redis, LOST_BYTES);
    support_redis_start(&shipping.redis);
    redis_does("CONFIG SET rdbcompression no");
    look();
    CHECK(found_in_memory > 0, "some are back");
    shipping.config.redis.require_aof = true;
    start();
    check_bodies("after its last second was lost");
    shipping_wait_all(&shipping);
    check_verify(true, VERIFY_INTACT, "after its last second was lost");
    check_restart("after its last second was lost");
    shipping_remove(&shipping);
}

/* Nothing is left of the first segments: the shipper learns of it when it starts. */
static void removed_segments_are_trimmed(void)
{
    static const uint32_t none[LIMIT_TENANTS + 1];
    struct retention_done done = {0};
    fill();
    start();
    const struct retention_terms terms = {
        .now_unix_ms = clock_unix_ms() + (int64_t)30 * 86400 * 1000,
        .days = 1,
        .tenant_days = none,
        .shipped = shipping_facts(&shipping).acknowledged,
    };
    shipping_stop(&shipping);
    const enum status status =
        retention_run(shipping.directory, shipping.writer, &terms, NULL, &done, &shipping.failure);
    CHECK(status == STATUS_OK && done.removed_segments > 0, "%s", shipping.failure.text);
    start();
    uint64_t first = 0;
    for (int i = 0; i < TRIES && first != done.removed_to + 1; i++) {
        redisReply *reply =
            support_redis_ask(&shipping.redis, "XRANGE ward:audit:@chain - + COUNT 1");
        ASSERT(reply && reply->elements == 1);
        first = strtoull(reply->element[0]->element[0]->str, NULL, 10);
        freeReplyObject(reply);
    }
    CHECK(first == done.removed_to + 1, "it begins with %llu, not behind %llu",
          (unsigned long long)first, (unsigned long long)done.removed_to);
    shipping_wait_all(&shipping);
    check_verify(true, VERIFY_INTACT, "after segments were removed");
    shipping_remove(&shipping);
}

/* Records of tenant 2, which nothing erased, are the second and the third of each four. */
static void what_retention_left_may_not_be_missing(void)
{
    static const char *const takes[] = {
        "XTRIM ward:audit:@chain MINID 200-1", /* some of tenant 1 are gone before it */
        "XDEL ward:audit:@chain 402-1 403-1 404-1 405-1",
        "XTRIM ward:audit:clinic-2 MINID 2-50",
    };
    fill();
    start();
    erase_by_age(shipping_facts(&shipping).acknowledged);
    shipper_erase(shipping.shipper);
    wait_followed();
    CHECK(writer_drain(shipping.writer), "all is kept");
    shipping_wait_all(&shipping);
    shipping_stop(&shipping);
    for (size_t i = 0; i < sizeof takes / sizeof takes[0]; i++) {
        const char *key = i < 2 ? "ward:audit:@chain" : "ward:audit:clinic-2";
        CHECK(support_redis_do(&shipping.redis, "COPY %s saved REPLACE", key), "COPY");
        redis_does(takes[i]);
        check_verify(true, VERIFY_TRIMMED, takes[i]);
        CHECK(support_redis_do(&shipping.redis, "RENAME saved %s", key), "RENAME");
    }
    check_verify(true, VERIFY_INTACT, "put back");
    redis_does(takes[1]);
    shipping_forget(&shipping);
    CHECK(shipping_start(&shipping) == STATUS_OK, "%s", shipping.failure.text);
    shipping_wait_state(&shipping, SHIPPER_ALARM);
    CHECK(strstr(shipping_facts(&shipping).trouble, "of ward:audit:@chain is missing"), "%s",
          shipping_facts(&shipping).trouble);
    shipping_remove(&shipping);
}

int main(void)
{
    static void (*const tests[])(void) = {
        what_is_erased_is_nowhere_in_redis,    a_redis_that_was_away_follows_later,
        a_shipper_that_was_away_follows_later, a_redis_that_lost_its_last_second_follows_again,
        removed_segments_are_trimmed,          what_retention_left_may_not_be_missing,
    };
    support_redis_need();
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERROR);
    memory.limit_bytes = files.limit_bytes = BYTES_MAX;
    before = calloc(RECORDS_MAX, sizeof *before);
    ASSERT(before);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tests[i]();
    }
    free(before);
    buffer_destroy(&memory);
    buffer_destroy(&files);
    if (check_failures > 0) {
        fprintf(stderr, "%d checks failed\n", check_failures);
    }
    return check_failures > 0;
}
