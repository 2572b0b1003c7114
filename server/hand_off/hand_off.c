#include "server/hand_off/hand_off.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/hand_off/hand_off_post.h"
#include "server/hand_off/hand_off_stream.h"

enum { IDLE_MS = 500, REDIS_TIMEOUT_MS = 2000, REDIS_PAUSE_S = 2, ID_RANDOM_BYTES = 16 };
static const uint64_t NS_A_SECOND = 1000000000;

struct waiting {
    struct hand_off_event event;
    char entry[HAND_OFF_ENTRY_BYTES]; /* in the stream; "": not there yet */
    uint32_t attempts;
    uint64_t due_ns;
    uint64_t tried_ns; /* when its tenant's webhook was last tried, with whatever event */
    bool is_used;
};

struct hand_off {
    struct hand_off_config config;
    struct hand_off_stream stream;
    bool has_redis, has_resumed;
    uint64_t redis_due_ns; /* after a failure nothing is asked of it before */
    pthread_t thread;
    CURL *curl; /* of the thread */
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct waiting waiting[HAND_OFF_EVENTS_MAX];
    struct hand_off_counts counts;
};

/* ---- queue ----------------------------------------------------------------------------------- */

/* With the lock. False: it is full, or has enough of this tenant. */
static bool add(struct hand_off *hand_off, const struct hand_off_event *event, const char *entry)
{
    struct waiting *place = NULL;
    uint32_t tenant_count = 0;
    uint64_t tried_ns = 0;
    for (size_t i = 0; i < HAND_OFF_EVENTS_MAX; i++) {
        struct waiting *waiting = &hand_off->waiting[i];
        if (!waiting->is_used) {
            place = place ? place : waiting;
        } else if (tenant_same(waiting->event.tenant, event->tenant)) {
            tenant_count++;
            tried_ns = waiting->tried_ns;
        }
    }
    if (!place || tenant_count >= HAND_OFF_TENANT_MAX) {
        hand_off->counts.lost++;
        return false;
    }
    *place = (struct waiting){.event = *event, .tried_ns = tried_ns, .is_used = true};
    snprintf(place->entry, sizeof place->entry, "%s", entry);
    hand_off->counts.waiting++;
    return true;
}

void hand_off_push(struct hand_off *hand_off, const struct hand_off_event *event)
{
    struct hand_off_event made = *event;
    unsigned char random[ID_RANDOM_BYTES];
    char hex[2 * ID_RANDOM_BYTES + 1];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(hex, sizeof hex, random, sizeof random);
    snprintf(made.id, sizeof made.id, "msg_%s", hex);
    pthread_mutex_lock(&hand_off->lock);
    const bool is_taken = add(hand_off, &made, "");
    pthread_cond_signal(&hand_off->changed);
    pthread_mutex_unlock(&hand_off->lock);
    if (!is_taken) {
        log_event(LOG_LEVEL_ERROR, "hand_off", "queue.full", "tenant=\"%s\" request=%s",
                  made.tenant_name, made.request_id);
    }
}

struct hand_off_counts hand_off_counts(struct hand_off *hand_off)
{
    pthread_mutex_lock(&hand_off->lock);
    const struct hand_off_counts counts = hand_off->counts;
    pthread_mutex_unlock(&hand_off->lock);
    return counts;
}

/* ---- Redis ----------------------------------------------------------------------------------- */

static bool may_ask_redis(const struct hand_off *hand_off, uint64_t now_ns)
{
    return hand_off->has_redis && now_ns >= hand_off->redis_due_ns;
}

static void tell_redis_failed(struct hand_off *hand_off, const struct failure *failure)
{
    hand_off->redis_due_ns = clock_monotonic_ns() + REDIS_PAUSE_S * NS_A_SECOND;
    log_event(LOG_LEVEL_WARN, "hand_off", "redis.failed", "text=\"%s\"", failure->text);
}

