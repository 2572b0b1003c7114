/* rules_fields.c - keys of a rules file that say what is done with identifiers and in a crisis. */
#include <string.h>

#include "policy/filter/vault/canary.h"
#include "policy/rules/rules_parts.h"

enum { SHAPE_WILD_MIN = 4 };

/* ---- tables of words ------------------------------------------------------------------------- */

static const char *const kind_words[] = {"default",
#define KIND(name, what) #name,
#include "policy/kind.def"
                                         NULL};

static const char *const inbound_words[] = {"allow",        "tag",   "redact",
                                            "pseudonymise", "block", NULL};
static const char *const outbound_words[] = {"allow", "tag", "redact", "block", NULL};
static const enum policy_action outbound_actions[] = {POLICY_ALLOW, POLICY_TAG, POLICY_REDACT,
                                                      POLICY_BLOCK};

static const char *const crisis_words[] = {"default", "suicide",   "violence", "abuse", "psychosis",
                                           "eating",  "substance", "medical",  NULL};
static const char *const grade_words[] = {"low", "high", "imminent", NULL};
static const char *const action_words[] = {"urgent", "protocol", "hand_off", "stop", NULL};

_Static_assert(sizeof kind_words / sizeof kind_words[0] == POLICY_KIND_COUNT + 2, "every kind");
_Static_assert(sizeof crisis_words / sizeof crisis_words[0] == CRISIS_KIND_COUNT + 2, "every kind");

/* ---- identifiers ----------------------------------------------------------------------------- */

/* `default` first, wherever it stands; then each kind. */
static enum status read_actions(const struct rules_reader *reader, const struct yaml_node *root,
                                const char *key, rules_words words,
                                enum policy_action actions[POLICY_KIND_COUNT])
{
    const struct yaml_node *map = yaml_get(root, key);
    const bool is_outbound = words == outbound_words;
    enum status status = rules_reader_keys(reader, map, key, kind_words);
    for (size_t word = 0; status == STATUS_OK && kind_words[word]; word++) {
        const struct yaml_node *node = yaml_get(map, kind_words[word]);
        size_t index = 0;
        if (!node) {
            continue;
        }
        status = rules_reader_word(reader, node, kind_words[word], words, &index);
        if (status == STATUS_OK) {
            const enum policy_action action =
                is_outbound ? outbound_actions[index] : (enum policy_action)index;
            for (size_t kind = 0; kind < POLICY_KIND_COUNT; kind++) {
                actions[kind] = word == 0 || kind == word - 1 ? action : actions[kind];
            }
        }
    }
    return status;
}

static enum status read_keep(const struct rules_reader *reader, const struct yaml_node *root,
                             struct rules *rules)
{
    static const char *const words[] = {"year", "zip3", NULL};
    const struct yaml_node *list = NULL;
    enum status status = rules_reader_list(reader, root, "keep", 2, &list);
    if (list) {
        rules->keeps_year = false;
        rules->keeps_zip3 = false;
    }
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(list); i++) {
        size_t index = 0;
        status = rules_reader_word(reader, yaml_at(list, i, NULL), "keep", words, &index);
        rules->keeps_year = rules->keeps_year || (status == STATUS_OK && index == 0);
        rules->keeps_zip3 = rules->keeps_zip3 || (status == STATUS_OK && index == 1);
    }
    return status;
}

/* Enough of it must vary and nothing of it be blank, or it would be found everywhere or nowhere. */
static bool is_shape(const char *shape)
{
    size_t wild = 0;
    for (const char *at = shape; *at; at++) {
        wild += *at == 'A' || *at == '9' || *at == 'X';
        if (*at <= ' ' || *at > '~') {
            return false;
        }
    }
    return wild >= SHAPE_WILD_MIN;
}

static enum status read_format(const struct rules_reader *reader, const struct yaml_node *node,
                               struct detector_format *format)
{
    static const char *const keys[] = {"kind", "shape", NULL};
    size_t kind = 0;
    enum status status = rules_reader_keys(reader, node, "formats", keys);
    if (status == STATUS_OK) {
        const struct yaml_node *at = yaml_get(node, "kind");
        status = rules_reader_word(reader, at ? at : node, "formats: kind", kind_words + 1, &kind);
    }
    if (status == STATUS_OK) {
        status = rules_reader_text(reader, node, "shape", format->shape, sizeof format->shape);
    }
    if (status == STATUS_OK && !is_shape(format->shape)) {
        status = yaml_wrong(reader->tree, node, reader->failure,
                            "shape: A a letter, 9 a digit, X either, all else itself; at least %d "
                            "of these, no spaces: \"AA-999999\"",
                            SHAPE_WILD_MIN);
    }
    format->kind = (enum policy_kind)kind;
    return status;
}

static enum status read_formats(const struct rules_reader *reader, const struct yaml_node *root,
                                struct rules *rules)
{
    const struct yaml_node *list = NULL;
    enum status status = rules_reader_list(reader, root, "formats", FORMATS_MAX, &list);
    if (list) {
        rules->terms.format_count = 0;
    }
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(list); i++) {
        status = read_format(reader, yaml_at(list, i, NULL), &rules->formats[i]);
        rules->terms.format_count += status == STATUS_OK;
    }
    return status;
}

/* ---- crisis ---------------------------------------------------------------------------------- */

