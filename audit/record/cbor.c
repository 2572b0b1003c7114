#include "audit/record/cbor.h"

#include <string.h>

#include "base/assert.h"

/* The low five bits of a head: the argument itself, or in how many bytes it follows. */
enum { INFO_BITS = 5, INFO_MASK = 31, INFO_ONE_BYTE = 24, INFO_EIGHT_BYTES = 27 };

static unsigned info_of(uint64_t argument)
{
    if (argument < INFO_ONE_BYTE) {
        return (unsigned)argument;
    }
    return argument <= UINT8_MAX    ? INFO_ONE_BYTE
           : argument <= UINT16_MAX ? INFO_ONE_BYTE + 1
           : argument <= UINT32_MAX ? INFO_ONE_BYTE + 2
                                    : INFO_EIGHT_BYTES;
}

static size_t argument_bytes(unsigned info)
{
    return info < INFO_ONE_BYTE ? 0 : (size_t)1 << (info - INFO_ONE_BYTE);
}

static uint8_t *take_room(struct cbor_writer *writer, size_t length)
{
    ASSERT(length <= writer->capacity_bytes - writer->length);
    uint8_t *place = writer->bytes + writer->length;
    writer->length += length;
    return place;
}

void cbor_write_head(struct cbor_writer *writer, enum cbor_major major, uint64_t argument)
{
    const unsigned info = info_of(argument);
    const size_t more = argument_bytes(info);
    uint8_t *place = take_room(writer, 1 + more);
    place[0] = (uint8_t)((unsigned)major << INFO_BITS | info);
    for (size_t i = more; i > 0; i--) {
        place[i] = (uint8_t)argument;
        argument >>= 8;
    }
}

void cbor_write_int(struct cbor_writer *writer, int64_t value)
{
    if (value >= 0) {
        cbor_write_head(writer, CBOR_UINT, (uint64_t)value);
    } else {
        cbor_write_head(writer, CBOR_NEGATIVE, ~(uint64_t)value); /* -1 - value */
    }
}

void cbor_write_string(struct cbor_writer *writer, enum cbor_major major, const void *bytes,
                       size_t length)
{
    ASSERT(major == CBOR_BYTES || major == CBOR_TEXT);
    cbor_write_head(writer, major, length);
    cbor_write_raw(writer, bytes, length);
}

void cbor_write_raw(struct cbor_writer *writer, const void *bytes, size_t length)
{
    uint8_t *place = take_room(writer, length);
    if (length > 0) {
        memcpy(place, bytes, length);
    }
}

bool cbor_read_head(struct cbor_reader *reader, enum cbor_major *major, uint64_t *argument)
{
    if (reader->at >= reader->length) {
        return false;
    }
    const unsigned first = reader->bytes[reader->at];
    const unsigned type = first >> INFO_BITS;
    const unsigned info = first & INFO_MASK;
    if (type > CBOR_MAP || type == CBOR_TEXT + 1 || info > INFO_EIGHT_BYTES) {
        return false;
    }
    const size_t more = argument_bytes(info);
    if (more > reader->length - reader->at - 1) {
        return false;
    }
    uint64_t value = more == 0 ? info : 0;
    for (size_t i = 1; i <= more; i++) {
        value = value << 8 | reader->bytes[reader->at + i];
    }
    if (info_of(value) != info) {
        return false;
    }
    reader->at += 1 + more;
    *major = (enum cbor_major)type;
    *argument = value;
    return true;
}

const uint8_t *cbor_read_bytes(struct cbor_reader *reader, uint64_t length)
{
    if (length > reader->length - reader->at) {
        return NULL;
    }
    const uint8_t *bytes = reader->bytes + reader->at;
    reader->at += (size_t)length;
    return bytes;
}
