/* Method: a virtual clock and small pools. Rows of values for numbering and for what is foreign;
 * then threads that open, add, restore and forget at once, each of which may only ever see its own.
 */
#include "policy/filter/vault.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tests/check.h"

enum { SESSIONS = 8, VALUES = 40, LIFETIME_S = 100 };

static const uint64_t second = 1000000000;
static const struct tenant_id a = {1}, b = {2}, nobody = {0};

static struct vault *make(void)
{
    const struct vault_config config = {SESSIONS, VALUES, LIFETIME_S};
    struct vault *vault = NULL;
    CHECK(vault_create(&config, &vault) == STATUS_OK, "create");
    return vault;
}

static struct vault_session *open_at(struct vault *vault, struct tenant_id tenant,
                                     const char *conversation, uint64_t now_s)
{
    struct vault_session *session = NULL;
    const enum status status =
        vault_open(vault, tenant, conversation, strlen(conversation), now_s * second, &session);
    CHECK((status == STATUS_OK) == (session != NULL), "open %s", conversation);
    return session;
}

static uint32_t add(struct vault_session *session, enum policy_kind kind, const char *folded,
                    const char *raw)
{
    uint32_t number = 0;
    return vault_pseudonym(session, kind, folded, strlen(folded), raw, strlen(raw), &number)
                   == STATUS_OK
               ? number
               : 0;
}

static bool restores(const struct vault_session *session, enum policy_kind kind, uint32_t number,
                     const char *want)
{
    const char *raw = NULL;
    size_t bytes = 0;
    return vault_restore(session, kind, number, &raw, &bytes) && bytes == strlen(want)
           && memcmp(raw, want, bytes) == 0;
}

static bool has(const struct vault_session *session, enum policy_kind kind, uint32_t number)
{
    const char *raw = NULL;
    size_t bytes = 0;
    return vault_restore(session, kind, number, &raw, &bytes);
}

static bool is_foreign(const struct vault *vault, struct tenant_id tenant, enum policy_kind kind,
                       const char *folded)
{
    return vault_is_foreign(vault, tenant, kind, folded, strlen(folded));
}

/* ---- one session ----------------------------------------------------------------------------- */

static const struct {
    enum policy_kind kind;
    const char *folded, *raw;
    uint32_t want;
} values[] = {
    {POLICY_NAME, "lily chen", "Lily Chen", 1},
    {POLICY_NAME, "lily", "Lily", 1}, /* a word of the one name */
    {POLICY_NAME, "chen", "CHEN", 1},
    {POLICY_NAME, "omar haddad", "Omar Haddad", 2},
    {POLICY_NAME, "lily chen", "LILY CHEN", 1},
    {POLICY_NAME, "wei chen", "Wei Chen", 3},
    {POLICY_NAME, "chen", "Chen", 4}, /* which of the two? a name of its own */
    {POLICY_NAME, "wei", "Wei", 3},
    {POLICY_NAME, "l", "L", 5},
    {POLICY_PHONE, "5550100", "555-0100", 1}, /* each kind counts by itself */
    {POLICY_SSN, "5550100", "555 0100", 1},
    {POLICY_PHONE, "5550101", "555-0101", 2},
    {POLICY_CITY, "lily", "Lily", 1},
};

static void values_have_numbers(void)
{
    struct vault *const vault = make();
    struct vault_session *const session = open_at(vault, a, "c", 1);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const uint32_t got = add(session, values[i].kind, values[i].folded, values[i].raw);
        CHECK(got == values[i].want, "row %zu: %s has %u", i, values[i].folded, got);
        CHECK(vault_holds(session, values[i].kind, values[i].folded, strlen(values[i].folded)),
              "row %zu: %s is held", i, values[i].folded);
    }
    CHECK(restores(session, POLICY_NAME, 1, "Lily Chen"), "as it first appeared");
    CHECK(restores(session, POLICY_NAME, 3, "Wei Chen"), "the third");
    CHECK(restores(session, POLICY_PHONE, 2, "555-0101"), "a telephone number");
    CHECK(!has(session, POLICY_NAME, 0) && !has(session, POLICY_NAME, 6), "no such number");
    CHECK(!has(session, POLICY_ZIP, 1), "no such kind");
    CHECK(vault_holds(session, POLICY_NAME, "haddad", 6), "a word of a name");
    CHECK(!vault_holds(session, POLICY_NAME, "hadda", 5), "not a part of a word");
    vault_close(session, second);
    vault_destroy(vault);
}

