/* Method: bodies with what must become of them: the field that the fault names and its code, or
 * values that were read. Every good body is also cut at each byte and parsed, for its cleanup. */
#include <stdlib.h>
#include <string.h>

#include "server/openai/request/openai_request.h"
#include "tests/check.h"

static const struct openai_terms terms = {
    .model_name = "m", .vocabulary_count = 300, .sequences_max = 64};

#define USER         "{\"role\":\"user\",\"content\":\"a\"}"
#define MESSAGE(one) "{\"model\":\"m\",\"messages\":[" one "]}"
#define CHAT(more)   "{\"model\":\"m\",\"messages\":[" USER "]" more "}"
#define PROMPT(more) "{\"model\":\"m\",\"prompt\":\"a\"" more "}"

static const struct {
    enum openai_endpoint endpoint;
    const char *body, *param, *code; /* code NULL: it is good */
} cases[] = {
    {OPENAI_CHAT, CHAT(""), "", NULL},
    {OPENAI_CHAT, "{}", "model", "missing_required_parameter"},
    {OPENAI_CHAT, "{\"model\":\"m\"}", "messages", "missing_required_parameter"},
    {OPENAI_CHAT, "{\"model\":\"x\",\"messages\":[]}", "model", "model_not_found"},
    {OPENAI_CHAT, "{\"model\":5}", "model", "invalid_value"},
    {OPENAI_CHAT, "[]", "", "invalid_json"},
    {OPENAI_CHAT, CHAT(",\"seed\":1180591620717411303424"), "seed", "invalid_json"},
    {OPENAI_CHAT, CHAT(",\"secret words\":NaN"), "", "invalid_json"},
    {OPENAI_CHAT, CHAT(",\"n\":1,\"n\":1"), "n", "invalid_json"},
    /* null counts as absent, known or not */
    {OPENAI_CHAT, CHAT(",\"n\":null,\"tools\":null,\"nothing\":null"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"tools\":[]"), "tools", "unsupported_parameter"},
    {OPENAI_CHAT, CHAT(",\"a field\":1"), "", "unsupported_parameter"},
    {OPENAI_CHAT, CHAT(",\"prompt\":\"a\""), "prompt", "unsupported_parameter"},
    {OPENAI_CHAT, CHAT(",\"echo\":true"), "echo", "unsupported_parameter"},
    {OPENAI_CHAT, CHAT(",\"store\":false"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"store\":true"), "store", "unsupported_parameter"},
    {OPENAI_CHAT, CHAT(",\"response_format\":{\"type\":\"text\"}"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"response_format\":{\"type\":\"json_object\"}"), "response_format",
     "unsupported_parameter"},
    {OPENAI_CHAT, CHAT(",\"response_format\":\"text\""), "response_format",
     "unsupported_parameter"},
    /* messages */
    {OPENAI_CHAT, MESSAGE(""), "messages", "invalid_value"},
    {OPENAI_CHAT, MESSAGE("5"), "messages[0]", "invalid_value"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\"}"), "messages[0].content", "invalid_value"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"robot\",\"content\":\"a\"}"), "messages[0].role",
     "invalid_value"},
    {OPENAI_CHAT,
     MESSAGE("{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":[]}"),
     "messages[1].content", "invalid_value"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\"}]}"),
     "", NULL},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}"),
     "messages[0].content[0].text", "invalid_value"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}"),
     "messages[0].content[0].type", "unsupported_value"},
    {OPENAI_CHAT,
     MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"x\":1}]}"),
     "messages[0].content[0]", "unsupported_parameter"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"a\",\"x\":1}"), "messages[0]",
     "unsupported_parameter"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"a\",\"name\":\"Ann\"}"), "", NULL},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"a\",\"name\":\"<|x|>\"}"),
     "messages[0].name", "invalid_value"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"a\",\"name\":\"\"}"),
     "messages[0].name", "invalid_value"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"tool\",\"content\":\"a\",\"tool_call_id\":\"c\"}"), "",
     NULL},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"a\",\"tool_call_id\":\"c\"}"),
     "messages[0]", "unsupported_parameter"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"assistant\",\"content\":\"a\",\"tool_calls\":[]}"),
     "messages[0]", "unsupported_parameter"},
    {OPENAI_CHAT, MESSAGE("{\"role\":\"assistant\",\"content\":\"a\",\"tool_calls\":null}"), "",
     NULL},
    /* ranges: both ends and one past them */
    {OPENAI_CHAT, CHAT(",\"temperature\":0"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"temperature\":2.0"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"temperature\":2.001"), "temperature", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"temperature\":\"1\""), "temperature", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"top_p\":0"), "top_p", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"top_p\":1"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"repetition_penalty\":0"), "repetition_penalty", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"max_tokens\":0"), "max_tokens", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"max_tokens\":1.0"), "max_tokens", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"max_tokens\":1048576"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"max_tokens\":1048577"), "max_tokens", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"max_tokens\":1,\"max_completion_tokens\":1"), "max_tokens",
     "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"top_k\":-1"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"top_k\":-2"), "top_k", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"n\":64"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"n\":65"), "n", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"n\":129"), "n", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"seed\":-9223372036854775808"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"seed\":1.0"), "seed", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"stop\":[]"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"stop\":[\"a\",\"b\",\"c\",\"d\"]"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]"), "stop", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"stop\":\"\""), "stop", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"logit_bias\":{\"299\":-100,\"0\":100}"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"logit_bias\":{\"300\":1}"), "logit_bias", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"logit_bias\":{\" 1\":1}"), "logit_bias", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"logit_bias\":{\"\":1}"), "logit_bias", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"logit_bias\":{\"1\":100.1}"), "logit_bias", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"logit_bias\":{\"99999999999999999999999\":1}"), "logit_bias",
     "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"logprobs\":true,\"top_logprobs\":20"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"top_logprobs\":1"), "top_logprobs", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"logprobs\":1"), "logprobs", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"stream\":true,\"stream_options\":{\"include_usage\":true}"), "", NULL},
    {OPENAI_CHAT, CHAT(",\"stream_options\":{\"include_usage\":true}"), "stream_options",
     "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"stream\":true,\"stream_options\":{\"x\":true}"), "stream_options",
     "unsupported_parameter"},
    {OPENAI_CHAT, CHAT(",\"stream\":1"), "stream", "invalid_value"},
    {OPENAI_CHAT, CHAT(",\"user\":\"u\""), "", NULL},
    /* completions */
    {OPENAI_COMPLETIONS, PROMPT(""), "", NULL},
    {OPENAI_COMPLETIONS, PROMPT(",\"messages\":[]"), "messages", "unsupported_parameter"},
    {OPENAI_COMPLETIONS, PROMPT(",\"best_of\":1"), "best_of", "unsupported_parameter"},
    {OPENAI_COMPLETIONS, PROMPT(",\"logprobs\":5"), "", NULL},
    {OPENAI_COMPLETIONS, PROMPT(",\"logprobs\":6"), "logprobs", "invalid_value"},
    {OPENAI_COMPLETIONS, PROMPT(",\"logprobs\":true"), "logprobs", "invalid_value"},
    {OPENAI_COMPLETIONS, PROMPT(",\"echo\":true,\"logprobs\":0"), "echo", "unsupported_parameter"},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[1,299]}", "", NULL},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[1,300]}", "prompt", "invalid_value"},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[1,\"a\"]}", "prompt", "invalid_value"},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[\"a\",1]}", "prompt", "invalid_value"},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[[1],[2]]}", "", NULL},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[[1],[]]}", "prompt", "invalid_value"},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[[1],\"a\"]}", "prompt", "invalid_value"},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[[[1]]]}", "prompt", "invalid_value"},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[]}", "prompt", "invalid_value"},
    {OPENAI_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[\"a\",\"b\"],\"n\":33}", "n",
     "invalid_value"},
    /* tokenizer routes */
    {OPENAI_TOKENIZE, "{\"prompt\":\"a\"}", "", NULL},
    {OPENAI_TOKENIZE, "{\"prompt\":[\"a\"]}", "prompt", "invalid_value"},
    {OPENAI_TOKENIZE, "{}", "prompt", "missing_required_parameter"},
    {OPENAI_TOKENIZE, "{\"prompt\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
     "prompt", "missing_required_parameter"},
    {OPENAI_DETOKENIZE, "{\"tokens\":[]}", "", NULL},
    {OPENAI_DETOKENIZE, "{\"tokens\":[299]}", "", NULL},
    {OPENAI_DETOKENIZE, "{\"tokens\":[300]}", "tokens", "invalid_value"},
    {OPENAI_DETOKENIZE, "{\"tokens\":5}", "tokens", "invalid_value"},
    {OPENAI_DETOKENIZE, "{\"tokens\":[1],\"n\":1}", "n", "unsupported_parameter"},
};

