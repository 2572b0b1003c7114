/* What each event is in FHIR's terms stands in one table; what an event says beyond who, when and
 * how it ended becomes details of its main entity under the names of the schema, so that a field
 * that is added to the schema is exported without a change here. */
#include "audit/examine/fhir.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DCM           "http://dicom.nema.org/resources/ontology/DCM"
#define TERMINOLOGY   "http://terminology.hl7.org/CodeSystem/"
#define EVENT_TYPE    TERMINOLOGY "audit-event-type"
#define ENTITY_TYPE   TERMINOLOGY "audit-entity-type"
#define OBJECT_ROLE   TERMINOLOGY "object-role"
#define PARTICIPATION TERMINOLOGY "v3-ParticipationType"
#define SOURCE_TYPE   TERMINOLOGY "security-source-type"
#define BALP_ENTITY   "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
#define WARD_NAMES    "urn:ward:" /* of identifiers that this program gives */
#define WARD_EVENTS   WARD_NAMES "audit-event"

enum { TEXT_BYTES = 160 };

struct meaning {
    enum record_event event;
    const char *system, *code, *display;
    const char *action;  /* create, read, update, delete, execute */
    const char *outcome; /* 0 success, 4, 8 and 12 failure; unless the record says more */
};

/* clang-format off */
static const struct meaning meanings[] = {
    {RECORD_EVENT_REQUEST_ACCEPTED,  EVENT_TYPE, "rest", "RESTful Operation", "E", "0"},
    {RECORD_EVENT_REQUEST_COMPLETED, EVENT_TYPE, "rest", "RESTful Operation", "E", "0"},
    {RECORD_EVENT_REQUEST_REFUSED,   EVENT_TYPE, "rest", "RESTful Operation", "E", "4"},
    {RECORD_EVENT_REQUEST_CANCELLED, EVENT_TYPE, "rest", "RESTful Operation", "E", "4"},
    {RECORD_EVENT_AUTH_FAILED,       DCM, "110114", "User Authentication", "E", "4"},
    {RECORD_EVENT_TENANT_ADDED,      DCM, "110137", "User Security Attributes Changed", "C", "0"},
    {RECORD_EVENT_TENANT_CHANGED,    DCM, "110137", "User Security Attributes Changed", "U", "0"},
    {RECORD_EVENT_TENANT_DISABLED,   DCM, "110137", "User Security Attributes Changed", "U", "0"},
    {RECORD_EVENT_TENANT_ENABLED,    DCM, "110137", "User Security Attributes Changed", "U", "0"},
    {RECORD_EVENT_TENANT_REMOVED,    DCM, "110137", "User Security Attributes Changed", "D", "0"},
    {RECORD_EVENT_KEY_CREATED,       DCM, "110137", "User Security Attributes Changed", "C", "0"},
    {RECORD_EVENT_KEY_ROTATED,       DCM, "110137", "User Security Attributes Changed", "U", "0"},
    {RECORD_EVENT_KEY_REVOKED,       DCM, "110137", "User Security Attributes Changed", "D", "0"},
    {RECORD_EVENT_POLICY_CHANGED,    DCM, "110131", "Software Configuration", "U", "0"},
    {RECORD_EVENT_CRISIS_HANDED_OFF, DCM, "110110", "Patient Record", "E", "0"},
    {RECORD_EVENT_AUDIT_READ,        DCM, "110101", "Audit Log Used", "R", "0"},
    {RECORD_EVENT_AUDIT_EXPORTED,    DCM, "110106", "Export", "R", "0"},
    {RECORD_EVENT_AUDIT_RETENTION,   DCM, "110101", "Audit Log Used", "D", "0"},
    {RECORD_EVENT_AUDIT_OUTAGE,      DCM, "110113", "Security Alert", "E", "12"},
    {RECORD_EVENT_AUDIT_REDIS_LOST,  DCM, "110113", "Security Alert", "E", "8"},
    {RECORD_EVENT_SERVER_STARTED,    DCM, "110120", "Application Start", "E", "0"},
    {RECORD_EVENT_SERVER_STOPPED,    DCM, "110121", "Application Stop", "E", "0"},
    {RECORD_EVENT_SERVER_RECOVERED,  DCM, "110113", "Security Alert", "E", "4"},
    {RECORD_EVENT_CLOCK_STEPPED,     DCM, "110113", "Security Alert", "E", "4"},
    {RECORD_EVENT_CHAIN_CHECKPOINT,  DCM, "110100", "Application Activity", "E", "0"},
};
/* clang-format on */

