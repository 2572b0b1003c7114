#include "server/http/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/http/registry.h"

enum {
    TICK_MS = 50,
    KEYS_TICKS = 5, /* four times a second */
    EVENTS_MAX = 64,
    LINGER_MAX = 128,
    LINGER_READ_BYTES = 65536,
    KEEPALIVE_IDLE_S = 15,
    KEEPALIVE_INTERVAL_S = 5,
    KEEPALIVE_COUNT = 3,
};

static const uint64_t linger_ns = 3000000000;

/* Data of an epoll event. Handles have a place above 0 in the low half; the rest is ours. */
enum event_kind { EVENT_LISTENER = 1, EVENT_POKE, EVENT_LINGER };

static uint64_t event_data(enum event_kind kind, uint32_t index)
{
    return (uint64_t)kind << 56 | (uint64_t)index << 32;
}

struct keeper {
    struct http_server *server;
    pthread_t thread;
    bool has_thread;
    atomic_bool must_stop;
    int epoll_fd, poke_fd;
    bool is_listening[HTTP_LISTENER_COUNT];
    uint64_t ticks;
    bool keys_failed; /* told once */
    struct registry_finding *findings;
    pthread_mutex_t linger_lock;
    struct {
        int fd; /* -1: free */
        uint64_t until_ns;
    } lingering[LINGER_MAX];
};

/* ---- lingering ------------------------------------------------------------------------------- */

void keeper_linger(struct keeper *keeper, int fd)
{
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        return;
    }
    bool is_taken = false;
    shutdown(copy, SHUT_WR);
    pthread_mutex_lock(&keeper->linger_lock);
    for (uint32_t i = 0; i < LINGER_MAX && !is_taken; i++) {
        if (keeper->lingering[i].fd < 0) {
            struct epoll_event event = {.events = EPOLLIN, .data.u64 = event_data(EVENT_LINGER, i)};
            is_taken = epoll_ctl(keeper->epoll_fd, EPOLL_CTL_ADD, copy, &event) == 0;
            keeper->lingering[i].fd = is_taken ? copy : -1;
            keeper->lingering[i].until_ns = clock_monotonic_ns() + linger_ns;
            break;
        }
    }
    pthread_mutex_unlock(&keeper->linger_lock);
    if (!is_taken) {
        close(copy);
    }
}

/* Under the lock. */
static void end_linger(struct keeper *keeper, uint32_t i)
{
    close(keeper->lingering[i].fd);
    keeper->lingering[i].fd = -1;
}

static void read_on(struct keeper *keeper, uint32_t i)
{
    char unread[LINGER_READ_BYTES];
    pthread_mutex_lock(&keeper->linger_lock);
    if (keeper->lingering[i].fd >= 0) {
        const ssize_t length = read(keeper->lingering[i].fd, unread, sizeof unread);
        if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) {
            end_linger(keeper, i);
        }
    }
    pthread_mutex_unlock(&keeper->linger_lock);
}

static void end_lingers(struct keeper *keeper, uint64_t now_ns)
{
    pthread_mutex_lock(&keeper->linger_lock);
    for (uint32_t i = 0; i < LINGER_MAX; i++) {
        if (keeper->lingering[i].fd >= 0 && keeper->lingering[i].until_ns <= now_ns) {
            end_linger(keeper, i);
        }
    }
    pthread_mutex_unlock(&keeper->linger_lock);
}

/* ---- accepting ------------------------------------------------------------------------------- */

static void set_listening(struct keeper *keeper, uint32_t which, bool is_wanted)
{
    const int fd = keeper->server->listeners[which].fd;
    if (fd >= 0 && keeper->is_listening[which] != is_wanted) {
        struct epoll_event event = {.events = EPOLLIN,
                                    .data.u64 = event_data(EVENT_LISTENER, which)};
        const int what = is_wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
        keeper->is_listening[which] =
            epoll_ctl(keeper->epoll_fd, what, fd, &event) == 0 ? is_wanted : !is_wanted;
    }
}

