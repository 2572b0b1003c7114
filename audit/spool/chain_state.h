/* chain_state.h - `chain.state`: the epoch's MAC key, and the last record that was told to be kept.
 * Two places of 512 bytes (a disk's sector) with a generation and a checksum each, written in turn,
 * so that a torn write leaves the other. Written after each group (no sync: it survives the
 * process, not the machine), and synced when the epoch advances and at a clean stop; then both
 * places are replaced, so that no older key is left in the file. What the disk below keeps of old
 * blocks is beyond us. One writer; any process may read. */
#pragma once
#include "audit/chain/digest.h"
#include "base/failure.h"

struct chain_state {
    uint64_t epoch;
    uint8_t key[DIGEST_BYTES]; /* of that epoch; all zero for readers */
    uint64_t sequence;         /* last record told to be kept */
    struct digest head;        /* its hash */
    bool is_clean;             /* the writer stopped after it */
};

/* Without the key. STATUS_NOT_FOUND, STATUS_INVALID: neither place is whole, STATUS_IO,
 * STATUS_FORBIDDEN. */
MUST_CHECK enum status chain_state_read(const char *path, struct chain_state *out,
                                        struct failure *failure);
/* For the writer: with the key, which the caller clears. */
MUST_CHECK enum status chain_state_read_with_key(const char *path, struct chain_state *out,
                                                 struct failure *failure);

struct chain_state_file {
    int fd;
    uint64_t generation; /* of the place that was written last */
};
MUST_CHECK enum status chain_state_open(const char *path, struct chain_state_file *out,
                                        struct failure *failure);
/* A new file, synced; it replaces one that is there. */
MUST_CHECK enum status chain_state_create(const char *path, const struct chain_state *state,
                                          struct failure *failure);

/* After STATUS_IO (errno says why) the file tells the new state or the one before; write again. */
MUST_CHECK enum status chain_state_write(struct chain_state_file *file,
                                         const struct chain_state *state);
/* Both places and a sync. */
MUST_CHECK enum status chain_state_write_synced(struct chain_state_file *file,
                                                const struct chain_state *state);
void chain_state_close(struct chain_state_file *file); /* fd -1 is fine */
