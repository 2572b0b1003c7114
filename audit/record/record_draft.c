#include <math.h>
#include <string.h>

#include "audit/record/cbor.h"
#include "audit/record/record_schema.h"
#include "base/assert.h"
#include "base/utf8.h"

enum { TEXT_BYTES_MAX = 127, COUNTS_MAX = 32, FIRST_DRAFTED = RECORD_FIELD_request_id };
#define E6_BORDER 9e18 /* of the millionths that an int64_t can hold */

/* clang-format off */
#define FIELD(number, kind, name, bytes, help)                                        \
    _Static_assert((number) <= RECORD_FIELD_MAX, #name " is above RECORD_FIELD_MAX"); \
    _Static_assert(RECORD_##kind != RECORD_TEXT || (bytes) <= TEXT_BYTES_MAX, #name); \
    _Static_assert(RECORD_##kind != RECORD_COUNTS || (bytes) <= COUNTS_MAX, #name);
#include "audit/record/field.def"
/* clang-format on */

/* ---- texts ----------------------------------------------------------------------------------- */

/* Copies what may stand in a record, at most limit bytes; returns how many. */
static size_t clean(const char *text, size_t limit, char *out)
{
    /* A control character takes up to two bytes and becomes one, so no more of it can matter. */
    const size_t length = strnlen(text, 2 * limit + 4);
    size_t at = 0;
    size_t used = 0;
    while (at < length && used < limit) {
        if (text[at] >= ' ' && text[at] <= '~') {
            out[used++] = text[at++];
            continue;
        }
        uint32_t character = 0;
        const size_t step = utf8_decode(text + at, length - at, &character);
        if (step == 0 || record_schema_is_control(character)) {
            out[used++] = '?';
        } else if (step <= limit - used) {
            memcpy(out + used, text + at, step);
            used += step;
        } else {
            break;
        }
        at += step ? step : 1;
    }
    return used;
}

void record_draft_begin(struct record_draft *draft, enum record_event event,
                        struct tenant_id tenant, const char *tenant_name)
{
    draft->event = event;
    draft->tenant = tenant;
    draft->field_count = 0;
    draft->last_field = FIRST_DRAFTED - 1;
    draft->length = 0;
    const char *name = tenant.value != 0 && tenant_name ? tenant_name : "";
    draft->tenant_name[clean(name, RECORD_NAME_BYTES - 1, draft->tenant_name)] = '\0';
}

/* ---- fields ---------------------------------------------------------------------------------- */

static uint32_t limit_of(enum record_field field, enum record_kind kind)
{
    const struct record_schema_field *known = record_schema_of(field);
    ASSERT(known && known->kind == kind);
    return known->limit;
}

static struct cbor_writer begin_field(struct record_draft *draft, enum record_field field)
{
    ASSERT(field > draft->last_field);
    struct cbor_writer writer = {draft->bytes, draft->length, sizeof draft->bytes};
    cbor_write_head(&writer, CBOR_UINT, field);
    draft->last_field = (uint16_t)field;
    draft->field_count++;
    return writer;
}

static void end_field(struct record_draft *draft, const struct cbor_writer *writer)
{
    draft->length = (uint16_t)writer->length;
}

void record_draft_uint(struct record_draft *draft, enum record_field field, uint64_t value)
{
    (void)limit_of(field, RECORD_UINT);
    struct cbor_writer writer = begin_field(draft, field);
    cbor_write_head(&writer, CBOR_UINT, value);
    end_field(draft, &writer);
}

static void add_integer(struct record_draft *draft, enum record_field field, int64_t value)
{
    struct cbor_writer writer = begin_field(draft, field);
    cbor_write_int(&writer, value);
    end_field(draft, &writer);
}

void record_draft_int(struct record_draft *draft, enum record_field field, int64_t value)
{
    (void)limit_of(field, RECORD_INT);
    add_integer(draft, field, value);
}

void record_draft_e6(struct record_draft *draft, enum record_field field, double value)
{
    (void)limit_of(field, RECORD_E6);
    if (!isnan(value)) {
        add_integer(draft, field, llround(fmax(-E6_BORDER, fmin(value * 1e6, E6_BORDER))));
    }
}

void record_draft_text(struct record_draft *draft, enum record_field field, const char *text)
{
    const uint32_t limit = limit_of(field, RECORD_TEXT);
    char cleaned[TEXT_BYTES_MAX];
    const size_t length = text ? clean(text, limit, cleaned) : 0;
    if (length > 0) {
        struct cbor_writer writer = begin_field(draft, field);
        cbor_write_string(&writer, CBOR_TEXT, cleaned, length);
        end_field(draft, &writer);
    }
}

void record_draft_bytes(struct record_draft *draft, enum record_field field, const uint8_t *bytes)
{
    const uint32_t limit = limit_of(field, RECORD_BYTES);
    struct cbor_writer writer = begin_field(draft, field);
    cbor_write_string(&writer, CBOR_BYTES, bytes, limit);
    end_field(draft, &writer);
}

/* ---- counts ---------------------------------------------------------------------------------- */

struct counted {
    uint64_t count;
    size_t length;
    char name[RECORD_COUNT_NAME_BYTES];
};

static struct counted counted_of(const struct record_count *from)
{
    struct counted one = {.count = from->count};
    one.length = strnlen(from->name, RECORD_COUNT_NAME_BYTES - 1);
    ASSERT(one.length > 0);
    for (size_t i = 0; i < one.length; i++) {
        const char byte = from->name[i];
        one.name[i] = byte >= ' ' && byte <= '~' ? byte : '?';
    }
    return one;
}

/* By length, then bytewise: the canonical order of the keys of a map. */
static int compare(const struct counted *a, const struct counted *b)
{
    if (a->length != b->length) {
        return a->length < b->length ? -1 : 1;
    }
    return memcmp(a->name, b->name, a->length);
}

/* Puts one where it belongs among the sorted; a name that is there already gets the sum. */
static size_t insert(struct counted *sorted, size_t used, const struct counted *one)
{
    size_t at = used;
    while (at > 0 && compare(&sorted[at - 1], one) > 0) {
        at--;
    }
    if (at > 0 && compare(&sorted[at - 1], one) == 0) {
        const uint64_t room = UINT64_MAX - sorted[at - 1].count;
        sorted[at - 1].count += one->count < room ? one->count : room;
        return used;
    }
    ASSERT(used < COUNTS_MAX);
    memmove(&sorted[at + 1], &sorted[at], (used - at) * sizeof *sorted);
    sorted[at] = *one;
    return used + 1;
}

void record_draft_counts(struct record_draft *draft, enum record_field field,
                         const struct record_count *counts, size_t count)
{
    const uint32_t limit = limit_of(field, RECORD_COUNTS);
    struct counted sorted[COUNTS_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (counts[i].count > 0) {
            const struct counted one = counted_of(&counts[i]);
            used = insert(sorted, used, &one);
        }
    }
    ASSERT(used <= limit);
    if (used == 0) {
        return;
    }
    struct cbor_writer writer = begin_field(draft, field);
    cbor_write_head(&writer, CBOR_MAP, used);
    for (size_t i = 0; i < used; i++) {
        cbor_write_string(&writer, CBOR_TEXT, sorted[i].name, sorted[i].length);
        cbor_write_head(&writer, CBOR_UINT, sorted[i].count);
    }
    end_field(draft, &writer);
}

/* ---- the body -------------------------------------------------------------------------------- */

static void write_pair(struct cbor_writer *writer, enum record_field field, uint64_t value)
{
    cbor_write_head(writer, CBOR_UINT, field);
    cbor_write_head(writer, CBOR_UINT, value);
}

size_t record_encode(const struct record_draft *draft, uint64_t number, int64_t time_unix_ms,
                     uint8_t out[RECORD_BODY_BYTES_MAX])
{
    ASSERT(number > 0);
    const int64_t past = time_unix_ms > 0 ? time_unix_ms : 0;
    const int64_t time = past < RECORD_SCHEMA_TIME_MAX_MS ? past : RECORD_SCHEMA_TIME_MAX_MS;
    const size_t name_bytes = strnlen(draft->tenant_name, RECORD_NAME_BYTES - 1);
    struct cbor_writer writer = {.capacity_bytes = RECORD_BODY_BYTES_MAX};
    writer.bytes = out;
    cbor_write_head(&writer, CBOR_MAP, 5U + (name_bytes > 0) + draft->field_count);
    write_pair(&writer, RECORD_FIELD_version, RECORD_VERSION);
    write_pair(&writer, RECORD_FIELD_number, number);
    write_pair(&writer, RECORD_FIELD_time, (uint64_t)time);
    write_pair(&writer, RECORD_FIELD_event, draft->event);
    write_pair(&writer, RECORD_FIELD_tenant_id, draft->tenant.value);
    if (name_bytes > 0) {
        cbor_write_head(&writer, CBOR_UINT, RECORD_FIELD_tenant);
        cbor_write_string(&writer, CBOR_TEXT, draft->tenant_name, name_bytes);
    }
    cbor_write_raw(&writer, draft->bytes, draft->length);
    return writer.length;
}
