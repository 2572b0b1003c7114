/* Method: a front whose handlers reply later, in a stream or never; raw clients over TLS that wait,
 * leave, dribble or do not read; counters say what a task was told. Times are bounded from above
 * generously and from below where something must not happen too early. */
#include "server/http/http_server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/check.h"
#include "tests/server/support_http.h"

enum { ANSWER_BYTES = 1 << 20 };

static char answer[ANSWER_BYTES];
static struct front front;

/* ---- handlers -------------------------------------------------------------------------------- */

/* One waiting request: what it is to do next, and what it was told. */
static struct {
    pthread_mutex_t lock;
    struct http_handle handle;
    bool is_ready;       /* step: reply or begin the stream */
    const char *pending; /* pull: gives this next */
    ssize_t then;        /* and then: HTTP_PULL_* */
    unsigned stepped, pulled, abandoned, destroyed;
    uint64_t abandoned_ns;
} task = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void reset_task(void)
{
    pthread_mutex_lock(&task.lock);
    task.is_ready = false;
    task.pending = NULL;
    task.then = HTTP_PULL_WAIT;
    task.stepped = task.pulled = task.abandoned = task.destroyed = 0;
    pthread_mutex_unlock(&task.lock);
}

static unsigned value_of(const unsigned *counter)
{
    pthread_mutex_lock(&task.lock);
    const unsigned value = *counter;
    pthread_mutex_unlock(&task.lock);
    return value;
}

/* Waits up to ms for a counter to reach at_least. */
static bool reaches(const unsigned *counter, unsigned at_least, unsigned ms)
{
    for (unsigned i = 0; i < ms && value_of(counter) < at_least; i++) {
        usleep(1000);
    }
    return value_of(counter) >= at_least;
}

static void step_reply(struct http_exchange *exchange, void *context)
{
    (void)context;
    pthread_mutex_lock(&task.lock);
    task.stepped++;
    const bool is_ready = task.is_ready;
    pthread_mutex_unlock(&task.lock);
    if (is_ready) {
        http_reply(exchange, 200, "text/plain", "later", 5);
    }
}

static void step_stream(struct http_exchange *exchange, void *context)
{
    (void)context;
    pthread_mutex_lock(&task.lock);
    task.stepped++;
    const bool is_ready = task.is_ready;
    pthread_mutex_unlock(&task.lock);
    if (is_ready) {
        http_stream_begin(exchange, "text/event-stream");
    }
}

static void wake(void);

/* Woken while it runs, it must be stepped again at once. */
static void step_restless(struct http_exchange *exchange, void *context)
{
    (void)context;
    pthread_mutex_lock(&task.lock);
    const bool is_last = ++task.stepped == 1000;
    pthread_mutex_unlock(&task.lock);
    if (is_last) {
        http_reply(exchange, 200, "text/plain", "later", 5);
    } else {
        wake();
    }
}

static ssize_t pull(void *context, char *out, size_t max)
{
    (void)context;
    pthread_mutex_lock(&task.lock);
    task.pulled++;
    ssize_t length = task.abandoned > 0 ? HTTP_PULL_CUT : task.then;
    if (task.pending) {
        length = (ssize_t)strlen(task.pending);
        CHECK((size_t)length <= max, "room for %zd", length);
        memcpy(out, task.pending, (size_t)length);
        task.pending = NULL;
    }
    pthread_mutex_unlock(&task.lock);
    return length;
}

static ssize_t pull_without_end(void *context, char *out, size_t max)
{
    (void)context;
    memset(out, 'x', max);
    pthread_mutex_lock(&task.lock);
    task.pulled++;
    pthread_mutex_unlock(&task.lock);
    return (ssize_t)max;
}

static void abandon(void *context)
{
    (void)context;
    pthread_mutex_lock(&task.lock);
    CHECK(task.destroyed == 0, "abandoned before destroyed");
    task.abandoned++;
    task.abandoned_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&task.lock);
}

