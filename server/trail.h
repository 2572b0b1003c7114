/* trail.h - what the server records, when: drafts of audit records from what handlers know, and the
 * answers that wait until a record is durable. Floods (refusals, failed logins) beyond
 * TRAIL_EACH_PER_SECOND of one tenant are counted and stand in one record a second. Any thread. */
#pragma once
#include "audit/audit.h"
#include "auth/auth.h"
#include "server/http/http_server.h"

enum { TRAIL_EACH_PER_SECOND = 20 };

struct trail;

MUST_CHECK enum status trail_create(struct audit *audit, const char *model_name,
                                    const char *model_digest, struct trail **out);
void trail_destroy(struct trail *trail); /* NULL is fine; records what was only counted so far */

struct audit *trail_audit(struct trail *trail);

/* Begins a draft with tenant, request id and key id of the exchange, route and model. */
void trail_draft(struct trail *trail, enum record_event event, const struct auth_identity *identity,
                 const char *request_id, const char *route, struct record_draft *out);

/* request.refused of a known tenant; auth.failed of nobody. Nothing waits for these. */
void trail_refused(struct trail *trail, const struct auth_identity *identity,
                   const char *request_id, const char *route, const char *outcome,
                   const struct http_error *error);
void trail_auth_failed(struct trail *trail, const char *request_id, const char *peer,
                       const struct http_error *error);

/* A whole answer that leaves once the draft is durable; else 503 audit_unavailable. Replaces
 * http_reply in handlers of short requests. Takes a copy of the bytes. */
void trail_reply(struct trail *trail, struct http_exchange *exchange,
                 const struct record_draft *draft, int http_code, const char *content_type,
                 const char *bytes, size_t length);

/* The answer when records cannot be kept. */
extern const struct http_error trail_unavailable;

/* About twice a second, from the main thread: what floods were counted, what other processes left
 * in the inbox, tenants' retention. */
void trail_tick(struct trail *trail, struct auth *auth);
