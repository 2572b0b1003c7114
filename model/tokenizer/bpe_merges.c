/* The merges as a hash table, from "left right" strings or ["left", "right"] pairs. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "model/tokenizer/bpe.h"
#include "model/tokenizer/code_point.h"
#include "model/tokenizer/tokenizer.h"

static uint32_t slot_of(const struct bpe *bpe, uint32_t left, uint32_t right)
{
    const uint64_t mixed = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15U;
    uint32_t slot = (uint32_t)(mixed >> 32 ^ mixed >> 15) & bpe->slot_mask;
    for (;; slot = (slot + 1) & bpe->slot_mask) {
        const struct bpe_merge *merge = &bpe->merges[slot];
        if ((merge->left == left && merge->right == right) || merge->left == VOCABULARY_NONE) {
            return slot;
        }
    }
}

const struct bpe_merge *bpe_merges_find(const struct bpe *bpe, uint32_t left, uint32_t right)
{
    const struct bpe_merge *merge = &bpe->merges[slot_of(bpe, left, right)];
    return merge->left == VOCABULARY_NONE ? NULL : merge;
}

/* ---- seams ---------------------------------------------------------------------------------- */

static uint32_t seam_of(uint32_t left_character, uint32_t right_character)
{
    const uint64_t mixed = ((uint64_t)left_character << 32 | right_character) * 0x9e3779b97f4a7c15U;
    return (uint32_t)(mixed >> 40) % BPE_SEAM_BITS;
}

bool bpe_merges_can_join(const struct bpe *bpe, uint32_t left_character, uint32_t right_character)
{
    const uint32_t seam = seam_of(left_character, right_character);
    return bpe->seams[seam / 64] >> (seam % 64) & 1U;
}

static void add_seam(struct bpe *bpe, const struct bpe_merge *merge)
{
    const struct vocabulary_entry *left = &bpe->vocabulary->entries[merge->left];
    const struct vocabulary_entry *right = &bpe->vocabulary->entries[merge->right];
    uint32_t last = 0;
    uint32_t first = 0;
    if (left->length > 0 && code_point_last(left->text, left->length, &last)
        && utf8_decode(right->text, right->length, &first)) {
        const uint32_t seam = seam_of(last, first);
        bpe->seams[seam / 64] |= (uint64_t)1 << (seam % 64);
    }
}

/* ---- parsing -------------------------------------------------------------------------------- */

struct half { /* of a pair */
    const char *text;
    size_t length;
};

/* The ids of a pair and of what it becomes; false if any is not in the vocabulary. */
static bool find_ids(const struct bpe *bpe, struct half left, struct half right,
                     struct bpe_merge *out)
{
    char text[2 * TOKENIZER_PIECE_BYTES_MAX];
    out->left = vocabulary_find(bpe->vocabulary, left.text, left.length);
    out->right = vocabulary_find(bpe->vocabulary, right.text, right.length);
    if (out->left == VOCABULARY_NONE || out->right == VOCABULARY_NONE) {
        return false;
    }
    memcpy(text, left.text, left.length); /* a token has at most TOKENIZER_PIECE_BYTES_MAX */
    memcpy(text + left.length, right.text, right.length);
    out->joined = vocabulary_find(bpe->vocabulary, text, left.length + right.length);
    return out->joined != VOCABULARY_NONE;
}

/* A merge is ["left", "right"] or "left right". In the second form a token may itself hold spaces
 * (Llama 2 has such): the first space that parts it into known tokens counts. */
static bool find_merge(const struct bpe *bpe, const json_t *json, struct bpe_merge *out)
{
    const json_t *left = json_array_get(json, 0);
    const json_t *right = json_array_get(json, 1);
    if (json_is_string(left) && json_is_string(right) && json_array_size(json) == 2) {
        return find_ids(bpe, (struct half){json_string_value(left), json_string_length(left)},
                        (struct half){json_string_value(right), json_string_length(right)}, out);
    }
    const char *text = json_string_value(json);
    const char *end = text ? text + json_string_length(json) : NULL;
    for (const char *at = text; at; at++) {
        at = strchr(at, ' ');
        if (!at) {
            break;
        }
        if (find_ids(bpe, (struct half){text, (size_t)(at - text)},
                     (struct half){at + 1, (size_t)(end - at - 1)}, out)) {
            return true;
        }
    }
    return false;
}

static enum status refuse(const json_t *json, size_t index, struct failure *failure)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    const enum status status =
        fail(failure, STATUS_INVALID,
             "model: merges[%zu] must be a pair of tokens that join to a token, not %.80s", index,
             text ? text : "this");
    free(text);
    return status;
}

enum status bpe_merges_parse(const json_t *list, struct bpe *bpe, struct failure *failure)
{
    const size_t count = json_array_size(list);
    if (!json_is_array(list) || count > LIMIT_VOCABULARY) {
        return fail(failure, STATUS_INVALID, "model: merges must be an array of at most %d",
                    LIMIT_VOCABULARY);
    }
    uint32_t slot_count = 16;
    while (slot_count < count + count / 2) {
        slot_count *= 2;
    }
    bpe->slot_mask = slot_count - 1;
    bpe->merges = malloc(slot_count * sizeof *bpe->merges);
    bpe->slots = calloc(count + 1, sizeof *bpe->slots);
    if (!bpe->merges || !bpe->slots) {
        return fail(failure, STATUS_IO, "no memory for merges");
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        bpe->merges[i] = (struct bpe_merge){.left = VOCABULARY_NONE, .right = VOCABULARY_NONE};
    }
    for (uint32_t rank = 0; rank < count; rank++) {
        struct bpe_merge merge = {.rank = rank};
        if (!find_merge(bpe, json_array_get(list, rank), &merge)) {
            return refuse(json_array_get(list, rank), rank, failure);
        }
        if (!bpe->vocabulary->entries[merge.joined].is_special) {
            bpe->slots[rank] = slot_of(bpe, merge.left, merge.right);
            bpe->merges[bpe->slots[rank]] = merge;
            add_seam(bpe, &merge);
        }
    }
    return STATUS_OK;
}
