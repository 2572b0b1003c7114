/* Method: the real gateway, service and audit log around a fake engine; the disk of the log is held
 * or broken while requests are on their way. No byte may come before its record is durable, and
 * every accepted request has one end, whatever happened; the records are read from the files. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/check.h"
#include "tests/server/support_api.h"

enum { ANSWER_BYTES = 1 << 20, PATIENCE_MS = 20000, WATCH_MS = 100, HELLO_STEPS = 14 };

static struct api api;
static char answer[ANSWER_BYTES];

#define WAIT_FOR(condition)                                                      \
    do {                                                                         \
        const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL; \
        while (!(condition) && clock_monotonic_ns() < end_ns) {                  \
            usleep(500);                                                         \
        }                                                                        \
        CHECK((condition), "waited in vain");                                    \
    } while (0)

static void start(bool rebuilds, bool keeps_in_memory)
{
    const struct api_terms terms = {.requests_max = 2,
                                    .drain_ms = 1000,
                                    .rebuilds = rebuilds,
                                    .keeps_in_memory = keeps_in_memory};
    CHECK(api_start(&api, &terms), "no server");
}

#define CHAT(more) \
    "{\"model\":\"bytes\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]" more "}"

static struct raw_client begin(const char *body)
{
    char request[4096];
    struct raw_client client;
    api_write_request("POST /v1/chat/completions", api.front.key, body, request, sizeof request);
    CHECK(raw_client_open(&client, &api.front, HTTP_LISTENER_API, NULL), "no connection");
    CHECK(raw_client_send_text(&client, request), "not sent");
    return client;
}

/* The status of all that comes until the server closes. */
static int end(struct raw_client *client)
{
    bool is_closed = false;
    raw_client_receive(client, answer, sizeof answer, PATIENCE_MS, &is_closed);
    raw_client_close(client);
    CHECK(is_closed, "the answer has no end");
    return raw_client_status(answer);
}

static int chat(const char *body)
{
    struct raw_client client = begin(body);
    return end(&client);
}

static int get(const char *line)
{
    return raw_client_request(&api.front, HTTP_LISTENER_API, line, api.front.key, NULL, answer,
                              sizeof answer);
}

static bool is_available(void)
{
    return audit_is_available(api.spool.audit);
}

/* Durable ones: the engine may know of a request before the log does. */
static size_t accepted_count(void)
{
    json_t *records = spool_records(&api.spool);
    const size_t count = spool_count(records, "request.accepted", NULL);
    json_decref(records);
    return count;
}

/* The disk as it was; all records, of which every accepted one has its one end. */
static json_t *settle(void)
{
    atomic_store(&spool_fails, false);
    WAIT_FOR(is_available());
    WAIT_FOR(http_server_live_exchanges(api.front.server) == 0);
    json_t *records = spool_records(&api.spool);
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        if (strcmp(spool_text(record, "event"), "request.accepted") == 0) {
            const char *id = spool_text(record, "request_id");
            const size_t ends = spool_count(records, "request.completed", id)
                                + spool_count(records, "request.cancelled", id)
                                + spool_count(records, "request.refused", id);
            CHECK(ends == 1, "%s has %zu ends", id, ends);
        }
    }
    return records;
}

static void finish(json_t *records)
{
    json_decref(records);
    api_stop(&api);
}

/* ---- waiting for the disk -------------------------------------------------------------------- */

static void no_byte_leaves_before_its_record(void)
{
    static const char *const bodies[] = {CHAT(""), CHAT(",\"stream\":true"), CHAT(",\"n\":2")};
    start(true, false);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        bool is_closed = false;
        pthread_mutex_lock(&spool_gate);
        const uint32_t steps = atomic_load(&api.fake.steps);
        struct raw_client client = begin(bodies[i]);
        WAIT_FOR(atomic_load(&api.fake.steps) >= steps + HELLO_STEPS); /* works meanwhile */
        CHECK(raw_client_receive(&client, answer, sizeof answer, WATCH_MS, &is_closed) == 0
                  && !is_closed,
              "body %zu: it left before its record: %s", i, answer);
        pthread_mutex_unlock(&spool_gate);
        CHECK(end(&client) == 200 && strstr(answer, i == 1 ? "\"H\"" : "Hello"), "body %zu: %s", i,
              answer);
    }
    json_t *records = settle();
    CHECK(spool_count(records, "request.completed", NULL) == 3, "three answers");
    finish(records);
}

/* ---- a disk that fails ----------------------------------------------------------------------- */

