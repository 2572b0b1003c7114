/* Method: a virtual clock. Tables for single decisions; then random admits and releases against the
 * one law that must hold: in any run nothing beyond depth + rate * time is ever let through. */
#include "auth/limiter.h"

#include "base/random.h"
#include "tests/check.h"

enum { SECOND = 1000000000 };

static const struct tenant_id a = {1}, b = {2};

static enum status admit(struct limiter *limiter, struct tenant_id tenant,
                         const struct auth_limits *limits, uint64_t now_ns, uint32_t tokens,
                         struct auth_budget *budget, const char **what)
{
    const struct limiter_request request = {tenant, *limits, now_ns, tokens};
    return limiter_admit(limiter, &request, budget, what);
}

static enum status ask(struct limiter *limiter, struct tenant_id tenant,
                       const struct auth_limits *limits, uint64_t now_ns, uint32_t tokens)
{
    struct auth_budget budget;
    const char *what = NULL;
    return admit(limiter, tenant, limits, now_ns, tokens, &budget, &what);
}

static void requests_run_back_with_time(void)
{
    struct limiter *limiter = limiter_create();
    const struct auth_limits limits = {.requests_per_minute = 60};
    struct auth_budget budget;
    const char *what = NULL;
    for (int i = 0; i < 60; i++) {
        CHECK(ask(limiter, a, &limits, SECOND, 0) == STATUS_OK, "request %d", i);
    }
    CHECK(admit(limiter, a, &limits, SECOND, 0, &budget, &what) == STATUS_QUOTA, "61st");
    CHECK(what && what[0] == 'r', "what: %s", what ? what : "none");
    CHECK(budget.requests_remaining == 0 && budget.requests_limit == 60, "budget");
    CHECK(budget.retry_after_ms >= 1000 && budget.retry_after_ms <= 1001, "retry after %u ms",
          budget.retry_after_ms);
    CHECK(budget.requests_reset_ms >= 60000 && budget.requests_reset_ms <= 60001, "reset");
    CHECK(ask(limiter, b, &limits, SECOND, 0) == STATUS_OK, "another tenant has its own");
    CHECK(ask(limiter, a, &limits, SECOND + SECOND / 2, 0) == STATUS_QUOTA, "half a second on");
    CHECK(ask(limiter, a, &limits, 2ULL * SECOND, 0) == STATUS_OK, "a second on");
    CHECK(ask(limiter, a, &limits, 2ULL * SECOND, 0) == STATUS_QUOTA, "and only one");
    limiter_destroy(limiter);
}

static void unused_tokens_come_back(void)
{
    struct limiter *limiter = limiter_create();
    const struct auth_limits limits = {.tokens_per_minute = 1000};
    struct auth_budget budget;
    const char *what = NULL;
    CHECK(ask(limiter, a, &limits, SECOND, 900) == STATUS_OK, "900 of 1000");
    CHECK(admit(limiter, a, &limits, SECOND, 200, &budget, &what) == STATUS_QUOTA, "200");
    CHECK(what && what[0] == 't', "what");
    CHECK(budget.tokens_remaining == 100, "100 left, told %u", budget.tokens_remaining);
    CHECK(budget.retry_after_ms >= 6000 && budget.retry_after_ms <= 6001, "after %u ms",
          budget.retry_after_ms);
    limiter_release(limiter, a, 900, 100);
    CHECK(ask(limiter, a, &limits, SECOND, 900) == STATUS_OK, "800 came back");
    CHECK(ask(limiter, a, &limits, SECOND, 1) == STATUS_QUOTA, "and not one more");
    CHECK(ask(limiter, a, &limits, SECOND, 1001) == STATUS_QUOTA, "more than a whole minute");
    limiter_release(limiter, a, 900, 900);
    limiter_destroy(limiter);
}

static void streams_are_counted(void)
{
    struct limiter *limiter = limiter_create();
    const struct auth_limits limits = {.streams_max = 2};
    CHECK(ask(limiter, a, &limits, 1, 10) == STATUS_OK, "first");
    CHECK(ask(limiter, a, &limits, 1, 10) == STATUS_OK, "second");
    CHECK(ask(limiter, a, &limits, 1, 10) == STATUS_QUOTA, "third");
    CHECK(ask(limiter, a, &limits, 9000ULL * SECOND, 10) == STATUS_QUOTA, "time does not help");
    limiter_release(limiter, a, 10, 10);
    CHECK(ask(limiter, a, &limits, 1, 10) == STATUS_OK, "one ended");
    limiter_destroy(limiter);
}

static void no_limit_is_no_limit(void)
{
    struct limiter *limiter = limiter_create();
    const struct auth_limits none = {0}, some = {.requests_per_minute = 1};
    for (int i = 0; i < 10000; i++) {
        CHECK(ask(limiter, a, &none, 1, UINT32_MAX) == STATUS_OK, "request %d", i);
    }
    CHECK(ask(limiter, a, &some, 1, UINT32_MAX) == STATUS_OK, "a limit starts with a full bucket");
    limiter_destroy(limiter);
}

static void run(uint64_t seed)
{
    struct random_source random = {seed};
    struct limiter *limiter = limiter_create();
    const struct auth_limits limits = {.requests_per_minute = 1 + random_below(&random, 600),
                                       .tokens_per_minute = 1 + random_below(&random, 100000)};
    uint64_t now_ns = 1;
    double requests = 0, tokens = 0;
    for (int i = 0; i < 20000; i++) {
        now_ns += random_below(&random, SECOND / 4);
        const uint32_t wanted = random_below(&random, 2000);
        if (ask(limiter, a, &limits, now_ns, wanted) == STATUS_OK) {
            const uint32_t used = random_below(&random, wanted + 1);
            limiter_release(limiter, a, wanted, used);
            requests += 1;
            tokens += used;
        }
        const double minutes = (double)now_ns / 60e9;
        CHECK(requests <= limits.requests_per_minute * (1 + minutes) + 1, "seed %lu", seed);
        CHECK(tokens <= limits.tokens_per_minute * (1 + minutes) + 1, "seed %lu", seed);
    }
    CHECK(requests > 0, "seed %lu let something through", seed);
    limiter_destroy(limiter);
}

static void never_more_than_depth_and_rate(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        run(seed);
    }
}

static void a_thousand_tenants_come_and_go(void)
{
    struct limiter *limiter = limiter_create();
    const struct auth_limits limits = {.requests_per_minute = 1};
    uint64_t now_ns = 1;
    for (uint32_t id = 1; id < 20000; id++) {
        const struct tenant_id tenant = {id};
        now_ns += SECOND;
        CHECK(ask(limiter, tenant, &limits, now_ns, 0) == STATUS_OK, "tenant %u", id);
        CHECK(ask(limiter, tenant, &limits, now_ns, 0) == STATUS_QUOTA, "tenant %u again", id);
        limiter_release(limiter, tenant, 0, 0);
    }
    limiter_destroy(limiter);
}

CHECK_MAIN(requests_run_back_with_time, unused_tokens_come_back, streams_are_counted,
           no_limit_is_no_limit, never_more_than_depth_and_rate, a_thousand_tenants_come_and_go)
