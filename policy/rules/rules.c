#include "policy/rules/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "policy/data/shipped.h"
#include "policy/rules/rules_parts.h"

static const char *const file_keys[] = {"version",  "name",        "note",  "extends",   "region",
                                        "inbound",  "outbound",    "keep",  "formats",   "crisis",
                                        "webhook",  "second_read", "packs", "resources", "duties",
                                        "canaries", NULL};
static const char *const base_words[] = {"observe", "standard", "strict", "redact", NULL};

enum { EXTRA_MAX = 32, NOT_EXTENDED = -1 };

/* ---- files that take part -------------------------------------------------------------------- */

static void hash_bytes(struct rules_whole *whole, const void *bytes, size_t length)
{
    unsigned char size[8];
    for (size_t i = 0; i < sizeof size; i++) {
        size[i] = (unsigned char)(length >> 8 * i);
    }
    (void)crypto_hash_sha256_update(&whole->hash, size, sizeof size);
    (void)crypto_hash_sha256_update(&whole->hash, bytes, length);
}

/* A file takes part, with its name. */
static void count_file(struct rules_whole *whole, const char *name, const char *bytes,
                       size_t length)
{
    hash_bytes(whole, name, strlen(name));
    hash_bytes(whole, bytes, length);
}

enum status rules_whole_read(struct rules_whole *whole, const char *folder, const char *name,
                             struct buffer *out, char told[RULES_TOLD_BYTES],
                             struct failure *failure)
{
    char path[DATA_FILE_PATH_BYTES];
    char key[DATA_FILE_PATH_BYTES];
    ASSERT(whole->file_count < RULES_FILES_MAX);
    const enum status status = data_file_read(folder, name, whole->directory, path, out, failure);
    if (path[0] != '\0') {
        memcpy(whole->files[whole->file_count++], path, sizeof path);
    }
    if (status == STATUS_OK) {
        snprintf(key, sizeof key, "%s/%s.yaml", folder, name);
        count_file(whole, key, out->bytes ? out->bytes : "", out->length);
        snprintf(told, RULES_TOLD_BYTES, "%s", path[0] != '\0' ? path : key);
    }
    return status;
}

static void write_digest(struct rules_whole *whole)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256_final(&whole->hash, digest);
    (void)sodium_bin2hex(whole->rules.digest, sizeof whole->rules.digest, digest, sizeof digest);
}

/* ---- one file -------------------------------------------------------------------------------- */

static enum status check_head(const struct rules_reader *reader, const struct yaml_node *root)
{
    int64_t version = 0;
    const enum status status = rules_reader_keys(reader, root, "rules", file_keys);
    if (status == STATUS_OK && !yaml_integer(yaml_get(root, "version"), 1, 1, &version)) {
        return yaml_wrong(reader->tree, yaml_get(root, "version"), reader->failure,
                          "version: 1 is the only one");
    }
    return status;
}

static enum status read_extra(struct rules_whole *whole, const struct rules_reader *reader,
                              const struct yaml_node *root)
{
    static const char *const keys[] = {"extra", NULL};
    const struct yaml_node *map = yaml_get(root, "resources");
    const struct yaml_node *list = NULL;
    enum status status = rules_reader_keys(reader, map, "resources", keys);
    if (status == STATUS_OK) {
        status = rules_reader_list(reader, map, "extra", EXTRA_MAX, &list);
    }
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i, NULL);
        const char *text = yaml_text(node);
        if (!text || resources_extend(whole->resources, text) != STATUS_OK) {
            status = yaml_wrong(reader->tree, node, reader->failure,
                                "extra: a number, name or web address of a crisis line, in "
                                "quotes, of at most 150 bytes");
        }
    }
    return status;
}

/* The region of the last file that names one. */
static enum status read_region(struct rules_whole *whole, const struct rules_reader *reader,
                               const struct yaml_node *root)
{
    struct rules *rules = &whole->rules;
    struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
    char told[RULES_TOLD_BYTES];
    enum status status =
        rules_reader_text(reader, root, "region", rules->region, sizeof rules->region);
    if (status == STATUS_OK) {
        status = rules_whole_read(whole, "regions", rules->region, &text, told, reader->failure);
        if (status == STATUS_NOT_FOUND) {
            status =
                yaml_wrong(reader->tree, yaml_get(root, "region"), reader->failure,
                           "region: there is no \"%.15s\"; see ward policy list", rules->region);
        }
    }
    if (status == STATUS_OK) {
        status = resources_parse(text.bytes ? text.bytes : "", text.length, told, &whole->resources,
                                 reader->failure);
    }
    buffer_destroy(&text);
    return status == STATUS_OK ? read_extra(whole, reader, root) : status;
}

