#include "server/openai/second_read.h"

#include <string.h>

enum { WORD_IDS_MAX = 16 };
static const float ONLY_THESE = 100.0F; /* a bias that no other token reaches */

static const char question[] =
    "\n\n---\nSet the conversation aside and judge it. Is the person who wrote it, or somebody "
    "they "
    "speak of, in danger of suicide, of serious harm or of death now? Answer with one word, Yes or "
    "No.";

/* ---- the prompt ------------------------------------------------------------------------------ */

/* The question stands in the last message, for many templates want speakers to take turns. */
static enum status ask_in_last(json_t *messages)
{
    const size_t count = json_array_size(messages);
    json_t *last = count > 0 ? json_array_get(messages, count - 1) : NULL;
    const json_t *content = json_object_get(last, "content");
    struct buffer text = {.limit_bytes = json_string_length(content) + sizeof question};
    if (!json_is_string(content)) {
        return STATUS_INVALID;
    }
    enum status status =
        buffer_append(&text, json_string_value(content), json_string_length(content));
    if (status == STATUS_OK) {
        status = buffer_append(&text, question, sizeof question - 1);
    }
    if (status == STATUS_OK
        && json_object_set_new(last, "content", json_stringn(text.bytes, text.length)) != 0) {
        status = STATUS_IO;
    }
    buffer_destroy(&text);
    return status;
}

static enum status make_prompt(const struct model *model, const struct openai_request *request,
                               struct openai_prompts *out)
{
    struct openai_fault fault = {0};
    struct openai_request asked = *request; /* shares all but the messages */
    asked.messages = json_deep_copy(request->messages);
    asked.prompt_count = 1;
    enum status status = asked.messages ? ask_in_last(asked.messages) : STATUS_INVALID;
    if (status == STATUS_OK) {
        status = openai_prompts_make(model, &asked, out, &fault);
    }
    json_decref(asked.messages);
    return status;
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* The token that an answer of this word begins with. */
static enum status first_id(const struct model *model, const char *word, uint32_t *out)
{
    uint32_t ids[WORD_IDS_MAX];
    size_t count = 0;
    const struct tokenizer_input input = {.text = word, .length = strlen(word)};
    const enum status status =
        tokenizer_encode(model->tokenizer, &input, ids, WORD_IDS_MAX, &count);
    if (status == STATUS_OK && count > 0) {
        *out = ids[0];
        return STATUS_OK;
    }
    return STATUS_UNSUPPORTED;
}

static enum status choose_words(const struct model *model, struct second_read *read,
                                struct engine_sampling *out)
{
    enum status status = first_id(model, "Yes", &read->yes_id);
    if (status == STATUS_OK) {
        status = first_id(model, "No", &read->no_id);
    }
    if (status != STATUS_OK || read->yes_id == read->no_id) {
        return STATUS_UNSUPPORTED;
    }
    *out =
        (struct engine_sampling){.top_p = 1.0F,
                                 .repetition_penalty = 1.0F,
                                 .bias_count = 2,
                                 .bias = {{read->yes_id, ONLY_THESE}, {read->no_id, ONLY_THESE}}};
    return STATUS_OK;
}

enum status second_read_begin(struct second_read *read, struct service *service,
                              const struct openai_request *request, struct tenant_id tenant,
                              uint64_t handle)
{
    static const struct token_log_shape shape = {.sequence_count = 1, .output_max = 1};
    const struct model *model = service->config.model;
    struct openai_prompts prompts = {0};
    struct engine_ticket ticket = {0};
    struct engine_request asked = {.tenant = tenant, .prompt_count = 1, .sample_count = 1};
    read->engine_loop = service->engine_loop;
    enum status status = choose_words(model, read, &asked.sampling);
    if (status == STATUS_OK) {
        status = make_prompt(model, request, &prompts);
    }
    if (status == STATUS_OK) {
        status = token_log_create(&shape, &read->log);
    }
    if (status == STATUS_OK) {
        asked.prompts[0].token_count = prompts.counts[0];
        asked.prompts[0].output_max = 1;
        status = engine_loop_submit(service->engine_loop, &asked, prompts.tokens, read->log, handle,
                                    &ticket);
    }
    atomic_store(&read->ticket, ticket.value);
    openai_prompts_destroy(&prompts);
    return status;
}

enum second_read_answer second_read_look(const struct second_read *read)
{
    enum status admission = STATUS_OK;
    if (!token_log_admission(read->log, &admission)) {
        return SECOND_READ_WAITING;
    }
    const enum token_end end = token_log_end(read->log, 0);
    if (admission != STATUS_OK || end == TOKEN_END_FAILED) {
        return SECOND_READ_FAILED;
    }
    if (token_log_count(read->log, 0) == 0) {
        return end == TOKEN_END_NONE ? SECOND_READ_WAITING : SECOND_READ_FAILED;
    }
    const uint32_t id = token_log_token(read->log, 0, 0).id;
    return id == read->yes_id  ? SECOND_READ_YES
           : id == read->no_id ? SECOND_READ_NO
                               : SECOND_READ_FAILED;
}

void second_read_cancel(struct second_read *read)
{
    const uint64_t ticket = atomic_load(&read->ticket);
    if (ticket != 0) {
        engine_loop_cancel_all(read->engine_loop, (struct engine_ticket){ticket});
    }
}

void second_read_end(struct second_read *read)
{
    const uint64_t ticket = atomic_exchange(&read->ticket, 0);
    if (ticket != 0) {
        engine_loop_release(read->engine_loop, (struct engine_ticket){ticket});
    }
    token_log_destroy(read->log);
    read->log = NULL;
}