static void what_cannot_be_recorded_is_refused(void)
{
    start(true, false);
    atomic_store(&spool_fails, true);
    for (int i = 0; i < 4; i++) { /* the first finds out */
        CHECK(chat(i % 2 ? CHAT("") : CHAT(",\"stream\":true")) == 503, "%d: %s", i, answer);
        CHECK(strstr(answer, "\"audit_unavailable\""), "%d: %s", i, answer);
        CHECK(strcasestr(answer, "\r\nretry-after: 5\r\n"), "%d: no time to come back", i);
        CHECK(!strstr(answer, "Hello"), "%d: %s", i, answer);
    }
    CHECK(get("GET /v1/models") == 503 && strstr(answer, "\"audit_unavailable\""), "%s", answer);
    CHECK(get("GET /readyz") == 503 && strstr(answer, "\"audit_unavailable\""), "%s", answer);
    CHECK(get("GET /healthz") == 200, "%s", answer);
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 0);
    atomic_store(&spool_fails, false);
    WAIT_FOR(is_available());
    CHECK(chat(CHAT("")) == 200, "%s", answer);
    CHECK(get("GET /readyz") == 200, "%s", answer);
    trail_tick(api.service->trail);
    json_t *records = settle();
    CHECK(spool_count(records, "request.accepted", NULL) == 2, "the first and the last");
    CHECK(spool_count(records, "request.completed", NULL) == 1, "the last");
    CHECK(spool_number(spool_find(records, "audit.outage", NULL), "count") == 4, "four refused");
    finish(records);
}

static void a_running_stream_is_broken_off(void)
{
    start(true, false);
    atomic_store(&api.fake.step_us, 20000); /* it would go on for ten seconds */
    fake_engine_say(&api.fake, "", 'x');
    struct raw_client client = begin(CHAT(",\"stream\":true,\"max_tokens\":500"));
    CHECK(raw_client_receive_text(&client, "\"x\"", answer, sizeof answer), "no stream");
    atomic_store(&spool_fails, true); /* the next checkpoint finds out */
    end(&client);
    CHECK(strstr(answer, "\"code\":\"audit_unavailable\""), "%s", answer);
    CHECK(!strstr(answer, "[DONE]"), "it looks like a clean end");
    json_t *records = settle();
    const json_t *cancelled = spool_find(records, "request.cancelled", NULL);
    CHECK(strcmp(spool_text(cancelled, "reason"), "audit_unavailable") == 0, "reason %s",
          spool_text(cancelled, "reason"));
    CHECK(spool_number(cancelled, "output_tokens") > 0, "as far as it came");
    finish(records);
}

static void a_whole_answer_is_held_back_too(void)
{
    start(true, false);
    pthread_mutex_lock(&api.fake.gate);
    struct raw_client client = begin(CHAT(""));
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 1);
    WAIT_FOR(accepted_count() == 1);
    atomic_store(&spool_fails, true);
    WAIT_FOR(!is_available());
    pthread_mutex_unlock(&api.fake.gate);
    CHECK(end(&client) == 503 && strstr(answer, "\"audit_unavailable\""), "%s", answer);
    CHECK(!strstr(answer, "Hello"), "%s", answer);
    json_t *records = settle();
    CHECK(strcmp(spool_text(spool_find(records, "request.cancelled", NULL), "reason"),
                 "audit_unavailable")
              == 0,
          "reason");
    finish(records);
}

/* Neither an error nor a record: the sync does not come back. */
static void a_disk_that_hangs_is_an_outage(void)
{
    start(true, false);
    atomic_store(&api.fake.step_us, 100000); /* it would go on for a minute */
    fake_engine_say(&api.fake, "", 'x');
    struct raw_client client = begin(CHAT(",\"stream\":true,\"max_tokens\":500"));
    CHECK(raw_client_receive_text(&client, "\"x\"", answer, sizeof answer), "no stream");
    pthread_mutex_lock(&spool_gate);
    WAIT_FOR(!is_available());
    CHECK(get("GET /readyz") == 503 && strstr(answer, "\"audit_unavailable\""), "%s", answer);
    CHECK(chat(CHAT("")) == 503 && strstr(answer, "\"audit_unavailable\""), "%s", answer);
    CHECK(get("GET /v1/models") == 503, "%s", answer);
    end(&client);
    CHECK(strstr(answer, "\"code\":\"audit_unavailable\""), "%s", answer);
    pthread_mutex_unlock(&spool_gate);
    json_t *records = settle();
    const json_t *outage = spool_find(records, "audit.outage", NULL);
    CHECK(strcmp(spool_text(outage, "reason"), "hung") == 0, "%s", spool_text(outage, "reason"));
    CHECK(spool_number(outage, "count") == 2, "two refused");
    CHECK(spool_count(records, "request.cancelled", NULL) == 1, "the stream");
    finish(records);
}

