/* Method: a real audit log on a disk that can be held and broken, a clock that the test moves; what
 * was recorded is read back from the files. Floods, what a draft says, answers that wait. */
#include "server/trail.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/check.h"
#include "tests/server/support_http.h"
#include "tests/server/support_spool.h"

enum { ANSWER_BYTES = 65536, PATIENCE_MS = 20000 };
static const uint64_t second_ns = 1000000000;

static struct spool spool;
static struct trail *trail;
static _Atomic uint64_t time_ns;

static const struct auth_identity north = {{1}, "north", "00112233aabbccdd", AUTH_SCOPE_INFER};
static const struct auth_identity south = {{2}, "south", "ffee2233aabbccdd", AUTH_SCOPE_INFER};
static const struct http_error slow = {429, "rate_limit_error", NULL, "slow", "too fast", 1};
static const struct http_error odd = {400, "invalid_request_error", NULL, "odd", "odd", 0};

static uint64_t now(void)
{
    return atomic_load(&time_ns);
}

static void open_trail(void)
{
    const struct trail_config config = {
        .model_name = "tiny", .model_digest = "d16e57", .now_ns = now};
    atomic_store(&time_ns, 1000 * second_ns);
    CHECK(spool_open(&spool, false, 8 << 20), "no log");
    struct trail_config own = config;
    own.audit = spool.audit;
    CHECK(trail_create(&own, &trail) == STATUS_OK, "no trail");
}

static void close_trail(void)
{
    trail_destroy(trail);
    spool_close(&spool);
}

static void wait_until_available(bool wanted)
{
    const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL;
    while (audit_is_available(spool.audit) != wanted && clock_monotonic_ns() < end_ns) {
        usleep(500);
    }
    CHECK(audit_is_available(spool.audit) == wanted, "waited in vain for %d", wanted);
}

/* ---- drafts ---------------------------------------------------------------------------------- */

static void a_draft_says_who_and_what(void)
{
    struct record_draft draft;
    struct audit_position position;
    open_trail();
    trail_draft(trail, RECORD_EVENT_REQUEST_ACCEPTED, &north, "req_1", "models", &draft);
    CHECK(audit_append(trail_audit(trail), &draft, 0, &position) == STATUS_OK, "append");
    json_t *records = spool_records(&spool);
    const json_t *record = spool_find(records, "request.accepted", "req_1");
    CHECK(strcmp(spool_text(record, "tenant"), "north") == 0, "tenant");
    CHECK(spool_number(record, "tenant_id") == 1, "tenant id");
    CHECK(strcmp(spool_text(record, "key_id"), "00112233aabbccdd") == 0, "key");
    CHECK(strcmp(spool_text(record, "route"), "models") == 0, "route");
    CHECK(strcmp(spool_text(record, "model"), "tiny") == 0, "model");
    CHECK(strcmp(spool_text(record, "model_digest"), "d16e57") == 0, "digest");
    json_decref(records);
    close_trail();
}

/* ---- floods ---------------------------------------------------------------------------------- */

static void refuse(const struct auth_identity *identity, int count, const struct http_error *error)
{
    for (int i = 0; i < count; i++) {
        char id[96];
        snprintf(id, sizeof id, "req_%s_%d", identity->tenant_name, i);
        trail_refused(trail, identity, id, "chat_completions", "quota", error);
    }
}

/* How many refusals of that tenant the records stand for, and in how many records. */
static int64_t refusals(const json_t *records, const char *tenant, size_t *record_count)
{
    int64_t sum = 0;
    *record_count = 0;
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        if (strcmp(spool_text(record, "tenant"), tenant) == 0
            && strcmp(spool_text(record, "event"), "request.refused") == 0) {
            const int64_t count = spool_number(record, "count");
            sum += count < 0 ? 1 : count;
            (*record_count)++;
        }
    }
    return sum;
}

static void a_flood_is_counted_and_hides_nobody_else(void)
{
    size_t count = 0;
    open_trail();
    refuse(&north, 500, &slow);
    refuse(&south, 3, &odd);
    json_t *records = spool_records(&spool);
    CHECK(refusals(records, "north", &count) == 20 && count == 20, "%zu records", count);
    CHECK(refusals(records, "south", &count) == 3 && count == 3, "%zu of the other", count);
    json_decref(records);
    atomic_fetch_add(&time_ns, second_ns - 1);
    trail_tick(trail);
    records = spool_records(&spool);
    CHECK(refusals(records, "north", &count) == 20, "told before the second was over");
    json_decref(records);
    atomic_fetch_add(&time_ns, 1);
    trail_tick(trail);
    trail_tick(trail);
    records = spool_records(&spool);
    CHECK(refusals(records, "north", &count) == 500 && count == 21, "%zu records", count);
    const json_t *last = json_array_get(records, json_array_size(records) - 1);
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        last = spool_number(record, "count") > 0 ? record : last;
    }
    CHECK(spool_number(last, "count") == 480, "count %d", (int)spool_number(last, "count"));
    CHECK(strcmp(spool_text(last, "code"), "slow") == 0, "what they share is told");
    CHECK(strcmp(spool_text(last, "key_id"), north.key_id) == 0, "what they share is told");
    CHECK(spool_number(last, "http_code") == 429, "what they share is told");
    CHECK(strcmp(spool_text(last, "request_id"), "") == 0, "what differs is not");
    json_decref(records);
    close_trail();
}

