/* word_ending.c - see word_ending.h. */
#include "policy/identify/words/word_ending.h"

#include <pthread.h>
#include <string.h>

#include "base/assert.h"

static const char *text_of(const struct word_endings *endings, uint32_t row)
{
    const void *at = (const char *)endings->rows + (size_t)(row - 1) * endings->row_bytes;
    return *(const char *const *)at;
}

static uint32_t bucket_of(char last)
{
    return (unsigned char)last % WORD_ENDING_BUCKETS;
}

/* Backwards, so that each chain goes forwards. */
static void fill(const struct word_endings *endings)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct word_ending_chains *chains = endings->chains;
    ASSERT(endings->count <= WORD_ENDING_ROWS_MAX);
    ASSERT(pthread_mutex_lock(&mutex) == 0);
    const bool is_ready = atomic_load_explicit(&chains->is_ready, memory_order_relaxed);
    for (uint32_t row = is_ready ? 0 : endings->count; row > 0; row--) {
        const char *text = text_of(endings, row);
        uint8_t *first = &chains->first[bucket_of(text[strlen(text) - 1])];
        chains->next[row] = *first;
        *first = (uint8_t)row;
    }
    atomic_store_explicit(&chains->is_ready, true, memory_order_release);
    ASSERT(pthread_mutex_unlock(&mutex) == 0);
}

uint32_t word_ending_row(const struct word_endings *endings, const char *text, size_t length,
                         size_t stem)
{
    const struct word_ending_chains *chains = endings->chains;
    if (!atomic_load_explicit(&chains->is_ready, memory_order_acquire)) {
        fill(endings);
    }
    if (length == 0) {
        return 0;
    }
    uint32_t row = chains->first[bucket_of(text[length - 1])];
    for (; row != 0; row = chains->next[row]) {
        const char *ending = text_of(endings, row);
        const size_t bytes = strlen(ending);
        if (length >= bytes + stem && memcmp(text + length - bytes, ending, bytes) == 0) {
            return row;
        }
    }
    return 0;
}
