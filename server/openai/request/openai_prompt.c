#include "server/openai/request/openai_prompt.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    SPECIALS_MAX = 64, /* ids that a tokenizer may add around a text */
    /* NFC may lengthen a character threefold; every byte may be a token. */
    TOKENS_A_BYTE_MAX = 3
};

/* Room for more ids; old ones are zeroed where they are left. */
static bool reserve(struct openai_prompts *prompts, size_t more)
{
    const size_t wanted = prompts->token_count + more;
    if (wanted <= prompts->capacity) {
        return true;
    }
    uint32_t *tokens = malloc(wanted * sizeof *tokens);
    if (!tokens) {
        return false;
    }
    if (prompts->tokens) {
        memcpy(tokens, prompts->tokens, prompts->token_count * sizeof *tokens);
        explicit_bzero(prompts->tokens, prompts->capacity * sizeof *tokens);
        free(prompts->tokens);
    }
    prompts->tokens = tokens;
    prompts->capacity = wanted;
    return true;
}

static enum status no_memory(struct openai_fault *fault, const char *param)
{
    const enum status status =
        openai_fault_set(fault, param, "server_busy", "there is no memory for this request now");
    fault->http_code = 503;
    return status;
}

static enum status encode(const struct model *model, const struct tokenizer_input *input,
                          const char *param, uint32_t index, struct openai_prompts *prompts,
                          struct openai_fault *fault)
{
    const size_t room = TOKENS_A_BYTE_MAX * input->length + SPECIALS_MAX;
    size_t count = 0;
    if (!reserve(prompts, room)
        || tokenizer_encode(model->tokenizer, input, prompts->tokens + prompts->token_count, room,
                            &count)
               != STATUS_OK) {
        return no_memory(fault, param);
    }
    prompts->counts[index] = (uint32_t)count;
    prompts->token_count += count;
    return STATUS_OK;
}

static enum status encode_messages(const struct model *model, const struct openai_request *request,
                                   struct openai_prompts *prompts, struct openai_fault *fault)
{
    if (!model->chat_template) {
        return openai_fault_set(fault, "messages", "unsupported_value",
                                "this model has no chat template: use /v1/completions");
    }
    struct buffer text = {.limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX};
    struct buffer is_markup = {.limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX};
    struct failure failure = {{0}};
    const struct chat_template_input input = {
        .variables = json_pack("{s:O, s:b, s:s, s:s}", "messages", request->messages,
                               "add_generation_prompt", request->add_generation_prompt, "bos_token",
                               tokenizer_bos_text(model->tokenizer), "eos_token",
                               tokenizer_eos_text(model->tokenizer)),
        .now_unix_s = clock_unix_ms() / 1000,
    };
    enum status status = input.variables ? chat_template_render(model->chat_template, &input, &text,
                                                                &is_markup, &failure)
                                         : STATUS_IO;
    if (status == STATUS_OK) {
        /* The template has written the model's first special token where it wants one. */
        const struct tokenizer_input rendered = {
            .text = text.bytes ? text.bytes : "",
            .length = text.length,
            .is_markup = (const uint8_t *)is_markup.bytes,
        };
        status = encode(model, &rendered, "messages", 0, prompts, fault);
    } else if (status == STATUS_IO) {
        status = no_memory(fault, "messages");
    } else {
        status =
            openai_fault_set(fault, "messages", "invalid_value",
                             "the model's chat template refuses these messages: %s", failure.text);
    }
    json_decref(input.variables);
    buffer_destroy(&text);
    buffer_destroy(&is_markup);
    return status;
}

static enum status copy_ids(const json_t *ids, uint32_t index, struct openai_prompts *prompts,
                            struct openai_fault *fault)
{
    const size_t count = json_array_size(ids);
    if (!reserve(prompts, count)) {
        return no_memory(fault, "prompt");
    }
    for (size_t i = 0; i < count; i++) {
        prompts->tokens[prompts->token_count++] =
            (uint32_t)json_integer_value(json_array_get(ids, i));
    }
    prompts->counts[index] = (uint32_t)count;
    return STATUS_OK;
}

static enum status encode_prompt(const struct model *model, const struct openai_request *request,
                                 uint32_t index, struct openai_prompts *prompts,
                                 struct openai_fault *fault)
{
    const json_t *prompt = openai_request_prompt(request, index);
    if (json_is_array(prompt)) {
        return copy_ids(prompt, index, prompts, fault);
    }
    const struct tokenizer_input input = {
        .text = json_string_value(prompt),
        .length = json_string_length(prompt),
        .adds_specials = request->add_special_tokens,
    };
    return encode(model, &input, "prompt", index, prompts, fault);
}

enum status openai_prompts_make(const struct model *model, const struct openai_request *request,
                                struct openai_prompts *out, struct openai_fault *fault)
{
    if (request->messages) {
        return encode_messages(model, request, out, fault);
    }
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < request->prompt_count; i++) {
        status = encode_prompt(model, request, i, out, fault);
    }
    return status;
}

void openai_prompts_destroy(struct openai_prompts *prompts)
{
    if (prompts->tokens) {
        explicit_bzero(prompts->tokens, prompts->capacity * sizeof *prompts->tokens);
        free(prompts->tokens);
    }
    *prompts = (struct openai_prompts){0};
}

enum status openai_prompts_decode(const struct model *model, const json_t *ids, bool skips_specials,
                                  struct buffer *out)
{
    struct tokenizer_decoder decoder = {0};
    char piece[TOKENIZER_PIECE_BYTES_MAX + 16];
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(ids); i++) {
        const uint32_t id = (uint32_t)json_integer_value(json_array_get(ids, i));
        const size_t length =
            tokenizer_decode_step(model->tokenizer, &decoder, id, skips_specials, piece);
        status = buffer_append(out, piece, length);
    }
    if (status == STATUS_OK) {
        status = buffer_append(out, piece, tokenizer_decode_finish(&decoder, piece));
    }
    return status;
}

enum status openai_prompts_echo(const struct model *model, const struct openai_request *request,
                                uint32_t index, struct buffer *out)
{
    const json_t *prompt = openai_request_prompt(request, index);
    return json_is_string(prompt)
               ? buffer_append(out, json_string_value(prompt), json_string_length(prompt))
               : openai_prompts_decode(model, prompt, true, out);
}
