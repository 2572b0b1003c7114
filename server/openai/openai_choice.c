#include "server/openai/openai_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const char preface_end[] = "\n\n";

static void count_characters(struct openai_choice *choice, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        choice->characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
}

/* What is told first stands in no token: the model's own text begins after it. */
static enum status open_preface(struct openai_choice *choice)
{
    const char *preface = choice->terms->preface;
    if (choice->terms->is_answered) {
        choice->finish = choice->terms->answered_finish;
    }
    if (!preface) {
        return STATUS_OK;
    }
    enum status status = buffer_append_text(&choice->text, preface);
    if (status == STATUS_OK && !choice->terms->is_answered) {
        status = buffer_append_text(&choice->text, preface_end);
    }
    count_characters(choice, choice->text.bytes, choice->text.length);
    return status;
}

enum status openai_choice_open(struct openai_choice *choice,
                               const struct openai_choice_terms *terms, uint32_t sequence)
{
    *choice = (struct openai_choice){.terms = terms,
                                     .sequence = sequence,
                                     .told = terms->digest,
                                     .raw = {.limit_bytes = terms->text_bytes_max},
                                     .text = {.limit_bytes = terms->text_bytes_max}};
    choice->decoder.has_token = true; /* an answer goes on where a prompt ends: */
    choice->decoder.has_text = true;  /* its first space is part of it */
    if (terms->logprobs) {
        choice->marks = calloc(terms->output_max, sizeof *choice->marks);
        if (!choice->marks) {
            return STATUS_IO;
        }
    }
    enum status status = outbound_create(terms->outbound, &choice->outbound);
    if (status == STATUS_OK) {
        status = crisis_reader_create(terms->crisis, &choice->reader);
    }
    if (status == STATUS_OK) {
        crisis_reader_begin(choice->reader, CRISIS_ASSISTANT);
        status = open_preface(choice);
    }
    return status;
}

void openai_choice_close(struct openai_choice *choice)
{
    buffer_destroy(&choice->raw);
    buffer_destroy(&choice->text);
    outbound_destroy(choice->outbound);
    crisis_reader_destroy(choice->reader);
    if (choice->marks) {
        explicit_bzero(choice->marks, choice->token_count * sizeof *choice->marks);
        free(choice->marks);
    }
    explicit_bzero(choice, sizeof *choice);
}

const struct crisis_finding *openai_choice_crisis(const struct openai_choice *choice)
{
    return crisis_reader_last(choice->reader);
}

const struct tally *openai_choice_tally(const struct openai_choice *choice)
{
    return outbound_tally(choice->outbound);
}

/* ---- text ----------------------------------------------------------------------------------- */

/* What can no longer become a stop string goes to the rules. */
static enum status pass_on(struct openai_choice *choice, size_t held)
{
    struct buffer *raw = &choice->raw;
    const size_t length = raw->length - held;
    if (length == 0) {
        return STATUS_OK;
    }
    const enum status status = outbound_feed(choice->outbound, raw->bytes, length, &choice->text);
    crisis_reader_feed(choice->reader, raw->bytes, length);
    choice->raw_bytes += length;
    raw->length = held;
    memmove(raw->bytes, raw->bytes + length, held);
    memset(raw->bytes + held, 0, length);
    return status;
}

enum status openai_choice_echo(struct openai_choice *choice, const char *text, size_t length)
{
    enum status status = buffer_append(&choice->raw, text, length);
    count_characters(choice, text, length);
    choice->echo_bytes += length;
    if (status == STATUS_OK) {
        status = pass_on(choice, 0);
        crisis_reader_begin(choice->reader, CRISIS_ASSISTANT); /* these words were the client's */
    }
    return status == STATUS_OK && choice->finish != OPENAI_RUNNING
               ? outbound_end(choice->outbound, &choice->text) /* no step will */
               : status;
}

static void append(struct openai_choice *choice, const char *text, size_t length)
{
    if (buffer_append(&choice->raw, text, length) != STATUS_OK) {
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
        ASSERT(cut <= choice->raw.length); /* it was held back */
        choice->raw.length -= cut;
        memset(choice->raw.bytes + choice->raw.length, 0, cut);
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
        const uint64_t text_bytes = choice->raw_bytes + choice->raw.length;
        choice->marks[choice->token_count] = (struct openai_mark){
            .start_characters = choice->characters, .end_bytes = (uint32_t)(text_bytes + length)};
        count_characters(choice, piece, length);
    }
    choice->token_count++;
    feed(choice, piece, length);
    explicit_bzero(piece, length);
}

/* The next token, or the end. False: there is none now. */
static bool take_next(struct openai_choice *choice)
{
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

/* The model would have gone on, but for a limit or a stop string that the client chose. */
static enum status end_outbound(struct openai_choice *choice)
{
    return choice->finish == OPENAI_LENGTH || choice->is_cut
               ? outbound_cut(choice->outbound, &choice->text)
               : outbound_end(choice->outbound, &choice->text);
}

bool openai_choice_step(struct openai_choice *choice)
{
    if (choice->finish != OPENAI_RUNNING || !take_next(choice)) {
        return false;
    }
    const bool has_ended = choice->finish != OPENAI_RUNNING;
    const size_t held = has_ended ? 0 : stop_scan_held(choice->terms->stops, &choice->scan);
    if (choice->finish != OPENAI_FAILED
        && (pass_on(choice, held) != STATUS_OK
            || (has_ended && end_outbound(choice) != STATUS_OK))) {
        choice->finish = OPENAI_FAILED;
    }
    if (has_ended) {
        crisis_reader_end(choice->reader);
    }
    return true;
}

/* ---- telling -------------------------------------------------------------------------------- */

/* Where the entry's text begins; entries up to it have been counted before. */
static uint64_t start_of(const struct openai_choice *choice, uint32_t entry)
{
    return entry > 0 ? choice->marks[entry - 1].end_bytes : choice->echo_bytes;
}

bool openai_choice_is_hidden(const struct openai_choice *choice, uint32_t entry)
{
    return outbound_is_changed(choice->outbound, start_of(choice, entry),
                               choice->marks[entry].end_bytes);
}

bool openai_choice_may_show(const struct openai_choice *choice, uint32_t id)
{
    char raw[TOKENIZER_PIECE_BYTES_MAX];
    const size_t length = tokenizer_token_bytes(choice->terms->tokenizer, id, raw);
    return !outbound_would_change(choice->terms->alone, raw, length);
}

struct openai_telling openai_choice_telling(const struct openai_choice *choice)
{
    const bool has_ended = choice->finish != OPENAI_RUNNING;
    struct openai_telling telling = {.text_bytes = choice->text.length,
                                     .entry_end = choice->told_entries};
    if (!choice->marks) {
        return telling;
    }
    /* An entry is told with the last of its text; at the end all that has begun in the text is. */
    const uint64_t text_end = outbound_decided(choice->outbound);
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
    choice->told_entries = telling.entry_end;
}
