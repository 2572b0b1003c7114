#include "audit/redis/redis_link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#ifdef WARD_REDIS_TLS
#include <hiredis/hiredis_ssl.h>
#endif

#include "audit/redis/redis_key.h"
#include "audit/redis/redis_reply.h"
#include "base/buffer.h"

enum { TIMEOUT_MS = 5000, PASSWORD_BYTES_MAX = 4096, CHAIN_ID_BYTES = 32 };

static bool is_given(const char *text)
{
    return text && text[0] != '\0';
}

/* ---- TLS ------------------------------------------------------------------------------------- */

struct redisSSLContext;

#ifdef WARD_REDIS_TLS
/* hiredis checks the certificate against the CA but not the name in it, so a CA of one's own is
 * asked for: with those of the system any site's certificate would do. */
static enum status prepare_tls(const struct redis_terms *terms, struct redisSSLContext **out,
                               struct failure *failure)
{
    if (!is_given(terms->ca_file)) {
        return fail(failure, STATUS_INVALID,
                    "audit.redis_ca_file: rediss:// needs the CA that signed Redis's certificate");
    }
    redisSSLContextError error = REDIS_SSL_CTX_NONE;
    redisInitOpenSSL();
    *out = redisCreateSSLContext(terms->ca_file, NULL, NULL, NULL, NULL, &error);
    return *out ? STATUS_OK
                : fail(failure, STATUS_INVALID, "audit.redis_ca_file: %s: %s", terms->ca_file,
                       redisSSLContextGetError(error));
}

static enum status encrypt(redisContext *link, struct redisSSLContext *tls, struct failure *failure)
{
    return redisInitiateSSLWithContext(link, tls) == REDIS_OK
               ? STATUS_OK
               : fail(failure, STATUS_UNAVAILABLE, "TLS with Redis: %s", link->errstr);
}

static void let_go_of_tls(struct redisSSLContext *tls)
{
    if (tls) {
        redisFreeSSLContext(tls); /* the connection keeps what it needs of it */
    }
}
#else
static enum status prepare_tls(const struct redis_terms *terms, struct redisSSLContext **out,
                               struct failure *failure)
{
    (void)terms;
    *out = NULL;
    return fail(failure, STATUS_INVALID,
                "audit.redis_url: rediss:// needs hiredis with TLS (hiredis_ssl), which this build "
                "has not; use unix:///path or redis:// within a private network");
}

static enum status encrypt(redisContext *link, struct redisSSLContext *tls, struct failure *failure)
{
    (void)link;
    (void)tls;
    return fail(failure, STATUS_INVALID, "audit.redis_url: rediss:// needs hiredis with TLS");
}

static void let_go_of_tls(struct redisSSLContext *tls)
{
    (void)tls;
}
#endif

/* ---- connecting ------------------------------------------------------------------------------ */

