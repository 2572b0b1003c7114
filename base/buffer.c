#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY_BYTES = 256, READ_BYTES = 65536 };

/* Room for length more bytes and the NUL. A new block instead of realloc, so that the old bytes are
 * zeroed: buffers hold prompts. */
static enum status reserve(struct buffer *buffer, size_t length)
{
    if (length > buffer->limit_bytes || buffer->length > buffer->limit_bytes - length) {
        return STATUS_TOO_LARGE;
    }
    const size_t wanted = buffer->length + length + 1;
    if (wanted <= buffer->capacity_bytes) {
        return STATUS_OK;
    }
    size_t capacity = buffer->capacity_bytes ? buffer->capacity_bytes : FIRST_CAPACITY_BYTES;
    while (capacity < wanted) {
        capacity *= 2;
    }
    char *bytes = malloc(capacity);
    if (!bytes) {
        return STATUS_IO;
    }
    if (buffer->bytes) {
        memcpy(bytes, buffer->bytes, buffer->length + 1);
        explicit_bzero(buffer->bytes, buffer->capacity_bytes);
        free(buffer->bytes);
    }
    buffer->bytes = bytes;
    buffer->capacity_bytes = capacity;
    return STATUS_OK;
}

enum status buffer_append(struct buffer *buffer, const char *bytes, size_t length)
{
    const enum status status = reserve(buffer, length);
    if (status != STATUS_OK) {
        return status;
    }
    if (length > 0) {
        memcpy(buffer->bytes + buffer->length, bytes, length);
    }
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
    return STATUS_OK;
}

enum status buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

enum status buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    enum status status = length < 0 ? STATUS_IO : reserve(buffer, (size_t)length);
    if (status == STATUS_OK) {
        vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    return status;
}

void buffer_clear(struct buffer *buffer)
{
    if (buffer->bytes) {
        explicit_bzero(buffer->bytes, buffer->capacity_bytes);
    }
    buffer->length = 0;
}

void buffer_destroy(struct buffer *buffer)
{
    buffer_clear(buffer);
    free(buffer->bytes);
    *buffer = (struct buffer){.limit_bytes = buffer->limit_bytes};
}

enum status buffer_read_file(struct buffer *buffer, const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (!file) {
        return errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND : STATUS_IO;
    }
    enum status status = STATUS_OK;
    char chunk[READ_BYTES];
    while (status == STATUS_OK) {
        const size_t got = fread(chunk, 1, sizeof chunk, file);
        if (got == 0) {
            status = ferror(file) ? STATUS_IO : STATUS_OK;
            break;
        }
        status = buffer_append(buffer, chunk, got);
    }
    fclose(file);
    explicit_bzero(chunk, sizeof chunk);
    return status;
}
