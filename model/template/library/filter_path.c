#include <string.h>

#include "model/template/library/filter.h"
#include "model/template/render.h"

static struct value part_of(struct work *work, const struct text *text, size_t from, size_t to)
{
    int64_t number = 0;
    const bool can_be_number = to > from && to - from < 18;
    for (size_t i = from; i < to; i++) {
        if (!can_be_number || text->bytes[i] < '0' || text->bytes[i] > '9') {
            return value_text(text_slice(work, text, from, to));
        }
        number = number * 10 + (text->bytes[i] - '0');
    }
    return can_be_number ? value_integer(number) : value_text(text_slice(work, text, from, to));
}

struct filter_path filter_path_parse(struct work *work, struct value path)
{
    struct filter_path parsed = {0};
    if (path.kind == VALUE_ABSENT || path.kind == VALUE_NONE) {
        return parsed;
    }
    if (path.kind == VALUE_INTEGER) {
        parsed.parts = work_take(work, 1, sizeof *parsed.parts);
        parsed.parts[parsed.count++] = path;
        return parsed;
    }
    if (path.kind != VALUE_STRING) {
        work_fail(work, STATUS_INVALID, "an attribute must be a string or an integer, not '%s'",
                  value_type(path));
    }
    const struct text *text = path.text;
    size_t from = 0;
    parsed.parts = work_take(work, text->length + 1, sizeof *parsed.parts);
    for (;;) {
        const char *dot = memchr(text->bytes + from, '.', text->length - from);
        const size_t to = dot ? (size_t)(dot - text->bytes) : text->length;
        parsed.parts[parsed.count++] = part_of(work, text, from, to);
        if (!dot) {
            return parsed;
        }
        from = to + 1;
    }
}

struct value filter_path_follow(struct render *render, const struct filter_path *path,
                                struct value value)
{
    for (size_t i = 0; i < path->count; i++) {
        work_step(&render->work);
        value = lookup_item(render, value, path->parts[i]);
    }
    return value;
}