static enum status parse(enum openai_endpoint endpoint, const char *body, size_t length,
                         struct openai_request *request, struct openai_fault *fault)
{
    *fault = (struct openai_fault){0};
    return openai_request_parse(endpoint, body, length, &terms, request, fault);
}

static void every_body_gets_its_answer(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct openai_request request;
        struct openai_fault fault;
        const char *body = cases[i].body;
        const enum status status = parse(cases[i].endpoint, body, strlen(body), &request, &fault);
        openai_request_destroy(&request);
        CHECK((status == STATUS_OK) == !cases[i].code, "%s: %s", body, fault.failure.text);
        if (status != STATUS_OK && cases[i].code) {
            CHECK(strcmp(fault.code, cases[i].code) == 0, "%s: %s", body, fault.code);
            CHECK(strcmp(fault.param, cases[i].param) == 0, "%s: %s", body, fault.param);
            CHECK(fault.failure.text[0] && fault.http_code == 400, "%s: no text", body);
        }
    }
}

static void a_body_cut_anywhere_is_refused(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t length = 0; length < strlen(cases[i].body); length++) {
            struct openai_request request;
            struct openai_fault fault;
            char *exact = malloc(length + 1); /* so that a read past the end is found */
            memcpy(exact, cases[i].body, length);
            CHECK(parse(cases[i].endpoint, exact, length, &request, &fault) != STATUS_OK,
                  "%.*s was taken", (int)length, cases[i].body);
            openai_request_destroy(&request);
            free(exact);
        }
    }
}

