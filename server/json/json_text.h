/* json_text.h - writes JSON straight into a buffer, for answers that are written token by token.
 * The first error stays and what follows it is skipped, so that a caller checks once at the end.
 * Strings must be valid UTF-8; what is not is written as U+FFFD. Owner of the buffer: the caller.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct json_text {
    struct buffer *out;
    enum status status;
};

void json_text_raw(struct json_text *text, const char *json); /* as it is */
void json_text_string(struct json_text *text, const char *bytes, size_t length);
void json_text_integer(struct json_text *text, int64_t value);

/* Shortest of 9 digits or fewer that reads back as the same float; a value that JSON cannot hold is
 * written as -9999.0, as the OpenAI API does for a log-probability of almost nothing. */
void json_text_float(struct json_text *text, float value);
