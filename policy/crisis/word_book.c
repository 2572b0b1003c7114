#include "policy/crisis/word_book.h"

#include <stdlib.h>
#include <string.h>

enum {
    TABLE_SIZE = 2 * VOCABULARY_ENTRIES_MAX, /* a power of two */
    LINKS_MAX = 65536,
    SLIPS_MAX = 8192, /* spellings of forgiving words with a letter left out */
    SLIP_TABLE_SIZE = 4 * SLIPS_MAX,
    PREFIXES_MAX = 64,
    SLIP_WORD_BYTES_MIN = 5, /* shorter words have too many neighbours */
    SLIP_WORD_BYTES_MAX = 16
};

struct entry {
    char text[VOCABULARY_WORD_BYTES];
    uint8_t length;
    bool is_prefix, is_forgiving;
    uint32_t roles;
    uint32_t first_link; /* 0: in no class */
    uint32_t same_as;    /* the entry that this is a spelling of; 0: none */
};

struct link {
    uint32_t class_entry, next;
};

struct slip {
    uint64_t hash; /* 0: free */
    uint32_t entry;
};

struct word_book {
    struct entry entries[VOCABULARY_ENTRIES_MAX];
    uint32_t table[TABLE_SIZE];
    struct link links[LINKS_MAX];
    struct slip slips[SLIP_TABLE_SIZE];
    uint32_t prefixes[PREFIXES_MAX];
    uint32_t entry_count, link_count, slip_count, prefix_count;
};

/* FNV-1a, without the byte at `skipped` */
static uint64_t hash_without(const char *text, size_t length, size_t skipped)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < length; i++) {
        if (i != skipped) {
            hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3U;
        }
    }
    return hash ^ (hash >> 29) ? hash ^ (hash >> 29) : 1;
}

enum status word_book_create(struct word_book **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out) {
        return STATUS_IO;
    }
    (*out)->entry_count = 1;
    (*out)->link_count = 1;
    return STATUS_OK;
}

void word_book_destroy(struct word_book *vocabulary)
{
    free(vocabulary);
}

/* The place of a word in the table: its entry's, or the free one. */
static uint32_t *find_place(struct word_book *vocabulary, const char *text, size_t length,
                            bool is_prefix)
{
    uint32_t at = (uint32_t)hash_without(text, length, SIZE_MAX) + is_prefix;
    for (;; at++) {
        uint32_t *place = &vocabulary->table[at & (TABLE_SIZE - 1)];
        const struct entry *entry = &vocabulary->entries[*place];
        if (*place == 0
            || (entry->length == length && entry->is_prefix == is_prefix
                && memcmp(entry->text, text, length) == 0)) {
            return place;
        }
    }
}

static bool is_word(const char *text, size_t length)
{
    if (length == 0 || length > VOCABULARY_WORD_BYTES) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)text[i];
        if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') && byte < 0x80) {
            return false;
        }
    }
    return true;
}

static enum status take_entry(struct word_book *vocabulary, uint32_t *out)
{
    if (vocabulary->entry_count == VOCABULARY_ENTRIES_MAX) {
        return STATUS_FULL;
    }
    *out = vocabulary->entry_count++;
    return STATUS_OK;
}

enum status word_book_add(struct word_book *vocabulary, const char *text, size_t length,
                          uint32_t *out)
{
    const bool is_prefix = length > 1 && text[length - 1] == '*';
    length -= is_prefix;
    if (!is_word(text, length) || (is_prefix && length < 3)) {
        return STATUS_INVALID;
    }
    uint32_t *place = find_place(vocabulary, text, length, is_prefix);
    if (*place == 0) {
        if (is_prefix && vocabulary->prefix_count == PREFIXES_MAX) {
            return STATUS_FULL;
        }
        const enum status status = take_entry(vocabulary, place);
        if (status != STATUS_OK) {
            return status;
        }
        struct entry *entry = &vocabulary->entries[*place];
        memcpy(entry->text, text, length);
        entry->length = (uint8_t)length;
        entry->is_prefix = is_prefix;
        if (is_prefix) {
            vocabulary->prefixes[vocabulary->prefix_count++] = *place;
        }
    }
    const uint32_t same_as = vocabulary->entries[*place].same_as;
    *out = same_as ? same_as : *place;
    return STATUS_OK;
}

enum status word_book_add_spelling(struct word_book *vocabulary, const char *text, size_t length,
                                   uint32_t entry)
{
    const uint32_t count = vocabulary->entry_count;
    uint32_t made = 0;
    const enum status status = word_book_add(vocabulary, text, length, &made);
    if (status != STATUS_OK || made < count || vocabulary->entries[made].is_prefix) {
        return status == STATUS_OK ? STATUS_INVALID : status;
    }
    vocabulary->entries[made].same_as = entry;
    return STATUS_OK;
}

