/* policy.c - `ward policy check|show|list`: rules before a server runs by them. Packs and regions
 * that lie beside a file come before the shipped ones, as they do for the server. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/data/data_file.h"
#include "policy/rules/rules.h"
#include "policy/yaml/yaml_tree.h"
#include "server/commands/commands.h"
#include "server/commands/verbs.h"

enum { PATH_BYTES = 1024, KIND_COLUMNS = 8 };

static struct {
    const char *directory;
    bool prints_json;
} given;

#define DIRECTORY_ROW(text)                                                                \
    {                                                                                      \
        .name = "directory", .kind = OPTION_TEXT, .out = &given.directory, .value = "DIR", \
        .help = (text)                                                                     \
    }

static const struct option_row check_rows[] = {
    DIRECTORY_ROW("where packs/ and regions/ lie; default: the folder of each FILE"),
    {.name = "json", .kind = OPTION_FLAG, .out = &given.prints_json, .help = "one JSON object"},
};
static const struct option_row show_rows[] = {
    DIRECTORY_ROW("rules of tenants, packs/ and regions/, as policy.directory of the server"),
};
static const struct option_row list_rows[] = {
    {.name = "json", .kind = OPTION_FLAG, .out = &given.prints_json, .help = "one JSON object"},
};

/* Where it is missing, shipped files would be read in its place. */
static int check_directory(void)
{
    return given.directory && access(given.directory, X_OK) != 0
               ? options_wrong("policy: --directory %.200s: there is no such folder, or it is "
                               "not open to you",
                               given.directory)
               : OPTIONS_READY;
}

/* ---- check ----------------------------------------------------------------------------------- */

/* What a file is, by the one key that the others do not have. */
enum file_kind { FILE_RULES, FILE_PACK, FILE_REGION };
static const char *const kind_names[] = {"rules", "pack", "region"};

struct checked {
    enum file_kind kind;
    struct rules *rules; /* of FILE_RULES */
};

static enum status kind_of(const struct buffer *text, const char *path, enum file_kind *out,
                           struct failure *failure)
{
    struct yaml_tree *tree = NULL;
    const char *bytes = text->bytes ? text->bytes : "";
    const enum status status = yaml_tree_parse(bytes, text->length, path, &tree, failure);
    if (status == STATUS_OK) {
        const struct yaml_node *root = yaml_tree_root(tree);
        *out = yaml_get(root, "rules")   ? FILE_PACK
               : yaml_get(root, "lines") ? FILE_REGION
                                         : FILE_RULES;
    }
    yaml_tree_destroy(tree);
    return status;
}

static const char *folder_of(const char *path, char out[PATH_BYTES])
{
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) : 0;
    snprintf(out, PATH_BYTES, "%.*s", (int)(length < PATH_BYTES ? length : PATH_BYTES - 1), path);
    return slash ? (length > 0 ? out : "/") : ".";
}

static enum status check_text(const struct buffer *text, const char *path, struct checked *out,
                              struct failure *failure)
{
    char folder[PATH_BYTES];
    const char *bytes = text->bytes ? text->bytes : "";
    const char *directory = given.directory ? given.directory : folder_of(path, folder);
    struct resources *resources = NULL;
    enum status status = kind_of(text, path, &out->kind, failure);
    if (status != STATUS_OK) {
        return status;
    }
    switch (out->kind) {
    case FILE_PACK:
        return rules_check_pack(bytes, text->length, path, failure);
    case FILE_REGION:
        status = resources_parse(bytes, text->length, path, &resources, failure);
        resources_destroy(resources);
        return status;
    case FILE_RULES:
        break;
    }
    return rules_parse(bytes, text->length, path, directory, &out->rules, failure);
}

static enum status check_file(const char *path, struct checked *out, struct failure *failure)
{
    struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
    enum status status = buffer_read_file(&text, path);
    if (status != STATUS_OK) {
        status = fail(failure, status, "%.200s: %s", path, status_text(status));
    } else {
        status = check_text(&text, path, out, failure);
    }
    buffer_destroy(&text);
    return status;
}

