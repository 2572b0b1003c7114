#include "audit/redis/ship_session.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

enum {
    LIMIT_FIRST = 64,
    LOST_TOLD = 100000, /* more records than Redis can have got in two seconds: AOF everysec */
};

enum status ship_session_create(struct ship_session *session, const struct shipper_config *config,
                                const atomic_bool *is_stopping, struct failure *failure)
{
    *session = (struct ship_session){
        .config = config, .is_stopping = is_stopping, .file.fd = -1, .limit = LIMIT_FIRST};
    if (!redis_key_is_prefix(config->prefix)) {
        return fail(failure, STATUS_INVALID,
                    "audit.redis_prefix: must be 1 to %d letters, digits or \":_.-\"",
                    REDIS_PREFIX_BYTES - 1);
    }
    session->window = ship_window_create(config->prefix);
    if (!session->window) {
        return fail(failure, STATUS_IO, "no memory for shipping audit records to Redis");
    }
    return shipped_open(config->directory, &session->file, &session->acknowledged, failure);
}

void ship_session_destroy(struct ship_session *session)
{
    ship_session_close(session);
    shipped_close(&session->file);
    ship_window_destroy(session->window);
    session->window = NULL;
}

void ship_session_close(struct ship_session *session)
{
    redis_link_close(session->link);
    spool_reader_close(session->reader);
    ship_erase_close(&session->erase);
    session->link = NULL;
    session->reader = NULL;
}

static void acknowledge(struct ship_session *session, uint64_t sequence)
{
    session->acknowledged = sequence;
    if (!shipped_write(&session->file, sequence)) {
        log_event(LOG_LEVEL_WARN, "audit", "redis.shipped", "error=\"%s\"", strerror(errno));
    }
}

/* ---- reading the spool ----------------------------------------------------------------------- */

static enum status open_reader(struct ship_session *session, uint64_t from, struct failure *failure)
{
    spool_reader_close(session->reader);
    session->reader = NULL;
    session->has_read = false;
    return spool_reader_open(session->config->directory, from, &session->reader, failure);
}

/* The next record's frame behind position. Those before the first segment were erased by age. */
static enum status read_frame(struct ship_session *session, uint64_t position, struct frame *out,
                              struct failure *failure)
{
    struct spool_place place;
    for (;;) {
        const enum status status = spool_reader_next(session->reader, out, &place, failure);
        if (status != STATUS_OK) {
            return status;
        }
        if (out->kind == FRAME_SNAPSHOT || out->sequence <= position) {
            continue;
        }
        if (session->has_read && out->sequence != position + 1) {
            return fail(failure, STATUS_IO,
                        "segment %llu, offset %llu: record %llu comes after %llu; run ward audit "
                        "verify",
                        (unsigned long long)place.segment, (unsigned long long)place.offset,
                        (unsigned long long)out->sequence, (unsigned long long)position);
        }
        session->has_read = true;
        return STATUS_OK;
    }
}

/* Fills the window with what comes after position, at most up to `to`. STATUS_NOT_FOUND: nothing.
 */
static enum status fill_window(struct ship_session *session, uint64_t position, uint64_t to,
                               struct failure *failure)
{
    struct frame frame;
    enum status status = STATUS_OK;
    ship_window_clear(session->window);
    while (session->window->count < session->limit && position < to) {
        status = read_frame(session, position, &frame, failure);
        if (status == STATUS_OK && frame.sequence > to) {
            status = STATUS_NOT_FOUND; /* the spool begins behind it */
        }
        if (status != STATUS_OK) {
            break;
        }
        if (ship_window_push(session->window, &frame) != STATUS_OK) {
            return fail(failure, STATUS_IO, "record %llu is not readable; run ward audit verify",
                        (unsigned long long)frame.sequence);
        }
        position = frame.sequence;
    }
    if (status == STATUS_INVALID) { /* of the spool, not of what Redis holds */
        return STATUS_IO;
    }
    return session->window->count > 0 ? STATUS_OK : status;
}

/* ---- where Redis is -------------------------------------------------------------------------- */

static uint64_t last_id(const redisReply *info, struct failure *failure, enum status *status)
{
    uint64_t high = 0;
    uint64_t low = 0;
    for (size_t i = 0; info->type == REDIS_REPLY_ARRAY && i + 1 < info->elements; i += 2) {
        const redisReply *value = info->element[i + 1];
        if (redis_reply_is_text(info->element[i], "last-generated-id")
            && value->type == REDIS_REPLY_STRING
            && redis_key_read_id(value->str, value->len, &high, &low)
            && (low == SHIP_WINDOW_ID_LOW || (high == 0 && low == 0))) {
            return high;
        }
    }
    *status = fail(failure, STATUS_INVALID,
                   "Redis has been tampered with: the stream was not written by Ward; run ward "
                   "audit verify, the spool is the evidence");
    return 0;
}

/* The last id that the stream ever had; 0: it is not there. */
static enum status find_end(struct ship_session *session, uint64_t *last, struct failure *failure)
{
    const char *const words[] = {"XINFO", "STREAM", session->window->chain_key, NULL};
    redisReply *info = NULL;
    struct failure why = {""};
    *last = 0;
    enum status status = redis_reply_ask(session->link, words, &info, &why);
    if (status == STATUS_UNAVAILABLE && strstr(why.text, "no such key")) {
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return fail(failure, status, "%s", why.text);
    }
    *last = last_id(info, failure, &status);
    session->differs = status == STATUS_INVALID;
    freeReplyObject(info);
    return status;
}

