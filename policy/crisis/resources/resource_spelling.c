#include "policy/crisis/resources/resource_spelling.h"

#include <string.h>

#include "policy/crisis/resources/symbol_reader.h"

enum { SHORT_NUMBER_DIGITS = 6 };

/* ---- texts to symbols ------------------------------------------------------------------------ */

static enum status read_symbols(const struct resource_spelling *spelling, const char *text,
                                struct phrase *phrase)
{
    const size_t length = strlen(text);
    if (length == 0 || length >= RESOURCE_TEXT_BYTES) {
        return STATUS_INVALID;
    }
    window_reset(spelling->window);
    if (window_feed(spelling->window, text, length) != length) {
        return STATUS_INVALID;
    }
    window_end(spelling->window);
    const struct window_view view = window_view(spelling->window);
    struct symbol_reader reader = {.view = &view, .index = view.at};
    while (reader.index < view.count && view.lexemes[reader.index].class == LEXEME_MARK) {
        reader.index++; /* "(800) ..." */
    }
    struct symbol symbol;
    while (symbol_reader_next(&reader, true, &symbol) == SYMBOL_READ) {
        const uint16_t id =
            phrase_book_intern(spelling->resources->book, symbol.text, symbol.length);
        if (id == 0 || phrase->count == PHRASE_SYMBOLS_MAX) {
            return id == 0 ? STATUS_FULL : STATUS_INVALID;
        }
        phrase->symbols[phrase->count++] = id;
    }
    return phrase->count > 0 && reader.index == view.count ? STATUS_OK : STATUS_INVALID;
}

static enum status add(const struct resource_spelling *spelling, const struct phrase *phrase)
{
    struct phrase own = *phrase;
    own.line = spelling->line;
    return phrase_book_add(spelling->resources->book, &own);
}

/* The phrase with a word in front, where there is room. */
static enum status add_with(const struct resource_spelling *spelling, const char *word,
                            const struct phrase *phrase)
{
    struct phrase longer = *phrase;
    const uint16_t id = phrase_book_intern(spelling->resources->book, word, strlen(word));
    if (id == 0 || phrase->count == PHRASE_SYMBOLS_MAX) {
        return id == 0 ? STATUS_FULL : STATUS_OK;
    }
    memmove(longer.symbols + 1, phrase->symbols, phrase->count * sizeof *phrase->symbols);
    longer.symbols[0] = id;
    longer.count++;
    return add(spelling, &longer);
}

static enum status add_without_first(const struct resource_spelling *spelling,
                                     const struct phrase *phrase)
{
    struct phrase shorter = *phrase;
    memmove(shorter.symbols, phrase->symbols + 1, (phrase->count - 1U) * sizeof *phrase->symbols);
    shorter.count--;
    return add(spelling, &shorter);
}

/* ---- names and addresses --------------------------------------------------------------------- */

enum status resource_spelling_name(const struct resource_spelling *spelling, const char *name)
{
    struct phrase phrase = {.count = 0};
    enum status status = read_symbols(spelling, name, &phrase);
    if (status == STATUS_OK) {
        const uint16_t id = phrase.symbols[phrase.count - 1U];
        phrase.flags = phrase_book_is_digit(id) ? PHRASE_ENDS_IN_NUMBER : 0;
        status = add(spelling, &phrase);
    }
    if (status != STATUS_OK || phrase.count < 2) {
        return status;
    }
    const char *first = phrase_book_text(spelling->resources->book, phrase.symbols[0]);
    if (strcmp(first, "national") != 0) {
        return add_with(spelling, "national", &phrase);
    }
    return phrase.count > 2 ? add_without_first(spelling, &phrase) : STATUS_OK;
}

enum status resource_spelling_site(const struct resource_spelling *spelling, const char *site)
{
    struct phrase phrase = {.flags = PHRASE_SITE};
    const enum status status = read_symbols(spelling, site, &phrase);
    return status == STATUS_OK ? add(spelling, &phrase) : status;
}

uint16_t resource_spelling_word(const struct resource_spelling *spelling, const char *word)
{
    struct phrase phrase = {.count = 0};
    return read_symbols(spelling, word, &phrase) == STATUS_OK && phrase.count == 1
               ? phrase.symbols[0]
               : 0;
}

/* ---- numbers --------------------------------------------------------------------------------- */

char resource_spelling_key(char letter)
{
    static const char keys[] = "22233344455566677778889999";
    return letter >= '0' && letter <= '9'   ? letter
           : letter >= 'a' && letter <= 'z' ? keys[letter - 'a']
           : letter >= 'A' && letter <= 'Z' ? keys[letter - 'A']
                                            : '\0';
}

bool resource_spelling_digits(const char *number, char out[RESOURCE_DIGITS_BYTES])
{
    size_t count = 0;
    for (const char *at = number; *at; at++) {
        const char digit = resource_spelling_key(*at);
        if (digit == '\0' && !strchr(" -.()+", *at)) {
            return false;
        }
        if (digit != '\0' && count == RESOURCE_DIGITS_BYTES - 1) {
            return false;
        }
        out[count] = digit;
        count += digit != '\0';
    }
    out[count] = '\0';
    return count >= 3;
}

static bool has_letters(const struct phrase *phrase)
{
    for (uint8_t i = 0; i < phrase->count; i++) {
        if (!phrase_book_is_digit(phrase->symbols[i])) {
            return true;
        }
    }
    return false;
}

