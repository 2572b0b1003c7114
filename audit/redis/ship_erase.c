#include "audit/redis/ship_erase.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/redis/redis_link.h"
#include "audit/spool/erased.h"
#include "base/log.h"

enum { MARK_BYTES = 24 };

void ship_erase_close(struct ship_erase *erase)
{
    spool_reader_close(erase->reader);
    erase->reader = NULL;
}

/* ---- removed segments ------------------------------------------------------------------------ */

/* What is no frame of ours is trimmed too, but says nothing of views. */
static void push_entry(struct ship_window *window, const redisReply *fields)
{
    struct frame frame;
    size_t bytes = 0;
    const redisReply *value = fields->elements == 2 ? fields->element[1] : NULL;
    if (value && frame_parse((const uint8_t *)value->str, value->len, &frame, &bytes) == STATUS_OK
        && frame.kind != FRAME_SNAPSHOT) {
        const enum status status = ship_window_push(window, &frame);
        (void)status;
    }
}

/* Entries from the stream's begin to `to` into the window. *last 0: there are none. */
static enum status fetch_oldest(const struct ship_erase_place *place, uint64_t to, uint64_t *last,
                                struct failure *failure)
{
    char end[REDIS_ID_BYTES];
    char count[REDIS_ID_BYTES];
    redis_key_id(to, SHIP_WINDOW_ID_LOW, end);
    snprintf(count, sizeof count, "%d", SHIP_WINDOW_RECORDS);
    const char *const words[] = {"XRANGE", place->window->chain_key, "-", end, "COUNT", count,
                                 NULL};
    redisReply *reply = NULL;
    const redisReply *id = NULL;
    const redisReply *fields = NULL;
    *last = 0;
    ship_window_clear(place->window);
    const enum status status = redis_reply_ask(place->link, words, &reply, failure);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; redis_reply_entry(reply, i, &id, &fields); i++) {
        uint64_t low = 0;
        if (redis_key_read_id(id->str, id->len, last, &low)) {
            push_entry(place->window, fields);
        }
    }
    freeReplyObject(reply);
    return STATUS_OK;
}

/* The views first: once the stream's entries are gone nothing says any more where they are. */
static enum status trim(struct ship_erase *erase, const struct ship_erase_place *place, uint64_t to,
                        bool *has_trimmed, struct failure *failure)
{
    char end[REDIS_ID_BYTES];
    uint64_t last = 0;
    enum status status = fetch_oldest(place, to, &last, failure);
    *has_trimmed = last > 0;
    if (status != STATUS_OK || last == 0) {
        return status;
    }
    status = ship_window_trim_views(place->window, place->link, failure);
    if (status == STATUS_OK) {
        redis_key_id(last + 1, 0, end);
        const char *const words[] = {"XTRIM", place->window->chain_key, "MINID", "=", end, NULL};
        status = redis_reply_do(place->link, words, failure);
        erase->deleted += place->window->count;
    }
    return status;
}

/* ---- marks ----------------------------------------------------------------------------------- */

static enum status read_mark(const struct ship_erase_place *place, uint64_t *out,
                             struct failure *failure)
{
    char key[REDIS_KEY_BYTES];
    redisReply *reply = NULL;
    redis_key_erased(place->window->prefix, key);
    const char *const words[] = {"GET", key, NULL};
    const enum status status = redis_reply_ask(place->link, words, &reply, failure);
    *out = 0;
    if (status == STATUS_OK) {
        *out = reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
        freeReplyObject(reply);
    }
    return status;
}

static enum status write_mark(const struct ship_erase_place *place, uint64_t mark,
                              struct failure *failure)
{
    char key[REDIS_KEY_BYTES];
    char value[MARK_BYTES];
    redis_key_erased(place->window->prefix, key);
    snprintf(value, sizeof value, "%" PRIu64, mark);
    const char *const words[] = {"SET", key, value, NULL};
    return redis_reply_do(place->link, words, failure);
}

/* ---- erased bodies --------------------------------------------------------------------------- */

enum filled { FILLED_SOME, FILLED_LAST, FILLED_BROKEN };

/* The next erased frames of the segment, as many as the window holds. */
static enum filled fill_window(struct ship_erase *erase, const struct ship_erase_place *place,
                               struct failure *failure)
{
    struct frame frame;
    struct spool_place where;
    ship_window_clear(place->window);
    while (place->window->count < SHIP_WINDOW_RECORDS) {
        enum status status = spool_reader_next(erase->reader, &frame, &where, failure);
        if (status == STATUS_NOT_FOUND
            || (status == STATUS_OK && where.segment != erase->segment)) {
            return FILLED_LAST;
        }
        if (status == STATUS_OK && frame.kind == FRAME_ERASED) {
            status = ship_window_push(place->window, &frame);
        }
        if (status != STATUS_OK) {
            return FILLED_BROKEN;
        }
    }
    return FILLED_SOME;
}

/* A spool that cannot be read is no reason not to ship: told, and tried again after the next run of
 * retention. */
static void give_up(struct ship_erase *erase, const struct failure *why, enum ship_erased *out)
{
    log_event(LOG_LEVEL_ERROR, "audit", "redis.erased", "segment=%" PRIu64 " failure=\"%s\"",
              erase->segment, why->text);
    ship_erase_close(erase);
    *out = SHIP_ERASED_ALL;
}

