#include "policy/crisis/resources/phrase_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { WORD_BYTES = 32, TABLE_SIZE = 2 * PHRASE_WORDS_MAX };

struct phrase_book {
    char (*words)[WORD_BYTES]; /* [word_count]; symbol s is words[s - 1] */
    uint32_t word_count, word_capacity;
    uint16_t table[TABLE_SIZE]; /* by hash: 0 free, else a symbol */
    struct phrase *phrases;
    uint32_t phrase_count, phrase_capacity;
};

_Static_assert((TABLE_SIZE & (TABLE_SIZE - 1)) == 0, "hashes are cut by a mask");

/* How digits are spoken, in the languages of the shipped regions. */
static const struct {
    const char *word;
    const char *digit;
} spoken[] = {
    {"zero", "0"}, {"one", "1"},   {"two", "2"},   {"three", "3"},  {"four", "4"},
    {"five", "5"}, {"six", "6"},   {"seven", "7"}, {"eight", "8"},  {"nine", "9"},
    {"cero", "0"}, {"uno", "1"},   {"dos", "2"},   {"tres", "3"},   {"cuatro", "4"},
    {"seis", "6"}, {"siete", "7"}, {"ocho", "8"},  {"nueve", "9"},  {"cinco", "5"},
    {"un", "1"},   {"deux", "2"},  {"trois", "3"}, {"quatre", "4"}, {"cinq", "5"},
    {"sept", "7"}, {"huit", "8"},  {"neuf", "9"},
};

enum { SPOKEN_COUNT = sizeof spoken / sizeof spoken[0] };

/* ---- symbols --------------------------------------------------------------------------------- */

static uint32_t hash_of(const char *text, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619U;
    }
    return hash ^ hash >> 15;
}

static bool is_word(const struct phrase_book *book, uint16_t symbol, const char *text,
                    size_t length)
{
    const char *word = book->words[symbol - 1];
    return memcmp(word, text, length) == 0 && word[length] == '\0';
}

/* Where the word is, or where it would go. The table is never more than half full. */
static uint16_t *place_of(struct phrase_book *book, const char *text, size_t length)
{
    uint32_t place = hash_of(text, length) & (TABLE_SIZE - 1);
    while (book->table[place] != 0 && !is_word(book, book->table[place], text, length)) {
        place = (place + 1) & (TABLE_SIZE - 1);
    }
    return &book->table[place];
}

static uint16_t find_plain(const struct phrase_book *book, const char *text, size_t length)
{
    uint32_t place = hash_of(text, length) & (TABLE_SIZE - 1);
    while (book->table[place] != 0 && !is_word(book, book->table[place], text, length)) {
        place = (place + 1) & (TABLE_SIZE - 1);
    }
    return book->table[place];
}

/* A spoken digit has a word of its own behind the ten digits; its symbol is the digit's. */
uint16_t phrase_book_find(const struct phrase_book *book, const char *text, size_t length)
{
    if (length == 0 || length >= WORD_BYTES) {
        return 0;
    }
    const uint16_t symbol = find_plain(book, text, length);
    if (symbol > 10 && symbol <= 10 + SPOKEN_COUNT) {
        return (uint16_t)(spoken[symbol - 11].digit[0] - '0' + 1);
    }
    return symbol;
}

uint16_t phrase_book_intern(struct phrase_book *book, const char *text, size_t length)
{
    const uint16_t known = phrase_book_find(book, text, length);
    if (known != 0 || length == 0 || length >= WORD_BYTES || book->word_count == PHRASE_WORDS_MAX) {
        return known;
    }
    if (book->word_count == book->word_capacity) {
        const uint32_t capacity = book->word_capacity ? 2 * book->word_capacity : 256;
        void *grown = realloc(book->words, capacity * sizeof *book->words);
        if (!grown) {
            return 0;
        }
        book->words = grown;
        book->word_capacity = capacity;
    }
    uint16_t *place = place_of(book, text, length);
    char *word = book->words[book->word_count++];
    memset(word, 0, WORD_BYTES);
    memcpy(word, text, length);
    *place = (uint16_t)book->word_count;
    return *place;
}

