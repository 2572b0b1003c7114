#include "audit/redis/shipper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "audit/redis/ship_session.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 10000,
    IDLE_MS = 1000,
    CHECK_MS =
        10000, /* how often an open connection is checked again for settings that lose data */
};

struct shipper {
    struct shipper_config config;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;

    /* The thread's own. */
    struct ship_session session;
    struct random_source random;
    uint32_t backoff_ms;
    uint64_t opened, next_check_ns;
    char last_trouble[FAILURE_TEXT_BYTES]; /* as logged */

    /* Under mutex. */
    struct shipper_facts facts;
    bool is_woken, has_ended;
    bool must_erase;         /* there may be something that Redis is to forget */
    atomic_bool is_stopping; /* the thread also looks at it without */
    uint64_t stop_at;
    uint64_t stop_deadline_ns;
    int fd; /* of the connection; -1: none */
};

static const char *const state_names[] = {
    [SHIPPER_CONNECTING] = "connecting",
    [SHIPPER_REFUSED] = "refused",
    [SHIPPER_SHIPPING] = "shipping",
    [SHIPPER_ALARM] = "alarm",
};

/* ---- what others see ------------------------------------------------------------------------- */

static void publish(struct shipper *shipper, enum shipper_state state, const char *trouble)
{
    const struct ship_session *session = &shipper->session;
    pthread_mutex_lock(&shipper->mutex);
    struct shipper_facts *facts = &shipper->facts;
    const bool is_news = facts->state != state || strcmp(shipper->last_trouble, trouble) != 0;
    facts->mismatches += state == SHIPPER_ALARM && facts->state != SHIPPER_ALARM;
    facts->state = state;
    facts->acknowledged = session->acknowledged;
    facts->resent = session->resent;
    facts->reconnects = shipper->opened > 0 ? shipper->opened - 1 : 0;
    snprintf(facts->trouble, sizeof facts->trouble, "%s", trouble);
    shipper->fd = session->link ? session->link->fd : -1;
    pthread_mutex_unlock(&shipper->mutex);
    if (is_news) {
        snprintf(shipper->last_trouble, sizeof shipper->last_trouble, "%s", trouble);
        log_event(state == SHIPPER_ALARM      ? LOG_LEVEL_ERROR
                  : state == SHIPPER_SHIPPING ? LOG_LEVEL_INFO
                                              : LOG_LEVEL_WARN,
                  "audit", "redis.state", "state=%s acknowledged=%llu reason=\"%s\"",
                  state_names[state], (unsigned long long)session->acknowledged, trouble);
    }
}

/* Before the descriptor is closed: shipper_stop must not shut down a number that is used again. */
static void hang_up(struct shipper *shipper)
{
    pthread_mutex_lock(&shipper->mutex);
    shipper->fd = -1;
    pthread_mutex_unlock(&shipper->mutex);
    ship_session_close(&shipper->session);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Until woken (when waking counts), told to stop, or the time is over. */
static void wait_ms(struct shipper *shipper, uint32_t ms, bool may_be_woken)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&shipper->mutex);
    while (!atomic_load(&shipper->is_stopping) && !(may_be_woken && shipper->is_woken)
           && pthread_cond_timedwait(&shipper->changed, &shipper->mutex, &until) == 0) {
    }
    shipper->is_woken = false;
    pthread_mutex_unlock(&shipper->mutex);
}

static bool must_end(struct shipper *shipper)
{
    const struct ship_session *session = &shipper->session;
    pthread_mutex_lock(&shipper->mutex);
    const bool must = atomic_load(&shipper->is_stopping)
                      && (!session->link || session->position >= shipper->stop_at
                          || clock_monotonic_ns() >= shipper->stop_deadline_ns);
    pthread_mutex_unlock(&shipper->mutex);
    return must;
}

static void back_off(struct shipper *shipper, enum status status, const struct failure *failure)
{
    const bool is_refused = status == STATUS_FORBIDDEN || status == STATUS_UNAUTHENTICATED
                            || (status == STATUS_INVALID && !shipper->session.differs);
    hang_up(shipper);
    publish(shipper,
            shipper->session.differs ? SHIPPER_ALARM
            : is_refused             ? SHIPPER_REFUSED
                                     : SHIPPER_CONNECTING,
            failure->text);
    const uint32_t ms =
        shipper->backoff_ms / 2 + random_below(&shipper->random, shipper->backoff_ms);
    shipper->backoff_ms =
        2 * shipper->backoff_ms < BACKOFF_MAX_MS ? 2 * shipper->backoff_ms : BACKOFF_MAX_MS;
    wait_ms(shipper, ms, false);
}

