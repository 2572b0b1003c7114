/* Method: the real gateway, service, scheduler and tokenizer around a fake engine whose answer is a
 * script of bytes, and a raw client. What a client reads is taken apart as a client would. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/openai/openapi.h"
#include "server/openai/request/openai_request.h"
#include "tests/check.h"
#include "tests/server/support_api.h"

enum { ANSWER_BYTES = 1 << 20, EVENTS_MAX = 2000, PATIENCE_MS = 20000 };

static struct api api;
static bool rebuilds = true; /* a lost engine is replaced */

/* ---- server ---------------------------------------------------------------------------------- */

static void say(const char *text)
{
    fake_engine_say(&api.fake, text, BYTE_MODEL_END);
}

static void say_without_end(void)
{
    fake_engine_say(&api.fake, "", 'x');
}

static void start(uint32_t requests_max, uint32_t drain_ms)
{
    const struct api_terms terms = {
        .requests_max = requests_max, .drain_ms = drain_ms, .rebuilds = rebuilds};
    CHECK(api_start(&api, &terms), "no server");
}

static void stop(void)
{
    api_stop(&api);
}

/* ---- client ---------------------------------------------------------------------------------- */

struct answer {
    int code;
    char *text;   /* all of it */
    char *body;   /* in text; chunks joined */
    bool has_end; /* a stream's clean end was seen */
    json_t *json; /* the body, where it is one document */
    json_t *events[EVENTS_MAX];
    size_t event_count;
    bool is_done; /* [DONE] came, and nothing after it */
};

/* Joins the chunks in place. True: the last, empty one was there. */
static bool join_chunks(char *body)
{
    char *to = body;
    for (char *from = body;;) {
        char *end = NULL;
        const unsigned long length = strtoul(from, &end, 16);
        if (end == from || strncmp(end, "\r\n", 2) != 0 || strlen(end + 2) < length) {
            *to = '\0';
            return false;
        }
        memmove(to, end + 2, length);
        to += length;
        from = end + 2 + length + 2;
        if (length == 0) {
            *to = '\0';
            return true;
        }
    }
}

static void read_events(struct answer *answer)
{
    char *rest = answer->body;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (line[0] == '\0') {
            continue;
        }
        if (strncmp(line, "data: ", 6) != 0) {
            CHECK(line[0] == ':', "a strange line: %s", line);
            continue;
        }
        CHECK(!answer->is_done, "something after [DONE]: %s", line);
        if (strcmp(line + 6, "[DONE]") == 0) {
            answer->is_done = true;
        } else if (answer->event_count < EVENTS_MAX) {
            json_t *event = json_loads(line + 6, JSON_REJECT_DUPLICATES, NULL);
            CHECK(event, "not JSON: %s", line);
            answer->events[answer->event_count++] = event;
        }
    }
}

static void take_apart(struct answer *answer)
{
    answer->code = raw_client_status(answer->text);
    answer->body = strstr(answer->text, "\r\n\r\n");
    CHECK(answer->body, "no head: %s", answer->text);
    answer->body += 4;
    const char *chunked = strcasestr(answer->text, "Transfer-Encoding: chunked");
    if (chunked && chunked < answer->body) {
        answer->has_end = join_chunks(answer->body);
    }
    const char *stream = strcasestr(answer->text, "text/event-stream");
    if (stream && stream < answer->body) {
        read_events(answer);
    } else {
        answer->json = json_loads(answer->body, JSON_REJECT_DUPLICATES, NULL);
    }
}

static void close_answer(struct answer *answer)
{
    for (size_t i = 0; i < answer->event_count; i++) {
        json_decref(answer->events[i]);
    }
    json_decref(answer->json);
    free(answer->text);
}

static struct answer ask(const char *method, const char *path, const char *key, const char *body)
{
    char request[8192];
    struct answer answer = {.text = malloc(ANSWER_BYTES)};
    bool is_closed = false;
    char line[256];
    snprintf(line, sizeof line, "%s %s", method, path);
    api_write_request(line, key, body, request, sizeof request);
    const enum http_listener listener =
        strcmp(path, "/metrics") == 0 ? HTTP_LISTENER_ADMIN : HTTP_LISTENER_API;
    raw_client_ask(&api.front, listener, request, strlen(request), answer.text, ANSWER_BYTES,
                   &is_closed);
    CHECK(is_closed, "the answer has no end");
    take_apart(&answer);
    return answer;
}

