#include "model/tokenizer/bpe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { NO_SYMBOL = INT32_MAX, DEAD = INT32_MAX, NOT_A_CHARACTER = 0x110000 };

enum status id_sink_push(struct id_sink *sink, uint32_t id)
{
    if (sink->count == sink->max) {
        return STATUS_TOO_LARGE;
    }
    sink->ids[sink->count++] = id;
    return STATUS_OK;
}

/* ---- parsing -------------------------------------------------------------------------------- */

static enum status refuse_text(const struct json_source *source, const char *field)
{
    const char *text = "";
    const enum status status = json_field_text(source, field, &text);
    if (status == STATUS_OK && text[0] != '\0') {
        return fail(source->failure, STATUS_UNSUPPORTED, "%s: %s is not supported", source->name,
                    field);
    }
    return status;
}

static enum status parse_fields(const struct json_source *source, struct bpe *bpe)
{
    const char *unknown = NULL;
    double dropout = 0;
    enum status status = refuse_text(source, "continuing_subword_prefix");
    status = status ? status : refuse_text(source, "end_of_word_suffix");
    status = status ? status : json_field_number(source, "dropout", 0, 0, &dropout);
    status = status ? status : json_field_bool(source, "fuse_unk", &bpe->fuses_unknown);
    status = status ? status : json_field_bool(source, "byte_fallback", &bpe->has_byte_fallback);
    status = status ? status : json_field_bool(source, "ignore_merges", &bpe->ignores_merges);
    status = status ? status : json_field_text(source, "unk_token", &unknown);
    if (status == STATUS_OK && unknown) {
        bpe->unknown_id = vocabulary_find(bpe->vocabulary, unknown, strlen(unknown));
        if (bpe->unknown_id == VOCABULARY_NONE) {
            return fail(source->failure, STATUS_INVALID, "%s: unk_token is not in the vocabulary",
                        source->name);
        }
    }
    return status;
}

/* The id of a text of a user: never a special one. */
static uint32_t find_plain(const struct bpe *bpe, const char *text, size_t length)
{
    const uint32_t id = vocabulary_find(bpe->vocabulary, text, length);
    const bool is_plain = id != VOCABULARY_NONE && !bpe->vocabulary->entries[id].is_special;
    return is_plain ? id : VOCABULARY_NONE;
}

static void fill_tables(struct bpe *bpe)
{
    for (uint32_t c = 0; c < BPE_QUICK_COUNT; c++) {
        char text[4];
        bpe->quick_ids[c] = find_plain(bpe, text, utf8_encode(c, text));
    }
    for (unsigned byte = 0; byte < BPE_BYTE_COUNT; byte++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", byte);
        bpe->byte_ids[byte] = find_plain(bpe, text, strlen(text));
    }
}

enum status bpe_parse(const json_t *json, const struct vocabulary *vocabulary, struct bpe *out,
                      struct failure *failure)
{
    *out = (struct bpe){.vocabulary = vocabulary, .unknown_id = VOCABULARY_NONE};
    const struct json_source source = {json, "model", failure};
    enum status status = parse_fields(&source, out);
    if (status == STATUS_OK) {
        status = bpe_merges_parse(json_object_get(json, "merges"), out, failure);
    }
    if (status != STATUS_OK) {
        bpe_destroy(out);
        return status;
    }
    fill_tables(out);
    return STATUS_OK;
}

void bpe_destroy(struct bpe *bpe)
{
    free(bpe->merges);
    free(bpe->slots);
    *bpe = (struct bpe){0};
}

/* ---- scratch -------------------------------------------------------------------------------- */

static void zero_free(void *memory, size_t bytes)
{
    if (memory) {
        explicit_bzero(memory, bytes);
        free(memory);
    }
}

void bpe_scratch_destroy(struct bpe_scratch *scratch)
{
    zero_free(scratch->symbols, scratch->used_max * sizeof *scratch->symbols);
    zero_free(scratch->candidates, 2 * scratch->used_max * sizeof *scratch->candidates);
    *scratch = (struct bpe_scratch){0};
}

/* Room for a piece of that many bytes: no piece has more symbols than bytes, and each merge takes
 * one candidate and brings at most two, so that twice as many are enough. */
static enum status reserve(struct bpe_scratch *scratch, size_t length)
{
    if (length <= scratch->capacity) {
        return STATUS_OK;
    }
    if (length >= NO_SYMBOL) {
        return STATUS_TOO_LARGE;
    }
    bpe_scratch_destroy(scratch);
    const size_t capacity = length < 256 ? 256 : length + length / 2;
    scratch->symbols = calloc(capacity, sizeof *scratch->symbols);
    scratch->candidates = calloc(2 * capacity, sizeof *scratch->candidates);
    scratch->capacity = capacity;
    if (!scratch->symbols || !scratch->candidates) {
        free(scratch->symbols);
        free(scratch->candidates);
        *scratch = (struct bpe_scratch){0};
        return STATUS_IO;
    }
    return STATUS_OK;
}

/* ---- symbols: one a character --------------------------------------------------------------- */

static void push_symbol(struct bpe_scratch *scratch, uint32_t id)
{
    const uint32_t at = scratch->symbol_count++;
    scratch->symbols[at] = (struct bpe_symbol){id, at > 0 ? at - 1 : NO_SYMBOL, NO_SYMBOL};
    if (at > 0) {
        scratch->symbols[at - 1].next = at;
    }
}

static bool push_bytes(const struct bpe *bpe, struct bpe_scratch *scratch, const char *text,
                       size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bpe->byte_ids[(uint8_t)text[i]] == VOCABULARY_NONE) {
            return false;
        }
    }
    for (size_t i = 0; i < length; i++) {
        push_symbol(scratch, bpe->byte_ids[(uint8_t)text[i]]);
    }
    return true;
}