static enum status read_base(struct rules_whole *whole, const char *name, struct failure *failure)
{
    const char *directory = whole->directory;
    struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
    char told[RULES_TOLD_BYTES];
    struct yaml_tree *tree = NULL;
    whole->directory = NULL; /* the shipped ones alone: an operator's file cannot replace them */
    enum status status = rules_whole_read(whole, "rules", name, &text, told, failure);
    whole->directory = directory;
    if (status == STATUS_OK) {
        status = yaml_tree_parse(text.bytes ? text.bytes : "", text.length, told, &tree, failure);
    }
    if (status == STATUS_OK) {
        const struct rules_reader reader = {.tree = tree, .failure = failure};
        const struct yaml_node *root = yaml_tree_root(tree);
        status = check_head(&reader, root);
        status = status == STATUS_OK ? rules_fields_read(&reader, root, &whole->rules) : status;
        status = status == STATUS_OK ? rules_packs_read(whole, &reader, root) : status;
    }
    yaml_tree_destroy(tree);
    buffer_destroy(&text);
    return status;
}

/* A file without `extends` stands on "standard": what it does not say is filtered, not let by. */
static enum status read_file(struct rules_whole *whole, const struct rules_reader *reader,
                             bool is_shipped)
{
    const struct yaml_node *root = yaml_tree_root(reader->tree);
    const struct yaml_node *extends = yaml_get(root, "extends");
    size_t base = 1;
    enum status status = check_head(reader, root);
    if (status == STATUS_OK && extends) {
        status = rules_reader_word(reader, extends, "extends", base_words, &base);
    }
    if (status == STATUS_OK && !is_shipped) {
        status = read_base(whole, base_words[base], reader->failure);
    }
    status = status == STATUS_OK ? rules_fields_read(reader, root, &whole->rules) : status;
    status = status == STATUS_OK ? read_region(whole, reader, root) : status;
    status = status == STATUS_OK ? rules_packs_read(whole, reader, root) : status;
    status = status == STATUS_OK ? rules_reader_text(reader, root, "name", whole->rules.name,
                                                     sizeof whole->rules.name)
                                 : status;
    if (status == STATUS_OK && yaml_get(root, "name") && !data_file_is_name(whole->rules.name)) {
        status = yaml_wrong(reader->tree, yaml_get(root, "name"), reader->failure,
                            "name: letters, digits, \"-\" and \"_\"");
    }
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void destroy(struct rules_whole *whole)
{
    if (whole) {
        resources_destroy(whole->resources);
        free(whole);
    }
}

/* What follows from the rest. */
static void settle(struct rules_whole *whole)
{
    struct rules *rules = &whole->rules;
    rules->terms.resources = whole->resources;
    rules->terms.formats = rules->formats;
    rules->changes_text = rules->duties.refuses_clinician_claims;
    for (size_t kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        rules->changes_text = rules->changes_text || rules->inbound[kind] >= POLICY_REDACT
                              || rules->outbound[kind] >= POLICY_REDACT;
    }
    write_digest(whole);
}

/* The last part of a path, without ".yaml". */
static void write_stem(const char *path, char out[RULES_NAME_BYTES])
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strstr(base, ".yaml");
    const size_t length = dot ? (size_t)(dot - base) : strlen(base);
    snprintf(out, RULES_NAME_BYTES, "%.*s", length < 60 ? (int)length : 60, base);
}

struct origin {
    const char *name;      /* in errors; its last part in the digest */
    const char *directory; /* NULL: none */
    bool is_shipped;
};