#define MESSAGES "\"model\":\"bytes\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static struct answer chat(const char *more)
{
    char body[4096];
    snprintf(body, sizeof body, "{" MESSAGES "%s}", more);
    return ask("POST", "/v1/chat/completions", api.front.key, body);
}

/* A request that is sent and left waiting. */
static struct raw_client begin(const char *more)
{
    char body[2048], request[4096];
    struct raw_client client;
    snprintf(body, sizeof body, "{" MESSAGES "%s}", more);
    api_write_request("POST /v1/chat/completions", api.front.key, body, request, sizeof request);
    CHECK(raw_client_open(&client, &api.front, HTTP_LISTENER_API, NULL), "no connection");
    CHECK(raw_client_send_text(&client, request), "not sent");
    return client;
}

static struct answer end(struct raw_client *client)
{
    struct answer answer = {.text = malloc(ANSWER_BYTES)};
    bool is_closed = false;
    raw_client_receive(client, answer.text, ANSWER_BYTES, PATIENCE_MS, &is_closed);
    raw_client_close(client);
    CHECK(is_closed, "the answer has no end");
    take_apart(&answer);
    return answer;
}

static json_t *choice_of(json_t *document, size_t index)
{
    return json_array_get(json_object_get(document, "choices"), index);
}

static const char *text_at(json_t *value, const char *first, const char *second)
{
    json_t *at = json_object_get(value, first);
    return json_string_value(second ? json_object_get(at, second) : at);
}

static const char *error_code(json_t *document)
{
    const char *code = text_at(json_object_get(document, "error"), "code", NULL);
    return code ? code : "none";
}

/* All deltas of one choice, joined; counts that the role came first and the end last. */
static void join_deltas(const struct answer *answer, int64_t index, char *out, const char **finish)
{
    size_t length = 0;
    bool has_role = false;
    *finish = NULL;
    for (size_t i = 0; i < answer->event_count; i++) {
        json_t *choice = choice_of(answer->events[i], 0);
        if (!choice || json_integer_value(json_object_get(choice, "index")) != index) {
            continue;
        }
        const char *text = text_at(choice, "delta", "content");
        CHECK(has_role == !text_at(choice, "delta", "role"), "the role comes first and once");
        CHECK(!*finish, "a chunk after the last");
        has_role = true;
        *finish = text_at(choice, "finish_reason", NULL);
        const size_t piece = text ? strlen(text) : 0;
        memcpy(out + length, text ? text : "", piece);
        length += piece;
    }
    out[length] = '\0';
}

static const char *content_of(json_t *document, size_t index)
{
    const char *content = text_at(choice_of(document, index), "message", "content");
    return content ? content : "(none)";
}

#define WAIT_FOR(condition)                                                      \
    do {                                                                         \
        const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL; \
        while (!(condition) && clock_monotonic_ns() < end_ns) {                  \
            usleep(500);                                                         \
        }                                                                        \
        CHECK((condition), "waited in vain");                                    \
    } while (0)

/* ---- answers --------------------------------------------------------------------------------- */

static void a_whole_answer(void)
{
    struct answer answer = chat(",\"max_tokens\":50");
    CHECK(answer.code == 200, "%d: %s", answer.code, answer.body);
    CHECK(strcmp(content_of(answer.json, 0), "Hello, world.") == 0, "%s", answer.body);
    CHECK(strcmp(text_at(choice_of(answer.json, 0), "finish_reason", NULL), "stop") == 0, "finish");
    json_t *usage = json_object_get(answer.json, "usage");
    CHECK(json_integer_value(json_object_get(usage, "completion_tokens")) == 13, "usage");
    /* <|mark|>user:hi<|mark|> */
    CHECK(json_integer_value(json_object_get(usage, "prompt_tokens")) == 9, "usage");
    CHECK(strcasestr(answer.text, "x-request-id:"), "no request id");
    close_answer(&answer);
    answer = chat(",\"max_tokens\":5");
    CHECK(strcmp(content_of(answer.json, 0), "Hello") == 0, "%s", answer.body);
    CHECK(strcmp(text_at(choice_of(answer.json, 0), "finish_reason", NULL), "length") == 0,
          "finish");
    close_answer(&answer);
}

