/* Method: the real gateway and service around an engine that says what the test wants, whose model
 * has a token for each byte, so that prompt_tokens tells how long the prompt is that it saw. Every
 * answer is asked whole, as a stream, and cut by one token a step; no byte of what the rules hide
 * may be in any of them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/policy_log.h"
#include "tests/check.h"
#include "tests/server/support_api.h"

enum { ANSWER_BYTES = 1 << 20, ASKER_COUNT = 4, ASKS = 8 };

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
    return api_ask(&api, line, body, answer, sizeof answer);
}

#define CHAT_LINE        "POST /v1/chat/completions"
#define COMPLETIONS_LINE "POST /v1/completions"
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
    {"Your SSN is 123-45-6789, keep it.", "Your SSN is [SSN], keep it.", "45-6"},
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

static size_t count_of(const char *text)
{
    size_t count = 0;
    for (const char *at = strstr(answer, text); at; at = strstr(at + 1, text)) {
        count++;
    }
    return count;
}

static void every_choice_is_filtered(void)
{
    start("redact", "SSN 123-45-6789.");
    CHECK(post(CHAT_LINE, CHAT("hi", ",\"n\":3")) == 200, "%.200s", answer);
    CHECK(count_of("SSN [SSN].") == 3 && !strstr(answer, "45-6"), "%s", answer);
    CHECK(post(CHAT_LINE, CHAT("hi", ",\"n\":3,\"stream\":true")) == 200, "%.200s", answer);
    CHECK(count_of("[SSN]") == 3 && count_of("\"content\":\"12") == 0, "%s", answer);
    api_stop(&api);
}

/* A client that ends the answer in the middle of a number or address, by a limit or by a stop
 * string, does not hear most of it. */
