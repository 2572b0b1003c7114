/* tenant.c - `ward tenant add|set|list|disable|enable|remove`. A running server follows within a
 * second. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "server/commands/commands.h"
#include "server/commands/support/administration.h"
#include "server/commands/verbs.h"

enum { RETENTION_DAYS_MAX = 36500 };

static struct {
    struct auth_limits limits, changed;
    bool prints_json;
} given = {.changed = {AUTH_UNCHANGED, AUTH_UNCHANGED, AUTH_UNCHANGED, AUTH_UNCHANGED}};

#define LIMIT_ROW(option, limit, most, text)                                              \
    {                                                                                     \
        .name = (option), .kind = OPTION_COUNT, .out = &(limit), .min = 0, .max = (most), \
        .value = "N", .help = (text)                                                      \
    }
#define LIMIT_ROWS(limits)                                                       \
    LIMIT_ROW("rpm", (limits).requests_per_minute, AUTH_UNCHANGED - 1,           \
              "requests a minute; 0: no limit"),                                 \
        LIMIT_ROW("tpm", (limits).tokens_per_minute, AUTH_UNCHANGED - 1,         \
                  "tokens a minute, prompt and answer"),                         \
        LIMIT_ROW("streams", (limits).streams_max, AUTH_UNCHANGED - 1,           \
                  "requests at the same time"),                                  \
        LIMIT_ROW("retention-days", (limits).retention_days, RETENTION_DAYS_MAX, \
                  "how long its audit records are kept; 0: as the server's"),    \
        STATE_ROW

static const struct option_row state_rows[] = {STATE_ROW};
static const struct option_row list_rows[] = {
    {.name = "json", .kind = OPTION_FLAG, .out = &given.prints_json, .help = "one JSON array"},
    STATE_ROW,
};
static const struct option_row add_rows[] = {LIMIT_ROWS(given.limits)};
static const struct option_row set_rows[] = {LIMIT_ROWS(given.changed)};

/* ---- verbs ----------------------------------------------------------------------------------- */

static enum status add(struct state *state, const char *word, struct failure *failure)
{
    const enum status status = administration_add_tenant(state, word, &given.limits, failure);
    if (status == STATUS_OK) {
        printf("tenant %s added; next: ward key create --tenant %s\n", word, word);
    }
    return status;
}

static int check_set(void)
{
    const struct auth_limits *changed = &given.changed;
    const bool changes_nothing = changed->requests_per_minute == AUTH_UNCHANGED
                                 && changed->tokens_per_minute == AUTH_UNCHANGED
                                 && changed->streams_max == AUTH_UNCHANGED
                                 && changed->retention_days == AUTH_UNCHANGED;
    return changes_nothing
               ? options_wrong("tenant set: name what to change; see ward tenant set --help")
               : OPTIONS_READY;
}

static enum status set(struct state *state, const char *word, struct failure *failure)
{
    const enum status status = administration_set_limits(state, word, &given.changed, failure);
    if (status == STATUS_OK) {
        printf("tenant %s changed\n", word);
    }
    return status;
}

static enum status set_disabled(struct state *state, const char *word, bool is_disabled,
                                struct failure *failure)
{
    const enum status status = administration_set_disabled(state, word, is_disabled, failure);
    if (status == STATUS_OK) {
        printf("tenant %s %s\n", word, is_disabled ? "disabled" : "enabled");
    }
    return status;
}

static enum status disable(struct state *state, const char *word, struct failure *failure)
{
    return set_disabled(state, word, true, failure);
}

static enum status enable(struct state *state, const char *word, struct failure *failure)
{
    return set_disabled(state, word, false, failure);
}

static enum status remove_tenant(struct state *state, const char *word, struct failure *failure)
{
    const enum status status = administration_remove_tenant(state, word, failure);
    if (status == STATUS_OK) {
        printf("tenant %s removed with its keys\n", word);
    }
    return status;
}

static json_t *describe(const struct auth_tenant *tenant)
{
    return json_pack("{s:s, s:I, s:b, s:I, s:I, s:I, s:I, s:I}", "name", tenant->name, "id",
                     (json_int_t)tenant->id.value, "disabled", tenant->is_disabled,
                     "requests_per_minute", (json_int_t)tenant->limits.requests_per_minute,
                     "tokens_per_minute", (json_int_t)tenant->limits.tokens_per_minute,
                     "streams_max", (json_int_t)tenant->limits.streams_max, "retention_days",
                     (json_int_t)tenant->limits.retention_days, "keys",
                     (json_int_t)tenant->key_count);
}

static enum status list(struct state *state, const char *word, struct failure *failure)
{
    (void)word;
    struct auth_tenant *tenants = calloc(LIMIT_TENANTS, sizeof *tenants);
    json_t *array = json_array();
    if (!tenants || !array) {
        free(tenants);
        return fail(failure, STATUS_IO, "no memory");
    }
    const size_t count = auth_tenant_list(state->auth, tenants, LIMIT_TENANTS);
    if (!given.prints_json) {
        printf("%-32s %-8s %8s %10s %8s %9s %5s\n", "name", "state", "rpm", "tpm", "streams",
               "retention", "keys");
    }
    for (size_t i = 0; i < count; i++) {
        const struct auth_tenant *tenant = &tenants[i];
        if (given.prints_json) {
            json_array_append_new(array, describe(tenant));
        } else {
            printf("%-32s %-8s %8u %10u %8u %9u %5u\n", tenant->name,
                   tenant->is_disabled ? "disabled" : "enabled", tenant->limits.requests_per_minute,
                   tenant->limits.tokens_per_minute, tenant->limits.streams_max,
                   tenant->limits.retention_days, tenant->key_count);
        }
    }
    if (given.prints_json) {
        json_dumpf(array, stdout, JSON_INDENT(1));
        putchar('\n');
    }
    json_decref(array);
    free(tenants);
    return STATUS_OK;
}

/* ---- command --------------------------------------------------------------------------------- */

int tenant_main(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {.name = "add",
         .usage = "ward tenant add NAME [options]",
         .summary = "Adds a tenant with keys and limits of its own.",
         VERB_ROWS(add_rows),
         .word = "NAME",
         .run_on_state = add},
        {.name = "set",
         .usage = "ward tenant set NAME [options]",
         .summary = "Changes what is given and leaves the rest as it is.",
         VERB_ROWS(set_rows),
         .word = "NAME",
         .check = check_set,
         .run_on_state = set},
        {.name = "list",
         .usage = "ward tenant list [options]",
         .summary =
             "Prints every tenant; a limit of 0 is none, a retention of 0 days the server's.",
         VERB_ROWS(list_rows),
         .run_on_state = list},
        {.name = "disable",
         .usage = "ward tenant disable NAME",
         .summary = "Its keys stop working, its requests end.",
         VERB_ROWS(state_rows),
         .word = "NAME",
         .run_on_state = disable},
        {.name = "enable",
         .usage = "ward tenant enable NAME",
         .summary = "Its keys work again.",
         VERB_ROWS(state_rows),
         .word = "NAME",
         .run_on_state = enable},
        {.name = "remove",
         .usage = "ward tenant remove NAME",
         .summary = "Removes a tenant and its keys for good. Its audit records stay.",
         VERB_ROWS(state_rows),
         .word = "NAME",
         .run_on_state = remove_tenant},
    };
    return verbs_main(verbs, sizeof verbs / sizeof verbs[0], NULL, argc, argv);
}
