/* Method: bundles are made for random clinics and times, must prove, and must hold nothing of the
 * other clinics. Then every value of a bundle, one at a time, is changed, taken away, doubled or
 * moved: no such bundle may prove. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "audit/examine/proof.h"
#include "base/assert.h"
#include "base/random.h"
#include "tests/audit/examine/support_image.h"
#include "tests/check.h"

enum { RECORDS = 460, SEGMENT_RECORDS = 100, SEEDS = 60, LINES_MAX = 1024 };

static struct image_spool spool;
static struct image_frame frames[IMAGE_FRAMES_MAX];
static size_t frame_count;

static void make(void)
{
    const struct image_plan plan = {.seed = 6,
                                    .records = RECORDS,
                                    .segment_records = SEGMENT_RECORDS,
                                    .checkpoint_records = 30,
                                    .epoch_records = 50};
    image_make(&plan, &spool);
    frame_count = image_frames(&spool.image, frames);
}

/* Of the spool's last record, which is a checkpoint. */
static int64_t last_time(void)
{
    struct record record;
    const struct frame frame = image_parse(&spool.image, &frames[frame_count - 1]);
    const enum status status = record_parse(frame.body, frame.body_bytes, &record);
    ASSERT(status == STATUS_OK && record.event == RECORD_EVENT_CHAIN_CHECKPOINT);
    return record.time_unix_ms;
}

static struct query of_tenant(uint32_t tenant)
{
    return (struct query){.has_tenant = true, .tenant = {tenant}, .to_unix_ms = INT64_MAX};
}

