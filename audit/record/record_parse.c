#include <string.h>

#include "audit/record/cbor.h"
#include "audit/record/record_schema.h"
#include "base/assert.h"
#include "base/utf8.h"

/* ---- one value ------------------------------------------------------------------------------- */

static bool is_clean(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        if (bytes[at] >= ' ' && bytes[at] <= '~') {
            at++;
            continue;
        }
        uint32_t character = 0;
        const size_t step = utf8_decode((const char *)bytes + at, length - at, &character);
        if (step == 0 || record_schema_is_control(character)) {
            return false;
        }
        at += step;
    }
    return true;
}

static const uint8_t *read_name(struct cbor_reader *reader, uint64_t *length)
{
    enum cbor_major major;
    if (!cbor_read_head(reader, &major, length) || major != CBOR_TEXT || *length == 0
        || *length >= RECORD_COUNT_NAME_BYTES) {
        return NULL;
    }
    const uint8_t *name = cbor_read_bytes(reader, *length);
    for (size_t i = 0; name && i < *length; i++) {
        if (name[i] < ' ' || name[i] > '~') {
            return NULL;
        }
    }
    return name;
}

/* Pairs of names in ascending order, none twice, with counts above 0. */
static bool read_counts(struct cbor_reader *reader, uint64_t pairs)
{
    const uint8_t *last = reader->bytes;
    uint64_t last_length = 0;
    for (uint64_t i = 0; i < pairs; i++) {
        uint64_t length = 0;
        const uint8_t *name = read_name(reader, &length);
        if (!name || length < last_length
            || (length == last_length && memcmp(last, name, (size_t)length) >= 0)) {
            return false;
        }
        enum cbor_major major;
        uint64_t count = 0;
        if (!cbor_read_head(reader, &major, &count) || major != CBOR_UINT || count == 0) {
            return false;
        }
        last = name;
        last_length = length;
    }
    return pairs > 0;
}

/* What a field of an unknown number can be, by how it is written. */
static struct record_schema_field guess(enum cbor_major major)
{
    static const enum record_kind kinds[] = {
        [CBOR_UINT] = RECORD_UINT, [CBOR_NEGATIVE] = RECORD_INT, [CBOR_BYTES] = RECORD_BYTES,
        [CBOR_TEXT] = RECORD_TEXT, [CBOR_MAP] = RECORD_COUNTS,
    };
    return (struct record_schema_field){NULL, kinds[major], RECORD_BODY_BYTES_MAX};
}

static bool read_value(struct cbor_reader *reader, uint64_t number, struct record_value *out)
{
    enum cbor_major major;
    uint64_t argument = 0;
    if (!cbor_read_head(reader, &major, &argument)) {
        return false;
    }
    const struct record_schema_field *known = record_schema_of(number);
    const struct record_schema_field field = known ? *known : guess(major);
    const size_t begin = reader->at;
    *out = (struct record_value){.kind = field.kind, .bytes = reader->bytes + begin};
    switch (field.kind) {
    case RECORD_UINT:
        out->uint = argument;
        return major == CBOR_UINT;
    case RECORD_INT:
    case RECORD_E6:
        if (argument > INT64_MAX) {
            return false;
        }
        out->integer = major == CBOR_UINT ? (int64_t)argument : -1 - (int64_t)argument;
        return major == CBOR_UINT || major == CBOR_NEGATIVE;
    case RECORD_TEXT:
        out->length = (size_t)argument;
        return major == CBOR_TEXT && argument > 0 && argument <= field.limit
               && cbor_read_bytes(reader, argument) && is_clean(out->bytes, out->length);
    case RECORD_BYTES:
        out->length = (size_t)argument;
        return major == CBOR_BYTES && argument > 0 && (!known || argument == field.limit)
               && cbor_read_bytes(reader, argument);
    case RECORD_COUNTS:
        if (major != CBOR_MAP || argument > field.limit || !read_counts(reader, argument)) {
            return false;
        }
        out->uint = argument;
        out->length = reader->at - begin;
        return true;
    case RECORD_ABSENT:
        break;
    }
    return false;
}

/* ---- a record -------------------------------------------------------------------------------- */

static bool read_number(struct cbor_reader *reader, uint64_t *number)
{
    enum cbor_major major;
    return cbor_read_head(reader, &major, number) && major == CBOR_UINT;
}

