#include "model/template/value/work.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT_BYTES = 16,
    CHUNK_FIRST_BYTES = 32 << 10,
    CHUNK_MAX_BYTES = 4 << 20,
    SCAN_BYTES_PER_STEP = 32,
};

struct work_chunk {
    struct work_chunk *next;
    size_t bytes; /* of the whole block, this head included */
};
enum { HEAD_BYTES = 16 };
_Static_assert(sizeof(struct work_chunk) <= HEAD_BYTES, "what follows the head is aligned");

void work_start(struct work *work, const struct work_limits *limits, struct failure *failure)
{
    memset(work, 0, sizeof *work);
    work->failure = failure;
    work->depth_max = limits->depth_max;
    work->steps_left = limits->steps_max;
    work->memory_left_bytes = limits->memory_bytes_max;
    work->chunk_bytes = CHUNK_FIRST_BYTES;
}

void work_end(struct work *work)
{
    struct work_chunk *chunk = work->chunks;
    while (chunk) {
        struct work_chunk *next = chunk->next;
        explicit_bzero(chunk, chunk->bytes);
        free(chunk);
        chunk = next;
    }
    work->chunks = NULL;
    work->room = NULL;
    work->room_bytes = 0;
}

enum status work_run(struct work *work, void (*function)(void *context), void *context)
{
    work->status = STATUS_OK;
    if (setjmp(work->escape) == 0) {
        function(context);
    }
    return work->status;
}

void work_fail(struct work *work, enum status status, const char *format, ...)
{
    char text[FAILURE_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (work->line > 0) {
        work->status = fail(work->failure, status, "line %u: %s", work->line, text);
    } else {
        work->status = fail(work->failure, status, "%s", text);
    }
    longjmp(work->escape, 1);
}

static char *add_chunk(struct work *work, size_t size)
{
    if (size > work->memory_left_bytes) {
        work_fail(work, STATUS_TOO_LARGE, "uses more memory than it may");
    }
    struct work_chunk *chunk = malloc(size);
    if (!chunk) {
        work_fail(work, STATUS_IO, "no memory");
    }
    *chunk = (struct work_chunk){work->chunks, size};
    work->chunks = chunk;
    work->memory_left_bytes -= size;
    return (char *)chunk + HEAD_BYTES;
}

void *work_take(struct work *work, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / 4 / size) {
        work_fail(work, STATUS_TOO_LARGE, "uses more memory than it may");
    }
    const size_t bytes = (count * size + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
    if (bytes > work->chunk_bytes / 2) { /* a chunk of its own: the room there is stays in use */
        return add_chunk(work, bytes + HEAD_BYTES);
    }
    if (bytes > work->room_bytes) {
        work->room = add_chunk(work, work->chunk_bytes);
        work->room_bytes = work->chunk_bytes - HEAD_BYTES;
        work->chunk_bytes =
            work->chunk_bytes < CHUNK_MAX_BYTES ? work->chunk_bytes * 2 : CHUNK_MAX_BYTES;
    }
    void *taken = work->room;
    work->room += bytes;
    work->room_bytes -= bytes;
    return taken;
}

void work_step(struct work *work)
{
    if (work->steps_left == 0) {
        work_fail(work, STATUS_TOO_LARGE, "takes more steps than it may");
    }
    work->steps_left--;
}

void work_scan(struct work *work, size_t bytes)
{
    const size_t steps = bytes / SCAN_BYTES_PER_STEP;
    if (steps > work->steps_left) {
        work_fail(work, STATUS_TOO_LARGE, "takes more steps than it may");
    }
    work->steps_left -= steps;
}

void work_enter(struct work *work)
{
    if (work->depth >= work->depth_max) {
        work_fail(work, STATUS_TOO_LARGE, "is nested too deeply");
    }
    work->depth++;
}

void work_leave(struct work *work)
{
    work->depth--;
}
