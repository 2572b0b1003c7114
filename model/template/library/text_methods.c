#include "model/template/library/text_methods.h"

#include "model/template/value/unicode.h"
#include "model/template/value/writer.h"

/* ---- cases ---------------------------------------------------------------------------------- */

static void put(struct writer *writer, const uint32_t *code_points, uint32_t count, uint8_t origin)
{
    for (uint32_t i = 0; i < count; i++) {
        writer_code_point(writer, code_points[i], origin);
    }
}

static bool is_cased_at(const struct text *text, size_t at)
{
    size_t bytes = 0;
    return unicode_is_cased(text_code_point(text, at, &bytes));
}

static bool is_mark_at(const struct text *text, size_t at)
{
    size_t bytes = 0;
    return unicode_is_mark(text_code_point(text, at, &bytes));
}

/* A sigma at the end of a word has a lower case of its own. */
static bool is_final_sigma(const struct text *text, size_t at)
{
    size_t before = at;
    bool follows_letter = false;
    while (before > 0) {
        before = text_before(text, before);
        if (!is_mark_at(text, before)) {
            follows_letter = is_cased_at(text, before);
            break;
        }
    }
    size_t bytes = 0;
    (void)text_code_point(text, at, &bytes);
    for (size_t after = at + bytes; after < text->length; after += bytes) {
        const uint32_t code_point = text_code_point(text, after, &bytes);
        if (!unicode_is_mark(code_point)) {
            return follows_letter && !unicode_is_cased(code_point);
        }
    }
    return follows_letter;
}

static uint32_t lower_at(struct work *work, const struct text *text, size_t at, uint32_t code_point,
                         uint32_t out[UNICODE_CASE_MAX])
{
    if (code_point == 0x3a3) {
        work_step(work);
        out[0] = is_final_sigma(text, at) ? 0x3c2 : 0x3c3;
        return 1;
    }
    return unicode_lower(code_point, out);
}

struct text *text_methods_case(struct work *work, const struct text *text, enum text_case how)
{
    struct writer *writer = writer_create(work);
    bool is_start = true; /* of the text, or of a word */
    size_t bytes = 0;
    work_scan(work, text->length * 4);
    for (size_t at = 0; at < text->length; at += bytes) {
        uint32_t cased[UNICODE_CASE_MAX];
        uint32_t count = 0;
        const uint32_t code_point = text_code_point(text, at, &bytes);
        if (how == TEXT_UPPER) {
            count = unicode_upper(code_point, cased);
        } else if (how == TEXT_LOWER || !is_start) {
            count = lower_at(work, text, at, code_point, cased);
        } else {
            count = unicode_title(code_point, cased);
        }
        is_start = how == TEXT_TITLE && !unicode_is_cased(code_point);
        put(writer, cased, count, text_origin(text, at));
    }
    struct text *result = writer_done(writer);
    result->is_safe = text->is_safe;
    return result;
}

/* ---- strip ---------------------------------------------------------------------------------- */

static bool strips(struct work *work, const struct text *chars, uint32_t code_point)
{
    if (!chars) {
        return unicode_is_space(code_point);
    }
    size_t bytes = 0;
    work_scan(work, chars->length);
    for (size_t at = 0; at < chars->length; at += bytes) {
        if (text_code_point(chars, at, &bytes) == code_point) {
            return true;
        }
    }
    return false;
}

struct text *text_methods_strip(struct work *work, const struct text *text,
                                const struct text *chars, bool left, bool right)
{
    size_t from = 0;
    size_t to = text->length;
    size_t bytes = 0;
    while (left && from < to && strips(work, chars, text_code_point(text, from, &bytes))) {
        from += bytes;
    }
    while (right && to > from) {
        const size_t before = text_before(text, to);
        if (!strips(work, chars, text_code_point(text, before, &bytes))) {
            break;
        }
        to = before;
    }
    work_scan(work, text->length - (to - from));
    return text_slice(work, text, from, to);
}

