/* Method: rules that have the model asked whether a person is in danger, around an engine whose
 * answers are scripted: the question's answer is the first byte that it says. Then engines that are
 * full, break and are being rebuilt: who is in a crisis hears where help is all the same, and no
 * ticket stays out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/server/support_api.h"

enum { ANSWER_BYTES = 1 << 16, PATIENCE_MS = 20000 };

#define CHAT_LINE "POST /v1/chat/completions"
#define CHAT(text, more) \
    "{\"model\":\"bytes\",\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]" more "}"
#define CRISIS "i want to kill myself tonight, i have the pills here"
#define DOUBT  "i gave away my records, the cat has a new home"

static struct api api;
static char answer[ANSWER_BYTES];
static char directory[32];
static char rules_path[64];

static void write_rules(void)
{
    static const char rules[] = "version: 1\nname: own\nextends: standard\nsecond_read: true\n";
    snprintf(directory, sizeof directory, "/tmp/ward-rules-XXXXXX");
    CHECK(mkdtemp(directory), "no folder");
    snprintf(rules_path, sizeof rules_path, "%s/default.yaml", directory);
    FILE *file = fopen(rules_path, "we");
    CHECK(file, "no file");
    CHECK(fwrite(rules, sizeof rules - 1, 1, file) == 1, "not written");
    CHECK(fclose(file) == 0, "not written");
}

static void start(struct api_terms terms, const char *text)
{
    terms.requests_max = 4;
    terms.drain_ms = 1000;
    if (!terms.policy_default) {
        write_rules();
        terms.policy_directory = directory;
        terms.policy_default = "standard";
    }
    CHECK(api_start(&api, &terms), "no server");
    fake_engine_say(&api.fake, text, BYTE_MODEL_END);
}

static void stop(void)
{
    CHECK(engine_loop_live_requests(api.service->engine_loop) == 0, "a ticket is out");
    api_stop(&api);
    if (rules_path[0] != '\0') {
        unlink(rules_path);
        rmdir(directory);
        rules_path[0] = '\0';
    }
}

static int post(const char *body)
{
    return api_ask(&api, CHAT_LINE, body, answer, sizeof answer);
}

static bool is_recorded(const char *decision)
{
    json_t *records = spool_records(&api.spool);
    char *text = json_dumps(records, 0);
    const bool is_there = text && strstr(text, decision);
    free(text);
    json_decref(records);
    return is_there;
}

/* ---- what the model reads --------------------------------------------------------------------
 */

static const struct {
    const char *says, *decision;
    bool tells;
} readings[] = {
    {"Yes, I hear you.", "crisis.second_read:yes", true},
    {"No, I hear you.", "crisis.second_read:no", false},
    {"Maybe, I hear you.", "crisis.second_read:failed", false}, /* the bias was not heeded */
    {"", "crisis.second_read:failed", false},                   /* no word at all */
};

static void the_models_reading_raises_and_never_lowers(void)
{
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        start((struct api_terms){0}, readings[i].says);
        for (int streams = 0; streams < 2; streams++) {
            CHECK(post(streams ? CHAT(DOUBT, ",\"stream\":true") : CHAT(DOUBT, "")) == 200,
                  "%.200s", answer);
            CHECK(!strstr(answer, "text 988") != readings[i].tells, "case %zu: %s", i, answer);
        }
        CHECK(is_recorded(readings[i].decision), "case %zu", i);
        CHECK(post(CHAT(CRISIS, "")) == 200 && strstr(answer, "text 988"), "case %zu: %s", i,
              answer);
        stop();
    }
}

/* Prompt and question together are longer than the context: nothing is read, and the prompt alone
 * is answered. */
static void a_question_that_finds_no_room_is_recorded(void)
{
    static const char words[] = "the cat sat on it ";
    char text[440] = "", body[1024];
    while (strlen(text) + sizeof words < sizeof text) {
        memcpy(text + strlen(text), words, sizeof words);
    }
    snprintf(body, sizeof body, CHAT("%s", ""), text);
    start((struct api_terms){0}, "Yes.");
    CHECK(post(body) == 200 && !strstr(answer, "text 988"), "%s", answer);
    CHECK(is_recorded("crisis.second_read:failed"), "not recorded");
    stop();
}

static void an_engine_that_breaks_while_it_reads_leaves_the_grade(void)
{
    start((struct api_terms){.rebuilds = true}, "No.");
    pthread_mutex_lock(&api.fake.rebuild_gate);
    atomic_store(&api.fake.fail_at_step, atomic_load(&api.fake.steps) + 1);
    CHECK(post(CHAT(DOUBT, "")) == 503, "%.200s", answer);
    CHECK(post(CHAT(DOUBT, "")) == 503, "%.200s", answer);
    CHECK(post(CHAT(CRISIS, "")) == 200 && strstr(answer, "text 988"), "%s", answer);
    pthread_mutex_unlock(&api.fake.rebuild_gate);
    stop();
}

