#include "policy/crisis/crisis_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "policy/data/shipped.h"
#include "policy/yaml/yaml_tree.h"

/* One file that is being read. */
struct source {
    struct crisis_rules *rules;
    struct yaml_tree *tree;
    struct failure *failure;
};

static const char *const factor_names[FACTOR_COUNT + 1] = {
    [FACTOR_WISH] = "wish",   [FACTOR_DESIRE] = "desire", [FACTOR_PLAN] = "plan",
    [FACTOR_MEANS] = "means", [FACTOR_TIME] = "time",     [FACTOR_GOODBYE] = "goodbye",
};
static const char *const effect_names[EFFECT_COUNT + 1] = {
    [EFFECT_DENIED] = "denied", [EFFECT_QUOTED] = "quoted", [EFFECT_NOT_MEANT] = "not-meant",
    [EFFECT_SAID] = "said",     [EFFECT_WAS] = "was",       [EFFECT_PAST] = "past",
    [EFFECT_NOW] = "now",       [EFFECT_OTHER] = "other",   [EFFECT_SOFT] = "soft",
    [EFFECT_IDIOM] = "idiom",
};
static const char *const place_names[PLACE_COUNT + 1] = {
    [PLACE_BEFORE] = "before",
    [PLACE_AFTER] = "after",
    [PLACE_OVER] = "over",
    [PLACE_SENTENCE] = "sentence",
};
static const char *const role_names[ROLE_COUNT + 1] = {
    [ROLE_FIRST] = "first",
    [ROLE_MINE] = "mine",
    [ROLE_FIRST_SUBJECT] = "first-subject",
    [ROLE_SECOND] = "second",
    [ROLE_THIRD] = "third",
    [ROLE_THIRD_OBJECT] = "third-object",
    [ROLE_THIRD_SUBJECT] = "third-subject",
    [ROLE_GAP_STOP] = "gap-stop",
    [ROLE_CLAUSE] = "clause",
    [ROLE_PRESENT] = "present",
    [ROLE_FILLER] = "filler",
};
static const char *const answer_names[ANSWER_COUNT + 1] = {"yes", "maybe", "no"};
static const char *const subject_names[] = {"self", "other", NULL};

/* ---- fields ---------------------------------------------------------------------------------- */

/* The number of the name at key, which must be there. */
static enum status read_name(struct source *source, const struct yaml_node *map, const char *key,
                             const char *const *names, uint32_t *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = yaml_text(node);
    for (uint32_t i = 0; text && names[i]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return STATUS_OK;
        }
    }
    return yaml_unknown(source->tree, node ? node : map, source->failure, key, text, names);
}

/* Bits of names in a text ("plan means"). */
static enum status read_bits(struct source *source, const struct yaml_node *map, const char *key,
                             const char *const *names, uint32_t *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = yaml_text(node);
    *out = 0;
    while (text && *text) {
        const size_t length = strcspn(text, " ");
        uint32_t i = 0;
        while (names[i] && !(strlen(names[i]) == length && memcmp(names[i], text, length) == 0)) {
            i++;
        }
        if (!names[i]) {
            return yaml_wrong(source->tree, node, source->failure, "%s has no \"%.*s\"", key,
                              (int)(length > 40 ? 40 : length), text);
        }
        *out |= 1U << i;
        text += length + strspn(text + length, " ");
    }
    return node && !yaml_text(node)
               ? yaml_wrong(source->tree, node, source->failure, "%s must be text", key)
               : STATUS_OK;
}

static enum status read_count(struct source *source, const struct yaml_node *map, const char *key,
                              int64_t max, uint32_t *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t value = 0;
    if (node && !yaml_integer(node, 0, max, &value)) {
        return yaml_wrong(source->tree, node, source->failure, "%s must be 0 to %d", key, (int)max);
    }
    *out = (uint32_t)value;
    return STATUS_OK;
}

