#include "model/tokenizer/added_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tokenizer/code_point.h"

enum status added_tokens_push(struct added_tokens *set, const struct added_token *token,
                              const char *text, size_t length)
{
    if (length == 0) {
        return STATUS_OK;
    }
    if (set->count == set->capacity) {
        const uint32_t capacity = set->capacity ? 2 * set->capacity : 16;
        struct added_token *tokens = realloc(set->tokens, capacity * sizeof *tokens);
        if (!tokens) {
            return STATUS_IO;
        }
        set->tokens = tokens;
        set->capacity = capacity;
    }
    struct added_token copy = *token;
    copy.text = malloc(length + 1);
    if (!copy.text) {
        return STATUS_IO;
    }
    memcpy(copy.text, text, length);
    copy.text[length] = '\0';
    copy.length = (uint32_t)length;
    set->tokens[set->count++] = copy;
    set->begins[(uint8_t)text[0]] = true;
    return STATUS_OK;
}

/* Bytewise, a prefix before what it begins; equal texts by id, so that the order is total. */
static int compare(const void *left, const void *right)
{
    const struct added_token *a = left;
    const struct added_token *b = right;
    const size_t shorter = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->text, b->text, shorter);
    if (order != 0) {
        return order;
    }
    if (a->length != b->length) {
        return a->length < b->length ? -1 : 1;
    }
    return a->id < b->id ? -1 : a->id > b->id;
}

void added_tokens_seal(struct added_tokens *set)
{
    if (set->count > 0) {
        qsort(set->tokens, set->count, sizeof *set->tokens, compare);
    }
}

void added_tokens_destroy(struct added_tokens *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        free(set->tokens[i].text);
    }
    free(set->tokens);
    *set = (struct added_tokens){0};
}

/* ---- searching ------------------------------------------------------------------------------ */

/* First of tokens[low .. high - 1], which agree before depth, whose byte at depth is >= byte. A
 * token that ends at depth sorts before all. */
static uint32_t lower_bound(const struct added_tokens *set, uint32_t low, uint32_t high,
                            size_t depth, unsigned byte)
{
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct added_token *token = &set->tokens[middle];
        if (token->length <= depth || (uint8_t)token->text[depth] < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The longest token at that place that may stand there. */
static const struct added_token *longest_at(const struct added_tokens *set, struct marked_span in,
                                            size_t at, bool wants_special)
{
    const struct added_token *best = NULL;
    bool is_marked = true;
    uint32_t low = 0;
    uint32_t high = set->count;
    for (size_t depth = 0; at + depth < in.length; depth++) {
        const unsigned byte = (uint8_t)in.text[at + depth];
        low = lower_bound(set, low, high, depth, byte);
        high = lower_bound(set, low, high, depth, byte + 1);
        if (low == high) {
            break;
        }
        is_marked = is_marked && in.marks && in.marks[at + depth];
        for (uint32_t i = low; i < high && set->tokens[i].length == depth + 1; i++) {
            if (is_marked ? set->tokens[i].is_special || !wants_special
                          : !set->tokens[i].is_special && !wants_special) {
                best = &set->tokens[i];
                break;
            }
        }
    }
    return best;
}

/* True if a special token that may stand there begins within start + 1 .. end - 1. */
static bool hides_special(const struct added_tokens *set, struct marked_span in, size_t start,
                          size_t end)
{
    for (size_t at = start + 1; in.marks && !in.marks[start] && at < end; at++) {
        if (in.marks[at] && longest_at(set, in, at, true)) {
            return true;
        }
    }
    return false;
}

static bool touches_word(struct marked_span in, size_t start, size_t end)
{
    uint32_t code_point = 0;
    if (start > 0) {
        code_point_last(in.text, start, &code_point);
        if (code_point_is_word(code_point)) {
            return true;
        }
    }
    return end < in.length && utf8_decode(in.text + end, in.length - end, &code_point)
           && code_point_is_word(code_point);
}

static size_t skip_space_left(struct marked_span in, size_t start, size_t covered)
{
    uint32_t code_point = 0;
    while (start > covered) {
        const size_t bytes = code_point_last(in.text, start, &code_point);
        if (!code_point_is_space(code_point)) {
            break;
        }
        start -= bytes;
    }
    return start;
}

static size_t skip_space_right(struct marked_span in, size_t end)
{
    uint32_t code_point = 0;
    while (end < in.length) {
        const size_t bytes = utf8_decode(in.text + end, in.length - end, &code_point);
        if (bytes == 0 || !code_point_is_space(code_point)) {
            break;
        }
        end += bytes;
    }
    return end;
}

/* Finds the next token and how much white space it takes along. */
static bool search(struct added_scan *scan)
{
    const struct marked_span in = scan->in;
    for (; scan->at < in.length; scan->at++) {
        const size_t start = scan->at;
        if (!scan->set->begins[(uint8_t)in.text[start]]) {
            continue;
        }
        const struct added_token *token = longest_at(scan->set, in, start, false);
        const size_t end = start + (token ? token->length : 0);
        if (!token || hides_special(scan->set, in, start, end)) {
            continue;
        }
        if (token->is_single_word && touches_word(in, start, end)) {
            scan->at = end - 1; /* what did not count is not looked at again */
            continue;
        }
        scan->found = token;
        scan->found_start = token->strips_left ? skip_space_left(in, start, scan->covered) : start;
        scan->found_end = token->strips_right ? skip_space_right(in, end) : end;
        scan->at = end;
        return true;
    }
    return false;
}

bool added_scan_next(struct added_scan *scan, struct added_piece *out)
{
    if (!scan->found && !search(scan)) {
        *out = (struct added_piece){scan->covered, scan->in.length, NULL};
        scan->covered = scan->in.length;
        return out->start < out->end;
    }
    if (scan->covered < scan->found_start) {
        *out = (struct added_piece){scan->covered, scan->found_start, NULL};
        scan->covered = scan->found_start;
        return true;
    }
    *out = (struct added_piece){scan->found_start, scan->found_end, scan->found};
    scan->covered = scan->found_end;
    scan->found = NULL;
    return true;
}
