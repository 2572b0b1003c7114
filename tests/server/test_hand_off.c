/* Method: two clinics whose webhooks are one small server on loopback, which writes down who was
 * called in which order; clinic a's never answers well, and can be held. What b is told must not
 * wait for what a does not hear. */
#include "server/hand_off/hand_off.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/check.h"

enum { CALLS_MAX = 4096, REQUEST_BYTES = 4096, PATIENCE_MS = 10000 };

static struct {
    int listener;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t gate; /* held: clinic a's webhook does not answer */
    char calls[CALLS_MAX];
    _Atomic uint32_t call_count;
    _Atomic uint32_t ended; /* acknowledged */
} web;

static char directory[32];
static struct policy *policy;
static struct hand_off *hand_off;

/* ---- the clinics' server --------------------------------------------------------------------- */

static void answer(int client)
{
    static const char good[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    static const char bad[] = "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char request[REQUEST_BYTES] = "";
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length < sizeof request - 1 && !strstr(request, "}}")) {
        got = recv(client, request + length, sizeof request - 1 - length, 0);
        length += got > 0 ? (size_t)got : 0;
        request[length] = '\0';
    }
    const bool is_a = strncmp(request, "POST /a ", 8) == 0;
    const uint32_t at = atomic_load(&web.call_count);
    web.calls[at % CALLS_MAX] = is_a ? 'a' : 'b';
    atomic_store(&web.call_count, at + 1);
    if (is_a) {
        pthread_mutex_lock(&web.gate);
        pthread_mutex_unlock(&web.gate);
    }
    const char *told = is_a ? bad : good;
    const ssize_t sent = send(client, told, strlen(told), MSG_NOSIGNAL);
    (void)sent; /* who does not listen any more need not hear it */
}

static void *serve(void *context)
{
    (void)context;
    for (int client = 0; client >= 0;) {
        client = accept(web.listener, NULL, NULL);
        if (client >= 0) {
            answer(client);
            close(client);
        }
    }
    return NULL;
}

static void start_web(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    web.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(web.listener >= 0 && bind(web.listener, (struct sockaddr *)&address, sizeof address) == 0
              && listen(web.listener, 8) == 0
              && getsockname(web.listener, (struct sockaddr *)&address, &length) == 0,
          "no listener");
    web.port = ntohs(address.sin_port);
    atomic_store(&web.call_count, 0);
    atomic_store(&web.ended, 0);
    pthread_mutex_init(&web.gate, NULL);
    CHECK(pthread_create(&web.thread, NULL, serve, NULL) == 0, "no thread");
}

static void stop_web(void)
{
    shutdown(web.listener, SHUT_RDWR);
    pthread_join(web.thread, NULL);
    close(web.listener);
    pthread_mutex_destroy(&web.gate);
}

/* ---- the rules ------------------------------------------------------------------------------- */

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    CHECK(file && fputs(text, file) >= 0, "not written");
    CHECK(fclose(file) == 0, "not written");
}

static void remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
}

static void write_rules(const char *tenant)
{
    char name[32], text[512];
    snprintf(name, sizeof name, "%s.yaml", tenant);
    snprintf(text, sizeof text,
             "version: 1\nname: %s\nextends: standard\nwebhook: {url: \"http://127.0.0.1:%u/%s\", "
             "secret_file: \"%s/secret\"}\n",
             tenant, web.port, tenant, directory);
    write_file(name, text);
}

static void count_end(void *context, const struct hand_off_event *event, bool is_acknowledged,
                      uint32_t attempts)
{
    (void)context, (void)event, (void)attempts;
    atomic_fetch_add(&web.ended, is_acknowledged);
}

static void start(void)
{
    struct failure failure = {""};
    snprintf(directory, sizeof directory, "/tmp/ward-hand-off-XXXXXX");
    CHECK(mkdtemp(directory), "no folder");
    start_web();
    write_file("secret", "a secret of this test alone\n");
    write_rules("a");
    write_rules("b");
    const struct policy_config config = {
        .directory = directory,
        .default_name = "standard",
        .vault = {.sessions_max = 4, .values_max = 4, .lifetime_s = 60},
    };
    CHECK(policy_open(&config, &policy, &failure) == STATUS_OK, "%s", failure.text);
    const struct hand_off_config terms = {.policy = policy, .prefix = "", .ended = count_end};
    CHECK(hand_off_start(&terms, &hand_off, &failure) == STATUS_OK, "%s", failure.text);
}

static void stop(void)
{
    hand_off_stop(hand_off);
    stop_web();
    policy_close(policy);
    remove_file("secret");
    remove_file("a.yaml");
    remove_file("b.yaml");
    rmdir(directory);
}

static void push(const char *tenant, uint32_t count)
{
    struct hand_off_event event = {.tenant = {(uint32_t)tenant[0]},
                                   .kind = CRISIS_SUICIDE,
                                   .grade = CRISIS_IMMINENT,
                                   .unix_s = clock_unix_ms() / 1000};
    snprintf(event.tenant_name, sizeof event.tenant_name, "%s", tenant);
    snprintf(event.request_id, sizeof event.request_id, "req_%s", tenant);
    for (uint32_t i = 0; i < count; i++) {
        hand_off_push(hand_off, &event);
    }
}

static bool wait_for(const _Atomic uint32_t *count, uint32_t wanted)
{
    for (unsigned ms = 0; ms < PATIENCE_MS && atomic_load(count) < wanted; ms++) {
        usleep(1000);
    }
    return atomic_load(count) >= wanted;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void tenants_take_turns(void)
{
    start();
    pthread_mutex_lock(&web.gate);
    push("a", 1);
    CHECK(wait_for(&web.call_count, 1), "a is not called");
    push("a", 20);
    push("b", 1);
    pthread_mutex_unlock(&web.gate);
    CHECK(wait_for(&web.ended, 1), "b was not told");
    CHECK(web.calls[1] == 'b', "b waited: %.8s", web.calls);
    CHECK(wait_for(&web.call_count, 10), "a is not called again");
    CHECK(hand_off_counts(hand_off).waiting == 21, "a's are gone");
    stop();
}

static void one_tenant_cannot_fill_the_queue(void)
{
    start();
    pthread_mutex_lock(&web.gate);
    push("a", HAND_OFF_TENANT_MAX + 10);
    push("b", 2);
    const struct hand_off_counts counts = hand_off_counts(hand_off);
    CHECK(counts.lost == 10 && counts.waiting == HAND_OFF_TENANT_MAX + 2, "%llu lost",
          (unsigned long long)counts.lost);
    pthread_mutex_unlock(&web.gate);
    CHECK(wait_for(&web.ended, 2), "b was not told");
    stop();
}

static void an_attempt_under_way_ends_with_the_process(void)
{
    start();
    pthread_mutex_lock(&web.gate);
    push("a", 1);
    CHECK(wait_for(&web.call_count, 1), "a is not called");
    const uint64_t before_ns = clock_monotonic_ns();
    hand_off_stop(hand_off);
    hand_off = NULL;
    CHECK(clock_monotonic_ns() - before_ns < 3000000000ULL, "it waited for the webhook");
    pthread_mutex_unlock(&web.gate);
    stop();
}

CHECK_MAIN(tenants_take_turns, one_tenant_cannot_fill_the_queue,
           an_attempt_under_way_ends_with_the_process)