/* NULL: not made. The caller's to free. */
static char *make_bundle(const struct query *query, uint64_t *count, enum status *status)
{
    struct failure failure = {""};
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    ASSERT(out);
    *status = proof_write(spool.directory, query, out, count, &failure);
    CHECK(*status == STATUS_OK || failure.text[0] != '\0', "no words");
    fclose(out);
    if (*status != STATUS_OK) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static struct verify_result check_bundle(const char *text, struct proof_summary *summary)
{
    struct verify_result result;
    struct failure failure = {""};
    const enum status status =
        proof_verify(text, strlen(text), spool.public_key, summary, &result, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    return result;
}

static bool proves(const char *text)
{
    struct proof_summary summary;
    return check_bundle(text, &summary).kind == VERIFY_INTACT;
}

/* ---- what is in it --------------------------------------------------------------------------- */

static bool holds(const char *text, const uint8_t *bytes, size_t length)
{
    char again[4096];
    sodium_bin2hex(again, sizeof again, bytes, length);
    return strstr(text, again) != NULL;
}

/* Bodies are in base64, so what a reader would see of them is looked at too. */
static struct buffer readable(const char *bundle)
{
    struct buffer text = {.limit_bytes = 16 << 20};
    ASSERT(buffer_append_text(&text, bundle) == STATUS_OK);
    for (const char *at = strstr(bundle, "{\"record\":\""); at; at = strstr(at, "{\"record\":\"")) {
        uint8_t body[RECORD_BODY_BYTES_MAX];
        size_t length = 0;
        struct record record;
        at += strlen("{\"record\":\"");
        ASSERT(sodium_base642bin(body, sizeof body, at, strcspn(at, "\""), NULL, &length, NULL,
                                 sodium_base64_VARIANT_ORIGINAL)
               == 0);
        ASSERT(record_parse(body, length, &record) == STATUS_OK);
        ASSERT(record_write_json(&record, &text) == STATUS_OK);
    }
    return text;
}

static void holds_nothing_of_others(const char *bundle, uint32_t tenant)
{
    struct buffer text = readable(bundle);
    for (uint32_t i = 1; i <= IMAGE_TENANTS; i++) {
        if (i != tenant) {
            CHECK(!strstr(text.bytes, image_tenant_names[i]), "%s in a bundle of %s",
                  image_tenant_names[i], image_tenant_names[tenant]);
        }
    }
    for (size_t i = 0; i < frame_count; i++) {
        const struct frame frame = image_parse(&spool.image, &frames[i]);
        struct record record;
        if (frame.kind != FRAME_RECORD || frame.tenant.value == tenant || frame.tenant.value == 0) {
            continue;
        }
        ASSERT(record_parse(frame.body, frame.body_bytes, &record) == STATUS_OK);
        const struct record_value *prompt = &record.fields[RECORD_FIELD_prompt_digest];
        const struct digest leaf = frame_leaf(&frame);
        CHECK(!holds(text.bytes, prompt->bytes, prompt->length), "a digest of another clinic");
        CHECK(!holds(text.bytes, leaf.bytes, sizeof leaf.bytes), "a leaf of another clinic");
    }
    buffer_destroy(&text);
}

static void every_bundle_proves(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        struct query query = of_tenant(random_below(&random, IMAGE_TENANTS + 1));
        struct proof_summary summary;
        uint64_t count = 0;
        enum status status;
        if (seed % 4 != 0) {
            query.from_unix_ms = spool.first_time_unix_ms + random_below(&random, 4000);
            query.to_unix_ms = query.from_unix_ms + 1 + random_below(&random, 2000);
        }
        if (seed % 5 == 0 && query.tenant.value > 0) {
            query.has_tenant = false;
            query.tenant_name = image_tenant_names[query.tenant.value];
        }
        char *bundle = make_bundle(&query, &count, &status);
        CHECK(status == STATUS_OK, "seed %" PRIu64 ": status %s", seed, status_name(status));
        if (!bundle) {
            continue;
        }
        const struct verify_result result = check_bundle(bundle, &summary);
        CHECK(result.kind == VERIFY_INTACT, "seed %" PRIu64 ": %s: %s", seed,
              verify_break_name(result.kind), result.text);
        CHECK(result.records == count && summary.tenant.value == query.tenant.value
                  && summary.last_number + 1 - summary.first_number == count,
              "seed %" PRIu64 ": what it says of itself", seed);
        CHECK(summary.from_unix_ms <= query.from_unix_ms
                  && (summary.to_unix_ms >= query.to_unix_ms || query.to_unix_ms == INT64_MAX
                      || summary.to_unix_ms == last_time()),
              "seed %" PRIu64 ": it covers the time that was asked for", seed);
        holds_nothing_of_others(bundle, query.tenant.value);
        free(bundle);
    }
}

static void what_is_not_there_is_told(void)
{
    uint64_t count = 0;
    enum status status;
    struct query query = of_tenant(77);
    free(make_bundle(&query, &count, &status));
    CHECK(status == STATUS_NOT_FOUND, "a tenant that never was: %s", status_name(status));
    query = of_tenant(LIMIT_TENANTS + 5);
    free(make_bundle(&query, &count, &status));
    CHECK(status == STATUS_NOT_FOUND, "an id beyond all: %s", status_name(status));
    query = (struct query){.tenant_name = "clinic-none", .to_unix_ms = INT64_MAX};
    free(make_bundle(&query, &count, &status));
    CHECK(status == STATUS_NOT_FOUND, "a name that never was: %s", status_name(status));
    query = of_tenant(1);
    query.from_unix_ms = spool.first_time_unix_ms + 1000000;
    free(make_bundle(&query, &count, &status));
    CHECK(status == STATUS_NOT_FOUND, "a time to come: %s", status_name(status));
}

/* ---- tampering ------------------------------------------------------------------------------- */

static void must_not_prove(json_t *const *lines, size_t count, const char *what, size_t line)
{
    struct buffer text = {.limit_bytes = 16 << 20};
    for (size_t i = 0; i < count; i++) {
        char *one = json_dumps(lines[i], JSON_COMPACT);
        ASSERT(one && buffer_append_text(&text, one) == STATUS_OK
               && buffer_append_text(&text, "\n") == STATUS_OK);
        free(one);
    }
    CHECK(!proves(text.length > 0 ? text.bytes : "x"), "%s, line %zu: it still proves", what, line);
    buffer_destroy(&text);
}

struct bundle {
    json_t *lines[LINES_MAX];
    size_t count;
};

static void change_text(const struct bundle *bundle, size_t line, json_t *value)
{
    char old[8192];
    const size_t length = json_string_length(value);
    ASSERT(length < sizeof old);
    memcpy(old, json_string_value(value), length + 1);
    struct random_source random = {line * 31 + length};
    for (int i = 0; i < 3 && length > 0; i++) {
        char changed[8192];
        memcpy(changed, old, length + 1);
        char *at = &changed[random_below(&random, (uint32_t)length)];
        *at = *at == 'a' ? 'b' : 'a';
        json_string_set(value, changed);
        must_not_prove(bundle->lines, bundle->count, "a character", line);
    }
    json_string_set(value, "");
    if (length > 0) {
        must_not_prove(bundle->lines, bundle->count, "an empty text", line);
    }
    json_string_set(value, old);
}

/* Every value below this one is changed once and put back. */
static void change_values(const struct bundle *bundle, size_t line, json_t *value)
{
    const char *name;
    json_t *child;
    size_t index;
    if (json_is_string(value)) {
        change_text(bundle, line, value);
    } else if (json_is_integer(value)) {
        const json_int_t old = json_integer_value(value);
        for (json_int_t by = -1; by <= 1; by += 2) {
            json_integer_set(value, old + by);
            must_not_prove(bundle->lines, bundle->count, "a number", line);
        }
        json_integer_set(value, old);
    }
    char keys[8][32];
    size_t key_count = 0;
    json_object_foreach(value, name, child)
    {
        ASSERT(key_count < 8);
        snprintf(keys[key_count++], sizeof keys[0], "%s", name);
    }
    for (size_t i = 0; i < key_count; i++) {
        child = json_incref(json_object_get(value, keys[i]));
        change_values(bundle, line, child);
        json_object_del(value, keys[i]);
        must_not_prove(bundle->lines, bundle->count, "a field less", line);
        if (!json_is_null(child)) {
            json_object_set_new(value, keys[i], json_null());
            must_not_prove(bundle->lines, bundle->count, "a field null", line);
        }
        json_object_set_new(value, keys[i], child);
    }
    if (json_is_object(value)) {
        json_object_set_new(value, "more", json_integer(1));
        must_not_prove(bundle->lines, bundle->count, "a field more", line);
        json_object_del(value, "more");
    }
    json_array_foreach(value, index, child)
    {
        change_values(bundle, line, child);
    }
    if (json_is_array(value) && json_array_size(value) > 0) {
        json_t *last = json_incref(json_array_get(value, json_array_size(value) - 1));
        json_array_append(value, last);
        must_not_prove(bundle->lines, bundle->count, "a digest more", line);
        json_array_remove(value, json_array_size(value) - 1);
        json_array_remove(value, json_array_size(value) - 1);
        must_not_prove(bundle->lines, bundle->count, "a digest less", line);
        json_array_append_new(value, last);
    }
}

static void change_lines(const struct bundle *bundle)
{
    json_t *lines[LINES_MAX + 1];
    for (size_t i = 0; i < bundle->count; i++) {
        size_t count = 0;
        for (size_t k = 0; k < bundle->count; k++) {
            if (k != i) {
                lines[count++] = bundle->lines[k];
            }
        }
        must_not_prove(lines, count, "a line less", i);
        count = 0;
        for (size_t k = 0; k < bundle->count; k++) {
            lines[count++] = bundle->lines[k];
            if (k == i) {
                lines[count++] = bundle->lines[k];
            }
        }
        must_not_prove(lines, count, "a line twice", i);
        if (i + 1 < bundle->count) {
            memcpy(lines, bundle->lines, bundle->count * sizeof lines[0]);
            lines[i] = bundle->lines[i + 1];
            lines[i + 1] = bundle->lines[i];
            must_not_prove(lines, bundle->count, "two lines swapped", i);
        }
        must_not_prove(bundle->lines, i, "cut off", i);
    }
}

static struct bundle parse(const char *text)
{
    struct bundle bundle = {.count = 0};
    for (const char *at = text; *at;) {
        const size_t length = strcspn(at, "\n");
        ASSERT(bundle.count < LINES_MAX);
        bundle.lines[bundle.count] = json_loadb(at, length, 0, NULL);
        ASSERT(bundle.lines[bundle.count++]);
        at += length + 1;
    }
    return bundle;
}

static void no_changed_bundle_proves(void)
{
    for (uint32_t tenant = 0; tenant <= IMAGE_TENANTS; tenant++) {
        struct query query = of_tenant(tenant);
        uint64_t count = 0;
        enum status status;
        query.from_unix_ms = spool.first_time_unix_ms + (tenant == 1 ? 0 : 1500);
        query.to_unix_ms = query.from_unix_ms + 700;
        char *text = make_bundle(&query, &count, &status);
        ASSERT(text && proves(text) && count > 5);
        struct bundle bundle = parse(text);
        for (size_t i = 0; i < bundle.count; i++) {
            change_values(&bundle, i, bundle.lines[i]);
        }
        change_lines(&bundle);
        for (size_t i = 0; i < bundle.count; i++) {
            json_decref(bundle.lines[i]);
        }
        free(text);
    }
}

/* A bundle is of one chain, and the key says which. */
static void another_key_proves_nothing(void)
{
    const struct query query = of_tenant(2);
    uint64_t count = 0;
    enum status status;
    char *text = make_bundle(&query, &count, &status);
    struct proof_summary summary;
    struct verify_result result;
    struct failure failure;
    uint8_t other[CHECKPOINT_KEY_BYTES];
    memcpy(other, spool.public_key, sizeof other);
    other[3] ^= 1;
    CHECK(proof_verify(text, strlen(text), other, &summary, &result, &failure) == STATUS_OK
              && result.kind == VERIFY_REWRITE,
          "another key");
    free(text);
}

/* A record of the tenant that is put in without the signing key, with its right number. */
static void one_break_of_each_kind_is_named(void)
{
    const struct query query = of_tenant(2);
    uint64_t count = 0;
    enum status status;
    char *text = make_bundle(&query, &count, &status);
    struct bundle bundle = parse(text);
    struct proof_summary summary;
    json_t *record = bundle.lines[10];
    static const enum verify_break wanted[] = {VERIFY_DELETION, VERIFY_INSERTION,
                                               VERIFY_TRUNCATION};
    for (size_t i = 0; i < 3; i++) {
        struct buffer changed = {.limit_bytes = 16 << 20};
        for (size_t k = 0; k < bundle.count - (i == 2); k++) {
            char *line = json_dumps(bundle.lines[k], JSON_COMPACT);
            for (size_t n = 0; n < (bundle.lines[k] == record ? (i == 0   ? 0
                                                                 : i == 1 ? 2
                                                                          : 1)
                                                              : 1);
                 n++) {
                ASSERT(buffer_format(&changed, "%s\n", line) == STATUS_OK);
            }
            free(line);
        }
        const struct verify_result result = check_bundle(changed.bytes, &summary);
        CHECK(result.kind == wanted[i], "%s, not %s: %s", verify_break_name(result.kind),
              verify_break_name(wanted[i]), result.text);
        buffer_destroy(&changed);
    }
    for (size_t i = 0; i < bundle.count; i++) {
        json_decref(bundle.lines[i]);
    }
    free(text);
}

static void erased_records_prove_too(void)
{
    struct image image = image_copy(&spool.image);
    const struct query query = of_tenant(3);
    struct proof_summary summary;
    uint64_t count = 0;
    uint64_t erased = 0;
    enum status status;
    for (size_t i = frame_count; i > frame_count / 2; i--) { /* backwards: places stay right */
        struct frame frame = image_parse(&spool.image, &frames[i - 1]);
        const struct digest leaf = frame_leaf(&frame);
        uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
        if (frame.kind == FRAME_RECORD && frame.tenant.value == 3 && i % 3 != 0) {
            frame.kind = FRAME_ERASED;
            frame.body = leaf.bytes;
            frame.body_bytes = sizeof leaf.bytes;
            image_splice(&image, frames[i - 1].segment, frames[i - 1].offset, frames[i - 1].bytes,
                         bytes, frame_write(&frame, bytes));
            erased++;
        }
    }
    image_write(&spool, &image);
    char *text = make_bundle(&query, &count, &status);
    ASSERT(text && erased > 10);
    const struct verify_result result = check_bundle(text, &summary);
    CHECK(result.kind == VERIFY_INTACT && result.erased == erased && summary.erased == erased, "%s",
          result.text);
    free(text);
    image_free(&image);
    image_write(&spool, &spool.image);
}

static void clean_up(void)
{
    image_remove(&spool);
}

CHECK_MAIN(make, every_bundle_proves, what_is_not_there_is_told, no_changed_bundle_proves,
           another_key_proves_nothing, one_break_of_each_kind_is_named, erased_records_prove_too,
           clean_up)