const char *phrase_book_text(const struct phrase_book *book, uint16_t symbol)
{
    ASSERT(symbol >= 1 && symbol <= book->word_count);
    return book->words[symbol - 1];
}

/* ---- phrases --------------------------------------------------------------------------------- */

enum status phrase_book_create(struct phrase_book **out)
{
    struct phrase_book *book = calloc(1, sizeof *book);
    bool is_ok = book != NULL;
    for (char digit = '0'; is_ok && digit <= '9'; digit++) {
        is_ok = phrase_book_intern(book, &digit, 1) != 0;
    }
    for (size_t i = 0; is_ok && i < SPOKEN_COUNT; i++) {
        is_ok = phrase_book_intern(book, spoken[i].word, strlen(spoken[i].word)) != 0;
    }
    if (!is_ok) {
        phrase_book_destroy(book);
        return STATUS_IO;
    }
    *out = book;
    return STATUS_OK;
}

void phrase_book_destroy(struct phrase_book *book)
{
    if (book) {
        free(book->words);
        free(book->phrases);
        free(book);
    }
}

enum status phrase_book_add(struct phrase_book *book, const struct phrase *phrase)
{
    ASSERT(phrase->count > 0 && phrase->count <= PHRASE_SYMBOLS_MAX);
    if (book->phrase_count == PHRASES_MAX) {
        return STATUS_FULL;
    }
    if (book->phrase_count == book->phrase_capacity) {
        const uint32_t capacity = book->phrase_capacity ? 2 * book->phrase_capacity : 128;
        void *grown = realloc(book->phrases, capacity * sizeof *book->phrases);
        if (!grown) {
            return STATUS_IO;
        }
        book->phrases = grown;
        book->phrase_capacity = capacity;
    }
    book->phrases[book->phrase_count++] = *phrase;
    return STATUS_OK;
}

/* By symbols, a phrase before those that it begins. */
static int compare(const void *left, const void *right)
{
    const struct phrase *a = left;
    const struct phrase *b = right;
    for (uint8_t i = 0; i < a->count && i < b->count; i++) {
        if (a->symbols[i] != b->symbols[i]) {
            return a->symbols[i] < b->symbols[i] ? -1 : 1;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

void phrase_book_seal(struct phrase_book *book)
{
    uint32_t kept = 0;
    if (book->phrase_count == 0) {
        return;
    }
    qsort(book->phrases, book->phrase_count, sizeof *book->phrases, compare);
    for (uint32_t i = 1; i < book->phrase_count; i++) {
        if (compare(&book->phrases[kept], &book->phrases[i]) == 0) {
            book->phrases[kept].flags |= book->phrases[i].flags;
        } else {
            book->phrases[++kept] = book->phrases[i];
        }
    }
    book->phrase_count = kept + 1;
}

struct phrase_range phrase_book_all(const struct phrase_book *book)
{
    return (struct phrase_range){.high = book->phrase_count};
}

/* The first phrase in the range whose next symbol is not less. */
static uint32_t lower_bound(const struct phrase_book *book, struct phrase_range range,
                            uint16_t symbol)
{
    uint32_t low = range.low;
    uint32_t high = range.high;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct phrase *phrase = &book->phrases[middle];
        const bool is_less = phrase->count <= range.depth || phrase->symbols[range.depth] < symbol;
        low = is_less ? middle + 1 : low;
        high = is_less ? high : middle;
    }
    return low;
}

struct phrase_range phrase_book_narrow(const struct phrase_book *book, struct phrase_range range,
                                       uint16_t symbol)
{
    const uint32_t low = lower_bound(book, range, symbol);
    const uint32_t high = lower_bound(book, range, (uint16_t)(symbol + 1));
    return (struct phrase_range){.low = low, .high = high, .depth = range.depth + 1};
}

const struct phrase *phrase_book_ended(const struct phrase_book *book, struct phrase_range range)
{
    const bool is_any = range.low < range.high;
    return is_any && book->phrases[range.low].count == range.depth ? &book->phrases[range.low]
                                                                   : NULL;
}

bool phrase_book_goes_on(const struct phrase_book *book, struct phrase_range range)
{
    return range.low < range.high && book->phrases[range.high - 1].count > range.depth;
}
