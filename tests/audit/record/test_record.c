/* Method: bodies against one that another encoder made; every field at its limits and the largest
 * record of each event, from the tables; seeded random drafts come back as they were drafted;
 * and of every body that differs in one byte, what is not refused is the only spelling of what it
 * says. */
#include "audit/record/record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "tests/audit/record/support_record.h"
#include "tests/check.h"

static struct record_draft draft;
static struct record record;
static uint8_t body[RECORD_BODY_BYTES_MAX];
static size_t body_bytes;

/* Exact copies, so that a sanitizer sees a read behind the end. */
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

static void encode(void)
{
    body_bytes = record_encode(&draft, 7, 1700000000123, body);
    CHECK(parse(body, body_bytes) == STATUS_OK, "a draft's body is refused");
    CHECK(support_record_is_canonical(&record), "a draft's body is not canonical");
}

static void begin(void)
{
    record_draft_begin(&draft, RECORD_EVENT_REQUEST_COMPLETED, (struct tenant_id){3}, "clinic-a");
}

/* ---- against another encoder ----------------------------------------------------------------- */

/* test_record_json.c has the same record, of which this is what a draft can say. */
static const char golden[] =
    "b301010207031b0000018bcfe5687b040205030669436c696e696320c3bc07657265712d310c65612262"
    "5c630d18c80f19012c161a000aae60181a3a0016e35f181b01181d24181f582000010203040506070809"
    "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f1821a26473746f7002666c656e677468011822a3"
    "65616c6c6f771a000f424067626c6f636b3a7818186b7265646163743a6e616d65031828676f733a726f"
    "6f74182d1bffffffffffffffff";

static void draft_golden(void)
{
    uint8_t digest[32];
    for (size_t i = 0; i < sizeof digest; i++) {
        digest[i] = (uint8_t)i;
    }
    const struct record_count reasons[] = {{"length", 1}, {"stop", 1}, {"none", 0}, {"stop", 1}};
    const struct record_count decisions[] = {
        {"redact:name", 3}, {"block:x", 24}, {"allow", 1000000}};
    record_draft_begin(&draft, RECORD_EVENT_REQUEST_COMPLETED, (struct tenant_id){3},
                       "Clinic \xc3\xbc");
    record_draft_text(&draft, RECORD_FIELD_request_id, "req-1");
    record_draft_text(&draft, RECORD_FIELD_key_id, NULL);
    record_draft_text(&draft, RECORD_FIELD_model, "");
    record_draft_text(&draft, RECORD_FIELD_outcome, "a\"b\\c");
    record_draft_uint(&draft, RECORD_FIELD_http_code, 200);
    record_draft_uint(&draft, RECORD_FIELD_prompt_tokens, 300);
    record_draft_e6(&draft, RECORD_FIELD_temperature, (double)0.7F);
    record_draft_e6(&draft, RECORD_FIELD_frequency_penalty, -1.5);
    record_draft_e6(&draft, RECORD_FIELD_presence_penalty, 0.000001);
    record_draft_int(&draft, RECORD_FIELD_seed, -5);
    record_draft_bytes(&draft, RECORD_FIELD_prompt_digest, digest);
    record_draft_counts(&draft, RECORD_FIELD_finish_reasons, reasons, 4);
    record_draft_counts(&draft, RECORD_FIELD_policy_decisions, decisions, 3);
    record_draft_text(&draft, RECORD_FIELD_actor, "os:root");
    record_draft_counts(&draft, RECORD_FIELD_changes, reasons + 2, 1);
    record_draft_uint(&draft, RECORD_FIELD_count, UINT64_MAX);
}