static void what_differs_is_left_out_of_a_count(void)
{
    size_t count = 0;
    open_trail();
    refuse(&north, 21, &slow);
    refuse(&north, 1, &odd);
    atomic_fetch_add(&time_ns, second_ns);
    refuse(&north, 1, &odd); /* the next one brings the count with it */
    json_t *records = spool_records(&spool);
    CHECK(refusals(records, "north", &count) == 23 && count == 22, "%zu records", count);
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        if (spool_number(record, "count") > 0) {
            CHECK(spool_number(record, "count") == 2, "count");
            CHECK(spool_text(record, "code")[0] == '\0', "codes differ");
            CHECK(spool_number(record, "http_code") == -1, "codes differ");
            CHECK(strcmp(spool_text(record, "route"), "chat_completions") == 0, "routes do not");
        }
    }
    json_decref(records);
    close_trail();
}

static void failed_logins_are_nobodys(void)
{
    static const struct http_error unknown = {
        401, "invalid_request_error", NULL, "invalid_api_key", "no", 0};
    open_trail();
    for (int i = 0; i < 50; i++) {
        const struct trail_stranger who = {"req_x", i < 45 ? "0123456789abcdef" : "",
                                           i < 40 ? "10.0.0.1" : "10.0.0.2"};
        trail_auth_failed(trail, &who, &unknown);
    }
    trail_destroy(trail); /* tells what was only counted */
    trail = NULL;
    json_t *records = spool_records(&spool);
    CHECK(spool_count(records, "auth.failed", NULL) == 21, "%zu",
          spool_count(records, "auth.failed", NULL));
    int64_t counted = 0;
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        if (strcmp(spool_text(record, "event"), "auth.failed") == 0) {
            CHECK(spool_number(record, "tenant_id") == 0, "somebody's");
            counted += spool_number(record, "count") > 0 ? spool_number(record, "count") : 0;
            const bool is_sum = spool_number(record, "count") > 0;
            CHECK(strcmp(spool_text(record, "peer"), is_sum ? "" : "10.0.0.1") == 0, "peer %s",
                  spool_text(record, "peer"));
            CHECK(strcmp(spool_text(record, "key_id"), is_sum ? "" : "0123456789abcdef") == 0,
                  "key %s", spool_text(record, "key_id"));
        }
    }
    CHECK(counted == 30, "%d", (int)counted);
    json_decref(records);
    close_trail();
}

static void refusals_of_an_outage_take_no_room(void)
{
    size_t count = 0;
    struct record_draft draft;
    struct audit_position position;
    open_trail();
    atomic_store(&spool_fails, true);
    trail_draft(trail, RECORD_EVENT_REQUEST_ACCEPTED, &north, "req_1", "models", &draft);
    CHECK(audit_append(spool.audit, &draft, 0, &position) == STATUS_OK, "append");
    wait_until_available(false);
    for (int i = 0; i < 300; i++) {
        trail_refused_unavailable(trail, &south, "req_2", "models");
        atomic_fetch_add(&time_ns, second_ns);
        trail_tick(trail);
    }
    atomic_store(&spool_fails, false);
    wait_until_available(true);
    trail_tick(trail);
    json_t *records = spool_records(&spool);
    CHECK(refusals(records, "south", &count) == 300 && count == 1, "%zu records", count);
    CHECK(spool_count(records, "request.accepted", "req_2") == 0, "accepted in an outage");
    CHECK(spool_number(spool_find(records, "audit.outage", NULL), "count") == 300,
          "the outage counts them too");
    json_decref(records);
    close_trail();
}

/* ---- answers that wait ----------------------------------------------------------------------- */

static struct front front;
static char answer[ANSWER_BYTES];
static _Atomic int handled;

