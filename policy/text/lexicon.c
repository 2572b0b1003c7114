/* lexicon.c - open addressing with linear probes. A slot keeps 32 bits of the hash instead of the
 * word: with half a million words a lookup of a stranger meets a false one about once in two
 * thousand million. Nothing is freed or moved after parse. */
#include "policy/text/lexicon.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text/word_hash.h"

enum {
    GRAM_BITS = 15, /* as derive.py */
    GRAM_COUNT = 1 << GRAM_BITS,
    GRAM_MIN = 2,
    GRAM_MAX = 5,
    WEIGHT_ZERO = 79, /* the character of weight 0 */
    WEIGHT_MAX = 31,
    LINE_WEIGHTS = 64,
    ENTRIES_MAX = 600000,
    SLOT_COUNT = 3 << 18,
    SLOTS_USED_MAX = SLOT_COUNT / 8 * 7,
    TERM_WORD_CLASS = 8,   /* of a word that terms.txt alone has */
    SPEECH_WORD_CLASS = 12 /* "oh", "no" */
};

struct slot {
    uint32_t tag; /* 0: empty */
    struct lexicon_entry entry;
};

struct lexicon {
    struct slot slots[SLOT_COUNT + 1]; /* by number; number 0 stays empty */
    int8_t weights[GRAM_COUNT];
    uint32_t used;
};

struct reader {
    const char *at, *end;
    const char *file;
    unsigned line;
    struct failure *failure;
};

/* ---- the table --------------------------------------------------------------------------------
 */

static uint32_t tag_of(uint64_t hashed)
{
    const uint32_t tag = (uint32_t)(hashed >> 32);
    return tag == 0 ? 1 : tag;
}

/* The number of the slot that has the text, or of the empty one where it belongs. */
static uint32_t number_of(const struct lexicon *lexicon, uint64_t hashed, uint32_t *tag)
{
    *tag = tag_of(hashed);
    uint32_t number = 1 + (uint32_t)(((hashed & UINT32_MAX) * SLOT_COUNT) >> 32);
    while (lexicon->slots[number].tag != 0 && lexicon->slots[number].tag != *tag) {
        number = number == SLOT_COUNT ? 1 : number + 1;
    }
    return number;
}

/* NULL: the table is full. */
static struct lexicon_entry *add(struct lexicon *lexicon, const char *text, size_t length)
{
    uint32_t tag = 0;
    struct slot *const slot = &lexicon->slots[number_of(lexicon, word_hash(text, length), &tag)];
    if (slot->tag == 0) {
        if (lexicon->used == SLOTS_USED_MAX) {
            return NULL;
        }
        lexicon->used++;
        slot->tag = tag;
    }
    return &slot->entry;
}

/* "a b c" is also added as "a" and "a b", which begin it. */
static struct lexicon_entry *add_phrase(struct lexicon *lexicon, const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if (text[i] == ' ') {
            struct lexicon_entry *const start = add(lexicon, text, i);
            if (!start) {
                return NULL;
            }
            start->flags |= LEXICON_PHRASE_START;
        }
    }
    struct lexicon_entry *const entry = add(lexicon, text, length);
    if (entry) {
        entry->flags |= LEXICON_KEY;
    }
    return entry;
}

/* ---- lexicon.txt ------------------------------------------------------------------------------
 */

static enum status wrong(const struct reader *reader, const char *what)
{
    return fail(reader->failure, STATUS_INVALID, "%s:%u: %s", reader->file, reader->line, what);
}

/* False: nothing follows. */
static bool next_line(struct reader *reader, const char **line, size_t *length)
{
    if (reader->at == reader->end) {
        return false;
    }
    const char *const stop = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    *line = reader->at;
    *length = (size_t)((stop ? stop : reader->end) - reader->at);
    reader->at = stop ? stop + 1 : reader->end;
    reader->line++;
    return true;
}

