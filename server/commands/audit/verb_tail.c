/* verb_tail.c - `ward audit tail`: the last records, and those that come. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/examine/export.h"
#include "server/commands/audit/audit_verbs.h"
#include "server/commands/audit/recent.h"
#include "server/commands/audit/whose.h"

enum { FOLLOW_POLL_US = 200000, LINE_BYTES_MAX = 1 << 16 };

static struct {
    uint32_t count;
    const char *tenant;
    bool follows, prints_json;
} given = {.count = 20};

static const struct option_row rows[] = {
    {.name = "lines",
     .letter = 'n',
     .kind = OPTION_COUNT,
     .out = &given.count,
     .min = 0,
     .max = RECENT_MAX,
     .value = "N",
     .help = "how many records; default 20"},
    {.name = "follow",
     .letter = 'f',
     .kind = OPTION_FLAG,
     .out = &given.follows,
     .help = "go on with new ones until it is stopped"},
    {.name = "tenant",
     .kind = OPTION_TEXT,
     .out = &given.tenant,
     .value = WHOSE_VALUE,
     .help = "only this tenant's; default all"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .out = &given.prints_json,
     .help = "one JSON object each"},
    STATE_ROW,
};

/* ---- a line for people ----------------------------------------------------------------------- */

/* What stands at the start of the line, and what only a program reads. */
static bool is_shown(const char *name)
{
    static const char *const hidden[] = {"version",      "number",   "time", "event",
                                         "tenant",       "sequence", "head", "signature",
                                         "tenants_root", "chain_id"};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (strcmp(name, hidden[i]) == 0) {
            return false;
        }
    }
    return strstr(name, "digest") == NULL;
}

static void print_fields(json_t *fields)
{
    const char *name;
    json_t *value;
    json_object_foreach(fields, name, value)
    {
        const bool is_nobody = strcmp(name, "tenant_id") == 0 && json_integer_value(value) == 0;
        if (is_nobody || !is_shown(name)) {
            continue;
        }
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
        const char *word = json_string_value(value);
        const bool is_plain = word && !strpbrk(word, " \"=") && word[0] != '\0';
        printf(" %s=%s", name, is_plain ? word : text ? text : "?");
        free(text);
    }
}

static enum status print_line(const struct record *record, uint64_t sequence)
{
    struct buffer text = {.limit_bytes = LINE_BYTES_MAX};
    char time[RECORD_TIME_BYTES];
    const char *event = record_event_text(record->event);
    const enum status status = record_write_json(record, &text);
    if (status == STATUS_OK) {
        json_t *fields = json_loadb(text.bytes, text.length, 0, NULL);
        record_write_time(record->time_unix_ms, time);
        printf("%s %" PRIu64 " %s", time, sequence, event ? event : "unknown");
        printf(" %s", record->tenant.value > 0 ? record->tenant_name : "-");
        print_fields(fields);
        putchar('\n');
        json_decref(fields);
    }
    buffer_destroy(&text);
    return status;
}

static enum status print_json(const struct record *record, uint64_t sequence)
{
    struct buffer text = {.limit_bytes = LINE_BYTES_MAX};
    const enum status status = export_write_record(EXPORT_JSONL, record, sequence, "", &text);
    if (status == STATUS_OK) {
        fwrite(text.bytes, 1, text.length, stdout);
    }
    buffer_destroy(&text);
    return status;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static enum status show(const char *directory, const struct query *query, struct failure *failure)
{
    struct query_cursor *cursor = NULL;
    struct record record;
    uint64_t sequence = 0;
    enum status status = query_open(directory, query, &cursor, failure);
    while (status == STATUS_OK) {
        status = query_next(cursor, 0, &record, &sequence, failure);
        if (status == STATUS_OK && recent_wants(query, &record)) {
            status = (given.prints_json ? print_json : print_line)(&record, sequence);
            if (status != STATUS_OK) {
                fail(failure, status, "record %" PRIu64 ": cannot be written", sequence);
            }
        } else if (status == STATUS_NOT_FOUND && given.follows && fflush(stdout) == 0) {
            usleep(FOLLOW_POLL_US);
            status = STATUS_OK;
        }
    }
    query_close(cursor);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static int run(const char *word)
{
    (void)word;
    struct failure failure = {""};
    struct state state;
    struct whose whose;
    struct query query = {.to_unix_ms = INT64_MAX};
    enum status status = audit_verbs_find(&state, &failure);
    if (status == STATUS_OK && given.tenant) {
        status = whose_find(&state, given.tenant, &whose, &failure);
        query.has_tenant = true;
        query.tenant = whose.tenant;
    }
    if (status == STATUS_OK) {
        status = recent_find(state.audit_directory, &query, given.count, &failure);
    }
    if (status == STATUS_OK) {
        status = show(state.audit_directory, &query, &failure);
    }
    state_close(&state);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

const struct verb verb_tail = {
    .name = "tail",
    .usage = "ward audit tail [-n N] [--follow] [--tenant " WHOSE_VALUE "] [--json]",
    .summary = "Prints the last records: time, sequence, event, tenant, fields.\n"
               "Checkpoints are left out: `ward audit checkpoint` shows the last one.\n\n"
               "  ward audit tail -n 50 --tenant clinic-a\n"
               "  ward audit tail --follow --json",
    VERB_ROWS(rows),
    .run = run,
};
