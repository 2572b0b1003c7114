/* An address of Redis from bytes: what is accepted is within bounds and says the same when it is
 * written again; ids of entries likewise. */
#include "audit/redis/redis_url.h"

#include <stdio.h>
#include <string.h>

#include "audit/redis/redis_key.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { TEXT_BYTES = 1024 };

static void write_url(const struct redis_url *url, char out[TEXT_BYTES])
{
    const char *at = url->user[0] != '\0' ? "@" : "";
    const bool is_ipv6 = strchr(url->host, ':') != NULL;
    if (url->is_unix) {
        snprintf(out, TEXT_BYTES, "unix://%s?db=%d", url->host, url->database);
    } else {
        snprintf(out, TEXT_BYTES, "redis%s://%s%s%s%s%s:%d/%d", url->has_tls ? "s" : "", url->user,
                 at, is_ipv6 ? "[" : "", url->host, is_ipv6 ? "]" : "", url->port, url->database);
    }
}

static void check_url(const char *text)
{
    struct failure failure = {""};
    struct redis_url url;
    struct redis_url again;
    char written[TEXT_BYTES];
    if (redis_url_parse(text, &url, &failure) != STATUS_OK) {
        ASSERT(failure.text[0] != '\0' && !strchr(failure.text, '\n'));
        return;
    }
    ASSERT(url.host[0] != '\0' && url.port >= 1 && url.port <= 65535 && url.database >= 0);
    write_url(&url, written);
    ASSERT(redis_url_parse(written, &again, &failure) == STATUS_OK);
    ASSERT(strcmp(url.host, again.host) == 0 && strcmp(url.user, again.user) == 0
           && url.port == again.port && url.database == again.database
           && url.is_unix == again.is_unix && url.has_tls == again.has_tls);
}

static void check_id(const char *text, size_t length)
{
    uint64_t high = 0, low = 0, high_again = 0, low_again = 0;
    char id[REDIS_ID_BYTES];
    if (redis_key_read_id(text, length, &high, &low)) {
        const size_t id_length = redis_key_id(high, low, id);
        ASSERT(redis_key_read_id(id, id_length, &high_again, &low_again));
        ASSERT(high == high_again && low == low_again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char text[TEXT_BYTES];
    if (length < sizeof text) {
        if (length > 0) {
            memcpy(text, bytes, length);
        }
        text[length] = '\0';
        check_url(text);
        check_id(text, length);
    }
    return 0;
}
