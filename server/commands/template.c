/* template.c - `ward template`: variables to the prompt that a model's chat template makes of them.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/json_field.h"
#include "model/template/chat_template.h"
#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/commands/support/standard_input.h"

enum { CONFIG_BYTES_MAX = 64 << 20, MS_PER_S = 1000 };

/* What transformers hands to a template beside the caller's variables. */
static const char *const token_names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                          "pad_token", "cls_token", "mask_token"};

/* Adds the model's special tokens, as tokenizer_config.json writes them, where the caller gave
 * none: a string, or an object with the string as `content`. */
static enum status add_tokens(const char *directory, json_t *variables, struct failure *failure)
{
    json_t *config = NULL;
    const enum status status =
        json_field_read(directory, "tokenizer_config.json", CONFIG_BYTES_MAX, &config, failure);
    for (size_t i = 0; status == STATUS_OK && i < sizeof token_names / sizeof token_names[0]; i++) {
        json_t *token = json_object_get(config, token_names[i]);
        token = json_is_object(token) ? json_object_get(token, "content") : token;
        if (json_is_string(token) && !json_object_get(variables, token_names[i])) {
            json_object_set(variables, token_names[i], token);
        }
    }
    json_decref(config);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The variables on stdin; a bare list is the messages. */
static enum status read_variables(json_t **out, struct failure *failure)
{
    struct buffer input = {.limit_bytes = 0};
    const enum status status = standard_input_read(&input, failure);
    json_t *root = NULL;
    json_error_t error = {.text = ""};
    if (status == STATUS_OK) {
        root = json_loadb(input.bytes ? input.bytes : "", input.length, 0, &error);
    }
    buffer_destroy(&input);
    if (status != STATUS_OK) {
        return status;
    }
    *out = json_is_array(root) ? json_pack("{s:o}", "messages", root) : root;
    if (json_is_object(*out)) {
        return STATUS_OK;
    }
    return fail(failure, STATUS_INVALID,
                "standard input must be a JSON object of variables or a list of messages%s%.100s",
                root ? "" : ": ", root ? "" : error.text);
}

static enum status parse_file(const char *path, struct chat_template **out, struct failure *failure)
{
    struct buffer source = {.limit_bytes = CHAT_TEMPLATE_SOURCE_BYTES_MAX};
    enum status status = buffer_read_file(&source, path);
    status =
        status == STATUS_OK
            ? chat_template_parse(source.bytes ? source.bytes : "", source.length, out, failure)
            : fail(failure, status, "%.200s: cannot be read: %s", path, status_text(status));
    buffer_destroy(&source);
    return status;
}

static enum status print(const struct chat_template *template, json_t *variables,
                         struct failure *failure)
{
    struct buffer text = {.limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX};
    struct buffer is_markup = {.limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX};
    const struct chat_template_input input = {.variables = variables,
                                              .now_unix_s = clock_unix_ms() / MS_PER_S};
    const enum status status = chat_template_render(template, &input, &text, &is_markup, failure);
    if (status == STATUS_OK) {
        fwrite(text.bytes ? text.bytes : "", 1, text.length, stdout);
    }
    buffer_destroy(&is_markup);
    buffer_destroy(&text);
    return status;
}

static enum status run(const char *directory, const char *path, struct failure *failure)
{
    struct chat_template *template = NULL;
    json_t *variables = NULL;
    enum status status = directory ? chat_template_load(directory, &template, failure)
                                   : parse_file(path, &template, failure);
    if (status == STATUS_OK) {
        status = read_variables(&variables, failure);
    }
    if (status == STATUS_OK && directory) {
        status = add_tokens(directory, variables, failure);
    }
    if (status == STATUS_OK) {
        status = print(template, variables, failure);
    }
    json_decref(variables);
    chat_template_destroy(template);
    return status;
}

int template_main(int argc, char **argv)
{
    const char *directory = NULL;
    const char *path = NULL;
    const struct option_row rows[] = {
        {"model", 'm', OPTION_TEXT, &directory, 0, 0, "DIR", "directory of the model", false},
        {"file", 0, OPTION_TEXT, &path, 0, 0, "T.jinja", "a template's source, instead", false},
    };
    const struct options options = {
        "ward template (-m DIR | --file T.jinja)",
        "Reads the template's variables (messages, tools, add_generation_prompt, ...) as a JSON\n"
        "object, or a JSON list of messages, and prints the prompt.",
        rows, sizeof rows / sizeof rows[0], 0};
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    if (!directory == !path) {
        return options_wrong("template needs either -m DIR or --file T.jinja");
    }
    struct failure failure = {""};
    return run(directory, path, &failure) == STATUS_OK ? 0 : options_failed(&failure);
}
