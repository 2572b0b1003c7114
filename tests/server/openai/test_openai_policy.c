/* Method: the real gateway and service around an engine that says what the test wants, whose model
 * has a token for each byte, so that prompt_tokens tells how long the prompt is that it saw. Every
 * answer is asked whole, as a stream, and cut by one token a step; no byte of what the rules hide
 * may be in any of them. */
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/server/support_api.h"

enum { ANSWER_BYTES = 1 << 20, PATIENCE_MS = 20000 };

static struct api api;
static char answer[ANSWER_BYTES];

static void start(const char *rules, const char *text)
{
    const struct api_terms terms = {.requests_max = 4, .drain_ms = 1000, .policy_default = rules};
    CHECK(api_start(&api, &terms), "no server");
    fake_engine_say(&api.fake, text, BYTE_MODEL_END);
}

static int post(const char *line, const char *body)
{
    char request[4096];
    struct raw_client client;
    bool is_closed = false;
    api_write_request(line, api.front.key, body, request, sizeof request);
    CHECK(raw_client_open(&client, &api.front, HTTP_LISTENER_API, NULL), "no connection");
    CHECK(raw_client_send_text(&client, request), "not sent");
    raw_client_receive(&client, answer, sizeof answer, PATIENCE_MS, &is_closed);
    raw_client_close(&client);
    CHECK(is_closed, "the answer has no end");
    return raw_client_status(answer);
}

#define CHAT_LINE "POST /v1/chat/completions"
#define CHAT(text, more) \
    "{\"model\":\"bytes\",\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]" more "}"

static json_t *document(void)
{
    const char *body = strstr(answer, "\r\n\r\n");
    return body ? json_loads(body + 4, 0, NULL) : NULL;
}

static json_int_t prompt_tokens(const char *text)
{
    char body[1024];
    snprintf(body, sizeof body,
             "{\"model\":\"bytes\",\"max_tokens\":64,\"messages\":[{\"role\":\"user\",\"content\":"
             "\"%s\"}]}",
             text);
    CHECK(post(CHAT_LINE, body) == 200, "%.200s", answer);
    json_t *made = document();
    const json_int_t count =
        json_integer_value(json_object_get(json_object_get(made, "usage"), "prompt_tokens"));
    json_decref(made);
    return count;
}

/* The text of a stream's deltas, put together. */
static void gather(char *out, size_t out_bytes)
{
    size_t length = 0;
    out[0] = '\0';
    for (char *at = strstr(answer, "data: {"); at; at = strstr(at + 1, "data: {")) {
        json_t *event = json_loads(at + 6, JSON_DISABLE_EOF_CHECK, NULL);
        const char *text = json_string_value(json_object_get(
            json_object_get(json_array_get(json_object_get(event, "choices"), 0), "delta"),
            "content"));
        length += (size_t)snprintf(out + length, out_bytes - length, "%s", text ? text : "");
        json_decref(event);
        CHECK(length < out_bytes, "the stream is too long");
    }
}

/* ---- out --------------------------------------------------------------------------------------
 */

static const struct {
    const char *says, *told, *secret;
} answers[] = {
    {"Your number is 123-45-6789, keep it.", "Your number is [SSN], keep it.", "45-6"},
    {"Write to quill.zora@clinic-a.example today", "Write to [EMAIL] today", "quill"},
    {"Nothing to hide here.", "Nothing to hide here.", NULL},
    {"Call 988 now, or text HOME to 741741.", "Call 988 now, or text HOME to 741741.", NULL},
    {"It ends with 123-45-6789", "It ends with [SSN]", "45-6789"},
};

static void identifiers_are_hidden_whole_and_streamed(void)
{
    start("redact", "");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char told[4096];
        fake_engine_say(&api.fake, answers[i].says, BYTE_MODEL_END);
        CHECK(post(CHAT_LINE, CHAT("hi", "")) == 200, "%.200s", answer);
        CHECK(strstr(answer, answers[i].told), "case %zu: %s", i, answer);
        CHECK(!answers[i].secret || !strstr(answer, answers[i].secret), "case %zu leaks", i);
        CHECK(post(CHAT_LINE, CHAT("hi", ",\"stream\":true")) == 200, "%.200s", answer);
        gather(told, sizeof told);
        CHECK(strcmp(told, answers[i].told) == 0, "case %zu: \"%s\"", i, told);
    }
    api_stop(&api);
}

