#include "policy/rules/rules_reader.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_TEXT_BYTES = 200, WORD_BYTES_MAX = 40, DISTANCE_NEAR = 2 };

/* ---- what was meant -------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* The next line of the table of distances: row holds the last one. */
static void advance(size_t *row, char letter, const char *to)
{
    size_t corner = row[0]++;
    for (size_t column = 1; to[column - 1] != '\0'; column++) {
        const char other = lower(to[column - 1]);
        const size_t above = row[column];
        row[column] = least(corner + (letter != other), least(above, row[column - 1]) + 1);
        corner = above;
    }
}

/* Letters to change, add or drop from one word to the other, whatever their case. */
static size_t distance(const char *from, const char *to)
{
    size_t row[WORD_BYTES_MAX + 1];
    const size_t width = strlen(to);
    if (width > WORD_BYTES_MAX || strlen(from) > WORD_BYTES_MAX) {
        return WORD_BYTES_MAX;
    }
    for (size_t column = 0; column <= width; column++) {
        row[column] = column;
    }
    for (; *from != '\0'; from++) {
        advance(row, lower(*from), to);
    }
    return row[width];
}

static const char *nearest(const char *word, rules_words words)
{
    const char *best = NULL;
    size_t best_distance = DISTANCE_NEAR + 1;
    for (size_t i = 0; words[i]; i++) {
        const size_t now = distance(word, words[i]);
        if (now < best_distance && now < strlen(words[i])) {
            best_distance = now;
            best = words[i];
        }
    }
    return best;
}

static enum status refuse_word(const struct rules_reader *reader, const struct yaml_node *node,
                               const char *what, const char *word, rules_words words)
{
    char allowed[WORDS_TEXT_BYTES] = "";
    size_t used = 0;
    const char *meant = nearest(word, words);
    for (size_t i = 0; words[i] && used < sizeof allowed; i++) {
        const int wrote =
            snprintf(allowed + used, sizeof allowed - used, "%s%s", i > 0 ? ", " : "", words[i]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    return yaml_wrong(
        reader->tree, node, reader->failure, "%s: \"%.40s\" is not known%s%s%s; allowed: %s", what,
        word, meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "", allowed);
}

static bool find(const char *word, rules_words words, size_t *out)
{
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

enum status rules_reader_keys(const struct rules_reader *reader, const struct yaml_node *node,
                              const char *what, rules_words keys)
{
    if (node && !yaml_is_map(node)) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: a map of keys and values",
                          what);
    }
    for (size_t i = 0; i < yaml_count(node); i++) {
        const char *key = NULL;
        const struct yaml_node *entry = yaml_at(node, i, &key);
        size_t index = 0;
        if (!key || !find(key, keys, &index)) {
            return refuse_word(reader, entry, what, key ? key : "", keys);
        }
    }
    return STATUS_OK;
}

enum status rules_reader_word(const struct rules_reader *reader, const struct yaml_node *node,
                              const char *what, rules_words words, size_t *out)
{
    const char *text = yaml_text(node);
    return text && find(text, words, out)
               ? STATUS_OK
               : refuse_word(reader, node, what, text ? text : "", words);
}

enum status rules_reader_flag(const struct rules_reader *reader, const struct yaml_node *map,
                              const char *key, bool *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    if (node && !yaml_flag(node, out)) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: true or false", key);
    }
    return STATUS_OK;
}

enum status rules_reader_number(const struct rules_reader *reader, const struct yaml_node *map,
                                const char *key, uint32_t max, uint32_t *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t value = 0;
    if (node && !yaml_integer(node, 0, max, &value)) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: a number from 0 to %u", key,
                          max);
    }
    *out = node ? (uint32_t)value : *out;
    return STATUS_OK;
}

enum status rules_reader_text(const struct rules_reader *reader, const struct yaml_node *map,
                              const char *key, char *out, size_t out_bytes)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = yaml_text(node);
    if (!node) {
        return STATUS_OK;
    }
    if (!text || text[0] == '\0' || strlen(text) >= out_bytes) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: a text of 1 to %zu bytes", key,
                          out_bytes - 1);
    }
    memcpy(out, text, strlen(text) + 1);
    return STATUS_OK;
}

enum status rules_reader_list(const struct rules_reader *reader, const struct yaml_node *map,
                              const char *key, size_t count_max, const struct yaml_node **out)
{
    const struct yaml_node *node = yaml_get(map, key);
    *out = node;
    if (node && (!yaml_is_list(node) || yaml_count(node) > count_max)) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: a list of at most %zu", key,
                          count_max);
    }
    return STATUS_OK;
}
