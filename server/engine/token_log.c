/* token_log.c - one block: the head, then the ends, counts and tokens of every sequence. A count is
 * stored after its token (release) and read before it (acquire), so what is below it is whole. */
#include "server/engine/token_log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { ADMISSION_WAITS = -1 };

struct sequence_state {
    _Atomic uint32_t count;
    _Atomic uint32_t end; /* enum token_end */
};

struct token_log {
    struct token_log_shape shape;
    size_t bytes;
    _Atomic int admission; /* ADMISSION_WAITS or enum status */
    _Atomic uint64_t first_ns, last_ns;
    struct token_record *tokens; /* [sequence_count][output_max] */
    struct token_record *tops;   /* [sequence_count][output_max][top_count] */
    uint8_t *top_counts;         /* [sequence_count][output_max]; NULL where top_count is 0 */
    struct sequence_state sequences[];
};

static size_t token_total(const struct token_log_shape *shape)
{
    return (size_t)shape->sequence_count * shape->output_max;
}

size_t token_log_bytes(const struct token_log_shape *shape)
{
    const size_t token_bytes = sizeof(struct token_record) * (1 + shape->top_count)
                               + (shape->top_count > 0 ? sizeof(uint8_t) : 0);
    return sizeof(struct token_log) + shape->sequence_count * sizeof(struct sequence_state)
           + token_total(shape) * token_bytes;
}

enum status token_log_create(const struct token_log_shape *shape, struct token_log **out)
{
    ASSERT(shape->sequence_count >= 1 && shape->sequence_count <= LIMIT_SAMPLES);
    ASSERT(shape->output_max >= 1 && shape->output_max <= LIMIT_CONTEXT_TOKENS);
    ASSERT(shape->top_count <= LIMIT_TOP_LOGPROBS);
    const size_t bytes = token_log_bytes(shape);
    struct token_log *log = calloc(1, bytes);
    if (!log) {
        return STATUS_IO;
    }
    log->shape = *shape;
    log->bytes = bytes;
    atomic_init(&log->admission, ADMISSION_WAITS);
    log->tokens = (struct token_record *)&log->sequences[shape->sequence_count];
    log->tops = log->tokens + token_total(shape);
    if (shape->top_count > 0) {
        log->top_counts = (uint8_t *)(log->tops + token_total(shape) * shape->top_count);
    }
    *out = log;
    return STATUS_OK;
}

void token_log_destroy(struct token_log *log)
{
    if (!log) {
        return;
    }
    /* Only what was written: untouched pages of a long answer's room stay untouched. */
    for (uint32_t i = 0; i < log->shape.sequence_count; i++) {
        const size_t first = (size_t)i * log->shape.output_max;
        const size_t count = token_log_count(log, i);
        const size_t top_count = log->shape.top_count;
        explicit_bzero(log->tokens + first, count * sizeof *log->tokens);
        explicit_bzero(log->tops + first * top_count, count * top_count * sizeof *log->tops);
    }
    free(log);
}

/* ---- reader --------------------------------------------------------------------------------- */

bool token_log_admission(const struct token_log *log, enum status *out)
{
    const int admission = atomic_load_explicit(&log->admission, memory_order_acquire);
    if (admission != ADMISSION_WAITS) {
        *out = (enum status)admission;
    }
    return admission != ADMISSION_WAITS;
}

enum token_end token_log_end(const struct token_log *log, uint32_t sequence)
{
    return (enum token_end)atomic_load_explicit(&log->sequences[sequence].end,
                                                memory_order_acquire);
}

uint32_t token_log_count(const struct token_log *log, uint32_t sequence)
{
    return atomic_load_explicit(&log->sequences[sequence].count, memory_order_acquire);
}

struct token_record token_log_token(const struct token_log *log, uint32_t sequence, uint32_t index)
{
    return log->tokens[(size_t)sequence * log->shape.output_max + index];
}

uint32_t token_log_tops(const struct token_log *log, uint32_t sequence, uint32_t index,
                        const struct token_record **tops)
{
    const size_t at = (size_t)sequence * log->shape.output_max + index;
    *tops = log->tops + at * log->shape.top_count;
    return log->top_counts ? log->top_counts[at] : 0;
}

uint64_t token_log_first_ns(const struct token_log *log)
{
    return atomic_load_explicit(&log->first_ns, memory_order_relaxed);
}

uint64_t token_log_last_ns(const struct token_log *log)
{
    return atomic_load_explicit(&log->last_ns, memory_order_relaxed);
}

/* ---- writer --------------------------------------------------------------------------------- */

void token_log_admit(struct token_log *log, enum status status)
{
    atomic_store_explicit(&log->admission, (int)status, memory_order_release);
}

void token_log_append(struct token_log *log, uint32_t sequence, struct token_record token,
                      const struct token_record *tops, uint32_t top_count)
{
    ASSERT(sequence < log->shape.sequence_count);
    const uint32_t index = token_log_count(log, sequence);
    ASSERT(index < log->shape.output_max);
    const size_t at = (size_t)sequence * log->shape.output_max + index;
    log->tokens[at] = token;
    const uint32_t kept = top_count < log->shape.top_count ? top_count : log->shape.top_count;
    if (kept > 0) {
        memcpy(log->tops + at * log->shape.top_count, tops, kept * sizeof *tops);
        log->top_counts[at] = (uint8_t)kept;
    }
    atomic_store_explicit(&log->sequences[sequence].count, index + 1, memory_order_release);
}

void token_log_stamp(struct token_log *log, uint64_t now_ns)
{
    if (token_log_first_ns(log) == 0) {
        atomic_store_explicit(&log->first_ns, now_ns, memory_order_relaxed);
    }
    atomic_store_explicit(&log->last_ns, now_ns, memory_order_relaxed);
}

void token_log_finish(struct token_log *log, uint32_t sequence, enum token_end end)
{
    ASSERT(sequence < log->shape.sequence_count);
    atomic_store_explicit(&log->sequences[sequence].end, (uint32_t)end, memory_order_release);
}

void token_log_fail(struct token_log *log, enum status status)
{
    enum status unused;
    for (uint32_t i = 0; i < log->shape.sequence_count; i++) {
        if (token_log_end(log, i) == TOKEN_END_NONE) {
            token_log_finish(log, i, TOKEN_END_FAILED);
        }
    }
    if (!token_log_admission(log, &unused)) {
        token_log_admit(log, status);
    }
}
