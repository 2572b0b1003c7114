/* Method: bodies with the fault and the member that must be told; strings written and read back by
 * jansson, from all single bytes to random ones. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/utf8.h"
#include "server/json/json_body.h"
#include "server/json/json_text.h"
#include "tests/check.h"

static const struct {
    const char *body, *member, *says; /* says NULL: it is good */
} bodies[] = {
    {"{}", "", NULL},
    {" {\"a\": [1, {\"b\": \"}{][,\\\"\"}]} ", "", NULL},
    {"", "", "ends too early"},
    {"[]", "", "must be a JSON object"},
    {"5", "", "syntax"},
    {"{\"a\": 1} x", "a", "follows its end"},
    {"{\"a\": 1, \"a\": 2}", "a", "twice"},
    {"{\"a\": 1, \"b\": 1180591620717411303424, \"c\": 1}", "b", "out of range"},
    {"{\"a\": 1, \"b\": [{\"c\": 1e999}]}", "b", "out of range"},
    {"{\"a\": \"b\\u0000\"}", "a", "NUL"},
    {"{\"a\": \"\xff\"}", "a", "not UTF-8"},
    {"{\"a\": \"\\ud800\"}", "a", "syntax"},
    {"{\"a\": NaN}", "a", "syntax"},
    {"{\"a b\": NaN}", "", "syntax"},
    {"{\"a\": \"", "a", "ends too early"},
    {"{\"a\": \"\\", "a", "syntax"},
    {"{\"", "", "ends too early"},
};

static void bodies_are_parsed_or_explained(void)
{
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        json_t *value = NULL;
        struct json_body_fault fault;
        const enum status status =
            json_body_parse(bodies[i].body, strlen(bodies[i].body), &value, &fault);
        CHECK((status == STATUS_OK) == !bodies[i].says, "case %zu: %s", i, fault.failure.text);
        if (bodies[i].says) {
            CHECK(strstr(fault.failure.text, bodies[i].says), "case %zu: %s", i,
                  fault.failure.text);
            CHECK(strcmp(fault.member, bodies[i].member) == 0, "case %zu: in %s", i, fault.member);
        }
        json_decref(value);
    }
}

static bool is_taken(const char *repeated, size_t count, const char *last)
{
    struct buffer body = {.limit_bytes = 64 << 20};
    bool fits = buffer_append_text(&body, "{\"a\":") == STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        fits = fits && buffer_append_text(&body, repeated) == STATUS_OK;
    }
    fits = fits && buffer_append_text(&body, last) == STATUS_OK;
    CHECK(fits, "no memory");
    json_t *value = NULL;
    struct json_body_fault fault;
    const enum status status = json_body_parse(body.bytes, body.length, &value, &fault);
    json_decref(value);
    buffer_destroy(&body);
    return status == STATUS_OK;
}

static void bounds_hold(void)
{
    CHECK(is_taken("[", 1, "1]}"), "one array");
    char closing[100] = {0};
    memset(closing, ']', JSON_BODY_DEPTH_MAX - 1);
    closing[JSON_BODY_DEPTH_MAX - 1] = '}';
    CHECK(is_taken("[", JSON_BODY_DEPTH_MAX - 1, closing), "the greatest depth");
    CHECK(!is_taken("[", 100000, ""), "too deep");
    CHECK(!is_taken("[{\"a\":", 100000, ""), "too deep");
    CHECK(!is_taken("[1],", JSON_BODY_VALUES_MAX, "1}"), "too many");
}

static void strings_read_back(void)
{
    struct random_source random = {5};
    for (int round = 0; round < 3000; round++) {
        char bytes[40];
        size_t length = 0;
        if (round < 128) {
            bytes[length++] = (char)round;
        } else {
            while (length < 32) {
                const uint32_t limit = random_below(&random, 2) ? 0x80 : 0x11000;
                length += utf8_encode(random_below(&random, limit), bytes + length);
            }
        }
        struct buffer out = {.limit_bytes = 4096};
        struct json_text text = {.out = &out};
        json_text_string(&text, bytes, length);
        CHECK(text.status == STATUS_OK, "round %d", round);
        json_t *value = json_loadb(out.bytes, out.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        CHECK(value && json_string_length(value) == length
                  && memcmp(json_string_value(value), bytes, length) == 0,
              "round %d: %s", round, out.bytes);
        json_decref(value);
        buffer_destroy(&out);
    }
}

static void what_json_cannot_hold(void)
{
    struct buffer out = {.limit_bytes = 256};
    struct json_text text = {.out = &out};
    json_text_string(&text, "a\xff\xc3", 3);
    json_text_raw(&text, " ");
    json_text_float(&text, -1.0F / 0.0F);
    json_text_raw(&text, " ");
    json_text_float(&text, -0.1F);
    json_text_raw(&text, " ");
    json_text_integer(&text, INT64_MIN);
    CHECK(strcmp(out.bytes, "\"a\xef\xbf\xbd\xef\xbf\xbd\" -9999.0 -0.1 -9223372036854775808") == 0,
          "%s", out.bytes);
    buffer_destroy(&out);
}

static void an_error_stays(void)
{
    struct buffer out = {.limit_bytes = 4};
    struct json_text text = {.out = &out};
    json_text_raw(&text, "12345");
    json_text_raw(&text, "1");
    CHECK(text.status == STATUS_TOO_LARGE && out.length == 0, "wrote after an error");
    buffer_destroy(&out);
}

CHECK_MAIN(bodies_are_parsed_or_explained, bounds_hold, strings_read_back, what_json_cannot_hold,
           an_error_stays)
