/* json_field.h - reads a JSON file of a model directory and takes typed, range-checked fields from
 * it. Every failure is one line that names the file, the field and what was allowed. Load time
 * only; the caller owns the returned json_t. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

enum { JSON_FIELD_PATH_BYTES = 4096 };

/* What the fields are read from: an object and how errors call it, e.g. "config.json". */
struct json_source {
    const json_t *object;
    const char *name;
    struct failure *failure; /* may be NULL */
};

/* Parses bytes that must be one JSON object without duplicate keys. A syntax error names the line
 * and the field it stands in. With a whole number beyond 64 bits in it (model_max_length of many a
 * tokenizer_config.json) all numbers of the file are reals. STATUS_INVALID. */
MUST_CHECK enum status json_field_parse(const char *bytes, size_t length, const char *name,
                                        json_t **out, struct failure *failure);

/* The same from directory/name. STATUS_NOT_FOUND, STATUS_TOO_LARGE, STATUS_IO too. */
MUST_CHECK enum status json_field_read(const char *directory, const char *name, size_t bytes_max,
                                       json_t **out, struct failure *failure);

/* Each leaves *out as it is (the default) when the field is absent or null; STATUS_INVALID when it
 * has another type or is out of range. Numbers are never NaN or infinite. */
MUST_CHECK enum status json_field_uint(const struct json_source *source, const char *field,
                                       uint32_t min, uint32_t max, uint32_t *out);
MUST_CHECK enum status json_field_number(const struct json_source *source, const char *field,
                                         double min, double max, double *out);
MUST_CHECK enum status json_field_bool(const struct json_source *source, const char *field,
                                       bool *out);
MUST_CHECK enum status json_field_text(const struct json_source *source, const char *field,
                                       const char **out); /* lives as long as the object */
MUST_CHECK enum status json_field_object(const struct json_source *source, const char *field,
                                         const json_t **out);

bool json_field_is_set(const struct json_source *source, const char *field); /* and not null */
