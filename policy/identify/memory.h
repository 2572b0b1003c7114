/* memory.h - words that were recognised as somebody's name earlier in a conversation, so that
 * "Will" stays a name once he was introduced. Hashes, not text; a fixed size, the oldest give way.
 * Owner: who scans the conversation. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_WORDS = 256, MEMORY_FILTER = 64 };

struct memory { /* start from {0} */
    uint64_t words[MEMORY_WORDS];
    uint64_t filter[MEMORY_FILTER]; /* a bit for each of them, and for some that gave way */
    uint32_t count;
};

void memory_add(struct memory *memory, const char *folded, size_t length);
bool memory_has(const struct memory *memory, const char *folded, size_t length);
