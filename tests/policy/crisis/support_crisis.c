#include "tests/policy/crisis/support_crisis.h"

#include <string.h>

#include "tests/check.h"

const struct crisis_rules *support_crisis_rules(void)
{
    static struct crisis_rules *rules;
    struct failure failure = {""};
    if (!rules && crisis_rules_create(&rules, &failure) != STATUS_OK) {
        fprintf(stderr, "%s\n", failure.text);
    }
    return rules;
}

struct crisis_finding support_crisis_read(const char *text, size_t chunk)
{
    struct crisis_reader *reader = NULL;
    const size_t length = strlen(text);
    struct crisis_finding found = {0};
    if (crisis_reader_create(support_crisis_rules(), &reader) != STATUS_OK) {
        return found;
    }
    crisis_reader_begin(reader, CRISIS_PERSON);
    for (size_t at = 0; at < length;) {
        const size_t count = chunk == 0 || chunk > length - at ? length - at : chunk;
        crisis_reader_feed(reader, text + at, count);
        at += count;
    }
    crisis_reader_end(reader);
    found = *crisis_reader_found(reader);
    crisis_reader_destroy(reader);
    return found;
}
