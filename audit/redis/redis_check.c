/* redis_check.c - redis_link_check: would this Redis lose what it is given? */
#include <stdlib.h>
#include <string.h>

#include "audit/redis/redis_link.h"
#include "audit/redis/redis_reply.h"
#include "base/log.h"

enum { VALUE_BYTES = REDIS_SETTING_BYTES, VERSION_LEAST = 602 };

/* The value of "name:value\r\n" in what INFO gives; "" when it is not there. */
static void find_fact(const char *info, const char *name, char out[VALUE_BYTES])
{
    const size_t name_length = strlen(name);
    out[0] = '\0';
    for (const char *line = info; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, name_length) == 0 && line[name_length] == ':') {
            const char *value = line + name_length + 1;
            size_t length = strcspn(value, "\r\n");
            length = length < VALUE_BYTES ? length : VALUE_BYTES - 1;
            memcpy(out, value, length);
            out[length] = '\0';
            return;
        }
    }
}

/* "7.0.15" is 700. */
static long version_of(const char *text)
{
    char *end = NULL;
    const long major = strtol(text, &end, 10);
    const long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return major * 100 + minor;
}

static enum status check_server(redisContext *link, struct failure *failure)
{
    static const char *const words[] = {"INFO", NULL};
    redisReply *info = NULL;
    enum status status = redis_reply_ask(link, words, &info, failure);
    if (status != STATUS_OK) {
        return status;
    }
    char version[VALUE_BYTES] = "";
    char loading[VALUE_BYTES] = "";
    char role[VALUE_BYTES] = "";
    if (info->type == REDIS_REPLY_STRING) {
        find_fact(info->str, "redis_version", version);
        find_fact(info->str, "loading", loading);
        find_fact(info->str, "role", role);
    }
    freeReplyObject(info);
    if (version_of(version) < VERSION_LEAST) {
        return fail(failure, STATUS_FORBIDDEN, "Redis is of version \"%s\": 6.2 or newer is needed",
                    version);
    }
    if (strcmp(loading, "1") == 0) {
        return fail(failure, STATUS_UNAVAILABLE, "Redis is loading its data");
    }
    if (strcmp(role, "master") != 0) {
        return fail(failure, STATUS_UNAVAILABLE,
                    "Redis is a replica: audit.redis_url must name the primary");
    }
    return STATUS_OK;
}

enum status redis_link_setting(redisContext *link, const char *name, char out[REDIS_SETTING_BYTES],
                               struct failure *failure)
{
    const char *const words[] = {"CONFIG", "GET", name, NULL};
    redisReply *reply = NULL;
    const enum status status = redis_reply_ask(link, words, &reply, failure);
    if (status == STATUS_FORBIDDEN) {
        return fail(failure, STATUS_FORBIDDEN,
                    "Redis denies CONFIG GET, so whether it loses data is unknown: give this user "
                    "+config|get, see deploy/redis/users.acl");
    }
    if (status != STATUS_OK) {
        return status;
    }
    out[0] = '\0';
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2
        && reply->element[1]->type == REDIS_REPLY_STRING && reply->element[1]->len < VALUE_BYTES) {
        memcpy(out, reply->element[1]->str, reply->element[1]->len + 1);
    }
    freeReplyObject(reply);
    return STATUS_OK;
}

static enum status check_settings(redisContext *link, const struct redis_terms *terms,
                                  struct failure *failure)
{
    char policy[VALUE_BYTES] = "";
    char aof[VALUE_BYTES] = "";
    char sync[VALUE_BYTES] = "";
    enum status status = redis_link_setting(link, "maxmemory-policy", policy, failure);
    if (status == STATUS_OK) {
        status = redis_link_setting(link, "appendonly", aof, failure);
    }
    if (status == STATUS_OK) {
        status = redis_link_setting(link, "appendfsync", sync, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const char *setting = NULL;
    const char *wanted = "";
    if (strcmp(policy, "noeviction") != 0) {
        setting = "maxmemory-policy noeviction";
        wanted = "or audit.redis_unsafe: warn here";
    } else if (terms->require_aof && strcmp(aof, "yes") != 0) {
        setting = "appendonly yes";
        wanted = "or audit.require_aof: false here";
    } else if (terms->require_aof && strcmp(sync, "no") == 0) {
        setting = "appendfsync everysec";
        wanted = "or audit.require_aof: false here";
    }
    return !setting ? STATUS_OK
                    : fail(failure, STATUS_FORBIDDEN,
                           "this Redis may lose audit records (maxmemory-policy %s, appendonly %s, "
                           "appendfsync %s): set %s in it, %s",
                           policy, aof, sync, setting, wanted);
}

enum status redis_link_check(redisContext *link, const struct redis_terms *terms,
                             struct failure *failure)
{
    struct failure unsafe = {""};
    enum status status = check_server(link, failure);
    if (status == STATUS_OK) {
        status = check_settings(link, terms, &unsafe);
    }
    if (status == STATUS_FORBIDDEN && terms->only_warns && unsafe.text[0] != '\0') {
        log_event(LOG_LEVEL_WARN, "audit", "redis.unsafe", "reason=\"%s\"", unsafe.text);
        return STATUS_OK;
    }
    if (failure && unsafe.text[0] != '\0') {
        *failure = unsafe;
    }
    return status;
}