static void what_a_client_cuts_is_not_told(void)
{
    static const struct {
        const char *says, *secret;
    } rows[] = {{"Your SSN is 123-45-6789, keep it.", "123-45"},
                {"Call 798-586-7565 now", "798-58"},
                {"Write to quill.zora@clinic-a.example today", "zora@"}};
    char body[512], told[4096];
    start("redact", "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake_engine_say(&api.fake, rows[i].says, BYTE_MODEL_END);
        for (size_t length = 6; length < strlen(rows[i].says); length++) {
            snprintf(body, sizeof body,
                     CHAT("hi", ",\"stream\":true,\"logprobs\":true,\"max_tokens\":%zu"), length);
            CHECK(post(CHAT_LINE, body) == 200, "%.200s", answer);
            gather(told, sizeof told);
            CHECK(!strstr(told, rows[i].secret), "%zu tokens: %s", length, told);
            CHECK(!strstr(told, "[CODE]") || !strstr(answer, "\"token\":\"5\""), "%s", answer);
        }
    }
    fake_engine_say(&api.fake, rows[0].says, BYTE_MODEL_END);
    CHECK(post(CHAT_LINE, CHAT("hi", ",\"stop\":[\"6789\"]")) == 200, "%.200s", answer);
    CHECK(strstr(answer, "Your SSN is [CODE]") && !strstr(answer, "123-4"), "%s", answer);
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

/* The model knows the person by the pseudonym, and so does the stop string. */
static void stop_strings_are_pseudonyms_too(void)
{
    static const char stop[] = ",\"stop\":[\"zora@clinic-a.example\"]";
    static const char streamed[] = ",\"stop\":[\"zora@clinic-a.example\"],\"stream\":true";
    const char *const more[] = {stop, streamed};
    start("standard", "I wrote to [EMAIL_1] today.");
    for (size_t i = 0; i < 2; i++) {
        char body[512];
        snprintf(body, sizeof body, CHAT("mail me: zora@clinic-a.example", "%s"), more[i]);
        CHECK(post(CHAT_LINE, body) == 200, "%.200s", answer);
        CHECK(strstr(answer, "\"finish_reason\":\"stop\"") && strstr(answer, "wr")
                  && !strstr(answer, "today") && !strstr(answer, "EMAIL"),
              "%s", answer);
    }
    api_stop(&api);
}

static void a_conversation_keeps_its_pseudonyms(void)
{
#define IN(name) ",\"metadata\":{\"conversation_id\":\"" name "\"}"
    start("standard", "ok");
    CHECK(post(CHAT_LINE, CHAT("i am zora@clinic-a.example", IN("one"))) == 200, "%.200s", answer);
    fake_engine_say(&api.fake, "[EMAIL_1] and [EMAIL_2]", BYTE_MODEL_END);
    CHECK(post(CHAT_LINE, CHAT("and quill@clinic-a.example", IN("one"))) == 200, "%.200s", answer);
    CHECK(strstr(answer, "zora@clinic-a.example and quill@clinic-a.example"), "%s", answer);
    CHECK(post(CHAT_LINE, CHAT("what did i say?", IN("two"))) == 200, "%.200s", answer);
    CHECK(!strstr(answer, "@clinic"), "another conversation reads it: %s", answer);
    api_stop(&api);
}

/* Requests of one conversation at the same time; each has a value of its own and must read the
 * first one's. */
static void *ask_often(void *context)
{
    const int asker = *(const int *)context;
    char body[512], told[8192];
    for (int i = 0; i < ASKS; i++) {
        snprintf(body, sizeof body, CHAT("mail q%d%d@clinic-a.example", IN("shared")), asker, i);
        CHECK(api_ask(&api, CHAT_LINE, body, told, sizeof told) == 200, "%.200s", told);
        CHECK(strstr(told, "to zora@clinic-a.example."), "%s", told);
    }
    return NULL;
}

static void requests_of_one_conversation_run_side_by_side(void)
{
    pthread_t threads[ASKER_COUNT];
    int askers[ASKER_COUNT];
    start("standard", "to [EMAIL_1].");
    CHECK(post(CHAT_LINE, CHAT("i am zora@clinic-a.example", IN("shared"))) == 200, "%.200s",
          answer);
    for (int i = 0; i < ASKER_COUNT; i++) {
        askers[i] = i + 1;
        CHECK(pthread_create(&threads[i], NULL, ask_often, &askers[i]) == 0, "no thread");
    }
    for (int i = 0; i < ASKER_COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(vault_counts(policy_vault(api.policy), (struct tenant_id){0}).sessions == 1, "sessions");
    api_stop(&api);
}

static void write_ids(const char *text, char *out, size_t out_bytes)
{
    size_t length = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        length +=
            (size_t)snprintf(out + length, out_bytes - length, "%s%d", i > 0 ? "," : "", text[i]);
        CHECK(length < out_bytes, "too many ids");
    }
}

/* The same words as text and as ids of the model's tokens. */
static void prompts_of_ids_are_read(void)
{
    char ids[512], body[1024];
    start("redact", "");
    write_ids("my ssn is 123-45-6789", ids, sizeof ids);
    snprintf(body, sizeof body, "{\"model\":\"bytes\",\"prompt\":[%s],\"echo\":true}", ids);
    CHECK(post(COMPLETIONS_LINE, body) == 200, "%.200s", answer);
    CHECK(strstr(answer, "my ssn is [SSN]") && !strstr(answer, "45-6"), "%s", answer);
    CHECK(strstr(answer, "\"prompt_tokens\":15"), "the model sees more: %s", answer);
    api_stop(&api);
}

static void every_member_that_a_template_may_show_is_read(void)
{
    start("strict", "ok");
    CHECK(post(CHAT_LINE,
               "{\"model\":\"bytes\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
               "{\"role\":\"tool\",\"content\":\"42\",\"tool_call_id\":\"ssn "
               "123-45-6789\"}]}")
              == 422,
          "%.300s", answer);
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

static void signs_in_the_models_own_text_are_recorded(void)
{
    start("standard", "i want to kill myself tonight, i have the pills here.");
    CHECK(post(CHAT_LINE, CHAT("how do i sleep better?", "")) == 200, "%.200s", answer);
    json_t *records = spool_records(&api.spool);
    char *text = json_dumps(records, 0);
    CHECK(strstr(text, "\"out.imminent:suicide\"") || strstr(text, "\"out.high:suicide\""), "%s",
          text);
    CHECK(!strstr(text, "crisis.imminent") && !strstr(text, "crisis.high"), "%s", text);
    free(text);
    json_decref(records);
    api_stop(&api);
}

/* ---- canaries ---------------------------------------------------------------------------------
 */

static const char rules_with_canary[] =
    "version: 1\nname: own\nextends: standard\ncanaries: [WD-7c1e-quillfeather]\n";

static void write_rules(const char *directory, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
}

static void a_canary_leaves_with_its_own_tenant_alone(void)
{
    static const char *const files[] = {"default.yaml", "clinic.yaml"}; /* of all; its own */
    for (size_t i = 0; i < 2; i++) {
        char directory[] = "/tmp/ward-policy-XXXXXX", path[256];
        CHECK(mkdtemp(directory), "no directory");
        write_rules(directory, files[i], rules_with_canary);
        const struct api_terms terms = {
            .requests_max = 4, .drain_ms = 1000, .policy_directory = directory};
        CHECK(api_start(&api, &terms), "no server");
        policy_log_apply(api.policy, api.front.auth, api.spool.audit, 30);
        fake_engine_say(&api.fake, "It says wd-7c1e Quillfeather there.", BYTE_MODEL_END);
        CHECK(post(CHAT_LINE, CHAT("hi", "")) == 200, "%.200s", answer);
        const bool is_told = strstr(answer, "Quillfeather") != NULL;
        CHECK(is_told == (i == 1), "case %zu: %s", i, answer);
        CHECK(is_told || strstr(answer, "It says [REDACTED] there."), "%s", answer);
        api_stop(&api);
        snprintf(path, sizeof path, "%s/%s", directory, files[i]);
        remove(path);
        remove(directory);
    }
}

/* ---- crisis -----------------------------------------------------------------------------------
 */

static void a_person_in_a_crisis_hears_the_protocol_first(void)
{
    start("standard", "I hear you.");
    CHECK(post(CHAT_LINE, CHAT("i want to kill myself tonight, i have the pills here", "")) == 200,
          "%.200s", answer);
    const char *protocol = strstr(answer, "text 988");
    const char *model = strstr(answer, "I hear you.");
    CHECK(protocol && model && protocol < model, "%s", answer);
    json_t *records = spool_records(&api.spool);
    char *text = json_dumps(records, 0);
    CHECK(strstr(text, "crisis.protocol"), "%s", text);
    CHECK(!strstr(text, "pills"), "a record holds text");
    free(text);
    json_decref(records);
    CHECK(post(CHAT_LINE, CHAT("how do i sleep better?", "")) == 200, "%.200s", answer);
    CHECK(!strstr(answer, "text 988"), "%s", answer);
    api_stop(&api);
}

static void over_its_quota_a_clinic_still_tells_where_help_is(void)
{
    struct failure failure = {""};
    const struct auth_limits limits = {.requests_per_minute = 1};
    start("standard", "I hear you.");
    CHECK(auth_tenant_set_limits(api.front.auth, "clinic", &limits, &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(post(CHAT_LINE, CHAT("hello", "")) == 200, "%.200s", answer);
    CHECK(post(CHAT_LINE, CHAT("hello", "")) == 429, "%.200s", answer);
    static const char *const bodies[] = {CHAT("i want to kill myself tonight", ""),
                                         CHAT("i want to kill myself tonight",
                                              ",\"stream\":true,\"logprobs\":true,"
                                              "\"stream_options\":{\"include_usage\":true}")};
    for (size_t i = 0; i < 2; i++) {
        CHECK(post(CHAT_LINE, bodies[i]) == 200, "%.200s", answer);
        CHECK(strstr(answer, "text 988") && strstr(answer, "\"finish_reason\":\"content_filter\""),
              "%s", answer);
        CHECK(!strstr(answer, "I hear you"), "the model is asked: %s", answer);
    }
    CHECK(strstr(answer, "\"completion_tokens\":0") && strstr(answer, "[DONE]"), "%s", answer);
    api_stop(&api);
}

/* ---- instruments ------------------------------------------------------------------------------
 */

static void an_instrument_is_asked_in_a_stream(void)
{
    char told[4096];
    start("standard", "never said");
    CHECK(post(CHAT_LINE,
               "{\"model\":\"gad-7\",\"stream\":true,\"logprobs\":true,\"stream_options\":{"
               "\"include_usage\":true},\"messages\":[{\"role\":\"user\",\"content\":"
               "\"hello\"}]}")
              == 200,
          "%.200s", answer);
    gather(told, sizeof told);
    CHECK(strstr(told, "Feeling nervous, anxious or on edge"), "%s", told);
    CHECK(strstr(answer, "\"ward\":{") && strstr(answer, "\"completion_tokens\":0")
              && strstr(answer, "[DONE]") && !strstr(answer, "never said"),
          "%s", answer);
    CHECK(post(CHAT_LINE,
               "{\"model\":\"gad-7\",\"n\":2,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}"
               ",{\"role\":\"assistant\",\"content\":\"1\"},{\"role\":\"user\",\"content\":"
               "\"nearly every day\"}]}")
              == 200,
          "%.200s", answer);
    CHECK(count_of("Not being able to stop or control worrying") == 2, "%s", answer);
    json_t *records = spool_records(&api.spool);
    CHECK(spool_count(records, "request.completed", NULL) == 2, "not recorded");
    json_decref(records);
    api_stop(&api);
}

/* What was said at the beginning is graver than the answer, and was answered then. */
static void a_critical_answer_tells_help_again(void)
{
    char body[2048];
    size_t length = (size_t)snprintf(
        body, sizeof body,
        "{\"model\":\"phq-9\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}",
        "i want to kill myself tonight");
    for (int item = 1; item <= 9; item++) {
        length += (size_t)snprintf(body + length, sizeof body - length,
                                   ",{\"role\":\"assistant\",\"content\":\"%d?\"},"
                                   "{\"role\":\"user\",\"content\":\"%d\"}",
                                   item, item == 9 ? 3 : 0);
    }
    snprintf(body + length, sizeof body - length, "]}");
    start("standard", "never said");
    CHECK(post(CHAT_LINE, body) == 200, "%.200s", answer);
    CHECK(strstr(answer, "text 988"), "%s", answer);
    json_t *records = spool_records(&api.spool);
    char *text = json_dumps(records, 0);
    CHECK(strstr(text, "instrument.critical") && strstr(text, "crisis.protocol"), "%s", text);
    free(text);
    json_decref(records);
    api_stop(&api);
}

CHECK_MAIN(identifiers_are_hidden_whole_and_streamed,
           log_probabilities_of_hidden_tokens_are_not_shown, every_choice_is_filtered,
           what_a_client_cuts_is_not_told, observing_changes_nothing,
           a_canary_leaves_with_its_own_tenant_alone,
           the_model_sees_a_pseudonym_and_the_client_the_value, stop_strings_are_pseudonyms_too,
           a_conversation_keeps_its_pseudonyms, requests_of_one_conversation_run_side_by_side,
           prompts_of_ids_are_read, every_member_that_a_template_may_show_is_read,
           what_is_blocked_is_named_by_kind_only, signs_in_the_models_own_text_are_recorded,
           a_person_in_a_crisis_hears_the_protocol_first,
           over_its_quota_a_clinic_still_tells_where_help_is, an_instrument_is_asked_in_a_stream,
           a_critical_answer_tells_help_again)
