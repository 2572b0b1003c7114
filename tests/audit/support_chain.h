/* support_chain.h - chains with random records, and frames kept in memory. */
#pragma once
#include "audit/chain/chain.h"
#include "base/random.h"

enum { SUPPORT_CHAIN_TENANTS = 9 }; /* ids 0 .. 8 */

/* The first key of every chain here: bytes 0, 1, 2 ... */
void support_chain_first_key(uint8_t out[DIGEST_BYTES]);

struct chain *support_chain_create(void); /* with that key */

/* A record of a random event and tenant. */
void support_chain_draft(struct random_source *random, struct record_draft *out);

/* Frames as a segment holds them, with a view of each. Start from {0}. */
enum { SUPPORT_CHAIN_FRAMES_MAX = 400 };
struct support_frames {
    size_t count;
    struct frame frames[SUPPORT_CHAIN_FRAMES_MAX];
    uint8_t bytes[SUPPORT_CHAIN_FRAMES_MAX][CHAIN_FRAME_BYTES_MAX];
};

/* Random records, times and epochs, until count frames are there. */
void support_chain_grow(struct chain *chain, struct random_source *random,
                        struct support_frames *out, size_t count);

/* The same frame without its body; leaf is where its leaf hash goes. */
struct frame support_chain_erase(const struct frame *frame, struct digest *leaf);

/* Equal in all but keys. */
bool support_chain_same(const struct chain *a, const struct chain *b);
