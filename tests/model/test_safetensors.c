/* Method: headers written by hand in front of counted bytes; a good one gives each tensor its
 * place, and each row of the table breaks one rule of the format. Every prefix of a good file is
 * refused. */
#include <stdlib.h>
#include <string.h>

#include "model/files/safetensors.h"
#include "tests/check.h"

enum { FILE_BYTES_MAX = 4096, DATA_BYTES = 32 };

/* bytes: 8-aligned, so that only offsets decide alignment. Returns the length. */
static size_t write_file(char *bytes, const char *header, size_t data_bytes)
{
    const uint64_t length = strlen(header);
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + sizeof length, header, length);
    memset(bytes + sizeof length + length, 7, data_bytes);
    return sizeof length + length + data_bytes;
}

static void pad(const char *header, char *out)
{
    const size_t length = strlen(header);
    memcpy(out, header, length);
    memset(out + length, ' ', 8 - length % 8);
    out[length + 8 - length % 8] = '\0';
}

static enum status parse(const char *header, size_t data_bytes, struct safetensors **out,
                         struct failure *failure)
{
    static _Alignas(8) char bytes[FILE_BYTES_MAX];
    char padded[FILE_BYTES_MAX];
    pad(header, padded);
    const size_t length = write_file(bytes, padded, data_bytes);
    return safetensors_parse(bytes, length, out, failure);
}

static const char good[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"b\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
    "\"empty\":{\"dtype\":\"F16\",\"shape\":[3,0],\"data_offsets\":[16,16]},"
    "\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[24,28]},"
    "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[8],\"data_offsets\":[16,24]},"
    "\"scalar\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[28,30]},"
    "\"other\":{\"dtype\":\"I16\",\"shape\":[1,1,1],\"data_offsets\":[30,32],\"more\":1}}";

static void a_good_file_gives_every_tensor_its_place(void)
{
    struct failure failure = {""};
    struct safetensors *file = NULL;
    CHECK(parse(good, DATA_BYTES, &file, &failure) == STATUS_OK, "%s", failure.text);
    if (!file) {
        return;
    }
    CHECK(safetensors_count(file) == 6, "count %zu", safetensors_count(file));
    const struct safetensors_tensor *b = safetensors_find(file, "b");
    const struct safetensors_tensor *a = safetensors_find(file, "a");
    const struct safetensors_tensor *scalar = safetensors_find(file, "scalar");
    CHECK(b && b->dtype == SAFETENSORS_F32 && b->dim_count == 2 && b->dims[1] == 2, "b");
    CHECK(a && a->dtype == SAFETENSORS_BF16 && a->bytes == 4, "a");
    CHECK(a && b && (const char *)a->data - (const char *)b->data == 24, "place of a");
    CHECK(scalar && scalar->dim_count == 0 && scalar->bytes == 2, "scalar");
    CHECK(safetensors_find(file, "mask")->dtype == SAFETENSORS_OTHER, "mask");
    CHECK(!safetensors_find(file, "c") && !safetensors_find(file, "__metadata__"), "absent");
    CHECK(strcmp(safetensors_at(file, 0)->name, "a") == 0, "order of names");
    CHECK(!safetensors_at(file, 6), "past the last");
    safetensors_destroy(file);
}

#define ONE(rest) "{\"t\":{" rest "}}"
#define F32(rest) "{\"t\":{\"dtype\":\"F32\"," rest "}}"

static const struct {
    const char *header;
    size_t data_bytes;
    const char *text;
} broken[] = {
    {F32("\"shape\":[2],\"data_offsets\":[0,8]"), 12, "after the last tensor"},
    {F32("\"shape\":[2],\"data_offsets\":[4,12]"), 12, "t: a hole"},
    {F32("\"shape\":[2],\"data_offsets\":[0,8]"), 7, "t: data_offsets reach past"},
    {F32("\"shape\":[2],\"data_offsets\":[0,9223372036854775807]"), 8, "reach past"},
    {F32("\"shape\":[2],\"data_offsets\":[0,9223372036854775808]"), 8, "whole numbers"},
    {F32("\"shape\":[2],\"data_offsets\":[8,0]"), 8, "end before they begin"},
    {F32("\"shape\":[2],\"data_offsets\":[-8,0]"), 8, "two whole numbers"},
    {F32("\"shape\":[2],\"data_offsets\":[0]"), 8, "two whole numbers"},
    {F32("\"shape\":[2],\"data_offsets\":[0,8,16]"), 8, "two whole numbers"},
    {F32("\"shape\":[2],\"data_offsets\":[0.0,8.0]"), 8, "two whole numbers"},
    {F32("\"shape\":[2],\"data_offsets\":\"0,8\""), 8, "two whole numbers"},
    {F32("\"shape\":[2]"), 8, "two whole numbers"},
    {F32("\"shape\":[3],\"data_offsets\":[0,8]"), 8, "do not match shape"},
    {F32("\"shape\":[-2],\"data_offsets\":[0,8]"), 8, "shape must hold whole numbers"},
    {F32("\"shape\":[2.0],\"data_offsets\":[0,8]"), 8, "shape must hold whole numbers"},
    {F32("\"shape\":[\"2\"],\"data_offsets\":[0,8]"), 8, "shape must hold whole numbers"},
    {F32("\"shape\":2,\"data_offsets\":[0,8]"), 8, "shape is missing or not a list"},
    {F32("\"data_offsets\":[0,8]"), 8, "shape is missing or not a list"},
    {F32("\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]"), 8, "more than 8"},
    {F32("\"shape\":[4294967296,1073741824],\"data_offsets\":[0,0]"), 0, "overflows"},
    {F32("\"shape\":[4611686018427387905],\"data_offsets\":[0,4]"), 4, "overflows"},
    {F32("\"shape\":[99999999999999999999],\"data_offsets\":[0,4]"), 4, "whole numbers"},
    {ONE("\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]"), 1, "dtype F4 is unknown"},
    {ONE("\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]"), 8, "dtype f32 is unknown"},
    {ONE("\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]"), 8, "dtype is missing"},
    {ONE("\"shape\":[2],\"data_offsets\":[0,8]"), 8, "dtype is missing"},
    {"{\"t\":[]}", 0, "t: must be an object"},
    {"{\"t\":null}", 0, "t: must be an object"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ must be an object"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__: a must be a string"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
     12, "b: data overlaps"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
     8, "data overlaps"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]}}",
     9, "b: data_offsets are not aligned"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
     "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
     2, "duplicate"},
    {"{}", 1, "after the last tensor"},
    {"[]", 0, "does not begin with {"},
    {" {}", 0, "does not begin with {"},
    {"{\"t\":", 0, "not valid JSON"},
    {"{} {}", 0, "not valid JSON"},
    {"{\"\xff\":{}}", 0, "UTF-8"},
    {"{\"t\\u0000\":{}}", 0, "not valid JSON"},
};

