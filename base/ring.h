/* ring.h - bounded queue of flat messages between threads: any number of pushers, one popper.
 * A message is bytes without pointers, in two parts (fixed head, variable body) that are stored as
 * one. Owner: the caller of create. Memory: one block at create, zeroed as messages leave, since
 * they hold prompts. Nobody ever waits to push: a full ring is STATUS_FULL. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ring;

MUST_CHECK enum status ring_create(size_t capacity_bytes, struct ring **out);
void ring_destroy(struct ring *ring); /* NULL is fine; no thread may still use it */

/* STATUS_FULL: no room now. Asserts that the message can fit into an empty ring. */
MUST_CHECK enum status ring_push(struct ring *ring, const void *head, size_t head_bytes,
                                 const void *body, size_t body_bytes);

/* Takes the oldest message into out and returns its bytes; 0 when the ring is empty.
 * Asserts that out is large enough. */
size_t ring_pop(struct ring *ring, void *out, size_t out_bytes_max);

/* Returns when the ring is not empty, ring_wake() was called, or timeout_ms have passed. */
void ring_wait(struct ring *ring, uint32_t timeout_ms);
void ring_wake(struct ring *ring);

size_t
ring_free_bytes(struct ring *ring); /* what a pusher that is alone may still push, in bytes */

enum { RING_MESSAGE_HEADER_BYTES = 8 }; /* cost of a message beyond its own bytes */
