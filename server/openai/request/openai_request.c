#include "server/openai/request/openai_request.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/json_body.h"
#include "server/openai/request/openai_messages.h"

enum {
    GENERATION = OPENAI_CHAT | OPENAI_COMPLETIONS,
    EVERY = GENERATION | OPENAI_TOKENIZE | OPENAI_DETOKENIZE,
    COMPLETIONS_LOGPROBS_MAX = 5,
    USER_BYTES_MAX = 512,
    METADATA_PAIRS_MAX = 16,
    METADATA_KEY_BYTES_MAX = 64,
    TOKENS_MAX = LIMIT_CONTEXT_TOKENS
};
static const double GREEDY_BELOW = 1e-5; /* dividing by less would only overflow */

struct parse {
    const struct openai_terms *terms;
    struct openai_request *request;
    struct openai_fault *fault;
};

/* ---- fields that need more than a range ------------------------------------------------------ */

static enum status read_model(struct parse *parse, json_t *value)
{
    const char *name = json_string_value(value);
    if (!name) {
        return openai_fault_must(parse->fault, "model", "a string");
    }
    const bool is_chat = parse->request->endpoint == OPENAI_CHAT;
    for (int i = 0; is_chat && parse->terms->instruments && parse->terms->instruments[i]; i++) {
        if (strcmp(name, parse->terms->instruments[i]) == 0) {
            parse->request->instrument = i;
            return STATUS_OK;
        }
    }
    if (strcmp(name, parse->terms->model_name) != 0) {
        return openai_fault_set(parse->fault, "model", "model_not_found",
                                "model is not one of this server's: GET /v1/models lists them");
    }
    return STATUS_OK;
}

static enum status read_messages(struct parse *parse, json_t *value)
{
    return openai_messages_read(value, &parse->request->messages, parse->fault);
}

/* [1, 2, 3], at least one, each below the vocabulary's size. */
static bool is_token_array(const struct parse *parse, const json_t *value)
{
    const size_t count = json_array_size(value);
    for (size_t i = 0; i < count; i++) {
        const json_t *id = json_array_get(value, i);
        if (!json_is_integer(id) || json_integer_value(id) < 0
            || json_integer_value(id) >= parse->terms->vocabulary_count) {
            return false;
        }
    }
    return count > 0 && count <= TOKENS_MAX;
}

static enum status read_tokens(struct parse *parse, json_t *value)
{
    parse->request->tokens = value;
    return json_is_array(value) && (json_array_size(value) == 0 || is_token_array(parse, value))
               ? STATUS_OK
               : openai_fault_must(parse->fault, "tokens", "an array of token ids of this model");
}

static enum status read_prompt(struct parse *parse, json_t *value)
{
    parse->request->prompt = value;
    parse->request->prompt_count = 1;
    if (json_is_string(value)) {
        return STATUS_OK;
    }
    if (parse->request->endpoint == OPENAI_TOKENIZE) {
        return openai_fault_must(parse->fault, "prompt", "a string");
    }
    const json_t *first = json_array_get(value, 0); /* NULL too where value is no array */
    if (json_is_integer(first) && is_token_array(parse, value)) {
        return STATUS_OK;
    }
    const size_t count = json_array_size(value);
    bool is_good = count > 0 && (json_is_string(first) || json_is_array(first));
    for (size_t i = 0; is_good && i < count; i++) {
        const json_t *one = json_array_get(value, i);
        is_good = json_is_string(first) ? json_is_string(one)
                                        : json_is_array(one) && is_token_array(parse, one);
    }
    if (!is_good) {
        return openai_fault_must(parse->fault, "prompt",
                                 "a string, an array of strings, an array of token ids of this "
                                 "model, or an array of such arrays");
    }
    if (count > LIMIT_SAMPLES) {
        return openai_fault_set(parse->fault, "prompt", "invalid_value",
                                "prompt must hold at most %d prompts", (int)LIMIT_SAMPLES);
    }
    parse->request->prompt_count = (uint32_t)count;
    return STATUS_OK;
}

static enum status add_stop(struct parse *parse, const json_t *value)
{
    const size_t length = json_string_length(value);
    if (!json_is_string(value) || length == 0 || length > LIMIT_STOP_STRING_BYTES) {
        return openai_fault_set(parse->fault, "stop", "invalid_value",
                                "stop must be a string of 1 to %d bytes or an array of at most %d",
                                (int)LIMIT_STOP_STRING_BYTES, (int)LIMIT_STOP_STRINGS);
    }
    stop_set_add(&parse->request->stops, json_string_value(value), length);
    return STATUS_OK;
}

