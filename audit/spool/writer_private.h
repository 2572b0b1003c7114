/* writer_private.h - what writer.c (any thread) and writer_commit.c (the writer's thread) share.
 *
 * Positions count the drafts as they enter the queue: taken <= pushed. Up to durable they are on
 * the disk; up to told they were told kept, up to lost they were told lost; the handles up to woken
 * have been woken. All of them only grow. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "audit/spool/chain_state.h"
#include "audit/spool/segment.h"
#include "audit/spool/writer.h"
#include "base/ring.h"

enum {
    WRITER_GROUP_BYTES = 1 << 20,                                     /* frames of one group */
    WRITER_GROUP_RECORDS = 8192,                                      /* drafts of one group */
    WRITER_FRAMES_BYTES = WRITER_GROUP_BYTES + CHAIN_FRAME_BYTES_MAX, /* and a checkpoint */
    WRITER_RETRY_MS = 200,
    WRITER_STOP_MS = 3000, /* how long a stop waits for a disk that fails */
    WRITER_HUNG_MS = 5000, /* a write or sync that takes longer is an outage */
};

struct writer_queued { /* as it lies in the ring, without the unused end of the draft */
    int64_t time_unix_ms;
    struct record_draft draft;
};

struct writer_outage {
    uint64_t sequence_from, refused;
    int64_t began_unix_ms;
    const char *reason; /* machine word */
};

struct writer {
    struct writer_config config;
    char directory[DIRECTORY_PATH_BYTES];
    struct directory_keys *keys;
    int lock_fd;
    struct ring *ring;
    uint64_t *handles; /* by position % handle_count */
    uint64_t handle_count;
    pthread_t thread;
    bool has_thread, is_all_kept; /* is_all_kept: set by the thread as it ends */
    int64_t found_time_unix_ms;   /* of the last record at start */

    /* ---- under the lock ---- */
    pthread_mutex_t lock;
    pthread_cond_t work, settled; /* something to do; durable, told or lost have grown */
    uint64_t pushed;
    bool is_stopping;
    uint64_t stop_ns; /* when to give up */
    struct writer_outage outage;
    uint64_t hung_refused; /* while a step hangs: the thread cannot begin an outage itself */
    uint8_t checkpoint[RECORD_BODY_BYTES_MAX]; /* the last durable one */
    size_t checkpoint_bytes;

    /* ---- written under the lock, read by any thread ---- */
    atomic_bool is_failing;
    _Atomic uint64_t step_ns; /* when the step in hand began, without the lock; 0: none */
    _Atomic uint64_t durable, told, lost;
    _Atomic int64_t time_unix_ms; /* the chain's, of what is durable */
    _Atomic uint64_t sequence, records, groups, failures, refused, overflowed, segment, sync_us;

    /* ---- the writer's thread alone ---- */
    struct chain *chain;
    struct chain_state_file state_file;
    int fd; /* the current segment; written by offset, so never O_APPEND */
    uint64_t segment_bytes;
    uint8_t *frames; /* the group in hand */
    size_t frames_bytes;
    size_t checkpoint_at, checkpoint_frame_bytes; /* in frames; 0 bytes: none in this group */
    uint64_t taken, woken;
    uint32_t since_checkpoint; /* records */
    uint64_t interval_ns;      /* when the last interval was over */
    uint64_t overflow_told;    /* of overflowed */
    int64_t clock_behind_ms;   /* of the chain's time, as far as it is recorded */
    bool has_outage_to_tell, needs_segment, needs_epoch;
    struct writer_queued queued;
};

void *writer_commit_run(void *argument); /* the thread; argument: the writer */

/* A step (write, sync, a new segment) takes longer than WRITER_HUNG_MS. Any thread. */
bool writer_commit_is_hung(const struct writer *writer);

/* The current segment is set from a file that recovery left, or from segment_create. */
void writer_commit_set_segment(struct writer *writer, int fd, uint64_t bytes, uint64_t first);
/* chain.state as the chain stands: both places and a sync, or one place without. */
MUST_CHECK enum status writer_commit_state(struct writer *writer, bool is_synced, bool is_clean);
int64_t writer_now_unix_ms(const struct writer *writer);
