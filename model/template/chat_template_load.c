/* chat_template_load.c - finds the template in a model directory. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "model/template/chat_template.h"

enum { PATH_BYTES = 4096, CONFIG_BYTES_MAX = 64 << 20 };

static const char template_file[] = "chat_template.jinja";
static const char config_file[] = "tokenizer_config.json";

static enum status read_file(const char *directory, const char *name, struct buffer *buffer,
                             struct failure *failure)
{
    char path[PATH_BYTES];
    const int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return fail(failure, STATUS_INVALID, "the path of the model directory is too long");
    }
    const enum status status = buffer_read_file(buffer, path);
    return status == STATUS_OK ? status : fail(failure, status, "%s", status_text(status));
}

/* The template in the JSON of tokenizer_config.json: a string, or the entry named "default". */
static json_t *find_template(json_t *config)
{
    json_t *field = json_object_get(config, "chat_template");
    size_t index = 0;
    json_t *entry = NULL;
    if (!json_is_array(field)) {
        return field;
    }
    json_array_foreach(field, index, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));
        if (name && strcmp(name, "default") == 0) {
            return json_object_get(entry, "template");
        }
    }
    return NULL;
}

static enum status parse_config(const struct buffer *buffer, struct chat_template **out,
                                struct failure *failure)
{
    json_error_t error;
    json_t *config = json_loadb(buffer->bytes ? buffer->bytes : "", buffer->length, 0, &error);
    if (!config) {
        return fail(failure, STATUS_INVALID, "line %d: %s", error.line, error.text);
    }
    enum status status = STATUS_OK;
    json_t *source = find_template(config);
    if (!json_is_object(config)) {
        status = fail(failure, STATUS_INVALID, "is not a JSON object");
    } else if (!source || json_is_null(source)) {
        status = fail(failure, STATUS_NOT_FOUND, "has no chat_template");
    } else if (!json_is_string(source)) {
        status = fail(failure, STATUS_INVALID, "chat_template is not a string");
    } else {
        status = chat_template_parse(json_string_value(source), json_string_length(source), out,
                                     failure);
        if (status != STATUS_OK) {
            fail_prefix(failure, "chat_template");
        }
    }
    json_decref(config);
    return status;
}

enum status chat_template_load(const char *directory, struct chat_template **out,
                               struct failure *failure)
{
    struct buffer buffer = {.limit_bytes = CONFIG_BYTES_MAX};
    const char *name = template_file;
    enum status status = read_file(directory, name, &buffer, failure);
    if (status == STATUS_OK) {
        status = chat_template_parse(buffer.bytes ? buffer.bytes : "", buffer.length, out, failure);
    } else if (status == STATUS_NOT_FOUND) {
        name = config_file;
        status = read_file(directory, name, &buffer, failure);
        if (status == STATUS_OK) {
            status = parse_config(&buffer, out, failure);
        }
    }
    buffer_destroy(&buffer);
    if (status != STATUS_OK) {
        fail_prefix(failure, name);
    }
    return status;
}
