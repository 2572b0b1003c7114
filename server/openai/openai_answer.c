#include "server/openai/openai_answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const char *const finish_names[] = {
    [OPENAI_STOP] = "\"stop\"",
    [OPENAI_LENGTH] = "\"length\"",
    [OPENAI_FILTERED] = "\"content_filter\"",
};

enum status openai_answer_open(struct openai_answer *answer)
{
    answer->choices = calloc(answer->choice_count, sizeof *answer->choices);
    answer->is_over = calloc(answer->choice_count, sizeof *answer->is_over);
    if (!answer->choices || !answer->is_over) {
        return STATUS_IO;
    }
    enum status status = answer->terms.logprobs
                             ? outbound_create(answer->terms.outbound, &answer->terms.alone)
                             : STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < answer->choice_count; i++) {
        status = openai_choice_open(&answer->choices[i], &answer->terms, i);
    }
    return status;
}

void openai_answer_close(struct openai_answer *answer)
{
    for (uint32_t i = 0; answer->choices && i < answer->choice_count; i++) {
        openai_choice_close(&answer->choices[i]);
    }
    outbound_destroy(answer->terms.alone);
    free(answer->choices);
    free(answer->is_over);
    buffer_destroy(&answer->out);
    explicit_bzero(&answer->terms.digest, sizeof answer->terms.digest);
    answer->terms.alone = NULL;
    answer->choices = NULL;
    answer->is_over = NULL;
}

uint32_t openai_answer_tokens(const struct openai_answer *answer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; answer->choices && i < answer->choice_count; i++) {
        count += answer->choices[i].token_count;
    }
    return count;
}

bool openai_answer_digest(const struct openai_answer *answer, struct digest *out)
{
    if (!answer->choices) {
        return false;
    }
    struct digest_stream all = answer->terms.digest;
    for (uint32_t i = 0; i < answer->choice_count; i++) {
        struct digest_stream told = answer->choices[i].told;
        *out = digest_stream_end(&told);
        digest_stream_add(&all, out->bytes, sizeof out->bytes);
    }
    if (answer->choice_count > 1) {
        *out = digest_stream_end(&all);
    }
    explicit_bzero(&all, sizeof all);
    return true;
}

struct tally openai_answer_tally(const struct openai_answer *answer)
{
    struct tally all = {0};
    for (uint32_t i = 0; answer->choices && i < answer->choice_count; i++) {
        if (answer->choices[i].outbound) { /* all were opened, or none is told */
            tally_add(&all, openai_choice_tally(&answer->choices[i]));
        }
    }
    return all;
}

void openai_answer_crisis(const struct openai_answer *answer,
                          enum crisis_grade out[CRISIS_KIND_COUNT])
{
    memset(out, 0, CRISIS_KIND_COUNT * sizeof *out);
    for (uint32_t i = 0; answer->choices && i < answer->choice_count; i++) {
        const struct openai_choice *choice = &answer->choices[i];
        for (int kind = 0; choice->reader && kind < CRISIS_KIND_COUNT; kind++) {
            const enum crisis_grade grade = openai_choice_crisis(choice)->signals[kind].grade;
            out[kind] = grade > out[kind] ? grade : out[kind];
        }
    }
}

uint32_t openai_answer_finished(const struct openai_answer *answer, enum openai_finish finish)
{
    uint32_t count = 0;
    for (uint32_t i = 0; answer->choices && i < answer->choice_count; i++) {
        count += answer->choices[i].finish == finish;
    }
    return count;
}

/* One token of one choice. */
static bool step(struct openai_answer *answer, struct openai_choice *choice)
{
    if (!openai_choice_step(choice)) {
        return false;
    }
    if (choice->is_cut) {
        answer->cut(answer->cut_context, choice->sequence);
    }
    return true;
}

/* ---- what every answer holds ----------------------------------------------------------------- */

size_t openai_format_token(struct json_text *out, const struct openai_choice *choice, uint32_t id,
                           char *raw)
{
    const size_t length = tokenizer_token_bytes(choice->terms->tokenizer, id, raw);
    json_text_string(out, raw, length);
    return length;
}

