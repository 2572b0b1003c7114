/* support_fake_engine.h - an engine without a model: the next token is a function of the sequence's
 * tokens and its seed, so that any answer can be told in advance. It can be held, and can fail. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/failure.h"
#include "scheduler/engine.h"

enum { FAKE_VOCABULARY = 300, FAKE_SEQUENCES_MAX = 64, FAKE_SCRIPT_MAX = 600 };

struct fake_engine {
    pthread_mutex_t script_lock;       /* an answer may be out while its sequence still runs */
    uint32_t script[FAKE_SCRIPT_MAX];  /* if has_script, the output of every sequence */
    uint32_t script_count, script_end; /* script_end follows the script */
    bool has_script;
    pthread_mutex_t gate;                 /* a test that holds it holds the engine in launch */
    _Atomic uint32_t steps, fail_at_step; /* 0: never */
    _Atomic bool fails_requests;          /* every step but a warm-up's */
    _Atomic uint32_t step_us;             /* how long a step takes at least */
    _Atomic uint32_t sequences_in_step;   /* of the last plan */
    pthread_mutex_t rebuild_gate;         /* held: a rebuild waits */
    _Atomic uint32_t rebuilds, rebuilds_to_fail;
    _Atomic bool is_gone; /* given up by a rebuild that failed */
    struct engine_token results[FAKE_SEQUENCES_MAX];
    uint32_t result_count;
};

void fake_engine_init(struct fake_engine *fake);

/* From the next step on every sequence says the bytes of text (at most FAKE_SCRIPT_MAX), then end
 * for ever. Any thread, also while sequences run. */
void fake_engine_say(struct fake_engine *fake, const char *text, uint32_t end);
struct engine fake_engine_interface(struct fake_engine *fake);

/* For engine_rebuild: the same engine once more; the first rebuilds_to_fail attempts fail. */
enum status fake_engine_rebuild(void *context, struct engine *out, struct failure *failure);

/* The token that follows these; count includes the prompt. */
uint32_t fake_engine_next(const uint32_t *tokens, uint32_t count, uint64_t seed);
