#include "server/openai/stop_match.h"

#include <string.h>

#include "base/assert.h"

/* How much of the string is matched after one more byte. */
static uint16_t advance(const struct stop_string *string, uint16_t matched, char byte)
{
    while (matched > 0 && (matched == string->length || string->text[matched] != byte)) {
        matched = string->borders[matched - 1];
    }
    return (uint16_t)(matched + (string->text[matched] == byte));
}

void stop_set_add(struct stop_set *set, const char *text, size_t length)
{
    ASSERT(set->count < LIMIT_STOP_STRINGS && length >= 1 && length <= LIMIT_STOP_STRING_BYTES);
    struct stop_string *string = &set->strings[set->count++];
    memcpy(string->text, text, length);
    string->length = (uint16_t)length;
    string->borders[0] = 0;
    for (size_t i = 1; i < length; i++) {
        string->borders[i] = advance(string, string->borders[i - 1], text[i]);
    }
}

bool stop_scan_feed(const struct stop_set *set, struct stop_scan *scan, const char *text,
                    size_t length, size_t *consumed, size_t *cut)
{
    for (size_t at = 0; set->count > 0 && at < length; at++) {
        size_t longest = 0;
        for (uint32_t i = 0; i < set->count; i++) {
            const struct stop_string *string = &set->strings[i];
            scan->matched[i] = advance(string, scan->matched[i], text[at]);
            if (scan->matched[i] == string->length && string->length > longest) {
                longest = string->length;
            }
        }
        if (longest > 0) {
            *consumed = at + 1;
            *cut = longest;
            return true;
        }
    }
    return false;
}

size_t stop_scan_held(const struct stop_set *set, const struct stop_scan *scan)
{
    size_t held = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        held = scan->matched[i] > held ? scan->matched[i] : held;
    }
    return held;
}
