#include "model/template/syntax/names.h"

#include <string.h>

_Static_assert(NAMES_BUCKETS > NAMES_MAX, "there is always an empty bucket");
_Static_assert((NAMES_BUCKETS & (NAMES_BUCKETS - 1)) == 0, "a mask finds the bucket");

struct names *names_create(struct work *work)
{
    static const char *const builtin[NAME_BUILTIN_COUNT] = {"loop", "caller", "varargs", "kwargs"};
    struct names *names = work_take(work, 1, sizeof *names);
    memset(names, 0, sizeof *names);
    for (size_t i = 0; i < NAME_BUILTIN_COUNT; i++) {
        (void)names_add(work, names, text_literal(work, builtin[i]));
    }
    return names;
}

/* The bucket that holds the name, or the empty one where it belongs. FNV-1a. */
static uint32_t find_bucket(const struct names *names, const char *bytes, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)bytes[i]) * 16777619U;
    }
    uint32_t bucket = hash & (NAMES_BUCKETS - 1);
    while (names->buckets[bucket] != 0) {
        const struct text *text = names->texts[names->buckets[bucket] - 1];
        if (text->length == length && memcmp(text->bytes, bytes, length) == 0) {
            break;
        }
        bucket = (bucket + 1) & (NAMES_BUCKETS - 1);
    }
    return bucket;
}

uint32_t names_add(struct work *work, struct names *names, const struct text *name)
{
    const uint32_t bucket = find_bucket(names, name->bytes, name->length);
    if (names->buckets[bucket] == 0) {
        if (names->count == NAMES_MAX) {
            work_fail(work, STATUS_TOO_LARGE, "uses more than %d names", (int)NAMES_MAX);
        }
        names->texts[names->count++] = name;
        names->buckets[bucket] = (uint16_t)names->count;
    }
    return names->buckets[bucket] - 1U;
}

uint32_t names_find(const struct names *names, const char *bytes, size_t length)
{
    const uint32_t bucket = find_bucket(names, bytes, length);
    return names->buckets[bucket] == 0 ? NAMES_MAX : names->buckets[bucket] - 1U;
}
