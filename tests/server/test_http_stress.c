/* Method: clients on many threads ask, stay or leave at a random moment, while other threads wake
 * their tasks at random, also tasks that are long gone. Every task must be destroyed once and told
 * at most once that it was abandoned; every client that stays gets its whole answer; hardly a wake
 * may be late enough to have come from the keeper's second instead. Best under TSan. */
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "tests/check.h"
#include "tests/server/support_http.h"

enum {
    CLIENTS = 16,
    WAKERS = 3,
    JOBS_MAX = 1 << 16,
    CHUNKS_MAX = 20,
    RUN_MS = 2500,
    LATE_MS = 900,
};

struct job {
    _Atomic uint64_t handle;
    _Atomic uint64_t ready_ns; /* when the last chunk became ready */
    atomic_uint available;     /* chunks that may be pulled */
    atomic_uint abandoned, destroyed;
    atomic_bool is_finished; /* no more progress is needed */
    unsigned chunks;         /* 0: one reply */
    unsigned pulled;         /* by the I/O thread */
};

static struct job jobs[JOBS_MAX];
static atomic_uint job_count;
static atomic_uint whole, left, late, wrong;
static atomic_bool must_end;
static struct front front;

/* ---- server side ----------------------------------------------------------------------------- */

static void step(struct http_exchange *exchange, void *context)
{
    struct job *job = context;
    if (job->chunks > 0) {
        http_stream_begin(exchange, "text/plain");
    } else if (atomic_load(&job->available) > 0) {
        http_reply(exchange, 200, "text/plain", "reply", 5);
    }
}

static ssize_t pull(void *context, char *out, size_t max)
{
    struct job *job = context;
    (void)max;
    if (job->pulled < job->chunks && job->pulled < atomic_load(&job->available)) {
        out[0] = (char)('a' + job->pulled++);
        return 1;
    }
    return job->pulled == job->chunks ? HTTP_PULL_END : HTTP_PULL_WAIT;
}

static void abandon(void *context)
{
    struct job *job = context;
    CHECK(atomic_load(&job->destroyed) == 0, "abandoned after destroyed");
    atomic_fetch_add(&job->abandoned, 1);
    http_wake(front.server, (struct http_handle){atomic_load(&job->handle)});
}

static void destroy(void *context)
{
    struct job *job = context;
    atomic_fetch_add(&job->destroyed, 1);
    atomic_store(&job->is_finished, true);
}

static void handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    size_t length = 0;
    const char *body = http_exchange_body(exchange, &length);
    struct job *job = &jobs[atomic_fetch_add(&job_count, 1)];
    const struct http_task task = {job, step, pull, abandon, destroy};
    CHECK(length == 1 && job < jobs + JOBS_MAX, "a job");
    job->chunks = (unsigned)(body[0] - 'A');
    atomic_store(&job->handle, http_defer(exchange, &task).value);
}

static const struct http_route routes[] = {
    {HTTP_LISTENER_API, "POST", "/job", HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL, handler}};

/* Makes one job a little more ready, and wakes it before, after, or for nothing. */
static void progress(struct job *job, struct random_source *random)
{
    const struct http_handle handle = {atomic_load(&job->handle)};
    if (handle.value == 0) {
        return; /* about to be deferred */
    }
    const unsigned wanted = job->chunks > 0 ? job->chunks : 1; /* set before the handle */
    if (random_below(random, 4) == 0) {
        http_wake(front.server, handle);
    }
    if (!atomic_load(&job->is_finished) && random_below(random, 2) == 0) {
        const unsigned available = atomic_load(&job->available);
        if (available < wanted) {
            atomic_store(&job->ready_ns, clock_monotonic_ns());
            atomic_store(&job->available, available + 1); /* one waker a job */
        }
        if (available + 1 >= wanted) {
            atomic_store(&job->is_finished, true);
        }
        http_wake(front.server, handle);
    }
}

static void *wake_at_random(void *argument)
{
    const unsigned number = (unsigned)(size_t)argument;
    struct random_source random = {number};
    while (!atomic_load(&must_end)) {
        const unsigned count = atomic_load(&job_count);
        const unsigned from = count > 200 ? count - 200 : 0;
        for (unsigned i = from; i < count; i++) {
            if (i % WAKERS == number) {
                progress(&jobs[i], &random);
            }
        }
        if (count > 0) { /* a handle that is most likely stale */
            http_wake(front.server, (struct http_handle){
                                        atomic_load(&jobs[random_below(&random, count)].handle)});
        }
        http_wake(front.server, (struct http_handle){random_next(&random)});
        usleep(300);
    }
    return NULL;
}

/* ---- client side ----------------------------------------------------------------------------- */

