/* chain_state.h - `chain.state`: the epoch's MAC key, and the last record that was told to be kept.
 * Two places of 512 bytes with a generation and a checksum each, written in turn, so that a torn
 * write leaves the other. Written after each group (no sync: it survives the process, not the
 * machine), and synced when the epoch advances and at a clean stop; then both places are replaced,
 * so that no older key is left in the file. What the disk below keeps of old blocks is beyond us.
 */
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

/* STATUS_NOT_FOUND, STATUS_INVALID: neither place is whole, STATUS_IO. */
MUST_CHECK enum status chain_state_read(const char *path, struct chain_state *out,
                                        struct failure *failure);

struct chain_state_file {
    int fd;
    uint64_t generation;
};
MUST_CHECK enum status chain_state_open(const char *path, struct chain_state_file *out,
                                        struct failure *failure);
MUST_CHECK enum status chain_state_write(struct chain_state_file *file,
                                         const struct chain_state *state);
/* Both places and a sync. */
MUST_CHECK enum status chain_state_write_synced(struct chain_state_file *file,
                                                const struct chain_state *state);
void chain_state_close(struct chain_state_file *file);
