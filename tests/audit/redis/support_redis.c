#include "tests/audit/redis/support_redis.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

enum {
    WORDS_MAX = 40,
    SKIPPED = 77,
    PIECE_BYTES_MAX = 65536,
    TRIES = 3000,
    FILES_MAX = 64,
    MS = 1000
};

static void pause_us(long us)
{
    const struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&time, NULL);
}

/* What is started ends with the test, also when that is aborted. */
static bool runs(const char *const *words, pid_t *out)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0
            && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent) {
            execvp(words[0], (char *const *)(uintptr_t)words);
        }
        _exit(EXIT_FAILURE);
    }
    *out = pid;
    return pid > 0;
}

void support_redis_need(void)
{
    static const char *const words[] = {"redis-server", "--version", NULL};
    pid_t pid = 0;
    int status = 0;
    const bool is_there = runs(words, &pid) && waitpid(pid, &status, 0) == pid && status == 0;
    if (!is_there) {
        fprintf(stderr, "skipped: no redis-server here (package redis-server)\n");
        exit(SKIPPED);
    }
}

void support_redis_make(struct support_redis *redis)
{
    *redis = (struct support_redis){.has_aof = true};
    snprintf(redis->directory, sizeof redis->directory, "/tmp/ward-redis-XXXXXX");
    ASSERT(mkdtemp(redis->directory));
    snprintf(redis->socket, sizeof redis->socket, "%.60s/redis", redis->directory);
    snprintf(redis->url, sizeof redis->url, "unix://%s", redis->socket);
}

/* A relative name is one in the folder, where redis-server goes. */
void support_redis_start(struct support_redis *redis)
{
    const char *words[WORDS_MAX] = {
        "redis-server",
        "--port",
        "0",
        "--unixsocket",
        "redis",
        "--dir",
        redis->directory,
        "--save",
        "",
        "--appendonly",
        redis->has_aof ? "yes" : "no",
        "--appendfsync",
        "everysec",
        "--loglevel",
        "warning",
        "--logfile",
        "log",
        "--aof-load-truncated",
        "yes",
        "--maxmemory-policy",
        "noeviction",
        "--stream-node-max-entries",
        "1",
    };
    size_t count = 0;
    while (words[count]) {
        count++;
    }
    if (redis->acl_file) {
        words[count++] = "--aclfile";
        words[count++] = redis->acl_file;
    }
    if (redis->tls_port[0] != '\0') {
        const char *const tls[] = {"--tls-port",         redis->tls_port,
                                   "--tls-cert-file",    "tls.crt",
                                   "--tls-key-file",     "tls.key",
                                   "--tls-ca-cert-file", "tls.crt",
                                   "--tls-auth-clients", "no"};
        memcpy(words + count, tls, sizeof tls);
    }
    unlink(redis->socket);
    ASSERT(runs(words, &redis->pid));
    redis->password = NULL;
    for (int i = 0; i < TRIES; i++) {
        if (support_redis_do(redis, "PING")) {
            return;
        }
        pause_us(10L * MS);
    }
    ASSERT(!"redis-server answers");
}

void support_redis_make_certificate(struct support_redis *redis, const char *name)
{
    char certificate[SUPPORT_REDIS_PATH_BYTES + 32];
    char key[SUPPORT_REDIS_PATH_BYTES + 32];
    snprintf(certificate, sizeof certificate, "%s/%s.crt", redis->directory, name);
    snprintf(key, sizeof key, "%s/%s.key", redis->directory, name);
    const char *const words[] = {"openssl", "req",   "-x509", "-newkey",   "rsa:2048",
                                 "-nodes",  "-days", "2",     "-subj",     "/CN=redis",
                                 "-keyout", key,     "-out",  certificate, NULL};
    pid_t pid = 0;
    int status = 0;
    ASSERT(runs(words, &pid) && waitpid(pid, &status, 0) == pid && status == 0);
}

void support_redis_choose_tls_port(struct support_redis *redis)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr *generic = (struct sockaddr *)&address;
    ASSERT(fd >= 0 && bind(fd, generic, length) == 0 && getsockname(fd, generic, &length) == 0);
    snprintf(redis->tls_port, sizeof redis->tls_port, "%u", ntohs(address.sin_port));
    close(fd);
}

void support_redis_stop(struct support_redis *redis, int signal_number)
{
    if (redis->pid > 0) {
        kill(redis->pid, SIGCONT);
        kill(redis->pid, signal_number);
        ASSERT(waitpid(redis->pid, NULL, 0) == redis->pid);
        redis->pid = 0;
    }
}

/* The patterns of what a Redis leaves in its folder. */
static const char *const left[] = {"/appendonlydir/*", "/*"};

void support_redis_remove(struct support_redis *redis)
{
    support_redis_stop(redis, SIGKILL);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        char pattern[SUPPORT_REDIS_PATH_BYTES + 32];
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s%s", redis->directory, left[i]);
        if (glob(pattern, 0, NULL, &found) == 0) {
            for (size_t k = 0; k < found.gl_pathc; k++) {
                (void)(unlink(found.gl_pathv[k]) == 0 || rmdir(found.gl_pathv[k]) == 0);
            }
            globfree(&found);
        }
    }
    rmdir(redis->directory);
}

