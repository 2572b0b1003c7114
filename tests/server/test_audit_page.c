/* Method: a log of many small segments made frame by frame, in which tenants come often, rarely, in
 * two far places, late and never. Pages of every size, by sequence and by a tenant's own numbers,
 * with and without filters, are put together and compared with a list of what was appended. */
#include "server/admin/audit_page.h"

#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/spool/segment.h"
#include "base/random.h"
#include "tests/check.h"

enum { SEGMENTS = 14, RECORDS = 40, TENANTS = 6, ALL = SEGMENTS * RECORDS, START_MS = 1000000 };

static char directory[64];
static struct appended {
    uint32_t tenant;
    uint64_t number;
    int64_t time_unix_ms;
    enum record_event event;
} all[ALL + 1]; /* by sequence, from 1 */

/* ---- the log --------------------------------------------------------------------------------- */

/* 0 and 1 everywhere, 2 now and then, 3 in the first and the tenth segment, 4 late, 5 never. */
static uint32_t choose_tenant(struct random_source *random, int segment)
{
    const uint32_t tenant = random_below(random, 4);
    if (tenant == 2) {
        return random_below(random, 8) == 0 ? 2 : 1;
    }
    if (tenant == 1 && segment >= 11) {
        return 4;
    }
    return tenant == 3 && segment != 0 && segment != 9 ? 0 : tenant;
}

static void append(struct chain *chain, int fd, uint32_t tenant, int64_t now_unix_ms,
                   enum record_event event)
{
    static uint8_t frame[CHAIN_FRAME_BYTES_MAX];
    static uint64_t numbers[TENANTS];
    char name[16];
    struct record_draft draft;
    snprintf(name, sizeof name, "clinic-%u", tenant);
    record_draft_begin(&draft, event, (struct tenant_id){tenant}, tenant > 0 ? name : NULL);
    const size_t length = chain_append(chain, &draft, now_unix_ms, frame);
    CHECK(write(fd, frame, length) == (ssize_t)length, "write");
    all[chain->sequence] = (struct appended){tenant, ++numbers[tenant], now_unix_ms, event};
}

