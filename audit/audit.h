/* audit.h - the audit log of a running server: record, ask whether it is kept, digest texts. Opened
 * once a process; any thread calls the rest; nothing here waits for disk or Redis but audit_open,
 * audit_wait and audit_close. Records: audit/record/record.h. Files: README.md.
 *
 *   record_draft_begin(&draft, RECORD_EVENT_REQUEST_ACCEPTED, tenant, name); ...
 *   audit_append(audit, &draft, http_handle, &position);
 *   ... woken: audit_keeping(audit, position) == AUDIT_KEPT: bytes of the answer may leave. */
#pragma once
#include "audit/chain/digest.h"
#include "audit/record/record.h"
#include "base/failure.h"

struct audit;

struct audit_config {
    const char *directory; /* the audit directory; made when missing */
    bool keeps_in_memory;  /* audit.on_failure: spool_memory, else refuse */
    uint64_t queue_bytes, segment_bytes;
    uint32_t retention_days;
    const char *redis_url; /* NULL or "": no Redis */
    const char *redis_user, *redis_password_file, *redis_ca_file, *redis_prefix;
    bool require_aof, warns_of_unsafe_redis;
    void (*wake)(void *context, uint64_t handle); /* any thread of audit; NULL: nobody waits */
    void *wake_context;
    int64_t (*now_unix_ms)(void); /* NULL: the clock */
};

/* STATUS_FULL: another process has the log. STATUS_INVALID: the log is damaged, or a setting is
 * wrong. STATUS_FORBIDDEN: the Redis would lose data. failure says what to do. */
MUST_CHECK enum status audit_open(const struct audit_config *config, struct audit **out,
                                  struct failure *failure);
/* Keeps all that was appended, ships for a few seconds, closes. False: some could not be kept. */
bool audit_close(struct audit *audit); /* NULL is fine */

struct audit_position {
    uint64_t value; /* 0: none */
};
enum audit_keeping { AUDIT_WAITING, AUDIT_KEPT, AUDIT_LOST };

/* handle: what wake is called with once it is kept or lost; 0: nobody waits. STATUS_UNAVAILABLE:
 * records cannot be kept now. STATUS_FULL: too many wait. */
MUST_CHECK enum status audit_append(struct audit *audit, const struct record_draft *draft,
                                    uint64_t handle, struct audit_position *out);
enum audit_keeping audit_keeping(const struct audit *audit, struct audit_position position);
MUST_CHECK enum status audit_wait(struct audit *audit, struct audit_position position,
                                  uint32_t timeout_ms);

const char *audit_directory(const struct audit *audit); /* for those who read it */

/* False: new requests are to be refused, running streams cut, /readyz is to fail. */
bool audit_is_available(const struct audit *audit);

/* A keyed digest of a text of that tenant; `ward audit digest` makes the same. */
void audit_digest_begin(const struct audit *audit, struct tenant_id tenant,
                        struct digest_stream *out);

/* How long this tenant's records are kept; 0: as the config says. */
void audit_set_retention(struct audit *audit, struct tenant_id tenant, uint32_t days);

/* The last checkpoint as one line to copy elsewhere. STATUS_NOT_FOUND: none yet. */
MUST_CHECK enum status audit_checkpoint_line(struct audit *audit, struct buffer *out);

struct audit_facts { /* for /metrics and `ward doctor` */
    bool is_available, is_failing, has_redis, redis_is_shipping, redis_has_alarm;
    uint64_t records, groups, failures, refused, lost, queued_bytes, sync_us_total;
    uint64_t sequence, redis_acknowledged, redis_resent, redis_reconnects, redis_mismatches;
    int64_t time_unix_ms; /* of the last durable record */
    char redis_trouble[FAILURE_TEXT_BYTES];
};
void audit_read_facts(struct audit *audit, struct audit_facts *out);