/* The next of a line's entries, which tabs part. Behind the first line. */
static bool next_entry(struct reader *reader, const char **entry, size_t *length)
{
    const char *stop = reader->at;
    if (reader->at == reader->end) {
        return false;
    }
    reader->line += reader->at[-1] == '\n';
    while (stop < reader->end && *stop != '\n' && *stop != '\t') {
        stop++;
    }
    *entry = reader->at;
    *length = (size_t)(stop - reader->at);
    reader->at = stop < reader->end ? stop + 1 : reader->end;
    return true;
}

static bool is_text(char c)
{
    return (c >= 'a' && c <= 'z') || c == '\'' || c == ' ';
}

/* A decimal number up to max; true if one was there, and `at` is behind it. */
static bool read_count(const char **at, const char *end, uint32_t max, uint32_t *out)
{
    uint32_t value = 0;
    const char *c = *at;
    while (c < end && *c >= '0' && *c <= '9' && value <= max) {
        value = value * 10 + (uint32_t)(*c++ - '0');
    }
    const bool is_good = c > *at && value <= max;
    *at = c;
    *out = value;
    return is_good;
}

static enum status read_head(struct reader *reader, uint32_t *entry_count)
{
    static const char name[] = "lexicon 1 ";
    const char *line = NULL;
    size_t length = 0;
    uint32_t weight_count = 0;
    if (!next_line(reader, &line, &length) || length < sizeof name
        || memcmp(line, name, sizeof name - 1) != 0) {
        return wrong(reader, "no lexicon of version 1");
    }
    const char *at = line + sizeof name - 1;
    const char *const end = line + length;
    if (!read_count(&at, end, ENTRIES_MAX, entry_count) || at == end || *at++ != ' '
        || !read_count(&at, end, GRAM_COUNT, &weight_count) || at != end
        || weight_count != GRAM_COUNT) {
        return wrong(reader, "counts of entries and weights are out of range");
    }
    return STATUS_OK;
}

/* Characters ! to ` without ': 15 classes of each of the four columns. */
static bool read_codes(const char *codes, size_t count, struct lexicon_entry *entry)
{
    uint8_t *const columns[] = {&entry->first, &entry->last, &entry->word, &entry->place};
    int before = -1;
    for (size_t i = 0; i < count; i++) {
        if (codes[i] < '!' || codes[i] > '`' || codes[i] == '\'') {
            return false;
        }
        const int code = codes[i] - '!' - (codes[i] > '\'');
        const int column = code / LEXICON_CLASSES;
        if (column <= before || column > 3) {
            return false;
        }
        *columns[column] = (uint8_t)(code % LEXICON_CLASSES + 1);
        before = column;
    }
    return count > 0;
}

/* One entry: how many letters are those of the word before, the rest, the codes. `word` is the word
 * before and becomes this one. */
static enum status read_entry(struct lexicon *lexicon, struct reader *reader, char *word,
                              size_t *word_bytes)
{
    const char *line = NULL;
    size_t length = 0;
    if (!next_entry(reader, &line, &length) || length < 3) {
        return wrong(reader, "an entry is missing or too short");
    }
    const bool is_digit = line[0] >= '0' && line[0] <= '9';
    const bool is_letter = line[0] >= 'a' && line[0] <= 'z';
    const size_t shared = (size_t)(is_digit ? line[0] - '0' : line[0] - 'a' + 10);
    size_t rest = 1;
    while (rest < length && is_text(line[rest])) {
        rest++;
    }
    if ((!is_digit && !is_letter) || shared > *word_bytes || rest == 1
        || shared + rest - 1 > LEXICON_TEXT_MAX) {
        return wrong(reader, "an entry's letters are wrong");
    }
    if (shared < *word_bytes && line[1] <= word[shared]) {
        return wrong(reader, "entries are not in order");
    }
    memcpy(word + shared, line + 1, rest - 1);
    *word_bytes = shared + rest - 1;
    struct lexicon_entry *const entry = add_phrase(lexicon, word, *word_bytes);
    if (!entry) {
        return wrong(reader, "too many entries");
    }
    return read_codes(line + rest, length - rest, entry)
               ? STATUS_OK
               : wrong(reader, "an entry's codes are wrong");
}

