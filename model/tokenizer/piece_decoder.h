/* piece_decoder.h - the "decoder" of a tokenizer.json, worked out at load into the bytes of every
 * token and a few facts about the text as a whole. Immutable after parse. */
#pragma once
#include "model/json_field.h"
#include "model/tokenizer/added_tokens.h"
#include "model/tokenizer/pattern.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/vocabulary.h"

enum { PIECE_DECODER_STEPS_MAX = 16, PIECE_DECODER_WORK_BYTES_MAX = 65536 };

enum piece_decoder_kind {
    PIECE_DECODER_REPLACE,
    PIECE_DECODER_METASPACE,
    PIECE_DECODER_BYTE_FALLBACK,
    PIECE_DECODER_BYTE_LEVEL,
    PIECE_DECODER_FUSE,
    PIECE_DECODER_STRIP
};

struct piece_decoder_step {
    enum piece_decoder_kind kind;
    struct pattern *pattern; /* REPLACE */
    char *text;              /* REPLACE: what is put in */
    char sign[8];            /* METASPACE: stands for a space; STRIP: what is taken off */
    bool keeps_first_sign;   /* METASPACE: in the first token of a text too */
};

struct piece {
    uint32_t offset, length;
    bool is_byte; /* one byte of a sequence, from <0xE2> */
};

struct piece_decoder {
    struct piece_decoder_step steps[PIECE_DECODER_STEPS_MAX];
    uint32_t step_count;
    struct piece *pieces;       /* [vocabulary count] by id */
    struct piece *first_pieces; /* as the first token of a text; NULL: no difference */
    struct buffer bytes;        /* what pieces point into */
    bool joins_with_space;      /* no decoder at all */
    bool has_byte_fallback;     /* each byte that is not valid gives a U+FFFD of its own */
    char strip[8];              /* taken off the beginning of a text, once; "" for nothing */
};

/* The texts that pieces are made from. */
struct piece_source {
    const struct vocabulary *vocabulary;
    const struct added_tokens *normalized; /* these are decoded from their normalised text */
};

/* Reads the steps and works out the pieces. json may be NULL or null. */
MUST_CHECK enum status piece_decoder_parse(const json_t *json, const struct piece_source *source,
                                           struct piece_decoder *out, struct failure *failure);
void piece_decoder_destroy(struct piece_decoder *decoder);

/* The second half of parse. */
MUST_CHECK enum status piece_decoder_fill(struct piece_decoder *decoder,
                                          const struct piece_source *source,
                                          struct failure *failure);

/* Appends at most TOKENIZER_PIECE_BYTES_MAX bytes to a stream; writes what is whole now (is_last:
 * everything) to out and returns its length. */
size_t piece_decoder_feed(const char *bytes, size_t length, bool is_last,
                          struct tokenizer_decoder *state, char *out);
