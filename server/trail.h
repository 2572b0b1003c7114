/* trail.h - what the server records, when: drafts of audit records from what handlers know, and the
 * answers that wait until a record is durable. Floods (refusals, failed logins) beyond
 * TRAIL_EACH_PER_SECOND of one tenant are counted and stand in one record a second, which says what
 * they share; while records cannot be kept all of them are only counted. Any thread. */
#pragma once
#include "audit/audit.h"
#include "server/http/http_server.h"

enum { TRAIL_EACH_PER_SECOND = 20, TRAIL_PATIENCE_MS = 5000 };

struct trail;

struct trail_config {
    struct audit *audit;                   /* outlives the trail */
    const char *model_name, *model_digest; /* likewise */
    uint64_t (*now_ns)(void);              /* NULL: the clock */
};

/* STATUS_IO: no memory. */
MUST_CHECK enum status trail_create(const struct trail_config *config, struct trail **out);
void trail_destroy(struct trail *trail); /* NULL is fine; records what was only counted so far */

struct audit *trail_audit(struct trail *trail);

/* Begins a draft with tenant, request id and key id of the exchange, route and model; fields from
 * 12 on may follow. */
void trail_draft(const struct trail *trail, enum record_event event,
                 const struct auth_identity *identity, const char *request_id, const char *route,
                 struct record_draft *out);

struct trail_stranger {
    const char *request_id, *key_id, *peer; /* key_id: only of a key that exists, else "" */
};

/* request.refused of a known tenant; auth.failed of nobody. Nothing waits for these. route and peer
 * may be NULL. */
void trail_refused(struct trail *trail, const struct auth_identity *identity,
                   const char *request_id, const char *route, const char *outcome,
                   const struct http_error *error);
void trail_auth_failed(struct trail *trail, const struct trail_stranger *who,
                       const struct http_error *error);

/* A request that is answered with trail_unavailable: recorded as refused, and asked to be recorded
 * as accepted all the same, so that the count of the outage is true. */
void trail_refused_unavailable(struct trail *trail, const struct auth_identity *identity,
                               const char *request_id, const char *route);

/* As audit_keeping, but LOST too when it has been waiting since since_ns (clock_monotonic_ns) for
 * TRAIL_PATIENCE_MS: a disk may hang instead of failing. */
enum audit_keeping trail_keeping(const struct trail *trail, struct audit_position position,
                                 uint64_t since_ns);

/* A whole answer that leaves once the draft is durable; else 503 audit_unavailable, recorded as
 * refused, though the draft may be written too, later. Replaces http_reply in handlers of short
 * requests. Takes a copy of the bytes; content_type is a literal. */
void trail_reply(struct trail *trail, struct http_exchange *exchange,
                 const struct record_draft *draft, int http_code, const char *content_type,
                 const char *bytes, size_t length);

/* The answer when records cannot be kept. */
extern const struct http_error trail_unavailable;

/* About twice a second: records what was counted when its second is over. */
void trail_tick(struct trail *trail);