/* ---- merging -------------------------------------------------------------------------------- */

static void push_candidate(const struct bpe *bpe, struct bpe_scratch *scratch, uint32_t at)
{
    const struct bpe_symbol *left = &scratch->symbols[at];
    const struct bpe_merge *merge = bpe_merges_find(bpe, left->id, scratch->symbols[left->next].id);
    if (!merge) {
        return;
    }
    const uint64_t candidate = (uint64_t)merge->rank << 32 | at;
    uint64_t *heap = scratch->candidates;
    size_t i = scratch->candidate_count++;
    for (; i > 0 && candidate < heap[(i - 1) / 2]; i = (i - 1) / 2) {
        heap[i] = heap[(i - 1) / 2];
    }
    heap[i] = candidate;
}

/* The candidate of the lowest rank, the leftmost of equal ones. */
static uint64_t pop_candidate(struct bpe_scratch *scratch)
{
    uint64_t *heap = scratch->candidates;
    const uint64_t first = heap[0];
    const size_t count = --scratch->candidate_count;
    const uint64_t last = heap[count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= count) {
            break;
        }
        child += child + 1 < count && heap[child + 1] < heap[child];
        if (heap[child] >= last) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

/* Joins the symbol at `at` with the next one, and looks at the two new pairs. */
static void merge_at(const struct bpe *bpe, struct bpe_scratch *scratch, uint32_t at,
                     uint32_t joined)
{
    struct bpe_symbol *symbols = scratch->symbols;
    const uint32_t gone = symbols[at].next;
    const uint32_t next = symbols[gone].next;
    symbols[at].id = joined;
    symbols[at].next = next;
    symbols[gone].id = DEAD;
    if (next != NO_SYMBOL) {
        symbols[next].previous = at;
    }
    if (symbols[at].previous != NO_SYMBOL) {
        push_candidate(bpe, scratch, symbols[at].previous);
    }
    if (next != NO_SYMBOL) {
        push_candidate(bpe, scratch, at);
    }
}

/* Merges the symbols so far and gives their ids; scratch is empty again. */
static enum status flush(const struct bpe *bpe, struct bpe_scratch *scratch, struct id_sink *out)
{
    for (uint32_t at = 0; at + 1 < scratch->symbol_count; at++) {
        push_candidate(bpe, scratch, at);
    }
    while (scratch->candidate_count > 0) {
        const uint64_t candidate = pop_candidate(scratch);
        const uint32_t at = (uint32_t)candidate;
        const struct bpe_merge *merge = &bpe->merges[bpe->slots[candidate >> 32]];
        const struct bpe_symbol *symbol = &scratch->symbols[at];
        if (symbol->id == merge->left && symbol->next != NO_SYMBOL
            && scratch->symbols[symbol->next].id
                   == merge->right) { /* else one of them has changed */
            merge_at(bpe, scratch, at, merge->joined);
        }
    }
    const uint32_t count = scratch->symbol_count;
    enum status status = STATUS_OK;
    for (uint32_t at = 0; status == STATUS_OK && at < count; at = scratch->symbols[at].next) {
        status = id_sink_push(out, scratch->symbols[at].id);
    }
    scratch->symbol_count = 0;
    scratch->used_max = count > scratch->used_max ? count : scratch->used_max;
    return status;
}

/* One character after another. An unknown one is kept back until the next known one, so that a run
 * can be fused; it stays kept back over characters that fall back to bytes, as in the original. */
static enum status encode_characters(const struct bpe *bpe, const char *text, size_t length,
                                     struct bpe_scratch *scratch, struct id_sink *out)
{
    enum status status = STATUS_OK;
    bool has_unknown = false;
    uint32_t last = NOT_A_CHARACTER; /* the code point of the last symbol */
    for (size_t at = 0, bytes; status == STATUS_OK && at < length; at += bytes) {
        uint32_t code_point = 0;
        bytes = utf8_decode(text + at, length - at, &code_point);
        const uint32_t id = code_point < BPE_QUICK_COUNT ? bpe->quick_ids[code_point]
                                                         : find_plain(bpe, text + at, bytes);
        if (id != VOCABULARY_NONE) {
            if (has_unknown) {
                push_symbol(scratch, bpe->unknown_id);
                has_unknown = false;
            } else if (last != NOT_A_CHARACTER && !bpe_merges_can_join(bpe, last, code_point)) {
                status = flush(bpe, scratch, out);
            }
            push_symbol(scratch, id);
            last = code_point;
            continue;
        }
        last = NOT_A_CHARACTER;
        if (bpe->has_byte_fallback && push_bytes(bpe, scratch, text + at, bytes)) {
            continue;
        }
        if (has_unknown && !bpe->fuses_unknown) {
            push_symbol(scratch, bpe->unknown_id);
        }
        has_unknown = bpe->unknown_id != VOCABULARY_NONE;
    }
    if (has_unknown) {
        push_symbol(scratch, bpe->unknown_id);
    }
    return status == STATUS_OK ? flush(bpe, scratch, out) : status;
}

enum status bpe_encode(const struct bpe *bpe, const char *text, size_t length,
                       struct bpe_scratch *scratch, struct id_sink *out)
{
    if (bpe->ignores_merges) {
        const uint32_t id = find_plain(bpe, text, length);
        if (id != VOCABULARY_NONE) {
            return id_sink_push(out, id);
        }
    }
    const enum status status = reserve(scratch, length);
    return status == STATUS_OK ? encode_characters(bpe, text, length, scratch, out) : status;
}
