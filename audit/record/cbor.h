/* cbor.h - the part of CBOR that records use, deterministic (RFC 8949, 4.2.1): unsigned and
 * negative integers, byte and text strings, maps. Writers assert on room, for they write what we
 * made; readers refuse every spelling but the canonical one. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cbor_major { CBOR_UINT, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_MAP = 5 };

struct cbor_writer {
    uint8_t *bytes;
    size_t length, capacity_bytes;
};

void cbor_write_head(struct cbor_writer *writer, enum cbor_major major, uint64_t argument);
void cbor_write_int(struct cbor_writer *writer, int64_t value);
void cbor_write_string(struct cbor_writer *writer, enum cbor_major major, const void *bytes,
                       size_t length);
void cbor_write_raw(struct cbor_writer *writer, const void *bytes, size_t length);

struct cbor_reader {
    const uint8_t *bytes;
    size_t length, at;
};

/* False: cut off, not in shortest form, or a major type that records do not use. */
bool cbor_read_head(struct cbor_reader *reader, enum cbor_major *major, uint64_t *argument);

/* The bytes behind a head of BYTES or TEXT; NULL: cut off. Views live as long as the input. */
const uint8_t *cbor_read_bytes(struct cbor_reader *reader, uint64_t length);