static json_t *file_json(const char *path, const struct checked *checked, const char *error)
{
    json_t *object = json_pack("{s:s, s:b}", "file", path, "ok", error == NULL);
    json_t *packs = json_array();
    if (error) {
        json_object_set_new(object, "error", json_string(error));
    } else {
        json_object_set_new(object, "kind", json_string(kind_names[checked->kind]));
    }
    for (uint32_t i = 0; checked->rules && i < checked->rules->pack_count; i++) {
        json_array_append_new(packs, json_string(checked->rules->packs[i]));
    }
    if (checked->rules) {
        json_object_set_new(object, "name", json_string(checked->rules->name));
        json_object_set_new(object, "digest", json_string(checked->rules->digest));
        json_object_set(object, "packs", packs);
    }
    json_decref(packs);
    return object;
}

static void print_checked(const char *path, const struct checked *checked)
{
    const struct rules *rules = checked->rules;
    if (!rules) {
        printf("%s: ok, a %s\n", path, kind_names[checked->kind]);
        return;
    }
    printf("%s: ok, digest %s, packs", path, rules->digest);
    for (uint32_t i = 0; i < rules->pack_count; i++) {
        printf(" %s", rules->packs[i]);
    }
    printf("%s\n", rules->pack_count == 0 ? " none" : "");
}

static int print_json(json_t *object)
{
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    json_decref(object);
    if (!text) {
        const struct failure failure = {"no memory"};
        return options_failed(&failure);
    }
    puts(text);
    free(text);
    return 0;
}

static int check(int count, char **paths)
{
    json_t *files = json_array();
    bool is_good = true;
    for (int i = 0; i < count; i++) {
        struct failure failure = {""};
        struct checked checked = {.rules = NULL};
        const bool is_ok = check_file(paths[i], &checked, &failure) == STATUS_OK;
        is_good = is_good && is_ok;
        if (given.prints_json) {
            json_array_append_new(files,
                                  file_json(paths[i], &checked, is_ok ? NULL : failure.text));
        } else if (is_ok) {
            print_checked(paths[i], &checked);
        } else {
            (void)options_failed(&failure);
        }
        rules_release(checked.rules);
    }
    const int code =
        given.prints_json ? print_json(json_pack("{s:b, s:O}", "ok", is_good, "files", files)) : 0;
    json_decref(files);
    return code == 0 && is_good ? 0 : 1;
}

/* ---- show ------------------------------------------------------------------------------------ */

