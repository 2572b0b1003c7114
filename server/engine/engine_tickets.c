#include "server/engine/engine_tickets.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"

static const uint32_t NO_PLACE = UINT32_MAX;

struct place {
    pthread_mutex_t lock;
    uint64_t serial; /* of the ticket that is or was last here: tells late events from new ones */
    struct token_log *log; /* NULL: free, or released with cancels still to be sent */
    uint64_t handle, round;
    struct sequence_set running; /* not ended, and not cancelled */
    struct sequence_set cancels; /* wanted, but the ring was full */
    uint32_t next_free;
};

struct tickets {
    struct ring *inbound;
    uint32_t count;
    _Atomic uint32_t waiting_cancels; /* places with cancels */
    pthread_mutex_t free_lock;        /* innermost: taken with a place's lock held */
    uint32_t first_free, taken_count;
    struct place places[];
};

/* ---- sets of sequences ---------------------------------------------------------------------- */

static bool set_is_empty(const struct sequence_set *set)
{
    return (set->bits[0] | set->bits[1]) == 0;
}

static struct sequence_set set_first(uint32_t count)
{
    struct sequence_set set = {0};
    for (uint32_t i = 0; i < count; i++) {
        set.bits[i / 64] |= 1ULL << (i % 64);
    }
    return set;
}

static void set_move(struct sequence_set *from, struct sequence_set *to, struct sequence_set which)
{
    for (uint32_t i = 0; i < LIMIT_SAMPLES / 64; i++) {
        const uint64_t moved = from->bits[i] & which.bits[i];
        from->bits[i] &= ~moved;
        to->bits[i] |= moved;
    }
}

/* ---- table ---------------------------------------------------------------------------------- */

enum status tickets_create(uint32_t count, struct ring *inbound, struct tickets **out)
{
    ASSERT(count >= 1 && count <= ENGINE_LOOP_REQUESTS_MAX);
    struct tickets *tickets = calloc(1, sizeof *tickets + count * sizeof(struct place));
    if (!tickets) {
        return STATUS_IO;
    }
    tickets->inbound = inbound;
    tickets->count = count;
    pthread_mutex_init(&tickets->free_lock, NULL);
    for (uint32_t i = 0; i < count; i++) {
        pthread_mutex_init(&tickets->places[i].lock, NULL);
        tickets->places[i].next_free = i + 1 < count ? i + 1 : NO_PLACE;
    }
    *out = tickets;
    return STATUS_OK;
}

void tickets_destroy(struct tickets *tickets)
{
    if (tickets) {
        for (uint32_t i = 0; i < tickets->count; i++) {
            pthread_mutex_destroy(&tickets->places[i].lock);
        }
        pthread_mutex_destroy(&tickets->free_lock);
        free(tickets);
    }
}

static uint64_t ticket_value(const struct tickets *tickets, const struct place *place)
{
    const uint64_t index = (uint64_t)(place - tickets->places);
    return place->serial << (ID_SEQUENCE_BITS + ID_PLACE_BITS) | index << ID_SEQUENCE_BITS;
}

enum status tickets_take(struct tickets *tickets, uint32_t sequence_count, struct token_log *log,
                         uint64_t handle, struct engine_ticket *out)
{
    pthread_mutex_lock(&tickets->free_lock);
    const uint32_t index = tickets->first_free;
    if (index != NO_PLACE) {
        tickets->first_free = tickets->places[index].next_free;
        tickets->taken_count++;
    }
    pthread_mutex_unlock(&tickets->free_lock);
    if (index == NO_PLACE) {
        return STATUS_FULL;
    }
    struct place *place = &tickets->places[index];
    pthread_mutex_lock(&place->lock);
    place->serial++;
    place->log = log;
    place->handle = handle;
    place->running = set_first(sequence_count);
    out->value = ticket_value(tickets, place);
    pthread_mutex_unlock(&place->lock);
    return STATUS_OK;
}

/* The holder's place, locked; or NULL, nothing locked, if another ticket has it by now. */
static struct place *lock_place(struct tickets *tickets, uint64_t id)
{
    ASSERT(id_place(id) < tickets->count);
    struct place *place = &tickets->places[id_place(id)];
    pthread_mutex_lock(&place->lock);
    if (place->log && ticket_value(tickets, place) == id - id_sequence(id)) {
        return place;
    }
    pthread_mutex_unlock(&place->lock);
    return NULL;
}

/* Under the place's lock: back on the free list unless a cancel must still be sent from here. */
static void free_if_done(struct tickets *tickets, struct place *place)
{
    if (!place->log && set_is_empty(&place->cancels)) {
        pthread_mutex_lock(&tickets->free_lock);
        place->next_free = tickets->first_free;
        tickets->first_free = (uint32_t)(place - tickets->places);
        tickets->taken_count--;
        pthread_mutex_unlock(&tickets->free_lock);
    }
}

uint32_t tickets_live(struct tickets *tickets)
{
    pthread_mutex_lock(&tickets->free_lock);
    const uint32_t live = tickets->taken_count;
    pthread_mutex_unlock(&tickets->free_lock);
    return live;
}

uint32_t tickets_count(const struct tickets *tickets)
{
    return tickets->count;
}

/* ---- cancel, under the place's lock --------------------------------------------------------- */

static bool send_cancels(struct tickets *tickets, struct place *place)
{
    const struct cancel_message message = {
        .kind = INBOUND_CANCEL,
        .ticket = ticket_value(tickets, place),
        .sequences = place->cancels,
    };
    if (ring_push(tickets->inbound, &message, sizeof message, NULL, 0) != STATUS_OK) {
        return false;
    }
    place->cancels = (struct sequence_set){0};
    return true;
}

