/* ship_window.h - up to SHIP_WINDOW_RECORDS frames that go to Redis in one transaction: all of them
 * or none, and only if the stream still ends where it was seen to end. Without that a record
 * refused in the middle (out of memory, READONLY) and taken again behind it would leave a hole for
 * ever, and one that was emptied meanwhile would go unnoticed. Owner: the caller; one thread.
 * Nothing is allocated after create. */
#pragma once
#include "audit/chain/frame.h"
#include "audit/record/record.h"
#include "audit/redis/redis_key.h"
#include "audit/redis/redis_reply.h"

enum {
    SHIP_WINDOW_RECORDS = 512,
    SHIP_WINDOW_ID_LOW = 1, /* low half of an id in the stream */
};

struct ship_item {
    size_t at, length; /* of the frame, in frames */
    uint64_t sequence;
    bool is_erased;
    char view[RECORD_NAME_BYTES]; /* whose view has it; "": none (the server's own, erased) */
    struct tenant_id tenant;
    uint64_t number;
    enum record_event event;
};

struct ship_window {
    char prefix[REDIS_PREFIX_BYTES];
    char chain_key[REDIS_KEY_BYTES];
    uint32_t count;
    struct ship_item items[SHIP_WINDOW_RECORDS];
    uint8_t *frames, *commands; /* room for the largest window there can be */
    size_t frames_length, commands_length;
};

struct ship_window *ship_window_create(const char *prefix); /* NULL: no memory */
void ship_window_destroy(struct ship_window *window);       /* NULL is fine */

void ship_window_clear(struct ship_window *window);
/* Copies it; the window must have room. A record or an erased one, no snapshot. STATUS_INVALID: its
 * body is no record. */
MUST_CHECK enum status ship_window_push(struct ship_window *window, const struct frame *frame);

/* Where the stream ends, from now on watched: the next add works only if nobody changes it. *last
 * 0: it is empty or not there. */
MUST_CHECK enum status ship_window_watch(struct ship_window *window, redisContext *link,
                                         uint64_t *last, struct failure *failure);

/* Adds all and watches again. STATUS_UNAVAILABLE and others: as redis_reply_judge; what was added
 * is found out by connecting anew. *differs: an id was taken by something else. */
MUST_CHECK enum status ship_window_add(struct ship_window *window, redisContext *link,
                                       uint64_t *last, bool *differs, struct failure *failure);

/* Is what Redis has under these ids the same? *differs: not, and failure (STATUS_INVALID) says
 * what. A body that was erased in the spool meanwhile is the same, and so is none of an erased one.
 */
MUST_CHECK enum status ship_window_compare(struct ship_window *window, redisContext *link,
                                           bool *differs, struct failure *failure);

/* The window holds erased frames: where Redis still has their bodies, deletes them in the views and
 * the stream. *count grows by how many. *differs as in compare. */
MUST_CHECK enum status ship_window_erase(struct ship_window *window, redisContext *link,
                                         uint64_t *count, bool *differs, struct failure *failure);

/* Removes from the views what these frames have there and all before it. */
MUST_CHECK enum status ship_window_trim_views(struct ship_window *window, redisContext *link,
                                              struct failure *failure);
