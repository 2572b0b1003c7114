/* Method: one row an address; what is refused must not be repeated in the failure, for it may hold
 * a password. */
#include "audit/redis/redis_url.h"

#include <string.h>

#include "tests/check.h"

enum { LONG_BYTES = 400 };

static const struct {
    const char *text;
    struct redis_url url;
} accepted[] = {
    {"redis://redis", {.host = "redis", .port = 6379}},
    {"redis://redis/", {.host = "redis", .port = 6379}},
    {"redis://127.0.0.1:7000/3", {.host = "127.0.0.1", .port = 7000, .database = 3}},
    {"redis://ward@redis:1", {.host = "redis", .port = 1, .user = "ward"}},
    {"redis://redis:65535/16383", {.host = "redis", .port = 65535, .database = 16383}},
    {"redis://[::1]:6380/2", {.host = "::1", .port = 6380, .database = 2}},
    {"redis://ward@[fe80::1]", {.host = "fe80::1", .port = 6379, .user = "ward"}},
    {"rediss://redis.example", {.has_tls = true, .host = "redis.example", .port = 6379}},
    {"unix:///run/redis.sock", {.is_unix = true, .host = "/run/redis.sock", .port = 6379}},
    {"unix:///run/r?db=4", {.is_unix = true, .host = "/run/r", .port = 6379, .database = 4}},
};

static const char *const refused[] = {
    "",
    "redis",
    "redis:/host",
    "http://host",
    "REDIS://host",
    "redis://",
    "redis://:6379",
    "redis://@host",
    "redis://ward@",
    "redis://host:",
    "redis://host:0",
    "redis://host:65536",
    "redis://host:99999999999999999999",
    "redis://host:12a",
    "redis://host:-1",
    "redis://host:6379:6379",
    "redis://host/x",
    "redis://host/16384",
    "redis://host/1/2",
    "redis://host?db=1",
    "redis://host#1",
    "redis://[::1",
    "redis://[]",
    "redis://[::1]x",
    "redis://[[.]:1",
    "redis://[host]",
    "redis://a[b",
    "redis://a b",
    "redis://h\x01st",
    "redis://h\xc3\xb6st",
    "redis://ward:s3cret-word@host",
    "redis://:s3cret-word@host:6379/0",
    "unix://run/redis.sock",
    "unix://",
    "unix:///run/r?db=",
    "unix:///run/r?db=x",
    "unix:///run/r?database=1",
};

static void every_form_is_read(void)
{
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        struct redis_url url;
        struct failure failure = {""};
        const struct redis_url *want = &accepted[i].url;
        CHECK(redis_url_parse(accepted[i].text, &url, &failure) == STATUS_OK, "%s: %s",
              accepted[i].text, failure.text);
        CHECK(url.is_unix == want->is_unix && url.has_tls == want->has_tls
                  && strcmp(url.host, want->host) == 0 && url.port == want->port
                  && url.database == want->database && strcmp(url.user, want->user) == 0,
              "%s: host %s port %d database %d user %s", accepted[i].text, url.host, url.port,
              url.database, url.user);
    }
}

static void nothing_else_is(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct redis_url url;
        struct failure failure = {""};
        CHECK(redis_url_parse(refused[i], &url, &failure) == STATUS_INVALID, "%s", refused[i]);
        CHECK(strncmp(failure.text, "audit.redis_url: ", 17) == 0, "%s: %s", refused[i],
              failure.text);
        CHECK(!strstr(failure.text, "s3cret-word"), "%s repeats a password", failure.text);
    }
}

/* Each part at its longest, and one byte longer. */
static void lengths_are_limited(void)
{
    static const struct {
        const char *begins, *ends;
        size_t longest;
    } parts[] = {{"redis://", "", 255}, {"redis://", "@host", 63}, {"unix:///", "?db=1", 254}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (size_t more = 0; more < 2; more++) {
            char text[LONG_BYTES];
            char middle[LONG_BYTES] = "";
            struct redis_url url;
            memset(middle, 'a', parts[i].longest + more);
            snprintf(text, sizeof text, "%s%s%s", parts[i].begins, middle, parts[i].ends);
            const enum status status = redis_url_parse(text, &url, NULL);
            CHECK((status == STATUS_OK) == (more == 0), "%s, %zu bytes", parts[i].begins,
                  parts[i].longest + more);
        }
    }
}

CHECK_MAIN(every_form_is_read, nothing_else_is, lengths_are_limited)
