/* Method: the real writer. While threads append and segments change, the spool is verified again
 * and again: it must be intact each time, and hold at least what was kept before. Then retention
 * erases and removes: what it recorded is no break. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "audit/examine/verify.h"
#include "audit/spool/retention.h"
#include "audit/spool/writer.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"
#include "tests/audit/support_writer.h"
#include "tests/check.h"

enum { THREADS = 3, RECORDS_EACH = 3000, WAIT_MS = 10000 };

static struct writer *writer;
static atomic_int running;

static void *append(void *argument)
{
    (void)argument;
    for (uint64_t i = 0; i < RECORDS_EACH; i++) {
        struct record_draft draft;
        struct writer_position position;
        support_draft(&draft, RECORD_EVENT_REQUEST_COMPLETED, i, i);
        enum status status = writer_append(writer, &draft, 0, &position);
        if (status == STATUS_OK && i % 50 == 0) {
            status = writer_wait(writer, position, WAIT_MS);
        }
        ASSERT(status == STATUS_OK);
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static struct verify_result verify(const char *directory)
{
    const struct verify_options options = {0};
    struct verify_result result;
    struct failure failure = {""};
    CHECK(verify_spool(directory, &options, &result, &failure) == STATUS_OK, "%s", failure.text);
    return result;
}

static void a_live_spool_is_intact(const char *directory)
{
    pthread_t threads[THREADS];
    atomic_store(&running, THREADS);
    for (int i = 0; i < THREADS; i++) {
        ASSERT(pthread_create(&threads[i], NULL, append, NULL) == 0);
    }
    int rounds = 0;
    for (; atomic_load(&running) > 0 || rounds < 3; rounds++) {
        struct writer_facts facts;
        writer_read_facts(writer, &facts);
        const struct verify_result result = verify(directory);
        CHECK(result.kind == VERIFY_INTACT && result.is_live, "round %d: %s: %s", rounds,
              verify_break_name(result.kind), result.text);
        CHECK(result.records >= facts.sequence, "round %d: %llu of %llu", rounds,
              (unsigned long long)result.records, (unsigned long long)facts.sequence);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void what_retention_took_is_no_break(const char *directory)
{
    static const uint32_t no_days[LIMIT_TENANTS + 1];
    const struct retention_terms terms = {.now_unix_ms = clock_unix_ms() + INT64_C(864000000),
                                          .days = 1,
                                          .tenant_days = no_days,
                                          .shipped = UINT64_MAX};
    struct retention_done done;
    struct failure failure = {""};
    ASSERT(retention_run(directory, writer, &terms, NULL, &done, &failure) == STATUS_OK);
    CHECK(done.erased > 0 && done.removed_segments > 0, "there was something to take");
    const struct verify_result result = verify(directory);
    CHECK(result.kind == VERIFY_INTACT && result.first_sequence > 1, "%s: %s",
          verify_break_name(result.kind), result.text);
}

static void live(void)
{
    char directory[SUPPORT_DIRECTORY_BYTES];
    struct failure failure;
    support_directory_make(directory);
    struct writer_config config = support_writer_config(directory);
    config.segment_bytes = 100000;
    ASSERT(writer_start(&config, &writer, &failure) == STATUS_OK);
    a_live_spool_is_intact(directory);
    what_retention_took_is_no_break(directory);
    CHECK(writer_stop(writer), "all is kept");
    const struct verify_result result = verify(directory);
    CHECK(result.kind == VERIFY_INTACT && !result.is_live
              && result.last_signed == result.first_sequence + result.records - 1,
          "stopped: %s: %s", verify_break_name(result.kind), result.text);
    support_directory_remove(directory);
}

CHECK_MAIN(live)