static enum status record_loss(struct ship_session *session, uint64_t last, struct failure *failure)
{
    struct record_draft draft;
    struct writer_position position;
    const struct tenant_id server = {0};
    record_draft_begin(&draft, RECORD_EVENT_AUDIT_REDIS_LOST, server, NULL);
    record_draft_uint(&draft, RECORD_FIELD_sequence_from, last + 1);
    record_draft_uint(&draft, RECORD_FIELD_sequence_to, session->acknowledged);
    const enum status status = writer_append(session->config->writer, &draft, 0, &position);
    return status == STATUS_OK
               ? STATUS_OK
               : fail(failure, STATUS_UNAVAILABLE,
                      "audit.redis_lost cannot be recorded now: the spool takes no records");
}

/* Redis has less than it acknowledged: a little is what AOF everysec may lose, more is recorded. */
static enum status go_back(struct ship_session *session, uint64_t last, struct failure *failure)
{
    const uint64_t lost = session->acknowledged - last;
    if (last == 0 || lost > LOST_TOLD) {
        const enum status status = record_loss(session, last, failure);
        if (status != STATUS_OK) {
            return status;
        }
    }
    log_event(LOG_LEVEL_WARN, "audit", "redis.resend", "from=%llu to=%llu",
              (unsigned long long)last + 1, (unsigned long long)session->acknowledged);
    session->resent += lost;
    acknowledge(session, last);
    return STATUS_OK;
}

/* What Redis has behind what was acknowledged, and in any case its last record. What the spool has
 * erased by age is not compared. */
static enum status compare_end(struct ship_session *session, uint64_t last, struct failure *failure)
{
    uint64_t position = session->acknowledged < last ? session->acknowledged : last - 1;
    enum status status = open_reader(session, position + 1, failure);
    while (status == STATUS_OK && position < last) {
        status = fill_window(session, position, last, failure);
        if (status == STATUS_NOT_FOUND) {
            return STATUS_OK;
        }
        if (status == STATUS_OK) {
            status =
                ship_window_compare(session->window, session->link, &session->differs, failure);
        }
        if (status == STATUS_OK) {
            position = session->window->items[session->window->count - 1].sequence;
            acknowledge(session, position); /* a long comparison is not begun again */
        }
        if (status == STATUS_OK && atomic_load(session->is_stopping)) {
            status = fail(failure, STATUS_UNAVAILABLE, "stopped while comparing");
        }
    }
    return status;
}

static enum status tampered(struct ship_session *session, const char *how, uint64_t last,
                            struct failure *failure)
{
    session->differs = true;
    return fail(failure, STATUS_INVALID,
                "Redis has been tampered with: %s %s (record %llu); run ward audit verify, the "
                "spool is the evidence",
                session->window->chain_key, how, (unsigned long long)last);
}

/* Brings acknowledged, position and reader to where the stream ends, and watches it. */
static enum status find_position(struct ship_session *session, struct failure *failure)
{
    struct writer_facts facts;
    uint64_t last = 0;
    uint64_t watched = 0;
    enum status status = find_end(session, &last, failure);
    if (status != STATUS_OK) {
        return status;
    }
    writer_read_facts(session->config->writer, &facts);
    if (last > facts.sequence) {
        return tampered(session, "is ahead of the spool", last, failure);
    }
    if (last < session->acknowledged) {
        status = go_back(session, last, failure);
    }
    if (status == STATUS_OK && last > 0) {
        status = compare_end(session, last, failure);
    }
    if (status == STATUS_OK) {
        status = ship_window_watch(session->window, session->link, &watched, failure);
    }
    if (status == STATUS_OK && watched != 0 && watched != last) {
        status = tampered(session, "lacks its last records", last, failure);
    }
    if (status == STATUS_OK) {
        status = open_reader(session, last + 1, failure);
    }
    if (status == STATUS_OK) {
        session->position = last;
        acknowledge(session, last);
    }
    return status;
}

enum status ship_session_open(struct ship_session *session, struct failure *failure)
{
    const struct shipper_config *config = session->config;
    session->differs = false;
    enum status status = redis_link_open(&config->redis, &session->link, failure);
    if (status == STATUS_OK) {
        status = redis_link_claim(session->link, config->prefix,
                                  writer_keys(config->writer)->public_key, failure);
    }
    if (status == STATUS_OK) {
        status = find_position(session, failure);
    }
    if (status != STATUS_OK) {
        ship_session_close(session);
    }
    return status;
}

/* ---- shipping -------------------------------------------------------------------------------- */

enum status ship_session_ship(struct ship_session *session, uint64_t durable,
                              struct failure *failure)
{
    struct ship_window *window = session->window;
    uint64_t watched = 0;
    enum status status = fill_window(session, session->position, durable, failure);
    if (status != STATUS_OK) {
        return status;
    }
    const uint64_t last = window->items[window->count - 1].sequence;
    status = ship_window_add(window, session->link, &watched, &session->differs, failure);
    if (status == STATUS_OK && watched != last) {
        status = fail(failure, STATUS_UNAVAILABLE, "somebody else changed the stream meanwhile");
    }
    if (status != STATUS_OK) {
        session->limit = session->limit > 1 ? session->limit / 2 : 1;
        return status;
    }
    session->limit =
        2 * session->limit < SHIP_WINDOW_RECORDS ? 2 * session->limit : SHIP_WINDOW_RECORDS;
    session->position = last;
    acknowledge(session, last);
    return STATUS_OK;
}

/* ---- erasing --------------------------------------------------------------------------------- */

enum status ship_session_erase(struct ship_session *session, enum ship_erased *out,
                               struct failure *failure)
{
    const struct ship_erase_place place = {
        .link = session->link,
        .window = session->window,
        .directory = session->config->directory,
        .position = session->position,
        .has_aof = session->config->redis.require_aof,
        .differs = &session->differs,
    };
    return ship_erase_step(&session->erase, &place, out, failure);
}
