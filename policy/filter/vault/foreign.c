/* foreign.c - open addressing with linear probing; removal shifts what follows back, so that there
 * are no tombstones and the table never wears out. */
#include "policy/filter/vault/foreign.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "policy/filter/vault.h"

enum { NAME_WORD_BYTES_MIN = 2, WORDS_MAX = 128, CODE_BYTES_MIN = 7, SHINGLE_BYTES = 8 };

/* What of a kind's values is distinctive. */
enum shape { SHAPE_NONE, SHAPE_NAME, SHAPE_STREET, SHAPE_WHOLE, SHAPE_CODE };

static const enum shape shapes[POLICY_KIND_COUNT] = {
    [POLICY_NAME] = SHAPE_NAME,    [POLICY_STREET] = SHAPE_STREET, [POLICY_EMAIL] = SHAPE_WHOLE,
    [POLICY_HANDLE] = SHAPE_WHOLE, [POLICY_PHONE] = SHAPE_CODE,    [POLICY_FAX] = SHAPE_CODE,
    [POLICY_SSN] = SHAPE_CODE,     [POLICY_MRN] = SHAPE_CODE,      [POLICY_HPB] = SHAPE_CODE,
    [POLICY_ACCT] = SHAPE_CODE,    [POLICY_LIC] = SHAPE_CODE,      [POLICY_VEH] = SHAPE_CODE,
    [POLICY_DEV] = SHAPE_CODE,     [POLICY_GPS] = SHAPE_CODE,      [POLICY_SECRET] = SHAPE_CODE,
    [POLICY_CODE] = SHAPE_CODE,
};

/* ---- features -------------------------------------------------------------------------------- */

struct words {
    const char *text[WORDS_MAX];
    size_t bytes[WORDS_MAX];
    uint32_t count;
};

static void split(const char *folded, size_t length, size_t bytes_min, struct words *out)
{
    out->count = 0;
    for (size_t at = 0; at < length && out->count < WORDS_MAX;) {
        const char *const end = memchr(folded + at, ' ', length - at);
        const size_t bytes = end ? (size_t)(end - (folded + at)) : length - at;
        if (bytes >= bytes_min) {
            out->text[out->count] = folded + at;
            out->bytes[out->count++] = bytes;
        }
        at += bytes + 1;
    }
}

static uint64_t hash(const struct foreign_key *key, enum shape shape, const char *bytes,
                     size_t length)
{
    unsigned char message[VAULT_VALUE_BYTES + 8] = {(unsigned char)shape};
    uint64_t out = 0;
    memcpy(message + 1, bytes, length);
    crypto_shorthash((unsigned char *)&out, message, length + 1, key->bytes);
    sodium_memzero(message, sizeof message);
    return out;
}

/* Words first .. first + count - 1 as one feature, joined by a space. */
static uint64_t join(const struct foreign_key *key, enum shape shape, const struct words *words,
                     const uint32_t *order, uint32_t count)
{
    char text[VAULT_VALUE_BYTES + 4];
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(text + length, words->text[order[i]], words->bytes[order[i]]);
        length += words->bytes[order[i]];
        text[length++] = ' ';
    }
    const uint64_t out = hash(key, shape, text, length);
    sodium_memzero(text, sizeof text);
    return out;
}

static bool is_before(const struct words *words, uint32_t a, uint32_t b)
{
    const size_t shorter = words->bytes[a] < words->bytes[b] ? words->bytes[a] : words->bytes[b];
    const int order = memcmp(words->text[a], words->text[b], shorter);
    return order < 0 || (order == 0 && words->bytes[a] < words->bytes[b]);
}

static uint32_t name_features(const struct foreign_key *key, const char *folded, size_t length,
                              uint64_t *out)
{
    struct words words;
    uint32_t count = 0;
    split(folded, length, NAME_WORD_BYTES_MIN, &words);
    for (uint32_t i = 0; i + 1 < words.count && count < FOREIGN_FEATURES_MAX; i++) {
        const bool is_sorted = is_before(&words, i, i + 1);
        const uint32_t order[2] = {is_sorted ? i : i + 1, is_sorted ? i + 1 : i};
        out[count++] = join(key, SHAPE_NAME, &words, order, 2);
    }
    return count;
}

static bool has_digit(const struct words *words, uint32_t index)
{
    for (size_t i = 0; i < words->bytes[index]; i++) {
        if (words->text[index][i] >= '0' && words->text[index][i] <= '9') {
            return true;
        }
    }
    return false;
}

static uint32_t street_features(const struct foreign_key *key, const char *folded, size_t length,
                                uint64_t *out)
{
    struct words words;
    uint32_t count = 0;
    split(folded, length, 1, &words);
    for (uint32_t i = 0; i + 2 < words.count && count < FOREIGN_FEATURES_MAX; i++) {
        if (has_digit(&words, i) || has_digit(&words, i + 1) || has_digit(&words, i + 2)) {
            const uint32_t order[3] = {i, i + 1, i + 2};
            out[count++] = join(key, SHAPE_STREET, &words, order, 3);
        }
    }
    return count;
}

static bool is_code_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z')
           || (unsigned char)byte >= 0x80;
}

static uint32_t code_features(const struct foreign_key *key, enum shape shape, const char *folded,
                              size_t length, uint64_t *out)
{
    char code[VAULT_VALUE_BYTES];
    size_t bytes = 0;
    for (size_t i = 0; i < length; i++) {
        if (is_code_byte(folded[i])) {
            code[bytes++] = folded[i];
        }
    }
    uint32_t count = 0;
    if (bytes >= CODE_BYTES_MIN && (shape == SHAPE_WHOLE || bytes < SHINGLE_BYTES)) {
        out[count++] = hash(key, shape, code, bytes);
    } else if (bytes >= SHINGLE_BYTES) {
        for (size_t i = 0; i + SHINGLE_BYTES <= bytes && count < FOREIGN_FEATURES_MAX; i++) {
            out[count++] = hash(key, shape, code + i, SHINGLE_BYTES);
        }
    }
    sodium_memzero(code, sizeof code);
    return count;
}

