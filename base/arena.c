#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/assert.h"

enum { ALIGNMENT_BYTES = 64 };

struct arena {
    unsigned char *bytes; /* anonymous mapping: zero pages cost nothing until touched */
    size_t capacity_bytes, used_bytes;
    bool is_sealed;
};

enum status arena_create(size_t capacity_bytes, struct arena **out)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (!arena) {
        return STATUS_IO;
    }
    void *bytes =
        mmap(NULL, capacity_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) {
        free(arena);
        return STATUS_IO;
    }
    *arena = (struct arena){.bytes = bytes, .capacity_bytes = capacity_bytes};
    *out = arena;
    return STATUS_OK;
}

void arena_destroy(struct arena *arena)
{
    if (arena) {
        munmap(arena->bytes, arena->capacity_bytes);
        free(arena);
    }
}

size_t arena_block_bytes(size_t count, size_t size)
{
    ASSERT(size == 0 || count <= SIZE_MAX / size);
    const size_t bytes = count * size;
    ASSERT(bytes <= SIZE_MAX - ALIGNMENT_BYTES);
    return (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
}

void *arena_take(struct arena *arena, size_t count, size_t size)
{
    ASSERT(!arena->is_sealed);
    const size_t block_bytes = arena_block_bytes(count, size);
    ASSERT(block_bytes <= arena->capacity_bytes - arena->used_bytes);
    void *block = arena->bytes + arena->used_bytes;
    arena->used_bytes += block_bytes;
    return block;
}

void arena_seal(struct arena *arena)
{
    arena->is_sealed = true;
}

size_t arena_used_bytes(const struct arena *arena)
{
    return arena->used_bytes;
}
