/* support_redis.h - a real redis-server of a test: on a unix socket in a folder of its own, with
 * AOF everysec, ended by its own pid; and a proxy in front of it that cuts and slows down. */
#pragma once
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SUPPORT_REDIS_PATH_BYTES = 96 };

struct support_redis {
    pid_t pid; /* 0: not running */
    char directory[SUPPORT_REDIS_PATH_BYTES];
    char socket[SUPPORT_REDIS_PATH_BYTES];
    char url[SUPPORT_REDIS_PATH_BYTES + 16];
    const char *password; /* for support_redis_ask; NULL: none */
    bool has_aof;
    const char *acl_file; /* NULL: none */
    char tls_port[8];     /* "": no TLS; else with tls.crt and tls.key of the folder */
};

/* Ends the test as skipped, with the reason, where there is no redis-server. */
void support_redis_need(void);

void support_redis_make(struct support_redis *redis); /* the folder; has_aof is true */
void support_redis_start(struct support_redis *redis);
void support_redis_stop(struct support_redis *redis, int signal); /* SIGTERM, SIGKILL; waits */
void support_redis_remove(struct support_redis *redis);           /* stops it, removes the folder */

/* A certificate that is its own CA, DIRECTORY/NAME.crt, its key, and a port for TLS. */
void support_redis_make_certificate(struct support_redis *redis, const char *name);
void support_redis_choose_tls_port(struct support_redis *redis);

/* Cuts so many bytes from the end of the append-only file of a Redis that is stopped: what a power
 * failure does with AOF everysec. */
void support_redis_lose(const struct support_redis *redis, off_t bytes);

/* As redisCommand, on a connection of its own; NULL: no answer. The caller frees. */
redisReply *support_redis_ask(const struct support_redis *redis, const char *format, ...);
/* The same where only whether it worked is of interest. */
bool support_redis_do(const struct support_redis *redis, const char *format, ...);

struct support_proxy {
    char socket[SUPPORT_REDIS_PATH_BYTES];
    char url[SUPPORT_REDIS_PATH_BYTES + 16];
    char target[SUPPORT_REDIS_PATH_BYTES];
    int listener;
    pthread_t thread;
    atomic_bool is_ending;
    atomic_long cut_after;   /* bytes of replies until the connection is cut once; -1: never */
    atomic_uint delay_us;    /* before each piece that is passed on */
    atomic_uint piece_bytes; /* most bytes of a piece */
};

void support_proxy_start(struct support_proxy *proxy, const struct support_redis *redis);
void support_proxy_stop(struct support_proxy *proxy);
