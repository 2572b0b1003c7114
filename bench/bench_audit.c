/* bench_audit.c - what the audit log costs, beside what this disk and this Redis give in the same
 * run: framing, durable records of 64 writers against a bare group-commit loop, latency against the
 * disk's own sync, shipping, verify. `bench_audit [DIRECTORY]` works in a new folder there (default
 * /var/tmp) and removes nothing of others. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/chain/checkpoint.h"
#include "audit/examine/verify.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

enum {
    WRITERS = 64,
    TENANTS = 200,
    ROUNDS = 15,
    ROUND_MS = 400,
    FRAMED_RECORDS = 300000,
    SPARSE_SAMPLES = 6000,
    SPARSE_PAUSE_US = 2000, /* most */
    SHIPPED_RECORDS = 300000,
    CHECKPOINT_RECORDS = 1000,
    PATH_BYTES = 512,
    LATENCIES_MAX = 2 * SPARSE_SAMPLES,
    WAIT_MS = 30000,
};
static const uint64_t MIB = 1 << 20;

static char folder[PATH_BYTES];
static uint32_t *latencies_us; /* [LATENCIES_MAX] */

/* Of this thread: what others take of the machine does not count. */
static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- records --------------------------------------------------------------------------------- */

/* A request.completed as the server makes it. */
static void draft_completed(struct record_draft *draft, uint64_t i)
{
    static const struct record_count finished[] = {{"stop", 1}};
    uint8_t digest[DIGEST_BYTES];
    memset(digest, (int)(i & 0xFF), sizeof digest);
    char name[RECORD_NAME_BYTES], id[RECORD_NAME_BYTES];
    const uint32_t tenant = 1 + (uint32_t)(i % TENANTS);
    snprintf(name, sizeof name, "clinic-%u", tenant);
    snprintf(id, sizeof id, "req-%016llx", (unsigned long long)(i * 0x9E3779B97F4A7C15ULL));
    record_draft_begin(draft, RECORD_EVENT_REQUEST_COMPLETED, (struct tenant_id){tenant}, name);
    record_draft_text(draft, RECORD_FIELD_request_id, id);
    record_draft_text(draft, RECORD_FIELD_key_id, "0123456789abcdef");
    record_draft_text(draft, RECORD_FIELD_route, "chat.completions");
    record_draft_text(draft, RECORD_FIELD_model, "demo-model");
    record_draft_text(draft, RECORD_FIELD_model_digest,
                      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    record_draft_text(draft, RECORD_FIELD_outcome, "completed");
    record_draft_uint(draft, RECORD_FIELD_http_code, 200);
    record_draft_uint(draft, RECORD_FIELD_prompt_tokens, 100 + i % 1000);
    record_draft_uint(draft, RECORD_FIELD_output_tokens, i % 500);
    record_draft_uint(draft, RECORD_FIELD_first_token_us, 20000 + i % 10000);
    record_draft_uint(draft, RECORD_FIELD_total_us, 900000 + i % 100000);
    record_draft_uint(draft, RECORD_FIELD_choices, 1);
    record_draft_uint(draft, RECORD_FIELD_output_tokens_max, 512);
    record_draft_e6(draft, RECORD_FIELD_temperature, 0.7);
    record_draft_e6(draft, RECORD_FIELD_top_p, 0.95);
    record_draft_int(draft, RECORD_FIELD_seed, (int64_t)i);
    record_draft_uint(draft, RECORD_FIELD_stream, 1);
    record_draft_bytes(draft, RECORD_FIELD_prompt_digest, digest);
    record_draft_bytes(draft, RECORD_FIELD_answer_digest, digest);
    record_draft_counts(draft, RECORD_FIELD_finish_reasons, finished, 1);
}

/* Draft, hash, MAC and frame of one record, its share of the checkpoints included. */
static size_t bench_framing(void)
{
    struct chain *chain = chain_create();
    ASSERT(chain != NULL);
    uint8_t key[DIGEST_BYTES] = {1}, seed[CHECKPOINT_KEY_BYTES] = {2};
    uint8_t public_key[CHECKPOINT_KEY_BYTES], secret[CHECKPOINT_SECRET_BYTES];
    crypto_sign_seed_keypair(public_key, secret, seed);
    chain_set_key(chain, key);
    static uint8_t frame[CHAIN_FRAME_BYTES_MAX];
    static struct record_draft draft;
    size_t bytes = 0;
    const double start_s = cpu_seconds();
    for (uint64_t i = 0; i < FRAMED_RECORDS; i++) {
        draft_completed(&draft, i);
        bytes = chain_append(chain, &draft, (int64_t)i, frame);
        if (i % CHECKPOINT_RECORDS == 0) {
            checkpoint_append(chain, secret, (int64_t)i, frame);
            chain_next_epoch(chain);
        }
    }
    const double us = (cpu_seconds() - start_s) * 1e6 / FRAMED_RECORDS;
    printf("draft, hash, frame       %8.2f us a record of %zu bytes, %d tenants, a checkpoint "
           "every %d (bar 5)\n",
           us, bytes, TENANTS, CHECKPOINT_RECORDS);
    chain_destroy(chain);
    return bytes;
}

/* ---- latencies ------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct percentiles {
    uint32_t p50, p99;
};

static struct percentiles percentiles_of(uint32_t *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return (struct percentiles){values[count / 2], values[count * 99 / 100]};
}

static uint32_t microseconds_since(uint64_t start_ns)
{
    return (uint32_t)((clock_monotonic_ns() - start_ns) / 1000);
}

/* ---- a bare loop ----------------------------------------------------------------------------- */

struct bare {
    int fd;
};

static void open_bare(struct bare *bare)
{
    char path[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/bare", folder);
    bare->fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT(bare->fd >= 0);
}

static uint32_t write_and_sync(struct bare *bare, size_t bytes)
{
    static uint8_t block[1 << 20];
    ASSERT(bytes <= sizeof block);
    memset(block, 'w', bytes);
    const uint64_t start_ns = clock_monotonic_ns();
    const ssize_t written = write(bare->fd, block, bytes);
    ASSERT(written == (ssize_t)bytes && fdatasync(bare->fd) == 0);
    return microseconds_since(start_ns);
}

/* Writes and syncs so many bytes again and again for a round; returns how often. */
static uint64_t run_bare(struct bare *bare, size_t bytes)
{
    uint64_t count = 0;
    const uint64_t end_ns = clock_monotonic_ns() + ROUND_MS * 1000000ULL;
    for (; clock_monotonic_ns() < end_ns; count++) {
        write_and_sync(bare, bytes);
    }
    return count;
}

/* ---- writers --------------------------------------------------------------------------------- */

/* Until it is durable; microseconds. */
static uint32_t append_and_wait(struct audit *audit, struct record_draft *draft, uint64_t i)
{
    draft_completed(draft, i);
    struct audit_position position;
    const uint64_t start_ns = clock_monotonic_ns();
    enum status status = audit_append(audit, draft, 0, &position);
    if (status == STATUS_OK) {
        status = audit_wait(audit, position, WAIT_MS);
    }
    ASSERT(status == STATUS_OK);
    return microseconds_since(start_ns);
}

struct load {
    struct audit *audit;
    uint64_t end_ns, seed, count;
};

static void *write_for_a_round(void *context)
{
    struct load *load = context;
    struct random_source random = {load->seed};
    static _Thread_local struct record_draft draft;
    for (; clock_monotonic_ns() < load->end_ns; load->count++) {
        append_and_wait(load->audit, &draft, random_next(&random));
    }
    return NULL;
}

/* Returns how many records were kept. */
static size_t run_threads(struct audit *audit, uint64_t seed)
{
    static struct load loads[WRITERS];
    pthread_t threads[WRITERS];
    const uint64_t end_ns = clock_monotonic_ns() + ROUND_MS * 1000000ULL;
    for (uint32_t i = 0; i < WRITERS; i++) {
        loads[i] = (struct load){.audit = audit, .end_ns = end_ns, .seed = seed * WRITERS + i + 1};
        ASSERT(pthread_create(&threads[i], NULL, write_for_a_round, &loads[i]) == 0);
    }
    size_t count = 0;
    for (uint32_t i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        count += loads[i].count;
    }
    return count;
}

static struct audit *open_audit(const char *redis_url)
{
    char path[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/audit", folder);
    const struct audit_config config = {.directory = path,
                                        .queue_bytes = 64 * MIB,
                                        .segment_bytes = 64 * MIB,
                                        .retention_days = 2192,
                                        .redis_url = redis_url,
                                        .redis_prefix = "ward:audit",
                                        .require_aof = true};
    struct audit *audit = NULL;
    struct failure failure = {""};
    if (audit_open(&config, &audit, &failure) != STATUS_OK) {
        fprintf(stderr, "bench_audit: %s\n", failure.text);
        exit(1);
    }
    return audit;
}

/* Rounds of both in turn; the bare loop writes groups as large as the log's own were on average. */
static void bench_commit(struct audit *audit, struct bare *bare, size_t frame_bytes)
{
    uint32_t ratios[ROUNDS], rates[ROUNDS];
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct audit_facts before, after;
        audit_read_facts(audit, &before);
        uint64_t start_ns = clock_monotonic_ns();
        const size_t count = run_threads(audit, round);
        const double ours = (double)count / (double)(clock_monotonic_ns() - start_ns) * 1e9;
        audit_read_facts(audit, &after);
        const double group =
            (double)(after.records - before.records) / (double)(after.groups - before.groups);
        start_ns = clock_monotonic_ns();
        const uint64_t syncs = run_bare(bare, (size_t)(group * (double)frame_bytes));
        const double bares =
            (double)syncs * group / (double)(clock_monotonic_ns() - start_ns) * 1e9;
        ratios[round] = (uint32_t)(100 * ours / bares);
        rates[round] = (uint32_t)ours;
    }
    qsort(ratios, ROUNDS, sizeof *ratios, compare);
    qsort(rates, ROUNDS, sizeof *rates, compare);
    printf(
        "%d writers               %8u durable records/s (least %u), %u %% of the bare loop (least "
        "%u; bar 80, or 25,000/s)\n",
        WRITERS, rates[ROUNDS / 2], rates[0], ratios[ROUNDS / 2], ratios[0]);
}

/* What a record waits on a server that is not busy, the most that it can add to a request, and a
 * sync of as many bytes, one after the other. */
static void bench_latency(struct audit *audit, struct bare *bare, size_t frame_bytes)
{
    static struct record_draft draft;
    struct random_source random = {1};
    uint32_t *const kept_us = latencies_us, *const sync_us = latencies_us + SPARSE_SAMPLES;
    for (size_t i = 0; i < SPARSE_SAMPLES; i++) {
        usleep(random_below(&random, SPARSE_PAUSE_US));
        kept_us[i] = append_and_wait(audit, &draft, random_next(&random));
        usleep(random_below(&random, SPARSE_PAUSE_US));
        sync_us[i] = write_and_sync(bare, frame_bytes);
    }
    const struct percentiles kept = percentiles_of(kept_us, SPARSE_SAMPLES);
    const struct percentiles sync = percentiles_of(sync_us, SPARSE_SAMPLES);
    printf("one writer               p50 %u us (bar 1000), p99 %u us = %.2f of the disk's own sync "
           "(p50 %u us, p99 %u us; bar 1.3)\n",
           kept.p50, kept.p99, (double)kept.p99 / (double)sync.p99, sync.p50, sync.p99);
}

/* ---- shipping and verifying ------------------------------------------------------------------ */

static pid_t start_redis(const char *socket_path)
{
    const pid_t pid = fork();
    ASSERT(pid >= 0);
    if (pid == 0) {
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_path, "--dir",
               folder, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
               "--logfile", "redis.log", "--stream-node-max-entries", "1", "--maxmemory-policy",
               "noeviction", (char *)NULL);
        fprintf(stderr, "bench_audit: redis-server cannot be started: %s\n", strerror(errno));
        _exit(127);
    }
    for (int i = 0; i < 500 && access(socket_path, F_OK) != 0; i++) {
        usleep(10000);
    }
    return pid;
}

static void fill(struct audit *audit, uint64_t count)
{
    static struct record_draft draft;
    struct audit_position position = {0};
    for (uint64_t i = 0; i < count; i++) {
        draft_completed(&draft, i);
        enum status status = audit_append(audit, &draft, 0, &position);
        while (status == STATUS_FULL || status == STATUS_UNAVAILABLE) {
            usleep(1000);
            status = audit_append(audit, &draft, 0, &position);
        }
        ASSERT(status == STATUS_OK);
        if (i % 4096 == 0) {
            ASSERT(audit_wait(audit, position, WAIT_MS) == STATUS_OK);
        }
    }
    ASSERT(audit_wait(audit, position, WAIT_MS) == STATUS_OK);
}

static void bench_shipping(void)
{
    char socket_path[PATH_BYTES + 16], url[PATH_BYTES + 32];
    snprintf(socket_path, sizeof socket_path, "%s/redis.sock", folder);
    snprintf(url, sizeof url, "unix://%s", socket_path);
    const pid_t redis = start_redis(socket_path);
    const uint64_t start_ns = clock_monotonic_ns();
    struct audit *audit = open_audit(url);
    struct audit_facts facts;
    uint64_t waits = 0;
    do {
        usleep(2000);
        audit_read_facts(audit, &facts);
    } while (facts.redis_acknowledged + 2 < facts.sequence && waits++ < 60000);
    const double seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
    printf(
        "shipping                 %8.0f records/s: %llu in %.1f s (bar 50,000), AOF everysec%s%s\n",
        (double)facts.redis_acknowledged / seconds, (unsigned long long)facts.redis_acknowledged,
        seconds, facts.redis_trouble[0] ? "; " : "", facts.redis_trouble);
    audit_close(audit);
    kill(redis, SIGTERM);
    waitpid(redis, NULL, 0);
}

static void bench_verify(void)
{
    char path[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/audit", folder);
    struct verify_result result;
    struct failure failure = {""};
    const struct verify_options options = {.public_key = NULL};
    const uint64_t start_ns = clock_monotonic_ns();
    const double start_s = cpu_seconds();
    const enum status status = verify_spool(path, &options, &result, &failure);
    const double seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
    if (status != STATUS_OK || result.kind != VERIFY_INTACT) {
        fprintf(stderr, "bench_audit: verify: %s %s\n", failure.text, result.text);
        exit(1);
    }
    const double megabytes = (double)result.bytes / 1e6;
    printf(
        "verify                   %8.0f MB/s (%.0f MB/s of this thread's CPU time; bar 200): %.0f "
        "MB, %llu records, %llu MACs\n",
        megabytes / seconds, megabytes / (cpu_seconds() - start_s), megabytes,
        (unsigned long long)result.records, (unsigned long long)result.macs_checked);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_WARN);
    snprintf(folder, sizeof folder, "%.400s/ward-bench-audit.XXXXXX",
             argc > 1 ? argv[1] : "/var/tmp");
    latencies_us = calloc(LATENCIES_MAX, sizeof *latencies_us);
    if (sodium_init() < 0 || !latencies_us || !mkdtemp(folder)) {
        fprintf(stderr, "bench_audit: %s: cannot be made: %s\n", folder, strerror(errno));
        return 1;
    }
    struct bare bare;
    open_bare(&bare);
    const size_t frame_bytes = bench_framing();
    struct audit *audit = open_audit(NULL);
    bench_commit(audit, &bare, frame_bytes);
    bench_latency(audit, &bare, frame_bytes);
    fill(audit, SHIPPED_RECORDS);
    audit_close(audit);
    close(bare.fd);
    bench_shipping();
    for (int i = 0; i < 3; i++) {
        bench_verify();
    }
    free(latencies_us);
    printf("files are in %s\n", folder);
    return 0;
}