/* What waited when the process before this one ended. */
static void resume(struct hand_off *hand_off)
{
    struct failure failure = {""};
    size_t count = 0;
    struct hand_off_kept *kept = calloc(HAND_OFF_EVENTS_MAX, sizeof *kept);
    if (!kept) {
        return;
    }
    if (hand_off_stream_read(&hand_off->stream, kept, HAND_OFF_EVENTS_MAX, &count, &failure)
        == STATUS_OK) {
        pthread_mutex_lock(&hand_off->lock);
        for (size_t i = 0; i < count; i++) {
            add(hand_off, &kept[i].event, kept[i].entry);
        }
        pthread_mutex_unlock(&hand_off->lock);
        hand_off->has_resumed = true;
    } else {
        tell_redis_failed(hand_off, &failure);
    }
    free(kept);
}

/* On the thread, which alone changes entries. */
static void keep(struct hand_off *hand_off, struct waiting *waiting)
{
    struct failure failure = {""};
    if (waiting->entry[0] == '\0' && hand_off->has_resumed
        && may_ask_redis(hand_off, clock_monotonic_ns())
        && hand_off_stream_add(&hand_off->stream, &waiting->event, waiting->entry, &failure)
               != STATUS_OK) {
        waiting->entry[0] = '\0';
        tell_redis_failed(hand_off, &failure);
    }
}

/* Before any is sent: a slow webhook must not cost what waits behind it its place there. */
static void keep_all(struct hand_off *hand_off)
{
    for (size_t i = 0; hand_off->has_redis && i < HAND_OFF_EVENTS_MAX; i++) {
        struct waiting *waiting = &hand_off->waiting[i];
        pthread_mutex_lock(&hand_off->lock);
        const bool is_used = waiting->is_used;
        pthread_mutex_unlock(&hand_off->lock);
        if (is_used) {
            keep(hand_off, waiting);
        }
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

static void end(struct hand_off *hand_off, struct waiting *waiting, bool is_acknowledged)
{
    struct failure failure = {""};
    if (waiting->entry[0] != '\0'
        && hand_off_stream_remove(&hand_off->stream, waiting->entry, &failure) != STATUS_OK) {
        tell_redis_failed(hand_off,
                          &failure); /* it comes again after a restart: webhook-id tells */
    }
    hand_off->config.ended(hand_off->config.context, &waiting->event, is_acknowledged,
                           waiting->attempts);
    pthread_mutex_lock(&hand_off->lock);
    hand_off->counts.waiting--;
    hand_off->counts.acknowledged += is_acknowledged;
    hand_off->counts.given_up += !is_acknowledged;
    waiting->is_used = false;
    pthread_mutex_unlock(&hand_off->lock);
}

static uint64_t pause_s(uint32_t attempts)
{
    const uint64_t doubled = attempts < 9 ? 1ULL << (attempts - 1) : HAND_OFF_PAUSE_MAX_S;
    return doubled < HAND_OFF_PAUSE_MAX_S ? doubled : HAND_OFF_PAUSE_MAX_S;
}

static void mark_tried(struct hand_off *hand_off, struct tenant_id tenant)
{
    const uint64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&hand_off->lock);
    for (size_t i = 0; i < HAND_OFF_EVENTS_MAX; i++) {
        struct waiting *waiting = &hand_off->waiting[i];
        if (waiting->is_used && tenant_same(waiting->event.tenant, tenant)) {
            waiting->tried_ns = now_ns;
        }
    }
    pthread_mutex_unlock(&hand_off->lock);
}

static void try_one(struct hand_off *hand_off, struct waiting *waiting)
{
    struct failure failure = {""};
    const int64_t now_unix_s = clock_unix_ms() / 1000;
    struct rules *rules = policy_rules(hand_off->config.policy, waiting->event.tenant_name);
    mark_tried(hand_off, waiting->event.tenant);
    waiting->attempts++;
    const enum status status = hand_off_post_send(hand_off->curl, rules, &waiting->event,
                                                  now_unix_s, &hand_off->is_stopping, &failure);
    rules_release(rules);
    if (status == STATUS_OK) {
        end(hand_off, waiting, true);
    } else if (!atomic_load(&hand_off->is_stopping)) {
        log_event(LOG_LEVEL_WARN, "hand_off", "attempt.failed",
                  "tenant=\"%s\" request=%s attempt=%u text=\"%s\"", waiting->event.tenant_name,
                  waiting->event.request_id, waiting->attempts, failure.text);
        if (now_unix_s - waiting->event.unix_s > (int64_t)HAND_OFF_HOURS * 3600) {
            end(hand_off, waiting, false);
        } else {
            waiting->due_ns = clock_monotonic_ns() + pause_s(waiting->attempts) * NS_A_SECOND;
        }
    }
}

/* Tenants take turns, so that one whose webhook is slow delays others by one attempt; within one,
 * what has been due longest. */
static bool goes_before(const struct waiting *a, const struct waiting *b)
{
    return a->tried_ns != b->tried_ns ? a->tried_ns < b->tried_ns : a->due_ns < b->due_ns;
}

/* NULL: none is due. */
static struct waiting *next_due(struct hand_off *hand_off)
{
    const uint64_t now_ns = clock_monotonic_ns();
    struct waiting *next = NULL;
    pthread_mutex_lock(&hand_off->lock);
    for (size_t i = 0; i < HAND_OFF_EVENTS_MAX; i++) {
        struct waiting *waiting = &hand_off->waiting[i];
        if (waiting->is_used && waiting->due_ns <= now_ns
            && (!next || goes_before(waiting, next))) {
            next = waiting;
        }
    }
    if (!next && !atomic_load(&hand_off->is_stopping)) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += IDLE_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&hand_off->changed, &hand_off->lock, &until);
    }
    pthread_mutex_unlock(&hand_off->lock);
    return next;
}

