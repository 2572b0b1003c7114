/* bpe.h - the "model" of a tokenizer.json: byte-pair encoding of one piece of text. Time is
 * O(n log n) in the length of the piece, in practice of a word: the piece is cut between characters
 * that no merge ever joins, which gives the same ids. Immutable after parse; scratch belongs to one
 * thread. No piece ever becomes a special token other than the unknown token: neither a merge nor a
 * lookup gives one. */
#pragma once
#include "model/json_field.h"
#include "model/tokenizer/vocabulary.h"

struct bpe_merge {
    uint32_t left, right; /* VOCABULARY_NONE, VOCABULARY_NONE: empty slot */
    uint32_t rank;        /* lower merges first */
    uint32_t joined;
};

enum { BPE_QUICK_COUNT = 0x250, BPE_BYTE_COUNT = 256, BPE_SEAM_BITS = 1 << 17 };

struct bpe {
    const struct vocabulary *vocabulary;
    struct bpe_merge *merges; /* [slot_mask + 1] hash table by (left, right) */
    uint32_t *slots;          /* [merge_count] by rank: where it is in merges */
    uint32_t slot_mask;
    uint64_t seams[BPE_SEAM_BITS / 64];  /* set of hashed pairs of characters that merges join at */
    uint32_t quick_ids[BPE_QUICK_COUNT]; /* of the code points below: every byte-level one */
    uint32_t byte_ids[BPE_BYTE_COUNT];   /* of <0x00> to <0xFF> */
    uint32_t unknown_id;                 /* VOCABULARY_NONE: unknown characters are left out */
    bool fuses_unknown, has_byte_fallback;
    bool ignores_merges; /* a piece that is a token as a whole needs no merging */
};

/* Where ids go: the caller's array. */
struct id_sink {
    uint32_t *ids; /* [max] */
    size_t max, count;
};

MUST_CHECK enum status id_sink_push(struct id_sink *sink, uint32_t id); /* STATUS_TOO_LARGE */

struct bpe_symbol {
    uint32_t id, previous, next; /* indexes; INT32_MAX at the ends */
};

struct bpe_scratch {
    struct bpe_symbol *symbols; /* [capacity] */
    uint64_t *candidates;       /* [2 * capacity], a heap of rank << 32 | index of left symbol */
    size_t capacity, used_max;  /* used_max: symbols that were ever written, to be zeroed */
    uint32_t symbol_count;
    size_t candidate_count;
};

void bpe_scratch_destroy(struct bpe_scratch *scratch);

/* json is the "model" object, vocabulary is filled and outlives it. */
MUST_CHECK enum status bpe_parse(const json_t *json, const struct vocabulary *vocabulary,
                                 struct bpe *out, struct failure *failure);
void bpe_destroy(struct bpe *bpe);

/* Ids of one piece, valid UTF-8. STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status bpe_encode(const struct bpe *bpe, const char *text, size_t length,
                                  struct bpe_scratch *scratch, struct id_sink *out);

/* The hash table of merges (bpe_merges.c). */
MUST_CHECK enum status bpe_merges_parse(const json_t *list, struct bpe *bpe,
                                        struct failure *failure);
const struct bpe_merge *bpe_merges_find(const struct bpe *bpe, uint32_t left, uint32_t right);
bool bpe_merges_can_join(const struct bpe *bpe, uint32_t left_character, uint32_t right_character);