/* Quoted as YAML and JSON both take it. */
static void print_quoted(const char *text)
{
    json_t *string = json_string(text);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    printf("%s", quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(string);
}

static void print_actions(const char *key, const enum policy_action actions[POLICY_KIND_COUNT])
{
    static const char *const what[] = {
#define KIND(name, text) text,
#include "policy/kind.def"
    };
    printf("%s:\n", key);
    for (unsigned kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        const char *name = policy_kind_name((enum policy_kind)kind);
        printf("  %s:%*s%-14s# %s\n", name, KIND_COLUMNS - (int)strlen(name), "",
               policy_action_name(actions[kind]), what[kind]);
    }
}

static void print_bits(uint32_t bits)
{
    static const char *const names[] = {"urgent", "protocol", "hand_off", "stop"};
    const char *between = "";
    printf("[");
    for (unsigned bit = 0; bit < sizeof names / sizeof names[0]; bit++) {
        if (bits & 1U << bit) {
            printf("%s%s", between, names[bit]);
            between = ", ";
        }
    }
    printf("]");
}

static void print_crisis(const struct rules *rules)
{
    printf("crisis:\n");
    for (unsigned kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        const char *between = "";
        printf("  %s: {", crisis_kind_name((enum crisis_kind)kind));
        for (unsigned grade = CRISIS_LOW; grade < CRISIS_GRADE_COUNT; grade++) {
            printf("%s%s: ", between, crisis_grade_name((enum crisis_grade)grade));
            print_bits(rules->crisis[kind][grade]);
            between = ", ";
        }
        printf("}\n");
    }
}

/* Which law a duty is from, behind its value. */
static void print_sources(const struct rules *rules, const char *duty)
{
    struct rules_source source;
    for (size_t i = 0; rules_source(rules, i, &source); i++) {
        if (strcmp(source.duty, duty) == 0) {
            printf("    # %s: %s\n", source.pack, source.text);
        }
    }
}

static void print_duties(const struct rules *rules)
{
    const struct rules_duties *duties = &rules->duties;
    printf("%sduties:\n", rules->pack_count > 0 ? "# Not legal advice.\n" : "");
#define FLAG(name)                                                \
    printf("  " #name ": %s\n", duties->name ? "true" : "false"); \
    print_sources(rules, #name);
#define LEAST(name, max)                       \
    printf("  " #name ": %u\n", duties->name); \
    print_sources(rules, #name);
#define MOST(name, max) LEAST(name, max)
#define TEXT(name)              \
    printf("  " #name ": ");    \
    print_quoted(duties->name); \
    printf("\n");               \
    print_sources(rules, #name);
#include "policy/rules/duty.def"
}

static void print_lists(const struct rules *rules)
{
    const char *extra = NULL;
    printf("keep: [%s%s%s]\n", rules->keeps_year ? "year" : "",
           rules->keeps_year && rules->keeps_zip3 ? ", " : "", rules->keeps_zip3 ? "zip3" : "");
    printf("formats: [");
    for (uint32_t i = 0; i < rules->terms.format_count; i++) {
        printf("%s{kind: %s, shape: ", i > 0 ? ", " : "", policy_kind_name(rules->formats[i].kind));
        print_quoted(rules->formats[i].shape);
        printf("}");
    }
    printf("]\nresources: {extra: [");
    for (size_t i = 0; (extra = resources_extra(rules->terms.resources, i)) != NULL; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_quoted(extra);
    }
    printf("]}\n");
}

/* A rules file again, which says everything and means the same. */
static void print_rules(const struct rules *rules)
{
    printf("# digest %s\nversion: 1\nname: %s\nregion: %s\npacks: [", rules->digest, rules->name,
           rules->region);
    for (uint32_t i = 0; i < rules->pack_count; i++) {
        printf("%s%s", i > 0 ? ", " : "", rules->packs[i]);
    }
    printf("]\n");
    print_actions("inbound", rules->inbound);
    print_actions("outbound", rules->outbound);
    print_lists(rules);
    print_crisis(rules);
    printf("second_read: %s\n", rules->asks_model ? "true" : "false");
    if (rules->webhook_url[0] != '\0') {
        printf("webhook:\n  url: ");
        print_quoted(rules->webhook_url);
        printf("\n  secret_file: ");
        print_quoted(rules->webhook_secret_file);
        printf("\n");
    }
    print_duties(rules);
}

/* A tenant's file, or rules that are shipped; NOT_FOUND: neither. */
static enum status find_rules(const char *name, struct rules **out, struct failure *failure)
{
    char path[PATH_BYTES];
    enum status status = STATUS_NOT_FOUND;
    if (given.directory) {
        snprintf(path, sizeof path, "%s/%s.yaml", given.directory, name);
        status = rules_load(path, given.directory, out, failure);
    }
    return status == STATUS_NOT_FOUND ? rules_shipped(name, out, failure) : status;
}

/* A pack or region as it is written: it says its sources itself. */
static enum status print_file(const char *name, struct failure *failure)
{
    static const char *const folders[] = {"packs", "regions"};
    enum status status = STATUS_NOT_FOUND;
    for (size_t i = 0; status == STATUS_NOT_FOUND && i < 2; i++) {
        struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
        char path[DATA_FILE_PATH_BYTES];
        status = data_file_read(folders[i], name, given.directory, path, &text, failure);
        if (status == STATUS_OK) {
            fwrite(text.bytes, 1, text.length, stdout);
        }
        buffer_destroy(&text);
    }
    return status;
}

static int show(const char *name)
{
    struct failure failure = {""};
    struct rules *rules = NULL;
    if (!data_file_is_name(name)) {
        return options_wrong("policy show: a name is letters, digits, \"-\" and \"_\"; "
                             "ward policy check reads files");
    }
    enum status status = find_rules(name, &rules, &failure);
    if (status == STATUS_OK) {
        print_rules(rules);
    } else if (status == STATUS_NOT_FOUND) {
        status = print_file(name, &failure);
    }
    rules_release(rules);
    if (status == STATUS_NOT_FOUND) {
        fail(&failure, status, "there are no rules, pack or region \"%.63s\"; see ward policy list",
             name);
    }
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

/* ---- list ------------------------------------------------------------------------------------ */

static const char *title_of(const struct yaml_tree *tree)
{
    const struct yaml_node *root = yaml_tree_root(tree);
    static const char *const keys[] = {"title", "note", "name"}; /* of a pack, rules, a region */
    const char *title = NULL;
    for (size_t i = 0; !title && i < sizeof keys / sizeof keys[0]; i++) {
        title = yaml_text(yaml_get(root, keys[i]));
    }
    return title ? title : "";
}

static void list_one(const char *folder, const char *name, json_t *out)
{
    struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
    char path[DATA_FILE_PATH_BYTES];
    struct failure failure = {""};
    struct yaml_tree *tree = NULL;
    if (data_file_read(folder, name, NULL, path, &text, &failure) == STATUS_OK
        && yaml_tree_parse(text.bytes, text.length, name, &tree, &failure) == STATUS_OK) {
        const char *title = title_of(tree);
        if (given.prints_json) {
            json_object_set_new(out, name, json_string(title));
        } else {
            printf("%-8s %-10s %s\n", folder, name, title);
        }
    }
    yaml_tree_destroy(tree);
    buffer_destroy(&text);
}

static int list(const char *word)
{
    static const struct {
        const char *folder;
        const char *(*name)(size_t index);
    } rows[] = {
        {"rules", rules_shipped_name}, {"packs", rules_pack_name}, {"regions", rules_region_name}};
    (void)word;
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *folder = json_object();
        const char *name = NULL;
        for (size_t k = 0; (name = rows[i].name(k)) != NULL; k++) {
            list_one(rows[i].folder, name, folder);
        }
        json_object_set_new(all, rows[i].folder, folder);
    }
    if (given.prints_json) {
        return print_json(all);
    }
    json_decref(all);
    printf("\nPacks are not legal advice; `ward policy show NAME` prints each rule's source.\n");
    return 0;
}

static const struct verb verbs[] = {
    {.name = "check",
     .usage = "ward policy check FILE... [options]",
     .summary =
         "Reads files of rules, packs and regions as the server does.\n"
         "Prints for each: ok, its digest and packs; or file, line, key and what is allowed.",
     VERB_ROWS(check_rows),
     .check = check_directory,
     .word = "FILE",
     .run_words = check},
    {.name = "show",
     .usage = "ward policy show NAME [options]",
     .summary =
         "Prints the rules that hold under a name as a rules file, each duty with its source;\n"
         "or a pack or region as it is written.",
     VERB_ROWS(show_rows),
     .check = check_directory,
     .word = "NAME",
     .run = show},
    {.name = "list",
     .usage = "ward policy list [options]",
     .summary = "Prints the rules, packs of jurisdictions and regions that are shipped.",
     VERB_ROWS(list_rows),
     .run = list},
};

int policy_main(int argc, char **argv)
{
    return verbs_main(verbs, sizeof verbs / sizeof verbs[0],
                      "What a file may say: policy/rules/README.md; packs are not legal advice.\n",
                      argc, argv);
}
