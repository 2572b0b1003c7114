/* check_shipping.h - the one shipping of a test file, and what its tests ask of it again and again.
 * In a header, for CHECK counts in the file that it stands in. */
#pragma once
#include <string.h>

#include "tests/audit/redis/support_shipping.h"
#include "tests/check.h"

static struct shipping shipping;

static inline void check_same(const char *when)
{
    const uint64_t mismatches = shipping_facts(&shipping).mismatches;
    const uint64_t count = shipping_compare(&shipping);
    CHECK(count > shipping.appended, "%s: %llu records: %s", when, (unsigned long long)count,
          shipping.wrong);
    CHECK(mismatches == 0, "%s: %llu alarms", when, (unsigned long long)mismatches);
}

static inline void check_start(enum status want, const char *part)
{
    shipping.failure.text[0] = '\0';
    const enum status status = shipping_start(&shipping);
    CHECK(status == want, "%s: %s", status_name(status), shipping.failure.text);
    CHECK(strstr(shipping.failure.text, part), "\"%s\" says nothing of %s", shipping.failure.text,
          part);
}

static inline bool redis_does(const char *command)
{
    const bool does = support_redis_do(&shipping.redis, command);
    CHECK(does, "%s", command);
    return does;
}
