/* support_record.h - bodies spelled in hexadecimal, and a parsed record written once more, by a
 * walk over its values. For the tests of records and their fuzz target, which links no support
 * code. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "audit/record/cbor.h"
#include "audit/record/record_schema.h"

static inline size_t support_record_from_hex(const char *hex, uint8_t *out)
{
    size_t length = 0;
    for (; hex[0] && hex[1]; hex += 2) {
        const char pair[3] = {hex[0], hex[1], '\0'};
        out[length++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return length;
}

static inline bool support_record_write_counts(struct cbor_writer *writer,
                                               const struct record_value *value)
{
    char last[RECORD_COUNT_NAME_BYTES] = "";
    char name[RECORD_COUNT_NAME_BYTES];
    uint64_t count = 0;
    cbor_write_head(writer, CBOR_MAP, value->uint);
    for (size_t i = 0; record_count_at(value, i, name, sizeof name, &count); i++) {
        const size_t length = strlen(name);
        if (count == 0 || length < strlen(last)
            || (length == strlen(last) && strcmp(last, name) >= 0)) {
            return false;
        }
        cbor_write_string(writer, CBOR_TEXT, name, length);
        cbor_write_head(writer, CBOR_UINT, count);
        memcpy(last, name, sizeof name);
    }
    return value->uint > 0;
}

static inline bool support_record_write_value(struct cbor_writer *writer,
                                              const struct record_value *value)
{
    switch (value->kind) {
    case RECORD_UINT:
        cbor_write_head(writer, CBOR_UINT, value->uint);
        return true;
    case RECORD_INT:
    case RECORD_E6:
        cbor_write_int(writer, value->integer);
        return true;
    case RECORD_TEXT:
    case RECORD_BYTES:
        cbor_write_string(writer, value->kind == RECORD_TEXT ? CBOR_TEXT : CBOR_BYTES, value->bytes,
                          value->length);
        return value->length > 0;
    case RECORD_COUNTS:
        return support_record_write_counts(writer, value);
    case RECORD_ABSENT:
        break;
    }
    return false;
}

/* Whether the canonical spelling of what was read is, byte for byte, what it was read from. */
static inline bool support_record_is_canonical(const struct record *record)
{
    uint8_t bytes[RECORD_BODY_BYTES_MAX + 16];
    uint8_t head[16];
    struct cbor_writer writer = {bytes, 0, sizeof bytes};
    struct cbor_writer map = {head, 0, sizeof head};
    struct record_value value;
    size_t at = 0;
    size_t pairs = 0;
    uint32_t number = 0;
    uint32_t last = 0;
    while (record_next_field(record, &at, &number, &value)) {
        cbor_write_head(&writer, CBOR_UINT, number);
        if (number <= last || !support_record_write_value(&writer, &value)) {
            return false;
        }
        last = number;
        pairs++;
    }
    cbor_write_head(&map, CBOR_MAP, pairs);
    return record->body_bytes == map.length + writer.length
           && memcmp(record->body, head, map.length) == 0
           && memcmp(record->body + map.length, bytes, writer.length) == 0;
}