static enum status read_grade(const struct rules_reader *reader, const struct yaml_node *list,
                              uint32_t *out)
{
    enum status status = STATUS_OK;
    *out = 0;
    if (!yaml_is_list(list)) {
        return yaml_wrong(reader->tree, list, reader->failure,
                          "crisis: a list of urgent, protocol, hand_off, stop; [] only counts");
    }
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(list); i++) {
        size_t index = 0;
        status = rules_reader_word(reader, yaml_at(list, i, NULL), "crisis", action_words, &index);
        *out |= status == STATUS_OK ? 1U << index : 0;
    }
    return status;
}

static enum status read_grades(const struct rules_reader *reader, const struct yaml_node *grades,
                               size_t word, struct rules *rules)
{
    enum status status = rules_reader_keys(reader, grades, crisis_words[word], grade_words);
    for (size_t grade = 0; status == STATUS_OK && grade_words[grade]; grade++) {
        const struct yaml_node *list = yaml_get(grades, grade_words[grade]);
        uint32_t actions = 0;
        if (!list) {
            continue;
        }
        status = read_grade(reader, list, &actions);
        for (size_t kind = 0; status == STATUS_OK && kind < CRISIS_KIND_COUNT; kind++) {
            if (word == 0 || kind == word - 1) {
                rules->crisis[kind][grade + 1] = actions;
            }
        }
    }
    return status;
}

static enum status read_crisis(const struct rules_reader *reader, const struct yaml_node *root,
                               struct rules *rules)
{
    const struct yaml_node *map = yaml_get(root, "crisis");
    enum status status = rules_reader_keys(reader, map, "crisis", crisis_words);
    for (size_t word = 0; status == STATUS_OK && crisis_words[word]; word++) {
        const struct yaml_node *grades = yaml_get(map, crisis_words[word]);
        if (grades) {
            status = read_grades(reader, grades, word, rules);
        }
    }
    return status;
}

/* ---- webhook --------------------------------------------------------------------------------- */

static bool is_url(const char *url)
{
    static const char *const allowed[] = {"https://", "http://127.0.0.1", "http://localhost",
                                          "http://[::1]"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        const size_t length = strlen(allowed[i]);
        const bool is_this = strncmp(url, allowed[i], length) == 0 && url[length] != '\0';
        is_known = is_known || (is_this && (i == 0 || strchr(":/", url[length])));
    }
    for (const char *at = url; *at; at++) {
        is_known = is_known && *at > ' ' && *at <= '~' && *at != '@';
    }
    return is_known;
}

static enum status read_webhook(const struct rules_reader *reader, const struct yaml_node *root,
                                struct rules *rules)
{
    static const char *const keys[] = {"url", "secret_file", NULL};
    const struct yaml_node *map = yaml_get(root, "webhook");
    enum status status = rules_reader_keys(reader, map, "webhook", keys);
    if (!map || status != STATUS_OK) {
        return status;
    }
    status = rules_reader_text(reader, map, "url", rules->webhook_url, sizeof rules->webhook_url);
    if (status == STATUS_OK) {
        status = rules_reader_text(reader, map, "secret_file", rules->webhook_secret_file,
                                   sizeof rules->webhook_secret_file);
    }
    if (status == STATUS_OK
        && (!is_url(rules->webhook_url) || rules->webhook_secret_file[0] == '\0')) {
        status = yaml_wrong(reader->tree, map, reader->failure,
                            "webhook: url: https://..., or http:// of this machine, without a "
                            "password; and secret_file: what it is signed with");
    }
    return status;
}

/* Lengths alone are looked at: no error may tell what they are. */
static enum status read_canaries(const struct rules_reader *reader, const struct yaml_node *root,
                                 struct rules *rules)
{
    const struct yaml_node *list = NULL;
    enum status status = rules_reader_list(reader, root, "canaries", RULES_CANARIES_MAX, &list);
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(list); i++) {
        const char *text = yaml_text(yaml_at(list, i, NULL));
        const size_t length = text ? strlen(text) : 0;
        if (length < CANARY_BYTES_MIN || length >= RULES_CANARY_BYTES) {
            return yaml_wrong(reader->tree, yaml_at(list, i, NULL), reader->failure,
                              "canaries: each a text of %d to %d bytes", (int)CANARY_BYTES_MIN,
                              (int)RULES_CANARY_BYTES - 1);
        }
        memcpy(rules->canaries[rules->canary_count++], text, length + 1);
    }
    return status;
}

enum status rules_fields_read(const struct rules_reader *reader, const struct yaml_node *root,
                              struct rules *rules)
{
    enum status status = read_actions(reader, root, "inbound", inbound_words, rules->inbound);
    status = status == STATUS_OK
                 ? read_actions(reader, root, "outbound", outbound_words, rules->outbound)
                 : status;
    status = status == STATUS_OK ? read_keep(reader, root, rules) : status;
    status = status == STATUS_OK ? read_formats(reader, root, rules) : status;
    status = status == STATUS_OK ? read_crisis(reader, root, rules) : status;
    status = status == STATUS_OK ? read_webhook(reader, root, rules) : status;
    status = status == STATUS_OK ? read_canaries(reader, root, rules) : status;
    return status == STATUS_OK ? rules_reader_flag(reader, root, "second_read", &rules->asks_model)
                               : status;
}