static enum status read_stop(struct parse *parse, json_t *value)
{
    if (!json_is_array(value)) {
        return add_stop(parse, value);
    }
    if (json_array_size(value) > LIMIT_STOP_STRINGS) {
        return add_stop(parse, NULL);
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(value); i++) {
        status = add_stop(parse, json_array_get(value, i));
    }
    return status;
}

static enum status read_seed(struct parse *parse, json_t *value)
{
    if (!json_is_integer(value)) {
        return openai_fault_must(parse->fault, "seed", "an integer of 64 bits");
    }
    parse->request->has_seed = true;
    parse->request->sampling.seed = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

static enum status read_top_k(struct parse *parse, json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < -1
        || json_integer_value(value) > LIMIT_VOCABULARY) {
        return openai_fault_set(parse->fault, "top_k", "invalid_value",
                                "top_k must be an integer from 0 (off, as is -1) to %d",
                                (int)LIMIT_VOCABULARY);
    }
    const json_int_t top_k = json_integer_value(value);
    parse->request->sampling.top_k = top_k > 0 ? (uint32_t)top_k : 0;
    return STATUS_OK;
}

static bool read_token_id(const char *text, uint32_t vocabulary_count, uint32_t *out)
{
    char *end = NULL;
    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || end == text || errno != 0
        || value >= vocabulary_count) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static enum status read_logit_bias(struct parse *parse, json_t *value)
{
    struct engine_sampling *sampling = &parse->request->sampling;
    if (!json_is_object(value) || json_object_size(value) > LIMIT_LOGIT_BIAS) {
        return openai_fault_set(parse->fault, "logit_bias", "invalid_value",
                                "logit_bias must be an object of at most %d token ids",
                                (int)LIMIT_LOGIT_BIAS);
    }
    const char *key;
    json_t *bias;
    json_object_foreach(value, key, bias)
    {
        struct engine_bias *entry = &sampling->bias[sampling->bias_count++];
        if (!read_token_id(key, parse->terms->vocabulary_count, &entry->id)) {
            return openai_fault_set(parse->fault, "logit_bias", "invalid_value",
                                    "logit_bias must have token ids below %u as its keys",
                                    parse->terms->vocabulary_count);
        }
        entry->value = (float)json_number_value(bias);
        if (!json_is_number(bias) || !(entry->value >= -100.0F && entry->value <= 100.0F)) {
            return openai_fault_must(parse->fault, "logit_bias",
                                     "an object whose values are numbers from -100 to 100");
        }
    }
    return STATUS_OK;
}

/* Chat: a boolean, the number stands in top_logprobs. Completions: the number itself. */
static enum status read_logprobs(struct parse *parse, json_t *value)
{
    struct openai_request *request = parse->request;
    if (request->endpoint == OPENAI_CHAT) {
        request->logprobs = json_is_true(value);
        return json_is_boolean(value) ? STATUS_OK
                                      : openai_fault_must(parse->fault, "logprobs", "a boolean");
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0
        || json_integer_value(value) > COMPLETIONS_LOGPROBS_MAX) {
        return openai_fault_must(parse->fault, "logprobs", "an integer from 0 to 5");
    }
    request->logprobs = true;
    request->sampling.top_logprobs_count = (uint32_t)json_integer_value(value);
    return STATUS_OK;
}

static enum status read_stream_options(struct parse *parse, json_t *value)
{
    if (!json_is_object(value)) {
        return openai_fault_must(parse->fault, "stream_options", "an object");
    }
    const char *key;
    json_t *option;
    json_object_foreach(value, key, option)
    {
        if (json_is_null(option)) {
            continue;
        }
        if (strcmp(key, "include_usage") != 0) {
            return openai_fault_set(parse->fault, "stream_options", "unsupported_parameter",
                                    "stream_options may hold include_usage only");
        }
        if (!json_is_boolean(option)) {
            return openai_fault_must(parse->fault, "stream_options.include_usage", "a boolean");
        }
        parse->request->include_usage = json_is_true(option);
    }
    return STATUS_OK;
}

/* A label of the client's own for whom it asks; it is kept nowhere, for it may identify a person.
 */
