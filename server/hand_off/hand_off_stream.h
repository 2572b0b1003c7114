/* hand_off_stream.h - events that nobody acknowledged yet, in a stream of Redis (PREFIX:@hand_off).
 * Every failure closes the connection, and the next call opens one. One thread. */
#pragma once
#include "server/hand_off/hand_off.h"

enum { HAND_OFF_ENTRY_BYTES = 48 };

struct hand_off_stream { /* start from {0} with terms and prefix set */
    struct redis_terms terms;
    const char *prefix;
    redisContext *link; /* NULL: not connected */
};

void hand_off_stream_close(struct hand_off_stream *stream);

/* Keeps it; *entry is its id in the stream. STATUS_UNAVAILABLE and others of redis_link.h. */
MUST_CHECK enum status hand_off_stream_add(struct hand_off_stream *stream,
                                           const struct hand_off_event *event,
                                           char entry[HAND_OFF_ENTRY_BYTES],
                                           struct failure *failure);
MUST_CHECK enum status hand_off_stream_remove(struct hand_off_stream *stream, const char *entry,
                                              struct failure *failure);

/* What the process before this one left, oldest first; at most max. What cannot be read is left
 * out. */
struct hand_off_kept {
    struct hand_off_event event;
    char entry[HAND_OFF_ENTRY_BYTES];
};
MUST_CHECK enum status hand_off_stream_read(struct hand_off_stream *stream,
                                            struct hand_off_kept *out, size_t max, size_t *count,
                                            struct failure *failure);