static bool starts_with(const struct phrase *phrase, const char *digits)
{
    const size_t length = strlen(digits);
    bool is_same = length > 0 && phrase->count > length;
    for (size_t i = 0; is_same && i < length; i++) {
        is_same = phrase->symbols[i] == digits[i] - '0' + 1;
    }
    return is_same;
}

/* Appends digits of a text, from `first` on. */
static void append_digits(struct phrase *phrase, const char *digits, size_t first)
{
    for (size_t i = first; digits[i] && phrase->count < PHRASE_SYMBOLS_MAX; i++) {
        phrase->symbols[phrase->count++] = (uint16_t)(digits[i] - '0' + 1);
    }
}

/* The number as it is dialled at home, in full, and from abroad. */
static enum status add_dialled(const struct resource_spelling *spelling, const struct phrase *core)
{
    const struct resources *resources = spelling->resources;
    const bool has_bare = strcmp(resources->trunk, resources->country_code) == 0;
    const char *const prefixes[] = {resources->trunk, resources->country_code, "",
                                    resources->country_code};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < 4; i++) {
        struct phrase phrase = {.flags = PHRASE_NUMBER};
        append_digits(&phrase, prefixes[i], 0);
        append_digits(&phrase, i == 3 && !has_bare ? resources->trunk : "", 0);
        const bool fits = phrase.count + core->count <= PHRASE_SYMBOLS_MAX;
        if (fits && (i != 2 || has_bare)) {
            memcpy(phrase.symbols + phrase.count, core->symbols,
                   core->count * sizeof *core->symbols);
            phrase.count = (uint8_t)(phrase.count + core->count);
            status = add(spelling, &phrase);
        }
    }
    return status;
}

/* "one eight hundred ..." */
static enum status add_hundred(const struct resource_spelling *spelling, const struct phrase *core)
{
    if (core->count < 4 || core->symbols[1] != 1 || core->symbols[2] != 1) {
        return STATUS_OK;
    }
    struct phrase spoken = *core;
    const uint16_t hundred = phrase_book_intern(spelling->resources->book, "hundred", 7);
    spoken.symbols[1] = hundred;
    memmove(spoken.symbols + 2, core->symbols + 3, (core->count - 3U) * sizeof *core->symbols);
    spoken.count--;
    return hundred == 0 ? STATUS_FULL : add_dialled(spelling, &spoken);
}

static enum status add_long(const struct resource_spelling *spelling, struct phrase *core,
                            const char *digits)
{
    enum status status = STATUS_OK;
    struct phrase plain = {.flags = PHRASE_NUMBER};
    append_digits(&plain, digits, 0);
    if (has_letters(core)) {
        status = add_dialled(spelling, core);
        /* and the digits that the letters stand for: "-TALK (8255)", "4-U-TREVOR (488-7386)" */
        const bool is_half = core->count == 7 && !phrase_book_is_digit(core->symbols[6]);
        const size_t tail = is_half ? 6 : 3;
        append_digits(core, digits, tail);
        status = status == STATUS_OK ? add_dialled(spelling, core) : status;
    }
    status = status == STATUS_OK ? add_dialled(spelling, &plain) : status;
    return status == STATUS_OK ? add_hundred(spelling, &plain) : status;
}

static enum status remember(struct resources *resources, const char *digits)
{
    if (resources->call_count == RESOURCE_CALLS_MAX) {
        return STATUS_FULL;
    }
    memcpy(resources->calls[resources->call_count++], digits, strlen(digits) + 1);
    return STATUS_OK;
}

enum status resource_spelling_call(const struct resource_spelling *spelling, const char *number)
{
    struct resources *resources = spelling->resources;
    struct phrase core = {.flags = PHRASE_NUMBER};
    char digits[RESOURCE_DIGITS_BYTES];
    if (!resource_spelling_digits(number, digits)) {
        return STATUS_INVALID;
    }
    enum status status = read_symbols(spelling, number, &core);
    if (status == STATUS_OK && strlen(digits) <= SHORT_NUMBER_DIGITS) {
        status = add(spelling, &core);
        return status == STATUS_OK ? remember(resources, digits) : status;
    }
    const size_t trunk = starts_with(&core, resources->trunk) ? strlen(resources->trunk) : 0;
    char *bare = digits + trunk;
    memmove(core.symbols, core.symbols + trunk, (core.count - trunk) * sizeof *core.symbols);
    core.count = (uint8_t)(core.count - trunk);
    const size_t national = strcmp(resources->country_code, "1") == 0 ? 10 : 15;
    bare[strlen(bare) < national ? strlen(bare) : national] = '\0'; /* letters beyond are unheard */
    if (status == STATUS_OK) {
        status = remember(resources, bare);
    }
    return status == STATUS_OK ? add_long(spelling, &core, bare) : status;
}

enum status resource_spelling_text(const struct resource_spelling *spelling, const char *keyword,
                                   const char *number)
{
    static const char *const joining[] = {"to", "al", "a", "at", "au"};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof joining / sizeof joining[0]; i++) {
        struct phrase phrase = {.flags = PHRASE_ENDS_IN_NUMBER};
        status = read_symbols(spelling, keyword, &phrase);
        status = status == STATUS_OK ? read_symbols(spelling, joining[i], &phrase) : status;
        status = status == STATUS_OK ? read_symbols(spelling, number, &phrase) : status;
        status = status == STATUS_OK ? add(spelling, &phrase) : status;
    }
    return status;
}