static void cancel(struct tickets *tickets, struct place *place, struct sequence_set which)
{
    const bool was_waiting = !set_is_empty(&place->cancels);
    set_move(&place->running, &place->cancels, which);
    if (set_is_empty(&place->cancels)) {
        return;
    }
    const bool is_sent = send_cancels(tickets, place);
    if (is_sent && was_waiting) {
        atomic_fetch_sub(&tickets->waiting_cancels, 1);
    } else if (!is_sent && !was_waiting) {
        atomic_fetch_add(&tickets->waiting_cancels, 1);
    }
}

/* ---- any thread ----------------------------------------------------------------------------- */

void tickets_give_back(struct tickets *tickets, struct engine_ticket ticket)
{
    struct place *place = lock_place(tickets, ticket.value);
    ASSERT(place);
    place->log = NULL;
    place->running = (struct sequence_set){0};
    free_if_done(tickets, place);
    pthread_mutex_unlock(&place->lock);
}

void tickets_cancel(struct tickets *tickets, struct engine_ticket ticket, uint32_t sequence)
{
    struct sequence_set which = {0};
    which.bits[sequence / 64] = 1ULL << (sequence % 64);
    struct place *place = lock_place(tickets, ticket.value);
    if (place) {
        cancel(tickets, place, which);
        pthread_mutex_unlock(&place->lock);
    }
}

void tickets_cancel_all(struct tickets *tickets, struct engine_ticket ticket)
{
    struct place *place = lock_place(tickets, ticket.value);
    if (place) {
        cancel(tickets, place, set_first(LIMIT_SAMPLES));
        pthread_mutex_unlock(&place->lock);
    }
}

void tickets_release(struct tickets *tickets, struct engine_ticket ticket)
{
    struct place *place = lock_place(tickets, ticket.value);
    ASSERT(place);
    cancel(tickets, place, set_first(LIMIT_SAMPLES));
    place->log = NULL;
    free_if_done(tickets, place);
    pthread_mutex_unlock(&place->lock);
}

bool tickets_has_cancels(const struct tickets *tickets)
{
    return atomic_load(&tickets->waiting_cancels) > 0;
}

void tickets_retry_cancels(struct tickets *tickets)
{
    for (uint32_t i = 0; i < tickets->count && tickets_has_cancels(tickets); i++) {
        struct place *place = &tickets->places[i];
        pthread_mutex_lock(&place->lock);
        if (!set_is_empty(&place->cancels) && send_cancels(tickets, place)) {
            atomic_fetch_sub(&tickets->waiting_cancels, 1);
            free_if_done(tickets, place);
        }
        pthread_mutex_unlock(&place->lock);
    }
}

/* ---- delivery ------------------------------------------------------------------------------- */

static enum token_end end_of(uint32_t finish)
{
    static const enum token_end ends[] = {
        [FINISH_STOP] = TOKEN_END_STOP,
        [FINISH_LENGTH] = TOKEN_END_LENGTH,
        [FINISH_CANCELLED] = TOKEN_END_FAILED,
        [FINISH_FAILED] = TOKEN_END_FAILED,
    };
    ASSERT(finish < sizeof ends / sizeof ends[0]);
    return ends[finish];
}

/* What a cancelled or failed sequence still had on its way is dropped: its end has been told. */
static bool write_event(struct place *place, const struct outbound_event *event,
                        const struct token_record *tops, uint64_t now_ns)
{
    const uint32_t sequence = id_sequence(event->id);
    const uint64_t bit = 1ULL << (sequence % 64);
    const bool concerns_all = event->kind == OUTBOUND_ADMISSION;
    if (concerns_all ? set_is_empty(&place->running)
                     : (place->running.bits[sequence / 64] & bit) == 0) {
        return false;
    }
    switch ((enum outbound_kind)event->kind) {
    case OUTBOUND_ADMISSION:
        token_log_admit(place->log, (enum status)event->value);
        if (event->value != STATUS_OK) {
            place->running = (struct sequence_set){0};
        }
        break;
    case OUTBOUND_TOKEN:
        token_log_append(place->log, sequence,
                         (struct token_record){.id = event->value, .logprob = event->logprob}, tops,
                         event->top_count);
        token_log_stamp(place->log, now_ns);
        break;
    case OUTBOUND_FINISHED:
        place->running.bits[sequence / 64] &= ~bit;
        token_log_finish(place->log, sequence, end_of(event->value));
        break;
    case OUTBOUND_LOST:
        ASSERT(false); /* concerns every place: the delivery thread's own */
    }
    return true;
}

bool tickets_deliver(struct tickets *tickets, const struct outbound_event *event,
                     const struct token_record *tops, uint64_t round, uint64_t now_ns,
                     uint64_t *handle)
{
    struct place *place = lock_place(tickets, event->id);
    if (!place) {
        return false;
    }
    const bool is_news = write_event(place, event, tops, now_ns) && place->round != round;
    if (is_news) {
        place->round = round;
    }
    *handle = place->handle;
    pthread_mutex_unlock(&place->lock);
    return is_news;
}

bool tickets_fail(struct tickets *tickets, uint32_t index, enum status status, uint64_t *handle)
{
    struct place *place = &tickets->places[index];
    pthread_mutex_lock(&place->lock);
    const bool is_held = place->log != NULL;
    if (is_held) {
        token_log_fail(place->log, status);
        cancel(tickets, place, set_first(LIMIT_SAMPLES));
        *handle = place->handle;
    }
    pthread_mutex_unlock(&place->lock);
    return is_held;
}
