#include "audit/redis/redis_reader.h"

#include <stdlib.h>
#include <string.h>

#include "audit/record/record.h"
#include "audit/redis/redis_key.h"
#include "audit/redis/redis_reply.h"
#include "base/assert.h"

enum { OWNER_BYTES = 65, ENTRIES_AT_ONCE = 256 };

static const char entries_at_once[] = "256";

/* What a view has of an entry of the stream: asked for in one go for all entries at hand. */
struct view {
    struct tenant_id tenant;
    uint64_t number;
    char tenant_name[RECORD_NAME_BYTES];
    redisReply *reply;
};

struct redis_reader {
    redisContext *link;
    char prefix[REDIS_PREFIX_BYTES];
    char chain_key[REDIS_KEY_BYTES];
    char owner[OWNER_BYTES];
    redisReply *entries; /* of the stream; views into it are given out */
    size_t next;         /* of entries */
    uint64_t high, low;  /* id of the last entry that was given out */
    struct view views[ENTRIES_AT_ONCE];
    size_t view_count, view_next;
};

static void let_go(redisReply **reply)
{
    if (*reply) {
        freeReplyObject(*reply);
        *reply = NULL;
    }
}

static void let_go_of_views(struct redis_reader *reader)
{
    for (size_t i = 0; i < reader->view_count; i++) {
        let_go(&reader->views[i].reply);
    }
    reader->view_count = 0;
    reader->view_next = 0;
}

void redis_reader_close(struct redis_reader *reader)
{
    if (reader) {
        let_go(&reader->entries);
        let_go_of_views(reader);
        redis_link_close(reader->link);
        free(reader);
    }
}

static enum status read_owner(struct redis_reader *reader, struct failure *failure)
{
    char key[REDIS_KEY_BYTES];
    redis_key_owner(reader->prefix, key);
    const char *const words[] = {"GET", key, NULL};
    redisReply *reply = NULL;
    const enum status status = redis_reply_ask(reader->link, words, &reply, failure);
    if (status == STATUS_OK && reply->type == REDIS_REPLY_STRING && reply->len < OWNER_BYTES) {
        memcpy(reader->owner, reply->str, reply->len + 1);
    }
    let_go(&reply);
    return status;
}

/* The entries behind the last one that was given out. STATUS_NOT_FOUND: there are none. */
static enum status fetch(struct redis_reader *reader, struct failure *failure)
{
    char id[REDIS_ID_BYTES];
    char after[REDIS_ID_BYTES + 1] = "(";
    memcpy(after + 1, id, redis_key_id(reader->high, reader->low, id) + 1);
    const char *const words[] = {"XRANGE", reader->chain_key, after, "+",
                                 "COUNT",  entries_at_once,   NULL};
    let_go(&reader->entries);
    reader->next = 0;
    const enum status status = redis_reply_ask(reader->link, words, &reader->entries, failure);
    if (status != STATUS_OK) {
        return status;
    }
    return reader->entries->type == REDIS_REPLY_ARRAY && reader->entries->elements > 0
               ? STATUS_OK
               : STATUS_NOT_FOUND;
}

enum status redis_reader_open(const struct redis_terms *terms, const char *prefix,
                              struct redis_reader **out, struct failure *failure)
{
    if (!redis_key_is_prefix(prefix)) {
        return fail(failure, STATUS_INVALID,
                    "audit.redis_prefix: must be 1 to %d letters, digits or \":_.-\"",
                    REDIS_PREFIX_BYTES - 1);
    }
    struct redis_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        return fail(failure, STATUS_IO, "no memory for reading from Redis");
    }
    memcpy(reader->prefix, prefix, strlen(prefix) + 1);
    redis_key_chain(prefix, reader->chain_key);
    enum status status = redis_link_connect(terms, &reader->link, failure);
    if (status == STATUS_OK) {
        status = read_owner(reader, failure);
    }
    if (status == STATUS_OK) {
        status = fetch(reader, failure);
    }
    if (status == STATUS_NOT_FOUND && reader->owner[0] != '\0') {
        status = STATUS_OK; /* claimed, and nothing there */
    } else if (status == STATUS_NOT_FOUND) {
        status =
            fail(failure, STATUS_NOT_FOUND,
                 "Redis has nothing under %s: see audit.redis_prefix and audit.redis_url", prefix);
    }
    if (status != STATUS_OK) {
        redis_reader_close(reader);
        return status;
    }
    *out = reader;
    return STATUS_OK;
}

static enum status parse_entry(const redisReply *fields, struct frame *out)
{
    size_t bytes = 0;
    if (fields->elements != 2 || !redis_reply_is_text(fields->element[0], "frame")) {
        return STATUS_INVALID;
    }
    const redisReply *value = fields->element[1];
    const enum status status = frame_parse((const uint8_t *)value->str, value->len, out, &bytes);
    return status == STATUS_OK && bytes == value->len && out->kind != FRAME_SNAPSHOT
               ? STATUS_OK
               : STATUS_INVALID;
}