static void another_encoder_makes_the_same_bytes(void)
{
    uint8_t want[sizeof golden / 2];
    const size_t want_bytes = support_record_from_hex(golden, want);
    draft_golden();
    encode();
    CHECK(body_bytes == want_bytes && memcmp(body, want, want_bytes) == 0, "%zu bytes, or others",
          body_bytes);
    CHECK(record.number == 7 && record.time_unix_ms == 1700000000123, "number and time");
    CHECK(record.event == RECORD_EVENT_REQUEST_COMPLETED && record.tenant.value == 3, "event");
    CHECK(strcmp(record.tenant_name, "Clinic \xc3\xbc") == 0, "tenant %s", record.tenant_name);
    CHECK(record.fields[RECORD_FIELD_temperature].integer == 700000, "temperature");
    CHECK(record.fields[RECORD_FIELD_seed].integer == -5, "seed");
    CHECK(record.fields[RECORD_FIELD_model].kind == RECORD_ABSENT, "an empty text is left out");
    char text[16];
    CHECK(strcmp(record_text(&record, RECORD_FIELD_actor, text, sizeof text), "os:root") == 0,
          "actor %s", text);
    CHECK(strcmp(record_text(&record, RECORD_FIELD_actor, text, 4), "os:") == 0, "cut: %s", text);
    CHECK(strcmp(record_text(&record, RECORD_FIELD_peer, text, sizeof text), "") == 0, "absent");
    const struct record_value *decisions = &record.fields[RECORD_FIELD_policy_decisions];
    uint64_t count = 0;
    CHECK(record_count_at(decisions, 1, text, sizeof text, &count) && count == 24
              && strcmp(text, "block:x") == 0,
          "the second decision: %s", text);
    CHECK(!record_count_at(decisions, 3, text, sizeof text, &count), "there are three");
    CHECK(!record_count_at(&record.fields[RECORD_FIELD_seed], 0, text, sizeof text, &count),
          "a number has no names");
}

/* ---- from the tables ------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    uint32_t number;
    enum record_kind kind;
    uint32_t limit;
} schema[] = {
#define FIELD(number, kind, name, bytes, help) {(number), RECORD_##kind, (bytes)},
#include "audit/record/field.def"
};
static const struct {
    unsigned number;
    const char *text;
    const char *duty;
} events[] = {
#define EVENT(number, name, text, duty) {(number), (text), #duty},
#include "audit/record/event.def"
};
/* clang-format on */
enum {
    FIELDS = sizeof schema / sizeof schema[0],
    EVENTS = sizeof events / sizeof events[0],
    FIRST_DRAFTED = 6,
    BYTES_MAX = 256
};

/* Adds the field with as much as it can hold (or, if !most, as little). */
static void add_at_limit(size_t i, bool most)
{
    const enum record_field field = (enum record_field)schema[i].number;
    uint8_t bytes[BYTES_MAX];
    char text[2 * BYTES_MAX];
    char names[32][RECORD_COUNT_NAME_BYTES];
    struct record_count counts[32];
    memset(bytes, most ? 0xff : 0, sizeof bytes);
    memset(text, 'x', sizeof text);
    text[most ? sizeof text - 1 : 1] = '\0';
    for (size_t k = 0; k < 32; k++) {
        snprintf(names[k], sizeof names[k], "%02zu", 31 - k);
        memset(names[k] + 2, 'x', most ? 29 : 0);
        names[k][most ? 31 : 2] = '\0';
        counts[k] = (struct record_count){names[k], most ? UINT64_MAX : 1};
    }
    switch (schema[i].kind) {
    case RECORD_UINT:
        record_draft_uint(&draft, field, most ? UINT64_MAX : 0);
        break;
    case RECORD_INT:
        record_draft_int(&draft, field, most ? INT64_MIN : INT64_MAX);
        break;
    case RECORD_E6:
        record_draft_e6(&draft, field, most ? -1e300 : 1e300);
        break;
    case RECORD_TEXT:
        record_draft_text(&draft, field, text);
        break;
    case RECORD_BYTES:
        record_draft_bytes(&draft, field, bytes);
        break;
    case RECORD_COUNTS:
        record_draft_counts(&draft, field, counts, most ? schema[i].limit : 1);
        break;
    case RECORD_ABSENT:
        CHECK(false, "field %u has no kind", schema[i].number);
    }
}

