/* A file of crisis rules and messages from bytes: what stands before the first NUL is YAML, what
 * follows is a conversation, a message up to each NUL. Rules are refused with one line that names
 * the file, or they read any text; the shipped rules read it too, whole and byte by byte alike,
 * with spans inside it. */
#include <string.h>

#include "base/assert.h"
#include "policy/crisis/crisis.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_finding(const struct crisis_finding *finding, size_t length)
{
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        const struct crisis_signal *signal = &finding->signals[kind];
        ASSERT(signal->rule == 0 || (signal->start < signal->end && signal->end <= length));
        ASSERT(signal->grade <= finding->grade);
    }
}

static void read_message(struct crisis_reader *reader, const char *text, size_t length, size_t step,
                         bool is_assistant)
{
    crisis_reader_begin(reader, is_assistant ? CRISIS_ASSISTANT : CRISIS_PERSON);
    for (size_t at = 0; at < length; at += step) {
        crisis_reader_feed(reader, text + at, length - at < step ? length - at : step);
    }
    crisis_reader_end(reader);
    check_finding(crisis_reader_last(reader), length);
}

/* The conversation read in steps; its finding in *out. */
static void read_all(const struct crisis_rules *rules, const char *text, size_t length, size_t step,
                     struct crisis_finding *out)
{
    struct crisis_reader *reader = NULL;
    bool is_assistant = false;
    ASSERT(crisis_reader_create(rules, &reader) == STATUS_OK);
    while (length > 0) {
        const char *end = memchr(text, '\0', length);
        const size_t count = end ? (size_t)(end - text) : length;
        read_message(reader, text, count, step, is_assistant);
        is_assistant = !is_assistant;
        const size_t taken = count + (end != NULL);
        text += taken;
        length -= taken;
    }
    *out = *crisis_reader_found(reader);
    crisis_reader_destroy(reader);
}

static bool is_same(const struct crisis_finding *a, const struct crisis_finding *b)
{
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        const struct crisis_signal *x = &a->signals[kind], *y = &b->signals[kind];
        if (x->rule != y->rule || x->grade != y->grade || x->start != y->start || x->end != y->end
            || x->polarity != y->polarity || x->subject != y->subject || x->time != y->time) {
            return false;
        }
    }
    return a->grade == b->grade;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct crisis_rules *shipped;
    struct crisis_finding whole, cut;
    struct crisis_rules *rules = NULL;
    struct failure failure = {""};
    const char *text = (const char *)bytes;
    const char *end = length > 0 ? memchr(text, '\0', length) : NULL;
    const size_t yaml_bytes = end ? (size_t)(end - text) : 0;
    const size_t rest = end ? length - yaml_bytes - 1 : length;
    const char *talk = text + length - rest;
    ASSERT(shipped || crisis_rules_create(&shipped, &failure) == STATUS_OK);
    read_all(shipped, talk, rest, rest + 1, &whole);
    read_all(shipped, talk, rest, 1, &cut);
    ASSERT(is_same(&whole, &cut));
    if (yaml_bytes > 0) {
        const enum status status = crisis_rules_parse(text, yaml_bytes, "x.yaml", &rules, &failure);
        if (status == STATUS_OK) {
            read_all(rules, talk, rest, rest + 1, &whole);
        } else {
            ASSERT(strncmp(failure.text, "x.yaml", 6) == 0 && !strchr(failure.text, '\n'));
        }
        crisis_rules_destroy(rules);
    }
    return 0;
}
