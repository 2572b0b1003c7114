#include "policy/instruments/instrument.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "policy/data/shipped.h"
#include "policy/instruments/answer.h"

enum { BANDS_MAX = 8, VERSION_MAX = 1000000, PATH_BYTES = 96, LABEL_BYTES = 32 };

static const char *const shipped_names[] = {"phq-9", "gad-7", "phq-2", "gad-2"};
enum { SHIPPED_COUNT = sizeof shipped_names / sizeof shipped_names[0] };

struct band {
    uint32_t from;
    const char *name;
};

struct instrument { /* texts live in the trees */
    struct yaml_tree *tree, *answers_tree;
    struct answer_grammar *grammar;
    uint32_t version;
    const char *name, *introduction, *question, *again, *closing, *declined;
    const char *options[ANSWER_OPTIONS_MAX];
    const char *items[INSTRUMENT_ITEMS_MAX];
    bool is_critical[INSTRUMENT_ITEMS_MAX];
    struct band bands[BANDS_MAX];
    uint32_t option_count, item_count, band_count;
};

/* ---- reading --------------------------------------------------------------------------------- */

/* What is read, and where errors go. */
struct source {
    const struct yaml_tree *tree;
    const struct yaml_node *root;
    struct failure *failure;
};

static enum status read_text(const struct source *source, const char *key, const char **out)
{
    const struct yaml_node *node = yaml_get(source->root, key);
    *out = yaml_text(node);
    if (!*out || (*out)[0] == '\0') {
        return yaml_wrong(source->tree, node ? node : source->root, source->failure,
                          "\"%s\" must be a text", key);
    }
    return STATUS_OK;
}

struct text_field {
    const char *key;
    const char **out;
};

static enum status read_texts(const struct source *source, struct instrument *instrument)
{
    const char *title; /* for people who read the file */
    const struct text_field fields[] = {
        {"name", &instrument->name},
        {"introduction", &instrument->introduction},
        {"question", &instrument->question},
        {"again", &instrument->again},
        {"closing", &instrument->closing},
        {"declined", &instrument->declined},
        {"title", &title},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof fields / sizeof fields[0]; i++) {
        status = read_text(source, fields[i].key, fields[i].out);
    }
    return status;
}

/* Letters, digits and what joins them: it goes into JSON, records and file names as it is. */
static bool is_plain(const char *text, const char *joints)
{
    for (const char *c = text; *c; c++) {
        const bool is_word = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
        if (!is_word && !strchr(joints, *c)) {
            return false;
        }
    }
    return text[0] != '\0' && strlen(text) < LABEL_BYTES;
}

static enum status read_names(const struct source *source, struct instrument *instrument)
{
    const struct yaml_node *node = yaml_get(source->root, "version");
    int64_t version;
    if (!yaml_integer(node, 1, VERSION_MAX, &version)) {
        return yaml_wrong(source->tree, node, source->failure,
                          "\"version\" must be a number from 1 to %d", VERSION_MAX);
    }
    instrument->version = (uint32_t)version;
    if (!is_plain(instrument->name, "-") || strlen(instrument->name) >= INSTRUMENT_NAME_BYTES) {
        return yaml_wrong(source->tree, yaml_get(source->root, "name"), source->failure,
                          "\"name\" must be 1 to %d of a-z, 0-9 and -", INSTRUMENT_NAME_BYTES - 1);
    }
    return STATUS_OK;
}

static enum status read_list(const struct source *source, const char *key, size_t max,
                             const char **texts, uint32_t *count)
{
    const struct yaml_node *list = yaml_get(source->root, key);
    if (!yaml_is_list(list) || yaml_count(list) == 0 || yaml_count(list) > max) {
        return yaml_wrong(source->tree, list, source->failure,
                          "\"%s\" must be a list of 1 to %zu texts", key, max);
    }
    for (size_t i = 0; i < yaml_count(list); i++) {
        texts[i] = yaml_text(yaml_at(list, i, NULL));
        if (!texts[i] || texts[i][0] == '\0') {
            return yaml_wrong(source->tree, yaml_at(list, i, NULL), source->failure,
                              "each of \"%s\" must be a text", key);
        }
    }
    *count = (uint32_t)yaml_count(list);
    return STATUS_OK;
}

static enum status read_critical(const struct source *source, struct instrument *instrument)
{
    const struct yaml_node *list = yaml_get(source->root, "critical");
    if (list && !yaml_is_list(list)) {
        return yaml_wrong(source->tree, list, source->failure,
                          "\"critical\" must be a list of item numbers");
    }
    for (size_t i = 0; i < yaml_count(list); i++) {
        int64_t item;
        if (!yaml_integer(yaml_at(list, i, NULL), 1, instrument->item_count, &item)) {
            return yaml_wrong(source->tree, yaml_at(list, i, NULL), source->failure,
                              "a critical item is a number from 1 to %u", instrument->item_count);
        }
        instrument->is_critical[item - 1] = true;
    }
    return STATUS_OK;
}

