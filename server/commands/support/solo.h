/* solo.h - one sequence on an engine of its own, for commands that need no scheduler: pages in a
 * row, prompt in chunks, then token by token. Main thread. */
#pragma once
#include "server/engine_choice.h"

struct solo {
    struct engine_choice *engine;
    struct engine interface;
    struct page_id *pages; /* 0, 1, 2, ... */
};

/* The tokens of the sequence; the caller appends what was drawn. */
struct solo_sequence {
    const uint32_t *tokens;
    uint32_t token_count, prompt_count;
    uint32_t computed_count; /* tokens whose KV stands */
    struct engine_sampling sampling;
};

enum { SOLO_STEP_TOKENS = 512, SOLO_PAGE_TOKENS = 64 };

/* An engine that holds one sequence of context_tokens. STATUS_INVALID: more than the model's
 * max_position_embeddings. STATUS_IO, STATUS_FULL: no memory. device: as engine_choice.h. */
MUST_CHECK enum status solo_open(const struct model *model, const char *device,
                                 uint32_t context_tokens, struct solo *out,
                                 struct failure *failure);
void solo_close(struct solo *solo); /* {0} is fine */

/* Computes the next rows, at most SOLO_STEP_TOKENS, and returns how many. When they reach the end
 * of the tokens, *token is the one drawn after them (computed_count == token_count). 0: the engine
 * is lost. */
uint32_t solo_step(struct solo *solo, struct solo_sequence *sequence, struct engine_token *token);

/* Neither penalties nor cuts; temperature 0. */
struct engine_sampling solo_greedy(void);