static bool is_at_limit(size_t i, bool most)
{
    const struct record_value *value = &record.fields[schema[i].number];
    char name[RECORD_COUNT_NAME_BYTES];
    uint64_t count = 0;
    switch (schema[i].kind) {
    case RECORD_UINT:
        return value->uint == (most ? UINT64_MAX : 0);
    case RECORD_INT:
        return value->integer == (most ? INT64_MIN : INT64_MAX);
    case RECORD_E6:
        return value->integer == (most ? -9000000000000000000 : 9000000000000000000);
    case RECORD_TEXT:
        return value->length == (most ? schema[i].limit : 1) && value->bytes[0] == 'x';
    case RECORD_BYTES:
        return value->length == schema[i].limit && value->bytes[0] == (most ? 0xff : 0);
    case RECORD_COUNTS:
        return value->uint == (most ? schema[i].limit : 1)
               && record_count_at(value, 0, name, sizeof name, &count)
               && count == (most ? UINT64_MAX : 1) && strlen(name) == (most ? 31 : 2);
    case RECORD_ABSENT:
        break;
    }
    return false;
}

static void every_field_holds_its_limits(void)
{
    for (size_t i = FIRST_DRAFTED; i < FIELDS; i++) {
        for (int most = 0; most < 2; most++) {
            begin();
            add_at_limit(i, most);
            encode();
            CHECK(record.fields[schema[i].number].kind == schema[i].kind, "field %u, kind",
                  schema[i].number);
            CHECK(is_at_limit(i, most), "field %u, most %d", schema[i].number, most);
        }
    }
}

/* README.md of audit/record: which numbers the records of an event may have, from and to. */
static const struct {
    enum record_event event;
    uint8_t ranges[12][2];
} largest[] = {
    {RECORD_EVENT_REQUEST_ACCEPTED, {{7, 11}, {15, 15}, {20, 20}, {30, 31}, {34, 35}}},
    {RECORD_EVENT_REQUEST_COMPLETED, {{7, 35}}},
    {RECORD_EVENT_REQUEST_REFUSED, {{7, 14}, {45, 46}}},
    {RECORD_EVENT_REQUEST_CANCELLED, {{7, 35}, {46, 46}}},
    {RECORD_EVENT_AUTH_FAILED, {{7, 8}, {13, 14}, {44, 45}}},
    {RECORD_EVENT_TENANT_CHANGED, {{7, 8}, {12, 12}, {40, 43}, {46, 46}}},
    {RECORD_EVENT_KEY_CREATED, {{7, 8}, {12, 12}, {40, 43}, {46, 46}}},
    {RECORD_EVENT_POLICY_CHANGED, {{7, 8}, {12, 12}, {35, 35}, {40, 43}, {46, 46}}},
    {RECORD_EVENT_CRISIS_HANDED_OFF, {{7, 7}, {12, 12}, {45, 45}}},
    {RECORD_EVENT_AUDIT_EXPORTED, {{7, 8}, {12, 12}, {40, 43}, {45, 46}}},
    {RECORD_EVENT_AUDIT_RETENTION, {{45, 46}, {52, 53}}},
    {RECORD_EVENT_AUDIT_OUTAGE, {{45, 46}, {52, 52}}},
    {RECORD_EVENT_SERVER_RECOVERED, {{11, 11}, {46, 46}, {50, 55}}},
    {RECORD_EVENT_CHAIN_CHECKPOINT, {{60, 66}}},
};

static void the_largest_record_of_each_event_fits(void)
{
    char name[RECORD_NAME_BYTES + 8];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    for (size_t k = 0; k < sizeof largest / sizeof largest[0]; k++) {
        record_draft_begin(&draft, largest[k].event, (struct tenant_id){UINT32_MAX}, name);
        for (size_t r = 0; largest[k].ranges[r][0] > 0; r++) {
            for (size_t i = 0; i < FIELDS; i++) {
                if (schema[i].number >= largest[k].ranges[r][0]
                    && schema[i].number <= largest[k].ranges[r][1]) {
                    add_at_limit(i, true);
                }
            }
        }
        body_bytes = record_encode(&draft, UINT64_MAX, INT64_MAX, body);
        CHECK(parse(body, body_bytes) == STATUS_OK, "event %u, %zu bytes", largest[k].event,
              body_bytes);
        CHECK(strlen(record.tenant_name) == 63 && record.number == UINT64_MAX, "its first six");
        CHECK(record.time_unix_ms == RECORD_SCHEMA_TIME_MAX_MS, "the time is cut");
    }
}

