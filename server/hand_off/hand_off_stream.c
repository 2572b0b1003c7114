#include "server/hand_off/hand_off_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/redis/redis_reply.h"

enum { KEY_BYTES = 160, NUMBER_BYTES = 24, FIELD_COUNT = 8 };

/* Fields in the order in which they are written; numbers as decimal text. */
static const char *const names[FIELD_COUNT] = {"id",   "tenant", "tenant_id", "request_id",
                                               "kind", "grade",  "subject",   "time"};

static void key_of(const struct hand_off_stream *stream, char out[KEY_BYTES])
{
    snprintf(out, KEY_BYTES, "%s:@hand_off", stream->prefix);
}

void hand_off_stream_close(struct hand_off_stream *stream)
{
    redis_link_close(stream->link);
    stream->link = NULL;
}

/* One command; the connection is opened for it if need be. */
static enum status ask(struct hand_off_stream *stream, const char *const *words, redisReply **out,
                       struct failure *failure)
{
    enum status status = STATUS_OK;
    if (!stream->link) {
        status = redis_link_connect(&stream->terms, &stream->link, failure);
    }
    if (status == STATUS_OK) {
        status = redis_reply_ask(stream->link, words, out, failure);
    }
    if (status != STATUS_OK) {
        hand_off_stream_close(stream);
    }
    return status;
}

enum status hand_off_stream_add(struct hand_off_stream *stream, const struct hand_off_event *event,
                                char entry[HAND_OFF_ENTRY_BYTES], struct failure *failure)
{
    char key[KEY_BYTES], numbers[5][NUMBER_BYTES];
    redisReply *reply = NULL;
    key_of(stream, key);
    snprintf(numbers[0], NUMBER_BYTES, "%u", event->tenant.value);
    snprintf(numbers[1], NUMBER_BYTES, "%d", (int)event->kind);
    snprintf(numbers[2], NUMBER_BYTES, "%d", (int)event->grade);
    snprintf(numbers[3], NUMBER_BYTES, "%d", (int)event->subject);
    snprintf(numbers[4], NUMBER_BYTES, "%lld", (long long)event->unix_s);
    const char *const words[] = {"XADD",
                                 key,
                                 "*",
                                 names[0],
                                 event->id,
                                 names[1],
                                 event->tenant_name,
                                 names[2],
                                 numbers[0],
                                 names[3],
                                 event->request_id,
                                 names[4],
                                 numbers[1],
                                 names[5],
                                 numbers[2],
                                 names[6],
                                 numbers[3],
                                 names[7],
                                 numbers[4],
                                 NULL};
    enum status status = ask(stream, words, &reply, failure);
    if (status == STATUS_OK
        && (reply->type != REDIS_REPLY_STRING || reply->len >= HAND_OFF_ENTRY_BYTES)) {
        status = fail(failure, STATUS_UNAVAILABLE, "Redis gave no id of the entry");
    }
    if (status == STATUS_OK) {
        memcpy(entry, reply->str, reply->len + 1);
    }
    freeReplyObject(reply);
    return status;
}

enum status hand_off_stream_remove(struct hand_off_stream *stream, const char *entry,
                                   struct failure *failure)
{
    char key[KEY_BYTES];
    redisReply *reply = NULL;
    key_of(stream, key);
    const char *const words[] = {"XDEL", key, entry, NULL};
    const enum status status = ask(stream, words, &reply, failure);
    freeReplyObject(reply);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool take_text(const redisReply *value, char *out, size_t out_bytes)
{
    if (value->type != REDIS_REPLY_STRING || value->len == 0 || value->len >= out_bytes
        || strlen(value->str) != value->len) {
        return false;
    }
    memcpy(out, value->str, value->len + 1);
    return true;
}

static bool take_number(const redisReply *value, int64_t max, int64_t *out)
{
    char *end = NULL;
    if (value->type != REDIS_REPLY_STRING || value->len == 0 || value->len >= NUMBER_BYTES) {
        return false;
    }
    *out = strtoll(value->str, &end, 10);
    return *end == '\0' && *out >= 0 && *out <= max;
}

static bool take_entry(const redisReply *id, const redisReply *fields, struct hand_off_kept *out)
{
    int64_t numbers[5] = {0};
    static const int64_t max[5] = {UINT32_MAX, CRISIS_KIND_COUNT - 1, CRISIS_GRADE_COUNT - 1,
                                   CRISIS_OTHER, INT64_MAX};
    static const size_t places[5] = {2, 4, 5, 6, 7};
    struct hand_off_event *event = &out->event;
    if (fields->elements != (size_t)FIELD_COUNT * 2) {
        return false;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!redis_reply_is_text(fields->element[2 * i], names[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < 5; i++) {
        if (!take_number(fields->element[2 * places[i] + 1], max[i], &numbers[i])) {
            return false;
        }
    }
    event->tenant.value = (uint32_t)numbers[0];
    event->kind = (enum crisis_kind)numbers[1];
    event->grade = (enum crisis_grade)numbers[2];
    event->subject = (enum crisis_subject)numbers[3];
    event->unix_s = numbers[4];
    return take_text(id, out->entry, sizeof out->entry)
           && take_text(fields->element[1], event->id, sizeof event->id)
           && take_text(fields->element[3], event->tenant_name, sizeof event->tenant_name)
           && take_text(fields->element[7], event->request_id, sizeof event->request_id);
}

enum status hand_off_stream_read(struct hand_off_stream *stream, struct hand_off_kept *out,
                                 size_t max, size_t *count, struct failure *failure)
{
    char key[KEY_BYTES], limit[NUMBER_BYTES];
    redisReply *reply = NULL;
    key_of(stream, key);
    snprintf(limit, sizeof limit, "%zu", max);
    const char *const words[] = {"XRANGE", key, "-", "+", "COUNT", limit, NULL};
    const enum status status = ask(stream, words, &reply, failure);
    *count = 0;
    for (size_t i = 0; status == STATUS_OK && i < reply->elements && *count < max; i++) {
        const redisReply *id = NULL, *fields = NULL;
        if (redis_reply_entry(reply, i, &id, &fields) && take_entry(id, fields, &out[*count])) {
            (*count)++;
        }
    }
    freeReplyObject(reply);
    return status;
}
