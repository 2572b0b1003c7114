/* limiter.c - buckets in an open-addressed table by tenant id. A bucket that is full again and has
 * no stream says nothing that an empty place does not, so that it makes room when room is short. */
#include "auth/limiter.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"

enum { PLACE_COUNT = 4 * LIMIT_TENANTS }; /* removed tenants may still have streams */

static const double minute_ns = 60e9;

struct bucket {
    struct tenant_id tenant; /* 0: the place is free */
    uint32_t streams;
    double requests_taken, tokens_taken; /* out of the minute's depth; run back to 0 with time */
    uint64_t updated_ns;
};

struct limiter {
    pthread_mutex_t lock;
    struct bucket buckets[PLACE_COUNT];
};

struct limiter *limiter_create(void)
{
    struct limiter *limiter = calloc(1, sizeof *limiter);
    if (limiter) {
        pthread_mutex_init(&limiter->lock, NULL);
    }
    return limiter;
}

void limiter_destroy(struct limiter *limiter)
{
    if (limiter) {
        pthread_mutex_destroy(&limiter->lock);
        free(limiter);
    }
}

/* Linear probing without deletion; NULL: neither there nor room. */
static struct bucket *find(struct limiter *limiter, struct tenant_id tenant)
{
    for (uint32_t i = 0; i < PLACE_COUNT; i++) {
        struct bucket *bucket = &limiter->buckets[(tenant.value + i) % PLACE_COUNT];
        if (tenant_same(bucket->tenant, tenant) || bucket->tenant.value == 0) {
            return bucket;
        }
    }
    return NULL;
}

/* Drops what nobody uses and puts the rest in place again. Only after thousands of tenants. */
static void compact(struct limiter *limiter, uint64_t now_ns)
{
    struct bucket *kept = calloc(PLACE_COUNT, sizeof *kept);
    if (!kept) {
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        const struct bucket *bucket = &limiter->buckets[i];
        if (bucket->streams > 0 || (double)(now_ns - bucket->updated_ns) < minute_ns) {
            kept[count++] = *bucket;
        }
        limiter->buckets[i] = (struct bucket){.streams = 0};
    }
    for (size_t i = 0; i < count; i++) {
        struct bucket *place = find(limiter, kept[i].tenant);
        ASSERT(place != NULL);
        *place = kept[i];
    }
    free(kept);
}

static double refill(double taken, double limit, double elapsed_ns)
{
    const double left = taken - limit * elapsed_ns / minute_ns;
    return left > 0 && limit > 0 ? left : 0;
}

/* Milliseconds until `excess` has run back at `limit` a minute. */
static uint32_t wait_ms(double excess, uint32_t limit)
{
    if (excess <= 0 || limit == 0) {
        return 0;
    }
    const double ms = excess / limit * 60e3;
    return ms < 3600e3 ? (uint32_t)ms + 1 : 3600000;
}

static uint32_t remaining(uint32_t limit, double taken)
{
    return taken < limit ? (uint32_t)(limit - taken) : 0;
}

static void tell(const struct bucket *bucket, const struct auth_limits *limits,
                 struct auth_budget *out)
{
    *out = (struct auth_budget){
        .requests_limit = limits->requests_per_minute,
        .requests_remaining = remaining(limits->requests_per_minute, bucket->requests_taken),
        .requests_reset_ms = wait_ms(bucket->requests_taken, limits->requests_per_minute),
        .tokens_limit = limits->tokens_per_minute,
        .tokens_remaining = remaining(limits->tokens_per_minute, bucket->tokens_taken),
        .tokens_reset_ms = wait_ms(bucket->tokens_taken, limits->tokens_per_minute),
    };
}

static enum status admit(struct bucket *bucket, const struct limiter_request *request,
                         struct auth_budget *out, const char **what)
{
    const struct auth_limits *limits = &request->limits;
    const double request_excess = bucket->requests_taken + 1 - limits->requests_per_minute;
    const double token_excess = bucket->tokens_taken + request->tokens - limits->tokens_per_minute;
    *what = NULL;
    uint32_t retry_ms = 0;
    if (limits->requests_per_minute > 0 && request_excess > 0) {
        *what = "requests";
        retry_ms = wait_ms(request_excess, limits->requests_per_minute);
    } else if (limits->tokens_per_minute > 0 && token_excess > 0) {
        *what = "tokens";
        retry_ms = wait_ms(token_excess, limits->tokens_per_minute);
    } else if (limits->streams_max > 0 && bucket->streams >= limits->streams_max) {
        *what = "streams";
        retry_ms = 1000; /* nobody knows when a stream ends */
    } else {
        bucket->requests_taken += limits->requests_per_minute > 0 ? 1 : 0;
        bucket->tokens_taken += limits->tokens_per_minute > 0 ? request->tokens : 0;
        bucket->streams++;
    }
    tell(bucket, limits, out);
    out->retry_after_ms = retry_ms;
    return *what ? STATUS_QUOTA : STATUS_OK;
}

/* Brings a bucket, perhaps a new one, up to the request's time. */
static void bring_up(struct bucket *bucket, const struct limiter_request *request)
{
    const bool is_later = bucket->tenant.value != 0 && request->now_ns > bucket->updated_ns;
    const double elapsed_ns = is_later ? (double)(request->now_ns - bucket->updated_ns) : 0;
    if (is_later || bucket->tenant.value == 0) {
        bucket->updated_ns = request->now_ns;
    }
    bucket->tenant = request->tenant;
    bucket->requests_taken =
        refill(bucket->requests_taken, request->limits.requests_per_minute, elapsed_ns);
    bucket->tokens_taken =
        refill(bucket->tokens_taken, request->limits.tokens_per_minute, elapsed_ns);
}

enum status limiter_admit(struct limiter *limiter, const struct limiter_request *request,
                          struct auth_budget *out, const char **what)
{
    enum status status = STATUS_QUOTA; /* no place: thousands of removed tenants have streams */
    *what = "streams";
    out->retry_after_ms = 1000;
    pthread_mutex_lock(&limiter->lock);
    struct bucket *bucket = find(limiter, request->tenant);
    if (!bucket) {
        compact(limiter, request->now_ns);
        bucket = find(limiter, request->tenant);
    }
    if (bucket) {
        bring_up(bucket, request);
        status = admit(bucket, request, out, what);
    }
    pthread_mutex_unlock(&limiter->lock);
    return status;
}

void limiter_release(struct limiter *limiter, struct tenant_id tenant, uint32_t tokens_taken,
                     uint32_t tokens_used)
{
    pthread_mutex_lock(&limiter->lock);
    struct bucket *bucket = find(limiter, tenant);
    ASSERT(bucket && bucket->streams > 0);
    bucket->streams--;
    if (tokens_used < tokens_taken) {
        bucket->tokens_taken = refill(bucket->tokens_taken, tokens_taken - tokens_used, minute_ns);
    }
    pthread_mutex_unlock(&limiter->lock);
}
