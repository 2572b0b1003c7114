/* verb_report.c - `ward audit report`: what a law asks to be counted in a year (how often somebody
 * was told where help is, handed off, told that an AI answers), summed from the records themselves.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "audit/examine/query.h"
#include "server/commands/audit/audit_verbs.h"
#include "server/commands/audit/whose.h"

enum { TIME_BYTES = 32 };

static struct {
    const char *tenant;
    uint32_t year;
    bool is_json;
} given;

static const struct option_row rows[] = {
    {.name = "year",
     .kind = OPTION_COUNT,
     .out = &given.year,
     .min = 1970,
     .max = 9998,
     .value = "YEAR",
     .help = "which year, in UTC",
     .is_required = true},
    {.name = "tenant",
     .kind = OPTION_TEXT,
     .out = &given.tenant,
     .value = WHOSE_VALUE,
     .help = "one tenant alone; default every one"},
    {.name = "json", .kind = OPTION_FLAG, .out = &given.is_json, .help = "as one JSON document"},
    STATE_ROW,
};

/* ---- counting -------------------------------------------------------------------------------- */

static enum status add(json_t *counts, const char *name, uint64_t count)
{
    const json_int_t before = json_integer_value(json_object_get(counts, name));
    return json_object_set_new(counts, name, json_integer(before + (json_int_t)count)) == 0
               ? STATUS_OK
               : STATUS_IO;
}

/* The one end of a request carries all that was done to it; what began it would count twice. */
static bool is_counted(enum record_event event)
{
    return event == RECORD_EVENT_REQUEST_COMPLETED || event == RECORD_EVENT_REQUEST_CANCELLED
           || event == RECORD_EVENT_REQUEST_REFUSED || event == RECORD_EVENT_CRISIS_HANDED_OFF;
}

static enum status add_record(json_t *tenants, const struct record *record)
{
    char name[RECORD_COUNT_NAME_BYTES], outcome[RECORD_COUNT_NAME_BYTES];
    const char *tenant = record->tenant_name[0] != '\0' ? record->tenant_name : "(server)";
    const struct record_value *decisions = &record->fields[RECORD_FIELD_policy_decisions];
    json_t *counts = json_object_get(tenants, tenant);
    uint64_t count = 0;
    if (!counts) {
        counts = json_object();
        if (json_object_set_new(tenants, tenant, counts) != 0) {
            return STATUS_IO;
        }
    }
    if (record->event == RECORD_EVENT_CRISIS_HANDED_OFF) {
        record_text(record, RECORD_FIELD_outcome, outcome, sizeof outcome);
        snprintf(name, sizeof name, "hand_off.%.20s", outcome);
        return add(counts, name, 1);
    }
    enum status status = add(counts, "requests", 1);
    for (size_t i = 0; status == STATUS_OK && decisions->kind == RECORD_COUNTS
                       && record_count_at(decisions, i, name, sizeof name, &count);
         i++) {
        status = add(counts, name, count);
    }
    return status;
}

static enum status count_all(const char *directory, const struct query *query, json_t *tenants,
                             struct failure *failure)
{
    struct query_cursor *cursor = NULL;
    struct record record;
    uint64_t sequence = 0;
    enum status status = query_open(directory, query, &cursor, failure);
    while (status == STATUS_OK) {
        status = query_next(cursor, 0, &record, &sequence, failure);
        if (status == STATUS_OK && is_counted(record.event)) {
            status = add_record(tenants, &record);
            if (status != STATUS_OK) {
                fail(failure, status, "record %" PRIu64 ": no memory to count it", sequence);
            }
        }
    }
    query_close(cursor);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void print_table(const json_t *tenants)
{
    const char *tenant, *name;
    json_t *counts;
    const json_t *count;
    json_object_foreach((json_t *)(uintptr_t)tenants, tenant, counts)
    {
        printf("%s\n", tenant);
        json_object_foreach(counts, name, count)
        {
            printf("  %-32s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(count));
        }
    }
}

static void print_all(json_t *tenants)
{
    if (json_object_size(tenants) == 0) {
        fprintf(stderr, "ward: no request stands in the records of %u\n", given.year);
    }
    if (given.is_json) {
        json_t *all = json_pack("{s:i, s:O}", "year", (int)given.year, "tenants", tenants);
        json_dumpf(all, stdout, JSON_COMPACT | JSON_SORT_KEYS);
        printf("\n");
        json_decref(all);
    } else {
        print_table(tenants);
    }
}

static enum status choose_times(struct query *query)
{
    char from[TIME_BYTES], to[TIME_BYTES];
    snprintf(from, sizeof from, "%04u-01-01", given.year);
    snprintf(to, sizeof to, "%04u-01-01", given.year + 1);
    const enum status status = record_read_time(from, &query->from_unix_ms);
    return status == STATUS_OK ? record_read_time(to, &query->to_unix_ms) : status;
}

static int run(const char *word)
{
    (void)word;
    struct failure failure = {""};
    struct state state;
    struct whose whose;
    struct query query = {.has_tenant = given.tenant != NULL};
    json_t *tenants = json_object();
    enum status status = audit_verbs_find(&state, &failure);
    if (status == STATUS_OK) {
        status = choose_times(&query);
    }
    if (status == STATUS_OK && given.tenant) {
        status = whose_find(&state, given.tenant, &whose, &failure);
        query.tenant = whose.tenant;
    }
    if (status == STATUS_OK) {
        status = count_all(state.audit_directory, &query, tenants, &failure);
    }
    if (status == STATUS_OK) {
        print_all(tenants);
    }
    json_decref(tenants);
    state_close(&state);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

const struct verb verb_report = {
    .name = "report",
    .usage = "ward audit report --year YEAR [--tenant " WHOSE_VALUE "] [--json]",
    .summary =
        "Sums what the rules did in a year, from the records: crisis.protocol is how often\n"
        "somebody was told where help is, crisis.hand_off and hand_off.acknowledged how often a\n"
        "clinic was to hear of it and did, duty.disclosed how often it was said that an AI\n"
        "answers. Kinds and numbers, no text.",
    VERB_ROWS(rows),
    .run = run,
};
