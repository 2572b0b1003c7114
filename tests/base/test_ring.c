/* Method: two pushers and a popper over a small ring, so that it wraps and fills; every message
 * carries a checksum of itself and each pusher's messages must arrive in order. */
#include <pthread.h>
#include <string.h>

#include "base/random.h"
#include "base/ring.h"
#include "tests/check.h"

enum { CAPACITY_BYTES = 4096, MESSAGES = 20000, PUSHERS = 2, BODY_BYTES_MAX = 300 };

struct head {
    uint32_t pusher, sequence, body_bytes;
};

struct pusher {
    struct ring *ring;
    uint32_t number;
};

static void *push_all(void *argument)
{
    const struct pusher *pusher = argument;
    struct random_source random = {pusher->number};
    unsigned char body[BODY_BYTES_MAX];
    for (uint32_t i = 0; i < MESSAGES; i++) {
        const struct head head = {pusher->number, i, random_below(&random, BODY_BYTES_MAX)};
        memset(body, (int)(i & 0xff), head.body_bytes);
        while (ring_push(pusher->ring, &head, sizeof head, body, head.body_bytes) != STATUS_OK) {
            sched_yield();
        }
    }
    return NULL;
}

static void messages_arrive_whole_and_in_order(void)
{
    struct ring *ring = NULL;
    CHECK(ring_create(CAPACITY_BYTES, &ring) == STATUS_OK, "create");
    pthread_t threads[PUSHERS];
    struct pusher pushers[PUSHERS];
    for (uint32_t i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){ring, i};
        pthread_create(&threads[i], NULL, push_all, &pushers[i]);
    }
    uint32_t next[PUSHERS] = {0};
    for (uint32_t got = 0; got < PUSHERS * MESSAGES;) {
        struct {
            struct head head;
            unsigned char body[BODY_BYTES_MAX];
        } message;
        ring_wait(ring, 1000);
        const size_t bytes = ring_pop(ring, &message, sizeof message);
        if (bytes == 0) {
            continue;
        }
        got++;
        const struct head head = message.head;
        CHECK(bytes == sizeof head + head.body_bytes, "message of pusher %u", head.pusher);
        CHECK(head.sequence == next[head.pusher], "order of pusher %u", head.pusher);
        next[head.pusher] = head.sequence + 1;
        for (uint32_t i = 0; i < head.body_bytes; i++) {
            CHECK(message.body[i] == (head.sequence & 0xff), "body of %u", head.sequence);
        }
    }
    for (uint32_t i = 0; i < PUSHERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(ring_free_bytes(ring) == CAPACITY_BYTES, "empty at the end");
    ring_destroy(ring);
}

static void a_full_ring_says_so(void)
{
    struct ring *ring = NULL;
    CHECK(ring_create(64, &ring) == STATUS_OK, "create");
    const char bytes[24] = "flat";
    CHECK(ring_push(ring, bytes, sizeof bytes, NULL, 0) == STATUS_OK, "first");
    CHECK(ring_push(ring, bytes, sizeof bytes, NULL, 0) == STATUS_OK, "second fills it");
    CHECK(ring_push(ring, bytes, 1, NULL, 0) == STATUS_FULL, "third");
    char out[24];
    CHECK(ring_pop(ring, out, sizeof out) == 24 && memcmp(out, bytes, 24) == 0, "pop");
    CHECK(ring_push(ring, bytes, 1, NULL, 0) == STATUS_OK, "room again");
    ring_destroy(ring);
}

CHECK_MAIN(messages_arrive_whole_and_in_order, a_full_ring_says_so)
