#include "model/template/value/text.h"

#include <string.h>

#include "base/utf8.h"
#include "model/template/value/writer.h"

enum { ERROR_BYTES_MAX = 200 };

struct text *text_make(struct work *work, const char *bytes, size_t length, uint8_t origin)
{
    struct text *text = work_take(work, 1, sizeof *text);
    *text = (struct text){.bytes = bytes, .length = length, .origin = origin};
    return text;
}

struct text *text_copy(struct work *work, const char *bytes, size_t length, uint8_t origin)
{
    char *copy = work_take(work, length, 1);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return text_make(work, copy, length, origin);
}

const struct text *text_literal(struct work *work, const char *bytes)
{
    return text_make(work, bytes, strlen(bytes), ORIGIN_MARKUP);
}

struct text *text_slice(struct work *work, const struct text *text, size_t from, size_t to)
{
    struct text *slice = text_make(work, text->bytes + from, to - from, text->origin);
    slice->origins = text->origins ? text->origins + from : NULL;
    slice->is_safe = text->is_safe;
    return slice;
}

/* A text that is all of its writer can grow in place: the bytes that others see stay as they are.
 * Any other left side is copied into a new writer. */
struct text *text_concat(struct work *work, const struct text *left, const struct text *right)
{
    struct writer *writer = left->writer;
    if (!writer || writer->length != left->length) {
        writer = writer_create(work);
        writer_text(writer, left);
    }
    writer_text(writer, right);
    return writer_done(writer);
}

const struct text *text_escape(struct work *work, const struct text *text)
{
    static const char specials[] = "&<>'\"";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
    if (text->is_safe) {
        return text;
    }
    struct writer *writer = writer_create(work);
    for (size_t i = 0; i < text->length; i++) {
        const char *special = text->bytes[i] ? strchr(specials, text->bytes[i]) : NULL;
        if (special) {
            writer_literal(writer, entities[special - specials], text_origin(text, i));
        } else {
            writer_slice(writer, text, i, i + 1);
        }
    }
    struct text *escaped = writer_done(writer);
    escaped->is_safe = true;
    return escaped;
}

uint8_t text_origin(const struct text *text, size_t at)
{
    return text->origins ? text->origins[at] : text->origin;
}

bool text_has_user(const struct text *text)
{
    if (!text->origins) {
        return text->origin == ORIGIN_USER && text->length > 0;
    }
    return memchr(text->origins, ORIGIN_USER, text->length) != NULL;
}

bool text_equal(struct work *work, const struct text *a, const struct text *b)
{
    if (a->length != b->length) {
        return false;
    }
    work_scan(work, a->length);
    return memcmp(a->bytes, b->bytes, a->length) == 0;
}

bool text_is(const struct text *text, const char *literal)
{
    return text->length == strlen(literal) && memcmp(text->bytes, literal, text->length) == 0;
}

/* The order of UTF-8 bytes is the order of code points. */
int text_order(struct work *work, const struct text *a, const struct text *b)
{
    const size_t common = a->length < b->length ? a->length : b->length;
    work_scan(work, common);
    const int order = memcmp(a->bytes, b->bytes, common);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

ptrdiff_t text_find(struct work *work, const struct text *text, const struct text *needle,
                    size_t from)
{
    if (from > text->length) {
        return TEXT_NOT_FOUND;
    }
    if (needle->length == 0) {
        return (ptrdiff_t)from;
    }
    const char *found =
        memmem(text->bytes + from, text->length - from, needle->bytes, needle->length);
    work_scan(work, found ? (size_t)(found - text->bytes) - from : text->length - from);
    return found ? found - text->bytes : TEXT_NOT_FOUND;
}

ptrdiff_t text_find_last(struct work *work, const struct text *text, const struct text *needle,
                         size_t to)
{
    if (needle->length > to || needle->length == 0) {
        return needle->length == 0 ? (ptrdiff_t)to : TEXT_NOT_FOUND;
    }
    size_t at = to - needle->length + 1;
    size_t looked_bytes = 0;
    bool is_found = false;
    while (at > 0 && !is_found) {
        at--;
        if (text->bytes[at] == needle->bytes[0]) {
            looked_bytes += needle->length + 8; /* a candidate costs more than its bytes */
            is_found = text_starts_with(text, at, needle);
        }
        if (looked_bytes > to) {
            work_scan(work, looked_bytes);
            looked_bytes = 0;
        }
    }
    work_scan(work, looked_bytes + (to - at));
    return is_found ? (ptrdiff_t)at : TEXT_NOT_FOUND;
}

bool text_starts_with(const struct text *text, size_t at, const struct text *needle)
{
    return needle->length <= text->length - at
           && memcmp(text->bytes + at, needle->bytes, needle->length) == 0;
}

static bool begins_code_point(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t text_code_points(struct work *work, const struct text *text)
{
    work_scan(work, text->length);
    size_t count = 0;
    for (size_t i = 0; i < text->length; i++) {
        count += begins_code_point(text->bytes[i]);
    }
    return count;
}

size_t text_offset(struct work *work, const struct text *text, size_t from, size_t code_points)
{
    size_t at = from;
    while (at < text->length && code_points > 0) {
        at++;
        while (at < text->length && !begins_code_point(text->bytes[at])) {
            at++;
        }
        code_points--;
    }
    work_scan(work, at - from);
    return at;
}

uint32_t text_code_point(const struct text *text, size_t at, size_t *bytes)
{
    uint32_t code_point = 0;
    *bytes = utf8_decode(text->bytes + at, text->length - at, &code_point);
    return code_point;
}

size_t text_before(const struct text *text, size_t at)
{
    at--;
    while (at > 0 && !begins_code_point(text->bytes[at])) {
        at--;
    }
    return at;
}

const char *text_for_error(struct work *work, const struct text *text)
{
    struct writer *writer = writer_create(work);
    for (size_t i = 0; i < text->length && writer->length < ERROR_BYTES_MAX; i++) {
        if (text_origin(text, i) == ORIGIN_MARKUP) {
            writer_bytes(writer, text->bytes + i, 1, ORIGIN_MARKUP);
        } else if (i == 0 || text_origin(text, i - 1) == ORIGIN_MARKUP) {
            writer_literal(writer, "\u2026", ORIGIN_MARKUP);
        }
    }
    writer_bytes(writer, "", 1, ORIGIN_MARKUP);
    return writer->bytes;
}