static enum status open_session(struct shipper *shipper, struct failure *failure)
{
    const enum status status = ship_session_open(&shipper->session, failure);
    if (status == STATUS_OK) {
        shipper->opened++;
        shipper->next_check_ns = clock_monotonic_ns() + CHECK_MS * 1000000ULL;
        shipper_erase(shipper);
    }
    return status;
}

/* Settings that lose data are looked for again and again, also while it ships. */
static enum status check_again(struct shipper *shipper, struct failure *failure)
{
    const uint64_t now_ns = clock_monotonic_ns();
    if (now_ns < shipper->next_check_ns || shipper->config.redis.only_warns) {
        return STATUS_OK;
    }
    shipper->next_check_ns = now_ns + CHECK_MS * 1000000ULL;
    return redis_link_check(shipper->session.link, &shipper->config.redis, failure);
}

/* One step, where there may be something to erase. */
static enum status erase(struct shipper *shipper, bool *has_erased, struct failure *failure)
{
    enum ship_erased erased = SHIP_ERASED_ALL;
    pthread_mutex_lock(&shipper->mutex);
    const bool must_erase = shipper->must_erase;
    shipper->must_erase = false;
    pthread_mutex_unlock(&shipper->mutex);
    const enum status status =
        must_erase ? ship_session_erase(&shipper->session, &erased, failure) : STATUS_OK;
    *has_erased = erased == SHIP_ERASED_SOME;
    if (status == STATUS_OK && erased != SHIP_ERASED_ALL) {
        pthread_mutex_lock(&shipper->mutex);
        shipper->must_erase = true;
        pthread_mutex_unlock(&shipper->mutex);
    }
    return status;
}