static enum status read_user(struct parse *parse, json_t *value)
{
    return json_is_string(value) && json_string_length(value) <= USER_BYTES_MAX
               ? STATUS_OK
               : openai_fault_must(parse->fault, "user", "a string of at most 512 bytes");
}

/* OpenAI's place for a client's own words; nothing of it is kept. Two are understood: which
 * conversation this is, so that its pseudonyms stay the same from request to request, and that its
 * user is a minor. */
static enum status read_metadata(struct parse *parse, json_t *value)
{
    const char *key;
    json_t *text;
    bool is_good = json_is_object(value) && json_object_size(value) <= METADATA_PAIRS_MAX;
    if (is_good) {
        json_object_foreach(value, key, text)
        {
            is_good = is_good && strlen(key) <= METADATA_KEY_BYTES_MAX && json_is_string(text)
                      && json_string_length(text) <= USER_BYTES_MAX;
        }
    }
    const char *minor = json_string_value(json_object_get(value, "user_is_minor"));
    parse->request->conversation = json_string_value(json_object_get(value, "conversation_id"));
    parse->request->is_minor = minor && strcmp(minor, "true") == 0;
    return is_good ? STATUS_OK
                   : openai_fault_must(
                       parse->fault, "metadata",
                       "an object of at most 16 strings of at most 512 bytes, with keys of "
                       "at most 64");
}

static enum status read_response_format(struct parse *parse, json_t *value)
{
    const char *type = json_string_value(json_object_get(value, "type"));
    return json_object_size(value) == 1 && type && strcmp(type, "text") == 0
               ? STATUS_OK
               : openai_fault_set(parse->fault, "response_format", "unsupported_parameter",
                                  "response_format other than {\"type\": \"text\"} is not "
                                  "supported");
}

/* Nothing is ever stored, so that is the one value that can be honoured. */
static enum status read_store(struct parse *parse, json_t *value)
{
    return json_is_false(value)
               ? STATUS_OK
               : openai_fault_set(parse->fault, "store", "unsupported_parameter",
                                  "store must be false: this server keeps no answers");
}

/* ---- the table ------------------------------------------------------------------------------- */

enum kind { NUMBER, INTEGER, FLAG, OWN }; /* float, uint32_t, bool, its own function */

