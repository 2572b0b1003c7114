/* verify_walk.h - follows a chain frame by frame for verify_spool and verify_redis: what each frame
 * must say, checkpoints, and what may be missing because retention recorded it. Not for other
 * folders. One thread. */
#pragma once
#include "audit/chain/checkpoint.h"
#include "audit/examine/verify.h"
#include "audit/examine/verify_erased.h"
#include "audit/spool/chain_state.h"

struct verify_walk {
    const struct verify_options *options;
    struct verify_result *result;
    struct chain *chain;
    uint8_t public_key[CHECKPOINT_KEY_BYTES];
    bool has_copy, has_state;
    bool is_blind;            /* the trees before the first record are not known */
    struct checkpoint copy;   /* of options->checkpoint */
    struct chain_state state; /* as it was before the first frame was read */
    uint64_t signed_last;     /* up to here a checkpoint signs, or may have signed */
    struct verify_erased erased;
};

/* Keys, the copied checkpoint, chain.state. directory may be NULL (then options have the public
 * key). STATUS_INVALID: the copied checkpoint is none of this chain. */
MUST_CHECK enum status verify_walk_open(struct verify_walk *walk, const char *directory,
                                        const struct verify_options *options,
                                        struct verify_result *result, struct failure *failure);
void verify_walk_close(struct verify_walk *walk); /* one of {0} is fine */

/* For a chain whose beginning is not to be had: the next record is this one, whatever it says. */
void verify_walk_begin_blind(struct verify_walk *walk, const struct frame *first);

/* Takes the next record. Not VERIFY_INTACT: result says what it looks like without its neighbours:
 * a greater sequence VERIFY_DELETION, a smaller one VERIFY_INSERTION. */
MUST_CHECK enum verify_break verify_walk_take(struct verify_walk *walk, const struct frame *frame);

/* Takes a snapshot; the first one begins the chain. */
MUST_CHECK enum verify_break verify_walk_snapshot(struct verify_walk *walk,
                                                  const struct frame *snapshot, bool is_first);

/* After the last frame: the copied checkpoint was reached, what is missing is accounted for. */
MUST_CHECK enum verify_break verify_walk_end(struct verify_walk *walk);

/* Writes kind, sequence and text into the result; returns kind. */
enum verify_break verify_walk_break(struct verify_result *result, enum verify_break kind,
                                    uint64_t sequence, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
