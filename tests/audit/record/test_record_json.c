/* Method: a body that another encoder made, fields of unknown numbers included, against the JSON
 * that it must give, which jansson must read; times against the C library's calendar. */
#include "audit/record/record.h"

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

#include "base/random.h"
#include "tests/audit/record/support_record.h"
#include "tests/check.h"

static const char golden[] =
    "b601010207031b0000018bcfe5687b040205030669436c696e696320c3bc07657265712d310c65612262"
    "5c630d18c80f19012c161a000aae60181a3a0016e35f181b01181d24181f582000010203040506070809"
    "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f1821a26473746f7002666c656e677468011822a3"
    "65616c6c6f771a000f424067626c6f636b3a7818186b7265646163743a6e616d65031824656c61746572"
    "1828676f733a726f6f74182d1bffffffffffffffff18432019012ca1616101";

static const char golden_json[] =
    "{\"version\":1,\"number\":7,\"time\":\"2023-11-14T22:13:20.123Z\","
    "\"event\":\"request.completed\",\"tenant_id\":3,\"tenant\":\"Clinic \xc3\xbc\","
    "\"request_id\":\"req-1\",\"outcome\":\"a\\\"b\\\\c\",\"http_code\":200,\"prompt_tokens\":300,"
    "\"temperature\":0.7,\"frequency_penalty\":-1.5,\"presence_penalty\":0.000001,\"seed\":-5,"
    "\"prompt_digest\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\","
    "\"finish_reasons\":{\"stop\":2,\"length\":1},"
    "\"policy_decisions\":{\"allow\":1000000,\"block:x\":24,\"redact:name\":3},"
    "\"field_36\":\"later\",\"actor\":\"os:root\",\"count\":18446744073709551615,"
    "\"field_67\":-1,\"field_300\":{\"a\":1}}";

static struct record record;
static uint8_t body[RECORD_BODY_BYTES_MAX];

static void read_golden(void)
{
    const size_t length = support_record_from_hex(golden, body);
    CHECK(record_parse(body, length, &record) == STATUS_OK, "the body is refused");
    CHECK(support_record_is_canonical(&record), "the other encoder is canonical");
}