static enum status make(const struct origin *origin, const char *yaml, size_t length,
                        struct rules **out, struct failure *failure)
{
    struct rules_whole *whole = calloc(1, sizeof *whole);
    struct yaml_tree *tree = NULL;
    if (!whole || sodium_init() < 0) {
        free(whole);
        return fail(failure, STATUS_IO, "no memory");
    }
    atomic_init(&whole->references, 1);
    (void)crypto_hash_sha256_init(&whole->hash);
    whole->directory = origin->directory;
    memcpy(whole->rules.region, "us", 3);
    write_stem(origin->name, whole->rules.name);
    count_file(whole, whole->rules.name, yaml, length);
    enum status status = yaml_tree_parse(yaml, length, origin->name, &tree, failure);
    if (status == STATUS_OK) {
        const struct rules_reader reader = {.tree = tree, .failure = failure};
        status = read_file(whole, &reader, origin->is_shipped);
    }
    yaml_tree_destroy(tree);
    whole->directory = NULL; /* was borrowed */
    if (status != STATUS_OK) {
        destroy(whole);
        return status;
    }
    settle(whole);
    *out = &whole->rules;
    return STATUS_OK;
}

enum status rules_parse(const char *yaml, size_t length, const char *name, const char *directory,
                        struct rules **out, struct failure *failure)
{
    const struct origin origin = {.name = name, .directory = directory};
    return make(&origin, yaml, length, out, failure);
}

enum status rules_load(const char *path, const char *directory, struct rules **out,
                       struct failure *failure)
{
    struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
    enum status status = buffer_read_file(&text, path);
    if (status != STATUS_OK) {
        fail(failure, status, "%.200s: %s", path, status_text(status));
    } else {
        status =
            rules_parse(text.bytes ? text.bytes : "", text.length, path, directory, out, failure);
    }
    buffer_destroy(&text);
    return status;
}

enum status rules_shipped(const char *name, struct rules **out, struct failure *failure)
{
    const struct origin origin = {.name = name, .is_shipped = true};
    struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
    char path[DATA_FILE_PATH_BYTES];
    enum status status = data_file_read("rules", name, NULL, path, &text, failure);
    if (status == STATUS_OK) {
        status = make(&origin, text.bytes ? text.bytes : "", text.length, out, failure);
    }
    buffer_destroy(&text);
    return status;
}

enum status rules_check_pack(const char *yaml, size_t length, const char *name,
                             struct failure *failure)
{
    return rules_packs_check(yaml, length, name, failure);
}

static struct rules_whole *whole_of(struct rules *rules)
{
    return (struct rules_whole *)(void *)rules; /* its first member */
}

struct rules *rules_hold(struct rules *rules)
{
    const unsigned before = atomic_fetch_add(&whole_of(rules)->references, 1);
    ASSERT(before > 0);
    return rules;
}

void rules_release(struct rules *rules)
{
    if (rules && atomic_fetch_sub(&whole_of(rules)->references, 1) == 1) {
        destroy(whole_of(rules));
    }
}

/* ---- what it was made of --------------------------------------------------------------------- */

const char *rules_file(const struct rules *rules, size_t index)
{
    const struct rules_whole *whole = (const struct rules_whole *)(const void *)rules;
    return index < whole->file_count ? whole->files[index] : NULL;
}

bool rules_source(const struct rules *rules, size_t index, struct rules_source *out)
{
    const struct rules_whole *whole = (const struct rules_whole *)(const void *)rules;
    if (index >= whole->source_count) {
        return false;
    }
    *out = (struct rules_source){.pack = whole->sources[index].pack,
                                 .duty = whole->sources[index].duty,
                                 .text = whole->sources[index].text};
    return true;
}

static const char *shipped_name(const char *folder, size_t index, char *out, size_t out_bytes)
{
    const size_t length = strlen(folder);
    for (const struct shipped_file *file = shipped_files; file->path; file++) {
        if (strncmp(file->path, folder, length) == 0 && index-- == 0) {
            const size_t stem = strlen(file->path) - length - strlen(".yaml");
            snprintf(out, out_bytes, "%.*s", (int)stem, file->path + length);
            return out;
        }
    }
    return NULL;
}

/* Names live in a table, so that they can be told without memory of the caller's. */
const char *rules_shipped_name(size_t index)
{
    return index < sizeof base_words / sizeof base_words[0] ? base_words[index] : NULL;
}

const char *rules_pack_name(size_t index)
{
    static _Thread_local char name[RULES_NAME_BYTES];
    return shipped_name("packs/", index, name, sizeof name);
}

const char *rules_region_name(size_t index)
{
    static _Thread_local char name[RULES_NAME_BYTES];
    return shipped_name("regions/", index, name, sizeof name);
}