void support_redis_lose(const struct support_redis *redis, off_t bytes)
{
    static const char *const names[] = {"/appendonlydir/*.incr.aof", "/appendonly.aof"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char pattern[SUPPORT_REDIS_PATH_BYTES + 32];
        glob_t found;
        struct stat facts;
        snprintf(pattern, sizeof pattern, "%s%s", redis->directory, names[i]);
        if (glob(pattern, 0, NULL, &found) == 0) {
            const char *path = found.gl_pathv[found.gl_pathc - 1];
            ASSERT(stat(path, &facts) == 0);
            ASSERT(truncate(path, facts.st_size > bytes ? facts.st_size - bytes : 0) == 0);
            globfree(&found);
            return;
        }
    }
    ASSERT(!"there is an append-only file");
}

static redisReply *ask(const struct support_redis *redis, const char *format, va_list arguments)
{
    const struct timeval timeout = {.tv_sec = 10};
    redisContext *link = redisConnectUnixWithTimeout(redis->socket, timeout);
    redisReply *reply = NULL;
    if (link && link->err == 0 && redisSetTimeout(link, timeout) == REDIS_OK) {
        if (redis->password) {
            freeReplyObject(redisCommand(link, "AUTH %s", redis->password));
        }
        reply = redisvCommand(link, format, arguments);
    }
    if (link) {
        redisFree(link);
    }
    return reply;
}

redisReply *support_redis_ask(const struct support_redis *redis, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(redis, format, arguments);
    va_end(arguments);
    return reply;
}

bool support_redis_do(const struct support_redis *redis, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(redis, format, arguments);
    va_end(arguments);
    const bool works = reply && reply->type != REDIS_REPLY_ERROR;
    if (reply) {
        freeReplyObject(reply);
    }
    return works;
}

/* ---- the proxy ------------------------------------------------------------------------------- */

static int open_socket(const char *path, bool listens)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(fd >= 0 && strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    const struct sockaddr *generic = (const struct sockaddr *)&address;
    if (listens) {
        unlink(path);
        ASSERT(bind(fd, generic, sizeof address) == 0 && listen(fd, 8) == 0);
    } else if (connect(fd, generic, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* One piece from one side to the other. False: a side is gone. */
static bool pass_on(struct support_proxy *proxy, int from, int to, bool is_reply)
{
    static _Thread_local char piece[PIECE_BYTES_MAX];
    const size_t most = atomic_load(&proxy->piece_bytes);
    const ssize_t got = read(from, piece, most < sizeof piece ? most : sizeof piece);
    if (got <= 0) {
        return false;
    }
    ssize_t passed = got;
    bool is_cut = false;
    const long cut_after = atomic_load(&proxy->cut_after);
    if (is_reply && cut_after >= 0) {
        is_cut = cut_after < got;
        passed = is_cut ? cut_after : got;
        atomic_store(&proxy->cut_after, is_cut ? -1 : cut_after - got);
    }
    pause_us((long)atomic_load(&proxy->delay_us));
    for (ssize_t sent = 0; sent < passed;) {
        const ssize_t count = send(to, piece + sent, (size_t)(passed - sent), MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        sent += count;
    }
    return !is_cut;
}

static void serve(struct support_proxy *proxy, int client)
{
    const int server = open_socket(proxy->target, false);
    bool goes_on = server >= 0;
    while (goes_on && !atomic_load(&proxy->is_ending)) {
        struct pollfd waits[] = {{.fd = client, .events = POLLIN},
                                 {.fd = server, .events = POLLIN}};
        (void)poll(waits, 2, 50);
        if (waits[1].revents != 0) {
            goes_on = pass_on(proxy, server, client, true);
        }
        if (goes_on && waits[0].revents != 0) {
            goes_on = pass_on(proxy, client, server, false);
        }
    }
    if (server >= 0) {
        close(server);
    }
    close(client);
}

/* One connection at a time: a shipper has one. */
static void *run_proxy(void *context)
{
    struct support_proxy *proxy = context;
    while (!atomic_load(&proxy->is_ending)) {
        struct pollfd waits = {.fd = proxy->listener, .events = POLLIN};
        if (poll(&waits, 1, 50) == 1) {
            const int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
            if (client >= 0) {
                serve(proxy, client);
            }
        }
    }
    return NULL;
}

void support_proxy_start(struct support_proxy *proxy, const struct support_redis *redis)
{
    *proxy = (struct support_proxy){.cut_after = -1, .piece_bytes = PIECE_BYTES_MAX};
    snprintf(proxy->target, sizeof proxy->target, "%s", redis->socket);
    snprintf(proxy->socket, sizeof proxy->socket, "%.60s/proxy", redis->directory);
    snprintf(proxy->url, sizeof proxy->url, "unix://%s", proxy->socket);
    proxy->listener = open_socket(proxy->socket, true);
    ASSERT(pthread_create(&proxy->thread, NULL, run_proxy, proxy) == 0);
}

void support_proxy_stop(struct support_proxy *proxy)
{
    atomic_store(&proxy->is_ending, true);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
    unlink(proxy->socket);
}
