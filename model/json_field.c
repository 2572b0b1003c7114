#include "model/json_field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

enum { FIELD_TEXT_BYTES = 64 };

/* The last `"name" :` before position: the field that a syntax error stands in. */
static void field_before(const char *bytes, size_t position, char out[FIELD_TEXT_BYTES])
{
    out[0] = '\0';
    while (position > 0 && bytes[position - 1] != ':') {
        position--;
    }
    size_t end = position;
    while (end > 0 && bytes[end - 1] != '"') {
        end--;
    }
    size_t begin = end > 0 ? end - 1 : 0;
    while (begin > 0 && bytes[begin - 1] != '"') {
        begin--;
    }
    if (begin > 0 && end - 1 - begin < FIELD_TEXT_BYTES) {
        memcpy(out, bytes + begin, end - 1 - begin);
        out[end - 1 - begin] = '\0';
    }
}

enum status json_field_parse(const char *bytes, size_t length, const char *name, json_t **out,
                             struct failure *failure)
{
    json_error_t error;
    json_t *root = json_loadb(bytes ? bytes : "", length, JSON_REJECT_DUPLICATES, &error);
    if (!root && json_error_code(&error) == json_error_numeric_overflow) {
        const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL;
        root = json_loadb(bytes, length, flags, &error);
    }
    if (!root) {
        char field[FIELD_TEXT_BYTES] = "";
        const size_t position = error.position > 0 ? (size_t)error.position : 0;
        field_before(bytes ? bytes : "", position < length ? position : length, field);
        return fail(failure, STATUS_INVALID, "%s: line %d%s%s: not valid JSON: %s", name,
                    error.line > 0 ? error.line : 1, field[0] ? ", field " : "", field, error.text);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return fail(failure, STATUS_INVALID, "%s: must be a JSON object", name);
    }
    *out = root;
    return STATUS_OK;
}

enum status json_field_read(const char *directory, const char *name, size_t bytes_max, json_t **out,
                            struct failure *failure)
{
    char path[JSON_FIELD_PATH_BYTES];
    const int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return fail(failure, STATUS_INVALID, "%s: its path is longer than %d bytes", name,
                    JSON_FIELD_PATH_BYTES - 1);
    }
    struct buffer buffer = {.limit_bytes = bytes_max};
    enum status status = buffer_read_file(&buffer, path);
    switch ((int)status) {
    case STATUS_OK:
        status = json_field_parse(buffer.bytes, buffer.length, name, out, failure);
        break;
    case STATUS_NOT_FOUND:
        status = fail(failure, status, "%s: no such file", name);
        break;
    case STATUS_TOO_LARGE:
        status = fail(failure, status, "%s: larger than %zu bytes", name, bytes_max);
        break;
    default:
        status = fail(failure, status, "%s: cannot be read", name);
    }
    buffer_destroy(&buffer);
    return status;
}

static const json_t *find(const struct json_source *source, const char *field)
{
    const json_t *value = json_object_get(source->object, field);
    return json_is_null(value) ? NULL : value;
}

bool json_field_is_set(const struct json_source *source, const char *field)
{
    return find(source, field) != NULL;
}

enum status json_field_uint(const struct json_source *source, const char *field, uint32_t min,
                            uint32_t max, uint32_t *out)
{
    const json_t *value = find(source, field);
    if (!value) {
        return STATUS_OK;
    }
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < (json_int_t)min || number > (json_int_t)max) {
        return fail(source->failure, STATUS_INVALID, "%s: %s must be a whole number from %u to %u",
                    source->name, field, min, max);
    }
    *out = (uint32_t)number;
    return STATUS_OK;
}

enum status json_field_number(const struct json_source *source, const char *field, double min,
                              double max, double *out)
{
    const json_t *value = find(source, field);
    if (!value) {
        return STATUS_OK;
    }
    const double number = json_number_value(value);
    if (!json_is_number(value) || !isfinite(number) || number < min || number > max) {
        return fail(source->failure, STATUS_INVALID, "%s: %s must be a number from %g to %g",
                    source->name, field, min, max);
    }
    *out = number;
    return STATUS_OK;
}

enum status json_field_bool(const struct json_source *source, const char *field, bool *out)
{
    const json_t *value = find(source, field);
    if (value && !json_is_boolean(value)) {
        return fail(source->failure, STATUS_INVALID, "%s: %s must be true or false", source->name,
                    field);
    }
    *out = value ? json_is_true(value) : *out;
    return STATUS_OK;
}

enum status json_field_text(const struct json_source *source, const char *field, const char **out)
{
    const json_t *value = find(source, field);
    if (value && !json_is_string(value)) {
        return fail(source->failure, STATUS_INVALID, "%s: %s must be a string", source->name,
                    field);
    }
    *out = value ? json_string_value(value) : *out;
    return STATUS_OK;
}

enum status json_field_object(const struct json_source *source, const char *field,
                              const json_t **out)
{
    const json_t *value = find(source, field);
    if (value && !json_is_object(value)) {
        return fail(source->failure, STATUS_INVALID, "%s: %s must be an object", source->name,
                    field);
    }
    *out = value ? value : *out;
    return STATUS_OK;
}
