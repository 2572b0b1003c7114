/* resources.c - a region's file to one read-only value. */
#include "policy/crisis/resources.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "policy/crisis/resources/resource_spelling.h"
#include "policy/crisis/resources/resources_parts.h"
#include "policy/data/data_file.h"

/* What is being read, so that errors find file and line. */
struct region {
    struct resources *resources;
    struct resource_spelling spelling;
    struct failure *failure;
};

static enum status wrong(const struct region *region, const struct yaml_node *node,
                         const char *what)
{
    return yaml_wrong(region->resources->tree, node, region->failure, "%s", what);
}

/* ---- lists of texts -------------------------------------------------------------------------- */

static enum status remember(struct resources *resources, const char *text)
{
    if (resources->string_count == RESOURCE_STRINGS_MAX) {
        return STATUS_FULL;
    }
    resources->strings[resources->string_count++] = text;
    return STATUS_OK;
}

typedef enum status (*spelled)(const struct resource_spelling *spelling, const char *text);

static enum status get_list(const struct region *region, const struct yaml_node *node,
                            const char *key, const struct yaml_node **out)
{
    *out = yaml_get(node, key);
    return !*out || yaml_is_list(*out) ? STATUS_OK
                                       : yaml_wrong(region->resources->tree, *out, region->failure,
                                                    "%s: a list, [..]", key);
}

/* Every text of a list as a phrase. */
static enum status read_list(const struct region *region, const struct yaml_node *node,
                             const char *key, spelled spell)
{
    const struct yaml_node *list = NULL;
    enum status status = get_list(region, node, key, &list);
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(list); i++) {
        const struct yaml_node *entry = yaml_at(list, i, NULL);
        const char *text = yaml_text(entry);
        status = text ? spell(&region->spelling, text) : STATUS_INVALID;
        status = status == STATUS_OK ? remember(region->resources, text) : status;
        if (status != STATUS_OK) {
            return yaml_wrong(region->resources->tree, entry, region->failure, "%s: %s", key,
                              status == STATUS_INVALID
                                  ? "a short text with letters or digits; a number has 3 or more"
                                  : "the file holds too many");
        }
    }
    return status;
}

static const char *first_of(const struct yaml_node *node, const char *key)
{
    return yaml_text(yaml_at(yaml_get(node, key), 0, NULL));
}

/* ---- lines ----------------------------------------------------------------------------------- */

static enum status read_keywords(const struct region *region, const struct yaml_node *node)
{
    struct resources *resources = region->resources;
    const struct yaml_node *words = NULL;
    const char *number = first_of(node, "text");
    const enum status status = get_list(region, node, "keyword", &words);
    for (size_t i = 0; i < yaml_count(words); i++) {
        const char *word = yaml_text(yaml_at(words, i, NULL));
        const uint16_t symbol = word ? resource_spelling_word(&region->spelling, word) : 0;
        if (symbol == 0 || !number
            || resource_spelling_text(&region->spelling, word, number) != STATUS_OK) {
            return wrong(region, words, "keyword: words that are sent to the number of text");
        }
        if (resources->keyword_count == RESOURCE_LINES_MAX) {
            return wrong(region, words, "keyword: at most 64 in a file");
        }
        resources->keywords[resources->keyword_count].symbol = symbol;
        resources->keywords[resources->keyword_count++].line = resources->line_count - 1;
    }
    return status;
}

static enum status read_topic(const struct region *region, const struct yaml_node *node,
                              struct resource_line *line)
{
    const struct yaml_node *words = NULL;
    const enum status status = get_list(region, node, "topic", &words);
    if (yaml_count(words) > RESOURCE_NEAR_MAX) {
        return wrong(region, words, "topic: at most 12 words");
    }
    for (size_t i = 0; i < yaml_count(words); i++) {
        const char *word = yaml_text(yaml_at(words, i, NULL));
        const uint16_t symbol = word ? resource_spelling_word(&region->spelling, word) : 0;
        if (symbol == 0) {
            return wrong(region, words, "topic: single words of what the line is for");
        }
        line->topic[line->topic_count++] = symbol;
    }
    return status;
}

