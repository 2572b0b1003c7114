#include "tests/audit/redis/support_shipping.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/redis/redis_key.h"
#include "audit/redis/redis_reply.h"
#include "audit/spool/spool_reader.h"
#include "base/assert.h"

enum { WAITS_MAX = 30000, WAIT_US = 2000, DURABLE_MS = 30000, PATTERN_BYTES = 160 };

static const char prefix[] = "ward:audit";

void shipping_make(struct shipping *shipping)
{
    static const char template[] = "/tmp/ward-shipping-XXXXXX";
    *shipping = (struct shipping){0};
    memcpy(shipping->directory, template, sizeof template);
    ASSERT(mkdtemp(shipping->directory));
    support_redis_make(&shipping->redis);
    support_redis_start(&shipping->redis);
    const struct writer_config config = {
        .directory = shipping->directory,
        .queue_bytes = 16 << 20,
        .segment_bytes = 1 << 18,
        .checkpoint_records = 1000,
        .checkpoint_ms = 1000,
    };
    ASSERT(writer_start(&config, &shipping->writer, &shipping->failure) == STATUS_OK);
    shipping->config = (struct shipper_config){
        .directory = shipping->directory,
        .prefix = prefix,
        .redis = {.url = shipping->redis.url, .require_aof = true, .timeout_ms = 500},
        .writer = shipping->writer,
    };
}

static void remove_matching(const char *directory, const char *pattern)
{
    char path[PATTERN_BYTES];
    glob_t found;
    snprintf(path, sizeof path, "%s/%s", directory, pattern);
    if (glob(path, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            (void)(unlink(found.gl_pathv[i]) == 0 || rmdir(found.gl_pathv[i]) == 0);
        }
        globfree(&found);
    }
}

void shipping_remove(struct shipping *shipping)
{
    shipper_stop(shipping->shipper, 0);
    shipping->shipper = NULL;
    writer_stop(shipping->writer);
    support_redis_remove(&shipping->redis);
    remove_matching(shipping->directory, "*/*");
    remove_matching(shipping->directory, "*");
    rmdir(shipping->directory);
}

enum status shipping_start(struct shipping *shipping)
{
    return shipper_start(&shipping->config, &shipping->shipper, &shipping->failure);
}

void shipping_stop(struct shipping *shipping)
{
    shipper_stop(shipping->shipper, DURABLE_MS);
    shipping->shipper = NULL;
}

void shipping_append(struct shipping *shipping, uint32_t count)
{
    struct writer_position position = {0};
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t which = atomic_fetch_add(&shipping->appended, 1);
        const struct tenant_id tenant = {(uint32_t)(which % (SHIPPING_TENANTS + 1))};
        struct record_draft draft;
        char name[RECORD_NAME_BYTES] = "";
        if (tenant.value > 0) {
            snprintf(name, sizeof name, "clinic-%u", tenant.value);
        }
        record_draft_begin(&draft, RECORD_EVENT_REQUEST_COMPLETED, tenant, name);
        record_draft_text(&draft, RECORD_FIELD_route, "chat");
        record_draft_uint(&draft, RECORD_FIELD_prompt_tokens, which);
        const enum status status = writer_append(shipping->writer, &draft, 0, &position);
        ASSERT(status == STATUS_OK);
    }
    const enum status status = writer_wait(shipping->writer, position, DURABLE_MS);
    ASSERT(status == STATUS_OK);
    if (shipping->shipper) {
        shipper_wake(shipping->shipper);
    }
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void pause_a_little(void)
{
    const struct timespec time = {.tv_nsec = WAIT_US * 1000L};
    nanosleep(&time, NULL);
}

struct shipper_facts shipping_facts(struct shipping *shipping)
{
    struct shipper_facts facts;
    shipper_read_facts(shipping->shipper, &facts);
    return facts;
}

static bool gave_up(struct shipping *shipping, int *waits, const char *what)
{
    pause_a_little();
    if (++*waits < WAITS_MAX) {
        return false;
    }
    const struct shipper_facts facts = shipping_facts(shipping);
    fprintf(stderr, "waited in vain for %s: state %d acknowledged %llu trouble \"%s\"\n", what,
            (int)facts.state, (unsigned long long)facts.acknowledged, facts.trouble);
    return true;
}

void shipping_wait_all(struct shipping *shipping)
{
    struct writer_facts facts;
    writer_read_facts(shipping->writer, &facts);
    for (int waits = 0; shipping_facts(shipping).acknowledged < facts.sequence;) {
        ASSERT(!gave_up(shipping, &waits, "all that is durable"));
    }
}

void shipping_wait_state(struct shipping *shipping, enum shipper_state state)
{
    for (int waits = 0; shipping_facts(shipping).state != state;) {
        ASSERT(!gave_up(shipping, &waits, "a state"));
    }
}

void shipping_wait_trouble(struct shipping *shipping, const char *part)
{
    for (int waits = 0; !strstr(shipping_facts(shipping).trouble, part);) {
        ASSERT(!gave_up(shipping, &waits, part));
    }
}

uint64_t shipping_length(struct shipping *shipping, const char *stream)
{
    redisReply *reply = support_redis_ask(&shipping->redis, "XLEN %s", stream);
    const uint64_t length =
        reply && reply->type == REDIS_REPLY_INTEGER ? (uint64_t)reply->integer : UINT64_MAX;
    freeReplyObject(reply);
    return length;
}

void shipping_forget(struct shipping *shipping)
{
    char path[PATTERN_BYTES];
    snprintf(path, sizeof path, "%s/shipped", shipping->directory);
    ASSERT(unlink(path) == 0);
}

