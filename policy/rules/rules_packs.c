/* rules_packs.c - duties of jurisdictions. A pack is a list of duties, each with its source. Where
 * two set the same one, the stricter holds (duty.def says which that is), so the order of packs
 * changes nothing but whose text is told. */
#include <stdio.h>
#include <string.h>

#include "policy/rules/rules_parts.h"

static const char *const duty_words[] = {
#define FLAG(name)       #name,
#define LEAST(name, max) #name,
#define MOST(name, max)  #name,
#define TEXT(name)       #name,
#include "policy/rules/duty.def"
    NULL};

/* ---- one duty -------------------------------------------------------------------------------- */

/* Reads one from `map` under `key` ("value" in a pack) into an empty set of duties. */
static enum status read_duty(const struct rules_reader *reader, const struct yaml_node *map,
                             const char *duty, const char *key, struct rules_duties *out)
{
#define FLAG(name)                                              \
    if (strcmp(duty, #name) == 0) {                             \
        return rules_reader_flag(reader, map, key, &out->name); \
    }
#define LEAST(name, max)                                               \
    if (strcmp(duty, #name) == 0) {                                    \
        return rules_reader_number(reader, map, key, max, &out->name); \
    }
#define MOST(name, max) LEAST(name, max)
#define TEXT(name)                                                               \
    if (strcmp(duty, #name) == 0) {                                              \
        return rules_reader_text(reader, map, key, out->name, sizeof out->name); \
    }
#include "policy/rules/duty.def"
    return STATUS_INVALID;
}

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return b != 0 && (a == 0 || b < a) ? b : a;
}

/* takes_texts: those of `more` come before those that are there. */
static void merge(struct rules_duties *into, const struct rules_duties *more, bool takes_texts)
{
#define FLAG(name)       into->name = into->name || more->name;
#define LEAST(name, max) into->name = least_of(into->name, more->name);
#define MOST(name, max)  into->name = more->name > into->name ? more->name : into->name;
#define TEXT(name)                                                         \
    if (more->name[0] != '\0' && (takes_texts || into->name[0] == '\0')) { \
        memcpy(into->name, more->name, sizeof into->name);                 \
    }
#include "policy/rules/duty.def"
}

/* ---- a pack ---------------------------------------------------------------------------------- */

static enum status check_pack(const struct rules_reader *reader, const struct yaml_node *root)
{
    static const char *const keys[] = {"version", "name",     "note",  "title", "law",
                                       "as_of",   "in_force", "rules", NULL};
    int64_t version = 0;
    const char *note = yaml_text(yaml_get(root, "note"));
    const enum status status = rules_reader_keys(reader, root, "pack", keys);
    if (status != STATUS_OK) {
        return status;
    }
    if (!yaml_integer(yaml_get(root, "version"), 1, 1, &version)) {
        return yaml_wrong(reader->tree, yaml_get(root, "version"), reader->failure, "version: 1");
    }
    if (!note || strcmp(note, "not legal advice") != 0) {
        return yaml_wrong(reader->tree, yaml_get(root, "note"), reader->failure,
                          "note: every pack says \"not legal advice\"");
    }
    return STATUS_OK;
}

/* whole: NULL: only checked. */
static enum status read_rule(struct rules_whole *whole, const char *pack,
                             const struct rules_reader *reader, const struct yaml_node *rule,
                             struct rules_duties *duties)
{
    static const char *const keys[] = {"duty", "value", "source", NULL};
    size_t duty = 0;
    char source[RULES_SOURCE_BYTES] = "";
    enum status status = rules_reader_keys(reader, rule, "rules", keys);
    if (status == STATUS_OK) {
        const struct yaml_node *node = yaml_get(rule, "duty");
        status = rules_reader_word(reader, node ? node : rule, "duty", duty_words, &duty);
    }
    if (status == STATUS_OK && !yaml_get(rule, "value")) {
        status = yaml_wrong(reader->tree, rule, reader->failure, "value: is missing");
    }
    if (status == STATUS_OK) {
        status = read_duty(reader, rule, duty_words[duty], "value", duties);
    }
    if (status == STATUS_OK) {
        status = rules_reader_text(reader, rule, "source", source, sizeof source);
    }
    if (status == STATUS_OK && source[0] == '\0') {
        status = yaml_wrong(reader->tree, rule, reader->failure,
                            "source: every rule of a pack names the law it is from");
    }
    if (status == STATUS_OK && whole && whole->source_count < RULES_SOURCES_MAX) {
        const uint32_t at = whole->source_count++;
        snprintf(whole->sources[at].pack, sizeof whole->sources[at].pack, "%s", pack);
        whole->sources[at].duty = duty_words[duty];
        memcpy(whole->sources[at].text, source, sizeof source);
    }
    return status;
}

static enum status read_pack(struct rules_whole *whole, const char *pack,
                             const struct rules_reader *reader, struct rules_duties *duties)
{
    const struct yaml_node *root = yaml_tree_root(reader->tree);
    const struct yaml_node *rules = NULL;
    enum status status = check_pack(reader, root);
    if (status == STATUS_OK) {
        status = rules_reader_list(reader, root, "rules", 32, &rules);
    }
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(rules); i++) {
        status = read_rule(whole, pack, reader, yaml_at(rules, i, NULL), duties);
    }
    return status;
}

enum status rules_packs_check(const char *yaml, size_t length, const char *name,
                              struct failure *failure)
{
    struct yaml_tree *tree = NULL;
    struct rules_duties duties = {.retention_days = 0};
    enum status status = yaml_tree_parse(yaml, length, name, &tree, failure);
    if (status == STATUS_OK) {
        const struct rules_reader reader = {.tree = tree, .failure = failure};
        status = read_pack(NULL, name, &reader, &duties);
    }
    yaml_tree_destroy(tree);
    return status;
}

static enum status add_pack(struct rules_whole *whole, const struct rules_reader *reader,
                            const struct yaml_node *node, struct rules_duties *duties)
{
    const char *name = yaml_text(node);
    struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
    char told[RULES_TOLD_BYTES];
    struct yaml_tree *tree = NULL;
    struct rules *rules = &whole->rules;
    enum status status =
        rules_whole_read(whole, "packs", name ? name : "", &text, told, reader->failure);
    if (status == STATUS_NOT_FOUND) {
        status =
            yaml_wrong(reader->tree, node, reader->failure,
                       "packs: there is no pack \"%.63s\"; see ward policy list", name ? name : "");
    }
    if (status == STATUS_OK) {
        status = yaml_tree_parse(text.bytes ? text.bytes : "", text.length, told, &tree,
                                 reader->failure);
    }
    if (status == STATUS_OK) {
        const struct rules_reader pack_reader = {.tree = tree, .failure = reader->failure};
        struct rules_duties own = {.retention_days = 0};
        status = read_pack(whole, name, &pack_reader, &own);
        merge(duties, &own, false);
    }
    if (status == STATUS_OK) {
        snprintf(rules->packs[rules->pack_count++], RULES_NAME_BYTES, "%s", name);
    }
    yaml_tree_destroy(tree);
    buffer_destroy(&text);
    return status;
}

static enum status read_own(const struct rules_reader *reader, const struct yaml_node *root,
                            struct rules_duties *duties)
{
    const struct yaml_node *map = yaml_get(root, "duties");
    enum status status = rules_reader_keys(reader, map, "duties", duty_words);
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(map); i++) {
        const char *key = NULL;
        (void)yaml_at(map, i, &key);
        status = read_duty(reader, map, key, key, duties);
    }
    return status;
}

/* A law that asks for a protocol is not met by rules that tell none. */
static void tell_protocol(struct rules *rules)
{
    for (unsigned grade = CRISIS_HIGH; grade < CRISIS_GRADE_COUNT; grade++) {
        rules->crisis[CRISIS_SUICIDE][grade] |=
            rules->duties.needs_crisis_protocol ? (uint32_t)CRISIS_PROTOCOL : 0;
    }
}

enum status rules_packs_read(struct rules_whole *whole, const struct rules_reader *reader,
                             const struct yaml_node *root)
{
    struct rules *rules = &whole->rules;
    struct rules_duties packs = {.retention_days = 0};
    struct rules_duties own = {.retention_days = 0};
    const struct yaml_node *list = NULL;
    enum status status = rules_reader_list(reader, root, "packs", RULES_PACKS_MAX, &list);
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(list); i++) {
        status = add_pack(whole, reader, yaml_at(list, i, NULL), &packs);
    }
    status = status == STATUS_OK ? read_own(reader, root, &own) : status;
    merge(&rules->duties, &packs, true);
    merge(&rules->duties, &own, true);
    tell_protocol(rules);
    return status;
}