static void every_broken_rule_is_named(void)
{
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct failure failure = {""};
        struct safetensors *file = NULL;
        const enum status got = parse(broken[i].header, broken[i].data_bytes, &file, &failure);
        CHECK(got == STATUS_INVALID && !file, "case %zu: %s", i, status_name(got));
        CHECK(strstr(failure.text, broken[i].text), "case %zu: %s", i, failure.text);
    }
}

static void lengths_are_checked(void)
{
    static const struct {
        uint64_t header_bytes;
        enum status want;
        const char *text;
    } cases[] = {
        {0, STATUS_INVALID, "header length is 0"},
        {25, STATUS_INVALID, "longer than the file"},
        {100000000, STATUS_INVALID, "longer than the file"},
        {100000001, STATUS_TOO_LARGE, "over 100000000"},
        {UINT64_MAX, STATUS_TOO_LARGE, "over 100000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _Alignas(8) char bytes[32] = {0};
        struct failure failure = {""};
        struct safetensors *file = NULL;
        memcpy(bytes, &cases[i].header_bytes, sizeof cases[i].header_bytes);
        const enum status got = safetensors_parse(bytes, sizeof bytes, &file, &failure);
        CHECK(got == cases[i].want, "case %zu: %s", i, failure.text);
        CHECK(strstr(failure.text, cases[i].text), "case %zu: %s", i, failure.text);
    }
}

static void every_prefix_is_refused(void)
{
    static _Alignas(8) char bytes[FILE_BYTES_MAX];
    char padded[FILE_BYTES_MAX];
    pad(good, padded);
    const size_t length = write_file(bytes, padded, DATA_BYTES);
    for (size_t cut = 0; cut < length; cut++) {
        char *copy = malloc(cut ? cut : 1); /* exact, so that a sanitizer sees a byte too far */
        struct failure failure = {""};
        struct safetensors *file = NULL;
        CHECK(copy, "memory");
        memcpy(copy, bytes, cut);
        CHECK(safetensors_parse(copy, cut, &file, &failure) == STATUS_INVALID, "cut at %zu", cut);
        CHECK(failure.text[0] != '\0', "cut at %zu says nothing", cut);
        free(copy);
    }
}

CHECK_MAIN(a_good_file_gives_every_tensor_its_place, every_broken_rule_is_named,
           lengths_are_checked, every_prefix_is_refused)
