/* support_writer.h - what tests of a writer share: a directory, marked drafts, and what a spool
 * holds, read by the reader and followed by the chain as `ward audit verify` would. */
#pragma once
#include "audit/spool/writer.h"

enum { SUPPORT_DIRECTORY_BYTES = 64 };

void support_directory_make(char out[SUPPORT_DIRECTORY_BYTES]); /* DIRECTORY/audit is free to use */
void support_directory_remove(const char *directory);           /* and all that is in it */

/* Checkpoints often, segments of 4 MiB, a queue of 4 MiB. */
struct writer_config support_writer_config(const char *directory);

/* A record of tenant 1 with two numbers that say which it is. */
void support_draft(struct record_draft *out, enum record_event event, uint64_t a, uint64_t b);

struct support_entry {
    uint64_t sequence, segment, epoch, number, tenant;
    bool is_erased;
    enum record_event event; /* 0: erased */
    int64_t time_unix_ms, stepped_ms;
    uint64_t a, b, count, sequence_from, sequence_to;
    char reason[64], outcome[32], subject[96];
    struct digest leaf;
};

struct support_spool {
    struct support_entry *entries;
    size_t count, snapshots, tail_bytes;
    char problem[FAILURE_TEXT_BYTES]; /* "": every frame follows, every checkpoint is good */
};

void support_spool_read(const char *directory, struct support_spool *out);
void support_spool_free(struct support_spool *spool);
size_t support_spool_count(const struct support_spool *spool, enum record_event event);
/* The n-th entry of that event; NULL: there is none. */
const struct support_entry *support_spool_find(const struct support_spool *spool,
                                               enum record_event event, size_t n);
