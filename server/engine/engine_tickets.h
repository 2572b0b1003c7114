/* engine_tickets.h - who waits for what the engine says: a fixed table of requests, each with its
 * token log, the handle to wake it by, and the cancels that are still to be sent. Any thread; each
 * place has its own lock, held for copies only. Private to the engine loop. */
#pragma once
#include "base/ring.h"
#include "server/engine/engine_messages.h"

struct tickets;

MUST_CHECK enum status tickets_create(uint32_t count, struct ring *inbound, struct tickets **out);
void tickets_destroy(struct tickets *tickets); /* NULL is fine */

/* STATUS_FULL: all are out. */
MUST_CHECK enum status tickets_take(struct tickets *tickets, uint32_t sequence_count,
                                    struct token_log *log, uint64_t handle,
                                    struct engine_ticket *out);
void tickets_give_back(struct tickets *tickets, struct engine_ticket ticket); /* never submitted */

/* Cancels go into the inbound ring; one that finds it full waits for tickets_retry_cancels(). */
void tickets_cancel(struct tickets *tickets, struct engine_ticket ticket, uint32_t sequence);
void tickets_cancel_all(struct tickets *tickets, struct engine_ticket ticket);
void tickets_release(struct tickets *tickets, struct engine_ticket ticket);

void tickets_retry_cancels(struct tickets *tickets);
bool tickets_has_cancels(const struct tickets *tickets);

uint32_t tickets_live(struct tickets *tickets);

/* ---- delivery -------------------------------------------------------------------------------- */

/* Writes one event into its log; an event for a ticket that is gone is dropped. True: *handle is to
 * be woken after this round; it is told once a round. round: any number but the last one. */
bool tickets_deliver(struct tickets *tickets, const struct outbound_event *event,
                     const struct token_record *tops, uint64_t round, uint64_t now_ns,
                     uint64_t *handle);

/* Fails and cancels whoever holds that place of the table; place < count. True: to be woken. */
bool tickets_fail(struct tickets *tickets, uint32_t place, enum status status, uint64_t *handle);
uint32_t tickets_count(const struct tickets *tickets);
