/* tokenize.c - `ward tokenize`: text to JSON ids. Only the tokenizer is loaded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tokenizer/tokenizer.h"
#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/commands/support/standard_input.h"

enum { IDS_PER_BYTE = 4, IDS_SPARE = 64 }; /* normal forms may make a text longer */

static enum status read_text(const char *path, struct buffer *out, struct failure *failure)
{
    if (!path) {
        return standard_input_read(out, failure);
    }
    out->limit_bytes = STANDARD_INPUT_BYTES_MAX;
    const enum status status = buffer_read_file(out, path);
    return status == STATUS_OK
               ? status
               : fail(failure, status, "%.200s: cannot be read: %s", path, status_text(status));
}

static enum status print_ids(const struct tokenizer *tokenizer, const struct buffer *text,
                             bool has_specials, struct failure *failure)
{
    const size_t ids_max = text->length * IDS_PER_BYTE + IDS_SPARE;
    uint32_t *ids = malloc(ids_max * sizeof *ids);
    uint8_t *is_markup = malloc(text->length + 1);
    enum status status = STATUS_IO;
    size_t count = 0;
    if (ids && is_markup) {
        memset(is_markup, 1, text->length + 1);
        const struct tokenizer_input input = {text->bytes ? text->bytes : "", text->length,
                                              has_specials ? is_markup : NULL, has_specials};
        status = tokenizer_encode(tokenizer, &input, ids, ids_max, &count);
    }
    if (status == STATUS_OK) {
        putchar('[');
        for (size_t i = 0; i < count; i++) {
            printf("%s%u", i > 0 ? "," : "", ids[i]);
        }
        puts("]");
    } else {
        fail(failure, status, "the text cannot be tokenized: %s", status_text(status));
    }
    free(is_markup);
    free(ids);
    return status;
}

int tokenize_main(int argc, char **argv)
{
    const char *directory = NULL;
    const char *path = NULL;
    bool is_plain = false;
    const struct option_row rows[] = {
        {"model", 'm', OPTION_TEXT, &directory, 0, 0, "DIR", "directory with tokenizer.json", true},
        {"text-file", 0, OPTION_TEXT, &path, 0, 0, "FILE", "text, instead of stdin", false},
        {"no-special", 0, OPTION_FLAG, &is_plain, 0, 0, NULL,
         "add no special tokens and recognise none in the text", false},
    };
    const struct options options = {"ward tokenize -m DIR [--text-file FILE] [--no-special]",
                                    "Reads text, all of it, and prints its token ids as JSON.",
                                    rows, sizeof rows / sizeof rows[0], 0};
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    struct failure failure = {""};
    struct tokenizer *tokenizer = NULL;
    struct buffer text = {.limit_bytes = 0};
    enum status status = tokenizer_load(directory, &tokenizer, &failure);
    if (status == STATUS_OK) {
        status = read_text(path, &text, &failure);
    }
    if (status == STATUS_OK) {
        status = print_ids(tokenizer, &text, !is_plain, &failure);
    }
    buffer_destroy(&text);
    tokenizer_destroy(tokenizer);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}