static enum status read_weights(struct lexicon *lexicon, struct reader *reader)
{
    for (size_t at = 0; at < GRAM_COUNT; at += LINE_WEIGHTS) {
        const char *line = NULL;
        size_t length = 0;
        if (!next_line(reader, &line, &length) || length != LINE_WEIGHTS) {
            return wrong(reader, "a line of weights is missing or has another length");
        }
        for (size_t i = 0; i < LINE_WEIGHTS; i++) {
            const int weight = line[i] - WEIGHT_ZERO;
            if (weight < -WEIGHT_MAX || weight > WEIGHT_MAX) {
                return wrong(reader, "a weight is out of range");
            }
            lexicon->weights[at + i] = (int8_t)weight;
        }
    }
    return reader->at == reader->end ? STATUS_OK : wrong(reader, "something follows the weights");
}

static enum status read_lists(struct lexicon *lexicon, struct reader *reader)
{
    uint32_t entry_count = 0;
    enum status status = read_head(reader, &entry_count);
    char word[LEXICON_TEXT_MAX];
    size_t word_bytes = 0;
    for (uint32_t i = 0; i < entry_count && status == STATUS_OK; i++) {
        status = read_entry(lexicon, reader, word, &word_bytes);
    }
    return status == STATUS_OK ? read_weights(lexicon, reader) : status;
}

/* ---- terms.txt --------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    uint8_t flags, word;
} sections[] = {
    {"[drug]", LEXICON_DRUG, 0},
    {"[eponym]", LEXICON_EPONYM, 0},
    {"[acronym]", LEXICON_ACRONYM, 0},
    {"[term]", LEXICON_TERM, 0},
    {"[state]", LEXICON_TERM | LEXICON_STATE, 0},
    {"[state code]", LEXICON_STATE, 0},
    {"[word]", 0, TERM_WORD_CLASS},
    {"[speech]", 0, SPEECH_WORD_CLASS},
    {"[foreign]", LEXICON_FOREIGN, SPEECH_WORD_CLASS},
};
enum { SECTION_COUNT = sizeof sections / sizeof sections[0] };

static size_t section_of(const char *line, size_t length)
{
    size_t section = 0;
    while (section < SECTION_COUNT
           && (strlen(sections[section].name) != length
               || memcmp(sections[section].name, line, length) != 0)) {
        section++;
    }
    return section;
}

static enum status add_term(struct lexicon *lexicon, const struct reader *reader, size_t section,
                            const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!is_text(text[i])) {
            return wrong(reader, "a term has other characters than a-z, ' and space");
        }
    }
    if (length > LEXICON_TEXT_MAX || section == SECTION_COUNT) {
        return wrong(reader, "a term is too long or in no section");
    }
    struct lexicon_entry *const entry = add_phrase(lexicon, text, length);
    if (!entry) {
        return wrong(reader, "too many entries");
    }
    entry->flags |= sections[section].flags;
    if (entry->word < sections[section].word) {
        entry->word = sections[section].word;
    }
    return STATUS_OK;
}

/* Terms of a line are separated by commas. */
static enum status add_terms(struct lexicon *lexicon, const struct reader *reader, size_t section,
                             const char *line, size_t length)
{
    const char *const end = line + length;
    enum status status = STATUS_OK;
    while (line < end && status == STATUS_OK) {
        const char *comma = memchr(line, ',', (size_t)(end - line));
        comma = comma ? comma : end;
        const char *last = comma;
        while (line < last && *line == ' ') {
            line++;
        }
        while (last > line && last[-1] == ' ') {
            last--;
        }
        if (last > line) {
            status = add_term(lexicon, reader, section, line, (size_t)(last - line));
        }
        line = comma < end ? comma + 1 : end;
    }
    return status;
}

static enum status read_terms(struct lexicon *lexicon, struct reader *reader)
{
    size_t section = SECTION_COUNT;
    const char *line = NULL;
    size_t length = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && next_line(reader, &line, &length)) {
        if (length == 0 || line[0] == '#') {
            continue;
        }
        if (line[0] != '[') {
            status = add_terms(lexicon, reader, section, line, length);
        } else {
            section = section_of(line, length);
            status = section < SECTION_COUNT ? STATUS_OK : wrong(reader, "an unknown section");
        }
    }
    return status;
}