uint64_t shipping_count(struct shipping *shipping, enum record_event event)
{
    struct spool_reader *reader = NULL;
    struct spool_place place;
    struct frame frame;
    struct record record;
    uint64_t count = 0;
    if (spool_reader_open(shipping->directory, 1, &reader, NULL) != STATUS_OK) {
        return UINT64_MAX;
    }
    while (spool_reader_next(reader, &frame, &place, NULL) == STATUS_OK) {
        count += frame.kind == FRAME_RECORD
                 && record_parse(frame.body, frame.body_bytes, &record) == STATUS_OK
                 && record.event == event;
    }
    spool_reader_close(reader);
    return count;
}

/* ---- the oracle ------------------------------------------------------------------------------ */

struct oracle {
    redisReply *chain, *views[SHIPPING_TENANTS + 1];
    size_t chain_next, views_next[SHIPPING_TENANTS + 1];
    char *wrong;
};

static bool is_entry(const redisReply *stream, size_t index, const char *id, const char *field,
                     const void *value, size_t length)
{
    const redisReply *got_id = NULL;
    const redisReply *fields = NULL;
    if (!redis_reply_entry(stream, index, &got_id, &fields) || !redis_reply_is_text(got_id, id)) {
        return false;
    }
    const size_t count = fields->elements;
    return count >= 2 && redis_reply_is_text(fields->element[count - 2], field)
           && fields->element[count - 1]->len == length
           && memcmp(fields->element[count - 1]->str, value, length) == 0;
}

static bool has_id(const redisReply *stream, size_t index, const char *id)
{
    const redisReply *got_id = NULL;
    const redisReply *fields = NULL;
    return redis_reply_entry(stream, index, &got_id, &fields) && redis_reply_is_text(got_id, id);
}

static bool is_copied(struct oracle *oracle, const struct frame *frame)
{
    static uint8_t bytes[FRAME_HEADER_BYTES + RECORD_BODY_BYTES_MAX];
    struct record record;
    char id[REDIS_ID_BYTES];
    const size_t length = frame_write(frame, bytes);
    redis_key_id(frame->sequence, 1, id);
    if (frame->kind == FRAME_ERASED && !has_id(oracle->chain, oracle->chain_next, id)) {
        return true; /* deleted, as it should be */
    }
    if (!is_entry(oracle->chain, oracle->chain_next++, id, "frame", bytes, length)) {
        snprintf(oracle->wrong, SHIPPING_WRONG_BYTES, "@chain has not %s", id);
        return false;
    }
    const uint32_t tenant = frame->tenant.value;
    if (tenant == 0 || frame->kind == FRAME_ERASED) {
        return true;
    }
    ASSERT(tenant <= SHIPPING_TENANTS
           && record_parse(frame->body, frame->body_bytes, &record) == STATUS_OK);
    redis_key_id(tenant, record.number, id);
    if (!is_entry(oracle->views[tenant], oracle->views_next[tenant]++, id, "record", frame->body,
                  frame->body_bytes)) {
        snprintf(oracle->wrong, SHIPPING_WRONG_BYTES, "clinic-%u has not %s", tenant, id);
        return false;
    }
    return true;
}

static void fetch(struct shipping *shipping, struct oracle *oracle)
{
    char key[REDIS_KEY_BYTES];
    redis_key_chain(prefix, key);
    oracle->chain = support_redis_ask(&shipping->redis, "XRANGE %s - +", key);
    ASSERT(oracle->chain);
    for (uint32_t tenant = 1; tenant <= SHIPPING_TENANTS; tenant++) {
        oracle->views[tenant] =
            support_redis_ask(&shipping->redis, "XRANGE %s:clinic-%u - +", prefix, tenant);
        ASSERT(oracle->views[tenant]);
    }
}

static bool has_nothing_else(const struct oracle *oracle)
{
    bool has_nothing = oracle->chain_next == oracle->chain->elements;
    for (uint32_t tenant = 1; tenant <= SHIPPING_TENANTS; tenant++) {
        has_nothing = has_nothing && oracle->views_next[tenant] == oracle->views[tenant]->elements;
    }
    if (!has_nothing) {
        snprintf(oracle->wrong, SHIPPING_WRONG_BYTES, "Redis has more than the spool");
    }
    return has_nothing;
}

uint64_t shipping_compare(struct shipping *shipping)
{
    struct oracle oracle = {.wrong = shipping->wrong};
    struct spool_reader *reader = NULL;
    struct spool_place place;
    struct frame frame;
    uint64_t count = 0;
    ASSERT(writer_drain(shipping->writer));
    shipping_wait_all(shipping);
    shipping_stop(shipping);
    fetch(shipping, &oracle);
    ASSERT(spool_reader_open(shipping->directory, 1, &reader, &shipping->failure) == STATUS_OK);
    enum status status = STATUS_OK;
    bool is_right = true;
    while (is_right
           && (status = spool_reader_next(reader, &frame, &place, &shipping->failure))
                  == STATUS_OK) {
        if (frame.kind != FRAME_SNAPSHOT) {
            count++;
            is_right = frame.sequence == count && is_copied(&oracle, &frame);
        }
    }
    is_right = is_right && status == STATUS_NOT_FOUND && has_nothing_else(&oracle);
    spool_reader_close(reader);
    freeReplyObject(oracle.chain);
    for (uint32_t tenant = 1; tenant <= SHIPPING_TENANTS; tenant++) {
        freeReplyObject(oracle.views[tenant]);
    }
    return is_right ? count : 0;
}
