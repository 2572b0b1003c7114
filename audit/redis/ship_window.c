#include "audit/redis/ship_window.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
    FRAME_BYTES_MAX = FRAME_HEADER_BYTES + RECORD_BODY_BYTES_MAX,
    /* Two commands: keys, ids, names of fields, and lengths before each. */
    COMMAND_BYTES_MAX = FRAME_BYTES_MAX + RECORD_BODY_BYTES_MAX + 2 * REDIS_KEY_BYTES + 512,
    TAIL_COMMANDS_BYTES = 1024,
    NUMBER_BYTES = 24,
};

struct ship_window *ship_window_create(const char *prefix)
{
    ASSERT(redis_key_is_prefix(prefix));
    struct ship_window *window = calloc(1, sizeof *window);
    if (!window) {
        return NULL;
    }
    memcpy(window->prefix, prefix, strlen(prefix) + 1);
    redis_key_chain(prefix, window->chain_key);
    window->frames = malloc((size_t)SHIP_WINDOW_RECORDS * FRAME_BYTES_MAX);
    window->commands =
        malloc((size_t)SHIP_WINDOW_RECORDS * COMMAND_BYTES_MAX + TAIL_COMMANDS_BYTES);
    if (!window->frames || !window->commands) {
        ship_window_destroy(window);
        return NULL;
    }
    return window;
}

void ship_window_destroy(struct ship_window *window)
{
    if (window) {
        free(window->frames);
        free(window->commands);
        free(window);
    }
}

void ship_window_clear(struct ship_window *window)
{
    window->count = 0;
    window->frames_length = 0;
}

/* False: the body is no record. */
static bool find_view(const struct frame *frame, struct ship_item *item)
{
    struct record record;
    if (frame->kind != FRAME_RECORD || frame->tenant.value == 0) {
        return true;
    }
    if (record_parse(frame->body, frame->body_bytes, &record) != STATUS_OK) {
        return false;
    }
    item->number = record.number;
    item->event = record.event;
    if (record.tenant_name[0] != '@') { /* such a view would be one of our own keys */
        memcpy(item->view, record.tenant_name, sizeof item->view);
    }
    return true;
}

enum status ship_window_push(struct ship_window *window, const struct frame *frame)
{
    ASSERT(window->count < SHIP_WINDOW_RECORDS && frame->body_bytes <= RECORD_BODY_BYTES_MAX);
    struct ship_item *item = &window->items[window->count];
    *item = (struct ship_item){.at = window->frames_length,
                               .sequence = frame->sequence,
                               .tenant = frame->tenant,
                               .is_erased = frame->kind == FRAME_ERASED};
    if (!find_view(frame, item)) {
        return STATUS_INVALID;
    }
    item->length = frame_write(frame, window->frames + item->at);
    window->frames_length += item->length;
    window->count++;
    return STATUS_OK;
}

/* ---- writing commands ------------------------------------------------------------------------ */

static void put(struct ship_window *window, const void *bytes, size_t length)
{
    memcpy(window->commands + window->commands_length, bytes, length);
    window->commands_length += length;
}

/* "*3\r\n" or "$3\r\n". */
static void put_head(struct ship_window *window, char kind, size_t value)
{
    char text[NUMBER_BYTES];
    size_t at = sizeof text;
    text[--at] = '\n';
    text[--at] = '\r';
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text[--at] = kind;
    put(window, text + at, sizeof text - at);
}

static void put_word(struct ship_window *window, const void *bytes, size_t length)
{
    put_head(window, '$', length);
    put(window, bytes, length);
    put(window, "\r\n", 2);
}

static void put_text(struct ship_window *window, const char *text)
{
    put_word(window, text, strlen(text));
}

static void put_id(struct ship_window *window, uint64_t high, uint64_t low)
{
    char id[REDIS_ID_BYTES];
    const size_t length = redis_key_id(high, low, id);
    put_word(window, id, length);
}

static void put_view(struct ship_window *window, const struct ship_item *item)
{
    char key[REDIS_KEY_BYTES];
    const size_t length = redis_key_view(window->prefix, item->view, key);
    put_word(window, key, length);
}

static const char *event_text(const struct ship_item *item)
{
    const char *text = record_event_text(item->event);
    return text ? text : "unknown"; /* of a newer version */
}

