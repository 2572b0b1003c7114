#include "policy/filter/vault/values.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "policy/filter/vault.h"

enum {
    PAGE_BYTES = 4096,
    LIST_FIRST = 16,
    KNOWN_FIRST = 64,
    NAME_WORDS_MAX = 8, /* of a name, that stand for it alone */
    NAME_WORD_BYTES_MIN = 2,
};
#define SEVERAL UINT32_MAX /* a word of more than one name */

/* What a hash is of. */
enum role { ROLE_WHOLE = 1, ROLE_WORD, ROLE_NUMBER };

struct known {
    uint64_t hash;
    uint32_t value; /* its index + 1, or SEVERAL; 0: the place is free */
};

struct page {
    struct page *next;
    size_t used;
    char text[PAGE_BYTES - 2 * sizeof(size_t)];
};
_Static_assert(sizeof(struct page) == PAGE_BYTES, "a page of text is a page of memory");

static void *grow(void *old, size_t old_bytes, size_t new_bytes)
{
    void *const new = calloc(1, new_bytes);
    if (new &&old) {
        memcpy(new, old, old_bytes);
        sodium_memzero(old, old_bytes);
        free(old);
    }
    return new;
}

static void wipe(void *bytes, size_t length)
{
    if (bytes) {
        sodium_memzero(bytes, length);
        free(bytes);
    }
}

void values_clear(struct values *values)
{
    while (values->pages) {
        struct page *const page = values->pages;
        values->pages = page->next;
        sodium_memzero(page, sizeof *page);
        sodium_munlock(page, sizeof *page);
        free(page);
    }
    wipe(values->list, values->capacity * sizeof *values->list);
    wipe(values->known, values->known_capacity * sizeof *values->known);
    wipe(values->features, values->feature_capacity * sizeof *values->features);
    *values = (struct values){.count = 0};
}

/* ---- hashes ---------------------------------------------------------------------------------- */

static uint64_t hash(const struct foreign_key *key, enum role role, enum policy_kind kind,
                     const char *bytes, size_t length)
{
    unsigned char message[VAULT_VALUE_BYTES + 2] = {(unsigned char)role, (unsigned char)kind};
    uint64_t out = 0;
    memcpy(message + 2, bytes, length);
    crypto_shorthash((unsigned char *)&out, message, length + 2, key->bytes);
    sodium_memzero(message, sizeof message);
    return out;
}

static struct known *place_of(const struct values *values, uint64_t wanted)
{
    uint32_t at = (uint32_t)wanted & (values->known_capacity - 1);
    while (values->known[at].value != 0 && values->known[at].hash != wanted) {
        at = (at + 1) & (values->known_capacity - 1);
    }
    return &values->known[at];
}

static uint32_t known_value(const struct values *values, const struct foreign_key *key,
                            enum role role, enum policy_kind kind, const char *bytes, size_t length)
{
    return values->known_capacity == 0 || length > VAULT_VALUE_BYTES
               ? 0
               : place_of(values, hash(key, role, kind, bytes, length))->value;
}

static void remember(struct values *values, uint64_t what, uint32_t value)
{
    struct known *const place = place_of(values, what);
    values->known_count += place->value == 0;
    *place = (struct known){what, place->value == 0 || place->value == value ? value : SEVERAL};
}

uint32_t values_find(const struct values *values, const struct foreign_key *key,
                     enum policy_kind kind, const char *folded, size_t folded_bytes)
{
    uint32_t found = known_value(values, key, ROLE_WHOLE, kind, folded, folded_bytes);
    if (found == 0) {
        found = known_value(values, key, ROLE_WORD, kind, folded, folded_bytes);
    }
    return found == 0 || found == SEVERAL ? 0 : values->list[found - 1].number;
}

bool values_hold(const struct values *values, const struct foreign_key *key, enum policy_kind kind,
                 const char *folded, size_t folded_bytes)
{
    return known_value(values, key, ROLE_WHOLE, kind, folded, folded_bytes) != 0
           || known_value(values, key, ROLE_WORD, kind, folded, folded_bytes) != 0;
}

