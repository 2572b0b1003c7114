#include "model/tokenizer/piece_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tokenizer/byte_alphabet.h"
#include "model/tokenizer/code_point.h"

enum { BYTES_MAX = 256 << 20 };

static const char replacement[] = "\xef\xbf\xbd";
enum { REPLACEMENT_BYTES = sizeof replacement - 1 };

/* ---- one token through the steps ------------------------------------------------------------ */

static enum status replace(const struct piece_decoder_step *step, struct pattern_matcher *matcher,
                           const struct buffer *in, struct buffer *out)
{
    enum status status = STATUS_OK;
    for (struct pattern_match match = {0}; status == STATUS_OK && match.end < in->length;) {
        const size_t at = match.end;
        status = pattern_find(step->pattern, matcher, in->bytes, in->length, &match);
        status = status ? status : buffer_append(out, in->bytes + at, match.start - at);
        if (status == STATUS_OK && match.start < in->length) {
            status = buffer_append_text(out, step->text);
        }
    }
    return status;
}

/* Signs to spaces; the first token of a text loses all of its signs, as in the original. */
static enum status metaspace(const char *sign, bool is_first, const struct buffer *in,
                             struct buffer *out)
{
    const size_t sign_bytes = strlen(sign);
    enum status status = STATUS_OK;
    for (size_t at = 0; status == STATUS_OK && at < in->length;) {
        const char *found = memmem(in->bytes + at, in->length - at, sign, sign_bytes);
        const size_t stop = found ? (size_t)(found - in->bytes) : in->length;
        status = buffer_append(out, in->bytes + at, stop - at);
        if (status == STATUS_OK && found && !is_first) {
            status = buffer_append(out, " ", 1);
        }
        at = stop + (found ? sign_bytes : 0);
    }
    return status;
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) % 16 : -1;
}

/* <0xE2> to its byte; anything else stays. */
static enum status byte_fallback(const struct buffer *in, struct buffer *out, bool *is_byte)
{
    const char *text = in->bytes;
    if (in->length == 6 && memcmp(text, "<0x", 3) == 0 && text[5] == '>' && hex_value(text[3]) >= 0
        && hex_value(text[4]) >= 0) {
        const char byte = (char)(hex_value(text[3]) * 16 + hex_value(text[4]));
        *is_byte = true;
        return buffer_append(out, &byte, 1);
    }
    return buffer_append(out, text, in->length);
}

/* The bytes that the signs stand for; a token with any other character is its own text. */
static enum status byte_level(const struct buffer *in, struct buffer *out)
{
    enum status status = STATUS_OK;
    for (size_t at = 0; status == STATUS_OK && at < in->length;) {
        uint32_t code_point = 0;
        uint8_t byte = 0;
        at += utf8_decode(in->bytes + at, in->length - at, &code_point);
        if (!byte_alphabet_read(code_point, &byte)) {
            out->length = 0;
            return buffer_append(out, in->bytes, in->length);
        }
        status = buffer_append(out, (const char *)&byte, 1);
    }
    return status;
}

struct work {
    struct pattern_matcher *matcher;
    bool is_first; /* work out the pieces as the first tokens of a text */
    struct buffer texts[2];
};

static enum status run_step(const struct piece_decoder_step *step, const struct work *work,
                            const struct buffer *in, struct buffer *out, bool *is_byte)
{
    switch (step->kind) {
    case PIECE_DECODER_REPLACE:
        return replace(step, work->matcher, in, out);
    case PIECE_DECODER_METASPACE:
        return metaspace(step->sign, work->is_first && !step->keeps_first_sign, in, out);
    case PIECE_DECODER_BYTE_FALLBACK:
        return byte_fallback(in, out, is_byte);
    case PIECE_DECODER_BYTE_LEVEL:
        return byte_level(in, out);
    case PIECE_DECODER_FUSE:
    case PIECE_DECODER_STRIP:
        break;
    }
    return buffer_append(out, in->bytes, in->length);
}

/* What a piece can at most become in a stream. */
static size_t longest_output(const char *bytes, size_t length)
{
    char out[REPLACEMENT_BYTES * (TOKENIZER_PIECE_BYTES_MAX + 4)];
    struct tokenizer_decoder state = {0};
    return length > TOKENIZER_PIECE_BYTES_MAX
               ? length
               : piece_decoder_feed(bytes, length, true, &state, out);
}

/* ---- all tokens ----------------------------------------------------------------------------- */

