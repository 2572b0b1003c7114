/* Puts the parts together: the writer, the shipper where there is a Redis, and two threads of no
 * hurry: one takes in what other processes left, one erases what is past its time. */
#include "audit/audit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "audit/chain/checkpoint.h"
#include "audit/redis/shipper.h"
#include "audit/spool/inbox.h"
#include "audit/spool/retention.h"
#include "audit/spool/writer.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

enum {
    CHECKPOINT_RECORDS = 1000,
    CHECKPOINT_MS = 1000,
    INBOX_MS = 1000,
    RETENTION_FIRST_MS = 60000,
    RETENTION_MS = 3600000,
    SHIP_MS = 3000, /* at close */
};

struct audit {
    struct audit_config config; /* its texts: directory alone, below */
    char directory[DIRECTORY_PATH_BYTES];
    struct writer *writer;
    struct shipper *_Atomic shipper; /* NULL: no Redis, or not yet */
    _Atomic uint32_t tenant_days[LIMIT_TENANTS + 1];
    pthread_mutex_t lock;
    pthread_cond_t stopping;
    atomic_bool is_stopping;
    pthread_t inbox, retention;
    struct retention_memory *retained; /* the retention thread's; NULL is fine */
    uint64_t opened_ns;
    int64_t last_unix_ms; /* of the last record then; of a new log when it was opened */
    bool has_inbox, has_retention;
};

/* ---- threads of no hurry --------------------------------------------------------------------- */

/* False: the log is being closed. */
static bool sleep_ms(struct audit *audit, uint32_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    int result = 0;
    pthread_mutex_lock(&audit->lock);
    while (!atomic_load(&audit->is_stopping) && result == 0) {
        result = pthread_cond_timedwait(&audit->stopping, &audit->lock, &until);
    }
    pthread_mutex_unlock(&audit->lock);
    return !atomic_load(&audit->is_stopping);
}

static void *take_inbox(void *argument)
{
    struct audit *audit = argument;
    do {
        (void)inbox_collect(audit->directory, audit->writer);
    } while (sleep_ms(audit, INBOX_MS));
    return NULL;
}

static int64_t read_clock(const struct audit *audit)
{
    return audit->config.now_unix_ms ? audit->config.now_unix_ms() : clock_unix_ms();
}

static void erase_by_age(struct audit *audit)
{
    uint32_t tenant_days[LIMIT_TENANTS + 1];
    for (size_t i = 0; i <= LIMIT_TENANTS; i++) {
        tenant_days[i] = atomic_load(&audit->tenant_days[i]);
    }
    struct shipper *shipper = atomic_load(&audit->shipper);
    struct shipper_facts shipped = {.acknowledged = UINT64_MAX};
    if (shipper) {
        shipper_read_facts(shipper, &shipped);
    }
    const int64_t clock_ms = read_clock(audit);
    const int64_t now_ms = retention_now(clock_ms, audit->last_unix_ms,
                                         (clock_monotonic_ns() - audit->opened_ns) / 1000000);
    if (now_ms < clock_ms) {
        log_event(LOG_LEVEL_WARN, "audit", "retention.clock_ahead",
                  "days=%lld hint=\"set the clock, or restart the server if it is right\"",
                  (long long)((clock_ms - now_ms) / 86400000));
    }
    const struct retention_terms terms = {
        .now_unix_ms = now_ms,
        .days = audit->config.retention_days,
        .tenant_days = tenant_days,
        .shipped = shipped.acknowledged,
        .stop = &audit->is_stopping,
    };
    struct retention_done done;
    struct failure failure = {.text = ""};
    const enum status status =
        retention_run(audit->directory, audit->writer, &terms, audit->retained, &done, &failure);
    if (status != STATUS_OK && status != STATUS_CANCELLED) {
        log_event(LOG_LEVEL_ERROR, "audit", "retention.failed", "status=%s failure=\"%s\"",
                  status_name(status), failure.text);
    }
    if (done.erased > 0 || done.removed_segments > 0) {
        log_event(LOG_LEVEL_INFO, "audit", "retention.done", "erased=%llu removed_segments=%llu",
                  (unsigned long long)done.erased, (unsigned long long)done.removed_segments);
    }
    if (shipper) {
        shipper_erase(shipper); /* also what a run that failed has done */
    }
}

