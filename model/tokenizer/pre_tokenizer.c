#include "model/tokenizer/pre_tokenizer.h"

#include <string.h>

#include "base/assert.h"
#include "model/tokenizer/byte_alphabet.h"

void pre_tokenizer_destroy(struct pre_tokenizer *pre_tokenizer)
{
    for (uint32_t i = 0; i < pre_tokenizer->stage_count; i++) {
        pattern_destroy(pre_tokenizer->stages[i].pattern);
    }
    *pre_tokenizer = (struct pre_tokenizer){0};
}

void pre_tokenizer_scratch_destroy(struct pre_tokenizer_scratch *scratch)
{
    for (uint32_t i = 0; i < PRE_TOKENIZER_STAGES_MAX; i++) {
        buffer_destroy(&scratch->texts[i]);
    }
}

struct run {
    const struct pre_tokenizer *pre_tokenizer;
    struct pre_tokenizer_scratch *scratch;
    struct pre_tokenizer_sink sink;
};

static enum status run_stage(const struct run *run, uint32_t index, const char *text, size_t length,
                             bool is_at_start);

/* Whether a stretch joins the one before it into one piece: [behavior][before][this], true standing
 * for a match. */
static const bool joins[BEHAVIOR_COUNT][2][2] = {
    [BEHAVIOR_PREVIOUS] = {[false] = {[true] = true}},
    [BEHAVIOR_NEXT] = {[true] = {[false] = true}},
    [BEHAVIOR_CONTIGUOUS] = {[false] = {[false] = true}, [true] = {[true] = true}},
};

/* The piece that is growing while the text is cut. */
struct growing {
    size_t start, end; /* start == end: nothing yet */
    bool is_match;     /* of its last stretch */
};

static enum status give(const struct run *run, uint32_t index, const char *text,
                        const struct growing *piece, bool is_at_start)
{
    const bool is_dropped =
        piece->is_match && run->pre_tokenizer->stages[index].behavior == BEHAVIOR_REMOVED;
    if (piece->start == piece->end || is_dropped) {
        return STATUS_OK;
    }
    return run_stage(run, index + 1, text + piece->start, piece->end - piece->start,
                     is_at_start && piece->start == 0);
}

static enum status split(const struct run *run, uint32_t index, const char *text, size_t length,
                         bool is_at_start)
{
    const struct pre_tokenizer_stage *stage = &run->pre_tokenizer->stages[index];
    struct growing piece = {0};
    for (struct pattern_match match = {0}; match.end < length;) {
        const size_t at = match.end;
        enum status status =
            pattern_find(stage->pattern, run->scratch->matcher, text, length, &match);
        if (status != STATUS_OK) {
            return status;
        }
        const struct growing stretches[2] = {{at, match.start, stage->is_inverted},
                                             {match.start, match.end, !stage->is_inverted}};
        for (int i = 0; i < 2; i++) {
            const struct growing *stretch = &stretches[i];
            if (stretch->start == stretch->end) {
                continue;
            }
            const bool joins_it = joins[stage->behavior][piece.is_match][stretch->is_match];
            if (joins_it && piece.start < piece.end) {
                piece.end = stretch->end;
                piece.is_match = stretch->is_match;
                continue;
            }
            status = give(run, index, text, &piece, is_at_start);
            if (status != STATUS_OK) {
                return status;
            }
            piece = *stretch;
        }
    }
    return give(run, index, text, &piece, is_at_start);
}

/* Spaces by the stage's text. */
static enum status replace(const char *stand_in, const char *text, size_t length,
                           struct buffer *out)
{
    const size_t stand_in_bytes = strlen(stand_in);
    const char *end = text + length;
    while (text < end) {
        const char *space = memchr(text, ' ', (size_t)(end - text));
        const char *stop = space ? space : end;
        enum status status = buffer_append(out, text, (size_t)(stop - text));
        if (status == STATUS_OK && space) {
            status = buffer_append(out, stand_in, stand_in_bytes);
        }
        if (status != STATUS_OK) {
            return status;
        }
        text = stop + (space ? 1 : 0);
    }
    return STATUS_OK;
}

static enum status prepend(const char *prefix, const char *text, size_t length, struct buffer *out)
{
    const enum status status = buffer_append_text(out, prefix);
    return status == STATUS_OK ? buffer_append(out, text, length) : status;
}

static enum status write_bytes(const char *text, size_t length, struct buffer *out)
{
    enum { CHUNK = 256 };
    char chunk[2 * CHUNK];
    for (size_t at = 0; at < length;) {
        size_t used = 0;
        for (size_t i = 0; i < CHUNK && at < length; i++, at++) {
            used += byte_alphabet_write((uint8_t)text[at], chunk + used);
        }
        const enum status status = buffer_append(out, chunk, used);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status run_stage(const struct run *run, uint32_t index, const char *text, size_t length,
                             bool is_at_start)
{
    if (index == run->pre_tokenizer->stage_count) {
        return run->sink.take(run->sink.context, text, length);
    }
    const struct pre_tokenizer_stage *stage = &run->pre_tokenizer->stages[index];
    struct buffer *out = &run->scratch->texts[index];
    out->length = 0;
    out->limit_bytes = PRE_TOKENIZER_TEXT_BYTES_MAX;
    const size_t text_bytes = strlen(stage->text);
    enum status status = STATUS_OK;
    switch (stage->kind) {
    case PRE_TOKENIZER_SPLIT:
        return split(run, index, text, length, is_at_start);
    case PRE_TOKENIZER_REPLACE:
        status = replace(stage->text, text, length, out);
        break;
    case PRE_TOKENIZER_PREPEND:
        if ((stage->is_at_start_only && !is_at_start)
            || (length >= text_bytes && memcmp(text, stage->text, text_bytes) == 0)) {
            return run_stage(run, index + 1, text, length, is_at_start);
        }
        status = prepend(stage->text, text, length, out);
        break;
    case PRE_TOKENIZER_BYTES:
        status = write_bytes(text, length, out);
        break;
    }
    return status == STATUS_OK ? run_stage(run, index + 1, out->bytes, out->length, is_at_start)
                               : status;
}

enum status pre_tokenizer_run(const struct pre_tokenizer *pre_tokenizer,
                              struct pre_tokenizer_scratch *scratch, struct pre_tokenizer_sink sink,
                              struct pre_tokenizer_input input)
{
    const struct run run = {pre_tokenizer, scratch, sink};
    return input.length > 0 ? run_stage(&run, 0, input.text, input.length, input.is_at_start)
                            : STATUS_OK;
}
