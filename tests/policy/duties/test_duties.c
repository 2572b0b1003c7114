/* Method: a clock that is told, through days of conversations: each row is one turn and what must
 * be due. Then more conversations than the table has room for: one that is forgotten is told again,
 * never the other way round. */
#include "policy/duties/duties.h"

#include <stdio.h>
#include <string.h>

#include "tests/check.h"

enum { HOUR = 3600, DAY = 24 * HOUR, START = 1700000000, MANY = 5000 };

static const struct rules_duties rules = {
    .discloses_ai_at_start = true,
    .discloses_ai_when_asked = true,
    .discloses_again_after_days = 7,
    .reminds_every_minutes = 180,
    .reminds_minors_every_minutes = 60,
};

static const struct {
    int64_t at_s;
    const char *conversation;
    uint32_t tenant;
    bool is_first, is_asked, is_minor;
    enum duty want;
} turns[] = {
    {0, "a", 1, true, false, false, DUTY_DISCLOSE},
    {60, "a", 1, false, false, false, DUTY_NONE},
    {61, "a", 2, false, false, false, DUTY_NONE}, /* another clinic's "a" */
    {2 * HOUR, "a", 1, false, true, false, DUTY_DISCLOSE},
    {4 * HOUR, "a", 1, false, false, false, DUTY_NONE}, /* three hours count from the last */
    {5 * HOUR, "a", 1, false, false, false, DUTY_REMIND},
    {5 * HOUR + 1, "a", 1, false, false, false, DUTY_NONE},
    {6 * HOUR, "a", 1, false, false, true, DUTY_REMIND}, /* a minor hears it each hour */
    {6 * HOUR + 8 * DAY, "a", 1, false, false, false, DUTY_DISCLOSE},
    {6 * HOUR + 8 * DAY, "", 1, true, false, false, DUTY_DISCLOSE},
    {6 * HOUR + 8 * DAY, "", 1, false, false, false, DUTY_NONE},
    {6 * HOUR + 8 * DAY, "", 1, false, true, false, DUTY_DISCLOSE},
    {0, "clock-went-back", 1, false, false, false, DUTY_NONE},
    {-HOUR, "clock-went-back", 1, false, false, false, DUTY_NONE},
};

static struct duties *create(uint32_t count)
{
    struct duties *duties = NULL;
    CHECK(duties_create(count, &duties) == STATUS_OK, "no table");
    return duties;
}

static struct duties_turn turn_of(uint32_t tenant, const char *conversation, int64_t at_s)
{
    return (struct duties_turn){.tenant = {tenant},
                                .conversation = conversation,
                                .length = strlen(conversation),
                                .now_unix_s = START + at_s};
}

static void what_is_due_is_told(void)
{
    struct duties *duties = create(64);
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        struct duties_turn turn = turn_of(turns[i].tenant, turns[i].conversation, turns[i].at_s);
        turn.is_first = turns[i].is_first;
        turn.is_asked = turns[i].is_asked;
        turn.is_minor = turns[i].is_minor;
        const enum duty got = duties_due(duties, &rules, &turn);
        CHECK(got == turns[i].want, "turn %zu: %d, not %d", i, got, turns[i].want);
    }
    duties_destroy(duties);
}

static void without_duties_nothing_is_told(void)
{
    static const struct rules_duties none;
    struct duties *duties = create(64);
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        struct duties_turn turn = turn_of(1, turns[i].conversation, turns[i].at_s);
        turn.is_first = turn.is_asked = true;
        CHECK(duties_due(duties, &none, &turn) == DUTY_NONE, "turn %zu", i);
    }
    CHECK(!duties_text(&none, DUTY_NONE) && strstr(duties_text(&none, DUTY_REMIND), "AI"), "texts");
    duties_destroy(duties);
}

static void the_longest_unused_gives_way(void)
{
    struct duties *duties = create(256);
    const struct duties_turn first = turn_of(1, "kept", 0);
    duties_due(duties, &rules, &first);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        const struct duties_turn other = turn_of(1, name, i);
        CHECK(duties_due(duties, &rules, &other) == DUTY_NONE, "%d", i);
        const struct duties_turn kept = turn_of(1, "kept", i);
        CHECK(duties_due(duties, &rules, &kept) == DUTY_NONE, "used all the time, %d", i);
    }
    const struct duties_turn late = turn_of(1, "kept", 3 * HOUR);
    CHECK(duties_due(duties, &rules, &late) == DUTY_REMIND, "it was forgotten");
    duties_destroy(duties);
}

CHECK_MAIN(what_is_due_is_told, without_duties_nothing_is_told, the_longest_unused_gives_way)