static void values_have_limits(void)
{
    struct vault *const vault = make();
    struct vault_session *const session = open_at(vault, a, "", 1);
    char text[VAULT_VALUE_BYTES + 1];
    memset(text, 'x', sizeof text);
    uint32_t number = 0;
    CHECK(vault_pseudonym(session, POLICY_CODE, text, sizeof text, text, 9, &number)
              == STATUS_TOO_LARGE,
          "folded");
    CHECK(vault_pseudonym(session, POLICY_CODE, text, 9, text, sizeof text, &number)
              == STATUS_TOO_LARGE,
          "raw");
    CHECK(vault_pseudonym(session, POLICY_CODE, text, 0, text, 9, &number) == STATUS_TOO_LARGE,
          "nothing");
    for (int i = 0; i < VALUES; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        text[0] = (char)('a' + i / 26);
        CHECK(vault_pseudonym(session, POLICY_CODE, text, VAULT_VALUE_BYTES, text,
                              VAULT_VALUE_BYTES, &number)
                      == STATUS_OK
                  && number == (uint32_t)i + 1,
              "value %d is %u", i, number);
    }
    CHECK(vault_pseudonym(session, POLICY_NAME, "one", 3, "one", 3, &number) == STATUS_FULL,
          "full");
    CHECK(add(session, POLICY_CODE, "b", "b") == 0, "full for every kind");
    for (int i = 0; i < VALUES; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        text[0] = (char)('a' + i / 26);
        text[VAULT_VALUE_BYTES] = '\0';
        CHECK(restores(session, POLICY_CODE, (uint32_t)i + 1, text), "value %d stayed", i);
    }
    CHECK(vault_counts(vault, a).values == VALUES, "counted");
    vault_close(session, second);
    CHECK(vault_counts(vault, nobody).sessions == 0, "a session of one request goes with it");
    vault_destroy(vault);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void nothing_crosses(void)
{
    struct vault *const vault = make();
    struct vault_session *const first = open_at(vault, a, "c", 1);
    CHECK(add(first, POLICY_NAME, "lily chen", "Lily Chen") == 1, "one");
    struct vault_session *const others[] = {open_at(vault, b, "c", 1), open_at(vault, a, "d", 1),
                                            open_at(vault, a, "", 1), open_at(vault, b, "", 1)};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        CHECK(!has(others[i], POLICY_NAME, 1), "session %zu", i);
        CHECK(!vault_holds(others[i], POLICY_NAME, "lily chen", 9), "session %zu", i);
        vault_close(others[i], second);
    }
    struct vault_session *const same = open_at(vault, a, "c", 1);
    CHECK(restores(same, POLICY_NAME, 1, "Lily Chen"), "two requests of one conversation");
    vault_close(first, second);
    CHECK(restores(same, POLICY_NAME, 1, "Lily Chen"), "the other request ended");
    vault_close(same, second);
    vault_destroy(vault);
}

static void time_passes(void)
{
    struct vault *const vault = make();
    struct vault_session *session = open_at(vault, a, "c", 1);
    CHECK(add(session, POLICY_NAME, "lily chen", "Lily Chen") == 1, "one");
    vault_expire(vault, 1000 * second);
    CHECK(restores(session, POLICY_NAME, 1, "Lily Chen"), "in use it does not end");
    vault_close(session, 1000 * second);
    vault_expire(vault, (1000 + LIFETIME_S) * second);
    CHECK(vault_counts(vault, a).values == 1, "at its time");
    CHECK(is_foreign(vault, b, POLICY_NAME, "lily chen"), "known elsewhere");
    vault_expire(vault, (1000 + LIFETIME_S) * second + 1);
    CHECK(vault_counts(vault, a).sessions == 0, "after its time");
    CHECK(!is_foreign(vault, b, POLICY_NAME, "lily chen"), "nowhere any more");
    session = open_at(vault, a, "c", 2000);
    CHECK(!has(session, POLICY_NAME, 1), "a new one by the old name");
    vault_close(session, 2000 * second);
    session = open_at(vault, a, "c", 2001 + LIFETIME_S);
    vault_close(session, 1);
    vault_expire(vault, 1);
    CHECK(vault_counts(vault, a).sessions == 1, "a clock that went back ends nothing");
    vault_destroy(vault);
}

