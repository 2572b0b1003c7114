/* grammar_compile.c - the text of patterns to nodes. */
#include <stdio.h>
#include <string.h>

#include "policy/crisis/grammar_nodes.h"

enum { GAP_WORDS_MAX = 12 };

/* One line that is being compiled. */
struct line {
    struct grammar *grammar;
    const char *at, *end;
    uint32_t depth, cost;
    struct failure *failure;
};

static enum status line_wrong(const struct line *line, const char *what, const char *text,
                              size_t length)
{
    return fail(line->failure, STATUS_INVALID, "%s: \"%.*s\"", what,
                (int)(length > 60 ? 60 : length), text);
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next word of the line: up to a space or bracket. */
static size_t next_word(struct line *line, const char **out)
{
    while (line->at < line->end && is_space(*line->at)) {
        line->at++;
    }
    *out = line->at;
    const char *at = line->at;
    while (at < line->end && !is_space(*at) && !strchr("()[]|", *at)) {
        at++;
    }
    return (size_t)(at - line->at);
}

static enum status new_node(struct line *line, enum node_type type, uint32_t value, uint32_t *out)
{
    struct grammar *grammar = line->grammar;
    if (grammar->node_count == NODES_MAX) {
        return fail(line->failure, STATUS_INVALID, "more than %d nodes of patterns", NODES_MAX);
    }
    *out = grammar->node_count++;
    grammar->nodes[*out] = (struct node){type, value, 0};
    line->cost++;
    return STATUS_OK;
}

static const struct grammar_name *find_name(const struct grammar *grammar, const char *text,
                                            size_t length)
{
    for (uint32_t i = 0; i < grammar->name_count; i++) {
        if (strlen(grammar->names[i].text) == length
            && memcmp(grammar->names[i].text, text, length) == 0) {
            return &grammar->names[i];
        }
    }
    return NULL;
}

static enum status compile_name(struct line *line, const char *text, size_t length, uint32_t *out)
{
    const struct grammar_name *name = find_name(line->grammar, text, length);
    if (!name) {
        return line_wrong(line, "no class or phrase of this name before it", text, length);
    }
    line->cost += name->cost;
    if (line->cost > PATTERN_COST_MAX) {
        return line_wrong(line, "phrases in phrases become too much", text, length);
    }
    return new_node(line, name->type, name->value, out);
}

static enum status compile_gap(struct line *line, const char *text, size_t length, uint32_t *out)
{
    uint32_t words = 0;
    for (size_t i = 2; i < length; i++) {
        words = text[i] >= '0' && text[i] <= '9' && words < 100
                    ? words * 10 + (uint32_t)(text[i] - '0')
                    : 100;
    }
    if (words < 1 || words > GAP_WORDS_MAX) {
        return line_wrong(line, "a gap is ..1 to ..12", text, length);
    }
    return new_node(line, NODE_GAP, words, out);
}

static enum status add_word(const struct line *line, const char *text, size_t length,
                            uint32_t *entry)
{
    const enum status status = word_book_add(line->grammar->vocabulary, text, length, entry);
    return status == STATUS_OK
               ? status
               : line_wrong(line,
                            "not a word of at most 32 lower-case letters and digits, or too "
                            "many",
                            text, length);
}

static enum status compile_word(struct line *line, uint32_t *out)
{
    const char *text = NULL;
    uint32_t entry = 0;
    const size_t length = next_word(line, &text);
    line->at = text + length;
    if (length > 1 && text[0] == '@') {
        return compile_name(line, text + 1, length - 1, out);
    }
    if (length > 2 && text[0] == '.' && text[1] == '.') {
        return compile_gap(line, text, length, out);
    }
    if (length == 1 && (text[0] == '^' || text[0] == '$')) {
        return new_node(line, text[0] == '^' ? NODE_FIRST : NODE_LAST, 0, out);
    }
    const enum status status = add_word(line, text, length, &entry);
    return status == STATUS_OK ? new_node(line, NODE_ENTRY, entry, out) : status;
}

static enum status compile_alternatives(struct line *line, char close, uint32_t *out);

static enum status compile_group(struct line *line, uint32_t *out)
{
    const char open = *line->at++;
    uint32_t first = 0;
    if (++line->depth > PATTERN_DEPTH_MAX) {
        return line_wrong(line, "too many brackets in brackets", line->at,
                          (size_t)(line->end - line->at));
    }
    enum status status = compile_alternatives(line, open == '(' ? ')' : ']', &first);
    line->depth--;
    return status == STATUS_OK
               ? new_node(line, open == '(' ? NODE_GROUP : NODE_OPTIONAL, first, out)
               : status;
}

/* Up to a | or a closing bracket, or the line's end. */
static enum status compile_sequence(struct line *line, uint32_t *out)
{
    uint32_t last = 0;
    enum status status = STATUS_OK;
    *out = 0;
    while (status == STATUS_OK) {
        const char *text = NULL;
        uint32_t node = 0;
        (void)next_word(line, &text);
        if (line->at == line->end || strchr(")]|", *line->at)) {
            break;
        }
        status = strchr("([", *line->at) ? compile_group(line, &node) : compile_word(line, &node);
        if (status == STATUS_OK) {
            *(last ? &line->grammar->nodes[last].next : out) = node;
            last = node;
        }
    }
    if (status == STATUS_OK && last == 0) {
        status = line_wrong(line, "an empty pattern", line->at, (size_t)(line->end - line->at));
    }
    return status;
}

static enum status compile_alternatives(struct line *line, char close, uint32_t *out)
{
    uint32_t last = 0;
    for (bool is_done = false; !is_done;) {
        uint32_t first = 0, alternative = 0;
        enum status status = compile_sequence(line, &first);
        if (status == STATUS_OK) {
            status = new_node(line, NODE_ALTERNATIVE, first, &alternative);
        }
        if (status != STATUS_OK) {
            return status;
        }
        *(last ? &line->grammar->nodes[last].next : out) = alternative;
        last = alternative;
        if (line->at == line->end || (*line->at != '|' && *line->at != close)) {
            return line_wrong(line, "a bracket is not closed", line->at,
                              (size_t)(line->end - line->at));
        }
        is_done = *line->at++ == close;
    }
    return STATUS_OK;
}

static enum status compile_line(struct line *line, uint32_t *first)
{
    const enum status status = compile_sequence(line, first);
    return status == STATUS_OK && line->at < line->end ? line_wrong(
               line, "no bracket is open here", line->at, (size_t)(line->end - line->at))
                                                       : status;
}

/* ---- texts of several lines ------------------------------------------------------------------ */

/* The next line that says something; false at the end. */
static bool next_line(const char **text, struct line *line)
{
    while (**text != '\0') {
        const char *end = strchr(*text, '\n');
        end = end ? end : *text + strlen(*text);
        line->at = *text;
        line->end = end;
        line->depth = 0;
        line->cost = 0;
        *text = *end ? end + 1 : end;
        while (line->at < line->end && is_space(*line->at)) {
            line->at++;
        }
        if (line->at < line->end && *line->at != '#') {
            return true;
        }
    }
    return false;
}

enum status grammar_add_patterns(struct grammar *grammar, const char *lines,
                                 struct grammar_patterns *out, struct failure *failure)
{
    struct line line = {.grammar = grammar, .failure = failure};
    *out = (struct grammar_patterns){grammar->pattern_count, 0};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && next_line(&lines, &line)) {
        if (grammar->pattern_count == PATTERNS_MAX) {
            return fail(failure, STATUS_INVALID, "more than %d patterns", PATTERNS_MAX);
        }
        struct pattern *pattern = &grammar->patterns[grammar->pattern_count];
        const char *start = line.at;
        *pattern = (struct pattern){0};
        status = compile_line(&line, &pattern->first);
        if (status == STATUS_OK && grammar_anchor(grammar, grammar->pattern_count) != STATUS_OK) {
            status = line_wrong(&line, "no word that it cannot do without, or too many", start,
                                (size_t)(line.end - start));
        }
        if (status == STATUS_OK) {
            grammar->pattern_count++;
            out->count++;
        }
    }
    return status == STATUS_OK && out->count == 0
               ? fail(failure, STATUS_INVALID, "it has no pattern")
               : status;
}

