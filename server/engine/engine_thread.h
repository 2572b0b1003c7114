/* engine_thread.h - the thread that owns an engine and its scheduler: hears the inbound ring, runs
 * steps, says what came of them in the outbound ring. Takes its memory at create and none later.
 * Private to the engine loop. */
#pragma once
#include "base/ring.h"
#include "server/engine/engine_messages.h"

struct engine_thread;

/* The longest message that it hears, and the room in the outbound ring that it needs to go on. */
size_t engine_thread_message_bytes_max(const struct scheduler_config *config);
size_t engine_thread_round_bytes_max(const struct scheduler_config *config);

MUST_CHECK enum status engine_thread_create(const struct engine_loop_config *config,
                                            struct ring *inbound, struct ring *outbound,
                                            struct engine_thread **out, struct failure *failure);
void engine_thread_destroy(struct engine_thread *thread); /* NULL is fine */

/* Returns when the engine is warmed up. STATUS_DEVICE: it failed; the thread is to be stopped. */
MUST_CHECK enum status engine_thread_start(struct engine_thread *thread, struct failure *failure);
void engine_thread_stop(struct engine_thread *thread); /* joins it; also if not started */

/* Any thread. */
enum engine_loop_state engine_thread_state(const struct engine_thread *thread);

/* The delivery thread, when it has failed everyone for an OUTBOUND_LOST: nobody who comes after a
 * rebuild may be taken for one of them. */
void engine_thread_note_loss_told(struct engine_thread *thread);
