#include "policy/crisis/sentence.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum status sentence_create(struct sentence *sentence, const struct word_book *vocabulary,
                            uint32_t phrase_count, uint32_t pattern_count)
{
    memset(sentence, 0, sizeof *sentence);
    sentence->vocabulary = vocabulary;
    sentence->phrase_count = phrase_count;
    sentence->at = calloc(word_book_count(vocabulary), sizeof *sentence->at);
    sentence->phrase_seen = calloc(phrase_count + 1, 1);
    sentence->candidate_sets = pattern_count / 64 + 1;
    sentence->candidates = calloc(sentence->candidate_sets, sizeof *sentence->candidates);
    return sentence->at && sentence->phrase_seen && sentence->candidates ? STATUS_OK : STATUS_IO;
}

void sentence_destroy(struct sentence *sentence)
{
    if (sentence->at) {
        sentence_clear(sentence);
    }
    free(sentence->at);
    free(sentence->phrase_seen);
    free(sentence->candidates);
    sodium_memzero(sentence, sizeof *sentence);
}

/* The word's bit in every set it belongs to, set or taken out. */
static void mark(struct sentence *sentence, uint32_t position, bool is_there)
{
    const uint32_t entry = sentence->words[position].entry;
    const uint64_t bit = UINT64_C(1) << position;
    const uint64_t on = is_there ? bit : 0;
    if (entry == 0) {
        return;
    }
    sentence->at[entry] = (sentence->at[entry] & ~bit) | on;
    for (uint32_t link = word_book_classes(sentence->vocabulary, entry); link != 0;) {
        uint32_t class_entry = 0;
        link = word_book_next(sentence->vocabulary, link, &class_entry);
        sentence->at[class_entry] = (sentence->at[class_entry] & ~bit) | on;
    }
    const uint32_t roles = word_book_roles(sentence->vocabulary, entry);
    for (int role = 0; role < ROLE_COUNT; role++) {
        sentence->roles[role] = (sentence->roles[role] & ~bit) | (roles >> role & 1 ? on : 0);
    }
}

void sentence_clear(struct sentence *sentence)
{
    for (uint32_t i = 0; i < sentence->count; i++) {
        mark(sentence, i, false);
    }
    memset(sentence->words, 0, sentence->count * sizeof sentence->words[0]);
    memset(sentence->phrase_seen, 0, sentence->phrase_count);
    sentence->count = 0;
    sentence->pauses = 0;
    sentence->quoted = 0;
    sentence->is_question = false;
}

void sentence_push(struct sentence *sentence, const struct sentence_word *word, bool has_pause,
                   bool is_quoted)
{
    ASSERT(sentence->count < SENTENCE_WORDS_MAX);
    const uint32_t position = sentence->count++;
    sentence->words[position] = *word;
    sentence->pauses |= (uint64_t)has_pause << position;
    sentence->quoted |= (uint64_t)is_quoted << position;
    mark(sentence, position, true);
}

void sentence_pop(struct sentence *sentence)
{
    ASSERT(sentence->count > 0);
    const uint32_t position = sentence->count - 1;
    mark(sentence, position, false);
    sentence->count = position;
    sentence->pauses &= ~(UINT64_C(1) << position);
    sentence->quoted &= ~(UINT64_C(1) << position);
}

void sentence_keep_last(struct sentence *sentence)
{
    struct sentence_word kept[SENTENCE_KEPT];
    ASSERT(sentence->count >= SENTENCE_KEPT);
    const uint32_t first = sentence->count - SENTENCE_KEPT;
    const uint64_t pauses = sentence->pauses >> first, quoted = sentence->quoted >> first;
    memcpy(kept, sentence->words + first, sizeof kept);
    sentence_clear(sentence);
    for (uint32_t i = 0; i < SENTENCE_KEPT; i++) {
        sentence_push(sentence, &kept[i], pauses >> i & 1, quoted >> i & 1);
    }
}