static void log_probabilities_of_hidden_tokens_are_not_shown(void)
{
    static const char *const bodies[] = {
        CHAT("hi", ",\"logprobs\":true,\"top_logprobs\":2"),
        CHAT("hi", ",\"logprobs\":true,\"stream\":true,\"n\":2"),
    };
    start("redact", "SSN 123-45-6789.");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        CHECK(post(CHAT_LINE, bodies[i]) == 200, "%.200s", answer);
        CHECK(strstr(answer, "\"token\":\"\""), "case %zu: %s", i, answer);
        CHECK(!strstr(answer, "\"token\":\"6\"") && !strstr(answer, "\"bytes\":[54]"),
              "case %zu shows a digit", i);
        CHECK(strstr(answer, "\"token\":\".\""), "case %zu hides what follows: %s", i, answer);
    }
    api_stop(&api);
}

static void observing_changes_nothing(void)
{
    start("observe", "SSN 123-45-6789.");
    CHECK(post(CHAT_LINE, CHAT("hi", "")) == 200, "%.200s", answer);
    CHECK(strstr(answer, "SSN 123-45-6789."), "%s", answer);
    api_stop(&api);
}

/* ---- in ---------------------------------------------------------------------------------------
 */

static void the_model_sees_a_pseudonym_and_the_client_the_value(void)
{
    start("standard", "I wrote to [EMAIL_1] and to [EMAIL_7].");
    const json_int_t seen = prompt_tokens("mail me: zora@clinic-a.example");
    CHECK(seen == prompt_tokens("mail me: [EMAIL_1]"), "%lld", (long long)seen);
    CHECK(post(CHAT_LINE, CHAT("mail me: zora@clinic-a.example", "")) == 200, "%.200s", answer);
    CHECK(strstr(answer, "I wrote to zora@clinic-a.example and to [EMAIL]."), "%s", answer);
    CHECK(post(CHAT_LINE, CHAT("mail me: zora@clinic-a.example", ",\"stream\":true")) == 200,
          "%.200s", answer);
    char told[4096];
    gather(told, sizeof told);
    CHECK(strcmp(told, "I wrote to zora@clinic-a.example and to [EMAIL].") == 0, "%s", told);
    CHECK(post(CHAT_LINE, CHAT("hello", "")) == 200, "%.200s", answer);
    CHECK(!strstr(answer, "zora@"), "another request reads it: %s", answer);
    api_stop(&api);
}

static void what_is_blocked_is_named_by_kind_only(void)
{
    start("strict", "ok");
    CHECK(post(CHAT_LINE, CHAT("my ssn is 123-45-6789", "")) == 422, "%.200s", answer);
    CHECK(strstr(answer, "\"policy_blocked\"") && strstr(answer, "SSN"), "%s", answer);
    CHECK(!strstr(answer, "123"), "%s", answer);
    json_t *records = spool_records(&api.spool);
    CHECK(spool_count(records, "request.refused", NULL) == 1, "not recorded");
    json_decref(records);
    api_stop(&api);
}

/* ---- crisis -----------------------------------------------------------------------------------
 */

static void a_person_in_a_crisis_hears_the_protocol_first(void)
{
    start("standard", "I hear you.");
    CHECK(post(CHAT_LINE, CHAT("i want to kill myself tonight, i have the pills here", "")) == 200,
          "%.200s", answer);
    const char *protocol = strstr(answer, "988");
    const char *model = strstr(answer, "I hear you.");
    CHECK(protocol && model && protocol < model, "%s", answer);
    json_t *records = spool_records(&api.spool);
    char *text = json_dumps(records, 0);
    CHECK(strstr(text, "crisis.protocol"), "%s", text);
    CHECK(!strstr(text, "pills"), "a record holds text");
    free(text);
    json_decref(records);
    CHECK(post(CHAT_LINE, CHAT("how do i sleep better?", "")) == 200, "%.200s", answer);
    CHECK(!strstr(answer, "988"), "%s", answer);
    api_stop(&api);
}

CHECK_MAIN(identifiers_are_hidden_whole_and_streamed,
           log_probabilities_of_hidden_tokens_are_not_shown, observing_changes_nothing,
           the_model_sees_a_pseudonym_and_the_client_the_value,
           what_is_blocked_is_named_by_kind_only, a_person_in_a_crisis_hears_the_protocol_first)