const struct value *values_numbered(const struct values *values, const struct foreign_key *key,
                                    enum policy_kind kind, uint32_t number)
{
    const uint32_t found =
        known_value(values, key, ROLE_NUMBER, kind, (const char *)&number, sizeof number);
    return found == 0 ? NULL : &values->list[found - 1];
}

/* ---- adding ---------------------------------------------------------------------------------- */

static bool has_list_room(struct values *values)
{
    if (values->count < values->capacity) {
        return true;
    }
    const uint32_t capacity = values->capacity ? 2 * values->capacity : LIST_FIRST;
    struct value *const list =
        grow(values->list, values->capacity * sizeof *list, capacity * sizeof *list);
    if (list) {
        values->list = list;
        values->capacity = capacity;
    }
    return list != NULL;
}

static bool has_feature_room(struct values *values)
{
    if (values->feature_count + FOREIGN_FEATURES_MAX <= values->feature_capacity) {
        return true;
    }
    const uint32_t capacity = 2 * values->feature_capacity + FOREIGN_FEATURES_MAX;
    uint64_t *const features = grow(values->features, values->feature_capacity * sizeof *features,
                                    capacity * sizeof *features);
    if (features) {
        values->features = features;
        values->feature_capacity = capacity;
    }
    return features != NULL;
}

/* Room for a value's hashes, so that at most half of the places are taken. */
static bool has_known_room(struct values *values)
{
    if (2 * (values->known_count + NAME_WORDS_MAX + 2) <= values->known_capacity) {
        return true;
    }
    const uint32_t old_capacity = values->known_capacity;
    struct known *const old = values->known;
    const uint32_t capacity = old_capacity ? 2 * old_capacity : KNOWN_FIRST;
    struct known *const known = calloc(capacity, sizeof *known);
    if (!known) {
        return false;
    }
    values->known = known;
    values->known_capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i].value != 0) {
            *place_of(values, old[i].hash) = old[i];
        }
    }
    wipe(old, old_capacity * sizeof *old);
    return true;
}

static bool has_text_room(struct values *values, size_t bytes)
{
    if (values->pages && values->pages->used + bytes <= sizeof values->pages->text) {
        return true;
    }
    struct page *const page = aligned_alloc(PAGE_BYTES, sizeof *page);
    if (page) {
        memset(page, 0, sizeof *page);
        (void)sodium_mlock(page, sizeof *page); /* what cannot be locked is still zeroed */
        page->next = values->pages;
        values->pages = page;
    }
    return page != NULL;
}

/* Words of a name of several, each of which alone means the name. */
static void remember_words(struct values *values, const struct foreign_key *key,
                           const struct new_value *value, uint32_t index)
{
    const char *const end = value->folded + value->folded_bytes;
    const char *word = value->folded;
    if (value->kind != POLICY_NAME || !memchr(word, ' ', value->folded_bytes)) {
        return;
    }
    for (uint32_t count = 0; word < end && count < NAME_WORDS_MAX; count++) {
        const char *const space = memchr(word, ' ', (size_t)(end - word));
        const size_t bytes = (size_t)((space ? space : end) - word);
        if (bytes >= NAME_WORD_BYTES_MIN) {
            remember(values, hash(key, ROLE_WORD, value->kind, word, bytes), index);
        }
        word += bytes + 1;
    }
}

enum status values_add(struct values *values, const struct foreign_key *key,
                       const struct new_value *value, uint32_t *number)
{
    if (!has_list_room(values) || !has_feature_room(values) || !has_known_room(values)
        || !has_text_room(values, value->raw_bytes)) {
        return STATUS_FULL;
    }
    struct page *const page = values->pages;
    char *const raw = page->text + page->used;
    memcpy(raw, value->raw, value->raw_bytes);
    page->used += value->raw_bytes;

    *number = ++values->numbers[value->kind];
    values->list[values->count++] = (struct value){value->kind, *number, raw, value->raw_bytes};
    const uint32_t index = values->count;
    remember(values, hash(key, ROLE_WHOLE, value->kind, value->folded, value->folded_bytes), index);
    remember(values, hash(key, ROLE_NUMBER, value->kind, (const char *)number, sizeof *number),
             index);
    remember_words(values, key, value, index);
    return STATUS_OK;
}
