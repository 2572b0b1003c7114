/* Method: every field is set to a number of its own, so that one which tally_add forgets, or adds
 * to another, is seen; lists of blocked kinds are cut at every length. */
#include "policy/filter/tally.h"

#include <string.h>

#include "tests/check.h"

enum { FIELDS = sizeof(struct tally) / sizeof(uint32_t) };

static void every_number_is_added(void)
{
    uint32_t numbers[FIELDS];
    struct tally sum = {.disguised = 0};
    struct tally more;
    for (uint32_t i = 0; i < FIELDS; i++) {
        numbers[i] = i + 1;
    }
    memcpy(&more, numbers, sizeof more);
    tally_add(&sum, &more);
    tally_add(&sum, &more);
    memcpy(numbers, &sum, sizeof sum);
    for (uint32_t i = 0; i < FIELDS; i++) {
        CHECK(numbers[i] == 2 * (i + 1), "number %u is %u", i, numbers[i]);
    }
}

static void blocked_kinds_are_named(void)
{
    struct tally tally = {.disguised = 0};
    char text[256];
    CHECK(strcmp(tally_blocked(&tally, text, sizeof text), "") == 0, "none: %s", text);
    tally.counts[POLICY_BLOCK][POLICY_SSN] = 2;
    tally.counts[POLICY_BLOCK][POLICY_PHONE] = 1;
    tally.counts[POLICY_REDACT][POLICY_NAME] = 1;
    CHECK(strcmp(tally_blocked(&tally, text, sizeof text), "PHONE, SSN") == 0, "two: %s", text);
    for (size_t bytes = 1; bytes < 11; bytes++) {
        const char *const got = tally_blocked(&tally, text, bytes);
        const char *const want = bytes >= 6 ? "PHONE" : bytes >= 4 ? "SSN" : "";
        CHECK(strcmp(got, want) == 0, "%zu bytes: %s", bytes, got);
    }
}

CHECK_MAIN(every_number_is_added, blocked_kinds_are_named)