static enum status read_is(const struct region *region, const struct yaml_node *node,
                           const struct resource_line *line)
{
    struct resources *resources = region->resources;
    const struct yaml_node *is = yaml_get(node, "is");
    const char *text = yaml_text(is);
    const uint32_t index = (uint32_t)(line - resources->lines);
    if (!is) {
        return STATUS_OK;
    }
    if (!text || !line->call || (strcmp(text, "default") != 0 && strcmp(text, "emergency") != 0)) {
        return wrong(region, is, "is: default or emergency, of a line that can be called");
    }
    if (text[0] == 'd') {
        resources->default_line = index;
    } else {
        resources->emergency_line = index;
    }
    return STATUS_OK;
}

static enum status read_line(struct region *region, const struct yaml_node *node)
{
    static const char *const keys[] = {"name",  "call", "text",   "keyword", "site",
                                       "topic", "is",   "source", "as_of",   NULL};
    struct resources *resources = region->resources;
    if (!yaml_is_map(node) || resources->line_count == RESOURCE_LINES_MAX) {
        return wrong(region, node, "lines: at most 64, each with name, call, text, site, source");
    }
    region->spelling.line = (uint8_t)resources->line_count;
    struct resource_line *line = &resources->lines[resources->line_count++];
    enum status status = yaml_allow(resources->tree, node, keys, region->failure);
    if (status == STATUS_OK && (!yaml_text(yaml_get(node, "source")) || !first_of(node, "name"))) {
        status = wrong(region, node, "lines: each needs a name and a source");
    }
    line->call = first_of(node, "call");
    line->text = first_of(node, "text");
    status = status == STATUS_OK ? read_list(region, node, "name", resource_spelling_name) : status;
    status = status == STATUS_OK ? read_list(region, node, "call", resource_spelling_call) : status;
    status = status == STATUS_OK ? read_list(region, node, "text", resource_spelling_call) : status;
    status = status == STATUS_OK ? read_list(region, node, "site", resource_spelling_site) : status;
    status = status == STATUS_OK ? read_keywords(region, node) : status;
    status = status == STATUS_OK ? read_topic(region, node, line) : status;
    return status == STATUS_OK ? read_is(region, node, line) : status;
}

static enum status read_lines(struct region *region, const struct yaml_node *root)
{
    struct resources *resources = region->resources;
    const struct yaml_node *lines = NULL;
    enum status status = get_list(region, root, "lines", &lines);
    resources->default_line = RESOURCE_LINES_MAX;
    resources->emergency_line = RESOURCE_LINES_MAX;
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(lines); i++) {
        status = read_line(region, yaml_at(lines, i, NULL));
    }
    if (status == STATUS_OK
        && (resources->default_line == RESOURCE_LINES_MAX
            || resources->emergency_line == RESOURCE_LINES_MAX)) {
        status = wrong(region, root, "lines: one needs `is: default`, one `is: emergency`");
    }
    return status;
}

/* ---- the rest of the file -------------------------------------------------------------------- */

static enum status read_prefix(const struct region *region, const struct yaml_node *root,
                               const char *key, char out[4])
{
    const struct yaml_node *node = yaml_get(root, key);
    const char *text = node ? yaml_text(node) : "";
    if (!text || strlen(text) > 3 || strspn(text, "0123456789") != strlen(text)) {
        return yaml_wrong(region->resources->tree, node, region->failure,
                          "%s: 1 to 3 digits in quotes, \"1\"", key);
    }
    memcpy(out, text, strlen(text) + 1);
    return STATUS_OK;
}