static void stop_strings_end_streams_and_documents_alike(void)
{
    static const struct {
        const char *said, *stop, *text, *finish;
    } rows[] = {
        {"Hello, world.", "\"world\"", "Hello, ", "stop"},
        {"Hello, world.", "[\"worlds\",\"ld.\"]", "Hello, wor", "stop"},
        {"Hello, world.", "\"Hello\"", "", "stop"},
        {"Hello, world.", "\".\"", "Hello, world", "stop"},
        {"aab aaab", "\"aaab\"", "aab ", "stop"},
        {"caf\xc3\xa9 \xf0\x9f\x91\x8b!", "\"\xf0\x9f\x91\x8b\"", "caf\xc3\xa9 ", "stop"},
        {"caf\xc3\xa9 \xf0\x9f\x91\x8b!", "\"none\"", "caf\xc3\xa9 \xf0\x9f\x91\x8b!", "stop"},
        {"cut \xf0\x9f\x91", "\"none\"", "cut \xef\xbf\xbd", "stop"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char more[256], text[512];
        const char *finish = NULL;
        say(rows[i].said);
        snprintf(more, sizeof more, ",\"stop\":%s", rows[i].stop);
        struct answer whole = chat(more);
        CHECK(strcmp(content_of(whole.json, 0), rows[i].text) == 0, "row %zu: %s", i, whole.body);
        close_answer(&whole);
        snprintf(more, sizeof more, ",\"stream\":true,\"stop\":%s", rows[i].stop);
        struct answer stream = chat(more);
        join_deltas(&stream, 0, text, &finish);
        CHECK(strcmp(text, rows[i].text) == 0, "row %zu: streamed %s", i, text);
        CHECK(finish && strcmp(finish, rows[i].finish) == 0, "row %zu: finish", i);
        CHECK(stream.is_done && stream.has_end, "row %zu: no clean end", i);
        close_answer(&stream);
    }
    say("Hello, world.");
}

static void choices_are_told_apart(void)
{
    char text[512];
    const char *finish = NULL;
    struct answer answer =
        chat(",\"n\":3,\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    for (int64_t index = 0; index < 3; index++) {
        join_deltas(&answer, index, text, &finish);
        CHECK(strcmp(text, "Hello, world.") == 0, "choice %d: %s", (int)index, text);
        CHECK(finish && strcmp(finish, "stop") == 0, "choice %d: finish", (int)index);
    }
    for (size_t i = 0; i + 1 < answer.event_count; i++) {
        CHECK(json_is_null(json_object_get(answer.events[i], "usage")), "usage too early");
    }
    json_t *last = answer.events[answer.event_count - 1];
    CHECK(json_array_size(json_object_get(last, "choices")) == 0, "choices with the usage");
    CHECK(json_integer_value(json_object_get(json_object_get(last, "usage"), "completion_tokens"))
              == 39,
          "usage");
    close_answer(&answer);
}

/* Entries of a cut answer spell its text, whole and streamed. */
static void log_probabilities_spell_the_text(void)
{
    static const char *const streams[] = {"false", "true"};
    for (size_t s = 0; s < 2; s++) {
        char more[256], spelt[64] = "";
        size_t length = 0;
        snprintf(more, sizeof more,
                 ",\"stop\":\"wor\",\"logprobs\":true,\"top_logprobs\":2,\"stream\":%s",
                 streams[s]);
        struct answer answer = chat(more);
        for (size_t i = 0; i < (s ? answer.event_count : 1); i++) {
            json_t *choice = choice_of(s ? answer.events[i] : answer.json, 0);
            json_t *content = json_object_get(json_object_get(choice, "logprobs"), "content");
            for (size_t entry = 0; entry < json_array_size(content); entry++) {
                json_t *one = json_array_get(content, entry);
                json_t *bytes = json_object_get(one, "bytes");
                CHECK(json_array_size(json_object_get(one, "top_logprobs")) == 2, "alternatives");
                for (size_t b = 0; b < json_array_size(bytes) && length < 60; b++) {
                    spelt[length++] = (char)json_integer_value(json_array_get(bytes, b));
                }
            }
        }
        CHECK(strcmp(spelt, "Hello, ") == 0, "stream %s: %s", streams[s], spelt);
        close_answer(&answer);
    }
}

static void completions_have_their_own_form(void)
{
    struct answer answer =
        ask("POST", "/v1/completions", api.front.key,
            "{\"model\":\"bytes\",\"prompt\":[\"ab\",\"c\"],\"n\":2,\"max_tokens\":3,"
            "\"logprobs\":1}");
    CHECK(answer.code == 200, "%s", answer.body);
    CHECK(json_array_size(json_object_get(answer.json, "choices")) == 4, "four choices");
    json_t *choice = choice_of(answer.json, 3);
    CHECK(strcmp(text_at(choice, "text", NULL), "Hel") == 0, "%s", answer.body);
    json_t *logprobs = json_object_get(choice, "logprobs");
    CHECK(json_integer_value(json_array_get(json_object_get(logprobs, "text_offset"), 2)) == 2,
          "offset");
    CHECK(json_array_size(json_object_get(logprobs, "tokens")) == 3, "tokens");
    close_answer(&answer);
    answer = ask("POST", "/v1/completions", api.front.key,
                 "{\"model\":\"bytes\",\"prompt\":[97,98],\"max_tokens\":2,\"echo\":true}");
    CHECK(strcmp(text_at(choice_of(answer.json, 0), "text", NULL), "abHe") == 0, "%s", answer.body);
    close_answer(&answer);
    answer =
        ask("POST", "/v1/completions", api.front.key, "{\"model\":\"bytes\",\"prompt\":\"x\"}");
    CHECK(strcmp(text_at(choice_of(answer.json, 0), "text", NULL), "Hello, world.") == 0, "%s",
          answer.body);
    close_answer(&answer);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void what_does_not_fit_is_refused_by_name(void)
{
    static const struct {
        const char *more, *param, *code;
    } rows[] = {
        {",\"max_tokens\":600", "max_tokens", "context_length_exceeded"},
        {",\"max_completion_tokens\":504", "max_completion_tokens", "context_length_exceeded"},
        {",\"n\":64,\"max_tokens\":400,\"logprobs\":true,\"top_logprobs\":20", "max_tokens",
         "invalid_value"},
        {",\"tools\":[]", "tools", "unsupported_parameter"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = chat(rows[i].more);
        CHECK(answer.code == 400, "row %zu: %d", i, answer.code);
        CHECK(strcmp(error_code(answer.json), rows[i].code) == 0, "row %zu: %s", i, answer.body);
        CHECK(strcmp(text_at(json_object_get(answer.json, "error"), "param", NULL), rows[i].param)
                  == 0,
              "row %zu: %s", i, answer.body);
        close_answer(&answer);
    }
    struct answer fits = chat(",\"max_completion_tokens\":503");
    CHECK(fits.code == 200, "%s", fits.body);
    close_answer(&fits);
}

static void a_full_server_says_when_to_come_back(void)
{
    stop();
    start(2, 1000);
    pthread_mutex_lock(&api.fake.gate);
    struct raw_client first = begin(",\"max_tokens\":3");
    struct raw_client second = begin(",\"max_tokens\":3");
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 2);
    struct answer third = chat("");
    CHECK(third.code == 503 && strcmp(error_code(third.json), "server_busy") == 0, "%d",
          third.code);
    CHECK(strcasestr(third.text, "Retry-After: 1"), "no Retry-After");
    close_answer(&third);
    pthread_mutex_unlock(&api.fake.gate);
    struct answer one = end(&first), other = end(&second);
    CHECK(one.code == 200 && other.code == 200, "%d %d", one.code, other.code);
    close_answer(&one);
    close_answer(&other);
}

static void no_key_no_answer(void)
{
    for (size_t i = 0; i < api.service->route_count; i++) {
        const struct http_route *route = &api.service->routes[i];
        if (route->listener == HTTP_LISTENER_API) {
            struct answer answer = ask(route->method, route->path, NULL, "");
            const bool is_open = route->rule == HTTP_RULE_OPEN;
            CHECK(answer.code == (is_open ? 200 : 401), "%s: %d", route->path, answer.code);
            close_answer(&answer);
        }
    }
}

/* ---- the end of things ----------------------------------------------------------------------- */

static void a_client_that_leaves_ends_its_request(void)
{
    atomic_store(&api.fake.step_us, 500);
    say_without_end();
    struct raw_client client = begin(",\"stream\":true,\"n\":4");
    WAIT_FOR(atomic_load(&api.fake.sequences_in_step) == 4);
    raw_client_close(&client);
    WAIT_FOR(engine_loop_live_requests(api.service->engine_loop) == 0);
    usleep(20000);
    const uint32_t steps = atomic_load(&api.fake.steps);
    usleep(20000);
    CHECK(atomic_load(&api.fake.steps) == steps, "its sequences run on");
    atomic_store(&api.fake.step_us, 0);
    say("Hello, world.");
}

/* An error event, then no clean end: clients must not take it for an answer. */
static void check_broken_off(const struct answer *answer, const char *code)
{
    CHECK(answer->code == 200 && answer->event_count > 1, "no stream: %d", answer->code);
    CHECK(strcmp(error_code(answer->events[answer->event_count - 1]), code) == 0, "last event: %s",
          error_code(answer->events[answer->event_count - 1]));
    CHECK(!answer->is_done && !answer->has_end, "it looks like a clean end");
}

static void draining_breaks_off_what_is_late(void)
{
    stop();
    start(8, 30);
    atomic_store(&api.fake.step_us, 1000);
    say_without_end();
    struct raw_client client = begin(",\"stream\":true,\"max_tokens\":500");
    WAIT_FOR(atomic_load(&api.fake.steps) > 5);
    CHECK(!service_drain(api.service), "500 steps of a millisecond fit into 30");
    struct answer answer = end(&client);
    check_broken_off(&answer, "draining");
    close_answer(&answer);
    answer = chat("");
    CHECK(answer.code == 503 && strcmp(error_code(answer.json), "draining") == 0, "%d",
          answer.code);
    close_answer(&answer);
    answer = ask("GET", "/readyz", NULL, "");
    CHECK(answer.code == 503, "ready while draining");
    close_answer(&answer);
    stop();
    start(8, 1000);
}

static void a_lost_engine_breaks_off(void)
{
    stop();
    rebuilds = false;
    start(8, 1000);
    atomic_store(&api.fake.step_us, 200);
    say_without_end();
    atomic_store(&api.fake.fail_at_step, atomic_load(&api.fake.steps) + 20);
    struct raw_client stream = begin(",\"stream\":true");
    struct answer whole = chat("");
    CHECK(whole.code == 500 && strcmp(error_code(whole.json), "engine_failed") == 0, "%d",
          whole.code);
    struct answer answer = end(&stream);
    check_broken_off(&answer, "engine_failed");
    close_answer(&answer);
    close_answer(&whole);
    answer = ask("GET", "/readyz", NULL, "");
    CHECK(answer.code == 503, "ready without an engine");
    close_answer(&answer);
    answer = ask("GET", "/healthz", NULL, "");
    CHECK(answer.code == 200, "dead without an engine");
    close_answer(&answer);
    answer = chat("");
    CHECK(answer.code == 500, "%d", answer.code);
    close_answer(&answer);
}

static bool is_ready(void)
{
    struct answer answer = ask("GET", "/readyz", NULL, "");
    const bool result = answer.code == 200;
    close_answer(&answer);
    return result;
}

static void a_rebuilt_engine_answers_again(void)
{
    stop();
    start(8, 1000);
    atomic_store(&api.fake.step_us, 200);
    say_without_end();
    pthread_mutex_lock(&api.fake.rebuild_gate);
    atomic_store(&api.fake.fail_at_step, atomic_load(&api.fake.steps) + 20);
    struct raw_client stream = begin(",\"stream\":true");
    struct answer answer = end(&stream);
    check_broken_off(&answer, "engine_failed");
    close_answer(&answer);
    answer = ask("GET", "/readyz", NULL, "");
    CHECK(answer.code == 503 && strcmp(error_code(answer.json), "rebuilding") == 0, "%s",
          answer.text);
    close_answer(&answer);
    answer = chat("");
    CHECK(answer.code == 503 && strcmp(error_code(answer.json), "rebuilding") == 0, "%s",
          answer.text);
    CHECK(strcasestr(answer.text, "\r\nRetry-After: 5\r\n"), "no time to come back");
    close_answer(&answer);
    atomic_store(&api.fake.step_us, 0);
    say("Hello, world.");
    pthread_mutex_unlock(&api.fake.rebuild_gate);
    WAIT_FOR(is_ready());
    answer = chat("");
    CHECK(answer.code == 200, "%d", answer.code);
    close_answer(&answer);
    answer = ask("GET", "/metrics", NULL, "");
    CHECK(strstr(answer.body, "\nward_engine_rebuilds_total 1\n"), "not counted");
    close_answer(&answer);
}

static void metrics_count_what_happened(void)
{
    static const char *const lines[] = {
        "ward_requests_total{tenant=\"clinic\",outcome=\"completed\"} 2\n",
        "ward_requests_total{tenant=\"clinic\",outcome=\"invalid\"} 1\n",
        "ward_all_requests_total{outcome=\"completed\"} 2\n",
        "ward_output_tokens_total{tenant=\"clinic\"} 5\n",
        "ward_prompt_tokens_total{tenant=\"clinic\"} 18\n",
        "ward_time_to_first_token_seconds_count{tenant=\"clinic\"} 2\n",
        "ward_time_per_output_token_seconds_count{tenant=\"clinic\"} 2\n",
        "ward_http_requests_total{route=\"chat_completions\",code=\"400\"} 1\n",
        "ward_running_sequences{tenant=\"clinic\"} 0\n",
        "ward_kv_pages_used{tenant=\"clinic\"} 0\n",
        "ward_kv_pages 256\n",
        "ward_ready 1\n",
    };
    stop();
    start(8, 1000);
    struct answer answers[] = {chat(",\"max_tokens\":2"), chat(",\"max_tokens\":3,\"stream\":true"),
                               chat(",\"x\":1")};
    struct answer metrics = ask("GET", "/metrics", NULL, "");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CHECK(strstr(metrics.body, lines[i]), "no line %s", lines[i]);
    }
    close_answer(&metrics);
    for (size_t i = 0; i < 3; i++) {
        close_answer(&answers[i]);
    }
}

/* ---- the description ------------------------------------------------------------------------- */

static void check_fields(json_t *schemas, const char *schema, enum openai_endpoint endpoint)
{
    json_t *properties = json_object_get(json_object_get(schemas, schema), "properties");
    size_t count = 0;
    for (const char *name; (name = openai_request_field(endpoint, count)); count++) {
        CHECK(json_object_get(properties, name), "%s: %s is not described", schema, name);
    }
    CHECK(json_object_size(properties) == count, "%s describes what is not there", schema);
}

static void check_parameters(const struct http_route *route, const json_t *parameters)
{
    size_t count = 0;
    for (; route->query && route->query[count]; count++) {
        const json_t *name = json_object_get(json_array_get(parameters, count), "name");
        CHECK(name && strcmp(json_string_value(name), route->query[count]) == 0,
              "%s: %s is not described", route->path, route->query[count]);
    }
    CHECK(json_array_size(parameters) == count, "%s: describes what is not there", route->path);
}

static void the_description_is_true(void)
{
    json_t *document = json_loadb((const char *)openapi_json, openapi_json_bytes, 0, NULL);
    json_t *paths = json_object_get(document, "paths");
    size_t count = 0;
    for (size_t i = 0; i < api.service->route_count; i++) {
        const struct http_route *route = &api.service->routes[i];
        if (route->listener == HTTP_LISTENER_API
            || strncmp(route->path, "/admin/", strlen("/admin/")) == 0) {
            const bool is_model = strcmp(route->path, api.service->model_path) == 0;
            json_t *path = json_object_get(paths, is_model ? "/v1/models/{model}" : route->path);
            const char *method = strcmp(route->method, "GET") == 0 ? "get" : "post";
            json_t *operation = json_object_get(path, method);
            CHECK(operation, "%s %s is not described", route->method, route->path);
            CHECK((json_object_get(operation, "security") != NULL)
                      == (route->rule == HTTP_RULE_OPEN),
                  "%s: described with another rule", route->path);
            check_parameters(route, json_object_get(operation, "parameters"));
            count++;
        }
    }
    CHECK(json_object_size(paths) == count, "paths that are not there are described");
    json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    check_fields(schemas, "ChatRequest", OPENAI_CHAT);
    check_fields(schemas, "CompletionRequest", OPENAI_COMPLETIONS);
    check_fields(schemas, "TokenizeRequest", OPENAI_TOKENIZE);
    check_fields(schemas, "DetokenizeRequest", OPENAI_DETOKENIZE);
    json_decref(document);
}

static void begin_all(void)
{
    start(8, 1000);
}

CHECK_MAIN(begin_all, a_whole_answer, stop_strings_end_streams_and_documents_alike,
           choices_are_told_apart, log_probabilities_spell_the_text,
           completions_have_their_own_form, what_does_not_fit_is_refused_by_name, no_key_no_answer,
           the_description_is_true, a_client_that_leaves_ends_its_request,
           a_full_server_says_when_to_come_back, metrics_count_what_happened,
           draining_breaks_off_what_is_late, a_rebuilt_engine_answers_again,
           a_lost_engine_breaks_off, stop)