static enum status add_name(struct grammar *grammar, const char *name, struct grammar_name value,
                            struct failure *failure)
{
    const size_t length = strlen(name);
    if (grammar->name_count == NAMES_MAX || length == 0 || length >= NAME_BYTES_MAX) {
        return fail(failure, STATUS_INVALID, "a name of 1 to %d bytes, at most %d of them",
                    NAME_BYTES_MAX - 1, NAMES_MAX);
    }
    if (find_name(grammar, name, length)) {
        return fail(failure, STATUS_INVALID, "the name \"%s\" is taken", name);
    }
    memcpy(value.text, name, length + 1);
    grammar->names[grammar->name_count++] = value;
    return STATUS_OK;
}

void grammar_forget_names(struct grammar *grammar)
{
    grammar->names[0] = (struct grammar_name){"number", NODE_ENTRY, grammar->number_entry, 0};
    grammar->names[1] = (struct grammar_name){"year", NODE_ENTRY, grammar->year_entry, 0};
    grammar->names[2] = (struct grammar_name){"many", NODE_ENTRY, grammar->many_entry, 0};
    grammar->name_count = 3;
}

enum status grammar_add_phrase(struct grammar *grammar, const char *name, const char *lines,
                               struct failure *failure)
{
    struct line line = {.grammar = grammar, .failure = failure};
    uint32_t last = 0, cost = 0;
    if (grammar->phrase_count == PHRASES_MAX) {
        return fail(failure, STATUS_INVALID, "more than %d phrases", PHRASES_MAX);
    }
    uint32_t *phrase = &grammar->phrases[grammar->phrase_count];
    *phrase = 0;
    while (next_line(&lines, &line)) {
        uint32_t first = 0, alternative = 0;
        enum status status = compile_line(&line, &first);
        if (status == STATUS_OK) {
            status = new_node(&line, NODE_ALTERNATIVE, first, &alternative);
        }
        if (status != STATUS_OK) {
            return status;
        }
        *(last ? &grammar->nodes[last].next : phrase) = alternative;
        last = alternative;
        cost += line.cost;
        if (cost > PATTERN_COST_MAX) {
            return fail(failure, STATUS_INVALID, "phrases in phrases become too much");
        }
    }
    if (last == 0) {
        return fail(failure, STATUS_INVALID, "it has no pattern");
    }
    const struct grammar_name value = {"", NODE_PHRASE, grammar->phrase_count++, cost};
    return add_name(grammar, name, value, failure);
}