static void *keep_retention(void *argument)
{
    struct audit *audit = argument;
    enum { OF_PROCESS = 1, IDLE_CLASS = 3, CLASS_SHIFT = 13 };
    const pid_t thread = gettid(); /* on Linux both calls mean the thread */
    (void)setpriority(PRIO_PROCESS, (id_t)thread, 19);
    (void)syscall(SYS_ioprio_set, OF_PROCESS, thread, IDLE_CLASS << CLASS_SHIFT);
    uint32_t wait_ms = RETENTION_FIRST_MS;
    while (sleep_ms(audit, wait_ms)) {
        erase_by_age(audit);
        wait_ms = RETENTION_MS;
    }
    return NULL;
}

static void stop_threads(struct audit *audit)
{
    pthread_mutex_lock(&audit->lock);
    atomic_store(&audit->is_stopping, true);
    pthread_cond_broadcast(&audit->stopping);
    pthread_mutex_unlock(&audit->lock);
    if (audit->has_inbox) {
        pthread_join(audit->inbox, NULL);
    }
    if (audit->has_retention) {
        pthread_join(audit->retention, NULL);
    }
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void wake_shipper(void *context)
{
    struct audit *audit = context;
    struct shipper *shipper = atomic_load(&audit->shipper);
    if (shipper) {
        shipper_wake(shipper);
    }
}

static enum status start_writer(struct audit *audit, struct failure *failure)
{
    const struct audit_config *config = &audit->config;
    const struct writer_config terms = {
        .directory = audit->directory,
        .keeps_in_memory = config->keeps_in_memory,
        .queue_bytes = config->queue_bytes,
        .segment_bytes = config->segment_bytes,
        .checkpoint_records = CHECKPOINT_RECORDS,
        .checkpoint_ms = CHECKPOINT_MS,
        .now_unix_ms = config->now_unix_ms,
        .wake = config->wake,
        .wake_context = config->wake_context,
        .committed = wake_shipper,
        .committed_context = audit,
    };
    const enum status status = writer_start(&terms, &audit->writer, failure);
    const int64_t found_ms = status == STATUS_OK ? writer_found_time(audit->writer) : 0;
    audit->last_unix_ms = found_ms > 0 ? found_ms : read_clock(audit);
    return status;
}

static enum status start_shipper(struct audit *audit, const struct audit_config *config,
                                 struct failure *failure)
{
    if (!config->redis_url || config->redis_url[0] == '\0') {
        return STATUS_OK;
    }
    const struct shipper_config terms = {
        .directory = audit->directory,
        .prefix = config->redis_prefix,
        .redis = {.url = config->redis_url,
                  .user = config->redis_user,
                  .password_file = config->redis_password_file,
                  .ca_file = config->redis_ca_file,
                  .require_aof = config->require_aof,
                  .only_warns = config->warns_of_unsafe_redis},
        .writer = audit->writer,
    };
    struct shipper *shipper = NULL;
    const enum status status = shipper_start(&terms, &shipper, failure);
    atomic_store(&audit->shipper, shipper);
    return status;
}

static enum status start_threads(struct audit *audit, struct failure *failure)
{
    audit->has_inbox = pthread_create(&audit->inbox, NULL, take_inbox, audit) == 0;
    audit->has_retention = pthread_create(&audit->retention, NULL, keep_retention, audit) == 0;
    return audit->has_inbox && audit->has_retention
               ? STATUS_OK
               : fail(failure, STATUS_IO, "audit: no thread can be started: raise the limits");
}

static struct audit *create(const struct audit_config *config, struct failure *failure)
{
    const size_t length = strlen(config->directory);
    struct audit *audit = calloc(1, sizeof *audit);
    if (!audit || length >= sizeof audit->directory) {
        (void)fail(failure, STATUS_IO, "audit: no memory, or %s is too long", config->directory);
        free(audit);
        return NULL;
    }
    audit->config = *config;
    audit->retained = retention_memory_create();
    audit->opened_ns = clock_monotonic_ns();
    memcpy(audit->directory, config->directory, length + 1);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&audit->lock, NULL);
    pthread_cond_init(&audit->stopping, &attributes);
    pthread_condattr_destroy(&attributes);
    return audit;
}