static void values_arrive(void)
{
    static const char body[] =
        CHAT(",\"temperature\":0.5,\"top_p\":0.25,\"top_k\":7,\"min_p\":0.125,\"n\":3,\"seed\":-2,"
             "\"presence_penalty\":-1,\"frequency_penalty\":1.5,\"repetition_penalty\":1.25,"
             "\"stop\":[\"x\",\"yz\"],\"logit_bias\":{\"5\":-1.5},\"logprobs\":true,"
             "\"top_logprobs\":4,\"max_completion_tokens\":9,\"stream\":true,"
             "\"stream_options\":{\"include_usage\":true}");
    struct openai_request request;
    struct openai_fault fault;
    CHECK(parse(OPENAI_CHAT, body, strlen(body), &request, &fault) == STATUS_OK, "%s",
          fault.failure.text);
    const struct engine_sampling *sampling = &request.sampling;
    CHECK(sampling->temperature == 0.5F && sampling->top_p == 0.25F, "temperature, top_p");
    CHECK(sampling->top_k == 7 && sampling->min_p == 0.125F, "top_k, min_p");
    CHECK(request.n == 3 && request.has_seed && sampling->seed == (uint64_t)-2, "n, seed");
    CHECK(sampling->presence_penalty == -1.0F && sampling->frequency_penalty == 1.5F
              && sampling->repetition_penalty == 1.25F,
          "penalties");
    CHECK(request.stops.count == 2 && request.stops.strings[1].length == 2, "stop");
    CHECK(sampling->bias_count == 1 && sampling->bias[0].id == 5
              && sampling->bias[0].value == -1.5F,
          "logit_bias");
    CHECK(request.logprobs && sampling->top_logprobs_count == 4, "logprobs");
    CHECK(request.max_tokens == 9, "max_tokens");
    CHECK(strcmp(request.max_tokens_name, "max_completion_tokens") == 0, "its name");
    CHECK(request.stream && request.include_usage, "stream");
    openai_request_destroy(&request);
}

static void defaults_are_those_of_the_api(void)
{
    struct openai_request request;
    struct openai_fault fault;
    static const char body[] = CHAT(",\"temperature\":0.000001,\"top_k\":-1");
    CHECK(parse(OPENAI_CHAT, body, strlen(body), &request, &fault) == STATUS_OK, "refused");
    CHECK(request.sampling.temperature == 0.0F, "so little is greedy");
    CHECK(request.sampling.top_k == 0, "-1 is off");
    CHECK(request.sampling.top_p == 1.0F && request.sampling.repetition_penalty == 1.0F, "off");
    CHECK(request.n == 1 && request.max_tokens == 0 && !request.stream && !request.has_seed,
          "defaults");
    openai_request_destroy(&request);
}

static void messages_take_the_form_of_templates(void)
{
    static const char body[] = MESSAGE(
        "{\"role\":\"developer\",\"content\":\"d\"},"
        "{\"role\":\"user\",\"name\":\"Ann\",\"content\":[{\"type\":\"text\",\"text\":\"one\"},"
        "{\"type\":\"text\",\"text\":\"two\"}]}");
    struct openai_request request;
    struct openai_fault fault;
    CHECK(parse(OPENAI_CHAT, body, strlen(body), &request, &fault) == STATUS_OK, "refused");
    json_t *want = json_pack("[{s:s,s:s},{s:s,s:s,s:s}]", "role", "system", "content", "d", "role",
                             "user", "content", "one\ntwo", "name", "Ann");
    CHECK(json_equal(want, request.messages), "another form");
    json_decref(want);
    openai_request_destroy(&request);
}

static void prompts_are_told_apart(void)
{
    static const struct {
        const char *body;
        uint32_t count;
        bool is_text;
    } prompts[] = {
        {PROMPT(""), 1, true},
        {"{\"model\":\"m\",\"prompt\":[\"b\",\"a\"]}", 2, true},
        {"{\"model\":\"m\",\"prompt\":[1,2,3]}", 1, false},
        {"{\"model\":\"m\",\"prompt\":[[1,2],[3]]}", 2, false},
    };
    for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++) {
        struct openai_request request;
        struct openai_fault fault;
        const char *body = prompts[i].body;
        CHECK(parse(OPENAI_COMPLETIONS, body, strlen(body), &request, &fault) == STATUS_OK, "%s",
              body);
        CHECK(request.prompt_count == prompts[i].count, "%s: %u", body, request.prompt_count);
        const json_t *last = openai_request_prompt(&request, request.prompt_count - 1);
        CHECK(json_is_string(last) == prompts[i].is_text, "%s: another kind", body);
        CHECK(prompts[i].is_text || json_is_integer(json_array_get(last, 0)), "%s: no ids", body);
        openai_request_destroy(&request);
    }
}

CHECK_MAIN(every_body_gets_its_answer, a_body_cut_anywhere_is_refused, values_arrive,
           defaults_are_those_of_the_api, messages_take_the_form_of_templates,
           prompts_are_told_apart)
