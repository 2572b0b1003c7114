/* Method: an operator's directory is changed step by step; after each step what holds for three
 * tenants and what `changed` and failure told is compared with what must. Readers hold and read
 * rules while a writer changes files and refreshes (ThreadSanitizer watches): each sees one whole
 * value. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/check.h"

enum { TOLD_BYTES = 256, READERS = 3, ROUNDS = 40 };

static char directory[] = "/tmp/ward-policy-XXXXXX";
static char told_names[TOLD_BYTES];

static void write_file(const char *name, const char *text)
{
    char path[256];
    char temporary[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *file = fopen(temporary, "we");
    CHECK(file && fputs(text, file) >= 0, "%s", temporary);
    if (file) {
        fclose(file);
    }
    CHECK(rename(temporary, path) == 0, "%s", path);
}

static void remove_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    CHECK(remove(path) == 0, "%s", path);
}

static void changed(void *context, const char *name, const struct rules *rules)
{
    (void)context;
    CHECK(strlen(rules->digest) == 64, "%s", name);
    const size_t used = strlen(told_names);
    snprintf(told_names + used, sizeof told_names - used, "%s=%s ", name, rules->name);
}

static struct policy *open_policy(const char *where)
{
    struct failure failure = {""};
    struct policy *policy = NULL;
    const struct policy_config config = {
        .directory = where,
        .default_name = "observe",
        .vault = {.sessions_max = 4, .values_max = 8, .lifetime_s = 60},
    };
    const enum status status = policy_open(&config, &policy, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    return policy;
}

static void holds(struct policy *policy, const char *tenant, const char *name)
{
    struct rules *rules = policy_rules(policy, tenant);
    CHECK(strcmp(rules->name, name) == 0, "%s: %s, not %s", tenant, rules->name, name);
    rules_release(rules);
}

/* names: what `changed` tells; part: of the failure, "": none. */
static void refreshed(struct policy *policy, const char *names, const char *part)
{
    struct failure failure = {""};
    told_names[0] = '\0';
    const enum status status = policy_refresh(policy, changed, NULL, &failure);
    CHECK((status == STATUS_OK) == (part[0] == '\0'), "%d: %s", (int)status, failure.text);
    CHECK(strcmp(told_names, names) == 0, "\"%s\", not \"%s\"", told_names, names);
    CHECK(status == STATUS_OK || strstr(failure.text, part), "%s", failure.text);
}

static void files_are_followed(void)
{
    CHECK(mkdtemp(directory), "a folder");
    struct policy *policy = open_policy(directory);
    holds(policy, "north", "observe");
    CHECK(policy_lexicon(policy) && policy_crisis(policy) && policy_vault(policy), "shared parts");
    refreshed(policy, "", "");

    write_file("north.yaml", "version: 1\nname: n1\npacks: [us-ca]\n");
    refreshed(policy, "north=n1 ", "");
    holds(policy, "north", "n1");
    holds(policy, "south", "observe");
    refreshed(policy, "", "");

    write_file("default.yaml", "version: 1\nname: d1\nextends: strict\n");
    refreshed(policy, "=d1 ", "");
    holds(policy, "south", "d1");
    holds(policy, "north", "n1");

    write_file("north.yaml", "version: 1\nname: n2\ncolour: red\n");
    refreshed(policy, "", "north.yaml:3: rules: \"colour\"");
    holds(policy, "north", "n1");
    refreshed(policy, "", ""); /* told once */
    write_file("north.yaml", "version: 1\nname: n3\nshape: red\n");
    refreshed(policy, "", "shape");
    write_file("south.yaml", "version: 1\nname: s1\n");
    refreshed(policy, "south=s1 ", ""); /* others are read all the same */
    write_file("north.yaml", "version: 1\nname: n4\npacks: [us-ca]\n");
    refreshed(policy, "north=n4 ", "");

    char path[256];
    snprintf(path, sizeof path, "%s/packs", directory);
    CHECK(mkdir(path, 0700) == 0, "%s", path);
    write_file("packs/us-ca.yaml", "version: 1\nnote: not legal advice\nrules:\n"
                                   "- {duty: retention_days, value: 5, source: ours}\n");
    refreshed(policy, "north=n4 ", ""); /* a pack that was not there */
    struct rules *rules = policy_rules(policy, "north");
    CHECK(rules->duties.retention_days == 5, "%u", rules->duties.retention_days);
    write_file("packs/us-ca.yaml", "version: 1\nrules: []\n");
    refreshed(policy, "", "packs/us-ca.yaml");
    holds(policy, "north", "n4");
    remove_file("packs/us-ca.yaml");
    refreshed(policy, "north=n4 ", "");
    remove_file("north.yaml");
    refreshed(policy, "north=d1 ", "");
    CHECK(rules->duties.retention_days == 5, "rules that are held stay");
    rules_release(rules);

    write_file("not a tenant.yaml", "nothing");
    write_file("readme.txt", "nothing");
    refreshed(policy, "", "");
    remove_file("not a tenant.yaml");
    remove_file("readme.txt");
    remove_file("default.yaml");
    refreshed(policy, "=observe ", "");
    policy_close(policy);
    policy_close(NULL);
}