/* ---- lists of words -------------------------------------------------------------------------- */

static struct line list_of(struct grammar *grammar, const char *words, struct failure *failure)
{
    return (struct line){grammar, words, words + strlen(words), 0, 0, failure};
}

/* The next word of a list; false at its end, or *status says what is wrong. */
static bool next_entry(struct line *line, uint32_t *entry, enum status *status)
{
    while (line->at < line->end && (is_space(*line->at) || *line->at == '\n')) {
        line->at++;
    }
    const char *text = line->at;
    while (line->at < line->end && !is_space(*line->at) && *line->at != '\n') {
        line->at++;
    }
    if (*status == STATUS_OK && line->at > text) {
        *status = add_word(line, text, (size_t)(line->at - text), entry);
    }
    return *status == STATUS_OK && line->at > text;
}

enum status grammar_add_class(struct grammar *grammar, const char *name, const char *words,
                              struct failure *failure)
{
    struct line line = list_of(grammar, words, failure);
    uint32_t class_entry = 0, entry = 0;
    enum status status = STATUS_OK;
    if (word_book_add_class(grammar->vocabulary, &class_entry) != STATUS_OK) {
        return fail(failure, STATUS_INVALID, "too many words and classes");
    }
    while (next_entry(&line, &entry, &status)) {
        grammar->is_common[class_entry] |= grammar->is_common[entry];
        status = word_book_join(grammar->vocabulary, entry, class_entry);
    }
    if (status == STATUS_FULL) {
        return fail(failure, STATUS_INVALID, "too many words in classes");
    }
    const struct grammar_name value = {"", NODE_ENTRY, class_entry, 0};
    return status == STATUS_OK ? add_name(grammar, name, value, failure) : status;
}

enum status grammar_add_roles(struct grammar *grammar, uint32_t roles, const char *words,
                              struct failure *failure)
{
    struct line line = list_of(grammar, words, failure);
    uint32_t entry = 0;
    enum status status = STATUS_OK;
    while (next_entry(&line, &entry, &status)) {
        word_book_give_roles(grammar->vocabulary, entry, roles);
    }
    return status;
}

enum status grammar_add_common(struct grammar *grammar, const char *words, struct failure *failure)
{
    struct line line = list_of(grammar, words, failure);
    uint32_t entry = 0;
    enum status status = STATUS_OK;
    while (next_entry(&line, &entry, &status)) {
        grammar->is_common[entry] = true;
    }
    return status;
}

enum status grammar_forgive(struct grammar *grammar, const char *words, struct failure *failure)
{
    struct line line = list_of(grammar, words, failure);
    uint32_t entry = 0;
    enum status status = STATUS_OK;
    while (next_entry(&line, &entry, &status)) {
        word_book_forgive(grammar->vocabulary, entry);
    }
    return status;
}

enum status grammar_add_spellings(struct grammar *grammar, const char *word, const char *spellings,
                                  struct failure *failure)
{
    struct line line = list_of(grammar, spellings, failure);
    const char *text = NULL;
    uint32_t entry = 0;
    enum status status = word_book_add(grammar->vocabulary, word, strlen(word), &entry);
    for (size_t length = next_word(&line, &text); status == STATUS_OK && length > 0;
         length = next_word(&line, &text)) {
        status = word_book_add_spelling(grammar->vocabulary, text, length, entry);
        line.at += length;
    }
    return status == STATUS_OK ? status : fail(failure, status, "no word, or one that is taken");
}