static bool is_right(const char *answer, unsigned chunks)
{
    const char *body = strstr(answer, "\r\n\r\n");
    if (!body || raw_client_status(answer) != 200) {
        return false;
    }
    body += 4;
    if (chunks == 0) {
        return strcmp(body, "reply") == 0;
    }
    char got[CHUNKS_MAX + 1];
    unsigned count = 0;
    while (strlen(body) >= 6 && body[0] == '1' && count < chunks) { /* "1\r\nx\r\n" */
        got[count++] = body[3];
        body += 6;
    }
    for (unsigned i = 0; i < count; i++) {
        if (got[i] != (char)('a' + i)) {
            return false;
        }
    }
    return count == chunks && strcmp(body, "0\r\n\r\n") == 0;
}

/* One request on an open connection. False: the client left. */
static bool ask_once(struct raw_client *client, struct random_source *random)
{
    char request[512], answer[4096];
    const unsigned chunks = random_below(random, CHUNKS_MAX);
    const bool leaves = random_below(random, 3) == 0;
    size_t received = 0;
    bool is_closed = false;
    snprintf(request, sizeof request,
             "POST /job HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
             "Content-Length: 1\r\n\r\n%c",
             front.key, (int)('A' + chunks));
    raw_client_send_text(client, request);
    if (leaves) {
        usleep(random_below(random, 20000));
        atomic_fetch_add(&left, 1);
        return false;
    }
    while (!is_closed) {
        const size_t before = received;
        const uint64_t asked_ns = clock_monotonic_ns();
        received += raw_client_receive(client, answer + received, 2, 20000, &is_closed);
        if (clock_monotonic_ns() - asked_ns > LATE_MS * 1000000ULL) {
            atomic_fetch_add(&late, 1);
        }
        if (received == before || is_right(answer, chunks)) {
            break;
        }
    }
    answer[received] = '\0';
    CHECK(is_right(answer, chunks), "%u chunks: %s", chunks, answer);
    atomic_fetch_add(is_right(answer, chunks) ? &whole : &wrong, 1);
    return !is_closed;
}

static void *come_and_go(void *argument)
{
    struct random_source random = {1000 + (uint64_t)(size_t)argument};
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    while (!atomic_load(&must_end)) {
        struct raw_client client;
        if (!raw_client_open(&client, &front, HTTP_LISTENER_API, NULL)) {
            CHECK(false, "a client cannot connect");
            break;
        }
        bool goes_on = true;
        for (int i = 0; i < 8 && goes_on && !atomic_load(&must_end); i++) {
            goes_on = ask_once(&client, &random);
        }
        if (random_below(&random, 2) == 0) {
            setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        }
        raw_client_close(&client);
    }
    return NULL;
}

static void nothing_is_lost_or_used_twice(void)
{
    pthread_t clients[CLIENTS], wakers[WAKERS];
    struct http_server_config config = front_config();
    config.routes = routes;
    config.route_count = 1;
    config.thread_count = 4;
    CHECK(front_start(&front, &config), "start");
    for (size_t i = 0; i < WAKERS; i++) {
        pthread_create(&wakers[i], NULL, wake_at_random, (void *)i);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_create(&clients[i], NULL, come_and_go, (void *)i);
    }
    for (int i = 0; i < RUN_MS && atomic_load(&job_count) < JOBS_MAX - 100; i++) {
        usleep(1000);
    }
    atomic_store(&must_end, true);
    /* Clients that still wait are woken no more: stopping must end them. */
    usleep(20000);
    for (size_t i = 0; i < WAKERS; i++) {
        pthread_join(wakers[i], NULL);
    }
    const unsigned count = atomic_load(&job_count);
    for (unsigned i = 0; i < count; i++) { /* the last ones get all they wait for */
        atomic_store(&jobs[i].available, CHUNKS_MAX);
        http_wake(front.server, (struct http_handle){atomic_load(&jobs[i].handle)});
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], NULL);
    }
    front_stop(&front);
    unsigned abandoned = 0;
    for (unsigned i = 0; i < count; i++) {
        abandoned += jobs[i].abandoned;
        CHECK(jobs[i].destroyed == 1 && jobs[i].abandoned <= 1, "job %u: %u, %u", i,
              jobs[i].destroyed, jobs[i].abandoned);
    }
    fprintf(stderr, "%u jobs: %u whole, %u left, %u abandoned, %u late\n", count, whole, left,
            abandoned, late);
    CHECK(whole > 100 && left > 20 && abandoned > 10, "enough of everything happened");
    CHECK(wrong == 0 && late * 100 <= whole, "%u wrong, %u late of %u", wrong, late, whole);
}

CHECK_MAIN(nothing_is_lost_or_used_twice)
