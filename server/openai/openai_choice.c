#include "server/openai/openai_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum status openai_choice_open(struct openai_choice *choice,
                               const struct openai_choice_terms *terms, uint32_t sequence)
{
    *choice = (struct openai_choice){.terms = terms,
                                     .sequence = sequence,
                                     .told = terms->digest,
                                     .text = {.limit_bytes = terms->text_bytes_max}};
    choice->decoder.has_token = true; /* an answer goes on where a prompt ends: */
    choice->decoder.has_text = true;  /* its first space is part of it */
    if (terms->logprobs) {
        choice->marks = calloc(terms->output_max, sizeof *choice->marks);
        return choice->marks ? STATUS_OK : STATUS_IO;
    }
    return STATUS_OK;
}

void openai_choice_close(struct openai_choice *choice)
{
    buffer_destroy(&choice->text);
    if (choice->marks) {
        explicit_bzero(choice->marks, choice->token_count * sizeof *choice->marks);
        free(choice->marks);
    }
    explicit_bzero(choice, sizeof *choice);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void count_characters(struct openai_choice *choice, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        choice->characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
}

static void append(struct openai_choice *choice, const char *text, size_t length)
{
    if (buffer_append(&choice->text, text, length) != STATUS_OK) {
        choice->finish = OPENAI_FAILED;
    }
}

/* Text up to a stop string; the rest of the piece is dropped. */
static void feed(struct openai_choice *choice, const char *text, size_t length)
{
    size_t consumed = 0, cut = 0;
    if (!stop_scan_feed(choice->terms->stops, &choice->scan, text, length, &consumed, &cut)) {
        append(choice, text, length);
        return;
    }
    append(choice, text, consumed);
    if (choice->finish != OPENAI_FAILED) {
        ASSERT(cut <= choice->text.length); /* it was held back */
        choice->text.length -= cut;
        memset(choice->text.bytes + choice->text.length, 0, cut);
        choice->finish = OPENAI_STOP;
        choice->is_cut = true;
    }
}

/* ---- tokens --------------------------------------------------------------------------------- */

static bool is_stop_id(const struct openai_choice *choice, uint32_t id)
{
    for (uint32_t i = 0; i < choice->terms->stop_count; i++) {
        if (choice->terms->stop_ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* The bytes that a last, incomplete character has left, then the end. */
static void end(struct openai_choice *choice, enum openai_finish finish)
{
    char piece[TOKENIZER_PIECE_BYTES_MAX + 16];
    const size_t length = tokenizer_decode_finish(&choice->decoder, piece);
    feed(choice, piece, length);
    if (choice->finish == OPENAI_RUNNING) {
        choice->finish = finish;
    }
}

static void take(struct openai_choice *choice, uint32_t id)
{
    if (is_stop_id(choice, id)) {
        end(choice, OPENAI_STOP);
        return;
    }
    char piece[TOKENIZER_PIECE_BYTES_MAX + 16];
    const size_t length =
        tokenizer_decode_step(choice->terms->tokenizer, &choice->decoder, id, true, piece);
    if (choice->marks) {
        const uint64_t text_bytes = choice->told_bytes + choice->text.length;
        choice->marks[choice->token_count] = (struct openai_mark){
            .start_characters = choice->characters, .end_bytes = (uint32_t)(text_bytes + length)};
        count_characters(choice, piece, length);
    }
    choice->token_count++;
    feed(choice, piece, length);
    explicit_bzero(piece, length);
}

bool openai_choice_step(struct openai_choice *choice)
{
    if (choice->finish != OPENAI_RUNNING) {
        return false;
    }
    const struct token_log *log = choice->terms->log;
    const enum token_end log_end = token_log_end(log, choice->sequence);
    if (choice->token_count < token_log_count(log, choice->sequence)) {
        take(choice, token_log_token(log, choice->sequence, choice->token_count).id);
        return true;
    }
    switch (log_end) {
    case TOKEN_END_NONE:
        return false;
    case TOKEN_END_STOP: /* not reached: take() knows the stop ids */
    case TOKEN_END_LENGTH:
        end(choice, log_end == TOKEN_END_STOP ? OPENAI_STOP : OPENAI_LENGTH);
        return true;
    case TOKEN_END_FAILED:
        choice->finish = OPENAI_FAILED;
        return true;
    }
    return false;
}

/* ---- telling -------------------------------------------------------------------------------- */

/* Where the entry's text begins; entries up to it have been counted before. */
static uint64_t start_of(const struct openai_choice *choice, uint32_t entry)
{
    return entry > 0 ? choice->marks[entry - 1].end_bytes : 0;
}

struct openai_telling openai_choice_telling(const struct openai_choice *choice)
{
    const bool has_ended = choice->finish != OPENAI_RUNNING;
    const size_t held = has_ended ? 0 : stop_scan_held(choice->terms->stops, &choice->scan);
    struct openai_telling telling = {.text_bytes = choice->text.length - held,
                                     .entry_end = choice->told_entries};
    if (!choice->marks) {
        return telling;
    }
    /* An entry is told with the last of its text; at the end all that has begun in the text is. */
    const uint64_t text_end = choice->told_bytes + telling.text_bytes;
    while (telling.entry_end < choice->token_count
           && (has_ended ? !choice->is_cut || start_of(choice, telling.entry_end) < text_end
                         : choice->marks[telling.entry_end].end_bytes <= text_end)) {
        telling.entry_end++;
    }
    return telling;
}

void openai_choice_told(struct openai_choice *choice, struct openai_telling telling)
{
    struct buffer *text = &choice->text;
    if (telling.text_bytes > 0) {
        digest_stream_add(&choice->told, text->bytes, telling.text_bytes);
        text->length -= telling.text_bytes;
        memmove(text->bytes, text->bytes + telling.text_bytes, text->length);
        memset(text->bytes + text->length, 0, telling.text_bytes);
    }
    choice->told_bytes += telling.text_bytes;
    choice->told_entries = telling.entry_end;
}