static void make_log(void)
{
    static const enum record_event events[] = {
        RECORD_EVENT_REQUEST_ACCEPTED, RECORD_EVENT_REQUEST_COMPLETED, RECORD_EVENT_KEY_CREATED};
    static const uint8_t key[DIGEST_BYTES] = {7};
    struct random_source random = {20261121};
    struct failure failure = {""};
    struct chain *chain = chain_create();
    char segments[128];
    int64_t now_unix_ms = START_MS;
    memcpy(directory, "/tmp/ward-page-XXXXXX", 22);
    CHECK(mkdtemp(directory) && chain, "no log");
    snprintf(segments, sizeof segments, "%s/segments", directory);
    CHECK(mkdir(segments, 0700) == 0, "mkdir");
    chain_set_key(chain, key);
    for (int i = 0; i < SEGMENTS; i++) {
        int fd = -1;
        uint64_t bytes = 0;
        CHECK(segment_create(directory, chain, &fd, &bytes, &failure) == STATUS_OK, "%s",
              failure.text);
        CHECK(lseek(fd, (off_t)bytes, SEEK_SET) == (off_t)bytes, "lseek");
        for (int j = 0; j < RECORDS; j++) {
            now_unix_ms += random_below(&random, 100);
            append(chain, fd, choose_tenant(&random, i), now_unix_ms,
                   events[random_below(&random, 3)]);
        }
        close(fd);
    }
    chain_destroy(chain);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

static void remove_log(void)
{
    nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- pages ----------------------------------------------------------------------------------- */

static bool is_expected(const struct audit_page_request *request, const struct appended *record)
{
    const struct query *query = &request->query;
    return (!query->has_tenant || record->tenant == query->tenant.value)
           && (!query->has_event || record->event == query->event)
           && record->time_unix_ms >= query->from_unix_ms
           && record->time_unix_ms < query->to_unix_ms;
}

/* Compares a page with what comes after sequence *at, which moves on. Returns next; 0: the end. */
static uint64_t check_page(const struct audit_page_request *request, uint64_t *at)
{
    struct buffer text = {.limit_bytes = AUDIT_PAGE_BYTES_MAX};
    struct failure failure = {""};
    uint32_t count = 0;
    const enum status status = audit_page_write(directory, request, &text, &count, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    json_t *page = json_loadb(text.bytes, text.length, JSON_REJECT_DUPLICATES, NULL);
    json_t *records = json_object_get(page, "records"), *record;
    CHECK(page && json_array_size(records) == count && count <= request->limit, "%s", text.bytes);
    size_t i;
    json_array_foreach(records, i, record)
    {
        do {
            (*at)++;
        } while (*at <= ALL && !is_expected(request, &all[*at]));
        const json_t *sequence = json_object_get(record, "sequence");
        CHECK(*at <= ALL
                  && json_integer_value(json_object_get(record, "number"))
                         == (json_int_t)all[*at].number,
              "not the record after %lu", *at);
        CHECK((sequence != NULL) == !request->is_own, "a sequence, or none");
        CHECK(request->is_own || json_integer_value(sequence) == (json_int_t)*at, "sequence");
    }
    const json_t *next = json_object_get(page, "next");
    char *end = NULL;
    const uint64_t told = json_is_null(next) ? 0 : strtoull(json_string_value(next), &end, 10);
    CHECK(json_is_null(next) || told > request->after, "no progress after %lu", request->after);
    CHECK(!end || (*end == '-' && strtoll(end + 1, &end, 10) == request->query.to_unix_ms && !*end),
          "the pages' end");
    json_decref(page);
    buffer_destroy(&text);
    return told;
}

static void check_pages(struct audit_page_request request)
{
    uint64_t at = 0, pages = 0;
    do {
        request.after = check_page(&request, &at);
        pages++;
    } while (request.after > 0 && pages <= ALL + SEGMENTS);
    do {
        at++;
    } while (at <= ALL && !is_expected(&request, &all[at]));
    CHECK(at > ALL && request.after == 0, "tenant %u limit %u own %d: record %lu is missing",
          request.query.tenant.value, request.limit, request.is_own, at);
}

static void check_filters(struct audit_page_request request)
{
    static const uint32_t limits[] = {1, 2, 7, 40, 1000};
    const int64_t middle = all[ALL / 2].time_unix_ms;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        request.limit = limits[i];
        for (int filters = 0; filters < 8; filters++) {
            request.query.has_event = filters & 1;
            request.query.event = RECORD_EVENT_KEY_CREATED;
            request.query.from_unix_ms = filters & 2 ? middle : 0;
            request.query.to_unix_ms = filters & 4 ? middle + 1000 : INT64_MAX;
            check_pages(request);
        }
    }
}

static void pages_of_all_make_the_log(void)
{
    check_filters((struct audit_page_request){.is_own = false});
}

static void pages_of_a_tenant_make_its_records(void)
{
    for (uint32_t tenant = 0; tenant < TENANTS; tenant++) {
        struct audit_page_request request = {.query = {.has_tenant = true, .tenant = {tenant}}};
        check_filters(request);
        request.is_own = true;
        check_filters(request);
    }
}

static void a_page_begins_where_it_is_asked_to(void)
{
    struct audit_page_request request = {
        .query = {.has_tenant = true, .tenant = {1}, .to_unix_ms = INT64_MAX},
        .is_own = true,
        .limit = 3};
    for (uint64_t sequence = 1; sequence <= ALL; sequence++) {
        uint64_t at = sequence;
        if (all[sequence].tenant == 1) {
            request.after = all[sequence].number;
            check_page(&request, &at);
        }
    }
    request.after = INT64_MAX; /* beyond all */
    uint64_t at = ALL;
    CHECK(check_page(&request, &at) == 0, "there is nothing");
}

static void damage_is_told(void)
{
    struct audit_page_request request = {
        .query = {.has_tenant = true, .tenant = {1}, .to_unix_ms = INT64_MAX},
        .is_own = true,
        .limit = 1000};
    struct buffer text = {.limit_bytes = AUDIT_PAGE_BYTES_MAX};
    struct failure failure = {""};
    char path[DIRECTORY_PATH_BYTES];
    uint32_t count = 0;
    CHECK(segment_path(directory, 7 * RECORDS + 1, path, &failure) == STATUS_OK, "path");
    FILE *file = fopen(path, "r+e");
    CHECK(file && fseek(file, 50, SEEK_SET) == 0 && fputc('x', file) != EOF && fclose(file) == 0,
          "%s", path);
    request.after = 100;
    const enum status status = audit_page_write(directory, &request, &text, &count, &failure);
    CHECK(status == STATUS_INVALID && strstr(failure.text, "ward audit verify"), "%s",
          failure.text);
    buffer_destroy(&text);
}

CHECK_MAIN(make_log, pages_of_all_make_the_log, pages_of_a_tenant_make_its_records,
           a_page_begins_where_it_is_asked_to, damage_is_told, remove_log)
