#include "audit/examine/export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "audit/examine/fhir.h"

enum { LINE_BYTES_MAX = 1 << 16 };

static enum status write_jsonl(const struct record *record, uint64_t sequence, struct buffer *out)
{
    struct buffer object = {.limit_bytes = LINE_BYTES_MAX};
    enum status status = record_write_json(record, &object);
    if (status == STATUS_OK && record->fields[RECORD_FIELD_sequence].kind != RECORD_ABSENT) {
        status = buffer_format(out, "%s\n", object.bytes); /* a checkpoint says it itself */
    } else if (status == STATUS_OK) { /* the sequence goes in front of the record's own fields */
        status = buffer_format(out, "{\"sequence\":%" PRIu64 ",%s\n", sequence, object.bytes + 1);
    }
    buffer_destroy(&object);
    return status;
}

static enum status write_fhir(const struct record *record, uint64_t sequence, const char *node,
                              struct buffer *out)
{
    json_t *event = fhir_audit_event(record, sequence, node);
    char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
    const enum status status = text ? buffer_format(out, "%s\n", text) : STATUS_IO;
    free(text);
    json_decref(event);
    return status;
}

enum status export_write_record(enum export_format format, const struct record *record,
                                uint64_t sequence, const char *node, struct buffer *out)
{
    return format == EXPORT_FHIR ? write_fhir(record, sequence, node, out)
                                 : write_jsonl(record, sequence, out);
}

enum status export_run(const char *directory, const struct query *query, enum export_format format,
                       const char *node, FILE *out, uint64_t *count, struct failure *failure)
{
    struct query_cursor *cursor = NULL;
    struct buffer line = {.limit_bytes = (size_t)2 * LINE_BYTES_MAX};
    enum status status = query_open(directory, query, &cursor, failure);
    *count = 0;
    while (status == STATUS_OK) {
        struct record record;
        uint64_t sequence = 0;
        status = query_next(cursor, 0, &record, &sequence, failure);
        if (status != STATUS_OK) {
            break;
        }
        buffer_clear(&line);
        status = export_write_record(format, &record, sequence, node, &line);
        if (status != STATUS_OK) {
            fail(failure, status, "record %" PRIu64 " cannot be written as JSON", sequence);
        } else if (fwrite(line.bytes, 1, line.length, out) != line.length) {
            status = fail(failure, STATUS_IO, "the export cannot be written: is the disk full?");
        } else {
            (*count)++;
        }
    }
    if (status == STATUS_NOT_FOUND) {
        status = fflush(out) == 0
                     ? STATUS_OK
                     : fail(failure, STATUS_IO, "the export cannot be written: is the disk full?");
    }
    query_close(cursor);
    buffer_destroy(&line);
    return status;
}