uint32_t foreign_features(const struct foreign_key *key, enum policy_kind kind, const char *folded,
                          size_t folded_bytes, uint64_t out[FOREIGN_FEATURES_MAX])
{
    if (folded_bytes > VAULT_VALUE_BYTES) {
        return 0; /* no session holds it */
    }
    switch (shapes[kind]) {
    case SHAPE_NAME:
        return name_features(key, folded, folded_bytes, out);
    case SHAPE_STREET:
        return street_features(key, folded, folded_bytes, out);
    case SHAPE_WHOLE:
    case SHAPE_CODE:
        return code_features(key, shapes[kind], folded, folded_bytes, out);
    case SHAPE_NONE:
        break;
    }
    return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

struct place {
    uint64_t feature;
    uint32_t total;  /* 0: the place is free */
    uint32_t common; /* of them, by tenants that found no place below */
    struct {
        struct tenant_id tenant;
        uint32_t count;
    } holders[FOREIGN_TENANTS_MAX];
};

struct foreign {
    uint32_t mask, used;
    struct place *places; /* [mask + 1] */
};

enum status foreign_create(uint32_t entries, struct foreign **out)
{
    uint32_t count = 64;
    while (count < entries && count < 1U << 24) {
        count *= 2;
    }
    struct foreign *foreign = calloc(1, sizeof *foreign);
    struct place *places = calloc(count, sizeof *places);
    if (!foreign || !places) {
        free(foreign);
        free(places);
        return STATUS_IO;
    }
    *foreign = (struct foreign){.mask = count - 1, .places = places};
    *out = foreign;
    return STATUS_OK;
}

void foreign_destroy(struct foreign *foreign)
{
    if (foreign) {
        sodium_memzero(foreign->places, ((size_t)foreign->mask + 1) * sizeof *foreign->places);
        free(foreign->places);
        free(foreign);
    }
}

/* Where the feature is, or the free place where it would be: a quarter is always free. */
static uint32_t find(const struct foreign *foreign, uint64_t feature)
{
    uint32_t at = (uint32_t)feature & foreign->mask;
    while (foreign->places[at].total > 0 && foreign->places[at].feature != feature) {
        at = (at + 1) & foreign->mask;
    }
    return at;
}

bool foreign_add(struct foreign *foreign, struct tenant_id tenant, uint64_t feature)
{
    struct place *const place = &foreign->places[find(foreign, feature)];
    if (place->total == 0) {
        if (foreign->used >= foreign->mask - foreign->mask / 4) {
            return false;
        }
        foreign->used++;
        *place = (struct place){.feature = feature};
    }
    place->total++;
    for (uint32_t i = 0; i < FOREIGN_TENANTS_MAX; i++) {
        if (place->holders[i].count > 0 && tenant_same(place->holders[i].tenant, tenant)) {
            place->holders[i].count++;
            return true;
        }
    }
    for (uint32_t i = 0; i < FOREIGN_TENANTS_MAX; i++) {
        if (place->holders[i].count == 0) {
            place->holders[i].tenant = tenant;
            place->holders[i].count = 1;
            return true;
        }
    }
    place->common++;
    return true;
}

/* Frees the place and moves back what could not stand nearer to its own. */
static void vacate(struct foreign *foreign, uint32_t hole)
{
    foreign->used--;
    for (uint32_t at = (hole + 1) & foreign->mask; foreign->places[at].total > 0;
         at = (at + 1) & foreign->mask) {
        const uint32_t home = (uint32_t)foreign->places[at].feature & foreign->mask;
        if (((at - home) & foreign->mask) >= ((at - hole) & foreign->mask)) {
            foreign->places[hole] = foreign->places[at];
            hole = at;
        }
    }
    foreign->places[hole] = (struct place){.total = 0};
}

void foreign_remove(struct foreign *foreign, struct tenant_id tenant, uint64_t feature)
{
    const uint32_t at = find(foreign, feature);
    struct place *const place = &foreign->places[at];
    if (place->total == 0) {
        return;
    }
    uint32_t i = 0;
    while (i < FOREIGN_TENANTS_MAX
           && !(place->holders[i].count > 0 && tenant_same(place->holders[i].tenant, tenant))) {
        i++;
    }
    if (i < FOREIGN_TENANTS_MAX) {
        place->holders[i].count--;
    } else if (place->common > 0) {
        place->common--;
    }
    if (--place->total == 0) {
        vacate(foreign, at);
    }
}

/* Others hold it and this tenant does not. */
static bool has(const struct foreign *foreign, struct tenant_id tenant, uint64_t feature)
{
    const struct place *const place = &foreign->places[find(foreign, feature)];
    bool is_own = place->total == 0 || place->common > 0;
    for (uint32_t i = 0; i < FOREIGN_TENANTS_MAX; i++) {
        is_own = is_own
                 || (place->holders[i].count > 0 && tenant_same(place->holders[i].tenant, tenant));
    }
    return !is_own;
}

bool foreign_is(const struct foreign *foreign, struct tenant_id tenant, enum policy_kind kind,
                const uint64_t *features, uint32_t count)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < count; i++) {
        held += has(foreign, tenant, features[i]);
    }
    return shapes[kind] == SHAPE_CODE ? 2 * held > count : held > 0;
}
