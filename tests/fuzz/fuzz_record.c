/* A record's body from bytes: what is accepted is the only spelling of what it says, stays within
 * the limits of the schema, and gives JSON that another reader takes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tests/audit/record/support_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { JSON_BYTES_MAX = 16 * RECORD_BODY_BYTES_MAX };

static void check_fields(const struct record *record)
{
    for (uint32_t number = 0; number <= RECORD_FIELD_MAX; number++) {
        const struct record_schema_field *known = record_schema_of(number);
        const struct record_value *value = &record->fields[number];
        if (value->kind == RECORD_ABSENT) {
            continue;
        }
        ASSERT(known && value->kind == known->kind);
        ASSERT(value->kind != RECORD_TEXT || value->length <= known->limit);
        ASSERT(value->kind != RECORD_BYTES || value->length == known->limit);
        ASSERT(value->kind != RECORD_COUNTS || value->uint <= known->limit);
    }
    ASSERT(record->version == RECORD_VERSION && record->number > 0 && record->time_unix_ms >= 0);
    ASSERT(record->tenant.value > 0 || record->tenant_name[0] == '\0');
}

static void check_json(const struct record *record)
{
    struct buffer out = {.limit_bytes = JSON_BYTES_MAX};
    ASSERT(record_write_json(record, &out) == STATUS_OK);
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL;
    json_t *read = json_loadb(out.bytes, out.length, flags, NULL);
    ASSERT(json_is_object(read));
    int64_t time = -1;
    const char *text = json_string_value(json_object_get(read, "time"));
    ASSERT(text && record_read_time(text, &time) == STATUS_OK && time == record->time_unix_ms);
    json_decref(read);
    buffer_destroy(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct record record;
    uint8_t *copy = malloc(length ? length : 1); /* exact for the sanitizer */
    ASSERT(copy);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    if (record_parse(copy, length, &record) == STATUS_OK) {
        ASSERT(support_record_is_canonical(&record));
        check_fields(&record);
        check_json(&record);
    }
    free(copy);
    return 0;
}