static void put_item(struct ship_window *window, const struct ship_item *item)
{
    const uint8_t *frame = window->frames + item->at;
    if (item->view[0] != '\0') {
        put_head(window, '*', 7);
        put_text(window, "XADD");
        put_view(window, item);
        put_id(window, item->tenant.value, item->number);
        put_text(window, "event");
        put_text(window, event_text(item));
        put_text(window, "record");
        put_word(window, frame + FRAME_HEADER_BYTES, item->length - FRAME_HEADER_BYTES);
    }
    put_head(window, '*', 5);
    put_text(window, "XADD");
    put_text(window, window->chain_key);
    put_id(window, item->sequence, SHIP_WINDOW_ID_LOW);
    put_text(window, "frame");
    put_word(window, frame, item->length);
}

static void put_range(struct ship_window *window, const struct ship_item *item, bool of_view)
{
    const uint64_t high = of_view ? item->tenant.value : item->sequence;
    const uint64_t low = of_view ? item->number : SHIP_WINDOW_ID_LOW;
    put_head(window, '*', 4);
    put_text(window, "XRANGE");
    if (of_view) {
        put_view(window, item);
    } else {
        put_text(window, window->chain_key);
    }
    put_id(window, high, low);
    put_id(window, high, low);
}

static void put_watch(struct ship_window *window)
{
    put_head(window, '*', 2);
    put_text(window, "WATCH");
    put_text(window, window->chain_key);
    put_head(window, '*', 6);
    put_text(window, "XREVRANGE");
    put_text(window, window->chain_key);
    put_text(window, "+");
    put_text(window, "-");
    put_text(window, "COUNT");
    put_text(window, "1");
}

static enum status send_commands(struct ship_window *window, redisContext *link,
                                 struct failure *failure)
{
    const size_t length = window->commands_length;
    window->commands_length = 0;
    if (redisAppendFormattedCommand(link, (const char *)window->commands, length) != REDIS_OK) {
        return fail(failure, STATUS_UNAVAILABLE, "the connection to Redis was lost: %s",
                    link->errstr);
    }
    return STATUS_OK;
}

/* ---- adding ---------------------------------------------------------------------------------- */

static enum status expect_ok(redisContext *link, const char *what, struct failure *failure)
{
    redisReply *reply = NULL;
    enum status status = redis_reply_next(link, &reply, failure);
    if (status == STATUS_OK) {
        status = redis_reply_judge(reply, what, failure);
        freeReplyObject(reply);
    }
    return status;
}