static void destroy(void *context)
{
    (void)context;
    pthread_mutex_lock(&task.lock);
    task.destroyed++;
    pthread_mutex_unlock(&task.lock);
}

static void defer(struct http_exchange *exchange, const struct http_task *made)
{
    pthread_mutex_lock(&task.lock);
    task.handle = http_defer(exchange, made);
    pthread_mutex_unlock(&task.lock);
}

static void later_handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    const struct http_task made = {NULL, step_reply, pull, abandon, destroy};
    defer(exchange, &made);
}

static void restless_handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    const struct http_task made = {NULL, step_restless, pull, abandon, destroy};
    defer(exchange, &made);
}

static void stream_handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    const struct http_task made = {NULL, step_stream, pull, abandon, destroy};
    defer(exchange, &made);
}

static void flood_handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    const struct http_task made = {NULL, step_stream, pull_without_end, abandon, destroy};
    defer(exchange, &made);
}

static void open_handler(struct http_exchange *exchange, void *service)
{
    CHECK(service == &task, "service");
    http_reply(exchange, 200, "text/plain", "open", 4);
}

static const struct http_route routes[] = {
    {HTTP_LISTENER_API, "GET", "/open", HTTP_RULE_OPEN, 0, NULL, open_handler},
    {HTTP_LISTENER_API, "POST", "/body", HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL, open_handler},
    {HTTP_LISTENER_API, "GET", "/later", HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL, later_handler},
    {HTTP_LISTENER_API, "GET", "/restless", HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL,
     restless_handler},
    {HTTP_LISTENER_API, "GET", "/stream", HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL, stream_handler},
    {HTTP_LISTENER_API, "GET", "/flood", HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL, flood_handler},
    {HTTP_LISTENER_ADMIN, "GET", "/health", HTTP_RULE_OPEN, 0, NULL, open_handler},
};

static struct http_server_config config(void)
{
    struct http_server_config made = front_config();
    made.routes = routes;
    made.route_count = sizeof routes / sizeof routes[0];
    made.service = &task;
    return made;
}

