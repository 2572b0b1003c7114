/* arena.h - all host memory is taken at startup; seal() turns later allocation into a crash.
 * Owner: the caller of create. Threads: one thread until sealed, read-only afterwards. */
#pragma once
#include <stddef.h>

#include "base/status.h"

struct arena;

MUST_CHECK enum status arena_create(size_t capacity_bytes, struct arena **out);
void arena_destroy(struct arena *arena); /* NULL is fine; frees every block at once */

/* Zeroed block of count * size bytes, aligned to 64. Never NULL: running out, overflow of the
 * product, or a call after arena_seal() is a sizing bug and asserts. */
void *arena_take(struct arena *arena, size_t count, size_t size);

/* What a block takes up in the arena, so that a module can tell its size before create. */
size_t arena_block_bytes(size_t count, size_t size);

void arena_seal(struct arena *arena);
size_t arena_used_bytes(const struct arena *arena);
