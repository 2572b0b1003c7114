/* Method: records are marked, appended by many threads, and found again by reading the spool as
 * `ward audit verify` does: each once, in the order of their positions, each of them told kept
 * before the writer stopped. A full queue is made by holding the writer in its own callback. */
#include "audit/spool/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/audit/support_writer.h"
#include "tests/check.h"

enum { THREADS = 64, RECORDS = 150, TIMEOUT_MS = 60000 };

static char directory[SUPPORT_DIRECTORY_BYTES];
static struct failure failure;

static struct writer *start(const struct writer_config *config)
{
    struct writer *writer = NULL;
    failure.text[0] = '\0';
    CHECK(writer_start(config, &writer, &failure) == STATUS_OK, "%s", failure.text);
    if (!writer) {
        exit(1);
    }
    return writer;
}

static struct support_spool read_spool(void)
{
    struct support_spool spool;
    support_spool_read(directory, &spool);
    CHECK(spool.problem[0] == '\0', "%s", spool.problem);
    CHECK(spool.tail_bytes == 0, "%zu bytes behind the last frame", spool.tail_bytes);
    for (size_t i = 1; i < spool.count; i++) {
        CHECK(spool.entries[i].sequence == spool.entries[i - 1].sequence + 1, "gap at %zu", i);
    }
    return spool;
}

/* ---- many threads ---------------------------------------------------------------------------- */

struct appender {
    struct writer *writer;
    uint64_t index;
    uint64_t positions[RECORDS];
    uint32_t kept;
};
static atomic_uint woken[THREADS * RECORDS + 1];

static void count_wake(void *context, uint64_t handle)
{
    (void)context;
    atomic_fetch_add(&woken[handle], 1);
}

static void *append_many(void *argument)
{
    struct appender *appender = argument;
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct record_draft draft;
        struct writer_position position = {0};
        support_draft(&draft,
                      i % 2 ? RECORD_EVENT_REQUEST_COMPLETED : RECORD_EVENT_REQUEST_ACCEPTED,
                      appender->index, i);
        enum status status =
            writer_append(appender->writer, &draft, 1 + appender->index * RECORDS + i, &position);
        if (status == STATUS_OK && i % 8 == 7) { /* the others are told with this one */
            status = writer_wait(appender->writer, position, TIMEOUT_MS);
            appender->kept += writer_keeping(appender->writer, position) == WRITER_KEPT
                              && writer_is_durable(appender->writer, position);
        }
        appender->positions[i] = status == STATUS_OK ? position.value : 0;
    }
    return NULL;
}

static void check_contents(const struct appender *appenders, const struct support_spool *spool)
{
    uint64_t position = 0;
    uint64_t next[THREADS] = {0};
    for (size_t i = 0; i < spool->count; i++) {
        const struct support_entry *entry = &spool->entries[i];
        if (entry->event != RECORD_EVENT_REQUEST_ACCEPTED
            && entry->event != RECORD_EVENT_REQUEST_COMPLETED) {
            continue;
        }
        position++;
        CHECK(entry->a < THREADS && entry->b == next[entry->a], "thread %llu: %llu out of order",
              (unsigned long long)entry->a, (unsigned long long)entry->b);
        next[entry->a]++;
        CHECK(appenders[entry->a].positions[entry->b] == position, "position %llu",
              (unsigned long long)position);
        CHECK(entry->number == position && entry->tenant == 1, "number within the tenant");
    }
    CHECK(position == (uint64_t)THREADS * RECORDS, "%llu records", (unsigned long long)position);
}

static void each_record_of_each_thread_is_kept_once_and_in_order(void)
{
    static struct appender appenders[THREADS];
    pthread_t threads[THREADS];
    support_directory_make(directory);
    struct writer_config config = support_writer_config(directory);
    config.wake = count_wake;
    config.queue_bytes = 16 << 20;
    struct writer *writer = start(&config);
    for (uint64_t i = 0; i < THREADS; i++) {
        appenders[i] = (struct appender){.writer = writer, .index = i};
        CHECK(pthread_create(&threads[i], NULL, append_many, &appenders[i]) == 0, "thread");
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(appenders[i].kept == RECORDS / 8, "thread %zu: %u waits ended kept", i,
              appenders[i].kept);
    }
    CHECK(writer_drain(writer), "all kept");
    struct writer_facts facts;
    writer_read_facts(writer, &facts);
    struct support_spool spool = read_spool();
    CHECK(facts.sequence == spool.count && facts.records == spool.count, "facts: %llu of %zu",
          (unsigned long long)facts.sequence, spool.count);
    CHECK(facts.failures == 0 && facts.refused == 0 && facts.lost == 0 && facts.queued_bytes == 0,
          "nothing failed");
    CHECK(facts.groups < facts.records / 2, "%llu groups: records share their sync",
          (unsigned long long)facts.groups);
    CHECK(writer_stop(writer), "all kept, still");
    for (size_t i = 1; i <= THREADS * RECORDS; i++) {
        CHECK(atomic_load(&woken[i]) == 1, "handle %zu woken %u times", i, atomic_load(&woken[i]));
    }
    check_contents(appenders, &spool);
    support_spool_free(&spool);
    support_directory_remove(directory);
}