static enum status read_flag(struct source *source, const struct yaml_node *map, const char *key,
                             bool *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    *out = false;
    return node && !yaml_flag(node, out)
               ? yaml_wrong(source->tree, node, source->failure, "%s must be true or false", key)
               : STATUS_OK;
}

static void name_kinds(const char **names)
{
    for (int i = 0; i < CRISIS_KIND_COUNT; i++) {
        names[i] = crisis_kind_name((enum crisis_kind)i);
    }
    names[CRISIS_KIND_COUNT] = NULL;
}

static void name_grades(const char **names)
{
    for (int i = 0; i < CRISIS_GRADE_COUNT; i++) {
        names[i] = crisis_grade_name((enum crisis_grade)i);
    }
    names[CRISIS_GRADE_COUNT] = NULL;
}

static enum status read_kind(struct source *source, const struct yaml_node *map,
                             enum crisis_kind *out)
{
    const char *names[CRISIS_KIND_COUNT + 1];
    uint32_t value = 0;
    name_kinds(names);
    const enum status status = read_name(source, map, "kind", names, &value);
    *out = (enum crisis_kind)value;
    return status;
}

static enum status read_grade(struct source *source, const struct yaml_node *map, const char *key,
                              enum crisis_grade *out)
{
    const char *names[CRISIS_GRADE_COUNT + 1];
    uint32_t value = 0;
    name_grades(names);
    const enum status status = read_name(source, map, key, names, &value);
    *out = (enum crisis_grade)value;
    return status;
}

