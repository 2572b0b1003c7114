/* lookup.c - a.b, a['b'] and a[1:2]. As in Jinja2, a.b looks for a method first and an item second,
 * a['b'] the other way round. */
#include "model/template/render.h"

/* What Python's getattr() would find; ABSENT: nothing. */
static struct value find_attribute(struct render *render, struct value object, struct value name)
{
    if (object.kind == VALUE_NAMESPACE) {
        const struct value *found = value_dict_find(&render->work, object.dict, name);
        return found ? *found : (struct value){0};
    }
    if (object.kind == VALUE_LOOP) {
        return iteration_attribute(render, object.loop, name.text);
    }
    if (object.kind == VALUE_MACRO && text_is(name.text, "name")) {
        return value_text(object.macro->definition->name.text);
    }
    const struct builtin *method = method_find(object, name.text);
    if (!method) {
        return (struct value){0};
    }
    if (!method->handler) {
        return value_undefined_hint(&render->work,
                                    "a method that changes its object is not allowed");
    }
    return builtin_bind(&render->work, method, object);
}

static const struct value *list_item(const struct list *list, int64_t index)
{
    if (index < 0) {
        index += (int64_t)list->count;
    }
    return index >= 0 && index < (int64_t)list->count ? &list->items[index] : NULL;
}

static struct value character(struct work *work, const struct text *text, int64_t index)
{
    if (index < 0) {
        index += (int64_t)text_code_points(work, text);
    }
    const size_t from = index >= 0 ? text_offset(work, text, 0, (size_t)index) : text->length;
    if (from == text->length) {
        return (struct value){0};
    }
    return value_text(text_slice(work, text, from, text_offset(work, text, from, 1)));
}

/* What Python's object[key] would find; ABSENT: nothing. */
static struct value find_item(struct render *render, struct value object, struct value key)
{
    const struct value *found = NULL;
    if (object.kind == VALUE_DICT) {
        found = value_dict_find(&render->work, object.dict, key);
    } else if (key.kind == VALUE_INTEGER || key.kind == VALUE_BOOLEAN) {
        const int64_t index = key.kind == VALUE_BOOLEAN ? key.boolean : key.integer;
        if (object.kind == VALUE_STRING) {
            return character(&render->work, object.text, index);
        }
        if (object.kind >= VALUE_LIST && object.kind <= VALUE_RANGE) {
            found = list_item(object.list, index);
        }
    }
    return found ? *found : (struct value){0};
}

struct value lookup_attribute(struct render *render, struct value object, struct value name)
{
    if (object.kind == VALUE_UNDEFINED) {
        value_fail_undefined(&render->work, object);
    }
    struct value found = find_attribute(render, object, name);
    if (found.kind == VALUE_ABSENT) {
        found = find_item(render, object, name);
    }
    return found.kind != VALUE_ABSENT ? found : value_undefined_of(&render->work, object, name);
}

struct value lookup_item(struct render *render, struct value object, struct value key)
{
    if (object.kind == VALUE_UNDEFINED) {
        value_fail_undefined(&render->work, object);
    }
    struct value found = find_item(render, object, key);
    if (found.kind == VALUE_ABSENT && key.kind == VALUE_STRING) {
        found = find_attribute(render, object, key);
    }
    return found.kind != VALUE_ABSENT ? found : value_undefined_of(&render->work, object, key);
}

/* ---- slices --------------------------------------------------------------------------------- */

struct span {
    int64_t start, stop, step; /* indexes into the sequence; stop may be -1 */
};

static int64_t part(struct work *work, struct value value, int64_t preset)
{
    if (value.kind == VALUE_ABSENT || value.kind == VALUE_NONE) {
        return preset;
    }
    if (value.kind == VALUE_UNDEFINED) {
        value_fail_undefined(work, value);
    }
    if (value.kind != VALUE_INTEGER && value.kind != VALUE_BOOLEAN) {
        work_fail(work, STATUS_INVALID, "slice indices must be integers or None");
    }
    return value.kind == VALUE_BOOLEAN ? value.boolean : value.integer;
}

/* An index from the end becomes one from the start; what is outside moves to the nearest border. */
static int64_t clamp(int64_t index, int64_t count, int64_t low, int64_t high)
{
    if (index < 0) {
        index += count;
    }
    return index < low ? low : index > high ? high : index;
}