static void the_least_recently_used_gives_way(void)
{
    struct vault *const vault = make();
    struct vault_session *session = NULL;
    char name[2] = "a";
    for (int i = 0; i < SESSIONS; i++, name[0]++) {
        session = open_at(vault, i == 2 ? b : a, name, 1);
        CHECK(add(session, POLICY_NAME, name, name) == 1, "%s", name);
        vault_close(session, second);
    }
    vault_close(open_at(vault, a, "a", 2), 2 * second);   /* b is the oldest now */
    vault_close(open_at(vault, b, "new", 3), 3 * second); /* of b's own, c gives way */
    session = open_at(vault, b, "c", 4);                  /* and then new */
    CHECK(!has(session, POLICY_NAME, 1), "c gave way");
    vault_close(session, 4 * second);
    for (const char *kept = "abdefgh"; *kept; kept++) {
        const char text[2] = {*kept, '\0'};
        session = open_at(vault, a, text, 4);
        CHECK(restores(session, POLICY_NAME, 1, text), "%s stayed", text);
        vault_close(session, 4 * second);
    }
    vault_close(open_at(vault, a, "z", 5), 5 * second);
    session = open_at(vault, a, "a", 5);
    CHECK(!has(session, POLICY_NAME, 1), "a was the oldest of its tenant");
    vault_close(session, 5 * second);
    vault_destroy(vault);
}

static void sessions_in_use_stay(void)
{
    struct vault *const vault = make();
    struct vault_session *sessions[SESSIONS];
    for (int i = 0; i < SESSIONS; i++) {
        sessions[i] = open_at(vault, a, i % 2 ? "" : "x", 1);
    }
    struct vault_session *more = NULL;
    for (int i = 0; i < SESSIONS / 2 - 1; i++) { /* x is one session */
        CHECK(open_at(vault, b, "", 1) != NULL, "room for %d", i);
    }
    CHECK(vault_open(vault, b, "", 0, second, &more) == STATUS_FULL, "no room");
    CHECK(vault_open(vault, b, "x", 1, second, &more) == STATUS_FULL, "no room for another's name");
    CHECK(vault_open(vault, a, "x", 1, second, &more) == STATUS_OK, "that of a is open already");
    CHECK(vault_counts(vault, nobody).sessions == SESSIONS, "every session is in use");
    vault_close(sessions[1], second);
    CHECK(vault_open(vault, b, "", 0, second, &more) == STATUS_OK, "one ended");
    vault_destroy(vault);
}

static void a_tenant_is_forgotten(void)
{
    struct vault *const vault = make();
    struct vault_session *const idle = open_at(vault, a, "idle", 1);
    CHECK(add(idle, POLICY_NAME, "lily chen", "Lily Chen") == 1, "one");
    vault_close(idle, second);
    struct vault_session *const used = open_at(vault, a, "used", 1);
    CHECK(add(used, POLICY_NAME, "omar haddad", "Omar Haddad") == 1, "one");
    struct vault_session *const other = open_at(vault, b, "used", 1);
    CHECK(add(other, POLICY_NAME, "mia berg", "Mia Berg") == 1, "one");
    CHECK(vault_forget(vault, a) == 2, "two values");
    CHECK(restores(used, POLICY_NAME, 1, "Omar Haddad"), "a request goes on with what it has");
    struct vault_session *const again = open_at(vault, a, "used", 1);
    CHECK(!has(again, POLICY_NAME, 1), "a new request finds nothing");
    vault_close(used, second);
    CHECK(vault_counts(vault, a).values == 0, "all gone");
    CHECK(!is_foreign(vault, b, POLICY_NAME, "omar haddad"), "of the table too");
    CHECK(restores(other, POLICY_NAME, 1, "Mia Berg"), "the other tenant's stays");
    vault_close(again, second);
    vault_close(other, second);
    CHECK(vault_forget(vault, a) == 0, "nothing left");
    vault_destroy(vault);
}

