/* Method: a row for each rule of the format that breaks it and nothing else, beside rows that are
 * just within it; what is accepted is written once more and must be the same bytes. */
#include "audit/record/record.h"

#include "tests/audit/record/support_record.h"
#include "tests/check.h"

static struct record record;

/* An exact copy, so that a sanitizer sees a read behind the end. */
static enum status parse(const uint8_t *bytes, size_t length)
{
    static uint8_t *copy;
    free(copy);
    copy = malloc(length ? length : 1);
    if (!copy) {
        return STATUS_IO;
    }
    memcpy(copy, bytes, length);
    return record_parse(copy, length, &record);
}

#define FIRST "01010207031b0000018bcfe5687b04020503" /* version, number, time, event, tenant_id */

static const struct {
    const char *why, *hex;
    enum status want;
} cases[] = {
    {"the least", "a5" FIRST, STATUS_OK},
    {"with a name", "a6" FIRST "066161", STATUS_OK},
    {"empty", "", STATUS_INVALID},
    {"an empty map", "a0", STATUS_INVALID},
    {"no map", "01", STATUS_INVALID},
    {"an array", "85" FIRST, STATUS_INVALID},
    {"an indefinite map", "bf" FIRST "ff", STATUS_INVALID},
    {"a longer head", "b805" FIRST, STATUS_INVALID},
    {"one pair too few", "a4" FIRST, STATUS_INVALID},
    {"one pair too many", "a6" FIRST, STATUS_INVALID},
    {"very many pairs", "bbffffffffffffffff" FIRST, STATUS_INVALID},
    {"behind the map", "a5" FIRST "00", STATUS_INVALID},
    {"no version", "a40207031b0000018bcfe5687b04020503", STATUS_INVALID},
    {"version 2", "a501020207031b0000018bcfe5687b04020503", STATUS_INVALID},
    {"no number", "a40101031b0000018bcfe5687b04020503", STATUS_INVALID},
    {"number 0", "a501010200031b0000018bcfe5687b04020503", STATUS_INVALID},
    {"no time", "a40101020704020503", STATUS_INVALID},
    {"time 0", "a501010207030004020503", STATUS_OK},
    {"the last time", "a501010207031b0000e677d21fdbff04020503", STATUS_OK},
    {"the year 10000", "a501010207031b0000e677d21fdc0004020503", STATUS_INVALID},
    {"a time below 0", "a501010207032004020503", STATUS_INVALID},
    {"no event", "a401010207031b0000018bcfe5687b0503", STATUS_INVALID},
    {"event 0", "a501010207031b0000018bcfe5687b04000503", STATUS_INVALID},
    {"an unknown event", "a501010207031b0000018bcfe5687b0419ffff0503", STATUS_OK},
    {"event 65536", "a501010207031b0000018bcfe5687b041a000100000503", STATUS_INVALID},
    {"no tenant", "a401010207031b0000018bcfe5687b0402", STATUS_INVALID},
    {"tenant 0", "a501010207031b0000018bcfe5687b04020500", STATUS_OK},
    {"the last tenant", "a501010207031b0000018bcfe5687b0402051affffffff", STATUS_OK},
    {"a tenant above", "a501010207031b0000018bcfe5687b0402051b0000000100000000", STATUS_INVALID},
    {"the server's name", "a601010207031b0000018bcfe5687b04020500066161", STATUS_INVALID},
    {"field 0", "a60000" FIRST, STATUS_INVALID},
    {"a field twice", "a7" FIRST "0d000d00", STATUS_INVALID},
    {"not in order", "a7" FIRST "0f000d00", STATUS_INVALID},
    {"a key that is a text", "a6" FIRST "616100", STATUS_INVALID},
    {"a key below 0", "a6" FIRST "2000", STATUS_INVALID},
    {"a long key", "a6" FIRST "180d00", STATUS_INVALID},
    {"a long number", "a6" FIRST "0d1817", STATUS_INVALID},
    {"UINT below 0", "a6" FIRST "0d20", STATUS_INVALID},
    {"UINT as text", "a6" FIRST "0d6161", STATUS_INVALID},
    {"E6 too large", "a6" FIRST "161b8000000000000000", STATUS_INVALID},
    {"E6 the largest", "a6" FIRST "161b7fffffffffffffff", STATUS_OK},
    {"INT the least", "a6" FIRST "181d3b7fffffffffffffff", STATUS_OK},
    {"INT too small", "a6" FIRST "181d3b8000000000000000", STATUS_INVALID},
    {"INT as bytes", "a6" FIRST "181d4100", STATUS_INVALID},
    {"an empty text", "a6" FIRST "0760", STATUS_INVALID},
    {"a text as bytes", "a6" FIRST "074161", STATUS_INVALID},
    {"a text too long", "a6" FIRST "08716161616161616161616161616161616161", STATUS_INVALID},
    {"a text's line", "a6" FIRST "07610a", STATUS_INVALID},
    {"a text's NUL", "a6" FIRST "076100", STATUS_INVALID},
    {"a text's DEL", "a6" FIRST "07617f", STATUS_INVALID},
    {"a text's NEL", "a6" FIRST "0762c285", STATUS_INVALID},
    {"a text's umlaut", "a6" FIRST "0762c3bc", STATUS_OK},
    {"half an umlaut", "a6" FIRST "0761c3", STATUS_INVALID},
    {"an overlong slash", "a6" FIRST "0762c0af", STATUS_INVALID},
    {"a surrogate", "a6" FIRST "0763eda080", STATUS_INVALID},
    {"a text cut off", "a6" FIRST "07626b", STATUS_INVALID},
    {"a text in pieces", "a6" FIRST "077f6161ff", STATUS_INVALID},
    {"a short digest", "a6" FIRST "181f4101", STATUS_INVALID},
    {"counts", "a6" FIRST "1821a2616101616201", STATUS_OK},
    {"counts by length", "a6" FIRST "1821a2617a0162616101", STATUS_OK},
    {"counts not by length", "a6" FIRST "1821a262616101617a01", STATUS_INVALID},
    {"counts not in order", "a6" FIRST "1821a2616201616101", STATUS_INVALID},
    {"counts twice", "a6" FIRST "1821a2616101616102", STATUS_INVALID},
    {"no counts", "a6" FIRST "1821a0", STATUS_INVALID},
    {"a count of 0", "a6" FIRST "1821a1616100", STATUS_INVALID},
    {"a count below 0", "a6" FIRST "1821a1616120", STATUS_INVALID},
    {"a count without a name", "a6" FIRST "1821a16001", STATUS_INVALID},
    {"a count's umlaut", "a6" FIRST "1821a162c3bc01", STATUS_INVALID},
    {"a name of 32",
     "a6" FIRST "1821a17820616161616161616161616161616161616161616161616161616161616161616101",
     STATUS_INVALID},
    {"nine reasons", "a6" FIRST "1821a9616101616201616301616401616501616601616701616801616901",
     STATUS_INVALID},
    {"a map in counts", "a6" FIRST "1821a16161a0", STATUS_INVALID},
    {"unknown UINT", "a6" FIRST "131bffffffffffffffff", STATUS_OK},
    {"unknown INT", "a6" FIRST "18243b7fffffffffffffff", STATUS_OK},
    {"unknown, too small", "a6" FIRST "18243bffffffffffffffff", STATUS_INVALID},
    {"unknown BYTES", "a6" FIRST "18434100", STATUS_OK},
    {"unknown, no bytes", "a6" FIRST "184340", STATUS_INVALID},
    {"unknown TEXT", "a6" FIRST "18436161", STATUS_OK},
    {"unknown, no text", "a6" FIRST "184360", STATUS_INVALID},
    {"unknown, a line", "a6" FIRST "1843610a", STATUS_INVALID},
    {"unknown COUNTS", "a6" FIRST "19ffffa1616101", STATUS_OK},
    {"unknown, a nested map", "a6" FIRST "1843a10101", STATUS_INVALID},
    {"unknown, long", "a6" FIRST "18431800", STATUS_INVALID},
    {"unknown, an array", "a6" FIRST "184380", STATUS_INVALID},
    {"unknown, a tag", "a6" FIRST "1843c100", STATUS_INVALID},
    {"unknown, true", "a6" FIRST "1843f5", STATUS_INVALID},
    {"field 65536", "a6" FIRST "1a0001000000", STATUS_INVALID},
};

static void every_rule_refuses(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[128];
        const size_t length = support_record_from_hex(cases[i].hex, bytes);
        CHECK(parse(bytes, length) == cases[i].want, "%s", cases[i].why);
        CHECK(cases[i].want != STATUS_OK || support_record_is_canonical(&record), "%s: canonical",
              cases[i].why);
    }
}

static void a_body_has_a_limit(void)
{
    static uint8_t large[RECORD_BODY_BYTES_MAX + 1];
    size_t length = support_record_from_hex("a6" FIRST "1843", large);
    const size_t text_bytes = RECORD_BODY_BYTES_MAX - length - 3;
    large[length++] = 0x79;
    large[length++] = (uint8_t)(text_bytes >> 8);
    large[length++] = (uint8_t)text_bytes;
    memset(large + length, 'x', text_bytes + 1);
    CHECK(parse(large, RECORD_BODY_BYTES_MAX) == STATUS_OK, "as large as may be");
    large[length - 1]++;
    CHECK(parse(large, RECORD_BODY_BYTES_MAX + 1) == STATUS_INVALID, "one more");
}

CHECK_MAIN(every_rule_refuses, a_body_has_a_limit)