static enum status read_watch(redisContext *link, uint64_t *last, struct failure *failure)
{
    redisReply *reply = NULL;
    const redisReply *id = NULL;
    const redisReply *fields = NULL;
    uint64_t low = 0;
    *last = 0;
    enum status status = expect_ok(link, "WATCH", failure);
    if (status == STATUS_OK) {
        status = redis_reply_next(link, &reply, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = redis_reply_judge(reply, "XREVRANGE", failure);
    if (status == STATUS_OK && redis_reply_entry(reply, 0, &id, &fields)
        && !redis_key_read_id(id->str, id->len, last, &low)) {
        status = fail(failure, STATUS_UNAVAILABLE, "XREVRANGE: Redis answers no id");
    }
    freeReplyObject(reply);
    return status;
}

enum status ship_window_watch(struct ship_window *window, redisContext *link, uint64_t *last,
                              struct failure *failure)
{
    put_watch(window);
    const enum status status = send_commands(window, link, failure);
    return status == STATUS_OK ? read_watch(link, last, failure) : status;
}

/* What EXEC answers. *collides: some id was taken already, or is behind the end of its stream. */
static enum status judge_exec(const redisReply *reply, size_t commands, bool *collides,
                              struct failure *failure)
{
    enum status status = redis_reply_judge(reply, "EXEC", failure);
    if (status != STATUS_OK) {
        return status;
    }
    if (reply->type == REDIS_REPLY_NIL) {
        return fail(failure, STATUS_UNAVAILABLE, "somebody else changed the stream meanwhile");
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != commands) {
        return fail(failure, STATUS_UNAVAILABLE, "EXEC: Redis answers something else");
    }
    for (size_t i = 0; i < commands && status == STATUS_OK; i++) {
        if (redis_reply_is_error(reply->element[i], "ERR The ID specified in XADD")) {
            *collides = true;
        } else {
            status = redis_reply_judge(reply->element[i], "XADD", failure);
        }
    }
    return status;
}

enum status ship_window_add(struct ship_window *window, redisContext *link, uint64_t *last,
                            bool *differs, struct failure *failure)
{
    size_t commands = 0;
    put(window, "*1\r\n$5\r\nMULTI\r\n", 15);
    for (uint32_t i = 0; i < window->count; i++) {
        commands += window->items[i].view[0] != '\0' ? 2 : 1;
        put_item(window, &window->items[i]);
    }
    put(window, "*1\r\n$4\r\nEXEC\r\n", 14);
    put_watch(window);
    enum status status = send_commands(window, link, failure);
    if (status == STATUS_OK) {
        status = expect_ok(link, "MULTI", failure);
    }
    for (size_t i = 0; i < commands && status == STATUS_OK; i++) {
        status = expect_ok(link, "XADD", failure);
    }
    redisReply *reply = NULL;
    bool collides = false;
    if (status == STATUS_OK) {
        status = redis_reply_next(link, &reply, failure);
    }
    if (status == STATUS_OK) {
        status = judge_exec(reply, commands, &collides, failure);
        freeReplyObject(reply);
    }
    if (status == STATUS_OK) {
        status = read_watch(link, last, failure);
    }
    return status == STATUS_OK && collides ? ship_window_compare(window, link, differs, failure)
                                           : status;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* The fields of the one entry that XRANGE gives; NULL: there is none. */
static const redisReply *fields_of(const redisReply *reply, size_t count)
{
    const redisReply *id = NULL;
    const redisReply *fields = NULL;
    const bool is_there = redis_reply_entry(reply, 0, &id, &fields);
    return is_there && fields->elements == count ? fields : NULL;
}

static bool is_same_frame(const redisReply *value, const uint8_t *frame, size_t length)
{
    if (value->len == length && memcmp(value->str, frame, length) == 0) {
        return true;
    }
    struct frame there;
    struct frame ours;
    size_t bytes = 0;
    if (frame_parse((const uint8_t *)value->str, value->len, &there, &bytes) != STATUS_OK
        || bytes != value->len || frame_parse(frame, length, &ours, &bytes) != STATUS_OK) {
        return false;
    }
    return there.kind != FRAME_SNAPSHOT && there.kind != ours.kind
           && digest_same(frame_hash(&there), frame_hash(&ours))
           && digest_same(there.mac, ours.mac);
}

static bool is_same_view(const redisReply *fields, const struct ship_item *item,
                         const uint8_t *frame)
{
    const redisReply *body = fields->element[3];
    return redis_reply_is_text(fields->element[0], "event")
           && redis_reply_is_text(fields->element[1], event_text(item))
           && redis_reply_is_text(fields->element[2], "record")
           && body->len == item->length - FRAME_HEADER_BYTES
           && memcmp(body->str, frame + FRAME_HEADER_BYTES, body->len) == 0;
}

static enum status compare_reply(struct ship_window *window, const struct ship_item *item,
                                 bool of_view, const redisReply *reply, struct failure *failure)
{
    const uint8_t *frame = window->frames + item->at;
    const redisReply *fields = fields_of(reply, of_view ? 4 : 2);
    const bool is_missing = reply->type == REDIS_REPLY_ARRAY && reply->elements == 0;
    const char *what = is_missing ? "is missing" : "differs";
    const enum status status = redis_reply_judge(reply, "XRANGE", failure);
    if (status != STATUS_OK || (is_missing && item->is_erased)) {
        return status;
    }
    if (of_view && (!fields || !is_same_view(fields, item, frame))) {
        return fail(failure, STATUS_INVALID,
                    "Redis has been tampered with: record %u-%llu of %s:%s %s; run ward audit "
                    "verify, the spool is the evidence",
                    item->tenant.value, (unsigned long long)item->number, window->prefix,
                    item->view, what);
    }
    if (!of_view
        && (!fields || !redis_reply_is_text(fields->element[0], "frame")
            || !is_same_frame(fields->element[1], frame, item->length))) {
        return fail(failure, STATUS_INVALID,
                    "Redis has been tampered with: record %llu-1 of %s %s; run ward audit verify, "
                    "the spool is the evidence",
                    (unsigned long long)item->sequence, window->chain_key, what);
    }
    return STATUS_OK;
}

enum status ship_window_compare(struct ship_window *window, redisContext *link, bool *differs,
                                struct failure *failure)
{
    for (uint32_t i = 0; i < window->count; i++) {
        if (window->items[i].view[0] != '\0') {
            put_range(window, &window->items[i], true);
        }
        put_range(window, &window->items[i], false);
    }
    enum status status = send_commands(window, link, failure);
    for (uint32_t i = 0; i < 2 * window->count && status == STATUS_OK; i++) {
        const struct ship_item *item = &window->items[i / 2];
        const bool of_view = i % 2 == 0;
        redisReply *reply = NULL;
        if (of_view && item->view[0] == '\0') {
            continue;
        }
        status = redis_reply_next(link, &reply, failure);
        if (status == STATUS_OK) {
            status = compare_reply(window, item, of_view, reply, failure);
            *differs = *differs || status == STATUS_INVALID;
            freeReplyObject(reply);
        }
    }
    return status;
}

/* ---- erasing --------------------------------------------------------------------------------- */

static void put_delete(struct ship_window *window, const struct ship_item *item, bool of_view)
{
    put_head(window, '*', 3);
    put_text(window, "XDEL");
    if (of_view) {
        put_view(window, item);
        put_id(window, item->tenant.value, item->number);
    } else {
        put_text(window, window->chain_key);
        put_id(window, item->sequence, SHIP_WINDOW_ID_LOW);
    }
}

/* The view first: once the stream's entry is gone nothing says any more where it is. Returns how
 * many commands that are. */
static size_t put_erasing(struct ship_window *window, struct ship_item *item,
                          const redisReply *reply)
{
    const redisReply *fields = fields_of(reply, 2);
    struct frame there;
    size_t bytes = 0;
    if (!fields
        || frame_parse((const uint8_t *)fields->element[1]->str, fields->element[1]->len, &there,
                       &bytes)
               != STATUS_OK
        || there.kind != FRAME_RECORD) {
        return 0;
    }
    const bool has_view = find_view(&there, item) && item->view[0] != '\0';
    if (has_view) {
        put_delete(window, item, true);
    }
    put_delete(window, item, false);
    return has_view ? 2 : 1;
}

enum status ship_window_erase(struct ship_window *window, redisContext *link, uint64_t *count,
                              bool *differs, struct failure *failure)
{
    size_t commands = 0;
    for (uint32_t i = 0; i < window->count; i++) {
        put_range(window, &window->items[i], false);
    }
    enum status status = send_commands(window, link, failure);
    for (uint32_t i = 0; i < window->count && status == STATUS_OK; i++) {
        struct ship_item *item = &window->items[i];
        redisReply *reply = NULL;
        status = redis_reply_next(link, &reply, failure);
        if (status == STATUS_OK) {
            status = compare_reply(window, item, false, reply, failure);
            *differs = *differs || status == STATUS_INVALID;
        }
        if (status == STATUS_OK) {
            const size_t added = put_erasing(window, item, reply);
            commands += added;
            *count += added > 0;
        }
        if (reply) {
            freeReplyObject(reply);
        }
    }
    if (status != STATUS_OK) {
        window->commands_length = 0;
        return status;
    }
    status = commands > 0 ? send_commands(window, link, failure) : STATUS_OK;
    for (size_t i = 0; i < commands && status == STATUS_OK; i++) {
        status = expect_ok(link, "XDEL", failure);
    }
    return status;
}

/* ---- trimming -------------------------------------------------------------------------------- */

enum status ship_window_trim_views(struct ship_window *window, redisContext *link,
                                   struct failure *failure)
{
    size_t commands = 0;
    for (uint32_t i = 0; i < window->count; i++) {
        const struct ship_item *item = &window->items[i];
        if (item->view[0] != '\0') {
            put_head(window, '*', 5);
            put_text(window, "XTRIM");
            put_view(window, item);
            put_text(window, "MINID");
            put_text(window, "=");
            put_id(window, item->tenant.value, item->number + 1);
            commands++;
        }
    }
    enum status status = commands > 0 ? send_commands(window, link, failure) : STATUS_OK;
    for (size_t i = 0; i < commands && status == STATUS_OK; i++) {
        status = expect_ok(link, "XTRIM", failure);
    }
    return status;
}
