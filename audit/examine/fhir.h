/* fhir.h - a record as FHIR R4 AuditEvent (hl7.org/fhir/R4/auditevent), shaped after IHE Basic
 * Audit Log Patterns (BALP): type, subtype, action, recorded, outcome, agents (key or actor,
 * server), source, entities (request id, tenant). Nothing is in it that the record does not say.
 * Pure function. */
#pragma once
#include <jansson.h>

#include "audit/record/record.h"

/* The caller's to decref; NULL: no memory. */
json_t *fhir_audit_event(const struct record *record, uint64_t sequence, const char *node);