static void start(const struct http_server_config *made)
{
    reset_task();
    const bool is_started = front_start(&front, made);
    CHECK(is_started, "start");
    if (!is_started) {
        exit(1);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static int ask(enum http_listener listener, const char *line, const char *key)
{
    return raw_client_request(&front, listener, line, key, NULL, answer, sizeof answer);
}

static bool begin(struct raw_client *client, const char *line)
{
    char request[RAW_REQUEST_BYTES];
    raw_client_write(request, line, front.key, NULL);
    return raw_client_open(client, &front, HTTP_LISTENER_API, NULL)
           && raw_client_send_text(client, request);
}

static void wake(void)
{
    pthread_mutex_lock(&task.lock);
    const struct http_handle handle = task.handle;
    pthread_mutex_unlock(&task.lock);
    http_wake(front.server, handle);
}

static void set_ready(const char *pending, ssize_t then)
{
    pthread_mutex_lock(&task.lock);
    task.is_ready = true;
    task.pending = pending;
    task.then = then;
    pthread_mutex_unlock(&task.lock);
    wake();
}

/* ---- answers that come later ----------------------------------------------------------------- */

static void a_task_replies_when_woken(void)
{
    struct raw_client client;
    bool is_closed = false;
    const struct http_server_config made = config();
    start(&made);
    CHECK(begin(&client, "GET /later"), "begin");
    CHECK(reaches(&task.stepped, 1, 2000), "stepped after the handler");
    CHECK(raw_client_receive(&client, answer, sizeof answer, 100, &is_closed) == 0, "waits");
    CHECK(http_server_live_exchanges(front.server) == 1, "live");
    wake();
    CHECK(reaches(&task.stepped, 2, 2000), "stepped when woken");
    set_ready(NULL, HTTP_PULL_END);
    CHECK(raw_client_receive_text(&client, "later", answer, sizeof answer), "%s", answer);
    CHECK(raw_client_status(answer) == 200, "%s", answer);
    CHECK(reaches(&task.destroyed, 1, 2000) && value_of(&task.abandoned) == 0, "destroyed once");
    wake(); /* the handle is stale now */
    usleep(20000);
    CHECK(value_of(&task.destroyed) == 1 && !is_closed, "a stale wake does nothing");
    raw_client_close(&client);
    front_stop(&front);
}

static void a_wake_while_the_task_runs_is_kept(void)
{
    const struct http_server_config made = config();
    start(&made);
    const uint64_t before_ns = clock_monotonic_ns();
    CHECK(ask(HTTP_LISTENER_API, "GET /restless", front.key) == 200, "%.20s", answer);
    CHECK(clock_monotonic_ns() - before_ns < 3000000000, "a thousand wakes, none lost");
    front_stop(&front);
}

static void a_stream_flows_and_ends_cleanly(void)
{
    struct raw_client client;
    bool is_closed = false;
    const struct http_server_config made = config();
    start(&made);
    CHECK(begin(&client, "GET /stream"), "begin");
    CHECK(reaches(&task.stepped, 1, 2000), "stepped");
    set_ready("one", HTTP_PULL_WAIT);
    CHECK(raw_client_receive_text(&client, "3\r\none\r\n", answer, sizeof answer), "%s", answer);
    CHECK(raw_client_status(answer) == 200 && strstr(answer, "text/event-stream"), "%s", answer);
    const uint64_t before_ns = clock_monotonic_ns();
    for (int i = 0; i < 50; i++) {
        char one[64];
        set_ready("more", HTTP_PULL_WAIT);
        while (raw_client_receive(&client, one, 10, 2000, &is_closed) < 9 && !is_closed) {
        }
    }
    const uint64_t each_us = (clock_monotonic_ns() - before_ns) / 50 / 1000;
    fprintf(stderr, "wake to client: %llu us\n", (unsigned long long)each_us);
    CHECK(each_us < 30000, "a chunk waits for no timer: %llu us", (unsigned long long)each_us);
    const unsigned pulled = value_of(&task.pulled);
    CHECK(reaches(&task.pulled, pulled + 2, 4000), "pulled once a second without a wake");
    set_ready("last", HTTP_PULL_END);
    CHECK(raw_client_receive_text(&client, "4\r\nlast\r\n0\r\n\r\n", answer, sizeof answer),
          "clean end: %s", answer);
    CHECK(reaches(&task.destroyed, 1, 2000) && value_of(&task.abandoned) == 0, "destroyed");
    raw_client_close(&client);
    front_stop(&front);
}

static void a_cut_stream_has_no_clean_end(void)
{
    struct raw_client client;
    bool is_closed = false;
    const struct http_server_config made = config();
    start(&made);
    CHECK(begin(&client, "GET /stream"), "begin");
    CHECK(reaches(&task.stepped, 1, 2000), "stepped");
    set_ready("error", HTTP_PULL_CUT);
    raw_client_receive(&client, answer, sizeof answer, 5000, &is_closed);
    CHECK(is_closed && strstr(answer, "5\r\nerror\r\n"), "the event arrives: %s", answer);
    CHECK(!strstr(answer, "0\r\n\r\n"), "no last chunk");
    CHECK(reaches(&task.destroyed, 1, 2000), "destroyed");
    raw_client_close(&client);
    front_stop(&front);
}

/* ---- clients that go away -------------------------------------------------------------------- */

static void leave(struct raw_client *client, int how)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (how == 1) {
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    } else if (how == 2) {
        gnutls_bye(client->session, GNUTLS_SHUT_WR);
        shutdown(client->fd, SHUT_WR);
        usleep(300000);
    }
    raw_client_close(client);
}

static void a_client_that_leaves_is_noticed_at_once(void)
{
    static const char *const lines[] = {"GET /later", "GET /stream"};
    const struct http_server_config made = config();
    start(&made);
    for (int how = 0; how < 3; how++) {
        for (int i = 0; i < 2; i++) {
            struct raw_client client;
            bool is_closed = false;
            reset_task();
            CHECK(begin(&client, lines[i]), "begin");
            CHECK(reaches(&task.stepped, 1, 2000), "stepped");
            if (i == 1) {
                set_ready("one", HTTP_PULL_WAIT);
                raw_client_receive(&client, answer, 10, 1000, &is_closed);
            }
            const uint64_t left_ns = clock_monotonic_ns();
            leave(&client, how);
            CHECK(reaches(&task.destroyed, 1, 2000), "%s %d: destroyed", lines[i], how);
            CHECK(value_of(&task.abandoned) == 1, "%s %d: abandoned once", lines[i], how);
            CHECK(task.abandoned_ns < left_ns + 100000000ULL, "%s %d: within 100 ms", lines[i],
                  how);
            CHECK(http_server_live_exchanges(front.server) == 0, "%s %d: over", lines[i], how);
        }
    }
    CHECK(ask(HTTP_LISTENER_API, "GET /open", NULL) == 200, "the server goes on");
    front_stop(&front);
}

static void a_revoked_key_ends_what_runs(void)
{
    static const char *const lines[] = {"GET /later", "GET /stream"};
    struct failure failure;
    const struct http_server_config made = config();
    start(&made);
    for (int i = 0; i < 2; i++) {
        struct raw_client client;
        bool is_closed = false;
        char id[AUTH_KEY_ID_BYTES] = "";
        reset_task();
        CHECK(begin(&client, lines[i]), "begin");
        CHECK(reaches(&task.stepped, 1, 2000), "stepped");
        if (i == 1) {
            set_ready("one", HTTP_PULL_WAIT);
            raw_client_receive(&client, answer, 10, 1000, &is_closed);
        }
        memcpy(id, front.key + strlen("ward_test_"), sizeof id - 1);
        /* Another process would do this; the store is the same. */
        CHECK(auth_key_revoke(front.auth, id, &failure) == STATUS_OK, "%s", failure.text);
        CHECK(reaches(&task.abandoned, 1, 1000), "%s: abandoned within a second", lines[i]);
        raw_client_receive(&client, answer, sizeof answer, i == 0 ? 500 : 5000, &is_closed);
        if (i == 0) {
            CHECK(raw_client_status(answer) == 401, "%.30s", answer);
        } else {
            CHECK(is_closed && !strstr(answer, "0\r\n\r\n"), "cut");
        }
        CHECK(reaches(&task.destroyed, 1, 2000), "%s: destroyed", lines[i]);
        raw_client_close(&client);
        CHECK(ask(HTTP_LISTENER_API, "GET /stream", front.key) == 401, "%.20s", answer);
        CHECK(auth_key_create(front.auth, "clinic", "test", AUTH_SCOPE_INFER, front.key, &failure)
                  == STATUS_OK,
              "%s", failure.text);
    }
    front_stop(&front);
}

/* ---- slow clients ---------------------------------------------------------------------------- */

/* Milliseconds until the server closes, while `bytes` are sent again and again, one each 20 ms. */
static uint64_t dribble(const char *first, const char *bytes, enum http_listener listener)
{
    struct raw_client client;
    bool is_closed = false;
    const uint64_t start_ns = clock_monotonic_ns();
    if (raw_client_open(&client, &front, listener, NULL) && raw_client_send_text(&client, first)) {
        for (size_t i = 0; !is_closed && i < 500; i++) {
            raw_client_send(&client, bytes + i % strlen(bytes), strlen(bytes) > 0 ? 1 : 0);
            raw_client_receive(&client, answer, sizeof answer, 20, &is_closed);
        }
    }
    raw_client_close(&client);
    return (clock_monotonic_ns() - start_ns) / 1000000;
}

static void slow_senders_are_cut(void)
{
    char head[RAW_REQUEST_BYTES];
    struct http_server_config made = config();
    made.header_deadline_ms = 300;
    made.body_deadline_ms = 600;
    made.idle_timeout_ms = 500;
    start(&made);
    for (int listener = 0; listener < 2; listener++) {
        uint64_t ms = dribble("GET /op", "en", (enum http_listener)listener);
        CHECK(ms >= 250 && ms < 3000, "head cut after %llu ms", (unsigned long long)ms);
        ms = dribble("\r\n", "\r\n", (enum http_listener)listener);
        CHECK(ms >= 250 && ms < 3000, "empty lines cut after %llu ms", (unsigned long long)ms);
    }
    raw_client_write(head, "POST /body", front.key, "Content-Length: 60000\r\n\r\n");
    uint64_t ms = dribble(head, "body", HTTP_LISTENER_API);
    CHECK(ms >= 550 && ms < 4000, "body cut after %llu ms", (unsigned long long)ms);
    raw_client_write(head, "POST /body", front.key, "Transfer-Encoding: chunked\r\n\r\n");
    ms = dribble(head, "1\r\na\r\n", HTTP_LISTENER_API);
    CHECK(ms >= 550 && ms < 4000, "chunks cut after %llu ms", (unsigned long long)ms);

    struct raw_client client = {.fd = -1};
    char got[64];
    bool is_closed = false;
    /* TCP to the TLS port that never shakes hands, and one that stops in the middle of it. */
    static const char *const hellos[] = {"", "\x16\x03\x01"};
    for (int i = 0; i < 2; i++) {
        CHECK(raw_client_connect(&client, &front, HTTP_LISTENER_API), "connect");
        raw_client_send_text(&client, hellos[i]);
        raw_client_receive(&client, got, sizeof got, 3000, &is_closed);
        CHECK(is_closed, "handshake %d is cut", i);
        raw_client_close(&client);
    }
    raw_client_write(head, "GET /open", NULL, NULL);
    CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
    raw_client_send_text(&client, head);
    CHECK(raw_client_receive_text(&client, "open", answer, sizeof answer), "answered");
    raw_client_receive(&client, answer, sizeof answer, 3000, &is_closed);
    CHECK(is_closed, "an idle connection is closed");
    raw_client_close(&client);
    front_stop(&front);
}

static uint64_t cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000
           + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Clients that stand still in every state a connection can be in. */
static void whoever_waits_costs_no_time(void)
{
    static const char *const stalled[] = {
        "GET /op", "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "",
        "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab",
        "GET /open HTTP/1.1\r\nHost: a\r\n\r\n"};
    enum { COUNT = sizeof stalled / sizeof stalled[0] };
    struct raw_client tls[COUNT], plain[COUNT], hello, waiting;
    const struct http_server_config made = config();
    start(&made);
    for (int i = 0; i < COUNT; i++) {
        CHECK(raw_client_open(&plain[i], &front, HTTP_LISTENER_ADMIN, NULL), "plain %d", i);
        CHECK(raw_client_open(&tls[i], &front, HTTP_LISTENER_API, NULL), "tls %d", i);
        raw_client_send_text(&plain[i], stalled[i]);
        raw_client_send_text(&tls[i], stalled[i]);
    }
    CHECK(raw_client_connect(&hello, &front, HTTP_LISTENER_API), "connect");
    raw_client_send_text(&hello, "\x16\x03\x01");
    CHECK(begin(&waiting, "GET /later"), "begin");
    usleep(200000);
    const uint64_t before_us = cpu_us();
    usleep(500000);
    const uint64_t used_us = cpu_us() - before_us;
    CHECK(used_us < 150000, "%llu us of CPU in 500 ms", (unsigned long long)used_us);
    for (int i = 0; i < COUNT; i++) {
        raw_client_close(&plain[i]);
        raw_client_close(&tls[i]);
    }
    raw_client_close(&hello);
    raw_client_close(&waiting);
    front_stop(&front);
}

static void a_slow_reader_is_dropped(void)
{
    struct raw_client client;
    struct http_server_config made = config();
    made.idle_timeout_ms = 1000;
    start(&made);
    CHECK(begin(&client, "GET /flood"), "begin");
    CHECK(reaches(&task.stepped, 1, 2000), "stepped");
    set_ready(NULL, HTTP_PULL_WAIT); /* and never reads */
    CHECK(ask(HTTP_LISTENER_API, "GET /open", NULL) == 200, "others are served");
    CHECK(reaches(&task.destroyed, 1, 6000), "dropped");
    CHECK(value_of(&task.abandoned) == 1, "abandoned once");
    raw_client_close(&client);
    front_stop(&front);
}

/* A task may work for longer than any deadline, as long as its client is there. */
static void a_waiting_client_is_not_cut(void)
{
    struct raw_client client;
    struct http_server_config made = config();
    made.header_deadline_ms = made.body_deadline_ms = made.idle_timeout_ms = 200;
    start(&made);
    CHECK(begin(&client, "GET /later"), "begin");
    usleep(800000);
    CHECK(value_of(&task.abandoned) == 0, "still there");
    set_ready(NULL, HTTP_PULL_END);
    CHECK(raw_client_receive_text(&client, "later", answer, sizeof answer), "%.30s", answer);
    raw_client_close(&client);
    front_stop(&front);
}

/* ---- TLS, limits, stopping ------------------------------------------------------------------- */

static void tls_sessions_are_resumed(void)
{
    struct raw_client client;
    char request[RAW_REQUEST_BYTES];
    gnutls_datum_t data = {NULL, 0};
    const struct http_server_config made = config();
    start(&made);
    raw_client_write(request, "GET /open", NULL, NULL);
    CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
    raw_client_send_text(&client, request);
    CHECK(raw_client_receive_text(&client, "open", answer, sizeof answer), "%s", answer);
    CHECK(!gnutls_session_is_resumed(client.session), "the first is new");
    CHECK(gnutls_protocol_get_version(client.session) == GNUTLS_TLS1_3, "TLS 1.3");
    CHECK(gnutls_session_get_data2(client.session, &data) == GNUTLS_E_SUCCESS, "ticket");
    raw_client_close(&client);
    CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, &data), "open");
    CHECK(gnutls_session_is_resumed(client.session), "the second is resumed");
    raw_client_send_text(&client, request);
    CHECK(raw_client_receive_text(&client, "open", answer, sizeof answer), "and served");
    raw_client_close(&client);
    gnutls_free(data.data);
    front_stop(&front);
}