enum status word_book_add_class(struct word_book *vocabulary, uint32_t *out)
{
    return take_entry(vocabulary, out);
}

enum status word_book_join(struct word_book *vocabulary, uint32_t entry, uint32_t class_entry)
{
    if (vocabulary->link_count == LINKS_MAX) {
        return STATUS_FULL;
    }
    const uint32_t link = vocabulary->link_count++;
    vocabulary->links[link] = (struct link){class_entry, vocabulary->entries[entry].first_link};
    vocabulary->entries[entry].first_link = link;
    return STATUS_OK;
}

void word_book_give_roles(struct word_book *vocabulary, uint32_t entry, uint32_t roles)
{
    vocabulary->entries[entry].roles |= roles;
}

void word_book_forgive(struct word_book *vocabulary, uint32_t entry)
{
    vocabulary->entries[entry].is_forgiving = !vocabulary->entries[entry].is_prefix;
}

static enum status add_slip(struct word_book *vocabulary, uint64_t hash, uint32_t entry)
{
    if (vocabulary->slip_count == SLIPS_MAX) {
        return STATUS_FULL;
    }
    vocabulary->slip_count++;
    uint32_t at = (uint32_t)hash & (SLIP_TABLE_SIZE - 1);
    while (vocabulary->slips[at].hash != 0) {
        at = (at + 1) & (SLIP_TABLE_SIZE - 1);
    }
    vocabulary->slips[at] = (struct slip){hash, entry};
    return STATUS_OK;
}

/* A prefix that the word begins with; the longest. 0: none. */
static uint32_t find_prefix(const struct word_book *vocabulary, const char *text, size_t length)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < vocabulary->prefix_count; i++) {
        const struct entry *entry = &vocabulary->entries[vocabulary->prefixes[i]];
        if (entry->length <= length && entry->text[0] == text[0]
            && memcmp(entry->text, text, entry->length) == 0
            && entry->length > vocabulary->entries[found].length) {
            found = vocabulary->prefixes[i];
        }
    }
    return found;
}

/* A known word that begins with a prefix is all that the prefix is. */
static enum status join_prefix(struct word_book *vocabulary, uint32_t entry)
{
    struct entry *word = &vocabulary->entries[entry];
    const uint32_t prefix = find_prefix(vocabulary, word->text, word->length);
    if (prefix == 0) {
        return STATUS_OK;
    }
    word->roles |= vocabulary->entries[prefix].roles;
    enum status status = word_book_join(vocabulary, entry, prefix);
    uint32_t link = vocabulary->entries[prefix].first_link;
    for (; status == STATUS_OK && link != 0; link = vocabulary->links[link].next) {
        status = word_book_join(vocabulary, entry, vocabulary->links[link].class_entry);
    }
    return status;
}

enum status word_book_join_numbers(struct word_book *vocabulary, uint32_t number_class,
                                   uint32_t many_class)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 1; status == STATUS_OK && i < vocabulary->entry_count; i++) {
        const struct entry *entry = &vocabulary->entries[i];
        size_t digits = 0;
        while (digits < entry->length && entry->text[digits] >= '0' && entry->text[digits] <= '9') {
            digits++;
        }
        if (entry->is_prefix || digits == 0 || digits < entry->length) {
            continue;
        }
        status = word_book_join(vocabulary, i, number_class);
        if (status == STATUS_OK && (digits == 2 || digits == 3)) {
            status = word_book_join(vocabulary, i, many_class);
        }
    }
    return status;
}

enum status word_book_finish(struct word_book *vocabulary)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 1; status == STATUS_OK && i < vocabulary->entry_count; i++) {
        const struct entry *entry = &vocabulary->entries[i];
        if (entry->length > 0 && !entry->is_prefix) {
            status = join_prefix(vocabulary, i);
        }
        if (!entry->is_forgiving || entry->length < SLIP_WORD_BYTES_MIN
            || entry->length > SLIP_WORD_BYTES_MAX) {
            continue;
        }
        const uint64_t whole = hash_without(entry->text, entry->length, SIZE_MAX);
        status = status == STATUS_OK ? add_slip(vocabulary, whole, i) : status;
        for (size_t k = 0; status == STATUS_OK && k < entry->length; k++) {
            status = add_slip(vocabulary, hash_without(entry->text, entry->length, k), i);
        }
    }
    return status;
}

uint32_t word_book_count(const struct word_book *vocabulary)
{
    return vocabulary->entry_count;
}

