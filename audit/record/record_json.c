#include <inttypes.h>
#include <string.h>

#include "audit/record/record_schema.h"
#include "base/assert.h"
#include "base/buffer.h"

enum { MILLION = 1000000, MILLION_DIGITS = 6, UINT_DIGITS = 20, PIECE_BYTES = 64 };

/* Quoted; a record's texts are valid UTF-8 and hold no control characters, so two bytes alone have
 * to be escaped. */
static enum status write_text(const char *text, size_t length, struct buffer *out)
{
    enum status status = buffer_append(out, "\"", 1);
    size_t written = 0;
    for (size_t i = 0; status == STATUS_OK && i < length; i++) {
        if (text[i] == '"' || text[i] == '\\') {
            status = buffer_append(out, text + written, i - written);
            written = i;
            if (status == STATUS_OK) {
                status = buffer_append(out, "\\", 1);
            }
        }
    }
    if (status == STATUS_OK) {
        status = buffer_append(out, text + written, length - written);
    }
    return status == STATUS_OK ? buffer_append(out, "\"", 1) : status;
}

static enum status write_hexadecimal(const uint8_t *bytes, size_t length, struct buffer *out)
{
    static const char digits[] = "0123456789abcdef";
    enum status status = buffer_append(out, "\"", 1);
    char pairs[2 * PIECE_BYTES];
    size_t used = 0;
    for (size_t i = 0; status == STATUS_OK && i < length; i++) {
        pairs[used++] = digits[bytes[i] >> 4];
        pairs[used++] = digits[bytes[i] & 15];
        if (used == sizeof pairs || i + 1 == length) {
            status = buffer_append(out, pairs, used);
            used = 0;
        }
    }
    return status == STATUS_OK ? buffer_append(out, "\"", 1) : status;
}

/* Not by buffer_format, which formats twice: an export writes mostly numbers. */
static enum status write_uint(uint64_t value, struct buffer *out)
{
    char digits[UINT_DIGITS];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return buffer_append(out, digits + at, sizeof digits - at);
}

static enum status write_int(int64_t value, struct buffer *out)
{
    const enum status status = value < 0 ? buffer_append(out, "-", 1) : STATUS_OK;
    return status == STATUS_OK ? write_uint(value < 0 ? -(uint64_t)value : (uint64_t)value, out)
                               : status;
}

/* Millionths as the shortest decimal fraction: 0.7, -2, 0.000001. */
static enum status write_e6(int64_t value, struct buffer *out)
{
    const char *sign = value < 0 ? "-" : "";
    const uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    uint64_t fraction = size % MILLION;
    int digits = MILLION_DIGITS;
    while (digits > 0 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (digits == 0) {
        return buffer_format(out, "%s%" PRIu64, sign, size / MILLION);
    }
    return buffer_format(out, "%s%" PRIu64 ".%0*" PRIu64, sign, size / MILLION, digits, fraction);
}

static enum status write_counts(const struct record_value *value, struct buffer *out)
{
    enum status status = buffer_append(out, "{", 1);
    char name[RECORD_COUNT_NAME_BYTES];
    uint64_t count = 0;
    for (size_t i = 0; status == STATUS_OK && record_count_at(value, i, name, sizeof name, &count);
         i++) {
        status = i > 0 ? buffer_append(out, ",", 1) : STATUS_OK;
        if (status == STATUS_OK) {
            status = write_text(name, strlen(name), out);
        }
        if (status == STATUS_OK) {
            status = buffer_append(out, ":", 1);
        }
        if (status == STATUS_OK) {
            status = write_uint(count, out);
        }
    }
    return status == STATUS_OK ? buffer_append(out, "}", 1) : status;
}

static enum status write_value(const struct record_value *value, struct buffer *out)
{
    switch (value->kind) {
    case RECORD_UINT:
        return write_uint(value->uint, out);
    case RECORD_INT:
        return write_int(value->integer, out);
    case RECORD_E6:
        return write_e6(value->integer, out);
    case RECORD_TEXT:
        return write_text((const char *)value->bytes, value->length, out);
    case RECORD_BYTES:
        return write_hexadecimal(value->bytes, value->length, out);
    case RECORD_COUNTS:
        return write_counts(value, out);
    case RECORD_ABSENT:
        break;
    }
    ASSERT(false);
    return STATUS_INVALID;
}

static enum status write_name(uint32_t number, struct buffer *out)
{
    const struct record_schema_field *known = record_schema_of(number);
    if (!known) {
        return buffer_format(out, "\"field_%" PRIu32 "\":", number);
    }
    const enum status status = write_text(known->name, strlen(known->name), out);
    return status == STATUS_OK ? buffer_append(out, ":", 1) : status;
}

static enum status write_field(const struct record *record, uint32_t number,
                               const struct record_value *value, struct buffer *out)
{
    const enum status status = write_name(number, out);
    if (status != STATUS_OK) {
        return status;
    }
    if (number == RECORD_FIELD_time) {
        char time[RECORD_TIME_BYTES];
        record_write_time(record->time_unix_ms, time);
        return write_text(time, strlen(time), out);
    }
    if (number == RECORD_FIELD_event) {
        const char *text = record_event_text(record->event);
        return text ? write_text(text, strlen(text), out)
                    : buffer_format(out, "\"event_%u\"", (unsigned)record->event);
    }
    return write_value(value, out);
}

static enum status write_fields(const struct record *record, struct buffer *out)
{
    enum status status = buffer_append(out, "{", 1);
    size_t at = 0;
    uint32_t number = 0;
    struct record_value value;
    bool is_first = true;
    while (status == STATUS_OK && record_next_field(record, &at, &number, &value)) {
        status = is_first ? STATUS_OK : buffer_append(out, ",", 1);
        if (status == STATUS_OK) {
            status = write_field(record, number, &value, out);
        }
        is_first = false;
    }
    return status == STATUS_OK ? buffer_append(out, "}", 1) : status;
}

enum status record_write_json(const struct record *record, struct buffer *out)
{
    const size_t before = out->length;
    const enum status status = write_fields(record, out);
    if (status != STATUS_OK && out->bytes) {
        out->length = before;
        out->bytes[before] = '\0';
    }
    return status;
}
