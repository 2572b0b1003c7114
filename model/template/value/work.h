/* work.h - what one parse or one rendering may use (memory, steps, depth), and its one way out.
 * Memory is a bounded bump arena: nothing is freed alone, work_end zeroes and frees all of it, for
 * it holds prompts. Whatever goes wrong jumps out of work_run() with a status and one line of text,
 * so that no value ever needs a NULL check; nothing but the arena may be held across a call. */
#pragma once
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

struct work_chunk;

struct work {
    jmp_buf escape;
    struct failure *failure;
    enum status status;
    uint32_t line; /* of the template, where work is being done now; 0: not in a line */
    uint32_t depth, depth_max;
    uint64_t steps_left;
    size_t memory_left_bytes;
    struct work_chunk *chunks;
    char *room;
    size_t room_bytes;
    size_t chunk_bytes; /* of the next chunk */
};

struct work_limits {
    uint64_t steps_max;
    uint32_t depth_max;
    size_t memory_bytes_max;
};

void work_start(struct work *work, const struct work_limits *limits, struct failure *failure);
void work_end(struct work *work); /* zeroes and frees the arena; fine after {0} */

/* Calls function(context); a work_fail() inside ends it. */
MUST_CHECK enum status work_run(struct work *work, void (*function)(void *context), void *context);

/* Memory for count things of size bytes, aligned to 16, not zeroed. Never NULL. */
void *work_take(struct work *work, size_t count, size_t size);

void work_step(struct work *work);               /* one more node was evaluated */
void work_scan(struct work *work, size_t bytes); /* bytes were looked at without being copied */
void work_enter(struct work *work);              /* one level deeper */
void work_leave(struct work *work);

_Noreturn void work_fail(struct work *work, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