static bool read_fields(struct cbor_reader *reader, struct record *out)
{
    enum cbor_major major;
    uint64_t pairs = 0;
    if (!cbor_read_head(reader, &major, &pairs) || major != CBOR_MAP) {
        return false;
    }
    uint64_t last = 0;
    for (uint64_t i = 0; i < pairs; i++) {
        uint64_t number = 0;
        if (!read_number(reader, &number) || number <= last || number > RECORD_SCHEMA_NUMBER_MAX) {
            return false;
        }
        struct record_value value;
        if (!read_value(reader, number, &value)) {
            return false;
        }
        if (record_schema_of(number)) {
            out->fields[number] = value;
        }
        last = number;
    }
    return reader->at == reader->length;
}

/* The six that every record has; what is absent reads as 0, which only tenant_id and time may be.
 */
static bool take_first(struct record *out)
{
    const struct record_value *fields = out->fields;
    const uint64_t time = fields[RECORD_FIELD_time].uint;
    const uint64_t event = fields[RECORD_FIELD_event].uint;
    const uint64_t tenant = fields[RECORD_FIELD_tenant_id].uint;
    const struct record_value *name = &fields[RECORD_FIELD_tenant];
    if (fields[RECORD_FIELD_time].kind == RECORD_ABSENT
        || fields[RECORD_FIELD_tenant_id].kind == RECORD_ABSENT
        || fields[RECORD_FIELD_version].uint != RECORD_VERSION
        || fields[RECORD_FIELD_number].uint == 0 || time > (uint64_t)RECORD_SCHEMA_TIME_MAX_MS
        || event == 0 || event > RECORD_SCHEMA_NUMBER_MAX || tenant > UINT32_MAX
        || (tenant == 0 && name->length > 0)) {
        return false;
    }
    out->version = RECORD_VERSION;
    out->number = fields[RECORD_FIELD_number].uint;
    out->time_unix_ms = (int64_t)time;
    out->event = (enum record_event)event;
    out->tenant = (struct tenant_id){(uint32_t)tenant};
    if (name->length > 0) {
        memcpy(out->tenant_name, name->bytes, name->length);
    }
    return true;
}

enum status record_parse(const uint8_t *body, size_t length, struct record *out)
{
    memset(out, 0, sizeof *out);
    out->body = body;
    out->body_bytes = length;
    struct cbor_reader reader = {body, length, 0};
    return length <= RECORD_BODY_BYTES_MAX && read_fields(&reader, out) && take_first(out)
               ? STATUS_OK
               : STATUS_INVALID;
}

bool record_next_field(const struct record *record, size_t *at, uint32_t *number,
                       struct record_value *value)
{
    struct cbor_reader reader = {record->body, record->body_bytes, *at};
    enum cbor_major major;
    uint64_t argument = 0;
    if (*at == 0) {
        ASSERT(cbor_read_head(&reader, &major, &argument));
    }
    if (reader.at == reader.length) {
        return false;
    }
    ASSERT(read_number(&reader, &argument) && read_value(&reader, argument, value));
    *number = (uint32_t)argument;
    *at = reader.at;
    return true;
}

/* ---- views ----------------------------------------------------------------------------------- */

static void copy_cut(const uint8_t *bytes, size_t length, char *out, size_t out_bytes)
{
    ASSERT(out_bytes > 0);
    const size_t room = length < out_bytes ? length : out_bytes - 1;
    const size_t whole = room > 0 ? utf8_valid_bytes((const char *)bytes, room) : 0;
    if (whole > 0) {
        memcpy(out, bytes, whole);
    }
    out[whole] = '\0';
}

const char *record_text(const struct record *record, enum record_field field, char *out,
                        size_t out_bytes)
{
    const struct record_schema_field *known = record_schema_of(field);
    ASSERT(known && known->kind == RECORD_TEXT);
    copy_cut(record->fields[field].bytes, record->fields[field].length, out, out_bytes);
    return out;
}

bool record_count_at(const struct record_value *value, size_t index, char *name, size_t name_bytes,
                     uint64_t *count)
{
    if (value->kind != RECORD_COUNTS || index >= value->uint) {
        return false;
    }
    struct cbor_reader reader = {value->bytes, value->length, 0};
    const uint8_t *bytes = NULL;
    uint64_t length = 0;
    for (size_t i = 0; i <= index; i++) {
        bytes = read_name(&reader, &length);
        ASSERT(bytes && read_number(&reader, count));
    }
    copy_cut(bytes, (size_t)length, name, name_bytes);
    return true;
}