static void events_have_texts_and_duties(void)
{
    for (size_t i = 0; i < EVENTS; i++) {
        const enum record_event event = (enum record_event)events[i].number;
        enum record_event back = 0;
        CHECK(strcmp(record_event_text(event), events[i].text) == 0, "text of %u", event);
        CHECK(record_event_of_text(events[i].text, &back) && back == event, "%s", events[i].text);
        CHECK(record_event_opens(event) == (strcmp(events[i].duty, "OPENS") == 0), "%u", event);
    }
    enum record_event none = 0;
    CHECK(!record_event_text((enum record_event)999), "there is no event 999");
    CHECK(!record_event_opens((enum record_event)999), "an unknown one is never refused");
    CHECK(!record_event_of_text("request", &none), "half a text");
    CHECK(record_event_opens(RECORD_EVENT_REQUEST_ACCEPTED), "a request begins");
    CHECK(!record_event_opens(RECORD_EVENT_REQUEST_COMPLETED), "and ends");
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void texts_are_cleaned_and_cut(void)
{
    static const struct {
        const char *text, *want; /* of key_id, which holds 16 bytes */
    } cases[] = {
        {"0123456789abcdef", "0123456789abcdef"},
        {"0123456789abcdefg", "0123456789abcdef"},
        {"0123456789abcde\xc3\xbc", "0123456789abcde"},
        {"0123456789abcd\xc3\xbc", "0123456789abcd\xc3\xbc"},
        {"0123456789abc\xf0\x9f\xa9\xba", "0123456789abc"},
        {"a\nb\tc\x7f", "a?b?c?"},
        {"a\xc2\x80z\xc2\x9f", "a?z?"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xff\xfe", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xc3", "?"},
        {"\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85"
         "\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85\xc2\x85",
         "????????????????"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        begin();
        record_draft_text(&draft, RECORD_FIELD_key_id, cases[i].text);
        encode();
        record_text(&record, RECORD_FIELD_key_id, text, sizeof text);
        CHECK(strcmp(text, cases[i].want) == 0, "case %zu: %s", i, text);
    }
    record_draft_begin(&draft, RECORD_EVENT_SERVER_STARTED, (struct tenant_id){0}, "somebody");
    encode();
    CHECK(record.fields[RECORD_FIELD_tenant].kind == RECORD_ABSENT, "the server has no name");
    record_draft_begin(&draft, RECORD_EVENT_SERVER_STARTED, (struct tenant_id){5}, "a\r\nb");
    encode();
    CHECK(strcmp(record.tenant_name, "a??b") == 0, "tenant %s", record.tenant_name);
    record_draft_begin(&draft, RECORD_EVENT_SERVER_STARTED, (struct tenant_id){5}, NULL);
    record_draft_e6(&draft, RECORD_FIELD_top_p, (double)(0.0F / 0.0F));
    encode();
    CHECK(record.tenant_name[0] == '\0' && record.tenant.value == 5, "a tenant without a name");
    CHECK(record.fields[RECORD_FIELD_top_p].kind == RECORD_ABSENT, "no number, no field");
}

static void names_of_counts_are_cleaned_and_summed(void)
{
    const struct record_count counts[] = {
        {"z", UINT64_MAX}, {"na\xffme", 1},
        {"na\nme", 2},     {"0123456789012345678901234567890123456789", 3},
        {"z", 5},
    };
    char name[RECORD_COUNT_NAME_BYTES];
    uint64_t count = 0;
    begin();
    record_draft_counts(&draft, RECORD_FIELD_finish_reasons, counts, 5);
    encode();
    const struct record_value *value = &record.fields[RECORD_FIELD_finish_reasons];
    CHECK(value->uint == 3, "%zu names", (size_t)value->uint);
    CHECK(record_count_at(value, 0, name, sizeof name, &count) && count == UINT64_MAX, "no wrap");
    CHECK(record_count_at(value, 1, name, sizeof name, &count) && count == 3, "one name");
    CHECK(strcmp(name, "na?me") == 0, "%s", name);
    CHECK(record_count_at(value, 2, name, sizeof name, &count) && strlen(name) == 31, "cut");
}

/* ---- seeds and changes ----------------------------------------------------------------------- */

enum { SEEDS = 300, CHANGED_SEEDS = 4 };

struct model { /* what was drafted, to compare with */
    uint64_t uint;
    int64_t integer;
    uint8_t bytes[BYTES_MAX];
    char text[BYTES_MAX];
    struct record_count counts[8];
    char names[8][8];
    bool is_there;
};
static struct model models[FIELDS];

static void add_random(struct random_source *random, size_t i)
{
    const enum record_field field = (enum record_field)schema[i].number;
    struct model *model = &models[i];
    const unsigned shift = random_below(random, 64);
    model->uint = random_next(random) >> shift;
    model->integer = (int64_t)(random_next(random) >> shift) * (random_below(random, 2) ? 1 : -1);
    const size_t length = schema[i].limit ? 1 + random_below(random, schema[i].limit) : 0;
    for (size_t k = 0; k < length; k++) {
        model->text[k] = (char)(' ' + random_below(random, 95));
        model->bytes[k] = (uint8_t)random_next(random);
    }
    for (size_t k = length; k < schema[i].limit; k++) {
        model->bytes[k] = 0;
    }
    model->text[length] = '\0';
    model->is_there = true;
    if (schema[i].kind == RECORD_UINT) {
        record_draft_uint(&draft, field, model->uint);
    } else if (schema[i].kind == RECORD_INT) {
        record_draft_int(&draft, field, model->integer);
    } else if (schema[i].kind == RECORD_E6) {
        model->integer %= 1000000000;
        record_draft_e6(&draft, field, (double)model->integer / 1e6);
    } else if (schema[i].kind == RECORD_TEXT) {
        record_draft_text(&draft, field, model->text);
    } else if (schema[i].kind == RECORD_BYTES) {
        record_draft_bytes(&draft, field, model->bytes);
    } else {
        for (size_t k = 0; k < 8; k++) {
            snprintf(model->names[k], sizeof model->names[k], "%.*s%zu",
                     (int)random_below(random, 7), "zyxabc", k);
            model->counts[k] = (struct record_count){model->names[k], random_below(random, 3)};
        }
        record_draft_counts(&draft, field, model->counts, 8);
    }
}

static bool counts_are(const struct record_value *value, const struct model *model)
{
    char name[RECORD_COUNT_NAME_BYTES];
    uint64_t count = 0;
    size_t found = 0;
    size_t wanted = 0;
    for (size_t k = 0; k < 8; k++) {
        wanted += model->counts[k].count > 0;
        for (size_t i = 0; record_count_at(value, i, name, sizeof name, &count); i++) {
            found += strcmp(name, model->names[k]) == 0 && count == model->counts[k].count;
        }
    }
    return found == wanted && (wanted > 0 ? value->uint : 0) == wanted;
}

static bool is_as_drafted(size_t i)
{
    const struct record_value *value = &record.fields[schema[i].number];
    const struct model *model = &models[i];
    if (schema[i].kind == RECORD_COUNTS && model->is_there) {
        return counts_are(value, model);
    }
    if (!model->is_there) {
        return value->kind == RECORD_ABSENT;
    }
    if (schema[i].kind == RECORD_TEXT) {
        return value->length == strlen(model->text)
               && memcmp(value->bytes, model->text, value->length) == 0;
    }
    if (schema[i].kind == RECORD_BYTES) {
        return value->length == schema[i].limit
               && memcmp(value->bytes, model->bytes, value->length) == 0;
    }
    return schema[i].kind == RECORD_UINT ? value->uint == model->uint
                                         : value->integer == model->integer;
}

static void draft_random(struct random_source *random)
{
    const uint32_t one_in = 2 + random_below(random, 5);
    memset(models, 0, sizeof models);
    begin();
    for (size_t i = FIRST_DRAFTED; i < FIELDS; i++) {
        if (random_below(random, one_in) == 0
            && schema[i].number != RECORD_FIELD_policy_decisions) {
            add_random(random, i);
        }
    }
    encode();
}

static void random_drafts_come_back(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        draft_random(&random);
        for (size_t i = FIRST_DRAFTED; i < FIELDS; i++) {
            CHECK(is_as_drafted(i), "seed %zu, field %u", (size_t)seed, schema[i].number);
        }
    }
}

static void check_changed(const uint8_t *bytes, size_t length, size_t *accepted)
{
    if (parse(bytes, length) == STATUS_OK) {
        (*accepted)++;
        CHECK(support_record_is_canonical(&record), "a second spelling of %zu bytes", length);
    }
}

static void one_byte_changed_is_refused_or_canonical(void)
{
    uint8_t changed[RECORD_BODY_BYTES_MAX + 1];
    size_t accepted = 0;
    size_t tried = 0;
    for (uint64_t seed = 0; seed < CHANGED_SEEDS; seed++) {
        struct random_source random = {seed};
        draft_golden();
        encode();
        if (seed > 0) {
            draft_random(&random);
        }
        for (size_t i = 0; i < body_bytes; i++) {
            for (unsigned value = 1; value < 256; value++, tried++) {
                memcpy(changed, body, body_bytes);
                changed[i] ^= (uint8_t)value;
                check_changed(changed, body_bytes, &accepted);
            }
            CHECK(parse(body, i) == STATUS_INVALID, "cut to %zu of %zu", i, body_bytes);
            memmove(changed, body, i); /* one left out, one put in */
            memmove(changed + i, body + i + 1, body_bytes - i - 1);
            check_changed(changed, body_bytes - 1, &accepted);
            changed[i] = (uint8_t)random_next(&random);
            memmove(changed + i + 1, body + i, body_bytes - i);
            check_changed(changed, body_bytes + 1, &accepted);
        }
    }
    CHECK(accepted > 0 && accepted < tried, "%zu of %zu are accepted", accepted, tried);
}

/* ---- our own bugs ---------------------------------------------------------------------------- */

static void a_wrong_kind(void)
{
    record_draft_uint(&draft, RECORD_FIELD_model, 1);
}

static void a_field_before_the_last(void)
{
    record_draft_uint(&draft, RECORD_FIELD_prompt_tokens, 1);
    record_draft_uint(&draft, RECORD_FIELD_http_code, 1);
}

static void a_field_twice(void)
{
    record_draft_uint(&draft, RECORD_FIELD_http_code, 1);
    record_draft_uint(&draft, RECORD_FIELD_http_code, 1);
}

static void a_field_of_the_chain(void)
{
    record_draft_uint(&draft, RECORD_FIELD_number, 1);
}

static void a_field_that_is_not_there(void)
{
    record_draft_uint(&draft, (enum record_field)19, 1);
}

static void too_many_names(void)
{
    const struct record_count counts[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1},
                                          {"f", 1}, {"g", 1}, {"h", 1}, {"i", 1}};
    record_draft_counts(&draft, RECORD_FIELD_finish_reasons, counts, 9);
}

static void the_number_0(void)
{
    (void)record_encode(&draft, 0, 1, body);
}

static void our_own_bugs_end_the_process(void)
{
    void (*const bugs[])(void) = {a_wrong_kind,         a_field_before_the_last,   a_field_twice,
                                  a_field_of_the_chain, a_field_that_is_not_there, too_many_names,
                                  the_number_0};
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        begin();
        const pid_t child = fork();
        if (child == 0) {
            fclose(stderr);
            bugs[i]();
            _exit(0);
        }
        int how = 0;
        CHECK(child > 0 && waitpid(child, &how, 0) == child, "fork");
        CHECK(WIFSIGNALED(how), "bug %zu goes on", i);
    }
}

CHECK_MAIN(another_encoder_makes_the_same_bytes, every_field_holds_its_limits,
           the_largest_record_of_each_event_fits, events_have_texts_and_duties,
           texts_are_cleaned_and_cut, names_of_counts_are_cleaned_and_summed,
           random_drafts_come_back, one_byte_changed_is_refused_or_canonical,
           our_own_bugs_end_the_process)
