/* generate.c - `ward generate`: one completion of a raw text, without chat template or server. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/commands/support/solo.h"

enum { TOP_LOGPROBS = 5, TEXT_BYTES_MAX = 256 << 20, LOGPROB_DIGITS = 9 };

static const double LOGPROB_NONE = -9999.0; /* as OpenAI writes a probability of zero */

struct generation {
    const struct model *model;
    const char *device;
    struct solo solo;
    struct solo_sequence sequence;
    uint32_t *tokens; /* prompt, then output */
    uint32_t out_count_max;
    struct tokenizer_decoder decoder;
    struct buffer text;
    json_t *top_logprobs; /* NULL unless it ends in JSON */
    const char *finish_reason;
};

/* ---- prompt ---------------------------------------------------------------------------------- */

/* Tokens of the prompt; special tokens written in it are recognised, as in `ward tokenize`. */
static enum status encode(struct generation *generation, const char *prompt,
                          struct failure *failure)
{
    const struct model *model = generation->model;
    const size_t length = strlen(prompt);
    const uint32_t context = model->config.context_tokens_max;
    uint8_t *is_markup = malloc(length + 1);
    generation->tokens = malloc(((size_t)context + 1) * sizeof *generation->tokens);
    if (!is_markup || !generation->tokens) {
        free(is_markup);
        return fail(failure, STATUS_IO, "no memory for the prompt");
    }
    memset(is_markup, 1, length + 1);
    const struct tokenizer_input input = {prompt, length, is_markup, true};
    size_t count = 0;
    const enum status status =
        tokenizer_encode(model->tokenizer, &input, generation->tokens, context, &count);
    free(is_markup);
    if (status == STATUS_TOO_LARGE || count >= context) {
        return fail(failure, STATUS_TOO_LARGE,
                    "the prompt leaves no room in the model's context of %u tokens", context);
    }
    if (status != STATUS_OK) {
        return fail(failure, status, "the prompt cannot be tokenized: %s", status_text(status));
    }
    if (count == 0) {
        return fail(failure, STATUS_INVALID, "the prompt has no tokens: give some text with -p");
    }
    if (!model_has_ids(model, generation->tokens, count)) {
        return fail(failure, STATUS_INVALID, "tokenizer.json has ids beyond vocab_size %u",
                    model->config.vocabulary_count);
    }
    if (generation->out_count_max > context - count) {
        generation->out_count_max = context - (uint32_t)count;
    }
    generation->sequence.tokens = generation->tokens;
    generation->sequence.token_count = (uint32_t)count;
    generation->sequence.prompt_count = (uint32_t)count;
    return STATUS_OK;
}

/* ---- output ---------------------------------------------------------------------------------- */

static enum status append_logprobs(struct generation *generation, const struct engine_token *token)
{
    json_t *top = json_object();
    for (uint32_t i = 0; i < token->top_count; i++) {
        char id[16];
        const double logprob = (double)token->top_logprobs[i];
        snprintf(id, sizeof id, "%u", token->top_ids[i]);
        json_object_set_new(top, id, json_real(isfinite(logprob) ? logprob : LOGPROB_NONE));
    }
    return json_array_append_new(generation->top_logprobs, top) == 0 ? STATUS_OK : STATUS_IO;
}

/* Text goes to the JSON document at the end, or straight to stdout. */
static enum status emit(struct generation *generation, const char *bytes, size_t length)
{
    if (generation->top_logprobs) {
        return buffer_append(&generation->text, bytes, length);
    }
    return fwrite(bytes, 1, length, stdout) == length && fflush(stdout) == 0 ? STATUS_OK
                                                                             : STATUS_IO;
}

static enum status take_token(struct generation *generation, const struct engine_token *token)
{
    const struct model_config *config = &generation->model->config;
    char piece[TOKENIZER_PIECE_BYTES_MAX + 16];
    generation->tokens[generation->sequence.token_count++] = token->id;
    for (uint32_t i = 0; i < config->eos_count; i++) {
        if (config->eos_ids[i] == token->id) {
            generation->finish_reason = "stop";
        }
    }
    const size_t length = tokenizer_decode_step(generation->model->tokenizer, &generation->decoder,
                                                token->id, true, piece);
    const enum status status = emit(generation, piece, length);
    return status == STATUS_OK && generation->top_logprobs ? append_logprobs(generation, token)
                                                           : status;
}

/* The output continues the prompt's text, so a leading space of its first token stays. */
static void decode_prompt(struct generation *generation)
{
    char piece[TOKENIZER_PIECE_BYTES_MAX + 16];
    for (uint32_t i = 0; i < generation->sequence.prompt_count; i++) {
        (void)tokenizer_decode_step(generation->model->tokenizer, &generation->decoder,
                                    generation->tokens[i], false, piece);
    }
}

