/* writer.h - builds one text, origins and all, in the arena. Origins take memory only once both
 * kinds are in it. What writer_text() gave stays valid and unchanged when more is appended. */
#pragma once
#include "model/template/value/text.h"

struct writer {
    struct work *work;
    char *bytes;
    uint8_t *origins; /* NULL while every byte is of `origin` */
    size_t length, capacity_bytes;
    size_t limit_bytes; /* STATUS_TOO_LARGE beyond */
    uint8_t origin;
};

struct writer *writer_create(struct work *work);
void writer_bytes(struct writer *writer, const char *bytes, size_t length, uint8_t origin);
void writer_literal(struct writer *writer, const char *bytes, uint8_t origin); /* NUL-terminated */
void writer_code_point(struct writer *writer, uint32_t code_point, uint8_t origin);
void writer_repeat(struct writer *writer, const char *bytes, size_t length, uint8_t origin,
                   size_t count);
void writer_text(struct writer *writer, const struct text *text);
void writer_slice(struct writer *writer, const struct text *text, size_t from, size_t to);
struct text *writer_done(struct writer *writer); /* everything so far */