/* A client that vanished without a word, or does not read, is given up by the kernel. */
static void set_options(int fd, const struct http_server_config *config)
{
    const int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S,
              count = KEEPALIVE_COUNT;
    const unsigned unread_ms = config->idle_timeout_ms;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unread_ms, sizeof unread_ms);
}

/* Out of places or descriptors: clients wait in the backlog until the next tick. */
static void accept_some(struct keeper *keeper, uint32_t which)
{
    struct http_server *server = keeper->server;
    struct listener *listener = &server->listeners[which];
    const uint32_t open_count = registry_open_count(&server->registry, listener->which);
    if (open_count >= listener->connections_max) {
        set_listening(keeper, which, false);
        return;
    }
    const uint32_t room = listener->connections_max - open_count;
    for (uint32_t i = 0; i < room && i < HTTP_ACCEPTS_MAX && listener->fd >= 0; i++) {
        struct sockaddr_storage address;
        socklen_t length = sizeof address;
        const int fd = accept4(listener->fd, (struct sockaddr *)&address, &length,
                               SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                set_listening(keeper, which, false);
            }
            return;
        }
        set_options(fd, &server->config);
        /* It closes fd when it fails. */
        if (MHD_add_connection(listener->daemon, fd, (struct sockaddr *)&address, length)
            != MHD_YES) {
            log_event(LOG_LEVEL_WARN, "http", "connection.refused", "reason=limit");
        }
    }
}

static void stop_accepting(struct keeper *keeper, uint32_t which)
{
    struct listener *listener = &keeper->server->listeners[which];
    if (listener->fd >= 0) {
        set_listening(keeper, which, false);
        close(listener->fd);
        listener->fd = -1;
    }
}

/* ---- watching -------------------------------------------------------------------------------- */

void keeper_watch(struct keeper *keeper, int fd, struct http_handle handle)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = handle.value};
    if (epoll_ctl(keeper->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        log_event(LOG_LEVEL_WARN, "http", "watch.failed", "text=\"%s\"", strerror(errno));
    }
}