/* ---- other tenants' values ------------------------------------------------------------------- */

static const struct {
    enum policy_kind stored_kind;
    const char *stored;
    enum policy_kind kind;
    const char *asked;
    bool want;
} foreign[] = {
    {POLICY_NAME, "lily chen", POLICY_NAME, "lily chen", true},
    {POLICY_NAME, "lily chen", POLICY_NAME, "chen lily", true},
    {POLICY_NAME, "lily m chen", POLICY_NAME, "lily chen", true},
    {POLICY_NAME, "lily marie chen", POLICY_NAME, "marie chen", true},
    {POLICY_NAME, "lily marie chen", POLICY_NAME, "ann marie chen", true},
    {POLICY_NAME, "lily chen", POLICY_NAME, "lily", false}, /* a first name alone never */
    {POLICY_NAME, "lily", POLICY_NAME, "lily", false},
    {POLICY_NAME, "lily chen", POLICY_NAME, "lily wong", false},
    {POLICY_NAME, "lily chen", POLICY_CITY, "lily chen", false},
    {POLICY_MRN, "mr0052508", POLICY_CODE, "mr0052508", true}, /* whatever it is called */
    {POLICY_SSN, "123456789", POLICY_PHONE, "123456789", true},
    {POLICY_PHONE, "5550100", POLICY_PHONE, "5550100", true},
    {POLICY_PHONE, "555010", POLICY_PHONE, "555010", false},
    {POLICY_PHONE, "2125550100", POLICY_PHONE, "12125550100", true},
    {POLICY_PHONE, "2125550100", POLICY_PHONE, "2125550199", false}, /* the same exchange */
    {POLICY_ACCT, "4111111111111111", POLICY_CODE, "11111111", true},
    {POLICY_ACCT, "4000123456789010", POLICY_ACCT, "4000123499999999", false}, /* the issuer */
    {POLICY_EMAIL, "lily@clinic.example", POLICY_EMAIL, "lily@clinic.example", true},
    {POLICY_EMAIL, "lily@clinic.example", POLICY_EMAIL, "omar@clinic.example", false},
    {POLICY_STREET, "42 oak grove lane", POLICY_STREET, "42 oak grove ln", true},
    {POLICY_STREET, "42 oak grove lane", POLICY_STREET, "7 oak grove lane", false},
    {POLICY_DATE, "03 12 1961", POLICY_DATE, "03 12 1961", false}, /* shared by chance */
    {POLICY_CITY, "virginia beach", POLICY_CITY, "virginia beach", false},
};

static void values_of_others_are_known(void)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        struct vault *const vault = make();
        struct vault_session *const session = open_at(vault, a, "c", 1);
        CHECK(add(session, foreign[i].stored_kind, foreign[i].stored, foreign[i].stored) == 1,
              "row %zu", i);
        CHECK(is_foreign(vault, b, foreign[i].kind, foreign[i].asked) == foreign[i].want,
              "row %zu: %s", i, foreign[i].asked);
        CHECK(!is_foreign(vault, a, foreign[i].kind, foreign[i].asked), "row %zu: its own", i);
        vault_close(session, second);
        vault_destroy(vault);
    }
}

static void what_many_have_is_nobodys(void)
{
    struct vault *const vault = make();
    struct vault_session *sessions[7] = {NULL};
    const struct tenant_id last = {9};
    for (uint32_t i = 0; i < 7; i++) {
        const struct tenant_id tenant = {i + 1};
        sessions[i] = open_at(vault, tenant, "", 1);
        CHECK(add(sessions[i], POLICY_PHONE, "8005550100", "800 555 0100") == 1, "tenant %u", i);
        CHECK(is_foreign(vault, last, POLICY_PHONE, "8005550100") == (i < 4), "%u have it", i + 1);
        CHECK(!is_foreign(vault, tenant, POLICY_PHONE, "8005550100"), "its own, %u", i);
    }
    for (uint32_t i = 0; i < 7; i++) {
        vault_close(sessions[i], second);
    }
    CHECK(!is_foreign(vault, last, POLICY_PHONE, "8005550100"), "none has it");
    struct vault_session *const session = open_at(vault, a, "", 1);
    CHECK(add(session, POLICY_PHONE, "8005550100", "800 555 0100") == 1, "again");
    CHECK(is_foreign(vault, last, POLICY_PHONE, "8005550100"), "the table has room again");
    vault_close(session, second);
    vault_destroy(vault);
}

