#include "model/tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tokenizer/tokenizer_parts.h"

void tokenizer_destroy(struct tokenizer *tokenizer)
{
    if (tokenizer) {
        piece_decoder_destroy(&tokenizer->decoder);
        bpe_destroy(&tokenizer->bpe);
        pre_tokenizer_destroy(&tokenizer->pre_tokenizer);
        normalizer_destroy(&tokenizer->normalizer);
        added_tokens_destroy(&tokenizer->normalized);
        added_tokens_destroy(&tokenizer->exact);
        vocabulary_destroy(&tokenizer->vocabulary);
        free(tokenizer);
    }
}

/* ---- facts ---------------------------------------------------------------------------------- */

uint32_t tokenizer_vocabulary_count(const struct tokenizer *tokenizer)
{
    return tokenizer->vocabulary.count;
}

bool tokenizer_find(const struct tokenizer *tokenizer, const char *token, uint32_t *out)
{
    const uint32_t id = vocabulary_find(&tokenizer->vocabulary, token, strlen(token));
    if (id == VOCABULARY_NONE) {
        return false;
    }
    *out = id;
    return true;
}

bool tokenizer_is_special(const struct tokenizer *tokenizer, uint32_t id)
{
    return id < tokenizer->vocabulary.count && tokenizer->vocabulary.entries[id].is_special;
}

const char *tokenizer_token_text(const struct tokenizer *tokenizer, uint32_t id, size_t *length)
{
    if (id >= tokenizer->vocabulary.count) {
        return NULL;
    }
    *length = tokenizer->vocabulary.entries[id].length;
    return tokenizer->vocabulary.entries[id].text;
}

const char *tokenizer_bos_text(const struct tokenizer *tokenizer)
{
    return tokenizer->bos_text;
}

const char *tokenizer_eos_text(const struct tokenizer *tokenizer)
{
    return tokenizer->eos_text;
}

/* ---- encoding ------------------------------------------------------------------------------- */

struct encoding {
    const struct tokenizer *tokenizer;
    struct id_sink sink;
    struct pattern_matcher *matcher;
    struct marked_text clean, normal[2];
    struct pre_tokenizer_scratch pieces;
    struct bpe_scratch bpe;
};

static enum status take_piece(void *context, const char *text, size_t length)
{
    struct encoding *encoding = context;
    return bpe_encode(&encoding->tokenizer->bpe, text, length, &encoding->bpe, &encoding->sink);
}

static enum status push_all(struct id_sink *sink, const uint32_t *ids, uint32_t count)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        status = id_sink_push(sink, ids[i]);
    }
    return status;
}

/* Text between added tokens: normalise, take out the tokens that are looked for now, cut, merge. */
static enum status encode_text(struct encoding *encoding, struct marked_span in, bool is_at_start)
{
    const struct tokenizer *tokenizer = encoding->tokenizer;
    struct marked_span text;
    enum status status =
        normalizer_run(&tokenizer->normalizer, encoding->matcher, in, encoding->normal, &text);
    if (status != STATUS_OK) {
        return status;
    }
    const struct pre_tokenizer_sink sink = {take_piece, encoding};
    struct added_scan scan = {.set = &tokenizer->normalized, .in = text};
    struct added_piece piece;
    while (status == STATUS_OK && added_scan_next(&scan, &piece)) {
        const struct pre_tokenizer_input input = {text.text + piece.start, piece.end - piece.start,
                                                  is_at_start && piece.start == 0};
        status = piece.token
                     ? id_sink_push(&encoding->sink, piece.token->id)
                     : pre_tokenizer_run(&tokenizer->pre_tokenizer, &encoding->pieces, sink, input);
    }
    return status;
}

