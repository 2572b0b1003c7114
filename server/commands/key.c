/* key.c - `ward key create|list|rotate|revoke`. A key's text is printed once, alone on its line,
 * and cannot be had again. A running server follows within a second. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/commands/commands.h"
#include "server/commands/support/administration.h"
#include "server/commands/verbs.h"

enum { KEYS_LISTED_MAX = 16384, TIME_BYTES = 24 };

static struct {
    const char *tenant, *environment, *scopes;
    uint32_t scope_set, overlap_s;
    bool prints_json;
} given = {.environment = "live", .scopes = "infer", .overlap_s = 86400};

static const struct option_row create_rows[] = {
    {.name = "tenant",
     .kind = OPTION_TEXT,
     .out = &given.tenant,
     .value = "NAME",
     .help = "whose key it is",
     .is_required = true},
    {.name = "env",
     .kind = OPTION_TEXT,
     .out = &given.environment,
     .value = "live|test",
     .help = "written into the key, for people; default live"},
    {.name = "scope",
     .kind = OPTION_TEXT,
     .out = &given.scopes,
     .value = "LIST",
     .help = "of infer, admin, audit:read, with commas between; default infer"},
    STATE_ROW,
};
static const struct option_row list_rows[] = {
    {.name = "tenant",
     .kind = OPTION_TEXT,
     .out = &given.tenant,
     .value = "NAME",
     .help = "only this tenant's"},
    {.name = "json", .kind = OPTION_FLAG, .out = &given.prints_json, .help = "one JSON array"},
    STATE_ROW,
};
static const struct option_row rotate_rows[] = {
    {.name = "overlap",
     .kind = OPTION_COUNT,
     .out = &given.overlap_s,
     .min = 0,
     .max = 366 * 24 * 3600,
     .value = "SECONDS",
     .help = "how long the old secret stays valid; default a day (86400)"},
    STATE_ROW,
};
static const struct option_row revoke_rows[] = {STATE_ROW};

/* ---- times ----------------------------------------------------------------------------------- */

static const char *write_time(int64_t unix_s, char out[TIME_BYTES])
{
    const time_t seconds = (time_t)unix_s;
    struct tm utc;
    if (unix_s == 0 || !gmtime_r(&seconds, &utc)
        || strftime(out, TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        memcpy(out, "-", 2);
    }
    return out;
}

/* ---- verbs ----------------------------------------------------------------------------------- */

static void show(char key[AUTH_KEY_TEXT_BYTES])
{
    printf("%s\n", key);
    fputs("This is the only time that the key is shown.\n", stderr);
    explicit_bzero(key, AUTH_KEY_TEXT_BYTES);
}

static int check_create(void)
{
    return auth_scopes_read(given.scopes, &given.scope_set)
               ? OPTIONS_READY
               : options_wrong("--scope: must be of infer, admin, audit:read, with commas between");
}

static enum status create(struct state *state, const char *word, struct failure *failure)
{
    (void)word;
    char key[AUTH_KEY_TEXT_BYTES];
    const struct administration_new_key wanted = {
        .tenant_name = given.tenant, .environment = given.environment, .scopes = given.scope_set};
    const enum status status = administration_create_key(state, &wanted, key, failure);
    if (status == STATUS_OK) {
        show(key);
    }
    return status;
}

static enum status rotate(struct state *state, const char *word, struct failure *failure)
{
    char key[AUTH_KEY_TEXT_BYTES];
    const enum status status =
        administration_rotate_key(state, word, given.overlap_s, key, failure);
    if (status == STATUS_OK) {
        show(key);
    }
    return status;
}

static enum status revoke(struct state *state, const char *word, struct failure *failure)
{
    const enum status status = administration_revoke_key(state, word, failure);
    if (status == STATUS_OK) {
        printf("key %s revoked\n", word);
    }
    return status;
}

static void print_key(const struct auth_key *key, json_t *array)
{
    char names[AUTH_SCOPES_BYTES];
    auth_scopes_write(key->scopes, names);
    if (array) {
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "id", key->id,
                                               "tenant", key->tenant_name, "scopes", names,
                                               "created_unix_s", (json_int_t)key->created_unix_s,
                                               "revoked_unix_s", (json_int_t)key->revoked_unix_s,
                                               "old_secret_expires_unix_s",
                                               (json_int_t)key->expires_unix_s));
    } else {
        char created[TIME_BYTES], revoked[TIME_BYTES], expires[TIME_BYTES];
        printf("%-16s %-32s %-22s %-20s %-20s %s\n", key->id, key->tenant_name, names,
               write_time(key->created_unix_s, created), write_time(key->revoked_unix_s, revoked),
               write_time(key->expires_unix_s, expires));
    }
}

static enum status list(struct state *state, const char *word, struct failure *failure)
{
    (void)word;
    struct auth_key *keys = calloc(KEYS_LISTED_MAX, sizeof *keys);
    json_t *array = given.prints_json ? json_array() : NULL;
    if (!keys || (given.prints_json && !array)) {
        free(keys);
        return fail(failure, STATUS_IO, "no memory");
    }
    const size_t count = auth_key_list(state->auth, given.tenant, keys, KEYS_LISTED_MAX);
    if (!array) {
        printf("%-16s %-32s %-22s %-20s %-20s %s\n", "id", "tenant", "scopes", "created", "revoked",
               "old secret until");
    }
    for (size_t i = 0; i < count; i++) {
        print_key(&keys[i], array);
    }
    if (array) {
        json_dumpf(array, stdout, JSON_INDENT(1));
        putchar('\n');
    }
    json_decref(array);
    free(keys);
    return STATUS_OK;
}

/* ---- command --------------------------------------------------------------------------------- */

int key_main(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {.name = "create",
         .usage = "ward key create --tenant NAME [options]",
         .summary = "Makes a key and prints it, once, alone on stdout.",
         VERB_ROWS(create_rows),
         .check = check_create,
         .run_on_state = create},
        {.name = "list",
         .usage = "ward key list [options]",
         .summary = "Prints keys, never their secrets.",
         VERB_ROWS(list_rows),
         .run_on_state = list},
        {.name = "rotate",
         .usage = "ward key rotate KEYID [options]",
         .summary = "Makes a new secret for a key and prints the new key.",
         VERB_ROWS(rotate_rows),
         .word = "KEYID",
         .run_on_state = rotate},
        {.name = "revoke",
         .usage = "ward key revoke KEYID",
         .summary = "The key stops working, its requests end.",
         VERB_ROWS(revoke_rows),
         .word = "KEYID",
         .run_on_state = revoke},
    };
    return verbs_main(verbs, sizeof verbs / sizeof verbs[0], NULL, argc, argv);
}
