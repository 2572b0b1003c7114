/* json_body.h - parses a request's body: one JSON object, UTF-8, no member twice, no NUL, bounded
 * in depth and in the number of values. The value is the caller's. Any thread. */
#pragma once
#include <jansson.h>
#include <stddef.h>

#include "base/failure.h"

enum {
    JSON_BODY_DEPTH_MAX = 64,
    JSON_BODY_VALUES_MAX = 1 << 18, /* of all kinds together: a value costs more than its text */
    JSON_BODY_NAME_BYTES = 64
};

/* What was wrong, for the client: failure's text, and the name of the outermost object's member in
 * which it was ("" if none, or if it is too long or not plain). It is the client's own text. */
struct json_body_fault {
    struct failure failure;
    char member[JSON_BODY_NAME_BYTES];
};

/* STATUS_INVALID, with the fault. */
MUST_CHECK enum status json_body_parse(const char *bytes, size_t length, json_t **out,
                                       struct json_body_fault *fault);

/* From now on jansson zeroes what it frees. Before any other use of it, once a process. */
void json_body_zero_freed_memory(void);