static enum status read_patterns(struct source *source, const struct yaml_node *map,
                                 const char *key, struct grammar_patterns *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    struct failure why = {""};
    if (!yaml_text(node)) {
        return yaml_wrong(source->tree, node ? node : map, source->failure,
                          "%s must be patterns, one a line", key);
    }
    const enum status status =
        grammar_add_patterns(source->rules->grammar, yaml_text(node), out, &why);
    return status == STATUS_OK
               ? status
               : yaml_wrong(source->tree, node, source->failure, "%s: %s", key, why.text);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static enum status read_rule(struct source *source, const struct yaml_node *map)
{
    static const char *const keys[] = {"id",       "kind",   "grade",   "subject", "past",
                                       "question", "factor", "ignores", "say",     NULL};
    struct crisis_rules *rules = source->rules;
    if (!yaml_is_map(map) || rules->rule_count == CRISIS_RULES_MAX) {
        return yaml_wrong(source->tree, map, source->failure, "a rule is a map; %d at most",
                          CRISIS_RULES_MAX);
    }
    struct crisis_rule *rule = &rules->rules[rules->rule_count];
    enum status status = yaml_allow(source->tree, map, keys, source->failure);
    status = status == STATUS_OK ? read_count(source, map, "id", 1000000, &rule->id) : status;
    if (status == STATUS_OK && rule->id == 0) {
        return yaml_wrong(source->tree, map, source->failure, "every rule has an id from 1");
    }
    for (uint32_t i = 0; status == STATUS_OK && i < rules->rule_count; i++) {
        if (rules->rules[i].id == rule->id) {
            return yaml_wrong(source->tree, map, source->failure, "the id %u is taken", rule->id);
        }
    }
    status = status == STATUS_OK ? read_kind(source, map, &rule->kind) : status;
    status = status == STATUS_OK ? read_grade(source, map, "grade", &rule->grade) : status;
    rule->has_subject = yaml_get(map, "subject") != NULL;
    if (status == STATUS_OK && rule->has_subject) {
        uint32_t subject = 0;
        status = read_name(source, map, "subject", subject_names, &subject);
        rule->subject = (enum crisis_subject)subject;
    }
    status = status == STATUS_OK ? read_flag(source, map, "past", &rule->is_past) : status;
    status = status == STATUS_OK ? read_flag(source, map, "question", &rule->is_question) : status;
    status = status == STATUS_OK ? read_bits(source, map, "factor", factor_names, &rule->factors)
                                 : status;
    status = status == STATUS_OK ? read_bits(source, map, "ignores", effect_names, &rule->ignored)
                                 : status;
    status = status == STATUS_OK ? read_patterns(source, map, "say", &rule->patterns) : status;
    rules->rule_count += status == STATUS_OK;
    return status;
}

static enum status read_cue(struct source *source, const struct yaml_node *map)
{
    static const char *const keys[] = {"sets",  "place", "within", "crosses",
                                       "lasts", "kinds", "say",    NULL};
    const char *kinds[CRISIS_KIND_COUNT + 1];
    struct crisis_rules *rules = source->rules;
    if (!yaml_is_map(map) || rules->cue_count == CRISIS_CUES_MAX) {
        return yaml_wrong(source->tree, map, source->failure, "a cue is a map; %d at most",
                          CRISIS_CUES_MAX);
    }
    struct crisis_cue *cue = &rules->cues[rules->cue_count];
    uint32_t effect = 0, place = 0;
    name_kinds(kinds);
    enum status status = yaml_allow(source->tree, map, keys, source->failure);
    status = status == STATUS_OK ? read_name(source, map, "sets", effect_names, &effect) : status;
    status = status == STATUS_OK ? read_name(source, map, "place", place_names, &place) : status;
    status = status == STATUS_OK
                 ? read_count(source, map, "within", SENTENCE_WORDS_MAX, &cue->within)
                 : status;
    status = status == STATUS_OK ? read_flag(source, map, "crosses", &cue->crosses) : status;
    status = status == STATUS_OK ? read_count(source, map, "lasts", 8, &cue->lasts) : status;
    status = status == STATUS_OK ? read_bits(source, map, "kinds", kinds, &cue->kinds) : status;
    status = status == STATUS_OK ? read_patterns(source, map, "say", &cue->patterns) : status;
    cue->effect = (enum crisis_effect)effect;
    cue->place = (enum crisis_place)place;
    cue->kinds = cue->kinds ? cue->kinds : (1U << CRISIS_KIND_COUNT) - 1;
    rules->cue_count += status == STATUS_OK;
    return status;
}

static enum status read_together(struct source *source, const struct yaml_node *map)
{
    static const char *const keys[] = {"id", "kind", "grade", "factors", NULL};
    struct crisis_rules *rules = source->rules;
    if (!yaml_is_map(map) || rules->together_count == CRISIS_TOGETHER_MAX) {
        return yaml_wrong(source->tree, map, source->failure, "a map; %d at most",
                          CRISIS_TOGETHER_MAX);
    }
    struct crisis_together *together = &rules->together[rules->together_count];
    enum status status = yaml_allow(source->tree, map, keys, source->failure);
    status = status == STATUS_OK ? read_count(source, map, "id", 1000000, &together->id) : status;
    status = status == STATUS_OK ? read_kind(source, map, &together->kind) : status;
    status = status == STATUS_OK ? read_grade(source, map, "grade", &together->grade) : status;
    status = status == STATUS_OK
                 ? read_bits(source, map, "factors", factor_names, &together->factors)
                 : status;
    if (status == STATUS_OK && (together->factors == 0 || together->id == 0)) {
        status = yaml_wrong(source->tree, map, source->failure, "needs an id and factors");
    }
    rules->together_count += status == STATUS_OK;
    return status;
}

static enum status read_list(struct source *source, const char *key,
                             enum status (*read)(struct source *, const struct yaml_node *))
{
    const struct yaml_node *list = yaml_get(yaml_tree_root(source->tree), key);
    if (list && !yaml_is_list(list)) {
        return yaml_wrong(source->tree, list, source->failure, "%s must be a list", key);
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < yaml_count(list); i++) {
        status = read(source, yaml_at(list, i, NULL));
    }
    return status;
}

/* ---- maps of names to texts ------------------------------------------------------------------ */

static enum status add_class(struct source *source, const char *name, const char *text,
                             struct failure *why)
{
    return grammar_add_class(source->rules->grammar, name, text, why);
}

static enum status add_phrase(struct source *source, const char *name, const char *text,
                              struct failure *why)
{
    return grammar_add_phrase(source->rules->grammar, name, text, why);
}

static enum status add_role(struct source *source, const char *name, const char *text,
                            struct failure *why)
{
    for (uint32_t role = 0; role < ROLE_COUNT; role++) {
        if (strcmp(role_names[role], name) == 0) {
            return grammar_add_roles(source->rules->grammar, 1U << role, text, why);
        }
    }
    return fail(why, STATUS_INVALID, "there is no such role");
}

static enum status add_answer(struct source *source, const char *name, const char *text,
                              struct failure *why)
{
    struct crisis_rules *rules = source->rules;
    for (uint32_t i = 0; i < ANSWER_COUNT; i++) {
        if (strcmp(answer_names[i], name) == 0) {
            return grammar_add_patterns(rules->grammar, text,
                                        &rules->answers[rules->language_count][i], why);
        }
    }
    return fail(why, STATUS_INVALID, "answers are yes, maybe and no");
}

static enum status add_past(struct source *source, const char *name, const char *text,
                            struct failure *why)
{
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        for (int grade = 0; grade < CRISIS_GRADE_COUNT; grade++) {
            if (strcmp(crisis_kind_name((enum crisis_kind)kind), name) == 0
                && strcmp(crisis_grade_name((enum crisis_grade)grade), text) == 0) {
                source->rules->past_grades[kind] = (enum crisis_grade)grade;
                return STATUS_OK;
            }
        }
    }
    return fail(why, STATUS_INVALID, "past is a map of kinds to grades");
}

