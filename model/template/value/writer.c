#include "model/template/value/writer.h"

#include <string.h>

#include "base/utf8.h"

enum { CAPACITY_FIRST_BYTES = 64 };

struct writer *writer_create(struct work *work)
{
    struct writer *writer = work_take(work, 1, sizeof *writer);
    *writer = (struct writer){.work = work, .limit_bytes = SIZE_MAX / 4};
    return writer;
}

/* Older texts keep the old block: the arena frees nothing. */
static void reserve(struct writer *writer, size_t length)
{
    if (length > writer->limit_bytes - writer->length) {
        work_fail(writer->work, STATUS_TOO_LARGE, "writes more than %zu bytes",
                  writer->limit_bytes);
    }
    const size_t wanted = writer->length + length;
    if (wanted <= writer->capacity_bytes) {
        return;
    }
    size_t capacity = writer->capacity_bytes * 2;
    if (capacity < wanted) {
        capacity = wanted > CAPACITY_FIRST_BYTES ? wanted : CAPACITY_FIRST_BYTES;
    }
    char *bytes = work_take(writer->work, capacity, 1);
    if (writer->length > 0) {
        memcpy(bytes, writer->bytes, writer->length);
    }
    if (writer->origins) {
        uint8_t *origins = work_take(writer->work, capacity, 1);
        memcpy(origins, writer->origins, writer->length);
        writer->origins = origins;
    }
    writer->bytes = bytes;
    writer->capacity_bytes = capacity;
}

/* From here on origins are kept by byte. */
static void begin_origins(struct writer *writer)
{
    writer->origins = work_take(writer->work, writer->capacity_bytes, 1);
    memset(writer->origins, writer->origin, writer->length);
}

void writer_bytes(struct writer *writer, const char *bytes, size_t length, uint8_t origin)
{
    if (length == 0) {
        return;
    }
    reserve(writer, length);
    if (writer->length == 0) {
        writer->origin = origin;
    }
    if (!writer->origins && origin != writer->origin) {
        begin_origins(writer);
    }
    memcpy(writer->bytes + writer->length, bytes, length);
    if (writer->origins) {
        memset(writer->origins + writer->length, origin, length);
    }
    writer->length += length;
}

void writer_literal(struct writer *writer, const char *bytes, uint8_t origin)
{
    writer_bytes(writer, bytes, strlen(bytes), origin);
}

void writer_code_point(struct writer *writer, uint32_t code_point, uint8_t origin)
{
    char bytes[4];
    writer_bytes(writer, bytes, utf8_encode(code_point, bytes), origin);
}

void writer_repeat(struct writer *writer, const char *bytes, size_t length, uint8_t origin,
                   size_t count)
{
    if (length == 0 || count == 0) {
        return;
    }
    if (count > writer->limit_bytes / length) {
        work_fail(writer->work, STATUS_TOO_LARGE, "uses more memory than it may");
    }
    reserve(writer, count * length);
    work_scan(writer->work, count * length);
    const size_t start = writer->length;
    writer_bytes(writer, bytes, length, origin);
    for (size_t done = length; done < count * length;) {
        const size_t left = count * length - done;
        const size_t next = done < left ? done : left;
        writer_bytes(writer, writer->bytes + start, next, origin);
        done += next;
    }
}

void writer_slice(struct writer *writer, const struct text *text, size_t from, size_t to)
{
    if (from >= to) {
        return;
    }
    if (!text->origins) {
        writer_bytes(writer, text->bytes + from, to - from, text->origin);
        return;
    }
    const size_t length = to - from;
    reserve(writer, length);
    if (writer->length == 0) {
        writer->origin = text->origins[from];
    }
    if (!writer->origins) {
        begin_origins(writer);
    }
    memcpy(writer->bytes + writer->length, text->bytes + from, length);
    memcpy(writer->origins + writer->length, text->origins + from, length);
    writer->length += length;
}

void writer_text(struct writer *writer, const struct text *text)
{
    writer_slice(writer, text, 0, text->length);
}

struct text *writer_done(struct writer *writer)
{
    struct text *text =
        text_make(writer->work, writer->bytes ? writer->bytes : "", writer->length, writer->origin);
    text->origins = writer->origins;
    text->writer = writer;
    return text;
}