/* ---- split ---------------------------------------------------------------------------------- */

struct pieces {
    struct work *work;
    struct value *items;
    size_t count, capacity;
};

static void add_piece(struct pieces *pieces, const struct text *text, size_t from, size_t to)
{
    work_step(pieces->work);
    if (pieces->count == pieces->capacity) {
        const size_t capacity = pieces->capacity > 0 ? pieces->capacity * 2 : 8;
        struct value *items = work_take(pieces->work, capacity, sizeof *items);
        for (size_t i = 0; i < pieces->count; i++) {
            items[i] = pieces->items[i];
        }
        pieces->items = items;
        pieces->capacity = capacity;
    }
    pieces->items[pieces->count++] = value_text(text_slice(pieces->work, text, from, to));
}

static struct value make_list(struct pieces *pieces, bool is_reversed)
{
    for (size_t i = 0; is_reversed && i < pieces->count / 2; i++) {
        const struct value held = pieces->items[i];
        pieces->items[i] = pieces->items[pieces->count - 1 - i];
        pieces->items[pieces->count - 1 - i] = held;
    }
    return value_list(pieces->work, VALUE_LIST, pieces->items, pieces->count);
}

static void split_left(struct pieces *pieces, const struct text *text, const struct text *separator,
                       int64_t limit)
{
    size_t from = 0;
    for (int64_t i = 0; limit < 0 || i < limit; i++) {
        const ptrdiff_t at = text_find(pieces->work, text, separator, from);
        if (at == TEXT_NOT_FOUND) {
            break;
        }
        add_piece(pieces, text, from, (size_t)at);
        from = (size_t)at + separator->length;
    }
    add_piece(pieces, text, from, text->length);
}

static void split_right(struct pieces *pieces, const struct text *text,
                        const struct text *separator, int64_t limit)
{
    size_t to = text->length;
    for (int64_t i = 0; limit < 0 || i < limit; i++) {
        const ptrdiff_t at = text_find_last(pieces->work, text, separator, to);
        if (at == TEXT_NOT_FOUND) {
            break;
        }
        add_piece(pieces, text, (size_t)at + separator->length, to);
        to = (size_t)at;
    }
    add_piece(pieces, text, 0, to);
}

static size_t skip_left(const struct text *text, size_t at, bool spaces)
{
    size_t bytes = 0;
    while (at < text->length && unicode_is_space(text_code_point(text, at, &bytes)) == spaces) {
        at += bytes;
    }
    return at;
}

static size_t skip_right(const struct text *text, size_t at, bool spaces)
{
    size_t bytes = 0;
    while (at > 0) {
        const size_t before = text_before(text, at);
        if (unicode_is_space(text_code_point(text, before, &bytes)) != spaces) {
            break;
        }
        at = before;
    }
    return at;
}

static void split_words_left(struct pieces *pieces, const struct text *text, int64_t limit)
{
    size_t at = skip_left(text, 0, true);
    for (int64_t i = 0; at < text->length; i++) {
        const bool is_last = limit >= 0 && i >= limit;
        const size_t end = is_last ? text->length : skip_left(text, at, false);
        add_piece(pieces, text, at, end);
        at = is_last ? text->length : skip_left(text, end, true);
    }
}

static void split_words_right(struct pieces *pieces, const struct text *text, int64_t limit)
{
    size_t at = skip_right(text, text->length, true);
    for (int64_t i = 0; at > 0; i++) {
        const bool is_last = limit >= 0 && i >= limit;
        const size_t start = is_last ? 0 : skip_right(text, at, false);
        add_piece(pieces, text, start, at);
        at = is_last ? 0 : skip_right(text, start, true);
    }
}

struct value text_methods_split(struct work *work, const struct text *text,
                                const struct text *separator, int64_t limit, bool from_right)
{
    struct pieces pieces = {.work = work};
    if (separator && separator->length == 0) {
        work_fail(work, STATUS_INVALID, "empty separator");
    }
    work_scan(work, text->length);
    if (separator) {
        (from_right ? split_right : split_left)(&pieces, text, separator, limit);
    } else {
        (from_right ? split_words_right : split_words_left)(&pieces, text, limit);
    }
    return make_list(&pieces, from_right);
}

