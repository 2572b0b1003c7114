/* Method: the examples of RFC 8949, appendix A, that records use are written and read byte for
 * byte; every other one, every longer spelling and every cut is refused. */
#include "audit/record/cbor.h"

#include <string.h>

#include "tests/check.h"

static const struct {
    enum cbor_major major;
    uint64_t argument;
    const char *bytes;
    size_t length;
} heads[] = {
    {CBOR_UINT, 0, "\x00", 1},
    {CBOR_UINT, 1, "\x01", 1},
    {CBOR_UINT, 10, "\x0a", 1},
    {CBOR_UINT, 23, "\x17", 1},
    {CBOR_UINT, 24, "\x18\x18", 2},
    {CBOR_UINT, 25, "\x18\x19", 2},
    {CBOR_UINT, 100, "\x18\x64", 2},
    {CBOR_UINT, 255, "\x18\xff", 2},
    {CBOR_UINT, 256, "\x19\x01\x00", 3},
    {CBOR_UINT, 1000, "\x19\x03\xe8", 3},
    {CBOR_UINT, 65535, "\x19\xff\xff", 3},
    {CBOR_UINT, 65536, "\x1a\x00\x01\x00\x00", 5},
    {CBOR_UINT, 1000000, "\x1a\x00\x0f\x42\x40", 5},
    {CBOR_UINT, UINT32_MAX, "\x1a\xff\xff\xff\xff", 5},
    {CBOR_UINT, 1 + (uint64_t)UINT32_MAX, "\x1b\x00\x00\x00\x01\x00\x00\x00\x00", 9},
    {CBOR_UINT, 1000000000000, "\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00", 9},
    {CBOR_UINT, UINT64_MAX, "\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    {CBOR_NEGATIVE, 0, "\x20", 1},
    {CBOR_NEGATIVE, 9, "\x29", 1},
    {CBOR_NEGATIVE, 99, "\x38\x63", 2},
    {CBOR_NEGATIVE, 999, "\x39\x03\xe7", 3},
    {CBOR_NEGATIVE, UINT64_MAX, "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    {CBOR_BYTES, 0, "\x40", 1},
    {CBOR_TEXT, 0, "\x60", 1},
    {CBOR_MAP, 0, "\xa0", 1},
};

static void heads_are_written_and_read_as_in_the_rfc(void)
{
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        uint8_t bytes[16];
        struct cbor_writer writer = {bytes, 0, sizeof bytes};
        cbor_write_head(&writer, heads[i].major, heads[i].argument);
        CHECK(writer.length == heads[i].length && !memcmp(bytes, heads[i].bytes, heads[i].length),
              "row %zu is written otherwise", i);
        enum cbor_major major;
        uint64_t argument = 0;
        for (size_t length = 0; length < heads[i].length; length++) {
            struct cbor_reader cut = {(const uint8_t *)heads[i].bytes, length, 0};
            CHECK(!cbor_read_head(&cut, &major, &argument) && cut.at == 0, "row %zu, cut", i);
        }
        struct cbor_reader reader = {(const uint8_t *)heads[i].bytes, heads[i].length, 0};
        CHECK(cbor_read_head(&reader, &major, &argument), "row %zu is refused", i);
        CHECK(major == heads[i].major && argument == heads[i].argument
                  && reader.at == heads[i].length,
              "row %zu is read otherwise", i);
    }
}

static void integers_have_two_majors(void)
{
    static const struct {
        int64_t value;
        const char *bytes;
        size_t length;
    } cases[] = {
        {0, "\x00", 1},
        {-1, "\x20", 1},
        {-10, "\x29", 1},
        {-1000, "\x39\x03\xe7", 3},
        {INT64_MAX, "\x1b\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
        {INT64_MIN, "\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[16];
        struct cbor_writer writer = {bytes, 0, sizeof bytes};
        cbor_write_int(&writer, cases[i].value);
        CHECK(writer.length == cases[i].length && !memcmp(bytes, cases[i].bytes, cases[i].length),
              "integer %zu", i);
    }
}

static void strings_and_maps_are_as_in_the_rfc(void)
{
    static const uint8_t four[] = {1, 2, 3, 4};
    static const char want[] = "\x44\x01\x02\x03\x04"
                               "\x61\x61"
                               "\x64IETF"
                               "\x62\x22\x5c"
                               "\x62\xc3\xbc"
                               "\x63\xe6\xb0\xb4"
                               "\x64\xf0\x90\x85\x91"
                               "\xa2\x01\x02\x03\x04";
    uint8_t bytes[64];
    struct cbor_writer writer = {bytes, 0, sizeof bytes};
    cbor_write_string(&writer, CBOR_BYTES, four, sizeof four);
    cbor_write_string(&writer, CBOR_TEXT, "a", 1);
    cbor_write_string(&writer, CBOR_TEXT, "IETF", 4);
    cbor_write_string(&writer, CBOR_TEXT, "\"\\", 2);
    cbor_write_string(&writer, CBOR_TEXT, "\xc3\xbc", 2);
    cbor_write_string(&writer, CBOR_TEXT, "\xe6\xb0\xb4", 3);
    cbor_write_string(&writer, CBOR_TEXT, "\xf0\x90\x85\x91", 4);
    cbor_write_head(&writer, CBOR_MAP, 2);
    cbor_write_raw(&writer, four, sizeof four);
    CHECK(writer.length == sizeof want - 1 && !memcmp(bytes, want, sizeof want - 1),
          "%zu bytes, or other ones", writer.length);
}

static void what_records_do_not_use_is_refused(void)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        /* arrays, tags, simple values, floats of appendix A */
        {"\x80", 1},
        {"\x83\x01\x02\x03", 4},
        {"\xc1\x1a\x51\x4b\x67\xb0", 6},
        {"\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00", 11},
        {"\xf4", 1},
        {"\xf5", 1},
        {"\xf6", 1},
        {"\xf7", 1},
        {"\xf8\xff", 2},
        {"\xf9\x00\x00", 3},
        {"\xfa\x47\xc3\x50\x00", 5},
        {"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", 9},
        /* indefinite lengths, the break, and what is reserved */
        {"\x5f\x42\x01\x02\xff", 5},
        {"\x7f\x61\x61\xff", 4},
        {"\x9f\xff", 2},
        {"\xbf\xff", 2},
        {"\xff", 1},
        {"\x1c", 1},
        {"\x1d", 1},
        {"\x1e", 1},
        {"\x1f", 1},
        {"\x7c", 1},
        /* longer than needed */
        {"\x18\x00", 2},
        {"\x18\x17", 2},
        {"\x19\x00\xff", 3},
        {"\x1a\x00\x00\xff\xff", 5},
        {"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", 9},
        {"\x38\x17", 2},
        {"\x58\x01\x00", 3},
        {"\x78\x17", 2},
        {"\xb8\x17", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cbor_reader reader = {(const uint8_t *)cases[i].bytes, cases[i].length, 0};
        enum cbor_major major;
        uint64_t argument = 0;
        CHECK(!cbor_read_head(&reader, &major, &argument), "row %zu is accepted", i);
        CHECK(reader.at == 0, "row %zu moved the reader", i);
    }
}

static void bytes_lie_inside(void)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct cbor_reader reader = {bytes, sizeof bytes, 1};
    CHECK(!cbor_read_bytes(&reader, 3) && !cbor_read_bytes(&reader, UINT64_MAX), "too many");
    CHECK(cbor_read_bytes(&reader, 2) == bytes + 1 && reader.at == 3, "all that is left");
    CHECK(cbor_read_bytes(&reader, 0) == bytes + 3, "nothing at the end");
}

CHECK_MAIN(heads_are_written_and_read_as_in_the_rfc, integers_have_two_majors,
           strings_and_maps_are_as_in_the_rfc, what_records_do_not_use_is_refused, bytes_lie_inside)
