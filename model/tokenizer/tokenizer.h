/* tokenizer.h - text to token ids and back, exactly as Hugging Face `tokenizers` does for the same
 * tokenizer.json: byte-level BPE (GPT-2, Llama-3, Qwen) and SentencePiece-style BPE with byte
 * fallback (Llama-2). Immutable after load: any number of threads may use one tokenizer.
 * Text is UTF-8; bytes that are not valid UTF-8 are encoded as U+FFFD. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

struct tokenizer;

/* Reads tokenizer.json and, where present, tokenizer_config.json of a model directory.
 * STATUS_NOT_FOUND, STATUS_INVALID (names file and field), STATUS_UNSUPPORTED (names the part, e.g.
 * a model type other than BPE), STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status tokenizer_load(const char *directory, struct tokenizer **out,
                                      struct failure *failure);

/* The same from tokenizer.json's bytes alone: for fuzzing and tests. */
MUST_CHECK enum status tokenizer_parse(const char *json, size_t length, struct tokenizer **out,
                                       struct failure *failure);
void tokenizer_destroy(struct tokenizer *tokenizer); /* NULL is fine */

uint32_t tokenizer_vocabulary_count(const struct tokenizer *tokenizer); /* highest id + 1 */

struct tokenizer_input {
    const char *text; /* [length], UTF-8 */
    size_t length;
    /* [length]: not 0 where the byte was written by an operator's template, 0 where it came from a
     * user. A special token is recognised only where all its bytes are not 0. NULL: all from a
     * user, so that no special token is ever recognised in the text. */
    const uint8_t *is_markup;
    bool
        adds_specials; /* put in front (and behind) what the file's post-processor says, e.g. BOS */
};

/* Ids of the whole input into out[0 .. *count - 1]; on failure *count is 0. STATUS_TOO_LARGE: more
 * than ids_max ids, or a pattern of the file takes too many steps on this text. STATUS_IO: no
 * memory. STATUS_INVALID: a pattern of the file cannot be run. */
MUST_CHECK enum status tokenizer_encode(const struct tokenizer *tokenizer,
                                        const struct tokenizer_input *input, uint32_t *out,
                                        size_t ids_max, size_t *count);

/* The id of a token by its exact text ("<|eot_id|>"); false when there is none. */
bool tokenizer_find(const struct tokenizer *tokenizer, const char *token, uint32_t *out);
bool tokenizer_is_special(const struct tokenizer *tokenizer, uint32_t id);

/* The text of a token as the file writes it ("<|eot_id|>", "Ġthe"); NULL for an id out of range.
 * Lives as long as the tokenizer. */
const char *tokenizer_token_text(const struct tokenizer *tokenizer, uint32_t id, size_t *length);

/* Special token texts of tokenizer_config.json, "" when absent; they live as long as the tokenizer.
 */
const char *tokenizer_bos_text(const struct tokenizer *tokenizer);
const char *tokenizer_eos_text(const struct tokenizer *tokenizer);

/* ---- decoding a stream ---------------------------------------------------------------------- */

enum { TOKENIZER_PIECE_BYTES_MAX = 1024 }; /* longest text of one token; longer ones are refused */

/* State of one output stream: start from {0}. Concatenating what every step gives, then finish,
 * equals decoding all ids at once, and each step gives whole UTF-8 sequences only. */
struct tokenizer_decoder {
    char held[4]; /* bytes of a code point that is not complete yet */
    uint8_t held_bytes;
    bool has_token, has_text; /* of the first token or text some files take off a leading space */
    bool replaces_each_byte;  /* SentencePiece: each byte that is not valid gives its own U+FFFD */
};

/* Appends the text that this id completes to out (room for TOKENIZER_PIECE_BYTES_MAX + 16 bytes)
 * and returns its bytes, perhaps 0. Special tokens give nothing when skips_specials. Bytes that
 * cannot become valid UTF-8 become U+FFFD. An id out of range gives nothing. */
size_t tokenizer_decode_step(const struct tokenizer *tokenizer, struct tokenizer_decoder *decoder,
                             uint32_t id, bool skips_specials, char *out);
size_t tokenizer_decode_finish(struct tokenizer_decoder *decoder, char *out);

/* The raw bytes of one token, before they are made valid UTF-8: what OpenAI's `logprobs.bytes`
 * reports. Returns the bytes written to out (room for TOKENIZER_PIECE_BYTES_MAX). */
size_t tokenizer_token_bytes(const struct tokenizer *tokenizer, uint32_t id, char *out);
