/* policy.c - rules of tenants from a directory. What is in force is a table that is replaced as a
 * whole; readers hold a lock for as long as it takes to find a row and count one up. A file is read
 * again when it, or a pack or region that it named, or would have named, is another file, has
 * another size or time. */
#include "policy/policy.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "policy/data/data_file.h"

enum { TENANTS_MAX = 16384, FILES_MAX = 12, DIRECTORY_BYTES = 384 };

static const char default_stem[] = "default";

/* What a file was when it was read. */
struct mark {
    bool exists;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct row {
    char name[RULES_NAME_BYTES];   /* of the tenant; "default": everyone else's */
    struct rules *rules;           /* NULL: its file was never right */
    struct mark marks[FILES_MAX];  /* its own file, then rules_file(0) .. */
    char told[FAILURE_TEXT_BYTES]; /* what is wrong with it and was told; "": nothing */
};

struct table {             /* sorted by name */
    struct rules *shipped; /* where default.yaml is missing */
    uint32_t count;
    struct row rows[];
};

struct policy {
    char directory[DIRECTORY_BYTES];
    struct lexicon *lexicon;
    struct crisis_rules *crisis;
    struct vault *vault;
    pthread_mutex_t refreshing; /* one reads files at a time */
    pthread_mutex_t mutex;      /* over `table` */
    struct table *table;
};

/* ---- tables ---------------------------------------------------------------------------------- */

static int compare_rows(const void *left, const void *right)
{
    return strcmp(((const struct row *)left)->name, ((const struct row *)right)->name);
}

static const struct row *find_row(const struct table *table, const char *name)
{
    uint32_t low = 0;
    uint32_t high = table ? table->count : 0;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = strcmp(name, table->rows[middle].name);
        if (order == 0) {
            return &table->rows[middle];
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return NULL;
}

/* Never NULL. */
static struct rules *rules_of(const struct table *table, const char *name)
{
    const struct row *row = find_row(table, name);
    if (!row || !row->rules) {
        row = find_row(table, default_stem);
    }
    return row && row->rules ? row->rules : table->shipped;
}

static void destroy_table(struct table *table)
{
    if (table) {
        for (uint32_t i = 0; i < table->count; i++) {
            rules_release(table->rows[i].rules);
        }
        rules_release(table->shipped);
        free(table);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

static struct mark mark_of(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return (struct mark){.exists = false};
    }
    return (struct mark){
        .exists = true, .inode = info.st_ino, .size = info.st_size, .changed = info.st_mtim};
}

static bool is_same_mark(struct mark a, struct mark b)
{
    return a.exists == b.exists && a.inode == b.inode && a.size == b.size
           && a.changed.tv_sec == b.changed.tv_sec && a.changed.tv_nsec == b.changed.tv_nsec;
}

static void write_path(const struct policy *policy, const char *name,
                       char out[DATA_FILE_PATH_BYTES])
{
    snprintf(out, DATA_FILE_PATH_BYTES, "%s/%s.yaml", policy->directory, name);
}

/* Marks of every file that the row's rules were made of, as they are now. */
static void take_marks(const struct policy *policy, const struct row *row,
                       struct mark marks[FILES_MAX])
{
    char path[DATA_FILE_PATH_BYTES];
    const char *file = NULL;
    memset(marks, 0, FILES_MAX * sizeof *marks);
    write_path(policy, row->name, path);
    marks[0] = mark_of(path);
    for (size_t i = 0; row->rules && (file = rules_file(row->rules, i)) != NULL; i++) {
        ASSERT(i + 1 < FILES_MAX);
        marks[i + 1] = mark_of(file);
    }
}

static bool is_unchanged(const struct policy *policy, const struct row *row)
{
    struct mark now[FILES_MAX];
    bool is_same = row->rules != NULL && row->told[0] == '\0';
    take_marks(policy, row, now);
    for (size_t i = 0; is_same && i < FILES_MAX; i++) {
        is_same = is_same_mark(now[i], row->marks[i]);
    }
    return is_same;
}

/* Read twice: which files take part is known after the first time; their marks are taken before the
 * second, so that what changes later has another mark. */
static enum status load_row(const struct policy *policy, struct row *row, struct failure *failure)
{
    char path[DATA_FILE_PATH_BYTES];
    write_path(policy, row->name, path);
    for (int pass = 0; pass < 2; pass++) {
        struct rules *rules = NULL;
        const enum status status = rules_load(path, policy->directory, &rules, failure);
        if (status != STATUS_OK) {
            return status;
        }
        rules_release(row->rules);
        row->rules = rules;
        if (pass == 0) {
            take_marks(policy, row, row->marks);
        }
    }
    row->told[0] = '\0';
    return STATUS_OK;
}

/* What is wrong stays as it was, and is told once for as long as it is wrong in the same way. */
static enum status renew_row(const struct policy *policy, const struct table *before,
                             struct row *row, struct failure *failure)
{
    struct failure wrong = {""};
    const struct row *old = find_row(before, row->name);
    if (old) {
        *row = *old;
        row->rules = old->rules ? rules_hold(old->rules) : NULL;
        if (is_unchanged(policy, row)) {
            return STATUS_OK;
        }
    }
    const enum status status = load_row(policy, row, &wrong);
    if (status == STATUS_OK || strcmp(wrong.text, row->told) == 0) {
        return STATUS_OK;
    }
    memcpy(row->told, wrong.text, sizeof row->told);
    return fail(failure, status, "%s", wrong.text);
}

/* ---- the directory --------------------------------------------------------------------------- */

/* "clinic-a.yaml" -> "clinic-a"; false: another file. */
static bool read_stem(const char *file, char out[RULES_NAME_BYTES])
{
    const size_t length = strlen(file);
    const size_t suffix = strlen(".yaml");
    if (length <= suffix || length - suffix >= RULES_NAME_BYTES
        || strcmp(file + length - suffix, ".yaml") != 0) {
        return false;
    }
    memcpy(out, file, length - suffix);
    out[length - suffix] = '\0';
    return data_file_is_name(out);
}

static enum status grow(struct table **table, uint32_t *capacity)
{
    const uint32_t wanted = *capacity ? 2 * *capacity : 16;
    struct table *grown = realloc(*table, sizeof **table + wanted * sizeof *grown->rows);
    if (!grown || wanted > TENANTS_MAX) {
        *table = grown ? grown : *table;
        return grown ? STATUS_FULL : STATUS_IO;
    }
    *table = grown;
    *capacity = wanted;
    return STATUS_OK;
}

/* Rows with names alone, sorted. */
static enum status list_names(const struct policy *policy, struct table **table,
                              struct failure *failure)
{
    uint32_t capacity = 0;
    enum status status = STATUS_OK;
    DIR *folder = policy->directory[0] ? opendir(policy->directory) : NULL;
    if (policy->directory[0] && !folder) {
        return fail(failure, STATUS_IO, "policy: %s: cannot be opened", policy->directory);
    }
    for (struct dirent *entry = NULL; folder && (entry = readdir(folder)) != NULL;) {
        char stem[RULES_NAME_BYTES];
        if (!read_stem(entry->d_name, stem)) {
            continue;
        }
        status = (*table)->count == capacity ? grow(table, &capacity) : STATUS_OK;
        if (status != STATUS_OK) {
            status = fail(failure, status, "policy: %s: more than %d files", policy->directory,
                          TENANTS_MAX);
            break;
        }
        struct row *row = &(*table)->rows[(*table)->count++];
        memset(row, 0, sizeof *row);
        memcpy(row->name, stem, sizeof stem);
    }
    if (folder) {
        closedir(folder);
    }
    if ((*table)->count > 1) {
        qsort((*table)->rows, (*table)->count, sizeof *(*table)->rows, compare_rows);
    }
    return status;
}

/* Not OK, yet *out set: what could be read is new, the rest as it was. */
static enum status read_directory(const struct policy *policy, struct table **out,
                                  struct failure *failure)
{
    struct table *table = calloc(1, sizeof *table);
    if (!table) {
        return fail(failure, STATUS_IO, "policy: no memory");
    }
    enum status status = list_names(policy, &table, failure);
    if (status != STATUS_OK) {
        free(table); /* its rows hold nothing yet */
        return status;
    }
    table->shipped = rules_hold(policy->table->shipped);
    for (uint32_t i = 0; i < table->count; i++) {
        const enum status now = renew_row(policy, policy->table, &table->rows[i], failure);
        status = now != STATUS_OK ? now : status;
    }
    *out = table;
    return status;
}

static bool is_other(const struct rules *before, const struct rules *after)
{
    return before != after && strcmp(before->digest, after->digest) != 0;
}

static void tell(const struct table *before, const struct table *after, policy_changed changed,
                 void *context)
{
    const struct rules *base = rules_of(after, default_stem);
    if (is_other(rules_of(before, default_stem), base)) {
        changed(context, "", base);
    }
    for (uint32_t i = 0; i < after->count; i++) {
        const char *name = after->rows[i].name;
        if (after->rows[i].rules && strcmp(name, default_stem) != 0
            && is_other(rules_of(before, name), after->rows[i].rules)) {
            changed(context, name, after->rows[i].rules);
        }
    }
    for (uint32_t i = 0; i < before->count; i++) {
        const char *name = before->rows[i].name;
        if (before->rows[i].rules && !find_row(after, name) && strcmp(name, default_stem) != 0
            && is_other(before->rows[i].rules, base)) {
            changed(context, name, base);
        }
    }
}

/* ---- interface ------------------------------------------------------------------------------- */

static enum status open_parts(struct policy *policy, const struct policy_config *config,
                              struct failure *failure)
{
    const size_t length = strlen(config->directory);
    if (length >= sizeof policy->directory) {
        return fail(failure, STATUS_INVALID, "policy: directory: at most %d bytes",
                    DIRECTORY_BYTES - 1);
    }
    memcpy(policy->directory, config->directory, length + 1);
    policy->table = calloc(1, sizeof *policy->table);
    if (!policy->table || lexicon_create(&policy->lexicon) != STATUS_OK) {
        return fail(failure, STATUS_IO, "policy: no memory");
    }
    enum status status = vault_create(&config->vault, &policy->vault);
    if (status != STATUS_OK) {
        return fail(failure, status, "policy: the vault: %s", status_text(status));
    }
    status = crisis_rules_create(&policy->crisis, failure);
    return status == STATUS_OK
               ? rules_shipped(config->default_name, &policy->table->shipped, failure)
               : status;
}

enum status policy_open(const struct policy_config *config, struct policy **out,
                        struct failure *failure)
{
    struct policy *policy = calloc(1, sizeof *policy);
    struct table *table = NULL;
    if (!policy) {
        return fail(failure, STATUS_IO, "policy: no memory");
    }
    pthread_mutex_init(&policy->refreshing, NULL);
    pthread_mutex_init(&policy->mutex, NULL);
    enum status status = open_parts(policy, config, failure);
    if (status == STATUS_OK) {
        status = read_directory(policy, &table, failure);
    }
    if (status == STATUS_OK) {
        destroy_table(policy->table);
        policy->table = table;
        table = NULL;
        *out = policy;
        policy = NULL;
    }
    destroy_table(table);
    policy_close(policy);
    return status;
}

void policy_close(struct policy *policy)
{
    if (policy) {
        destroy_table(policy->table);
        vault_destroy(policy->vault);
        crisis_rules_destroy(policy->crisis);
        lexicon_destroy(policy->lexicon);
        pthread_mutex_destroy(&policy->mutex);
        pthread_mutex_destroy(&policy->refreshing);
        free(policy);
    }
}

enum status policy_refresh(struct policy *policy, policy_changed changed, void *context,
                           struct failure *failure)
{
    struct table *table = NULL;
    pthread_mutex_lock(&policy->refreshing);
    const enum status status = read_directory(policy, &table, failure);
    if (table) {
        struct table *before = policy->table;
        pthread_mutex_lock(&policy->mutex);
        policy->table = table;
        pthread_mutex_unlock(&policy->mutex);
        tell(before, table, changed, context);
        destroy_table(before);
    }
    pthread_mutex_unlock(&policy->refreshing);
    return status;
}

struct rules *policy_rules(struct policy *policy, const char *tenant_name)
{
    pthread_mutex_lock(&policy->mutex);
    struct rules *rules = rules_hold(rules_of(policy->table, tenant_name));
    pthread_mutex_unlock(&policy->mutex);
    return rules;
}

const struct lexicon *policy_lexicon(const struct policy *policy)
{
    return policy->lexicon;
}

const struct crisis_rules *policy_crisis(const struct policy *policy)
{
    return policy->crisis;
}

struct vault *policy_vault(struct policy *policy)
{
    return policy->vault;
}