void keeper_unwatch(struct keeper *keeper, int fd)
{
    epoll_ctl(keeper->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void keeper_poke(struct keeper *keeper)
{
    const uint64_t one = 1;
    const ssize_t written = write(keeper->poke_fd, &one, sizeof one);
    (void)written; /* full: it is poked already */
}

static void handle_event(struct keeper *keeper, uint64_t data)
{
    const uint32_t index = (uint32_t)(data >> 32) & 0xffffff;
    if ((data & UINT32_MAX) != 0) {
        registry_leave(&keeper->server->registry, (struct http_handle){data});
        return;
    }
    switch ((enum event_kind)(data >> 56)) {
    case EVENT_LISTENER:
        accept_some(keeper, index);
        break;
    case EVENT_LINGER:
        read_on(keeper, index);
        break;
    case EVENT_POKE: {
        uint64_t count = 0;
        const ssize_t length = read(keeper->poke_fd, &count, sizeof count);
        (void)length;
        break;
    }
    }
}

static void refresh_keys(struct keeper *keeper)
{
    struct failure failure;
    const enum status status = auth_refresh(keeper->server->config.auth, &failure);
    if (status != STATUS_OK && !keeper->keys_failed) {
        log_event(LOG_LEVEL_ERROR, "http", "keys.unreadable", "text=\"%s\"", failure.text);
    }
    keeper->keys_failed = status != STATUS_OK;
}

static void tick(struct keeper *keeper)
{
    struct http_server *server = keeper->server;
    const bool is_draining = atomic_load(&server->is_draining);
    const bool must_stop = atomic_load(&keeper->must_stop);
    const bool checks_keys = keeper->ticks++ % KEYS_TICKS == 0;
    for (uint32_t i = 0; i < HTTP_LISTENER_COUNT; i++) {
        const bool is_over = must_stop || (is_draining && i == HTTP_LISTENER_API);
        if (is_over) {
            stop_accepting(keeper, i);
        } else {
            set_listening(keeper, i, true);
        }
    }
    if (checks_keys) {
        refresh_keys(keeper);
    }
    const struct registry_scan scan = {.now_ns = clock_monotonic_ns(),
                                       .checks_keys = checks_keys,
                                       .cuts_idle = is_draining,
                                       .cuts_all = must_stop};
    const size_t count = registry_find(&server->registry, &scan, keeper->findings);
    for (size_t i = 0; i < count; i++) {
        const struct registry_finding *finding = &keeper->findings[i];
        switch (finding->what) {
        case REGISTRY_LEAVE:
            registry_leave(&server->registry, finding->handle);
            break;
        case REGISTRY_REVOKE:
            registry_revoke(&server->registry, finding->handle, scan.now_ns);
            break;
        case REGISTRY_WAKE:
            registry_wake(&server->registry, finding->handle);
            break;
        }
    }
    end_lingers(keeper, scan.now_ns);
}

static void *run(void *argument)
{
    struct keeper *keeper = argument;
    struct epoll_event events[EVENTS_MAX];
    uint64_t next_tick_ns = 0;
    while (!atomic_load(&keeper->must_stop)) {
        const int count = epoll_wait(keeper->epoll_fd, events, EVENTS_MAX, TICK_MS);
        bool is_poked = false;
        for (int i = 0; i < count; i++) {
            is_poked |= events[i].data.u64 == event_data(EVENT_POKE, 0);
            handle_event(keeper, events[i].data.u64);
        }
        const uint64_t now_ns = clock_monotonic_ns();
        if (is_poked || now_ns >= next_tick_ns) {
            tick(keeper);
            next_tick_ns = now_ns + (uint64_t)TICK_MS * 1000000;
        }
    }
    tick(keeper); /* ends what is there */
    return NULL;
}

/* ---- start and stop -------------------------------------------------------------------------- */

enum status keeper_start(struct http_server *server, struct failure *failure)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper) {
        return fail(failure, STATUS_IO, "no memory");
    }
    server->keeper = keeper;
    keeper->server = server;
    pthread_mutex_init(&keeper->linger_lock, NULL);
    for (uint32_t i = 0; i < LINGER_MAX; i++) {
        keeper->lingering[i].fd = -1;
    }
    keeper->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    keeper->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    keeper->findings = calloc(server->registry.capacity, sizeof *keeper->findings);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = event_data(EVENT_POKE, 0)};
    if (keeper->epoll_fd < 0 || keeper->poke_fd < 0 || !keeper->findings
        || epoll_ctl(keeper->epoll_fd, EPOLL_CTL_ADD, keeper->poke_fd, &event) != 0
        || pthread_create(&keeper->thread, NULL, run, keeper) != 0) {
        return fail(failure, STATUS_IO, "no memory, descriptor or thread is left: %s",
                    strerror(errno));
    }
    keeper->has_thread = true;
    return STATUS_OK;
}

void keeper_stop(struct keeper *keeper)
{
    if (keeper && keeper->has_thread) {
        atomic_store(&keeper->must_stop, true);
        keeper_poke(keeper);
        pthread_join(keeper->thread, NULL);
        keeper->has_thread = false;
    }
}

void keeper_destroy(struct keeper *keeper)
{
    if (!keeper) {
        return;
    }
    ASSERT(!keeper->has_thread);
    for (uint32_t i = 0; i < LINGER_MAX; i++) {
        if (keeper->lingering[i].fd >= 0) {
            end_linger(keeper, i);
        }
    }
    if (keeper->epoll_fd >= 0) {
        close(keeper->epoll_fd);
    }
    if (keeper->poke_fd >= 0) {
        close(keeper->poke_fd);
    }
    pthread_mutex_destroy(&keeper->linger_lock);
    free(keeper->findings);
    free(keeper);
}