/* The key is revoked, or the client leaves, while the engine is held. */
static void nothing_stays_when_nobody_waits_for_the_reading(void)
{
    char request[1024];
    struct raw_client client;
    start((struct api_terms){0}, "Yes.");
    api_write_request(CHAT_LINE, api.front.key, CHAT(DOUBT, ""), request, sizeof request);
    for (int i = 0; i < 8; i++) {
        pthread_mutex_lock(&api.fake.gate);
        CHECK(raw_client_open(&client, &api.front, HTTP_LISTENER_API, NULL), "no connection");
        CHECK(raw_client_send_text(&client, request), "not sent");
        while (engine_loop_live_requests(api.service->engine_loop) == 0) {
            usleep(1000);
        }
        raw_client_close(&client);
        usleep((useconds_t)i * 1000);
        pthread_mutex_unlock(&api.fake.gate);
        while (engine_loop_live_requests(api.service->engine_loop) > 0) {
            usleep(1000);
        }
    }
    CHECK(post(CHAT(DOUBT, "")) == 200, "%.200s", answer);
    stop();
}

/* ---- help without an engine ------------------------------------------------------------------
 */

static void check_help(const char *case_name)
{
    for (int streams = 0; streams < 2; streams++) {
        CHECK(post(streams ? CHAT(CRISIS, ",\"stream\":true") : CHAT(CRISIS, ",\"n\":2")) == 200,
              "%s: %.200s", case_name, answer);
        CHECK(strstr(answer, "text 988") && strstr(answer, "\"finish_reason\":\"content_filter\""),
              "%s: %s", case_name, answer);
    }
}

static void help_is_told_while_the_engine_is_rebuilt(void)
{
    start((struct api_terms){.rebuilds = true, .policy_default = "standard"}, "I hear you.");
    pthread_mutex_lock(&api.fake.rebuild_gate);
    atomic_store(&api.fake.fail_at_step, atomic_load(&api.fake.steps) + 1);
    CHECK(post(CHAT(CRISIS, "")) == 200, "breaks under it: %.200s", answer);
    CHECK(strstr(answer, "text 988") && strstr(answer, "content_filter"), "%s", answer);
    CHECK(post(CHAT("hello", "")) == 503, "%.200s", answer);
    check_help("rebuilding");
    CHECK(is_recorded("crisis.protocol"), "not recorded");
    pthread_mutex_unlock(&api.fake.rebuild_gate);
    stop();
}

static void help_is_told_when_the_engine_is_lost(void)
{
    start((struct api_terms){.policy_default = "standard"}, "I hear you.");
    atomic_store(&api.fake.fail_at_step, atomic_load(&api.fake.steps) + 1);
    CHECK(post(CHAT("hello", "")) == 500, "%.200s", answer);
    CHECK(post(CHAT("hello", "")) == 500, "%.200s", answer);
    check_help("lost");
    stop();
}

/* No ticket is left. */
static void help_is_told_when_every_place_is_taken(void)
{
    char request[1024];
    struct raw_client clients[4];
    start((struct api_terms){.policy_default = "standard"}, "I hear you.");
    api_write_request(CHAT_LINE, api.front.key, CHAT("hello", ""), request, sizeof request);
    pthread_mutex_lock(&api.fake.gate);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(raw_client_open(&clients[i], &api.front, HTTP_LISTENER_API, NULL), "no connection");
        CHECK(raw_client_send_text(&clients[i], request), "not sent");
        while (engine_loop_live_requests(api.service->engine_loop) <= i) {
            usleep(1000);
        }
    }
    CHECK(post(CHAT("hello", "")) == 503, "%.200s", answer);
    check_help("full");
    pthread_mutex_unlock(&api.fake.gate);
    for (size_t i = 0; i < 4; i++) {
        raw_client_close(&clients[i]);
    }
    while (engine_loop_live_requests(api.service->engine_loop) > 0) {
        usleep(1000);
    }
    stop();
}

/* The engine thread itself refuses: the tenant has one in its queue. */
static void help_is_told_when_the_queue_is_full(void)
{
    static const char *const bodies[] = {CHAT("hello", ""), CHAT("hello", ""), CHAT(CRISIS, "")};
    char request[1024];
    bool is_closed = false;
    struct raw_client clients[3];
    start((struct api_terms){.policy_default = "standard", .tenant_queued_max = 1}, "I hear you.");
    pthread_mutex_lock(&api.fake.gate);
    for (uint32_t i = 0; i < 3; i++) {
        api_write_request(CHAT_LINE, api.front.key, bodies[i], request, sizeof request);
        CHECK(raw_client_open(&clients[i], &api.front, HTTP_LISTENER_API, NULL), "no connection");
        CHECK(raw_client_send_text(&clients[i], request), "not sent");
        while (engine_loop_live_requests(api.service->engine_loop) <= i) {
            usleep(1000);
        }
    }
    pthread_mutex_unlock(&api.fake.gate);
    raw_client_receive(&clients[2], answer, sizeof answer, PATIENCE_MS, &is_closed);
    CHECK(strstr(answer, "text 988") && strstr(answer, "content_filter"), "%s", answer);
    for (size_t i = 0; i < 3; i++) {
        raw_client_close(&clients[i]);
    }
    while (engine_loop_live_requests(api.service->engine_loop) > 0) {
        usleep(1000);
    }
    stop();
}

CHECK_MAIN(the_models_reading_raises_and_never_lowers, a_question_that_finds_no_room_is_recorded,
           an_engine_that_breaks_while_it_reads_leaves_the_grade,
           nothing_stays_when_nobody_waits_for_the_reading,
           help_is_told_while_the_engine_is_rebuilt, help_is_told_when_the_engine_is_lost,
           help_is_told_when_every_place_is_taken, help_is_told_when_the_queue_is_full)
