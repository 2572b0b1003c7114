#include "server/http/registry.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/http/connection.h"

static const uint32_t NONE = UINT32_MAX;

static const uint64_t pull_period_ns = 1000000000, revoked_grace_ns = 500000000;

enum status registry_init(struct registry *registry, uint32_t capacity)
{
    *registry = (struct registry){.capacity = capacity};
    pthread_mutex_init(&registry->lock, NULL);
    pthread_cond_init(&registry->unused, NULL);
    registry->connections = calloc(capacity, sizeof *registry->connections);
    if (!registry->connections) {
        return STATUS_IO;
    }
    for (uint32_t i = 0; i < capacity; i++) {
        registry->connections[i].fd = -1;
        registry->connections[i].next_free = i + 1 < capacity ? i + 1 : NONE;
    }
    return STATUS_OK;
}

void registry_destroy(struct registry *registry)
{
    free(registry->connections);
    pthread_mutex_destroy(&registry->lock);
    pthread_cond_destroy(&registry->unused);
}

/* ---- connections ----------------------------------------------------------------------------- */

struct connection *registry_open_connection(struct registry *registry,
                                            const struct listener *listener,
                                            struct MHD_Connection *mhd, int fd)
{
    const struct http_server_config *config = &listener->server->config;
    struct connection *connection = NULL;
    pthread_mutex_lock(&registry->lock);
    if (registry->first_free != NONE) {
        connection = &registry->connections[registry->first_free];
        registry->first_free = connection->next_free;
        connection->fd = fd;
        connection->mhd = mhd;
        connection->listener = listener->which;
        connection->server = listener->server;
        connection->session = NULL;
        connection->has_shaken_hands = false;
        connection->is_head_timed = false;
        connection->must_linger = false;
        guard_init(&connection->guard, config->header_bytes_max, config->body_bytes_max);
        connection_set_deadline(connection, config->header_deadline_ms);
        registry->open_counts[listener->which]++;
    }
    pthread_mutex_unlock(&registry->lock);
    return connection;
}

void registry_close_connection(struct registry *registry, struct connection *connection)
{
    pthread_mutex_lock(&registry->lock);
    ASSERT(connection->exchange == NULL && connection->fd >= 0);
    connection->fd = -1;
    connection->next_free = registry->first_free;
    registry->first_free = (uint32_t)(connection - registry->connections);
    registry->open_counts[connection->listener]--;
    pthread_mutex_unlock(&registry->lock);
}

uint32_t registry_open_count(struct registry *registry, enum http_listener which)
{
    pthread_mutex_lock(&registry->lock);
    const uint32_t count = registry->open_counts[which];
    pthread_mutex_unlock(&registry->lock);
    return count;
}

uint32_t registry_live_exchanges(struct registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    const uint32_t count = registry->live_exchanges;
    pthread_mutex_unlock(&registry->lock);
    return count;
}

/* ---- exchanges ------------------------------------------------------------------------------- */

struct http_handle registry_handle(const struct registry *registry,
                                   const struct http_exchange *exchange)
{
    const struct connection *connection = exchange->connection;
    const uint64_t place = (uint64_t)(connection - registry->connections) + 1;
    return (struct http_handle){(uint64_t)connection->generation << 32 | place};
}

void registry_begin_exchange(struct registry *registry, struct http_exchange *exchange)
{
    pthread_mutex_lock(&registry->lock);
    exchange->connection->generation++;
    exchange->connection->exchange = exchange;
    registry->live_exchanges++;
    pthread_mutex_unlock(&registry->lock);
}

void registry_end_exchange(struct registry *registry, struct http_exchange *exchange)
{
    struct connection *connection = exchange->connection;
    pthread_mutex_lock(&registry->lock);
    ASSERT(connection->exchange == exchange);
    connection->exchange = NULL;
    while (connection->users > 0) {
        pthread_cond_wait(&registry->unused, &registry->lock);
    }
    registry->live_exchanges--;
    pthread_mutex_unlock(&registry->lock);
}

void registry_set_task(struct registry *registry, struct http_exchange *exchange,
                       const struct http_task *task)
{
    pthread_mutex_lock(&registry->lock);
    exchange->task = *task;
    exchange->has_task = true;
    pthread_mutex_unlock(&registry->lock);
}

bool registry_wait(struct registry *registry, struct http_exchange *exchange)
{
    pthread_mutex_lock(&registry->lock);
    const bool must_wait = !exchange->is_woken && !exchange->is_gone && !registry->is_stopping;
    exchange->is_woken = false;
    if (must_wait) {
        exchange->is_suspended = true;
        exchange->suspended_ns = clock_monotonic_ns();
        MHD_suspend_connection(exchange->connection->mhd);
    }
    pthread_mutex_unlock(&registry->lock);
    return must_wait;
}

enum registry_verdict registry_ask(struct registry *registry, const struct http_exchange *exchange)
{
    pthread_mutex_lock(&registry->lock);
    const bool is_gone = exchange->is_gone || registry->is_stopping;
    const enum registry_verdict verdict = is_gone                    ? REGISTRY_GONE
                                          : exchange->revoked_ns > 0 ? REGISTRY_REVOKED
                                                                     : REGISTRY_GO_ON;
    pthread_mutex_unlock(&registry->lock);
    return verdict;
}