uint32_t word_book_find(const struct word_book *vocabulary, const char *text, size_t length)
{
    if (length == 0 || length > VOCABULARY_WORD_BYTES) {
        return 0;
    }
    uint32_t at = (uint32_t)hash_without(text, length, SIZE_MAX);
    for (;; at++) {
        const uint32_t index = vocabulary->table[at & (TABLE_SIZE - 1)];
        const struct entry *entry = &vocabulary->entries[index];
        if (index == 0
            || (entry->length == length && !entry->is_prefix
                && memcmp(entry->text, text, length) == 0)) {
            return entry->same_as ? entry->same_as : index;
        }
    }
}

/* ---- how people write ------------------------------------------------------------------------ */

/* Runs of three and more equal letters cut to `kept`; false: there is none. */
static bool shorten_runs(const char *text, size_t length, size_t kept, char *out, size_t *out_bytes)
{
    size_t run = 0, count = 0;
    bool has_run = false;
    for (size_t i = 0; i < length; i++) {
        run = i > 0 && text[i] == text[i - 1] ? run + 1 : 1;
        has_run = has_run || run == 3;
    }
    for (size_t i = 0; has_run && i < length;) {
        size_t end = i;
        while (end < length && text[end] == text[i]) {
            end++;
        }
        const size_t copies = end - i < 3 ? end - i : kept;
        memset(out + count, text[i], copies);
        count += copies;
        i = end;
    }
    *out_bytes = count;
    return has_run;
}

static bool read_digits(const char *text, size_t length, char *out)
{
    static const char letters[] = "oizeasgtbg"; /* 0 to 9, as they look */
    bool has_digit = false, has_letter = false;
    for (size_t i = 0; i < length; i++) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        out[i] = is_digit ? letters[text[i] - '0'] : text[i];
        has_digit = has_digit || is_digit;
        has_letter = has_letter || !is_digit;
    }
    return has_digit && has_letter;
}

static uint32_t find_slip(const struct word_book *vocabulary, uint64_t hash, char first)
{
    uint32_t at = (uint32_t)hash & (SLIP_TABLE_SIZE - 1);
    while (vocabulary->slips[at].hash != 0) {
        const struct slip *slip = &vocabulary->slips[at];
        if (slip->hash == hash && vocabulary->entries[slip->entry].text[0] == first) {
            return slip->entry;
        }
        at = (at + 1) & (SLIP_TABLE_SIZE - 1);
    }
    return 0;
}

/* One letter more, less, other or swapped with its neighbour; the first letter is right. */
static uint32_t read_slip(const struct word_book *vocabulary, const char *text, size_t length)
{
    if (length < SLIP_WORD_BYTES_MIN || length > SLIP_WORD_BYTES_MAX + 1) {
        return 0;
    }
    uint32_t found = find_slip(vocabulary, hash_without(text, length, SIZE_MAX), text[0]);
    for (size_t i = 1; found == 0 && i < length; i++) {
        found = find_slip(vocabulary, hash_without(text, length, i), text[0]);
    }
    return found;
}

static uint32_t find_whole(const struct word_book *vocabulary, const char *text, size_t length)
{
    const uint32_t found = word_book_find(vocabulary, text, length);
    return found ? found : find_prefix(vocabulary, text, length);
}

uint32_t word_book_read(const struct word_book *vocabulary, const char *text, size_t length)
{
    char other[64];
    size_t other_bytes = 0;
    uint32_t found = length > 0 ? find_whole(vocabulary, text, length) : 0;
    if (found != 0 || length < 3 || length > sizeof other) {
        return found;
    }
    for (size_t kept = 1; found == 0 && kept <= 2; kept++) {
        if (shorten_runs(text, length, kept, other, &other_bytes)) {
            found = find_whole(vocabulary, other, other_bytes);
        }
    }
    if (found == 0 && read_digits(text, length, other)) {
        found = find_whole(vocabulary, other, length);
        for (size_t i = 0; found == 0 && i < length; i++) { /* 1 is an l as well: k1ll, ki11 */
            other[i] = text[i] == '1' ? 'l' : other[i];
            found = text[i] == '1' ? find_whole(vocabulary, other, length) : 0;
        }
    }
    return found ? found : read_slip(vocabulary, text, length);
}

bool word_book_is_forgiving(const struct word_book *vocabulary, uint32_t entry)
{
    return vocabulary->entries[entry].is_forgiving || vocabulary->entries[entry].is_prefix;
}

uint32_t word_book_roles(const struct word_book *vocabulary, uint32_t entry)
{
    return vocabulary->entries[entry].roles;
}

uint32_t word_book_classes(const struct word_book *vocabulary, uint32_t entry)
{
    return vocabulary->entries[entry].first_link;
}

uint32_t word_book_next(const struct word_book *vocabulary, uint32_t link, uint32_t *out)
{
    *out = vocabulary->links[link].class_entry;
    return vocabulary->links[link].next;
}