static const struct meaning *meaning_of(enum record_event event)
{
    static const struct meaning other = {0, DCM, "110100", "Application Activity", "E", "0"};
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].event == event) {
            return &meanings[i];
        }
    }
    return &other;
}

static bool has(const struct record *record, enum record_field field)
{
    return record->fields[field].kind != RECORD_ABSENT;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static json_t *coding(const char *system, const char *code, const char *display)
{
    return json_pack("{s:s, s:s, s:s}", "system", system, "code", code, "display", display);
}

static json_t *concept(const char *system, const char *code, const char *display)
{
    return json_pack("{s:[o]}", "coding", coding(system, code, display));
}

/* A reference by identifier: what it names is no resource of a FHIR server. */
static json_t *named(const char *system, const char *value, const char *display)
{
    return json_pack("{s:{s:s, s:s}, s:s*}", "identifier", "system", system, "value", value,
                     "display", display);
}

static const char *outcome_code(const struct record *record, const struct meaning *meaning)
{
    char outcome[TEXT_BYTES];
    record_text(record, RECORD_FIELD_outcome, outcome, sizeof outcome);
    if (strcmp(outcome, "failed") == 0) { /* an administrative act */
        return "8";
    }
    if (strcmp(outcome, "unknown") == 0) {
        return "4";
    }
    const uint64_t code =
        has(record, RECORD_FIELD_http_code) ? record->fields[RECORD_FIELD_http_code].uint : 0;
    if (code >= 500) {
        return "8";
    }
    return code >= 400 && meaning->outcome[0] == '0' ? "4" : meaning->outcome;
}

/* ---- agents ---------------------------------------------------------------------------------- */

static json_t *server_agent(const char *node, bool is_requestor)
{
    return json_pack("{s:o, s:o, s:b}", "type",
                     is_requestor ? concept(DCM, "110150", "Application")
                                  : concept(DCM, "110152", "Destination Role ID"),
                     "who", named(WARD_NAMES "node", node, NULL), "requestor", is_requestor);
}

static json_t *actor_agent(const struct record *record)
{
    char actor[TEXT_BYTES];
    record_text(record, RECORD_FIELD_actor, actor, sizeof actor);
    return json_pack("{s:o, s:o, s:b}", "type",
                     concept(PARTICIPATION, "AUT", "author (originator)"), "who",
                     named(WARD_NAMES "actor", actor, NULL), "requestor", 1);
}

static json_t *client_agent(const struct record *record)
{
    char key[TEXT_BYTES];
    char peer[TEXT_BYTES];
    record_text(record, RECORD_FIELD_key_id, key, sizeof key);
    record_text(record, RECORD_FIELD_peer, peer, sizeof peer);
    const char *tenant = record->tenant_name[0] != '\0' ? record->tenant_name : NULL;
    json_t *who = key[0] != '\0' ? named(WARD_NAMES "key", key, tenant)
                                 : named(WARD_NAMES "key", "unknown", tenant);
    json_t *agent = json_pack("{s:o, s:o, s:b}", "type", concept(DCM, "110153", "Source Role ID"),
                              "who", who, "requestor", 1);
    if (agent && peer[0] != '\0') {
        json_object_set_new(agent, "network",
                            json_pack("{s:s, s:s}", "address", peer, "type", "2")); /* IP */
    }
    return agent;
}

/* Exactly one agent asked for what happened: who acted, the client, or else the server itself. */
static json_t *agents(const struct record *record, const char *node)
{
    if (has(record, RECORD_FIELD_actor)) {
        return json_pack("[o, o]", actor_agent(record), server_agent(node, false));
    }
    if (has(record, RECORD_FIELD_request_id) || has(record, RECORD_FIELD_key_id)
        || record->event == RECORD_EVENT_AUTH_FAILED) {
        return json_pack("[o, o]", client_agent(record), server_agent(node, false));
    }
    return json_pack("[o]", server_agent(node, true));
}

/* ---- entities -------------------------------------------------------------------------------- */

/* Fields that have a place of their own. */
static bool is_placed(const char *name)
{
    static const char *const placed[] = {"time",   "event",   "tenant_id", "tenant", "request_id",
                                         "key_id", "outcome", "actor",     "peer",   "subject"};
    for (size_t i = 0; i < sizeof placed / sizeof placed[0]; i++) {
        if (strcmp(name, placed[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void add_detail(json_t *details, const char *type, const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *string = json_is_string(value) ? json_string_value(value) : text;
    if (string) {
        json_array_append_new(details,
                              json_pack("{s:s, s:s}", "type", type, "valueString", string));
    }
    free(text);
}

static json_t *details_of(const struct record *record)
{
    struct buffer text = {.limit_bytes = 1 << 16};
    json_t *details = json_array();
    json_t *fields = record_write_json(record, &text) == STATUS_OK
                         ? json_loadb(text.bytes, text.length, 0, NULL)
                         : NULL;
    const char *name;
    json_t *value;
    json_object_foreach(fields, name, value)
    {
        if (!is_placed(name)) {
            add_detail(details, name, value);
        }
    }
    json_decref(fields);
    buffer_destroy(&text);
    return details;
}

/* What the event was about: a model, or what an administrator changed, or the log itself. */
static json_t *main_entity(const struct record *record, uint64_t sequence)
{
    char name[TEXT_BYTES];
    const char *system = WARD_NAMES "audit-record";
    const char *role = "13"; /* Security Resource */
    const char *role_display = "Security Resource";
    if (has(record, RECORD_FIELD_model)) {
        record_text(record, RECORD_FIELD_model, name, sizeof name);
        system = WARD_NAMES "model";
        role = "4";
        role_display = "Domain Resource";
    } else if (has(record, RECORD_FIELD_subject)) {
        record_text(record, RECORD_FIELD_subject, name, sizeof name);
        system = WARD_NAMES "subject";
    } else {
        snprintf(name, sizeof name, "%" PRIu64, sequence);
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "what", named(system, name, NULL), "type",
                     coding(ENTITY_TYPE, "2", "System Object"), "role",
                     coding(OBJECT_ROLE, role, role_display), "detail", details_of(record));
}

static json_t *entities(const struct record *record, uint64_t sequence)
{
    char text[TEXT_BYTES];
    json_t *list = json_pack("[o]", main_entity(record, sequence));
    if (list && has(record, RECORD_FIELD_request_id)) {
        record_text(record, RECORD_FIELD_request_id, text, sizeof text);
        json_array_append_new(list, json_pack("{s:o, s:o}", "what",
                                              named(WARD_NAMES "request", text, NULL), "type",
                                              coding(BALP_ENTITY, "XrequestId", "X-Request-Id")));
    }
    if (list && record->tenant.value != 0) {
        snprintf(text, sizeof text, "%" PRIu32, record->tenant.value);
        json_array_append_new(list, json_pack("{s:o, s:o}", "what",
                                              named(WARD_NAMES "tenant", text, record->tenant_name),
                                              "type", coding(ENTITY_TYPE, "3", "Organization")));
    }
    return list;
}

/* ---- the resource ---------------------------------------------------------------------------- */

json_t *fhir_audit_event(const struct record *record, uint64_t sequence, const char *node)
{
    const struct meaning *meaning = meaning_of(record->event);
    char recorded[RECORD_TIME_BYTES];
    char id[32];
    char outcome[TEXT_BYTES];
    record_write_time(record->time_unix_ms, recorded);
    snprintf(id, sizeof id, "ward-%" PRIu64, sequence);
    const char *event = record_event_text(record->event);
    record_text(record, RECORD_FIELD_outcome, outcome, sizeof outcome);
    return json_pack(
        "{s:s, s:s, s:o, s:[o], s:s, s:s, s:s, s:s*, s:o, s:{s:o, s:[o]}, s:o}", "resourceType",
        "AuditEvent", "id", id, "type", coding(meaning->system, meaning->code, meaning->display),
        "subtype", coding(WARD_EVENTS, event ? event : "unknown", event ? event : "unknown"),
        "action", meaning->action, "recorded", recorded, "outcome", outcome_code(record, meaning),
        "outcomeDesc", outcome[0] != '\0' ? outcome : NULL, "agent", agents(record, node), "source",
        "observer", named(WARD_NAMES "node", node, NULL), "type",
        coding(SOURCE_TYPE, "4", "Application Server"), "entity", entities(record, sequence));
}