enum status audit_open(const struct audit_config *config, struct audit **out,
                       struct failure *failure)
{
    struct audit *audit = create(config, failure);
    if (!audit) {
        return STATUS_IO;
    }
    enum status status = start_writer(audit, failure);
    if (status == STATUS_OK) {
        status = start_shipper(audit, config, failure);
    }
    if (status == STATUS_OK) {
        status = start_threads(audit, failure);
    }
    if (status != STATUS_OK) {
        audit_close(audit);
        return status;
    }
    *out = audit;
    return STATUS_OK;
}

bool audit_close(struct audit *audit)
{
    if (!audit) {
        return true;
    }
    stop_threads(audit);
    if (audit->writer) {
        (void)writer_drain(audit->writer);
    }
    shipper_stop(atomic_load(&audit->shipper), SHIP_MS);
    const bool is_all_kept = writer_stop(audit->writer);
    retention_memory_destroy(audit->retained);
    pthread_cond_destroy(&audit->stopping);
    pthread_mutex_destroy(&audit->lock);
    free(audit);
    return is_all_kept;
}

/* ---- recording ------------------------------------------------------------------------------- */

enum status audit_append(struct audit *audit, const struct record_draft *draft, uint64_t handle,
                         struct audit_position *out)
{
    struct writer_position position = {0};
    const enum status status = writer_append(audit->writer, draft, handle, &position);
    out->value = position.value;
    return status;
}

enum audit_keeping audit_keeping(const struct audit *audit, struct audit_position position)
{
    static const enum audit_keeping of_writer[] = {
        [WRITER_WAITING] = AUDIT_WAITING, [WRITER_KEPT] = AUDIT_KEPT, [WRITER_LOST] = AUDIT_LOST};
    return of_writer[writer_keeping(audit->writer, (struct writer_position){position.value})];
}

enum status audit_wait(struct audit *audit, struct audit_position position, uint32_t timeout_ms)
{
    return writer_wait(audit->writer, (struct writer_position){position.value}, timeout_ms);
}

bool audit_is_available(const struct audit *audit)
{
    return writer_is_available(audit->writer);
}

void audit_digest_begin(const struct audit *audit, struct tenant_id tenant,
                        struct digest_stream *out)
{
    uint8_t key[DIGEST_BYTES];
    directory_tenant_key(writer_keys(audit->writer)->digest_root, tenant, key);
    digest_stream_begin(out, key);
    explicit_bzero(key, sizeof key);
}

void audit_set_retention(struct audit *audit, struct tenant_id tenant, uint32_t days)
{
    ASSERT(tenant.value <= LIMIT_TENANTS);
    atomic_store(&audit->tenant_days[tenant.value], days);
}

enum status audit_checkpoint_line(struct audit *audit, struct buffer *out)
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    const size_t bytes = writer_last_checkpoint(audit->writer, body);
    return bytes == 0 ? STATUS_NOT_FOUND : checkpoint_write_line(body, bytes, out);
}

const char *audit_directory(const struct audit *audit)
{
    return audit->directory;
}

void audit_read_facts(struct audit *audit, struct audit_facts *out)
{
    struct writer_facts writer;
    struct shipper_facts redis = {0};
    struct shipper *shipper = atomic_load(&audit->shipper);
    writer_read_facts(audit->writer, &writer);
    if (shipper) {
        shipper_read_facts(shipper, &redis);
    }
    *out = (struct audit_facts){
        .is_available = writer.is_available,
        .is_failing = writer.is_failing,
        .has_redis = shipper != NULL,
        .redis_is_shipping = shipper && redis.state == SHIPPER_SHIPPING,
        .redis_has_alarm = shipper && redis.state == SHIPPER_ALARM,
        .records = writer.records,
        .groups = writer.groups,
        .failures = writer.failures,
        .refused = writer.refused,
        .lost = writer.lost,
        .queued_bytes = writer.queued_bytes,
        .sync_us_total = writer.sync_us_total,
        .sequence = writer.sequence,
        .time_unix_ms = writer.time_unix_ms,
        .redis_acknowledged = redis.acknowledged,
        .redis_resent = redis.resent,
        .redis_reconnects = redis.reconnects,
        .redis_mismatches = redis.mismatches,
    };
    memcpy(out->redis_trouble, redis.trouble, sizeof out->redis_trouble);
}