static struct span span_of(struct work *work, const struct value parts[3], size_t length)
{
    const int64_t count = (int64_t)length;
    const int64_t step = part(work, parts[2], 1);
    if (step == 0) {
        work_fail(work, STATUS_INVALID, "slice step cannot be zero");
    }
    const int64_t low = step > 0 ? 0 : -1;
    const int64_t high = step > 0 ? count : count - 1;
    struct span span = {
        .start = step > 0 ? low : high, .stop = step > 0 ? high : low, .step = step};
    if (parts[0].kind > VALUE_NONE || parts[0].kind == VALUE_UNDEFINED) {
        span.start = clamp(part(work, parts[0], 0), count, low, high);
    }
    if (parts[1].kind > VALUE_NONE || parts[1].kind == VALUE_UNDEFINED) {
        span.stop = clamp(part(work, parts[1], 0), count, low, high);
    }
    return span;
}

static size_t span_count(struct span span)
{
    if (span.step > 0) {
        return span.stop > span.start ? (size_t)((span.stop - span.start - 1) / span.step) + 1 : 0;
    }
    /* a step of INT64_MIN has no positive twin */
    const uint64_t size = 0 - (uint64_t)span.step;
    return span.start > span.stop ? (size_t)((uint64_t)(span.start - span.stop - 1) / size) + 1 : 0;
}

static struct value slice_list(struct work *work, struct value object, struct span span)
{
    const size_t count = span_count(span);
    struct value sliced = value_list(work, object.kind, NULL, count);
    if (span.step == 1) { /* lists do not change: share the items */
        sliced.list->items = count > 0 ? object.list->items + span.start : NULL;
    } else {
        struct value *items = work_take(work, count, sizeof *items);
        for (size_t i = 0; i < count; i++) {
            items[i] = object.list->items[span.start + (int64_t)i * span.step];
        }
        sliced.list->items = items;
    }
    if (object.kind == VALUE_RANGE) { /* how it prints; unsigned, since it may wrap */
        const uint64_t first = (uint64_t)object.list->start;
        const uint64_t step = (uint64_t)object.list->step;
        sliced.list->start = (int64_t)(first + (uint64_t)span.start * step);
        sliced.list->stop = (int64_t)(first + (uint64_t)span.stop * step);
        sliced.list->step = (int64_t)(step * (uint64_t)span.step);
    }
    sliced.is_user = object.is_user;
    return sliced;
}

static struct value slice_text(struct work *work, const struct text *text, struct span span)
{
    const size_t count = span_count(span);
    if (count == 0) {
        struct text *empty = text_make(work, "", 0, text->origin);
        empty->is_safe = text->is_safe;
        return value_text(empty);
    }
    size_t at = text_offset(work, text, 0, (size_t)span.start);
    if (span.step == 1) {
        return value_text(text_slice(work, text, at, text_offset(work, text, at, count)));
    }
    struct writer *writer = writer_create(work);
    for (size_t i = 0; i < count; i++) {
        writer_slice(writer, text, at, text_offset(work, text, at, 1));
        for (int64_t j = 0; j > span.step && at > 0 && i + 1 < count; j--) {
            at = text_before(text, at);
        }
        if (span.step > 0) {
            at = text_offset(work, text, at, (size_t)span.step);
        }
    }
    work_scan(work, text->length);
    struct text *sliced = writer_done(writer);
    sliced->is_safe = text->is_safe;
    return value_text(sliced);
}

struct value lookup_slice(struct render *render, struct value object, const struct value parts[3])
{
    struct work *work = &render->work;
    if (object.kind == VALUE_STRING) {
        const size_t count = text_code_points(work, object.text);
        return slice_text(work, object.text, span_of(work, parts, count));
    }
    if (object.kind >= VALUE_LIST && object.kind <= VALUE_RANGE) {
        return slice_list(work, object, span_of(work, parts, object.list->count));
    }
    if (object.kind == VALUE_UNDEFINED) {
        value_fail_undefined(work, object);
    }
    work_fail(work, STATUS_INVALID, "'%s' object cannot be sliced", value_type(object));
}