static void memory_keeps_where_that_is_configured(void)
{
    start(true, true);
    atomic_store(&spool_fails, true);
    for (int i = 0; i < 5; i++) {
        CHECK(chat(CHAT("")) == 200 && strstr(answer, "Hello, world."), "%s", answer);
    }
    CHECK(get("GET /readyz") == 200, "%s", answer);
    CHECK(get("GET /v1/models") == 200, "%s", answer);
    json_t *records = settle();
    CHECK(spool_count(records, "request.completed", NULL) == 6, "all of them");
    finish(records);
}

/* ---- other ends ------------------------------------------------------------------------------ */

static void what_the_engine_refuses_was_never_accepted(void)
{
    start(true, false);
    pthread_mutex_lock(&api.fake.gate);
    struct raw_client first = begin(CHAT("")), second = begin(CHAT(""));
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 2);
    CHECK(chat(CHAT("")) == 503 && strstr(answer, "\"server_busy\""), "%s", answer);
    CHECK(chat(CHAT(",\"x\":1")) == 400, "%s", answer);
    pthread_mutex_unlock(&api.fake.gate);
    CHECK(end(&first) == 200, "%s", answer);
    CHECK(end(&second) == 200, "%s", answer);
    json_t *records = settle();
    CHECK(spool_count(records, "request.accepted", NULL) == 2, "accepted");
    CHECK(spool_count(records, "request.refused", NULL) == 2, "refused");
    const json_t *busy = spool_find(records, "request.refused", NULL);
    CHECK(strcmp(spool_text(busy, "outcome"), "busy") == 0, "%s", spool_text(busy, "outcome"));
    CHECK(strcmp(spool_text(busy, "route"), "chat_completions") == 0, "route");
    finish(records);
}

static void a_lost_engine_and_a_client_that_left_are_told_apart(void)
{
    start(true, false);
    atomic_store(&api.fake.step_us, 20000);
    fake_engine_say(&api.fake, "", 'x');
    struct raw_client client = begin(CHAT(",\"stream\":true"));
    CHECK(raw_client_receive_text(&client, "\"x\"", answer, sizeof answer), "no stream");
    raw_client_close(&client);
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 0);
    atomic_store(&api.fake.step_us, 200);
    atomic_store(&api.fake.fail_at_step, atomic_load(&api.fake.steps) + 20);
    CHECK(chat(CHAT("")) == 500 && strstr(answer, "\"engine_failed\""), "%s", answer);
    WAIT_FOR(service_is_ready(api.service));
    json_t *records = settle();
    const json_t *left = NULL, *lost = NULL;
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        const char *reason = spool_text(record, "reason");
        left = strcmp(reason, "client_gone") == 0 ? record : left;
        lost = strcmp(reason, "engine_failed") == 0 ? record : lost;
    }
    CHECK(left && spool_number(left, "output_tokens") > 0, "client_gone");
    CHECK(lost && strcmp(spool_text(lost, "outcome"), "failed") == 0, "engine_failed");
    CHECK(spool_count(records, "request.cancelled", NULL) == 2, "two");
    finish(records);
}

static void a_refusal_by_the_engine_waits_too(void)
{
    const struct api_terms terms = {.requests_max = 3, .tenant_queued_max = 1, .drain_ms = 1000};
    bool is_closed = false;
    CHECK(api_start(&api, &terms), "no server");
    pthread_mutex_lock(&api.fake.gate);
    struct raw_client runs = begin(CHAT(""));
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 1);
    WAIT_FOR(accepted_count() == 1);
    pthread_mutex_lock(&spool_gate);
    struct raw_client queued = begin(CHAT(""));
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 2);
    struct raw_client refused = begin(CHAT(""));
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 3);
    pthread_mutex_unlock(&api.fake.gate);
    CHECK(end(&runs) == 200, "%s", answer); /* so the engine has seen the others */
    CHECK(raw_client_receive(&refused, answer, sizeof answer, WATCH_MS, &is_closed) == 0
              && !is_closed,
          "it left before its record: %s", answer);
    pthread_mutex_unlock(&spool_gate);
    CHECK(end(&refused) == 429 && strstr(answer, "\"tenant_queue_full\""), "%s", answer);
    CHECK(end(&queued) == 200, "%s", answer);
    json_t *records = settle();
    CHECK(spool_count(records, "request.refused", NULL) == 1, "one refusal");
    finish(records);
}

CHECK_MAIN(a_refusal_by_the_engine_waits_too, no_byte_leaves_before_its_record,
           what_cannot_be_recorded_is_refused, a_running_stream_is_broken_off,
           a_whole_answer_is_held_back_too, a_disk_that_hangs_is_an_outage,
           memory_keeps_where_that_is_configured, what_the_engine_refuses_was_never_accepted,
           a_lost_engine_and_a_client_that_left_are_told_apart)