static void write_head(const struct openai_answer *answer, struct json_text *json,
                       const char *object)
{
    json_text_raw(json, "{\"id\":\"");
    json_text_raw(json, answer->id);
    json_text_raw(json, "\",\"object\":\"");
    json_text_raw(json, object);
    json_text_raw(json, "\",\"created\":");
    json_text_integer(json, answer->created_unix_s);
    json_text_raw(json, ",\"model\":");
    json_text_string(json, answer->model_name, strlen(answer->model_name));
    json_text_raw(json, ",\"system_fingerprint\":\"");
    json_text_raw(json, answer->fingerprint);
    json_text_raw(json, "\",\"choices\":[");
}

static void write_usage(const struct openai_answer *answer, struct json_text *json)
{
    const uint32_t output_tokens = openai_answer_tokens(answer);
    json_text_raw(json, ",\"usage\":{\"prompt_tokens\":");
    json_text_integer(json, answer->prompt_tokens);
    json_text_raw(json, ",\"completion_tokens\":");
    json_text_integer(json, output_tokens);
    json_text_raw(json, ",\"total_tokens\":");
    json_text_integer(json, (int64_t)answer->prompt_tokens + output_tokens);
    json_text_raw(json, "}");
}

static void write_extension(const struct openai_answer *answer, struct json_text *json)
{
    if (answer->extension) {
        json_text_raw(json, ",\"ward\":");
        json_text_raw(json, answer->extension);
    }
}

static void write_index(const struct openai_choice *choice, struct json_text *json)
{
    json_text_raw(json, "{\"index\":");
    json_text_integer(json, choice->sequence);
}

/* ---- one document ---------------------------------------------------------------------------- */

enum openai_progress openai_answer_gather(struct openai_answer *answer)
{
    enum openai_progress progress = OPENAI_DONE;
    for (uint32_t i = 0; i < answer->choice_count; i++) {
        struct openai_choice *choice = &answer->choices[i];
        while (step(answer, choice)) {
        }
        if (choice->finish == OPENAI_FAILED) {
            return OPENAI_BROKEN;
        }
        if (choice->finish == OPENAI_RUNNING) {
            progress = OPENAI_WAITING;
        }
    }
    return progress;
}

enum status openai_answer_write_whole(struct openai_answer *answer)
{
    struct json_text json = {.out = &answer->out};
    write_head(answer, &json, answer->format->object);
    for (uint32_t i = 0; i < answer->choice_count; i++) {
        struct openai_choice *choice = &answer->choices[i];
        json_text_raw(&json, i > 0 ? "," : "");
        write_index(choice, &json);
        answer->format->write_whole(&json, choice);
        json_text_raw(&json, ",\"finish_reason\":");
        json_text_raw(&json, finish_names[choice->finish]);
        json_text_raw(&json, "}");
        openai_choice_told(choice, openai_choice_telling(choice));
    }
    json_text_raw(&json, "]");
    write_usage(answer, &json);
    write_extension(answer, &json);
    json_text_raw(&json, "}");
    return json.status;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void open_event(const struct openai_answer *answer, const struct openai_choice *choice,
                       struct json_text *json)
{
    json_text_raw(json, "data: ");
    write_head(answer, json, answer->format->chunk_object);
    write_index(choice, json);
}

/* Up to where members of the event itself may follow. */
static void close_choice(const struct openai_answer *answer, struct json_text *json,
                         const char *finish)
{
    json_text_raw(json, ",\"finish_reason\":");
    json_text_raw(json, finish);
    json_text_raw(json, answer->include_usage ? "}],\"usage\":null" : "}]");
}

static void close_event(const struct openai_answer *answer, struct json_text *json,
                        const char *finish)
{
    close_choice(answer, json, finish);
    json_text_raw(json, "}\n\n");
}

static enum status write_delta(struct openai_answer *answer, struct openai_choice *choice)
{
    const struct openai_telling telling = openai_choice_telling(choice);
    if (telling.text_bytes == 0 && telling.entry_end == choice->told_entries) {
        return STATUS_OK;
    }
    struct json_text json = {.out = &answer->out};
    open_event(answer, choice, &json);
    answer->format->write_delta(&json, choice, telling);
    close_event(answer, &json, "null");
    openai_choice_told(choice, telling);
    return json.status;
}

static enum status write_last(struct openai_answer *answer, struct openai_choice *choice)
{
    struct json_text json = {.out = &answer->out};
    open_event(answer, choice, &json);
    answer->format->write_last(&json);
    close_choice(answer, &json, finish_names[choice->finish]);
    write_extension(answer, &json);
    json_text_raw(&json, "}\n\n");
    answer->is_over[choice->sequence] = true;
    return json.status;
}

enum status openai_answer_write_first(struct openai_answer *answer)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < answer->choice_count; i++) {
        struct openai_choice *choice = &answer->choices[i];
        if (answer->format->write_first) {
            struct json_text json = {.out = &answer->out};
            open_event(answer, choice, &json);
            answer->format->write_first(&json);
            close_event(answer, &json, "null");
            status = json.status;
        }
        if (status == STATUS_OK) {
            status = write_delta(answer, choice); /* an echo */
        }
    }
    return status;
}

