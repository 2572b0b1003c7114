/* Method: as test_shipper.c, for a Redis that is not to be used: settings that lose data, a user
 * who may not, a wrong password, another chain, and entries that are not what the spool says. */
#include "audit/redis/shipper.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "audit/chain/digest.h"
#include "audit/spool/erased.h"
#include "base/buffer.h"
#include "base/log.h"
#include "tests/audit/redis/check_shipping.h"

enum { PATH_BYTES = 160, USERS_BYTES_MAX = 4096 };

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
    {"rediss://127.0.0.1:1", "ward:audit", NULL}, /* no TLS in this hiredis, or no CA */
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

/* The users of deploy/, with a default user for the test itself beside them. */
static void write_deployed_users(const char *path, const char *password)
{
    struct buffer users = {.limit_bytes = USERS_BYTES_MAX};
    char hexadecimal[2 * DIGEST_BYTES + 1];
    const struct digest digest = digest_of(password, strlen(password));
    sodium_bin2hex(hexadecimal, sizeof hexadecimal, digest.bytes, DIGEST_BYTES);
    CHECK(buffer_read_file(&users, WARD_SOURCE_DIR "/deploy/redis/users.acl") == STATUS_OK,
          "users");
    const char *ward = users.bytes ? strstr(users.bytes, "user ward on #") : NULL;
    const char *rest = ward ? strstr(ward, "WARD_PASSWORD_SHA256") : NULL;
    FILE *file = fopen(path, "we");
    CHECK(rest && file, "%s", path);
    if (rest && file) {
        fprintf(file, "user default on nopass ~* &* +@all\nuser ward on #%s%s", hexadecimal,
                rest + strlen("WARD_PASSWORD_SHA256"));
        fclose(file);
    }
    buffer_destroy(&users);
}

static void the_deployed_user_may_do_what_is_needed(void)
{
    char users[PATH_BYTES];
    char password[PATH_BYTES];
    shipping_make(&shipping);
    support_redis_stop(&shipping.redis, SIGKILL);
    snprintf(users, sizeof users, "%s/users.acl", shipping.redis.directory);
    snprintf(password, sizeof password, "%s/password", shipping.redis.directory);
    write_password(password, "right-one\n");
    write_deployed_users(users, "right-one");
    shipping.redis.acl_file = users;
    support_redis_start(&shipping.redis);
    shipping.config.redis.user = "ward";
    shipping.config.redis.password_file = password;
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 500);
    shipping_wait_all(&shipping);
    shipping_stop(&shipping);
    shipping_forget(&shipping);
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 100);
    shipping_wait_all(&shipping);
    const uint64_t before = shipping_length(&shipping, "ward:audit:@chain");
    CHECK(erased_note_removed(shipping.directory, 200, 1, &shipping.failure) == STATUS_OK
              && erased_note(shipping.directory, 201, 1, &shipping.failure) == STATUS_OK,
          "noted");
    shipper_erase(shipping.shipper);
    for (int i = 0; i < 30000 && shipping_length(&shipping, "ward:audit:@chain") >= before; i++) {
    }
    CHECK(shipping_length(&shipping, "ward:audit:@chain") < before, "it may trim: %s",
          shipping_facts(&shipping).trouble);
    bool is_followed = false;
    for (int i = 0; i < 30000 && !is_followed; i++) {
        redisReply *mark = support_redis_ask(&shipping.redis, "GET ward:audit:@erased");
        is_followed = mark && mark->type == REDIS_REPLY_STRING;
        freeReplyObject(mark);
    }
    CHECK(is_followed, "it may say how far it has erased: %s", shipping_facts(&shipping).trouble);
    CHECK(shipping_facts(&shipping).reconnects == 0, "nothing was denied");
    shipping_remove(&shipping);
}

/* Where hiredis has TLS; where it has not, its refusal is in wrong_settings. */
static void records_travel_by_tls(void)
{
    char url[PATH_BYTES], ca[PATH_BYTES], other_ca[PATH_BYTES];
    shipping_make(&shipping);
    shipping.config.redis.url = "rediss://127.0.0.1:1";
    if (shipping_start(&shipping) == STATUS_INVALID
        && strstr(shipping.failure.text, "hiredis with TLS")) {
        shipping_remove(&shipping);
        return;
    }
    support_redis_stop(&shipping.redis, SIGKILL);
    support_redis_make_certificate(&shipping.redis, "tls");
    support_redis_make_certificate(&shipping.redis, "other");
    support_redis_choose_tls_port(&shipping.redis);
    support_redis_start(&shipping.redis);
    snprintf(url, sizeof url, "rediss://127.0.0.1:%s", shipping.redis.tls_port);
    snprintf(ca, sizeof ca, "%s/tls.crt", shipping.redis.directory);
    snprintf(other_ca, sizeof other_ca, "%s/other.crt", shipping.redis.directory);
    shipping.config.redis.url = url;
    shipping.config.redis.ca_file = other_ca;
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 500);
    shipping_wait_trouble(&shipping, "TLS");
    CHECK(shipping_length(&shipping, "ward:audit:@chain") == 0, "nothing was sent");
    shipper_stop(shipping.shipper, 0);
    shipping.config.redis.ca_file = ca;
    check_start(STATUS_OK, "");
    shipping_append(&shipping, 1500);
    check_same("by TLS");
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
    {{"DEL ward:audit:clinic-1", "SET ward:audit:clinic-1 x"}, "something else under that key"},
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
        shipping_forget(&shipping);
        redis_does(tampering[i].breaks[0]);
        redis_does(tampering[i].breaks[1]);
        const uint64_t length = shipping_length(&shipping, "ward:audit:@chain");
        check_start(STATUS_OK, "");
        shipping_append(&shipping, 100);
        shipping_wait_state(&shipping, SHIPPER_ALARM);
        const struct shipper_facts facts = shipping_facts(&shipping);
        CHECK(strstr(facts.trouble, tampering[i].says), "\"%s\" is not \"%s\"", facts.trouble,
              tampering[i].says);
        CHECK(facts.mismatches == 1, "counted once: %llu", (unsigned long long)facts.mismatches);
        CHECK(shipping_length(&shipping, "ward:audit:@chain") == length,
              "nothing is written to it");
        if (i == 0) {
            redis_does("FLUSHALL");
            shipping_wait_all(&shipping);
            CHECK(shipping_compare(&shipping) > 0, "started anew: %s", shipping.wrong);
        }
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
    shipping_wait_all(&shipping);
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
        an_unsafe_redis_is_refused_at_start,
        wrong_settings_are_refused_at_start,
        it_becomes_unsafe_while_it_is_away,
        a_wrong_password_is_mended,
        the_deployed_user_may_do_what_is_needed,
        records_travel_by_tls,
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