static void a_record_is_one_object(void)
{
    struct buffer out = {.limit_bytes = 1 << 16};
    read_golden();
    CHECK(buffer_append_text(&out, "before ") == STATUS_OK, "append");
    CHECK(record_write_json(&record, &out) == STATUS_OK, "it fits");
    CHECK(strcmp(out.bytes, "before ") > 0 && strcmp(out.bytes + 7, golden_json) == 0, "%s",
          out.bytes);
    json_t *read =
        json_loads(out.bytes + 7, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    CHECK(read && json_object_size(read) == 22, "as another reader sees it");
    json_decref(read);
    buffer_destroy(&out);
}

static void a_full_buffer_is_as_before(void)
{
    read_golden();
    for (size_t limit = 4; limit < 4 + sizeof golden_json - 1; limit++) {
        struct buffer out = {.limit_bytes = limit};
        CHECK(buffer_append_text(&out, "then") == STATUS_OK, "append");
        CHECK(record_write_json(&record, &out) == STATUS_TOO_LARGE, "limit %zu", limit);
        CHECK(out.length == 4 && strcmp(out.bytes, "then") == 0, "limit %zu: %s", limit, out.bytes);
        buffer_destroy(&out);
    }
    struct buffer out = {.limit_bytes = sizeof golden_json - 1};
    CHECK(record_write_json(&record, &out) == STATUS_OK, "it just fits");
    buffer_destroy(&out);
}

static const char *json_of(const struct record_draft *draft)
{
    static struct buffer out = {.limit_bytes = 1 << 16};
    buffer_clear(&out);
    const size_t length = record_encode(draft, 1, 0, body);
    CHECK(record_parse(body, length, &record) == STATUS_OK, "a draft's body is refused");
    CHECK(record_write_json(&record, &out) == STATUS_OK, "it fits");
    return out.bytes;
}

static void fractions_are_as_short_as_can_be(void)
{
    static const struct {
        double value;
        const char *want;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-2, "-2"},
        {0.5, "0.5"},
        {-0.5, "-0.5"},
        {1.1, "1.1"},
        {0.000001, "0.000001"},
        {-0.00001, "-0.00001"},
        {0.0000004, "0"},
        {0.0000006, "0.000001"},
        {10.25, "10.25"},
        {100, "100"},
        {0.123456789, "0.123457"},
        {1e300, "9000000000000"},
        {-1e300, "-9000000000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record_draft draft;
        char want[64];
        record_draft_begin(&draft, RECORD_EVENT_SERVER_STARTED, (struct tenant_id){0}, NULL);
        record_draft_e6(&draft, RECORD_FIELD_top_p, cases[i].value);
        snprintf(want, sizeof want, "\"tenant_id\":0,\"top_p\":%s}", cases[i].want);
        CHECK(strstr(json_of(&draft), want) != NULL, "%s", json_of(&draft));
    }
}

static void an_unknown_event_has_its_number(void)
{
    struct record_draft draft;
    record_draft_begin(&draft, (enum record_event)999, (struct tenant_id){0}, NULL);
    CHECK(strstr(json_of(&draft), "\"event\":\"event_999\"") != NULL, "%s", json_of(&draft));
}

/* ---- times ----------------------------------------------------------------------------------- */

enum { SEEDS = 20000 };
static const int64_t time_max_ms = 253402300799999;

static void check_time(int64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char want[RECORD_TIME_BYTES];
    char got[RECORD_TIME_BYTES];
    gmtime_r(&seconds, &parts);
    const size_t length = strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(want + length, sizeof want - length, ".%03dZ", (int)(ms % 1000));
    record_write_time(ms, got);
    CHECK(strcmp(got, want) == 0, "%" PRId64 ": %s, not %s", ms, got, want);
    int64_t back = -1;
    CHECK(record_read_time(got, &back) == STATUS_OK && back == ms, "%s: %" PRId64, got, back);
}

static void times_are_those_of_the_calendar(void)
{
    struct random_source random = {4};
    for (int i = 0; i < SEEDS; i++) {
        check_time((int64_t)(random_next(&random) % (uint64_t)(time_max_ms + 1)));
    }
    for (int64_t day = 0; day <= time_max_ms / 86400000; day += 9 + day % 5) {
        check_time(day * 86400000);
        check_time(day * 86400000 + 86399999);
    }
    check_time(time_max_ms);
    char cut[RECORD_TIME_BYTES];
    record_write_time(-1, cut);
    CHECK(strcmp(cut, "1970-01-01T00:00:00.000Z") == 0, "%s", cut);
    record_write_time(INT64_MAX, cut);
    CHECK(strcmp(cut, "9999-12-31T23:59:59.999Z") == 0, "%s", cut);
}

static void other_spellings_are_read_or_refused(void)
{
    static const struct {
        const char *text;
        int64_t want; /* -1: refused */
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-02", 86400000},
        {"2026-11-20T10:00:00Z", 1795168800000},
        {"2024-02-29", 1709164800000},
        {"2000-02-29T23:59:59.5Z", 951868799500},
        {"1970-01-01T00:00:00.04Z", 40},
        {"1970-01-01T00:00:00.0019Z", 1},
        {"1970-01-01T00:00:00.123456789Z", 123},
        {"9999-12-31T23:59:59.999999999Z", 253402300799999},
        {"1970-01-01T00:00:00.1234567890Z", -1},
        {"", -1},
        {"1969-12-31", -1},
        {"0000-01-01", -1},
        {"10000-01-01", -1},
        {"2023-02-29", -1},
        {"2100-02-29", -1},
        {"2026-00-01", -1},
        {"2026-13-01", -1},
        {"2026-04-31", -1},
        {"2026-01-00", -1},
        {"2026-1-01", -1},
        {"2026-01-01T", -1},
        {"2026-01-01Z", -1},
        {"2026-01-01 10:00:00Z", -1},
        {"2026-01-01t10:00:00z", -1},
        {"2026-01-01T10:00Z", -1},
        {"2026-01-01T24:00:00Z", -1},
        {"2026-01-01T10:60:00Z", -1},
        {"2026-01-01T10:00:60Z", -1},
        {"2026-01-01T10:00:00", -1},
        {"2026-01-01T10:00:00.Z", -1},
        {"2026-01-01T10:00:00+01:00", -1},
        {"2026-01-01T10:00:00Z ", -1},
        {" 2026-01-01", -1},
        {"+026-01-01", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t got = -1;
        const enum status status = record_read_time(cases[i].text, &got);
        CHECK(got == cases[i].want, "%s: %" PRId64, cases[i].text, got);
        CHECK(status == (cases[i].want < 0 ? STATUS_INVALID : STATUS_OK), "%s", cases[i].text);
    }
}

CHECK_MAIN(a_record_is_one_object, a_full_buffer_is_as_before, fractions_are_as_short_as_can_be,
           an_unknown_event_has_its_number, times_are_those_of_the_calendar,
           other_spellings_are_read_or_refused)
