/* writer.h - the queue and the one thread that makes records durable: README.md here says how. Any
 * thread appends and asks; nobody waits for the disk but in writer_wait. */
#pragma once
#include "audit/record/record.h"
#include "audit/spool/directory.h"

struct writer;

struct writer_config {
    const char *directory;
    bool keeps_in_memory;   /* on_failure: spool_memory */
    uint64_t queue_bytes;   /* of drafts not yet durable; the last half is for records that CLOSE */
    uint64_t segment_bytes; /* a new segment begins after so many */
    uint32_t checkpoint_records, checkpoint_ms; /* 1,000 and 1,000 */
    int64_t (*now_unix_ms)(void);               /* NULL: the clock; called by any thread */
    /* The writer's thread, once for each record with a handle, when it is kept or lost. NULL: none
     * waits. */
    void (*wake)(void *context, uint64_t handle);
    void *wake_context;
    void (*committed)(void *context); /* likewise, after each group became durable; may be NULL */
    void *committed_context;
};

struct writer_position {
    uint64_t value; /* 0: none */
};
enum writer_keeping { WRITER_WAITING, WRITER_KEPT, WRITER_LOST };

/* Opens, recovers, makes keys and the first segment, starts the thread, which inherits the signal
 * mask. Appends server.recovered when the last writer did not stop in order. */
MUST_CHECK enum status writer_start(const struct writer_config *config, struct writer **out,
                                    struct failure *failure);

/* Takes no more, writes all that waits (for at most a few seconds when the disk fails), a last
 * checkpoint and a clean chain.state, and ends the thread. What is durable can still be asked for
 * and shipped. False: records could not be kept. */
bool writer_drain(struct writer *writer);
/* Drains if nobody did, lets go of files, keys and the lock. Returns likewise. NULL is fine. */
bool writer_stop(struct writer *writer);

/* The record's time is that of this call. handle: given to wake; 0: nobody waits.
 * STATUS_UNAVAILABLE: records cannot be kept now and this one OPENS, or the writer stops.
 * STATUS_FULL: no room; for records that CLOSE that is counted as lost, logged, and told in an
 * audit.outage with reason queue_full. */
MUST_CHECK enum status writer_append(struct writer *writer, const struct record_draft *draft,
                                     uint64_t handle, struct writer_position *out);

/* LOST: it could not be kept when that was due; it may still be written later. While the disk hangs
 * what waits is told as in an outage, and WAITING again if it only now goes on. */
enum writer_keeping writer_keeping(const struct writer *writer, struct writer_position position);
/* On the disk, whatever was told: under spool_memory a record may be told kept before. */
bool writer_is_durable(const struct writer *writer, struct writer_position position);

/* Waits; STATUS_TIMEOUT, STATUS_UNAVAILABLE. For start, stop and commands, never on I/O threads. */
MUST_CHECK enum status writer_wait(struct writer *writer, struct writer_position position,
                                   uint32_t timeout_ms);

/* False: writing fails or hangs, and the mode or a full queue leaves no room for what OPENS. */
bool writer_is_available(const struct writer *writer);
/* Of the last record that was found at start; 0: there was none. */
int64_t writer_found_time(const struct writer *writer);
const struct directory_keys *writer_keys(const struct writer *writer);

/* The last checkpoint's body; returns its bytes, 0: none yet. Any thread. */
size_t writer_last_checkpoint(struct writer *writer, uint8_t out[RECORD_BODY_BYTES_MAX]);

struct writer_facts {
    uint64_t sequence;              /* last durable record */
    int64_t time_unix_ms;           /* of it; ahead of a clock that went back */
    uint64_t records, groups;       /* since start */
    uint64_t failures;              /* writes or syncs that failed */
    uint64_t refused, lost;         /* OPENS refused; CLOSES that found no room */
    uint64_t queued_bytes, segment; /* segment: first sequence of the current file */
    uint64_t sync_us_total;
    bool is_available, is_failing; /* is_failing: also where memory keeps what comes */
};
void writer_read_facts(const struct writer *writer, struct writer_facts *out);
