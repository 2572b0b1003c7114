/* yaml_unknown.c - a word that is none of those allowed: which was meant. */
#include <stdio.h>
#include <string.h>

#include "policy/yaml/yaml_tree.h"

enum { WORDS_TEXT_BYTES = 200, WORD_BYTES_MAX = 40, DISTANCE_NEAR = 2 };

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
    size_t row[WORD_BYTES_MAX + 1] = {0};
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

static const char *nearest(const char *word, const char *const *words)
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

enum status yaml_unknown(const struct yaml_tree *tree, const struct yaml_node *node,
                         struct failure *failure, const char *what, const char *word,
                         const char *const *words)
{
    char allowed[WORDS_TEXT_BYTES] = "";
    size_t used = 0;
    const char *given = word ? word : "";
    const char *meant = nearest(given, words);
    for (size_t i = 0; words[i] && used < sizeof allowed; i++) {
        const int wrote =
            snprintf(allowed + used, sizeof allowed - used, "%s%s", i > 0 ? ", " : "", words[i]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    return yaml_wrong(tree, node, failure, "%s: \"%.40s\" is not known%s%s%s; allowed: %s", what,
                      given, meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "",
                      allowed);
}