static void connections_beyond_the_limit_wait(void)
{
    enum { LIMIT = 8, MORE = 4 };
    struct raw_client clients[LIMIT], late;
    char request[RAW_REQUEST_BYTES];
    struct http_server_config made = config();
    made.connections_max = LIMIT;
    start(&made);
    for (int i = 0; i < LIMIT; i++) {
        CHECK(raw_client_open(&clients[i], &front, HTTP_LISTENER_API, NULL), "client %d", i);
    }
    CHECK(ask(HTTP_LISTENER_ADMIN, "GET /health", NULL) == 200, "health answers when full");
    raw_client_close(&clients[0]);
    raw_client_write(request, "GET /open", NULL, NULL);
    CHECK(raw_client_open(&late, &front, HTTP_LISTENER_API, NULL), "a place became free");
    raw_client_send_text(&late, request);
    CHECK(raw_client_receive_text(&late, "open", answer, sizeof answer), "%.20s", answer);
    raw_client_close(&late);
    for (int i = 1; i < LIMIT; i++) {
        raw_client_close(&clients[i]);
    }
    front_stop(&front);
}

static void draining_lets_what_runs_finish(void)
{
    struct raw_client client, idle, other;
    bool is_closed = false;
    const struct http_server_config made = config();
    start(&made);
    CHECK(begin(&client, "GET /later"), "begin");
    CHECK(reaches(&task.stepped, 1, 2000), "stepped");
    CHECK(raw_client_open(&idle, &front, HTTP_LISTENER_API, NULL), "idle");
    http_server_drain(front.server);
    raw_client_receive(&idle, answer, sizeof answer, 2000, &is_closed);
    CHECK(is_closed, "an idle connection is closed");
    raw_client_close(&idle);
    CHECK(!raw_client_open(&other, &front, HTTP_LISTENER_API, NULL), "no new connection");
    CHECK(ask(HTTP_LISTENER_ADMIN, "GET /health", NULL) == 200, "admin still answers");
    CHECK(value_of(&task.abandoned) == 0 && http_server_live_exchanges(front.server) == 1, "runs");
    set_ready(NULL, HTTP_PULL_END);
    raw_client_receive(&client, answer, sizeof answer, 2000, &is_closed);
    CHECK(raw_client_status(answer) == 200 && is_closed, "finished: %s", answer);
    CHECK(strstr(answer, "Connection: close"), "and told to close");
    raw_client_close(&client);
    front_stop(&front);
}

