#include "policy/filter/changes.h"

void changes_add(struct changes *changes, uint64_t start, uint64_t end)
{
    const uint32_t last = (changes->first + changes->count + CHANGES_MAX - 1) % CHANGES_MAX;
    if (changes->count > 0 && changes->ranges[last].end == start) {
        changes->ranges[last].end = end;
        return;
    }
    if (changes->count == CHANGES_MAX) {
        changes->forgotten = changes->ranges[changes->first].end;
        changes->first = (changes->first + 1) % CHANGES_MAX;
        changes->count--;
    }
    const uint32_t next = (changes->first + changes->count++) % CHANGES_MAX;
    changes->ranges[next].start = start;
    changes->ranges[next].end = end;
}

bool changes_has(const struct changes *changes, uint64_t start, uint64_t end)
{
    if (start < changes->forgotten) {
        return true;
    }
    for (uint32_t i = changes->count; i > 0; i--) {
        const uint32_t at = (changes->first + i - 1) % CHANGES_MAX;
        if (changes->ranges[at].end <= start) {
            return false;
        }
        if (changes->ranges[at].start < end) {
            return true;
        }
    }
    return false;
}