/* ---- checkpoints, epochs, segments ------------------------------------------------------------
 */

struct gate { /* counts groups, and can hold the writer in its callback */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t groups;
    bool is_closed, is_held;
};
static struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void pass_gate(void *context)
{
    struct gate *at = context;
    pthread_mutex_lock(&at->lock);
    at->groups++;
    at->is_held = at->is_closed;
    pthread_cond_broadcast(&at->changed);
    while (at->is_closed) {
        pthread_cond_wait(&at->changed, &at->lock);
    }
    at->is_held = false;
    pthread_mutex_unlock(&at->lock);
}

static void set_gate(bool is_closed)
{
    pthread_mutex_lock(&gate.lock);
    gate.is_closed = is_closed;
    pthread_cond_broadcast(&gate.changed);
    while (is_closed && !gate.is_held) { /* the next checkpoint comes by itself */
        pthread_cond_wait(&gate.changed, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
}

static void wait_for_groups(uint64_t more)
{
    pthread_mutex_lock(&gate.lock);
    const uint64_t until = gate.groups + more;
    while (gate.groups < until) {
        pthread_cond_wait(&gate.changed, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
}

static uint64_t append_some(struct writer *writer, enum record_event event, uint64_t count)
{
    struct writer_position position = {0};
    uint64_t taken = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct record_draft draft;
        support_draft(&draft, event, 0, i);
        taken += writer_append(writer, &draft, 0, &position) == STATUS_OK;
    }
    CHECK(taken == 0 || gate.is_closed || writer_wait(writer, position, TIMEOUT_MS) == STATUS_OK,
          "the last is kept");
    return taken;
}

static void checkpoints_come_by_count_and_by_time(void)
{
    support_directory_make(directory);
    struct writer_config config = support_writer_config(directory);
    config.checkpoint_records = 100;
    config.checkpoint_ms = 10;
    config.committed = pass_gate;
    config.committed_context = &gate;
    struct writer *writer = start(&config);
    append_some(writer, RECORD_EVENT_REQUEST_COMPLETED, 1050);
    wait_for_groups(5); /* of nothing but a checkpoint */
    uint8_t body[RECORD_BODY_BYTES_MAX];
    struct checkpoint checkpoint;
    const size_t bytes = writer_last_checkpoint(writer, body);
    CHECK(checkpoint_check(body, bytes, writer_keys(writer)->public_key, &checkpoint, &failure)
              == STATUS_OK,
          "%s", failure.text);
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    size_t since = 0, idle = 0;
    uint64_t epoch = 0;
    for (size_t i = 0; i < spool.count; i++) {
        const bool is_checkpoint = spool.entries[i].event == RECORD_EVENT_CHAIN_CHECKPOINT;
        idle += is_checkpoint && i > 0 && since == 0;
        since = is_checkpoint ? 0 : since + 1;
        CHECK(since <= config.checkpoint_records, "%zu records since a checkpoint", since);
        CHECK(spool.entries[i].epoch == epoch
                  || (spool.entries[i].epoch == epoch + 1
                      && spool.entries[i - 1].event == RECORD_EVENT_CHAIN_CHECKPOINT),
              "an epoch ends with a checkpoint");
        epoch = spool.entries[i].epoch;
    }
    CHECK(since == 0, "the last record is a checkpoint");
    CHECK(idle >= 4, "%zu checkpoints of empty intervals", idle);
    CHECK(epoch >= 4, "epoch %llu", (unsigned long long)epoch);
    support_spool_free(&spool);
    support_directory_remove(directory);
}

static void segments_end_with_a_checkpoint_and_a_restart_goes_on(void)
{
    support_directory_make(directory);
    struct writer_config config = support_writer_config(directory);
    config.segment_bytes = 40000;
    for (int round = 0; round < 3; round++) {
        struct writer *writer = start(&config);
        for (int i = 0; i < 10; i++) {
            append_some(writer, RECORD_EVENT_REQUEST_COMPLETED, 100);
        }
        struct writer_facts facts;
        writer_read_facts(writer, &facts);
        CHECK(facts.segment > 1, "segment %llu", (unsigned long long)facts.segment);
        CHECK(writer_stop(writer), "all kept");
    }
    struct support_spool spool = read_spool();
    CHECK(spool.snapshots > 6, "%zu segments", spool.snapshots);
    for (size_t i = 1; i < spool.count; i++) {
        CHECK(spool.entries[i].segment == spool.entries[i - 1].segment
                  || spool.entries[i - 1].event == RECORD_EVENT_CHAIN_CHECKPOINT,
              "segment %llu begins behind no checkpoint",
              (unsigned long long)spool.entries[i].segment);
    }
    CHECK(support_spool_count(&spool, RECORD_EVENT_REQUEST_COMPLETED) == 3000, "all are there");
    CHECK(support_spool_count(&spool, RECORD_EVENT_SERVER_RECOVERED) == 0, "clean stops");
    support_spool_free(&spool);
    support_directory_remove(directory);
}

/* ---- the queue ------------------------------------------------------------------------------- */

static void a_full_queue_keeps_half_for_records_that_close(void)
{
    support_directory_make(directory);
    struct writer_config config = support_writer_config(directory);
    config.queue_bytes = 64 << 10;
    config.committed = pass_gate;
    config.committed_context = &gate;
    struct writer *writer = start(&config);
    set_gate(true);
    const uint64_t opened = append_some(writer, RECORD_EVENT_REQUEST_ACCEPTED, 1000);
    const uint64_t closed = append_some(writer, RECORD_EVENT_REQUEST_COMPLETED, 1000);
    struct writer_facts facts;
    writer_read_facts(writer, &facts);
    CHECK(opened > 100 && closed >= opened && closed <= opened + 20, "%llu opened, %llu closed",
          (unsigned long long)opened, (unsigned long long)closed);
    CHECK(facts.refused == 1000 - opened && facts.lost == 1000 - closed, "counted");
    CHECK(facts.is_available && facts.queued_bytes <= config.queue_bytes, "no outage");
    set_gate(false);
    CHECK(writer_stop(writer), "all kept that was taken");
    struct support_spool spool = read_spool();
    CHECK(support_spool_count(&spool, RECORD_EVENT_REQUEST_ACCEPTED) == opened, "opened");
    CHECK(support_spool_count(&spool, RECORD_EVENT_REQUEST_COMPLETED) == closed, "closed");
    const struct support_entry *outage = support_spool_find(&spool, RECORD_EVENT_AUDIT_OUTAGE, 0);
    CHECK(outage && outage->count == 1000 - closed && strcmp(outage->reason, "queue_full") == 0,
          "what was lost is told");
    support_spool_free(&spool);
    support_directory_remove(directory);
}

static _Atomic int64_t fake_now_ms = 1767225600000;

static int64_t fake_now(void)
{
    return atomic_load(&fake_now_ms);
}

/* More than a group waits, so that a checkpoint comes between records of the earlier time. */
static void a_record_has_the_time_of_its_append(void)
{
    const uint64_t early = 10000;
    support_directory_make(directory);
    struct writer_config config = support_writer_config(directory);
    config.committed = pass_gate;
    config.committed_context = &gate;
    config.now_unix_ms = fake_now;
    config.checkpoint_ms = 1;
    struct writer *writer = start(&config);
    set_gate(true);
    const int64_t began_ms = fake_now();
    CHECK(append_some(writer, RECORD_EVENT_REQUEST_ACCEPTED, early) == early, "all are taken");
    atomic_fetch_add(&fake_now_ms, 600000);
    append_some(writer, RECORD_EVENT_REQUEST_COMPLETED, 1);
    set_gate(false);
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    uint64_t at_began = 0;
    for (size_t i = 0; i < spool.count; i++) {
        const struct support_entry *entry = &spool.entries[i];
        at_began +=
            entry->event == RECORD_EVENT_REQUEST_ACCEPTED && entry->time_unix_ms == began_ms;
    }
    CHECK(at_began == early, "%llu have the time they were appended at",
          (unsigned long long)at_began);
    const struct support_entry *late =
        support_spool_find(&spool, RECORD_EVENT_REQUEST_COMPLETED, 0);
    CHECK(late && late->time_unix_ms == began_ms + 600000, "ten minutes later");
    support_spool_free(&spool);
    support_directory_remove(directory);
}

static void one_process_writes_and_a_drained_writer_takes_nothing(void)
{
    support_directory_make(directory);
    const struct writer_config config = support_writer_config(directory);
    struct writer *writer = start(&config), *second = NULL;
    CHECK(writer_start(&config, &second, &failure) == STATUS_FULL, "the lock");
    append_some(writer, RECORD_EVENT_REQUEST_ACCEPTED, 3);
    CHECK(writer_drain(writer) && writer_drain(writer), "all kept");
    struct record_draft draft;
    struct writer_position position = {0};
    support_draft(&draft, RECORD_EVENT_REQUEST_COMPLETED, 0, 0);
    CHECK(writer_append(writer, &draft, 0, &position) == STATUS_UNAVAILABLE, "drained");
    CHECK(writer_keeping(writer, (struct writer_position){3}) == WRITER_KEPT, "still asked for");
    CHECK(writer_wait(writer, (struct writer_position){4}, 0) == STATUS_TIMEOUT, "never appended");
    CHECK(writer_stop(writer), "all kept");
    CHECK(writer_stop(NULL), "nothing to stop");
    support_directory_remove(directory);
}

CHECK_MAIN(each_record_of_each_thread_is_kept_once_and_in_order,
           checkpoints_come_by_count_and_by_time,
           segments_end_with_a_checkpoint_and_a_restart_goes_on,
           a_full_queue_keeps_half_for_records_that_close, a_record_has_the_time_of_its_append,
           one_process_writes_and_a_drained_writer_takes_nothing)