static bool ends_line(uint32_t c)
{
    return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028
           || c == 0x2029;
}

struct value text_methods_lines(struct work *work, const struct text *text, bool keeps_ends)
{
    struct pieces pieces = {.work = work};
    size_t from = 0;
    size_t bytes = 0;
    work_scan(work, text->length);
    for (size_t at = 0; at < text->length; at += bytes) {
        const uint32_t code_point = text_code_point(text, at, &bytes);
        if (!ends_line(code_point)) {
            continue;
        }
        const bool is_pair =
            code_point == '\r' && at + 1 < text->length && text->bytes[at + 1] == '\n';
        bytes += is_pair ? 1 : 0;
        add_piece(&pieces, text, from, keeps_ends ? at + bytes : at);
        from = at + bytes;
    }
    if (from < text->length) {
        add_piece(&pieces, text, from, text->length);
    }
    return make_list(&pieces, false);
}

/* ---- replace, pad, join --------------------------------------------------------------------- */

struct text *text_methods_replace(struct work *work, const struct text *text,
                                  const struct text *old, const struct text *new, int64_t limit)
{
    struct writer *writer = writer_create(work);
    size_t from = 0;
    size_t search = 0;
    for (int64_t i = 0; limit < 0 || i < limit; i++) {
        const ptrdiff_t at = text_find(work, text, old, search);
        if (at == TEXT_NOT_FOUND) {
            break;
        }
        work_step(work);
        writer_slice(writer, text, from, (size_t)at);
        writer_text(writer, new);
        from = (size_t)at + old->length;
        search = from;
        if (old->length == 0) { /* in front of each code point, and at the end */
            if (search == text->length) {
                break;
            }
            search = text_offset(work, text, search, 1);
        }
    }
    writer_slice(writer, text, from, text->length);
    struct text *result = writer_done(writer);
    result->is_safe = text->is_safe;
    return result;
}

struct text *text_methods_pad(struct work *work, const struct text *text, enum text_side side,
                              int64_t width, const struct text *fill)
{
    static const struct text space = {.bytes = " ", .length = 1, .origin = ORIGIN_MARKUP};
    fill = fill ? fill : &space;
    if (text_code_points(work, fill) != 1) {
        work_fail(work, STATUS_INVALID, "the fill character must be exactly one character long");
    }
    const int64_t length = (int64_t)text_code_points(work, text);
    const size_t missing = width > length ? (size_t)(width - length) : 0;
    /* Python's center() puts the odd one to the left when the width is odd */
    const size_t half = missing / 2 + (missing & (size_t)width & 1);
    const size_t before = side == TEXT_RIGHT ? 0 : side == TEXT_BOTH ? half : missing;
    struct writer *writer = writer_create(work);
    writer_repeat(writer, fill->bytes, fill->length, text_origin(fill, 0), before);
    writer_text(writer, text);
    writer_repeat(writer, fill->bytes, fill->length, text_origin(fill, 0), missing - before);
    struct text *result = writer_done(writer);
    result->is_safe = text->is_safe;
    return result;
}

struct text *text_methods_join(struct work *work, const struct text *separator,
                               const struct list *items)
{
    struct writer *writer = writer_create(work);
    for (size_t i = 0; i < items->count; i++) {
        const struct value item = items->items[i];
        if (item.kind != VALUE_STRING) {
            work_fail(work, STATUS_INVALID, "sequence item %zu: expected str instance, %s found", i,
                      value_type(item));
        }
        work_step(work);
        if (i > 0) {
            writer_text(writer, separator);
        }
        writer_text(writer, separator->is_safe ? text_escape(work, item.text) : item.text);
    }
    struct text *result = writer_done(writer);
    result->is_safe = separator->is_safe;
    return result;
}
