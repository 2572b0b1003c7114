#include "model/tokenizer/normal_form.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/assert.h"
#include "base/utf8.h"

enum {
    DECOMPOSED_MAX = 32,  /* code points of one: 18 in Unicode 15 */
    MARKED_BIT = 1 << 30, /* beside a code point: it came from marked bytes alone */
    CODE_POINT_MASK = 0x1fffff,
    LOWEST_COMPOSING = 0x300, /* no code point below is ever the second of a pair */
    CLASS_COUNT = 256,        /* canonical combining classes */
};

struct code_points {
    int32_t *values; /* [capacity] */
    size_t count, capacity;
};

static enum status reserve(struct code_points *points)
{
    if (points->capacity - points->count >= DECOMPOSED_MAX) {
        return STATUS_OK;
    }
    const size_t capacity = 2 * points->capacity + (size_t)4 * DECOMPOSED_MAX;
    int32_t *values = malloc(capacity * sizeof *values);
    if (!values) {
        return STATUS_IO;
    }
    if (points->values) {
        memcpy(values, points->values, points->count * sizeof *values);
        explicit_bzero(points->values, points->capacity * sizeof *values);
        free(points->values);
    }
    points->values = values;
    points->capacity = capacity;
    return STATUS_OK;
}

static void release(struct code_points *points)
{
    if (points->values) {
        explicit_bzero(points->values, points->capacity * sizeof *points->values);
    }
    free(points->values);
    *points = (struct code_points){0};
}

/* The original still normalises by Unicode 9. What came later stays as it is; the ranges hold all
 * of that which decomposes or has a class, and nothing older that does. */
static bool is_later_than_9(int32_t code_point)
{
    static const struct {
        int32_t first, last;
    } ranges[] = {
        {0x7fd, 0x7fd},     {0x898, 0x8d3},     {0x9fe, 0x9fe},     {0xc3c, 0xc3c},
        {0xd3b, 0xd3c},     {0xeba, 0xeba},     {0x1715, 0x1715},   {0x1abf, 0x1ace},
        {0x1df6, 0x1dfa},   {0x32ff, 0x32ff},   {0xa7f2, 0xa7f4},   {0xa82c, 0xa82c},
        {0xab69, 0xab69},   {0x10781, 0x107ba}, {0x10d24, 0x10f85}, {0x11070, 0x11070},
        {0x1133b, 0x1133b}, {0x1145e, 0x1145e}, {0x11839, 0x11a99}, {0x11d42, 0x11f42},
        {0x16ff0, 0x16ff1}, {0x1e030, 0x1e4ef}, {0x1f16c, 0x1f16c}, {0x1fbf0, 0x1fbf9},
    };
    bool is_in = false;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        is_in = is_in || (code_point >= ranges[i].first && code_point <= ranges[i].last);
    }
    return is_in;
}

static unsigned class_of(int32_t value)
{
    const int32_t code_point = value & CODE_POINT_MASK;
    const unsigned class = (unsigned)utf8proc_get_property(code_point)->combining_class;
    return class == 0 || is_later_than_9(code_point) ? 0 : class;
}

/* Writes at most DECOMPOSED_MAX code points; returns how many. */
static size_t decompose_one(int32_t code_point, utf8proc_option_t options, int32_t *out)
{
    int boundary = 0;
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(code_point, out, DECOMPOSED_MAX, options, &boundary);
    ASSERT(count >= 0 && count <= DECOMPOSED_MAX);
    if ((count > 1 || out[0] != code_point) && is_later_than_9(code_point)) {
        out[0] = code_point;
        return 1;
    }
    return (size_t)count;
}

static enum status decompose(struct marked_span in, utf8proc_option_t options,
                             struct code_points *points)
{
    for (size_t at = 0; at < in.length;) {
        uint32_t code_point = 0;
        const size_t bytes = utf8_decode(in.text + at, in.length - at, &code_point);
        ASSERT(bytes > 0);
        const enum status status = reserve(points);
        if (status != STATUS_OK) {
            return status;
        }
        int32_t *to = points->values + points->count;
        const size_t count = decompose_one((int32_t)code_point, options, to);
        const bool is_marked = marked_span_is_all(in, at, at + bytes);
        for (size_t i = 0; i < count; i++) {
            to[i] |= is_marked ? MARKED_BIT : 0;
        }
        points->count += count;
        at += bytes;
    }
    return STATUS_OK;
}

/* Stable, by class: a counting sort. scratch has room for count values. */
static void sort_run(int32_t *run, size_t count, int32_t *scratch)
{
    size_t starts[CLASS_COUNT + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        starts[class_of(run[i]) + 1]++;
    }
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        starts[i + 1] += starts[i];
    }
    for (size_t i = 0; i < count; i++) {
        scratch[starts[class_of(run[i])]++] = run[i];
    }
    memcpy(run, scratch, count * sizeof *run);
}

