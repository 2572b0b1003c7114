#include "base/ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    unsigned char *bytes;
    size_t capacity_bytes, read_at, used_bytes;
    bool is_woken;
};

enum status ring_create(size_t capacity_bytes, struct ring **out)
{
    struct ring *ring = calloc(1, sizeof *ring);
    unsigned char *bytes = calloc(1, capacity_bytes);
    if (!ring || !bytes) {
        free(ring);
        free(bytes);
        return STATUS_IO;
    }
    ring->bytes = bytes;
    ring->capacity_bytes = capacity_bytes;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    *out = ring;
    return STATUS_OK;
}

void ring_destroy(struct ring *ring)
{
    if (ring) {
        pthread_cond_destroy(&ring->filled);
        pthread_mutex_destroy(&ring->lock);
        explicit_bzero(ring->bytes, ring->capacity_bytes);
        free(ring->bytes);
        free(ring);
    }
}

/* ---- under the lock ------------------------------------------------------------------------- */

static void put(struct ring *ring, const void *from, size_t length)
{
    const size_t at = (ring->read_at + ring->used_bytes) % ring->capacity_bytes;
    const size_t to_end = ring->capacity_bytes - at;
    const size_t first = length < to_end ? length : to_end;
    memcpy(ring->bytes + at, from, first);
    memcpy(ring->bytes, (const unsigned char *)from + first, length - first);
    ring->used_bytes += length;
}

static void take(struct ring *ring, void *to, size_t length)
{
    const size_t to_end = ring->capacity_bytes - ring->read_at;
    const size_t first = length < to_end ? length : to_end;
    memcpy(to, ring->bytes + ring->read_at, first);
    memcpy((unsigned char *)to + first, ring->bytes, length - first);
    memset(ring->bytes + ring->read_at, 0, first);
    memset(ring->bytes, 0, length - first);
    ring->read_at = (ring->read_at + length) % ring->capacity_bytes;
    ring->used_bytes -= length;
}

/* ---- public --------------------------------------------------------------------------------- */

enum status ring_push(struct ring *ring, const void *head, size_t head_bytes, const void *body,
                      size_t body_bytes)
{
    const uint64_t length = (uint64_t)head_bytes + body_bytes;
    ASSERT(length > 0 && length + RING_MESSAGE_HEADER_BYTES <= ring->capacity_bytes);
    pthread_mutex_lock(&ring->lock);
    const bool fits = ring->capacity_bytes - ring->used_bytes >= length + RING_MESSAGE_HEADER_BYTES;
    if (fits) {
        put(ring, &length, sizeof length);
        put(ring, head, head_bytes);
        if (body_bytes > 0) {
            put(ring, body, body_bytes);
        }
        pthread_cond_signal(&ring->filled);
    }
    pthread_mutex_unlock(&ring->lock);
    return fits ? STATUS_OK : STATUS_FULL;
}

size_t ring_pop(struct ring *ring, void *out, size_t out_bytes_max)
{
    uint64_t length = 0;
    pthread_mutex_lock(&ring->lock);
    if (ring->used_bytes > 0) {
        take(ring, &length, sizeof length);
        ASSERT(length <= out_bytes_max);
        take(ring, out, length);
    }
    pthread_mutex_unlock(&ring->lock);
    return length;
}

void ring_wait(struct ring *ring, uint32_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&ring->lock);
    int result = 0;
    while (ring->used_bytes == 0 && !ring->is_woken && result == 0) {
        result = pthread_cond_timedwait(&ring->filled, &ring->lock, &until);
    }
    ring->is_woken = false;
    pthread_mutex_unlock(&ring->lock);
}

void ring_wake(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->is_woken = true;
    pthread_cond_signal(&ring->filled);
    pthread_mutex_unlock(&ring->lock);
}

size_t ring_free_bytes(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    const size_t free_bytes = ring->capacity_bytes - ring->used_bytes;
    pthread_mutex_unlock(&ring->lock);
    return free_bytes;
}
