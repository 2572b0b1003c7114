/* detokenize.c - `ward detokenize`: JSON ids to text, special tokens included. */
#include <jansson.h>
#include <stdio.h>

#include "model/tokenizer/tokenizer.h"
#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/commands/support/standard_input.h"

static enum status check_ids(const struct tokenizer *tokenizer, const json_t *ids,
                             struct failure *failure)
{
    const json_int_t count = tokenizer_vocabulary_count(tokenizer);
    if (!json_is_array(ids)) {
        return fail(failure, STATUS_INVALID, "standard input must be a JSON list of token ids");
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);
        const json_int_t number = json_integer_value(id);
        if (!json_is_integer(id) || number < 0 || number >= count) {
            return fail(failure, STATUS_INVALID,
                        "entry %zu of the list is not an id from 0 to %lld", i,
                        (long long)count - 1);
        }
    }
    return STATUS_OK;
}

static void print_text(const struct tokenizer *tokenizer, const json_t *ids)
{
    struct tokenizer_decoder decoder = {.held_bytes = 0};
    char piece[TOKENIZER_PIECE_BYTES_MAX + 16];
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const uint32_t id = (uint32_t)json_integer_value(json_array_get(ids, i));
        fwrite(piece, 1, tokenizer_decode_step(tokenizer, &decoder, id, false, piece), stdout);
    }
    fwrite(piece, 1, tokenizer_decode_finish(&decoder, piece), stdout);
}

static enum status run(const struct tokenizer *tokenizer, struct failure *failure)
{
    struct buffer input = {.limit_bytes = 0};
    json_t *ids = NULL;
    enum status status = standard_input_read(&input, failure);
    if (status == STATUS_OK) {
        json_error_t error;
        ids = json_loadb(input.bytes ? input.bytes : "", input.length, 0, &error);
        status = check_ids(tokenizer, ids, failure);
    }
    if (status == STATUS_OK) {
        print_text(tokenizer, ids);
    }
    json_decref(ids);
    buffer_destroy(&input);
    return status;
}

int detokenize_main(int argc, char **argv)
{
    const char *directory = NULL;
    const struct option_row rows[] = {
        {"model", 'm', OPTION_TEXT, &directory, 0, 0, "DIR", "directory with tokenizer.json", true},
    };
    const struct options options = {"ward detokenize -m DIR",
                                    "Reads a JSON list of token ids and prints their text.", rows,
                                    sizeof rows / sizeof rows[0], 0};
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    struct failure failure = {""};
    struct tokenizer *tokenizer = NULL;
    enum status status = tokenizer_load(directory, &tokenizer, &failure);
    if (status == STATUS_OK) {
        status = run(tokenizer, &failure);
    }
    tokenizer_destroy(tokenizer);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}