/* The end of the run of marks (class not 0) that begins at i; *is_ordered as their classes rise. */
static size_t run_end(const struct code_points *points, size_t i, bool *is_ordered)
{
    *is_ordered = true;
    for (unsigned last = 0; i < points->count; i++) {
        const unsigned class = class_of(points->values[i]);
        if (class == 0) {
            break;
        }
        *is_ordered = *is_ordered && class >= last;
        last = class;
    }
    return i;
}

/* Puts each run of marks into the order of their classes. */
static enum status order(struct code_points *points)
{
    int32_t *scratch = NULL;
    for (size_t i = 0; i < points->count;) {
        bool is_ordered = true;
        const size_t end = run_end(points, i, &is_ordered);
        if (!is_ordered && !scratch) {
            scratch = malloc(points->count * sizeof *scratch);
            if (!scratch) {
                return STATUS_IO;
            }
        }
        if (!is_ordered) {
            sort_run(points->values + i, end - i, scratch);
        }
        i = end + 1;
    }
    if (scratch) {
        explicit_bzero(scratch, points->count * sizeof *scratch);
        free(scratch);
    }
    return STATUS_OK;
}

/* The primary composite of two code points, 0 if there is none. */
static int32_t composite(int32_t first, int32_t second)
{
    int32_t pair[3] = {first, second};
    const utf8proc_option_t options = UTF8PROC_COMPOSE | UTF8PROC_STABLE;
    const bool is_one = utf8proc_normalize_utf32(pair, 2, options) == 1;
    return is_one && !is_later_than_9(pair[0]) ? pair[0] : 0;
}

/* Joins each code point to the last starter where they form a composite and nothing is between
 * them that blocks: a starter, or a mark of the same or a higher class. */
static void compose(struct code_points *points)
{
    size_t starter = SIZE_MAX;
    size_t kept = 0;
    unsigned last_class = 0;
    for (size_t i = 0; i < points->count; i++) {
        const int32_t value = points->values[i];
        const unsigned class = class_of(value);
        const bool is_open = starter != SIZE_MAX && (value & CODE_POINT_MASK) >= LOWEST_COMPOSING
                             && (kept == starter + 1 || last_class < class);
        const int32_t joined =
            is_open ? composite(points->values[starter] & CODE_POINT_MASK, value & CODE_POINT_MASK)
                    : 0;
        if (joined) {
            points->values[starter] = joined | (points->values[starter] & value & MARKED_BIT);
            continue;
        }
        starter = class == 0 ? kept : starter;
        last_class = class;
        points->values[kept++] = value;
    }
    points->count = kept;
}

static enum status write_out(const struct code_points *points, struct marked_text *out)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < points->count; i++) {
        char bytes[4];
        const int32_t value = points->values[i];
        const size_t length = utf8_encode((uint32_t)(value & CODE_POINT_MASK), bytes);
        status = marked_text_put(out, bytes, length, value & MARKED_BIT);
    }
    return status;
}

/* Every form leaves ASCII as it is, and nothing composes across an ASCII code point that another
 * one follows: text up to the last ASCII code point before the first other one needs no work. */
static size_t plain_bytes(struct marked_span in)
{
    size_t at = 0;
    while (at < in.length && (uint8_t)in.text[at] < 0x80) {
        at++;
    }
    return at < in.length && at > 0 ? at - 1 : at;
}

/* Where the stretch that needs work ends: at two ASCII code points in a row. */
static size_t work_bytes(struct marked_span in)
{
    size_t at = 1;
    while (at < in.length && ((uint8_t)in.text[at - 1] >= 0x80 || (uint8_t)in.text[at] >= 0x80)) {
        at++;
    }
    return at < in.length ? at : in.length;
}

enum status normal_form_apply(enum normal_form form, struct marked_span in, struct marked_text *out)
{
    const bool is_compatible = form == NORMAL_FORM_KC || form == NORMAL_FORM_KD;
    const bool composes = form == NORMAL_FORM_C || form == NORMAL_FORM_KC;
    const utf8proc_option_t options =
        UTF8PROC_DECOMPOSE | UTF8PROC_STABLE | (is_compatible ? UTF8PROC_COMPAT : 0);
    struct code_points points = {0};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && in.length > 0) {
        const size_t plain = plain_bytes(in);
        status = marked_text_copy(out, marked_span_cut(in, 0, plain));
        in = marked_span_cut(in, plain, in.length);
        if (status != STATUS_OK || in.length == 0) {
            break;
        }
        const size_t work = work_bytes(in);
        points.count = 0;
        status = decompose(marked_span_cut(in, 0, work), options, &points);
        status = status == STATUS_OK ? order(&points) : status;
        if (status == STATUS_OK && composes) {
            compose(&points);
        }
        status = status == STATUS_OK ? write_out(&points, out) : status;
        in = marked_span_cut(in, work, in.length);
    }
    release(&points);
    return status;
}