/* Random adds and ends against a plain count of who holds what; many share a place in the table. */
static void the_table_forgets_nothing_else(void)
{
    enum { CODES = 60, TENANTS = 3, STEPS = 4000 };
    struct vault *const vault = make();
    struct random_source random = {11};
    struct vault_session *open[SESSIONS] = {NULL};
    bool holds[SESSIONS][CODES] = {{false}};
    struct tenant_id tenants[SESSIONS] = {{0}};
    for (int step = 0; step < STEPS; step++) {
        const uint32_t s = random_below(&random, SESSIONS);
        const uint32_t code = random_below(&random, CODES);
        char text[16];
        snprintf(text, sizeof text, "%08u", code * 7654321 % 100000000);
        if (!open[s]) {
            tenants[s].value = 1 + random_below(&random, TENANTS);
            open[s] = open_at(vault, tenants[s], "", 1);
        } else if (random_below(&random, 12) == 0) {
            vault_close(open[s], second);
            open[s] = NULL;
            memset(holds[s], 0, sizeof holds[s]);
        } else {
            holds[s][code] = add(open[s], POLICY_CODE, text, text) > 0 || holds[s][code];
        }
        bool is_own[TENANTS + 1] = {false}, is_held = false;
        for (uint32_t i = 0; i < SESSIONS; i++) {
            is_own[tenants[i].value] = is_own[tenants[i].value] || holds[i][code];
            is_held = is_held || holds[i][code];
        }
        for (uint32_t tenant = 1; tenant <= TENANTS; tenant++) {
            CHECK(is_foreign(vault, (struct tenant_id){tenant}, POLICY_CODE, text)
                      == (is_held && !is_own[tenant]),
                  "step %d, tenant %u", step, tenant);
        }
    }
    vault_destroy(vault);
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 400 };

struct worker {
    struct vault *vault;
    uint32_t number;
    int wrong;
};

static void *work(void *context)
{
    struct worker *const worker = context;
    const struct tenant_id tenant = {1 + worker->number % 2};
    char text[32];
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct vault_session *session = NULL;
        const char *const conversation = round % 3 ? "shared" : "";
        if (vault_open(worker->vault, tenant, conversation, strlen(conversation), second, &session)
            != STATUS_OK) {
            continue;
        }
        snprintf(text, sizeof text, "tenant%u value%u", tenant.value, round % 30);
        const uint32_t number = add(session, POLICY_NAME, text, text);
        worker->wrong += number != 0 && !restores(session, POLICY_NAME, number, text);
        snprintf(text, sizeof text, "tenant%u value%u", 3 - tenant.value, round % 30);
        worker->wrong += vault_holds(session, POLICY_NAME, text, strlen(text));
        worker->wrong += vault_is_foreign(worker->vault, (struct tenant_id){3 - tenant.value},
                                          POLICY_NAME, text, strlen(text));
        vault_close(session, second);
        if (round % 50 == 0) {
            vault_forget(worker->vault, tenant);
            vault_expire(worker->vault, second);
            (void)vault_counts(worker->vault, tenant);
        }
        struct canaries *const canaries = vault_canaries(worker->vault);
        if (round % 20 == 0 && vault_plant(worker->vault, tenant, "canary 7f3a", 11) != STATUS_OK) {
            worker->wrong++;
        }
        canaries_release(canaries);
    }
    return NULL;
}

static void threads_see_their_own(void)
{
    struct vault *const vault = make();
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){vault, i, 0};
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0, "thread %u", i);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(workers[i].wrong == 0, "thread %u saw %d of another's", i, workers[i].wrong);
    }
    vault_destroy(vault);
}

CHECK_MAIN(values_have_numbers, values_have_limits, nothing_crosses, time_passes,
           the_least_recently_used_gives_way, sessions_in_use_stay, a_tenant_is_forgotten,
           values_of_others_are_known, what_many_have_is_nobodys, the_table_forgets_nothing_else,
           threads_see_their_own)