static enum status read_texts(struct source *source, const char *key,
                              enum status (*add)(struct source *, const char *, const char *,
                                                 struct failure *))
{
    const struct yaml_node *map = yaml_get(yaml_tree_root(source->tree), key);
    if (map && !yaml_is_map(map)) {
        return yaml_wrong(source->tree, map, source->failure, "%s must be a map", key);
    }
    for (size_t i = 0; i < yaml_count(map); i++) {
        const char *name = NULL;
        struct failure why = {"it must be text"};
        const struct yaml_node *node = yaml_at(map, i, &name);
        const char *text = yaml_text(node);
        if (!text || add(source, name, text, &why) != STATUS_OK) {
            return yaml_wrong(source->tree, node, source->failure, "%s: %.40s: %s", key, name,
                              why.text);
        }
    }
    return STATUS_OK;
}

static enum status read_forgiven(struct source *source)
{
    const struct yaml_node *node = yaml_get(yaml_tree_root(source->tree), "forgive");
    struct failure why = {"it must be text"};
    const char *text = node ? yaml_text(node) : "";
    return text && grammar_forgive(source->rules->grammar, text, &why) == STATUS_OK
               ? STATUS_OK
               : yaml_wrong(source->tree, node, source->failure, "forgive: %s", why.text);
}

static enum status add_spellings(struct source *source, const char *word, const char *spellings,
                                 struct failure *why)
{
    return grammar_add_spellings(source->rules->grammar, word, spellings, why);
}

static enum status read_common(struct source *source)
{
    const struct yaml_node *node = yaml_get(yaml_tree_root(source->tree), "common");
    struct failure why = {"it must be text"};
    const char *text = node ? yaml_text(node) : "";
    return text && grammar_add_common(source->rules->grammar, text, &why) == STATUS_OK
               ? STATUS_OK
               : yaml_wrong(source->tree, node, source->failure, "common: %s", why.text);
}