static enum status encode_all(struct encoding *encoding, const struct tokenizer_input *input)
{
    const struct tokenizer *tokenizer = encoding->tokenizer;
    const struct post_processor *added = &tokenizer->post_processor;
    struct marked_span in = {input->text, input->is_markup, input->length};
    enum status status = STATUS_OK;
    if (input->length > MARKED_TEXT_BYTES_MAX) {
        return STATUS_TOO_LARGE;
    }
    if (utf8_valid_bytes(input->text, input->length) != input->length) {
        marked_text_start(&encoding->clean, input->is_markup != NULL);
        status = marked_text_clean(&encoding->clean, in);
        in = marked_text_span(&encoding->clean);
    }
    if (status == STATUS_OK && input->adds_specials) {
        status = push_all(&encoding->sink, added->prefix, added->prefix_count);
    }
    struct added_scan scan = {.set = &tokenizer->exact, .in = in};
    struct added_piece piece;
    while (status == STATUS_OK && added_scan_next(&scan, &piece)) {
        status = piece.token ? id_sink_push(&encoding->sink, piece.token->id)
                             : encode_text(encoding, marked_span_cut(in, piece.start, piece.end),
                                           piece.start == 0);
    }
    if (status == STATUS_OK && input->adds_specials) {
        status = push_all(&encoding->sink, added->suffix, added->suffix_count);
    }
    return status;
}

enum status tokenizer_encode(const struct tokenizer *tokenizer, const struct tokenizer_input *input,
                             uint32_t *out, size_t ids_max, size_t *count)
{
    struct encoding encoding = {.tokenizer = tokenizer, .sink = {.max = ids_max}};
    encoding.sink.ids = out;
    enum status status = pattern_matcher_create(&encoding.matcher);
    encoding.pieces.matcher = encoding.matcher;
    if (status == STATUS_OK) {
        status = encode_all(&encoding, input);
    }
    *count = status == STATUS_OK ? encoding.sink.count : 0;
    bpe_scratch_destroy(&encoding.bpe);
    pre_tokenizer_scratch_destroy(&encoding.pieces);
    marked_text_destroy(&encoding.normal[0]);
    marked_text_destroy(&encoding.normal[1]);
    marked_text_destroy(&encoding.clean);
    pattern_matcher_destroy(encoding.matcher);
    return status;
}

/* ---- decoding ------------------------------------------------------------------------------- */

size_t tokenizer_decode_step(const struct tokenizer *tokenizer, struct tokenizer_decoder *decoder,
                             uint32_t id, bool skips_specials, char *out)
{
    const struct piece_decoder *table = &tokenizer->decoder;
    if (id >= tokenizer->vocabulary.count || !tokenizer->vocabulary.entries[id].text
        || (skips_specials && tokenizer->vocabulary.entries[id].is_special)) {
        return 0;
    }
    const bool is_first = !decoder->has_token;
    const struct piece *piece =
        is_first && table->first_pieces ? &table->first_pieces[id] : &table->pieces[id];
    decoder->has_token = true;
    decoder->replaces_each_byte = table->has_byte_fallback;
    size_t written = 0;
    if (table->joins_with_space && !is_first) {
        out[written++] = ' ';
    }
    written += piece_decoder_feed(table->bytes.bytes + piece->offset, piece->length, false, decoder,
                                  out + written);
    const size_t strip_bytes = strlen(table->strip);
    if (!decoder->has_text && strip_bytes > 0 && written >= strip_bytes
        && memcmp(out, table->strip, strip_bytes) == 0) {
        decoder->has_text = true;
        written -= strip_bytes;
        memmove(out, out + strip_bytes, written);
    }
    decoder->has_text = decoder->has_text || written > 0;
    return written;
}

size_t tokenizer_decode_finish(struct tokenizer_decoder *decoder, char *out)
{
    return piece_decoder_feed(NULL, 0, true, decoder, out);
}

size_t tokenizer_token_bytes(const struct tokenizer *tokenizer, uint32_t id, char *out)
{
    if (id >= tokenizer->vocabulary.count || !tokenizer->vocabulary.entries[id].text) {
        return 0;
    }
    const struct piece *piece = &tokenizer->decoder.pieces[id];
    if (piece->length > 0) {
        memcpy(out, tokenizer->decoder.bytes.bytes + piece->offset, piece->length);
    }
    return piece->length;
}