static void wrong_starts_are_refused(void)
{
    struct failure failure = {""};
    struct policy *policy = NULL;
    struct policy_config config = {
        .directory = "/nowhere/at/all",
        .default_name = "observe",
        .vault = {.sessions_max = 4, .values_max = 8, .lifetime_s = 60},
    };
    CHECK(policy_open(&config, &policy, &failure) == STATUS_IO, "%s", failure.text);
    config.directory = "";
    config.default_name = "nothing";
    CHECK(policy_open(&config, &policy, &failure) == STATUS_NOT_FOUND, "%s", failure.text);
    config.default_name = "strict";
    config.directory = directory;
    write_file("default.yaml", "version: 9\n");
    CHECK(policy_open(&config, &policy, &failure) == STATUS_INVALID, "%s", failure.text);
    CHECK(strstr(failure.text, "default.yaml:1: version"), "%s", failure.text);
    remove_file("default.yaml");
    policy = open_policy("");
    holds(policy, "north", "observe");
    refreshed(policy, "", "");
    policy_close(policy);
}

/* ---- threads --------------------------------------------------------------------------------- */

static struct policy *shared;
static atomic_bool is_done;
static atomic_uint read_count;

/* retention_days and the name say the same number in every value. */
static void *read_rules(void *context)
{
    (void)context;
    while (!atomic_load(&is_done)) {
        struct rules *rules = policy_rules(shared, "north");
        const unsigned long number = strtoul(rules->name + 1, NULL, 10);
        CHECK(rules->name[0] == 'n' && number == rules->duties.retention_days, "%s", rules->name);
        CHECK(resources_string(rules->terms.resources, 0) != NULL, "alive");
        atomic_fetch_add(&read_count, 1);
        rules_release(rules);
    }
    return NULL;
}

static void readers_see_whole_values(void)
{
    pthread_t readers[READERS];
    char text[128];
    write_file("north.yaml", "version: 1\nname: n1\nduties: {retention_days: 1}\n");
    shared = open_policy(directory);
    for (size_t i = 0; i < READERS; i++) {
        CHECK(pthread_create(&readers[i], NULL, read_rules, NULL) == 0, "%zu", i);
    }
    for (unsigned round = 2; round < ROUNDS; round++) {
        struct failure failure = {""};
        snprintf(text, sizeof text, "version: 1\nname: n%u\nduties: {retention_days: %u}\n", round,
                 round);
        write_file("north.yaml", round % 5 == 0 ? "version: 2\n" : text);
        const enum status status = policy_refresh(shared, changed, NULL, &failure);
        CHECK((status == STATUS_OK) == (round % 5 != 0), "%s", failure.text);
    }
    while (atomic_load(&read_count) < READERS) {
        usleep(1000);
    }
    atomic_store(&is_done, true);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    holds(shared, "north", "n39");
    policy_close(shared);
    remove_file("north.yaml");
    remove_file("south.yaml");
    remove_file("packs");
    CHECK(rmdir(directory) == 0, "%s", directory);
}

CHECK_MAIN(files_are_followed, wrong_starts_are_refused, readers_see_whole_values)