/* ---- what others call -------------------------------------------------------------------------
 */

enum status lexicon_parse(const struct lexicon_source *source, struct lexicon **out,
                          struct failure *failure)
{
    struct lexicon *lexicon = calloc(1, sizeof *lexicon);
    if (!lexicon) {
        return fail(failure, STATUS_IO, "no memory for the lexicon");
    }
    struct reader lists = {.at = source->lists,
                           .end = source->lists + source->lists_bytes,
                           .file = "lexicon.txt",
                           .failure = failure};
    struct reader terms = {.at = source->terms,
                           .end = source->terms + source->terms_bytes,
                           .file = "terms.txt",
                           .failure = failure};
    enum status status = read_lists(lexicon, &lists);
    if (status == STATUS_OK) {
        status = read_terms(lexicon, &terms);
    }
    if (status == STATUS_OK) {
        *out = lexicon;
        lexicon = NULL;
    }
    lexicon_destroy(lexicon);
    return status;
}

extern const char lexicon_text[], lexicon_text_end[], terms_text[], terms_text_end[];

enum status lexicon_create(struct lexicon **out)
{
    const struct lexicon_source source = {
        .lists = lexicon_text,
        .lists_bytes = (size_t)(lexicon_text_end - lexicon_text),
        .terms = terms_text,
        .terms_bytes = (size_t)(terms_text_end - terms_text),
    };
    return lexicon_parse(&source, out, NULL);
}

void lexicon_destroy(struct lexicon *lexicon)
{
    free(lexicon);
}

uint32_t lexicon_find(const struct lexicon *lexicon, const char *folded, size_t length)
{
    return lexicon_find_hash(lexicon, word_hash(folded, length));
}

uint32_t lexicon_find_hash(const struct lexicon *lexicon, uint64_t hash)
{
    uint32_t tag = 0;
    const uint32_t number = number_of(lexicon, hash, &tag);
    const unsigned flags = lexicon->slots[number].entry.flags;
    return flags & (LEXICON_KEY | LEXICON_PHRASE_START) ? number : 0;
}

const struct lexicon_entry *lexicon_entry(const struct lexicon *lexicon, uint32_t number)
{
    return &lexicon->slots[number <= SLOT_COUNT ? number : 0].entry;
}

enum lexicon_match lexicon_phrase(const struct lexicon *lexicon, const char *folded, size_t length,
                                  uint32_t *number)
{
    uint32_t tag = 0;
    const uint32_t found = number_of(lexicon, word_hash(folded, length), &tag);
    const uint8_t flags = lexicon->slots[found].entry.flags; /* zeros where the slot is empty */
    *number = flags & LEXICON_KEY ? found : 0;
    if (flags & LEXICON_PHRASE_START) {
        return LEXICON_BEGINS;
    }
    return flags & LEXICON_KEY ? LEXICON_IS : LEXICON_NOT;
}

static uint32_t gram_hash(const char *gram, size_t size)
{
    uint32_t value = 2166136261U;
    for (size_t i = 0; i < size; i++) {
        value = (value ^ (unsigned char)gram[i]) * 16777619U;
    }
    return (value ^ (value >> 15)) & (GRAM_COUNT - 1);
}

int lexicon_name_odds(const struct lexicon *lexicon, const char *folded, size_t length)
{
    char framed[LEXICON_TEXT_MAX + 2] = {'^'};
    size_t size = 1;
    for (size_t i = 0; i < length && size <= LEXICON_TEXT_MAX; i++) {
        if (folded[i] >= 'a' && folded[i] <= 'z') {
            framed[size++] = folded[i];
        }
    }
    framed[size++] = '$';
    int odds = 0;
    for (size_t gram = GRAM_MIN; gram <= GRAM_MAX; gram++) {
        for (size_t i = 0; i + gram <= size; i++) {
            odds += lexicon->weights[gram_hash(framed + i, gram)];
        }
    }
    return odds;
}
