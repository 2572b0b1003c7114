#include "model/tokenizer/marked_text.h"

#include <string.h>

#include "base/utf8.h"
#include "model/tokenizer/code_point.h"

enum { FILL_BYTES = 64 };

void marked_text_start(struct marked_text *marked, bool has_marks)
{
    marked->text.limit_bytes = marked->marks.limit_bytes = MARKED_TEXT_BYTES_MAX;
    marked->text.length = marked->marks.length = 0;
    marked->has_marks = has_marks;
}

void marked_text_destroy(struct marked_text *marked)
{
    buffer_destroy(&marked->text);
    buffer_destroy(&marked->marks);
}

struct marked_span marked_text_span(const struct marked_text *marked)
{
    const char *text = marked->text.bytes ? marked->text.bytes : "";
    const uint8_t *marks = marked->has_marks ? (const uint8_t *)marked->marks.bytes : NULL;
    return (struct marked_span){text, marks, marked->text.length};
}

enum status marked_text_copy(struct marked_text *marked, struct marked_span span)
{
    if (marked->has_marks && span.marks) {
        const enum status status =
            buffer_append(&marked->marks, (const char *)span.marks, span.length);
        return status == STATUS_OK ? buffer_append(&marked->text, span.text, span.length) : status;
    }
    return marked_text_put(marked, span.text, span.length, false);
}

enum status marked_text_put(struct marked_text *marked, const char *text, size_t length,
                            bool is_marked)
{
    char fill[FILL_BYTES];
    memset(fill, is_marked, sizeof fill);
    for (size_t i = 0; marked->has_marks && i < length; i += FILL_BYTES) {
        const size_t count = length - i < FILL_BYTES ? length - i : FILL_BYTES;
        const enum status status = buffer_append(&marked->marks, fill, count);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return buffer_append(&marked->text, text, length);
}

enum status marked_text_clean(struct marked_text *marked, struct marked_span span)
{
    enum status status = STATUS_OK;
    for (size_t at = 0; status == STATUS_OK && at < span.length;) {
        const size_t valid = utf8_valid_bytes(span.text + at, span.length - at);
        status = marked_text_copy(marked, marked_span_cut(span, at, at + valid));
        at += valid;
        if (status == STATUS_OK && at < span.length) {
            const size_t bytes = code_point_invalid_bytes(span.text + at, span.length - at);
            status = marked_text_put(marked, "\xef\xbf\xbd", 3,
                                     marked_span_is_all(span, at, at + bytes));
            at += bytes;
        }
    }
    return status;
}

struct marked_span marked_span_cut(struct marked_span span, size_t start, size_t end)
{
    const uint8_t *marks = span.marks ? span.marks + start : NULL;
    return (struct marked_span){span.text + start, marks, end - start};
}

bool marked_span_is_all(struct marked_span span, size_t start, size_t end)
{
    return span.marks && !memchr(span.marks + start, 0, end - start);
}
