/* key.c - `ward key create|list|rotate|revoke`. A key's text is printed once, alone on its line,
 * and cannot be had again. A running server follows within a second. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/auth.h"
#include "server/commands/commands.h"
#include "server/commands/state_verbs.h"

enum { KEYS_LISTED_MAX = 16384, TIME_BYTES = 24 };

static struct {
    const char *tenant, *environment, *scopes;
    uint32_t overlap_s;
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
     .help = "infer, admin or infer,admin; default infer"},
    STATE_VERB_DIRECTORY,
};
static const struct option_row list_rows[] = {
    {.name = "tenant",
     .kind = OPTION_TEXT,
     .out = &given.tenant,
     .value = "NAME",
     .help = "only this tenant's"},
    {.name = "json", .kind = OPTION_FLAG, .out = &given.prints_json, .help = "one JSON array"},
    STATE_VERB_DIRECTORY,
};
static const struct option_row rotate_rows[] = {
    {.name = "overlap",
     .kind = OPTION_COUNT,
     .out = &given.overlap_s,
     .min = 0,
     .max = 366 * 24 * 3600,
     .value = "SECONDS",
     .help = "how long the old secret stays valid; default a day (86400)"},
    STATE_VERB_DIRECTORY,
};
static const struct option_row revoke_rows[] = {STATE_VERB_DIRECTORY};

/* ---- scopes and times ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    uint32_t scope;
} scopes[] = {{"infer", AUTH_SCOPE_INFER}, {"admin", AUTH_SCOPE_ADMIN}};
enum { SCOPE_COUNT = sizeof scopes / sizeof scopes[0] };

static uint32_t scope_of(const char *name, size_t length)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (strlen(scopes[i].name) == length && memcmp(scopes[i].name, name, length) == 0) {
            return scopes[i].scope;
        }
    }
    return 0;
}

/* "infer,admin"; false: a name that is none. */
static bool read_scopes(const char *text, uint32_t *out)
{
    *out = 0;
    for (;;) {
        const size_t length = strcspn(text, ",");
        const uint32_t scope = scope_of(text, length);
        if (scope == 0) {
            return false;
        }
        *out |= scope;
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

static void write_scopes(uint32_t set, char out[32])
{
    snprintf(out, 32, "%s%s%s", set & AUTH_SCOPE_INFER ? "infer" : "",
             set == (AUTH_SCOPE_INFER | AUTH_SCOPE_ADMIN) ? "," : "",
             set & AUTH_SCOPE_ADMIN ? "admin" : "");
}

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

static enum status create(struct auth *auth, const char *word, struct failure *failure)
{
    (void)word;
    char key[AUTH_KEY_TEXT_BYTES];
    uint32_t set = 0;
    if (!read_scopes(given.scopes, &set)) {
        return fail(failure, STATUS_INVALID, "--scope: must be infer, admin or infer,admin");
    }
    const enum status status =
        auth_key_create(auth, given.tenant, given.environment, set, key, failure);
    if (status == STATUS_OK) {
        show(key);
    }
    return status;
}

static enum status rotate(struct auth *auth, const char *word, struct failure *failure)
{
    char key[AUTH_KEY_TEXT_BYTES];
    const enum status status = auth_key_rotate(auth, word, given.overlap_s, key, failure);
    if (status == STATUS_OK) {
        show(key);
    }
    return status;
}

static enum status revoke(struct auth *auth, const char *word, struct failure *failure)
{
    const enum status status = auth_key_revoke(auth, word, failure);
    if (status == STATUS_OK) {
        printf("key %s revoked\n", word);
    }
    return status;
}

static void print_key(const struct auth_key *key, json_t *array)
{
    char names[32];
    write_scopes(key->scopes, names);
    if (array) {
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "id", key->id,
                                               "tenant", key->tenant_name, "scopes", names,
                                               "created_unix_s", (json_int_t)key->created_unix_s,
                                               "revoked_unix_s", (json_int_t)key->revoked_unix_s,
                                               "old_secret_expires_unix_s",
                                               (json_int_t)key->expires_unix_s));
    } else {
        char created[TIME_BYTES], revoked[TIME_BYTES], expires[TIME_BYTES];
        printf("%-16s %-32s %-11s %-20s %-20s %s\n", key->id, key->tenant_name, names,
               write_time(key->created_unix_s, created), write_time(key->revoked_unix_s, revoked),
               write_time(key->expires_unix_s, expires));
    }
}

static enum status list(struct auth *auth, const char *word, struct failure *failure)
{
    (void)word;
    struct auth_key *keys = calloc(KEYS_LISTED_MAX, sizeof *keys);
    json_t *array = given.prints_json ? json_array() : NULL;
    if (!keys || (given.prints_json && !array)) {
        free(keys);
        return fail(failure, STATUS_IO, "no memory");
    }
    const size_t count = auth_key_list(auth, given.tenant, keys, KEYS_LISTED_MAX);
    if (!array) {
        printf("%-16s %-32s %-11s %-20s %-20s %s\n", "id", "tenant", "scopes", "created", "revoked",
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
    static const struct state_verb verbs[] = {
        {"create", "ward key create --tenant NAME [options]",
         "Makes a key and prints it, once, alone on stdout.", STATE_VERB_ROWS(create_rows), NULL,
         create},
        {"list", "ward key list [options]", "Prints keys, never their secrets.",
         STATE_VERB_ROWS(list_rows), NULL, list},
        {"rotate", "ward key rotate KEYID [options]",
         "Makes a new secret for a key and prints the new key.", STATE_VERB_ROWS(rotate_rows),
         "KEYID", rotate},
        {"revoke", "ward key revoke KEYID", "The key stops working, its requests end.",
         STATE_VERB_ROWS(revoke_rows), "KEYID", revoke},
    };
    return state_verbs_main(verbs, sizeof verbs / sizeof verbs[0], argc, argv);
}