static void handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    struct record_draft draft;
    trail_draft(trail, RECORD_EVENT_REQUEST_COMPLETED, http_exchange_identity(exchange),
                http_exchange_request_id(exchange), "models", &draft);
    http_reply_header(exchange, "x-test", "yes");
    trail_reply(trail, exchange, &draft, 200, "text/plain", "the answer", 10);
    atomic_fetch_add(&handled, 1);
}

static const struct http_route routes[] = {
    {HTTP_LISTENER_API, "GET", "/short", HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL, handler},
};

static void open_front(void)
{
    struct http_server_config config = front_config();
    config.routes = routes;
    config.route_count = 1;
    open_trail();
    CHECK(front_start(&front, &config), "no front");
    waker_attach(&spool.waker, front.server);
}

static void close_front(void)
{
    waker_detach(&spool.waker);
    front_stop(&front);
    close_trail();
}

static int ask(void)
{
    return raw_client_request(&front, HTTP_LISTENER_API, "GET /short", front.key, NULL, answer,
                              sizeof answer);
}

static void an_answer_waits_for_its_record(void)
{
    struct raw_client client;
    char request[RAW_REQUEST_BYTES];
    bool is_closed = false;
    open_front();
    CHECK(ask() == 200 && strstr(answer, "the answer"), "%s", answer);
    raw_client_write(request, "GET /short", front.key, NULL);
    pthread_mutex_lock(&spool_gate);
    CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
    raw_client_send_text(&client, request);
    const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL;
    while (atomic_load(&handled) < 2 && clock_monotonic_ns() < end_ns) {
        usleep(500);
    }
    CHECK(atomic_load(&handled) == 2, "it was not handled");
    CHECK(raw_client_receive(&client, answer, sizeof answer, 100, &is_closed) == 0 && !is_closed,
          "it left before its record: %s", answer);
    pthread_mutex_unlock(&spool_gate);
    raw_client_receive(&client, answer, sizeof answer, PATIENCE_MS, &is_closed);
    CHECK(raw_client_status(answer) == 200 && strstr(answer, "the answer"), "%s", answer);
    CHECK(strstr(answer, "x-test: yes"), "headers are kept");
    raw_client_close(&client);
    json_t *records = spool_records(&spool);
    CHECK(spool_count(records, "request.completed", NULL) == 2, "two answers, two records");
    json_decref(records);
    close_front();
}

/* The exchange looks again each second by itself. */
static void a_disk_that_hangs_is_not_waited_for(void)
{
    struct raw_client client;
    char request[RAW_REQUEST_BYTES];
    bool is_closed = false;
    open_front();
    atomic_store(&handled, 0);
    raw_client_write(request, "GET /short", front.key, NULL);
    pthread_mutex_lock(&spool_gate);
    CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
    raw_client_send_text(&client, request);
    const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL;
    while (atomic_load(&handled) < 1 && clock_monotonic_ns() < end_ns) {
        usleep(500);
    }
    atomic_fetch_add(&time_ns, TRAIL_PATIENCE_MS * 1000000ULL);
    raw_client_receive(&client, answer, sizeof answer, PATIENCE_MS, &is_closed);
    pthread_mutex_unlock(&spool_gate);
    CHECK(raw_client_status(answer) == 503 && strstr(answer, "\"audit_unavailable\""), "%s",
          answer);
    raw_client_close(&client);
    json_t *records = spool_records(&spool);
    CHECK(spool_count(records, "request.refused", NULL) == 1, "that it was refused is recorded");
    CHECK(spool_count(records, "request.accepted", NULL) == 0, "it has its record");
    json_decref(records);
    close_front();
}

static void without_a_record_there_is_no_answer(void)
{
    open_front();
    atomic_store(&spool_fails, true);
    for (int i = 0; i < 3; i++) { /* the first finds out */
        CHECK(ask() == 503, "%d: %s", i, answer);
        CHECK(strstr(answer, "\"audit_unavailable\"") && !strstr(answer, "the answer"), "%s",
              answer);
        CHECK(strcasestr(answer, "retry-after: 5\r\n"), "no time to come back");
    }
    atomic_store(&spool_fails, false);
    wait_until_available(true);
    CHECK(ask() == 200, "%s", answer);
    json_t *records = spool_records(&spool);
    CHECK(spool_count(records, "audit.outage", NULL) == 1, "the outage is recorded");
    json_decref(records);
    close_front();
}

CHECK_MAIN(a_draft_says_who_and_what, a_flood_is_counted_and_hides_nobody_else,
           what_differs_is_left_out_of_a_count, failed_logins_are_nobodys,
           refusals_of_an_outage_take_no_room, an_answer_waits_for_its_record,
           a_disk_that_hangs_is_not_waited_for, without_a_record_there_is_no_answer)