static void *run(void *context)
{
    struct hand_off *hand_off = context;
    while (!atomic_load(&hand_off->is_stopping)) {
        if (!hand_off->has_resumed && may_ask_redis(hand_off, clock_monotonic_ns())) {
            resume(hand_off);
        }
        keep_all(hand_off);
        struct waiting *due = next_due(hand_off);
        if (due) {
            try_one(hand_off, due);
        }
    }
    keep_all(hand_off); /* what came during the last attempt */
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Without its thread. */
static void release(struct hand_off *hand_off)
{
    hand_off_stream_close(&hand_off->stream);
    curl_easy_cleanup(hand_off->curl);
    curl_global_cleanup();
    pthread_cond_destroy(&hand_off->changed);
    pthread_mutex_destroy(&hand_off->lock);
    free(hand_off);
}

enum status hand_off_start(const struct hand_off_config *config, struct hand_off **out,
                           struct failure *failure)
{
    struct hand_off *hand_off = calloc(1, sizeof *hand_off);
    if (!hand_off || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(hand_off);
        return fail(failure, STATUS_IO, "no memory for hand-offs, or no libcurl");
    }
    hand_off->curl = curl_easy_init();
    hand_off->config = *config;
    hand_off->has_redis = config->redis != NULL;
    if (config->redis) {
        hand_off->stream = (struct hand_off_stream){*config->redis, config->prefix, NULL};
        hand_off->stream.terms.timeout_ms = REDIS_TIMEOUT_MS;
    }
    pthread_mutex_init(&hand_off->lock, NULL);
    pthread_cond_init(&hand_off->changed, NULL);
    if (!hand_off->curl || pthread_create(&hand_off->thread, NULL, run, hand_off) != 0) {
        release(hand_off);
        return fail(failure, STATUS_IO, "no memory for hand-offs, or no thread");
    }
    *out = hand_off;
    return STATUS_OK;
}

void hand_off_stop(struct hand_off *hand_off)
{
    if (!hand_off) {
        return;
    }
    pthread_mutex_lock(&hand_off->lock);
    atomic_store(&hand_off->is_stopping, true);
    pthread_cond_signal(&hand_off->changed);
    pthread_mutex_unlock(&hand_off->lock);
    pthread_join(hand_off->thread, NULL);
    release(hand_off);
}