static uint32_t score_max(const struct instrument *instrument)
{
    return instrument->item_count * (instrument->option_count - 1);
}

static enum status read_bands(const struct source *source, struct instrument *instrument)
{
    static const char *const keys[] = {"from", "name", NULL};
    const struct yaml_node *list = yaml_get(source->root, "bands");
    if (!yaml_is_list(list) || yaml_count(list) == 0 || yaml_count(list) > BANDS_MAX) {
        return yaml_wrong(source->tree, list, source->failure,
                          "\"bands\" must be a list of 1 to %d maps", BANDS_MAX);
    }
    int64_t least = 0;
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i, NULL);
        const char *name = yaml_text(yaml_get(node, "name"));
        const int64_t most = i == 0 ? 0 : score_max(instrument);
        int64_t from;
        if (!yaml_is_map(node) || !name || !is_plain(name, " -")
            || !yaml_integer(yaml_get(node, "from"), least, most, &from)) {
            return yaml_wrong(source->tree, node, source->failure,
                              "a band is {from, name}: the first from 0, then rising to at most "
                              "%u; a name of a-z, 0-9, - and spaces",
                              score_max(instrument));
        }
        const enum status status = yaml_allow(source->tree, node, keys, source->failure);
        if (status != STATUS_OK) {
            return status;
        }
        instrument->bands[instrument->band_count++] = (struct band){(uint32_t)from, name};
        least = from + 1;
    }
    return STATUS_OK;
}

/* "answers": a map, or the name of a shipped file. */
static enum status read_answers(const struct source *source, struct instrument *instrument)
{
    const struct yaml_node *node = yaml_get(source->root, "answers");
    const char *name = yaml_text(node);
    if (!name) {
        return answer_grammar_create(source->tree, node, instrument->option_count,
                                     &instrument->grammar, source->failure);
    }
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "instruments/answers/%.32s.yaml", name);
    const struct shipped_file *file = shipped_find(path);
    if (!file) {
        return yaml_wrong(source->tree, node, source->failure,
                          "\"answers\" must be a map or \"frequency\"");
    }
    const enum status status = yaml_tree_parse((const char *)file->bytes, *file->bytes_count, path,
                                               &instrument->answers_tree, source->failure);
    if (status != STATUS_OK) {
        return status;
    }
    return answer_grammar_create(instrument->answers_tree, yaml_tree_root(instrument->answers_tree),
                                 instrument->option_count, &instrument->grammar, source->failure);
}

static enum status check_keys(const struct source *source, struct instrument *instrument)
{
    static const char *const keys[] = {
        "version", "name",     "title", "introduction", "question", "options",  "answers",
        "items",   "critical", "bands", "again",        "closing",  "declined", NULL};
    (void)instrument;
    if (!yaml_is_map(source->root)) {
        return yaml_wrong(source->tree, source->root, source->failure, "must be a map");
    }
    return yaml_allow(source->tree, source->root, keys, source->failure);
}

static enum status read_questions(const struct source *source, struct instrument *instrument)
{
    enum status status = read_list(source, "options", ANSWER_OPTIONS_MAX, instrument->options,
                                   &instrument->option_count);
    if (status == STATUS_OK) {
        status = read_list(source, "items", INSTRUMENT_ITEMS_MAX, instrument->items,
                           &instrument->item_count);
    }
    return status;
}

enum status instrument_parse(const char *yaml, size_t length, const char *name,
                             struct instrument **out, struct failure *failure)
{
    static enum status (*const steps[])(const struct source *, struct instrument *) = {
        check_keys,    read_texts, read_names,  read_questions,
        read_critical, read_bands, read_answers};
    struct instrument *instrument = calloc(1, sizeof *instrument);
    if (!instrument) {
        return fail(failure, STATUS_IO, "%s: no memory", name);
    }
    enum status status = yaml_tree_parse(yaml, length, name, &instrument->tree, failure);
    if (status == STATUS_OK) {
        const struct source source = {
            .tree = instrument->tree, .root = yaml_tree_root(instrument->tree), .failure = failure};
        for (size_t i = 0; status == STATUS_OK && i < sizeof steps / sizeof steps[0]; i++) {
            status = steps[i](&source, instrument);
        }
    }
    if (status == STATUS_OK) {
        *out = instrument;
        instrument = NULL;
    }
    instrument_destroy(instrument);
    return status;
}

const char *instrument_shipped_name(size_t index)
{
    return index < SHIPPED_COUNT ? shipped_names[index] : NULL;
}

enum status instrument_create(const char *name, struct instrument **out, struct failure *failure)
{
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        if (strcmp(name, shipped_names[i]) == 0) {
            char path[PATH_BYTES];
            snprintf(path, sizeof path, "instruments/%s.yaml", name);
            const struct shipped_file *file = shipped_find(path);
            ASSERT(file != NULL);
            return instrument_parse((const char *)file->bytes, *file->bytes_count, path, out,
                                    failure);
        }
    }
    return fail(failure, STATUS_NOT_FOUND,
                "instrument \"%.32s\" is none of phq-9, gad-7, phq-2, gad-2", name);
}

