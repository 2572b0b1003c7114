#include "audit/record/record_schema.h"

#include <string.h>

/* clang-format off */
static const struct record_schema_field fields[RECORD_FIELD_MAX + 1] = {
#define FIELD(number, kind, name, bytes, help) [number] = {#name, RECORD_##kind, (bytes)},
#include "audit/record/field.def"
};

enum { OPENS, CLOSES };
static const struct {
    enum record_event event;
    const char *text;
    int duty;
} events[] = {
#define EVENT(number, name, text, duty) {RECORD_EVENT_##name, (text), (duty)},
#include "audit/record/event.def"
};
/* clang-format on */
enum { EVENT_COUNT = sizeof events / sizeof events[0] };

const struct record_schema_field *record_schema_of(uint64_t number)
{
    return number <= RECORD_FIELD_MAX && fields[number].name ? &fields[number] : NULL;
}

static size_t index_of(enum record_event event)
{
    size_t i = 0;
    while (i < EVENT_COUNT && events[i].event != event) {
        i++;
    }
    return i;
}

const char *record_event_text(enum record_event event)
{
    const size_t i = index_of(event);
    return i < EVENT_COUNT ? events[i].text : NULL;
}

bool record_event_of_text(const char *text, enum record_event *out)
{
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        if (strcmp(events[i].text, text) == 0) {
            *out = events[i].event;
            return true;
        }
    }
    return false;
}

bool record_event_opens(enum record_event event)
{
    const size_t i = index_of(event);
    return i < EVENT_COUNT && events[i].duty == OPENS;
}
