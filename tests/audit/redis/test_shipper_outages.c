/* Method: writers append all the time while Redis is killed, restarted, paused, cut off in the
 * middle of a reply, full, a replica, changes its password or slows down, by a seed; then all that
 * it holds is compared with all of the spool: nothing is missing, nothing is there twice.
 * WARD_OUTAGES=100 does a hundred (default 16), WARD_SEED another order. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/random.h"
#include "tests/audit/redis/support_shipping.h"
#include "tests/check.h"

enum {
    OUTAGES = 16,
    WRITERS = 2,
    BURST = 10,
    BURST_PAUSE_US = 4000,
    REPLY_BYTES_MAX = 20000,
    LOST_BYTES_MAX = 60000,
    ROOM_BYTES_MAX = 400000,
    MS = 1000,
};

static struct shipping shipping;
static struct support_proxy proxy;
static struct random_source chance;
static atomic_bool is_over;

static void pause_us(uint32_t us)
{
    const struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    nanosleep(&time, NULL);
}

static void pause_up_to(uint32_t ms)
{
    pause_us(random_below(&chance, ms * MS));
}

static void must(const char *command)
{
    CHECK(support_redis_do(&shipping.redis, command), "%s", command);
}

/* ---- outages --------------------------------------------------------------------------------- */

static void kill_it(void)
{
    support_redis_stop(&shipping.redis, SIGKILL);
    pause_up_to(300);
    support_redis_start(&shipping.redis);
}

static void kill_it_and_lose_the_tail(void)
{
    support_redis_stop(&shipping.redis, SIGKILL);
    support_redis_lose(&shipping.redis, (off_t)random_below(&chance, LOST_BYTES_MAX));
    support_redis_start(&shipping.redis);
}

static void restart_it(void)
{
    support_redis_stop(&shipping.redis, SIGTERM);
    support_redis_start(&shipping.redis);
}

static void pause_it(void)
{
    CHECK(kill(shipping.redis.pid, SIGSTOP) == 0, "paused");
    pause_up_to(900); /* a reply is waited for 500 ms */
    CHECK(kill(shipping.redis.pid, SIGCONT) == 0, "goes on");
}

static void cut_it_off(void)
{
    const uint64_t before = shipping_facts(&shipping).reconnects;
    atomic_store(&proxy.cut_after, (long)random_below(&chance, REPLY_BYTES_MAX));
    for (int i = 0; i < 5000 && shipping_facts(&shipping).reconnects == before; i++) {
        pause_us(MS);
    }
    atomic_store(&proxy.cut_after, -1);
}

static void fill_it(void)
{
    must("CONFIG SET maxmemory 1");
    shipping_wait_trouble(&shipping, "full");
    pause_up_to(200);
    must("CONFIG SET maxmemory 0");
}

/* So little above what is used that some writes are refused and others taken. */
static void nearly_fill_it(void)
{
    redisReply *memory = support_redis_ask(&shipping.redis, "INFO memory");
    const char *used = memory ? strstr(memory->str, "used_memory:") : NULL;
    CHECK(used, "Redis tells its memory");
    const long bytes = used ? strtol(used + strlen("used_memory:"), NULL, 10) : 0;
    freeReplyObject(memory);
    CHECK(support_redis_do(&shipping.redis, "CONFIG SET maxmemory %ld",
                           bytes + (long)random_below(&chance, ROOM_BYTES_MAX)),
          "maxmemory");
    pause_up_to(500);
    must("CONFIG SET maxmemory 0");
}

static void make_it_a_replica(void)
{
    must("REPLICAOF 127.0.0.1 1");
    shipping_wait_trouble(&shipping, "replica");
    pause_up_to(200);
    must("REPLICAOF NO ONE");
}

static void change_its_password(void)
{
    must("CONFIG SET requirepass another-one");
    shipping.redis.password = "another-one";
    must("CLIENT KILL TYPE normal");
    shipping_wait_state(&shipping, SHIPPER_REFUSED);
    must("ACL SETUSER default nopass");
    shipping.redis.password = NULL;
}

static void slow_it_down(void)
{
    atomic_store(&proxy.piece_bytes, 1 + random_below(&chance, 4000));
    atomic_store(&proxy.delay_us, 2 * MS);
    pause_up_to(900);
    atomic_store(&proxy.delay_us, 0);
    atomic_store(&proxy.piece_bytes, UINT32_MAX);
}

static void hold_its_clients(void)
{
    must("CLIENT PAUSE 700");
    pause_us(700 * MS);
}

static const struct {
    const char *name;
    void (*happens)(void);
} outages[] = {
    {"kill", kill_it},
    {"kill and lose the tail", kill_it_and_lose_the_tail},
    {"restart", restart_it},
    {"pause", pause_it},
    {"cut off", cut_it_off},
    {"full", fill_it},
    {"nearly full", nearly_fill_it},
    {"replica", make_it_a_replica},
    {"password", change_its_password},
    {"slow", slow_it_down},
    {"client pause", hold_its_clients},
};
enum { KINDS = sizeof outages / sizeof outages[0] };

/* ---- the run --------------------------------------------------------------------------------- */

static void *write_records(void *unused)
{
    while (!atomic_load(&is_over)) {
        shipping_append(&shipping, BURST);
        pause_us(BURST_PAUSE_US);
    }
    return unused;
}

static long number_from(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

/* Each kind in turn from a random one on, so that a short run has met them all. */
static void run(long count)
{
    const uint32_t first = random_below(&chance, KINDS);
    for (long i = 0; i < count; i++) {
        const size_t kind = (first + (size_t)i) % KINDS;
        fprintf(stderr, "outage %ld: %s\n", i + 1, outages[kind].name);
        outages[kind].happens();
        shipping_wait_all(&shipping);
        pause_up_to(50);
    }
}

int main(void)
{
    pthread_t writers[WRITERS];
    support_redis_need();
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERROR);
    chance.state = (uint64_t)number_from("WARD_SEED", 1);
    fprintf(stderr, "seed %llu\n", (unsigned long long)chance.state);
    shipping_make(&shipping);
    support_proxy_start(&proxy, &shipping.redis);
    shipping.config.redis.url = proxy.url;
    CHECK(shipping_start(&shipping) == STATUS_OK, "%s", shipping.failure.text);
    for (int i = 0; i < WRITERS; i++) {
        CHECK(pthread_create(&writers[i], NULL, write_records, NULL) == 0, "a writer");
    }
    run(number_from("WARD_OUTAGES", OUTAGES));
    atomic_store(&is_over, true);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    shipping_wait_all(&shipping);
    const struct shipper_facts facts = shipping_facts(&shipping);
    const uint64_t count = shipping_compare(&shipping);
    CHECK(count > shipping.appended && facts.mismatches == 0, "%llu records, %llu alarms: %s",
          (unsigned long long)count, (unsigned long long)facts.mismatches, shipping.wrong);
    fprintf(stderr, "%llu records, %llu connections lost, %llu records sent again\n",
            (unsigned long long)count, (unsigned long long)facts.reconnects,
            (unsigned long long)facts.resent);
    support_proxy_stop(&proxy);
    shipping_remove(&shipping);
    return check_failures > 0;
}