static enum status follow(struct ship_erase *erase, const struct ship_erase_place *place,
                          enum ship_erased *out, struct failure *failure)
{
    struct failure why = {""};
    enum status status = STATUS_OK;
    const enum filled filled = fill_window(erase, place, &why);
    if (place->window->count > 0) {
        status =
            ship_window_erase(place->window, place->link, &erase->deleted, place->differs, failure);
    }
    if (filled == FILLED_BROKEN) {
        give_up(erase, &why, out);
    } else if (status == STATUS_OK && filled == FILLED_LAST) {
        status = write_mark(place, erase->mark, failure);
        ship_erase_close(erase);
    }
    return status;
}

/* Deleted entries stay in Redis's memory and files, though nobody can read them, as long as some
 * entry is left in the same node of the stream. */
static void warn_of_nodes(const struct ship_erase_place *place)
{
    char entries[REDIS_SETTING_BYTES] = "";
    const enum status status =
        redis_link_setting(place->link, "stream-node-max-entries", entries, NULL);
    if (status == STATUS_OK && strcmp(entries, "1") != 0) {
        log_event(LOG_LEVEL_WARN, "audit", "redis.erased",
                  "reason=\"bytes of erased records stay in Redis until those beside them go: set "
                  "stream-node-max-entries 1 in it\"");
    }
}

/* What was deleted is in the append-only file until that is written anew. A Redis that will not do
 * so does it when the file has grown enough, as ever. */
static enum status rewrite_file(struct ship_erase *erase, const struct ship_erase_place *place,
                                enum ship_erased *out, struct failure *failure)
{
    static const char *const words[] = {"BGREWRITEAOF", NULL};
    struct failure why = {""};
    *out = SHIP_ERASED_ALL;
    if (erase->deleted == 0) {
        return STATUS_OK;
    }
    warn_of_nodes(place);
    if (!place->has_aof) {
        erase->deleted = 0;
        return STATUS_OK;
    }
    const enum status status = redis_reply_do(place->link, words, &why);
    if (status != STATUS_OK && place->link->err != 0) {
        return fail(failure, status, "%s", why.text);
    }
    if (status != STATUS_OK && strstr(why.text, "in progress")) {
        *out = SHIP_ERASED_LATER;
        return STATUS_OK;
    }
    log_event(status == STATUS_OK ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "audit", "redis.erased",
              "entries=%" PRIu64 " reason=\"%s\"", erase->deleted, why.text);
    erase->deleted = 0;
    return STATUS_OK;
}

/* The first segment whose mark this Redis has not followed. */
static enum status begin_segment(struct ship_erase *erase, const struct ship_erase_place *place,
                                 const struct erased *erased, enum ship_erased *out,
                                 struct failure *failure)
{
    uint64_t followed = 0;
    size_t i = 0;
    const enum status status = read_mark(place, &followed, failure);
    if (status != STATUS_OK) {
        return status;
    }
    while (i < erased->count && erased->segments[i].mark <= followed) {
        i++;
    }
    if (i == erased->count) {
        return rewrite_file(erase, place, out, failure);
    }
    erase->segment = erased->segments[i].segment;
    erase->mark = erased->segments[i].mark;
    if (erased->segments[i].sequence
        > place->position) { /* Redis is to have the record that tells of it */
        *out = SHIP_ERASED_LATER;
        return STATUS_OK;
    }
    struct failure why = {""};
    if (spool_reader_open(place->directory, erase->segment, &erase->reader, &why) != STATUS_OK) {
        give_up(erase, &why, out);
    }
    return STATUS_OK;
}

static enum status find_next(struct ship_erase *erase, const struct ship_erase_place *place,
                             enum ship_erased *out, struct failure *failure)
{
    struct erased erased;
    struct failure why = {""};
    bool has_trimmed = false;
    enum status status = erased_read(place->directory, &erased, &why);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        log_event(LOG_LEVEL_ERROR, "audit", "redis.erased", "failure=\"%s\"", why.text);
    }
    status = STATUS_OK;
    const bool must_trim = erased.removed_to > 0 && erased.removed_to < place->position;
    const bool must_wait = must_trim && erased.removed_sequence > place->position;
    if (must_trim && !must_wait) {
        status = trim(erase, place, erased.removed_to, &has_trimmed, failure);
    }
    if (must_wait) {
        *out = SHIP_ERASED_LATER;
    } else if (status == STATUS_OK && !has_trimmed) {
        status = begin_segment(erase, place, &erased, out, failure);
    }
    erased_free(&erased);
    return status;
}

enum status ship_erase_step(struct ship_erase *erase, const struct ship_erase_place *place,
                            enum ship_erased *out, struct failure *failure)
{
    static const char *const unwatch[] = {"UNWATCH", NULL};
    uint64_t watched = 0;
    *out = SHIP_ERASED_SOME;
    enum status status = redis_reply_do(place->link, unwatch, failure);
    if (status == STATUS_OK) {
        status = erase->reader ? follow(erase, place, out, failure)
                               : find_next(erase, place, out, failure);
    }
    if (status == STATUS_OK) {
        status = ship_window_watch(place->window, place->link, &watched, failure);
    }
    if (status == STATUS_OK && watched != place->position) {
        status = fail(failure, STATUS_UNAVAILABLE, "somebody else changed the stream meanwhile");
    }
    return status;
}