/* One step of erasing and one window, or waiting for either. */
static enum status work(struct shipper *shipper, struct failure *failure)
{
    struct writer_facts facts;
    bool has_erased = false;
    enum status status = check_again(shipper, failure);
    if (status == STATUS_OK) {
        status = erase(shipper, &has_erased, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    writer_read_facts(shipper->config.writer, &facts);
    const bool has_more = shipper->session.position < facts.sequence;
    if (has_more) {
        status = ship_session_ship(&shipper->session, facts.sequence, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    shipper->backoff_ms = has_more ? BACKOFF_FIRST_MS : shipper->backoff_ms;
    publish(shipper, SHIPPER_SHIPPING, "");
    if (!has_more && !has_erased) {
        wait_ms(shipper, IDLE_MS, true);
    }
    return STATUS_OK;
}

static void *run(void *context)
{
    struct shipper *shipper = context;
    bool must = false;
    while (!must) {
        struct failure failure = {""};
        const enum status status =
            shipper->session.link ? work(shipper, &failure) : open_session(shipper, &failure);
        if (status != STATUS_OK) {
            back_off(shipper, status, &failure);
        }
        must = must_end(shipper);
    }
    hang_up(shipper);
    pthread_mutex_lock(&shipper->mutex);
    shipper->has_ended = true;
    pthread_cond_broadcast(&shipper->changed);
    pthread_mutex_unlock(&shipper->mutex);
    return NULL;
}

/* ---- starting and stopping ------------------------------------------------------------------- */

static char *copy_text(const char *text)
{
    return text ? strdup(text) : NULL;
}

/* The settings are the caller's until start returns. */
static bool copy_config(struct shipper *shipper, const struct shipper_config *config)
{
    shipper->config = *config;
    shipper->config.directory = copy_text(config->directory);
    shipper->config.prefix = copy_text(config->prefix);
    shipper->config.redis.url = copy_text(config->redis.url);
    shipper->config.redis.user = copy_text(config->redis.user);
    shipper->config.redis.password_file = copy_text(config->redis.password_file);
    shipper->config.redis.ca_file = copy_text(config->redis.ca_file);
    return shipper->config.directory && shipper->config.prefix && shipper->config.redis.url;
}

static void destroy(struct shipper *shipper)
{
    ship_session_destroy(&shipper->session);
    pthread_cond_destroy(&shipper->changed);
    pthread_mutex_destroy(&shipper->mutex);
    free((void *)(uintptr_t)shipper->config.directory);
    free((void *)(uintptr_t)shipper->config.prefix);
    free((void *)(uintptr_t)shipper->config.redis.url);
    free((void *)(uintptr_t)shipper->config.redis.user);
    free((void *)(uintptr_t)shipper->config.redis.password_file);
    free((void *)(uintptr_t)shipper->config.redis.ca_file);
    free(shipper);
}

/* What is wrong with the settings or with a Redis that answers. */
static enum status check_once(struct shipper *shipper, struct failure *failure)
{
    redisContext *link = NULL;
    struct failure why = {""};
    const struct shipper_config *config = &shipper->config;
    enum status status = redis_link_open(&config->redis, &link, &why);
    if (status == STATUS_OK) {
        status =
            redis_link_claim(link, config->prefix, writer_keys(config->writer)->public_key, &why);
    }
    redis_link_close(link);
    if (status == STATUS_FORBIDDEN || status == STATUS_INVALID) {
        return fail(failure, status, "%s", why.text);
    }
    return STATUS_OK;
}

static void init_waiting(struct shipper *shipper)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&shipper->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&shipper->mutex, NULL);
}

enum status shipper_start(const struct shipper_config *config, struct shipper **out,
                          struct failure *failure)
{
    struct shipper *shipper = calloc(1, sizeof *shipper);
    if (!shipper) {
        return fail(failure, STATUS_IO, "no memory for shipping audit records to Redis");
    }
    init_waiting(shipper);
    shipper->fd = -1;
    shipper->backoff_ms = BACKOFF_FIRST_MS;
    shipper->random = (struct random_source){clock_monotonic_ns()};
    enum status status = STATUS_IO;
    shipper->session.file.fd = -1;
    if (copy_config(shipper, config)) {
        status = ship_session_create(&shipper->session, &shipper->config, &shipper->is_stopping,
                                     failure);
    }
    if (status == STATUS_OK) {
        status = check_once(shipper, failure);
    }
    if (status == STATUS_OK) {
        shipper->facts.acknowledged = shipper->session.acknowledged;
        status = pthread_create(&shipper->thread, NULL, run, shipper) == 0
                     ? STATUS_OK
                     : fail(failure, STATUS_IO, "no thread for shipping audit records to Redis");
    }
    if (status != STATUS_OK) {
        destroy(shipper);
        return status;
    }
    *out = shipper;
    return STATUS_OK;
}

void shipper_stop(struct shipper *shipper, uint32_t wait_ms_max)
{
    if (!shipper) {
        return;
    }
    struct writer_facts facts;
    struct timespec until;
    writer_read_facts(shipper->config.writer, &facts);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms_max / 1000 + 1;
    pthread_mutex_lock(&shipper->mutex);
    shipper->stop_at = facts.sequence;
    shipper->stop_deadline_ns = clock_monotonic_ns() + wait_ms_max * 1000000ULL;
    atomic_store(&shipper->is_stopping, true);
    pthread_cond_broadcast(&shipper->changed);
    while (!shipper->has_ended
           && pthread_cond_timedwait(&shipper->changed, &shipper->mutex, &until) == 0) {
    }
    if (!shipper->has_ended && shipper->fd >= 0) {
        shutdown(shipper->fd, SHUT_RDWR); /* Redis does not answer: what waits for it fails */
    }
    pthread_mutex_unlock(&shipper->mutex);
    pthread_join(shipper->thread, NULL);
    destroy(shipper);
}

/* ---- from other threads ---------------------------------------------------------------------- */

void shipper_wake(struct shipper *shipper)
{
    pthread_mutex_lock(&shipper->mutex);
    shipper->is_woken = true;
    pthread_cond_signal(&shipper->changed);
    pthread_mutex_unlock(&shipper->mutex);
}

void shipper_read_facts(struct shipper *shipper, struct shipper_facts *out)
{
    pthread_mutex_lock(&shipper->mutex);
    *out = shipper->facts;
    pthread_mutex_unlock(&shipper->mutex);
}

void shipper_erase(struct shipper *shipper)
{
    pthread_mutex_lock(&shipper->mutex);
    shipper->must_erase = true;
    shipper->is_woken = true;
    pthread_cond_signal(&shipper->changed);
    pthread_mutex_unlock(&shipper->mutex);
}
