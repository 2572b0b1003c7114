/* token_log.h - what the engine has answered to one request so far, for each of its sequences:
 * append-only, so that reader and writer need no lock. Owner: the request, on its I/O thread, which
 * is the one reader. One writer at a time: whoever holds the ticket's lock (engine_loop.c).
 * Memory: one block, sized for the longest answer, zeroed when destroyed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "scheduler/engine.h"

struct token_log;

struct token_log_shape {
    uint32_t sequence_count; /* 1 .. LIMIT_SAMPLES */
    uint32_t output_max;     /* tokens of one sequence, 1 .. LIMIT_CONTEXT_TOKENS */
    uint32_t top_count;      /* alternatives kept a token, 0 .. LIMIT_TOP_LOGPROBS */
};

struct token_record {
    uint32_t id;
    float logprob;
};

enum token_end {
    TOKEN_END_NONE,
    TOKEN_END_STOP,   /* the last token is one of the request's stop ids */
    TOKEN_END_LENGTH, /* output_max was reached */
    TOKEN_END_FAILED
};

size_t token_log_bytes(const struct token_log_shape *shape); /* what create takes */

/* STATUS_IO: no memory. */
MUST_CHECK enum status token_log_create(const struct token_log_shape *shape,
                                        struct token_log **out);
void token_log_destroy(struct token_log *log); /* NULL is fine */

/* ---- reader --------------------------------------------------------------------------------- */

/* False until the engine has accepted or refused the request; then *out is OK or the reason. */
bool token_log_admission(const struct token_log *log, enum status *out);

/* When end is not NONE, no further token follows. Read end first, then count. */
enum token_end token_log_end(const struct token_log *log, uint32_t sequence);
uint32_t token_log_count(const struct token_log *log, uint32_t sequence);

/* index < count. *tops: [returned], most likely first. */
struct token_record token_log_token(const struct token_log *log, uint32_t sequence, uint32_t index);
uint32_t token_log_tops(const struct token_log *log, uint32_t sequence, uint32_t index,
                        const struct token_record **tops);

/* clock_monotonic_ns of the first and the last token of any sequence; 0: none yet. */
uint64_t token_log_first_ns(const struct token_log *log);
uint64_t token_log_last_ns(const struct token_log *log);

/* ---- writer --------------------------------------------------------------------------------- */

void token_log_admit(struct token_log *log, enum status status);

/* tops: most likely first; what is beyond the shape's top_count is dropped. */
void token_log_append(struct token_log *log, uint32_t sequence, struct token_record token,
                      const struct token_record *tops, uint32_t top_count);
void token_log_stamp(struct token_log *log, uint64_t now_ns); /* tokens were appended now */
void token_log_finish(struct token_log *log, uint32_t sequence, enum token_end end);

/* Refuses a request that waits for admission, and fails every sequence that runs. */
void token_log_fail(struct token_log *log, enum status status);