/* Under the lock. NULL: the exchange has ended. */
static struct connection *find(struct registry *registry, struct http_handle handle)
{
    const uint64_t place = handle.value & UINT32_MAX;
    if (place == 0 || place > registry->capacity) {
        return NULL;
    }
    struct connection *connection = &registry->connections[place - 1];
    const bool is_same = connection->generation == handle.value >> 32;
    return is_same && connection->exchange ? connection : NULL;
}

/* Under the lock. An exchange that does not wait now will go on when it would. */
static void wake(struct connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    if (exchange->is_suspended) {
        exchange->is_suspended = false;
        MHD_resume_connection(connection->mhd);
    } else {
        exchange->is_woken = true;
    }
}

void registry_wake(struct registry *registry, struct http_handle handle)
{
    pthread_mutex_lock(&registry->lock);
    struct connection *connection = find(registry, handle);
    if (connection) {
        wake(connection);
    }
    pthread_mutex_unlock(&registry->lock);
}

/* Under the lock. */
static bool take_abandon(struct http_exchange *exchange)
{
    const bool is_taken = exchange->has_task && !exchange->is_abandoned;
    exchange->is_abandoned |= is_taken;
    return is_taken;
}

bool registry_take_abandon(struct registry *registry, struct http_exchange *exchange)
{
    pthread_mutex_lock(&registry->lock);
    const bool is_taken = take_abandon(exchange);
    pthread_mutex_unlock(&registry->lock);
    return is_taken;
}

/* Under the lock, which is let go while the task is told. */
static void abandon_and_wake(struct registry *registry, struct connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    if (take_abandon(exchange)) {
        connection->users++;
        pthread_mutex_unlock(&registry->lock);
        exchange->task.abandon(exchange->task.context);
        pthread_mutex_lock(&registry->lock);
        connection->users--;
        pthread_cond_broadcast(&registry->unused);
    }
    if (connection->exchange == exchange) { /* else it is ending, and not to be touched */
        wake(connection);
    }
}

void registry_leave(struct registry *registry, struct http_handle handle)
{
    pthread_mutex_lock(&registry->lock);
    struct connection *connection = find(registry, handle);
    if (connection) {
        connection->exchange->is_gone = true;
        shutdown(connection->fd, SHUT_RDWR); /* MHD may be waiting to send */
        abandon_and_wake(registry, connection);
    }
    pthread_mutex_unlock(&registry->lock);
}

void registry_revoke(struct registry *registry, struct http_handle handle, uint64_t now_ns)
{
    pthread_mutex_lock(&registry->lock);
    struct connection *connection = find(registry, handle);
    if (connection) {
        connection->exchange->revoked_ns = now_ns;
        abandon_and_wake(registry, connection);
    }
    pthread_mutex_unlock(&registry->lock);
}

/* ---- for the keeper -------------------------------------------------------------------------- */

/* Under the lock. True: *out says what is to be done. */
static bool judge(const struct registry *registry, const struct connection *connection,
                  const struct registry_scan *scan, struct registry_finding *out)
{
    const struct http_exchange *exchange = connection->exchange;
    const struct http_server *server = connection->server;
    const uint64_t deadline_ns = atomic_load(&connection->deadline_ns);
    const bool is_late = deadline_ns > 0 && deadline_ns <= scan->now_ns;
    out->handle = registry_handle(registry, exchange);
    if (scan->cuts_all || is_late
        || (exchange->revoked_ns > 0 && scan->now_ns - exchange->revoked_ns > revoked_grace_ns)) {
        out->what = REGISTRY_LEAVE;
        return !exchange->is_gone;
    }
    if (scan->checks_keys && exchange->has_identity && exchange->revoked_ns == 0
        && !auth_is_live(server->config.auth, &exchange->identity)) {
        out->what = REGISTRY_REVOKE;
        return true;
    }
    out->what = REGISTRY_WAKE;
    return exchange->is_suspended && scan->now_ns > exchange->suspended_ns + pull_period_ns;
}

size_t registry_find(struct registry *registry, const struct registry_scan *scan,
                     struct registry_finding *out)
{
    size_t count = 0;
    uint32_t late = 0;
    pthread_mutex_lock(&registry->lock);
    registry->is_stopping |= scan->cuts_all;
    for (uint32_t i = 0; i < registry->capacity; i++) {
        const struct connection *connection = &registry->connections[i];
        if (connection->fd < 0) {
            continue;
        }
        if (connection->exchange) {
            count += judge(registry, connection, scan, &out[count]) ? 1 : 0;
            continue;
        }
        const uint64_t deadline_ns = atomic_load(&connection->deadline_ns);
        const bool is_late = deadline_ns > 0 && deadline_ns <= scan->now_ns;
        late += is_late;
        if (is_late || scan->cuts_all
            || (scan->cuts_idle && connection->listener == HTTP_LISTENER_API)) {
            shutdown(connection->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&registry->lock);
    if (late > 0) {
        log_event(LOG_LEVEL_DEBUG, "http", "connection.late", "count=%u", late);
    }
    return count;
}
