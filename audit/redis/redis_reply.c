#include "audit/redis/redis_reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { WORDS_MAX = 24, COMMAND_BYTES = 32 };

enum status redis_reply_next(redisContext *link, redisReply **out, struct failure *failure)
{
    void *reply = NULL;
    errno = 0;
    if (redisGetReply(link, &reply) == REDIS_OK && reply) {
        *out = reply;
        return STATUS_OK;
    }
    if (errno == EAGAIN) {
        return fail(failure, STATUS_UNAVAILABLE, "Redis does not answer in time");
    }
    return fail(failure, STATUS_UNAVAILABLE, "the connection to Redis was lost: %s", link->errstr);
}

bool redis_reply_is_error(const redisReply *reply, const char *begins)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, begins, strlen(begins)) == 0;
}

enum status redis_reply_judge(const redisReply *reply, const char *what, struct failure *failure)
{
    static const struct {
        const char *begins;
        enum status status;
        const char *text;
    } meanings[] = {
        {"NOAUTH", STATUS_UNAUTHENTICATED,
         "wants a password: set audit.redis_user and audit.redis_password_file"},
        {"WRONGPASS", STATUS_UNAUTHENTICATED,
         "does not know this user and password: see audit.redis_user and "
         "audit.redis_password_file"},
        {"NOPERM", STATUS_FORBIDDEN,
         "denies it to this user: give it the permissions of deploy/redis/users.acl"},
        {"WRONGTYPE", STATUS_INVALID,
         "has something else under that key: choose another audit.redis_prefix or remove the key"},
        {"MOVED", STATUS_FORBIDDEN, "is a cluster: Ward needs a single Redis with its replicas"},
        {"LOADING", STATUS_UNAVAILABLE, "is loading its data"},
        {"READONLY", STATUS_UNAVAILABLE, "is a replica: audit.redis_url must name the primary"},
        {"OOM", STATUS_UNAVAILABLE, "is full: raise its maxmemory"},
        {"MISCONF", STATUS_UNAVAILABLE, "cannot write its own files: see its log"},
    };
    if (reply->type != REDIS_REPLY_ERROR) {
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (redis_reply_is_error(reply, meanings[i].begins)) {
            return fail(failure, meanings[i].status, "%s: Redis %s", what, meanings[i].text);
        }
    }
    return fail(failure, STATUS_UNAVAILABLE, "%s: Redis answers: %.120s", what, reply->str);
}

enum status redis_reply_ask(redisContext *link, const char *const *words, redisReply **out,
                            struct failure *failure)
{
    const char *arguments[WORDS_MAX];
    int count = 0;
    ASSERT(words[0]);
    while (count < WORDS_MAX && words[count]) {
        arguments[count] = words[count];
        count++;
    }
    *out = NULL;
    if (redisAppendCommandArgv(link, count, arguments, NULL) != REDIS_OK) {
        return fail(failure, STATUS_UNAVAILABLE, "the connection to Redis was lost: %s",
                    link->errstr);
    }
    enum status status = redis_reply_next(link, out, failure);
    if (status == STATUS_OK && *out) {
        char what[COMMAND_BYTES];
        const bool has_part = strcmp(words[0], "CONFIG") == 0 || strcmp(words[0], "CLIENT") == 0
                              || strcmp(words[0], "XINFO") == 0;
        snprintf(what, sizeof what, "%s%s%s", words[0], has_part ? " " : "",
                 has_part ? words[1] : "");
        status = redis_reply_judge(*out, what, failure);
    }
    if (status != STATUS_OK && *out) {
        freeReplyObject(*out);
        *out = NULL;
    }
    return status;
}

enum status redis_reply_do(redisContext *link, const char *const *words, struct failure *failure)
{
    redisReply *reply = NULL;
    const enum status status = redis_reply_ask(link, words, &reply, failure);
    if (reply) {
        freeReplyObject(reply);
    }
    return status;
}

bool redis_reply_entry(const redisReply *reply, size_t index, const redisReply **id,
                       const redisReply **fields)
{
    if (reply->type != REDIS_REPLY_ARRAY || index >= reply->elements) {
        return false;
    }
    const redisReply *entry = reply->element[index];
    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2) {
        return false;
    }
    *id = entry->element[0];
    *fields = entry->element[1];
    if ((*id)->type != REDIS_REPLY_STRING || (*fields)->type != REDIS_REPLY_ARRAY) {
        return false;
    }
    for (size_t i = 0; i < (*fields)->elements; i++) {
        if ((*fields)->element[i]->type != REDIS_REPLY_STRING) {
            return false;
        }
    }
    return true;
}

bool redis_reply_is_text(const redisReply *reply, const char *text)
{
    return reply->type == REDIS_REPLY_STRING && reply->len == strlen(text)
           && memcmp(reply->str, text, reply->len) == 0;
}