static enum status connect_to(const struct redis_url *url, const struct redis_terms *terms,
                              redisContext **out, struct failure *failure)
{
    const uint32_t ms = terms->timeout_ms > 0 ? terms->timeout_ms : TIMEOUT_MS;
    const struct timeval timeout = {.tv_sec = ms / 1000,
                                    .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    redisContext *link = url->is_unix ? redisConnectUnixWithTimeout(url->host, timeout)
                                      : redisConnectWithTimeout(url->host, url->port, timeout);
    if (!link) {
        return fail(failure, STATUS_UNAVAILABLE, "no memory for a connection to Redis");
    }
    *out = link;
    if (link->err != 0 && url->is_unix) {
        return fail(failure, STATUS_UNAVAILABLE, "Redis at unix://%s: %s", url->host, link->errstr);
    }
    if (link->err != 0) {
        return fail(failure, STATUS_UNAVAILABLE, "Redis at %s port %d: %s", url->host, url->port,
                    link->errstr);
    }
    if (redisSetTimeout(link, timeout) != REDIS_OK
        || (!url->is_unix && redisEnableKeepAlive(link) != REDIS_OK)) {
        return fail(failure, STATUS_UNAVAILABLE, "Redis at %s: %s", url->host, link->errstr);
    }
    return STATUS_OK;
}

static enum status read_password(const char *path, struct buffer *out, struct failure *failure)
{
    const enum status status = buffer_read_file(out, path);
    if (status == STATUS_TOO_LARGE) {
        return fail(failure, STATUS_INVALID,
                    "audit.redis_password_file: %s is larger than %d bytes", path,
                    PASSWORD_BYTES_MAX);
    }
    if (status != STATUS_OK) {
        return fail(failure, STATUS_INVALID,
                    "audit.redis_password_file: %s cannot be read: make it readable for this user",
                    path);
    }
    while (out->length > 0
           && (out->bytes[out->length - 1] == '\n' || out->bytes[out->length - 1] == '\r')) {
        out->length--;
    }
    return out->length > 0
               ? STATUS_OK
               : fail(failure, STATUS_INVALID, "audit.redis_password_file: %s is empty", path);
}

/* Past hiredis where that can be: its buffers are freed with the password in them. */
static bool send_secret(redisContext *link, bool has_tls, const struct buffer *command)
{
    if (has_tls) {
        return redisAppendFormattedCommand(link, command->bytes, command->length) == REDIS_OK;
    }
    for (size_t sent = 0; sent < command->length;) {
        const ssize_t count =
            send(link->fd, command->bytes + sent, command->length - sent, MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        sent += count > 0 ? (size_t)count : 0;
    }
    return true;
}

static enum status append_word(struct buffer *command, const char *word, size_t length)
{
    enum status status = buffer_format(command, "$%zu\r\n", length);
    if (status == STATUS_OK) {
        status = buffer_append(command, word, length);
    }
    return status == STATUS_OK ? buffer_append_text(command, "\r\n") : status;
}

static enum status send_auth(redisContext *link, const struct redis_url *url, const char *user,
                             const struct buffer *password, struct failure *failure)
{
    struct buffer command = {.limit_bytes = PASSWORD_BYTES_MAX + 512};
    enum status status = buffer_format(&command, "*%d\r\n$4\r\nAUTH\r\n", is_given(user) ? 3 : 2);
    if (status == STATUS_OK && is_given(user)) {
        status = append_word(&command, user, strlen(user));
    }
    if (status == STATUS_OK) {
        status = append_word(&command, password->bytes ? password->bytes : "", password->length);
    }
    if (status == STATUS_OK && !send_secret(link, url->has_tls, &command)) {
        status = STATUS_UNAVAILABLE;
    }
    buffer_destroy(&command);
    return status == STATUS_OK ? STATUS_OK
                               : fail(failure, STATUS_UNAVAILABLE, "AUTH: cannot be sent to Redis");
}

/* What Redis says of a refused AUTH is not passed on: it may repeat what it was given. */
static enum status authenticate(redisContext *link, const struct redis_url *url,
                                const struct redis_terms *terms, struct failure *failure)
{
    const char *user = is_given(terms->user) ? terms->user : url->user;
    struct buffer password = {.limit_bytes = PASSWORD_BYTES_MAX};
    enum status status = STATUS_OK;
    if (is_given(terms->password_file)) {
        status = read_password(terms->password_file, &password, failure);
    } else if (!is_given(user)) {
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        status = send_auth(link, url, user, &password, failure);
    }
    buffer_destroy(&password);
    redisReply *reply = NULL;
    if (status == STATUS_OK) {
        status = redis_reply_next(link, &reply, failure);
    }
    if (status == STATUS_OK && redis_reply_is_error(reply, "LOADING")) {
        status = redis_reply_judge(reply, "AUTH", failure);
    } else if (status == STATUS_OK && reply->type == REDIS_REPLY_ERROR) {
        status = fail(failure, STATUS_UNAUTHENTICATED,
                      "AUTH: Redis does not know this user and password: see audit.redis_user and "
                      "audit.redis_password_file");
    }
    if (reply) {
        freeReplyObject(reply);
    }
    return status;
}

static enum status select_database(redisContext *link, int database, struct failure *failure)
{
    if (database == 0) {
        return STATUS_OK;
    }
    char number[REDIS_ID_BYTES];
    number[redis_key_id((uint64_t)database, 0, number) - 2] = '\0'; /* without "-0" */
    const char *const words[] = {"SELECT", number, NULL};
    return redis_reply_do(link, words, failure);
}

enum status redis_link_connect(const struct redis_terms *terms, redisContext **out,
                               struct failure *failure)
{
    static const char *const name[] = {"CLIENT", "SETNAME", "ward-audit", NULL};
    struct redis_url url;
    struct redisSSLContext *tls = NULL;
    redisContext *link = NULL;
    enum status status = redis_url_parse(terms->url, &url, failure);
    if (status == STATUS_OK && url.has_tls) {
        status = prepare_tls(terms, &tls, failure);
    }
    if (status == STATUS_OK) {
        status = connect_to(&url, terms, &link, failure);
    }
    if (status == STATUS_OK && url.has_tls) {
        status = encrypt(link, tls, failure);
    }
    let_go_of_tls(tls);
    if (status == STATUS_OK) {
        status = authenticate(link, &url, terms, failure);
    }
    if (status == STATUS_OK) {
        status = redis_reply_do(link, name, failure);
    }
    if (status == STATUS_OK) {
        status = select_database(link, url.database, failure);
    }
    if (status != STATUS_OK) {
        redis_link_close(link);
        return status;
    }
    *out = link;
    return STATUS_OK;
}

enum status redis_link_open(const struct redis_terms *terms, redisContext **out,
                            struct failure *failure)
{
    redisContext *link = NULL;
    enum status status = redis_link_connect(terms, &link, failure);
    if (status == STATUS_OK) {
        status = redis_link_check(link, terms, failure);
    }
    if (status != STATUS_OK) {
        redis_link_close(link);
        return status;
    }
    *out = link;
    return STATUS_OK;
}

void redis_link_close(redisContext *link)
{
    if (link) {
        redisFree(link);
    }
}

enum status redis_link_claim(redisContext *link, const char *prefix,
                             const uint8_t chain_id[CHAIN_ID_BYTES], struct failure *failure)
{
    static const char digits[] = "0123456789abcdef";
    char key[REDIS_KEY_BYTES];
    char id[2 * CHAIN_ID_BYTES + 1] = "";
    for (size_t i = 0; i < CHAIN_ID_BYTES; i++) {
        id[2 * i] = digits[chain_id[i] >> 4];
        id[2 * i + 1] = digits[chain_id[i] & 15];
    }
    redis_key_owner(prefix, key);
    const char *const set[] = {"SET", key, id, "NX", NULL};
    const char *const get[] = {"GET", key, NULL};
    redisReply *owner = NULL;
    enum status status = redis_reply_do(link, set, failure);
    if (status == STATUS_OK) {
        status = redis_reply_ask(link, get, &owner, failure);
    }
    if (status == STATUS_OK && !redis_reply_is_text(owner, id)) {
        status = fail(failure, STATUS_FORBIDDEN,
                      "Redis key %s: another audit log ships there (%.16s..., not %.16s...); give "
                      "each node its own audit.redis_prefix",
                      key, owner->type == REDIS_REPLY_STRING ? owner->str : "none", id);
    }
    if (owner) {
        freeReplyObject(owner);
    }
    return status;
}