static enum status read_file(struct crisis_rules *rules, const char *yaml, size_t length,
                             const char *name, struct failure *failure)
{
    static const char *const keys[] = {"language", "version", "same",     "common", "classes",
                                       "phrases",  "roles",   "forgive",  "past",   "answers",
                                       "cues",     "rules",   "together", NULL};
    struct source source = {rules, NULL, failure};
    if (rules->language_count == CRISIS_LANGUAGES_MAX) {
        return fail(failure, STATUS_INVALID, "%s: more than %d languages", name,
                    CRISIS_LANGUAGES_MAX);
    }
    grammar_forget_names(rules->grammar);
    enum status status = yaml_tree_parse(yaml, length, name, &source.tree, failure);
    if (status != STATUS_OK) {
        return status;
    }
    status = yaml_allow(source.tree, yaml_tree_root(source.tree), keys, failure);
    status = status == STATUS_OK ? read_texts(&source, "same", add_spellings) : status;
    status = status == STATUS_OK ? read_common(&source) : status;
    status = status == STATUS_OK ? read_texts(&source, "classes", add_class) : status;
    status = status == STATUS_OK ? read_texts(&source, "phrases", add_phrase) : status;
    status = status == STATUS_OK ? read_texts(&source, "roles", add_role) : status;
    status = status == STATUS_OK ? read_forgiven(&source) : status;
    status = status == STATUS_OK ? read_texts(&source, "past", add_past) : status;
    status = status == STATUS_OK ? read_texts(&source, "answers", add_answer) : status;
    status = status == STATUS_OK ? read_list(&source, "cues", read_cue) : status;
    status = status == STATUS_OK ? read_list(&source, "rules", read_rule) : status;
    status = status == STATUS_OK ? read_list(&source, "together", read_together) : status;
    yaml_tree_destroy(source.tree);
    rules->language_count++;
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum status begin(struct crisis_rules **out, struct failure *failure)
{
    struct crisis_rules *rules = calloc(1, sizeof *rules);
    if (!rules || grammar_create(&rules->grammar) != STATUS_OK) {
        crisis_rules_destroy(rules);
        fail(failure, STATUS_IO, "no memory");
        return STATUS_IO;
    }
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        rules->past_grades[kind] = CRISIS_LOW;
    }
    *out = rules;
    return STATUS_OK;
}

static enum status finish(enum status status, struct crisis_rules *rules, const char *name,
                          struct crisis_rules **out, struct failure *failure)
{
    if (status == STATUS_OK && rules && grammar_finish(rules->grammar) != STATUS_OK) {
        status = fail(failure, STATUS_INVALID, "%s: too many words in classes or to forgive", name);
    }
    if (status == STATUS_OK) {
        *out = rules;
    } else {
        crisis_rules_destroy(rules);
    }
    return status;
}

enum status crisis_rules_parse(const char *yaml, size_t length, const char *name,
                               struct crisis_rules **out, struct failure *failure)
{
    struct crisis_rules *rules = NULL;
    enum status status = begin(&rules, failure);
    if (status != STATUS_OK) {
        return status;
    }
    status = read_file(rules, yaml, length, name, failure);
    return finish(status, rules, name, out, failure);
}

enum status crisis_rules_create(struct crisis_rules **out, struct failure *failure)
{
    static const char folder[] = "crisis/";
    struct crisis_rules *rules = NULL;
    enum status status = begin(&rules, failure);
    if (status != STATUS_OK) {
        return status;
    }
    for (const struct shipped_file *file = shipped_files; file->path; file++) {
        if (status == STATUS_OK && strncmp(file->path, folder, sizeof folder - 1) == 0) {
            status = read_file(rules, (const char *)file->bytes, *file->bytes_count, file->path,
                               failure);
        }
    }
    return finish(status, rules, folder, out, failure);
}

void crisis_rules_destroy(struct crisis_rules *rules)
{
    if (rules) {
        grammar_destroy(rules->grammar);
        free(rules);
    }
}
