/* global.c - the global functions: Jinja2's own that templates use, and those that transformers
 * adds. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "model/template/library/builtin.h"
#include "model/template/render.h"
#include "model/template/value/value_print.h"

enum {
    RANGE_COUNT_MAX = 100 * 1000, /* as in Jinja2's sandbox */
    TIME_BYTES_MAX = 1024,
};

static struct value range(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const bool has_stop = builtin_has(call, 1);
    const int64_t start = has_stop ? builtin_integer(work, call, 0, 0) : 0;
    const int64_t stop = builtin_integer(work, call, has_stop ? 1 : 0, 0);
    const int64_t step = builtin_integer(work, call, 2, 1);
    (void)self;
    if (step == 0) {
        work_fail(work, STATUS_INVALID, "range() arg 3 must not be zero");
    }
    const uint64_t size = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    const bool is_empty = step > 0 ? start >= stop : start <= stop;
    const uint64_t way =
        step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
    const uint64_t count = is_empty ? 0 : (way - 1) / size + 1;
    if (count > RANGE_COUNT_MAX) {
        work_fail(work, STATUS_INVALID, "range() of more than %d items", (int)RANGE_COUNT_MAX);
    }
    struct value *items = work_take(work, count, sizeof *items);
    for (uint64_t i = 0; i < count; i++) {
        items[i] = value_integer((int64_t)((uint64_t)start + i * (uint64_t)step));
    }
    const struct value made = value_list(work, VALUE_RANGE, items, count);
    made.list->start = start;
    made.list->stop = stop;
    made.list->step = step;
    return made;
}

/* dict(mapping or pairs, name=value ...), and the same for a namespace. */
static struct value make_dict(struct render *render, const struct call *call, enum value_kind kind)
{
    struct work *work = &render->work;
    const struct value made = value_dict(work, kind, call->keyword_count);
    if (call->count > 1) {
        work_fail(work, STATUS_INVALID, "at most 1 argument is expected, not %zu", call->count);
    }
    if (call->count == 1 && call->arguments[0].kind == VALUE_DICT) {
        const struct dict *from = call->arguments[0].dict;
        for (size_t i = 0; i < from->count; i++) {
            value_dict_set(work, made.dict, from->entries[i].key, from->entries[i].value);
        }
    } else if (call->count == 1) {
        const struct list pairs = value_iterate(work, call->arguments[0]);
        for (size_t i = 0; i < pairs.count; i++) {
            const struct list pair = value_iterate(work, pairs.items[i]);
            if (pair.count != 2) {
                work_fail(work, STATUS_INVALID, "a dict is made of pairs");
            }
            value_dict_set(work, made.dict, pair.items[0], pair.items[1]);
        }
    }
    for (size_t i = 0; i < call->keyword_count; i++) {
        value_dict_set(work, made.dict, value_text(call->keywords[i].name),
                       call->keywords[i].value);
    }
    return made;
}

static struct value dict(struct render *render, struct value self, const struct call *call)
{
    (void)self;
    return make_dict(render, call, VALUE_DICT);
}

static struct value namespace(struct render *render, struct value self, const struct call *call)
{
    (void)self;
    return make_dict(render, call, VALUE_NAMESPACE);
}

static struct value raise_exception(struct render *render, struct value self,
                                    const struct call *call)
{
    struct work *work = &render->work;
    const struct text *message = value_print(work, call->arguments[0]);
    (void)self;
    work_fail(work, STATUS_INVALID, "%s", text_for_error(work, message));
}

/* The format is the template's: that is what the function is for. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static size_t format_time(char out[TIME_BYTES_MAX], const char *format, const struct tm *time)
{
    return strftime(out, TIME_BYTES_MAX, format, time);
}
#pragma GCC diagnostic pop

static struct value strftime_now(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *format = builtin_text(work, call, 0);
    (void)self;
    if (!format || memchr(format->bytes, '\0', format->length) || text_has_user(format)) {
        work_fail(work, STATUS_INVALID, "strftime_now wants a format of the template's own");
    }
    /* The byte in front tells an empty result from one that did not fit. */
    char *with_mark = work_take(work, format->length + 2, 1);
    snprintf(with_mark, format->length + 2, "=%.*s", (int)format->length, format->bytes);
    const time_t now = (time_t)render->now_unix_s;
    struct tm local;
    char written[TIME_BYTES_MAX];
    size_t length = 0;
    if (localtime_r(&now, &local)) {
        length = format_time(written, with_mark, &local);
    }
    if (length == 0 || utf8_valid_bytes(written, length) != length) {
        work_fail(work, STATUS_INVALID, "strftime_now cannot write this format");
    }
    return value_text(text_copy(work, written + 1, length - 1, ORIGIN_MARKUP));
}

static const struct builtin globals[] = {
    BUILTIN_ANY("dict", dict),
    BUILTIN_ANY("namespace", namespace),
    BUILTIN("raise_exception", raise_exception, 1, "message", NULL),
    BUILTIN("range", range, 1, "start", "stop", "step", NULL),
    BUILTIN("strftime_now", strftime_now, 1, "format", NULL),
};

const struct builtin *global_find(const struct text *name)
{
    return builtin_find(globals, sizeof globals / sizeof globals[0], name);
}