static void stopping_cuts_what_is_left(void)
{
    static const char *const lines[] = {"GET /later", "GET /stream", "GET /flood"};
    for (int i = 0; i < 3; i++) {
        struct raw_client client;
        bool is_closed = false;
        const struct http_server_config made = config();
        start(&made);
        CHECK(begin(&client, lines[i]), "begin");
        CHECK(reaches(&task.stepped, 1, 2000), "stepped");
        if (i > 0) {
            set_ready("one", HTTP_PULL_WAIT);
            CHECK(reaches(&task.pulled, 1, 2000), "pulled");
        }
        front_stop(&front);
        CHECK(value_of(&task.abandoned) == 1 && value_of(&task.destroyed) == 1,
              "%s: abandoned %u, destroyed %u", lines[i], task.abandoned, task.destroyed);
        while (raw_client_receive(&client, answer, sizeof answer, 2000, &is_closed) > 0) {
        }
        CHECK(is_closed, "%s: closed", lines[i]);
        raw_client_close(&client);
    }
}

static void a_bad_setting_is_named(void)
{
    struct http_server_config made = config();
    struct http_server *server = NULL;
    struct failure failure;
    start(&made);
    made.auth = front.auth;
    made.certificate_pem = "not a certificate";
    made.private_key_pem = front.private_key.bytes;
    CHECK(http_server_start(&made, &server, &failure) == STATUS_INVALID, "certificate");
    CHECK(strstr(failure.text, "certificate"), "%s", failure.text);
    made.certificate_pem = front.certificate.bytes;
    made.api_address = "localhost";
    CHECK(http_server_start(&made, &server, &failure) == STATUS_INVALID, "address");
    CHECK(strstr(failure.text, "localhost"), "%s", failure.text);
    made.api_address = "127.0.0.1";
    made.api_port = http_server_port(front.server, HTTP_LISTENER_API);
    CHECK(http_server_start(&made, &server, &failure) == STATUS_IO, "port");
    CHECK(strstr(failure.text, "127.0.0.1"), "%s", failure.text);
    front_stop(&front);
}

CHECK_MAIN(a_task_replies_when_woken, a_wake_while_the_task_runs_is_kept,
           a_stream_flows_and_ends_cleanly, a_cut_stream_has_no_clean_end,
           a_client_that_leaves_is_noticed_at_once, a_revoked_key_ends_what_runs,
           slow_senders_are_cut, whoever_waits_costs_no_time, a_slow_reader_is_dropped,
           a_waiting_client_is_not_cut, tls_sessions_are_resumed, connections_beyond_the_limit_wait,
           draining_lets_what_runs_finish, stopping_cuts_what_is_left, a_bad_setting_is_named)
