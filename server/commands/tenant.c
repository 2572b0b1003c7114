/* tenant.c - `ward tenant add|list|disable|enable|remove`. A running server follows within a
 * second. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "base/limits.h"
#include "server/commands/commands.h"
#include "server/commands/state_verbs.h"

static struct {
    struct auth_limits limits;
    bool prints_json;
} given;

#define LIMIT_ROW(option, field, text)                                                \
    {                                                                                 \
        .name = (option), .kind = OPTION_COUNT, .out = &given.limits.field, .min = 0, \
        .max = UINT32_MAX, .value = "N", .help = (text)                               \
    }

static const struct option_row state_rows[] = {STATE_VERB_DIRECTORY};
static const struct option_row list_rows[] = {
    {.name = "json", .kind = OPTION_FLAG, .out = &given.prints_json, .help = "one JSON array"},
    STATE_VERB_DIRECTORY,
};
static const struct option_row add_rows[] = {
    LIMIT_ROW("rpm", requests_per_minute, "requests a minute; 0, the default: no limit"),
    LIMIT_ROW("tpm", tokens_per_minute, "tokens a minute, prompt and answer"),
    LIMIT_ROW("streams", streams_max, "requests at the same time"),
    STATE_VERB_DIRECTORY,
};

/* ---- verbs ----------------------------------------------------------------------------------- */

static enum status add(struct auth *auth, const char *word, struct failure *failure)
{
    struct tenant_id id;
    const enum status status = auth_tenant_add(auth, word, &given.limits, &id, failure);
    if (status == STATUS_OK) {
        printf("tenant %s added; next: ward key create --tenant %s\n", word, word);
    }
    return status;
}

static enum status set_disabled(struct auth *auth, const char *word, bool is_disabled,
                                struct failure *failure)
{
    const enum status status = auth_tenant_set_disabled(auth, word, is_disabled, failure);
    if (status == STATUS_OK) {
        printf("tenant %s %s\n", word, is_disabled ? "disabled" : "enabled");
    }
    return status;
}

static enum status disable(struct auth *auth, const char *word, struct failure *failure)
{
    return set_disabled(auth, word, true, failure);
}

static enum status enable(struct auth *auth, const char *word, struct failure *failure)
{
    return set_disabled(auth, word, false, failure);
}

static enum status remove_tenant(struct auth *auth, const char *word, struct failure *failure)
{
    const enum status status = auth_tenant_remove(auth, word, failure);
    if (status == STATUS_OK) {
        printf("tenant %s removed with its keys\n", word);
    }
    return status;
}

static json_t *describe(const struct auth_tenant *tenant)
{
    return json_pack("{s:s, s:I, s:b, s:I, s:I, s:I, s:I}", "name", tenant->name, "id",
                     (json_int_t)tenant->id.value, "disabled", tenant->is_disabled,
                     "requests_per_minute", (json_int_t)tenant->limits.requests_per_minute,
                     "tokens_per_minute", (json_int_t)tenant->limits.tokens_per_minute,
                     "streams_max", (json_int_t)tenant->limits.streams_max, "keys",
                     (json_int_t)tenant->key_count);
}

static enum status list(struct auth *auth, const char *word, struct failure *failure)
{
    (void)word;
    struct auth_tenant *tenants = calloc(LIMIT_TENANTS, sizeof *tenants);
    json_t *array = json_array();
    if (!tenants || !array) {
        free(tenants);
        return fail(failure, STATUS_IO, "no memory");
    }
    const size_t count = auth_tenant_list(auth, tenants, LIMIT_TENANTS);
    if (!given.prints_json) {
        printf("%-32s %-8s %8s %10s %8s %5s\n", "name", "state", "rpm", "tpm", "streams", "keys");
    }
    for (size_t i = 0; i < count; i++) {
        const struct auth_tenant *tenant = &tenants[i];
        if (given.prints_json) {
            json_array_append_new(array, describe(tenant));
        } else {
            printf("%-32s %-8s %8u %10u %8u %5u\n", tenant->name,
                   tenant->is_disabled ? "disabled" : "enabled", tenant->limits.requests_per_minute,
                   tenant->limits.tokens_per_minute, tenant->limits.streams_max, tenant->key_count);
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
    static const struct state_verb verbs[] = {
        {"add", "ward tenant add NAME [options]", "Adds a tenant with keys and limits of its own.",
         STATE_VERB_ROWS(add_rows), "NAME", add},
        {"list", "ward tenant list [options]", "Prints every tenant; a limit of 0 is none.",
         STATE_VERB_ROWS(list_rows), NULL, list},
        {"disable", "ward tenant disable NAME", "Its keys stop working, its requests end.",
         STATE_VERB_ROWS(state_rows), "NAME", disable},
        {"enable", "ward tenant enable NAME", "Its keys work again.", STATE_VERB_ROWS(state_rows),
         "NAME", enable},
        {"remove", "ward tenant remove NAME", "Removes a tenant and its keys for good.",
         STATE_VERB_ROWS(state_rows), "NAME", remove_tenant},
    };
    return state_verbs_main(verbs, sizeof verbs / sizeof verbs[0], argc, argv);
}
