/* Method: a record of every event, with every field of the schema in it, and one with none, becomes
 * an AuditEvent that keeps FHIR's rules: required elements, no empty text, one requestor; nothing
 * of the record is lost. tests/e2e/test_audit_export.py holds real ones to the models of others. */
#include <stdlib.h>
#include <string.h>

#include "audit/examine/fhir.h"
#include "base/assert.h"
#include "tests/check.h"

enum { EVENTS_MAX = 100 };

static void add_field(struct record_draft *draft, enum record_field field, const char *kind)
{
    static const uint8_t bytes[64] = {1, 2, 3};
    static const struct record_count counts[] = {{"stop", 2}, {"length", 1}};
    if (strcmp(kind, "UINT") == 0) {
        record_draft_uint(draft, field, 7);
    } else if (strcmp(kind, "INT") == 0) {
        record_draft_int(draft, field, -7);
    } else if (strcmp(kind, "E6") == 0) {
        record_draft_e6(draft, field, 0.7);
    } else if (strcmp(kind, "TEXT") == 0) {
        record_draft_text(draft, field, "text");
    } else if (strcmp(kind, "BYTES") == 0) {
        record_draft_bytes(draft, field, bytes);
    } else {
        record_draft_counts(draft, field, counts, 2);
    }
}

static const struct {
    enum record_field field;
    const char *kind, *name;
} fields[] = {
#define FIELD(number, kind, name, bytes, help) {RECORD_FIELD_##name, #kind, #name},
#include "audit/record/field.def"
};

static json_t *event_of(enum record_event event, uint32_t tenant, bool is_full)
{
    struct record_draft draft;
    struct record record;
    uint8_t body[RECORD_BODY_BYTES_MAX];
    record_draft_begin(&draft, event, (struct tenant_id){tenant}, tenant > 0 ? "clinic-elm" : NULL);
    for (size_t i = 0; is_full && i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].field > RECORD_FIELD_tenant) {
            add_field(&draft, fields[i].field, fields[i].kind);
        }
    }
    const size_t length = record_encode(&draft, 3, 1795000000123, body);
    ASSERT(record_parse(body, length, &record) == STATUS_OK);
    return fhir_audit_event(&record, 12, "node-1");
}

static void has_no_empty_text(const json_t *value, const char *event)
{
    const char *name;
    json_t *child;
    size_t index;
    CHECK(!json_is_null(value), "%s: a null", event);
    CHECK(!json_is_string(value) || json_string_length(value) > 0, "%s: an empty text", event);
    json_object_foreach((json_t *)(uintptr_t)value, name, child)
    {
        has_no_empty_text(child, event);
    }
    json_array_foreach(value, index, child)
    {
        has_no_empty_text(child, event);
    }
}

static void keeps_the_rules(const json_t *value, const char *event)
{
    static const char *const required[] = {"resourceType", "type",  "subtype", "action", "recorded",
                                           "outcome",      "agent", "source",  "entity"};
    size_t index;
    json_t *agent;
    int requestors = 0;
    ASSERT(value);
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        CHECK(json_object_get(value, required[i]), "%s: no %s", event, required[i]);
    }
    json_array_foreach(json_object_get(value, "agent"), index, agent)
    {
        requestors += json_is_true(json_object_get(agent, "requestor"));
    }
    CHECK(requestors == 1, "%s: %d requestors", event, requestors);
    CHECK(json_object_get(json_object_get(value, "source"), "observer"), "%s: no observer", event);
    CHECK(strcmp(json_string_value(json_object_get(value, "recorded")), "2026-11-18T11:06:40.123Z")
              == 0,
          "%s: %s", event, json_string_value(json_object_get(value, "recorded")));
    has_no_empty_text(value, event);
}

/* Each field has a detail of its name, or a place of its own. */
static void loses_nothing(const json_t *value, const char *event)
{
    char *text = json_dumps(value, JSON_COMPACT);
    ASSERT(text);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        static const char *const placed[] = {"time",   "event", "tenant_id",  "tenant", "outcome",
                                             "key_id", "actor", "request_id", "peer",   "subject"};
        bool has_place = false;
        char detail[64];
        snprintf(detail, sizeof detail, "{\"type\":\"%s\"", fields[i].name);
        for (size_t p = 0; p < sizeof placed / sizeof placed[0]; p++) {
            has_place |= strcmp(placed[p], fields[i].name) == 0;
        }
        CHECK(has_place || strstr(text, detail), "%s: no %s", event, fields[i].name);
    }
    free(text);
}

static void every_event_is_an_audit_event(void)
{
    int count = 0;
    for (int i = 1; i < EVENTS_MAX; i++) {
        const char *name = record_event_text((enum record_event)i);
        for (uint32_t tenant = 0; name && tenant <= 1; tenant++) {
            json_t *bare = event_of((enum record_event)i, tenant, false);
            json_t *full = event_of((enum record_event)i, tenant, true);
            keeps_the_rules(bare, name);
            keeps_the_rules(full, name);
            loses_nothing(full, name);
            json_decref(bare);
            json_decref(full);
            count++;
        }
    }
    CHECK(count >= 48, "%d events", count);
}

static void what_is_not_known_is_still_told(void)
{
    struct record_draft draft;
    struct record record;
    uint8_t body[RECORD_BODY_BYTES_MAX];
    record_draft_begin(&draft, RECORD_EVENT_REQUEST_COMPLETED, (struct tenant_id){1}, "clinic-elm");
    const size_t length = record_encode(&draft, 1, 1795000000123, body);
    ASSERT(record_parse(body, length, &record) == STATUS_OK);
    record.event = (enum record_event)99; /* of a later version */
    json_t *event = fhir_audit_event(&record, 1, "node-1");
    keeps_the_rules(event, "event 99");
    json_decref(event);
}

CHECK_MAIN(every_event_is_an_audit_event, what_is_not_known_is_still_told)