static const struct field {
    const char *name;
    unsigned endpoints;
    enum kind kind;
    size_t offset;
    double min, max;
    bool excludes_min;
    enum status (*read)(struct parse *parse, json_t *value);
} fields[] = {
#define AT(member) offsetof(struct openai_request, member)
    {.name = "model", .endpoints = EVERY, .kind = OWN, .read = read_model},
    {.name = "messages",
     .endpoints = OPENAI_CHAT | OPENAI_TOKENIZE,
     .kind = OWN,
     .read = read_messages},
    {.name = "prompt",
     .endpoints = OPENAI_COMPLETIONS | OPENAI_TOKENIZE,
     .kind = OWN,
     .read = read_prompt},
    {.name = "tokens", .endpoints = OPENAI_DETOKENIZE, .kind = OWN, .read = read_tokens},
    {"max_tokens", GENERATION, INTEGER, AT(max_tokens), 1, TOKENS_MAX, false, NULL},
    {"max_completion_tokens", OPENAI_CHAT, INTEGER, AT(max_tokens), 1, TOKENS_MAX, false, NULL},
    {"temperature", GENERATION, NUMBER, AT(sampling.temperature), 0, 2, false, NULL},
    {"top_p", GENERATION, NUMBER, AT(sampling.top_p), 0, 1, true, NULL},
    {.name = "top_k", .endpoints = GENERATION, .kind = OWN, .read = read_top_k},
    {"min_p", GENERATION, NUMBER, AT(sampling.min_p), 0, 1, false, NULL},
    {"n", GENERATION, INTEGER, AT(n), 1, LIMIT_SAMPLES, false, NULL},
    {.name = "stop", .endpoints = GENERATION, .kind = OWN, .read = read_stop},
    {.name = "seed", .endpoints = GENERATION, .kind = OWN, .read = read_seed},
    {"presence_penalty", GENERATION, NUMBER, AT(sampling.presence_penalty), -2, 2, false, NULL},
    {"frequency_penalty", GENERATION, NUMBER, AT(sampling.frequency_penalty), -2, 2, false, NULL},
    {"repetition_penalty", GENERATION, NUMBER, AT(sampling.repetition_penalty), 0, 2, true, NULL},
    {.name = "logit_bias", .endpoints = GENERATION, .kind = OWN, .read = read_logit_bias},
    {.name = "logprobs", .endpoints = GENERATION, .kind = OWN, .read = read_logprobs},
    {"top_logprobs", OPENAI_CHAT, INTEGER, AT(sampling.top_logprobs_count), 0, LIMIT_TOP_LOGPROBS,
     false, NULL},
    {"stream", GENERATION, FLAG, AT(stream), 0, 0, false, NULL},
    {.name = "stream_options", .endpoints = GENERATION, .kind = OWN, .read = read_stream_options},
    {.name = "user", .endpoints = GENERATION, .kind = OWN, .read = read_user},
    {.name = "metadata", .endpoints = GENERATION, .kind = OWN, .read = read_metadata},
    {"echo", OPENAI_COMPLETIONS, FLAG, AT(echo), 0, 0, false, NULL},
    {.name = "response_format",
     .endpoints = OPENAI_CHAT,
     .kind = OWN,
     .read = read_response_format},
    {.name = "store", .endpoints = OPENAI_CHAT, .kind = OWN, .read = read_store},
    {"add_special_tokens", OPENAI_TOKENIZE, FLAG, AT(add_special_tokens), 0, 0, false, NULL},
    {"add_generation_prompt", OPENAI_TOKENIZE, FLAG, AT(add_generation_prompt), 0, 0, false, NULL},
#undef AT
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static const struct field *find_field(const char *name, unsigned endpoints)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if ((fields[i].endpoints & endpoints) != 0 && strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static enum status read_number(struct parse *parse, const struct field *field, const json_t *value)
{
    char *at = (char *)parse->request + field->offset;
    const bool has_type = field->kind == INTEGER ? json_is_integer(value) : json_is_number(value);
    const double number = json_number_value(value);
    if (!has_type || number > field->max
        || !(field->excludes_min ? number > field->min : number >= field->min)) {
        return openai_fault_set(parse->fault, field->name, "invalid_value",
                                field->excludes_min ? "%s must be %s above %g and at most %.0f"
                                                    : "%s must be %s from %g to %.0f",
                                field->name, field->kind == INTEGER ? "an integer" : "a number",
                                field->min, field->max);
    }
    if (field->kind == INTEGER) {
        const uint32_t integer = (uint32_t)number;
        memcpy(at, &integer, sizeof integer);
    } else {
        const float real = (float)number;
        memcpy(at, &real, sizeof real);
    }
    return STATUS_OK;
}

static enum status read_field(struct parse *parse, const struct field *field, json_t *value)
{
    if (field->kind == OWN) {
        return field->read(parse, value);
    }
    if (field->kind != FLAG) {
        return read_number(parse, field, value);
    }
    if (!json_is_boolean(value)) {
        return openai_fault_must(parse->fault, field->name, "a boolean");
    }
    *(bool *)((char *)parse->request + field->offset) = json_is_true(value);
    return STATUS_OK;
}

/* The name is the client's own: told back where it looks like the name of a field. */
static enum status refuse_unknown(struct parse *parse, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const size_t length = strlen(name);
    if (length == 0 || length > 48 || strspn(name, plain) != length) {
        return openai_fault_set(parse->fault, "", "unsupported_parameter",
                                "the body has a field of an unknown name");
    }
    return openai_fault_set(parse->fault, name, "unsupported_parameter", "%s is not supported",
                            name);
}

/* ---- the whole body -------------------------------------------------------------------------- */

static enum status read_fields(struct parse *parse)
{
    const char *name;
    json_t *value;
    json_object_foreach(parse->request->body, name, value)
    {
        if (json_is_null(value)) {
            continue;
        }
        const struct field *field = find_field(name, parse->request->endpoint);
        const enum status status =
            field ? read_field(parse, field, value) : refuse_unknown(parse, name);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static bool has(const struct openai_request *request, const char *name)
{
    const json_t *value = json_object_get(request->body, name);
    return value && !json_is_null(value);
}

static enum status require(struct parse *parse, const char *name)
{
    return has(parse->request, name)
               ? STATUS_OK
               : openai_fault_set(parse->fault, name, "missing_required_parameter",
                                  "%s is required", name);
}

static enum status check_required(struct parse *parse)
{
    const struct openai_request *request = parse->request;
    switch (request->endpoint) {
    case OPENAI_CHAT:
    case OPENAI_COMPLETIONS: {
        const enum status status = require(parse, "model");
        return status != STATUS_OK
                   ? status
                   : require(parse, request->endpoint == OPENAI_CHAT ? "messages" : "prompt");
    }
    case OPENAI_TOKENIZE:
        return has(request, "prompt") != has(request, "messages")
                   ? STATUS_OK
                   : openai_fault_set(parse->fault, "prompt", "missing_required_parameter",
                                      "either prompt or messages is required");
    case OPENAI_DETOKENIZE:
        return require(parse, "tokens");
    }
    return STATUS_OK;
}

/* What fields mean together. */
static enum status check_together(struct parse *parse)
{
    struct openai_request *request = parse->request;
    if (has(request, "max_completion_tokens")) {
        if (has(request, "max_tokens")) {
            return openai_fault_set(parse->fault, "max_tokens", "invalid_value",
                                    "max_tokens and max_completion_tokens are the same: give one");
        }
        request->max_tokens_name = "max_completion_tokens";
    }
    if (has(request, "top_logprobs") && !request->logprobs) {
        return openai_fault_set(parse->fault, "top_logprobs", "invalid_value",
                                "top_logprobs needs logprobs to be true");
    }
    if (has(request, "stream_options") && !request->stream) {
        return openai_fault_set(parse->fault, "stream_options", "invalid_value",
                                "stream_options needs stream to be true");
    }
    if (request->echo && request->logprobs) {
        return openai_fault_set(parse->fault, "echo", "unsupported_parameter",
                                "echo together with logprobs is not supported");
    }
    const uint32_t sequence_count = request->prompt_count * request->n;
    const uint32_t most = parse->terms->sequences_max < LIMIT_SAMPLES ? parse->terms->sequences_max
                                                                      : (uint32_t)LIMIT_SAMPLES;
    if (sequence_count > most) {
        return openai_fault_set(parse->fault, "n", "invalid_value",
                                "n times the number of prompts must be at most %u", most);
    }
    return STATUS_OK;
}

static void set_defaults(struct openai_request *request, enum openai_endpoint endpoint)
{
    *request = (struct openai_request){
        .endpoint = endpoint,
        .prompt_count = 1,
        .n = 1,
        .instrument = -1,
        .max_tokens_name = "max_tokens",
        .sampling = {.temperature = 1.0F, .top_p = 1.0F, .repetition_penalty = 1.0F},
        .add_special_tokens = true,
        .add_generation_prompt = true,
    };
}

enum status openai_request_parse(enum openai_endpoint endpoint, const char *bytes, size_t length,
                                 const struct openai_terms *terms, struct openai_request *out,
                                 struct openai_fault *fault)
{
    set_defaults(out, endpoint);
    struct json_body_fault body_fault;
    if (json_body_parse(bytes, length, &out->body, &body_fault) != STATUS_OK) {
        const bool is_known = find_field(body_fault.member, endpoint) != NULL;
        return openai_fault_set(fault, is_known ? body_fault.member : "", "invalid_json", "%s%s%s",
                                is_known ? body_fault.member : "", is_known ? ": " : "",
                                body_fault.failure.text);
    }
    struct parse parse = {.terms = terms, .request = out, .fault = fault};
    enum status status = read_fields(&parse);
    if (status == STATUS_OK) {
        status = check_required(&parse);
    }
    if (status == STATUS_OK) {
        status = check_together(&parse);
    }
    if ((double)out->sampling.temperature < GREEDY_BELOW) {
        out->sampling.temperature = 0.0F;
    }
    return status;
}

void openai_request_destroy(struct openai_request *request)
{
    json_decref(request->messages);
    json_decref(request->body);
    explicit_bzero(request, sizeof *request);
}

const json_t *openai_request_prompt(const struct openai_request *request, uint32_t index)
{
    const json_t *first = json_array_get(request->prompt, 0);
    return json_is_string(first) || json_is_array(first) ? json_array_get(request->prompt, index)
                                                         : request->prompt;
}

const char *openai_request_field(enum openai_endpoint endpoint, size_t index)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if ((fields[i].endpoints & (unsigned)endpoint) != 0 && index-- == 0) {
            return fields[i].name;
        }
    }
    return NULL;
}
