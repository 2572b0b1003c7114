/* Method: a real Redis is filled by the real shipper, which then stops. Each thing that somebody
 * with access to that Redis could do is done, must be found and named, with the spool at hand and
 * with the public key alone, and is undone. An entry of a stream cannot be changed, but a stream
 * with another entry can be put in its place. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "audit/examine/verify.h"
#include "audit/spool/directory.h"
#include "base/assert.h"
#include "tests/audit/redis/support_shipping.h"
#include "tests/check.h"

enum { RECORDS = 400 };

static struct shipping shipping;
static uint8_t public_key[CHECKPOINT_KEY_BYTES];

static void verify(bool has_spool, enum verify_break want, const char *what)
{
    const struct verify_options options = {.public_key = has_spool ? NULL : public_key};
    struct verify_result result;
    struct failure failure = {""};
    const enum status status =
        verify_redis(&shipping.config.redis, "ward:audit", has_spool ? shipping.directory : NULL,
                     &options, &result, &failure);
    CHECK(status == STATUS_OK, "%s: %s", what, failure.text);
    CHECK(result.kind == want, "%s, %s spool: %s, not %s: %s", what, has_spool ? "with" : "without",
          verify_break_name(result.kind), verify_break_name(want), result.text);
    CHECK(want != VERIFY_INTACT || result.records >= RECORDS, "%s: %llu records", what,
          (unsigned long long)result.records);
}

static void save(const char *key)
{
    CHECK(support_redis_do(&shipping.redis, "COPY %s saved REPLACE", key), "COPY");
}

static void restore(const char *key)
{
    CHECK(support_redis_do(&shipping.redis, "RENAME saved %s", key), "RENAME");
}

/* The same stream, but byte `at` of the last field of its n-th entry is another. */
static void change_entry(const char *key, size_t n, size_t at, bool mends_checksum)
{
    redisReply *all = support_redis_ask(&shipping.redis, "XRANGE %s - +", key);
    ASSERT(all && all->elements > n);
    for (size_t i = 0; i < all->elements; i++) {
        const redisReply *fields = all->element[i]->element[1];
        const char *words[16] = {"XADD", "changed", all->element[i]->element[0]->str};
        char command[256];
        uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
        redisReply *last = fields->element[fields->elements - 1];
        ASSERT(last->len < sizeof bytes);
        memcpy(bytes, last->str, last->len);
        if (i == n) {
            bytes[at < last->len ? at : last->len - 1] ^= 1;
        }
        if (i == n && mends_checksum) {
            struct frame frame = {0};
            size_t frame_bytes = 0;
            ASSERT(frame_parse((const uint8_t *)last->str, last->len, &frame, &frame_bytes)
                   == STATUS_OK);
            uint8_t body[RECORD_BODY_BYTES_MAX];
            memcpy(body, bytes + FRAME_HEADER_BYTES, frame.body_bytes);
            frame.body = body;
            frame_write(&frame, bytes);
        }
        snprintf(command, sizeof command, "XADD changed %s %s %s", words[2],
                 fields->elements == 4 ? "event x record" : "frame", "%b");
        CHECK(support_redis_do(&shipping.redis, command, bytes, last->len), "XADD");
    }
    freeReplyObject(all);
    CHECK(support_redis_do(&shipping.redis, "RENAME changed %s", key), "RENAME");
}

/* The last entry of the stream whose record is the server's own, and so is in no view. */
static size_t entry_of_server(const char *key)
{
    redisReply *all = support_redis_ask(&shipping.redis, "XRANGE %s - +", key);
    size_t found = 0;
    ASSERT(all);
    for (size_t i = 0; i + 1 < all->elements; i++) {
        const redisReply *bytes = all->element[i]->element[1]->element[1];
        struct frame frame = {0};
        size_t frame_bytes = 0;
        ASSERT(frame_parse((const uint8_t *)bytes->str, bytes->len, &frame, &frame_bytes)
               == STATUS_OK);
        found = frame.tenant.value == 0 ? i : found;
    }
    freeReplyObject(all);
    return found;
}