/* One token of one choice, told at once. False: there is none. A choice may have ended before its
 * first token. */
static bool write_token(struct openai_answer *answer, struct openai_choice *choice,
                        enum status *status)
{
    const bool has_moved = step(answer, choice);
    if (choice->finish == OPENAI_FAILED || answer->is_over[choice->sequence]
        || (!has_moved && choice->finish == OPENAI_RUNNING)) {
        return false;
    }
    *status = write_delta(answer, choice);
    if (*status == STATUS_OK && choice->finish != OPENAI_RUNNING) {
        *status = write_last(answer, choice);
    }
    return true;
}

enum openai_progress openai_answer_write_events(struct openai_answer *answer)
{
    enum status status = STATUS_OK;
    bool has_moved = true;
    while (has_moved && answer->out.length - answer->out_taken < OPENAI_EVENTS_BYTES) {
        has_moved = false;
        for (uint32_t i = 0; i < answer->choice_count; i++) {
            has_moved = write_token(answer, &answer->choices[i], &status) || has_moved;
            if (status != STATUS_OK || answer->choices[i].finish == OPENAI_FAILED) {
                return OPENAI_BROKEN;
            }
        }
    }
    for (uint32_t i = 0; i < answer->choice_count; i++) {
        if (!answer->is_over[i]) {
            return OPENAI_WAITING;
        }
    }
    return OPENAI_DONE;
}

enum status openai_answer_write_end(struct openai_answer *answer)
{
    struct json_text json = {.out = &answer->out};
    if (answer->include_usage) {
        json_text_raw(&json, "data: ");
        write_head(answer, &json, answer->format->chunk_object);
        json_text_raw(&json, "]");
        write_usage(answer, &json);
        json_text_raw(&json, "}\n\n");
    }
    json_text_raw(&json, "data: [DONE]\n\n");
    return json.status;
}

enum status openai_answer_write_error(struct openai_answer *answer, const struct http_error *error)
{
    struct json_text json = {.out = &answer->out};
    json_text_raw(&json, "data: {\"error\":{\"message\":");
    json_text_string(&json, error->message, strlen(error->message));
    json_text_raw(&json, ",\"type\":");
    json_text_string(&json, error->type, strlen(error->type));
    json_text_raw(&json, ",\"param\":null,\"code\":");
    json_text_string(&json, error->code, strlen(error->code));
    json_text_raw(&json, "}}\n\n");
    return json.status;
}

size_t openai_answer_take(struct openai_answer *answer, char *bytes, size_t max)
{
    struct buffer *out = &answer->out;
    const size_t left = out->length - answer->out_taken;
    const size_t length = left < max ? left : max;
    if (length > 0) {
        memcpy(bytes, out->bytes + answer->out_taken, length);
        answer->out_taken += length;
    }
    if (length > 0 && answer->out_taken == out->length) {
        buffer_clear(out);
        answer->out_taken = 0;
    }
    return length;
}
