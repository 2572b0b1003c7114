#include "policy/identify/memory.h"

#include <string.h>

#include "policy/text/word_hash.h"

/* Never 0, which stands for no word. */
static uint64_t hash_of(const char *text, size_t length)
{
    return word_hash(text, length) | 1;
}

static uint64_t *filter_of(struct memory *memory, uint64_t hash)
{
    return &memory->filter[(hash >> 8) % MEMORY_FILTER];
}

static uint64_t bit_of(uint64_t hash)
{
    return (uint64_t)1 << (hash >> 58);
}

static bool has(const struct memory *memory, uint64_t hash)
{
    if (!(memory->filter[(hash >> 8) % MEMORY_FILTER] & bit_of(hash))) {
        return false; /* as for nearly every word */
    }
    bool is_found = false;
    for (uint32_t i = 0; i < MEMORY_WORDS; i++) {
        is_found |= memory->words[i] == hash;
    }
    return is_found;
}

/* Without those that gave way. */
static void fill_filter(struct memory *memory)
{
    memset(memory->filter, 0, sizeof memory->filter);
    for (uint32_t i = 0; i < MEMORY_WORDS; i++) {
        *filter_of(memory, memory->words[i]) |= bit_of(memory->words[i]);
    }
}

void memory_add(struct memory *memory, const char *folded, size_t length)
{
    const uint64_t hash = hash_of(folded, length);
    if (has(memory, hash)) {
        return;
    }
    if (memory->count % MEMORY_WORDS == 0) {
        fill_filter(memory);
    }
    memory->words[memory->count % MEMORY_WORDS] = hash;
    memory->count++;
    *filter_of(memory, hash) |= bit_of(hash);
}

bool memory_has(const struct memory *memory, const char *folded, size_t length)
{
    return memory->count > 0 && has(memory, hash_of(folded, length));
}