/* Emergency numbers of other countries, which are wrong here. */
static enum status read_foreign(const struct region *region, const struct yaml_node *root,
                                const char *key, bool is_emergency)
{
    struct resources *resources = region->resources;
    const struct yaml_node *list = NULL;
    const size_t room = sizeof resources->foreign / sizeof resources->foreign[0];
    const enum status status = get_list(region, root, key, &list);
    for (size_t i = 0; i < yaml_count(list); i++) {
        const char *text = yaml_text(yaml_at(list, i, NULL));
        if (!text || resources->foreign_count == room
            || !resource_spelling_digits(text,
                                         resources->foreign[resources->foreign_count].digits)) {
            return yaml_wrong(resources->tree, list, region->failure,
                              "%s: numbers in quotes, of 3 digits and more, at most %zu of both",
                              key, room);
        }
        resources->foreign[resources->foreign_count++].is_emergency = is_emergency;
    }
    return status;
}

static bool is_kind(const char *name)
{
    bool is_known = strcmp(name, "default") == 0;
    for (unsigned kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        is_known = is_known || strcmp(name, crisis_kind_name((enum crisis_kind)kind)) == 0;
    }
    return is_known;
}

static enum status check_grades(const struct region *region, const struct yaml_node *grades)
{
    for (size_t i = 0; i < yaml_count(grades); i++) {
        const char *name = NULL;
        const struct yaml_node *text = yaml_at(grades, i, &name);
        if (!name || !yaml_text(text)
            || (strcmp(name, "low") != 0 && strcmp(name, "high") != 0
                && strcmp(name, "imminent") != 0)) {
            return wrong(region, text, "protocol: texts for low, high, imminent");
        }
    }
    return yaml_is_map(grades) ? STATUS_OK
                               : wrong(region, grades, "protocol: texts for low, high, imminent");
}

/* Read where it is told: resources_protocol. */
static enum status check_protocol(const struct region *region, const struct yaml_node *root)
{
    static const char form[] = "protocol: {LANGUAGE: {KIND: {GRADE: text}}}";
    const struct yaml_node *languages = yaml_get(root, "protocol");
    if (languages && !yaml_is_map(languages)) {
        return wrong(region, languages, form);
    }
    for (size_t i = 0; i < yaml_count(languages); i++) {
        const struct yaml_node *kinds = yaml_at(languages, i, NULL);
        if (!yaml_is_map(kinds)) {
            return wrong(region, kinds, form);
        }
        for (size_t k = 0; k < yaml_count(kinds); k++) {
            const char *name = NULL;
            const struct yaml_node *grades = yaml_at(kinds, k, &name);
            if (!name || !is_kind(name)) {
                return wrong(region, grades, "protocol: a kind of crisis, or default");
            }
            const enum status status = check_grades(region, grades);
            if (status != STATUS_OK) {
                return status;
            }
        }
    }
    return STATUS_OK;
}

static enum status read_region(struct region *region)
{
    static const char *const keys[] = {
        "version",           "region",         "name",     "trunk", "country_code", "lines",
        "foreign_emergency", "foreign_crisis", "protocol", NULL};
    struct resources *resources = region->resources;
    const struct yaml_node *root = yaml_tree_root(resources->tree);
    int64_t version = 0;
    enum status status = yaml_allow(resources->tree, root, keys, region->failure);
    if (status == STATUS_OK && !yaml_integer(yaml_get(root, "version"), 1, 1, &version)) {
        status = wrong(region, yaml_get(root, "version"), "version: 1");
    }
    status = status == STATUS_OK ? read_prefix(region, root, "trunk", resources->trunk) : status;
    status = status == STATUS_OK
                 ? read_prefix(region, root, "country_code", resources->country_code)
                 : status;
    status = status == STATUS_OK ? resource_words_add(resources) : status;
    status = status == STATUS_OK ? read_lines(region, root) : status;
    status = status == STATUS_OK ? read_foreign(region, root, "foreign_emergency", true) : status;
    status = status == STATUS_OK ? read_foreign(region, root, "foreign_crisis", false) : status;
    return status == STATUS_OK ? check_protocol(region, root) : status;
}

