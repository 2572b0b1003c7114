#include "model/tokenizer/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"

_Static_assert((int)LIMIT_VOCABULARY < (int)VOCABULARY_NONE, "no id may look like none");

enum status vocabulary_create(uint32_t count, size_t texts_bytes, struct vocabulary *out)
{
    uint32_t slot_count = 16;
    while (slot_count < 2 * count) {
        slot_count *= 2;
    }
    *out = (struct vocabulary){.count = count, .slot_mask = slot_count - 1};
    out->texts_bytes = texts_bytes;
    out->entries = calloc((size_t)count + 1, sizeof *out->entries);
    out->slots = calloc(slot_count, sizeof *out->slots);
    out->texts = malloc(out->texts_bytes + 1);
    if (!out->entries || !out->slots || !out->texts) {
        vocabulary_destroy(out);
        return STATUS_IO;
    }
    return STATUS_OK;
}

void vocabulary_destroy(struct vocabulary *vocabulary)
{
    free(vocabulary->entries);
    free(vocabulary->slots);
    free(vocabulary->texts);
    *vocabulary = (struct vocabulary){0};
}

/* FNV-1a; the fold brings the high bits, which are mixed best, into the slot number. */
static uint32_t hash_of(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3U;
    }
    return (uint32_t)(hash ^ (hash >> 32));
}

/* The slot that holds text, or the empty one where it belongs. */
static uint32_t slot_of(const struct vocabulary *vocabulary, const char *text, size_t length)
{
    uint32_t slot = hash_of(text, length) & vocabulary->slot_mask;
    for (;; slot = (slot + 1) & vocabulary->slot_mask) {
        const uint32_t held = vocabulary->slots[slot];
        if (held == 0) {
            return slot;
        }
        const struct vocabulary_entry *entry = &vocabulary->entries[held - 1];
        if (entry->length == length && memcmp(entry->text, text, length) == 0) {
            return slot;
        }
    }
}

enum status vocabulary_add(struct vocabulary *vocabulary, uint32_t id, const char *text,
                           size_t length)
{
    ASSERT(id < vocabulary->count);
    ASSERT(length < vocabulary->texts_bytes - vocabulary->texts_used);
    struct vocabulary_entry *entry = &vocabulary->entries[id];
    const uint32_t slot = slot_of(vocabulary, text, length);
    if (entry->text || vocabulary->slots[slot] != 0) {
        return STATUS_INVALID;
    }
    char *to = vocabulary->texts + vocabulary->texts_used;
    memcpy(to, text, length);
    to[length] = '\0';
    vocabulary->texts_used += length + 1;
    *entry = (struct vocabulary_entry){.text = to, .length = (uint32_t)length};
    vocabulary->slots[slot] = id + 1;
    return STATUS_OK;
}

uint32_t vocabulary_find(const struct vocabulary *vocabulary, const char *text, size_t length)
{
    const uint32_t held = vocabulary->slots[slot_of(vocabulary, text, length)];
    return held > 0 ? held - 1 : VOCABULARY_NONE;
}
