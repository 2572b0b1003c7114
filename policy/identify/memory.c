#include "policy/identify/memory.h"

/* FNV-1a, 64 bits; never 0, which stands for no word. */
static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3U;
    }
    return hash | 1;
}

static bool has(const struct memory *memory, uint64_t hash)
{
    bool is_found = false;
    for (uint32_t i = 0; i < MEMORY_WORDS; i++) {
        is_found |= memory->words[i] == hash;
    }
    return is_found;
}

void memory_add(struct memory *memory, const char *folded, size_t length)
{
    const uint64_t hash = hash_of(folded, length);
    if (!has(memory, hash)) {
        memory->words[memory->count % MEMORY_WORDS] = hash;
        memory->count++;
    }
}

bool memory_has(const struct memory *memory, const char *folded, size_t length)
{
    return memory->count > 0 && has(memory, hash_of(folded, length));
}