static enum status generate(struct generation *generation, struct failure *failure)
{
    struct solo_sequence *sequence = &generation->sequence;
    const uint32_t token_count_max = sequence->prompt_count + generation->out_count_max;
    generation->finish_reason = NULL;
    while (!generation->finish_reason && sequence->token_count < token_count_max) {
        struct engine_token token;
        if (solo_step(&generation->solo, sequence, &token) == 0) {
            return fail(failure, STATUS_DEVICE, "the engine failed");
        }
        if (sequence->computed_count == sequence->token_count
            && take_token(generation, &token) != STATUS_OK) {
            return fail(failure, STATUS_IO, "no memory for the text, or it cannot be written");
        }
    }
    generation->finish_reason = generation->finish_reason ? generation->finish_reason : "length";
    char piece[TOKENIZER_PIECE_BYTES_MAX + 16];
    const size_t length = tokenizer_decode_finish(&generation->decoder, piece);
    return emit(generation, piece, length) == STATUS_OK
               ? STATUS_OK
               : fail(failure, STATUS_IO, "standard output cannot be written");
}

static json_t *ids_of(const uint32_t *ids, uint32_t count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_array_append_new(list, json_integer(ids[i]));
    }
    return list;
}

static enum status print(const struct generation *generation, struct failure *failure)
{
    if (!generation->top_logprobs) {
        return puts("") >= 0 ? STATUS_OK
                             : fail(failure, STATUS_IO, "standard output cannot be written");
    }
    const struct solo_sequence *sequence = &generation->sequence;
    json_t *document = json_pack(
        "{s:o, s:o, s:s%, s:s, s:O}", "prompt_ids",
        ids_of(generation->tokens, sequence->prompt_count), "ids",
        ids_of(generation->tokens + sequence->prompt_count,
               sequence->token_count - sequence->prompt_count),
        "text", generation->text.bytes ? generation->text.bytes : "", generation->text.length,
        "finish_reason", generation->finish_reason, "top_logprobs", generation->top_logprobs);
    const bool is_written =
        document
        && json_dumpf(document, stdout, JSON_COMPACT | JSON_REAL_PRECISION(LOGPROB_DIGITS)) == 0
        && puts("") >= 0;
    json_decref(document);
    return is_written ? STATUS_OK : fail(failure, STATUS_IO, "standard output cannot be written");
}

static enum status run(struct generation *generation, const char *prompt, struct failure *failure)
{
    enum status status = STATUS_OK;
    if (!generation->model->tokenizer) {
        return fail(failure, STATUS_NOT_FOUND, "%s: tokenizer.json: no such file",
                    generation->model->name);
    }
    status = encode(generation, prompt, failure);
    if (status == STATUS_OK) {
        status = solo_open(generation->model, generation->device,
                           generation->sequence.prompt_count + generation->out_count_max,
                           &generation->solo, failure);
    }
    if (status == STATUS_OK) {
        decode_prompt(generation);
        status = generate(generation, failure);
    }
    if (status == STATUS_OK) {
        status = print(generation, failure);
    }
    return status;
}

int generate_main(int argc, char **argv)
{
    const char *directory = NULL;
    const char *prompt = NULL;
    bool is_json = false;
    struct generation generation = {.device = "auto",
                                    .out_count_max = 128,
                                    .sequence.sampling = solo_greedy(),
                                    .text.limit_bytes = TEXT_BYTES_MAX};
    struct engine_sampling *sampling = &generation.sequence.sampling;
    const struct option_row rows[] = {
        {"model", 'm', OPTION_TEXT, &directory, 0, 0, "DIR", "Hugging Face model directory", true},
        {"prompt", 'p', OPTION_TEXT, &prompt, 0, 0, "TEXT", "text to continue", true},
        {"tokens", 'n', OPTION_COUNT, &generation.out_count_max, 1, LIMIT_CONTEXT_TOKENS, "N",
         "most tokens to generate (default 128)", false},
        {"temp", 0, OPTION_NUMBER, &sampling->temperature, 0, 2, "T",
         "temperature; 0 takes the likeliest token (default 0)", false},
        {"top-p", 0, OPTION_NUMBER, &sampling->top_p, 0, 1, "P",
         "draw from the likeliest tokens of mass P (default 1)", false},
        {"top-k", 0, OPTION_COUNT, &sampling->top_k, 0, LIMIT_VOCABULARY, "K",
         "draw from the K likeliest tokens (default 0: all)", false},
        {"seed", 0, OPTION_SEED, &sampling->seed, 0, 0, "S", "of the draws (default 0)", false},
        {"device", 0, OPTION_DEVICE, &generation.device, 0, 0, "D", OPTIONS_DEVICE_HELP, false},
        {"json", 0, OPTION_FLAG, &is_json, 0, 0, NULL, "ids, text and log-probabilities as JSON",
         false},
    };
    const struct options options = {
        "ward generate -m DIR -p TEXT [-n N] [--temp T] [--seed S] [--json]",
        "Continues a raw text: no chat template. Prints the new text only.", rows,
        sizeof rows / sizeof rows[0], 0};
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    struct failure failure = {""};
    struct model *model = NULL;
    enum status status = model_open(directory, &model, &failure);
    if (status == STATUS_OK) {
        generation.model = model;
        generation.top_logprobs = is_json ? json_array() : NULL;
        sampling->top_logprobs_count = is_json ? TOP_LOGPROBS : 0;
        status = run(&generation, prompt, &failure);
    }
    json_decref(generation.top_logprobs);
    buffer_destroy(&generation.text);
    solo_close(&generation.solo);
    free(generation.tokens);
    model_close(model);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}