enum status redis_reader_next(struct redis_reader *reader, struct frame *out, uint64_t *sequence,
                              struct failure *failure)
{
    const redisReply *id = NULL;
    const redisReply *fields = NULL;
    uint64_t low = 0;
    enum status status = STATUS_OK;
    if (!reader->entries || reader->next == reader->entries->elements) {
        status = fetch(reader, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    *sequence = 0;
    if (!redis_reply_entry(reader->entries, reader->next, &id, &fields)
        || !redis_key_read_id(id->str, id->len, sequence, &low)) {
        return fail(failure, STATUS_INVALID, "Redis key %s: an entry has no id", reader->chain_key);
    }
    if (low != 1 || parse_entry(fields, out) != STATUS_OK) {
        return fail(failure, STATUS_INVALID, "Redis key %s: entry %llu-%llu holds no frame",
                    reader->chain_key, (unsigned long long)*sequence, (unsigned long long)low);
    }
    reader->high = *sequence;
    reader->low = low;
    reader->next++;
    return STATUS_OK;
}

static enum status ask_for_view(struct redis_reader *reader, struct view view,
                                struct failure *failure)
{
    char key[REDIS_KEY_BYTES];
    char id[REDIS_ID_BYTES];
    redis_key_view(reader->prefix, view.tenant_name, key);
    redis_key_id(view.tenant.value, view.number, id);
    const char *words[] = {"XRANGE", key, id, id};
    if (redisAppendCommandArgv(reader->link, 4, words, NULL) != REDIS_OK) {
        return fail(failure, STATUS_UNAVAILABLE, "the connection to Redis was lost: %s",
                    reader->link->errstr);
    }
    reader->views[reader->view_count++] = view;
    return STATUS_OK;
}

/* The view of an entry; false: it has none. */
static bool find_view(const redisReply *entries, size_t index, struct view *out)
{
    const redisReply *id = NULL;
    const redisReply *fields = NULL;
    struct frame frame;
    struct record record;
    if (!redis_reply_entry(entries, index, &id, &fields) || parse_entry(fields, &frame) != STATUS_OK
        || frame.kind != FRAME_RECORD || frame.tenant.value == 0
        || record_parse(frame.body, frame.body_bytes, &record) != STATUS_OK) {
        return false;
    }
    *out = (struct view){.tenant = record.tenant, .number = record.number};
    memcpy(out->tenant_name, record.tenant_name, sizeof out->tenant_name);
    return true;
}

/* The wanted one, and those of the entries that are read next. */
static enum status fetch_views(struct redis_reader *reader, const struct view *wanted,
                               struct failure *failure)
{
    struct view view;
    let_go_of_views(reader);
    enum status status = ask_for_view(reader, *wanted, failure);
    const size_t count = reader->entries ? reader->entries->elements : 0;
    for (size_t i = reader->next;
         status == STATUS_OK && i < count && reader->view_count < ENTRIES_AT_ONCE; i++) {
        if (find_view(reader->entries, i, &view)) {
            status = ask_for_view(reader, view, failure);
        }
    }
    for (size_t i = 0; status == STATUS_OK && i < reader->view_count; i++) {
        status = redis_reply_next(reader->link, &reader->views[i].reply, failure);
    }
    if (status != STATUS_OK) {
        let_go_of_views(reader);
    }
    return status;
}

static bool is_view(const struct view *a, const struct view *b)
{
    return tenant_same(a->tenant, b->tenant) && a->number == b->number
           && strcmp(a->tenant_name, b->tenant_name) == 0;
}

static enum status read_view(const struct redis_reader *reader, const struct view *view,
                             const uint8_t **body, size_t *length, struct failure *failure)
{
    const redisReply *id = NULL;
    const redisReply *fields = NULL;
    const enum status status = redis_reply_judge(view->reply, "XRANGE", failure);
    if (status != STATUS_OK) {
        return status;
    }
    if (!redis_reply_entry(view->reply, 0, &id, &fields)) {
        return fail(failure, STATUS_NOT_FOUND, "Redis key %s:%s: entry %u-%llu is missing",
                    reader->prefix, view->tenant_name, view->tenant.value,
                    (unsigned long long)view->number);
    }
    if (fields->elements != 4 || !redis_reply_is_text(fields->element[2], "record")) {
        return fail(failure, STATUS_INVALID, "Redis key %s:%s: entry %u-%llu holds no record",
                    reader->prefix, view->tenant_name, view->tenant.value,
                    (unsigned long long)view->number);
    }
    *body = (const uint8_t *)fields->element[3]->str;
    *length = fields->element[3]->len;
    return STATUS_OK;
}

enum status redis_reader_view(struct redis_reader *reader, const char *tenant_name,
                              struct tenant_id tenant, uint64_t number, const uint8_t **body,
                              size_t *length, struct failure *failure)
{
    struct view wanted = {.tenant = tenant, .number = number};
    const size_t name_length = strlen(tenant_name);
    ASSERT(name_length < sizeof wanted.tenant_name);
    memcpy(wanted.tenant_name, tenant_name, name_length + 1);
    size_t at = reader->view_next;
    while (at < reader->view_count && !is_view(&reader->views[at], &wanted)) {
        at++;
    }
    if (at == reader->view_count) {
        const enum status status = fetch_views(reader, &wanted, failure);
        if (status != STATUS_OK) {
            return status;
        }
        at = 0;
    }
    reader->view_next = at;
    return read_view(reader, &reader->views[at], body, length, failure);
}

const char *redis_reader_owner(const struct redis_reader *reader)
{
    return reader->owner;
}