static void fill(void)
{
    support_redis_need();
    shipping_make(&shipping);
    ASSERT(shipping_start(&shipping) == STATUS_OK);
    shipping_append(&shipping, RECORDS);
    shipping_wait_all(&shipping);
    CHECK(writer_drain(shipping.writer), "all is kept");
    shipping_stop(&shipping);
    CHECK(writer_stop(shipping.writer), "all is kept");
    shipping.writer = NULL;
    ASSERT(directory_read_public_key(shipping.directory, public_key, &shipping.failure)
           == STATUS_OK);
    verify(true, VERIFY_INTACT, "untouched");
    verify(false, VERIFY_INTACT, "untouched");
}

static void trimming_is_found(void)
{
    static const char key[] = "ward:audit:@chain";
    save(key);
    CHECK(support_redis_do(&shipping.redis, "XTRIM %s MINID 50-1", key), "XTRIM");
    verify(true, VERIFY_TRIMMED, "the beginning");
    verify(false, VERIFY_TRIMMED, "the beginning");
    restore(key);
    save(key);
    CHECK(support_redis_do(&shipping.redis, "XDEL %s 200-1 201-1", key), "XDEL");
    verify(true, VERIFY_TRIMMED, "two in the middle");
    verify(false, VERIFY_TRIMMED, "two in the middle");
    restore(key);
    save(key);
    CHECK(support_redis_do(&shipping.redis, "XDEL %s %llu-1", key,
                           (unsigned long long)shipping_length(&shipping, key)),
          "XDEL");
    verify(true, VERIFY_TRIMMED, "the last");
    restore(key);
    save(key);
    CHECK(support_redis_do(&shipping.redis, "DEL %s", key), "DEL");
    verify(true, VERIFY_TRIMMED, "all");
    restore(key);
    verify(true, VERIFY_INTACT, "put back");
}

static void a_changed_entry_is_found(void)
{
    static const char key[] = "ward:audit:@chain";
    for (size_t n = 3; n < RECORDS; n += 180) {
        save(key);
        change_entry(key, n, 2000, false);
        verify(true, VERIFY_DIFFERENCE, "a changed byte");
        verify(false, VERIFY_DIFFERENCE, "a changed byte");
        restore(key);
        save(key);
        change_entry(key, n, 2000, true);
        verify(true, VERIFY_DIFFERENCE, "a changed body");
        verify(false, VERIFY_DIFFERENCE, "a changed body, which its view is not");
        restore(key);
    }
    save(key);
    change_entry(key, entry_of_server(key), 2000, true);
    verify(false, VERIFY_REWRITE, "a changed body of the server's own, which has no view");
    restore(key);
    verify(true, VERIFY_INTACT, "put back");
}

static void views_are_compared(void)
{
    redisReply *names = support_redis_ask(&shipping.redis, "KEYS ward:audit:[^@]*");
    ASSERT(names && names->elements > 0);
    char key[128];
    snprintf(key, sizeof key, "%s", names->element[0]->str);
    freeReplyObject(names);
    redisReply *first = support_redis_ask(&shipping.redis, "XRANGE %s - + COUNT 1", key);
    ASSERT(first && first->elements == 1);
    save(key);
    CHECK(support_redis_do(&shipping.redis, "XDEL %s %s", key, first->element[0]->element[0]->str),
          "XDEL");
    freeReplyObject(first);
    verify(true, VERIFY_TRIMMED, "an entry of a view");
    verify(false, VERIFY_TRIMMED, "an entry of a view");
    restore(key);
    save(key);
    change_entry(key, 7, 2000, false);
    verify(true, VERIFY_DIFFERENCE, "a changed entry of a view");
    verify(false, VERIFY_DIFFERENCE, "a changed entry of a view");
    restore(key);
    save(key);
    CHECK(support_redis_do(&shipping.redis, "DEL %s", key), "DEL");
    verify(true, VERIFY_TRIMMED, "a whole view");
    restore(key);
    verify(true, VERIFY_INTACT, "put back");
}

static void another_owner_is_found(void)
{
    static const char key[] = "ward:audit:@owner";
    save(key);
    CHECK(support_redis_do(&shipping.redis, "SET %s %s", key,
                           "00000000000000000000000000000000"
                           "00000000000000000000000000000000"),
          "SET");
    verify(true, VERIFY_DIFFERENCE, "another owner");
    verify(false, VERIFY_DIFFERENCE, "another owner");
    restore(key);
}

static void clean_up(void)
{
    shipping_remove(&shipping);
}

CHECK_MAIN(fill, trimming_is_found, a_changed_entry_is_found, views_are_compared,
           another_owner_is_found, clean_up)