/* ---- interface ------------------------------------------------------------------------------- */

enum status resources_parse(const char *yaml, size_t length, const char *name,
                            struct resources **out, struct failure *failure)
{
    struct resources *resources = calloc(1, sizeof *resources);
    struct window *window = window_create(NULL);
    enum status status = STATUS_IO;
    if (!resources || !window || phrase_book_create(&resources->book) != STATUS_OK) {
        fail(failure, status, "no memory");
        goto done;
    }
    status = yaml_tree_parse(yaml, length, name, &resources->tree, failure);
    if (status == STATUS_OK) {
        struct region region = {
            .resources = resources,
            .spelling = {.resources = resources, .window = window},
            .failure = failure,
        };
        status = read_region(&region);
    }
    if (status == STATUS_OK) {
        phrase_book_seal(resources->book);
        *out = resources;
        resources = NULL;
    }
done:
    window_destroy(window);
    resources_destroy(resources);
    return status;
}

enum status resources_create(const char *region, const char *directory, struct resources **out,
                             struct failure *failure)
{
    char path[DATA_FILE_PATH_BYTES];
    struct buffer text = {.limit_bytes = DATA_FILE_BYTES_MAX};
    enum status status = data_file_read("regions", region, directory, path, &text, failure);
    if (status == STATUS_OK) {
        char name[DATA_FILE_PATH_BYTES] = "regions/";
        memcpy(name + strlen(name), region, strlen(region) + 1);
        status = resources_parse(text.bytes ? text.bytes : "", text.length, path[0] ? path : name,
                                 out, failure);
    }
    buffer_destroy(&text);
    return status;
}

void resources_destroy(struct resources *resources)
{
    if (resources) {
        phrase_book_destroy(resources->book);
        yaml_tree_destroy(resources->tree);
        free(resources);
    }
}

/* A number, an address or a name: by its characters. */
static spelled spelling_of(const char *text)
{
    char digits[RESOURCE_DIGITS_BYTES];
    const size_t digit_count = strspn(text, "+(0123456789-. )");
    if (digit_count >= 3 && resource_spelling_digits(text, digits)) {
        return resource_spelling_call;
    }
    return strchr(text, '.') && !strchr(text, ' ') ? resource_spelling_site
                                                   : resource_spelling_name;
}

enum status resources_extend(struct resources *resources, const char *text)
{
    struct window *window = window_create(NULL);
    const size_t length = strlen(text);
    enum status status = window ? STATUS_OK : STATUS_IO;
    if (status == STATUS_OK
        && (resources->extra_count == RESOURCE_LINES_MAX || length >= RESOURCE_TEXT_BYTES)) {
        status = STATUS_FULL;
    }
    if (status == STATUS_OK) {
        const struct resource_spelling spelling = {.resources = resources, .window = window};
        char *kept = resources->extra[resources->extra_count++];
        memcpy(kept, text, length + 1);
        status = spelling_of(text)(&spelling, kept);
        status = status == STATUS_OK ? remember(resources, kept) : status;
        phrase_book_seal(resources->book);
    }
    window_destroy(window);
    return status;
}

const char *resources_protocol(const struct resources *resources, enum crisis_kind kind,
                               enum crisis_grade grade, const char *language)
{
    const struct yaml_node *kinds =
        yaml_get(yaml_get(yaml_tree_root(resources->tree), "protocol"), language);
    const char *grade_name = crisis_grade_name(grade);
    const struct yaml_node *text = yaml_get(yaml_get(kinds, crisis_kind_name(kind)), grade_name);
    return yaml_text(text ? text : yaml_get(yaml_get(kinds, "default"), grade_name));
}

const char *resources_string(const struct resources *resources, size_t index)
{
    return index < resources->string_count ? resources->strings[index] : NULL;
}

const char *resources_extra(const struct resources *resources, size_t index)
{
    return index < resources->extra_count ? resources->extra[index] : NULL;
}