static enum status make_piece(struct piece_decoder *decoder, struct work *work, const char *text,
                              size_t length, struct piece *piece)
{
    struct buffer *in = &work->texts[0];
    in->length = 0;
    enum status status = buffer_append(in, text, length);
    *piece = (struct piece){0};
    for (uint32_t i = 0; status == STATUS_OK && i < decoder->step_count && !piece->is_byte; i++) {
        struct buffer *out = &work->texts[(i + 1) % 2];
        out->length = 0;
        status = run_step(&decoder->steps[i], work, in, out, &piece->is_byte);
        in = out;
    }
    if (status == STATUS_OK && longest_output(in->bytes, in->length) > TOKENIZER_PIECE_BYTES_MAX) {
        return STATUS_TOO_LARGE;
    }
    piece->offset = (uint32_t)decoder->bytes.length;
    piece->length = (uint32_t)in->length;
    return status == STATUS_OK ? buffer_append(&decoder->bytes, in->bytes, in->length) : status;
}

static enum status refuse_piece(enum status status, uint32_t id, struct failure *failure)
{
    return status == STATUS_IO
               ? fail(failure, status, "no memory for the text of token %u", id)
               : fail(failure, status, "the text of token %u is longer than %d bytes", id,
                      TOKENIZER_PIECE_BYTES_MAX);
}

static enum status make_pieces(struct piece_decoder *decoder, struct work *work,
                               const struct piece_source *source, struct piece **out,
                               struct failure *failure)
{
    const struct vocabulary *vocabulary = source->vocabulary;
    *out = calloc((size_t)vocabulary->count + 1, sizeof **out);
    if (!*out) {
        return fail(failure, STATUS_IO, "no memory for the texts of tokens");
    }
    for (uint32_t id = 0; id < vocabulary->count; id++) {
        const struct vocabulary_entry *entry = &vocabulary->entries[id];
        const enum status status =
            make_piece(decoder, work, entry->text ? entry->text : "", entry->length, &(*out)[id]);
        if (status != STATUS_OK) {
            return refuse_piece(status, id, failure);
        }
    }
    for (uint32_t i = 0; i < source->normalized->count; i++) {
        const struct added_token *token = &source->normalized->tokens[i];
        const enum status status =
            make_piece(decoder, work, token->text, token->length, &(*out)[token->id]);
        if (status != STATUS_OK) {
            return refuse_piece(status, token->id, failure);
        }
    }
    return STATUS_OK;
}

enum status piece_decoder_fill(struct piece_decoder *decoder, const struct piece_source *source,
                               struct failure *failure)
{
    struct work work = {.texts = {{.limit_bytes = PIECE_DECODER_WORK_BYTES_MAX},
                                  {.limit_bytes = PIECE_DECODER_WORK_BYTES_MAX}}};
    decoder->bytes.limit_bytes = BYTES_MAX;
    bool is_first_different = false;
    for (uint32_t i = 0; i < decoder->step_count; i++) {
        is_first_different |= decoder->steps[i].kind == PIECE_DECODER_METASPACE;
    }
    enum status status = pattern_matcher_create(&work.matcher);
    if (status == STATUS_OK) {
        status = make_pieces(decoder, &work, source, &decoder->pieces, failure);
    }
    work.is_first = true;
    if (status == STATUS_OK && is_first_different) {
        status = make_pieces(decoder, &work, source, &decoder->first_pieces, failure);
    }
    pattern_matcher_destroy(work.matcher);
    buffer_destroy(&work.texts[0]);
    buffer_destroy(&work.texts[1]);
    return status;
}

void piece_decoder_destroy(struct piece_decoder *decoder)
{
    for (uint32_t i = 0; i < decoder->step_count; i++) {
        pattern_destroy(decoder->steps[i].pattern);
        free(decoder->steps[i].text);
    }
    free(decoder->pieces);
    free(decoder->first_pieces);
    buffer_destroy(&decoder->bytes);
    *decoder = (struct piece_decoder){0};
}

/* ---- streams -------------------------------------------------------------------------------- */

size_t piece_decoder_feed(const char *bytes, size_t length, bool is_last,
                          struct tokenizer_decoder *state, char *out)
{
    char joined[sizeof state->held + TOKENIZER_PIECE_BYTES_MAX];
    const size_t count = state->held_bytes + length;
    memcpy(joined, state->held, state->held_bytes);
    if (length > 0) {
        memcpy(joined + state->held_bytes, bytes, length);
    }
    state->held_bytes = 0;
    size_t written = 0;
    for (size_t at = 0, step; at < count; at += step) {
        step = utf8_sequence_bytes(joined + at, count - at);
        if (step > 0) {
            memcpy(out + written, joined + at, step);
            written += step;
            continue;
        }
        if (!is_last && utf8_is_open(joined + at, count - at)) {
            state->held_bytes = (uint8_t)(count - at);
            memcpy(state->held, joined + at, count - at);
            break;
        }
        step = state->replaces_each_byte ? 1 : code_point_invalid_bytes(joined + at, count - at);
        memcpy(out + written, replacement, REPLACEMENT_BYTES);
        written += REPLACEMENT_BYTES;
    }
    return written;
}
