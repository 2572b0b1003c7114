#include "server/json/json_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void put(struct json_text *text, const char *bytes, size_t length)
{
    if (text->status == STATUS_OK) {
        text->status = buffer_append(text->out, bytes, length);
    }
}

void json_text_raw(struct json_text *text, const char *json)
{
    put(text, json, strlen(json));
}

/* Bytes at the start that need no escape: all but quote, backslash, control characters and what is
 * not UTF-8. */
static size_t plain_bytes(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        const unsigned char byte = (unsigned char)bytes[at];
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f) {
            break;
        }
        const size_t step = byte < 0x80 ? 1 : utf8_sequence_bytes(bytes + at, length - at);
        if (step == 0) {
            break;
        }
        at += step;
    }
    return at;
}

static void put_escaped(struct json_text *text, unsigned char byte)
{
    static const char short_forms[] = "b\bf\fn\nr\rt\t\"\"\\\\";
    for (size_t i = 0; i < sizeof short_forms - 1; i += 2) {
        if ((unsigned char)short_forms[i + 1] == byte) {
            put(text, (const char[]){'\\', short_forms[i]}, 2);
            return;
        }
    }
    if (byte >= 0x80) {
        json_text_raw(text, "\xef\xbf\xbd");
        return;
    }
    char escape[8];
    const int length = snprintf(escape, sizeof escape, "\\u%04x", byte);
    put(text, escape, (size_t)length);
}

void json_text_string(struct json_text *text, const char *bytes, size_t length)
{
    put(text, "\"", 1);
    for (size_t at = 0; at < length;) {
        const size_t plain = plain_bytes(bytes + at, length - at);
        put(text, bytes + at, plain);
        at += plain;
        if (at < length) {
            put_escaped(text, (unsigned char)bytes[at]);
            at++;
        }
    }
    put(text, "\"", 1);
}

void json_text_integer(struct json_text *text, int64_t value)
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)value);
    put(text, digits, (size_t)length);
}

void json_text_float(struct json_text *text, float value)
{
    char digits[32];
    if (!isfinite(value)) {
        json_text_raw(text, "-9999.0");
        return;
    }
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)value);
        if (strtof(digits, NULL) == value) {
            break;
        }
    }
    json_text_raw(text, digits);
}
