/* export.h - records for other programs: JSON lines, or a FHIR R4 AuditEvent each (NDJSON, as Bulk
 * Data exports are). The first line of JSONL is not special: every line is a record with its
 * sequence. */
#pragma once
#include <stdio.h>

#include "audit/examine/query.h"

enum export_format { EXPORT_JSONL, EXPORT_FHIR };

/* One line with its newline. node names the server (FHIR: source.observer). */
MUST_CHECK enum status export_write_record(enum export_format format, const struct record *record,
                                           uint64_t sequence, const char *node, struct buffer *out);

/* All that fit, in order; *count lines were written. STATUS_IO: out cannot be written. */
MUST_CHECK enum status export_run(const char *directory, const struct query *query,
                                  enum export_format format, const char *node, FILE *out,
                                  uint64_t *count, struct failure *failure);