void instrument_destroy(struct instrument *instrument)
{
    if (instrument) {
        answer_grammar_destroy(instrument->grammar);
        yaml_tree_destroy(instrument->answers_tree);
        yaml_tree_destroy(instrument->tree);
        free(instrument);
    }
}

/* ---- conversation ---------------------------------------------------------------------------- */

enum answer_verdict instrument_read(const struct instrument *instrument, const char *text,
                                    size_t length, uint32_t *option)
{
    const struct answer_reading reading = answer_read(instrument->grammar, text, length);
    if (reading.verdict == ANSWER_READ) {
        *option = reading.option;
    }
    return reading.verdict;
}

/* Nearly none is not none where it matters most: that is asked again, and is critical even if
 * nothing clearer follows. */
void instrument_answer(const struct instrument *instrument, struct instrument_state *state,
                       const char *text, size_t length)
{
    if (state->is_declined || state->item >= instrument->item_count) {
        return;
    }
    const struct answer_reading reading = answer_read(instrument->grammar, text, length);
    const bool is_read = reading.verdict == ANSWER_READ;
    const bool is_critical = instrument->is_critical[state->item];
    const bool is_above = is_read && (reading.option > 0 || reading.is_weak);
    state->is_critical |= is_critical && is_above;
    if (is_read && !(is_critical && reading.is_weak)) {
        state->answers[state->item++] = (uint8_t)reading.option;
        state->answer_count = state->item;
        state->asked_again = 0;
        return;
    }
    if (reading.verdict == ANSWER_DECLINED || state->asked_again == INSTRUMENT_ASKED_AGAIN_MAX) {
        state->is_declined = true;
        return;
    }
    state->asked_again++;
}

static enum status append_item(const struct instrument *instrument, uint32_t item,
                               struct buffer *out)
{
    enum status status = buffer_format(out, "%u of %u. %s\n", item + 1, instrument->item_count,
                                       instrument->items[item]);
    for (uint32_t i = 0; status == STATUS_OK && i < instrument->option_count; i++) {
        status = buffer_format(out, "\n%u - %s", i, instrument->options[i]);
    }
    return status;
}

enum status instrument_next(const struct instrument *instrument,
                            const struct instrument_state *state, struct buffer *out)
{
    if (state->is_declined) {
        return buffer_append_text(out, instrument->declined);
    }
    if (state->item >= instrument->item_count) {
        return buffer_append_text(out, instrument->closing);
    }
    enum status status = STATUS_OK;
    if (state->asked_again > 0) {
        status = buffer_format(out, "%s\n\n", instrument->again);
    } else if (state->item == 0) {
        status = buffer_format(out, "%s\n\n", instrument->introduction);
    }
    if (status == STATUS_OK && (state->item == 0 || state->asked_again > 0)) {
        status = buffer_format(out, "%s\n\n", instrument->question);
    }
    return status == STATUS_OK ? append_item(instrument, state->item, out) : status;
}

/* ---- result ---------------------------------------------------------------------------------- */

struct instrument_result instrument_score(const struct instrument *instrument,
                                          const struct instrument_state *state)
{
    struct instrument_result result = {.score_max = score_max(instrument),
                                       .is_critical = state->is_critical};
    for (uint32_t i = 0; i < state->answer_count; i++) {
        result.score += state->answers[i];
    }
    result.is_complete = !state->is_declined && state->answer_count == instrument->item_count;
    for (uint32_t i = 0; result.is_complete && i < instrument->band_count; i++) {
        if (result.score >= instrument->bands[i].from) {
            result.band = instrument->bands[i].name;
        }
    }
    return result;
}

static enum status append_outcome(const struct instrument_result *result, struct buffer *out)
{
    if (!result->is_complete) {
        return buffer_format(out, "\"score\":null,\"max\":%u,\"band\":null", result->score_max);
    }
    return buffer_format(out, "\"score\":%u,\"max\":%u,\"band\":\"%s\"", result->score,
                         result->score_max, result->band);
}

enum status instrument_json(const struct instrument *instrument,
                            const struct instrument_state *state, struct buffer *out)
{
    const struct instrument_result result = instrument_score(instrument, state);
    enum status status =
        buffer_format(out, "{\"instrument\":\"%s\",\"version\":%u,\"complete\":%s,",
                      instrument->name, instrument->version, result.is_complete ? "true" : "false");
    if (status == STATUS_OK) {
        status = append_outcome(&result, out);
    }
    if (status == STATUS_OK) {
        status = buffer_append_text(out, ",\"items\":[");
    }
    for (uint32_t i = 0; status == STATUS_OK && i < state->answer_count; i++) {
        status = buffer_format(out, "%s%u", i > 0 ? "," : "", state->answers[i]);
    }
    if (status == STATUS_OK) {
        status = buffer_format(out, "],\"critical\":%s}", result.is_critical ? "true" : "false");
    }
    return status;
}
